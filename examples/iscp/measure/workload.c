/* What is measured: one step of Algorithm 1, inference, or one step of training, by the public functions as any program calls
 * them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/measure.h"

const char *const work_names[WORK_KINDS + 1] = {"step", "inference", "train", NULL};

enum { EPOCHS = 1000, TRAIN_EPOCHS = 100000, MINIBATCH = 4, MOST_LANES = 256 };

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

iscp_status workload_images(iscp_dataset **out, iscp_context *context, const iscp_model *model, int32_t count) {
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
  size_t bytes = (size_t)count * (size_t)height * (size_t)width * (size_t)c->channels;
  uint8_t *pixels = need(bytes);
  int32_t *labels = need((size_t)count * sizeof *labels);
  memset(labels, 0, (size_t)count * sizeof *labels);
  uint64_t state = 1;
  for (size_t i = 0; i < bytes; i++)
    pixels[i] = (uint8_t)next_random(&state);
  status = iscp_dataset_from_memory(out, context, pixels, labels, count, height, width, c->channels, &options);
  free(pixels);
  free(labels);
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

/* ---- A step of training ---- */

/* At so low a rate the weights stay such that all numbers are of an ordinary size, however long is measured. */
static iscp_status create_trainer(workload *work) {
  iscp_train_options options;
  iscp_status status = iscp_train_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return status;
  options.batch = work->lanes * work->batch;
  options.epochs = TRAIN_EPOCHS;
  options.schedule = ISCP_SCHEDULE_CONSTANT;
  options.learning_rate = 1e-6;
  work->epochs = 0;
  return iscp_trainer_create(&work->trainer, work->model, work->batch_images, &options);
}

static iscp_status prepare_train(workload *work) {
  iscp_status status = workload_images(&work->batch_images, work->context, work->model, work->lanes * work->batch);
  return status == ISCP_OK ? create_trainer(work) : status;
}

static iscp_status run_train(workload *work) {
  if (work->epochs == TRAIN_EPOCHS) {
    iscp_trainer_destroy(work->trainer);
    work->trainer = NULL;
    iscp_status status = create_trainer(work);
    if (status != ISCP_OK)
      return status;
  }
  work->epochs++;
  return iscp_trainer_epoch(work->trainer, NULL, NULL);
}

/* ---- All ---- */

static iscp_status prepare(workload *work, iscp_progress_fn progress) {
  if (work->kind == WORK_TRAIN)
    return prepare_train(work);
  return work->kind == WORK_STEP ? prepare_step(work, progress) : prepare_inference(work);
}

iscp_status workload_create(workload *work, iscp_context *context, const iscp_model *model, const iscp_dataset *data, int kind,
                            int32_t lanes, int32_t batch, iscp_progress_fn progress) {
  *work = (workload){.kind = kind, .lanes = lanes, .batch = batch, .context = context, .model = model, .data = data};
  iscp_model_info info = {.struct_size = sizeof info};
  iscp_status status = iscp_model_get_info(model, &info);
  int64_t before = counter_now().bytes;
  if (status == ISCP_OK)
    status = prepare(work, progress);
  if (status != ISCP_OK) {
    workload_destroy(work);
    return status;
  }
  /* Forward; backward to the input, which multiplies as much; and to the weights, likewise. */
  static const int passes[] = {[WORK_STEP] = 2, [WORK_INFERENCE] = 1, [WORK_TRAIN] = 3};
  work->bytes = counter_now().bytes - before;
  work->flops = 2.0 * (double)info.multiply_adds * lanes * batch * passes[kind];
  return ISCP_OK;
}

iscp_status workload_run(workload *work) {
  if (work->kind == WORK_STEP)
    return run_step(work);
  if (work->kind == WORK_TRAIN)
    return run_train(work);
  return iscp_session_logits(work->session, work->images, (int64_t)work->lanes * work->batch, work->logits);
}

void workload_destroy(workload *work) {
  iscp_search_destroy(work->search);
  iscp_session_destroy(work->session);
  iscp_trainer_destroy(work->trainer);
  iscp_dataset_destroy(work->batch_images);
  free(work->images);
  free(work->logits);
  work->search = NULL;
  work->session = NULL;
  work->trainer = NULL;
  work->batch_images = NULL;
  work->images = work->logits = NULL;
}
