/* Which backend a context uses, and what the build and the machine offer. */
#include "nn/backend.h"

#include <stdio.h>

#include "config.h"

static int32_t plain_block(void) { return 1; }

const isc_backend isc_backend_blas = {.block = plain_block};
#if ISC_HAVE_ONEDNN
const isc_backend isc_backend_onednn = {.block = isc_onednn_block, .check = isc_onednn_check_precision};
#endif

const isc_backend *isc_backend_of(const iscp_context *context) {
#if ISC_HAVE_ONEDNN
  if (iscp_context_backend(context) == ISCP_BACKEND_ONEDNN)
    return &isc_backend_onednn;
#else
  (void)context;
#endif
  return &isc_backend_blas;
}

const char *iscp_version_text(void) {
  static _Thread_local char text[160];
  const char *onednn = isc_onednn_version();
  snprintf(text, sizeof text, "libiscp %d.%d.%d%s%s, OpenBLAS %s", ISCP_VERSION_MAJOR, ISCP_VERSION_MINOR,
           ISCP_VERSION_PATCH, *onednn ? ", oneDNN " : "", onednn, isc_blas_version());
  return text;
}

const char *iscp_context_kernels(const iscp_context *context) {
  static _Thread_local char text[256];
  const char *onednn = isc_onednn_kernels();
  if (!context)
    return "";
  snprintf(text, sizeof text, "%s%s%sOpenBLAS %s", *onednn ? "oneDNN " : "", onednn, *onednn ? ", " : "",
           isc_blas_kernels());
  return text;
}
