/* OpenBLAS's convolution inside another backend's layout: for what that backend refuses. Has no layout of its own. */
#ifndef ISC_NN_FALLBACK_H
#define ISC_NN_FALLBACK_H

#include "nn/backend.h"

extern const isc_backend isc_backend_fallback;

#endif
