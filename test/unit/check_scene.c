#include "check_scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void scene_create(scene *s, int32_t height, int32_t width) {
  float image[TOY_NUMBERS];
  memset(s, 0, sizeof *s);
  toy_world_create(&s->world, IMAGES, 3);
  s->height = height;
  s->width = width;
  s->pixels = malloc((size_t)IMAGES * (size_t)height * (size_t)width * 3);
  for (int32_t i = 0; i < IMAGES; i++) {
    ASSERT_OK(iscp_dataset_image(s->world.dataset, i, image));
    for (int32_t y = 0; y < height; y++)
      for (int32_t x = 0; x < width; x++)
        for (int32_t c = 0; c < 3; c++)
          s->pixels[((i * height + y) * width + x) * 3 + c] =
              (uint8_t)lrintf(255 * image[c * TOY_PIXELS + y * TOY_SIDE / height * TOY_SIDE + x * TOY_SIDE / width]);
  }
}

void scene_destroy(scene *s) {
  toy_world_destroy(&s->world);
  free(s->pixels);
}

iscp_model *scene_load(const scene *s, const iscp_contract *contract) {
  iscp_model_options options;
  iscp_model *model;
  ASSERT_OK(iscp_model_options_init(&options, sizeof options));
  options.contract = contract;
  ASSERT_OK(iscp_model_save(s->world.model, support_path("check.safetensors"), ISCP_STORE_F32));
  ASSERT_OK(iscp_model_load(&model, s->world.context, support_path("check.safetensors"), &options));
  return model;
}

iscp_dataset *scene_open(const scene *s, const iscp_contract *contract) {
  iscp_dataset_options options;
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = contract;
  options.classes = TOY_CLASSES;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, s->world.context, s->pixels, s->labels, IMAGES, s->height, s->width, 3, &options));
  return dataset;
}

int32_t scene_predict(iscp_session *session, const float *image) {
  float logits[TOY_CLASSES];
  ASSERT_OK(iscp_session_logits(session, image, 1, logits));
  int32_t best = 0;
  for (int32_t k = 1; k < TOY_CLASSES; k++)
    best = logits[k] > logits[best] ? k : best;
  return best;
}

void scene_label(scene *s, const iscp_contract *contract, change_fn *change) {
  iscp_model *model = scene_load(s, contract);
  iscp_dataset *dataset = scene_open(s, contract);
  iscp_session *session;
  float image[TOY_NUMBERS];
  int32_t seen[TOY_CLASSES] = {0}, kinds = 0;
  ASSERT_OK(iscp_session_create(&session, model, 1, ISCP_SESSION_INFERENCE));
  for (int32_t i = 0; i < IMAGES; i++) {
    ASSERT_OK(iscp_dataset_image(dataset, i, image));
    if (change)
      change(image);
    s->labels[i] = scene_predict(session, image);
    kinds += !seen[s->labels[i]]++;
  }
  ck_assert_int_gt(kinds, 1);
  iscp_session_destroy(session);
  iscp_dataset_destroy(dataset);
  iscp_model_destroy(model);
}

iscp_check *scene_check_sample(const scene *s, const iscp_contract *contract, int32_t causes, int64_t sample) {
  iscp_check_options options;
  iscp_model *model = scene_load(s, contract);
  iscp_dataset *dataset = scene_open(s, contract);
  iscp_check *check;
  ASSERT_OK(iscp_check_options_init(&options, sizeof options));
  options.causes = causes;
  options.batch = 50;
  options.sample = sample;
  ASSERT_OK(iscp_check_create(&check, model, dataset, &options, NULL, NULL));
  iscp_dataset_destroy(dataset); /* a check keeps what it needs */
  iscp_model_destroy(model);
  return check;
}

iscp_check *scene_check(const scene *s, const iscp_contract *contract, int32_t causes) {
  return scene_check_sample(s, contract, causes, 0);
}

iscp_contract scene_contract_of(float mean, float std) {
  toy t = {.channels = 3};
  iscp_contract contract = toy_contract(&t, TOY_SIDE, TOY_SIDE);
  for (int c = 0; c < 3; c++) {
    contract.mean[c] = mean;
    contract.std[c] = std;
  }
  return contract;
}

iscp_contract scene_contract(void) {
  toy t = {.channels = 3};
  return toy_contract(&t, TOY_SIDE, TOY_SIDE);
}
