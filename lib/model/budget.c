/* How many images a pass takes: what keeps the machine busy, and what the context's memory budget allows. */
#include "model/model.h"

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
