/* The axes of a plot: what they span, and round numbers along them. */
#include <math.h>
#include <stdio.h>

#include "plot/draw.h"

static double round_step(double span, int ticks) {
  double raw = span / ticks, power = pow(10, floor(log10(raw))), part = raw / power;
  return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

plot_axis plot_axis_round(double low, double high, int ticks) {
  static const double slack = 1e-9; /* a multiple that rounding put a hair's breadth outside */
  if (!(high > low))
    high = low + 1;
  double step = round_step(high - low, ticks);
  return (plot_axis){step * floor(low / step + slack), step * ceil(high / step - slack), step};
}

static void widen(double *low, double *high, double value) {
  if (!isfinite(value))
    return;
  *low = fmin(*low, value);
  *high = fmax(*high, value);
}

/* Never cuts off what is drawn: the caller's range is the least. */
plot_axis plot_axis_y(const plot *p) {
  double low = fmin(0, p->y_low), high = fmax(0, p->y_high);
  if (!p->categories && p->y_low < p->y_high)
    low = p->y_low, high = p->y_high;
  for (int i = 0; i < p->series_count; i++)
    for (int k = 0; k < p->series[i].count; k++) {
      const plot_series *s = &p->series[i];
      widen(&low, &high, s->y[k]);
      if (s->low && s->high && isfinite(s->y[k]))
        widen(&low, &high, s->low[k]), widen(&low, &high, s->high[k]);
    }
  return plot_axis_round(low, high, 5);
}

plot_axis plot_axis_x(const plot *p) {
  double low = INFINITY, high = -INFINITY;
  for (int i = 0; i < p->series_count; i++)
    for (int k = 0; k < p->series[i].count; k++)
      widen(&low, &high, p->series[i].x[k]);
  if (!isfinite(low))
    low = 0, high = 1;
  if (low == high)
    low -= 0.5, high += 0.5;
  double pad = (high - low) / 25;
  return (plot_axis){low - pad, high + pad, round_step(high - low, 5)};
}

void plot_axis_text(char text[32], const plot_axis *axis, double value) {
  int decimals = (int)fmax(0, ceil(-log10(axis->step) - 1e-9));
  if (fabs(value) < axis->step / 1e6)
    value = 0; /* no "-0" */
  if (decimals > 6 || fabs(axis->high) >= 1e7)
    snprintf(text, 32, "%g", value);
  else
    snprintf(text, 32, "%.*f", decimals, value);
}
