/* An allocator that counts. What oneDNN and OpenBLAS take for themselves does not come here. */
#include <stdatomic.h>
#include <stdlib.h>

#include "measure/measure.h"

/* In front of each block its size, in as many bytes as keep malloc's alignment. */
typedef union header {
  size_t size;
  max_align_t alignment;
} header;

static _Atomic int64_t held, allocations;

static void *count_allocate(size_t bytes, void *user) {
  (void)user;
  header *block = malloc(sizeof *block + bytes);
  if (!block)
    return NULL;
  block->size = bytes;
  atomic_fetch_add(&held, (int64_t)bytes);
  atomic_fetch_add(&allocations, 1);
  return block + 1;
}

static void count_release(void *memory, void *user) {
  (void)user;
  header *block = (header *)memory - 1;
  atomic_fetch_sub(&held, (int64_t)block->size);
  free(block);
}

void counter_install(iscp_context_options *options) {
  options->allocate = count_allocate;
  options->release = count_release;
}

counter_state counter_now(void) { return (counter_state){atomic_load(&held), atomic_load(&allocations)}; }
