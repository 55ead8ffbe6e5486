/* lib/search: what a search is asked for and what it yields. Canvases are in search_canvas.c,
 * the steps in search_steps.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search_common.h"

/* ---- Options ---- */

static void refused(const toy_world *world, const iscp_search_options *options, iscp_status status, const char *word) {
  iscp_search *search = (iscp_search *)&search;
  support_failed(iscp_search_create(&search, world->model, world->dataset, options), status, word);
  ck_assert_ptr_null(search);
}

#define REFUSED(field, value, word)                          \
  do {                                                       \
    iscp_search_options changed = good;                      \
    changed.field = value;                                   \
    refused(&world, &changed, ISCP_ERROR_ARGUMENT, word);    \
  } while (0)

START_TEST(options_out_of_range_are_refused) {
  toy_world world = search_world();
  iscp_search_options good = search_options();
  REFUSED(preset, 0, "preset is 0, expected 1 to 3");
  REFUSED(preset, 4, "preset is 4");
  REFUSED(alpha_mode, -1, "alpha_mode is -1");
  REFUSED(alpha_mode, 3, "alpha_mode is 3, expected 0 to 2");
  REFUSED(canvas_kinds, 0, "canvas_kinds is 0, expected 1 to 31");
  REFUSED(canvas_kinds, 32, "canvas_kinds is 32");
  REFUSED(canvas_kinds, ISCP_CANVAS_USER, "asks for user canvases");
  REFUSED(step, 0, "step is 0, expected more than 0 and at most 1");
  REFUSED(step, 1.01, "step is 1.01");
  REFUSED(step, NAN, "step is nan");
  REFUSED(fraction, 0, "fraction is 0");
  REFUSED(fraction, 2, "fraction is 2");
  REFUSED(fraction, NAN, "fraction is nan");
  REFUSED(select_size, 0, "select_size is 0");
  REFUSED(select_size, 1.5, "select_size is 1.5");
  REFUSED(canvases, 0, "canvases is 0, expected 1 to 1000");
  REFUSED(canvases, 1001, "canvases is 1001");
  REFUSED(epochs, 0, "epochs is 0, expected 1 to 1000");
  REFUSED(epochs, 1001, "epochs is 1001");
  REFUSED(batch, 0, "batch is 0, expected 1 to 1024");
  REFUSED(batch, 1025, "batch is 1025");
  REFUSED(select, -1, "select is -1, expected 0 to 2");
  REFUSED(select, 3, "select is 3");
  REFUSED(ties, -1, "ties is -1, expected 0 to 2");
  REFUSED(ties, 3, "ties is 3");
  REFUSED(lanes, -1, "lanes is -1, expected 0 to 256");
  REFUSED(lanes, 257, "lanes is 257");
  REFUSED(user_canvas_count, -1, "user_canvas_count is -1");
  REFUSED(user_canvas_count, 1001, "user_canvas_count is 1001");
  REFUSED(canvas_steps, -1, "canvas_steps is -1, expected 0 to 1000");
  REFUSED(canvas_steps, 1001, "canvas_steps is 1001");
  REFUSED(mask_steps, 0, "mask_steps is 0, expected 1 to 1000");
  REFUSED(mask_steps, 1001, "mask_steps is 1001");
  REFUSED(canvas_step, 0, "canvas_step is 0, expected more than 0 and at most 1");
  REFUSED(canvas_step, 1.5, "canvas_step is 1.5");
  REFUSED(canvas_step, NAN, "canvas_step is nan");
  REFUSED(class_count, -1, "class_count is -1");
  REFUSED(class_count, 2, "class_count is 2 with classes NULL");
  good.alpha_mode = ISCP_ALPHA_FIXED;
  REFUSED(alpha, -0.1, "alpha is -0.1, expected 0 or more");
  REFUSED(alpha, NAN, "alpha is nan");
  REFUSED(alpha, INFINITY, "alpha is inf");
  good.lanes = 256;
  good.canvases = 100;
  REFUSED(batch, 64, "lanes times batch is 16384, expected at most 4096");
  good.struct_size = 8;
  refused(&world, &good, ISCP_ERROR_ABI, "iscp_search_options");
  toy_world_destroy(&world);
}
END_TEST

START_TEST(lists_are_checked) {
  toy_world world = search_world();
  iscp_search_options good = search_options();
  const int32_t above[] = {0, TOY_CLASSES}, below[] = {-1, 1}, twice[] = {2, 0, 2};
  good.class_count = 2;
  REFUSED(classes, above, "class 4 is out of range, expected 0 to 3");
  REFUSED(classes, below, "class -1 is out of range");
  good.class_count = 3;
  REFUSED(classes, twice, "class 2 is listed twice");
  good.class_count = 0;
  float canvases[2 * TOY_NUMBERS] = {0};
  good.canvas_kinds = ISCP_CANVAS_USER | ISCP_CANVAS_WHITE;
  good.user_canvases = canvases;
  REFUSED(user_canvas_count, 0, "asks for user canvases");
  good.user_canvas_count = 2;
  canvases[TOY_NUMBERS + 5] = 1.5f;
  refused(&world, &good, ISCP_ERROR_ARGUMENT, "user_canvases[197] is 1.5, expected 0 to 1");
  canvases[TOY_NUMBERS + 5] = NAN;
  refused(&world, &good, ISCP_ERROR_ARGUMENT, "user_canvases[197] is nan");
  canvases[TOY_NUMBERS + 5] = -0.5f;
  refused(&world, &good, ISCP_ERROR_ARGUMENT, "user_canvases[197] is -0.5");
  toy_world_destroy(&world);
}
END_TEST

START_TEST(wrong_calls_are_refused) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  iscp_search *search = (iscp_search *)&search;
  support_failed(iscp_search_create(NULL, world.model, world.dataset, NULL), ISCP_ERROR_ARGUMENT, "out");
  support_failed(iscp_search_create(&search, NULL, world.dataset, NULL), ISCP_ERROR_ARGUMENT, "model");
  ck_assert_ptr_null(search);
  support_failed(iscp_search_create(&search, world.model, NULL, NULL), ISCP_ERROR_ARGUMENT, "dataset");
  search = search_create(&world, &options);
  int32_t y;
  iscp_canvas_result result = {.struct_size = sizeof result};
  iscp_pattern *pattern = (iscp_pattern *)&pattern;
  support_failed(iscp_search_next(NULL, &y, NULL, NULL), ISCP_ERROR_ARGUMENT, "search");
  support_failed(iscp_search_next(search, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "class_index");
  support_failed(iscp_search_get_canvas(NULL, 0, 0, &result), ISCP_ERROR_ARGUMENT, "search is NULL");
  support_failed(iscp_search_get_canvas(search, 0, 0, &result), ISCP_ERROR_ARGUMENT, "class 0 is not finished");
  support_failed(iscp_search_pattern(&pattern, search, 0, 0, ISCP_CUT_SIZE, 0.1), ISCP_ERROR_ARGUMENT, "not finished");
  ck_assert_ptr_null(pattern);
  ASSERT_OK(iscp_search_next(search, &y, NULL, NULL));
  support_failed(iscp_search_get_canvas(search, y, 2, &result), ISCP_ERROR_ARGUMENT,
                 "has no canvas 2, expected one below 2");
  support_failed(iscp_search_get_canvas(search, y, -1, &result), ISCP_ERROR_ARGUMENT, "has no canvas -1");
  support_failed(iscp_search_get_canvas(search, 17, 0, &result), ISCP_ERROR_ARGUMENT, "class 17 is not finished");
  support_failed(iscp_search_get_canvas(search, y, 0, NULL), ISCP_ERROR_ARGUMENT, "iscp_canvas_result");
  result.struct_size = 12;
  support_failed(iscp_search_get_canvas(search, y, 0, &result), ISCP_ERROR_ABI, "iscp_canvas_result");
  support_failed(iscp_search_pattern(NULL, search, y, 0, ISCP_CUT_SIZE, 0.1), ISCP_ERROR_ARGUMENT, "out");
  support_failed(iscp_search_pattern(&pattern, search, y, 0, ISCP_CUT_SIZE, 0), ISCP_ERROR_ARGUMENT, "cut is 0");
  support_failed(iscp_search_pattern(&pattern, NULL, y, 0, ISCP_CUT_SIZE, 0.1), ISCP_ERROR_ARGUMENT, "search is NULL");
  ck_assert(!iscp_search_mask(search, y, 2) && !iscp_search_evidence(search, y, -1) &&
            !iscp_search_canvas(search, 9, 0));
  ck_assert(!iscp_search_mask(NULL, 0, 0) && !iscp_search_evidence(NULL, 0, 0) && !iscp_search_canvas(NULL, 0, 0));
  ck_assert(!iscp_search_epochs(NULL, 0, 0) && iscp_search_canvas_count(NULL, 0) == -1 &&
            iscp_search_selected(NULL, 0) == -1);
  iscp_search_destroy(search);
  iscp_search_destroy(NULL);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(datasets_that_do_not_fit_are_refused) {
  toy_world world = search_world();
  iscp_contract contract = *iscp_model_contract(world.model);
  contract.width = 12;
  contract.pad_left = 4;
  iscp_dataset_options options;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = &contract;
  uint8_t pixels[TOY_NUMBERS] = {0};
  int32_t label = 0;
  iscp_dataset *wide;
  iscp_search *search;
  ASSERT_OK(iscp_dataset_from_memory(&wide, world.context, pixels, &label, 1, TOY_SIDE, TOY_SIDE, 3, &options));
  support_failed(iscp_search_create(&search, world.model, wide, NULL), ISCP_ERROR_MISMATCH,
                 "the images are 3x8x12, expected the model's 3x8x8");
  iscp_dataset_destroy(wide);
  toy_world_destroy(&world);
}
END_TEST

/* Which lanes are chosen is up to the library; they hold all jobs, or fill a good batch. */
START_TEST(options_in_force_are_told) {
  toy_world world = search_world();
  iscp_search_options told = {.struct_size = sizeof told}, short_ = {.struct_size = 8};
  iscp_search *search = search_create(&world, NULL);
  ASSERT_OK(iscp_search_get_options(search, &told));
  ck_assert(told.preset == ISCP_PRESET_PREDICTIVE && told.step == 0.02 && told.batch == 4);
  ck_assert_int_eq(told.class_count, TOY_CLASSES);
  for (int32_t y = 0; y < TOY_CLASSES; y++)
    ck_assert_int_eq(told.classes[y], y);
  ck_assert(told.lanes >= 1 && told.lanes <= TOY_CLASSES * told.canvases);
  support_failed(iscp_search_get_options(search, &short_), ISCP_ERROR_ABI, "iscp_search_options");
  support_failed(iscp_search_get_options(search, NULL), ISCP_ERROR_ARGUMENT, "iscp_search_options");
  support_failed(iscp_search_get_options(NULL, &told), ISCP_ERROR_ARGUMENT, "search is NULL");
  iscp_search_destroy(search);
  iscp_search_options options = search_options();
  options.preset = ISCP_PRESET_AUTHORS;
  search = search_create(&world, &options);
  ASSERT_OK(iscp_search_get_options(search, &told));
  ck_assert(told.alpha == 8 && told.lanes == 1 && told.seed == options.seed);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* What each preset stands for, by the search and without one; what the caller sets himself stays. */
START_TEST(presets_fill_what_is_left_to_them) {
  static const struct {
    int32_t preset, select;
    double alpha;
  } expected[] = {{ISCP_PRESET_PAPER, ISCP_SELECT_LOSS, 0.2},
                  {ISCP_PRESET_AUTHORS, ISCP_SELECT_LOSS, 8},
                  {ISCP_PRESET_PREDICTIVE, ISCP_SELECT_POWER, 8}};
  toy_world world = search_world();
  for (int i = 0; i < 3; i++) {
    iscp_search_options options = search_options(), told = {.struct_size = sizeof told};
    options.preset = expected[i].preset;
    iscp_search *search = search_create(&world, &options);
    ASSERT_OK(iscp_search_get_options(search, &told));
    iscp_search_destroy(search);
    ck_assert(told.alpha == expected[i].alpha && told.select == expected[i].select && told.ties == ISCP_TIES_EVIDENCE);
    ASSERT_OK(iscp_search_options_resolve(&options));
    ck_assert(options.alpha == told.alpha && options.select == told.select && options.ties == told.ties);
    ck_assert(options.alpha_mode == ISCP_ALPHA_PRESET && options.seed == 3);
    options.alpha_mode = ISCP_ALPHA_FIXED;
    options.alpha = 0.7;
    options.ties = ISCP_TIES_INDEX;
    options.select = 3 - expected[i].select;
    ASSERT_OK(iscp_search_options_resolve(&options));
    ck_assert(options.alpha == 0.7 && options.select == 3 - expected[i].select && options.ties == ISCP_TIES_INDEX);
  }
  iscp_search_options wrong = search_options();
  wrong.preset = 4;
  support_failed(iscp_search_options_resolve(&wrong), ISCP_ERROR_ARGUMENT, "preset is 4, expected 1 to 3");
  wrong.struct_size = 8;
  support_failed(iscp_search_options_resolve(&wrong), ISCP_ERROR_ABI, "iscp_search_options");
  support_failed(iscp_search_options_resolve(NULL), ISCP_ERROR_ARGUMENT, "options is NULL");
  toy_world_destroy(&world);
}
END_TEST

/* A caller of the library before canvases could be learned: its structs end earlier. */
START_TEST(shorter_structs_are_served) {
  enum { OPTIONS = offsetof(iscp_search_options, canvas_steps), RESULT = offsetof(iscp_canvas_result, canvas_steps) };
  toy_world world = search_world();
  iscp_search_options options = search_options(), told = {.struct_size = OPTIONS};
  options.struct_size = OPTIONS;
  options.mask_steps = -1; /* beyond what the caller knows of */
  iscp_search *search = search_run(&world, &options);
  ASSERT_OK(iscp_search_get_options(search, &told));
  ck_assert(told.struct_size == OPTIONS && told.seed == options.seed && told.canvas_step == 0);
  iscp_canvas_result result = {.struct_size = RESULT, .reserved = 77};
  ASSERT_OK(iscp_search_get_canvas(search, 0, 0, &result));
  ck_assert(result.steps > 0 && result.reserved == 77);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Classes ---- */

START_TEST(each_class_is_yielded_once) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  iscp_search *search = search_create(&world, &options);
  int seen[TOY_CLASSES] = {0};
  int32_t y;
  for (int i = 0; i < TOY_CLASSES; i++) {
    ASSERT_OK(iscp_search_next(search, &y, NULL, NULL));
    ck_assert(y >= 0 && y < TOY_CLASSES && !seen[y]++);
    ck_assert_int_eq(iscp_search_canvas_count(search, y), 2);
  }
  for (int i = 0; i < 2; i++) {
    ASSERT_OK(iscp_search_next(search, &y, NULL, NULL));
    ck_assert_int_eq(y, -1);
  }
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* A class's search does not depend on which others are searched, nor on where it stands in the list. */
START_TEST(a_subset_gives_the_same) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  int32_t list[] = {3, 1};
  iscp_search *all = search_run(&world, &options);
  options.classes = list;
  options.class_count = 2;
  iscp_search *some = search_create(&world, &options);
  list[0] = list[1] = 0; /* the search has its own copy */
  search_finish(some);
  search_check_same(all, some, 1, 2);
  search_check_same(all, some, 3, 2);
  ck_assert_int_eq(iscp_search_canvas_count(some, 0), -1);
  ck_assert_int_eq(iscp_search_selected(some, 0), -1);
  ck_assert_ptr_null(iscp_search_mask(some, 0, 0));
  iscp_search_destroy(all);
  iscp_search_destroy(some);
  toy_world_destroy(&world);
}
END_TEST

/* What was done in an earlier run is left out, and the others are what they would have been, in any number of lanes. */
START_TEST(skipped_classes_are_left_out) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  for (options.lanes = 1; options.lanes <= 4; options.lanes += 3) {
    iscp_search *all = search_run(&world, &options), *rest = search_create(&world, &options);
    int32_t y;
    ASSERT_OK(iscp_search_skip(rest, 0));
    ASSERT_OK(iscp_search_skip(rest, 2));
    ASSERT_OK(iscp_search_skip(rest, 2));
    support_failed(iscp_search_skip(rest, 4), ISCP_ERROR_ARGUMENT, "class 4 is not in the search's list");
    support_failed(iscp_search_skip(NULL, 0), ISCP_ERROR_ARGUMENT, "search is NULL");
    ASSERT_OK(iscp_search_next(rest, &y, NULL, NULL));
    ck_assert(y == 1 || y == 3);
    support_failed(iscp_search_skip(rest, 4 - y), ISCP_ERROR_ARGUMENT, "cannot be skipped any more");
    search_finish(rest);
    search_check_same(all, rest, 1, 2);
    search_check_same(all, rest, 3, 2);
    ck_assert_int_eq(iscp_search_canvas_count(rest, 2), -1);
    iscp_search_destroy(all);
    iscp_search_destroy(rest);
  }
  toy_world_destroy(&world);
}
END_TEST

/* No image is labelled 3, and D_n of class 0 has nothing once only class 0 is left. */
START_TEST(classes_without_images) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  int32_t labels[SEARCH_IMAGES];
  for (int i = 0; i < SEARCH_IMAGES; i++)
    labels[i] = iscp_dataset_label(world.dataset, i) % 3;
  search_relabel(&world, labels);
  iscp_search *search = search_run(&world, &options);
  ck_assert_int_eq(iscp_search_canvas_count(search, 3), 0);
  ck_assert_int_eq(iscp_search_selected(search, 3), -1);
  ck_assert_int_eq(iscp_search_canvas_count(search, 2), 2);
  iscp_canvas_result result = {.struct_size = sizeof result};
  support_failed(iscp_search_get_canvas(search, 3, 0, &result), ISCP_ERROR_ARGUMENT, "class 3 has no canvas 0");
  iscp_search_destroy(search);
  memset(labels, 0, sizeof labels);
  search_relabel(&world, labels);
  const int32_t zero = 0;
  int32_t y;
  options.classes = &zero;
  options.class_count = 1;
  options.canvas_kinds = ISCP_CANVAS_WHITE;
  search = search_create(&world, &options);
  support_failed(iscp_search_next(search, &y, NULL, NULL), ISCP_ERROR_ARGUMENT, "D_n of class 0 is empty");
  support_failed(iscp_search_next(search, &y, NULL, NULL), ISCP_ERROR_ARGUMENT, "D_n of class 0 is empty");
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(a_search_outlives_its_parts) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  iscp_search *search = search_create(&world, &options);
  iscp_model_destroy(world.model);
  iscp_dataset_destroy(world.dataset);
  search_finish(search);
  iscp_pattern *pattern;
  ASSERT_OK(iscp_search_pattern(&pattern, search, 0, 0, ISCP_CUT_SIZE, 0.1));
  iscp_search_destroy(search);
  ck_assert_ptr_nonnull(iscp_pattern_positions(pattern));
  iscp_pattern_destroy(pattern);
  support_context_end(world.context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("search");
  TCase *options = tcase_create("options"), *classes = tcase_create("classes");
  tcase_add_test(options, options_out_of_range_are_refused);
  tcase_add_test(options, lists_are_checked);
  tcase_add_test(options, wrong_calls_are_refused);
  tcase_add_test(options, datasets_that_do_not_fit_are_refused);
  tcase_add_test(options, options_in_force_are_told);
  tcase_add_test(options, presets_fill_what_is_left_to_them);
  tcase_add_test(options, shorter_structs_are_served);
  tcase_add_test(classes, each_class_is_yielded_once);
  tcase_add_test(classes, a_subset_gives_the_same);
  tcase_add_test(classes, skipped_classes_are_left_out);
  tcase_add_test(classes, classes_without_images);
  tcase_add_test(classes, a_search_outlives_its_parts);
  suite_add_tcase(suite, options);
  suite_add_tcase(suite, classes);
  return support_run(suite);
}
