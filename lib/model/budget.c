/* What a session comes to before it is made: its plan's form and its memory; and how many images a pass takes: what keeps the
 * machine busy, and what the context's memory budget allows. */
#include "model/session_inside.h"

/* ---- Form and memory ---- */

isc_plan_form isc_session_form(const iscp_model *model, int32_t batch, int32_t purpose) {
  const iscp_contract *contract = iscp_model_contract(model);
  bool features = purpose == ISC_SESSION_FEATURES;
  int32_t stage = !features && purpose > ISC_SESSION_STAGE ? purpose - ISC_SESSION_STAGE : 0;
  return (isc_plan_form){batch, contract->height, contract->width, purpose != ISCP_SESSION_INFERENCE, stage, features};
}

iscp_status isc_session_check(const iscp_model *model, int32_t batch) {
  if (!model)
    return isc_fail(ISCP_ERROR_ARGUMENT, "model is NULL");
  if (batch < 1 || batch > ISC_LARGEST_BATCH)
    return isc_fail(ISCP_ERROR_ARGUMENT, "batch is %d, expected 1 to %d", batch, ISC_LARGEST_BATCH);
  return ISCP_OK;
}

iscp_status isc_session_foretell(int64_t *bytes, const iscp_model *model, int32_t batch, int32_t purpose) {
  if (!bytes)
    return isc_fail(ISCP_ERROR_ARGUMENT, "bytes is NULL");
  *bytes = 0;
  ISC_TRY(isc_session_check(model, batch));
  isc_plan_form form = isc_session_form(model, batch, purpose);
  isc_compute compute;
  ISC_TRY(isc_compute_enter(isc_model_context(model), &compute));
  size_t plan = 0;
  iscp_status status = isc_plan_foretell(&plan, isc_model_network(model), &form);
  isc_compute_leave(&compute);
  if (status == ISCP_OK)
    *bytes = (int64_t)(sizeof(iscp_session) + plan);
  return status;
}

/* ---- Batches ---- */

/* About 64 images of 32x32, fewer of larger ones: activations stay near the caches. But some for each thread. */
int32_t isc_model_good_batch(const iscp_model *model, int32_t purpose) {
  int64_t pixels = isc_contract_pixels(iscp_model_contract(model));
  int64_t batch = 64 * 1024 / (pixels ? pixels : 1);
  int64_t least = (purpose == ISCP_SESSION_GRADIENT ? 2 : 4) * (int64_t)iscp_context_threads(isc_model_context(model));
  batch = batch < least ? least : batch;
  return (int32_t)(batch < 4 ? 4 : batch > 64 ? 64 : batch);
}

static iscp_status fits(bool *answer, const iscp_model *model, int32_t batch, int32_t purpose, int64_t budget) {
  int64_t bytes;
  ISC_TRY(isc_session_foretell(&bytes, model, batch, purpose));
  *answer = bytes <= budget;
  return ISCP_OK;
}

/* A batch that fits, found by halving: the largest, as far as memory grows with the batch. */
iscp_status isc_budget_fit(int32_t *batch, const iscp_model *model, int32_t most, int32_t purpose, int64_t reserved) {
  int64_t budget = iscp_context_memory(isc_model_context(model));
  *batch = most;
  if (!budget)
    return ISCP_OK;
  bool answer;
  ISC_TRY(fits(&answer, model, most, purpose, budget - reserved));
  int32_t low = answer ? most : 0, high = answer ? most : most - 1; /* low fits (0 always), above high none does */
  while (low < high) {
    int32_t middle = high - (high - low) / 2;
    ISC_TRY(fits(&answer, model, middle, purpose, budget - reserved));
    low = answer ? middle : low;
    high = answer ? high : middle - 1;
  }
  *batch = low;
  if (low)
    return ISCP_OK;
  int64_t bytes;
  ISC_TRY(isc_session_foretell(&bytes, model, 1, purpose));
  return isc_fail(ISCP_ERROR_MEMORY, "one image a pass needs %lld bytes, more than the context's memory of %lld: expected "
                  "%lld or more", (long long)(bytes + reserved), (long long)budget, (long long)(bytes + reserved));
}

iscp_status isc_budget_check(const iscp_model *model, int32_t batch, int32_t purpose) {
  int64_t budget = iscp_context_memory(isc_model_context(model)), bytes;
  if (!budget)
    return ISCP_OK;
  ISC_TRY(isc_session_foretell(&bytes, model, batch, purpose));
  if (bytes <= budget)
    return ISCP_OK;
  int32_t largest;
  ISC_TRY(isc_budget_fit(&largest, model, batch, purpose, 0));
  return isc_fail(ISCP_ERROR_MEMORY, "a batch of %d needs %lld bytes, more than the context's memory of %lld: expected a "
                  "batch of at most %d", batch, (long long)bytes, (long long)budget, largest);
}
