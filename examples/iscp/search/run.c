/* One search into one report, measured class by class. */
#include <math.h>
#include <stdlib.h>

#include "search/run.h"

int run_is_there(const char *folder) { return folder_has(folder, "result.json"); }

/* ---- Measuring ---- */

static int is_measured(const search_run *run, int selected, double size) {
  if (run->power == POWER_COMPARED)
    return selected || fabs(size - run->report.picture_size) < 1e-9;
  return run->power == POWER_ALL || (run->power == POWER_SELECTED && selected);
}

int64_t run_patterns(const search_run *run, int32_t canvases) {
  int64_t count = 0;
  for (int32_t row = 0; row < canvases * run->report.size_count; row++)
    count += is_measured(run, row < run->report.size_count, run->report.sizes[row % run->report.size_count]);
  return count;
}

static iscp_status measure(search_run *run, iscp_power *power, int32_t y, int32_t canvas, double size) {
  iscp_pattern *pattern;
  iscp_status status = iscp_search_pattern(&pattern, run->made, y, canvas, ISCP_CUT_SIZE, size);
  if (status != ISCP_OK)
    return status;
  if (run->begun)
    run->begun(run, y, size);
  status = iscp_evaluation_power(run->evaluation, pattern, power, run->progress, run->user);
  iscp_pattern_destroy(pattern);
  return status;
}

/* Rows that are not measured keep the target -1, which the report leaves out. */
static iscp_status measure_class(search_run *run, iscp_power *powers, int32_t y) {
  int32_t width = run->report.size_count, selected = iscp_search_selected(run->made, y);
  for (int32_t row = 0; row < iscp_search_canvas_count(run->made, y) * width; row++) {
    powers[row] = (iscp_power){.struct_size = sizeof *powers, .target = -1};
    int32_t canvas = row / width;
    double size = run->report.sizes[row % width];
    if (!is_measured(run, canvas == selected, size))
      continue;
    iscp_status status = measure(run, &powers[row], y, canvas, size);
    if (status != ISCP_OK)
      return status;
  }
  return ISCP_OK;
}

static iscp_status finish_class(search_run *run, int32_t y) {
  size_t rows = (size_t)(iscp_search_canvas_count(run->made, y) * run->report.size_count);
  iscp_power *powers = take(rows * sizeof *powers);
  iscp_status status = measure_class(run, powers, y);
  if (status == ISCP_OK)
    status = iscp_report_add(run->written, run->made, y, rows ? powers : NULL);
  free(powers);
  if (status == ISCP_OK)
    run->left--;
  if (status == ISCP_OK && run->finished)
    run->finished(run, y);
  return status;
}

iscp_status run_go(search_run *run) {
  while (run->left) {
    int32_t y;
    iscp_status status = iscp_search_next(run->made, &y, run->progress, run->user);
    if (status == ISCP_OK && y >= 0)
      status = finish_class(run, y);
    if (status != ISCP_OK || y < 0)
      return status;
  }
  return ISCP_OK;
}

/* ---- Preparing ---- */

/* Of a report that is gone on with, the classes that it lacks are searched. */
static iscp_status leave_out_finished(search_run *run) {
  iscp_status status = ISCP_OK;
  run->left = run->search.class_count;
  for (int32_t i = 0; status == ISCP_OK && i < run->search.class_count; i++)
    if (iscp_report_has_class(run->written, run->search.classes[i])) {
      status = iscp_search_skip(run->made, run->search.classes[i]);
      run->left--;
    }
  return status;
}

/* A run that goes on takes the lanes of the one before: what is measured now may come out otherwise. */
static iscp_status take_plan(search_run *run) {
  if (!run->report.resume || run->search.lanes || !run_is_there(run->folder))
    return ISCP_OK;
  iscp_pattern_list *there;
  iscp_status status = iscp_pattern_list_load(&there, run->context, run->folder);
  if (status == ISCP_OK)
    status = iscp_pattern_list_plan(there, &run->search.lanes, &run->search.pass_batch);
  iscp_pattern_list_destroy(there);
  return status;
}

static iscp_status create_evaluation(search_run *run) {
  iscp_evaluate_options options;
  iscp_status status = iscp_evaluate_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return status;
  options.images = run->report.images;
  options.fraction = run->search.fraction;
  options.seed = run->search.seed;
  return iscp_evaluation_create(&run->evaluation, run->model, run->data, &options, run->progress, run->user);
}

/* Everything that can be wrong is found here, before anything is written. */
iscp_status run_prepare(search_run *run) {
  iscp_status status = take_plan(run);
  if (status == ISCP_OK)
    status = iscp_search_create(&run->made, run->model, run->data, &run->search);
  if (status == ISCP_OK)
    status = iscp_search_get_options(run->made, &run->search); /* with the lanes that were chosen */
  if (status == ISCP_OK) {
    make_parents(run->folder);
    status = iscp_report_create(&run->written, run->folder, run->model, run->data, &run->search, &run->report);
  }
  if (status == ISCP_OK)
    status = leave_out_finished(run);
  if (status != ISCP_OK || run->power == POWER_NONE || !run->left)
    return status;
  return create_evaluation(run);
}

void run_release(search_run *run) {
  iscp_evaluation_destroy(run->evaluation);
  iscp_report_destroy(run->written);
  iscp_search_destroy(run->made);
  run->evaluation = NULL;
  run->written = NULL;
  run->made = NULL;
}
