/* A report's content in memory: entries by class, then by canvas, and the classes that are finished. */
#include <string.h>

#include "report/report.h"

void isc_entry_release(isc_entry *entry, const iscp_context *context) {
  isc_free(context, entry->name);
  isc_free(context, entry->epochs);
  isc_free(context, entry->mask);
  isc_free(context, entry->evidence);
  isc_free(context, entry->colours);
  isc_free(context, entry->rows);
  memset(entry, 0, sizeof *entry);
}

void isc_result_release(isc_result *result, const iscp_context *context) {
  for (size_t i = 0; i < result->entry_count; i++)
    isc_entry_release(&result->entries[i], context);
  isc_free(context, result->entries);
  isc_free(context, result->finished);
  isc_manifest_release(result->manifest);
  memset(result, 0, sizeof *result);
}

int isc_result_has_class(const isc_result *result, int32_t class_index) {
  for (size_t i = 0; i < result->finished_count; i++)
    if (result->finished[i] == class_index)
      return 1;
  return 0;
}

/* Entries [first, last) are the class's, or, if it has none, first == last is its place. */
static void find_entries(const isc_result *result, int32_t class_index, size_t *first, size_t *last) {
  size_t i = 0;
  while (i < result->entry_count && result->entries[i].class_index < class_index)
    i++;
  *first = i;
  while (i < result->entry_count && result->entries[i].class_index == class_index)
    i++;
  *last = i;
}

iscp_status isc_result_insert(isc_result *result, const iscp_context *context, int32_t class_index, isc_entry *entries,
                              size_t count) {
  if (isc_result_has_class(result, class_index))
    return isc_fail(ISCP_ERROR_ARGUMENT, "the report holds class %d already, expected each class once", class_index);
  size_t finished = result->finished_count, total = result->entry_count;
  ISC_TRY(isc_grow(context, (void **)&result->finished, &result->finished_capacity, finished + 1,
                   sizeof *result->finished));
  ISC_TRY(isc_grow(context, (void **)&result->entries, &result->entry_capacity, total + count,
                   sizeof *result->entries));
  size_t first, last;
  find_entries(result, class_index, &first, &last);
  if (count) {
    memmove(result->entries + first + count, result->entries + first, (total - first) * sizeof *entries);
    memcpy(result->entries + first, entries, count * sizeof *entries);
    memset(entries, 0, count * sizeof *entries);
  }
  result->entry_count += count;
  for (; finished > 0 && result->finished[finished - 1] > class_index; finished--)
    result->finished[finished] = result->finished[finished - 1];
  result->finished[finished] = class_index;
  result->finished_count++;
  return ISCP_OK;
}

void isc_result_remove(isc_result *result, const iscp_context *context, int32_t class_index) {
  size_t kept = 0, first, last;
  for (size_t i = 0; i < result->finished_count; i++)
    if (result->finished[i] != class_index)
      result->finished[kept++] = result->finished[i];
  result->finished_count = kept;
  find_entries(result, class_index, &first, &last);
  for (size_t i = first; i < last; i++)
    isc_entry_release(&result->entries[i], context);
  if (last > first)
    memmove(result->entries + first, result->entries + last, (result->entry_count - last) * sizeof *result->entries);
  result->entry_count -= last - first;
}

const isc_entry *isc_result_selected(const isc_result *result, int32_t class_index) {
  size_t first, last;
  find_entries(result, class_index, &first, &last);
  for (size_t i = first; i < last; i++)
    if (result->entries[i].canvas.selected)
      return &result->entries[i];
  return NULL;
}
