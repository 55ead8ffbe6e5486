/* The public check: one clean run over the set, what it says of each class, and the causes of a bad result. */
#include <string.h>

#include "check/check.h"
#include "check/pairs.h"

enum { DEFAULT_SAMPLE = 256 };
static const double GOOD = 0.6; /* nobody asks for causes above it */

struct iscp_check {
  iscp_context *context;
  iscp_check_info info;
  iscp_check_class *classes;
  isc_pair *confusions; /* wrong ones only */
  int64_t confusion_count;
  isc_trial *trials;
  int32_t trial_count;
};

iscp_status iscp_check_options_init(iscp_check_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_check_options_fields);
}

static iscp_status check_options(const iscp_check_options *options) {
  if (options->causes < ISCP_CAUSES_POOR || options->causes > ISCP_CAUSES_NEVER)
    return isc_fail(ISCP_ERROR_ARGUMENT, "causes is %d, expected one of ISCP_CAUSES_*", options->causes);
  if (options->sample < 0)
    return isc_fail(ISCP_ERROR_ARGUMENT, "sample is %lld, expected 0 or more", (long long)options->sample);
  if (options->batch < 0 || options->batch > ISC_LARGEST_BATCH)
    return isc_fail(ISCP_ERROR_ARGUMENT, "batch is %d, expected 0 to %d", options->batch, ISC_LARGEST_BATCH);
  return ISCP_OK;
}

/* ---- What the clean run says ---- */

static double ratio(int64_t a, int64_t b) { return b ? (double)a / (double)b : 0; }

static void finish_class(iscp_check_class *c) {
  c->accuracy = ratio(c->correct, c->images);
  c->precision = ratio(c->correct, c->predicted);
  isc_wilson(&c->low, &c->high, c->correct, c->images);
}

static iscp_status count_classes(iscp_check *check, const iscp_dataset *dataset, const isc_clean *clean) {
  iscp_check_info *info = &check->info;
  check->classes = isc_calloc(check->context, (size_t)info->classes, sizeof *check->classes);
  if (!check->classes)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < info->images; i++) {
    int32_t label = iscp_dataset_label(dataset, i), predicted = clean->predicted[i];
    check->classes[label].images++;
    check->classes[label].correct += label == predicted;
    check->classes[predicted].predicted++;
    info->correct += label == predicted;
  }
  for (int32_t y = 0; y < info->classes; y++) {
    iscp_check_class *c = &check->classes[y];
    c->struct_size = sizeof *c;
    c->confused = -1;
    finish_class(c);
    if (c->predicted > info->favourite_count) {
      info->favourite = y;
      info->favourite_count = c->predicted;
    }
  }
  return ISCP_OK;
}

static iscp_status count_confusions(iscp_check *check, const iscp_dataset *dataset, const isc_clean *clean) {
  int64_t images = check->info.images, wrong = 0;
  int32_t *labels = isc_calloc(check->context, (size_t)images, 2 * sizeof *labels);
  if (!labels)
    return ISCP_ERROR_MEMORY;
  int32_t *predicted = labels + images;
  for (int64_t i = 0; i < images; i++) {
    labels[wrong] = iscp_dataset_label(dataset, i);
    predicted[wrong] = clean->predicted[i];
    wrong += labels[wrong] != predicted[wrong];
  }
  iscp_status status = ISCP_OK;
  if (wrong)
    status = isc_pairs_count(&check->confusions, &check->confusion_count, check->context, labels, predicted, wrong);
  isc_free(check->context, labels);
  for (int64_t i = 0; i < check->confusion_count; i++) { /* the first of a label is its most frequent */
    iscp_check_class *c = &check->classes[check->confusions[i].label];
    c->confused = c->confused < 0 ? check->confusions[i].predicted : c->confused;
  }
  check->info.confusions = (int32_t)(check->confusion_count < INT32_MAX ? check->confusion_count : INT32_MAX);
  return status;
}

static iscp_status count(iscp_check *check, const iscp_dataset *dataset, const isc_clean *clean) {
  iscp_check_info *info = &check->info;
  ISC_TRY(count_classes(check, dataset, clean));
  ISC_TRY(count_confusions(check, dataset, clean));
  info->accuracy = ratio(info->correct, info->images);
  isc_wilson(&info->low, &info->high, info->correct, info->images);
  info->plausible_from = isc_plausible_accuracy(info->classes);
  info->plausible = info->high >= info->plausible_from;
  return ISCP_OK;
}

/* ---- Causes ---- */

static bool wants_causes(const iscp_check *check, const iscp_check_options *options) {
  return options->causes == ISCP_CAUSES_ALWAYS ||
         (options->causes == ISCP_CAUSES_POOR && (!check->info.plausible || check->info.accuracy < GOOD));
}

/* One image by chance of each of `count` equal parts of the set: sets in the order of their classes give each its share, and sets
 * in which classes take turns do not give one class alone, as steps of equal length might. */
static iscp_status draw_sample(isc_trials *t, const iscp_context *context, int64_t wanted) {
  int64_t images = iscp_dataset_count(t->dataset);
  t->count = wanted < images ? wanted : images;
  t->sample = isc_calloc(context, (size_t)t->count, sizeof *t->sample);
  if (!t->sample)
    return ISCP_ERROR_MEMORY;
  double part = (double)images / (double)t->count;
  for (int64_t i = 0; i < t->count; i++) {
    int64_t from = (int64_t)(part * (double)i), to = i + 1 < t->count ? (int64_t)(part * (double)(i + 1)) : images;
    t->sample[i] = from + (int64_t)(isc_random(0, ISC_PURPOSE_SAMPLE, 0, 0, i) % (uint64_t)(to - from));
  }
  return ISCP_OK;
}

/* ---- The run ---- */

static iscp_status run(iscp_check *check, isc_trials *t, isc_clean *clean, const iscp_check_options *options,
                       iscp_progress_fn progress, void *user) {
  isc_meter meter = {0};
  isc_progress_begin(&meter.progress, "clean", check->info.images, progress, user);
  ISC_TRY(isc_clean_run(clean, t->session, t->model, t->dataset, NULL, &meter));
  ISC_TRY(count(check, t->dataset, clean));
  if (!wants_causes(check, options))
    return ISCP_OK;
  ISC_TRY(draw_sample(t, check->context, options->sample ? options->sample : DEFAULT_SAMPLE));
  meter.done = 0;
  t->clean = clean->predicted;
  t->meter = &meter;
  isc_progress_begin(&meter.progress, "causes", isc_causes_total(t), progress, user);
  ISC_TRY(isc_causes_find(&check->trials, &check->trial_count, t));
  check->info.causes = check->trial_count;
  return isc_progress_tell(&meter.progress, isc_causes_total(t));
}

static iscp_status build(iscp_check *check, const iscp_model *model, const iscp_dataset *dataset,
                         const iscp_check_options *options, iscp_progress_fn progress, void *user) {
  isc_trials trials = {.model = model, .dataset = dataset};
  isc_clean clean = {0};
  isc_compute compute;
  int32_t batch = options->batch;
  iscp_status status;
  check->info = (iscp_check_info){.struct_size = sizeof check->info, .images = iscp_dataset_count(dataset),
                                  .classes = isc_model_classes(model)};
  ISC_TRY(isc_model_check_dataset(model, dataset));
  if (!batch)
    ISC_TRY(isc_budget_fit(&batch, model, isc_model_good_batch(model, ISCP_SESSION_INFERENCE), ISCP_SESSION_INFERENCE, 0));
  ISC_TRY(iscp_session_create(&trials.session, model, batch, ISCP_SESSION_INFERENCE));
  status = isc_session_enter(trials.session, &compute);
  if (status == ISCP_OK) {
    status = run(check, &trials, &clean, options, progress, user);
    isc_session_leave(trials.session, &compute);
  }
  isc_clean_release(&clean, check->context);
  isc_free(check->context, trials.sample);
  iscp_session_destroy(trials.session);
  return status;
}

iscp_status iscp_check_create(iscp_check **out, const iscp_model *model, const iscp_dataset *dataset,
                              const iscp_check_options *given, iscp_progress_fn progress, void *user) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!model || !dataset)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", model ? "dataset" : "model");
  iscp_check_options options;
  ISC_TRY(isc_fields_read(&options, &isc_check_options_fields, given));
  ISC_TRY(check_options(&options));
  iscp_check *check = isc_calloc(isc_model_context(model), 1, sizeof *check);
  if (!check)
    return ISCP_ERROR_MEMORY;
  check->context = isc_context_hold(isc_model_context(model));
  iscp_status status = build(check, model, dataset, &options, progress, user);
  if (status != ISCP_OK) {
    iscp_check_destroy(check);
    return status;
  }
  *out = check;
  return ISCP_OK;
}

void iscp_check_destroy(iscp_check *check) {
  if (!check)
    return;
  iscp_context *context = check->context;
  for (int32_t i = 0; i < check->trial_count; i++)
    isc_trial_release(&check->trials[i], context);
  isc_free(context, check->trials);
  isc_free(context, check->confusions);
  isc_free(context, check->classes);
  isc_free(context, check);
  isc_context_drop(context);
}

/* ---- What a check tells ---- */

static iscp_status check_index(const iscp_check *check, const char *name, int64_t index, int64_t count) {
  if (!check)
    return isc_fail(ISCP_ERROR_ARGUMENT, "check is NULL");
  if (index < 0 || index >= count)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %lld, expected 0 to %lld", name, (long long)index, (long long)count - 1);
  return ISCP_OK;
}

iscp_status iscp_check_get_info(const iscp_check *check, iscp_check_info *info) {
  ISC_TRY(check_index(check, "index", 0, 1));
  return isc_fields_write(info, &isc_check_info_fields, &check->info);
}

iscp_status iscp_check_get_class(const iscp_check *check, int32_t class_index, iscp_check_class *class_info) {
  ISC_TRY(check_index(check, "class_index", class_index, check ? check->info.classes : 0));
  const iscp_check_class *told = &check->classes[class_index];
  return isc_fields_write(class_info, &isc_check_class_fields, told);
}

iscp_status iscp_check_confusion(const iscp_check *check, int32_t index, iscp_confusion *confusion) {
  ISC_TRY(check_index(check, "index", index, check ? check->info.confusions : 0));
  const isc_pair *pair = &check->confusions[index];
  iscp_confusion told = {.struct_size = sizeof told, .label = pair->label, .predicted = pair->predicted, .images = pair->count,
                         .share = ratio(pair->count, check->classes[pair->label].images)};
  return isc_fields_write(confusion, &isc_confusion_fields, &told);
}

iscp_status iscp_check_cause(const iscp_check *check, int32_t index, iscp_cause *cause) {
  ISC_TRY(check_index(check, "index", index, check ? check->info.causes : 0));
  const isc_trial *trial = &check->trials[index], *given = &check->trials[0];
  iscp_cause told = {.struct_size = sizeof told, .kind = trial->kind, .text = trial->text, .images = trial->images,
                     .correct = trial->correct, .accuracy = ratio(trial->correct, trial->images), .contract = &trial->contract,
                     .labels = trial->labels};
  isc_wilson(&told.low, &told.high, trial->correct, trial->images);
  told.restores = isc_trial_is_beyond(trial, given) && isc_trial_adds(trial) &&
                  told.accuracy >= check->info.plausible_from && isc_trial_tells(trial);
  return isc_fields_write(cause, &isc_cause_fields, &told);
}
