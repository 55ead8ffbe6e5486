/* Figures that compare models: stages of a training (4), backdoors (7, 8), and ways of training (9). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "paper/reproduce.h"
#include "search/table.h"

static const double shown_size = 0.05, trigger_size = 0.01, large_size = 0.1;
enum { FEW = 6, KINDS = 4 };

static void plan_all(reproduction *r) {
  for (int m = 0; m < r->study.model_count; m++)
    base_run(r, m);
}

/* A gallery a class, a picture a model. */
static void picture_models(reproduction *r, double size) {
  const study_model *first = &r->study.models[0];
  for (int32_t i = 0; i < first->class_count && i < FEW; i++) {
    page_gallery_begin(r->study.page);
    for (int m = 0; m < r->study.model_count; m++)
      show_pattern(&r->study, base_run(r, m), first->classes[i], -1, size, r->study.models[m].name);
    page_gallery_end(r->study.page);
  }
}

/* ---- Figure 4: stages of training ---- */

static iscp_status show_figure4(reproduction *r) {
  grid *g = grid_new("Stages of training: mean clean accuracy of the classes, and mPW at 5 % of the pixels");
  double before = 0, first = NAN, last = NAN, std;
  int rises = 1;
  grid_row(g, PAGE_HEAD);
  grid_text(g, "model");
  grid_text(g, "accuracy");
  grid_text(g, "mPW");
  for (int m = 0; m < r->study.model_count; m++) {
    mean_accuracy(&last, &std, base_run(r, m));
    first = m ? first : last;
    rises &= last >= before;
    before = last;
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%s", r->study.models[m].name);
    grid_number(g, last);
    grid_number(g, mean_power(base_run(r, m), shown_size));
  }
  page_text(r->study.page, "The models in the order given, taken for checkpoints of one training.");
  picture_models(r, shown_size);
  show_grid(&r->study, g, "figure4");
  relate(r, judge(rises, last), "accuracy rises from stage to stage (.315, .524, .693, .791, .942 in the paper)",
         "%.3f at the first, %.3f at the last", first, last);
  return ISCP_OK;
}

/* ---- Figure 7: triggers, as patterns of 1 % ---- */

static const int32_t kinds[KINDS] = {ISCP_CANVAS_POSITIVE, ISCP_CANVAS_NEGATIVE, ISCP_CANVAS_RANDOM, ISCP_CANVAS_WHITE};

/* The models behind the first are the backdoored ones; one alone is meant itself. */
static int first_backdoored(const reproduction *r) { return r->study.model_count > 1; }

static void plan_figure7(reproduction *r) {
  for (int m = first_backdoored(r); m < r->study.model_count; m++)
    for (int k = 0; k < KINDS; k++)
      canvas_run(r, m, kinds[k]);
}

/* The class of the highest PW at 1 %, or -1, and the highest of the others. */
static int32_t top_class(double *top, double *next, const study_run *run) {
  int32_t best = -1;
  *top = *next = 0;
  for (int32_t i = 0; i < run->of->class_count; i++) {
    double pw = class_power(run, run->of->classes[i], trigger_size);
    if (pw > *top) {
      *next = *top;
      *top = pw;
      best = run->of->classes[i];
    } else if (pw > *next) {
      *next = pw;
    }
  }
  return best;
}

/* Of all kinds of canvas the highest: whose class is the suspect. */
static int32_t suspect(reproduction *r, grid *g, int m, double *power) {
  int32_t found = -1;
  *power = 0;
  for (int k = 0; k < KINDS; k++) {
    char name[64] = "-";
    double top, next;
    const study_run *run = canvas_run(r, m, kinds[k]);
    int32_t y = top_class(&top, &next, run);
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%s", r->study.models[m].name);
    grid_text(g, "%s", canvas_kind_text(kinds[k]));
    grid_text(g, "%s", y >= 0 ? study_class(name, run->of, y) : name);
    grid_numbers(g, (double[]){top, next}, 2);
    if (y >= 0 && top > *power) {
      *power = top;
      found = y;
    }
  }
  return found;
}

/* The highest PW of any class but y, on whatever canvas. */
static double others_power(reproduction *r, int m, int32_t y) {
  const study_model *model = &r->study.models[m];
  double highest = 0;
  for (int k = 0; k < KINDS; k++)
    for (int32_t i = 0; i < model->class_count; i++) {
      double pw = class_power(canvas_run(r, m, kinds[k]), model->classes[i], trigger_size);
      if (model->classes[i] != y && pw > highest)
        highest = pw;
    }
  return highest;
}

static void picture_suspect(reproduction *r, int m, int32_t y) {
  page_gallery_begin(r->study.page);
  for (int k = 0; k < KINDS; k++)
    show_pattern(&r->study, canvas_run(r, m, kinds[k]), y, -1, trigger_size, canvas_kind_text(kinds[k]));
  page_gallery_end(r->study.page);
}

static iscp_status show_figure7(reproduction *r) {
  grid *g = grid_new("Patterns of 1 % of the pixels: the class that one predicts best, and the highest PW of another class");
  grid_row(g, PAGE_HEAD);
  const char *const heads[] = {"model", "canvas", "class", "PW", "next"};
  for (int i = 0; i < 5; i++)
    grid_text(g, "%s", heads[i]);
  for (int m = first_backdoored(r); m < r->study.model_count; m++) {
    static const char claim[] = "1 % of the pixels are enough for the backdoor's class, and for no other";
    const study_model *model = &r->study.models[m];
    char name[64];
    double power;
    int32_t y = suspect(r, g, m, &power);
    if (y < 0) {
      relate(r, 0, claim, "%s: no class has a PW above 0", model->name);
      continue;
    }
    double others = others_power(r, m, y);
    page_text(r->study.page, "Patterns of %s, 1 %% of the pixels, by kind of canvas:", model->name);
    picture_suspect(r, m, y);
    study_class(name, model, y);
    if (model->class_count > 1)
      relate(r, power >= 0.5 && others < 0.5, claim, "%s: %s has PW %.3f, the next class %.3f", model->name, name, power, others);
    else
      relate(r, -1, claim, "%s: %s has PW %.3f, no other class was searched", model->name, name, power);
  }
  show_grid(&r->study, g, "figure7");
  return ISCP_OK;
}

/* ---- Figure 8: what a backdoor does to PW, and transfer ---- */

enum { SIZES = 5 };
static const char *const crossings[] = {"figure8-there", "figure8-back"}; /* of patterns of the first model, of the second */

static void plan_figure8(reproduction *r) {
  for (int m = 0; m < 2; m++) {
    base_run(r, m);
    judge_plan(r, 1 - m, SIZES * r->study.models[m].class_count, crossings[m]);
  }
}

/* Mean PW on models[1 - m] of the patterns that were found on models[m], by size. */
static iscp_status cross(double *means, reproduction *r, int m) {
  const study_run *run = base_run(r, m);
  const study_model *model = run->of;
  const iscp_report_options *o = &run->report;
  int32_t all = SIZES * model->class_count, count = 0;
  iscp_pattern **patterns = take((size_t)all * sizeof *patterns);
  double *pws = take((size_t)all * sizeof *pws);
  int *sizes = take((size_t)all * sizeof *sizes);
  iscp_status status = ISCP_OK;
  for (int32_t i = 0; i < all && status == ISCP_OK; i++) {
    int32_t entry = study_entry(run, model->classes[i / SIZES], -1);
    if (entry < 0)
      continue;
    status = iscp_pattern_list_cut(&patterns[count], run->list, entry, ISCP_CUT_SIZE, o->sizes[i % SIZES]);
    sizes[count] = i % SIZES;
    count += status == ISCP_OK;
  }
  if (status == ISCP_OK)
    status = judge_patterns(r, 1 - m, patterns, count, pws, crossings[m]);
  for (int k = 0; k < SIZES && status == ISCP_OK; k++) {
    double sum = 0;
    int terms = 0;
    for (int32_t i = 0; i < count; i++)
      if (sizes[i] == k && isfinite(pws[i])) {
        sum += pws[i];
        terms++;
      }
    means[k] = terms ? sum / terms : NAN;
  }
  for (int32_t i = 0; i < count; i++)
    iscp_pattern_destroy(patterns[i]);
  free(sizes);
  free(pws);
  free(patterns);
  return status;
}

/* The paper has a backdoored model a class, and the mean over them: here the suspect's PW of each model given. */
static void show_left(reproduction *r) {
  double natural[2], next, sum = 0;
  int32_t models = r->study.model_count;
  natural[0] = mean_power(base_run(r, 0), trigger_size);
  for (int m = 1; m < models; m++) {
    double top = 0;
    top_class(&top, &next, base_run(r, m));
    sum += top;
  }
  natural[1] = sum / (models - 1);
  static const char *const names[] = {"natural on natural", "backdoored on backdoored"};
  plot_series series = {.y = natural, .count = 2};
  plot p = {.title = "PW of patterns of 1 % of the pixels",
            .y_label = "PW",
            .categories = names,
            .category_count = 2,
            .series = &series,
            .series_count = 1,
            .values = 1};
  char alt[160];
  snprintf(alt, sizeof alt, "PW at 1 %%: %.3f, the classes' mean of the natural model; %.3f, the backdoor's class", natural[0],
           natural[1]);
  show_plot(&r->study, &p, "figure8-power", alt);
  relate(r, judge(natural[0] < 0.1 && natural[1] >= 0.5, natural[0]),
         "at 1 % patterns are predictive on a backdoored model only", "PW %.3f natural (mean), %.3f backdoored (its class)",
         natural[0], natural[1]);
}

static void show_rates(reproduction *r, const double powers[SIZES][4]) {
  const iscp_report_options *o = &r->study.base->report;
  double x[SIZES], there[SIZES], back[SIZES], rates[4];
  int holds = 1, judged = 0;
  grid *g = grid_new("Mean PW by source and target, and transfer rate (PW on the source / PW on the target)");
  grid_row(g, PAGE_HEAD);
  const char *const heads[] = {"size", "1 on 1", "1 on 2", "2 on 1", "2 on 2", "rate 1 to 2", "rate 2 to 1"};
  for (int i = 0; i < 7; i++)
    grid_text(g, "%s", heads[i]);
  for (int k = 0; k < SIZES; k++) {
    x[k] = 100 * o->sizes[k];
    iscp_transfer_rates(rates, powers[k], 2);
    there[k] = rates[1];
    back[k] = rates[2];
    /* there < back, also where a PW of 0 leaves a rate without a value: such patterns do not transfer at all */
    double left = powers[k][0] * powers[k][2], right = powers[k][3] * powers[k][1];
    if (left > 0 || right > 0) {
      holds &= left < right;
      judged++;
    }
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%g %%", x[k]);
    grid_numbers(g, powers[k], 4);
    grid_numbers(g, (double[]){there[k], back[k]}, 2);
  }
  page_text(r->study.page, "Model 1 is %s, model 2 is %s.", r->study.models[0].name, r->study.models[1].name);
  plot_series series[] = {{.name = "natural to backdoored", .x = x, .y = there, .count = SIZES},
                          {.name = "backdoored to natural", .x = x, .y = back, .count = SIZES}};
  plot p = {.title = "Transfer rate by pattern size",
            .x_label = "pattern size (% of the pixels)",
            .y_label = "transfer rate",
            .series = series,
            .series_count = 2};
  char alt[160];
  snprintf(alt, sizeof alt, "transfer rates at 5 %%: %.2f from natural to backdoored, %.2f back", there[3], back[3]);
  show_plot(&r->study, &p, "figure8-rates", alt);
  show_grid(&r->study, g, "figure8");
  relate(r, judged ? holds : -1, "natural patterns transfer to the backdoored model better than back, at every size (a lower "
         "rate)",
         "of %d sizes with PW; rates at 1, 5, 10 %%: %.2f, %.2f, %.2f there; %.2f, %.2f, %.2f back", judged, there[0],
         there[3], there[4], back[0], back[3], back[4]);
}

static iscp_status show_figure8(reproduction *r) {
  const iscp_report_options *o = &r->study.base->report;
  double powers[SIZES][4], there[SIZES], back[SIZES];
  show_left(r);
  iscp_status status = cross(there, r, 0);
  if (status == ISCP_OK)
    status = cross(back, r, 1);
  for (int k = 0; k < SIZES && status == ISCP_OK; k++) {
    powers[k][0] = mean_power(base_run(r, 0), o->sizes[k]);
    powers[k][1] = there[k];
    powers[k][2] = back[k];
    powers[k][3] = mean_power(base_run(r, 1), o->sizes[k]);
  }
  if (status == ISCP_OK)
    show_rates(r, powers);
  return status;
}

/* ---- Figure 9: ways of training ---- */

static int is_adversarial(const char *name) { return !strncasecmp(name, "adv", 3); }

static iscp_status show_figure9(reproduction *r) {
  grid *g = grid_new("Ways of training: mPW at 10 % of the pixels, and the share of a pattern's pixels that touch another of it");
  double share, of_first = NAN, of_adversarial = NAN;
  int adversarial = 0;
  grid_row(g, PAGE_HEAD);
  grid_text(g, "model");
  grid_text(g, "mPW");
  grid_text(g, "touching");
  for (int m = 0; m < r->study.model_count; m++) {
    iscp_status status = mean_share(&share, base_run(r, m), large_size, share_touching);
    if (status != ISCP_OK) {
      grid_free(g);
      return status;
    }
    of_first = m ? of_first : share;
    if (m && !adversarial && is_adversarial(r->study.models[m].name)) {
      adversarial = m;
      of_adversarial = share;
    }
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%s", r->study.models[m].name);
    grid_number(g, mean_power(base_run(r, m), large_size));
    grid_number(g, share);
  }
  picture_models(r, large_size);
  show_grid(&r->study, g, "figure9");
  static const char claim[] = "patterns of an adversarially trained model are more densely connected than the natural one's";
  if (adversarial)
    relate(r, judge(of_adversarial > of_first, of_first + of_adversarial), claim, "touching: %.3f and %.3f", of_adversarial,
           of_first);
  else
    relate(r, -1, claim, "no model behind the first has a name that begins with adv, as adversarial=MODEL");
  return ISCP_OK;
}

const reproduce_item model_items[] = {
    {"figure4", "patterns at stages of a training", "checkpoints of one training, in its order", 2, plan_all, show_figure4},
    {"figure7", "backdoor patterns at 1 % by kind of canvas", NULL, 1, plan_figure7, show_figure7},
    {"figure8", "PW at 1 %, and transfer", "a natural model, then a backdoored one", 2, plan_figure8, show_figure8},
    {"figure9", "patterns by way of training", "a natural model, then others, as trained on robust images", 2, plan_all,
     show_figure9},
    {0},
};
