/* Sign updates of a canvas on the lattice that its first values define (Eq. 4, Section 4.2). */
#include "search/learned.h"

#include <string.h>

#include "search/walk.h"

iscp_status isc_learned_create(isc_learned *learned, const iscp_context *context, const float *start, int64_t numbers,
                               double step) {
  *learned = (isc_learned){.start = start, .step = step};
  learned->values = isc_calloc(context, (size_t)numbers, sizeof *learned->values);
  learned->ticks = isc_calloc(context, (size_t)numbers, sizeof *learned->ticks);
  learned->anchors = isc_calloc(context, (size_t)numbers, sizeof *learned->anchors);
  if (!learned->values || !learned->ticks || !learned->anchors) {
    isc_learned_release(learned, context);
    return ISCP_ERROR_MEMORY;
  }
  memcpy(learned->values, start, (size_t)numbers * sizeof *start);
  memset(learned->anchors, ISC_ANCHOR_START, (size_t)numbers);
  return ISCP_OK;
}

void isc_learned_finish(isc_learned *learned, const iscp_context *context) {
  isc_free(context, learned->ticks);
  isc_free(context, learned->anchors);
  learned->ticks = NULL;
  learned->anchors = NULL;
}

void isc_learned_release(isc_learned *learned, const iscp_context *context) {
  isc_learned_finish(learned, context);
  isc_free(context, learned->values);
  learned->values = NULL;
}

void isc_learned_update(isc_learned *learned, double *gradient, const float *mask, int64_t first, int64_t count) {
  for (int64_t i = 0, at = first; i < count; i++, at++) {
    gradient[i] *= mask[i];
    int32_t direction = (gradient[i] < 0) - (gradient[i] > 0);
    if (direction)
      learned->values[at] =
          isc_walk(&learned->ticks[at], &learned->anchors[at], learned->start[at], learned->step, direction);
  }
}
