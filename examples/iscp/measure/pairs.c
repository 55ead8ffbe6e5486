/* Work and peak in turns. A shared machine's speed drifts by a third within a minute, so that a figure of GFLOP/s says
 * little; its ratio to the peak of the same moment drifts much less, and a median ignores the moments when another
 * program ran. */
#include <stdlib.h>
#include <time.h>

#include "measure/measure.h"

enum { MOST_PAIRS = 1000, FEWEST_PAIRS = 3 };

static const double PEAK_SECONDS = 0.02, WORK_SECONDS = 0.04; /* of one turn, about */

double clock_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double median(double *values, int count) {
  if (count < 1)
    return 0;
  qsort(values, (size_t)count, sizeof *values, by_value);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Seconds of one of `times` runs, or the code that stopped them. */
static int run_turn(double *seconds, measured_fn *run, void *user, int times) {
  double start = clock_seconds();
  for (int i = 0; i < times; i++) {
    int code = run(user);
    if (code)
      return code;
  }
  *seconds = (clock_seconds() - start) / times;
  return 0;
}

int pairs_measure(pairs_result *result, measured_fn *run, void *user, double flops, int threads, double seconds) {
  static double times[MOST_PAIRS], peaks[MOST_PAIRS], shares[MOST_PAIRS];
  *result = (pairs_result){0};
  double took = 0;
  int code = run_turn(&took, run, user, 1);
  if (!code)
    code = run_turn(&took, run, user, 1); /* the first run meets cold caches and sleeping threads */
  int a_turn = took < WORK_SECONDS ? (int)(WORK_SECONDS / (took > 1e-6 ? took : 1e-6)) : 1, count = 0;
  double start = clock_seconds(), before = peak_run(threads, PEAK_SECONDS);
  while (!code && count < MOST_PAIRS && (count < FEWEST_PAIRS || clock_seconds() - start < seconds)) {
    code = run_turn(&times[count], run, user, a_turn);
    if (code)
      break;
    double after = peak_run(threads, PEAK_SECONDS);
    peaks[count] = (before + after) / 2;
    shares[count] = flops / times[count] * 1e-9 / peaks[count];
    before = after;
    count++;
  }
  result->pairs = count;
  result->seconds = median(times, count);
  result->gflops = count ? flops / result->seconds * 1e-9 : 0;
  result->peak = median(peaks, count);
  result->share = median(shares, count);
  return code;
}
