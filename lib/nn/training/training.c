/* A network in training: the parameters in a backend's order, one arena for everything else (plan.c). */
#include "nn/training/training.h"

#include <stdio.h>
#include <string.h>

#include "nn/backend.h"
#include "nn/resnet/parameters.h"

/* ---- Life ---- */

static iscp_status create_conv(isc_training *t, int32_t index) {
  const isc_layer *layer = &t->graph->layers[index];
  const isc_conv_desc desc = {.name = layer->conv, .shape = layer->shape, .training = true,
                              .gradient = index > 0 || (t->attacked && !isc_training_has_stem(t)),
                              .src_block = index == 0 ? 1 : t->block, .dst_block = t->block};
  return isc_conv_choose(&t->convs[index], isc_network_context(t->network), &desc);
}

static iscp_status check_shapes(const isc_training *t) {
  for (int32_t i = 0; i < t->graph->layer_count; i++) {
    const isc_conv_shape *s = &t->graph->layers[i].shape;
    if ((int64_t)s->n * s->oh * s->ow == 1)
      return isc_fail(ISCP_ERROR_ARGUMENT, "batch is 1 and \"%s\" gives %dx%d, expected more than one number a channel for a "
                      "batch norm", t->graph->layers[i].conv, s->oh, s->ow);
  }
  return ISCP_OK;
}

static iscp_status create_empty(isc_training *t, const isc_network *network, int32_t batch, int32_t height, int32_t width,
                                bool attacked) {
  const iscp_context *context = isc_network_context(network);
  t->network = isc_network_hold(network);
  t->batch = batch;
  t->attacked = attacked;
  t->block = isc_backend_of(context)->block();
  t->graph = isc_calloc(context, 1, sizeof *t->graph);
  if (!t->graph)
    return ISCP_ERROR_MEMORY;
  ISC_TRY(isc_graph_build(t->graph, isc_network_architecture(network), batch, height, width, 0));
  return check_shapes(t);
}

/* As the network has it, in float32 and the tensor's order. */
static iscp_status copy_parameters(isc_training *t) {
  const isc_tensor_set *tensors = isc_network_tensors(t->network);
  for (int32_t i = 0; i < isc_training_parameters(t); i++) {
    isc_parameter p;
    isc_training_parameter(&p, t, i);
    const isc_tensor *tensor = isc_tensor_set_find(tensors, p.name);
    float *plain = p.dims == 4 ? t->plain : p.numbers;
    isc_to_f32(plain, tensor->data, tensor->dtype, isc_tensor_count(tensor));
    if (p.dims == 4)
      ISC_TRY(isc_training_pack(t, i, p.numbers, plain));
  }
  return ISCP_OK;
}

static iscp_status fill(isc_training *t) {
  for (int32_t i = 0; i < t->graph->layer_count; i++)
    ISC_TRY(create_conv(t, i));
  isc_training_plan(t);
  isc_training_lay_out(t);
  t->arena = isc_calloc(isc_network_context(t->network), 1, t->arena_bytes);
  if (!t->arena)
    return ISCP_ERROR_MEMORY;
  isc_training_lay_out(t);
  return copy_parameters(t);
}

iscp_status isc_training_create(isc_training **out, const isc_network *network, int32_t batch, int32_t height,
                                int32_t width, bool attacked) {
  isc_training *t = *out = isc_calloc(isc_network_context(network), 1, sizeof *t);
  if (!t)
    return ISCP_ERROR_MEMORY;
  iscp_status status = create_empty(t, network, batch, height, width, attacked);
  if (status == ISCP_OK)
    status = fill(t);
  if (status != ISCP_OK) {
    isc_training_destroy(t);
    *out = NULL;
  }
  return status;
}

void isc_training_destroy(isc_training *t) {
  if (!t)
    return;
  isc_network *network = t->network;
  const iscp_context *context = isc_network_context(network);
  for (int32_t i = 0; i < ISC_MAX_LAYERS; i++)
    isc_conv_release(&t->convs[i]);
  isc_free(context, t->arena);
  isc_free(context, t->graph);
  isc_free(context, t);
  isc_network_drop(network);
}

int32_t isc_training_batch(const isc_training *t) { return t->batch; }
float *isc_training_src(isc_training *t) { return t->src; }
const float *isc_training_logits(const isc_training *t) { return t->logits; }
float *isc_training_diff_logits(isc_training *t) { return t->diff_logits; }
const float *isc_training_diff_src(const isc_training *t) { return t->diff_src; }

size_t isc_training_memory(const isc_training *t) {
  size_t bytes = sizeof *t + sizeof *t->graph + t->arena_bytes;
  for (int32_t i = 0; i < t->graph->layer_count; i++)
    bytes += t->convs[i].by->bytes(t->convs[i].conv);
  return bytes;
}

/* ---- Parameters: five of each layer, then the dense layer's ---- */

enum { LEAVES = 5 };

int32_t isc_training_parameters(const isc_training *t) { return LEAVES * t->graph->layer_count + 2; }

static void describe_weights(isc_parameter *p, const isc_training *t, int32_t layer) {
  const isc_conv_shape *s = &t->graph->layers[layer].shape;
  snprintf(p->name, sizeof p->name, "%s.weight", t->graph->layers[layer].conv);
  p->numbers = t->convs[layer].by->weights(t->convs[layer].conv);
  p->gradient = t->gradients[layer];
  p->count = t->convs[layer].by->count(t->convs[layer].conv);
  p->dims = 4;
  memcpy(p->shape, (const int64_t[]){s->oc, s->ic, s->k, s->k}, sizeof p->shape);
}

static void describe_norm(isc_parameter *p, const isc_training *t, int32_t layer, int32_t leaf) {
  static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var"};
  const isc_norm *norm = &t->norms[layer];
  float *const numbers[] = {norm->gamma, norm->beta, norm->running_mean, norm->running_variance};
  snprintf(p->name, sizeof p->name, "%s.%s", t->graph->layers[layer].norm, leaves[leaf]);
  p->numbers = numbers[leaf];
  p->gradient = leaf == 0 ? norm->diff_gamma : leaf == 1 ? norm->diff_beta : NULL;
  p->dims = 1;
  p->count = p->shape[0] = t->graph->layers[layer].shape.oc;
}

static void describe_dense(isc_parameter *p, const isc_training *t, bool bias) {
  int64_t classes = t->graph->architecture.classes, features = t->graph->features;
  snprintf(p->name, sizeof p->name, bias ? "fc.bias" : "fc.weight");
  p->numbers = bias ? t->dense_bias : t->dense_weights;
  p->gradient = bias ? t->diff_dense_bias : t->diff_dense_weights;
  p->dims = bias ? 1 : 2;
  p->shape[0] = classes;
  p->shape[1] = bias ? 0 : features;
  p->count = bias ? classes : classes * features;
}

void isc_training_parameter(isc_parameter *p, const isc_training *t, int32_t index) {
  int32_t layer = index / LEAVES;
  *p = (isc_parameter){0};
  if (layer == t->graph->layer_count)
    describe_dense(p, t, index % LEAVES == 1);
  else if (index % LEAVES == 0)
    describe_weights(p, t, layer);
  else
    describe_norm(p, t, layer, index % LEAVES - 1);
}

static bool is_convolution(const isc_training *t, int32_t index) {
  return index % LEAVES == 0 && index / LEAVES < t->graph->layer_count;
}

/* The first convolution of a network that takes its channels in reverse has them in this order in its tensor. */
static bool is_reversed(const isc_training *t, int32_t index) { return index == 0 && isc_network_is_reversed(t->network); }

iscp_status isc_training_pack(isc_training *t, int32_t index, float *own, const float *plain) {
  int32_t layer = index / LEAVES;
  isc_parameter p;
  isc_training_parameter(&p, t, index);
  if (!is_convolution(t, index)) {
    memcpy(own, plain, (size_t)p.count * sizeof *own);
    return ISCP_OK;
  }
  if (plain != t->plain)
    memcpy(t->plain, plain, (size_t)(p.shape[0] * p.shape[1] * p.shape[2] * p.shape[3]) * sizeof *plain);
  if (is_reversed(t, index))
    isc_parameters_reverse(t->plain, &t->graph->layers[layer].shape);
  return t->convs[layer].by->pack(t->convs[layer].conv, own, t->plain, t->scratch);
}

iscp_status isc_training_unpack(isc_training *t, int32_t index, float *plain, const float *own) {
  int32_t layer = index / LEAVES;
  isc_parameter p;
  isc_training_parameter(&p, t, index);
  if (!is_convolution(t, index)) {
    memcpy(plain, own, (size_t)p.count * sizeof *own);
    return ISCP_OK;
  }
  ISC_TRY(t->convs[layer].by->unpack(t->convs[layer].conv, plain, own, t->scratch));
  if (is_reversed(t, index))
    isc_parameters_reverse(plain, &t->graph->layers[layer].shape);
  return ISCP_OK;
}

static iscp_status add_tensor(isc_tensor_set *tensors, isc_training *t, int32_t index) {
  const iscp_context *context = isc_network_context(t->network);
  isc_tensor tensor = {0};
  isc_parameter p;
  isc_training_parameter(&p, t, index);
  ISC_TRY(isc_tensor_create(&tensor, context, ISC_F32, p.dims, p.shape));
  tensor.name = isc_strdup(context, p.name);
  iscp_status status = tensor.name ? isc_training_unpack(t, index, tensor.data, p.numbers) : ISCP_ERROR_MEMORY;
  if (status == ISCP_OK)
    status = isc_tensor_set_add(tensors, context, &tensor);
  isc_tensor_release(&tensor, context);
  return status;
}

iscp_status isc_training_tensors(isc_tensor_set *tensors, isc_training *t) {
  const iscp_context *context = isc_network_context(t->network);
  iscp_status status = ISCP_OK;
  for (int32_t i = 0; status == ISCP_OK && i < isc_training_parameters(t); i++)
    status = add_tensor(tensors, t, i);
  if (status == ISCP_OK && isc_network_architecture(t->network)->stride == ISCP_STRIDE_1X1)
    status = isc_tensor_set_describe(tensors, context, ISC_STRIDE_KEY, "1x1");
  if (status != ISCP_OK)
    isc_tensor_set_release(tensors, context);
  return status;
}
