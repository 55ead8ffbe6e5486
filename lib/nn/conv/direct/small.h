/* Convolutions in training of images so small that oneDNN's loops over places have nothing to run along: 1x1, 2x2, ... (small.c).
 *
 * Activations are in blocks of 16 channels, weights [block of oc][block of ic][kh][kw][ic][oc], in blocks of 16 by 16: oneDNN's
 * OIhw16i16o. Results do not depend on the number of threads. */
#ifndef ISC_NN_DIRECT_SMALL_H
#define ISC_NN_DIRECT_SMALL_H

#include "nn/ops/layout.h"
#include "nn/resnet/graph.h"

enum { ISC_SMALL_BLOCK = 16 };

/* Whether these are the faster ones; by shape and CPU alone, so that a training that goes on later takes the same. */
bool isc_small_directions(const isc_conv_shape *shape); /* forward and backward_data */
bool isc_small_gradient(const isc_conv_shape *shape);   /* backward_weights */

size_t isc_small_scratch(const isc_conv_shape *shape); /* bytes, 64-byte aligned, of any of these */

/* As isc_conv_implementation's. */
void isc_small_forward(const isc_conv_shape *shape, const float *weights, const float *src, float *dst, void *scratch);
void isc_small_backward_data(const isc_conv_shape *shape, const float *weights, const float *diff_dst, float *diff_src,
                             void *scratch);
void isc_small_backward_weights(const isc_conv_shape *shape, const float *src, const float *diff_dst, float *diff_weights,
                                bool add, void *scratch);

#endif
