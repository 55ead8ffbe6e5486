/* libiscp's own JSON object, under which an input contract travels with the weights, in safetensors metadata or in a file beside
 * them. data.h shows it; contract_read.c comes here for every object that is nobody else's, contract_file.c writes the files.
 *
 * What is read is whole and in range, or refused: a key that is not known may change what images mean. */
#include <string.h>

#include "data/contract/contract.h"
#include "format/format.h"

/* ---- Reading ---- */

static iscp_status parse_pad(iscp_contract *contract, const json_t *root) {
  int32_t *const pads[] = {&contract->pad_top, &contract->pad_bottom, &contract->pad_left, &contract->pad_right};
  const json_t *array = json_object_get(root, "pad");
  if (!array)
    return ISCP_OK;
  ISC_TRY(isc_json_array(array, "pad", 4));
  for (size_t i = 0; i < 4; i++)
    ISC_TRY(isc_json_integer(pads[i], json_array_get(array, i), "pad"));
  return ISCP_OK;
}

/* A value that has words, absent it stays. */
static iscp_status parse_word(iscp_contract *contract, const json_t *root, const char *key) {
  const json_t *item = json_object_get(root, key);
  return item ? isc_field_from_json(contract, &isc_contract_fields, key, item) : ISCP_OK;
}

/* [height, width] */
static iscp_status parse_sides(int32_t *height, int32_t *width, const json_t *item, const char *key) {
  ISC_TRY(isc_json_array(item, key, 2));
  ISC_TRY(isc_json_integer(height, json_array_get(item, 0), key));
  return isc_json_integer(width, json_array_get(item, 1), key);
}

/* "resize": 256 is the short side, "resize": [256, 256] both. */
static iscp_status parse_geometry(iscp_contract *contract, const json_t *root) {
  const json_t *resize = json_object_get(root, "resize"), *crop = json_object_get(root, "crop");
  if (json_is_array(resize))
    ISC_TRY(parse_sides(&contract->resize_height, &contract->resize_width, resize, "resize"));
  else if (resize)
    ISC_TRY(isc_json_integer(&contract->resize_short, resize, "resize"));
  return crop ? parse_sides(&contract->crop_height, &contract->crop_width, crop, "crop") : ISCP_OK;
}

static iscp_status check_keys(json_t *root) {
  static const char *const known[] = {"channels", "height",    "width", "resize", "filter", "crop",   "crop_rule",
                                      "pad",      "order",     "range", "mean",   "std",    "classes"};
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

static iscp_status parse_fields(iscp_contract *contract, json_t *root) {
  *contract = isc_contract_defaults;
  ISC_TRY(check_keys(root));
  ISC_TRY(isc_json_optional_integer(&contract->channels, root, "channels"));
  if (contract->channels != 1 && contract->channels != 3)
    return isc_fail(ISCP_ERROR_FORMAT, "\"channels\" is %d, expected 1 or 3", contract->channels);
  ISC_TRY(isc_json_integer(&contract->height, json_object_get(root, "height"), "height"));
  ISC_TRY(isc_json_integer(&contract->width, json_object_get(root, "width"), "width"));
  ISC_TRY(parse_geometry(contract, root));
  ISC_TRY(parse_word(contract, root, "filter"));
  ISC_TRY(parse_word(contract, root, "crop_rule"));
  ISC_TRY(parse_pad(contract, root));
  ISC_TRY(parse_word(contract, root, "order"));
  ISC_TRY(isc_json_optional_integer(&contract->range, root, "range"));
  ISC_TRY(isc_json_floats(contract->mean, root, "mean", (size_t)contract->channels));
  ISC_TRY(isc_json_floats(contract->std, root, "std", (size_t)contract->channels));
  if (isc_contract_range(contract) != ISCP_OK)
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

iscp_status isc_contract_parse_own(iscp_contract *contract, char ***names, size_t *count, const iscp_context *context,
                                   json_t *root) {
  ISC_TRY(parse_fields(contract, root));
  return parse_names(names, count, context, root);
}

/* ---- Printing ---- */

static json_t *floats_to_json(const float *values, int32_t count, isc_json_real *real) {
  json_t *array = json_array();
  for (int32_t i = 0; array && i < count; i++)
    if (json_array_append_new(array, real(values[i]))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

static iscp_status no_memory(void) {
  return isc_fail(ISCP_ERROR_MEMORY, "out of memory while printing the input contract");
}

static iscp_status names_to_json(json_t *root, const char *const *names, size_t count) {
  json_t *array = json_array();
  if (json_object_set_new(root, "classes", array))
    return no_memory();
  for (size_t i = 0; i < count; i++)
    if (!names[i] || json_array_append_new(array, json_string(names[i])))
      return isc_fail(ISCP_ERROR_ARGUMENT, "class name %zu, \"%s\", is not UTF-8", i, names[i] ? names[i] : "");
  return ISCP_OK;
}

static int set_field(json_t *root, const iscp_contract *c, const char *name) {
  return json_object_set_new(root, name, isc_field_to_json(c, &isc_contract_fields, name));
}

/* Keys that older versions refuse are written only where they change something. */
static int set_rest(json_t *root, const iscp_contract *c) {
  int failed = 0;
  if (c->resize_short)
    failed |= json_object_set_new(root, "resize", json_integer(c->resize_short));
  if (c->resize_height)
    failed |= json_object_set_new(root, "resize", json_pack("[i,i]", (int)c->resize_height, (int)c->resize_width));
  if (c->filter)
    failed |= set_field(root, c, "filter");
  if (c->crop_height)
    failed |= json_object_set_new(root, "crop", json_pack("[i,i]", (int)c->crop_height, (int)c->crop_width));
  if (c->crop_rule)
    failed |= set_field(root, c, "crop_rule");
  if (c->order)
    failed |= set_field(root, c, "order");
  if (c->range != 1)
    failed |= set_field(root, c, "range");
  return failed;
}

json_t *isc_contract_json(const iscp_contract *c, isc_json_real *real) {
  json_t *root = json_pack("{s:i, s:i, s:i, s:[i,i,i,i], s:o, s:o}", "channels", (int)c->channels, "height", (int)c->height,
                           "width", (int)c->width, "pad", (int)c->pad_top, (int)c->pad_bottom, (int)c->pad_left,
                           (int)c->pad_right, "mean", floats_to_json(c->mean, c->channels, real), "std",
                           floats_to_json(c->std, c->channels, real));
  if (root && set_rest(root, c)) {
    json_decref(root);
    return NULL;
  }
  return root;
}

static json_t *exact(float value) { return json_real((double)value); }

/* Nine digits name every float32 without doubt. */
static iscp_status dump(char **json, const iscp_context *context, const json_t *root) {
  const size_t flags = JSON_REAL_PRECISION(9);
  size_t size = json_dumpb(root, NULL, 0, flags);
  if (!size)
    return no_memory();
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
  ISC_TRY(isc_contract_range(contract));
  json_t *root = isc_contract_json(contract, exact);
  if (!root)
    return no_memory();
  iscp_status status = ISCP_OK;
  if (count)
    status = names_to_json(root, names, count);
  if (status == ISCP_OK)
    status = dump(json, context, root);
  json_decref(root);
  return status;
}
