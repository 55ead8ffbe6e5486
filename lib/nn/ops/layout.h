/* The layout of activations, and the changes between it and N C H W.
 *
 * Activations are N x ceil(C / block) x H x W x block: block 1 is N C H W, 8 and 16 are oneDNN's nChw8c and nChw16c.
 * Channels that pad the last block are zero. */
#ifndef ISC_NN_LAYOUT_H
#define ISC_NN_LAYOUT_H

#include "base/base.h"

static inline int64_t isc_blocks(int32_t channels, int32_t block) { return ((int64_t)channels + block - 1) / block; }
static inline int64_t isc_activation_count(int32_t n, int32_t c, int32_t h, int32_t w, int32_t block) {
  return n * isc_blocks(c, block) * h * w * block;
}

/* plain (N x C x HW) = blocked, and back; channels that pad the last block become zero. */
void isc_unblock(float *plain, const float *blocked, int32_t n, int32_t c, int64_t hw, int32_t block);
void isc_reblock(float *blocked, const float *plain, int32_t n, int32_t c, int64_t hw, int32_t block);

#endif
