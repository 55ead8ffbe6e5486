/* The maps of iscp gradcam: of each class's best canvas, or of the images asked for, with the power of their best pixels. */
#include <stdlib.h>
#include <string.h>

#include "commands/gradcam/gradcam.h"

/* ---- Each class's best canvas: correctly classified, of the largest logit ---- */

typedef struct best {
  int64_t image; /* -1 = none */
  float logit;
} best;

enum { BATCH = 32 };

static void take_best(best *found, const float *logits, int64_t image, int32_t label, int32_t classes) {
  for (int32_t y = 0; y < classes; y++)
    if (logits[y] > logits[label] || (logits[y] == logits[label] && y < label))
      return;
  if (found[label].image < 0 || logits[label] > found[label].logit)
    found[label] = (best){image, logits[label]};
}

static iscp_status tell(int64_t done, int64_t total) {
  iscp_progress progress = {.struct_size = sizeof progress, .stage = "canvases", .done = done, .total = total};
  return progress_show(&progress, NULL) ? ISCP_ERROR_CANCELLED : ISCP_OK;
}

/* As many images a pass as the context's memory allows. */
static iscp_status open_session(iscp_session **session, int32_t *batch, const iscp_model *model) {
  iscp_status status = ISCP_ERROR_MEMORY;
  for (*batch = BATCH; status == ISCP_ERROR_MEMORY && *batch; *batch /= 2)
    if ((status = iscp_session_create(session, model, *batch, ISCP_SESSION_INFERENCE)) == ISCP_OK)
      break;
  return status;
}

/* The images of `candidates` through the network. */
static iscp_status run_candidates(best *found, const gradcam_run *run, const int64_t *candidates, int64_t count) {
  iscp_session *session;
  int32_t classes = class_count(run->model), batch;
  float *images = take(BATCH * run->numbers * sizeof *images);
  float *logits = take((size_t)BATCH * (size_t)classes * sizeof *logits);
  iscp_status status = open_session(&session, &batch, run->model);
  progress_label("best canvases");
  for (int64_t start = 0; status == ISCP_OK && start < count; start += batch) {
    int64_t rows = count - start < batch ? count - start : batch;
    for (int64_t r = 0; status == ISCP_OK && r < rows; r++)
      status = iscp_dataset_image(run->data, candidates[start + r], images + (size_t)r * run->numbers);
    if (status == ISCP_OK)
      status = iscp_session_logits(session, images, rows, logits);
    for (int64_t r = 0; status == ISCP_OK && r < rows; r++)
      take_best(found, logits + r * classes, candidates[start + r], iscp_dataset_label(run->data, candidates[start + r]),
                classes);
    if (status == ISCP_OK)
      status = tell(start + rows, count);
  }
  iscp_session_destroy(session);
  free(images);
  free(logits);
  return status;
}

static best *find_best(iscp_status *status, const gradcam_run *run) {
  int32_t classes = class_count(run->model);
  int64_t images = iscp_dataset_count(run->data), count = 0;
  best *found = take((size_t)classes * sizeof *found);
  char *wanted = take((size_t)classes);
  int64_t *candidates = take((size_t)images * sizeof *candidates);
  for (int32_t y = 0; y < classes; y++)
    found[y].image = -1;
  for (int32_t i = 0; i < run->class_count; i++)
    wanted[run->classes[i]] = 1;
  for (int64_t i = 0; i < images; i++)
    if (wanted[iscp_dataset_label(run->data, i)])
      candidates[count++] = i;
  *status = run_candidates(found, run, candidates, count);
  free(wanted);
  free(candidates);
  return found;
}

/* ---- Rows ---- */

static void add_row(gradcam_run *run, int64_t image, int32_t class_index) {
  gradcam_row *row = &run->rows[run->row_count++];
  *row = (gradcam_row){.image = image, .class_index = class_index};
  row->info.struct_size = sizeof row->info;
  row->sizes = take((size_t)run->own->size_count * sizeof *row->sizes);
}

static iscp_status list_best(gradcam_run *run) {
  iscp_status status;
  best *found = find_best(&status, run);
  for (int32_t i = 0; status == ISCP_OK && i < run->class_count; i++) {
    int32_t y = run->classes[i];
    if (found[y].image >= 0)
      add_row(run, found[y].image, y);
    else
      complain("class %d is left out: the model is right on none of its images", y);
  }
  free(found);
  return status;
}

/* Of the images asked for: the classes asked for, or the one that is predicted. */
static void list_index(gradcam_run *run) {
  for (int32_t i = 0; i < run->index_count; i++)
    for (int32_t k = 0; k < (run->own->classes ? run->class_count : 1); k++)
      add_row(run, run->index[i], run->own->classes ? run->classes[k] : -1);
}

static iscp_status measure(gradcam_run *run, gradcam_row *row, int32_t k) {
  cli_measured *m = &row->sizes[k];
  iscp_pattern *pattern;
  m->size = run->own->sizes[k];
  m->cut.struct_size = sizeof m->cut;
  m->power.struct_size = sizeof m->power;
  iscp_status status = iscp_gradcam_pattern(&pattern, run->gradcam, run->image, row->class_index, ISCP_CUT_SIZE, m->size);
  if (status != ISCP_OK)
    return status;
  status = iscp_pattern_get_info(pattern, &m->cut);
  progress_label("class %d, image %lld, %g %%", row->class_index, (long long)row->image, 100 * m->size);
  if (status == ISCP_OK && run->evaluation)
    status = iscp_evaluation_power(run->evaluation, pattern, &m->power, progress_show, NULL);
  char *path = gradcam_path(run, "pattern", row->class_index, row->image, "png");
  if (status == ISCP_OK && k == run->own->size_count - 1)
    status = iscp_pattern_write_png(pattern, path, run->scale);
  free(path);
  iscp_pattern_destroy(pattern);
  return status;
}

static int write_overlay(gradcam_run *run, const gradcam_row *row) {
  float *overlay = take(3 * run->pixels * sizeof *overlay);
  iscp_status status = iscp_heat_overlay(overlay, run->map, run->image, run->contract->channels, run->contract->height,
                                         run->contract->width, run->own->opacity);
  const float *left[] = {run->image}, *right[] = {overlay};
  int code = status == ISCP_OK ? gradcam_write_pairs(run, "overlay", row->class_index, row->image, left, right, 1)
                               : failed(status);
  free(overlay);
  return code;
}

static int finish_row(gradcam_run *run, gradcam_row *row) {
  iscp_status status = iscp_dataset_image(run->data, row->image, run->image);
  if (status == ISCP_OK)
    status = iscp_gradcam_map(run->map, &row->info, run->gradcam, run->image, row->class_index);
  row->class_index = row->info.class_index;
  if (status == ISCP_OK && !(row->info.maximum > 0))
    complain("class %d, image %lld: nothing speaks for the class there; the map is 0, its pattern merely the first pixels",
             row->class_index, (long long)row->image);
  for (int32_t k = 0; status == ISCP_OK && k < run->own->size_count; k++)
    status = measure(run, row, k);
  if (status != ISCP_OK)
    return failed(status);
  int code = gradcam_write_map(run, "map", row->class_index, row->image, run->map);
  return code == EXIT_DONE ? write_overlay(run, row) : code;
}

int gradcam_maps(gradcam_run *run) {
  size_t images = run->index ? (size_t)run->index_count : 1;
  run->rows = take(images * (size_t)run->class_count * sizeof *run->rows);
  iscp_status status = ISCP_OK;
  if (run->index)
    list_index(run);
  else
    status = list_best(run);
  int code = status == ISCP_OK ? EXIT_DONE : failed(status);
  if (code == EXIT_DONE && !run->row_count) {
    complain("there is no map to make, expected a class with an image that the model is right on, or --index");
    return EXIT_FAILED;
  }
  for (int32_t i = 0; code == EXIT_DONE && i < run->row_count; i++)
    code = signals_came() ? EXIT_INTERRUPTED : finish_row(run, &run->rows[i]);
  return code;
}
