/* lib/search: a canvas that is learned with the mask (Eq. 4). */
#include <math.h>
#include <string.h>

#include "search/search.h"
#include "search_common.h"
#include "search_hand.h"

/* D_n of a class is 15 images or so: 4 minibatches an epoch, so that turns go over the ends of epochs. */
static iscp_search_options options_of(int32_t mask_steps, int32_t canvas_steps) {
  iscp_search_options options = search_options();
  options.mask_steps = mask_steps;
  options.canvas_steps = canvas_steps;
  options.epochs = 5;
  return options;
}

/* ---- The steps of the canvas alone ---- */

enum { VALUES = 8, STEPS = 3000 };

/* Up and down again a value is what it was, to the bit; from a bound it is whole steps away from that. */
START_TEST(canvas_values_do_not_drift) {
  iscp_context *context = support_context();
  static const float start[VALUES] = {0, 0.1f, 37 / 255.0f, 0.49f, 0.5f, 0.75f, 254 / 255.0f, 1};
  const float ones[VALUES] = {1, 1, 1, 1, 1, 1, 1, 1};
  const double step = 2.0 / 255;
  isc_learned learned;
  ASSERT_OK(isc_learned_create(&learned, context, start, VALUES, step));
  double position[VALUES];
  for (int i = 0; i < VALUES; i++)
    position[i] = start[i];
  for (int turn = 0; turn < STEPS; turn++) {
    float noise[VALUES];
    double gradient[VALUES];
    support_fill(noise, VALUES, -1, 1, (uint32_t)turn + 1);
    for (int i = 0; i < VALUES; i++) {
      gradient[i] = noise[i] + 0.2 * sin(turn / 300.0 + i);
      position[i] -= step * ((gradient[i] > 0) - (gradient[i] < 0));
      position[i] = position[i] < 0 ? 0 : position[i] > 1 ? 1 : position[i];
    }
    isc_learned_update(&learned, gradient, ones, 0, VALUES);
    for (int i = 0; i < VALUES; i++) /* half a unit of float32 in the last place, and what `position` drifts */
      ck_assert_double_eq_tol(learned.values[i], position[i], 6e-8);
  }
  isc_learned_release(&learned, context);
  ASSERT_OK(isc_learned_create(&learned, context, start, VALUES, step));
  for (int turn = 0; turn < 60; turn++) {
    double gradient[VALUES];
    for (int i = 0; i < VALUES; i++)
      gradient[i] = turn / 10 % 2 ? 1 : -1;
    isc_learned_update(&learned, gradient, ones, 0, VALUES);
  }
  for (int i = 0; i < 6; i++)
    ck_assert_msg(learned.values[i] == start[i], "value %d is %.9g", i, (double)learned.values[i]);
  for (int i = 6; i < VALUES; i++)
    ck_assert(learned.values[i] == (float)(1 - 10 * step));
  isc_learned_release(&learned, context);
  support_context_end(context);
}
END_TEST

/* dL/dx_c = m sum_j g_j: nothing moves under a mask of 0, and the gradient is left complete. */
START_TEST(the_mask_weighs_the_canvas) {
  iscp_context *context = support_context();
  static const float start[4] = {0.5f, 0.5f, 0.5f, 0.5f}, mask[4] = {0, 0.25f, 1, 1};
  double gradient[4] = {-3, -2, 4, 0};
  isc_learned learned;
  ASSERT_OK(isc_learned_create(&learned, context, start, 4, 0.125));
  isc_learned_update(&learned, gradient, mask, 0, 4);
  static const float moved[4] = {0.5f, 0.625f, 0.375f, 0.5f};
  ck_assert_mem_eq(learned.values, moved, sizeof moved);
  ck_assert(gradient[0] == 0 && gradient[1] == -0.5 && gradient[2] == 4 && gradient[3] == 0);
  isc_learned_release(&learned, context);
  for (long allowed = 0; allowed < 3; allowed++) {
    support_fail_after(allowed);
    ck_assert_int_eq(isc_learned_create(&learned, context, start, 4, 0.125), ISCP_ERROR_MEMORY);
    support_fail_after(-1);
  }
  support_context_end(context);
}
END_TEST

/* ---- The search ---- */

typedef struct differences {
  int mask, canvas;
} differences;

static differences compare(const toy_world *world, const iscp_search_options *options, const iscp_search *plain,
                           const iscp_search *search, int32_t y) {
  differences d = {0, 0};
  bool authors = options->preset == ISCP_PRESET_AUTHORS;
  hand h = hand_search(world, options, iscp_search_canvas(plain, y, 1), y, authors ? 8 : 0.2, authors);
  iscp_canvas_result result = search_result(search, y, 1);
  ck_assert_int_eq(result.steps, h.steps);
  ck_assert_int_eq(result.canvas_steps, h.canvas_steps);
  for (int p = 0; p < TOY_PIXELS; p++)
    d.mask += iscp_search_mask(search, y, 1)[p] != hand_value(&h, p);
  for (int i = 0; i < TOY_NUMBERS; i++) /* a step is 100000 times that */
    d.canvas += fabs(iscp_search_canvas(search, y, 1)[i] - h.canvas[i]) > 1e-7;
  return d;
}

/* Rounding decides the sign of a sum that is nearly 0, as in search_steps.c. The paper's turns; one by one; turns that leave
 * epochs in the middle, and with the authors' preset a last update of the mask that others of the canvas follow. */
START_TEST(masks_and_canvases_are_those_of_a_second_implementation) {
  static const struct {
    int32_t preset, mask_steps, canvas_steps;
  } cases[] = {{ISCP_PRESET_PAPER, 5, 5}, {ISCP_PRESET_PAPER, 1, 1}, {ISCP_PRESET_AUTHORS, 3, 4}, {ISCP_PRESET_AUTHORS, 2, 1}};
  toy_world world = search_world();
  iscp_search_options options = options_of(cases[_i].mask_steps, cases[_i].canvas_steps), still = options;
  options.preset = cases[_i].preset;
  still.canvas_steps = 0;
  iscp_search *plain = search_run(&world, &still), *search = search_run(&world, &options);
  differences all = {0, 0};
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    ck_assert_int_eq(search_result(plain, y, 1).canvas_steps, 0);
    differences d = compare(&world, &options, plain, search, y);
    all.mask += d.mask;
    all.canvas += d.canvas;
    ck_assert_mem_ne(iscp_search_canvas(plain, y, 1), iscp_search_canvas(search, y, 1), TOY_NUMBERS * sizeof(float));
  }
  ck_assert_msg(100 * all.mask <= TOY_CLASSES * TOY_PIXELS && 100 * all.canvas <= TOY_CLASSES * TOY_NUMBERS,
                "%d pixels of the masks and %d values of the canvases differ", all.mask, all.canvas);
  iscp_search_destroy(plain);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* Loss, power and pattern are of the learned canvas. */
START_TEST(figures_are_those_of_the_learned_canvas) {
  toy_world world = search_world();
  iscp_search_options options = options_of(2, 2);
  options.select_size = 0.2;
  iscp_search *search = search_run(&world, &options);
  for (int32_t y = 0; y < TOY_CLASSES; y++)
    for (int32_t c = 0; c < 2; c++) {
      iscp_canvas_result result = search_result(search, y, c);
      ck_assert_int_gt(result.canvas_steps, 4);
      /* Another batch size rounds the logits otherwise: 1e-6 of them, so 1e-5 of a loss of this size. */
      ck_assert_double_eq_tol(result.loss, hand_objective(&world, &options, search, y, c, result.alpha), 1e-5);
      ck_assert_double_eq(result.power, hand_power(&world, &options, search, y, c));
      iscp_pattern *pattern;
      float image[TOY_NUMBERS] = {0};
      ASSERT_OK(iscp_search_pattern(&pattern, search, y, c, ISCP_CUT_SIZE, 1));
      ASSERT_OK(iscp_pattern_attach(pattern, image));
      ck_assert_mem_eq(image, iscp_search_canvas(search, y, c), sizeof image);
      iscp_pattern_destroy(pattern);
    }
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* Each alpha learns a canvas of its own, whichever shares the canvas that they begin with, and whichever lane runs it. */
START_TEST(each_job_has_its_own_canvas) {
  toy_world world = search_world();
  iscp_search_options options = options_of(1, 2);
  const float own[TOY_NUMBERS] = {0.25f};
  options.canvas_kinds = 31;
  options.user_canvases = own;
  options.user_canvas_count = 1;
  options.tv = 0.2;
  options.alpha_mode = ISCP_ALPHA_AUTO;
  iscp_search *automatic = search_run(&world, &options);
  options.alpha_mode = ISCP_ALPHA_FIXED;
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    ck_assert_int_ge(iscp_search_canvas_count(automatic, y), 4);
    options.alpha = search_result(automatic, y, 0).alpha;
    iscp_search *fixed = search_run(&world, &options);
    search_check_same(automatic, fixed, y, options.epochs);
    iscp_search_destroy(fixed);
  }
  iscp_search_destroy(automatic);
  toy_world_destroy(&world);
}
END_TEST

/* Lanes that are not at the same turn: rounding changes next to no pixel, as in search_steps.c. */
START_TEST(lanes_learn_the_same) {
  toy_world world = search_world();
  iscp_search_options options = options_of(3, 2);
  iscp_search *one = search_run(&world, &options);
  options.lanes = 3;
  options.pass_batch = 5;
  iscp_search *many = search_run(&world, &options);
  int different = 0;
  for (int32_t y = 0; y < TOY_CLASSES; y++)
    for (int32_t c = 0; c < 2; c++)
      for (int i = 0; i < TOY_NUMBERS; i++)
        different += iscp_search_canvas(one, y, c)[i] != iscp_search_canvas(many, y, c)[i];
  ck_assert_msg(100 * different <= 2 * TOY_CLASSES * TOY_NUMBERS, "%d values differ", different);
  iscp_search_destroy(one);
  iscp_search_destroy(many);
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("search learned");
  TCase *steps = tcase_create("steps"), *searches = tcase_create("searches");
  tcase_add_test(steps, canvas_values_do_not_drift);
  tcase_add_test(steps, the_mask_weighs_the_canvas);
  tcase_add_loop_test(searches, masks_and_canvases_are_those_of_a_second_implementation, 0, 4);
  tcase_add_test(searches, figures_are_those_of_the_learned_canvas);
  tcase_add_test(searches, each_job_has_its_own_canvas);
  tcase_add_test(searches, lanes_learn_the_same);
  suite_add_tcase(suite, steps);
  suite_add_tcase(suite, searches);
  return support_run(suite);
}
