#include "plain_network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Activations of one image, C x H x W, owned. */
typedef struct map {
  double *values;
  int32_t c, h, w;
} map;

static map make_map(int32_t c, int32_t h, int32_t w) {
  return (map){calloc((size_t)c * (size_t)h * (size_t)w, sizeof(double)), c, h, w};
}

static int32_t area(const map *m) { return m->h * m->w; }

static const float *leaf(const isc_tensor_set *set, const char *base, const char *name, int64_t *first) {
  char full[80];
  snprintf(full, sizeof full, "%s.%s", base, name);
  const isc_tensor *tensor = isc_tensor_set_find(set, full);
  if (first)
    *first = tensor->shape[0];
  return tensor->data;
}

static double conv_at(const map *src, const float *weights, int32_t k, int32_t stride, int32_t oh, int32_t ow) {
  double sum = 0;
  for (int32_t c = 0; c < src->c; c++)
    for (int32_t kh = 0; kh < k; kh++)
      for (int32_t kw = 0; kw < k; kw++) {
        int32_t h = oh * stride - k / 2 + kh, w = ow * stride - k / 2 + kw;
        if (h >= 0 && h < src->h && w >= 0 && w < src->w)
          sum += src->values[c * area(src) + h * src->w + w] * weights[(c * k + kh) * k + kw];
      }
  return sum;
}

/* gamma (conv(src) - mean) / sqrt(var + 1e-5) + beta */
static map conv_norm(const isc_tensor_set *set, const map *src, const char *conv, const char *norm, int32_t k,
                     int32_t stride) {
  int64_t oc;
  const float *weights = leaf(set, conv, "weight", &oc), *gamma = leaf(set, norm, "weight", NULL);
  const float *beta = leaf(set, norm, "bias", NULL), *mean = leaf(set, norm, "running_mean", NULL);
  const float *variance = leaf(set, norm, "running_var", NULL);
  map dst = make_map((int32_t)oc, (src->h - 1) / stride + 1, (src->w - 1) / stride + 1);
  for (int32_t o = 0; o < dst.c; o++)
    for (int32_t p = 0; p < area(&dst); p++) {
      double y = conv_at(src, weights + (int64_t)o * src->c * k * k, k, stride, p / dst.w, p % dst.w);
      dst.values[o * area(&dst) + p] = gamma[o] * (y - mean[o]) / sqrt(variance[o] + 1e-5) + beta[o];
    }
  return dst;
}

static void relu(map *m) {
  for (int32_t i = 0; i < m->c * area(m); i++)
    m->values[i] = m->values[i] > 0 ? m->values[i] : 0;
}

static map pool(const map *src) {
  map dst = make_map(src->c, (src->h - 1) / 2 + 1, (src->w - 1) / 2 + 1);
  for (int32_t i = 0; i < dst.c * area(&dst); i++) {
    int32_t c = i / area(&dst), oh = i % area(&dst) / dst.w, ow = i % dst.w;
    double best = -INFINITY;
    for (int32_t h = 2 * oh - 1; h <= 2 * oh + 1; h++)
      for (int32_t w = 2 * ow - 1; w <= 2 * ow + 1; w++)
        if (h >= 0 && h < src->h && w >= 0 && w < src->w)
          best = fmax(best, src->values[c * area(src) + h * src->w + w]);
    dst.values[i] = best;
  }
  return dst;
}

/* The convolutions of a block one after the other, then the shortcut, then ReLU. `src` is given back. */
static map run_block(const isc_tensor_set *set, map src, const char *block, bool bottleneck, int32_t stride) {
  char conv[64], norm[64];
  int count = bottleneck ? 3 : 2;
  map at = src;
  for (int i = 1; i <= count; i++) {
    snprintf(conv, sizeof conv, "%s.conv%d", block, i);
    snprintf(norm, sizeof norm, "%s.bn%d", block, i);
    bool strided = i == (bottleneck ? 2 : 1);
    map next = conv_norm(set, &at, conv, norm, bottleneck && i != 2 ? 1 : 3, strided ? stride : 1);
    if (i < count)
      relu(&next);
    if (i > 1)
      free(at.values);
    at = next;
  }
  map shortcut = src;
  snprintf(conv, sizeof conv, "%s.downsample.0", block);
  snprintf(norm, sizeof norm, "%s.downsample.1", block);
  char weight[80];
  snprintf(weight, sizeof weight, "%s.weight", conv);
  if (isc_tensor_set_find(set, weight)) {
    shortcut = conv_norm(set, &src, conv, norm, 1, stride);
    free(src.values);
  }
  for (int32_t i = 0; i < at.c * area(&at); i++)
    at.values[i] += shortcut.values[i];
  free(shortcut.values);
  relu(&at);
  return at;
}

static map run_stem(const isc_tensor_set *set, const toy *t, const double *image, int32_t height, int32_t width) {
  bool imagenet = t->stem == ISCP_STEM_IMAGENET;
  map src = {(double *)image, t->channels, height, width};
  map at = conv_norm(set, &src, "conv1", "bn1", imagenet ? 7 : 3, imagenet ? 2 : 1);
  relu(&at);
  if (!imagenet)
    return at;
  map pooled = pool(&at);
  free(at.values);
  return pooled;
}

/* layer<first + 1> to layer<end>. `at` is given back. */
static map run_stages(const isc_tensor_set *tensors, const toy *t, map at, int first, int end) {
  int32_t blocks[4];
  bool bottleneck = toy_blocks(t->depth, blocks);
  for (int stage = first; stage < end; stage++)
    for (int32_t i = 0; i < blocks[stage]; i++) {
      char name[32];
      snprintf(name, sizeof name, "layer%d.%d", stage + 1, i);
      at = run_block(tensors, at, name, bottleneck, stage > 0 && i == 0 ? 2 : 1);
    }
  return at;
}

double *plain_network_stage(int32_t size[3], const isc_tensor_set *tensors, const toy *t, const double *image,
                            int32_t height, int32_t width, int stage) {
  map at = run_stages(tensors, t, run_stem(tensors, t, image, height, width), 0, stage);
  size[0] = at.c;
  size[1] = at.h;
  size[2] = at.w;
  return at.values;
}

void plain_network_rest(double *logits, const isc_tensor_set *tensors, const toy *t, const double *activations,
                        const int32_t size[3], int stage) {
  map at = make_map(size[0], size[1], size[2]);
  memcpy(at.values, activations, (size_t)(at.c * area(&at)) * sizeof *activations);
  at = run_stages(tensors, t, at, stage, 4);
  const float *weights = leaf(tensors, "fc", "weight", NULL), *bias = leaf(tensors, "fc", "bias", NULL);
  for (int32_t k = 0; k < t->classes; k++)
    logits[k] = bias[k];
  for (int32_t c = 0; c < at.c; c++) {
    double sum = 0;
    for (int32_t p = 0; p < area(&at); p++)
      sum += at.values[c * area(&at) + p];
    for (int32_t k = 0; k < t->classes; k++)
      logits[k] += sum / area(&at) * weights[k * at.c + c];
  }
  free(at.values);
}

void plain_network(double *logits, const isc_tensor_set *tensors, const toy *t, const double *image, int32_t height,
                   int32_t width) {
  int32_t size[3];
  double *activations = plain_network_stage(size, tensors, t, image, height, width, 4);
  plain_network_rest(logits, tensors, t, activations, size, 4);
  free(activations);
}

double plain_cross_entropy(const double *logits, int32_t classes, int32_t target) {
  double largest = logits[0], sum = 0;
  for (int32_t k = 1; k < classes; k++)
    largest = fmax(largest, logits[k]);
  for (int32_t k = 0; k < classes; k++)
    sum += exp(logits[k] - largest);
  return log(sum) - (logits[target] - largest);
}
