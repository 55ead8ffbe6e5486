/* A convolution of a network, and the implementations that one may have.
 *
 * Implementations are lines of one ordered table (table.c), as in oneDNN's own lists: of those that are in play for the
 * context's backend, the first that takes a layer and does not refuse it while it is made runs the layer. Frozen convolutions,
 * whose weights are packed once, and those of training, whose weights change, are different lines: they keep different things. */
#ifndef ISC_NN_CONV_H
#define ISC_NN_CONV_H

#include "nn/ops/layout.h"
#include "nn/resnet/graph.h"

typedef struct isc_conv_desc {
  const char *name; /* the layer's, for messages */
  isc_conv_shape shape;
  bool training;        /* weights change: zeros at first, and no bias, ReLU or sum, since batch norm stands behind it */
  const float *weights; /* OC x IC x KH x KW, read during creation only; NULL: only scratch and bytes are asked for */
  const float *bias;    /* OC, likewise */
  bool relu, sum;       /* of isc_layer */
  bool gradient;        /* backward_data will be called */
  bool winograd;        /* by Winograd's algorithm or not at all */
  int32_t src_block, dst_block;
} isc_conv_desc;

typedef struct isc_conv isc_conv; /* each implementation's own */

/* All memory that a call needs beyond its tensors is the caller's `scratch`, of scratch(conv) bytes, 64-byte aligned. */
typedef struct isc_conv_implementation {
  const char *name;
  int32_t backend; /* ISCP_BACKEND_*: in play for contexts of it */

  /* By kind, layout, precision and CPU, which cost nothing to ask. `create` may still answer ISCP_ERROR_UNSUPPORTED, with nothing
   * made and a message, where there is no good code for the shape. */
  bool (*takes)(const iscp_context *context, const isc_conv_desc *desc);
  iscp_status (*create)(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc);
  void (*destroy)(isc_conv *conv); /* takes NULL */
  size_t (*scratch)(const isc_conv *conv);
  size_t (*bytes)(const isc_conv *conv); /* that it holds: packed weights */
  const char *(*text)(const isc_conv *conv, bool backward); /* what runs a direction, for logs and benchmarks; NULL in training */

  /* dst = max(weights * src + bias [+ dst], 0); without relu no max. */
  iscp_status (*forward)(isc_conv *conv, const float *src, float *dst, void *scratch);

  /* diff_src = transposed weights * diff_dst; overwrites. ReLU and sum are the caller's. */
  iscp_status (*backward_data)(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch);

  /* The same with what follows, for those that can do it on the way to memory; NULL for others, and then the caller does it
   * (ops/relu.c): forward also writes dst's bits (may be NULL); diff_src = diff_src [+ what it held], 0 where `bits` (NULL = all
   * set) are not set. What it held must have been masked by the same bits if the stride is above 1: places that no tap meets are
   * left as they are. */
  iscp_status (*forward_bits)(isc_conv *conv, const float *src, float *dst, uint16_t *bits, void *scratch);
  iscp_status (*backward_data_join)(isc_conv *conv, const float *diff_dst, float *diff_src, bool add, const uint16_t *bits,
                                    void *scratch);

  /* ---- In training only ---- */

  /* diff_weights [+]= sum over n, oh, ow of diff_dst[n][oc][oh][ow] * src[n][ic][stride oh - pad + kh][stride ow - pad + kw] */
  iscp_status (*backward_weights)(isc_conv *conv, const float *src, const float *diff_dst, float *diff_weights, bool add,
                                  void *scratch);

  /* The weights, in an order of the implementation's: `count` numbers, those that pad a block of channels are zero. Gradients are
   * in the same order, so that an optimiser need not know it. pack and unpack turn OC x IC x K x K into it and back. */
  float *(*weights)(const isc_conv *conv);
  int64_t (*count)(const isc_conv *conv);
  iscp_status (*pack)(isc_conv *conv, float *own, const float *plain, void *scratch);
  iscp_status (*unpack)(isc_conv *conv, float *plain, const float *own, void *scratch);
} isc_conv_implementation;

/* direct/conv.c; onednn/conv.c and onednn/training.c; blas/conv.c, blas/training.c, and the two inside a layout in blocks of
 * channels, which has none of its own (blas/blocked.c). */
extern const isc_conv_implementation isc_conv_direct, isc_conv_onednn, isc_conv_onednn_training, isc_conv_blas,
    isc_conv_blas_training, isc_conv_blas_blocked;

/* A convolution and what runs it: both NULL before it is made. */
typedef struct isc_conv_choice {
  const isc_conv_implementation *by;
  isc_conv *conv;
} isc_conv_choice;

/* table.c: makes the convolution by the first implementation that can, or, of frozen ones where the context asks for the
 * fastest algorithm, by Winograd's if that is measured to be faster. Says in the log what was refused, unless sizes alone are
 * asked for. */
iscp_status isc_conv_choose(isc_conv_choice *choice, const iscp_context *context, const isc_conv_desc *desc);
void isc_conv_release(isc_conv_choice *choice); /* takes one that was not made */

/* time.c: seconds of one forward and, if desc->gradient, one backward_data, with their passes for bits and ReLU left out; the
 * fastest of some runs over memory of its own. */
iscp_status isc_conv_time(double *seconds, const isc_conv_choice *choice, const iscp_context *context,
                          const isc_conv_desc *desc);

#endif
