/* A report: its options, its folder and manifest. add.c puts the classes in. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

static const double default_sizes[] = {0.01, 0.02, 0.03, 0.05, 0.1};

iscp_status iscp_report_options_init(iscp_report_options *options, uint32_t struct_size) {
  ISC_TRY(isc_fields_init(options, struct_size, &isc_report_options_fields));
  options->sizes = default_sizes; /* an address, which the table has not; their number it has */
  return ISCP_OK;
}

static iscp_status check_size(const char *name, double size, int64_t pixels) {
  if (!(size > 0 && size <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %g, expected a share of the pixels in (0, 1]", name, size);
  if (floor(size * (double)pixels + 0.5) < 1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %g, which keeps 0 of %lld pixels, expected at least %.2g", name, size,
                    (long long)pixels, 0.5 / (double)pixels);
  return ISCP_OK;
}

static iscp_status check_options(const iscp_report_options *options, int64_t pixels) {
  if ((options->resume | options->overwrite) & ~1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "resume is %d and overwrite %d, expected 0 or 1", options->resume,
                    options->overwrite);
  if (options->images < ISCP_IMAGES_HELDOUT || options->images > ISCP_IMAGES_SEARCHED)
    return isc_fail(ISCP_ERROR_ARGUMENT, "images is %d, expected 1 to 3 (ISCP_IMAGES_*)", options->images);
  if (!options->sizes || options->size_count < 1 || options->size_count > ISC_MOST_SIZES)
    return isc_fail(ISCP_ERROR_ARGUMENT, "size_count is %d, expected 1 to %d sizes", options->size_count,
                    ISC_MOST_SIZES);
  ISC_TRY(check_size("picture_size", options->picture_size, pixels));
  for (int32_t i = 0; i < options->size_count; i++)
    ISC_TRY(check_size("a size", options->sizes[i], pixels));
  return ISCP_OK;
}

/* What the manifest spells out; the search checks the rest. */
static iscp_status check_search(const iscp_search_options *search, int32_t classes) {
  if (!isfinite(search->alpha) || !isfinite(search->step) || !isfinite(search->fraction) ||
      !isfinite(search->select_size) || !isfinite(search->tv) || !isfinite(search->canvas_step))
    return isc_fail(ISCP_ERROR_ARGUMENT, "a search option is not a number, expected finite ones");
  if (search->class_count < 0 || (search->class_count && !search->classes))
    return isc_fail(ISCP_ERROR_ARGUMENT, "class_count is %d, expected 0 or the entries of classes",
                    search->class_count);
  for (int32_t i = 0; i < search->class_count; i++)
    if (search->classes[i] < 0 || search->classes[i] >= classes)
      return isc_fail(ISCP_ERROR_ARGUMENT, "class %d is asked for, expected 0 to %d", search->classes[i], classes - 1);
  return ISCP_OK;
}

static iscp_status read_search_options(iscp_search_options *search, const iscp_search_options *given) {
  ISC_TRY(isc_fields_read(search, &isc_search_options_fields, given));
  return iscp_search_options_resolve(search);
}

static iscp_status copy_names(iscp_report *report, const isc_run *run) {
  report->names = isc_calloc(report->context, (size_t)report->classes, sizeof *report->names);
  if (!report->names)
    return ISCP_ERROR_MEMORY;
  for (int32_t y = 0; y < report->classes; y++) {
    const char *name = iscp_model_class_name(run->model, y);
    if (!name)
      name = iscp_dataset_class_name(run->dataset, y);
    if (name && !(report->names[y] = isc_strdup(report->context, name)))
      return ISCP_ERROR_MEMORY;
  }
  return ISCP_OK;
}

static void print_title(iscp_report *report, const isc_run *run, const iscp_model_info *info) {
  static const char *const images[] = {"", "held-out images", "all images", "the searched images"};
  snprintf(report->title, sizeof report->title, "ResNet-%d, preset %s, powers on %s", info->depth,
           isc_preset_name(run->search->preset), images[run->report->images]);
}

static iscp_status fill(iscp_report *report, const char *folder, const isc_run *run, const iscp_model_info *info) {
  const iscp_contract *contract = iscp_model_contract(run->model);
  report->classes = info->classes;
  report->channels = contract->channels;
  report->height = contract->height;
  report->width = contract->width;
  report->epochs = run->search->epochs;
  report->ties = run->search->ties;
  report->options = *run->report;
  memcpy(report->sizes, run->report->sizes, (size_t)run->report->size_count * sizeof *report->sizes);
  report->options.sizes = report->sizes;
  ISC_TRY(isc_picture_choose_scale(&report->options.scale, report->height, report->width));
  print_title(report, run, info);
  ISC_TRY(copy_names(report, run));
  if (!(report->folder = isc_strdup(report->context, folder)))
    return ISCP_ERROR_MEMORY;
  ISC_TRY(isc_manifest_create(&report->result.manifest, run));
  return isc_folder_open(&report->result, report->context, folder, report->options.resume, report->options.overwrite);
}

static iscp_status check_all(const isc_run *run, iscp_model_info *info) {
  ISC_TRY(iscp_model_get_info(run->model, info));
  ISC_TRY(check_search(run->search, info->classes));
  const iscp_contract *contract = iscp_model_contract(run->model);
  if (!iscp_dataset_contract(run->dataset) ||
      !isc_contract_same_form(contract, iscp_dataset_contract(run->dataset)))
    return isc_fail(ISCP_ERROR_MISMATCH, "the dataset's images are not of the model's form, expected %dx%dx%d",
                    contract->channels, contract->height, contract->width);
  return check_options(run->report, isc_contract_pixels(contract));
}

iscp_status iscp_report_create(iscp_report **out, const char *folder, const iscp_model *model,
                               const iscp_dataset *dataset, const iscp_search_options *search_options,
                               const iscp_report_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!folder || !*folder || !model || !dataset)
    return isc_fail(ISCP_ERROR_ARGUMENT, "folder, model or dataset is NULL or empty, expected all three");
  iscp_report_options options;
  iscp_search_options search;
  iscp_model_info info = {.struct_size = sizeof info};
  ISC_TRY(isc_fields_read(&options, &isc_report_options_fields, given));
  options.sizes = given ? options.sizes : default_sizes;
  ISC_TRY(read_search_options(&search, search_options));
  const iscp_context *context = iscp_model_context(model); /* which computes, and is told in the manifest */
  isc_run run = {context, model, dataset, &search, &options};
  ISC_TRY(check_all(&run, &info));
  iscp_report *report = isc_calloc(context, 1, sizeof *report);
  if (!report)
    return ISCP_ERROR_MEMORY;
  report->context = isc_context_hold(context);
  iscp_status status = fill(report, folder, &run, &info);
  if (status != ISCP_OK) {
    iscp_report_destroy(report);
    return status;
  }
  *out = report;
  return ISCP_OK;
}

void iscp_report_destroy(iscp_report *report) {
  if (!report)
    return;
  iscp_context *context = report->context;
  isc_result_release(&report->result, context);
  for (int32_t y = 0; report->names && y < report->classes; y++)
    isc_free(context, report->names[y]);
  isc_free(context, report->names);
  isc_free(context, report->folder);
  isc_free(context, report);
  isc_context_drop(context);
}

int32_t iscp_report_has_class(const iscp_report *report, int32_t class_index) {
  return report ? isc_result_has_class(&report->result, class_index) : 0;
}
