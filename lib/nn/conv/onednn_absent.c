/* What a build without oneDNN says of it (nn/backend.h): nothing. */
#include "nn/backend.h"

const char *isc_onednn_version(void) { return ""; }
const char *isc_onednn_kernels(void) { return ""; }
