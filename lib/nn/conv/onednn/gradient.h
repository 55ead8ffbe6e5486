/* What training needs beside the two directions of a convolution: its weights' gradient, and weights in other orders. For
 * lib/nn/conv/onednn only. */
#ifndef ISC_NN_ONEDNN_GRADIENT_H
#define ISC_NN_ONEDNN_GRADIENT_H

#include "nn/conv/onednn/direction.h"

/* diff_weights, in the order that the forward direction has its weights in. */
typedef struct isc_gradient {
  dnnl_primitive_desc_t pd;
  dnnl_primitive_t primitive;
  dnnl_memory_t src, diff_dst, diff_weights, scratchpad;
  size_t scratch_bytes;
} isc_gradient;

/* ISCP_ERROR_UNSUPPORTED without good code for that order. `forward` is planned. */
iscp_status isc_gradient_create(isc_gradient *gradient, const isc_problem *problem, const isc_direction *forward);
dnnl_status_t isc_gradient_run(isc_gradient *gradient, dnnl_stream_t stream, const float *src, const float *diff_dst,
                               float *diff_weights, void *scratch);
void isc_gradient_release(isc_gradient *gradient); /* takes one that is half made, or empty */

/* Numbers from one order to another. */
typedef struct isc_reorder {
  dnnl_primitive_t primitive;
  dnnl_memory_t from, to, scratchpad;
  size_t scratch_bytes;
} isc_reorder;

dnnl_status_t isc_reorder_create(isc_reorder *reorder, dnnl_engine_t engine, isc_const_md from, isc_const_md to);
dnnl_status_t isc_reorder_run(isc_reorder *reorder, dnnl_stream_t stream, const float *from, float *to, void *scratch);
void isc_reorder_release(isc_reorder *reorder);

#endif
