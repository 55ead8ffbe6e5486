/* One batch size of a network: packed weights and one arena that holds everything a pass needs.
 *
 *   arena: | src | diff_src | slot 0 | slot 1 | slot 2 | slot 3 | bits of each ReLU | max-pool's choices |
 *          | features, logits and their gradients | dense weights and bias | scratch |
 *
 * forward:  src -> (convolutions over the slots, a bit a ReLU) -> mean -> dense -> logits
 * backward: diff_logits -> the same in reverse -> diff_src */
#include <string.h>

#include "nn/backend.h"
#include "nn/fallback.h"
#include "nn/parameters.h"
#include "nn/stem.h"

enum { ALIGN = 64 };

struct isc_plan {
  isc_network *network;
  const isc_backend *backend;
  isc_graph *graph;
  bool gradient;
  int32_t batch, block, threads;
  isc_conv *convs[ISC_MAX_LAYERS];
  const isc_backend *runners[ISC_MAX_LAYERS]; /* who made convs[i]: the backend, or the fallback for what it refuses */
  float *stem; /* the first layer's weights as its own backward uses them */
  unsigned char *arena;
  size_t arena_bytes;
  float *src, *diff_src, *slots[ISC_SLOTS];
  uint16_t *bits[ISC_MAX_LAYERS];
  uint8_t *pool_which;
  float *features, *diff_features, *logits, *diff_logits, *dense_weights, *dense_bias;
  void *scratch;
};

static int64_t dst_count(const isc_plan *plan, int32_t layer) {
  const isc_conv_shape *s = &plan->graph->layers[layer].shape;
  return isc_activation_count(s->n, s->oc, s->oh, s->ow, plan->block);
}

static int64_t src_count(const isc_plan *plan, int32_t layer) {
  const isc_conv_shape *s = &plan->graph->layers[layer].shape;
  return isc_activation_count(s->n, s->ic, s->ih, s->iw, plan->block);
}

static int64_t pool_count(const isc_plan *plan, bool dst) {
  const isc_graph *g = plan->graph;
  return isc_activation_count(plan->batch, g->architecture.width, dst ? g->pool_oh : g->pool_ih,
                              dst ? g->pool_ow : g->pool_iw, plan->block);
}

/* ---- Memory ---- */

static void grow_to(int64_t sizes[ISC_SLOTS], int32_t slot, int64_t count) {
  if (slot != ISC_SLOT_INPUT && sizes[slot] < count)
    sizes[slot] = count;
}

static void measure_slots(const isc_plan *plan, int64_t sizes[ISC_SLOTS]) {
  const isc_graph *g = plan->graph;
  memset(sizes, 0, ISC_SLOTS * sizeof *sizes);
  for (int32_t i = 0; i < g->forward_count; i++) {
    const isc_operation *o = &g->forward[i];
    grow_to(sizes, o->dst, o->kind == ISC_CONV_FORWARD ? dst_count(plan, o->layer) : pool_count(plan, true));
  }
  if (!plan->gradient)
    return;
  grow_to(sizes, g->head_diff, dst_count(plan, g->last_layer));
  for (int32_t i = 0; i < g->backward_count; i++) {
    const isc_operation *o = &g->backward[i];
    if (o->kind == ISC_CONV_BACKWARD_DATA)
      grow_to(sizes, o->dst, src_count(plan, o->layer));
    else if (o->kind == ISC_POOL_BACKWARD)
      grow_to(sizes, o->dst, pool_count(plan, false));
  }
}

/* Gives out places of the arena; with a NULL arena it only counts. */
static void *place(isc_plan *plan, size_t bytes) {
  void *memory = plan->arena ? plan->arena + plan->arena_bytes : NULL;
  plan->arena_bytes += (bytes + ALIGN - 1) / ALIGN * ALIGN;
  return memory;
}

static float *place_floats(isc_plan *plan, int64_t count) { return place(plan, (size_t)count * sizeof(float)); }

static void lay_out(isc_plan *plan) {
  const isc_graph *g = plan->graph;
  const isc_conv_shape *stem = &g->layers[0].shape;
  int64_t image = (int64_t)stem->ic * stem->ih * stem->iw, n = plan->batch, classes = g->architecture.classes;
  int64_t sizes[ISC_SLOTS];
  measure_slots(plan, sizes);
  plan->arena_bytes = 0;
  plan->src = place_floats(plan, n * image);
  for (int32_t i = 0; i < ISC_SLOTS; i++)
    plan->slots[i] = place_floats(plan, sizes[i]);
  plan->features = place_floats(plan, n * g->features);
  plan->logits = place_floats(plan, n * classes);
  plan->dense_weights = place_floats(plan, classes * g->features);
  plan->dense_bias = place_floats(plan, classes);
  if (plan->gradient) {
    plan->diff_src = place_floats(plan, n * image);
    plan->diff_features = place_floats(plan, n * g->features);
    plan->diff_logits = place_floats(plan, n * classes);
    for (int32_t i = 0; i < g->layer_count; i++)
      plan->bits[i] = g->layers[i].bits ? place(plan, isc_bits_bytes(dst_count(plan, i))) : NULL;
  }
  if (g->pool_oh && plan->gradient)
    plan->pool_which = place(plan, (size_t)pool_count(plan, true));
  size_t scratch = 0;
  for (int32_t i = 0; i < g->layer_count; i++) {
    size_t bytes = plan->runners[i]->conv_scratch(plan->convs[i]);
    scratch = bytes > scratch ? bytes : scratch;
  }
  plan->scratch = place(plan, scratch);
}

/* ---- Weights ---- */

/* Over blocks of channels the first layer's backward is written here (stem.c), its convolution is made for forward alone. */
static bool has_own_backward(const isc_plan *plan, int32_t index) { return index == 0 && plan->block > 1; }

static iscp_status pack_stem(isc_plan *plan, const float *weights) {
  const isc_conv_shape *s = &plan->graph->layers[0].shape;
  plan->stem = isc_calloc(isc_network_context(plan->network), (size_t)isc_stem_count(s, plan->block), sizeof(float));
  if (!plan->stem)
    return ISCP_ERROR_MEMORY;
  isc_stem_pack(plan->stem, weights, s, plan->block);
  return ISCP_OK;
}

static iscp_status create_conv(isc_plan *plan, int32_t index, const isc_conv_desc *desc) {
  const iscp_context *context = isc_network_context(plan->network);
  plan->runners[index] = plan->backend;
  iscp_status status = plan->backend->conv_create(&plan->convs[index], context, desc);
  if (status != ISCP_ERROR_UNSUPPORTED)
    return status;
  isc_log(context, ISCP_LOG_INFO, "layer \"%s\" falls back to OpenBLAS: %s", desc->name, iscp_error_message());
  plan->runners[index] = &isc_backend_fallback;
  return isc_backend_fallback.conv_create(&plan->convs[index], context, desc);
}

static iscp_status pack_layer(isc_plan *plan, int32_t index, float *weights, float *bias) {
  const isc_layer *layer = &plan->graph->layers[index];
  ISC_TRY(isc_parameters_fold(weights, bias, isc_network_tensors(plan->network), layer));
  isc_conv_desc desc = {
      .name = layer->conv,
      .shape = layer->shape,
      .weights = weights,
      .bias = bias,
      .relu = layer->relu,
      .sum = layer->sum,
      .gradient = plan->gradient && !has_own_backward(plan, index),
      .src_block = index == 0 ? 1 : plan->block,
      .dst_block = plan->block,
  };
  if (plan->gradient && has_own_backward(plan, index))
    ISC_TRY(pack_stem(plan, weights));
  ISC_TRY(create_conv(plan, index, &desc));
  isc_log(isc_network_context(plan->network), ISCP_LOG_DEBUG, "%s: forward %s%s%s", layer->conv,
          plan->runners[index]->conv_implementation(plan->convs[index], false), desc.gradient ? ", backward " : "",
          desc.gradient ? plan->runners[index]->conv_implementation(plan->convs[index], true) : "");
  return ISCP_OK;
}

static iscp_status pack_layers(isc_plan *plan) {
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
    status = pack_layer(plan, i, weights, bias);
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

static iscp_status build(isc_plan *plan, int32_t height, int32_t width) {
  const iscp_context *context = isc_network_context(plan->network);
  ISC_TRY(isc_graph_build(plan->graph, isc_network_architecture(plan->network), plan->batch, height, width));
  ISC_TRY(pack_layers(plan));
  lay_out(plan);
  plan->arena = isc_calloc(context, 1, plan->arena_bytes);
  if (!plan->arena)
    return ISCP_ERROR_MEMORY;
  lay_out(plan);
  copy_dense(plan);
  return ISCP_OK;
}

iscp_status isc_plan_create(isc_plan **out, const isc_network *network, int32_t batch, int32_t height, int32_t width,
                            bool gradient) {
  *out = NULL;
  const iscp_context *context = isc_network_context(network);
  isc_plan *plan = isc_calloc(context, 1, sizeof *plan);
  if (!plan)
    return ISCP_ERROR_MEMORY;
  plan->network = isc_network_hold(network);
  plan->backend = isc_backend_of(context);
  plan->block = plan->backend->block();
  plan->batch = batch;
  plan->threads = iscp_context_threads(context);
  plan->gradient = gradient;
  plan->graph = isc_calloc(context, 1, sizeof *plan->graph);
  iscp_status status = plan->graph ? build(plan, height, width) : ISCP_ERROR_MEMORY;
  if (status != ISCP_OK) {
    isc_plan_destroy(plan);
    return status;
  }
  *out = plan;
  return ISCP_OK;
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
const float *isc_plan_diff_src(const isc_plan *plan) { return plan->diff_src; }

size_t isc_plan_memory(const isc_plan *plan) {
  const isc_conv_shape *stem = &plan->graph->layers[0].shape;
  size_t bytes = sizeof *plan + sizeof *plan->graph + plan->arena_bytes;
  bytes += plan->stem ? (size_t)isc_stem_count(stem, plan->block) * sizeof(float) : 0;
  for (int32_t i = 0; i < plan->graph->layer_count; i++)
    bytes += plan->runners[i]->conv_memory(plan->convs[i]);
  return bytes;
}

/* ---- Running ---- */

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
  ISC_TRY(plan->runners[o->layer]->conv_forward(plan->convs[o->layer], src, dst, plan->scratch));
  if (plan->bits[o->layer])
    isc_relu_bits(plan->bits[o->layer], dst, dst_count(plan, o->layer));
  return ISCP_OK;
}

iscp_status isc_plan_forward(isc_plan *plan) {
  const isc_graph *g = plan->graph;
  for (int32_t i = 0; i < g->forward_count; i++)
    ISC_TRY(run_forward(plan, &g->forward[i]));
  isc_mean_forward(plan->features, plan->slots[g->head_src], plan->batch, g->features, g->head_h * g->head_w, plan->block);
  isc_dense_forward(plan->logits, plan->features, plan->dense_weights, plan->dense_bias, plan->batch, g->features,
                    g->architecture.classes);
  return ISCP_OK;
}

static iscp_status run_backward(isc_plan *plan, const isc_operation *o) {
  const isc_graph *g = plan->graph;
  const float *src = plan->slots[o->src];
  float *dst = o->dst == ISC_SLOT_INPUT ? plan->diff_src : plan->slots[o->dst];
  const uint16_t *bits = o->layer == ISC_NO_LAYER ? NULL : plan->bits[o->layer];
  switch (o->kind) {
  case ISC_CONV_BACKWARD_DATA:
    if (!has_own_backward(plan, o->layer))
      return plan->runners[o->layer]->conv_backward_data(plan->convs[o->layer], src, dst, plan->scratch);
    isc_stem_backward_data(dst, plan->stem, src, &g->layers[0].shape, plan->block);
    break;
  case ISC_RELU_BACKWARD:
    isc_relu_backward(dst, bits, dst_count(plan, o->layer));
    break;
  case ISC_JOIN_BACKWARD:
    isc_join_backward(dst, src, bits, bits ? dst_count(plan, o->layer) : pool_count(plan, true));
    break;
  default:
    isc_pool_backward(dst, plan->pool_which, src, pool_planes(plan), g->pool_ih, g->pool_iw, g->pool_oh, g->pool_ow,
                      plan->block);
  }
  return ISCP_OK;
}

iscp_status isc_plan_backward(isc_plan *plan) {
  const isc_graph *g = plan->graph;
  isc_dense_backward_data(plan->diff_features, plan->diff_logits, plan->dense_weights, plan->batch, g->features,
                          g->architecture.classes);
  isc_mean_backward(plan->slots[g->head_diff], plan->diff_features, plan->bits[g->last_layer], plan->batch, g->features,
                    g->head_h * g->head_w, plan->block);
  for (int32_t i = 0; i < g->backward_count; i++)
    ISC_TRY(run_backward(plan, &g->backward[i]));
  return ISCP_OK;
}
