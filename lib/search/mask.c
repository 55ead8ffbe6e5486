/* Sign updates of a mask on its lattice (Algorithm 1, line 8). */
#include "search/mask.h"

#include <string.h>

#include "search/walk.h"

iscp_status isc_mask_create(isc_mask *mask, const iscp_context *context, int64_t pixels, double step) {
  memset(mask, 0, sizeof *mask);
  mask->pixels = pixels;
  mask->step = step;
  mask->values = isc_calloc(context, (size_t)pixels, sizeof *mask->values);
  mask->evidence = isc_calloc(context, (size_t)pixels, sizeof *mask->evidence);
  mask->ticks = isc_calloc(context, (size_t)pixels, sizeof *mask->ticks);
  mask->anchors = isc_calloc(context, (size_t)pixels, sizeof *mask->anchors);
  if (!mask->values || !mask->evidence || !mask->ticks || !mask->anchors) {
    isc_mask_release(mask, context);
    return ISCP_ERROR_MEMORY;
  }
  for (int64_t i = 0; i < pixels; i++) {
    mask->values[i] = 0.5f;
    mask->anchors[i] = ISC_ANCHOR_START;
  }
  return ISCP_OK;
}

void isc_mask_release(isc_mask *mask, const iscp_context *context) {
  isc_free(context, mask->values);
  isc_free(context, mask->evidence);
  isc_free(context, mask->ticks);
  isc_free(context, mask->anchors);
  memset(mask, 0, sizeof *mask);
}

void isc_mask_update(isc_mask *mask, const double *gradient, int64_t first, int64_t last) {
  for (int64_t i = first; i < last; i++) {
    int32_t direction = (gradient[i] < 0) - (gradient[i] > 0);
    mask->evidence[i] += direction;
    if (direction)
      mask->values[i] = isc_walk(&mask->ticks[i], &mask->anchors[i], 0.5, mask->step, direction);
  }
}

void isc_mask_add_norm(double *gradient, const isc_mask *mask, int64_t first, int64_t last, double weight, bool at_zero) {
  for (int64_t i = first; i < last; i++)
    gradient[i] += mask->values[i] > 0 || at_zero ? weight : 0;
}

double isc_mask_mean(const isc_mask *mask) {
  double sum = 0;
  for (int64_t i = 0; i < mask->pixels; i++)
    sum += mask->values[i];
  return sum / (double)mask->pixels;
}

static double square(double x) { return x * x; }

double isc_mask_variation(const isc_mask *mask, int64_t width) {
  const float *m = mask->values;
  double sum = 0;
  for (int64_t i = 0; i < mask->pixels; i++) {
    sum += i % width + 1 < width ? square((double)m[i + 1] - m[i]) : 0;
    sum += i + width < mask->pixels ? square((double)m[i + width] - m[i]) : 0;
  }
  return sum;
}

void isc_mask_add_variation(double *gradient, const isc_mask *mask, int64_t width, int64_t first, int64_t last, double weight) {
  const float *m = mask->values;
  for (int64_t i = first; i < last; i++) {
    double slope = 0; /* the pixel is in the difference of each pair that it belongs to */
    slope += i % width > 0 ? (double)m[i] - m[i - 1] : 0;
    slope += i % width + 1 < width ? (double)m[i] - m[i + 1] : 0;
    slope += i >= width ? (double)m[i] - m[i - width] : 0;
    slope += i + width < mask->pixels ? (double)m[i] - m[i + width] : 0;
    gradient[i] += weight * 2 * slope;
  }
}
