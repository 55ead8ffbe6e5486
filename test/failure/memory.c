/* Each allocation of a whole run fails in turn: ISCP_ERROR_MEMORY, nothing made, nothing held, and a further try
 * succeeds.
 *
 * A call that takes few blocks fails at each of them, one that takes many (a session's packed weights) at POINTS places
 * spread over it. What oneDNN takes for itself is not counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support.h"
#include "toy.h"

enum { IMAGES = 20, POINTS = 24, PIXELS = TOY_PIXELS };

typedef struct run {
  toy_world world;
  iscp_search *search;
  iscp_evaluation *evaluation;
  iscp_pattern *pattern;
  iscp_gradcam *gradcam;
  iscp_uap *uap;
  iscp_attack *attack;
  iscp_trigger *trigger;
  iscp_dataset *poisoned;
  int32_t method; /* of the perturbation */
  float mask[PIXELS], canvas[3 * PIXELS]; /* what the search gives, undisturbed */
  int failures;
} run;

/* One call, whose result is destroyed; a failed call must have left NULL. */
typedef iscp_status call_fn(run *r);

/* Makes allocation k of the call fail, for k from 0 on, until it succeeds. */
static void fail_each(run *r, call_fn *call, long most) {
  long before = support_allocations();
  ASSERT_OK(call(r));
  long needed = support_allocations() - before, stride = needed / POINTS + 1;
  ck_assert_msg(needed > 0 && needed < most, "the call takes %ld blocks, expected 1 to %ld", needed, most);
  for (long k = 0; k < needed; k = k + stride < needed || k == needed - 1 ? k + stride : needed - 1) {
    support_fail_after(k);
    iscp_status status = call(r);
    support_fail_after(-1);
    support_failed(status, ISCP_ERROR_MEMORY, "out of memory");
    r->failures++;
  }
  support_fail_after(needed);
  ASSERT_OK(call(r));
  support_fail_after(-1);
}

/* ---- Models and datasets ---- */

static iscp_status load_model(run *r) {
  iscp_model *model = (iscp_model *)r;
  iscp_status status = iscp_model_load(&model, r->world.context, support_path("named.safetensors"), NULL);
  ck_assert(status == ISCP_OK || !model);
  iscp_model_destroy(model);
  return status;
}

static iscp_status create_model(run *r) {
  iscp_model *model = (iscp_model *)r;
  iscp_model_options options;
  iscp_model_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_model_options_init(&options, sizeof options));
  ASSERT_OK(iscp_model_get_info(r->world.model, &info));
  options.contract = iscp_model_contract(r->world.model);
  iscp_status status = iscp_model_create(&model, r->world.context, &info, &options, 1);
  ck_assert(status == ISCP_OK || !model);
  iscp_model_destroy(model);
  return status;
}

static iscp_status save_model(run *r) {
  struct stat found;
  const char *path = support_path("saved.safetensors");
  iscp_status status = iscp_model_save(r->world.model, path, ISCP_STORE_F16);
  ck_assert((status == ISCP_OK) == !stat(path, &found));
  remove(path);
  return status;
}

static iscp_status make_dataset(run *r) {
  static const uint8_t pixels[4 * TOY_NUMBERS];
  static const int32_t labels[4] = {0, 1, 2, 3};
  iscp_dataset_options options;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = iscp_model_contract(r->world.model);
  iscp_dataset *dataset = (iscp_dataset *)r;
  iscp_status status = iscp_dataset_from_memory(&dataset, r->world.context, pixels, labels, 4, TOY_SIDE, TOY_SIDE,
                                                TOY_CHANNELS, &options);
  ck_assert(status == ISCP_OK || !dataset);
  iscp_dataset_destroy(dataset);
  return status;
}

static iscp_status make_session(run *r) {
  iscp_session *session = (iscp_session *)r;
  iscp_status status = iscp_session_create(&session, r->world.model, 2, ISCP_SESSION_GRADIENT);
  ck_assert(status == ISCP_OK || !session);
  iscp_session_destroy(session);
  return status;
}

/* ---- Search ---- */

static iscp_status make_search(run *r, iscp_search **search) {
  static const int32_t one = 1;
  iscp_search_options options;
  ASSERT_OK(iscp_search_options_init(&options, sizeof options));
  options.min_accuracy = -1; /* a toy knows nothing */
  options.classes = &one;
  options.class_count = 1;
  options.canvas_kinds = ISCP_CANVAS_POSITIVE | ISCP_CANVAS_RANDOM;
  options.canvases = 2;
  options.epochs = 2;
  options.lanes = 3;
  options.canvas_steps = options.mask_steps = 1;
  options.fraction = 0.25;
  return iscp_search_create(search, r->world.model, r->world.dataset, &options);
}

static iscp_status try_search(run *r) {
  iscp_search *search = (iscp_search *)r;
  iscp_status status = make_search(r, &search);
  ck_assert(status == ISCP_OK || !search);
  iscp_search_destroy(search);
  return status;
}

/* Goes on with r->search to its end; without memory it stays where it is. */
static iscp_status go_on(run *r) {
  int32_t y = 0;
  iscp_status status = ISCP_OK;
  while (status == ISCP_OK && y >= 0)
    status = iscp_search_next(r->search, &y, NULL, NULL);
  ck_assert_int_eq(y, -1);
  return status;
}

/* A search that ran out of memory anywhere goes on to the same bytes once there is some. */
static void fail_running(run *r) {
  ASSERT_OK(make_search(r, &r->search));
  long before = support_allocations();
  ASSERT_OK(go_on(r));
  long needed = support_allocations() - before, stride = needed / POINTS + 1;
  memcpy(r->mask, iscp_search_mask(r->search, 1, 3), sizeof r->mask);
  memcpy(r->canvas, iscp_search_canvas(r->search, 1, 3), sizeof r->canvas);
  iscp_search_destroy(r->search);
  for (long k = 0; k < needed; k += stride) {
    ASSERT_OK(make_search(r, &r->search));
    support_fail_after(k);
    iscp_status status = go_on(r);
    support_failed(status, ISCP_ERROR_MEMORY, "out of memory");
    ck_assert_int_eq(go_on(r), ISCP_ERROR_MEMORY);
    support_fail_after(-1);
    ASSERT_OK(go_on(r));
    ck_assert_mem_eq(r->mask, iscp_search_mask(r->search, 1, 3), sizeof r->mask);
    ck_assert_mem_eq(r->canvas, iscp_search_canvas(r->search, 1, 3), sizeof r->canvas);
    iscp_search_destroy(r->search);
    r->failures++;
  }
}

/* ---- Patterns and their power ---- */

static iscp_status cut_pattern(run *r) {
  iscp_pattern *pattern = (iscp_pattern *)r;
  iscp_status status = iscp_search_pattern(&pattern, r->search, 1, 0, ISCP_CUT_SIZE, 0.1);
  ck_assert(status == ISCP_OK || !pattern);
  iscp_pattern_destroy(pattern);
  return status;
}

static iscp_status make_evaluation(run *r) {
  iscp_evaluation *evaluation = (iscp_evaluation *)r;
  iscp_status status = iscp_evaluation_create(&evaluation, r->world.model, r->world.dataset, NULL, NULL, NULL);
  ck_assert(status == ISCP_OK || !evaluation);
  iscp_evaluation_destroy(evaluation);
  return status;
}

static iscp_status measure_power(run *r) {
  iscp_power power = {.struct_size = sizeof power, .pw = -7};
  iscp_status status = iscp_evaluation_power(r->evaluation, r->pattern, &power, NULL, NULL);
  ck_assert_int_eq(status == ISCP_OK, power.pw != -7);
  return status;
}

static iscp_status measure_powers(run *r) {
  iscp_power powers[2] = {{.struct_size = sizeof *powers, .pw = -7}, {.struct_size = sizeof *powers, .pw = -7}};
  const iscp_pattern *both[] = {r->pattern, r->pattern};
  iscp_status status = iscp_evaluation_powers(r->evaluation, both, 2, powers, NULL, NULL);
  ck_assert_int_eq(status == ISCP_OK, powers[1].pw != -7);
  return status;
}

static iscp_status lay_over(run *r) {
  double iou = -7;
  iscp_status status = iscp_pattern_overlap(r->pattern, r->pattern, &iou);
  ck_assert(status == ISCP_OK ? iou == 1 : iou == -7);
  return status;
}

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

/* Contract and class names are in the file, so that loading reads and copies those as well. */
static void save_named(const run *r) {
  static const char *const names[TOY_CLASSES] = {"one", "two", "three", "four"};
  iscp_model_options options;
  iscp_model *model;
  ASSERT_OK(iscp_model_options_init(&options, sizeof options));
  options.contract = iscp_model_contract(r->world.model);
  options.class_names = names;
  options.class_count = TOY_CLASSES;
  ASSERT_OK(iscp_model_load(&model, r->world.context, support_path("toy.safetensors"), &options));
  ASSERT_OK(iscp_model_save(model, support_path("named.safetensors"), ISCP_STORE_F16));
  iscp_model_destroy(model);
}

START_TEST(loading_and_saving) {
  run r = {0};
  toy_world_create(&r.world, IMAGES, 1);
  save_named(&r);
  fail_each(&r, load_model, 2000);
  fail_each(&r, create_model, 2000);
  fail_each(&r, save_model, 2000);
  fail_each(&r, make_dataset, 20);
  ck_assert_int_gt(r.failures, POINTS);
  toy_world_destroy(&r.world);
}
END_TEST

START_TEST(sessions_and_searches) {
  run r = {0};
  toy_world_create(&r.world, IMAGES, 1);
  fail_each(&r, make_session, 2000);
  fail_each(&r, try_search, 2000);
  fail_running(&r);
  ck_assert_int_gt(r.failures, POINTS);
  toy_world_destroy(&r.world);
}
END_TEST

START_TEST(patterns_and_evaluations) {
  run r = {0};
  toy_world_create(&r.world, IMAGES, 1);
  ASSERT_OK(make_search(&r, &r.search));
  ASSERT_OK(go_on(&r));
  fail_each(&r, cut_pattern, 20);
  fail_each(&r, make_evaluation, 2000);
  ASSERT_OK(iscp_search_pattern(&r.pattern, r.search, 1, 0, ISCP_CUT_SIZE, 0.1));
  ASSERT_OK(iscp_evaluation_create(&r.evaluation, r.world.model, r.world.dataset, NULL, NULL, NULL));
  fail_each(&r, measure_power, 20);
  fail_each(&r, measure_powers, 20);
  fail_each(&r, lay_over, 20);
  iscp_pattern_destroy(r.pattern);
  iscp_evaluation_destroy(r.evaluation);
  iscp_search_destroy(r.search);
  toy_world_destroy(&r.world);
}
END_TEST

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
  Suite *suite = suite_create("memory");
  TCase *memory = tcase_create("memory");
  tcase_add_test(memory, loading_and_saving);
  tcase_add_test(memory, sessions_and_searches);
  tcase_add_test(memory, patterns_and_evaluations);
  tcase_add_test(memory, backdoors);
  tcase_add_test(memory, explanations);
  tcase_add_test(memory, perturbations);
  tcase_add_test(memory, attacks);
  tcase_add_test(memory, inversions);
  suite_add_tcase(suite, memory);
  return support_run(suite);
}
