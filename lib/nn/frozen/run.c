/* The running of a plan, one operation after the other:
 *
 *   forward:  src -> (convolutions over the slots, a bit a ReLU) -> mean -> dense -> logits
 *   backward: diff_logits -> dense -> mean -> the convolutions in reverse -> diff_src
 *
 * A plan with a stage copies that stage's output on the way, and its backward ends there, with a copy too. One that ends at its
 * features does without the dense layer.
 *
 * The head (mean and dense) is the last operation of forward and the first of backward. */
#include "nn/frozen/plan.h"
#include "nn/ops/stem.h"

/* ---- Forward ---- */

static int64_t pool_planes(const isc_plan *plan) {
  return plan->batch * isc_blocks(plan->graph->architecture.width, plan->block);
}

static iscp_status run_forward(isc_plan *plan, const isc_operation *o) {
  const isc_graph *g = plan->graph;
  const float *src = o->src == ISC_SLOT_INPUT ? plan->src : plan->slots[o->src];
  float *dst = plan->slots[o->dst];
  if (o->kind == ISC_POOL_FORWARD) {
    isc_pool_forward(dst, plan->pool_which, src, pool_planes(plan), g->pool_ih, g->pool_iw, g->pool_oh, g->pool_ow,
                     plan->block);
    return ISCP_OK;
  }
  const isc_conv_choice *conv = &plan->convs[o->layer];
  uint16_t *bits = plan->bits[o->layer];
  if (conv->by->forward_bits)
    return conv->by->forward_bits(conv->conv, src, dst, bits, plan->scratch);
  ISC_TRY(conv->by->forward(conv->conv, src, dst, plan->scratch));
  if (bits)
    isc_relu_bits(bits, dst, isc_plan_dst_count(plan, o->layer));
  return ISCP_OK;
}

static void run_head_forward(isc_plan *plan) {
  const isc_graph *g = plan->graph;
  isc_mean_forward(plan->features, plan->slots[g->head_src], plan->batch, g->features, g->head_h * g->head_w, plan->block);
  if (plan->headless)
    return;
  isc_dense_forward(plan->logits, plan->features, plan->dense_weights, plan->dense_bias, plan->batch, g->features,
                    g->architecture.classes);
}

/* ---- Backward ---- */

static void run_head_backward(isc_plan *plan) {
  const isc_graph *g = plan->graph;
  if (!plan->headless)
    isc_dense_backward_data(plan->diff_features, plan->diff_logits, plan->dense_weights, plan->batch, g->features,
                            g->architecture.classes);
  isc_mean_backward(plan->slots[g->head_diff], plan->diff_features, plan->bits[g->last_layer], plan->batch, g->features,
                    g->head_h * g->head_w, plan->block);
}

static iscp_status run_conv_backward(isc_plan *plan, const isc_operation *o, const float *src) {
  const isc_conv_choice *conv = &plan->convs[o->layer];
  float *dst = o->dst == ISC_SLOT_INPUT ? plan->diff_src : plan->slots[o->dst];
  const uint16_t *bits = o->behind == ISC_NO_LAYER ? NULL : plan->bits[o->behind];
  bool join = o->join != ISC_NO_SLOT;
  if (isc_plan_has_stem(plan, o->layer)) {
    isc_stem_backward_data(dst, plan->stem, src, &plan->graph->layers[0].shape, plan->block);
    return ISCP_OK;
  }
  if (conv->by->backward_data_join)
    return conv->by->backward_data_join(conv->conv, src, dst, join, bits, plan->scratch);
  float *branch = join ? plan->slots[o->join] : dst;
  ISC_TRY(conv->by->backward_data(conv->conv, src, branch, plan->scratch));
  if (join)
    isc_join_backward(dst, branch, bits, isc_plan_src_count(plan, o->layer));
  else if (bits)
    isc_relu_backward(dst, bits, isc_plan_src_count(plan, o->layer));
  return ISCP_OK;
}

static iscp_status run_backward(isc_plan *plan, const isc_operation *o) {
  const isc_graph *g = plan->graph;
  const float *src = plan->slots[o->src];
  if (o->kind == ISC_CONV_BACKWARD_DATA)
    return run_conv_backward(plan, o, src);
  const isc_stem_pool stem = {&g->layers[o->layer].shape, g->pool_oh, g->pool_ow, plan->block};
  isc_stem_pool_backward(plan->diff_src, plan->stem, plan->pool_which, src, &stem);
  return ISCP_OK;
}

/* ---- The list: forward's operations and its head, then backward's head and operations ---- */

static int32_t forward_count(const isc_plan *plan) { return plan->graph->forward_count + 1; }

int32_t isc_plan_operations(const isc_plan *plan) {
  return forward_count(plan) + (plan->gradient ? 1 + plan->graph->backward_count : 0);
}

static iscp_status run_one(isc_plan *plan, int32_t index) {
  const isc_graph *g = plan->graph;
  if (index < g->forward_count)
    return run_forward(plan, &g->forward[index]);
  if (index > forward_count(plan))
    return run_backward(plan, &g->backward[index - forward_count(plan) - 1]);
  if (index == g->forward_count)
    run_head_forward(plan);
  else
    run_head_backward(plan);
  return ISCP_OK;
}

static void keep(float *dst, const isc_plan *plan, int32_t slot) {
  const isc_conv_shape *s = &plan->graph->layers[plan->graph->kept_layer].shape;
  isc_unblock(dst, plan->slots[slot], s->n, s->oc, s->oh * s->ow, plan->block);
}

iscp_status isc_plan_run(isc_plan *plan, int32_t index) {
  const isc_graph *g = plan->graph;
  ISC_TRY(run_one(plan, index));
  if (!plan->kept)
    return ISCP_OK;
  if (index == g->kept_forward)
    keep(plan->kept, plan, g->kept_src);
  else if (index == isc_plan_operations(plan) - 1)
    keep(plan->diff_kept, plan, g->kept_diff);
  return ISCP_OK;
}

static iscp_status run_range(isc_plan *plan, int32_t first, int32_t last) {
  for (int32_t i = first; i < last; i++)
    ISC_TRY(isc_plan_run(plan, i));
  return ISCP_OK;
}

iscp_status isc_plan_forward(isc_plan *plan) { return run_range(plan, 0, forward_count(plan)); }

iscp_status isc_plan_backward(isc_plan *plan) {
  return run_range(plan, forward_count(plan), isc_plan_operations(plan));
}

/* ---- What an operation is ---- */

static const char *kind_name(isc_operation_kind kind) {
  static const char *const names[] = {
      [ISC_CONV_FORWARD] = "forward",
      [ISC_POOL_FORWARD] = "pool",
      [ISC_CONV_BACKWARD_DATA] = "backward_data",
      [ISC_STEM_POOL_BACKWARD] = "backward_data",
  };
  return names[kind];
}

static int64_t flops_of(const isc_conv_shape *s) {
  return 2 * (int64_t)s->n * s->oc * s->oh * s->ow * s->ic * s->k * s->k;
}

static void describe(const isc_plan *plan, const isc_operation *o, isc_operation_info *info) {
  bool backward = o->kind != ISC_CONV_FORWARD;
  info->name = o->layer == ISC_NO_LAYER ? "maxpool" : plan->graph->layers[o->layer].conv;
  info->kind = kind_name(o->kind);
  if (o->kind == ISC_POOL_FORWARD)
    return;
  info->flops = flops_of(&plan->graph->layers[o->layer].shape);
  if (!backward || !isc_plan_has_stem(plan, o->layer))
    info->implementation = plan->convs[o->layer].by->text(plan->convs[o->layer].conv, backward);
  else
    info->implementation = "own";
}

void isc_plan_operation(const isc_plan *plan, int32_t index, isc_operation_info *info) {
  const isc_graph *g = plan->graph;
  *info = (isc_operation_info){0};
  if (index < g->forward_count)
    describe(plan, &g->forward[index], info);
  else if (index > forward_count(plan))
    describe(plan, &g->backward[index - forward_count(plan) - 1], info);
  else
    *info = (isc_operation_info){"head", index == g->forward_count ? "forward" : "backward_data", "own",
                                 plan->headless ? 0 : 2 * (int64_t)plan->batch * g->features * g->architecture.classes};
}
