/* What the fuzz targets share: one parser each, given memory instead of a file. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "format/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline const iscp_context *fuzz_context(void) {
  static iscp_context *context;
  if (!context && iscp_context_create(&context, NULL) != ISCP_OK)
    abort();
  return context;
}

/* Reads every byte of a tensor, so that a sanitizer sees those that were never written or are not there. */
static inline void fuzz_touch(const isc_tensor *tensor) {
  static volatile uint8_t sum;
  size_t size = isc_tensor_bytes(tensor);
  for (size_t i = 0; i < size; i++)
    sum = (uint8_t)(sum + ((const uint8_t *)tensor->data)[i]);
}

static inline void fuzz_touch_set(isc_tensor_set *set, const iscp_context *context) {
  for (size_t i = 0; i < set->count; i++)
    fuzz_touch(&set->items[i]);
  isc_tensor_set_release(set, context);
}

/* A refusal must say why. */
static inline void fuzz_check(iscp_status status) {
  if (status != ISCP_OK && !*iscp_error_message())
    abort();
}

#endif
