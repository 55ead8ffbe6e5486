/* One batch size of a network: packed weights, and one arena that holds everything a pass needs (arena.c). */
#include "nn/frozen/plan.h"

#include "nn/resnet/parameters.h"
#include "nn/ops/stem.h"

/* ---- Weights ---- */

static int64_t stem_count(const isc_plan *plan) {
  const isc_conv_shape *s = &plan->graph->layers[0].shape;
  return plan->graph->pool_oh ? isc_stem_pool_count(s) : isc_stem_count(s, plan->block);
}

static iscp_status pack_stem(isc_plan *plan, const float *weights) {
  const isc_conv_shape *s = &plan->graph->layers[0].shape;
  plan->stem = isc_calloc(isc_network_context(plan->network), (size_t)stem_count(plan), sizeof(float));
  if (!plan->stem)
    return ISCP_ERROR_MEMORY;
  if (plan->graph->pool_oh)
    isc_stem_pool_pack(plan->stem, weights, s);
  else
    isc_stem_pack(plan->stem, weights, s, plan->block);
  return ISCP_OK;
}

/* `weights` and `bias` NULL: for its sizes alone. */
static iscp_status create_layer(isc_plan *plan, int32_t index, const float *weights, const float *bias) {
  const iscp_context *context = isc_network_context(plan->network);
  const isc_layer *layer = &plan->graph->layers[index];
  isc_conv_desc desc = {
      .name = layer->conv,
      .shape = layer->shape,
      .weights = weights,
      .bias = bias,
      .relu = layer->relu,
      .sum = layer->sum,
      .gradient = isc_plan_goes_back(plan, index) && !isc_plan_has_stem(plan, index),
      .src_block = index == 0 ? 1 : plan->block,
      .dst_block = plan->block,
  };
  isc_conv_choice *conv = &plan->convs[index];
  ISC_TRY(isc_conv_choose(conv, context, &desc));
  if (weights)
    isc_log(context, ISCP_LOG_DEBUG, "%s: forward %s%s%s", layer->conv, conv->by->text(conv->conv, false),
            desc.gradient ? ", backward " : "", desc.gradient ? conv->by->text(conv->conv, true) : "");
  return ISCP_OK;
}

static iscp_status create_packed(isc_plan *plan, int32_t index, float *weights, float *bias) {
  ISC_TRY(isc_parameters_fold(weights, bias, isc_network_tensors(plan->network), &plan->graph->layers[index]));
  if (index == 0 && isc_network_is_reversed(plan->network))
    isc_parameters_reverse(weights, &plan->graph->layers[0].shape);
  if (isc_plan_goes_back(plan, index) && isc_plan_has_stem(plan, index))
    ISC_TRY(pack_stem(plan, weights));
  return create_layer(plan, index, weights, bias);
}

static iscp_status create_layers(isc_plan *plan) {
  const iscp_context *context = isc_network_context(plan->network);
  const isc_graph *g = plan->graph;
  int64_t largest = 0, channels = 0;
  for (int32_t i = 0; i < g->layer_count; i++) {
    const isc_conv_shape *s = &g->layers[i].shape;
    int64_t count = (int64_t)s->oc * s->ic * s->k * s->k;
    largest = count > largest ? count : largest;
    channels = s->oc > channels ? s->oc : channels;
  }
  float *weights = isc_calloc(context, (size_t)largest, sizeof *weights);
  float *bias = isc_calloc(context, (size_t)channels, sizeof *bias);
  iscp_status status = weights && bias ? ISCP_OK : ISCP_ERROR_MEMORY;
  for (int32_t i = 0; status == ISCP_OK && i < g->layer_count; i++)
    status = create_packed(plan, i, weights, bias);
  isc_free(context, weights);
  isc_free(context, bias);
  return status;
}

static void copy_dense(isc_plan *plan) {
  const isc_tensor_set *tensors = isc_network_tensors(plan->network);
  const isc_tensor *weights = isc_tensor_set_find(tensors, "fc.weight"), *bias = isc_tensor_set_find(tensors, "fc.bias");
  isc_to_f32(plan->dense_weights, weights->data, weights->dtype, isc_tensor_count(weights));
  isc_to_f32(plan->dense_bias, bias->data, bias->dtype, isc_tensor_count(bias));
}

/* ---- Life ---- */

static iscp_status create_empty(isc_plan **out, const isc_network *network, const isc_plan_form *form) {
  const iscp_context *context = isc_network_context(network);
  isc_plan *plan = *out = isc_calloc(context, 1, sizeof *plan);
  if (!plan)
    return ISCP_ERROR_MEMORY;
  plan->network = isc_network_hold(network);
  plan->backend = isc_backend_of(context);
  if (plan->backend->check)
    ISC_TRY(plan->backend->check(context));
  plan->block = plan->backend->block();
  plan->batch = form->batch;
  plan->gradient = form->gradient;
  plan->headless = form->features;
  plan->graph = isc_calloc(context, 1, sizeof *plan->graph);
  if (!plan->graph)
    return ISCP_ERROR_MEMORY;
  return isc_graph_build(plan->graph, isc_network_architecture(network), form->batch, form->height, form->width,
                         form->stage);
}

static iscp_status fill(isc_plan *plan) {
  ISC_TRY(create_layers(plan));
  isc_plan_lay_out(plan);
  plan->arena = isc_calloc(isc_network_context(plan->network), 1, plan->arena_bytes);
  if (!plan->arena)
    return ISCP_ERROR_MEMORY;
  isc_plan_lay_out(plan);
  if (!plan->headless)
    copy_dense(plan);
  return ISCP_OK;
}

iscp_status isc_plan_create(isc_plan **out, const isc_network *network, const isc_plan_form *form) {
  iscp_status status = create_empty(out, network, form);
  if (status == ISCP_OK)
    status = fill(*out);
  if (status != ISCP_OK) {
    isc_plan_destroy(*out);
    *out = NULL;
  }
  return status;
}

iscp_status isc_plan_foretell(size_t *bytes, const isc_network *network, const isc_plan_form *form) {
  isc_plan *plan;
  iscp_status status = create_empty(&plan, network, form);
  for (int32_t i = 0; status == ISCP_OK && i < plan->graph->layer_count; i++)
    status = create_layer(plan, i, NULL, NULL);
  if (status == ISCP_OK) {
    isc_plan_lay_out(plan);
    *bytes = isc_plan_memory(plan);
  }
  isc_plan_destroy(plan);
  return status;
}

void isc_plan_destroy(isc_plan *plan) {
  if (!plan)
    return;
  isc_network *network = plan->network;
  const iscp_context *context = isc_network_context(network);
  for (int32_t i = 0; i < ISC_MAX_LAYERS; i++)
    isc_conv_release(&plan->convs[i]);
  isc_free(context, plan->stem);
  isc_free(context, plan->arena);
  isc_free(context, plan->graph);
  isc_free(context, plan);
  isc_network_drop(network);
}

int32_t isc_plan_batch(const isc_plan *plan) { return plan->batch; }
float *isc_plan_src(isc_plan *plan) { return plan->src; }
const float *isc_plan_logits(const isc_plan *plan) { return plan->logits; }
float *isc_plan_diff_logits(isc_plan *plan) { return plan->diff_logits; }
int32_t isc_plan_feature_count(const isc_plan *plan) { return plan->graph->features; }
const float *isc_plan_features(const isc_plan *plan) { return plan->features; }
float *isc_plan_diff_features(isc_plan *plan) { return plan->diff_features; }
const float *isc_plan_diff_src(const isc_plan *plan) { return plan->diff_src; }
const float *isc_plan_kept(const isc_plan *plan) { return plan->kept; }
const float *isc_plan_diff_kept(const isc_plan *plan) { return plan->diff_kept; }

void isc_plan_kept_size(const isc_plan *plan, int32_t size[3]) {
  const isc_conv_shape *s = &plan->graph->layers[plan->graph->kept_layer].shape;
  size[0] = s->oc;
  size[1] = s->oh;
  size[2] = s->ow;
}

size_t isc_plan_memory(const isc_plan *plan) {
  size_t bytes = sizeof *plan + sizeof *plan->graph + plan->arena_bytes;
  if (isc_plan_goes_back(plan, 0) && isc_plan_has_stem(plan, 0))
    bytes += (size_t)stem_count(plan) * sizeof(float);
  for (int32_t i = 0; i < plan->graph->layer_count; i++)
    bytes += plan->convs[i].by->bytes(plan->convs[i].conv);
  return bytes;
}
