/* One run over a check's sample under other assumptions about the input than the model's own.
 *
 * The network stays as it is: the assumptions are about what is put into it. A trial's contract brings the pictures into R, G, B
 * in [0,1] (a view of the dataset) and normalises them; if its order of channels is not the model's, they change places on the
 * way into the network. */
#include <math.h>
#include <string.h>

#include "check/check.h"

typedef struct row_sums {
  double sum[3], squares[3];
} row_sums;

static void add_pixels(row_sums *sums, const float *image, const iscp_contract *contract) {
  int64_t pixels = isc_contract_pixels(contract);
  for (int32_t c = 0; c < contract->channels; c++)
    for (int64_t i = 0; i < pixels; i++) {
      double x = image[c * pixels + i];
      sums->sum[c] += x;
      sums->squares[c] += x * x;
    }
}

static void swap(float *a, float *b) {
  float kept = *a;
  *a = *b;
  *b = kept;
}

static void turn(float *image, const iscp_contract *contract) {
  int32_t side = contract->height;
  for (int32_t c = 0; c < contract->channels; c++)
    for (int32_t y = 0; y < side; y++)
      for (int32_t x = 0; x < y; x++)
        swap(&image[((int64_t)c * side + y) * side + x], &image[((int64_t)c * side + x) * side + y]);
}

static void reverse(float *image, const iscp_contract *contract) {
  int64_t pixels = isc_contract_pixels(contract);
  for (int64_t i = 0; i < pixels; i++)
    swap(&image[i], &image[2 * pixels + i]);
}

static iscp_status fill_row(const isc_trials *t, const isc_trial *trial, const iscp_dataset *view, int64_t index, int32_t row,
                            row_sums *sums) {
  const iscp_contract *contract = &trial->contract;
  float *src = isc_session_src(t->session, row);
  ISC_TRY(iscp_dataset_image(view, index, src));
  if (sums)
    add_pixels(sums, src, contract);
  if (trial->turned)
    turn(src, contract);
  if (trial->inverted)
    for (int64_t i = 0; i < isc_contract_numbers(contract); i++)
      src[i] = 1 - src[i];
  isc_normalise(src, src, contract);
  if (isc_contract_reverses(contract) != isc_contract_reverses(iscp_model_contract(t->model)))
    reverse(src, contract);
  return ISCP_OK;
}

static iscp_status fill_rows(const isc_trials *t, const isc_trial *trial, const iscp_dataset *view, int64_t start, int32_t rows,
                             row_sums *sums) {
  int32_t failed = rows;
#pragma omp parallel for schedule(dynamic, 1) reduction(min : failed)
  for (int32_t r = 0; r < rows; r++)
    if (fill_row(t, trial, view, t->sample[start + r], r, sums ? &sums[start + r] : NULL) != ISCP_OK)
      failed = r < failed ? r : failed;
  if (failed < rows) /* once more: the message must be this thread's */
    return fill_row(t, trial, view, t->sample[start + failed], failed, sums ? &sums[start + failed] : NULL);
  return ISCP_OK;
}

double isc_trial_chance(const int64_t *counts, int32_t classes, int64_t images) {
  double sum = 0, n = (double)images;
  for (int32_t y = 0; y < classes && images; y++)
    sum += (double)counts[y] / n * ((double)counts[classes + y] / n);
  return sum;
}

static iscp_status run_view(isc_trials *t, isc_trial *trial, const iscp_dataset *view, row_sums *sums, int64_t *counts) {
  int32_t batch = isc_session_batch(t->session), classes = isc_model_classes(t->model);
  for (int64_t start = 0; start < t->count; start += batch) {
    int32_t rows = (int32_t)(t->count - start < batch ? t->count - start : batch);
    ISC_TRY(fill_rows(t, trial, view, start, rows, sums));
    ISC_TRY(isc_session_forward(t->session));
    for (int32_t r = 0; r < rows; r++) {
      int32_t predicted = isc_argmax(isc_session_logits(t->session, r), classes);
      trial->predicted[start + r] = predicted;
      int32_t label = iscp_dataset_label(t->dataset, t->sample[start + r]);
      trial->correct += predicted == label;
      counts[label]++;
      counts[classes + predicted]++;
    }
    t->meter->done += rows;
    ISC_TRY(isc_progress_tell(&t->meter->progress, t->meter->done));
  }
  trial->images = t->count;
  trial->chance = isc_trial_chance(counts, classes, t->count);
  return ISCP_OK;
}

/* In the order of the images, so that threads do not change it. */
static void measure_scale(isc_trials *t, const row_sums *sums, const iscp_contract *contract) {
  double numbers = (double)(t->count * isc_contract_pixels(contract));
  for (int32_t c = 0; c < contract->channels; c++) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < t->count; i++) {
      sum += sums[i].sum[c];
      squares += sums[i].squares[c];
    }
    double mean = sum / numbers, variance = squares / numbers - mean * mean;
    t->mean[c] = (float)mean;
    t->std[c] = (float)sqrt(variance > 1e-6 ? variance : 1e-6);
  }
}

iscp_status isc_trial_run(isc_trials *t, isc_trial *trial, bool *fits) {
  const iscp_context *context = isc_model_context(t->model);
  bool measures = trial->kind == ISCP_CAUSE_NONE;
  row_sums *sums = NULL;
  int64_t *counts = NULL;
  iscp_dataset *view = NULL;
  iscp_status status;
  int64_t done = t->meter->done;
  *fits = false;
  ISC_TRY_OR_DONE(isc_dataset_view(&view, t->dataset, &trial->contract));
  trial->predicted = isc_calloc(context, (size_t)t->count, sizeof *trial->predicted);
  sums = measures ? isc_calloc(context, (size_t)t->count, sizeof *sums) : NULL;
  counts = isc_calloc(context, (size_t)isc_model_classes(t->model), 2 * sizeof *counts);
  if (!trial->predicted || !counts || (measures && !sums))
    ISC_TRY_OR_DONE(ISCP_ERROR_MEMORY);
  status = run_view(t, trial, view, sums, counts);
  *fits = status == ISCP_OK;
  if (status == ISCP_ERROR_MISMATCH || status == ISCP_ERROR_UNSUPPORTED)
    status = measures ? status : ISCP_OK;
  if (status == ISCP_OK && measures)
    measure_scale(t, sums, &trial->contract);
  t->meter->done = done + t->count; /* also of one that does not fit */
done:
  isc_free(context, counts);
  isc_free(context, sums);
  iscp_dataset_destroy(view);
  return status;
}

void isc_trial_release(isc_trial *trial, const iscp_context *context) {
  isc_free(context, trial->predicted);
  isc_free(context, trial->labels);
  *trial = (isc_trial){0};
}
