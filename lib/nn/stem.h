/* backward_data of the network's first convolution, written once for all backends. */
#ifndef ISC_NN_STEM_H
#define ISC_NN_STEM_H

#include "nn/backend.h"

/* Bytes of scratch for `threads` threads. */
size_t isc_stem_scratch(const isc_conv_shape *shape, int32_t threads);

/* weights OC x IC x K x K (folded) -> as many numbers in the order of use. */
void isc_stem_pack(float *packed, const float *weights, const isc_conv_shape *shape);

/* diff_src (N x IC x IH x IW, IC 1 or 3) from diff_dst in blocks of `block` channels; overwrites. Stride 1 or 2, K 3 or 7. */
void isc_stem_backward_data(float *diff_src, const float *packed, const float *diff_dst, const isc_conv_shape *shape,
                            int32_t block, void *scratch, int32_t threads);

#endif
