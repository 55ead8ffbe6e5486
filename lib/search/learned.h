/* The canvas of one search that learns it (Eq. 4): its values and their update by sign. */
#ifndef ISC_SEARCH_LEARNED_H
#define ISC_SEARCH_LEARNED_H

#include "base/base.h"

typedef struct isc_learned {
  const float *start; /* the canvas that it begins with; borrowed */
  double step;
  float *values;    /* NULL = the canvas stays as it is */
  int32_t *ticks;   /* walk.h */
  uint8_t *anchors;
} isc_learned;

iscp_status isc_learned_create(isc_learned *learned, const iscp_context *context, const float *start, int64_t numbers,
                               double step);
void isc_learned_release(isc_learned *learned, const iscp_context *context); /* takes a zeroed struct */

/* No update is to come: keeps the values alone. */
void isc_learned_finish(isc_learned *learned, const iscp_context *context);

/* x_c <- clip(x_c - step * sign(dL/dx_c), 0, 1), with sign(0) = 0, for values first .. first + count - 1 of one channel.
 * gradient[0 .. count - 1] comes as sum_j g_j and is left as dL/dx_c = sum_j m g_j; mask[0 .. count - 1] are their pixels'. */
void isc_learned_update(isc_learned *learned, double *gradient, const float *mask, int64_t first, int64_t count);

#endif
