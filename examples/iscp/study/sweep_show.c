/* What a sweep shows: PW a class and value, means as a plot, and the patterns side by side. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "page/strip.h"
#include "search/table.h"
#include "study/sweep.h"

enum { MOST_PICTURED = 20 };

static int model_rows(const sweep *w) { return w->over == SWEEP_STAGE ? 1 : w->study.model_count; }

/* ---- The table: a column a value ---- */

static void class_rows(grid *g, const sweep *w, int model) {
  const study_model *m = &w->study.models[model];
  for (int32_t i = 0; i < m->class_count; i++) {
    char name[64];
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%s", study_class(name, m, m->classes[i]));
    for (int v = 0; v < w->value_count; v++)
      grid_number(g, study_power(sweep_run(w, model, v), m->classes[i], -1, sweep_size(w, v), NULL));
  }
  for (int want_std = 0; want_std < 2; want_std++) {
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%s", want_std ? "STD" : "mPW");
    for (int v = 0; v < w->value_count; v++) {
      double both[2];
      study_mean(&both[0], &both[1], sweep_run(w, model, v), sweep_size(w, v));
      grid_number(g, both[want_std]);
    }
  }
}

static void show_table(sweep *w, int model) {
  char caption[160];
  const char *of = w->over == SWEEP_STAGE ? "the models" : w->study.models[model].name;
  if (w->over == SWEEP_SIZE)
    snprintf(caption, sizeof caption, "PW of %s by pattern size", of);
  else
    snprintf(caption, sizeof caption, "PW of %s by %s, %g %% of the pixels", of, sweep_name(w), 100 * w->shown);
  grid *g = grid_new(caption);
  grid_row(g, PAGE_HEAD);
  grid_text(g, "class");
  for (int v = 0; v < w->value_count; v++)
    grid_text(g, "%s", w->values[v]);
  class_rows(g, w, model);
  grid_print(g, stdout);
  grid_show(g, w->study.page);
  grid_free(g);
}

/* ---- The CSV: a line a model, value, class and size ---- */

static void long_row(grid *g, const sweep *w, const study_run *run, int v, int32_t y, double size) {
  iscp_power p = {.pw = NAN};
  iscp_canvas_result canvas = {.struct_size = sizeof canvas};
  char name[64], text[32];
  int32_t entry = study_entry(run, y, -1);
  if (entry < 0 || iscp_pattern_list_canvas(run->list, entry, &canvas) != ISCP_OK)
    return;
  study_power(run, y, -1, size, &p);
  grid_row(g, PAGE_PLAIN);
  grid_text(g, "%s", run->of->name);
  if (w->over == SWEEP_OPTION)
    grid_text(g, "%s", w->values[v]);
  grid_text(g, "%d", y);
  grid_text(g, "%s", study_class(name, run->of, y));
  grid_text(g, "%s", canvas_text(text, &canvas));
  grid_numbers(g, (double[]){canvas.alpha, canvas.loss, canvas.power, size, p.pw, p.asr}, 6);
  grid_text(g, "%lld", (long long)p.nontarget_hits);
  grid_text(g, "%lld", (long long)p.nontarget);
  grid_number(g, p.accuracy);
  grid_text(g, "%lld", (long long)p.target_correct);
  grid_text(g, "%lld", (long long)p.target_images);
}

static void long_run(grid *g, const sweep *w, const study_run *run, int v) {
  const iscp_report_options *o = &run->report;
  for (int32_t i = 0; i < run->of->class_count; i++)
    for (int32_t k = 0; k < o->size_count; k++)
      long_row(g, w, run, v, run->of->classes[i], o->sizes[k]);
}

static void write_csv(sweep *w) {
  static const char *const heads[] = {"class", "name", "selected_canvas", "alpha_used", "loss", "pw_searched", "size",
                                      "pw",    "asr", "nontarget_hits", "nontarget", "accuracy", "target_correct", "target"};
  grid *g = grid_new("");
  grid_row(g, PAGE_HEAD);
  grid_text(g, "model");
  if (w->over == SWEEP_OPTION)
    grid_text(g, "%s", w->option);
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    grid_text(g, "%s", heads[i]);
  int values = w->over == SWEEP_OPTION ? w->value_count : 1; /* sizes are of one run */
  for (int m = 0; m < w->study.model_count; m++)
    for (int v = 0; v < values; v++)
      long_run(g, w, w->over == SWEEP_OPTION ? sweep_run(w, m, v) : w->runs[m], v);
  char *path = study_path(&w->study, "sweep.csv");
  if (grid_write(g, path) != EXIT_DONE)
    w->study.code = EXIT_FAILED;
  free(path);
  grid_free(g);
}

/* ---- The plot ---- */

/* Values that are all numbers stand on an axis; seeds are numbers without an order. */
static int are_numbers(double *x, const sweep *w) {
  int all = w->over != SWEEP_STAGE && strcmp(sweep_name(w), "seed") != 0;
  for (int v = 0; v < w->value_count; v++)
    all &= w->over == SWEEP_SIZE ? read_percent(&x[v], w->values[v]) : read_share(&x[v], w->values[v]);
  for (int v = 0; v < w->value_count && w->over == SWEEP_SIZE; v++)
    x[v] *= 100;
  return all;
}

/* Of several models a series each at the shown size; of one, and of stages, a series a size. */
static int is_by_model(const sweep *w) { return w->over == SWEEP_SIZE || model_rows(w) > 1; }

static void plot_means(sweep *w) {
  const iscp_report_options *o = &w->study.base->report;
  int by_model = is_by_model(w), count = by_model ? w->study.model_count : o->size_count;
  count = count > PLOT_MOST_SERIES ? PLOT_MOST_SERIES : count;
  double x[64], *y = take((size_t)count * (size_t)w->value_count * sizeof *y), std;
  char names[PLOT_MOST_SERIES][64], title[96], alt[200];
  plot_series series[PLOT_MOST_SERIES] = {{0}};
  int numbers = are_numbers(x, w);
  for (int i = 0; i < count; i++) {
    double *row = y + i * w->value_count;
    for (int v = 0; v < w->value_count; v++)
      study_mean(&row[v], &std, sweep_run(w, by_model ? i : 0, v), by_model ? sweep_size(w, v) : o->sizes[i]);
    if (by_model)
      snprintf(names[i], sizeof names[i], "%s", w->study.models[i].name);
    else
      snprintf(names[i], sizeof names[i], "%g %%", 100 * o->sizes[i]);
    series[i] = (plot_series){.name = names[i], .x = numbers ? x : NULL, .y = row, .count = w->value_count};
  }
  snprintf(title, sizeof title, "Mean PW by %s", w->over == SWEEP_SIZE ? "pattern size" : sweep_name(w));
  snprintf(alt, sizeof alt, "%s, from %s to %s: the figures are those of the table's row mPW", title, w->values[0],
           w->values[w->value_count - 1]);
  plot p = {.title = title,
            .x_label = w->over == SWEEP_SIZE ? "pattern size (% of the pixels)" : sweep_name(w),
            .y_label = "mean PW",
            .categories = numbers ? NULL : (const char *const *)w->values,
            .category_count = numbers ? 0 : w->value_count,
            .series = series,
            .series_count = count};
  show_plot(&w->study, &p, "sweep", alt);
  free(y);
}

/* ---- Pictures ---- */

static void show_pictures(sweep *w, int model) {
  const study_model *m = &w->study.models[model];
  for (int32_t i = 0; i < m->class_count && i < MOST_PICTURED; i++) {
    page_gallery_begin(w->study.page);
    for (int v = 0; v < w->value_count; v++) {
      char caption[160];
      if (w->over == SWEEP_SIZE)
        snprintf(caption, sizeof caption, "%g %%", 100 * sweep_size(w, v));
      else
        snprintf(caption, sizeof caption, "%s %s", sweep_name(w), w->values[v]);
      show_pattern(&w->study, sweep_run(w, model, v), m->classes[i], -1, sweep_size(w, v), caption);
    }
    page_gallery_end(w->study.page);
  }
}

/* A row a class, a column a value: DIR/strip.png, of several models DIR/strip-<model>.png. */
static iscp_status write_strip(const sweep *w, int model) {
  const study_model *m = &w->study.models[model];
  strip *all = strip_new(m->class_count, w->value_count, iscp_model_contract(m->model));
  iscp_status status = ISCP_OK;
  for (int32_t i = 0; i < m->class_count * w->value_count && status == ISCP_OK; i++) {
    int v = i % w->value_count;
    const study_run *run = sweep_run(w, model, v);
    int32_t entry = study_entry(run, m->classes[i / w->value_count], -1);
    iscp_pattern *pattern;
    if (entry < 0)
      continue;
    status = iscp_pattern_list_cut(&pattern, run->list, entry, ISCP_CUT_SIZE, sweep_size(w, v));
    if (status == ISCP_OK)
      status = strip_put(all, i / w->value_count, v, pattern);
    iscp_pattern_destroy(pattern);
  }
  char *path = model_rows(w) > 1 ? study_path(&w->study, "strip-%s.png", m->name) : study_path(&w->study, "strip.png");
  if (status == ISCP_OK)
    status = strip_write(all, w->study.context, path, w->study.base->report.scale);
  free(path);
  strip_free(all);
  return status;
}

int sweep_show(sweep *w) {
  study *s = &w->study;
  char *path = study_path(s, "index.html"), title[96];
  snprintf(title, sizeof title, "Sweep over %s", sweep_name(w));
  s->page = page_open(path, title, "Predictive power (PW = ASR / accuracy) of class-wise patterns, and the patterns.");
  free(path);
  if (!s->page)
    return EXIT_FAILED;
  show_origin(s);
  write_csv(w);
  plot_means(w);
  for (int m = 0; m < model_rows(w); m++) {
    page_heading(s->page, w->over == SWEEP_STAGE ? "Stages" : s->models[m].name);
    show_table(w, m);
    show_pictures(w, m);
    if (write_strip(w, m) != ISCP_OK)
      s->code = failed(ISCP_ERROR_IO);
  }
  int code = page_close(s->page);
  printf("page: %s/index.html; figures: %s/sweep.csv; searches: %s/runs\n", s->folder, s->folder, s->folder);
  return code == EXIT_DONE ? s->code : code;
}
