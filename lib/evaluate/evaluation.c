/* The public evaluator: draws its images, runs them clean once, then judges patterns one after the other. */
#include <math.h>
#include <string.h>

#include "evaluate/evaluate.h"

struct iscp_evaluation {
  iscp_model *model;
  iscp_dataset *dataset;
  iscp_session *session;
  uint8_t *used;
  isc_clean clean;
};

iscp_status iscp_evaluate_options_init(iscp_evaluate_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_evaluate_options_fields);
}

static iscp_status check(const iscp_evaluate_options *options) {
  if (options->images < ISCP_IMAGES_HELDOUT || options->images > ISCP_IMAGES_SEARCHED)
    return isc_fail(ISCP_ERROR_ARGUMENT, "images is %d, expected one of ISCP_IMAGES_*", options->images);
  if (!(options->fraction > 0 && options->fraction <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "fraction is %g, expected more than 0 and at most 1", options->fraction);
  if (options->batch < 0 || options->batch > ISC_LARGEST_BATCH)
    return isc_fail(ISCP_ERROR_ARGUMENT, "batch is %d, expected 0 to %d", options->batch, ISC_LARGEST_BATCH);
  return ISCP_OK;
}

static iscp_status draw(iscp_evaluation *e, const iscp_evaluate_options *options) {
  int64_t count = iscp_dataset_count(e->dataset), used = 0;
  e->used = isc_calloc(isc_model_context(e->model), (size_t)count, 1);
  if (!e->used)
    return ISCP_ERROR_MEMORY;
  ISC_TRY(isc_split_draw(e->used, e->dataset, options->fraction, options->seed));
  for (int64_t i = 0; i < count; i++) {
    if (options->images == ISCP_IMAGES_ALL)
      e->used[i] = 1;
    else if (options->images == ISCP_IMAGES_HELDOUT)
      e->used[i] = !e->used[i];
    used += e->used[i];
  }
  if (!used)
    return isc_fail(ISCP_ERROR_ARGUMENT, "fraction %g leaves no image held out, expected a smaller one or ISCP_IMAGES_ALL",
                    options->fraction);
  return ISCP_OK;
}

static iscp_status run_clean(iscp_evaluation *e, iscp_progress_fn progress, void *user) {
  int64_t count = iscp_dataset_count(e->dataset), total = 0;
  for (int64_t i = 0; i < count; i++)
    total += e->used[i];
  isc_meter meter = {0};
  isc_progress_begin(&meter.progress, "clean", total, progress, user);
  isc_compute compute;
  ISC_TRY(isc_session_enter(e->session, &compute));
  iscp_status status = isc_clean_run(&e->clean, e->session, e->model, e->dataset, e->used, &meter);
  isc_session_leave(e->session, &compute);
  return status;
}

static iscp_status build(iscp_evaluation *e, const iscp_evaluate_options *options, iscp_progress_fn progress, void *user) {
  ISC_TRY(isc_model_check_dataset(e->model, e->dataset));
  ISC_TRY(draw(e, options));
  int32_t batch = options->batch;
  if (!batch)
    ISC_TRY(isc_budget_fit(&batch, e->model, isc_model_good_batch(e->model, ISCP_SESSION_INFERENCE),
                           ISCP_SESSION_INFERENCE, 0));
  ISC_TRY(iscp_session_create(&e->session, e->model, batch, ISCP_SESSION_INFERENCE));
  return run_clean(e, progress, user);
}

iscp_status iscp_evaluation_create(iscp_evaluation **out, const iscp_model *model, const iscp_dataset *dataset,
                                   const iscp_evaluate_options *given, iscp_progress_fn progress, void *user) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!model || !dataset)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", model ? "dataset" : "model");
  iscp_evaluate_options options;
  ISC_TRY(isc_fields_read(&options, &isc_evaluate_options_fields, given));
  ISC_TRY(check(&options));
  iscp_evaluation *e = isc_calloc(isc_model_context(model), 1, sizeof *e);
  if (!e)
    return ISCP_ERROR_MEMORY;
  e->model = isc_model_hold(model);
  e->dataset = isc_dataset_hold(dataset);
  iscp_status status = build(e, &options, progress, user);
  if (status != ISCP_OK) {
    iscp_evaluation_destroy(e);
    return status;
  }
  *out = e;
  return ISCP_OK;
}

void iscp_evaluation_destroy(iscp_evaluation *e) {
  if (!e)
    return;
  iscp_model *model = e->model;
  const iscp_context *context = isc_model_context(model);
  iscp_session_destroy(e->session);
  isc_clean_release(&e->clean, context);
  isc_free(context, e->used);
  iscp_dataset_destroy(e->dataset);
  isc_free(context, e);
  iscp_model_destroy(model);
}

iscp_status iscp_evaluation_accuracy(const iscp_evaluation *e, double *accuracy, int64_t *images) {
  if (!e)
    return isc_fail(ISCP_ERROR_ARGUMENT, "evaluation is NULL");
  int64_t count = iscp_dataset_count(e->dataset), used = 0, correct = 0;
  for (int64_t i = 0; i < count; i++) {
    used += e->used[i];
    correct += e->used[i] && e->clean.predicted[i] == iscp_dataset_label(e->dataset, i);
  }
  if (accuracy)
    *accuracy = (double)correct / (double)used;
  if (images)
    *images = used;
  return ISCP_OK;
}

static iscp_status check_pattern(const iscp_evaluation *e, const iscp_pattern *pattern) {
  iscp_pattern_info info = {.struct_size = sizeof info};
  ISC_TRY(iscp_pattern_get_info(pattern, &info));
  const iscp_contract *contract = iscp_model_contract(e->model);
  if (info.channels != contract->channels || info.height != contract->height || info.width != contract->width)
    return isc_fail(ISCP_ERROR_MISMATCH, "the pattern is %dx%dx%d, expected the model's %dx%dx%d", info.channels,
                    info.height, info.width, contract->channels, contract->height, contract->width);
  if (info.target >= isc_model_classes(e->model))
    return isc_fail(ISCP_ERROR_MISMATCH, "the pattern's class is %d, expected below the model's %d", info.target,
                    isc_model_classes(e->model));
  return ISCP_OK;
}

/* The caller's structs may be of another release's size: all are of the first one's. */
static void *power_at(iscp_power *powers, int32_t i) { return (char *)powers + (size_t)i * powers->struct_size; }

/* All that can be wrong is found before the first image is run. *images is how many are run in all. */
static iscp_status check_patterns(int64_t *images, const iscp_evaluation *e, const iscp_pattern *const *patterns,
                                  int32_t count, iscp_power *powers) {
  *images = 0;
  ISC_TRY(isc_fields_check_output(powers, &isc_power_fields));
  for (int32_t i = 0; i < count; i++) {
    if (!patterns[i])
      return isc_fail(ISCP_ERROR_ARGUMENT, "pattern %d is NULL", i);
    ISC_TRY(check_pattern(e, patterns[i]));
    uint32_t size;
    memcpy(&size, power_at(powers, i), sizeof size);
    if (size != powers->struct_size)
      return isc_fail(ISCP_ERROR_ABI, "iscp_power %d has struct_size %u, expected the first one's %u", i, size,
                      powers->struct_size);
    iscp_pattern_info info = {.struct_size = sizeof info};
    ISC_TRY(iscp_pattern_get_info(patterns[i], &info));
    *images += isc_count_nontarget(e->dataset, e->used, info.target);
  }
  return ISCP_OK;
}

static iscp_status measure_all(iscp_evaluation *e, const iscp_pattern *const *patterns, int32_t count,
                               iscp_power *powers, isc_meter *meter) {
  for (int32_t i = 0; i < count; i++) {
    iscp_power result;
    ISC_TRY(isc_power_run(&result, e->session, e->model, e->dataset, e->used, &e->clean, patterns[i], meter));
    ISC_TRY(isc_fields_write(power_at(powers, i), &isc_power_fields, &result));
  }
  return ISCP_OK;
}

iscp_status iscp_evaluation_powers(iscp_evaluation *e, const iscp_pattern *const *patterns, int32_t count,
                                   iscp_power *powers, iscp_progress_fn progress, void *user) {
  if (!e || !patterns)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", e ? "patterns" : "evaluation");
  if (count < 1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "count is %d, expected 1 or more", count);
  int64_t images;
  ISC_TRY(check_patterns(&images, e, patterns, count, powers));
  isc_meter meter = {0};
  isc_progress_begin(&meter.progress, "power", images, progress, user);
  isc_compute compute;
  ISC_TRY(isc_session_enter(e->session, &compute));
  iscp_status status = measure_all(e, patterns, count, powers, &meter);
  isc_session_leave(e->session, &compute);
  return status;
}

iscp_status iscp_evaluation_power(iscp_evaluation *e, const iscp_pattern *pattern, iscp_power *power,
                                  iscp_progress_fn progress, void *user) {
  if (!e || !pattern)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", e ? "pattern" : "evaluation");
  return iscp_evaluation_powers(e, &pattern, 1, power, progress, user);
}
