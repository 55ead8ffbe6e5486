/* Writes the gradients by which a search moves, before it takes their sign:
 *
 *   gradient MODEL IMAGES FOLDER TARGET SEED FRACTION BATCH PRESET ALPHA TV
 *
 * Mask and canvas take turns, a minibatch each. The first step is made with the mask at 0.5; before each of the others the mask
 * is set to FOLDER/mask.npy (float32 H x W) and the canvas to FOLDER/canvas.npy (float32 C x H x W), which it also begins with.
 * Leaves FOLDER/gradient-<step>.npy, float64: dL/dm (H x W) of the even steps, dL/dx_c (C x H x W) of the odd ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/format.h"
#include "search/search.h"

static void must(iscp_status status) {
  if (status == ISCP_OK)
    return;
  fprintf(stderr, "%s\n", iscp_error_message());
  exit(1);
}

static isc_tensor read_floats(const iscp_context *context, const char *folder, const char *name, int64_t numbers) {
  char path[512];
  isc_tensor array;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  must(isc_read_array(&array, context, path));
  if (array.dtype != ISC_F32 || isc_tensor_bytes(&array) != (size_t)numbers * sizeof(float)) {
    fprintf(stderr, "%s holds other numbers, expected %lld of float32\n", path, (long long)numbers);
    exit(1);
  }
  return array;
}

static void write_gradient(const iscp_search *search, const char *folder, int step) {
  const iscp_contract *contract = iscp_model_contract(search->model);
  isc_tensor array = {.dtype = ISC_F64, .data = search->gradients};
  if (step % 2)
    array.shape[array.dims++] = contract->channels;
  array.shape[array.dims++] = contract->height;
  array.shape[array.dims++] = contract->width;
  char path[512];
  snprintf(path, sizeof path, "%s/gradient-%d.npy", folder, step);
  must(isc_write_npy(&array, search->context, path));
}

static iscp_search *make_search(const iscp_model *model, const iscp_dataset *data, const float *canvas, char **words) {
  iscp_search_options options;
  iscp_search *search;
  int32_t target = atoi(words[0]);
  must(iscp_search_options_init(&options, sizeof options));
  options.classes = &target;
  options.class_count = 1;
  options.canvas_kinds = ISCP_CANVAS_USER;
  options.user_canvases = canvas;
  options.user_canvas_count = 1;
  options.epochs = options.lanes = options.mask_steps = options.canvas_steps = 1;
  options.seed = strtoull(words[1], NULL, 10);
  options.fraction = atof(words[2]);
  options.batch = atoi(words[3]);
  options.preset = !strcmp(words[4], "authors") ? ISCP_PRESET_AUTHORS : ISCP_PRESET_PAPER;
  options.alpha_mode = ISCP_ALPHA_FIXED;
  options.alpha = atof(words[5]);
  options.tv = atof(words[6]);
  must(iscp_search_create(&search, model, data, &options));
  return search;
}

static void run(iscp_search *search, const char *folder, const isc_tensor *mask, const isc_tensor *canvas) {
  int32_t y, more;
  must(iscp_search_step(search, &y, &more, NULL, NULL)); /* the clean pass */
  isc_job *job = &search->classes[0].jobs[0];
  for (int step = 0; step == 0 || job->state == ISC_JOB_RUNNING; step++) {
    must(iscp_search_step(search, &y, &more, NULL, NULL));
    write_gradient(search, folder, step);
    memcpy(job->mask.values, mask->data, isc_tensor_bytes(mask));
    memcpy(job->learned.values, canvas->data, isc_tensor_bytes(canvas));
  }
}

int main(int argc, char **argv) {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_dataset_options images;
  if (argc != 11)
    return 2;
  must(iscp_context_create(&context, NULL));
  must(iscp_model_load(&model, context, argv[1], NULL));
  must(iscp_dataset_options_init(&images, sizeof images));
  images.contract = iscp_model_contract(model);
  must(iscp_dataset_open(&data, context, argv[2], &images));
  isc_tensor mask = read_floats(context, argv[3], "mask.npy", isc_contract_pixels(images.contract));
  isc_tensor canvas = read_floats(context, argv[3], "canvas.npy", isc_contract_numbers(images.contract));
  iscp_search *search = make_search(model, data, canvas.data, argv + 4);
  run(search, argv[3], &mask, &canvas);
  iscp_search_destroy(search);
  isc_tensor_release(&mask, context);
  isc_tensor_release(&canvas, context);
  iscp_dataset_destroy(data);
  iscp_model_destroy(model);
  iscp_context_destroy(context);
  return 0;
}
