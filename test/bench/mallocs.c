/* Counts each malloc of the process, of whatever library: these definitions go before the C library's, whose own are
 * still there under other names. A sanitizer has its own, which this must not replace. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench.h"

#if COUNT_MALLOCS

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static _Atomic int64_t calls;

void *malloc(size_t bytes) {
  atomic_fetch_add(&calls, 1);
  return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
  atomic_fetch_add(&calls, 1);
  return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
  atomic_fetch_add(&calls, 1);
  return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  atomic_fetch_add(&calls, 1);
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes) {
  atomic_fetch_add(&calls, 1);
  void *memory = __libc_memalign(alignment, bytes);
  if (!memory)
    return ENOMEM;
  *out = memory;
  return 0;
}

int64_t mallocs_now(void) { return atomic_load(&calls); }

#else

int64_t mallocs_now(void) { return -1; }

#endif
