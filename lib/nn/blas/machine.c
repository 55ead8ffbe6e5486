/* What OpenBLAS is, and which of its CPU kernels it chose when it was loaded. */
#include <cblas.h>
#include <stdio.h>
#include <string.h>

#include "nn/backend.h"

const char *isc_blas_version(void) {
  static _Thread_local char text[64];
  const char *config = openblas_get_config(); /* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..." */
  const char *number = strchr(config, ' ');
  snprintf(text, sizeof text, "%.*s", (int)strcspn(number ? number + 1 : config, " "), number ? number + 1 : config);
  return text;
}

const char *isc_blas_kernels(void) { return openblas_get_corename(); }
