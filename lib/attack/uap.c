/* The universal perturbation as an object: from options to a pattern that is added. */
#include "attack/uap.h"

#include <string.h>

/* ---- Creation ---- */

/* What it holds beside the session. */
static int64_t own_bytes(const iscp_uap *uap, int64_t pass) {
  int64_t rows = pass + (uap->options.method == ISCP_UAP_DEEPFOOL ? uap->options.batch : 0);
  return uap->numbers * (int64_t)(rows * (int64_t)sizeof(float) + (int64_t)(sizeof(float) + sizeof(int32_t) + sizeof(double)));
}

/* A batch is run in several equal passes where a larger one gains nothing, or memory asks for it. */
static iscp_status plan_pass(iscp_uap *uap) {
  int32_t good = isc_model_good_batch(uap->model, ISCP_SESSION_GRADIENT), batch = uap->options.batch;
  int32_t passes = (batch + good - 1) / good, wished = (batch + passes - 1) / passes;
  return isc_budget_fit(&uap->pass, uap->model, wished, ISCP_SESSION_GRADIENT, own_bytes(uap, wished));
}

static iscp_status allocate(iscp_uap *uap) {
  size_t numbers = (size_t)uap->numbers, batch = (size_t)uap->options.batch;
  bool deepfool = uap->options.method == ISCP_UAP_DEEPFOOL;
  uap->v = isc_calloc(uap->context, numbers, sizeof *uap->v);
  uap->evidence = isc_calloc(uap->context, numbers, sizeof *uap->evidence);
  uap->images = isc_calloc(uap->context, (size_t)uap->pass, numbers * sizeof *uap->images);
  uap->gradient = isc_calloc(uap->context, deepfool ? 1 : numbers, sizeof *uap->gradient);
  uap->r = isc_calloc(uap->context, deepfool ? batch : 1, numbers * sizeof *uap->r);
  uap->pending = isc_calloc(uap->context, batch, sizeof *uap->pending);
  uap->solved = isc_calloc(uap->context, batch, sizeof *uap->solved);
  uap->order = isc_calloc(uap->context, (size_t)uap->count, sizeof *uap->order);
  bool whole = uap->v && uap->evidence && uap->images && uap->gradient && uap->r && uap->pending && uap->solved && uap->order;
  return whole ? ISCP_OK : ISCP_ERROR_MEMORY;
}

static iscp_status build(iscp_uap *uap) {
  const iscp_contract *contract = iscp_model_contract(uap->model);
  uap->pixels = isc_contract_pixels(contract);
  uap->numbers = isc_contract_numbers(contract);
  ISC_TRY(isc_model_check_dataset(uap->model, uap->dataset));
  uap->used = isc_calloc(uap->context, (size_t)iscp_dataset_count(uap->dataset), 1);
  if (!uap->used)
    return ISCP_ERROR_MEMORY;
  ISC_TRY(isc_split_draw(uap->used, uap->dataset, uap->options.fraction, uap->options.seed));
  uap->count = isc_count_nontarget(uap->dataset, uap->used, uap->class_index);
  if (!uap->count)
    return isc_fail(ISCP_ERROR_ARGUMENT, "there is no image to craft class %d on, expected images of other classes in the "
                    "dataset", uap->class_index);
  uap->total = uap->count * ((int64_t)uap->options.epochs * (uap->options.method == ISCP_UAP_SGD ? 1 : 2) +
                             (uap->options.method == ISCP_UAP_SGD));
  ISC_TRY(plan_pass(uap));
  ISC_TRY(allocate(uap));
  return iscp_session_create(&uap->session, uap->model, uap->pass, ISCP_SESSION_GRADIENT);
}

iscp_status iscp_uap_create(iscp_uap **out, const iscp_model *model, const iscp_dataset *dataset, int32_t class_index,
                            const iscp_uap_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!model || !dataset)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", model ? "dataset" : "model");
  if (class_index < 0 || class_index >= isc_model_classes(model))
    return isc_fail(ISCP_ERROR_ARGUMENT, "class %d is out of range, expected 0 to %d", class_index,
                    isc_model_classes(model) - 1);
  iscp_uap_options options;
  ISC_TRY(isc_uap_options_check(&options, given));
  iscp_uap *uap = isc_calloc(isc_model_context(model), 1, sizeof *uap);
  if (!uap)
    return ISCP_ERROR_MEMORY;
  uap->context = isc_context_hold(isc_model_context(model));
  uap->model = isc_model_hold(model);
  uap->dataset = isc_dataset_hold(dataset);
  uap->class_index = class_index;
  uap->options = options;
  iscp_status status = build(uap);
  if (status == ISCP_OK)
    *out = uap;
  else
    iscp_uap_destroy(uap);
  return status;
}

void iscp_uap_destroy(iscp_uap *uap) {
  if (!uap)
    return;
  iscp_context *context = uap->context;
  iscp_session_destroy(uap->session);
  isc_free(context, uap->v);
  isc_free(context, uap->evidence);
  isc_free(context, uap->images);
  isc_free(context, uap->gradient);
  isc_free(context, uap->r);
  isc_free(context, uap->pending);
  isc_free(context, uap->solved);
  isc_free(context, uap->order);
  isc_free(context, uap->used);
  iscp_dataset_destroy(uap->dataset);
  iscp_model_destroy(uap->model);
  isc_free(context, uap);
  isc_context_drop(context);
}

/* ---- Running ---- */

static iscp_status begin_epoch(iscp_uap *uap) {
  int64_t count = 0;
  for (int64_t i = 0; i < iscp_dataset_count(uap->dataset); i++)
    if (uap->used[i] && iscp_dataset_label(uap->dataset, i) != uap->class_index)
      uap->order[count++] = i;
  ISC_TRY(isc_random_shuffle(uap->context, uap->order, count, uap->options.seed, ISC_PURPOSE_ORDER, uap->class_index,
                             uap->epoch));
  uap->position = 0;
  uap->ordered = true;
  return ISCP_OK;
}

/* sgd is judged once, at the end; deepfool after each epoch, since that may end it. */
static void end_epoch(iscp_uap *uap) {
  uap->epoch++;
  uap->position = 0;
  uap->fooled = 0;
  if (uap->options.method == ISCP_UAP_DEEPFOOL || uap->epoch == uap->options.epochs)
    uap->phase = ISC_UAP_COUNTING;
  else
    uap->ordered = false;
}

static iscp_status craft(iscp_uap *uap, isc_meter *meter) {
  if (!uap->ordered)
    ISC_TRY(begin_epoch(uap));
  ISC_TRY(uap->options.method == ISCP_UAP_SGD ? isc_uap_sgd_step(uap, meter) : isc_uap_deepfool_step(uap, meter));
  if (uap->position == uap->count && !uap->pending_count)
    end_epoch(uap);
  return ISCP_OK;
}

static void end_count(iscp_uap *uap) {
  bool enough = (double)uap->fooled >= uap->options.stop * (double)uap->count;
  bool more = uap->options.method == ISCP_UAP_DEEPFOOL && !enough && uap->epoch < uap->options.epochs;
  uap->phase = more ? ISC_UAP_CRAFTING : ISC_UAP_FINISHED;
  uap->ordered = false;
}

static iscp_status count_fooled(iscp_uap *uap, isc_meter *meter) {
  int64_t left = uap->count - uap->position;
  int32_t rows = (int32_t)(left < uap->pass ? left : uap->pass);
  const int64_t *indices = uap->order + uap->position;
  ISC_TRY(isc_uap_fetch(uap, indices, rows));
  isc_dataset_expect(uap->dataset, indices + rows, left - rows < uap->pass ? left - rows : uap->pass);
  isc_uap_place(uap, rows, NULL, 0);
  ISC_TRY(isc_session_forward(uap->session));
  for (int32_t row = 0; row < rows; row++)
    uap->fooled += isc_uap_is_fooled(uap, row);
  uap->position += rows;
  meter->done += rows;
  if (uap->position == uap->count)
    end_count(uap);
  return ISCP_OK;
}

/* The last report is of all the work, also if deepfool had enough before its last epoch. */
static iscp_status run(iscp_uap *uap, iscp_progress_fn progress, void *user) {
  isc_meter meter = {.done = uap->done};
  isc_progress_begin(&meter.progress, "uap", uap->total, progress, user);
  while (uap->phase != ISC_UAP_FINISHED) {
    ISC_TRY(uap->phase == ISC_UAP_CRAFTING ? craft(uap, &meter) : count_fooled(uap, &meter));
    uap->done = meter.done = uap->phase == ISC_UAP_FINISHED ? uap->total : meter.done;
    ISC_TRY(isc_progress_tell(&meter.progress, meter.done));
  }
  return ISCP_OK;
}

iscp_status iscp_uap_run(iscp_uap *uap, iscp_progress_fn progress, void *user) {
  if (!uap)
    return isc_fail(ISCP_ERROR_ARGUMENT, "uap is NULL");
  isc_compute compute;
  ISC_TRY(isc_session_enter(uap->session, &compute));
  iscp_status status = run(uap, progress, user);
  isc_session_leave(uap->session, &compute);
  return status;
}

/* ---- What it tells ---- */

iscp_status iscp_uap_get_options(const iscp_uap *uap, iscp_uap_options *options) {
  if (!uap)
    return isc_fail(ISCP_ERROR_ARGUMENT, "uap is NULL");
  return isc_fields_write(options, &isc_uap_options_fields, &uap->options);
}

iscp_status iscp_uap_get_info(const iscp_uap *uap, iscp_uap_info *info) {
  if (!uap)
    return isc_fail(ISCP_ERROR_ARGUMENT, "uap is NULL");
  bool finished = uap->phase == ISC_UAP_FINISHED;
  iscp_uap_info result = {.struct_size = sizeof result, .class_index = uap->class_index, .finished = finished,
                          .epochs = uap->epoch, .steps = uap->steps, .images = uap->count,
                          .fooled = finished ? uap->fooled : 0};
  result.asr = (double)result.fooled / (double)uap->count;
  isc_wilson(&result.asr_low, &result.asr_high, result.fooled, uap->count);
  return isc_fields_write(info, &isc_uap_info_fields, &result);
}

const float *iscp_uap_perturbation(const iscp_uap *uap) { return uap ? uap->v : NULL; }

iscp_status iscp_uap_pattern(iscp_pattern **out, const iscp_uap *uap, double size) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!uap)
    return isc_fail(ISCP_ERROR_ARGUMENT, "uap is NULL");
  if (!(size > 0 && size <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "size is %g, expected more than 0 and at most 1", size);
  const iscp_contract *contract = iscp_model_contract(uap->model);
  isc_perturbation whole = {uap->v, uap->evidence, contract->channels, contract->height, contract->width, uap->class_index};
  return isc_pattern_add(out, uap->context, &whole, size);
}
