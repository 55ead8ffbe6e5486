/* backward_data of the network's first convolution, for activations in blocks of channels. */
#ifndef ISC_NN_STEM_H
#define ISC_NN_STEM_H

#include "nn/backend.h"

/* Numbers that the packed weights take, channels rounded up to whole blocks. */
int64_t isc_stem_count(const isc_conv_shape *shape, int32_t block);

/* weights OC x IC x K x K (folded) -> isc_stem_count numbers in the order of use. */
void isc_stem_pack(float *packed, const float *weights, const isc_conv_shape *shape, int32_t block);

/* diff_src (N x IC x IH x IW, IC 1 or 3) from diff_dst in blocks of 8 or 16 channels; overwrites. Stride 1 or 2, K 3 or 7. */
void isc_stem_backward_data(float *diff_src, const float *packed, const float *diff_dst, const isc_conv_shape *shape,
                            int32_t block);

#endif
