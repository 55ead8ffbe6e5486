/* Intervals and means of the figures that are reported. */
#include <math.h>

#include "evaluate/evaluate.h"

/* Wilson, 1927: centre (p + z^2 / 2n) / (1 + z^2 / n), half width z sqrt(p (1 - p) / n + z^2 / 4n^2) / (1 + z^2 / n). */
void isc_wilson(double *low, double *high, int64_t hits, int64_t count) {
  static const double z = 1.959963984540054; /* 97.5 % quantile of the normal distribution */
  *low = 0;
  *high = 1;
  if (count <= 0)
    return;
  double n = (double)count, p = (double)hits / n, scale = 1 + z * z / n;
  double centre = (p + z * z / (2 * n)) / scale;
  double half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale;
  *low = hits == 0 ? 0 : fmax(0, centre - half);
  *high = hits == count ? 1 : fmin(1, centre + half);
}

double isc_plausible_accuracy(int32_t classes) { return 1.0 / classes + 0.15 * (1 - 1.0 / classes); }

iscp_status iscp_transfer_rates(double *rates, const double *powers, int32_t models) {
  if (!rates || !powers)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", rates ? "powers" : "rates");
  if (models < 1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "models is %d, expected 1 or more", models);
  for (int32_t s = 0; s < models; s++) {
    size_t row = (size_t)s * (size_t)models;
    double source = powers[row + (size_t)s];
    for (size_t t = 0; t < (size_t)models; t++) {
      double target = powers[row + t];
      rates[row + t] = target != 0 ? source / target : (double)NAN;
    }
  }
  return ISCP_OK;
}

iscp_status iscp_mean_std(const double *values, int64_t count, double *mean, double *std) {
  if (!values || !mean || !std)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", !values ? "values" : !mean ? "mean" : "std");
  if (count < 1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "count is %lld, expected 1 or more", (long long)count);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < count; i++)
    sum += values[i];
  *mean = sum / (double)count;
  for (int64_t i = 0; i < count; i++)
    squares += (values[i] - *mean) * (values[i] - *mean);
  *std = sqrt(squares / (double)count);
  return ISCP_OK;
}
