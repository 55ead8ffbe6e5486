/* Pieces of JSON that the readers of input contracts share: whole numbers, and arrays of numbers, by their keys. They stand below
 * contract_json.c and contract_foreign.c; a message names the key, and who opened the file puts its name in front. */
#include "data/contract/contract.h"

iscp_status isc_json_integer(int32_t *value, const json_t *item, const char *key) {
  if (!json_is_integer(item))
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is missing or no whole number", key);
  json_int_t number = json_integer_value(item);
  if (number < INT32_MIN || number > INT32_MAX)
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is %lld, expected a number of 32 bits", key, (long long)number);
  *value = (int32_t)number;
  return ISCP_OK;
}

iscp_status isc_json_optional_integer(int32_t *value, const json_t *root, const char *key) {
  const json_t *item = json_object_get(root, key);
  return item ? isc_json_integer(value, item, key) : ISCP_OK;
}

iscp_status isc_json_array(const json_t *array, const char *key, size_t count) {
  if (!json_is_array(array) || json_array_size(array) != count)
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is not an array of %zu numbers", key, count);
  return ISCP_OK;
}

iscp_status isc_json_floats(float *values, const json_t *root, const char *key, size_t count) {
  const json_t *array = json_object_get(root, key);
  if (!array)
    return ISCP_OK;
  ISC_TRY(isc_json_array(array, key, count));
  for (size_t i = 0; i < count; i++) {
    const json_t *item = json_array_get(array, i);
    if (!json_is_number(item))
      return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" holds something other than numbers", key);
    values[i] = (float)json_number_value(item);
  }
  return ISCP_OK;
}
