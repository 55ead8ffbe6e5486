/* The inside of a context, for lib/base only. */
#ifndef ISC_BASE_CONTEXT_H
#define ISC_BASE_CONTEXT_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/base.h"

struct iscp_context {
  atomic_int references;
  pid_t process; /* the process that made it: pools of threads do not survive fork() */
  int32_t threads;
  int32_t backend, convolutions, precision;
  int64_t memory;
  int32_t log_level;
  void (*log)(int32_t level, const char *message, void *user);
  void *log_user;
  void *(*allocate)(size_t bytes, void *user);
  void (*release)(void *memory, void *user);
  void *allocator_user;
};

#endif
