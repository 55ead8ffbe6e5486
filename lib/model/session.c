/* The running of a model: a plan of the network, the normalisation of the input contract, one thread at a time. */
#include <string.h>

#include "model/session_inside.h"

/* ---- Life ---- */

static iscp_status check_purpose(int32_t purpose) {
  if (purpose != ISCP_SESSION_INFERENCE && purpose != ISCP_SESSION_GRADIENT)
    return isc_fail(ISCP_ERROR_ARGUMENT, "purpose is %d, expected ISCP_SESSION_INFERENCE or ISCP_SESSION_GRADIENT", purpose);
  return ISCP_OK;
}

iscp_status iscp_session_foretell(int64_t *bytes, const iscp_model *model, int32_t batch, int32_t purpose) {
  if (bytes)
    *bytes = 0;
  ISC_TRY(isc_session_check(model, batch));
  ISC_TRY(check_purpose(purpose));
  return isc_session_foretell(bytes, model, batch, purpose);
}

static iscp_status make_plan(iscp_session *session, const iscp_model *model, int32_t batch, int32_t purpose) {
  isc_plan_form form = isc_session_form(model, batch, purpose);
  isc_compute compute;
  ISC_TRY(isc_compute_enter(isc_model_context(model), &compute));
  iscp_status status = isc_plan_create(&session->plan, isc_model_network(model), &form);
  isc_compute_leave(&compute);
  return status;
}

iscp_status isc_session_create(iscp_session **out, const iscp_model *model, int32_t batch, int32_t purpose) {
  *out = NULL;
  ISC_TRY(isc_session_check(model, batch));
  ISC_TRY(isc_budget_check(model, batch, purpose));
  const iscp_context *context = isc_model_context(model);
  iscp_session *session = isc_calloc(context, 1, sizeof *session);
  if (!session)
    return ISCP_ERROR_MEMORY;
  atomic_flag_clear(&session->busy);
  session->model = isc_model_hold(model);
  session->purpose = purpose;
  session->numbers = isc_contract_numbers(iscp_model_contract(model));
  iscp_status status = make_plan(session, model, batch, purpose);
  if (status != ISCP_OK) {
    iscp_session_destroy(session);
    return status;
  }
  *out = session;
  return ISCP_OK;
}

iscp_status iscp_session_create(iscp_session **out, const iscp_model *model, int32_t batch, int32_t purpose) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  ISC_TRY(isc_session_check(model, batch));
  ISC_TRY(check_purpose(purpose));
  return isc_session_create(out, model, batch, purpose);
}

void iscp_session_destroy(iscp_session *session) {
  if (!session)
    return;
  iscp_model *model = session->model;
  isc_plan_destroy(session->plan);
  isc_free(isc_model_context(model), session);
  iscp_model_destroy(model);
}

int64_t iscp_session_memory(const iscp_session *session) {
  return session ? (int64_t)(sizeof *session + isc_plan_memory(session->plan)) : 0;
}

/* ---- Inside ---- */

iscp_status isc_session_enter(iscp_session *session, isc_compute *compute) {
  if (atomic_flag_test_and_set(&session->busy))
    return isc_fail(ISCP_ERROR_BUSY, "the session is in use by another thread, expected one thread at a time");
  iscp_status status = isc_compute_enter(isc_model_context(session->model), compute);
  if (status != ISCP_OK)
    atomic_flag_clear(&session->busy);
  return status;
}

void isc_session_leave(iscp_session *session, const isc_compute *compute) {
  isc_compute_leave(compute);
  atomic_flag_clear(&session->busy);
}

int32_t isc_session_batch(const iscp_session *session) { return isc_plan_batch(session->plan); }

float *isc_session_src(iscp_session *session, int32_t row) {
  return isc_plan_src(session->plan) + row * session->numbers;
}

iscp_status isc_session_forward(iscp_session *session) { return isc_plan_forward(session->plan); }
iscp_status isc_session_backward(iscp_session *session) { return isc_plan_backward(session->plan); }

const float *isc_session_logits(const iscp_session *session, int32_t row) {
  return isc_plan_logits(session->plan) + (int64_t)row * isc_model_classes(session->model);
}

float *isc_session_diff_logits(iscp_session *session, int32_t row) {
  return isc_plan_diff_logits(session->plan) + (int64_t)row * isc_model_classes(session->model);
}

const float *isc_session_diff_src(const iscp_session *session, int32_t row) {
  return isc_plan_diff_src(session->plan) + row * session->numbers;
}

int32_t isc_session_feature_count(const iscp_session *session) { return isc_plan_feature_count(session->plan); }

const float *isc_session_features(const iscp_session *session, int32_t row) {
  return isc_plan_features(session->plan) + (int64_t)row * isc_plan_feature_count(session->plan);
}

float *isc_session_diff_features(iscp_session *session, int32_t row) {
  return isc_plan_diff_features(session->plan) + (int64_t)row * isc_plan_feature_count(session->plan);
}

void isc_session_kept_size(const iscp_session *session, int32_t size[3]) { isc_plan_kept_size(session->plan, size); }
const float *isc_session_kept(const iscp_session *session) { return isc_plan_kept(session->plan); }
const float *isc_session_diff_kept(const iscp_session *session) { return isc_plan_diff_kept(session->plan); }

void isc_normalise(float *dst, const float *image, const iscp_contract *contract) {
  int64_t pixels = isc_contract_pixels(contract);
  isc_scale scale = isc_contract_scale(contract);
  for (int32_t c = 0; c < contract->channels; c++)
    for (int64_t i = c * pixels; i < (c + 1) * pixels; i++)
      dst[i] = (image[i] - scale.mean[c]) / scale.std[c];
}

/* ---- Public running ---- */

typedef struct images {
  const float *images;
  const int32_t *targets;
  float *gradient, *losses, *logits;
} images;

static void fill(iscp_session *session, const float *from, int32_t rows) {
  const iscp_contract *contract = iscp_model_contract(session->model);
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < rows; r++)
    isc_normalise(isc_session_src(session, r), from + r * session->numbers, contract);
}

static void read_gradient(const iscp_session *session, float *gradient, int32_t rows) {
  const iscp_contract *contract = iscp_model_contract(session->model);
  int64_t pixels = isc_contract_pixels(contract);
  isc_scale scale = isc_contract_scale(contract);
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < rows; r++) {
    const float *diff = isc_session_diff_src(session, r);
    float *row = gradient + r * session->numbers;
    for (int32_t c = 0; c < contract->channels; c++)
      for (int64_t i = c * pixels; i < (c + 1) * pixels; i++)
        row[i] = diff[i] / scale.std[c];
  }
}

static iscp_status run_batch(iscp_session *session, const images *work, int64_t start, int32_t rows) {
  int32_t classes = isc_model_classes(session->model);
  fill(session, work->images + start * session->numbers, rows);
  ISC_TRY(isc_session_forward(session));
  if (work->logits)
    memcpy(work->logits + start * classes, isc_session_logits(session, 0), (size_t)rows * (size_t)classes * sizeof(float));
  if (!work->gradient)
    return ISCP_OK;
  for (int32_t r = 0; r < isc_session_batch(session); r++) {
    float *diff = isc_session_diff_logits(session, r);
    if (r >= rows) {
      memset(diff, 0, (size_t)classes * sizeof *diff);
      continue;
    }
    double loss = isc_cross_entropy(diff, isc_session_logits(session, r), classes, work->targets[start + r]);
    if (work->losses)
      work->losses[start + r] = (float)loss;
  }
  ISC_TRY(isc_session_backward(session));
  read_gradient(session, work->gradient + start * session->numbers, rows);
  return ISCP_OK;
}

static iscp_status run_all(iscp_session *session, const images *work, int64_t count) {
  isc_compute compute;
  ISC_TRY(isc_session_enter(session, &compute));
  iscp_status status = ISCP_OK;
  int32_t batch = isc_session_batch(session);
  for (int64_t start = 0; status == ISCP_OK && start < count; start += batch)
    status = run_batch(session, work, start, (int32_t)(count - start < batch ? count - start : batch));
  isc_session_leave(session, &compute);
  return status;
}

static iscp_status check_call(const iscp_session *session, const float *in, int64_t count, const float *out) {
  if (!session || !in || !out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", !session ? "session" : !in ? "images" : "the output");
  if (count < 1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "count is %lld, expected 1 or more", (long long)count);
  return ISCP_OK;
}

iscp_status iscp_session_logits(iscp_session *session, const float *from, int64_t count, float *logits) {
  ISC_TRY(check_call(session, from, count, logits));
  images work = {.images = from, .logits = logits};
  return run_all(session, &work, count);
}

iscp_status iscp_session_input_gradient(iscp_session *session, const float *from, const int32_t *targets, int64_t count,
                                        float *gradient, float *losses, float *logits) {
  ISC_TRY(check_call(session, from, count, gradient));
  if (session->purpose != ISCP_SESSION_GRADIENT)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the session was made for inference, expected ISCP_SESSION_GRADIENT");
  if (!targets)
    return isc_fail(ISCP_ERROR_ARGUMENT, "targets is NULL");
  int32_t classes = isc_model_classes(session->model);
  for (int64_t i = 0; i < count; i++)
    if (targets[i] < 0 || targets[i] >= classes)
      return isc_fail(ISCP_ERROR_ARGUMENT, "targets[%lld] is %d, expected 0 to %d", (long long)i, targets[i], classes - 1);
  images work = {from, targets, gradient, losses, logits};
  return run_all(session, &work, count);
}
