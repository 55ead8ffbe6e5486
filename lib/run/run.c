/* The run loop: search -> measure -> report, class by class, over the public functions of the three, as a program would write
 * it.
 *
 *   create   everything is checked, the folder opened, finished classes left out
 *   step     clean pass once; then for each class: search, the powers of its patterns one by one, the report
 *
 * Between two steps the run is where `y` and `row` say: y = -1 is before a search, a row the next power of class y in the
 * order that iscp_report_add has them (canvas by canvas, size by size). */
#include <math.h>
#include <string.h>

#include <iscp/run.h>

#include "base/base.h"
#include "format/format.h"

struct iscp_run {
  iscp_context *context;
  const iscp_model *model; /* the search keeps both */
  const iscp_dataset *dataset;
  int32_t measure;
  iscp_search_options search; /* in force; its pointers are the search's */
  iscp_report_options report; /* its sizes are the array below */
  double *sizes;
  iscp_search *made;
  iscp_report *written;
  iscp_evaluation *evaluation; /* made by the first step, if anything is measured */
  int32_t left;
  int32_t y, row, rows;
  iscp_power *powers; /* of y: `rows` of them */
};

iscp_status iscp_run_options_init(iscp_run_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_run_options_fields);
}

/* ---- Preparing ---- */

enum { MOST_SIZES = 32 }; /* of a report */

static iscp_status read_report(iscp_run *run, const iscp_report_options *given) {
  ISC_TRY(given ? isc_fields_read(&run->report, &isc_report_options_fields, given)
                : iscp_report_options_init(&run->report, sizeof run->report)); /* which knows the sizes by default */
  if (!run->report.sizes || run->report.size_count < 1 || run->report.size_count > MOST_SIZES)
    return ISCP_OK; /* iscp_report_create says what is wrong */
  run->sizes = isc_calloc(run->context, (size_t)run->report.size_count, sizeof *run->sizes);
  if (!run->sizes)
    return ISCP_ERROR_MEMORY;
  memcpy(run->sizes, run->report.sizes, (size_t)run->report.size_count * sizeof *run->sizes);
  run->report.sizes = run->sizes;
  return ISCP_OK;
}

static iscp_status is_there(int *found, const iscp_context *context, const char *folder) {
  int64_t size;
  char *path = isc_path_join(context, folder, "result.json");
  if (!path)
    return ISCP_ERROR_MEMORY;
  *found = isc_file_size(&size, path) == ISCP_OK;
  isc_free(context, path);
  return ISCP_OK;
}

/* A run that goes on takes the lanes of the one before: what is measured now may come out otherwise. */
static iscp_status take_plan(iscp_run *run, const char *folder) {
  int found = 0;
  if (!run->report.resume || run->search.lanes)
    return ISCP_OK;
  ISC_TRY(is_there(&found, run->context, folder));
  if (!found)
    return ISCP_OK;
  iscp_pattern_list *list;
  ISC_TRY(iscp_pattern_list_load(&list, run->context, folder));
  iscp_status status = iscp_pattern_list_plan(list, &run->search.lanes, &run->search.pass_batch);
  iscp_pattern_list_destroy(list);
  return status;
}

/* "a/b/c": a and a/b. What cannot be made is left to the report to complain about. */
static iscp_status make_parents(const iscp_context *context, const char *folder) {
  char *path = isc_strdup(context, folder);
  if (!path)
    return ISCP_ERROR_MEMORY;
  for (char *slash = *path ? strchr(path + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    (void)isc_make_directory(path);
    *slash = '/';
  }
  isc_free(context, path);
  return ISCP_OK;
}

static iscp_status leave_out_finished(iscp_run *run) {
  run->left = run->search.class_count;
  for (int32_t i = 0; i < run->search.class_count; i++)
    if (iscp_report_has_class(run->written, run->search.classes[i])) {
      ISC_TRY(iscp_search_skip(run->made, run->search.classes[i]));
      run->left--;
    }
  return ISCP_OK;
}

static iscp_status prepare(iscp_run *run, const char *folder, const iscp_run_options *options) {
  run->measure = options->measure;
  ISC_TRY(isc_fields_read(&run->search, &isc_search_options_fields, options->search));
  ISC_TRY(read_report(run, options->report));
  ISC_TRY(take_plan(run, folder));
  ISC_TRY(iscp_search_create(&run->made, run->model, run->dataset, &run->search));
  ISC_TRY(iscp_search_get_options(run->made, &run->search)); /* with the lanes that were chosen */
  ISC_TRY(make_parents(run->context, folder));
  ISC_TRY(iscp_report_create(&run->written, folder, run->model, run->dataset, &run->search, &run->report));
  return leave_out_finished(run);
}

iscp_status iscp_run_create(iscp_run **out, const char *folder, const iscp_model *model, const iscp_dataset *dataset,
                            const iscp_run_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!folder || !*folder || !model || !dataset)
    return isc_fail(ISCP_ERROR_ARGUMENT, "folder, model or dataset is NULL or empty, expected all three");
  iscp_run_options options;
  ISC_TRY(isc_fields_read(&options, &isc_run_options_fields, given));
  ISC_TRY(isc_fields_check(&options, &isc_run_options_fields));
  const iscp_context *context = iscp_model_context(model);
  iscp_run *run = isc_calloc(context, 1, sizeof *run);
  if (!run)
    return ISCP_ERROR_MEMORY;
  run->context = isc_context_hold(context);
  run->model = model;
  run->dataset = dataset;
  run->y = -1;
  iscp_status status = prepare(run, folder, &options);
  if (status != ISCP_OK) {
    iscp_run_destroy(run);
    return status;
  }
  *out = run;
  return ISCP_OK;
}

void iscp_run_destroy(iscp_run *run) {
  if (!run)
    return;
  iscp_context *context = run->context;
  iscp_evaluation_destroy(run->evaluation);
  iscp_report_destroy(run->written);
  iscp_search_destroy(run->made);
  isc_free(context, run->powers);
  isc_free(context, run->sizes);
  isc_free(context, run);
  isc_context_drop(context);
}

/* ---- Where it is ---- */

static int32_t canvas_of(const iscp_run *run, int32_t row) { return row / run->report.size_count; }
static double size_of(const iscp_run *run, int32_t row) { return run->sizes[row % run->report.size_count]; }

static int is_measured(const iscp_run *run, int32_t row) {
  int selected = canvas_of(run, row) == iscp_search_selected(run->made, run->y);
  if (run->measure == ISCP_MEASURE_COMPARED)
    return selected || fabs(size_of(run, row) - run->report.picture_size) < 1e-9;
  return run->measure == ISCP_MEASURE_ALL || (run->measure == ISCP_MEASURE_SELECTED && selected);
}

static void skip_unmeasured(iscp_run *run) {
  while (run->row < run->rows && !is_measured(run, run->row))
    run->row++;
}

static int32_t stage_of(const iscp_run *run) {
  if (!run->left)
    return ISCP_STAGE_DONE;
  if (run->measure != ISCP_MEASURE_NONE && !run->evaluation)
    return ISCP_STAGE_CLEAN;
  if (run->y < 0)
    return ISCP_STAGE_SEARCH;
  return run->row < run->rows ? ISCP_STAGE_MEASURE : ISCP_STAGE_WRITE;
}

iscp_status iscp_run_get_info(const iscp_run *run, iscp_run_info *info) {
  if (!run)
    return isc_fail(ISCP_ERROR_ARGUMENT, "run is NULL");
  iscp_run_info result = {.struct_size = sizeof result,
                          .stage = stage_of(run),
                          .class_index = run->y,
                          .canvas = -1,
                          .class_count = run->search.class_count,
                          .left = run->left};
  if (result.stage == ISCP_STAGE_MEASURE) {
    result.canvas = canvas_of(run, run->row);
    result.size = size_of(run, run->row);
  }
  return isc_fields_write(info, &isc_run_info_fields, &result);
}

const iscp_search *iscp_run_search(const iscp_run *run) { return run ? run->made : NULL; }

/* ---- Going on ---- */

static iscp_status pass_clean(iscp_run *run, iscp_progress_fn progress, void *user) {
  iscp_evaluate_options options;
  ISC_TRY(iscp_evaluate_options_init(&options, sizeof options));
  options.images = run->report.images;
  options.fraction = run->search.fraction;
  options.seed = run->search.seed;
  return iscp_evaluation_create(&run->evaluation, run->model, run->dataset, &options, progress, user);
}

/* Powers that are not measured keep the target -1, which the report leaves out. */
static iscp_status begin_class(iscp_run *run, int32_t y) {
  run->rows = iscp_search_canvas_count(run->made, y) * run->report.size_count;
  run->row = 0;
  run->powers = isc_calloc(run->context, (size_t)run->rows + 1, sizeof *run->powers);
  if (!run->powers)
    return ISCP_ERROR_MEMORY;
  for (int32_t row = 0; row < run->rows; row++)
    run->powers[row] = (iscp_power){.struct_size = sizeof *run->powers, .target = -1};
  run->y = y;
  skip_unmeasured(run);
  return ISCP_OK;
}

static iscp_status search_class(iscp_run *run, iscp_progress_fn progress, void *user) {
  int32_t y;
  ISC_TRY(iscp_search_next(run->made, &y, progress, user));
  if (y < 0)
    run->left = 0;
  return y < 0 ? ISCP_OK : begin_class(run, y);
}

static iscp_status measure_row(iscp_run *run, iscp_progress_fn progress, void *user) {
  iscp_pattern *pattern;
  ISC_TRY(iscp_search_pattern(&pattern, run->made, run->y, canvas_of(run, run->row), ISCP_CUT_SIZE, size_of(run, run->row)));
  iscp_status status = iscp_evaluation_power(run->evaluation, pattern, &run->powers[run->row], progress, user);
  iscp_pattern_destroy(pattern);
  ISC_TRY(status);
  run->row++;
  skip_unmeasured(run);
  return ISCP_OK;
}

static iscp_status write_class(iscp_run *run, int32_t *class_index) {
  ISC_TRY(iscp_report_add(run->written, run->made, run->y, run->rows ? run->powers : NULL));
  isc_free(run->context, run->powers);
  run->powers = NULL;
  *class_index = run->y;
  run->y = -1;
  run->left--;
  return ISCP_OK;
}

static iscp_status step(iscp_run *run, int32_t *class_index, iscp_progress_fn progress, void *user) {
  switch (stage_of(run)) {
  case ISCP_STAGE_CLEAN:
    return pass_clean(run, progress, user);
  case ISCP_STAGE_SEARCH:
    ISC_TRY(search_class(run, progress, user));
    break;
  case ISCP_STAGE_MEASURE:
    ISC_TRY(measure_row(run, progress, user));
    break;
  default:
    break;
  }
  return stage_of(run) == ISCP_STAGE_WRITE ? write_class(run, class_index) : ISCP_OK;
}

iscp_status iscp_run_step(iscp_run *run, int32_t *class_index, int32_t *more, iscp_progress_fn progress, void *user) {
  if (!run || !class_index || !more)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", !run ? "run" : class_index ? "more" : "class_index");
  *class_index = -1;
  *more = 1;
  ISC_TRY(step(run, class_index, progress, user));
  *more = run->left > 0;
  return ISCP_OK;
}

iscp_status iscp_run_next(iscp_run *run, int32_t *class_index, iscp_progress_fn progress, void *user) {
  int32_t more = 1;
  if (!class_index)
    return isc_fail(ISCP_ERROR_ARGUMENT, "class_index is NULL");
  do
    ISC_TRY(iscp_run_step(run, class_index, &more, progress, user));
  while (more && *class_index < 0);
  return ISCP_OK;
}
