/* Figures 11 and 12: what Grad-CAM looks at, as a pattern, and how a pattern moves it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "paper/reproduce.h"

static const double size = 0.1, opacity = 0.6;
enum { FEW = 6, SHIFTED = 6 };

static size_t numbers_of(const study_model *m) {
  const iscp_contract *c = iscp_model_contract(m->model);
  return (size_t)c->channels * (size_t)c->height * (size_t)c->width;
}

/* ---- Pictures ---- */

/* An image of `channels`, in DIR/pictures and in the gallery. */
static iscp_status picture(reproduction *r, const float *image, int32_t channels, const char *name, const char *caption) {
  study *s = &r->study;
  const iscp_contract *c = iscp_model_contract(s->models[0].model);
  char *folder = study_path(s, "pictures"), *path = study_path(s, "pictures/%s.png", name);
  mkdir(folder, 0777);
  iscp_status status = iscp_image_write_png(s->context, image, channels, c->height, c->width, path, s->base->report.scale);
  if (status == ISCP_OK)
    page_gallery_item(s->page, path, caption, caption);
  free(folder);
  free(path);
  return status;
}

static iscp_status heat(reproduction *r, const float *map, const float *image, const char *name, const char *caption) {
  const iscp_contract *c = iscp_model_contract(r->study.models[0].model);
  float *mixed = take(3 * (size_t)c->height * (size_t)c->width * sizeof *mixed);
  iscp_status status = iscp_heat_overlay(mixed, map, image, c->channels, c->height, c->width, opacity);
  if (status == ISCP_OK)
    status = picture(r, mixed, 3, name, caption);
  free(mixed);
  return status;
}

/* ---- Figure 11: high attention as a pattern ---- */

static void plan_figure11(reproduction *r) {
  canvas_run(r, 0, ISCP_CANVAS_POSITIVE);
  judge_plan(r, 0, r->study.models[0].class_count, "figure11");
}

/* The image of a class's first positive canvas, in `image`; 0 if it has none. */
static int canvas_image(float *image, const study_run *run, int32_t y, iscp_status *status) {
  iscp_canvas_result canvas = {.struct_size = sizeof canvas};
  int32_t entry = study_entry(run, y, 0);
  if (entry < 0)
    return 0;
  *status = iscp_pattern_list_canvas(run->list, entry, &canvas);
  if (*status == ISCP_OK)
    *status = iscp_dataset_image(run->of->data, canvas.image, image);
  return *status == ISCP_OK;
}

static iscp_status picture_attention(reproduction *r, iscp_gradcam *cam, const iscp_pattern *pattern, const float *image,
                                     int32_t y) {
  const study_model *m = &r->study.models[0];
  const iscp_contract *c = iscp_model_contract(m->model);
  size_t numbers = numbers_of(m);
  char class_text[64], name[96], caption[160];
  float *map = take((size_t)c->height * (size_t)c->width * sizeof *map), *bare = take(numbers * sizeof *bare);
  for (size_t i = 0; i < numbers; i++)
    bare[i] = 0.5f; /* the pattern alone, on grey */
  study_class(class_text, m, y);
  snprintf(name, sizeof name, "attention-%d-image", y);
  snprintf(caption, sizeof caption, "%s, the canvas", class_text);
  iscp_status status = picture(r, image, c->channels, name, caption);
  if (status == ISCP_OK)
    status = iscp_gradcam_map(map, NULL, cam, image, y);
  snprintf(name, sizeof name, "attention-%d-map", y);
  snprintf(caption, sizeof caption, "%s, attention", class_text);
  if (status == ISCP_OK)
    status = heat(r, map, image, name, caption);
  if (status == ISCP_OK)
    status = iscp_pattern_attach(pattern, bare);
  snprintf(name, sizeof name, "attention-%d-pattern", y);
  snprintf(caption, sizeof caption, "%s, its highest 10 %%", class_text);
  if (status == ISCP_OK)
    status = picture(r, bare, c->channels, name, caption);
  free(map);
  free(bare);
  return status;
}

/* One pattern a class that has a canvas: their classes in `classes`. */
static iscp_status attention_patterns(reproduction *r, iscp_gradcam *cam, iscp_pattern **patterns, int32_t *classes,
                                      int32_t *count) {
  const study_run *run = canvas_run(r, 0, ISCP_CANVAS_POSITIVE);
  const study_model *m = run->of;
  float *image = take(numbers_of(m) * sizeof *image);
  iscp_status status = ISCP_OK;
  page_gallery_begin(r->study.page);
  for (int32_t i = 0; i < m->class_count && status == ISCP_OK; i++) {
    if (!canvas_image(image, run, m->classes[i], &status))
      continue;
    status = iscp_gradcam_pattern(&patterns[*count], cam, image, m->classes[i], ISCP_CUT_SIZE, size);
    classes[*count] = m->classes[i];
    *count += status == ISCP_OK;
    if (status == ISCP_OK && *count <= FEW)
      status = picture_attention(r, cam, patterns[*count - 1], image, m->classes[i]);
  }
  page_gallery_end(r->study.page);
  free(image);
  return status;
}

static void compare_attention(reproduction *r, const double *pws, const int32_t *classes, int32_t count) {
  const study_run *run = canvas_run(r, 0, ISCP_CANVAS_POSITIVE);
  double attention = count ? 0 : NAN, searched = attention;
  grid *g = grid_new("PW of the 10 % of highest attention, and of the searched pattern of 10 %");
  grid_row(g, PAGE_HEAD);
  grid_text(g, "class");
  grid_text(g, "Grad-CAM");
  grid_text(g, "searched");
  for (int32_t i = 0; i < count; i++) {
    char name[64];
    double pw = class_power(run, classes[i], size);
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%s", study_class(name, run->of, classes[i]));
    grid_numbers(g, (double[]){pws[i], pw}, 2);
    attention += pws[i] / count;
    searched += pw / count;
  }
  grid_row(g, PAGE_PLAIN);
  grid_text(g, "mPW");
  grid_numbers(g, (double[]){attention, searched}, 2);
  static const char *const names[] = {"Grad-CAM", "searched"};
  double means[] = {attention, searched};
  plot_series series = {.y = means, .count = 2};
  plot p = {.title = "Mean PW at 10 % of the pixels", .y_label = "mean PW", .categories = names, .category_count = 2,
            .series = &series, .series_count = 1, .values = 1};
  char alt[128];
  snprintf(alt, sizeof alt, "mean PW at 10 %%: %.3f of high attention, %.3f of searched patterns", attention, searched);
  show_plot(&r->study, &p, "figure11", alt);
  show_grid(&r->study, g, "figure11");
  relate(r, judge(attention < searched / 2, attention + searched),
         "high attention is far less predictive than the searched pattern (less than half of it)", "mPW %.3f and %.3f",
         attention, searched);
}

static iscp_status show_figure11(reproduction *r) {
  const study_model *m = &r->study.models[0];
  size_t classes_size = (size_t)m->class_count;
  iscp_pattern **patterns = take(classes_size * sizeof *patterns);
  double *pws = take(classes_size * sizeof *pws);
  int32_t *classes = take(classes_size * sizeof *classes), count = 0;
  iscp_gradcam *cam = NULL;
  iscp_status status = iscp_gradcam_create(&cam, m->model, NULL);
  if (status == ISCP_OK)
    status = attention_patterns(r, cam, patterns, classes, &count);
  if (status == ISCP_OK)
    status = judge_patterns(r, 0, patterns, count, pws, "figure11");
  if (status == ISCP_OK)
    compare_attention(r, pws, classes, count);
  for (int32_t i = 0; i < count; i++)
    iscp_pattern_destroy(patterns[i]);
  iscp_gradcam_destroy(cam);
  free(classes);
  free(pws);
  free(patterns);
  return status;
}

/* ---- Figure 12: attention follows the pattern ---- */

static void plan_figure12(reproduction *r) { base_run(r, 0); }

static iscp_status shift_one(reproduction *r, grid *g, iscp_attention_shift *shift, iscp_gradcam *cam,
                             const iscp_pattern *pattern, int64_t index) {
  const study_model *m = &r->study.models[0];
  const iscp_contract *c = iscp_model_contract(m->model);
  size_t pixels = (size_t)c->height * (size_t)c->width;
  float *image = take(numbers_of(m) * sizeof *image), *maps = take(2 * pixels * sizeof *maps);
  char names[2][64], file[48], caption[160];
  *shift = (iscp_attention_shift){.struct_size = sizeof *shift};
  iscp_status status = iscp_dataset_image(m->data, index, image);
  if (status == ISCP_OK)
    status = iscp_gradcam_shift(shift, maps, maps + pixels, cam, image, pattern);
  if (status == ISCP_OK) {
    study_class(names[0], m, shift->predicted_before);
    study_class(names[1], m, shift->predicted_after);
    snprintf(file, sizeof file, "shift-%lld-before", (long long)index);
    snprintf(caption, sizeof caption, "image %lld, taken for %s", (long long)index, names[0]);
    status = heat(r, maps, image, file, caption);
  }
  if (status == ISCP_OK)
    status = iscp_pattern_attach(pattern, image);
  if (status == ISCP_OK) {
    snprintf(file, sizeof file, "shift-%lld-after", (long long)index);
    snprintf(caption, sizeof caption, "with the pattern, taken for %s", names[1]);
    status = heat(r, maps + pixels, image, file, caption);
    grid_row(g, PAGE_PLAIN);
    grid_text(g, "%lld", (long long)index);
    grid_text(g, "%s", names[0]);
    grid_text(g, "%s", names[1]);
    grid_numbers(g, (double[]){shift->inside_before, shift->inside_after}, 2);
  }
  free(maps);
  free(image);
  return status;
}

/* The first images of other classes. */
static iscp_status shift_some(reproduction *r, grid *g, iscp_gradcam *cam, const iscp_pattern *pattern, int32_t y) {
  const study_model *m = &r->study.models[0];
  double before = 0, after = 0;
  int done = 0;
  iscp_attention_shift shift = {0};
  iscp_status status = ISCP_OK;
  page_gallery_begin(r->study.page);
  for (int64_t i = 0; i < iscp_dataset_count(m->data) && done < SHIFTED && status == ISCP_OK; i++) {
    if (iscp_dataset_label(m->data, i) == y)
      continue;
    status = shift_one(r, g, &shift, cam, pattern, i);
    before += shift.inside_before;
    after += shift.inside_after;
    done++;
  }
  page_gallery_end(r->study.page);
  if (status == ISCP_OK)
    relate(r, done ? after >= 1.5 * before : -1,
           "attention shifts clearly to the pattern that is put on (half as much again, or more)",
           "share of attention on its pixels, mean of %d images: %.3f before, %.3f after, %.3f would be even", done,
           before / done, after / done, shift.area);
  return status;
}

static iscp_status show_figure12(reproduction *r) {
  const study_run *run = base_run(r, 0);
  const study_model *m = run->of;
  iscp_gradcam *cam = NULL;
  iscp_pattern *pattern = NULL;
  char name[64], caption[160];
  int32_t y = m->classes[0], entry = study_entry(run, y, -1);
  study_class(name, m, y);
  if (entry < 0) {
    relate(r, -1, "attention shifts to the pattern where it is put on", "%s has no pattern", name);
    return ISCP_OK;
  }
  snprintf(caption, sizeof caption, "Share of attention on the pixels of the pattern of %s, 10 %% of the pixels", name);
  grid *g = grid_new(caption);
  grid_row(g, PAGE_HEAD);
  const char *const heads[] = {"image", "taken for", "then for", "before", "after"};
  for (int i = 0; i < 5; i++)
    grid_text(g, "%s", heads[i]);
  page_text(r->study.page,
            "The pattern of %s, then images of other classes without and with it, under the attention of %s: from dark by red "
            "to pale yellow.",
            name, m->name);
  page_gallery_begin(r->study.page);
  show_pattern(&r->study, run, y, -1, size, "10 % of the pixels");
  page_gallery_end(r->study.page);
  iscp_status status = iscp_pattern_list_cut(&pattern, run->list, entry, ISCP_CUT_SIZE, size);
  if (status == ISCP_OK)
    status = iscp_gradcam_create(&cam, m->model, NULL);
  if (status == ISCP_OK)
    status = shift_some(r, g, cam, pattern, y);
  if (status == ISCP_OK)
    show_grid(&r->study, g, "figure12");
  else
    grid_free(g);
  iscp_gradcam_destroy(cam);
  iscp_pattern_destroy(pattern);
  return status;
}

const reproduce_item attention_items[] = {
    {"figure11", "high attention as a pattern", NULL, 1, plan_figure11, show_figure11},
    {"figure12", "attention before and after", NULL, 1, plan_figure12, show_figure12},
    {0},
};
