/* How a value of a mask or a learned canvas moves. */
#ifndef ISC_SEARCH_WALK_H
#define ISC_SEARCH_WALK_H

#include <stdint.h>

/* A value in [0,1] is anchor + ticks * step, with the anchor its start or the bound that it met last: recomputed from whole
 * numbers, so that it never drifts off the lattice that start, step and clipping define. */
enum { ISC_ANCHOR_LOW = 0, ISC_ANCHOR_START = 1, ISC_ANCHOR_HIGH = 2 };

/* The value one step up (1) or down (-1). */
static inline float isc_walk(int32_t *ticks, uint8_t *anchor, double start, double step, int32_t direction) {
  double from = *anchor == ISC_ANCHOR_START ? start : *anchor == ISC_ANCHOR_HIGH;
  float value = (float)(from + (*ticks + direction) * step);
  *ticks += direction;
  if (value > 0 && value < 1)
    return value;
  /* A value that rounds to a bound is on it. */
  *anchor = value <= 0 ? ISC_ANCHOR_LOW : ISC_ANCHOR_HIGH;
  *ticks = 0;
  return value <= 0 ? 0 : 1;
}

#endif
