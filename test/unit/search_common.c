#include "search_common.h"

#include <string.h>

toy_world search_world(void) {
  toy_world world;
  toy_world_create(&world, SEARCH_IMAGES, 1);
  return world;
}

iscp_search_options search_options(void) {
  iscp_search_options options;
  ASSERT_OK(iscp_search_options_init(&options, sizeof options));
  options.min_accuracy = -1; /* a toy knows nothing */
  options.fraction = 0.5;
  options.epochs = 2;
  options.canvases = 2;
  options.lanes = 1;
  options.seed = 3;
  return options;
}

iscp_search *search_create(const toy_world *world, const iscp_search_options *options) {
  iscp_search *search;
  ASSERT_OK(iscp_search_create(&search, world->model, world->dataset, options));
  return search;
}

void search_finish(iscp_search *search) {
  int32_t class_index = 0;
  while (class_index >= 0)
    ASSERT_OK(iscp_search_next(search, &class_index, NULL, NULL));
}

iscp_search *search_run(const toy_world *world, const iscp_search_options *options) {
  iscp_search *search = search_create(world, options);
  search_finish(search);
  return search;
}

iscp_canvas_result search_result(const iscp_search *search, int32_t class_index, int32_t canvas) {
  iscp_canvas_result result = {.struct_size = sizeof result};
  ASSERT_OK(iscp_search_get_canvas(search, class_index, canvas, &result));
  return result;
}

void search_check_same(const iscp_search *a, const iscp_search *b, int32_t class_index, int32_t epochs) {
  int32_t count = iscp_search_canvas_count(a, class_index);
  ck_assert_int_eq(count, iscp_search_canvas_count(b, class_index));
  ck_assert_int_eq(iscp_search_selected(a, class_index), iscp_search_selected(b, class_index));
  for (int32_t c = 0; c < count; c++) {
    iscp_canvas_result x = search_result(a, class_index, c), y = search_result(b, class_index, c);
    ck_assert_mem_eq(&x, &y, sizeof x);
    ck_assert_mem_eq(iscp_search_mask(a, class_index, c), iscp_search_mask(b, class_index, c),
                     TOY_PIXELS * sizeof(float));
    ck_assert_mem_eq(iscp_search_evidence(a, class_index, c), iscp_search_evidence(b, class_index, c),
                     TOY_PIXELS * sizeof(int32_t));
    ck_assert_mem_eq(iscp_search_canvas(a, class_index, c), iscp_search_canvas(b, class_index, c),
                     TOY_NUMBERS * sizeof(float));
    ck_assert_mem_eq(iscp_search_epochs(a, class_index, c), iscp_search_epochs(b, class_index, c),
                     (size_t)epochs * sizeof(double));
  }
}

void search_relabel(toy_world *world, const int32_t labels[SEARCH_IMAGES]) {
  static uint8_t pixels[SEARCH_IMAGES * TOY_NUMBERS];
  float image[TOY_NUMBERS];
  for (int i = 0; i < SEARCH_IMAGES; i++) {
    ASSERT_OK(iscp_dataset_image(world->dataset, i, image));
    for (int v = 0; v < TOY_NUMBERS; v++) /* C x H x W -> H x W x C */
      pixels[i * TOY_NUMBERS + v % TOY_PIXELS * TOY_CHANNELS + v / TOY_PIXELS] = (uint8_t)(image[v] * 255 + 0.5f);
  }
  iscp_dataset_options options;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = iscp_model_contract(world->model);
  options.classes = TOY_CLASSES;
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, world->context, pixels, labels, SEARCH_IMAGES, TOY_SIDE, TOY_SIDE,
                                     TOY_CHANNELS, &options));
  iscp_dataset_destroy(world->dataset);
  world->dataset = dataset;
}

void search_predict(const toy_world *world, int32_t predicted[SEARCH_IMAGES], float logit[SEARCH_IMAGES]) {
  float image[TOY_NUMBERS], logits[TOY_CLASSES];
  iscp_session *session;
  ASSERT_OK(iscp_session_create(&session, world->model, 1, ISCP_SESSION_INFERENCE));
  for (int i = 0; i < SEARCH_IMAGES; i++) {
    ASSERT_OK(iscp_dataset_image(world->dataset, i, image));
    ASSERT_OK(iscp_session_logits(session, image, 1, logits));
    predicted[i] = 0;
    for (int32_t k = 1; k < TOY_CLASSES; k++)
      predicted[i] = logits[k] > logits[predicted[i]] ? k : predicted[i];
    logit[i] = logits[predicted[i]];
  }
  iscp_session_destroy(session);
}
