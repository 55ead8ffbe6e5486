/* A step of DeepFool for a universal perturbation (Moosavi-Dezfooli et al., 2017), towards a class y. For each image that is not
 * yet taken for y with v on it:
 *
 *   x' = clip(x + v + (1 + overshoot) r, 0, 1),  k = argmax f(x'),  w = d(f_y - f_k)/dr       until k = y
 *   r <- r + (|f_y(x') - f_k(x')| / |w| + 1e-4) w / |w|
 *
 * then v <- clip(v + (1 + overshoot) r, -eps, eps). The images of a batch start from the same v; with a batch of 1 this is the
 * published algorithm. As in uap_sgd.c, clipping passes no gradient where it cuts. */
#include <math.h>
#include <string.h>

#include "attack/uap.h"

static const double NUDGE = 1e-4; /* beyond the boundary, so that two equal logits do not end the steps */

/* ---- r of the images `first` .. `first + rows - 1` of those pending ---- */

/* w in the network's units, of rows that are not solved; returns whether there is any. */
static bool differentiate(iscp_uap *uap, int32_t first, int32_t rows) {
  int32_t classes = isc_model_classes(uap->model);
  bool is_any = false;
  for (int32_t row = 0; row < uap->pass; row++) {
    float *diff = isc_session_diff_logits(uap->session, row);
    memset(diff, 0, (size_t)classes * sizeof *diff);
    if (row >= rows)
      continue;
    int32_t best = isc_argmax(isc_session_logits(uap->session, row), classes);
    uap->solved[first + row] = best == uap->class_index;
    if (best == uap->class_index)
      continue;
    diff[uap->class_index] = 1;
    diff[best] = -1;
    is_any = true;
  }
  return is_any;
}

/* w of one number in pixel units. */
static double slope(const iscp_uap *uap, const float *image, const float *r, const float *diff, const float std[3],
                    float factor, int64_t i) {
  float moved = image[i] + uap->v[i] + factor * r[i];
  return moved >= 0 && moved <= 1 ? (double)diff[i] / std[i / uap->pixels] : 0;
}

static void lengthen(iscp_uap *uap, int32_t first, int32_t row, float factor) {
  isc_scale scale = isc_contract_scale(iscp_model_contract(uap->model));
  const float *logits = isc_session_logits(uap->session, row), *diff = isc_session_diff_src(uap->session, row);
  const float *image = uap->images + row * uap->numbers;
  float *r = uap->r + (first + row) * uap->numbers;
  double gap = logits[isc_argmax(logits, isc_model_classes(uap->model))] - logits[uap->class_index], square = 0;
  for (int64_t i = 0; i < uap->numbers; i++) {
    double w = slope(uap, image, r, diff, scale.std, factor, i);
    square += w * w;
  }
  if (!(square > 0 && isfinite(square)))
    return; /* nowhere to go */
  double length = sqrt(square), share = (gap / length + NUDGE) / length;
  for (int64_t i = 0; i < uap->numbers; i++)
    r[i] += (float)(share * slope(uap, image, r, diff, scale.std, factor, i));
}

/* One step for `rows` images; *more is false once they are solved, or have had all their steps. */
static iscp_status solve(bool *more, iscp_uap *uap, int32_t rows) {
  float factor = (float)(1 + uap->options.overshoot), *r = uap->r + uap->first * uap->numbers;
  if (!uap->inner) {
    memset(r, 0, (size_t)(rows * uap->numbers) * sizeof *r);
    ISC_TRY(isc_uap_fetch(uap, uap->pending + uap->first, rows));
  }
  isc_uap_place(uap, rows, r, factor);
  ISC_TRY(isc_session_forward(uap->session));
  *more = differentiate(uap, uap->first, rows) && uap->inner < uap->options.inner_steps;
  if (!*more)
    return ISCP_OK;
  ISC_TRY(isc_session_backward(uap->session));
#pragma omp parallel for schedule(static)
  for (int32_t row = 0; row < rows; row++)
    if (!uap->solved[uap->first + row])
      lengthen(uap, uap->first, row, factor);
  return ISCP_OK;
}

/* ---- A batch of images that are not yet fooled ---- */

/* Looks at the next images; those that v does not fool are pending, as far as the batch has room. */
static iscp_status look(iscp_uap *uap, isc_meter *meter) {
  int64_t left = uap->count - uap->position;
  int32_t rows = (int32_t)(left < uap->pass ? left : uap->pass), seen = 0;
  const int64_t *indices = uap->order + uap->position;
  ISC_TRY(isc_uap_fetch(uap, indices, rows));
  isc_dataset_expect(uap->dataset, indices + rows, left - rows < uap->pass ? left - rows : uap->pass);
  isc_uap_place(uap, rows, NULL, 0);
  ISC_TRY(isc_session_forward(uap->session));
  for (; seen < rows && uap->pending_count < uap->options.batch; seen++)
    if (!isc_uap_is_fooled(uap, seen))
      uap->pending[uap->pending_count++] = indices[seen];
  uap->position += seen;
  meter->done += seen;
  return ISCP_OK;
}

static void move(iscp_uap *uap) {
  float factor = (float)(1 + uap->options.overshoot);
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < uap->numbers; i++)
    for (int32_t image = 0; image < uap->pending_count; image++)
      if (uap->solved[image])
        isc_uap_move(uap, i, factor * uap->r[image * uap->numbers + i]);
  uap->steps += uap->pending_count > 0;
}

/* One pass of the network: a look at the next images, or a step for those that are pending, pass by pass. v moves once all of
 * them are solved. */
iscp_status isc_uap_deepfool_step(iscp_uap *uap, isc_meter *meter) {
  if (uap->pending_count < uap->options.batch && uap->position < uap->count)
    return look(uap, meter);
  int32_t left = uap->pending_count - uap->first, rows = left < uap->pass ? left : uap->pass;
  bool more = false;
  if (rows)
    ISC_TRY(solve(&more, uap, rows));
  uap->inner = more ? uap->inner + 1 : 0;
  uap->first += more ? 0 : rows;
  if (uap->first < uap->pending_count)
    return ISCP_OK;
  move(uap);
  uap->first = uap->pending_count = 0;
  return ISCP_OK;
}
