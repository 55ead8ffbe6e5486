/* A step of sign descent for a universal perturbation, the k-th of K from 0 on:
 *
 *   L = sum over the minibatch of min(loss_clamp, -log softmax(f(clip(x + v, 0, 1)))_y)
 *   v <- clip(v - (1 - k / K) step * sign(dL/dv), -eps, eps)
 *
 * With a step that stays as it is, numbers whose gradient is small are thrown from one bound to the other to the end, and what
 * comes out is what the last minibatch made of them.
 *
 * The clipping of an image passes no gradient where x + v is outside of [0,1], as automatic differentiation has it: an image
 * that is dark already says nothing about making it darker. */
#include <string.h>

#include "attack/uap.h"

enum { CHUNK = 1024 }; /* numbers that a thread takes at a time */

/* Rows beyond `rows`, and those whose loss is clamped (or not a number), get a gradient of zero. Returns how many have one. */
static int32_t differentiate_loss(iscp_uap *uap, int32_t rows) {
  int32_t classes = isc_model_classes(uap->model), heard = 0;
  for (int32_t row = 0; row < uap->pass; row++) {
    float *diff = isc_session_diff_logits(uap->session, row);
    double loss = 0;
    if (row < rows)
      loss = isc_cross_entropy(diff, isc_session_logits(uap->session, row), classes, uap->class_index);
    if (row < rows && loss <= uap->options.loss_clamp)
      heard++;
    else
      memset(diff, 0, (size_t)classes * sizeof *diff);
  }
  return heard;
}

/* Rows in order, whatever the threads. The scale of normalised units is positive: the sign is that of pixel units. */
static void add_gradients(iscp_uap *uap, int32_t rows) {
#pragma omp parallel for schedule(static)
  for (int64_t start = 0; start < uap->numbers; start += CHUNK) {
    int64_t end = uap->numbers - start < CHUNK ? uap->numbers : start + CHUNK;
    for (int32_t row = 0; row < rows; row++) {
      const float *diff = isc_session_diff_src(uap->session, row), *image = uap->images + row * uap->numbers;
      for (int64_t i = start; i < end; i++) {
        float moved = image[i] + uap->v[i];
        uap->gradient[i] += moved >= 0 && moved <= 1 ? diff[i] : 0;
      }
    }
  }
}

static iscp_status run_pass(int64_t *heard, iscp_uap *uap, int64_t first, int32_t rows) {
  ISC_TRY(isc_uap_fetch(uap, uap->order + first, rows));
  int64_t left = uap->count - first - rows;
  isc_dataset_expect(uap->dataset, uap->order + first + rows, left < uap->pass ? left : uap->pass);
  isc_uap_place(uap, rows, NULL, 0);
  ISC_TRY(isc_session_forward(uap->session));
  *heard += differentiate_loss(uap, rows);
  ISC_TRY(isc_session_backward(uap->session));
  add_gradients(uap, rows);
  return ISCP_OK;
}

static void move(iscp_uap *uap) {
  int64_t batches = (uap->count + uap->options.batch - 1) / uap->options.batch, all = batches * uap->options.epochs;
  float step = (float)(uap->options.step * (1 - (double)uap->steps / (double)all));
  for (int64_t i = 0; i < uap->numbers; i++) {
    double g = uap->gradient[i];
    if (g != 0)
      isc_uap_move(uap, i, g > 0 ? -step : step);
  }
  uap->steps++;
}

iscp_status isc_uap_sgd_step(iscp_uap *uap, isc_meter *meter) {
  int64_t left = uap->count - uap->position;
  int32_t batch = (int32_t)(left < uap->options.batch ? left : uap->options.batch);
  int64_t heard = uap->heard;
  memset(uap->gradient, 0, (size_t)uap->numbers * sizeof *uap->gradient);
  for (int32_t first = 0; first < batch; first += uap->pass)
    ISC_TRY(run_pass(&heard, uap, uap->position + first, batch - first < uap->pass ? batch - first : uap->pass));
  if (!heard && batch == left)
    return isc_fail(ISCP_ERROR_ARGUMENT, "loss_clamp is %g, but the loss of every image towards class %d is above it, so that "
                    "none has a say: expected a larger one", uap->options.loss_clamp, uap->class_index);
  uap->heard = heard;
  move(uap);
  uap->position += batch;
  meter->done += batch;
  return ISCP_OK;
}
