/* Writes a ResNet out as two lists of operations, forward and backward to the input.
 *
 * Activations are not kept for backward: a frozen network needs only one bit a ReLU. So both lists run over three slots of
 * memory that are used again and again. The last convolution of a block adds into the shortcut's slot; a block's
 * diff_src is the sum of its two branches, the only sum of data gradients. */
#include "nn/resnet/graph.h"

#include <stdio.h>
#include <string.h>

typedef struct builder {
  isc_graph *graph;
  int32_t batch;
  uint32_t taken; /* one bit a slot */
} builder;

static int32_t take_slot(builder *b) {
  int32_t slot = 0;
  while (b->taken >> slot & 1)
    slot++;
  b->taken |= 1u << slot;
  return slot;
}

static void give_slot(builder *b, int32_t slot) { b->taken &= ~(1u << slot); }

static void add_forward(builder *b, isc_operation_kind kind, int32_t layer, int32_t src, int32_t dst) {
  b->graph->forward[b->graph->forward_count++] = (isc_operation){kind, layer, src, dst, ISC_NO_LAYER, ISC_NO_SLOT};
}

static void add_backward(builder *b, int32_t layer, int32_t src, int32_t dst, int32_t behind, int32_t join) {
  b->graph->backward[b->graph->backward_count++] =
      (isc_operation){ISC_CONV_BACKWARD_DATA, layer, src, dst, behind, join};
}

/* The shape of what flows between layers. */
typedef struct flow {
  int32_t c, h, w;
} flow;

static int32_t add_layer(builder *b, const char *conv, const char *norm, flow src, int32_t oc, int32_t k, int32_t stride,
                         bool relu, bool sum) {
  isc_layer *layer = &b->graph->layers[b->graph->layer_count];
  int32_t pad = k / 2;
  snprintf(layer->conv, sizeof layer->conv, "%s", conv);
  snprintf(layer->norm, sizeof layer->norm, "%s", norm);
  layer->shape = (isc_conv_shape){b->batch, src.c, src.h, src.w, oc, (src.h + 2 * pad - k) / stride + 1,
                                  (src.w + 2 * pad - k) / stride + 1, k, stride, pad};
  layer->relu = layer->bits = relu;
  layer->sum = sum;
  return b->graph->layer_count++;
}

static flow flow_behind(const builder *b, int32_t layer) {
  const isc_conv_shape *shape = &b->graph->layers[layer].shape;
  return (flow){shape->oc, shape->oh, shape->ow};
}

/* The layers of one block: 2 (basic) or 3 (bottleneck) in a row, and the shortcut's convolution or ISC_NO_LAYER. */
typedef struct block {
  int32_t layers[3], count, shortcut;
} block;

static block add_block_layers(builder *b, int stage, int index, flow src, bool bottleneck) {
  const isc_architecture *a = &b->graph->architecture;
  int32_t planes = (a->planes ? a->planes : a->width) << stage, stride = stage > 0 && index == 0 ? 2 : 1;
  int32_t out = bottleneck ? 4 * planes : planes, inner = bottleneck && a->inner ? a->inner << stage : planes;
  int strided = bottleneck && a->stride != ISCP_STRIDE_1X1 ? 1 : 0;
  block made = {.count = bottleneck ? 3 : 2, .shortcut = ISC_NO_LAYER};
  flow at = src;
  for (int i = 0; i < made.count; i++) {
    char conv[40], norm[40];
    snprintf(conv, sizeof conv, "layer%d.%d.conv%d", stage + 1, index, i + 1);
    snprintf(norm, sizeof norm, "layer%d.%d.bn%d", stage + 1, index, i + 1);
    bool last = i == made.count - 1;
    int32_t k = bottleneck && i != 1 ? 1 : 3;
    made.layers[i] = add_layer(b, conv, norm, at, last ? out : inner, k, i == strided ? stride : 1, true, last);
    at = flow_behind(b, made.layers[i]);
  }
  if (stride != 1 || src.c != out) {
    char conv[40], norm[40];
    snprintf(conv, sizeof conv, "layer%d.%d.downsample.0", stage + 1, index);
    snprintf(norm, sizeof norm, "layer%d.%d.downsample.1", stage + 1, index);
    made.shortcut = add_layer(b, conv, norm, src, out, 1, stride, false, false);
  }
  return made;
}

/* src slot x -> the slot of the block's output. */
static int32_t add_block_forward(builder *b, const block *made, int32_t x) {
  int32_t at = x;
  for (int i = 0; i < made->count - 1; i++) {
    int32_t next = take_slot(b);
    add_forward(b, ISC_CONV_FORWARD, made->layers[i], at, next);
    if (at != x)
      give_slot(b, at);
    at = next;
  }
  int32_t out = x;
  if (made->shortcut != ISC_NO_LAYER) {
    out = take_slot(b);
    add_forward(b, ISC_CONV_FORWARD, made->shortcut, x, out);
    give_slot(b, x);
  }
  add_forward(b, ISC_CONV_FORWARD, made->layers[made->count - 1], at, out);
  give_slot(b, at);
  return out;
}

/* Slot g of diff_dst (ReLU backward of the block's output already done) -> slot of diff_src, with the ReLU of `behind`, the
 * layer whose output the block read (ISC_NO_LAYER behind a max-pool). A shortcut's convolution comes last and joins: it is the
 * one of stride 2, which has nothing to add to three of four places. */
static int32_t add_block_backward(builder *b, const block *made, int32_t g, int32_t behind) {
  int32_t at = g;
  for (int i = made->count - 1; i > 0; i--) {
    int32_t next = take_slot(b);
    add_backward(b, made->layers[i], at, next, made->layers[i - 1], ISC_NO_SLOT);
    if (at != g)
      give_slot(b, at);
    at = next;
  }
  if (made->shortcut == ISC_NO_LAYER) {
    int32_t free_slot = take_slot(b);
    add_backward(b, made->layers[0], at, g, behind, free_slot);
    give_slot(b, free_slot);
    give_slot(b, at);
    return g;
  }
  int32_t joined = take_slot(b);
  add_backward(b, made->layers[0], at, joined, behind, ISC_NO_SLOT);
  add_backward(b, made->shortcut, g, joined, behind, at); /* `at` is free by then */
  give_slot(b, at);
  give_slot(b, g);
  return joined;
}

/* The stage's output is what its last block has made by now. The layers up to here have no backward. */
static void keep_output(isc_graph *graph, const block *last, int32_t slot) {
  graph->kept_layer = last->layers[last->count - 1];
  graph->kept_forward = graph->forward_count - 1;
  graph->kept_src = slot;
  graph->backward_from = graph->layer_count;
  for (int32_t i = 0; i < graph->layer_count; i++)
    graph->layers[i].bits = false;
}

static void set_pool(isc_graph *graph, flow src) {
  graph->pool_ih = src.h;
  graph->pool_iw = src.w;
  graph->pool_oh = (src.h - 1) / 2 + 1;
  graph->pool_ow = (src.w - 1) / 2 + 1;
}

iscp_status isc_graph_build(isc_graph *graph, const isc_architecture *architecture, int32_t batch, int32_t height,
                            int32_t width, int32_t stage) {
  int32_t blocks[4];
  bool bottleneck, imagenet = architecture->stem == ISCP_STEM_IMAGENET;
  if (!isc_architecture_blocks(architecture->depth, blocks, &bottleneck))
    return isc_fail(ISCP_ERROR_ARGUMENT, "depth is %d, expected 18, 34, 50, 101 or 152", architecture->depth);
  memset(graph, 0, sizeof *graph);
  graph->architecture = *architecture;
  graph->kept_layer = ISC_NO_LAYER;
  builder b = {graph, batch, 0};

  flow at = {architecture->channels, height, width};
  int32_t stem = add_layer(&b, "conv1", "bn1", at, architecture->width, imagenet ? 7 : 3, imagenet ? 2 : 1, true, false);
  at = flow_behind(&b, stem);
  int32_t x = take_slot(&b);
  add_forward(&b, ISC_CONV_FORWARD, stem, ISC_SLOT_INPUT, x);
  if (imagenet) {
    graph->layers[stem].bits = false;
    set_pool(graph, at);
    at = (flow){at.c, graph->pool_oh, graph->pool_ow};
    int32_t pooled = take_slot(&b);
    add_forward(&b, ISC_POOL_FORWARD, ISC_NO_LAYER, x, pooled);
    give_slot(&b, x);
    x = pooled;
  }
  block made[64];
  int32_t count = 0, kept = 0;
  for (int s = 0; s < 4; s++) {
    for (int32_t index = 0; index < blocks[s]; index++) {
      made[count] = add_block_layers(&b, s, index, at, bottleneck);
      x = add_block_forward(&b, &made[count], x);
      at = flow_behind(&b, made[count].layers[made[count].count - 1]);
      count++;
    }
    if (s == stage - 1) {
      keep_output(graph, &made[count - 1], x);
      kept = count;
    }
  }
  graph->head_src = x;
  graph->last_layer = made[count - 1].layers[made[count - 1].count - 1];
  graph->features = at.c;
  graph->head_h = at.h;
  graph->head_w = at.w;

  b.taken = 0;
  int32_t g = graph->head_diff = take_slot(&b);
  for (int32_t i = count - 1; i >= kept; i--) {
    int32_t behind = i > kept ? made[i - 1].layers[made[i - 1].count - 1] : imagenet || stage ? ISC_NO_LAYER : stem;
    g = add_block_backward(&b, &made[i], g, behind);
  }
  graph->kept_diff = g;
  if (stage)
    return ISCP_OK;
  if (imagenet)
    graph->backward[graph->backward_count++] =
        (isc_operation){ISC_STEM_POOL_BACKWARD, stem, g, ISC_SLOT_INPUT, ISC_NO_LAYER, ISC_NO_SLOT};
  else
    add_backward(&b, stem, g, ISC_SLOT_INPUT, ISC_NO_LAYER, ISC_NO_SLOT);
  return ISCP_OK;
}
