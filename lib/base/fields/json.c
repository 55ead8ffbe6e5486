/* A struct's values as JSON, with jansson: a number by itself, a value that has a word by that word, several words as an array.
 * What a manifest says of a search's options is made of this; an input contract's JSON joins several fields into one key and
 * takes its words from here (data/contract_json.c). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* ---- Writing ---- */

/* JSON of jansson counts to 2^63 - 1: what is beyond is text. */
static json_t *number_to_json(const isc_field *field, const void *from, int32_t index) {
  char text[ISC_FIELD_TEXT];
  if (field->type == ISCP_TYPE_FLOAT || field->type == ISCP_TYPE_DOUBLE)
    return json_real(isc_field_number(field, from, index));
  isc_field_print(text, field, from, index, 0);
  if (field->type != ISCP_TYPE_UINT64)
    return json_integer(strtoll(text, NULL, 10));
  uint64_t value = strtoull(text, NULL, 10);
  return value <= INT64_MAX ? json_integer((json_int_t)value) : json_string(text);
}

static json_t *bits_to_json(const isc_field *field, int32_t value) {
  json_t *array = json_array();
  for (const isc_word *word = field->words; array && word->name; word++)
    if (value & word->value && json_array_append_new(array, json_string(word->name))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

static json_t *array_to_json(const isc_field *field, const void *from) {
  json_t *array = json_array();
  for (int32_t i = 0; array && i < field->count; i++)
    if (json_array_append_new(array, number_to_json(field, from, i))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

json_t *isc_field_to_json(const void *from, const iscp_fields *fields, const char *name) {
  const isc_field *field = isc_field_find(fields, name);
  if (field->count > 1)
    return array_to_json(field, from);
  if (!field->words)
    return number_to_json(field, from, 0);
  int32_t value = (int32_t)isc_field_number(field, from, 0);
  if (field->rules & ISCP_RULE_BITS)
    return bits_to_json(field, value);
  const char *word = isc_field_word(fields, name, value);
  return word ? json_string(word) : json_integer(value);
}

iscp_status isc_fields_to_json(json_t *root, const void *from, const iscp_fields *fields) {
  for (int32_t place = 1, f = 0; f < fields->count; f++)
    if (fields->rows[f].recorded == place) {
      const char *name = fields->rows[f].name;
      if (json_object_set_new(root, name, isc_field_to_json(from, fields, name)))
        return isc_fail(ISCP_ERROR_MEMORY, "out of memory for the JSON of %s", fields->name);
      place++;
      f = -1; /* the next place may stand before this one */
    }
  return ISCP_OK;
}

/* ---- Reading ---- */

/* "a" or "b"; "a", "b" or "c" */
static void print_words(char *text, size_t size, const isc_word *words) {
  size_t length = 0;
  for (size_t i = 0; words[i].name && length < size; i++) {
    const char *between = !i ? "" : words[i + 1].name ? ", " : " or ";
    length += (size_t)snprintf(text + length, size - length, "%s\"%s\"", between, words[i].name);
  }
}

static iscp_status word_from_json(int32_t *value, const isc_field *field, const json_t *item) {
  const char *text = json_string_value(item);
  for (const isc_word *word = field->words; text && word->name; word++)
    if (!strcmp(text, word->name)) {
      *value = word->value;
      return ISCP_OK;
    }
  char words[256];
  print_words(words, sizeof words, field->words);
  return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is %s%.40s%s, expected %s", field->name, text ? "\"" : "", text ? text : "no text",
                  text ? "\"" : "", words);
}

/* An array of words, whose values are added up. */
static iscp_status bits_from_json(int32_t *bits, const isc_field *field, const json_t *item) {
  if (!json_is_array(item))
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is not an array of words", field->name);
  *bits = 0;
  for (size_t i = 0; i < json_array_size(item); i++) {
    int32_t value;
    ISC_TRY(word_from_json(&value, field, json_array_get(item, i)));
    *bits |= value;
  }
  return ISCP_OK;
}

static iscp_status number_from_json(void *to, const isc_field *field, int32_t index, const json_t *item) {
  char text[ISC_FIELD_TEXT];
  bool real = field->type == ISCP_TYPE_FLOAT || field->type == ISCP_TYPE_DOUBLE;
  if (real && !json_is_number(item))
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is missing or no number", field->name);
  if (field->type == ISCP_TYPE_UINT64 && json_is_string(item) && isc_field_parse(to, field, index, json_string_value(item)))
    return ISCP_OK;
  if (!real && !json_is_integer(item))
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is missing or no whole number", field->name);
  if (real)
    snprintf(text, sizeof text, "%.17g", json_number_value(item));
  else
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(item));
  if (!isc_field_parse(to, field, index, text))
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is %s, expected a number of %s bits", field->name, text,
                    field->type == ISCP_TYPE_INT32 ? "32" : "64");
  return ISCP_OK;
}

iscp_status isc_field_from_json(void *to, const iscp_fields *fields, const char *name, const json_t *item) {
  const isc_field *field = isc_field_find(fields, name);
  if (field->words) {
    int32_t value;
    ISC_TRY(field->rules & ISCP_RULE_BITS ? bits_from_json(&value, field, item) : word_from_json(&value, field, item));
    memcpy((char *)to + field->offset, &value, sizeof value);
    return ISCP_OK;
  }
  if (field->count == 1)
    return number_from_json(to, field, 0, item);
  if (!json_is_array(item) || json_array_size(item) != (size_t)field->count)
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is not an array of %d numbers", field->name, field->count);
  for (int32_t i = 0; i < field->count; i++)
    ISC_TRY(number_from_json(to, field, i, json_array_get(item, (size_t)i)));
  return ISCP_OK;
}
