/* The weights of a network before any training, as torchvision makes them:
 *   convolutions   normal, deviation sqrt(2 / (OC KH KW))        (He et al., 2015, by fan-out)
 *   batch norm     gamma 1, beta 0, mean 0, variance 1
 *   dense layer    weights and bias uniform in +-1 / sqrt(features)
 * A number depends on (seed, tensor, place) only. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/resnet/graph.h"

typedef struct maker {
  isc_tensor_set *set;
  const iscp_context *context;
  uint64_t seed;
} maker;

/* Two numbers of a random stream. */
typedef void pair_fn(double pair[2], uint64_t seed, int32_t purpose, int32_t class_index, int32_t epoch, int64_t index);

static iscp_status add(maker *m, float **numbers, int64_t *count, const char *base, const char *leaf, int32_t dims,
                       const int64_t *shape) {
  char name[64];
  snprintf(name, sizeof name, "%s.%s", base, leaf);
  isc_tensor tensor = {0};
  ISC_TRY(isc_tensor_create(&tensor, m->context, ISC_F32, dims, shape));
  *numbers = tensor.data;
  *count = isc_tensor_count(&tensor);
  tensor.name = isc_strdup(m->context, name);
  iscp_status status = tensor.name ? isc_tensor_set_add(m->set, m->context, &tensor) : ISCP_ERROR_MEMORY;
  isc_tensor_release(&tensor, m->context);
  return status;
}

/* numbers = low + scale * random; the tensor's place in the set names its stream. */
static iscp_status add_random(maker *m, const char *base, const char *leaf, int32_t dims, const int64_t *shape,
                              pair_fn *draw, double low, double scale) {
  float *numbers;
  int64_t count;
  int32_t stream = (int32_t)m->set->count;
  ISC_TRY(add(m, &numbers, &count, base, leaf, dims, shape));
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; i += 2) {
    double pair[2];
    draw(pair, m->seed, ISC_PURPOSE_WEIGHTS, stream, 0, i / 2);
    numbers[i] = (float)(low + scale * pair[0]);
    if (i + 1 < count)
      numbers[i + 1] = (float)(low + scale * pair[1]);
  }
  return ISCP_OK;
}

static iscp_status add_norm(maker *m, const char *base, int64_t channels) {
  static const struct {
    const char *leaf;
    float value;
  } parts[] = {{"weight", 1}, {"bias", 0}, {"running_mean", 0}, {"running_var", 1}};
  for (int p = 0; p < 4; p++) {
    float *numbers;
    int64_t count;
    ISC_TRY(add(m, &numbers, &count, base, parts[p].leaf, 1, &channels));
    for (int64_t i = 0; i < count; i++)
      numbers[i] = parts[p].value;
  }
  return ISCP_OK;
}

static iscp_status add_layer(maker *m, const isc_layer *layer) {
  const isc_conv_shape *s = &layer->shape;
  double deviation = sqrt(2.0 / ((double)s->oc * s->k * s->k));
  ISC_TRY(add_random(m, layer->conv, "weight", 4, (int64_t[]){s->oc, s->ic, s->k, s->k}, isc_random_normal, 0, deviation));
  return add_norm(m, layer->norm, s->oc);
}

static iscp_status add_head(maker *m, int64_t classes, int64_t features) {
  double bound = 1 / sqrt((double)features);
  ISC_TRY(add_random(m, "fc", "weight", 2, (int64_t[]){classes, features}, isc_random_uniform, -bound, 2 * bound));
  return add_random(m, "fc", "bias", 1, &classes, isc_random_uniform, -bound, 2 * bound);
}

/* The shapes of weights do not depend on the size of the images. */
enum { ANY_SIZE = 224 };

iscp_status isc_initial_tensors(isc_tensor_set *tensors, const iscp_context *context,
                                const isc_architecture *architecture, uint64_t seed) {
  ISC_TRY(isc_architecture_check(architecture));
  isc_graph *graph = isc_calloc(context, 1, sizeof *graph);
  if (!graph)
    return ISCP_ERROR_MEMORY;
  maker m = {tensors, context, seed};
  iscp_status status;
  ISC_TRY_OR_DONE(isc_graph_build(graph, architecture, 1, ANY_SIZE, ANY_SIZE, 0));
  for (int32_t i = 0; i < graph->layer_count; i++)
    ISC_TRY_OR_DONE(add_layer(&m, &graph->layers[i]));
  status = add_head(&m, architecture->classes, graph->features);
done:
  if (status != ISCP_OK)
    isc_tensor_set_release(tensors, context);
  isc_free(context, graph);
  return status;
}
