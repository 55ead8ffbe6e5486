/* Patterns read back from a report. The figures are read at once; an entry's arrays when its pattern is cut. */
#include <string.h>

#include "report/report.h"

struct iscp_pattern_list {
  iscp_context *context;
  char *folder;
  isc_result result;
  double fraction;
  uint64_t seed;
  int32_t ties;
};

static iscp_status fill(iscp_pattern_list *list, const char *folder) {
  if (!(list->folder = isc_strdup(list->context, folder)))
    return ISCP_ERROR_MEMORY;
  ISC_TRY(isc_result_read(&list->result, list->context, folder));
  iscp_status status = isc_manifest_draw(list->result.manifest, &list->fraction, &list->seed, &list->ties);
  if (status != ISCP_OK)
    return isc_fail_in(status, folder);
  return isc_folder_check_files(&list->result, list->context, folder);
}

iscp_status iscp_pattern_list_load(iscp_pattern_list **out, iscp_context *context, const char *folder) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!context || !folder)
    return isc_fail(ISCP_ERROR_ARGUMENT, "context or folder is NULL");
  iscp_pattern_list *list = isc_calloc(context, 1, sizeof *list);
  if (!list)
    return ISCP_ERROR_MEMORY;
  list->context = isc_context_hold(context);
  iscp_status status = fill(list, folder);
  if (status != ISCP_OK) {
    iscp_pattern_list_destroy(list);
    return status;
  }
  *out = list;
  return ISCP_OK;
}

void iscp_pattern_list_destroy(iscp_pattern_list *list) {
  if (!list)
    return;
  iscp_context *context = list->context;
  isc_result_release(&list->result, context);
  isc_free(context, list->folder);
  isc_free(context, list);
  isc_context_drop(context);
}

int32_t iscp_pattern_list_count(const iscp_pattern_list *list) {
  return list ? (int32_t)list->result.entry_count : 0;
}

static iscp_status find_entry(const isc_entry **entry, const iscp_pattern_list *list, int32_t index) {
  if (!list)
    return isc_fail(ISCP_ERROR_ARGUMENT, "list is NULL");
  if (index < 0 || (size_t)index >= list->result.entry_count)
    return isc_fail(ISCP_ERROR_ARGUMENT, "index is %d, expected less than the list's %zu entries", index,
                    list->result.entry_count);
  *entry = &list->result.entries[index];
  return ISCP_OK;
}

iscp_status iscp_pattern_list_entry(const iscp_pattern_list *list, int32_t index, int32_t *class_index,
                                    int32_t *selected) {
  const isc_entry *entry;
  ISC_TRY(find_entry(&entry, list, index));
  if (class_index)
    *class_index = entry->class_index;
  if (selected)
    *selected = entry->canvas.selected;
  return ISCP_OK;
}

const char *iscp_pattern_list_class_name(const iscp_pattern_list *list, int32_t index) {
  const isc_entry *entry;
  return find_entry(&entry, list, index) == ISCP_OK ? entry->name : NULL;
}

iscp_status iscp_pattern_list_canvas(const iscp_pattern_list *list, int32_t index, iscp_canvas_result *result) {
  const isc_entry *entry;
  ISC_TRY(find_entry(&entry, list, index));
  return isc_fields_write(result, &isc_canvas_result_fields, &entry->canvas);
}

int32_t iscp_pattern_list_power_count(const iscp_pattern_list *list, int32_t index) {
  const isc_entry *entry;
  return find_entry(&entry, list, index) == ISCP_OK ? (int32_t)entry->row_count : 0;
}

iscp_status iscp_pattern_list_power(const iscp_pattern_list *list, int32_t index, int32_t row, double *size,
                                    iscp_power *power) {
  const isc_entry *entry;
  ISC_TRY(find_entry(&entry, list, index));
  if (row < 0 || (size_t)row >= entry->row_count)
    return isc_fail(ISCP_ERROR_ARGUMENT, "row is %d, expected less than the %zu sizes measured", row,
                    entry->row_count);
  ISC_TRY(isc_fields_write(power, &isc_power_fields, &entry->rows[row].power));
  if (size)
    *size = entry->rows[row].size;
  return ISCP_OK;
}

iscp_status iscp_pattern_list_cut(iscp_pattern **out, const iscp_pattern_list *list, int32_t index, int32_t cut_kind,
                                  double cut) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  const isc_entry *entry;
  ISC_TRY(find_entry(&entry, list, index));
  isc_arrays arrays;
  ISC_TRY(isc_arrays_read(&arrays, list->context, list->folder, entry));
  iscp_status status = isc_arrays_cut(out, list->context, &arrays, entry->class_index, cut_kind, cut, list->ties);
  isc_arrays_release(&arrays, list->context);
  return status;
}

iscp_status iscp_pattern_list_plan(const iscp_pattern_list *list, int32_t *lanes, int32_t *pass_batch) {
  if (!list)
    return isc_fail(ISCP_ERROR_ARGUMENT, "list is NULL");
  return isc_manifest_plan(list->result.manifest, lanes, pass_batch);
}

iscp_status iscp_pattern_list_draw(const iscp_pattern_list *list, double *fraction, uint64_t *seed) {
  if (!list)
    return isc_fail(ISCP_ERROR_ARGUMENT, "list is NULL");
  if (fraction)
    *fraction = list->fraction;
  if (seed)
    *seed = list->seed;
  return ISCP_OK;
}
