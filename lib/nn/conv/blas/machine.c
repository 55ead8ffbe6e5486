/* What OpenBLAS is, which of its CPU kernels it chose when it was loaded, and whether this CPU has better ones.
 *
 * OpenBLAS chooses by a table of CPUs, and takes one that is newer than itself for an old one: its kernels for Haswell
 * give half of what a CPU with AVX-512 can do, those for Prescott a fifth. A running process cannot change the choice, so it
 * is told. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/simd.h"
#include "nn/backend.h"

const char *isc_blas_version(void) {
  static _Thread_local char text[64];
  const char *config = openblas_get_config(); /* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..." */
  const char *number = strchr(config, ' ');
  snprintf(text, sizeof text, "%.*s", (int)strcspn(number ? number + 1 : config, " "), number ? number + 1 : config);
  return text;
}

static bool is_among(const char *name, const char *const *names) {
  while (*names && strcasecmp(name, *names))
    names++;
  return *names != NULL;
}

const char *isc_blas_advice(const char *kernels, bool avx512, bool avx2) {
  static const char *const with_avx512[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
  static const char *const with_avx2[] = {"Haswell", "Zen", NULL};
  if (avx512 && !is_among(kernels, with_avx512))
    return "this CPU has AVX-512: set OPENBLAS_CORETYPE=SkylakeX";
  if (!avx512 && avx2 && !is_among(kernels, with_avx2))
    return "this CPU has AVX2: set OPENBLAS_CORETYPE=Haswell";
  return "";
}

/* A build for one CPU has no choice to be made. */
static const char *advice_here(void) {
#if defined(__x86_64__)
  if (strstr(openblas_get_config(), "DYNAMIC_ARCH"))
    return isc_blas_advice(openblas_get_corename(), isc_cpu_found() & ISC_CPU_AVX512, isc_cpu_found() & ISC_CPU_AVX2);
#endif
  return "";
}

void isc_blas_advise(const iscp_context *context) {
  const char *advice = advice_here();
  int32_t level = iscp_context_backend(context) == ISCP_BACKEND_BLAS ? ISCP_LOG_WARNING : ISCP_LOG_INFO;
  if (*advice)
    isc_log(context, level, "OpenBLAS runs its %s kernels, but %s", openblas_get_corename(), advice);
}

int32_t isc_blas_most_threads(void) {
  enum { LEAST = 2 }; /* of any build with threads */
  const char *word = "MAX_THREADS=", *found = strstr(openblas_get_config(), word);
  long most = found ? strtol(found + strlen(word), NULL, 10) : LEAST;
  return most < LEAST ? LEAST : most > 1024 ? 1024 : (int32_t)most;
}

const char *isc_blas_kernels(void) {
  static _Thread_local char text[128];
  const char *kernels = openblas_get_corename(), *advice = advice_here();
  snprintf(text, sizeof text, *advice ? "%s (%s)" : "%s", kernels, advice);
  return text;
}
