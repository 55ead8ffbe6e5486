/* A whole ResNet in plain C and double, straight from the named tensors: batch norm is not folded in, nothing is fused,
 * and the wiring is written out a second time. One image. */
#ifndef PLAIN_NETWORK_H
#define PLAIN_NETWORK_H

#include "toy.h"

/* image: channels x height x width, normalised -> logits of the toy's classes. */
void plain_network(double *logits, const isc_tensor_set *tensors, const toy *t, const double *image, int32_t height,
                   int32_t width);

/* The same in two parts, cut behind the last ReLU of layer<stage>, 1 to 4, whose output is size[0] x size[1] x size[2]. The
 * first part's result is the caller's (free). */
double *plain_network_stage(int32_t size[3], const isc_tensor_set *tensors, const toy *t, const double *image,
                            int32_t height, int32_t width, int stage);
void plain_network_rest(double *logits, const isc_tensor_set *tensors, const toy *t, const double *activations,
                        const int32_t size[3], int stage);

/* -log softmax(logits)[target]. */
double plain_cross_entropy(const double *logits, int32_t classes, int32_t target);

#endif
