/* The mask of one search: its values, their update by sign, and the evidence that ranks ties. */
#ifndef ISC_SEARCH_MASK_H
#define ISC_SEARCH_MASK_H

#include "base/base.h"

typedef struct isc_mask {
  int64_t pixels;
  double step;
  float *values;     /* what the caller sees */
  int32_t *evidence; /* sum of -sign(dL/dm) */
  int32_t *ticks;    /* walk.h; all start at 0.5 */
  uint8_t *anchors;
} isc_mask;

iscp_status isc_mask_create(isc_mask *mask, const iscp_context *context, int64_t pixels, double step);
void isc_mask_release(isc_mask *mask, const iscp_context *context);

/* m <- clip(m - step * sign(gradient), 0, 1), with sign(0) = 0. Pixels first .. last - 1: several threads may share one mask. */
void isc_mask_update(isc_mask *mask, const double *gradient, int64_t first, int64_t last);

/* gradient += weight * d |m|_1 / d m = weight * sign(m), with 0 at m = 0, or 1 if `at_zero`. Pixels first .. last - 1. */
void isc_mask_add_norm(double *gradient, const isc_mask *mask, int64_t first, int64_t last, double weight, bool at_zero);

double isc_mask_mean(const isc_mask *mask); /* |m|_1 / n */

/* The total variation |grad m|_2^2 of a mask in rows of `width`: the squares of the differences of neighbours, in both
 * directions. */
double isc_mask_variation(const isc_mask *mask, int64_t width);

/* gradient += weight * d |grad m|_2^2 / d m, pixels first .. last - 1. */
void isc_mask_add_variation(double *gradient, const isc_mask *mask, int64_t width, int64_t first, int64_t last, double weight);

#endif
