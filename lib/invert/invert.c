/* An inversion as an object: options, memory, and what it tells. step.c makes the pictures. */
#include "invert/invert.h"

#include <math.h>

iscp_status iscp_invert_options_init(iscp_invert_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_invert_options_fields);
}

/* ---- Options ---- */

static iscp_status check_options(iscp_invert_options *o, const iscp_invert_options *given) {
  ISC_TRY(isc_fields_read(o, &isc_invert_options_fields, given));
  ISC_TRY(isc_fields_check(o, &isc_invert_options_fields));
  o->steps = o->steps ? o->steps : o->kind == ISCP_INVERT_FEATURES ? 1000 : 100;
  return ISCP_OK;
}

/* All images that follow `first`, unless fewer are asked for. */
static iscp_status check_range(iscp_invert_options *o, const iscp_dataset *data) {
  int64_t images = iscp_dataset_count(data), left = images - o->first;
  if (images < 2 && o->kind == ISCP_INVERT_FEATURES)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the set has %lld images, expected 2 or more: each begins from another one",
                    (long long)images);
  if (o->first < 0 || left < 1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "first is %lld, expected 0 to %lld", (long long)o->first, (long long)images - 1);
  if (o->count < 0 || o->count > left)
    return isc_fail(ISCP_ERROR_ARGUMENT, "count is %lld, expected 0 to %lld", (long long)o->count, (long long)left);
  o->count = o->count ? o->count : left;
  return ISCP_OK;
}

/* ---- Life ---- */

/* What an image of a batch holds beside the session. */
static int64_t own_bytes(const iscp_inversion *v) {
  return v->numbers * (int64_t)(sizeof(float) + 1) + v->goals * (int64_t)sizeof(float) + (int64_t)sizeof(isc_inverted_row);
}

static iscp_status make_session(iscp_inversion *v) {
  iscp_invert_options *o = &v->options;
  int32_t purpose = isc_inversion_attacks(v) ? ISCP_SESSION_GRADIENT : ISC_SESSION_FEATURES;
  int32_t wished = o->batch ? o->batch : isc_model_good_batch(v->model, ISCP_SESSION_GRADIENT);
  if (!o->batch && wished > o->count)
    wished = (int32_t)o->count;
  int64_t own = own_bytes(v) * wished;
  if (!o->batch)
    ISC_TRY(isc_budget_fit(&wished, v->model, wished, purpose, own));
  o->batch = wished;
  return isc_session_create(&v->session, v->model, wished, purpose);
}

static iscp_status build(iscp_inversion *v) {
  const iscp_attack_options attack = {.norm = ISCP_NORM_L2, .eps = v->options.eps, .step = v->options.step, .targeted = 1};
  v->ball = isc_ball_make(&attack, iscp_model_contract(v->model));
  v->numbers = isc_contract_numbers(iscp_model_contract(v->model));
  v->goals = isc_inversion_attacks(v) ? (int32_t)v->numbers : isc_model_features(v->model);
  ISC_TRY(isc_model_check_dataset(v->model, v->data));
  ISC_TRY(check_range(&v->options, v->data));
  ISC_TRY(make_session(v));
  size_t batch = (size_t)v->options.batch, numbers = (size_t)v->numbers;
  v->images = isc_calloc(v->context, batch, numbers * sizeof *v->images);
  v->goal = isc_calloc(v->context, batch, (size_t)v->goals * sizeof *v->goal);
  v->stored = isc_calloc(v->context, batch, numbers);
  v->row = isc_calloc(v->context, batch, sizeof *v->row);
  return v->images && v->goal && v->stored && v->row ? ISCP_OK : ISCP_ERROR_MEMORY;
}

iscp_status iscp_inversion_create(iscp_inversion **out, const iscp_model *model, const iscp_dataset *data,
                                  const iscp_invert_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!model || !data)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", model ? "data" : "model");
  iscp_invert_options options;
  ISC_TRY(check_options(&options, given));
  iscp_inversion *v = isc_calloc(isc_model_context(model), 1, sizeof *v);
  if (!v)
    return ISCP_ERROR_MEMORY;
  v->context = isc_context_hold(isc_model_context(model));
  v->model = isc_model_hold(model);
  v->data = isc_dataset_hold(data);
  v->options = options;
  iscp_status status = build(v);
  if (status == ISCP_OK)
    *out = v;
  else
    iscp_inversion_destroy(v);
  return status;
}

void iscp_inversion_destroy(iscp_inversion *v) {
  if (!v)
    return;
  iscp_context *context = v->context;
  iscp_session_destroy(v->session);
  isc_free(context, v->images);
  isc_free(context, v->goal);
  isc_free(context, v->stored);
  isc_free(context, v->row);
  iscp_dataset_destroy(v->data);
  iscp_model_destroy(v->model);
  isc_free(context, v);
  isc_context_drop(context);
}

/* ---- Running and asking ---- */

iscp_status iscp_inversion_next(iscp_inversion *v, iscp_progress_fn progress, void *user) {
  if (!v)
    return isc_fail(ISCP_ERROR_ARGUMENT, "inversion is NULL");
  isc_compute compute;
  ISC_TRY(isc_session_enter(v->session, &compute));
  iscp_status status = isc_inversion_run(v, progress, user);
  isc_session_leave(v->session, &compute);
  return status;
}

static int32_t rows_of(const iscp_inversion *v) { return v->ready ? v->rows : 0; }

iscp_status iscp_inversion_get(iscp_inverted *image, const iscp_inversion *v, int32_t index) {
  if (!v)
    return isc_fail(ISCP_ERROR_ARGUMENT, "inversion is NULL");
  if (index < 0 || index >= rows_of(v))
    return isc_fail(ISCP_ERROR_ARGUMENT, "row is %d, expected 0 or more and less than the %d of the batch", index, rows_of(v));
  const isc_inverted_row *row = &v->row[index];
  iscp_inverted result = {
      .struct_size = sizeof result,
      .label = row->label,
      .index = row->index,
      .start = row->start,
      .predicted = row->predicted,
      .start_distance = row->start_distance,
      .distance = row->distance,
      .stored_distance = row->stored_distance,
      .image = v->images + index * v->numbers,
      .stored = v->stored + index * v->numbers,
  };
  return isc_fields_write(image, &isc_inverted_fields, &result);
}

iscp_status iscp_inversion_get_options(const iscp_inversion *v, iscp_invert_options *options) {
  if (!v)
    return isc_fail(ISCP_ERROR_ARGUMENT, "inversion is NULL");
  return isc_fields_write(options, &isc_invert_options_fields, &v->options);
}

iscp_status iscp_inversion_get_info(const iscp_inversion *v, iscp_invert_info *info) {
  if (!v)
    return isc_fail(ISCP_ERROR_ARGUMENT, "inversion is NULL");
  double done = v->done ? (double)v->done : NAN;
  iscp_invert_info result = {
      .struct_size = sizeof result,
      .rows = rows_of(v),
      .images = v->options.count,
      .done = v->done,
      .taken = v->taken,
      .start_distance = v->sums[0] / done,
      .distance = v->sums[1] / done,
      .stored_distance = v->sums[2] / done,
      .memory = (int64_t)sizeof *v + iscp_session_memory(v->session) + own_bytes(v) * v->options.batch,
  };
  return isc_fields_write(info, &isc_invert_info_fields, &result);
}
