/* The inside of a plan, for plan.c, arena.c and run.c only. */
#ifndef ISC_NN_PLAN_H
#define ISC_NN_PLAN_H

#include "nn/backend.h"
#include "nn/conv/conv.h"
#include "nn/ops/ops.h"

struct isc_plan {
  isc_network *network;
  const isc_backend *backend;
  isc_graph *graph;
  bool gradient, headless; /* headless: without the dense layer */
  int32_t batch, block;
  isc_conv_choice convs[ISC_MAX_LAYERS];
  float *stem; /* the first layer's weights as its own backward (stem.h) uses them; NULL without one */
  unsigned char *arena;
  size_t arena_bytes;
  float *src, *diff_src, *slots[ISC_SLOTS];
  float *kept, *diff_kept; /* of a plan with a stage, N C H W */
  uint16_t *bits[ISC_MAX_LAYERS];
  uint8_t *pool_which;
  float *features, *diff_features, *logits, *diff_logits, *dense_weights, *dense_bias;
  void *scratch;
};

/* Where the first layer's backward is written here (stem.h), its convolution is made for forward alone. */
static inline bool isc_plan_has_stem(const isc_plan *plan, int32_t layer) {
  return layer == 0 && (plan->block > 1 || plan->graph->pool_oh);
}

/* Whether a layer's backward is among the plan's operations. */
static inline bool isc_plan_goes_back(const isc_plan *plan, int32_t layer) {
  return plan->gradient && layer >= plan->graph->backward_from;
}

/* Numbers of a layer's dst and src, and of the max-pool's dst, in the layout of activations. */
int64_t isc_plan_dst_count(const isc_plan *plan, int32_t layer);
int64_t isc_plan_src_count(const isc_plan *plan, int32_t layer);
int64_t isc_plan_pool_count(const isc_plan *plan);

/* arena.c: gives each pointer of the plan its place in the arena, or, while there is none, only counts arena_bytes. */
void isc_plan_lay_out(isc_plan *plan);

#endif
