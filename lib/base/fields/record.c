/* A struct's values as one line that can be read back, and the first difference of two: what tells a run from another. The line
 * is what a training's state holds (train/state.c); a manifest has a search's fields as JSON (json.c). */
#include <stdio.h>
#include <string.h>

#include "base/base.h"

/* Digits that name every double without doubt. */
enum { EXACT = 17 };

/* The field at `place`, from 1 on; NULL past the last one. */
static const isc_field *recorded(const iscp_fields *fields, int32_t place) {
  for (int32_t f = 0; f < fields->count; f++)
    if (fields->rows[f].recorded == place)
      return &fields->rows[f];
  return NULL;
}

static bool matters(const isc_field *field, const iscp_fields *fields, const void *options) {
  return !field->needs || isc_field_number(isc_field_find(fields, field->needs), options, 0) != 0;
}

/* ---- A line ---- */

void isc_fields_print(char *text, size_t size, const void *options, const iscp_fields *fields) {
  size_t length = 0;
  const isc_field *field;
  *text = 0;
  for (int32_t place = 1; (field = recorded(fields, place)); place++) {
    char value[ISC_FIELD_TEXT];
    if (!matters(field, fields, options) || length >= size)
      continue;
    isc_field_print(value, field, options, 0, EXACT);
    length += (size_t)snprintf(text + length, size - length, "%s%s %s", length ? "," : "", field->name, value);
  }
}

/* "name value", of `length` bytes. */
static bool parse_piece(void *options, const iscp_fields *fields, const char *piece, size_t length) {
  char text[2 * ISC_FIELD_TEXT];
  if (length >= sizeof text)
    return false;
  memcpy(text, piece, length);
  text[length] = 0;
  char *value = strchr(text, ' ');
  if (!value)
    return false;
  *value++ = 0;
  const isc_field *field = isc_field_find(fields, text);
  return field && field->recorded && isc_field_parse(options, field, 0, value);
}

bool isc_fields_parse(void *options, const iscp_fields *fields, const char *text) {
  isc_fields_defaults(options, fields);
  for (size_t length = strcspn(text, ",");; length = strcspn(text, ",")) {
    if (!parse_piece(options, fields, text, length))
      return false;
    if (!text[length])
      return true;
    text += length + 1;
  }
}

/* ---- A difference ---- */

/* "step 0.1"; "no attack" of a field that others need and that is 0. */
static void describe(char text[3 * ISC_FIELD_TEXT], const isc_field *field, const void *options, int32_t index) {
  char value[ISC_FIELD_TEXT], place[16] = "";
  if (field->count > 1)
    snprintf(place, sizeof place, "[%d]", index);
  isc_field_print(value, field, options, index, 1);
  if (field->needs && !strcmp(field->needs, field->name) && isc_field_number(field, options, 0) == 0)
    snprintf(text, 3 * ISC_FIELD_TEXT, "no %s", field->name);
  else
    snprintf(text, 3 * ISC_FIELD_TEXT, "%s%s %s", field->name, place, value);
}

static bool field_differs(char *text, size_t size, const isc_field *field, const void *there, const void *here) {
  for (int32_t i = 0; i < field->count; i++) {
    char a[3 * ISC_FIELD_TEXT], b[3 * ISC_FIELD_TEXT];
    describe(a, field, there, i);
    describe(b, field, here, i);
    if (!strcmp(a, b))
      continue;
    snprintf(text, size, "%s, expected %s", a, b);
    return true;
  }
  return false;
}

bool isc_fields_difference(char *text, size_t size, const iscp_fields *fields, const void *there, const void *here) {
  *text = 0;
  bool records = recorded(fields, 1);
  for (int32_t f = 0; f < fields->count; f++) {
    const isc_field *field = &fields->rows[f];
    if (!isc_field_is_value(field) || (records && !field->recorded))
      continue;
    bool switches = field->needs && !strcmp(field->needs, field->name);
    if (!switches && !matters(field, fields, there) && !matters(field, fields, here))
      continue;
    if (field_differs(text, size, field, there, here))
      return true;
  }
  return false;
}
