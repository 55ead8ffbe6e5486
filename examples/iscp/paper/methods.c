/* Tables 5 and 6, figures 5 and 6: other ways to a pattern beside the search's own: universal adversarial perturbations, a
 * smoother mask (TV), and a canvas that is learned. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paper/uap.h"

static const double shown_size = 0.05;
static const double bounds[] = {8, 16, 32}, betas[] = {0.2, 1};
enum { BOUNDS = 3, BETAS = 2, WAYS = 6, FEW = 6 };

/* ---- Table 5: UAP, ours, TV ---- */

static void plan_methods(reproduction *r) {
  base_run(r, 0);
  for (int i = 0; i < BETAS; i++)
    tv_run(r, 0, betas[i]);
  for (int i = 0; i < BOUNDS; i++)
    uap_plan(r, 0, bounds[i]);
}

static void relate_methods(reproduction *r, const double *means) {
  double ours = means[3];
  relate(r, judge(means[0] <= means[1] && means[1] <= means[2], means[0]), "a UAP's ASR rises with its bound eps",
         "%.3f, %.3f, %.3f at 8, 16, 32", means[0], means[1], means[2]);
  relate(r, judge(means[1] > ours, ours), "a UAP of eps 16 is more predictive than our pattern of 5 %", "%.3f and %.3f",
         means[1], ours);
  relate(r, judge(fabs(means[0] - ours) <= 0.15, ours), "our pattern is about as predictive as a UAP of eps 8 (within .15)",
         "%.3f and %.3f", ours, means[0]);
  relate(r, judge(means[5] < means[4], means[4]), "TV of beta 1 gives less predictive patterns than of beta 0.2",
         "mPW %.3f and %.3f", means[5], means[4]);
}

static iscp_status show_table5(reproduction *r) {
  const study_model *m = &r->study.models[0];
  const paper_table *paper = &paper_tables[4];
  double *rates = take((size_t)m->class_count * sizeof *rates), means[WAYS];
  grid *g = grid_new("ASR of UAPs on the whole image, and mPW of searched patterns of 5 %, beside the paper's");
  grid_row(g, PAGE_HEAD);
  grid_text(g, "set");
  for (int i = 0; i < WAYS; i++)
    grid_text(g, "%s", paper->columns[i]);
  iscp_status status = ISCP_OK;
  for (int i = 0; i < BOUNDS && status == ISCP_OK; i++)
    status = uap_rates(rates, &means[i], r, 0, bounds[i]);
  free(rates);
  if (status != ISCP_OK) {
    grid_free(g);
    return status;
  }
  means[3] = mean_power(base_run(r, 0), shown_size);
  for (int i = 0; i < BETAS; i++)
    means[4 + i] = mean_power(tv_run(r, 0, betas[i]), shown_size);
  grid_row(g, PAGE_PLAIN);
  grid_text(g, "%s", m->name);
  grid_numbers(g, means, WAYS);
  for (int i = 0; i < paper->row_count; i++) {
    grid_row(g, PAGE_PAPER);
    grid_text(g, "%s", paper->rows[i].name);
    grid_numbers(g, paper->rows[i].values, WAYS);
  }
  show_grid(&r->study, g, "table5");
  relate_methods(r, means);
  return ISCP_OK;
}

/* ---- Figure 5: their patterns ---- */

static iscp_status show_figure5(reproduction *r) {
  const study_model *m = &r->study.models[0];
  double *rates = take((size_t)m->class_count * sizeof *rates), mean;
  iscp_status status = ISCP_OK;
  page_text(r->study.page, "UAPs are amplified around grey: grey is no change. Searched patterns are 5 %% of the pixels.");
  for (int i = 0; i < BOUNDS && status == ISCP_OK; i++) /* all are there, if table 5 was made before */
    status = uap_rates(rates, &mean, r, 0, bounds[i]);
  for (int32_t i = 0; i < m->class_count && i < FEW && status == ISCP_OK; i++) {
    char name[64], caption[128];
    study_class(name, m, m->classes[i]);
    page_gallery_begin(r->study.page);
    for (int k = 0; k < BOUNDS; k++) {
      char *path = uap_picture(r, 0, bounds[k], m->classes[i]);
      snprintf(caption, sizeof caption, "%s, UAP of eps %g", name, bounds[k]);
      page_gallery_item(r->study.page, path, caption, caption);
      free(path);
    }
    show_pattern(&r->study, base_run(r, 0), m->classes[i], -1, shown_size, "ours");
    show_pattern(&r->study, tv_run(r, 0, betas[0]), m->classes[i], -1, shown_size, "TV 0.2");
    show_pattern(&r->study, tv_run(r, 0, betas[1]), m->classes[i], -1, shown_size, "TV 1");
    page_gallery_end(r->study.page);
  }
  free(rates);
  double ours, smooth;
  if (status == ISCP_OK)
    status = mean_share(&ours, base_run(r, 0), shown_size, share_touching);
  if (status == ISCP_OK)
    status = mean_share(&smooth, tv_run(r, 0, betas[1]), shown_size, share_touching);
  if (status != ISCP_OK)
    return status;
  relate(r, judge(smooth > ours, ours), "TV gives smoother patterns (more of their pixels touch another)",
         "touching: %.3f with TV 1, %.3f without", smooth, ours);
  relate_by_eye(r, "our patterns are much cleaner than those of UAPs");
  return ISCP_OK;
}

/* ---- Table 6: canvases that are learned ---- */

static void plan_learned(reproduction *r) {
  base_run(r, 0);
  learned_run(r, 0);
}

static void learned_row(grid *g, const char *name, const study_run *run) {
  const study_model *m = run->of;
  grid_row(g, PAGE_PLAIN);
  grid_text(g, "%s", name);
  for (int32_t i = 0; i < m->class_count; i++)
    grid_number(g, class_power(run, m->classes[i], shown_size));
  grid_number(g, mean_power(run, shown_size));
}

/* Of other classes, in a table of their own. */
static void show_paper(reproduction *r) {
  const paper_table *paper = &paper_tables[5];
  grid *g = grid_new("The paper's Table 6: three classes of CIFAR-10, three of ImageNet");
  grid_row(g, PAGE_HEAD);
  grid_text(g, "canvas");
  for (int k = 0; k < PAPER_COLUMNS; k++)
    grid_text(g, "%s", paper->columns[k]);
  for (int i = 0; i < paper->row_count; i++) {
    grid_row(g, PAGE_PAPER);
    grid_text(g, "%s", paper->rows[i].name);
    grid_numbers(g, paper->rows[i].values, PAPER_COLUMNS);
  }
  show_grid(&r->study, g, "table6-paper");
}

static iscp_status show_table6(reproduction *r) {
  const study_run *sampled = base_run(r, 0), *learned = learned_run(r, 0);
  const study_model *m = sampled->of;
  grid *g = grid_new("PW of patterns of 5 % on sampled and on learned canvases");
  grid_row(g, PAGE_HEAD);
  grid_text(g, "canvas");
  int below = 0;
  for (int32_t i = 0; i < m->class_count; i++) {
    char name[64];
    grid_text(g, "%s", study_class(name, m, m->classes[i]));
    below += class_power(learned, m->classes[i], shown_size) <= class_power(sampled, m->classes[i], shown_size);
  }
  grid_text(g, "mPW");
  learned_row(g, "sampled", sampled);
  learned_row(g, "learned", learned);
  show_grid(&r->study, g, "table6");
  show_paper(r);
  relate(r, judge(below > 0, mean_power(learned, shown_size)),
         "learned canvases do not always give more predictive patterns (not of tabby, bagel and others in the paper)",
         "not of %d of %d classes; mPW %.3f sampled, %.3f learned", below, m->class_count, mean_power(sampled, shown_size),
         mean_power(learned, shown_size));
  return ISCP_OK;
}

/* ---- Figure 6 ---- */

static iscp_status show_figure6(reproduction *r) {
  const study_run *learned = learned_run(r, 0);
  const study_model *m = learned->of;
  for (int32_t i = 0; i < m->class_count && i < FEW; i++) {
    char name[64], file[48], caption[96];
    snprintf(file, sizeof file, "canvas-%d.png", m->classes[i]);
    char *path = join_path(learned->folder, file);
    snprintf(caption, sizeof caption, "%s, learned canvas", study_class(name, m, m->classes[i]));
    page_gallery_begin(r->study.page);
    show_pattern(&r->study, base_run(r, 0), m->classes[i], -1, shown_size, "sampled canvas");
    if (access(path, R_OK) == 0)
      page_gallery_item(r->study.page, path, caption, caption);
    show_pattern(&r->study, learned, m->classes[i], -1, shown_size, "of the learned canvas");
    page_gallery_end(r->study.page);
    free(path);
  }
  double corners;
  iscp_status status = mean_share(&corners, learned, shown_size, share_in_corners);
  if (status == ISCP_OK)
    relate(r, judge(corners > 0.5, corners),
           "patterns of learned canvases lie mostly at the four corners (on ImageNet; above .5, even is .25)",
           "%.3f of their pixels", corners);
  return status;
}

const reproduce_item method_items[] = {
    {"table5", "UAP, the search, and TV", NULL, 1, plan_methods, show_table5},
    {"table6", "sampled and learned canvases", NULL, 1, plan_learned, show_table6},
    {"figure5", "patterns of UAP, the search, and TV", NULL, 1, plan_methods, show_figure5},
    {"figure6", "learned canvases and their patterns", NULL, 1, plan_learned, show_figure6},
    {0},
};
