/* The paper's tables, row by row, with the paper's own rows between. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paper/reproduce.h"

static const double shown_size = 0.05;

/* ---- Tables 1 and 2: PW by size ---- */

static void paper_row_of(grid *g, const paper_row *row, int columns) {
  if (!row)
    return;
  grid_row(g, PAGE_PAPER);
  grid_text(g, "%s", row->name);
  grid_numbers(g, row->values, columns);
}

static int count_columns(const paper_table *paper) {
  int count = 0;
  while (count < PAPER_COLUMNS && paper->columns[count])
    count++;
  return count;
}

static void heads(grid *g, const char *first, const paper_table *paper) {
  grid_row(g, PAGE_HEAD);
  grid_text(g, "%s", first);
  for (int i = 0; i < count_columns(paper); i++)
    grid_text(g, "%s", paper->columns[i]);
}

/* The paper's rows that no class here has the name of. */
static void other_rows(grid *g, const paper_table *paper, const study_model *m) {
  for (int i = 0; i < paper->row_count; i++) {
    const char *name = paper->rows[i].name;
    int shown = !strcmp(name, "mPW") || !strcmp(name, "STD");
    char text[64];
    paper_table one = {.rows = &paper->rows[i], .row_count = 1};
    for (int32_t k = 0; k < m->class_count && !shown; k++)
      shown = paper_find(&one, study_class(text, m, m->classes[k])) != NULL;
    if (!shown)
      paper_row_of(g, &paper->rows[i], count_columns(paper));
  }
}

static void power_rows(grid *g, const study_run *run, const paper_table *paper) {
  const study_model *m = run->of;
  const iscp_report_options *o = &run->report;
  for (int32_t i = 0; i < m->class_count; i++) {
    char name[64];
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%s", study_class(name, m, m->classes[i]));
    for (int32_t k = 0; k < o->size_count; k++)
      grid_number(g, class_power(run, m->classes[i], o->sizes[k]));
    grid_number(g, class_accuracy(run, m->classes[i]));
    paper_row_of(g, paper_find(paper, name), PAPER_COLUMNS);
  }
}

static void summary_rows(grid *g, const study_run *run, const paper_table *paper) {
  const iscp_report_options *o = &run->report;
  double accuracy[2];
  mean_accuracy(&accuracy[0], &accuracy[1], run);
  for (int want_std = 0; want_std < 2; want_std++) {
    const char *name = want_std ? "STD" : "mPW";
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%s", name);
    for (int32_t k = 0; k < o->size_count; k++) {
      double both[2];
      study_mean(&both[0], &both[1], run, o->sizes[k]);
      grid_number(g, both[want_std]);
    }
    grid_number(g, accuracy[want_std]);
    paper_row_of(g, paper_find(paper, name), PAPER_COLUMNS);
  }
}

static void relate_sizes(reproduction *r, const study_run *run) {
  const iscp_report_options *o = &run->report;
  double mean[5];
  int rises = 1;
  for (int k = 0; k < 5; k++) {
    mean[k] = mean_power(run, o->sizes[k]);
    rises &= !k || mean[k] >= mean[k - 1];
  }
  relate(r, judge(mean[0] < 0.1, mean[0]), "patterns of 1 % are not predictive (mPW below .1)", "mPW %.3f", mean[0]);
  relate(r, judge(rises, mean[0]), "larger patterns are more predictive", "mPW %.3f, %.3f, %.3f, %.3f, %.3f", mean[0], mean[1],
         mean[2],
         mean[3], mean[4]);
  relate(r, judge(mean[3] >= 0.5, mean[3]), "5 % of the pixels carry more than half of a class (mPW .591 and .701 in the paper)",
         "mPW %.3f", mean[3]);
  relate(r, judge(mean[4] >= 0.8, mean[4]), "10 % of the pixels carry nearly all of it (mPW .875 and .936 in the paper)",
         "mPW %.3f",
         mean[4]);
}

static iscp_status show_sizes(reproduction *r, int number) {
  const study_run *run = base_run(r, 0);
  const paper_table *paper = &paper_tables[number - 1];
  char caption[160], name[16];
  snprintf(caption, sizeof caption, "PW of %s by pattern size, beside the paper's (%s)", run->of->name, paper->caption);
  snprintf(name, sizeof name, "table%d", number);
  grid *g = grid_new(caption);
  heads(g, "class", paper);
  power_rows(g, run, paper);
  summary_rows(g, run, paper);
  other_rows(g, paper, run->of);
  show_grid(&r->study, g, name);
  relate_sizes(r, run);
  return ISCP_OK;
}

static iscp_status show_table1(reproduction *r) { return show_sizes(r, 1); }
static iscp_status show_table2(reproduction *r) { return show_sizes(r, 2); }

static void plan_base(reproduction *r) { base_run(r, 0); }

/* ---- Tables 3 and 4: PW by canvas ---- */

enum { CANVASES = 5 };

static void plan_positive(reproduction *r) { canvas_run(r, 0, ISCP_CANVAS_POSITIVE); }

/* 1 if a canvas other than the top one is the best; -1 if there is no other. */
static int canvas_row(grid *g, double *std, const study_run *run, int32_t y) {
  char name[64];
  double values[CANVASES], kept[CANVASES], mean;
  int best = 0, count = 0;
  grid_row(g, PAGE_PLAIN);
  grid_text(g, "%s", study_class(name, run->of, y));
  for (int canvas = 0; canvas < CANVASES; canvas++) {
    values[canvas] = study_power(run, y, canvas, shown_size, NULL);
    if (isfinite(values[canvas]))
      kept[count++] = values[canvas];
    if (values[canvas] > values[best])
      best = canvas;
  }
  *std = NAN;
  if (count)
    iscp_mean_std(kept, count, &mean, std);
  grid_numbers(g, values, CANVASES);
  grid_number(g, *std);
  return count > 1 ? best > 0 : -1;
}

static iscp_status show_canvases(reproduction *r, int number) {
  const study_run *run = canvas_run(r, 0, ISCP_CANVAS_POSITIVE);
  const study_model *m = run->of;
  const paper_table *paper = &paper_tables[number - 1];
  char caption[200], file[16];
  snprintf(caption, sizeof caption, "PW of %s by positive canvas, 5 %% of the pixels, beside the paper's (%s)", m->name,
           paper->caption);
  snprintf(file, sizeof file, "table%d", number);
  grid *g = grid_new(caption);
  heads(g, "class", paper);
  int others = 0, compared = 0;
  double widest = 0, std;
  for (int32_t i = 0; i < m->class_count; i++) {
    char name[64];
    int other = canvas_row(g, &std, run, m->classes[i]);
    others += other > 0;
    compared += other >= 0;
    widest = std > widest ? std : widest;
    paper_row_of(g, paper_find(paper, study_class(name, m, m->classes[i])), PAPER_COLUMNS);
  }
  other_rows(g, paper, m);
  show_grid(&r->study, g, file);
  relate(r, compared ? others > 0 : -1, "the top-1 canvas is not always the most predictive",
         "another is best in %d of %d classes that have several", others, compared);
  relate(r, compared ? widest >= 0.04 : -1, "PW differs from canvas to canvas (STD .044 to .274 in the paper)",
         "largest STD %.3f of %d classes that have several", widest, compared);
  return ISCP_OK;
}

static iscp_status show_table3(reproduction *r) { return show_canvases(r, 3); }
static iscp_status show_table4(reproduction *r) { return show_canvases(r, 4); }

const reproduce_item table_items[] = {
    {"table1", "PW by pattern size (the paper's is of CIFAR-10)", NULL, 1, plan_base, show_table1},
    {"table2", "PW by pattern size (the paper's is of ImageNet)", NULL, 1, plan_base, show_table2},
    {"table3", "PW by positive canvas (the paper's is of CIFAR-10)", NULL, 1, plan_positive, show_table3},
    {"table4", "PW by positive canvas (the paper's is of ImageNet)", NULL, 1, plan_positive, show_table4},
    {0},
};
