/* The operations beside convolutions, written once for all layouts of activations: ReLU, max-pooling, mean, dense layer. */
#ifndef ISC_NN_OPS_H
#define ISC_NN_OPS_H

#include "nn/ops/layout.h"

/* relu.c: bits[i] = src[i] > 0; and the two backward passes, 16 numbers a word. */
static inline size_t isc_bits_bytes(int64_t count) { return (size_t)(count + 15) / 16 * 2; }
void isc_relu_bits(uint16_t *bits, const float *dst, int64_t count);
void isc_relu_backward(float *diff, const uint16_t *bits, int64_t count);
/* diff = (diff + other) where the bits are set; bits NULL = everywhere. */
void isc_join_backward(float *diff, const float *other, const uint16_t *bits, int64_t count);

/* pool.c: 3x3, stride 2, padding 1, of a ReLU's output. `which` (may be NULL) keeps, one byte a dst number, which of the
 * nine won (3 * kh + kw), if any is above 0, else 255. Backward gives each diff_dst to that place, and overwrites; that of a
 * frozen network is one with the convolution's (stem_pool.c). */
void isc_pool_forward(float *dst, uint8_t *which, const float *src, int64_t planes, int32_t ih, int32_t iw, int32_t oh,
                      int32_t ow, int32_t block);
void isc_pool_backward(float *diff_src, const uint8_t *which, const float *diff_dst, int64_t planes, int32_t ih, int32_t iw,
                       int32_t oh, int32_t ow, int32_t block);

/* mean.c: over H x W; dense.c: the dense layer. features: N x C, weights: classes x C. */
void isc_mean_forward(float *features, const float *src, int32_t n, int32_t c, int32_t hw, int32_t block);
/* diff_src = diff_features / HW at every place, 0 where the bits (NULL = all set) are not set. */
void isc_mean_backward(float *diff_src, const float *diff_features, const uint16_t *bits, int32_t n, int32_t c,
                       int32_t hw, int32_t block);
void isc_dense_forward(float *dst, const float *src, const float *weights, const float *bias, int32_t n, int32_t c,
                       int32_t classes);
void isc_dense_backward_data(float *diff_src, const float *diff_dst, const float *weights, int32_t n, int32_t c,
                             int32_t classes);
/* Both are added to. */
void isc_dense_backward_weights(float *diff_weights, float *diff_bias, const float *src, const float *diff_dst, int32_t n,
                                int32_t c, int32_t classes);

#endif
