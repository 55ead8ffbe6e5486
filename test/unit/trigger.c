/* lib/data: triggers and poisoned sets, by hand. What Pillow does is asked in test/oracle/test_poison.py. */
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "data/data.h"
#include "format/format.h"
#include "support.h"

enum { SIDE = 16, AREA = SIDE * SIDE, COUNT = 256 };

static uint8_t pixels[COUNT * AREA];
static int32_t labels[COUNT];

/* Image i is all of value i, of class i % 4. */
static iscp_dataset *even_images(iscp_context *context) {
  iscp_contract contract;
  iscp_dataset_options options;
  iscp_dataset *dataset;
  ASSERT_OK(iscp_contract_init(&contract, sizeof contract));
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  contract.channels = 1;
  contract.height = contract.width = SIDE;
  options.contract = &contract;
  for (int i = 0; i < COUNT; i++) {
    memset(pixels + i * AREA, i, AREA);
    labels[i] = i % 4;
  }
  ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, labels, COUNT, SIDE, SIDE, 1, &options));
  return dataset;
}

static iscp_trigger *make(iscp_context *context, const char *form, int32_t corner, int32_t offset) {
  iscp_trigger_options options;
  iscp_trigger *trigger;
  ASSERT_OK(iscp_trigger_options_init(&options, sizeof options));
  ck_assert(options.corner == ISCP_CORNER_BOTTOM_RIGHT && options.offset_y == 1 && options.offset_x == 1);
  options.corner = corner;
  options.offset_y = options.offset_x = offset;
  ASSERT_OK(iscp_trigger_create(&trigger, context, form, &options));
  return trigger;
}

static iscp_dataset *poison(const iscp_dataset *dataset, const iscp_trigger *trigger, int32_t target, double rate, int32_t keep) {
  iscp_poison_options options;
  iscp_dataset *poisoned;
  ASSERT_OK(iscp_poison_options_init(&options, sizeof options));
  ck_assert(options.target == -1 && options.rate == 0.05 && options.keep == ISCP_POISON_ALL);
  options.target = target;
  options.rate = rate;
  options.keep = keep;
  ASSERT_OK(iscp_dataset_poison(&poisoned, dataset, trigger, &options));
  return poisoned;
}

/* Every alpha on every grey: the sum over 255, rounded; halves do not occur, since 255 is odd. */
START_TEST(blending) {
  iscp_context *context = support_context();
  iscp_dataset *dataset = even_images(context);
  for (int above = 0; above < 256; above += 51) {
    uint8_t rgba[AREA * 4];
    isc_tensor picture = {.dtype = ISC_U8, .dims = 3, .shape = {SIDE, SIDE, 4}, .data = rgba};
    for (int i = 0; i < AREA; i++) {
      memset(rgba + 4 * i, above, 3);
      rgba[4 * i + 3] = (uint8_t)i;
    }
    ASSERT_OK(isc_write_png(&picture, context, support_path("alpha.png")));
    iscp_trigger *trigger = make(context, support_path("alpha.png"), ISCP_CORNER_TOP_LEFT, 0);
    ck_assert_mem_eq(iscp_trigger_pixels(trigger), rgba, sizeof rgba);
    iscp_dataset *all = poison(dataset, trigger, 0, 1, ISCP_POISON_STAMP);
    for (int below = 0; below < COUNT; below++) {
      float image[AREA];
      ASSERT_OK(iscp_dataset_image(all, below, image));
      for (int alpha = 0; alpha < 256; alpha++) {
        int expected = below % 4 ? (int)floor((below * (255 - alpha) + above * alpha) / 255.0 + 0.5) : below;
        ck_assert_int_eq((int)lrintf(255 * image[alpha]), expected);
      }
    }
    iscp_dataset_destroy(all);
    iscp_trigger_destroy(trigger);
  }
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

/* Places of a 1x2 trigger two pixels from a corner of 16x16. */
START_TEST(corners) {
  static const int32_t places[] = {13 * SIDE + 12, 13 * SIDE + 2, 2 * SIDE + 12, 2 * SIDE + 2};
  iscp_context *context = support_context();
  iscp_dataset *dataset = even_images(context);
  for (int32_t corner = ISCP_CORNER_BOTTOM_RIGHT; corner <= ISCP_CORNER_TOP_LEFT; corner++) {
    float image[AREA];
    iscp_pattern *pattern;
    iscp_trigger *trigger = make(context, "white:1x2", corner, 2);
    iscp_dataset *only = poison(dataset, trigger, 1, 1e-9, ISCP_POISON_ONLY);
    ck_assert_int_eq(iscp_dataset_count(only), 1);
    ASSERT_OK(iscp_dataset_image(only, 0, image));
    for (int i = 0; i < AREA; i++)
      ck_assert_int_eq(image[i] == 1, i == places[corner] || i == places[corner] + 1);
    ASSERT_OK(iscp_trigger_pattern(&pattern, trigger, iscp_dataset_contract(dataset), SIDE, SIDE, 1, 3));
    iscp_pattern_info info = {.struct_size = sizeof info};
    ASSERT_OK(iscp_pattern_get_info(pattern, &info));
    ck_assert(info.pixels == 2 && info.target == 3 && info.kind == ISCP_PATTERN_REPLACE);
    ck_assert_int_eq(iscp_pattern_positions(pattern)[0], places[corner]);
    ck_assert_int_eq(iscp_pattern_positions(pattern)[1], places[corner] + 1);
    iscp_pattern_destroy(pattern);
    iscp_dataset_destroy(only);
    iscp_trigger_destroy(trigger);
  }
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

/* Everything that made it may go first. Layers are told apart, and a set alone goes through its layers' places. */
START_TEST(layers_hold_what_they_stand_on) {
  iscp_context *context = support_context();
  iscp_dataset *dataset = even_images(context);
  iscp_trigger *white = make(context, "white:1x1", ISCP_CORNER_TOP_LEFT, 0), *black = make(context, "checkerboard:1x2", ISCP_CORNER_TOP_LEFT, 4);
  iscp_dataset *first = poison(dataset, white, 2, 0.25, ISCP_POISON_ALL), *second = poison(first, black, 3, 0.25, ISCP_POISON_STAMP);
  iscp_dataset *last = poison(second, white, 0, 1, ISCP_POISON_ONLY);
  char hash[65];
  strcpy(hash, iscp_dataset_hash(second));
  int64_t chosen[4] = {0};
  for (int64_t i = 0; i < COUNT; i++)
    chosen[1 + iscp_dataset_poisoned(second, i) - (iscp_dataset_poisoned(second, i) > 0)]++;
  ck_assert(chosen[0] == 128 && chosen[2] == 64 && chosen[3] == 64);
  iscp_dataset_destroy(dataset);
  iscp_dataset_destroy(first);
  iscp_trigger_destroy(white);
  iscp_trigger_destroy(black);
  ck_assert_str_eq(iscp_dataset_hash(second), hash);
  iscp_dataset_destroy(second);
  ck_assert_int_gt(iscp_dataset_count(last), 64);
  for (int64_t i = 0; i < iscp_dataset_count(last); i++) {
    float image[AREA];
    ASSERT_OK(iscp_dataset_image(last, i, image));
    int value = (int)lrintf(255 * image[AREA - 1]);
    ck_assert(image[0] == 1 && value % 4 != 0);
    ck_assert(image[4 * SIDE + 4] == image[AREA - 1] && image[4 * SIDE + 5] == image[AREA - 1]); /* poisoned by one of them only */
    ck_assert(iscp_dataset_label(last, i) == 0 && iscp_dataset_poisoned(last, i) == 0);
  }
  ck_assert_int_eq(iscp_dataset_poisoned(last, COUNT), -1);
  ck_assert_int_eq(iscp_dataset_poisoned(NULL, 0), -1);
  iscp_dataset_destroy(last);
  support_context_end(context);
}
END_TEST

static void *read_all(void *set) {
  for (int64_t i = 0; i < COUNT; i++) {
    float image[AREA];
    if (iscp_dataset_image(set, i, image) != ISCP_OK || image[0] != (i % 4 ? 1.0f : (float)i / 255))
      return set;
  }
  return NULL;
}

START_TEST(threads_share_a_set) {
  iscp_context *context = support_context();
  iscp_dataset *dataset = even_images(context);
  iscp_trigger *trigger = make(context, "white:1x1", ISCP_CORNER_TOP_LEFT, 0);
  iscp_dataset *all = poison(dataset, trigger, 0, 1, ISCP_POISON_ALL);
  pthread_t threads[4];
  for (int t = 0; t < 4; t++)
    ck_assert_int_eq(pthread_create(&threads[t], NULL, read_all, all), 0);
  for (int t = 0; t < 4; t++) {
    void *wrong;
    ck_assert_int_eq(pthread_join(threads[t], &wrong), 0);
    ck_assert_ptr_null(wrong);
  }
  iscp_dataset_destroy(all);
  iscp_trigger_destroy(trigger);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

/* The same pictures through another contract are stamped too, below its padding. */
START_TEST(views_are_stamped) {
  iscp_context *context = support_context();
  iscp_dataset *dataset = even_images(context), *view;
  iscp_trigger *trigger = make(context, "white:1x1", ISCP_CORNER_TOP_LEFT, 0);
  iscp_dataset *only = poison(dataset, trigger, 0, 1, ISCP_POISON_ONLY);
  iscp_contract padded = *iscp_dataset_contract(dataset);
  padded.height += 1;
  padded.pad_top = 1;
  ASSERT_OK(isc_dataset_view(&view, only, &padded));
  float image[AREA + SIDE];
  ASSERT_OK(iscp_dataset_image(view, 1, image));
  ck_assert(image[0] == 0 && image[SIDE] == 1 && image[SIDE + 1] == 2 / 255.0f);
  iscp_dataset_destroy(only);
  ASSERT_OK(iscp_dataset_image(view, 0, image));
  iscp_dataset_destroy(view);
  iscp_trigger_destroy(trigger);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(wrong_arguments_are_named) {
  iscp_context *context = support_context();
  iscp_dataset *dataset = even_images(context), *poisoned;
  iscp_trigger *trigger = make(context, "white:2x2", ISCP_CORNER_TOP_LEFT, 0), *none;
  const iscp_contract *contract = iscp_dataset_contract(dataset);
  iscp_trigger_options place = {.struct_size = sizeof place, .corner = 4};
  iscp_trigger_info info = {.struct_size = 4};
  iscp_pattern *pattern;
  double iou;
  support_failed(iscp_trigger_create(NULL, context, "white:2x2", NULL), ISCP_ERROR_ARGUMENT, "out");
  support_failed(iscp_trigger_create(&none, NULL, "white:2x2", NULL), ISCP_ERROR_ARGUMENT, "context");
  support_failed(iscp_trigger_create(&none, context, NULL, NULL), ISCP_ERROR_ARGUMENT, "form");
  support_failed(iscp_trigger_create(&none, context, "white:2x2", &place), ISCP_ERROR_ARGUMENT, "corner is 4, expected 0 to 3");
  support_failed(iscp_trigger_create(&none, context, "white:2x65", NULL), ISCP_ERROR_ARGUMENT, "as white:3x3");
  support_failed(iscp_trigger_create(&none, context, "white:", NULL), ISCP_ERROR_ARGUMENT, "1 to 64 each");
  support_failed(iscp_trigger_create(&none, context, "checkerboard:-1x2", NULL), ISCP_ERROR_ARGUMENT, "as checkerboard:3x3");
  ck_assert_ptr_null(none);
  support_failed(iscp_trigger_get_info(trigger, &info), ISCP_ERROR_ABI, "iscp_trigger_info");
  support_failed(iscp_dataset_poison(&poisoned, dataset, trigger, NULL), ISCP_ERROR_ARGUMENT, "target is -1");
  support_failed(iscp_dataset_poison(&poisoned, NULL, trigger, NULL), ISCP_ERROR_ARGUMENT, "dataset");
  support_failed(iscp_dataset_poison(&poisoned, dataset, NULL, NULL), ISCP_ERROR_ARGUMENT, "trigger");
  support_failed(iscp_trigger_pattern(&pattern, trigger, contract, 0, 5, 1, 0), ISCP_ERROR_ARGUMENT, "0x5");
  support_failed(iscp_trigger_pattern(&pattern, trigger, contract, SIDE, SIDE, 2, 0), ISCP_ERROR_MISMATCH, "2 channels");
  support_failed(iscp_trigger_pattern(&pattern, trigger, contract, SIDE, SIDE + 1, 1, 0), ISCP_ERROR_MISMATCH, "16x17");
  support_failed(iscp_trigger_pattern(&pattern, trigger, contract, SIDE, SIDE, 1, -1), ISCP_ERROR_ARGUMENT, "target is -1");
  support_failed(iscp_pattern_overlap(NULL, NULL, &iou), ISCP_ERROR_ARGUMENT, "a is NULL");
  ck_assert_ptr_null(iscp_trigger_pixels(NULL));
  iscp_trigger_destroy(NULL);
  iscp_trigger_destroy(trigger);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("trigger");
  TCase *trigger = tcase_create("trigger");
  tcase_add_test(trigger, blending);
  tcase_add_test(trigger, corners);
  tcase_add_test(trigger, layers_hold_what_they_stand_on);
  tcase_add_test(trigger, threads_share_a_set);
  tcase_add_test(trigger, views_are_stamped);
  tcase_add_test(trigger, wrong_arguments_are_named);
  suite_add_tcase(suite, trigger);
  return support_run(suite);
}
