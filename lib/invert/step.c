/* The making of a batch of pictures: the goals of its images, then steps towards them, then bytes. No picture depends on the
 * others of its batch. */
#include "invert/invert.h"

/* ---- Images into the network ---- */

/* What the set's images begin with, and what their features are to be. */
static iscp_status fetch_start(void *user, int32_t row) {
  iscp_inversion *v = user;
  return iscp_dataset_image(v->data, v->row[row].start, v->images + row * v->numbers);
}

static iscp_status fetch_target(void *user, int32_t row) {
  iscp_inversion *v = user;
  return iscp_dataset_image(v->data, v->row[row].index, v->images + row * v->numbers);
}

static iscp_status fetch(iscp_inversion *v, bool starts) {
  return isc_rows_fill(v->rows, starts ? fetch_start : fetch_target, v);
}

static iscp_status forward(iscp_inversion *v) {
  const iscp_contract *contract = iscp_model_contract(v->model);
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < v->rows; r++)
    isc_normalise(isc_session_src(v->session, r), v->images + r * v->numbers, contract);
  return isc_session_forward(v->session);
}

/* ---- A batch ---- */

static iscp_status begin(iscp_inversion *v) {
  int64_t left = v->options.count - v->place;
  v->rows = (int32_t)(left < v->options.batch ? left : v->options.batch);
  for (int32_t r = 0; r < v->rows; r++) {
    v->row[r].index = v->options.first + v->place + r;
    isc_inversion_draw(v, &v->row[r]);
  }
  ISC_TRY(fetch(v, false));
  ISC_TRY(forward(v));
  for (int32_t r = 0; r < v->rows; r++)
    isc_inversion_aim(v, r);
  ISC_TRY(fetch(v, true));
  for (int32_t r = v->rows; r < v->options.batch; r++)
    isc_inversion_differ_not(v, r);
  v->step = 0;
  v->begun = true;
  return ISCP_OK;
}

static iscp_status take_step(iscp_inversion *v) {
  ISC_TRY(forward(v));
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < v->rows; r++) {
    if (v->step == 0)
      v->row[r].start_distance = isc_inversion_distance(v, r, v->images + r * v->numbers);
    isc_inversion_differ(v, r);
  }
  ISC_TRY(isc_session_backward(v->session));
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < v->rows; r++)
    isc_inversion_move(v, r);
  v->step++;
  return ISCP_OK;
}

/* ---- Its end ---- */

/* To bytes, channels last; the network's input becomes what they hold, not yet normalised. */
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
}

/* How far the bytes are. An attack's distance is that of pixels, which are gone once they are normalised. */
static iscp_status judge_stored(iscp_inversion *v) {
  bool attacks = isc_inversion_attacks(v);
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < v->rows; r++) {
    float *src = isc_session_src(v->session, r);
    store(v, r);
    if (attacks)
      v->row[r].stored_distance = isc_inversion_distance(v, r, src);
    isc_normalise(src, src, iscp_model_contract(v->model));
  }
  ISC_TRY(isc_session_forward(v->session));
  for (int32_t r = 0; r < v->rows; r++)
    if (attacks)
      v->row[r].predicted = isc_argmax(isc_session_logits(v->session, r), isc_model_classes(v->model));
    else
      v->row[r].stored_distance = isc_inversion_distance(v, r, NULL);
  return ISCP_OK;
}

static iscp_status finish(iscp_inversion *v) {
  ISC_TRY(forward(v));
  for (int32_t r = 0; r < v->rows; r++)
    v->row[r].distance = isc_inversion_distance(v, r, v->images + r * v->numbers);
  ISC_TRY(judge_stored(v));
  for (int32_t r = 0; r < v->rows; r++) {
    v->sums[0] += v->row[r].start_distance;
    v->sums[1] += v->row[r].distance;
    v->sums[2] += v->row[r].stored_distance;
    v->taken += v->row[r].predicted == v->row[r].label;
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
