/* Backward of the network's beginning, from the first activations to the image. */
#ifndef ISC_NN_STEM_H
#define ISC_NN_STEM_H

#include "nn/ops/layout.h"
#include "nn/resnet/graph.h"

/* ---- The cifar stem, for activations in blocks of channels (stem.c) ---- */

/* Numbers that the packed weights take, channels rounded up to whole blocks. */
int64_t isc_stem_count(const isc_conv_shape *shape, int32_t block);

/* weights OC x IC x K x K (folded) -> isc_stem_count numbers in the order of use. */
void isc_stem_pack(float *packed, const float *weights, const isc_conv_shape *shape, int32_t block);

/* diff_src (N x IC x IH x IW, IC 1 or 3) from diff_dst in blocks of 8 or 16 channels; overwrites. Stride 1, K 3. */
void isc_stem_backward_data(float *diff_src, const float *packed, const float *diff_dst, const isc_conv_shape *shape,
                            int32_t block);

/* ---- The imagenet stem with its max-pool, any block (stem_pool.c) ---- */

typedef struct isc_stem_pool {
  const isc_conv_shape *conv; /* K 7, stride 2, padding 3; IC 1 or 3 */
  int32_t oh, ow;             /* of the pool's dst */
  int32_t block;
} isc_stem_pool;

int64_t isc_stem_pool_count(const isc_conv_shape *shape);
void isc_stem_pool_pack(float *packed, const float *weights, const isc_conv_shape *shape);

/* diff_src (N x IC x IH x IW) of the convolution, from diff_dst of the pool and what its forward chose; overwrites. The
 * packed weights are aligned to 32 bytes. */
void isc_stem_pool_backward(float *diff_src, const float *packed, const uint8_t *which, const float *diff_dst,
                            const isc_stem_pool *shape);

#endif
