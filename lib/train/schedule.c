/* The learning rate as a function of the step alone, so that a resumed training goes on with the same one. */
#include <math.h>

#include "train/train.h"

static const double PI = 3.14159265358979323846;
static const double FIRST = 25, LAST = 1e4; /* OneCycleLR's: the first rate is a 25th, the last a 10,000th of the first */

/* From `a` to `b` along half a cosine. */
static double anneal(double a, double b, double share) { return b + (a - b) / 2 * (1 + cos(PI * share)); }

static double one_cycle(const isc_schedule *s, int64_t step) {
  double top = s->rise * (double)s->steps - 1, end = (double)s->steps - 1, at = (double)step;
  double first = s->rate / FIRST;
  if (at <= top)
    return anneal(first, s->rate, top > 0 ? at / top : 1);
  return anneal(s->rate, first / LAST, end > top ? (at - top) / (end - top) : 1);
}

double isc_schedule_rate(const isc_schedule *s, int64_t step) {
  switch (s->kind) {
  case ISCP_SCHEDULE_STEP:
    return s->rate * pow(s->factor, (double)(step / s->period));
  case ISCP_SCHEDULE_COSINE:
    return anneal(s->rate, 0, (double)step / (double)s->steps);
  case ISCP_SCHEDULE_ONE_CYCLE:
    return one_cycle(s, step);
  case ISCP_SCHEDULE_CONSTANT:
    break;
  }
  return s->rate;
}
