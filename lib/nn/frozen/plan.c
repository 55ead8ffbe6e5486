/* One batch size of a network: packed weights, and one arena that holds everything a pass needs (arena.c). */
#include "nn/frozen/plan.h"

#include "nn/conv/direct/direct.h"
#include "nn/conv/fallback.h"
#include "nn/resnet/parameters.h"
#include "nn/conv/time.h"
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

/* Who runs a layer: the loops written here where they have its shape, else the backend, else the fallback. */
static iscp_status create_conv(isc_plan *plan, int32_t index, const isc_conv_desc *desc) {
  const iscp_context *context = isc_network_context(plan->network);
  const isc_backend *const runners[] = {&isc_backend_direct, plan->backend, &isc_backend_fallback};
  iscp_status status = ISCP_ERROR_UNSUPPORTED;
  for (int i = 0; status == ISCP_ERROR_UNSUPPORTED && i < 3; i++) {
    if (i == 2 && desc->weights)
      isc_log(context, ISCP_LOG_INFO, "layer \"%s\" falls back to OpenBLAS: %s", desc->name, iscp_error_message());
    plan->runners[index] = runners[i];
    status = runners[i]->conv_create(&plan->convs[index], context, desc);
  }
  return status;
}

static bool may_be_winograd(const iscp_context *context, const isc_conv_desc *desc) {
  return iscp_context_convolutions(context) == ISCP_CONVOLUTIONS_FAST && desc->shape.k == 3 && desc->shape.stride == 1 &&
         desc->src_block > 1 && iscp_context_precision(context) == ISCP_PRECISION_F32;
}

/* Whether Winograd's algorithm beats the layer's runner, both directions together: it does a quarter of the multiplications but
 * moves more memory, so it wins on large images. Without weights it is taken: it holds more. */
static iscp_status race(bool *won, const isc_plan *plan, int32_t index, isc_conv *winograd, const isc_conv_desc *desc) {
  const iscp_context *context = isc_network_context(plan->network);
  double direct = 1, fast = 0;
  if (desc->weights) {
    ISC_TRY(isc_conv_time(&direct, plan->runners[index], plan->convs[index], context, desc));
    ISC_TRY(isc_conv_time(&fast, plan->backend, winograd, context, desc));
  }
  *won = fast < direct;
  return ISCP_OK;
}

static iscp_status try_winograd(isc_plan *plan, int32_t index, const isc_conv_desc *desc) {
  isc_conv_desc wanted = *desc;
  isc_conv *winograd;
  bool won = false;
  wanted.winograd = true;
  iscp_status status = plan->backend->conv_create(&winograd, isc_network_context(plan->network), &wanted);
  if (status != ISCP_OK)
    return status == ISCP_ERROR_UNSUPPORTED ? ISCP_OK : status;
  status = race(&won, plan, index, winograd, desc);
  if (!won) {
    plan->backend->conv_destroy(winograd);
    return status;
  }
  plan->runners[index]->conv_destroy(plan->convs[index]);
  plan->runners[index] = plan->backend;
  plan->convs[index] = winograd;
  return status;
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
  ISC_TRY(create_conv(plan, index, &desc));
  if (may_be_winograd(context, &desc))
    ISC_TRY(try_winograd(plan, index, &desc));
  const isc_backend *runner = plan->runners[index];
  if (weights)
    isc_log(context, ISCP_LOG_DEBUG, "%s: forward %s%s%s", layer->conv,
            runner->conv_implementation(plan->convs[index], false), desc.gradient ? ", backward " : "",
            desc.gradient ? runner->conv_implementation(plan->convs[index], true) : "");
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
    if (plan->runners[i])
      plan->runners[i]->conv_destroy(plan->convs[i]);
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
    bytes += plan->runners[i]->conv_memory(plan->convs[i]);
  return bytes;
}
