/* Running out of memory: triggers, Grad-CAM, perturbations, attacks and inversions. */
#include <string.h>

#include "each.h"

/* ---- Backdoors ---- */

static iscp_status draw_trigger(run *r) {
  iscp_trigger *trigger = (iscp_trigger *)r;
  iscp_status status = iscp_trigger_create(&trigger, r->world.context, "checkerboard:2x3", NULL);
  ck_assert(status == ISCP_OK || !trigger);
  iscp_trigger_destroy(trigger);
  return status;
}

static iscp_status read_trigger(run *r) {
  iscp_trigger *trigger = (iscp_trigger *)r;
  iscp_status status = iscp_trigger_create(&trigger, r->world.context, support_path("trigger.png"), NULL);
  ck_assert(status == ISCP_OK || !trigger);
  iscp_trigger_destroy(trigger);
  return status;
}

static iscp_status poison(run *r, iscp_dataset **poisoned) {
  iscp_poison_options options;
  ASSERT_OK(iscp_poison_options_init(&options, sizeof options));
  options.target = 0;
  options.rate = 1;
  options.keep = ISCP_POISON_ONLY;
  return iscp_dataset_poison(poisoned, r->world.dataset, r->trigger, &options);
}

static iscp_status poison_dataset(run *r) {
  iscp_dataset *poisoned = (iscp_dataset *)r;
  iscp_status status = poison(r, &poisoned);
  ck_assert(status == ISCP_OK || !poisoned);
  iscp_dataset_destroy(poisoned);
  return status;
}

static iscp_status read_stamped(run *r) {
  float image[TOY_NUMBERS];
  return iscp_dataset_image(r->poisoned, 0, image);
}

static iscp_status place_trigger(run *r) {
  iscp_pattern *pattern = (iscp_pattern *)r;
  iscp_status status = iscp_trigger_pattern(&pattern, r->trigger, iscp_dataset_contract(r->world.dataset), TOY_SIDE, TOY_SIDE,
                                            TOY_CHANNELS, 0);
  ck_assert(status == ISCP_OK || !pattern);
  iscp_pattern_destroy(pattern);
  return status;
}

/* ---- Grad-CAM ---- */

static const float grey[TOY_NUMBERS];

static iscp_status make_gradcam(run *r) {
  iscp_gradcam *gradcam = (iscp_gradcam *)r;
  iscp_status status = iscp_gradcam_create(&gradcam, r->world.model, NULL);
  ck_assert(status == ISCP_OK || !gradcam);
  iscp_gradcam_destroy(gradcam);
  return status;
}

static iscp_status cut_gradcam(run *r) {
  iscp_pattern *pattern = (iscp_pattern *)r;
  iscp_status status = iscp_gradcam_pattern(&pattern, r->gradcam, grey, -1, ISCP_CUT_SIZE, 0.1);
  ck_assert(status == ISCP_OK || !pattern);
  iscp_pattern_destroy(pattern);
  return status;
}

static iscp_status shift_attention(run *r) {
  iscp_attention_shift shift = {.struct_size = sizeof shift, .target = -7};
  iscp_status status = iscp_gradcam_shift(&shift, NULL, NULL, r->gradcam, grey, r->pattern);
  ck_assert_int_eq(status == ISCP_OK, shift.target != -7);
  return status;
}

static iscp_status encode_image(run *r) {
  int64_t size = -7;
  iscp_status status = iscp_image_encode_png(&size, r->world.context, grey, TOY_CHANNELS, TOY_SIDE, TOY_SIDE, 1, NULL, 0);
  ck_assert((status == ISCP_OK) == (size > 0));
  return status;
}

/* ---- Universal perturbations ---- */

static iscp_status make_uap(run *r, iscp_uap **uap) {
  iscp_uap_options options;
  ASSERT_OK(iscp_uap_options_init(&options, sizeof options));
  options.method = r->method;
  options.eps = 0.25;
  options.epochs = 2;
  options.batch = 6;
  return iscp_uap_create(uap, r->world.model, r->world.dataset, 1, &options);
}

static iscp_status try_uap(run *r) {
  iscp_uap *uap = (iscp_uap *)r;
  iscp_status status = make_uap(r, &uap);
  ck_assert(status == ISCP_OK || !uap);
  iscp_uap_destroy(uap);
  return status;
}

static iscp_status take_uap_pattern(run *r) {
  iscp_pattern *pattern = (iscp_pattern *)r;
  iscp_status status = iscp_uap_pattern(&pattern, r->uap, 0.5);
  ck_assert(status == ISCP_OK || !pattern);
  iscp_pattern_destroy(pattern);
  return status;
}

/* Without memory it stays where it is, and goes on to the same bytes once there is some. */
static void fail_crafting(run *r) {
  float whole[TOY_NUMBERS];
  ASSERT_OK(make_uap(r, &r->uap));
  long before = support_allocations();
  ASSERT_OK(iscp_uap_run(r->uap, NULL, NULL));
  long needed = support_allocations() - before;
  ck_assert_int_gt(needed, 0);
  memcpy(whole, iscp_uap_perturbation(r->uap), sizeof whole);
  fail_each(r, take_uap_pattern, 20);
  iscp_uap_destroy(r->uap);
  for (long k = 0; k < needed; k += needed / POINTS + 1) {
    ASSERT_OK(make_uap(r, &r->uap));
    support_fail_after(k);
    support_failed(iscp_uap_run(r->uap, NULL, NULL), ISCP_ERROR_MEMORY, "out of memory");
    support_fail_after(-1);
    ASSERT_OK(iscp_uap_run(r->uap, NULL, NULL));
    ck_assert_mem_eq(whole, iscp_uap_perturbation(r->uap), sizeof whole);
    iscp_uap_destroy(r->uap);
    r->failures++;
  }
}

/* ---- Attacks ---- */

static iscp_status make_attack(run *r) {
  iscp_attack *attack = (iscp_attack *)r;
  iscp_status status = iscp_attack_create(&attack, r->world.model, NULL);
  ck_assert(status == ISCP_OK || !attack);
  iscp_attack_destroy(attack);
  return status;
}

static iscp_status take_accuracy(run *r) {
  iscp_attack_info info = {.struct_size = sizeof info, .images = -7};
  iscp_status status = iscp_attack_accuracy(&info, r->attack, r->world.dataset, NULL, NULL);
  ck_assert_int_eq(status == ISCP_OK, info.images != -7);
  return status;
}

/* ---- Inversions ---- */

static iscp_status make_inversion(run *r, iscp_inversion **inversion) {
  iscp_invert_options options;
  ASSERT_OK(iscp_invert_options_init(&options, sizeof options));
  options.steps = 2;
  options.batch = 6;
  return iscp_inversion_create(inversion, r->world.model, r->world.dataset, &options);
}

static iscp_status try_inversion(run *r) {
  iscp_inversion *inversion = (iscp_inversion *)r;
  iscp_status status = make_inversion(r, &inversion);
  ck_assert(status == ISCP_OK || !inversion);
  iscp_inversion_destroy(inversion);
  return status;
}

/* A batch that ran out of memory is made again, to the same distance. */
static void fail_inverting(run *r) {
  iscp_inversion *inversion;
  iscp_invert_info info = {.struct_size = sizeof info}, whole = info;
  ASSERT_OK(make_inversion(r, &inversion));
  long before = support_allocations();
  ASSERT_OK(iscp_inversion_next(inversion, NULL, NULL));
  long needed = support_allocations() - before;
  ASSERT_OK(iscp_inversion_get_info(inversion, &whole));
  iscp_inversion_destroy(inversion);
  for (long k = 0; k < needed; k += needed / POINTS + 1) {
    ASSERT_OK(make_inversion(r, &inversion));
    support_fail_after(k);
    support_failed(iscp_inversion_next(inversion, NULL, NULL), ISCP_ERROR_MEMORY, "out of memory");
    support_fail_after(-1);
    ASSERT_OK(iscp_inversion_next(inversion, NULL, NULL));
    ASSERT_OK(iscp_inversion_get_info(inversion, &info));
    ck_assert_double_eq(info.distance, whole.distance);
    iscp_inversion_destroy(inversion);
    r->failures++;
  }
}

/* ---- The tests ---- */

START_TEST(backdoors) {
  run r = {0};
  float image[TOY_NUMBERS] = {0};
  toy_world_create(&r.world, IMAGES, 1);
  ASSERT_OK(iscp_image_write_png(r.world.context, image, TOY_CHANNELS, TOY_SIDE, TOY_SIDE, support_path("trigger.png"), 1));
  fail_each(&r, draw_trigger, 20);
  fail_each(&r, read_trigger, 40);
  ASSERT_OK(iscp_trigger_create(&r.trigger, r.world.context, "white:2x2", NULL));
  fail_each(&r, poison_dataset, 20);
  ASSERT_OK(poison(&r, &r.poisoned));
  fail_each(&r, read_stamped, 20);
  fail_each(&r, place_trigger, 20);
  iscp_dataset_destroy(r.poisoned);
  iscp_trigger_destroy(r.trigger);
  toy_world_destroy(&r.world);
}
END_TEST

START_TEST(explanations) {
  run r = {0};
  float mask[PIXELS] = {1};
  toy_world_create(&r.world, IMAGES, 1);
  fail_each(&r, make_gradcam, 2000);
  ASSERT_OK(iscp_gradcam_create(&r.gradcam, r.world.model, NULL));
  ASSERT_OK(iscp_pattern_create(&r.pattern, r.world.context, mask, NULL, grey, TOY_CHANNELS, TOY_SIDE, TOY_SIDE, 0,
                                ISCP_CUT_GAMMA, 0.5, ISCP_TIES_INDEX));
  fail_each(&r, cut_gradcam, 20);
  fail_each(&r, shift_attention, 20);
  fail_each(&r, encode_image, 20);
  iscp_pattern_destroy(r.pattern);
  iscp_gradcam_destroy(r.gradcam);
  toy_world_destroy(&r.world);
}
END_TEST

START_TEST(perturbations) {
  run r = {0};
  toy_world_create(&r.world, IMAGES, 1);
  for (r.method = ISCP_UAP_SGD; r.method <= ISCP_UAP_DEEPFOOL; r.method++) {
    fail_each(&r, try_uap, 2000);
    fail_crafting(&r);
  }
  ck_assert_int_gt(r.failures, POINTS);
  toy_world_destroy(&r.world);
}
END_TEST

START_TEST(attacks) {
  run r = {0};
  toy_world_create(&r.world, IMAGES, 1);
  fail_each(&r, make_attack, 2000);
  ASSERT_OK(iscp_attack_create(&r.attack, r.world.model, NULL));
  fail_each(&r, take_accuracy, 20);
  iscp_attack_destroy(r.attack);
  toy_world_destroy(&r.world);
}
END_TEST

START_TEST(inversions) {
  run r = {0};
  toy_world_create(&r.world, IMAGES, 1);
  fail_each(&r, try_inversion, 2000);
  fail_inverting(&r);
  ck_assert_int_gt(r.failures, POINTS / 2); /* there are few blocks */
  toy_world_destroy(&r.world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("methods");
  TCase *methods = tcase_create("methods");
  tcase_add_test(methods, backdoors);
  tcase_add_test(methods, explanations);
  tcase_add_test(methods, perturbations);
  tcase_add_test(methods, attacks);
  tcase_add_test(methods, inversions);
  suite_add_tcase(suite, methods);
  return support_run(suite);
}
