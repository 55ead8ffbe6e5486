/* What a table says of a struct in memory: its defaults, its numbers as text and back, and whether they are in range. options.c
 * brings a caller's struct to the library's size before; what two fields say together stays with their owner. */
#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* ---- One number ---- */

/* Everything goes through memcpy: a field is known by its offset alone. */
typedef union number {
  int32_t i32;
  uint32_t u32;
  int64_t i64;
  uint64_t u64;
  float f32;
  double f64;
} number;

static size_t width(const isc_field *field) {
  return field->type == ISCP_TYPE_INT32 || field->type == ISCP_TYPE_UINT32 || field->type == ISCP_TYPE_FLOAT ? 4 : 8;
}

static number load(const isc_field *field, const void *from, int32_t index) {
  number n = {.u64 = 0};
  memcpy(&n, (const char *)from + field->offset + (size_t)index * width(field), width(field));
  return n;
}

static void store(void *to, const isc_field *field, int32_t index, number n) {
  memcpy((char *)to + field->offset + (size_t)index * width(field), &n, width(field));
}

bool isc_field_is_value(const isc_field *field) {
  return field->type <= ISCP_TYPE_DOUBLE && !(field->rules & (ISCP_RULE_SIZE | ISCP_RULE_RESERVED));
}

double isc_field_number(const isc_field *field, const void *from, int32_t index) {
  number n = load(field, from, index);
  switch (field->type) {
  case ISCP_TYPE_INT32: return n.i32;
  case ISCP_TYPE_UINT32: return n.u32;
  case ISCP_TYPE_INT64: return (double)n.i64;
  case ISCP_TYPE_UINT64: return (double)n.u64;
  case ISCP_TYPE_FLOAT: return (double)n.f32;
  default: return n.f64;
  }
}

/* 9 digits bring every float back, 17 every double. */
static void print_real(char text[ISC_FIELD_TEXT], double value, int digits, bool single) {
  for (; digits < (single ? 9 : 17); digits++) {
    snprintf(text, ISC_FIELD_TEXT, "%.*g", digits, value);
    if (single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
      return;
  }
  snprintf(text, ISC_FIELD_TEXT, "%.*g", digits, value);
}

void isc_field_print(char text[ISC_FIELD_TEXT], const isc_field *field, const void *from, int32_t index, int digits) {
  number n = load(field, from, index);
  switch (field->type) {
  case ISCP_TYPE_INT32: snprintf(text, ISC_FIELD_TEXT, "%d", n.i32); return;
  case ISCP_TYPE_UINT32: snprintf(text, ISC_FIELD_TEXT, "%u", n.u32); return;
  case ISCP_TYPE_INT64: snprintf(text, ISC_FIELD_TEXT, "%lld", (long long)n.i64); return;
  case ISCP_TYPE_UINT64: snprintf(text, ISC_FIELD_TEXT, "%llu", (unsigned long long)n.u64); return;
  default: print_real(text, isc_field_number(field, from, index), digits, field->type == ISCP_TYPE_FLOAT);
  }
}

/* strtoull takes a sign and blanks, which no number here begins with. */
static bool starts_number(const char *text, bool sign) {
  return (*text >= '0' && *text <= '9') || (sign && *text == '-');
}

bool isc_field_parse(void *to, const isc_field *field, int32_t index, const char *text) {
  char *end = NULL;
  number n = {.u64 = 0};
  errno = 0;
  if (field->type == ISCP_TYPE_FLOAT || field->type == ISCP_TYPE_DOUBLE) {
    double value = strtod(text, &end);
    if (field->type == ISCP_TYPE_FLOAT)
      n.f32 = (float)value;
    else
      n.f64 = value;
  } else if (field->type == ISCP_TYPE_UINT32 || field->type == ISCP_TYPE_UINT64) {
    unsigned long long value = strtoull(text, &end, 10);
    if (!starts_number(text, false) || (field->type == ISCP_TYPE_UINT32 && value > UINT32_MAX))
      return false;
    if (field->type == ISCP_TYPE_UINT32)
      n.u32 = (uint32_t)value;
    else
      n.u64 = value;
  } else {
    long long value = strtoll(text, &end, 10);
    if (!starts_number(text, true) || (field->type == ISCP_TYPE_INT32 && (value < INT32_MIN || value > INT32_MAX)))
      return false;
    if (field->type == ISCP_TYPE_INT32)
      n.i32 = (int32_t)value;
    else
      n.i64 = value;
  }
  if (end == text || *end || (errno && field->type < ISCP_TYPE_FLOAT))
    return false;
  store(to, field, index, n);
  return true;
}

/* ---- Defaults ---- */

static number initial(const isc_field *field) {
  number n = {.u64 = 0};
  switch (field->type) {
  case ISCP_TYPE_INT32: n.i32 = (int32_t)field->initial; break;
  case ISCP_TYPE_UINT32: n.u32 = (uint32_t)field->initial; break;
  case ISCP_TYPE_INT64: n.i64 = (int64_t)field->initial; break;
  case ISCP_TYPE_UINT64: n.u64 = (uint64_t)field->initial; break;
  case ISCP_TYPE_FLOAT: n.f32 = (float)field->initial; break;
  case ISCP_TYPE_DOUBLE: n.f64 = field->initial; break;
  default: break; /* an address: NULL */
  }
  return n;
}

void isc_fields_defaults(void *options, const iscp_fields *fields) {
  memset(options, 0, fields->size);
  for (int32_t f = 0; f < fields->count; f++)
    for (int32_t i = 0; isc_field_is_value(&fields->rows[f]) && i < fields->rows[f].count; i++)
      store(options, &fields->rows[f], i, initial(&fields->rows[f]));
  memcpy(options, &fields->size, sizeof fields->size);
}

/* ---- Ranges ---- */

static bool fits(const isc_field *field, double value) {
  bool low = field->rules & ISCP_RULE_ABOVE ? value > field->low : value >= field->low;
  bool high = field->rules & ISCP_RULE_BELOW ? value < field->high : value <= field->high;
  return low && high;
}

/* "1 to 3", "more than 0 and at most 1", "0 or more". What is beyond a float's range is no bound that a caller means. */
static void print_range(char *text, size_t size, const isc_field *field) {
  char low[ISC_FIELD_TEXT] = "", high[ISC_FIELD_TEXT] = "";
  bool above = field->rules & ISCP_RULE_ABOVE, below = field->rules & ISCP_RULE_BELOW;
  bool has_low = field->low > -(double)FLT_MAX, has_high = field->high < (double)FLT_MAX;
  if (has_low && has_high && !above && !below) {
    snprintf(text, size, "%.15g to %.15g", field->low, field->high);
    return;
  }
  if (has_low)
    snprintf(low, sizeof low, above ? "more than %.15g" : "%.15g or more", field->low);
  if (has_high)
    snprintf(high, sizeof high, below ? "less than %.15g" : "at most %.15g", field->high);
  snprintf(text, size, "%s%s%s", has_low || has_high ? low : "a finite number", has_low && has_high ? " and " : "", high);
}

static iscp_status refuse(const isc_field *field, const void *options, int32_t index) {
  char value[ISC_FIELD_TEXT], range[3 * ISC_FIELD_TEXT], place[16] = "";
  print_range(range, sizeof range, field);
  if (field->type == ISCP_TYPE_FLOAT || field->type == ISCP_TYPE_DOUBLE)
    snprintf(value, sizeof value, "%g", isc_field_number(field, options, index));
  else
    isc_field_print(value, field, options, index, 0);
  if (field->count > 1)
    snprintf(place, sizeof place, "[%d]", index);
  return isc_fail(ISCP_ERROR_ARGUMENT, "%s%s is %s%s%s, expected %s", field->name, place, value, field->unit ? " " : "",
                  field->unit ? field->unit : "", range);
}

static iscp_status check(const void *options, const isc_field *field) {
  if (!isc_field_is_value(field) || !(field->low < field->high))
    return ISCP_OK;
  for (int32_t i = 0; i < field->count; i++)
    if (!fits(field, isc_field_number(field, options, i)))
      return refuse(field, options, i);
  return ISCP_OK;
}

iscp_status isc_fields_check(const void *options, const iscp_fields *fields) {
  for (int32_t f = 0; f < fields->count; f++)
    ISC_TRY(check(options, &fields->rows[f]));
  return ISCP_OK;
}

iscp_status isc_field_check(const void *options, const iscp_fields *fields, const char *name) {
  return check(options, isc_field_find(fields, name));
}

iscp_status isc_fields_check_reserved(const void *options, const iscp_fields *fields) {
  for (int32_t f = 0; f < fields->count; f++) {
    const isc_field *field = &fields->rows[f];
    if (field->rules & ISCP_RULE_RESERVED && isc_field_number(field, options, 0) != 0)
      return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %g, expected 0", field->name, isc_field_number(field, options, 0));
  }
  return ISCP_OK;
}
