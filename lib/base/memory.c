/* All memory of the library passes here. Blocks are aligned to 64 bytes (a cache line, the widest vector); the word in
 * front of a block remembers what the allocator returned. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/context.h"

void *isc_alloc(const iscp_context *context, size_t bytes) {
  if (bytes > SIZE_MAX / 2) {
    isc_message_set("out of memory: %zu bytes asked for", bytes);
    return NULL;
  }
  size_t total = bytes + ISC_ALIGNMENT + sizeof(void *);
  void *raw = context->allocate ? context->allocate(total, context->allocator_user) : malloc(total);
  if (!raw) {
    isc_message_set("out of memory: %zu bytes asked for", bytes);
    return NULL;
  }
  uintptr_t address = ((uintptr_t)raw + sizeof(void *) + ISC_ALIGNMENT - 1) / ISC_ALIGNMENT * ISC_ALIGNMENT;
  ((void **)address)[-1] = raw;
  return (void *)address;
}

void *isc_calloc(const iscp_context *context, size_t count, size_t size) {
  if (size && count > SIZE_MAX / size) {
    isc_message_set("out of memory: %zu times %zu bytes asked for", count, size);
    return NULL;
  }
  void *memory = isc_alloc(context, count * size);
  if (memory)
    memset(memory, 0, count * size);
  return memory;
}

void isc_free(const iscp_context *context, void *memory) {
  if (!memory)
    return;
  void *raw = ((void **)memory)[-1];
  if (context->release)
    context->release(raw, context->allocator_user);
  else
    free(raw);
}

char *isc_strdup(const iscp_context *context, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = isc_alloc(context, size);
  if (copy)
    memcpy(copy, text, size);
  return copy;
}

iscp_status isc_grow(const iscp_context *context, void **memory, size_t *capacity, size_t needed, size_t size) {
  if (needed <= *capacity)
    return ISCP_OK;
  size_t grown = *capacity ? *capacity : 8;
  while (grown < needed)
    grown = grown > SIZE_MAX / 2 ? needed : grown * 2;
  void *larger = isc_calloc(context, grown, size);
  if (!larger)
    return ISCP_ERROR_MEMORY;
  if (*memory)
    memcpy(larger, *memory, *capacity * size);
  isc_free(context, *memory);
  *memory = larger;
  *capacity = grown;
  return ISCP_OK;
}
