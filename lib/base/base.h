/* Face of lib/base: context, memory, messages, options rule, threads, random streams. No numerics. */
#ifndef ISC_BASE_H
#define ISC_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <iscp/context.h>
#include <iscp/progress.h>

#include "base/fields/fields.h"

/* ---- Status and message (status.c) ---- */

/* Sets the thread's message and yields `status`: a macro, so that the compiler sees which status it is. */
#define isc_fail(status, ...) (isc_message_set(__VA_ARGS__), (iscp_status)(status))
void isc_message_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* File names, names of tensors and of classes come from outside: whatever they hold, the text stays one printable line. */
void isc_keep_one_line(char *text);

/* Puts "prefix: " before the thread's message and yields `status`: for a caller that knows the file's name. */
#define isc_fail_in(status, prefix) isc_fail(status, "%s: %s", prefix, iscp_error_message())

#define ISC_TRY(call)                        \
  do {                                       \
    iscp_status isc_try_status_ = (call);    \
    if (isc_try_status_ != ISCP_OK)          \
      return isc_try_status_;                \
  } while (0)

/* As ISC_TRY, in functions that give back what they hold at a label `done` and return `status`. */
#define ISC_TRY_OR_DONE(call)       \
  do {                              \
    status = (call);                \
    if (status != ISCP_OK)          \
      goto done;                    \
  } while (0)

/* ---- Context (context.c) ---- */

/* Adds and drops a reference: every object holds one on its context. */
iscp_context *isc_context_hold(const iscp_context *context);
void isc_context_drop(iscp_context *context);

/* Hands a line to the context's log if its level asks for it. */
void isc_log(const iscp_context *context, int32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Every computing entry point runs between these two: the first refuses what would hang in a forked child and gives the
 * calling thread's OpenMP pool the context's thread count, the second restores what the caller had. */
typedef struct isc_compute {
  int saved_threads;
} isc_compute;
iscp_status isc_compute_enter(const iscp_context *context, isc_compute *compute);
void isc_compute_leave(const isc_compute *compute);

/* ---- Rows (rows.c) ---- */

/* Fills one row; called on any thread, and more than once for the rows behind one that failed. */
typedef iscp_status isc_row_fn(void *user, int32_t row);

/* Calls `each` for rows 0 .. rows - 1 on all threads. What the first row that fails says is this thread's message. */
iscp_status isc_rows_fill(int32_t rows, isc_row_fn *each, void *user);

/* ---- Memory (memory.c): the only place that calls malloc ---- */

/* Bytes: a cache line, and the widest vector. Whatever shares a block of memory begins at a multiple of it. */
enum { ISC_ALIGNMENT = 64 };
static inline size_t isc_aligned(size_t bytes) { return (bytes + ISC_ALIGNMENT - 1) / ISC_ALIGNMENT * ISC_ALIGNMENT; }

/* Memory of at least one byte, 64-byte aligned, owned by the caller until isc_free. On failure NULL and the thread's
 * message; the callers return ISCP_ERROR_MEMORY. isc_calloc checks count * size for overflow and clears the memory. */
void *isc_alloc(const iscp_context *context, size_t bytes);
void *isc_calloc(const iscp_context *context, size_t count, size_t size);
void isc_free(const iscp_context *context, void *memory); /* takes NULL */
char *isc_strdup(const iscp_context *context, const char *text);

/* Grows `*memory` (NULL at first) from `*capacity` elements to hold at least `needed`, doubling. */
iscp_status isc_grow(const iscp_context *context, void **memory, size_t *capacity, size_t needed, size_t size);

/* ---- Random streams (random.c): counter-based, never by thread or order of arrival ---- */

enum isc_purpose {
  ISC_PURPOSE_SPLIT = 1, ISC_PURPOSE_ORDER = 2, ISC_PURPOSE_CANVAS = 3, ISC_PURPOSE_WEIGHTS = 4, ISC_PURPOSE_SAMPLE = 5,
  ISC_PURPOSE_AUGMENT = 6, ISC_PURPOSE_POISON = 7, ISC_PURPOSE_ATTACK = 8, ISC_PURPOSE_INVERT = 9
};

/* 64 random bits named by (seed, purpose, class, epoch, index): Philox4x32-10 with the seed as key. */
uint64_t isc_random(uint64_t seed, int32_t purpose, int32_t class_index, int32_t epoch, int64_t index);

/* Two numbers named alike: uniform in [0, 1) and independent, or of a normal distribution of mean 0 and deviation 1. */
void isc_random_uniform(double pair[2], uint64_t seed, int32_t purpose, int32_t class_index, int32_t epoch,
                        int64_t index);
void isc_random_normal(double pair[2], uint64_t seed, int32_t purpose, int32_t class_index, int32_t epoch,
                       int64_t index);

/* Orders `count` indices by their random keys (ties by index): a seeded shuffle that is the same for any input order. */
iscp_status isc_random_shuffle(const iscp_context *context, int64_t *indices, int64_t count, uint64_t seed,
                               int32_t purpose, int32_t class_index, int32_t epoch);

/* ---- Clock (clock.c) ---- */

/* Seconds of a monotonic clock, from an unknown start: to pace calls and to measure. Only plans depend on it. */
double isc_clock(void);

/* ---- Progress (progress.c) ---- */

/* Calls the user's function at most ten times a second. */
typedef struct isc_progress {
  iscp_progress_fn function;
  void *user;
  const char *stage;
  int64_t total;
  int64_t last_tick; /* tenths of a second of a monotonic clock */
} isc_progress;

void isc_progress_begin(isc_progress *progress, const char *stage, int64_t total, iscp_progress_fn function, void *user);

/* Reports `done`; ISCP_ERROR_CANCELLED if the user asks to stop. The last call, with done == total, always reports. */
iscp_status isc_progress_tell(isc_progress *progress, int64_t done);

#endif
