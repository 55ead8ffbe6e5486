/* lib/evaluate: the power of patterns, counted again by hand from the logits of a session. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/evaluate.h"
#include "support.h"
#include "toy.h"

enum { IMAGES = 60 };

static iscp_evaluate_options options_of(int32_t images) {
  iscp_evaluate_options options;
  ASSERT_OK(iscp_evaluate_options_init(&options, sizeof options));
  options.images = images;
  options.fraction = 0.3;
  options.seed = 5;
  options.batch = 7; /* does not divide anything */
  return options;
}

static iscp_evaluation *make_evaluation(const toy_world *world, int32_t images) {
  iscp_evaluate_options options = options_of(images);
  iscp_evaluation *evaluation;
  ASSERT_OK(iscp_evaluation_create(&evaluation, world->model, world->dataset, &options, NULL, NULL));
  return evaluation;
}

/* A pattern of a third of the pixels with the colours of image `image`. */
static iscp_pattern *make_pattern(const toy_world *world, int64_t image, int32_t target) {
  float mask[TOY_PIXELS], canvas[TOY_NUMBERS];
  support_fill(mask, TOY_PIXELS, 0, 1, 77);
  ASSERT_OK(iscp_dataset_image(world->dataset, image, canvas));
  iscp_pattern *pattern;
  ASSERT_OK(iscp_pattern_create(&pattern, world->context, mask, NULL, canvas, TOY_CHANNELS, TOY_SIDE, TOY_SIDE, target,
                                ISCP_CUT_SIZE, 0.33, ISCP_TIES_INDEX));
  return pattern;
}

/* ---- By hand ---- */

static int32_t predict(iscp_session *session, const float *image) {
  float logits[TOY_CLASSES];
  ASSERT_OK(iscp_session_logits(session, image, 1, logits));
  int32_t best = 0;
  for (int32_t k = 1; k < TOY_CLASSES; k++)
    best = logits[k] > logits[best] ? k : best;
  return best;
}

/* Whether image i is in the part that `images` names. */
static void list_used(const toy_world *world, int32_t images, uint8_t used[IMAGES]) {
  ASSERT_OK(isc_split_draw(used, world->dataset, 0.3, 5));
  for (int i = 0; i < IMAGES; i++)
    used[i] = images == ISCP_IMAGES_ALL || (images == ISCP_IMAGES_SEARCHED) == used[i];
}

static iscp_power count_by_hand(const toy_world *world, int32_t images, const iscp_pattern *pattern, int32_t target,
                                int64_t *correct, int64_t *seen) {
  uint8_t used[IMAGES];
  float image[TOY_NUMBERS];
  iscp_power power = {.target = target};
  iscp_session *session;
  *correct = *seen = 0;
  list_used(world, images, used);
  ASSERT_OK(iscp_session_create(&session, world->model, 1, ISCP_SESSION_INFERENCE));
  for (int i = 0; i < IMAGES; i++) {
    if (!used[i])
      continue;
    int32_t label = iscp_dataset_label(world->dataset, i);
    ASSERT_OK(iscp_dataset_image(world->dataset, i, image));
    int32_t clean = predict(session, image);
    ++*seen;
    *correct += clean == label;
    if (label == target) {
      power.target_images++;
      power.target_correct += clean == target;
      continue;
    }
    ASSERT_OK(iscp_pattern_attach(pattern, image));
    power.nontarget++;
    power.nontarget_clean += clean == target;
    power.nontarget_hits += predict(session, image) == target;
  }
  iscp_session_destroy(session);
  return power;
}

static void check_counts(const iscp_power *a, const iscp_power *b) {
  ck_assert_int_eq(a->target, b->target);
  ck_assert_int_eq(a->nontarget, b->nontarget);
  ck_assert_int_eq(a->nontarget_hits, b->nontarget_hits);
  ck_assert_int_eq(a->nontarget_clean, b->nontarget_clean);
  ck_assert_int_eq(a->target_images, b->target_images);
  ck_assert_int_eq(a->target_correct, b->target_correct);
}

static void check_rates(const iscp_power *p) {
  double low, high;
  ck_assert_double_eq(p->asr, (double)p->nontarget_hits / (double)p->nontarget);
  ck_assert_double_eq(p->accuracy, (double)p->target_correct / (double)p->target_images);
  ck_assert_double_eq(p->pw, p->asr / p->accuracy);
  isc_wilson(&low, &high, p->nontarget_hits, p->nontarget);
  ck_assert(p->asr_low == low && p->asr_high == high);
  isc_wilson(&low, &high, p->target_correct, p->target_images);
  ck_assert(p->accuracy_low == low && p->accuracy_high == high);
}

/* The pattern may change a prediction that hangs on rounding, another batch size being another order of sums: the seed
 * was taken so that none does. */
static void check_part(const toy_world *world, int32_t images) {
  iscp_evaluation *evaluation = make_evaluation(world, images);
  int64_t hits = 0;
  for (int32_t target = 0; target < TOY_CLASSES; target++) {
    iscp_pattern *pattern = make_pattern(world, target, target);
    int64_t correct, seen, count;
    double accuracy;
    iscp_power power = {.struct_size = sizeof power};
    iscp_power expected = count_by_hand(world, images, pattern, target, &correct, &seen);
    ASSERT_OK(iscp_evaluation_power(evaluation, pattern, &power, NULL, NULL));
    ck_assert_uint_eq(power.struct_size, sizeof power);
    check_counts(&power, &expected);
    check_rates(&power);
    ASSERT_OK(iscp_evaluation_accuracy(evaluation, &accuracy, &count));
    ck_assert_int_eq(count, seen);
    ck_assert_double_eq(accuracy, (double)correct / (double)seen);
    hits += power.nontarget_hits;
    iscp_pattern_destroy(pattern);
  }
  ck_assert_int_gt(hits, 0); /* the patterns do something */
  ASSERT_OK(iscp_evaluation_accuracy(evaluation, NULL, NULL));
  iscp_evaluation_destroy(evaluation);
}

START_TEST(counts_are_those_of_a_session) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  check_part(&world, ISCP_IMAGES_HELDOUT);
  check_part(&world, ISCP_IMAGES_ALL);
  check_part(&world, ISCP_IMAGES_SEARCHED);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(heldout_and_searched_share_no_image) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  int64_t counts[4];
  for (int32_t images = ISCP_IMAGES_HELDOUT; images <= ISCP_IMAGES_SEARCHED; images++) {
    iscp_evaluation *evaluation = make_evaluation(&world, images);
    ASSERT_OK(iscp_evaluation_accuracy(evaluation, NULL, &counts[images]));
    iscp_evaluation_destroy(evaluation);
  }
  ck_assert_int_eq(counts[ISCP_IMAGES_ALL], IMAGES);
  ck_assert_int_eq(counts[ISCP_IMAGES_HELDOUT] + counts[ISCP_IMAGES_SEARCHED], IMAGES);
  int drawn = (int)counts[ISCP_IMAGES_SEARCHED];
  ck_assert_int_lt(abs(drawn - (int)(0.3 * IMAGES)), TOY_CLASSES); /* rounded for each class */
  toy_world_destroy(&world);
}
END_TEST

/* ---- Edges ---- */

static iscp_dataset *relabelled(const toy_world *world, int32_t label) {
  enum { COUNT = 6 };
  static uint8_t pixels[COUNT * TOY_NUMBERS];
  int32_t labels[COUNT];
  for (int i = 0; i < COUNT; i++)
    labels[i] = label;
  for (int i = 0; i < COUNT * TOY_NUMBERS; i++)
    pixels[i] = (uint8_t)(i * 31 % 256);
  iscp_dataset_options options;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = iscp_model_contract(world->model);
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, world->context, pixels, labels, COUNT, TOY_SIDE, TOY_SIDE, TOY_CHANNELS,
                                     &options));
  return dataset;
}

/* Without target-class images, accuracy and so PW have no value; without nontarget images, ASR is 0 of 0. */
START_TEST(a_set_of_one_class) {
  toy_world world;
  toy_world_create(&world, 20, 1);
  iscp_dataset *dataset = relabelled(&world, 1);
  iscp_evaluate_options options = options_of(ISCP_IMAGES_ALL);
  iscp_evaluation *evaluation;
  ASSERT_OK(iscp_evaluation_create(&evaluation, world.model, dataset, &options, NULL, NULL));
  iscp_power power = {.struct_size = sizeof power};
  iscp_pattern *absent = make_pattern(&world, 0, 0), *only = make_pattern(&world, 0, 1);
  ASSERT_OK(iscp_evaluation_power(evaluation, absent, &power, NULL, NULL));
  ck_assert_int_eq(power.target_images, 0);
  ck_assert_int_eq(power.nontarget, 6);
  ck_assert_double_eq(power.accuracy, 0);
  ck_assert(isnan(power.pw));
  ck_assert(power.accuracy_low == 0 && power.accuracy_high == 1);
  ASSERT_OK(iscp_evaluation_power(evaluation, only, &power, NULL, NULL));
  ck_assert_int_eq(power.target_images, 6);
  ck_assert_int_eq(power.nontarget, 0);
  ck_assert_double_eq(power.asr, 0);
  ck_assert(power.asr_low == 0 && power.asr_high == 1);
  iscp_pattern_destroy(absent);
  iscp_pattern_destroy(only);
  iscp_evaluation_destroy(evaluation);
  iscp_dataset_destroy(dataset);
  toy_world_destroy(&world);
}
END_TEST

static void refused(const toy_world *world, const iscp_evaluate_options *options, iscp_status status,
                    const char *word) {
  iscp_evaluation *evaluation = (iscp_evaluation *)&evaluation;
  support_failed(iscp_evaluation_create(&evaluation, world->model, world->dataset, options, NULL, NULL), status, word);
  ck_assert_ptr_null(evaluation);
}

#define REFUSED(field, value, status, word)                           \
  do {                                                                \
    iscp_evaluate_options changed = options_of(ISCP_IMAGES_HELDOUT);  \
    changed.field = value;                                            \
    refused(&world, &changed, status, word);                          \
  } while (0)

START_TEST(wrong_options_are_refused) {
  toy_world world;
  toy_world_create(&world, 20, 1);
  REFUSED(images, 0, ISCP_ERROR_ARGUMENT, "images is 0");
  REFUSED(images, 4, ISCP_ERROR_ARGUMENT, "images is 4");
  REFUSED(fraction, 0, ISCP_ERROR_ARGUMENT, "fraction is 0");
  REFUSED(fraction, 1.5, ISCP_ERROR_ARGUMENT, "fraction is 1.5");
  REFUSED(fraction, NAN, ISCP_ERROR_ARGUMENT, "fraction is nan");
  REFUSED(fraction, 1, ISCP_ERROR_ARGUMENT, "leaves no image held out");
  REFUSED(batch, -1, ISCP_ERROR_ARGUMENT, "batch is -1");
  REFUSED(batch, 4097, ISCP_ERROR_ARGUMENT, "batch is 4097");
  REFUSED(struct_size, 8, ISCP_ERROR_ABI, "iscp_evaluate_options");
  iscp_evaluation *evaluation;
  support_failed(iscp_evaluation_create(NULL, world.model, world.dataset, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "out");
  support_failed(iscp_evaluation_create(&evaluation, NULL, world.dataset, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "model");
  support_failed(iscp_evaluation_create(&evaluation, world.model, NULL, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "dataset");
  support_failed(iscp_evaluation_accuracy(NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "evaluation");
  iscp_evaluation_destroy(NULL);
  iscp_dataset *other = relabelled(&world, TOY_CLASSES);
  support_failed(iscp_evaluation_create(&evaluation, world.model, other, NULL, NULL, NULL), ISCP_ERROR_MISMATCH,
                 "the images have 5 classes, expected at most the model's 4");
  iscp_dataset_destroy(other);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(images_of_another_form_are_refused) {
  toy_world world;
  toy_world_create(&world, 20, 1);
  iscp_contract contract = *iscp_model_contract(world.model);
  iscp_dataset_options options;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  contract.height = TOY_SIDE + 1;
  contract.pad_top = 1;
  options.contract = &contract;
  uint8_t pixels[TOY_NUMBERS] = {0};
  int32_t label = 0;
  iscp_evaluation *evaluation;
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, world.context, pixels, &label, 1, TOY_SIDE, TOY_SIDE, 3, &options));
  support_failed(iscp_evaluation_create(&evaluation, world.model, dataset, NULL, NULL, NULL), ISCP_ERROR_MISMATCH,
                 "the images are 3x9x8, expected the model's 3x8x8");
  iscp_dataset_destroy(dataset);
  toy_world_destroy(&world);
}
END_TEST

static iscp_pattern *plain_pattern(iscp_context *context, int32_t channels, int32_t side, int32_t target) {
  float mask[16 * 16] = {1}, canvas[3 * 16 * 16] = {0};
  iscp_pattern *pattern;
  ASSERT_OK(iscp_pattern_create(&pattern, context, mask, NULL, canvas, channels, side, side, target, ISCP_CUT_SIZE, 0.1,
                                ISCP_TIES_INDEX));
  return pattern;
}

START_TEST(patterns_that_do_not_fit_are_refused) {
  toy_world world;
  toy_world_create(&world, 20, 1);
  iscp_evaluation *evaluation = make_evaluation(&world, ISCP_IMAGES_ALL);
  iscp_pattern *patterns[] = {plain_pattern(world.context, 1, TOY_SIDE, 0), plain_pattern(world.context, 3, 16, 0),
                              plain_pattern(world.context, 3, TOY_SIDE, TOY_CLASSES),
                              plain_pattern(world.context, 3, TOY_SIDE, 0)};
  static const char *const words[] = {"the pattern is 1x8x8, expected the model's 3x8x8", "the pattern is 3x16x16",
                                      "the pattern's class is 4, expected below the model's 4"};
  iscp_power power = {.struct_size = sizeof power, .asr = 0.25};
  for (int i = 0; i < 3; i++)
    support_failed(iscp_evaluation_power(evaluation, patterns[i], &power, NULL, NULL), ISCP_ERROR_MISMATCH, words[i]);
  support_failed(iscp_evaluation_power(NULL, patterns[3], &power, NULL, NULL), ISCP_ERROR_ARGUMENT, "evaluation");
  support_failed(iscp_evaluation_power(evaluation, NULL, &power, NULL, NULL), ISCP_ERROR_ARGUMENT, "pattern");
  support_failed(iscp_evaluation_power(evaluation, patterns[3], NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "iscp_power");
  power.struct_size = 8;
  support_failed(iscp_evaluation_power(evaluation, patterns[3], &power, NULL, NULL), ISCP_ERROR_ABI, "iscp_power");
  ck_assert_double_eq(power.asr, 0.25); /* untouched */
  for (int i = 0; i < 4; i++)
    iscp_pattern_destroy(patterns[i]);
  iscp_evaluation_destroy(evaluation);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Several ---- */

START_TEST(several_are_as_one_by_one) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_evaluation *evaluation = make_evaluation(&world, ISCP_IMAGES_ALL);
  iscp_pattern *patterns[TOY_CLASSES];
  iscp_power powers[TOY_CLASSES], one = {.struct_size = sizeof one};
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    patterns[y] = make_pattern(&world, y, y);
    powers[y] = (iscp_power){.struct_size = sizeof *powers};
  }
  ASSERT_OK(iscp_evaluation_powers(evaluation, (const iscp_pattern *const *)patterns, TOY_CLASSES, powers, NULL, NULL));
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    ASSERT_OK(iscp_evaluation_power(evaluation, patterns[y], &one, NULL, NULL));
    ck_assert_mem_eq(&powers[y], &one, sizeof one);
    iscp_pattern_destroy(patterns[y]);
  }
  iscp_evaluation_destroy(evaluation);
  toy_world_destroy(&world);
}
END_TEST

/* A caller of a later release has longer structs: they stand as far apart as the first one says. */
START_TEST(powers_stand_as_far_apart_as_the_caller_says) {
  struct longer {
    iscp_power power;
    double later;
  } powers[2] = {{.power.struct_size = sizeof *powers, .later = 3}, {.power.struct_size = sizeof *powers, .later = 3}};
  toy_world world;
  toy_world_create(&world, 20, 1);
  iscp_evaluation *evaluation = make_evaluation(&world, ISCP_IMAGES_ALL);
  iscp_pattern *pattern = make_pattern(&world, 0, 1);
  const iscp_pattern *both[] = {pattern, pattern};
  ASSERT_OK(iscp_evaluation_powers(evaluation, both, 2, &powers[0].power, NULL, NULL));
  ck_assert_mem_eq(&powers[0], &powers[1], sizeof *powers);
  ck_assert_uint_eq(powers[1].power.struct_size, sizeof *powers);
  ck_assert(powers[1].power.nontarget > 0 && powers[1].later == 0);
  powers[1].power.struct_size = sizeof powers[1].power;
  support_failed(iscp_evaluation_powers(evaluation, both, 2, &powers[0].power, NULL, NULL), ISCP_ERROR_ABI,
                 "iscp_power 1 has struct_size");
  support_failed(iscp_evaluation_powers(evaluation, both, 0, &powers[0].power, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "count is 0, expected 1 or more");
  support_failed(iscp_evaluation_powers(evaluation, NULL, 1, &powers[0].power, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "patterns is NULL");
  both[1] = NULL;
  powers[1] = powers[0];
  support_failed(iscp_evaluation_powers(evaluation, both, 2, &powers[0].power, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "pattern 1 is NULL");
  iscp_pattern_destroy(pattern);
  iscp_evaluation_destroy(evaluation);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Progress ---- */

typedef struct watcher {
  int64_t calls, last, total, cancel_at;
  const char *stage;
  iscp_evaluation *evaluation; /* called again from within, if set */
  const iscp_pattern *pattern;
} watcher;

static int watch(const iscp_progress *progress, void *user) {
  watcher *w = user;
  ck_assert_uint_eq(progress->struct_size, sizeof *progress);
  ck_assert_str_eq(progress->stage, w->stage);
  ck_assert_int_gt(progress->done, w->last);
  ck_assert_int_le(progress->done, progress->total);
  w->last = progress->done;
  w->total = progress->total;
  iscp_power power = {.struct_size = sizeof power};
  if (w->evaluation)
    ck_assert_int_eq(iscp_evaluation_power(w->evaluation, w->pattern, &power, NULL, NULL), ISCP_ERROR_BUSY);
  return ++w->calls == w->cancel_at;
}

START_TEST(progress_runs_to_its_total_and_cancels) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_evaluate_options options = options_of(ISCP_IMAGES_ALL);
  iscp_evaluation *evaluation = (iscp_evaluation *)&world;
  watcher w = {.stage = "clean", .cancel_at = 1};
  support_failed(iscp_evaluation_create(&evaluation, world.model, world.dataset, &options, watch, &w),
                 ISCP_ERROR_CANCELLED, "cancelled during clean after 7 of 60");
  ck_assert_ptr_null(evaluation);
  w = (watcher){.stage = "clean"};
  ASSERT_OK(iscp_evaluation_create(&evaluation, world.model, world.dataset, &options, watch, &w));
  ck_assert(w.last == IMAGES && w.total == IMAGES);
  iscp_pattern *pattern = make_pattern(&world, 0, 0);
  iscp_power power = {.struct_size = sizeof power, .asr = 0.25}, again = {.struct_size = sizeof again};
  w = (watcher){.stage = "power", .cancel_at = 1};
  support_failed(iscp_evaluation_power(evaluation, pattern, &power, watch, &w), ISCP_ERROR_CANCELLED, "during power");
  ck_assert_double_eq(power.asr, 0.25); /* untouched */
  w = (watcher){.stage = "power", .evaluation = evaluation, .pattern = pattern};
  ASSERT_OK(iscp_evaluation_power(evaluation, pattern, &power, watch, &w));
  ck_assert(w.last == power.nontarget && w.total == power.nontarget);
  ASSERT_OK(iscp_evaluation_power(evaluation, pattern, &again, NULL, NULL));
  ck_assert_mem_eq(&power, &again, sizeof power);
  iscp_pattern_destroy(pattern);
  iscp_evaluation_destroy(evaluation);
  toy_world_destroy(&world);
}
END_TEST

static int stop_after(const iscp_progress *progress, void *user) {
  return progress->done > *(const int64_t *)user;
}

/* Cancelled while the second is measured: the first is there, the second untouched. */
START_TEST(one_progress_for_several) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_evaluation *evaluation = make_evaluation(&world, ISCP_IMAGES_ALL);
  iscp_pattern *pattern = make_pattern(&world, 0, 0);
  const iscp_pattern *both[] = {pattern, pattern};
  iscp_power powers[2] = {{.struct_size = sizeof *powers}, {.struct_size = sizeof *powers}}, whole[2];
  memcpy(whole, powers, sizeof whole);
  watcher w = {.stage = "power"};
  ASSERT_OK(iscp_evaluation_powers(evaluation, both, 2, whole, watch, &w));
  ck_assert(w.last == 2 * whole[0].nontarget && w.total == w.last);
  int64_t after = whole[0].nontarget;
  support_failed(iscp_evaluation_powers(evaluation, both, 2, powers, stop_after, &after), ISCP_ERROR_CANCELLED, "during power");
  ck_assert_mem_eq(&powers[0], &whole[0], sizeof *powers);
  ck_assert(powers[1].nontarget == 0 && powers[1].pw == 0);
  iscp_pattern_destroy(pattern);
  iscp_evaluation_destroy(evaluation);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(an_evaluation_outlives_its_parts) {
  toy_world world;
  toy_world_create(&world, 20, 1);
  iscp_evaluation *evaluation = make_evaluation(&world, ISCP_IMAGES_ALL);
  iscp_pattern *pattern = make_pattern(&world, 0, 0);
  iscp_model_destroy(world.model);
  iscp_dataset_destroy(world.dataset);
  iscp_power power = {.struct_size = sizeof power};
  ASSERT_OK(iscp_evaluation_power(evaluation, pattern, &power, NULL, NULL));
  iscp_pattern_destroy(pattern);
  iscp_evaluation_destroy(evaluation);
  support_context_end(world.context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("evaluate");
  TCase *power = tcase_create("power"), *edges = tcase_create("edges");
  tcase_add_test(power, counts_are_those_of_a_session);
  tcase_add_test(power, heldout_and_searched_share_no_image);
  tcase_add_test(power, several_are_as_one_by_one);
  tcase_add_test(edges, a_set_of_one_class);
  tcase_add_test(edges, wrong_options_are_refused);
  tcase_add_test(edges, images_of_another_form_are_refused);
  tcase_add_test(edges, patterns_that_do_not_fit_are_refused);
  tcase_add_test(edges, progress_runs_to_its_total_and_cancels);
  tcase_add_test(edges, powers_stand_as_far_apart_as_the_caller_says);
  tcase_add_test(edges, one_progress_for_several);
  tcase_add_test(edges, an_evaluation_outlives_its_parts);
  suite_add_tcase(suite, power);
  suite_add_tcase(suite, edges);
  return support_run(suite);
}
