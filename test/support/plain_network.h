/* A whole ResNet in plain C and double, straight from the named tensors: batch norm is not folded in, nothing is fused,
 * and the wiring is written out a second time. One image. */
#ifndef PLAIN_NETWORK_H
#define PLAIN_NETWORK_H

#include "toy.h"

/* image: channels x height x width, normalised -> logits of the toy's classes. */
void plain_network(double *logits, const isc_tensor_set *tensors, const toy *t, const double *image, int32_t height,
                   int32_t width);

/* -log softmax(logits)[target]. */
double plain_cross_entropy(const double *logits, int32_t classes, int32_t target);

#endif
