/* Batch norm of training: the statistics are the batch's, or, of a network that is looked at, the running ones (norm.c). */
#ifndef ISC_NN_NORM_H
#define ISC_NN_NORM_H

#include "nn/ops/layout.h"

typedef struct isc_norm_shape {
  int32_t n, c, hw, block; /* block 1, 8 or 16 */
} isc_norm_shape;

enum { ISC_NORM_LANES = 16 };

/* Added to a variance, here and where a norm is folded: PyTorch's default, which no ResNet of torchvision changes. */
static const double ISC_NORM_EPS = 1e-5;

/* The numbers of a layer's norm: C of each, and of those that stand ready for vectors isc_norm_lanes, zeros at first. */
typedef struct isc_norm {
  float *gamma, *beta, *running_mean, *running_variance;
  float *diff_gamma, *diff_beta;
  float *deviation;                    /* written by forward, read by backward */
  float *mean, *a, *b, *slope, *offset; /* lanes, likewise: y = a x + b; diff_x = a g + slope x + offset */
} isc_norm;

int64_t isc_norm_lanes(int32_t channels, int32_t block);

/* Bytes that either direction takes from its caller. */
size_t isc_norm_scratch(const isc_norm_shape *shape);

/* y = max(norm(x) [+ shortcut], 0); without relu no max, with NULL no shortcut. Moves the running statistics a tenth of the
 * way to the batch's, of which the variance is the unbiased one. n * hw is above 1. */
void isc_norm_forward(float *y, const isc_norm *norm, const float *x, const float *shortcut, bool relu,
                      const isc_norm_shape *shape, void *scratch);

typedef struct isc_norm_gradient {
  const float *x;     /* forward's */
  const float *y;     /* forward's, needed where a shortcut was added before ReLU, else NULL */
  float *diff;        /* of y */
  const float *other; /* NULL, or a second part of it; then `keep` is set */
  float *diff_x;      /* overwritten; may be `diff` */
  bool relu;
  bool keep;          /* afterwards diff = diff + other where y is above 0, else 0: what the shortcut gets */
} isc_norm_gradient;

/* diff_gamma and diff_beta are added to. With y, `keep` is set. */
void isc_norm_backward(const isc_norm *norm, const isc_norm_gradient *gradient, const isc_norm_shape *shape, void *scratch);

/* The same with the running statistics, which stay as they are. Backward reads of forward's only `y`, where there is a ReLU,
 * gives no gradient but diff_x, and needs `keep` for a shortcut alone. */
void isc_norm_frozen_forward(float *y, const isc_norm *norm, const float *x, const float *shortcut, bool relu,
                             const isc_norm_shape *shape);
void isc_norm_frozen_backward(const isc_norm *norm, const isc_norm_gradient *gradient, const isc_norm_shape *shape);

#endif
