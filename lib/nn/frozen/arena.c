/* All memory of a pass, in one block:
 *
 *   | src | slot 0 | slot 1 | slot 2 | features, logits, dense weights and bias |
 *   | diff_src, or a kept stage's output and its gradient | the gradients of the others |
 *   | bits of each ReLU | max-pool's choices | scratch |
 *
 * A slot is as large as the largest activation or gradient that passes through it. */
#include <string.h>

#include "nn/frozen/plan.h"

int64_t isc_plan_dst_count(const isc_plan *plan, int32_t layer) {
  const isc_conv_shape *s = &plan->graph->layers[layer].shape;
  return isc_activation_count(s->n, s->oc, s->oh, s->ow, plan->block);
}

int64_t isc_plan_src_count(const isc_plan *plan, int32_t layer) {
  const isc_conv_shape *s = &plan->graph->layers[layer].shape;
  return isc_activation_count(s->n, s->ic, s->ih, s->iw, plan->block);
}

int64_t isc_plan_pool_count(const isc_plan *plan) {
  const isc_graph *g = plan->graph;
  return isc_activation_count(plan->batch, g->architecture.width, g->pool_oh, g->pool_ow, plan->block);
}

static void grow_to(int64_t sizes[ISC_SLOTS], int32_t slot, int64_t count) {
  if (slot != ISC_SLOT_INPUT && sizes[slot] < count)
    sizes[slot] = count;
}

static void measure_slots(const isc_plan *plan, int64_t sizes[ISC_SLOTS]) {
  const isc_graph *g = plan->graph;
  memset(sizes, 0, ISC_SLOTS * sizeof *sizes);
  for (int32_t i = 0; i < g->forward_count; i++) {
    const isc_operation *o = &g->forward[i];
    bool conv = o->kind == ISC_CONV_FORWARD;
    grow_to(sizes, o->dst, conv ? isc_plan_dst_count(plan, o->layer) : isc_plan_pool_count(plan));
  }
  if (!plan->gradient)
    return;
  grow_to(sizes, g->head_diff, isc_plan_dst_count(plan, g->last_layer));
  for (int32_t i = 0; i < g->backward_count; i++) {
    const isc_operation *o = &g->backward[i];
    grow_to(sizes, o->dst, isc_plan_src_count(plan, o->layer));
    if (o->join != ISC_NO_SLOT && !plan->convs[o->layer].by->backward_data_join)
      grow_to(sizes, o->join, isc_plan_src_count(plan, o->layer));
  }
}

static void *place(isc_plan *plan, size_t bytes) {
  void *memory = plan->arena ? plan->arena + plan->arena_bytes : NULL;
  plan->arena_bytes += isc_aligned(bytes);
  return memory;
}

static float *place_floats(isc_plan *plan, int64_t count) { return place(plan, (size_t)count * sizeof(float)); }

static int64_t classes_of(const isc_plan *plan) { return plan->headless ? 0 : plan->graph->architecture.classes; }

static void place_gradients(isc_plan *plan, int64_t image) {
  const isc_graph *g = plan->graph;
  bool whole = g->kept_layer == ISC_NO_LAYER;
  if (whole) {
    plan->diff_src = place_floats(plan, plan->batch * image);
  } else {
    const isc_conv_shape *s = &g->layers[g->kept_layer].shape;
    int64_t count = isc_activation_count(s->n, s->oc, s->oh, s->ow, 1);
    plan->kept = place_floats(plan, count);
    plan->diff_kept = place_floats(plan, count);
  }
  plan->diff_features = place_floats(plan, (int64_t)plan->batch * g->features);
  plan->diff_logits = place_floats(plan, plan->batch * classes_of(plan));
  for (int32_t i = 0; i < g->layer_count; i++)
    plan->bits[i] = g->layers[i].bits ? place(plan, isc_bits_bytes(isc_plan_dst_count(plan, i))) : NULL;
  if (g->pool_oh && whole)
    plan->pool_which = place(plan, (size_t)isc_plan_pool_count(plan));
}

void isc_plan_lay_out(isc_plan *plan) {
  const isc_graph *g = plan->graph;
  const isc_conv_shape *stem = &g->layers[0].shape;
  int64_t image = (int64_t)stem->ic * stem->ih * stem->iw, n = plan->batch;
  int64_t sizes[ISC_SLOTS];
  measure_slots(plan, sizes);
  plan->arena_bytes = 0;
  plan->src = place_floats(plan, n * image);
  for (int32_t i = 0; i < ISC_SLOTS; i++)
    plan->slots[i] = place_floats(plan, sizes[i]);
  plan->features = place_floats(plan, n * g->features);
  plan->logits = place_floats(plan, n * classes_of(plan));
  plan->dense_weights = place_floats(plan, classes_of(plan) * g->features);
  plan->dense_bias = place_floats(plan, classes_of(plan));
  if (plan->gradient)
    place_gradients(plan, image);
  size_t scratch = 0;
  for (int32_t i = 0; i < g->layer_count; i++) {
    size_t bytes = plan->convs[i].by->scratch(plan->convs[i].conv);
    scratch = bytes > scratch ? bytes : scratch;
  }
  plan->scratch = place(plan, scratch);
}
