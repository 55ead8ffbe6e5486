/* What is measured: one step of Algorithm 1, or inference, through the public functions as any program calls them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

const char *const work_names[WORK_KINDS + 1] = {"step", "inference", NULL};

enum { IMAGES = 32, EPOCHS = 1000, MINIBATCH = 4, MOST_LANES = 256 };

void workload_split(int32_t *lanes, int32_t *batch, int32_t network_batch) {
  int splits = network_batch % MINIBATCH == 0 && network_batch / MINIBATCH <= MOST_LANES;
  *lanes = splits ? network_batch / MINIBATCH : 1;
  *batch = network_batch / *lanes;
}

static void *need(size_t bytes) {
  void *memory = malloc(bytes ? bytes : 1);
  if (memory)
    return memory;
  fprintf(stderr, "out of memory: %zu bytes are needed for what is measured, expected a smaller size or batch\n", bytes);
  exit(1);
}

/* ---- Random images ---- */

/* xorshift64 (Marsaglia, 2003). */
static uint32_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (uint32_t)(*state >> 32);
}

static size_t numbers_of(const iscp_model *model) {
  const iscp_contract *c = iscp_model_contract(model);
  return (size_t)c->channels * (size_t)c->height * (size_t)c->width;
}

iscp_status workload_images(iscp_dataset **out, iscp_context *context, const iscp_model *model) {
  const iscp_contract *c = iscp_model_contract(model);
  int32_t height = c->height - c->pad_top - c->pad_bottom, width = c->width - c->pad_left - c->pad_right;
  iscp_model_info info = {.struct_size = sizeof info};
  iscp_dataset_options options;
  iscp_status status = iscp_model_get_info(model, &info);
  if (status == ISCP_OK)
    status = iscp_dataset_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return status;
  options.contract = c;
  options.classes = info.classes;
  size_t bytes = (size_t)IMAGES * (size_t)height * (size_t)width * (size_t)c->channels;
  uint8_t *pixels = need(bytes);
  int32_t labels[IMAGES] = {0};
  uint64_t state = 1;
  for (size_t i = 0; i < bytes; i++)
    pixels[i] = (uint8_t)next_random(&state);
  status = iscp_dataset_from_memory(out, context, pixels, labels, IMAGES, height, width, c->channels, &options);
  free(pixels);
  return status;
}

/* ---- A step ---- */

static int32_t more_than(int32_t label, const iscp_model *model) {
  iscp_model_info info = {.struct_size = sizeof info};
  return iscp_model_get_info(model, &info) == ISCP_OK && info.classes ? (label + 1) % info.classes : 0;
}

/* A search of one class with one canvas a lane, so long that measuring will not see its end. */
static iscp_status create_search(workload *work) {
  size_t numbers = numbers_of(work->model), count = (size_t)work->lanes * numbers;
  int32_t target = more_than(iscp_dataset_label(work->data, 0), work->model); /* image 0 is in D_n */
  iscp_search_options options;
  iscp_status status = iscp_search_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return status;
  float *canvases = need(count * sizeof *canvases);
  uint64_t state = 2;
  for (size_t i = 0; i < count; i++)
    canvases[i] = (float)(next_random(&state) >> 8) * 0x1p-24f;
  options.min_accuracy = -1; /* it may be a network that was not trained */
  options.classes = &target;
  options.class_count = 1;
  options.canvas_kinds = ISCP_CANVAS_USER;
  options.user_canvases = canvases;
  options.user_canvas_count = work->lanes;
  options.lanes = work->lanes;
  options.batch = work->batch;
  options.epochs = EPOCHS;
  options.fraction = 1;
  status = iscp_search_create(&work->search, work->model, work->data, &options);
  free(canvases);
  return status;
}

static iscp_status prepare_step(workload *work, iscp_progress_fn progress) {
  int32_t y, more;
  iscp_status status = create_search(work);
  return status == ISCP_OK ? iscp_search_step(work->search, &y, &more, progress, NULL) : status;
}

static iscp_status run_step(workload *work) {
  int32_t y, more;
  iscp_status status = iscp_search_step(work->search, &y, &more, NULL, NULL);
  if (status != ISCP_OK || more)
    return status;
  iscp_search_destroy(work->search); /* its end was seen all the same */
  work->search = NULL;
  return prepare_step(work, NULL);
}

/* ---- Inference ---- */

static iscp_status prepare_inference(workload *work) {
  int32_t rows = work->lanes * work->batch;
  size_t numbers = numbers_of(work->model);
  iscp_model_info info = {.struct_size = sizeof info};
  iscp_status status = iscp_model_get_info(work->model, &info);
  if (status == ISCP_OK)
    status = iscp_session_create(&work->session, work->model, rows, ISCP_SESSION_INFERENCE);
  if (status != ISCP_OK)
    return status;
  work->images = need((size_t)rows * numbers * sizeof(float));
  work->logits = need((size_t)rows * (size_t)info.classes * sizeof(float));
  int64_t count = iscp_dataset_count(work->data);
  for (int32_t r = 0; r < rows && status == ISCP_OK; r++)
    status = iscp_dataset_image(work->data, r % count, work->images + (size_t)r * numbers);
  return status;
}

/* ---- Both ---- */

iscp_status workload_create(workload *work, const iscp_model *model, const iscp_dataset *data, int kind, int32_t lanes,
                            int32_t batch, iscp_progress_fn progress) {
  *work = (workload){.kind = kind, .lanes = lanes, .batch = batch, .model = model, .data = data};
  iscp_model_info info = {.struct_size = sizeof info};
  iscp_status status = iscp_model_get_info(model, &info);
  int64_t before = counter_now().bytes;
  if (status == ISCP_OK)
    status = kind == WORK_STEP ? prepare_step(work, progress) : prepare_inference(work);
  if (status != ISCP_OK) {
    workload_destroy(work);
    return status;
  }
  int passes = kind == WORK_STEP ? 2 : 1; /* forward; and backward to the input, which multiplies as much */
  work->bytes = counter_now().bytes - before;
  work->flops = 2.0 * (double)info.multiply_adds * lanes * batch * passes;
  return ISCP_OK;
}

iscp_status workload_run(workload *work) {
  if (work->kind == WORK_STEP)
    return run_step(work);
  return iscp_session_logits(work->session, work->images, (int64_t)work->lanes * work->batch, work->logits);
}

void workload_destroy(workload *work) {
  iscp_search_destroy(work->search);
  iscp_session_destroy(work->session);
  free(work->images);
  free(work->logits);
  work->search = NULL;
  work->session = NULL;
  work->images = work->logits = NULL;
}
