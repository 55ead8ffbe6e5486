/* Passes of the network over a dataset: clean, and with a pattern attached, of whatever kind. */
#include <string.h>

#include "evaluate/evaluate.h"

/* Rows of a batch: where they go, what they are, and what is put on them. */
typedef struct filling {
  iscp_session *session;
  const iscp_model *model;
  const iscp_dataset *dataset;
  const int64_t *indices;
  const iscp_pattern *pattern; /* NULL leaves the images clean */
} filling;

static iscp_status fill_row(void *user, int32_t row) {
  const filling *f = user;
  float *src = isc_session_src(f->session, row);
  ISC_TRY(iscp_dataset_image(f->dataset, f->indices[row], src));
  if (f->pattern)
    isc_pattern_attach(f->pattern, src);
  isc_normalise(src, src, iscp_model_contract(f->model));
  return ISCP_OK;
}

iscp_status isc_fill_rows(iscp_session *session, const iscp_model *model, const iscp_dataset *dataset,
                          const int64_t *indices, int32_t rows, const iscp_pattern *pattern) {
  return isc_rows_fill(rows, fill_row, &(filling){session, model, dataset, indices, pattern});
}

/* What is done with row `row` of a batch that was run, image `index` of the dataset. */
typedef void row_fn(void *user, int64_t index, const float *logits);

static iscp_status run_indices(iscp_session *session, const iscp_model *model, const iscp_dataset *dataset,
                               const int64_t *indices, int64_t count, const iscp_pattern *pattern, isc_meter *meter,
                               row_fn *each, void *user) {
  int32_t batch = isc_session_batch(session);
  for (int64_t start = 0; start < count; start += batch) {
    int32_t rows = (int32_t)(count - start < batch ? count - start : batch);
    ISC_TRY(isc_fill_rows(session, model, dataset, indices + start, rows, pattern));
    int64_t left = count - start - rows;
    isc_dataset_expect(dataset, indices + start + rows, left < batch ? left : batch);
    ISC_TRY(isc_session_forward(session));
    for (int32_t r = 0; r < rows; r++)
      each(user, indices[start + r], isc_session_logits(session, r));
    meter->done += rows;
    ISC_TRY(isc_progress_tell(&meter->progress, meter->done));
  }
  return ISCP_OK;
}

/* ---- Clean ---- */

typedef struct clean_user {
  isc_clean *clean;
  int32_t classes;
} clean_user;

static void keep_prediction(void *user, int64_t index, const float *logits) {
  clean_user *c = user;
  int32_t best = isc_argmax(logits, c->classes);
  c->clean->predicted[index] = best;
  c->clean->logit[index] = logits[best];
}

static iscp_status begin_clean(isc_clean *clean, const iscp_context *context, int64_t total) {
  clean->predicted = isc_calloc(context, (size_t)total, sizeof *clean->predicted);
  clean->logit = isc_calloc(context, (size_t)total, sizeof *clean->logit);
  if (!clean->predicted || !clean->logit) {
    isc_clean_release(clean, context);
    return ISCP_ERROR_MEMORY;
  }
  for (int64_t i = 0; i < total; i++)
    clean->predicted[i] = -1;
  return ISCP_OK;
}

iscp_status isc_clean_run(isc_clean *clean, iscp_session *session, const iscp_model *model, const iscp_dataset *dataset,
                          const uint8_t *used, isc_meter *meter) {
  const iscp_context *context = isc_model_context(model);
  int64_t total = iscp_dataset_count(dataset), count = 0;
  if (!clean->predicted)
    ISC_TRY(begin_clean(clean, context, total));
  int64_t *indices = isc_calloc(context, (size_t)total, sizeof *indices);
  if (!indices)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < total; i++) {
    if (used && !used[i])
      continue;
    if (clean->predicted[i] < 0)
      indices[count++] = i;
    else
      meter->done++;
  }
  clean_user user = {clean, isc_model_classes(model)};
  iscp_status status = run_indices(session, model, dataset, indices, count, NULL, meter, keep_prediction, &user);
  isc_free(context, indices);
  return status;
}

void isc_clean_release(isc_clean *clean, const iscp_context *context) {
  isc_free(context, clean->predicted);
  isc_free(context, clean->logit);
  memset(clean, 0, sizeof *clean);
}

/* ---- With a pattern ---- */

int64_t isc_count_nontarget(const iscp_dataset *dataset, const uint8_t *used, int32_t target) {
  int64_t total = iscp_dataset_count(dataset), count = 0;
  for (int64_t i = 0; i < total; i++)
    count += used[i] && iscp_dataset_label(dataset, i) != target;
  return count;
}

typedef struct hit_user {
  int64_t hits;
  int32_t classes, target;
} hit_user;

static void count_hit(void *user, int64_t index, const float *logits) {
  hit_user *h = user;
  (void)index;
  h->hits += isc_argmax(logits, h->classes) == h->target;
}

/* Counts of the clean images, and the indices of the nontarget ones. */
static void sort_images(iscp_power *power, int64_t *indices, const iscp_dataset *dataset, const uint8_t *used,
                        const isc_clean *clean) {
  int64_t total = iscp_dataset_count(dataset);
  for (int64_t i = 0; i < total; i++) {
    if (!used[i])
      continue;
    bool taken = clean->predicted[i] == power->target;
    if (iscp_dataset_label(dataset, i) == power->target) {
      power->target_images++;
      power->target_correct += taken;
    } else {
      indices[power->nontarget++] = i;
      power->nontarget_clean += taken;
    }
  }
}

static double ratio(int64_t a, int64_t b) { return b ? (double)a / (double)b : 0; }

static void finish(iscp_power *power) {
  power->asr = ratio(power->nontarget_hits, power->nontarget);
  power->accuracy = ratio(power->target_correct, power->target_images);
  isc_wilson(&power->asr_low, &power->asr_high, power->nontarget_hits, power->nontarget);
  isc_wilson(&power->accuracy_low, &power->accuracy_high, power->target_correct, power->target_images);
  power->pw = power->accuracy > 0 ? power->asr / power->accuracy : __builtin_nan("");
}

iscp_status isc_power_run(iscp_power *power, iscp_session *session, const iscp_model *model, const iscp_dataset *dataset,
                          const uint8_t *used, const isc_clean *clean, const iscp_pattern *pattern, isc_meter *meter) {
  const iscp_context *context = isc_model_context(model);
  iscp_pattern_info info = {.struct_size = sizeof info};
  ISC_TRY(iscp_pattern_get_info(pattern, &info));
  memset(power, 0, sizeof *power);
  power->struct_size = sizeof *power;
  power->target = info.target;
  int64_t *indices = isc_calloc(context, (size_t)iscp_dataset_count(dataset), sizeof *indices);
  if (!indices)
    return ISCP_ERROR_MEMORY;
  sort_images(power, indices, dataset, used, clean);
  hit_user user = {0, isc_model_classes(model), info.target};
  iscp_status status =
      run_indices(session, model, dataset, indices, power->nontarget, pattern, meter, count_hit, &user);
  isc_free(context, indices);
  power->nontarget_hits = user.hits;
  finish(power);
  return status;
}
