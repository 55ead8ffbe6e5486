/* lib/search: the canvases of each kind against brute force, and which of them is selected. */
#include <string.h>

#include "base/base.h"
#include "search_common.h"

/* What the model says of each image. */
typedef struct answers {
  int32_t predicted[SEARCH_IMAGES];
  float logit[SEARCH_IMAGES];
} answers;

static bool is_candidate(const toy_world *world, const answers *a, int64_t i, int32_t y, bool of_class) {
  return a->predicted[i] == y && (iscp_dataset_label(world->dataset, i) == y) == of_class;
}

/* The `nth` image, by descending logit, that the model takes for class y; of the class or of others. -1 if there is
 * none. */
static int64_t nth_confident(const toy_world *world, const answers *a, int32_t y, bool of_class, int nth) {
  for (int64_t i = 0; i < SEARCH_IMAGES; i++) {
    int before = 0;
    for (int64_t j = 0; j < SEARCH_IMAGES; j++)
      before += is_candidate(world, a, j, y, of_class) && a->logit[j] > a->logit[i];
    if (before == nth && is_candidate(world, a, i, y, of_class))
      return i;
  }
  return -1;
}

/* The `nth` image in the order of the random keys of the class. */
static int64_t nth_random(uint64_t seed, int32_t class_index, int nth) {
  for (int64_t i = 0; i < SEARCH_IMAGES; i++) {
    int before = 0;
    for (int64_t j = 0; j < SEARCH_IMAGES; j++)
      before += isc_random(seed, ISC_PURPOSE_CANVAS, class_index, 0, j) <
                isc_random(seed, ISC_PURPOSE_CANVAS, class_index, 0, i);
    if (before == nth)
      return i;
  }
  return -1;
}

static void check_canvas(const toy_world *world, const iscp_search *search, int32_t y, int32_t canvas, int32_t kind,
                         int64_t image) {
  iscp_canvas_result result = search_result(search, y, canvas);
  float pixels[TOY_NUMBERS];
  ck_assert_int_eq(result.kind, kind);
  ck_assert_int_eq(result.image, image);
  ASSERT_OK(iscp_dataset_image(world->dataset, image, pixels));
  ck_assert_mem_eq(iscp_search_canvas(search, y, canvas), pixels, sizeof pixels);
}

/* All five kinds at once: positive, negative, random, white, user, in this order, each as brute force finds it. */
START_TEST(canvases_are_those_of_brute_force) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  float user[2 * TOY_NUMBERS];
  support_fill(user, 2 * TOY_NUMBERS, 0, 1, 9);
  options.canvas_kinds = 31;
  options.canvases = 3;
  options.epochs = 1;
  options.lanes = 8;
  options.user_canvases = user;
  options.user_canvas_count = 2;
  iscp_search *search = search_create(&world, &options);
  float copy[2 * TOY_NUMBERS];
  memcpy(copy, user, sizeof user);
  memset(user, 0, sizeof user); /* the search has its own copy */
  search_finish(search);
  answers a;
  search_predict(&world, a.predicted, a.logit);
  int negatives = 0;
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    int32_t at = 0;
    for (int n = 0; n < 3 && nth_confident(&world, &a, y, true, n) >= 0; n++)
      check_canvas(&world, search, y, at++, ISCP_CANVAS_POSITIVE, nth_confident(&world, &a, y, true, n));
    for (int n = 0; n < 3 && nth_confident(&world, &a, y, false, n) >= 0; n++, negatives++)
      check_canvas(&world, search, y, at++, ISCP_CANVAS_NEGATIVE, nth_confident(&world, &a, y, false, n));
    for (int n = 0; n < 3; n++)
      check_canvas(&world, search, y, at++, ISCP_CANVAS_RANDOM, nth_random(options.seed, y, n));
    iscp_canvas_result white = search_result(search, y, at);
    ck_assert(white.kind == ISCP_CANVAS_WHITE && white.image == -1);
    for (int i = 0; i < TOY_NUMBERS; i++)
      if (iscp_search_canvas(search, y, at)[i] != 1)
        ck_abort_msg("the white canvas is not white at %d", i);
    for (int u = 0; u < 2; u++) {
      iscp_canvas_result own = search_result(search, y, ++at);
      ck_assert(own.kind == ISCP_CANVAS_USER && own.image == u);
      ck_assert_mem_eq(iscp_search_canvas(search, y, at), copy + u * TOY_NUMBERS, TOY_NUMBERS * sizeof *copy);
    }
    ck_assert_int_eq(iscp_search_canvas_count(search, y), at + 1);
  }
  ck_assert(negatives > 0 && negatives < 12); /* some are there, and some classes have fewer than asked for */
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* A model that is always right has no negative canvas: every class is finished without any. */
START_TEST(a_perfect_model_has_no_negative_canvas) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  int32_t predicted[SEARCH_IMAGES];
  float logit[SEARCH_IMAGES];
  search_predict(&world, predicted, logit);
  search_relabel(&world, predicted);
  options.canvas_kinds = ISCP_CANVAS_NEGATIVE;
  iscp_search *search = search_create(&world, &options);
  int32_t y;
  for (int i = 0; i < TOY_CLASSES; i++) {
    ASSERT_OK(iscp_search_next(search, &y, NULL, NULL));
    ck_assert_int_eq(y, i);
    ck_assert_int_eq(iscp_search_canvas_count(search, y), 0);
  }
  ASSERT_OK(iscp_search_next(search, &y, NULL, NULL));
  ck_assert_int_eq(y, -1);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(more_canvases_than_images) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  const int32_t one = 1;
  options.canvas_kinds = ISCP_CANVAS_RANDOM;
  options.canvases = 1000;
  options.epochs = 1;
  options.fraction = 0.1;
  options.lanes = 20;
  options.classes = &one;
  options.class_count = 1;
  iscp_search *search = search_run(&world, &options);
  ck_assert_int_eq(iscp_search_canvas_count(search, 1), SEARCH_IMAGES);
  bool seen[SEARCH_IMAGES] = {false};
  for (int32_t c = 0; c < SEARCH_IMAGES; c++) {
    int64_t image = search_result(search, 1, c).image;
    ck_assert(image >= 0 && image < SEARCH_IMAGES && !seen[image]);
    seen[image] = true;
  }
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Selection ---- */

static void check_selection(const toy_world *world, int32_t select) {
  iscp_search_options options = search_options();
  options.canvas_kinds = ISCP_CANVAS_POSITIVE | ISCP_CANVAS_RANDOM;
  options.canvases = 4;
  options.select = select;
  options.select_size = 0.1;
  options.lanes = 8;
  iscp_search *search = search_run(world, &options);
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    int32_t best = 0, count = iscp_search_canvas_count(search, y);
    for (int32_t c = 1; c < count; c++) {
      iscp_canvas_result a = search_result(search, y, c), b = search_result(search, y, best);
      bool by_power = select == ISCP_SELECT_POWER && a.power != b.power;
      best = (by_power ? a.power > b.power : a.loss < b.loss) ? c : best;
    }
    ck_assert_int_eq(iscp_search_selected(search, y), best);
    for (int32_t c = 0; c < count; c++)
      ck_assert_int_eq(search_result(search, y, c).selected, c == best);
  }
  iscp_search_destroy(search);
}

START_TEST(the_best_canvas_is_selected) {
  toy_world world = search_world();
  check_selection(&world, ISCP_SELECT_LOSS);
  check_selection(&world, ISCP_SELECT_POWER);
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("search canvas");
  TCase *canvases = tcase_create("canvases");
  tcase_add_test(canvases, canvases_are_those_of_brute_force);
  tcase_add_test(canvases, a_perfect_model_has_no_negative_canvas);
  tcase_add_test(canvases, more_canvases_than_images);
  tcase_add_test(canvases, the_best_canvas_is_selected);
  suite_add_tcase(suite, canvases);
  return support_run(suite);
}
