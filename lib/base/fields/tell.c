/* The rows of a table as any tool may read them (iscp/fields.h). */
#include <math.h>

#include "base/base.h"

int32_t iscp_fields_count(const iscp_fields *fields) { return fields ? fields->count : 0; }

static int32_t count_words(const isc_field *row) {
  int32_t count = 0;
  while (row->words && row->words[count].name)
    count++;
  return count;
}

iscp_status iscp_fields_get(iscp_field *field, const iscp_fields *fields, int32_t index) {
  if (!fields)
    return isc_fail(ISCP_ERROR_ARGUMENT, "fields is NULL");
  if (index < 0 || index >= fields->count)
    return isc_fail(ISCP_ERROR_ARGUMENT, "index is %d, expected 0 to %d", index, fields->count - 1);
  const isc_field *row = &fields->rows[index];
  bool bound = row->low < row->high || row->rules & ISCP_RULE_RESERVED;
  iscp_field told = {
      .type = row->type,
      .name = row->name,
      .needs = row->needs,
      .unit = row->unit,
      .offset = row->offset,
      .count = row->count,
      .initial = row->initial,
      .low = bound ? row->low : -INFINITY,
      .high = bound ? row->high : INFINITY,
      .rules = row->rules,
      .words = count_words(row),
      .recorded = row->recorded,
      .since = row->since ? row->since : fields->since,
  };
  return isc_fields_write(field, &isc_field_fields, &told);
}

const char *iscp_fields_word(int32_t *value, const iscp_fields *fields, int32_t index, int32_t word) {
  if (!fields || index < 0 || index >= fields->count || word < 0 || word >= count_words(&fields->rows[index]))
    return NULL;
  const isc_word *told = &fields->rows[index].words[word];
  if (value)
    *value = told->value;
  return told->name;
}
