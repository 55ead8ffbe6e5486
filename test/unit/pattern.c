/* lib/data: patterns cut out of a canvas, and the seeded draw of the searched part. */
#include <math.h>
#include <string.h>

#include "data/data.h"
#include "support.h"

/* A mask of 3 x 4: five values of 1, two of 0.8, the rest below. */
enum { HIGH = 3, WIDE = 4, AREA = 12 };
static const float mask[AREA] = {1, 0.8f, 0, 1, 0.5f, 1, 0.8f, 0, 1, 0.1f, 0.02f, 1};
static const int32_t evidence[AREA] = {50, 60, -3, 70, 0, 50, 61, -9, 90, 1, 0, 51};

static void fill_canvas(float canvas[3 * AREA]) { support_fill(canvas, 3 * AREA, 0, 1, 11); }

static iscp_pattern *cut(iscp_context *context, const int32_t *with_evidence, int32_t kind, double amount,
                         int32_t ties) {
  float canvas[3 * AREA];
  fill_canvas(canvas);
  iscp_pattern *pattern;
  ASSERT_OK(iscp_pattern_create(&pattern, context, mask, with_evidence, canvas, 3, HIGH, WIDE, 7, kind, amount, ties));
  return pattern;
}

/* Checks the positions and the ties of a pattern, then destroys it. */
static void check_cut(iscp_pattern *pattern, int32_t pixels, const int32_t *positions, int32_t tied,
                      int32_t tied_kept) {
  iscp_pattern_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_pattern_get_info(pattern, &info));
  ck_assert_int_eq(info.target, 7);
  ck_assert_int_eq(info.channels, 3);
  ck_assert_int_eq(info.height, HIGH);
  ck_assert_int_eq(info.width, WIDE);
  ck_assert_int_eq(info.pixels, pixels);
  ck_assert_int_eq(info.tied, tied);
  ck_assert_int_eq(info.tied_kept, tied_kept);
  for (int32_t i = 0; i < pixels; i++)
    ck_assert_int_eq(iscp_pattern_positions(pattern)[i], positions[i]);
  iscp_pattern_destroy(pattern);
}

START_TEST(equal_values_rank_by_evidence_then_index) {
  iscp_context *context = support_context();
  const int32_t all[AREA] = {8, 3, 11, 0, 5, 6, 1, 4, 9, 10, 2, 7};
  check_cut(cut(context, evidence, ISCP_CUT_SIZE, 1, ISCP_TIES_EVIDENCE), 12, all, 0, 0);
  check_cut(cut(context, evidence, ISCP_CUT_SIZE, 0.25, ISCP_TIES_EVIDENCE), 3, all, 5, 3);
  check_cut(cut(context, evidence, ISCP_CUT_SIZE, 5.0 / 12, ISCP_TIES_EVIDENCE), 5, all, 0, 0);
  check_cut(cut(context, evidence, ISCP_CUT_SIZE, 0.5, ISCP_TIES_EVIDENCE), 6, all, 2, 1);
  support_context_end(context);
}
END_TEST

START_TEST(equal_values_rank_by_index) {
  iscp_context *context = support_context();
  const int32_t all[AREA] = {0, 3, 5, 8, 11, 1, 6, 4, 9, 10, 2, 7};
  check_cut(cut(context, evidence, ISCP_CUT_SIZE, 1, ISCP_TIES_INDEX), 12, all, 0, 0);
  check_cut(cut(context, NULL, ISCP_CUT_SIZE, 1, ISCP_TIES_EVIDENCE), 12, all, 0, 0);
  check_cut(cut(context, NULL, ISCP_CUT_SIZE, 11.0 / 12, ISCP_TIES_INDEX), 11, all, 2, 1);
  support_context_end(context);
}
END_TEST

/* k = floor(cut * 12 + 0.5): halves go up. */
START_TEST(size_is_rounded) {
  iscp_context *context = support_context();
  static const struct {
    double size;
    int32_t pixels;
  } cases[] = {{0.042, 1}, {0.5 / 12, 1}, {0.12, 1}, {1.5 / 12, 2}, {0.2, 2}, {0.99, 12}, {1, 12}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iscp_pattern *pattern = cut(context, evidence, ISCP_CUT_SIZE, cases[i].size, ISCP_TIES_EVIDENCE);
    iscp_pattern_info info = {.struct_size = sizeof info};
    ASSERT_OK(iscp_pattern_get_info(pattern, &info));
    ck_assert_int_eq(info.pixels, cases[i].pixels);
    iscp_pattern_destroy(pattern);
  }
  support_context_end(context);
}
END_TEST

/* Gamma 0.8 is the mask's 0.8: not above itself, though 0.8f is larger than 0.8 as a double. */
START_TEST(gamma_keeps_what_is_above) {
  iscp_context *context = support_context();
  const int32_t all[AREA] = {8, 3, 11, 0, 5, 6, 1, 4, 9, 10};
  check_cut(cut(context, evidence, ISCP_CUT_GAMMA, 0.8, ISCP_TIES_EVIDENCE), 5, all, 0, 0);
  check_cut(cut(context, evidence, ISCP_CUT_GAMMA, 0.79, ISCP_TIES_EVIDENCE), 7, all, 0, 0);
  check_cut(cut(context, evidence, ISCP_CUT_GAMMA, 0, ISCP_TIES_EVIDENCE), 10, all, 0, 0);
  support_context_end(context);
}
END_TEST

START_TEST(attaching_replaces_the_kept_pixels) {
  iscp_context *context = support_context();
  iscp_pattern *pattern = cut(context, evidence, ISCP_CUT_SIZE, 0.25, ISCP_TIES_EVIDENCE); /* pixels 8, 3, 11 */
  float canvas[3 * AREA], image[3 * AREA], before[3 * AREA];
  fill_canvas(canvas);
  support_fill(before, 3 * AREA, 0, 1, 12);
  memcpy(image, before, sizeof image);
  ASSERT_OK(iscp_pattern_attach(pattern, image));
  for (int c = 0; c < 3; c++)
    for (int i = 0; i < AREA; i++) {
      int at = c * AREA + i, kept = i == 3 || i == 8 || i == 11;
      ck_assert(image[at] == (kept ? canvas[at] : before[at]));
    }
  for (int c = 0; c < 3; c++)
    ck_assert(iscp_pattern_values(pattern)[c] == canvas[c * AREA + 8]);
  ck_assert_ptr_eq(isc_pattern_context(pattern), context);
  support_failed(iscp_pattern_attach(pattern, NULL), ISCP_ERROR_ARGUMENT, "image");
  support_failed(iscp_pattern_attach(NULL, image), ISCP_ERROR_ARGUMENT, "pattern");
  iscp_pattern_info info = {.struct_size = 3};
  support_failed(iscp_pattern_get_info(pattern, &info), ISCP_ERROR_ABI, "iscp_pattern_info");
  support_failed(iscp_pattern_get_info(NULL, &info), ISCP_ERROR_ARGUMENT, "pattern");
  iscp_pattern_destroy(pattern);
  iscp_pattern_destroy(NULL);
  ck_assert_ptr_null(iscp_pattern_positions(NULL));
  ck_assert_ptr_null(iscp_pattern_values(NULL));
  support_context_end(context);
}
END_TEST

/* Three channels of 1 x 4 pixels: the first is left alone, the second changed in one channel, the third in all, the fourth as
 * much as the third. */
static const float change[12] = {0, 0.5f, -0.25f, 0.25f, 0, 0, -0.25f, 0.25f, 0, 0, 0.5f, 0.5f};

static iscp_pattern *add(iscp_context *context) {
  iscp_pattern *pattern;
  ASSERT_OK(iscp_pattern_create_add(&pattern, context, change, 3, 1, 4, 2));
  return pattern;
}

START_TEST(a_perturbation_is_added_and_clipped) {
  iscp_context *context = support_context();
  iscp_pattern *pattern = add(context);
  iscp_pattern_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_pattern_get_info(pattern, &info));
  ck_assert_int_eq(info.kind, ISCP_PATTERN_ADD);
  ck_assert_int_eq(info.pixels, 3);
  ck_assert_int_eq(info.tied, 0);
  ck_assert_mem_eq(iscp_pattern_positions(pattern), ((int32_t[]){2, 3, 1}), 3 * sizeof(int32_t));
  ck_assert_mem_eq(iscp_pattern_values(pattern), ((float[]){-0.25f, -0.25f, 0.5f, 0.25f, 0.25f, 0.5f, 0.5f, 0, 0}),
                   9 * sizeof(float));
  float image[12] = {0.1f, 0.75f, 0.125f, 0.5f, 0.2f, 0.3f, 0.25f, 0.875f, 1, 0, 0.25f, 0.5f};
  const float expected[12] = {0.1f, 1, 0, 0.75f, 0.2f, 0.3f, 0, 1, 1, 0, 0.75f, 1}; /* all sums are exact in float32 */
  ASSERT_OK(iscp_pattern_attach(pattern, image));
  ck_assert_mem_eq(image, expected, sizeof image);
  iscp_pattern_destroy(pattern);
  support_context_end(context);
}
END_TEST

/* Where |v| is equal, the steps that agreed more, over all channels, then the index. */
START_TEST(the_strongest_pixels_of_a_perturbation) {
  iscp_context *context = support_context();
  const float values[8] = {0.5f, -0.5f, 0.25f, 0, 0, 0, 0.25f, 0.125f};
  const int32_t signs[8] = {3, -5, 2, 0, 0, 0, 2, 9};
  isc_perturbation two = {values, signs, 2, 1, 4, 0};
  iscp_pattern *pattern;
  ASSERT_OK(isc_pattern_add(&pattern, context, &two, 0.5));
  iscp_pattern_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_pattern_get_info(pattern, &info));
  ck_assert_int_eq(info.pixels, 2);
  ck_assert_int_eq(info.tied, 3);
  ck_assert_int_eq(info.tied_kept, 2);
  ck_assert_mem_eq(iscp_pattern_positions(pattern), ((int32_t[]){1, 2}), 2 * sizeof(int32_t));
  ck_assert_mem_eq(iscp_pattern_values(pattern), ((float[]){-0.5f, 0, 0.25f, 0.25f}), 4 * sizeof(float));
  iscp_pattern_destroy(pattern);
  support_context_end(context);
}
END_TEST

START_TEST(hostile_perturbations_are_refused) {
  iscp_context *context = support_context();
  iscp_pattern *pattern;
  float values[12] = {0};
  support_failed(iscp_pattern_create_add(&pattern, context, values, 3, 1, 4, 0), ISCP_ERROR_ARGUMENT, "zero throughout");
  ck_assert_ptr_null(pattern);
  static const float wrong[] = {NAN, INFINITY, -INFINITY, 1.0000002f, -1.0000002f};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    values[5] = wrong[i];
    support_failed(iscp_pattern_create_add(&pattern, context, values, 3, 1, 4, 0), ISCP_ERROR_ARGUMENT,
                   "perturbation[5] is");
  }
  support_failed(iscp_pattern_create_add(NULL, context, change, 3, 1, 4, 0), ISCP_ERROR_ARGUMENT, "out");
  support_failed(iscp_pattern_create_add(&pattern, NULL, change, 3, 1, 4, 0), ISCP_ERROR_ARGUMENT, "context");
  support_failed(iscp_pattern_create_add(&pattern, context, NULL, 3, 1, 4, 0), ISCP_ERROR_ARGUMENT, "perturbation");
  support_failed(iscp_pattern_create_add(&pattern, context, change, 2, 1, 4, 0), ISCP_ERROR_ARGUMENT, "channels is 2");
  support_failed(iscp_pattern_create_add(&pattern, context, change, 3, 1, 0, 0), ISCP_ERROR_ARGUMENT, "1x0");
  support_failed(iscp_pattern_create_add(&pattern, context, change, 3, 1, 4, -1), ISCP_ERROR_ARGUMENT, "target is -1");
  support_context_end(context);
}
END_TEST

START_TEST(a_pattern_outlives_its_context_handle) {
  iscp_context *context;
  ASSERT_OK(iscp_context_create(&context, NULL));
  iscp_pattern *pattern = cut(context, evidence, ISCP_CUT_SIZE, 0.1, ISCP_TIES_EVIDENCE);
  iscp_context_destroy(context);
  ck_assert_int_eq(iscp_pattern_positions(pattern)[0], 8);
  iscp_pattern_destroy(pattern);
}
END_TEST

/* ---- Refusals ---- */

typedef struct call {
  iscp_context *context;
  float mask[AREA], canvas[3 * AREA];
  int32_t channels, height, width, target, kind;
  double cut;
  int32_t ties;
} call;

static void refused(const call *c, const char *word) {
  iscp_pattern *pattern = (iscp_pattern *)&pattern;
  support_failed(iscp_pattern_create(&pattern, c->context, c->mask, evidence, c->canvas, c->channels, c->height,
                                     c->width, c->target, c->kind, c->cut, c->ties), ISCP_ERROR_ARGUMENT, word);
  ck_assert_ptr_null(pattern);
}

#define REFUSED(field, value, word) \
  do {                              \
    call changed = good;            \
    changed.field = value;          \
    refused(&changed, word);        \
  } while (0)

START_TEST(wrong_arguments_are_refused) {
  call good = {support_context(), {0}, {0}, 3, HIGH, WIDE, 0, ISCP_CUT_SIZE, 0.5, ISCP_TIES_EVIDENCE};
  memcpy(good.mask, mask, sizeof mask);
  fill_canvas(good.canvas);
  REFUSED(channels, 2, "channels is 2");
  REFUSED(height, 0, "0x4");
  REFUSED(width, 4097, "3x4097");
  REFUSED(target, -1, "target is -1");
  REFUSED(kind, 3, "cut_kind is 3");
  REFUSED(ties, 0, "ties is 0");
  REFUSED(cut, 0, "cut is 0");
  REFUSED(cut, 1.01, "cut is 1.01");
  REFUSED(cut, -0.5, "cut is -0.5");
  REFUSED(cut, NAN, "nan");
  REFUSED(cut, 0.04, "rounds to no pixel of 12");
  REFUSED(mask[3], NAN, "mask[3] is nan");
  REFUSED(mask[4], 1.25f, "mask[4] is 1.25");
  REFUSED(mask[11], -0.5f, "mask[11]");
  REFUSED(canvas[0], INFINITY, "canvas[0] is inf");
  REFUSED(canvas[35], 2, "canvas[35] is 2");
  good.kind = ISCP_CUT_GAMMA;
  REFUSED(cut, 1, "gamma");
  REFUSED(cut, -0.1, "gamma");
  REFUSED(cut, NAN, "gamma");
  memset(good.mask, 0, sizeof good.mask);
  refused(&good, "the largest is 0");
  REFUSED(context, NULL, "context is NULL");
  iscp_pattern *pattern;
  support_failed(iscp_pattern_create(NULL, good.context, mask, NULL, good.canvas, 3, 3, 4, 0, 1, 1, 1),
                 ISCP_ERROR_ARGUMENT, "out");
  support_failed(iscp_pattern_create(&pattern, good.context, NULL, NULL, good.canvas, 3, 3, 4, 0, 1, 1, 1),
                 ISCP_ERROR_ARGUMENT, "mask");
  support_failed(iscp_pattern_create(&pattern, good.context, mask, NULL, NULL, 3, 3, 4, 0, 1, 1, 1),
                 ISCP_ERROR_ARGUMENT, "canvas");
  support_context_end(good.context);
}
END_TEST

START_TEST(each_allocation_may_fail) {
  iscp_context *context = support_context();
  float canvas[3 * AREA];
  fill_canvas(canvas);
  long allowed = 0;
  iscp_status status;
  do {
    iscp_pattern *pattern = (iscp_pattern *)&pattern;
    support_fail_after(allowed++);
    status = iscp_pattern_create(&pattern, context, mask, evidence, canvas, 3, HIGH, WIDE, 0, ISCP_CUT_SIZE, 0.5,
                                 ISCP_TIES_EVIDENCE);
    support_fail_after(-1);
    ck_assert(status == ISCP_OK || (status == ISCP_ERROR_MEMORY && !pattern));
    iscp_pattern_destroy(pattern);
  } while (status != ISCP_OK);
  ck_assert_int_eq(allowed - 1, 4);
  support_context_end(context);
}
END_TEST

/* ---- Splits ---- */

enum { IMAGES = 103 };

static iscp_dataset *labelled(iscp_context *context, const int32_t *labels, int64_t count) {
  static uint8_t pixels[IMAGES * 64];
  iscp_contract contract;
  iscp_dataset_options options;
  ASSERT_OK(iscp_contract_init(&contract, sizeof contract));
  contract.height = contract.width = 8;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = &contract;
  options.classes = 10;
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, labels, count, 8, 8, 1, &options));
  return dataset;
}

/* Classes 0, 1 and 2 interleaved, one image of class 3, none of the others. */
static void fill_labels(int32_t labels[IMAGES]) {
  for (int i = 0; i < IMAGES; i++)
    labels[i] = i == 50 ? 3 : i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2;
  labels[100] = labels[101] = labels[102] = 2;
  labels[9] = 0;
}

START_TEST(split_counts_each_class) {
  iscp_context *context = support_context();
  int32_t labels[IMAGES];
  fill_labels(labels);
  iscp_dataset *dataset = labelled(context, labels, IMAGES);
  static const double fractions[] = {0.001, 0.2, 0.5, 0.999, 1};
  for (int f = 0; f < 5; f++) {
    uint8_t searched[IMAGES];
    int drawn[10] = {0}, count[10] = {0};
    memset(searched, 77, sizeof searched);
    ASSERT_OK(isc_split_draw(searched, dataset, fractions[f], 3));
    for (int i = 0; i < IMAGES; i++) {
      ck_assert_uint_le(searched[i], 1);
      count[labels[i]]++;
      drawn[labels[i]] += searched[i];
    }
    for (int y = 0; y < 10; y++) {
      int expected = (int)floor(fractions[f] * count[y] + 0.5);
      ck_assert_int_eq(drawn[y], count[y] && expected < 1 ? 1 : expected);
    }
  }
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(split_of_a_class_does_not_see_the_others) {
  iscp_context *context = support_context();
  int32_t labels[IMAGES];
  uint8_t first[IMAGES], again[IMAGES], other_seed[IMAGES], relabelled[IMAGES];
  fill_labels(labels);
  iscp_dataset *dataset = labelled(context, labels, IMAGES);
  ASSERT_OK(isc_split_draw(first, dataset, 0.2, 3));
  ASSERT_OK(isc_split_draw(again, dataset, 0.2, 3));
  ASSERT_OK(isc_split_draw(other_seed, dataset, 0.2, 4));
  ck_assert_mem_eq(first, again, IMAGES);
  ck_assert_mem_ne(first, other_seed, IMAGES);
  iscp_dataset_destroy(dataset);
  for (int i = 0; i < IMAGES; i++)
    labels[i] = labels[i] == 2 ? 9 : labels[i];
  dataset = labelled(context, labels, IMAGES);
  ASSERT_OK(isc_split_draw(relabelled, dataset, 0.2, 3));
  for (int i = 0; i < IMAGES; i++)
    ck_assert(labels[i] == 9 || relabelled[i] == first[i]);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

/* Drawn by an independent Philox4x32-10: the two lowest keys of ten images of each class. */
START_TEST(split_is_the_known_one) {
  iscp_context *context = support_context();
  int32_t labels[30];
  for (int i = 0; i < 30; i++)
    labels[i] = i % 3;
  iscp_dataset *dataset = labelled(context, labels, 30);
  static const int expected[2][6] = {{2, 3, 4, 8, 21, 28}, {1, 8, 11, 15, 18, 19}};
  for (uint64_t seed = 7; seed <= 8; seed++) {
    uint8_t searched[30];
    int found = 0;
    ASSERT_OK(isc_split_draw(searched, dataset, 0.2, seed));
    for (int i = 0; i < 30; i++)
      if (searched[i])
        ck_assert_int_eq(i, expected[seed - 7][found++]);
    ck_assert_int_eq(found, 6);
  }
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(split_refuses_and_fails) {
  iscp_context *context = support_context();
  int32_t labels[IMAGES];
  uint8_t searched[IMAGES];
  fill_labels(labels);
  iscp_dataset *dataset = labelled(context, labels, IMAGES);
  support_failed(isc_split_draw(searched, dataset, 0, 0), ISCP_ERROR_ARGUMENT, "fraction is 0");
  support_failed(isc_split_draw(searched, dataset, 1.5, 0), ISCP_ERROR_ARGUMENT, "fraction is 1.5");
  support_failed(isc_split_draw(searched, dataset, NAN, 0), ISCP_ERROR_ARGUMENT, "fraction is nan");
  for (long allowed = 0; allowed < 6; allowed++) {
    support_fail_after(allowed);
    ck_assert_int_eq(isc_split_draw(searched, dataset, 0.2, 0), ISCP_ERROR_MEMORY);
    support_fail_after(-1);
  }
  support_fail_after(6);
  ASSERT_OK(isc_split_draw(searched, dataset, 0.2, 0));
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pattern");
  TCase *pattern = tcase_create("pattern"), *split = tcase_create("split");
  tcase_add_test(pattern, equal_values_rank_by_evidence_then_index);
  tcase_add_test(pattern, equal_values_rank_by_index);
  tcase_add_test(pattern, size_is_rounded);
  tcase_add_test(pattern, gamma_keeps_what_is_above);
  tcase_add_test(pattern, attaching_replaces_the_kept_pixels);
  tcase_add_test(pattern, a_perturbation_is_added_and_clipped);
  tcase_add_test(pattern, the_strongest_pixels_of_a_perturbation);
  tcase_add_test(pattern, hostile_perturbations_are_refused);
  tcase_add_test(pattern, a_pattern_outlives_its_context_handle);
  tcase_add_test(pattern, wrong_arguments_are_refused);
  tcase_add_test(pattern, each_allocation_may_fail);
  tcase_add_test(split, split_counts_each_class);
  tcase_add_test(split, split_of_a_class_does_not_see_the_others);
  tcase_add_test(split, split_is_the_known_one);
  tcase_add_test(split, split_refuses_and_fails);
  suite_add_tcase(suite, pattern);
  suite_add_tcase(suite, split);
  return support_run(suite);
}
