/* lib/search: Algorithm 1 step by step, against a second implementation over the public session. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/search.h"
#include "search_common.h"
#include "search_hand.h"

/* The two differ in rounding where a sum is nearly 0, and its sign with it. In tens of steps that touches next to no
 * pixel. */
static void check_preset(const toy_world *world, int32_t preset) {
  iscp_search_options options = search_options();
  options.preset = preset;
  options.epochs = 8;
  bool authors = preset == ISCP_PRESET_AUTHORS;
  iscp_search *search = search_run(world, &options);
  int different = 0, zeros = 0;
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    hand h = hand_search(world, &options, iscp_search_canvas(search, y, 1), y, authors ? 8 : 0.2, authors);
    iscp_canvas_result result = search_result(search, y, 1);
    ck_assert_int_eq(result.steps, h.steps);
    ck_assert_double_eq(result.alpha, h.alpha);
    for (int p = 0; p < TOY_PIXELS; p++) {
      zeros += h.lattice[p] == 0;
      different += iscp_search_mask(search, y, 1)[p] != hand_value(&h, p) ||
                   iscp_search_evidence(search, y, 1)[p] != h.evidence[p];
    }
  }
  ck_assert_msg(100 * different <= TOY_CLASSES * TOY_PIXELS, "%d pixels of %d differ", different,
                TOY_CLASSES * TOY_PIXELS);
  ck_assert(!authors || zeros > 0); /* the presets differ at m = 0: an alpha of 8 drives pixels there in these steps */
  iscp_search_destroy(search);
}

START_TEST(masks_are_those_of_a_second_implementation) {
  toy_world world = search_world();
  check_preset(&world, ISCP_PRESET_PAPER);
  check_preset(&world, ISCP_PRESET_AUTHORS);
  toy_world_destroy(&world);
}
END_TEST

/* ---- D_n and its order ---- */

START_TEST(orders_are_seeded_permutations) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  int64_t order[3][SEARCH_IMAGES];
  uint8_t searched[SEARCH_IMAGES];
  ASSERT_OK(isc_split_draw(searched, world.dataset, options.fraction, options.seed));
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    int count = hand_order(order[0], &world, &options, y, 0), seen[SEARCH_IMAGES] = {0};
    ck_assert_int_eq(hand_order(order[1], &world, &options, y, 1), count);
    for (int i = 0; i < count; i++)
      seen[order[0][i]] = 1;
    for (int i = 0; i < SEARCH_IMAGES; i++)
      ck_assert_int_eq(seen[i], searched[i] && iscp_dataset_label(world.dataset, i) != y);
    ck_assert_mem_ne(order[0], order[1], (size_t)count * sizeof **order);
    options.epochs = 3;
    iscp_search *search = search_create(&world, &options);
    isc_job job = {.entry = y};
    ASSERT_OK(isc_job_start(search, &job)); /* the library's own order of the first two epochs */
    ck_assert_int_eq(job.order_count, count);
    ck_assert_mem_eq(job.order, order[0], (size_t)count * sizeof **order);
    job.epoch = 1;
    ASSERT_OK(isc_job_next_epoch(search, &job));
    ck_assert_mem_eq(job.order, order[1], (size_t)count * sizeof **order);
    isc_job_release(&job, world.context);
    iscp_search_destroy(search);
  }
  toy_world_destroy(&world);
}
END_TEST

/* The last minibatch of a pass may be smaller; it counts. */
START_TEST(steps_are_counted) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  static const int32_t batches[] = {1, 3, 4, 7, 64};
  const int32_t y = 2;
  int64_t order[SEARCH_IMAGES];
  int count = hand_order(order, &world, &options, y, 0);
  options.classes = &y;
  options.class_count = 1;
  for (int b = 0; b < 5; b++)
    for (int32_t preset = ISCP_PRESET_PAPER; preset <= ISCP_PRESET_AUTHORS; preset++) {
      options.batch = batches[b];
      options.preset = preset;
      iscp_search *search = search_run(&world, &options);
      int passes = (count + batches[b] - 1) / batches[b];
      ck_assert_int_eq(search_result(search, y, 0).steps, 2 * passes - (preset == ISCP_PRESET_AUTHORS));
      iscp_search_destroy(search);
    }
  toy_world_destroy(&world);
}
END_TEST

/* ---- Figures ---- */

START_TEST(figures_are_those_of_the_final_mask) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  options.select_size = 0.2;
  options.alpha_mode = ISCP_ALPHA_FIXED;
  options.alpha = 0.7;
  iscp_search *search = search_run(&world, &options);
  for (int32_t y = 0; y < TOY_CLASSES; y++)
    for (int32_t c = 0; c < 2; c++) {
      iscp_canvas_result result = search_result(search, y, c);
      int ones = 0, zeros = 0;
      for (int p = 0; p < TOY_PIXELS; p++) {
        ones += iscp_search_mask(search, y, c)[p] == 1;
        zeros += iscp_search_mask(search, y, c)[p] == 0;
      }
      ck_assert(result.saturated == ones && result.zeros == zeros && result.alpha == 0.7);
      /* Another batch size rounds the logits otherwise: 1e-6 of them, so 1e-5 of a loss of this size. */
      ck_assert_double_eq_tol(result.loss, hand_objective(&world, &options, search, y, c, 0.7), 1e-5);
      ck_assert_double_eq(result.power, hand_power(&world, &options, search, y, c));
    }
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* The first pass starts at m = 0.5 everywhere, and the objective falls from pass to pass. */
START_TEST(the_objective_falls) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  options.epochs = 5;
  iscp_search *search = search_run(&world, &options);
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    const double *epochs = iscp_search_epochs(search, y, 0);
    ck_assert_double_lt(epochs[4], epochs[0]);
    ck_assert_double_lt(search_result(search, y, 0).loss, epochs[0]);
  }
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* With one step an epoch and one epoch, the epoch's objective is that of the first mask. */
START_TEST(epochs_hold_the_mean_objective) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  options.batch = SEARCH_IMAGES;
  options.epochs = 1;
  options.preset = ISCP_PRESET_AUTHORS; /* drops its only step: the final mask is the first one */
  iscp_search *search = search_run(&world, &options);
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    iscp_canvas_result result = search_result(search, y, 0);
    ck_assert_int_eq(result.steps, 0);
    /* The same numbers, summed in another order. */
    ck_assert_double_eq_tol(iscp_search_epochs(search, y, 0)[0], result.loss, 1e-12);
    for (int p = 0; p < TOY_PIXELS; p++)
      if (iscp_search_mask(search, y, 0)[p] != 0.5f || iscp_search_evidence(search, y, 0)[p])
        ck_abort_msg("pixel %d was moved", p);
  }
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Alpha ---- */

/* `auto` takes, of five searches, the one whose best canvas has the highest power on D_n; of equal ones the lowest
 * alpha. */
static void check_auto(const toy_world *world, int32_t preset) {
  static const double range[] = {0.1, 0.15, 0.2, 0.25, 0.3};
  iscp_search_options options = search_options();
  options.preset = preset;
  options.select_size = 0.2;
  options.alpha_mode = ISCP_ALPHA_AUTO;
  iscp_search *search = search_run(world, &options), *fixed[5];
  options.alpha_mode = ISCP_ALPHA_FIXED;
  for (int a = 0; a < 5; a++) {
    options.alpha = range[a] * (preset == ISCP_PRESET_AUTHORS ? 40 : 1);
    fixed[a] = search_run(world, &options);
  }
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    int best = 0;
    double best_power = -1;
    for (int a = 0; a < 5; a++)
      for (int32_t c = 0; c < 2; c++)
        if (search_result(fixed[a], y, c).power > best_power) {
          best_power = search_result(fixed[a], y, c).power;
          best = a;
        }
    search_check_same(search, fixed[best], y, 2);
  }
  for (int a = 0; a < 5; a++)
    iscp_search_destroy(fixed[a]);
  iscp_search_destroy(search);
}

START_TEST(alpha_auto_takes_the_most_powerful) {
  toy_world world = search_world();
  check_auto(&world, ISCP_PRESET_PAPER);
  check_auto(&world, ISCP_PRESET_AUTHORS);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Lanes and seeds ---- */

/* Lanes change the batch and with it the rounding, which decides signs of sums near 0: in tens of steps next to no
 * pixel. */
START_TEST(lanes_change_next_to_nothing) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  static const int32_t lanes[] = {4, 3, 0};
  iscp_search *one = search_run(&world, &options);
  for (int l = 0; l < 3; l++) {
    options.lanes = lanes[l];
    iscp_search *many = search_run(&world, &options);
    int different = 0;
    for (int32_t y = 0; y < TOY_CLASSES; y++)
      for (int32_t c = 0; c < 2; c++) {
        iscp_canvas_result a = search_result(one, y, c), b = search_result(many, y, c);
        ck_assert(a.image == b.image && a.steps == b.steps);
        for (int p = 0; p < TOY_PIXELS; p++)
          different += iscp_search_mask(one, y, c)[p] != iscp_search_mask(many, y, c)[p];
      }
    ck_assert_msg(100 * different <= 2 * TOY_CLASSES * TOY_PIXELS, "%d lanes: %d pixels differ", lanes[l], different);
    iscp_search_destroy(many);
  }
  iscp_search_destroy(one);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(the_seed_names_the_result) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  options.lanes = 4;
  options.canvas_kinds = ISCP_CANVAS_RANDOM;
  iscp_search *first = search_run(&world, &options), *again = search_run(&world, &options);
  options.seed++;
  iscp_search *other = search_run(&world, &options);
  bool differs = false;
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    search_check_same(first, again, y, 2);
    for (int32_t c = 0; c < 2; c++)
      differs = differs || search_result(first, y, c).image != search_result(other, y, c).image;
    ck_assert_mem_ne(iscp_search_mask(first, y, 0), iscp_search_mask(other, y, 0), TOY_PIXELS * sizeof(float));
  }
  ck_assert(differs);
  iscp_search_destroy(first);
  iscp_search_destroy(again);
  iscp_search_destroy(other);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(patterns_are_cut_from_the_mask) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  for (int32_t ties = ISCP_TIES_EVIDENCE; ties <= ISCP_TIES_INDEX; ties++) {
    options.ties = ties;
    iscp_search *search = search_run(&world, &options);
    iscp_pattern *pattern, *expected;
    ASSERT_OK(iscp_search_pattern(&pattern, search, 1, 1, ISCP_CUT_SIZE, 0.3));
    ASSERT_OK(iscp_pattern_create(&expected, world.context, iscp_search_mask(search, 1, 1),
                                  iscp_search_evidence(search, 1, 1), iscp_search_canvas(search, 1, 1), 3, TOY_SIDE,
                                  TOY_SIDE, 1, ISCP_CUT_SIZE, 0.3, ties));
    iscp_pattern_info a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
    ASSERT_OK(iscp_pattern_get_info(pattern, &a));
    ASSERT_OK(iscp_pattern_get_info(expected, &b));
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert_mem_eq(iscp_pattern_positions(pattern), iscp_pattern_positions(expected),
                     (size_t)a.pixels * sizeof(int32_t));
    iscp_pattern_destroy(pattern);
    iscp_pattern_destroy(expected);
    iscp_search_destroy(search);
  }
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("search steps");
  TCase *steps = tcase_create("steps"), *figures = tcase_create("figures"), *lanes = tcase_create("lanes");
  tcase_add_test(steps, masks_are_those_of_a_second_implementation);
  tcase_add_test(steps, orders_are_seeded_permutations);
  tcase_add_test(steps, steps_are_counted);
  tcase_add_test(figures, figures_are_those_of_the_final_mask);
  tcase_add_test(figures, the_objective_falls);
  tcase_add_test(figures, epochs_hold_the_mean_objective);
  tcase_add_test(figures, alpha_auto_takes_the_most_powerful);
  tcase_add_test(lanes, lanes_change_next_to_nothing);
  tcase_add_test(lanes, the_seed_names_the_result);
  tcase_add_test(lanes, patterns_are_cut_from_the_mask);
  suite_add_tcase(suite, steps);
  suite_add_tcase(suite, figures);
  suite_add_tcase(suite, lanes);
  return support_run(suite);
}
