/* lib/explain: Grad-CAM held against plain C, its patterns, the shift of attention, and what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "plain_network.h"
#include "support.h"

enum { HEIGHT = 24, WIDTH = 20, PIXELS = HEIGHT * WIDTH, NUMBERS = 3 * PIXELS, CLASSES = 5 };

static const toy small = {18, 8, ISCP_STEM_CIFAR, 3, CLASSES, 11};

typedef struct world {
  iscp_context *context;
  isc_tensor_set tensors;
  iscp_contract contract;
  iscp_model *model;
  iscp_gradcam *gradcam;
  float image[NUMBERS];
} world;

static void open_world(world *w, int32_t stage) {
  iscp_gradcam_options options;
  w->context = support_context();
  toy_tensors(&w->tensors, w->context, &small);
  w->contract = toy_contract(&small, HEIGHT, WIDTH);
  w->model = toy_model(w->context, &w->tensors, &w->contract);
  ASSERT_OK(iscp_gradcam_options_init(&options, sizeof options));
  ck_assert_int_eq(options.stage, 4);
  options.stage = stage;
  ASSERT_OK(iscp_gradcam_create(&w->gradcam, w->model, &options));
  support_fill(w->image, NUMBERS, 0, 1, 21);
}

static void close_world(world *w) {
  iscp_gradcam_destroy(w->gradcam);
  iscp_model_destroy(w->model);
  isc_tensor_set_release(&w->tensors, w->context);
  support_context_end(w->context);
}

static iscp_gradcam_info map_of(const world *w, float *map, const float *image, int32_t class_index) {
  iscp_gradcam_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_gradcam_map(map, &info, w->gradcam, image, class_index));
  return info;
}

/* The first class that something in the image speaks for. */
static int32_t class_with_map(const world *w, float *map) {
  for (int32_t y = 0; y < CLASSES; y++)
    if (map_of(w, map, w->image, y).maximum > 0)
      return y;
  ck_abort_msg("all maps are 0");
}

/* ---- Resizing ---- */

START_TEST(maps_are_resized_by_half_pixel_centres) {
  static const float src[] = {0, 1, 2, 3}, row[] = {0, 4, 8, 12};
  /* Places -1/4, 1/4, 3/4, 5/4, the outer ones held at the border: shares 0, 1/4, 3/4, 1 both ways. */
  static const float doubled[] = {0, .25f, .75f, 1, .5f, .75f, 1.25f, 1.5f, 1.5f, 1.75f, 2.25f, 2.5f, 2, 2.25f, 2.75f, 3};
  static const float halved[] = {2, 10}; /* places 1/2 and 5/2: no smoothing over more than two */
  float dst[16];
  isc_upsample(dst, 4, 4, src, 2, 2);
  ck_assert_mem_eq(dst, doubled, sizeof doubled);
  isc_upsample(dst, 1, 2, row, 1, 4);
  ck_assert_mem_eq(dst, halved, sizeof halved);
  isc_upsample(dst, 2, 2, src, 2, 2);
  ck_assert_mem_eq(dst, src, sizeof src);
  isc_upsample(dst, 3, 5, src + 3, 1, 1);
  for (int i = 0; i < 15; i++)
    ck_assert(dst[i] == 3);
}
END_TEST

/* ---- Maps ---- */

/* Behind layer4 is the dense layer alone: d logit_y / dA_k is weights[y][k] / HW at every place. */
static void plain_map(const world *w, float *map, int32_t class_index) {
  static double image[NUMBERS];
  float normalised[NUMBERS];
  int32_t size[3];
  isc_normalise(normalised, w->image, &w->contract);
  for (int i = 0; i < NUMBERS; i++)
    image[i] = normalised[i];
  double *a = plain_network_stage(size, &w->tensors, &small, image, HEIGHT, WIDTH, 4);
  const float *weights = isc_tensor_set_find(&w->tensors, "fc.weight")->data;
  int32_t places = size[1] * size[2];
  float *made = malloc((size_t)places * sizeof *made);
  for (int32_t p = 0; p < places; p++) {
    double sum = 0;
    for (int32_t k = 0; k < size[0]; k++)
      sum += weights[class_index * size[0] + k] / (double)places * a[k * places + p];
    made[p] = sum > 0 ? (float)sum : 0;
  }
  isc_upsample(map, HEIGHT, WIDTH, made, size[1], size[2]);
  free(made);
  free(a);
}

/* Rounding of 20 layers is 1e-6 of the map's parts, which may cancel in its sum: 1e-4 of the whole. */
START_TEST(a_map_is_plain_cs) {
  world w;
  float map[PIXELS], expected[PIXELS];
  int32_t seen = 0;
  open_world(&w, 4);
  for (int32_t y = 0; y < CLASSES; y++) {
    iscp_gradcam_info info = map_of(&w, map, w.image, y);
    plain_map(&w, expected, y);
    ck_assert(info.class_index == y && info.height == 3 && info.width == 3);
    double largest = 0;
    for (int i = 0; i < PIXELS; i++)
      largest = map[i] > largest ? map[i] : largest;
    ck_assert_double_eq(info.maximum, largest);
    if (info.maximum > 0)
      ck_assert_double_lt(support_relative_l2(map, expected, PIXELS), 1e-4);
    seen += info.maximum > 0;
  }
  ck_assert_int_gt(seen, 1);
  close_world(&w);
}
END_TEST

START_TEST(the_predicted_class_is_the_default) {
  world w;
  iscp_session *session;
  float map[PIXELS], same[PIXELS], logits[CLASSES];
  for (int32_t stage = 1; stage <= 4; stage++) {
    open_world(&w, stage);
    ASSERT_OK(iscp_session_create(&session, w.model, 1, ISCP_SESSION_INFERENCE));
    ASSERT_OK(iscp_session_logits(session, w.image, 1, logits));
    iscp_gradcam_info info = map_of(&w, map, w.image, -1);
    ck_assert_int_eq(info.predicted, isc_argmax(logits, CLASSES));
    ck_assert_int_eq(info.class_index, info.predicted);
    ck_assert_double_eq_tol(info.logit, logits[info.predicted], 1e-5 * fabs((double)logits[info.predicted]));
    ck_assert(info.height == HEIGHT >> (stage - 1) && info.width == (WIDTH + (1 << (stage - 1)) - 1) >> (stage - 1));
    ck_assert_int_eq(map_of(&w, same, w.image, info.predicted).predicted, info.predicted);
    ck_assert_mem_eq(map, same, sizeof map);
    iscp_session_destroy(session);
    close_world(&w);
  }
}
END_TEST

/* ---- Patterns ---- */

START_TEST(a_pattern_is_where_the_map_is_highest) {
  world w;
  float map[PIXELS];
  iscp_pattern *pattern;
  open_world(&w, 2);
  int32_t y = class_with_map(&w, map);
  ASSERT_OK(iscp_gradcam_pattern(&pattern, w.gradcam, w.image, y, ISCP_CUT_SIZE, 0.1));
  iscp_pattern_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_pattern_get_info(pattern, &info));
  ck_assert(info.target == y && info.pixels == PIXELS / 10);
  const int32_t *at = iscp_pattern_positions(pattern);
  bool kept[PIXELS] = {false};
  for (int32_t rank = 0; rank < info.pixels; rank++) {
    kept[at[rank]] = true;
    ck_assert(!rank || map[at[rank - 1]] > map[at[rank]] || (map[at[rank - 1]] == map[at[rank]] && at[rank - 1] < at[rank]));
    for (int32_t c = 0; c < 3; c++)
      ck_assert(iscp_pattern_values(pattern)[3 * rank + c] == w.image[c * PIXELS + at[rank]]);
  }
  for (int i = 0; i < PIXELS; i++)
    ck_assert(kept[i] || map[i] <= map[at[info.pixels - 1]]);
  iscp_pattern_destroy(pattern);
  ASSERT_OK(iscp_gradcam_pattern(&pattern, w.gradcam, w.image, y, ISCP_CUT_GAMMA, 0.5));
  ASSERT_OK(iscp_pattern_get_info(pattern, &info));
  double maximum = map_of(&w, map, w.image, y).maximum;
  int32_t above = 0, near = 0; /* a value within rounding of the cut may fall either way */
  for (int i = 0; i < PIXELS; i++) {
    above += map[i] > 0.5 * maximum;
    near += fabs(map[i] - 0.5 * maximum) <= 1e-6 * maximum;
  }
  ck_assert_int_le(abs(info.pixels - above), near);
  iscp_pattern_destroy(pattern);
  close_world(&w);
}
END_TEST

/* ---- Attention shift ---- */

START_TEST(a_shift_is_of_both_maps) {
  world w;
  static float canvas[NUMBERS], attached[NUMBERS];
  float mask[PIXELS] = {0}, before[PIXELS], after[PIXELS], map[PIXELS];
  iscp_pattern *pattern;
  iscp_attention_shift shift = {.struct_size = sizeof shift};
  open_world(&w, 3);
  for (int y = 0; y < 8; y++)
    for (int x = 0; x < 8; x++)
      mask[y * WIDTH + x] = 1;
  for (int i = 0; i < NUMBERS; i++)
    canvas[i] = (float)(i % 2);
  ASSERT_OK(iscp_pattern_create(&pattern, w.context, mask, NULL, canvas, 3, HEIGHT, WIDTH, 2, ISCP_CUT_GAMMA, 0.5,
                                ISCP_TIES_INDEX));
  ASSERT_OK(iscp_gradcam_shift(&shift, before, after, w.gradcam, w.image, pattern));
  memcpy(attached, w.image, sizeof attached);
  ASSERT_OK(iscp_pattern_attach(pattern, attached));
  const float *images[] = {w.image, attached}, *maps[] = {before, after};
  const int32_t predicted[] = {shift.predicted_before, shift.predicted_after};
  const double inside[] = {shift.inside_before, shift.inside_after};
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(map_of(&w, map, images[i], -1).predicted, predicted[i]);
    ck_assert_mem_eq(map, maps[i], sizeof map);
    double all = 0, part = 0;
    for (int p = 0; p < PIXELS; p++) {
      all += map[p];
      part += mask[p] > 0 ? map[p] : 0;
    }
    ck_assert_double_eq_tol(inside[i], all > 0 ? part / all : 0, 1e-12); /* sums of doubles in another order */
  }
  ck_assert(memcmp(before, after, sizeof before));
  ck_assert_int_eq(shift.target, 2);
  ck_assert_double_eq(shift.area, 64.0 / PIXELS);
  iscp_attention_shift again = {.struct_size = sizeof again};
  ASSERT_OK(iscp_gradcam_shift(&again, NULL, NULL, w.gradcam, w.image, pattern));
  ck_assert_mem_eq(&shift, &again, sizeof shift);
  iscp_pattern_destroy(pattern);
  close_world(&w);
}
END_TEST

/* ---- Refusals ---- */

static void check_create(const world *w, int32_t stage, int32_t reserved, const char *word) {
  iscp_gradcam *made = (iscp_gradcam *)w;
  iscp_gradcam_options options;
  ASSERT_OK(iscp_gradcam_options_init(&options, sizeof options));
  options.stage = stage;
  options.reserved = reserved;
  support_failed(iscp_gradcam_create(&made, w->model, &options), ISCP_ERROR_ARGUMENT, word);
  ck_assert_ptr_null(made);
}

START_TEST(wrong_arguments_are_named) {
  world w;
  float map[PIXELS];
  iscp_pattern *pattern;
  iscp_gradcam *made;
  iscp_attention_shift shift = {.struct_size = sizeof shift};
  open_world(&w, 4);
  check_create(&w, 0, 0, "stage is 0, expected 1 to 4");
  check_create(&w, 5, 0, "stage is 5");
  check_create(&w, 4, 1, "reserved is 1");
  support_failed(iscp_gradcam_create(NULL, w.model, NULL), ISCP_ERROR_ARGUMENT, "out");
  support_failed(iscp_gradcam_create(&made, NULL, NULL), ISCP_ERROR_ARGUMENT, "model");
  support_failed(iscp_gradcam_map(NULL, NULL, w.gradcam, w.image, 0), ISCP_ERROR_ARGUMENT, "map");
  support_failed(iscp_gradcam_map(map, NULL, NULL, w.image, 0), ISCP_ERROR_ARGUMENT, "gradcam");
  support_failed(iscp_gradcam_map(map, NULL, w.gradcam, NULL, 0), ISCP_ERROR_ARGUMENT, "image");
  support_failed(iscp_gradcam_map(map, NULL, w.gradcam, w.image, CLASSES), ISCP_ERROR_ARGUMENT,
                 "class_index is 5, expected 0 to 4");
  support_failed(iscp_gradcam_map(map, NULL, w.gradcam, w.image, -2), ISCP_ERROR_ARGUMENT, "class_index is -2");
  support_failed(iscp_gradcam_pattern(&pattern, w.gradcam, w.image, -1, 3, 0.1), ISCP_ERROR_ARGUMENT, "cut_kind is 3");
  support_failed(iscp_gradcam_pattern(&pattern, w.gradcam, w.image, -1, ISCP_CUT_GAMMA, 1.5), ISCP_ERROR_ARGUMENT,
                 "cut is 1.5");
  ck_assert_ptr_null(pattern);
  iscp_gradcam_info short_ = {.struct_size = 8};
  iscp_attention_shift small_ = {.struct_size = 8};
  map[0] = -7;
  support_failed(iscp_gradcam_map(map, &short_, w.gradcam, w.image, 0), ISCP_ERROR_ABI, "iscp_gradcam_info");
  ck_assert(map[0] == -7); /* found before the work is done */
  w.image[7] = NAN;
  support_failed(iscp_gradcam_map(map, NULL, w.gradcam, w.image, 0), ISCP_ERROR_ARGUMENT, "image[7] is nan, expected 0 to 1");
  w.image[7] = 2;
  support_failed(iscp_gradcam_pattern(&pattern, w.gradcam, w.image, 0, ISCP_CUT_SIZE, 0.1), ISCP_ERROR_ARGUMENT, "image[7]");
  w.image[7] = 0;
  float mask[PIXELS] = {1};
  ASSERT_OK(iscp_pattern_create(&pattern, w.context, mask, NULL, w.image, 3, WIDTH, HEIGHT, 0, ISCP_CUT_GAMMA, 0,
                                ISCP_TIES_INDEX));
  support_failed(iscp_gradcam_shift(&shift, NULL, NULL, w.gradcam, w.image, pattern), ISCP_ERROR_MISMATCH,
                 "the pattern is 3x20x24, expected 3x24x20");
  support_failed(iscp_gradcam_shift(&small_, NULL, NULL, w.gradcam, w.image, pattern), ISCP_ERROR_ABI, "iscp_attention_shift");
  support_failed(iscp_gradcam_shift(NULL, NULL, NULL, w.gradcam, w.image, pattern), ISCP_ERROR_ARGUMENT, "shift");
  support_failed(iscp_gradcam_shift(&shift, NULL, NULL, w.gradcam, w.image, NULL), ISCP_ERROR_ARGUMENT, "pattern");
  iscp_pattern_destroy(pattern);
  iscp_gradcam_destroy(NULL);
  close_world(&w);
}
END_TEST

/* A context's memory bounds what is made here too, and less is asked for than backward to the image takes. */
START_TEST(memory_is_bounded) {
  iscp_context_options options;
  iscp_context *context;
  isc_tensor_set tensors;
  iscp_contract contract = toy_contract(&small, HEIGHT, WIDTH);
  int64_t image, stage[5];
  for (int turn = 0; turn < 2; turn++) {
    ASSERT_OK(iscp_context_options_init(&options, sizeof options));
    options.memory = turn ? stage[3] - 1 : 0;
    ASSERT_OK(iscp_context_create(&context, &options));
    toy_tensors(&tensors, context, &small);
    iscp_model *model = toy_model(context, &tensors, &contract);
    iscp_gradcam *gradcam;
    iscp_gradcam_options three;
    ASSERT_OK(iscp_gradcam_options_init(&three, sizeof three));
    three.stage = 3;
    if (turn) {
      support_failed(iscp_gradcam_create(&gradcam, model, &three), ISCP_ERROR_MEMORY, "expected");
      ck_assert_ptr_null(gradcam);
    } else {
      ASSERT_OK(iscp_session_foretell(&image, model, 1, ISCP_SESSION_GRADIENT));
      for (int32_t s = 1; s <= 4; s++) {
        iscp_session *session;
        ASSERT_OK(isc_session_foretell(&stage[s], model, 1, ISC_SESSION_STAGE + s));
        ASSERT_OK(isc_session_create(&session, model, 1, ISC_SESSION_STAGE + s));
        ck_assert_int_eq(iscp_session_memory(session), stage[s]);
        iscp_session_destroy(session);
      }
      ck_assert(stage[4] < stage[3] && stage[3] < stage[2] && stage[2] < image);
    }
    iscp_model_destroy(model);
    isc_tensor_set_release(&tensors, context);
    iscp_context_destroy(context);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gradcam");
  TCase *gradcam = tcase_create("gradcam");
  tcase_add_test(gradcam, maps_are_resized_by_half_pixel_centres);
  tcase_add_test(gradcam, a_map_is_plain_cs);
  tcase_add_test(gradcam, the_predicted_class_is_the_default);
  tcase_add_test(gradcam, a_pattern_is_where_the_map_is_highest);
  tcase_add_test(gradcam, a_shift_is_of_both_maps);
  tcase_add_test(gradcam, wrong_arguments_are_named);
  tcase_add_test(gradcam, memory_is_bounded);
  suite_add_tcase(suite, gradcam);
  return support_run(suite);
}
