/* OpenBLAS's convolution inside another backend's layout: for what that backend refuses. Has no layout of its own. */
#ifndef ISC_NN_FALLBACK_H
#define ISC_NN_FALLBACK_H

#include "nn/backend.h"

extern const isc_backend isc_backend_fallback;

/* N x C x HW -> a layout in blocks of channels, the way back of isc_unblock (backend.h); channels that pad the last block become
 * zero. */
void isc_reblock(float *blocked, const float *plain, int32_t n, int32_t c, int64_t hw, int32_t block);

#endif
