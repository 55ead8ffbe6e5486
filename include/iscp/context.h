/* The root of everything: allocator, log, threads and backend. Nothing in the library is process-global.
 *
 * Every object is made from a context, directly or through its parent, and keeps it alive: contexts and
 * objects may be destroyed in any order. A context may be used from several threads at once, and so may contexts of
 * different thread counts and backends.
 *
 * After fork() the child must make its own: computing calls on inherited objects return ISCP_ERROR_BUSY. If the thread that
 * forked had computed on more than one thread, then in the child it may compute with contexts of 1 thread only, others are
 * refused likewise; new threads of the child, and processes started by exec or spawn, are free. The library does not
 * see teams that other OpenMP code of the process made before the fork. */
#ifndef ISCP_CONTEXT_H
#define ISCP_CONTEXT_H

#include <stddef.h>

#include <iscp/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_context iscp_context;

/* Backends: who computes the convolutions. */
enum {
  ISCP_BACKEND_AUTO = 0,   /* oneDNN if this build has it, else OpenBLAS */
  ISCP_BACKEND_ONEDNN = 1, /* oneDNN, and loops written here for what they compute faster */
  ISCP_BACKEND_BLAS = 2    /* im2col and sgemm on OpenBLAS; slower, complete */
};

/* How convolutions are computed. */
enum {
  ISCP_CONVOLUTIONS_DIRECT = 0, /* as defined: sums of products */
  ISCP_CONVOLUTIONS_FAST = 1    /* Winograd's algorithm for the 3x3 convolutions where oneDNN has it and it measures faster, when a
                                   session is made, so that two runs may choose otherwise; errors about ten times those of
                                   direct */
};

/* What convolutions multiply. Sums, activations and gradients between layers are float32 always. */
enum {
  ISCP_PRECISION_F32 = 0, /* float32 */
  ISCP_PRECISION_BF16 = 1 /* both factors rounded to bfloat16 (8 bits): faster on CPUs with AMX, less exact everywhere */
};

/* Log levels, in rising detail. */
enum { ISCP_LOG_ERROR = 1, ISCP_LOG_WARNING = 2, ISCP_LOG_INFO = 3, ISCP_LOG_DEBUG = 4 };

typedef struct iscp_context_options {
  uint32_t struct_size; /* sizeof(iscp_context_options), set by iscp_context_options_init */
  int32_t threads;      /* threads of every pool used, 0 to 1024; 0 = OpenMP's own default; default 0 */
  int32_t backend;      /* ISCP_BACKEND_*; default ISCP_BACKEND_AUTO */
  int32_t log_level;    /* ISCP_LOG_*: the most detailed level handed to `log`; default ISCP_LOG_WARNING */
  void (*log)(int32_t level, const char *message, void *log_user); /* NULL = silent; any thread; default NULL */
  void *log_user;                                                  /* given to `log` */
  void *(*allocate)(size_t bytes, void *allocator_user);           /* like malloc; NULL = malloc; any thread */
  void (*release)(void *memory, void *allocator_user);             /* like free; set both or neither */
  void *allocator_user;                                            /* given to both */
  int64_t memory;       /* bytes that one session may hold, 0 = no bound: searches and evaluations take smaller passes, or say
                           what they need; default 0 */
  int32_t convolutions; /* ISCP_CONVOLUTIONS_*, of the oneDNN backend; default ISCP_CONVOLUTIONS_DIRECT */
  int32_t precision;    /* ISCP_PRECISION_*; bf16 needs the oneDNN backend and a CPU with AMX or AVX-512 BF16;
                           default ISCP_PRECISION_F32 */
} iscp_context_options;

/* Fills `options` with the defaults; `struct_size` is the caller's sizeof. ISCP_ERROR_ABI if it is smaller than
 * the first version's or larger than the library can vouch for. Since 0.1. */
ISCP_API iscp_status iscp_context_options_init(iscp_context_options *options, uint32_t struct_size);

/* Makes a context. `options` may be NULL for the defaults. On success the caller owns *out; on failure *out is
 * NULL. ISCP_ERROR_UNSUPPORTED if the backend asked for is not in this build, or has not what is asked of it. Since 0.1. */
ISCP_API iscp_status iscp_context_create(iscp_context **out, const iscp_context_options *options);

/* Gives the context back; takes NULL. Its memory goes when the last object made from it is destroyed. Since 0.1. */
ISCP_API void iscp_context_destroy(iscp_context *context);

/* The backend in use, ISCP_BACKEND_ONEDNN or ISCP_BACKEND_BLAS (never AUTO); 0 for NULL. Since 0.1. */
ISCP_API int32_t iscp_context_backend(const iscp_context *context);

/* The number of threads that computing calls use; 0 for NULL. Since 0.1. */
ISCP_API int32_t iscp_context_threads(const iscp_context *context);

/* The options that the context was made with; 0 for NULL. Since 0.1. */
ISCP_API int64_t iscp_context_memory(const iscp_context *context);
ISCP_API int32_t iscp_context_convolutions(const iscp_context *context);
ISCP_API int32_t iscp_context_precision(const iscp_context *context);

/* One line about the machine as the backend sees it: CPU kernels of oneDNN and of OpenBLAS, as
 * "oneDNN avx512_core_bf16, OpenBLAS SkylakeX". Valid until the thread's next call of it; empty for NULL. Since 0.1. */
ISCP_API const char *iscp_context_kernels(const iscp_context *context);

#ifdef __cplusplus
}
#endif
#endif
