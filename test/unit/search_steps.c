/* lib/search: Algorithm 1 step by step, against a second implementation over the public session. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/search.h"
#include "search_common.h"

enum { BATCH = 4 };

/* ---- A second implementation ---- */

/* D_n of a class in the order of an epoch: the drawn images of other classes by their random keys. */
static int list_order(int64_t order[SEARCH_IMAGES], const toy_world *world, const iscp_search_options *o, int32_t y,
                      int32_t epoch) {
  uint8_t searched[SEARCH_IMAGES];
  int count = 0;
  ASSERT_OK(isc_split_draw(searched, world->dataset, o->fraction, o->seed));
  for (int64_t i = 0; i < SEARCH_IMAGES; i++) {
    if (!searched[i] || iscp_dataset_label(world->dataset, i) == y)
      continue;
    int at = count++;
    uint64_t key = isc_random(o->seed, ISC_PURPOSE_ORDER, y, epoch, i);
    for (; at > 0 && isc_random(o->seed, ISC_PURPOSE_ORDER, y, epoch, order[at - 1]) > key; at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
  return count;
}

typedef struct hand {
  const toy_world *world;
  const iscp_search_options *options;
  iscp_session *session;
  const float *canvas;
  int32_t y;
  double alpha;
  int lattice[TOY_PIXELS]; /* mask values in fiftieths: the step is 0.02 */
  int evidence[TOY_PIXELS];
  int steps;
} hand;

static float value_of(const hand *h, int pixel) { return (float)(h->lattice[pixel] / 50.0); }

static void mix(float *mixed, const hand *h, const float *image) {
  for (int i = 0; i < TOY_NUMBERS; i++) {
    float m = value_of(h, i % TOY_PIXELS);
    mixed[i] = m * h->canvas[i] + (1 - m) * image[i];
  }
}

/* One minibatch: m <- clip(m - 0.02 sign(sum_j sum_c g_jc (x_c - x_jc) + rows alpha sign(m) / n)). */
static void step_by_hand(hand *h, const int64_t *batch, int rows, bool l1_at_zero) {
  float images[BATCH][TOY_NUMBERS], mixed[BATCH][TOY_NUMBERS], gradient[BATCH][TOY_NUMBERS];
  int32_t targets[BATCH];
  for (int r = 0; r < rows; r++) {
    ASSERT_OK(iscp_dataset_image(h->world->dataset, batch[r], images[r]));
    mix(mixed[r], h, images[r]);
    targets[r] = h->y;
  }
  ASSERT_OK(iscp_session_input_gradient(h->session, mixed[0], targets, rows, gradient[0], NULL, NULL));
  for (int p = 0; p < TOY_PIXELS; p++) {
    double slope = h->lattice[p] > 0 || l1_at_zero ? rows * h->alpha / TOY_PIXELS : 0;
    for (int r = 0; r < rows; r++)
      for (int i = p; i < TOY_NUMBERS; i += TOY_PIXELS)
        slope += (double)gradient[r][i] * ((double)h->canvas[i] - images[r][i]);
    int sign = (slope < 0) - (slope > 0), moved = h->lattice[p] + sign;
    h->lattice[p] = moved < 0 ? 0 : moved > 50 ? 50 : moved;
    h->evidence[p] += sign;
  }
  h->steps++;
}

static void run_by_hand(hand *h, bool authors) {
  for (int p = 0; p < TOY_PIXELS; p++)
    h->lattice[p] = 25;
  for (int32_t epoch = 0; epoch < h->options->epochs; epoch++) {
    int64_t order[SEARCH_IMAGES];
    int count = list_order(order, h->world, h->options, h->y, epoch);
    for (int start = 0; start < count; start += BATCH) {
      bool last = epoch == h->options->epochs - 1 && start + BATCH >= count;
      if (!(authors && last))
        step_by_hand(h, order + start, count - start < BATCH ? count - start : BATCH, authors);
    }
  }
}

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
    hand h = {world, &options, NULL, iscp_search_canvas(search, y, 1), y, authors ? 8 : 0.2, {0}, {0}, 0};
    ASSERT_OK(iscp_session_create(&h.session, world->model, BATCH, ISCP_SESSION_GRADIENT));
    run_by_hand(&h, authors);
    iscp_canvas_result result = search_result(search, y, 1);
    ck_assert_int_eq(result.steps, h.steps);
    ck_assert_double_eq(result.alpha, h.alpha);
    for (int p = 0; p < TOY_PIXELS; p++) {
      zeros += h.lattice[p] == 0;
      different += iscp_search_mask(search, y, 1)[p] != value_of(&h, p) ||
                   iscp_search_evidence(search, y, 1)[p] != h.evidence[p];
    }
    iscp_session_destroy(h.session);
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
    int count = list_order(order[0], &world, &options, y, 0), seen[SEARCH_IMAGES] = {0};
    ck_assert_int_eq(list_order(order[1], &world, &options, y, 1), count);
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
  int count = list_order(order, &world, &options, y, 0);
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

/* Mean cross-entropy over D_n with the mask, plus alpha |m|_1 / n. */
static double objective(const toy_world *world, const iscp_search_options *o, const iscp_search *search, int32_t y,
                        int32_t canvas, double alpha) {
  int64_t order[SEARCH_IMAGES];
  int count = list_order(order, world, o, y, 0);
  const float *mask = iscp_search_mask(search, y, canvas), *from = iscp_search_canvas(search, y, canvas);
  double sum = 0, norm = 0;
  iscp_session *session;
  ASSERT_OK(iscp_session_create(&session, world->model, 1, ISCP_SESSION_INFERENCE));
  for (int i = 0; i < count; i++) {
    float image[TOY_NUMBERS], logits[TOY_CLASSES];
    ASSERT_OK(iscp_dataset_image(world->dataset, order[i], image));
    for (int v = 0; v < TOY_NUMBERS; v++)
      image[v] = mask[v % TOY_PIXELS] * from[v] + (1 - mask[v % TOY_PIXELS]) * image[v];
    ASSERT_OK(iscp_session_logits(session, image, 1, logits));
    sum += isc_cross_entropy(NULL, logits, TOY_CLASSES, y);
  }
  iscp_session_destroy(session);
  for (int p = 0; p < TOY_PIXELS; p++)
    norm += mask[p];
  return sum / count + alpha * norm / TOY_PIXELS;
}

static double power_of(const toy_world *world, const iscp_search_options *o, const iscp_search *search, int32_t y,
                       int32_t canvas) {
  iscp_evaluate_options options;
  iscp_evaluation *evaluation;
  iscp_pattern *pattern;
  iscp_power power = {.struct_size = sizeof power};
  ASSERT_OK(iscp_evaluate_options_init(&options, sizeof options));
  options.images = ISCP_IMAGES_SEARCHED;
  options.fraction = o->fraction;
  options.seed = o->seed;
  ASSERT_OK(iscp_evaluation_create(&evaluation, world->model, world->dataset, &options, NULL, NULL));
  ASSERT_OK(iscp_search_pattern(&pattern, search, y, canvas, ISCP_CUT_SIZE, o->select_size));
  ASSERT_OK(iscp_evaluation_power(evaluation, pattern, &power, NULL, NULL));
  iscp_pattern_destroy(pattern);
  iscp_evaluation_destroy(evaluation);
  return power.pw;
}

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
      ck_assert_double_eq_tol(result.loss, objective(&world, &options, search, y, c, 0.7), 1e-5);
      ck_assert_double_eq(result.power, power_of(&world, &options, search, y, c));
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
