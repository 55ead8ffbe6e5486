/* Plain C of each operation of lib/nn, in double and without layout tricks: what the backends are held against.
 *
 * Activations are N C H W, weights OC x IC x K x K. */
#ifndef PLAIN_H
#define PLAIN_H

#include "nn/resnet/graph.h"

/* The kernels that this CPU would not choose: limits the calling thread to those of TEST_CPU, "avx2" or "none", if it is set. */
void plain_limit_cpu(void);

/* A sum of products, and the sum of their absolute values: what rounding errors are relative to. */
typedef struct plain_sum {
  double value, magnitude;
} plain_sum;

/* One number of dst = weights * src + bias, and one of diff_src = transposed weights * diff_dst. */
plain_sum plain_conv_forward(const isc_conv_shape *s, const float *src, const float *weights, const float *bias,
                             int32_t n, int32_t oc, int32_t oh, int32_t ow);
plain_sum plain_conv_backward_data(const isc_conv_shape *s, const float *diff_dst, const float *weights, int32_t n,
                                   int32_t ic, int32_t ih, int32_t iw);

/* How far a float32 sum of `terms` products may be from the exact one. Rounding errors of random sign add up like a
 * random walk, to sqrt(terms) halves of an ulp of the magnitude (Higham and Mary, 2019); four times that leaves room
 * for the tail of thousands of sums, and is still below what one missing product of average size would change. */
double plain_tolerance(double terms, double magnitude);

/* 3x3, stride 2, padding 1. Backward gives each diff_dst to the first largest place of its window. */
void plain_pool_forward(float *dst, const float *src, int64_t planes, int32_t ih, int32_t iw, int32_t oh, int32_t ow);
void plain_pool_backward(double *diff_src, const float *src, const float *diff_dst, int64_t planes, int32_t ih,
                         int32_t iw, int32_t oh, int32_t ow);

/* features[n][c] = mean of src[n][c] over H x W; dst = weights (classes x C) * features + bias. */
void plain_mean(double *features, const float *src, int64_t planes, int32_t hw);
void plain_dense(double *dst, const double *features, const float *weights, const float *bias, int32_t n, int32_t c,
                 int32_t classes);

/* N C H W <-> the layout of backend.h, N x ceil(C / block) x HW x block. plain_block pads with zeros; plain_unblock
 * answers false if a number of the padding is not zero. */
void plain_block(float *blocked, const float *src, int32_t n, int32_t c, int64_t hw, int32_t block);
bool plain_unblock(float *dst, const float *blocked, int32_t n, int32_t c, int64_t hw, int32_t block);

#endif
