/* The ABI rule of options structs, in one place: struct_size first, defaults, then the caller's prefix. */
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

iscp_status isc_options_read(void *options, const void *defaults, size_t known, size_t first, const void *given,
                             const char *name) {
  memcpy(options, defaults, known);
  if (!given)
    return ISCP_OK;
  uint32_t size = size_of(given);
  ISC_TRY(check_size(size, first, name));
  const unsigned char *bytes = given;
  for (size_t i = known; i < size; i++)
    if (bytes[i])
      return isc_fail(ISCP_ERROR_ABI, "%s has a setting at byte %zu, but this library knows %zu bytes of it", name, i,
                      known);
  memcpy(options, given, size < known ? size : known);
  uint32_t whole = (uint32_t)known;
  memcpy(options, &whole, sizeof whole);
  return ISCP_OK;
}

iscp_status isc_options_init(void *options, uint32_t struct_size, const void *defaults, size_t known, size_t first,
                             const char *name) {
  if (!options)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", name);
  ISC_TRY(check_size(struct_size, first, name));
  memset(options, 0, struct_size);
  memcpy(options, defaults, struct_size < known ? struct_size : known);
  memcpy(options, &struct_size, sizeof struct_size);
  return ISCP_OK;
}

iscp_status isc_output_check(const void *given, size_t first, const char *name) {
  if (!given)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", name);
  return check_size(size_of(given), first, name);
}

iscp_status isc_output_write(void *given, const void *result, size_t known, size_t first, const char *name) {
  ISC_TRY(isc_output_check(given, first, name));
  uint32_t size = size_of(given);
  memset(given, 0, size);
  memcpy(given, result, size < known ? size : known);
  memcpy(given, &size, sizeof size);
  return ISCP_OK;
}
