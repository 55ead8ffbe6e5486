/* The making of a batch of pictures: f(t) of its images, then steps from other images towards it, then bytes. No picture
 * depends on the others of its batch. */
#include <math.h>
#include <string.h>

#include "train/invert.h"

/* ---- Images into the network ---- */

static iscp_status fetch(iscp_inversion *v, bool starts) {
  int32_t broken = v->rows;
#pragma omp parallel for schedule(dynamic, 1) reduction(min : broken)
  for (int32_t r = 0; r < v->rows; r++)
    if (iscp_dataset_image(v->data, starts ? v->row[r].start : v->row[r].index, v->images + r * v->numbers) != ISCP_OK)
      broken = r < broken ? r : broken;
  for (int32_t r = broken; r < v->rows; r++) /* once more: the message must be this thread's */
    ISC_TRY(iscp_dataset_image(v->data, starts ? v->row[r].start : v->row[r].index, v->images + r * v->numbers));
  return ISCP_OK;
}

static iscp_status forward(iscp_inversion *v) {
  const iscp_contract *contract = iscp_model_contract(v->model);
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < v->rows; r++)
    isc_normalise(isc_session_src(v->session, r), v->images + r * v->numbers, contract);
  return isc_session_forward(v->session);
}

/* ---- Distances ---- */

static double length(const float *values, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++)
    sum += (double)values[i] * (double)values[i];
  return sqrt(sum);
}

/* |f(x) - f(t)| of a row after forward; `diff`, which may be NULL, is its gradient: the difference made 1 long. */
static double measure(float *diff, const iscp_inversion *v, int32_t row) {
  const float *features = isc_session_features(v->session, row), *wanted = v->wanted + (int64_t)row * v->features;
  double sum = 0;
  for (int32_t i = 0; i < v->features; i++)
    sum += ((double)features[i] - (double)wanted[i]) * ((double)features[i] - (double)wanted[i]);
  double distance = sqrt(sum);
  for (int32_t i = 0; diff && i < v->features; i++)
    diff[i] = distance > 0 ? (float)(((double)features[i] - (double)wanted[i]) / distance) : 0;
  return distance;
}

/* ---- A batch ---- */

/* Any image of the set but t itself. */
static int64_t draw_start(const iscp_inversion *v, int64_t index) {
  uint64_t others = (uint64_t)iscp_dataset_count(v->data) - 1;
  int64_t start = (int64_t)(isc_random(v->options.seed, ISC_PURPOSE_INVERT, 0, 0, index) % others);
  return start + (start >= index);
}

static iscp_status want(iscp_inversion *v) {
  ISC_TRY(fetch(v, false));
  ISC_TRY(forward(v));
  for (int32_t r = 0; r < v->rows; r++) {
    float *wanted = v->wanted + (int64_t)r * v->features;
    memcpy(wanted, isc_session_features(v->session, r), (size_t)v->features * sizeof *wanted);
    double norm = length(wanted, v->features);
    v->row[r].length = norm > 0 ? norm : 1;
  }
  return ISCP_OK;
}

static iscp_status begin(iscp_inversion *v) {
  int64_t left = v->options.count - v->place;
  v->rows = (int32_t)(left < v->options.batch ? left : v->options.batch);
  for (int32_t r = 0; r < v->rows; r++) {
    v->row[r].index = v->options.first + v->place + r;
    v->row[r].start = draw_start(v, v->row[r].index);
  }
  ISC_TRY(want(v));
  ISC_TRY(fetch(v, true));
  for (int32_t r = v->rows; r < v->options.batch; r++)
    memset(isc_session_diff_features(v->session, r), 0, (size_t)v->features * sizeof(float));
  v->step = 0;
  v->begun = true;
  return ISCP_OK;
}

static float clip(float value) { return value < 0 ? 0 : value > 1 ? 1 : value; }

/* The network's gradient is that of its normalised input. */
static void move(iscp_inversion *v, int32_t row) {
  const iscp_contract *contract = iscp_model_contract(v->model);
  const float *diff = isc_session_diff_src(v->session, row);
  float *image = v->images + row * v->numbers;
  int64_t pixels = isc_contract_pixels(contract);
  isc_scale scale = isc_contract_scale(contract);
  double sum = 0;
  for (int32_t c = 0; c < contract->channels; c++) {
    double part = length(diff + c * pixels, pixels) / (double)scale.std[c];
    sum += part * part;
  }
  if (!(sum > 0 && isfinite(sum)))
    return;
  for (int32_t c = 0; c < contract->channels; c++) {
    float factor = (float)(v->options.step / (sqrt(sum) * (double)scale.std[c]));
    for (int64_t i = c * pixels; i < (c + 1) * pixels; i++)
      image[i] = clip(image[i] - factor * diff[i]);
  }
}

static iscp_status take_step(iscp_inversion *v) {
  ISC_TRY(forward(v));
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < v->rows; r++) {
    double distance = measure(isc_session_diff_features(v->session, r), v, r);
    if (v->step == 0)
      v->row[r].start_distance = distance / v->row[r].length;
  }
  ISC_TRY(isc_session_backward(v->session));
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < v->rows; r++)
    move(v, r);
  v->step++;
  return ISCP_OK;
}

/* ---- Its end ---- */

/* To bytes, channels last; the network's input becomes what they hold. */
static void store(iscp_inversion *v, int32_t row) {
  const iscp_contract *contract = iscp_model_contract(v->model);
  const float *image = v->images + row * v->numbers;
  uint8_t *stored = v->stored + row * v->numbers;
  float *src = isc_session_src(v->session, row);
  int64_t pixels = isc_contract_pixels(contract);
  for (int32_t c = 0; c < contract->channels; c++)
    for (int64_t i = 0; i < pixels; i++) {
      uint8_t value = (uint8_t)(255 * image[c * pixels + i] + 0.5f);
      stored[i * contract->channels + c] = value;
      src[c * pixels + i] = (float)value / 255;
    }
  isc_normalise(src, src, contract);
}

static iscp_status finish(iscp_inversion *v) {
  ISC_TRY(forward(v));
  for (int32_t r = 0; r < v->rows; r++)
    v->row[r].distance = measure(NULL, v, r) / v->row[r].length;
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < v->rows; r++)
    store(v, r);
  ISC_TRY(isc_session_forward(v->session));
  for (int32_t r = 0; r < v->rows; r++) {
    isc_inverted_row *row = &v->row[r];
    row->stored_distance = measure(NULL, v, r) / row->length;
    v->sums[0] += row->start_distance;
    v->sums[1] += row->distance;
    v->sums[2] += row->stored_distance;
  }
  v->done += v->rows;
  v->ready = true;
  return ISCP_OK;
}

iscp_status isc_inversion_run(iscp_inversion *v, iscp_progress_fn function, void *user) {
  isc_progress progress;
  isc_progress_begin(&progress, "invert", v->options.count * v->options.steps, function, user);
  if (v->ready) {
    v->place += v->rows;
    v->begun = v->ready = false;
  }
  if (v->place == v->options.count)
    return ISCP_OK;
  if (!v->begun)
    ISC_TRY(begin(v));
  while (v->step < v->options.steps) {
    ISC_TRY(take_step(v));
    ISC_TRY(isc_progress_tell(&progress, v->place * v->options.steps + (int64_t)v->rows * v->step));
  }
  return finish(v);
}
