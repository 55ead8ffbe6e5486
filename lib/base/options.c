/* The ABI rule of structs, in one place: struct_size first, defaults, then the caller's prefix; zero is all that may stand in
 * what this library does not know, be it beyond its own size or in a reserved field. A struct's size in its first version and
 * its reserved fields are what its table says (fields/). */
#include <string.h>

#include "base/base.h"

enum { LARGEST_STRUCT = 4096 }; /* catches garbage in struct_size */

static iscp_status check_size(uint32_t size, size_t first, const char *name) {
  if (size < first)
    return isc_fail(ISCP_ERROR_ABI, "%s has struct_size %u, expected at least %zu (fill it with its _init function)",
                    name, size, first);
  if (size > LARGEST_STRUCT)
    return isc_fail(ISCP_ERROR_ABI, "%s has struct_size %u, expected at most %d", name, size, LARGEST_STRUCT);
  return ISCP_OK;
}

static uint32_t size_of(const void *given) {
  uint32_t size;
  memcpy(&size, given, sizeof size);
  return size;
}

/* The caller's prefix over what `options`, a struct of this library's size, holds already. */
static iscp_status take(void *options, const iscp_fields *fields, const void *given) {
  uint32_t size = size_of(given), known = fields->size;
  ISC_TRY(check_size(size, fields->first, fields->name));
  const unsigned char *bytes = given;
  for (size_t i = known; i < size; i++)
    if (bytes[i])
      return isc_fail(ISCP_ERROR_ABI, "%s has a setting at byte %zu, but this library knows %u bytes of it", fields->name, i,
                      known);
  memcpy(options, given, size < known ? size : known);
  memcpy(options, &known, sizeof known);
  return isc_fields_check_reserved(options, fields);
}

iscp_status isc_fields_read(void *options, const iscp_fields *fields, const void *given) {
  isc_fields_defaults(options, fields);
  return given ? take(options, fields, given) : ISCP_OK;
}

iscp_status isc_fields_init(void *options, uint32_t struct_size, const iscp_fields *fields) {
  if (!options)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", fields->name);
  ISC_TRY(check_size(struct_size, fields->first, fields->name));
  unsigned char whole[LARGEST_STRUCT];
  isc_fields_defaults(whole, fields);
  memset(options, 0, struct_size);
  memcpy(options, whole, struct_size < fields->size ? struct_size : fields->size);
  memcpy(options, &struct_size, sizeof struct_size);
  return ISCP_OK;
}

iscp_status isc_fields_check_output(const void *given, const iscp_fields *fields) {
  if (!given)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", fields->name);
  return check_size(size_of(given), fields->first, fields->name);
}

iscp_status isc_fields_write(void *given, const iscp_fields *fields, const void *result) {
  ISC_TRY(isc_fields_check_output(given, fields));
  uint32_t size = size_of(given);
  memset(given, 0, size);
  memcpy(given, result, size < fields->size ? size : fields->size);
  memcpy(given, &size, sizeof size);
  return ISCP_OK;
}
