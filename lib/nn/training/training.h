/* The inside of a training, for the .c files of its folder, and for the benchmark of its parts. */
#ifndef ISC_NN_TRAINING_H
#define ISC_NN_TRAINING_H

#include "nn/conv/conv.h"
#include "nn/ops/norm.h"
#include "nn/ops/ops.h"

enum { ISC_TRAINING_SLOTS = 4, ISC_NODE_INPUT = -1, ISC_NO_NODE = -2 };

/* What a layer reads and where its gradients pass. A node is an activation: a layer's by the layer's index, the max-pool's by
 * the number of layers. */
typedef struct isc_training_step {
  int32_t src, shortcut; /* nodes; ISC_NO_NODE without a sum */
  int32_t diff, other;   /* slots of y's gradient, the second part ISC_NO_SLOT where one reader made all of it */
  int32_t diff_x;        /* of what the convolution gave; may be `diff` */
  int32_t diff_src;      /* ISC_NO_SLOT for the network's input */
} isc_training_step;

struct isc_training {
  isc_network *network;
  isc_graph *graph;
  int32_t batch, block;
  bool attacked;
  isc_conv_choice convs[ISC_MAX_LAYERS];
  isc_norm norms[ISC_MAX_LAYERS];
  float *gradients[ISC_MAX_LAYERS];           /* of the convolutions' weights */
  float *x[ISC_MAX_LAYERS];                   /* what a layer's convolution gave */
  float *y[ISC_MAX_LAYERS + 1];               /* the activation of a node */
  isc_training_step steps[ISC_MAX_LAYERS];    /* by layer */
  isc_training_step pool;                     /* of the max-pool: src, diff, other, diff_src */
  int32_t head_diff;                          /* the slot that backward starts from */
  int64_t slot_counts[ISC_TRAINING_SLOTS];    /* numbers */
  float *slots[ISC_TRAINING_SLOTS];
  unsigned char *arena;
  size_t arena_bytes;
  float *src, *features, *logits, *diff_features, *diff_logits;
  float *dense_weights, *dense_bias, *diff_dense_weights, *diff_dense_bias;
  uint8_t *pool_which;
  float *diff_src, *stem; /* of an attacked one: and the first layer's weights as its backward has them (stem.h) */
  float *plain; /* the largest layer's weights as a tensor */
  void *scratch;
};

/* Numbers of an activation in its layout; the max-pool's has no layer. */
static inline int64_t isc_training_count(const isc_training *t, int32_t node) {
  const isc_graph *g = t->graph;
  if (node == g->layer_count)
    return isc_activation_count(t->batch, g->architecture.width, g->pool_oh, g->pool_ow, t->block);
  const isc_conv_shape *s = &g->layers[node].shape;
  return isc_activation_count(s->n, s->oc, s->oh, s->ow, t->block);
}

static inline isc_norm_shape isc_training_norm_shape(const isc_training *t, int32_t layer) {
  const isc_conv_shape *s = &t->graph->layers[layer].shape;
  return (isc_norm_shape){s->n, s->oc, s->oh * s->ow, t->block};
}

/* Whether the first layer's way back to the image is written here (stem.h), and not the convolution's. */
static inline bool isc_training_has_stem(const isc_training *t) { return t->graph->pool_oh || t->block > 1; }

static inline const float *isc_training_node(const isc_training *t, int32_t node) {
  return node == ISC_NODE_INPUT ? t->src : t->y[node];
}

static inline float *isc_training_slot(const isc_training *t, int32_t slot) {
  return slot == ISC_NO_SLOT ? NULL : t->slots[slot];
}

static inline int64_t isc_training_pool_planes(const isc_training *t) {
  return t->batch * isc_blocks(t->graph->architecture.width, t->block);
}

/* run.c: the max-pool, and the dense layer with the mean. */
void isc_training_forward_pool(isc_training *training);
void isc_training_forward_head(isc_training *training);
void isc_training_backward_head(isc_training *training);

/* plan.c: fills steps, pool, head_diff and slot_counts from the graph. */
void isc_training_plan(isc_training *training);

/* plan.c: gives each pointer its place in the arena, or, while there is none, only counts arena_bytes. */
void isc_training_lay_out(isc_training *training);

#endif
