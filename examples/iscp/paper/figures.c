/* The paper's figures: pictures of patterns, and the plots beside them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paper/reproduce.h"

static const double shown_size = 0.05;
static const int32_t kinds[] = {ISCP_CANVAS_POSITIVE, ISCP_CANVAS_NEGATIVE, ISCP_CANVAS_RANDOM, ISCP_CANVAS_WHITE};
static const char *const kind_names[] = {"positive", "negative", "random", "white"};
enum { KINDS = 4, MOST_PICTURED = 20, FEW = 6 };

/* The first classes of a model, so that a page of ImageNet stays readable. */
static int32_t pictured(const study_model *m, int32_t most) { return m->class_count < most ? m->class_count : most; }

/* ---- Figure 1: the patterns ---- */

static void plan_base(reproduction *r) { base_run(r, 0); }

static iscp_status show_figure1(reproduction *r) {
  const study_run *run = base_run(r, 0);
  page_text(r->study.page, "Patterns of %s, 5 %% of the pixels, %s canvases.", run->of->name, run->variant);
  page_gallery_begin(r->study.page);
  for (int32_t i = 0; i < pictured(run->of, MOST_PICTURED); i++)
    show_pattern(&r->study, run, run->of->classes[i], -1, shown_size, NULL);
  page_gallery_end(r->study.page);
  relate_by_eye(r, "patterns contain shapes that are closely related to their class, some quite abstract");
  return ISCP_OK;
}

/* ---- Figure 2: mPW by size and by kind of canvas ---- */

static void plan_kinds(reproduction *r) {
  base_run(r, 0);
  for (int i = 0; i < KINDS; i++)
    canvas_run(r, 0, kinds[i]);
}

enum { SIZES = 5 };

static void plot_sizes(reproduction *r, grid *g, const study_run *run) {
  double x[SIZES], measured[SIZES], paper[2][SIZES];
  for (int k = 0; k < SIZES; k++) {
    x[k] = 100 * run->report.sizes[k];
    measured[k] = mean_power(run, run->report.sizes[k]);
    for (int t = 0; t < 2; t++)
      paper[t][k] = paper_find(&paper_tables[t], "mPW")->values[k];
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%g %%", x[k]);
    grid_number(g, measured[k]);
  }
  plot_series series[] = {{.name = run->of->name, .x = x, .y = measured, .count = SIZES},
                          {.name = "paper, CIFAR-10", .x = x, .y = paper[0], .count = SIZES, .hollow = 1},
                          {.name = "paper, ImageNet", .x = x, .y = paper[1], .count = SIZES, .hollow = 1}};
  plot p = {.title = "Mean PW by pattern size",
            .x_label = "pattern size (% of the pixels)",
            .y_label = "mean PW",
            .series = series,
            .series_count = 3};
  char alt[160];
  snprintf(alt, sizeof alt, "mean PW over the classes by pattern size: %.2f at 1 %%, %.2f at 5 %%, %.2f at 10 %%",
           measured[0], measured[3], measured[4]);
  show_plot(&r->study, &p, "figure2-sizes", alt);
}

static void plot_kinds(reproduction *r, grid *g) {
  double means[KINDS], low = 0, high = 0;
  int found = 0;
  for (int i = 0; i < KINDS; i++) {
    means[i] = mean_power(canvas_run(r, 0, kinds[i]), shown_size);
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%s canvas, 5 %%", kind_names[i]);
    grid_number(g, means[i]);
    if (!isfinite(means[i]))
      continue;
    low = !found || means[i] < low ? means[i] : low;
    high = !found || means[i] > high ? means[i] : high;
    found++;
  }
  plot_series series = {.y = means, .count = KINDS};
  plot p = {.title = "Mean PW by kind of canvas, 5 % of the pixels",
            .y_label = "mean PW",
            .categories = kind_names,
            .category_count = KINDS,
            .series = &series,
            .series_count = 1,
            .values = 1};
  char alt[160];
  snprintf(alt, sizeof alt, "mean PW on positive, negative, random and white canvases: %.2f, %.2f, %.2f, %.2f", means[0],
           means[1], means[2], means[3]);
  show_plot(&r->study, &p, "figure2-kinds", alt);
  relate(r, found > 1 ? high - low <= 0.2 : -1, "mean PW is similar for all kinds of canvas (within .2)",
         "%.3f to %.3f over %d kinds", low, high, found);
  relate(r, judge(means[3] >= 0.5, means[3]), "patterns of white canvases are predictive too (mPW above .5)",
         "mPW %.3f", means[3]);
}

static iscp_status show_figure2(reproduction *r) {
  const study_run *run = base_run(r, 0);
  grid *g = grid_new("Mean PW by pattern size and by kind of canvas");
  grid_row(g, PAGE_HEAD);
  grid_text(g, "patterns");
  grid_text(g, "mPW");
  plot_sizes(r, g, run);
  double five = mean_power(run, 0.05), ten = mean_power(run, 0.1);
  plot_kinds(r, g);
  show_grid(&r->study, g, "figure2");
  relate(r, judge(ten > five && five > mean_power(run, 0.01), ten), "mean PW rises with the pattern's size",
         "mPW %.3f at 1 %%, %.3f at 5 %%, %.3f at 10 %%", mean_power(run, 0.01), five, ten);
  return ISCP_OK;
}

/* ---- Figure 3: patterns by kind of canvas ---- */

static iscp_status show_figure3(reproduction *r) {
  const study_model *m = &r->study.models[0];
  page_text(r->study.page, "Patterns of %s by kind of canvas, 5 %% of the pixels; of positive canvases the first two.", m->name);
  for (int32_t i = 0; i < pictured(m, FEW); i++) {
    char name[64];
    page_gallery_begin(r->study.page);
    show_pattern(&r->study, canvas_run(r, 0, kinds[0]), m->classes[i], 0, shown_size, "positive, top-1");
    show_pattern(&r->study, canvas_run(r, 0, kinds[0]), m->classes[i], 1, shown_size, "positive, top-2");
    for (int k = 1; k < KINDS; k++)
      show_pattern(&r->study, canvas_run(r, 0, kinds[k]), m->classes[i], -1, shown_size, kind_names[k]);
    page_gallery_end(r->study.page);
    for (int k = 0; k < KINDS; k++)
      if (study_entry(canvas_run(r, 0, kinds[k]), m->classes[i], -1) < 0)
        page_text(r->study.page, "%s: no image of the set is a %s canvas.", study_class(name, m, m->classes[i]), kind_names[k]);
  }
  relate_by_eye(r, "patterns of different canvases are quite similar on CIFAR-10, not so on ImageNet");
  return ISCP_OK;
}

/* ---- Figure 10: how much of the set is enough ---- */

static const double fractions[] = {0.2, 0.4, 0.6, 0.8, 1};
enum { FRACTIONS = 5, PAIR = 2 };

/* Held-out images are left by all but the last. */
static int fraction_count(const reproduction *r) {
  return r->study.base->report.images == ISCP_IMAGES_HELDOUT ? FRACTIONS - 1 : FRACTIONS;
}

static void plan_fractions(reproduction *r) {
  for (int i = 0; i < fraction_count(r); i++)
    fraction_run(r, 0, fractions[i]);
}

static void picture_fractions(reproduction *r) {
  const study_model *m = &r->study.models[0];
  for (int32_t i = 0; i < pictured(m, PAIR); i++) {
    page_gallery_begin(r->study.page);
    for (int k = 0; k < fraction_count(r); k++) {
      char caption[32];
      snprintf(caption, sizeof caption, "%g %%", 100 * fractions[k]);
      show_pattern(&r->study, fraction_run(r, 0, fractions[k]), m->classes[i], -1, shown_size, caption);
    }
    page_gallery_end(r->study.page);
  }
}

static iscp_status show_figure10(reproduction *r) {
  double x[FRACTIONS], y[FRACTIONS], best = 0;
  int count = fraction_count(r);
  grid *g = grid_new("Mean PW by the share of the images that is searched on (D_n), 5 % of the pixels");
  grid_row(g, PAGE_HEAD);
  grid_text(g, "D_n");
  grid_text(g, "mPW");
  for (int i = 0; i < count; i++) {
    x[i] = 100 * fractions[i];
    y[i] = mean_power(fraction_run(r, 0, fractions[i]), shown_size);
    best = y[i] > best ? y[i] : best;
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%g %%", x[i]);
    grid_number(g, y[i]);
  }
  plot_series series = {.x = x, .y = y, .count = count};
  plot p = {.title = "Mean PW by the share searched on",
            .x_label = "D_n (% of the images)",
            .y_label = "mean PW",
            .series = &series,
            .series_count = 1};
  char alt[128];
  snprintf(alt, sizeof alt, "mean PW is %.2f where 20 %% of the images are searched on, and %.2f at most", y[0], best);
  show_plot(&r->study, &p, "figure10", alt);
  picture_fractions(r);
  show_grid(&r->study, g, "figure10");
  relate(r, judge(y[0] >= best - 0.1, y[0]), "20 % of the images suffice (mPW within .1 of the best)",
         "mPW %.3f at 20 %%, at most %.3f",
         y[0], best);
  return ISCP_OK;
}

const reproduce_item figure_items[] = {
    {"figure1", "class-wise patterns", NULL, 1, plan_base, show_figure1},
    {"figure2", "mean PW by pattern size and by kind of canvas", NULL, 1, plan_kinds, show_figure2},
    {"figure3", "patterns by kind of canvas", NULL, 1, plan_kinds, show_figure3},
    {"figure10", "patterns and mean PW by the share searched on", NULL, 1, plan_fractions, show_figure10},
    {0},
};
