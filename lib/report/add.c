/* Puts a finished class into a report. The order of writing keeps the folder sound whatever happens in between:
 * arrays and pictures first, result.json, which names them, last. */
#include <stdio.h>
#include <string.h>

#include "report/report.h"

static char *print_name(const iscp_context *context, const char *what, int32_t class_index, int32_t canvas) {
  char name[64];
  snprintf(name, sizeof name, "%s-%d-%d.npy", what, class_index, canvas);
  return isc_strdup(context, name);
}

static iscp_status copy_epochs(isc_entry *entry, const iscp_report *report, const double *epochs) {
  size_t count = epochs ? (size_t)report->epochs : 0;
  if (!(entry->epochs = isc_calloc(report->context, count, sizeof *epochs)))
    return ISCP_ERROR_MEMORY;
  if (count)
    memcpy(entry->epochs, epochs, count * sizeof *epochs);
  entry->epoch_count = count;
  return ISCP_OK;
}

/* The caller's rows, whose stride is the caller's sizeof(iscp_power). */
typedef struct power_table {
  const unsigned char *bytes;
  size_t stride;
} power_table;

static iscp_status read_table(power_table *table, const iscp_power *powers) {
  *table = (power_table){0};
  if (!powers)
    return ISCP_OK;
  if (powers->struct_size < sizeof(iscp_power) || powers->struct_size % _Alignof(iscp_power) ||
      powers->struct_size > 4096)
    return isc_fail(ISCP_ERROR_ABI, "the first row of powers has struct_size %u, expected sizeof(iscp_power)",
                    powers->struct_size);
  *table = (power_table){(const unsigned char *)powers, powers->struct_size};
  return ISCP_OK;
}

/* 1 and the power if row `index` was measured. */
static iscp_status get_power(iscp_power *power, int *measured, const power_table *table, size_t index,
                             int32_t class_index) {
  *measured = 0;
  if (!table->bytes)
    return ISCP_OK;
  memset(power, 0, sizeof *power);
  memcpy(power, table->bytes + index * table->stride, table->stride < sizeof *power ? table->stride : sizeof *power);
  if (power->struct_size != table->stride)
    return isc_fail(ISCP_ERROR_ABI, "row %zu of powers has struct_size %u, expected %zu as the first", index,
                    power->struct_size, table->stride);
  if (power->target >= 0 && power->target != class_index)
    return isc_fail(ISCP_ERROR_ARGUMENT, "row %zu of powers is of class %d, expected class %d", index, power->target,
                    class_index);
  *measured = power->target >= 0;
  return ISCP_OK;
}

static iscp_status fill_rows(isc_entry *entry, const iscp_report *report, const iscp_search *search, int32_t canvas,
                             const power_table *table) {
  size_t sizes = (size_t)report->options.size_count;
  if (!(entry->rows = isc_calloc(report->context, sizes, sizeof *entry->rows)))
    return ISCP_ERROR_MEMORY;
  for (size_t i = 0; i < sizes; i++) {
    isc_power_row *row = &entry->rows[entry->row_count];
    int measured;
    ISC_TRY(get_power(&row->power, &measured, table, (size_t)canvas * sizes + i, entry->class_index));
    if (!measured)
      continue;
    iscp_pattern *pattern;
    iscp_pattern_info info = {.struct_size = sizeof info};
    ISC_TRY(iscp_search_pattern(&pattern, search, entry->class_index, canvas, ISCP_CUT_SIZE, report->sizes[i]));
    iscp_status status = iscp_pattern_get_info(pattern, &info);
    iscp_pattern_destroy(pattern);
    ISC_TRY(status);
    row->size = report->sizes[i];
    row->pixels = info.pixels;
    row->tied = info.tied;
    row->tied_kept = info.tied_kept;
    entry->row_count++;
  }
  return ISCP_OK;
}

static iscp_status fill_entry(isc_entry *entry, const iscp_report *report, const iscp_search *search,
                              int32_t class_index, int32_t canvas, const power_table *table) {
  const iscp_context *context = report->context;
  entry->class_index = class_index;
  entry->canvas.struct_size = sizeof entry->canvas;
  ISC_TRY(iscp_search_get_canvas(search, class_index, canvas, &entry->canvas));
  const char *name = report->names[class_index];
  if (name && !(entry->name = isc_strdup(context, name)))
    return ISCP_ERROR_MEMORY;
  entry->mask = print_name(context, "mask", class_index, canvas);
  entry->evidence = print_name(context, "evidence", class_index, canvas);
  entry->colours = print_name(context, "canvas", class_index, canvas);
  if (!entry->mask || !entry->evidence || !entry->colours)
    return ISCP_ERROR_MEMORY;
  ISC_TRY(copy_epochs(entry, report, iscp_search_epochs(search, class_index, canvas)));
  return fill_rows(entry, report, search, canvas, table);
}

static iscp_status write_array(const iscp_report *report, const char *name, isc_dtype dtype, int32_t channels,
                               const void *data) {
  if (!data)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the search has nothing for %s, expected a finished class", name);
  isc_tensor array = {.dtype = dtype, .data = (void *)data}; /* borrowed, only read */
  if (channels)
    array.shape[array.dims++] = channels;
  array.shape[array.dims++] = report->height;
  array.shape[array.dims++] = report->width;
  char *path = isc_path_join(report->context, report->folder, name);
  iscp_status status = path ? isc_write_npy(&array, report->context, path) : ISCP_ERROR_MEMORY;
  isc_free(report->context, path);
  return status;
}

static iscp_status write_pattern(const iscp_report *report, const iscp_search *search, int32_t class_index,
                                 int32_t canvas) {
  char name[32];
  snprintf(name, sizeof name, "pattern-%d.png", class_index);
  iscp_pattern *pattern;
  ISC_TRY(iscp_search_pattern(&pattern, search, class_index, canvas, ISCP_CUT_SIZE, report->options.picture_size));
  char *path = isc_path_join(report->context, report->folder, name);
  iscp_status status = path ? iscp_pattern_write_png(pattern, path, report->options.scale) : ISCP_ERROR_MEMORY;
  isc_free(report->context, path);
  iscp_pattern_destroy(pattern);
  return status;
}

/* A canvas that the search made itself is worth a look. */
static iscp_status write_canvas(const iscp_report *report, const float *canvas, int32_t class_index) {
  char name[32];
  snprintf(name, sizeof name, "canvas-%d.png", class_index);
  int32_t scale = report->options.scale, height = report->height, width = report->width;
  isc_picture picture = {0};
  char *path = isc_path_join(report->context, report->folder, name);
  iscp_status status = path ? ISCP_OK : ISCP_ERROR_MEMORY;
  if (status == ISCP_OK)
    status = isc_picture_create(&picture, report->context, width * scale, height * scale, 0);
  if (status == ISCP_OK) {
    isc_draw_image(&picture, 0, 0, scale, canvas, report->channels, height, width);
    status = isc_write_png(&picture.pixels, report->context, path);
  }
  isc_picture_release(&picture, report->context);
  isc_free(report->context, path);
  return status;
}

static iscp_status write_files(const iscp_report *report, const iscp_search *search, int32_t class_index,
                               const isc_entry *entries, int32_t count) {
  for (int32_t canvas = 0; canvas < count; canvas++) {
    const isc_entry *entry = &entries[canvas];
    ISC_TRY(write_array(report, entry->mask, ISC_F32, 0, iscp_search_mask(search, class_index, canvas)));
    ISC_TRY(write_array(report, entry->evidence, ISC_I32, 0, iscp_search_evidence(search, class_index, canvas)));
    ISC_TRY(write_array(report, entry->colours, ISC_F32, report->channels,
                        iscp_search_canvas(search, class_index, canvas)));
    if (entry->canvas.selected)
      ISC_TRY(write_pattern(report, search, class_index, canvas));
    if (entry->canvas.selected && entry->canvas.canvas_steps)
      ISC_TRY(write_canvas(report, iscp_search_canvas(search, class_index, canvas), class_index));
  }
  return ISCP_OK;
}

static iscp_status write_summary(const iscp_report *report, int32_t class_index) {
  isc_sheet sheet = {.context = report->context,
                     .folder = report->folder,
                     .result = &report->result,
                     .names = report->names,
                     .title = report->title,
                     .height = report->height,
                     .width = report->width,
                     .scale = report->options.scale,
                     .ties = report->ties,
                     .picture_size = report->options.picture_size};
  ISC_TRY(isc_sheet_write(&sheet, class_index));
  return isc_result_write(&report->result, report->context, report->folder);
}

/* On failure the report in memory is as before. */
static iscp_status insert(iscp_report *report, int32_t class_index, isc_entry *entries, int32_t count) {
  ISC_TRY(isc_result_insert(&report->result, report->context, class_index, entries, (size_t)count));
  iscp_status status = write_summary(report, class_index);
  if (status != ISCP_OK)
    isc_result_remove(&report->result, report->context, class_index);
  return status;
}

/* The search is the one that the manifest tells of, as far as the arrays depend on it, and has finished the class. */
static iscp_status check_search(int32_t *count, const iscp_report *report, const iscp_search *search,
                                int32_t class_index) {
  iscp_search_options options = {.struct_size = sizeof options};
  ISC_TRY(iscp_search_get_options(search, &options));
  if (options.epochs != report->epochs || options.ties != report->ties)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the search has %d epochs and ties %d, expected the report's %d and %d",
                    options.epochs, options.ties, report->epochs, report->ties);
  *count = iscp_search_canvas_count(search, class_index);
  if (*count < 0)
    return isc_fail(ISCP_ERROR_ARGUMENT, "class %d is not finished, expected one that iscp_search_next gave", class_index);
  return ISCP_OK;
}

iscp_status iscp_report_add(iscp_report *report, const iscp_search *search, int32_t class_index,
                            const iscp_power *powers) {
  if (!report || !search)
    return isc_fail(ISCP_ERROR_ARGUMENT, "report or search is NULL");
  if (class_index < 0 || class_index >= report->classes)
    return isc_fail(ISCP_ERROR_ARGUMENT, "class_index is %d, expected 0 to %d", class_index, report->classes - 1);
  power_table table;
  ISC_TRY(read_table(&table, powers));
  int32_t count;
  ISC_TRY(check_search(&count, report, search, class_index));
  isc_entry *entries = isc_calloc(report->context, (size_t)count, sizeof *entries);
  if (!entries)
    return ISCP_ERROR_MEMORY;
  iscp_status status = ISCP_OK;
  for (int32_t canvas = 0; canvas < count; canvas++)
    ISC_TRY_OR_DONE(fill_entry(&entries[canvas], report, search, class_index, canvas, &table));
  ISC_TRY_OR_DONE(write_files(report, search, class_index, entries, count));
  ISC_TRY_OR_DONE(insert(report, class_index, entries, count));
done:
  for (int32_t canvas = 0; canvas < count; canvas++)
    isc_entry_release(&entries[canvas], report->context);
  isc_free(report->context, entries);
  return status;
}
