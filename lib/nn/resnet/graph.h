/* A ResNet written out as a list of operations over a few memory slots: what run.c runs. */
#ifndef ISC_NN_GRAPH_H
#define ISC_NN_GRAPH_H

#include "nn/nn.h"

enum { ISC_MAX_LAYERS = 160, ISC_MAX_OPERATIONS = 1024, ISC_SLOTS = 3, ISC_SLOT_INPUT = -1, ISC_NO_SLOT = -2,
       ISC_NO_LAYER = -1 };

/* A convolution: dst = f(weights * src + bias [+ dst]), square kernel, stride and padding the same in both directions. */
typedef struct isc_conv_shape {
  int32_t n, ic, ih, iw, oc, oh, ow, k, stride, pad;
} isc_conv_shape;

/* A convolution with the batch norm behind it. */
typedef struct isc_layer {
  char conv[40]; /* "layer1.0.conv2": its weights are conv.weight */
  char norm[40]; /* "layer1.0.bn2" or "layer1.0.downsample.1" */
  isc_conv_shape shape;
  bool relu; /* dst = max(dst, 0) */
  bool bits; /* one bit a number says where dst > 0, for backward; a max-pool behind the layer needs none */
  bool sum;  /* dst holds the shortcut already and is added to */
} isc_layer;

typedef enum isc_operation_kind {
  ISC_CONV_FORWARD,       /* dst = layer(src) */
  ISC_POOL_FORWARD,       /* dst = maxpool(src) */
  ISC_CONV_BACKWARD_DATA, /* dst = diff_src of layer [+ dst, a join of two branches], src = its diff_dst; then ReLU backward */
  ISC_STEM_POOL_BACKWARD  /* dst = diff_src of layer, its ReLU and the max-pool behind it, src = the pool's diff_dst */
} isc_operation_kind;

typedef struct isc_operation {
  isc_operation_kind kind;
  int32_t layer; /* index, or ISC_NO_LAYER */
  int32_t src, dst; /* slots, or ISC_SLOT_INPUT */
  int32_t behind;   /* backward: the layer whose ReLU made what dst is the gradient of, ISC_NO_LAYER without one */
  int32_t join;     /* backward: dst is added to; a free slot for those who cannot add, ISC_NO_SLOT without a join */
} isc_operation;

typedef struct isc_graph {
  isc_architecture architecture;
  isc_layer layers[ISC_MAX_LAYERS];
  int32_t layer_count;
  isc_operation forward[ISC_MAX_OPERATIONS], backward[ISC_MAX_OPERATIONS];
  int32_t forward_count, backward_count;
  int32_t head_src;       /* slot that holds layer4's output when forward ends */
  int32_t head_diff;      /* slot that backward starts from: diff of layer4's output */
  int32_t last_layer;     /* the layer whose ReLU made layer4's output */
  int32_t features;       /* channels of layer4's output */
  int32_t head_h, head_w; /* its size */
  int32_t pool_ih, pool_iw, pool_oh, pool_ow; /* the max-pool, 3x3 stride 2 pad 1; zeros if there is none */
  int32_t backward_from;  /* the first layer that has a backward: 0, or the one behind the kept stage */
  int32_t kept_layer;     /* the layer whose ReLU made the kept stage's output, ISC_NO_LAYER without one */
  int32_t kept_forward;   /* the operation of forward behind which the output is in slot kept_src */
  int32_t kept_src, kept_diff; /* slots: of the output, and of its gradient when backward ends */
} isc_graph;

/* Fills `graph` for images of height x width. With a stage, 1 to 4, backward ends at that stage's output, in front of its ReLU's
 * backward; 0 is the whole way to the image. ISCP_ERROR_MISMATCH if the network shrinks the images to nothing. */
iscp_status isc_graph_build(isc_graph *graph, const isc_architecture *architecture, int32_t batch, int32_t height,
                            int32_t width, int32_t stage);

/* Blocks a stage and whether they are bottlenecks, for a depth; false for an unknown depth. */
bool isc_architecture_blocks(int32_t depth, int32_t blocks[4], bool *bottleneck);

#endif
