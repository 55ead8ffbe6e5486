/* The runs that tables and figures are made of. One name is one run: an item that asks for it again shares it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paper/reproduce.h"
#include "search/table.h"

static const iscp_search_options *base_options(const reproduction *r) { return &r->study.base->search; }

/* "positive", "positive+white". */
static void kinds_text(char text[96], int32_t kinds) {
  text[0] = 0;
  for (int32_t kind = ISCP_CANVAS_POSITIVE; kind <= ISCP_CANVAS_USER; kind *= 2)
    if (kinds & kind) {
      size_t length = strlen(text);
      snprintf(text + length, 96 - length, "%s%s", length ? "+" : "", canvas_kind_text(kind));
    }
}

study_run *canvas_run(reproduction *r, int m, int32_t kind) {
  char variant[96];
  kinds_text(variant, kind);
  iscp_search_options options = *base_options(r);
  options.canvas_kinds = kind;
  if (!(kind & ISCP_CANVAS_USER))
    options.user_canvas_count = 0;
  int compared = kind == base_options(r)->canvas_kinds || kind == ISCP_CANVAS_POSITIVE; /* tables 3 and 4 are of these */
  return study_add(&r->study, m, variant, &options, compared ? ISCP_MEASURE_COMPARED : ISCP_MEASURE_SELECTED);
}

study_run *base_run(reproduction *r, int m) { return canvas_run(r, m, base_options(r)->canvas_kinds); }

study_run *tv_run(reproduction *r, int m, double beta) {
  char variant[32];
  snprintf(variant, sizeof variant, "tv-%g", beta);
  iscp_search_options options = *base_options(r);
  options.tv = beta;
  return study_add(&r->study, m, variant, &options, ISCP_MEASURE_SELECTED);
}

study_run *fraction_run(reproduction *r, int m, double fraction) {
  iscp_search_options options = *base_options(r);
  if (fabs(options.fraction - fraction) < 1e-9)
    return base_run(r, m);
  char variant[32];
  snprintf(variant, sizeof variant, "fraction-%g", fraction);
  options.fraction = fraction;
  return study_add(&r->study, m, variant, &options, ISCP_MEASURE_SELECTED);
}

study_run *learned_run(reproduction *r, int m) {
  iscp_search_options options = *base_options(r);
  options.canvas_steps = r->study.base->canvas_steps;
  return study_add(&r->study, m, "learned", &options, ISCP_MEASURE_SELECTED);
}

/* ---- What was measured ---- */

double class_accuracy(const study_run *run, int32_t y) {
  iscp_power power = {.accuracy = NAN};
  study_power(run, y, -1, run->report.sizes[0], &power);
  return power.accuracy;
}

void mean_accuracy(double *mean, double *std, const study_run *run) {
  const study_model *m = run->of;
  double *values = take((size_t)m->class_count * sizeof *values);
  int64_t count = 0;
  for (int32_t i = 0; i < m->class_count; i++)
    if (isfinite(values[count] = class_accuracy(run, m->classes[i])))
      count++;
  *mean = *std = NAN;
  if (count)
    iscp_mean_std(values, count, mean, std);
  free(values);
}

double mean_power(const study_run *run, double size) {
  double mean, std;
  study_mean(&mean, &std, run, size);
  return mean;
}

double class_power(const study_run *run, int32_t y, double size) { return study_power(run, y, -1, size, NULL); }
