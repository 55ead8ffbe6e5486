/* The root object: counts its references, so that objects and their context may go in any order. */
#include "base/context.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

iscp_status iscp_context_options_init(iscp_context_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_context_options_fields);
}

static iscp_status check(const iscp_context_options *options) {
  ISC_TRY(isc_fields_check(options, &isc_context_options_fields));
  if (!ISC_HAVE_ONEDNN && options->backend == ISCP_BACKEND_ONEDNN)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "this build has no oneDNN backend, expected auto or blas");
  if (options->precision && (!ISC_HAVE_ONEDNN || options->backend == ISCP_BACKEND_BLAS))
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "OpenBLAS has no bf16 convolutions, expected the oneDNN backend or f32");
  if (!options->allocate != !options->release)
    return isc_fail(ISCP_ERROR_ARGUMENT, "one of allocate and release is NULL, expected both or neither");
  return ISCP_OK;
}

iscp_status iscp_context_create(iscp_context **out, const iscp_context_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  iscp_context_options options;
  ISC_TRY(isc_fields_read(&options, &isc_context_options_fields, given));
  ISC_TRY(check(&options));
  iscp_context first = {.allocate = options.allocate,
                        .release = options.release,
                        .allocator_user = options.allocator_user};
  iscp_context *context = isc_calloc(&first, 1, sizeof *context);
  if (!context)
    return ISCP_ERROR_MEMORY;
  atomic_init(&context->references, 1);
  context->process = getpid();
  context->threads = options.threads ? options.threads : omp_get_max_threads();
  context->backend = options.backend ? options.backend : ISC_HAVE_ONEDNN ? ISCP_BACKEND_ONEDNN : ISCP_BACKEND_BLAS;
  context->memory = options.memory;
  context->convolutions = options.convolutions;
  context->precision = options.precision;
  context->log_level = options.log_level;
  context->log = options.log;
  context->log_user = options.log_user;
  context->allocate = options.allocate;
  context->release = options.release;
  context->allocator_user = options.allocator_user;
  *out = context;
  return ISCP_OK;
}

void iscp_context_destroy(iscp_context *context) { isc_context_drop(context); }

iscp_context *isc_context_hold(const iscp_context *context) {
  iscp_context *held = (iscp_context *)context; /* the count is not part of what const promises */
  atomic_fetch_add(&held->references, 1);
  return held;
}

void isc_context_drop(iscp_context *context) {
  if (!context || atomic_fetch_sub(&context->references, 1) != 1)
    return;
  iscp_context last = {.allocate = context->allocate,
                       .release = context->release,
                       .allocator_user = context->allocator_user};
  isc_free(&last, context);
}

int32_t iscp_context_backend(const iscp_context *context) { return context ? context->backend : 0; }

int64_t iscp_context_memory(const iscp_context *context) { return context ? context->memory : 0; }

int32_t iscp_context_convolutions(const iscp_context *context) { return context ? context->convolutions : 0; }

int32_t iscp_context_precision(const iscp_context *context) { return context ? context->precision : 0; }

int32_t iscp_context_threads(const iscp_context *context) { return context ? context->threads : 0; }

void isc_log(const iscp_context *context, int32_t level, const char *format, ...) {
  if (!context->log || level > context->log_level)
    return;
  char line[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  isc_keep_one_line(line);
  context->log(level, line, context->log_user);
}

/* The process in which this thread last led a team. libgomp keeps a team with the thread that leads it, so that a child
 * forked by that thread would wait forever for threads that it does not have; fork copies this note as well. */
static _Thread_local pid_t led_in;

iscp_status isc_compute_enter(const iscp_context *context, isc_compute *compute) {
  pid_t process = getpid();
  if (context->process != process)
    return isc_fail(ISCP_ERROR_BUSY, "the context was made in process %ld and this is %ld, expected a context of its own "
                    "after fork", (long)context->process, (long)process);
  if (context->threads > 1) {
    if (led_in && led_in != process)
      return isc_fail(ISCP_ERROR_BUSY, "this thread computed on several threads before fork and cannot lead %d now, "
                      "expected a context of 1 thread, a new thread, or spawn instead of fork", context->threads);
    led_in = process;
  }
  compute->saved_threads = omp_get_max_threads();
  omp_set_num_threads(context->threads);
  return ISCP_OK;
}

void isc_compute_leave(const isc_compute *compute) { omp_set_num_threads(compute->saved_threads); }
