#include "toy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/format.h"
#include "support.h"

bool toy_blocks(int32_t depth, int32_t blocks[4]) {
  static const int32_t counts[5][5] = {
      {18, 2, 2, 2, 2}, {34, 3, 4, 6, 3}, {50, 3, 4, 6, 3}, {101, 3, 4, 23, 3}, {152, 3, 8, 36, 3}};
  for (int i = 0; i < 5; i++)
    if (counts[i][0] == depth)
      memcpy(blocks, counts[i] + 1, 4 * sizeof *blocks);
  return depth >= 50;
}

/* ---- Tensors ---- */

void toy_add(isc_tensor_set *set, const iscp_context *context, const char *name, int32_t dims, const int64_t *shape,
             float low, float high, uint32_t seed) {
  isc_tensor tensor;
  ASSERT_OK(isc_tensor_create(&tensor, context, ISC_F32, dims, shape));
  tensor.name = isc_strdup(context, name);
  support_fill(tensor.data, (size_t)isc_tensor_count(&tensor), low, high, seed);
  ASSERT_OK(isc_tensor_set_add(set, context, &tensor));
}

typedef struct builder {
  isc_tensor_set *set;
  const iscp_context *context;
  uint32_t seed;
  float last_gain; /* of a block's last batch norm: the shortcut's sums then stay of one size */
} builder;

static void add(builder *b, const char *base, const char *leaf, int32_t dims, const int64_t *shape, float low,
                float high) {
  char name[80];
  snprintf(name, sizeof name, "%s.%s", base, leaf);
  toy_add(b->set, b->context, name, dims, shape, low, high, ++b->seed);
}

static void add_conv(builder *b, const char *name, int64_t oc, int64_t ic, int64_t k) {
  float bound = sqrtf(6.0f / (float)(ic * k * k));
  add(b, name, "weight", 4, (int64_t[]){oc, ic, k, k}, -bound, bound);
}

static void add_norm(builder *b, const char *name, int64_t c, float gain) {
  int64_t one = 1;
  add(b, name, "weight", 1, &c, 0.6f * gain, 1.4f * gain);
  add(b, name, "bias", 1, &c, -0.2f, 0.2f);
  add(b, name, "running_mean", 1, &c, -0.3f, 0.3f);
  add(b, name, "running_var", 1, &c, 0.5f, 1.5f);
  add(b, name, "num_batches_tracked", 1, &one, 0, 1);
}

/* One block reading `ic` channels; answers what it gives. */
static int64_t add_block(builder *b, const char *block, int64_t ic, int64_t planes, bool bottleneck, bool strided) {
  char name[64];
  int64_t out = bottleneck ? 4 * planes : planes, c = ic;
  int count = bottleneck ? 3 : 2;
  for (int i = 1; i <= count; i++) {
    int64_t next = i == count ? out : planes;
    snprintf(name, sizeof name, "%s.conv%d", block, i);
    add_conv(b, name, next, c, bottleneck && i != 2 ? 1 : 3);
    snprintf(name, sizeof name, "%s.bn%d", block, i);
    add_norm(b, name, next, i == count ? b->last_gain : 1);
    c = next;
  }
  if (strided || ic != out) {
    snprintf(name, sizeof name, "%s.downsample.0", block);
    add_conv(b, name, out, ic, 1);
    snprintf(name, sizeof name, "%s.downsample.1", block);
    add_norm(b, name, out, 1);
  }
  return out;
}

void toy_tensors(isc_tensor_set *set, const iscp_context *context, const toy *t) {
  int32_t blocks[4];
  bool bottleneck = toy_blocks(t->depth, blocks);
  int32_t all = blocks[0] + blocks[1] + blocks[2] + blocks[3];
  builder b = {set, context, t->seed * 1000, 1 / sqrtf((float)all)};
  memset(set, 0, sizeof *set);
  add_conv(&b, "conv1", t->width, t->channels, t->stem == ISCP_STEM_IMAGENET ? 7 : 3);
  add_norm(&b, "bn1", t->width, 1);
  int64_t c = t->width;
  for (int stage = 0; stage < 4; stage++)
    for (int32_t i = 0; i < blocks[stage]; i++) {
      char name[32];
      snprintf(name, sizeof name, "layer%d.%d", stage + 1, i);
      c = add_block(&b, name, c, (int64_t)t->width << stage, bottleneck, stage > 0 && i == 0);
    }
  float bound = 3 / sqrtf((float)c);
  int64_t classes = t->classes;
  add(&b, "fc", "weight", 2, (int64_t[]){classes, c}, -bound, bound);
  add(&b, "fc", "bias", 1, &classes, -0.1f, 0.1f);
}

/* ---- Models ---- */

iscp_contract toy_contract(const toy *t, int32_t height, int32_t width) {
  iscp_contract contract;
  ASSERT_OK(iscp_contract_init(&contract, sizeof contract));
  contract.channels = t->channels;
  contract.height = height;
  contract.width = width;
  for (int c = 0; c < 3; c++) {
    contract.mean[c] = 0.4f + 0.05f * (float)c;
    contract.std[c] = 0.25f + 0.03f * (float)c;
  }
  return contract;
}

iscp_model *toy_model(iscp_context *context, isc_tensor_set *tensors, const iscp_contract *contract) {
  const char *path = support_path("toy.safetensors");
  iscp_model_options options;
  ASSERT_OK(iscp_model_options_init(&options, sizeof options));
  options.contract = contract;
  ASSERT_OK(isc_write_safetensors(tensors, context, path));
  iscp_model *model;
  ASSERT_OK(iscp_model_load(&model, context, path, &options));
  return model;
}

/* ---- A world ---- */

/* Each image is a colour, a brighter box, and noise. */
static void draw_images(uint8_t *pixels, int32_t images, uint32_t seed) {
  float *noise = malloc((size_t)images * TOY_NUMBERS * sizeof *noise), look[16];
  support_fill(noise, (size_t)images * TOY_NUMBERS, 0, 40, seed);
  for (int32_t i = 0; i < images; i++) {
    support_fill(look, 16, 0, 1, seed * 7919 + (uint32_t)i);
    int32_t top = (int32_t)(look[3] * 4), left = (int32_t)(look[4] * 4);
    for (int32_t p = 0; p < TOY_PIXELS; p++) {
      int32_t y = p / TOY_SIDE - top, x = p % TOY_SIDE - left;
      bool box = y >= 0 && y < 4 && x >= 0 && x < 4;
      for (int32_t c = 0; c < TOY_CHANNELS; c++) {
        int64_t at = ((int64_t)i * TOY_PIXELS + p) * TOY_CHANNELS + c;
        pixels[at] = (uint8_t)(noise[at] + 120 * look[c] + (box ? 90 * look[5 + c] : 0));
      }
    }
  }
  free(noise);
}

static iscp_dataset *dataset_of(const toy_world *world, const uint8_t *pixels, const int32_t *labels, int32_t images) {
  iscp_dataset_options options;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = iscp_model_contract(world->model);
  options.classes = TOY_CLASSES;
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, world->context, pixels, labels, images, TOY_SIDE, TOY_SIDE, TOY_CHANNELS,
                                     &options));
  return dataset;
}

static void run_images(float *logits, const toy_world *world, int32_t images) {
  iscp_session *session;
  float image[TOY_NUMBERS];
  ASSERT_OK(iscp_session_create(&session, world->model, 1, ISCP_SESSION_INFERENCE));
  for (int32_t i = 0; i < images; i++) {
    ASSERT_OK(iscp_dataset_image(world->dataset, i, image));
    ASSERT_OK(iscp_session_logits(session, image, 1, logits + i * TOY_CLASSES));
  }
  iscp_session_destroy(session);
}

/* Scales and shifts row k of the dense layer so that its logit has mean 0 and deviation 2 over the images. */
static void balance(isc_tensor_set *tensors, const float *logits, int32_t images) {
  const isc_tensor *weights = isc_tensor_set_find(tensors, "fc.weight"),
                   *bias = isc_tensor_set_find(tensors, "fc.bias");
  for (int32_t k = 0; k < TOY_CLASSES; k++) {
    double sum = 0, squares = 0;
    for (int32_t i = 0; i < images; i++)
      sum += logits[i * TOY_CLASSES + k];
    double mean = sum / images;
    for (int32_t i = 0; i < images; i++)
      squares += pow(logits[i * TOY_CLASSES + k] - mean, 2);
    float scale = (float)(2 / sqrt(squares / images));
    for (int64_t j = 0; j < weights->shape[1]; j++)
      ((float *)weights->data)[k * weights->shape[1] + j] *= scale;
    ((float *)bias->data)[k] = (((float *)bias->data)[k] - (float)mean) * scale;
  }
}

static void label_images(int32_t *labels, const float *logits, int32_t images) {
  for (int32_t i = 0; i < images; i++) {
    int32_t best = 0;
    for (int32_t k = 1; k < TOY_CLASSES; k++)
      best = logits[i * TOY_CLASSES + k] > logits[i * TOY_CLASSES + best] ? k : best;
    labels[i] = (best + (i % 5 == 4)) % TOY_CLASSES;
  }
}

void toy_world_create(toy_world *world, int32_t images, uint32_t seed) {
  toy t = {18, 8, ISCP_STEM_CIFAR, TOY_CHANNELS, TOY_CLASSES, seed};
  iscp_contract contract = toy_contract(&t, TOY_SIDE, TOY_SIDE);
  uint8_t *pixels = malloc((size_t)images * TOY_NUMBERS);
  int32_t *labels = calloc((size_t)images, sizeof *labels);
  float *logits = calloc((size_t)images * TOY_CLASSES, sizeof *logits);
  isc_tensor_set tensors;
  world->context = support_context();
  toy_tensors(&tensors, world->context, &t);
  draw_images(pixels, images, seed);
  world->model = toy_model(world->context, &tensors, &contract);
  world->dataset = dataset_of(world, pixels, labels, images);
  run_images(logits, world, images);
  iscp_model_destroy(world->model);
  balance(&tensors, logits, images);
  world->model = toy_model(world->context, &tensors, &contract);
  run_images(logits, world, images);
  iscp_dataset_destroy(world->dataset);
  label_images(labels, logits, images);
  world->dataset = dataset_of(world, pixels, labels, images);
  isc_tensor_set_release(&tensors, world->context);
  free(pixels);
  free(labels);
  free(logits);
}

void toy_world_destroy(toy_world *world) {
  iscp_dataset_destroy(world->dataset);
  iscp_model_destroy(world->model);
  support_context_end(world->context);
}
