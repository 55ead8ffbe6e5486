/* A toy model and pictures of any size, with a mistake between them: what the tests of iscp_check share. */
#ifndef CHECK_SCENE_H
#define CHECK_SCENE_H

#include "support.h"
#include "toy.h"

enum { IMAGES = 120 };

typedef struct scene {
  toy_world world;
  int32_t height, width; /* of the pictures */
  uint8_t *pixels;
  int32_t labels[IMAGES];
} scene;

typedef void change_fn(float *image);

/* Pictures of height x width: the toy's images, each pixel several times. */
void scene_create(scene *s, int32_t height, int32_t width);
void scene_destroy(scene *s);
iscp_model *scene_load(const scene *s, const iscp_contract *contract);
iscp_dataset *scene_open(const scene *s, const iscp_contract *contract);
/* Labels become what the model answers under `contract`, its images changed by `change` (may be NULL). */
void scene_label(scene *s, const iscp_contract *contract, change_fn *change);
iscp_check *scene_check_sample(const scene *s, const iscp_contract *contract, int32_t causes, int64_t sample);
iscp_check *scene_check(const scene *s, const iscp_contract *contract, int32_t causes);
iscp_contract scene_contract_of(float mean, float std);
iscp_contract scene_contract(void);
int32_t scene_predict(iscp_session *session, const float *image);

#endif
