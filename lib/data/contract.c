/* The input contract: defaults, the range of every field, and the JSON object under which it travels with the weights.
 *
 * A contract that came through isc_contract_read is whole and in range; everything else in the library relies on that.
 * What a contract does to pictures is in picture.c. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "data/data.h"
#include "format/format.h"

enum { SMALLEST_SIDE = 8, LARGEST_SIDE = 4096, LARGEST_PAD = 1024 };

static const iscp_contract defaults = {
    .struct_size = sizeof(iscp_contract),
    .channels = 3,
    .height = 224,
    .width = 224,
    .std = {1, 1, 1},
};

iscp_status iscp_contract_init(iscp_contract *contract, uint32_t struct_size) {
  return isc_options_init(contract, struct_size, &defaults, sizeof defaults, sizeof defaults, "iscp_contract");
}

int64_t isc_contract_pixels(const iscp_contract *contract) { return (int64_t)contract->height * contract->width; }

int64_t isc_contract_numbers(const iscp_contract *contract) {
  return contract->channels * isc_contract_pixels(contract);
}

int isc_contract_same_form(const iscp_contract *a, const iscp_contract *b) {
  return a->channels == b->channels && a->height == b->height && a->width == b->width;
}

static iscp_status check_range(const char *name, int32_t value, int32_t low, int32_t high) {
  if (value < low || value > high)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %d, expected %d to %d", name, value, low, high);
  return ISCP_OK;
}

/* Some picture must be left between two pads. */
static iscp_status check_pads(const char *names, int32_t before, int32_t after, int32_t side) {
  if (before + after >= side)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s add up to %d, expected less than the padded side of %d", names,
                    before + after, side);
  return ISCP_OK;
}

static iscp_status check(const iscp_contract *contract) {
  if (contract->channels != 1 && contract->channels != 3)
    return isc_fail(ISCP_ERROR_ARGUMENT, "channels is %d, expected 1 or 3", contract->channels);
  ISC_TRY(check_range("height", contract->height, SMALLEST_SIDE, LARGEST_SIDE));
  ISC_TRY(check_range("width", contract->width, SMALLEST_SIDE, LARGEST_SIDE));
  ISC_TRY(check_range("pad_top", contract->pad_top, 0, LARGEST_PAD));
  ISC_TRY(check_range("pad_bottom", contract->pad_bottom, 0, LARGEST_PAD));
  ISC_TRY(check_range("pad_left", contract->pad_left, 0, LARGEST_PAD));
  ISC_TRY(check_range("pad_right", contract->pad_right, 0, LARGEST_PAD));
  ISC_TRY(check_pads("pad_top and pad_bottom", contract->pad_top, contract->pad_bottom, contract->height));
  ISC_TRY(check_pads("pad_left and pad_right", contract->pad_left, contract->pad_right, contract->width));
  for (int c = 0; c < 3; c++) {
    if (!isfinite(contract->mean[c]))
      return isc_fail(ISCP_ERROR_ARGUMENT, "mean[%d] is %g, expected a finite number", c, (double)contract->mean[c]);
    if (!isfinite(contract->std[c]) || contract->std[c] <= 0)
      return isc_fail(ISCP_ERROR_ARGUMENT, "std[%d] is %g, expected a finite number above 0", c,
                      (double)contract->std[c]);
  }
  return ISCP_OK;
}

iscp_status isc_contract_read(iscp_contract *contract, const iscp_contract *given) {
  *contract = (iscp_contract){0};
  if (!given)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the contract is NULL");
  iscp_contract whole;
  ISC_TRY(isc_options_read(&whole, &defaults, sizeof defaults, sizeof defaults, given, "iscp_contract"));
  ISC_TRY(check(&whole));
  *contract = whole;
  return ISCP_OK;
}

/* ---- Reading JSON ---- */

static iscp_status parse_integer(int32_t *value, const json_t *item, const char *key) {
  if (!json_is_integer(item))
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is missing or no whole number", key);
  json_int_t number = json_integer_value(item);
  if (number < INT32_MIN || number > INT32_MAX)
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is %lld, expected a number of 32 bits", key, (long long)number);
  *value = (int32_t)number;
  return ISCP_OK;
}

static iscp_status check_array(const json_t *array, const char *key, size_t count) {
  if (!json_is_array(array) || json_array_size(array) != count)
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is not an array of %zu numbers", key, count);
  return ISCP_OK;
}

static iscp_status parse_pad(iscp_contract *contract, const json_t *root) {
  int32_t *const pads[] = {&contract->pad_top, &contract->pad_bottom, &contract->pad_left, &contract->pad_right};
  const json_t *array = json_object_get(root, "pad");
  if (!array)
    return ISCP_OK;
  ISC_TRY(check_array(array, "pad", 4));
  for (size_t i = 0; i < 4; i++)
    ISC_TRY(parse_integer(pads[i], json_array_get(array, i), "pad"));
  return ISCP_OK;
}

static iscp_status parse_floats(float *values, const json_t *root, const char *key, size_t count) {
  const json_t *array = json_object_get(root, key);
  if (!array)
    return ISCP_OK;
  ISC_TRY(check_array(array, key, count));
  for (size_t i = 0; i < count; i++) {
    const json_t *item = json_array_get(array, i);
    if (!json_is_number(item))
      return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" holds something other than numbers", key);
    values[i] = (float)json_number_value(item);
  }
  return ISCP_OK;
}

static iscp_status check_keys(json_t *root) {
  static const char *const known[] = {"channels", "height", "width", "pad", "mean", "std", "classes"};
  const char *key;
  json_t *value;
  json_object_foreach(root, key, value) {
    size_t i = 0;
    while (i < sizeof known / sizeof *known && strcmp(key, known[i]))
      i++;
    if (i == sizeof known / sizeof *known)
      return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is no key of an input contract that this version knows", key);
  }
  return ISCP_OK;
}

static iscp_status parse_contract(iscp_contract *contract, json_t *root) {
  *contract = defaults;
  ISC_TRY(check_keys(root));
  if (json_object_get(root, "channels"))
    ISC_TRY(parse_integer(&contract->channels, json_object_get(root, "channels"), "channels"));
  if (contract->channels != 1 && contract->channels != 3)
    return isc_fail(ISCP_ERROR_FORMAT, "\"channels\" is %d, expected 1 or 3", contract->channels);
  ISC_TRY(parse_integer(&contract->height, json_object_get(root, "height"), "height"));
  ISC_TRY(parse_integer(&contract->width, json_object_get(root, "width"), "width"));
  ISC_TRY(parse_pad(contract, root));
  ISC_TRY(parse_floats(contract->mean, root, "mean", (size_t)contract->channels));
  ISC_TRY(parse_floats(contract->std, root, "std", (size_t)contract->channels));
  if (check(contract) != ISCP_OK)
    return isc_fail(ISCP_ERROR_FORMAT, "%s", iscp_error_message()); /* here the file is wrong, not an argument */
  return ISCP_OK;
}

static iscp_status parse_names(char ***names, size_t *count, const iscp_context *context, const json_t *root) {
  const json_t *array = json_object_get(root, "classes");
  if (!array)
    return ISCP_OK;
  if (!json_is_array(array) || json_array_size(array) == 0)
    return isc_fail(ISCP_ERROR_FORMAT, "\"classes\" is not an array of names");
  size_t size = json_array_size(array);
  char **copies = isc_calloc(context, size, sizeof *copies);
  if (!copies)
    return ISCP_ERROR_MEMORY;
  for (size_t i = 0; i < size; i++) {
    const char *name = json_string_value(json_array_get(array, i));
    iscp_status status = ISCP_OK;
    if (!name)
      status = isc_fail(ISCP_ERROR_FORMAT, "entry %zu of \"classes\" is no text", i);
    else if (!(copies[i] = isc_strdup(context, name)))
      status = ISCP_ERROR_MEMORY;
    if (status != ISCP_OK) {
      isc_names_free(copies, i, context);
      return status;
    }
  }
  *names = copies;
  *count = size;
  return ISCP_OK;
}

iscp_status isc_contract_parse(iscp_contract *contract, char ***names, size_t *count, const iscp_context *context,
                               const char *json) {
  *contract = (iscp_contract){0};
  *names = NULL;
  *count = 0;
  json_error_t error;
  json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &error);
  if (!root && json_error_code(&error) == json_error_out_of_memory)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory while reading the input contract");
  if (!root)
    return isc_fail(ISCP_ERROR_FORMAT, "the input contract is not JSON: %s at byte %d", error.text, error.position);
  iscp_status status = ISCP_OK;
  iscp_contract parsed;
  if (!json_is_object(root))
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_FORMAT, "the input contract is not a JSON object"));
  ISC_TRY_OR_DONE(parse_contract(&parsed, root));
  ISC_TRY_OR_DONE(parse_names(names, count, context, root));
  *contract = parsed;
done:
  json_decref(root);
  return status;
}

/* ---- Printing JSON ---- */

static json_t *floats_to_json(const float *values, int32_t count) {
  json_t *array = json_array();
  for (int32_t i = 0; array && i < count; i++)
    if (json_array_append_new(array, json_real((double)values[i]))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

static iscp_status names_to_json(json_t *root, const char *const *names, size_t count) {
  json_t *array = json_array();
  if (json_object_set_new(root, "classes", array))
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory while printing the input contract");
  for (size_t i = 0; i < count; i++)
    if (json_array_append_new(array, json_string(names[i])))
      return isc_fail(ISCP_ERROR_ARGUMENT, "class name %zu, \"%s\", is not UTF-8", i, names[i]);
  return ISCP_OK;
}

/* Nine digits name every float32 without doubt. */
static iscp_status dump(char **json, const iscp_context *context, const json_t *root) {
  const size_t flags = JSON_REAL_PRECISION(9);
  size_t size = json_dumpb(root, NULL, 0, flags);
  if (!size)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory while printing the input contract");
  char *text = isc_calloc(context, size + 1, 1);
  if (!text)
    return ISCP_ERROR_MEMORY;
  json_dumpb(root, text, size, flags);
  *json = text;
  return ISCP_OK;
}

iscp_status isc_contract_print(char **json, const iscp_context *context, const iscp_contract *contract,
                               const char *const *names, size_t count) {
  *json = NULL;
  ISC_TRY(check(contract));
  json_t *root = json_pack("{s:i, s:i, s:i, s:[i,i,i,i], s:o, s:o}", "channels", (int)contract->channels, "height",
                           (int)contract->height, "width", (int)contract->width, "pad", (int)contract->pad_top,
                           (int)contract->pad_bottom, (int)contract->pad_left, (int)contract->pad_right, "mean",
                           floats_to_json(contract->mean, contract->channels), "std",
                           floats_to_json(contract->std, contract->channels));
  if (!root)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory while printing the input contract");
  iscp_status status = ISCP_OK;
  if (count)
    ISC_TRY_OR_DONE(names_to_json(root, names, count));
  ISC_TRY_OR_DONE(dump(json, context, root));
done:
  json_decref(root);
  return status;
}
