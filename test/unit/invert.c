/* Feature inversion: pictures come nearer, whatever batches, pieces and interruptions they are made in. The gradient itself is the
 * business of test/oracle.
 *
 * Linked with --wrap=clock_gettime, so that every step is told, as search_cancel is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support.h"
#include "toy.h"

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now) {
  static long looks;
  int status = __real_clock_gettime(clock, now);
  now->tv_sec += ++looks;
  return status;
}

enum { IMAGES = 21, BATCH = 8, STEPS = 12 };

static iscp_invert_options options_of(int32_t batch) {
  iscp_invert_options o;
  ASSERT_OK(iscp_invert_options_init(&o, sizeof o));
  ck_assert(o.kind == ISCP_INVERT_FEATURES && o.steps == 0 && o.step == 0.1 && o.eps == 0.5);
  o.steps = STEPS;
  o.batch = batch;
  o.seed = 3;
  return o;
}

typedef struct made {
  iscp_inverted row[IMAGES];
  float images[IMAGES * TOY_NUMBERS];
  uint8_t stored[IMAGES * TOY_NUMBERS];
} made;

static int stop_each_time(const iscp_progress *progress, void *user) {
  (void)progress;
  return (*(int *)user)++ % 2 == 0;
}

/* All images of the options' range, at their places. With `stops`, every other call of progress cancels. */
static iscp_invert_info make(made *m, const toy_world *world, const iscp_invert_options *o, int *stops) {
  iscp_inversion *inversion;
  iscp_invert_info info = {.struct_size = sizeof info, .rows = 1};
  ASSERT_OK(iscp_inversion_create(&inversion, world->model, world->dataset, o));
  while (info.rows) {
    iscp_status status = iscp_inversion_next(inversion, stops ? stop_each_time : NULL, stops);
    ck_assert(status == ISCP_OK || status == ISCP_ERROR_CANCELLED);
    ASSERT_OK(iscp_inversion_get_info(inversion, &info));
    ck_assert_int_eq(info.rows > 0, status == ISCP_OK && info.rows > 0);
    if (status == ISCP_ERROR_CANCELLED)
      info.rows = 1; /* more is to come */
    for (int32_t row = 0; status == ISCP_OK && row < info.rows; row++) {
      iscp_inverted image = {.struct_size = sizeof image};
      ASSERT_OK(iscp_inversion_get(&image, inversion, row));
      memcpy(m->images + image.index * TOY_NUMBERS, image.image, TOY_NUMBERS * sizeof(float));
      memcpy(m->stored + image.index * TOY_NUMBERS, image.stored, TOY_NUMBERS);
      image.image = NULL;
      image.stored = NULL;
      m->row[image.index] = image;
    }
  }
  iscp_inversion_destroy(inversion);
  return info;
}

static void check_same(const made *a, const made *b) {
  ck_assert_mem_eq(a->row, b->row, sizeof a->row);
  ck_assert_mem_eq(a->images, b->images, sizeof a->images);
  ck_assert_mem_eq(a->stored, b->stored, sizeof a->stored);
}

START_TEST(pictures_come_nearer) {
  toy_world world;
  toy_world_create(&world, IMAGES, 3);
  made *m = calloc(1, sizeof *m);
  iscp_invert_options o = options_of(BATCH);
  iscp_invert_info info = make(m, &world, &o, NULL);
  ck_assert(info.images == IMAGES && info.done == IMAGES && info.memory > 0);
  double sums[3] = {0};
  for (int i = 0; i < IMAGES; i++) {
    const iscp_inverted *row = &m->row[i];
    ck_assert(row->index == i && row->start != i && row->start >= 0 && row->start < IMAGES);
    ck_assert_int_eq(row->label, iscp_dataset_label(world.dataset, i));
    ck_assert_int_eq(row->predicted, -1);
    ck_assert_double_lt(row->distance, row->start_distance);
    sums[0] += row->start_distance;
    sums[1] += row->distance;
    sums[2] += row->stored_distance;
  }
  ck_assert_msg(info.distance < 0.6 * info.start_distance, "%g of %g", info.distance, info.start_distance);
  ck_assert_double_eq(info.start_distance, sums[0] / IMAGES);
  ck_assert_double_eq(info.distance, sums[1] / IMAGES);
  ck_assert_double_eq(info.stored_distance, sums[2] / IMAGES);
  for (int i = 0; i < IMAGES; i++)
    for (int c = 0; c < TOY_CHANNELS; c++)
      for (int p = 0; p < TOY_PIXELS; p++) {
        float value = m->images[i * TOY_NUMBERS + c * TOY_PIXELS + p];
        ck_assert(value >= 0 && value <= 1);
        ck_assert_int_eq(m->stored[i * TOY_NUMBERS + p * TOY_CHANNELS + c], lround(255 * (double)value));
      }
  free(m);
  toy_world_destroy(&world);
}
END_TEST

/* An attack stays near its image and leads to the label, which is the seed's or the next one. */
static void check_attack(const toy_world *world, int32_t kind) {
  made *m = calloc(1, sizeof *m), *whole = calloc(1, sizeof *whole);
  iscp_invert_options o = options_of(BATCH);
  o.kind = kind;
  int64_t taken = 0, near = 0, classes[TOY_CLASSES] = {0};
  iscp_invert_info info = make(m, world, &o, NULL);
  float image[TOY_NUMBERS];
  for (int i = 0; i < IMAGES; i++) {
    const iscp_inverted *row = &m->row[i];
    int32_t own = iscp_dataset_label(world->dataset, i);
    ck_assert(row->start == i && row->label >= 0 && row->label < TOY_CLASSES);
    ck_assert_int_eq(kind == ISCP_INVERT_DETERMINISTIC && row->label != (own + 1) % TOY_CLASSES, 0);
    ASSERT_OK(iscp_dataset_image(world->dataset, i, image));
    double sum = 0;
    for (int p = 0; p < TOY_NUMBERS; p++)
      sum += pow((double)m->images[i * TOY_NUMBERS + p] - (double)image[p], 2);
    ck_assert_double_eq_tol(row->distance, sqrt(sum), 1e-6);
    ck_assert(row->start_distance == 0 && row->distance <= 0.5 + 1e-6 && fabs(row->stored_distance - row->distance) < 0.02);
    near += row->distance > 0.4;
    taken += row->predicted == row->label;
    classes[row->label]++;
  }
  ck_assert_int_eq(info.taken, taken);
  ck_assert_msg(taken > IMAGES * 3 / 4 && near > IMAGES / 2, "%lld taken, %lld far enough", (long long)taken, (long long)near);
  for (int k = 0; k < TOY_CLASSES; k++)
    ck_assert_int_gt(classes[k], 0);
  int stops = 0;
  make(whole, world, &o, &stops);
  check_same(whole, m);
  free(m);
  free(whole);
}

START_TEST(attacks_stay_near) {
  toy_world world;
  toy_world_create(&world, IMAGES, 3);
  check_attack(&world, ISCP_INVERT_RANDOM);
  check_attack(&world, ISCP_INVERT_DETERMINISTIC);
  toy_world_destroy(&world);
}
END_TEST

/* A step of 0.1 is 0.1 long where nothing is clipped, and no longer anywhere. */
START_TEST(a_step_is_as_long_as_it_says) {
  toy_world world;
  toy_world_create(&world, IMAGES, 3);
  made *m = calloc(1, sizeof *m);
  iscp_invert_options o = options_of(0);
  o.steps = 1;
  make(m, &world, &o, NULL);
  float start[TOY_NUMBERS];
  double longest = 0;
  for (int i = 0; i < IMAGES; i++) {
    double sum = 0;
    ASSERT_OK(iscp_dataset_image(world.dataset, m->row[i].start, start));
    for (int p = 0; p < TOY_NUMBERS; p++) {
      double moved = (double)m->images[i * TOY_NUMBERS + p] - (double)start[p];
      sum += moved * moved;
    }
    longest = fmax(longest, sqrt(sum));
  }
  ck_assert_double_le(longest, 0.1 + 1e-6); /* float32's rounding of 192 numbers of about 0.5 */
  ck_assert_double_ge(longest, 0.095);
  free(m);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(interruptions_and_pieces_change_no_bit) {
  toy_world world;
  toy_world_create(&world, IMAGES, 3);
  made *whole = calloc(1, sizeof *whole), *other = calloc(1, sizeof *other);
  iscp_invert_options o = options_of(BATCH);
  make(whole, &world, &o, NULL);
  int stops = 0;
  make(other, &world, &o, &stops);
  ck_assert_int_gt(stops, 2 * STEPS); /* at every step of three batches */
  check_same(whole, other);
  memset(other, 0, sizeof *other);
  for (o.first = 0; o.first < IMAGES; o.first += o.count) {
    o.count = o.first == 0 ? BATCH : IMAGES - BATCH;
    ck_assert_int_eq(make(other, &world, &o, NULL).images, o.count);
  }
  check_same(whole, other);
  free(whole);
  free(other);
  toy_world_destroy(&world);
}
END_TEST

/* Another batch is other code of the backend: rounding, and no more than a ReLU or two decided otherwise. */
START_TEST(neighbours_do_not_matter) {
  toy_world world;
  toy_world_create(&world, IMAGES, 3);
  made *whole = calloc(1, sizeof *whole), *other = calloc(1, sizeof *other);
  iscp_invert_options o = options_of(BATCH);
  make(whole, &world, &o, NULL);
  o.batch = 5;
  make(other, &world, &o, NULL);
  ck_assert_double_lt(support_relative_l2(other->images, whole->images, IMAGES * TOY_NUMBERS), 0.05);
  o.seed++;
  make(other, &world, &o, NULL);
  ck_assert_double_gt(support_relative_l2(other->images, whole->images, IMAGES * TOY_NUMBERS), 0.2);
  free(whole);
  free(other);
  toy_world_destroy(&world);
}
END_TEST

static void one_image_is_refused(const toy_world *world) {
  static const uint8_t pixels[TOY_NUMBERS];
  static const int32_t label;
  iscp_dataset_options options;
  iscp_dataset *one;
  iscp_inversion *inversion;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = iscp_model_contract(world->model);
  ASSERT_OK(iscp_dataset_from_memory(&one, world->context, pixels, &label, 1, TOY_SIDE, TOY_SIDE, TOY_CHANNELS, &options));
  support_failed(iscp_inversion_create(&inversion, world->model, one, NULL), ISCP_ERROR_ARGUMENT, "1 images, expected 2");
  iscp_invert_options o = options_of(0);
  o.kind = ISCP_INVERT_RANDOM; /* which needs no other */
  ASSERT_OK(iscp_inversion_create(&inversion, world->model, one, &o));
  iscp_inversion_destroy(inversion);
  iscp_dataset_destroy(one);
}

START_TEST(arguments_are_checked) {
  static const struct {
    size_t offset;
    int kind; /* 4 and 8 bytes, or 0 for a number */
    double value;
    const char *word;
  } wrong[] = {{offsetof(iscp_invert_options, kind), 4, 0, "kind is 0"},
               {offsetof(iscp_invert_options, kind), 4, 4, "kind is 4"},
               {offsetof(iscp_invert_options, steps), 4, -1, "steps is -1"},
               {offsetof(iscp_invert_options, eps), 0, 0, "eps is 0"},
               {offsetof(iscp_invert_options, step), 0, 0, "step is 0"},
               {offsetof(iscp_invert_options, step), 0, NAN, "step is"},
               {offsetof(iscp_invert_options, first), 8, IMAGES, "first is 21, expected 0 to 20"},
               {offsetof(iscp_invert_options, first), 8, -1, "first is -1"},
               {offsetof(iscp_invert_options, count), 8, IMAGES + 1, "count is 22"},
               {offsetof(iscp_invert_options, batch), 4, 4097, "batch is 4097"}};
  toy_world world;
  iscp_inversion *inversion;
  iscp_inverted image = {.struct_size = sizeof image};
  iscp_invert_info info = {.struct_size = sizeof info};
  toy_world_create(&world, IMAGES, 3);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    iscp_invert_options o = options_of(0);
    void *field = (char *)&o + wrong[i].offset;
    if (wrong[i].kind == 4)
      *(int32_t *)field = (int32_t)wrong[i].value;
    else if (wrong[i].kind == 8)
      *(int64_t *)field = (int64_t)wrong[i].value;
    else
      *(double *)field = wrong[i].value;
    support_failed(iscp_inversion_create(&inversion, world.model, world.dataset, &o), ISCP_ERROR_ARGUMENT, wrong[i].word);
    ck_assert_ptr_null(inversion);
  }
  support_failed(iscp_inversion_create(&inversion, NULL, world.dataset, NULL), ISCP_ERROR_ARGUMENT, "model");
  support_failed(iscp_inversion_create(&inversion, world.model, NULL, NULL), ISCP_ERROR_ARGUMENT, "data");
  support_failed(iscp_inversion_next(NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "inversion");
  iscp_invert_options o = options_of(0);
  ASSERT_OK(iscp_inversion_create(&inversion, world.model, world.dataset, &o));
  ASSERT_OK(iscp_inversion_get_info(inversion, &info));
  ck_assert(info.rows == 0 && isnan(info.distance) && info.done == 0);
  support_failed(iscp_inversion_get(&image, inversion, 0), ISCP_ERROR_ARGUMENT, "row is 0");
  iscp_inversion_destroy(inversion);
  iscp_inversion_destroy(NULL);
  one_image_is_refused(&world);
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("invert");
  TCase *tests = tcase_create("invert");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, pictures_come_nearer);
  tcase_add_test(tests, attacks_stay_near);
  tcase_add_test(tests, a_step_is_as_long_as_it_says);
  tcase_add_test(tests, interruptions_and_pieces_change_no_bit);
  tcase_add_test(tests, neighbours_do_not_matter);
  tcase_add_test(tests, arguments_are_checked);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
