/* The tensors that a ResNet needs, by name and shape, and a layer's weights with its batch norm folded in. */
#ifndef ISC_NN_PARAMETERS_H
#define ISC_NN_PARAMETERS_H

#include "nn/resnet/graph.h"

/* Checks `tensors` against the graph: nothing missing, unexpected or mis-shaped, all finite. */
iscp_status isc_parameters_check(const isc_tensor_set *tensors, const isc_graph *graph, const iscp_context *context);

/* Trained numbers: weights and biases, without running statistics. */
int64_t isc_parameters_count(const isc_graph *graph);

/* weights (OC x IC x K x K) and bias (OC) of a layer with y = gamma (conv(x) - mean) / sqrt(var + eps) + beta folded in. */
iscp_status isc_parameters_fold(float *weights, float *bias, const isc_tensor_set *tensors, const isc_layer *layer);

/* Reverses the input channels of weights (OC x IC x K x K). */
void isc_parameters_reverse(float *weights, const isc_conv_shape *shape);

#endif
