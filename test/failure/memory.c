/* Running out of memory: models, sets of images, searches, patterns and what measures them. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "each.h"

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

int main(void) {
  Suite *suite = suite_create("memory");
  TCase *memory = tcase_create("memory");
  tcase_add_test(memory, loading_and_saving);
  tcase_add_test(memory, sessions_and_searches);
  tcase_add_test(memory, patterns_and_evaluations);
  suite_add_tcase(suite, memory);
  return support_run(suite);
}
