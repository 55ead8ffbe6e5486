/* A check finds each mistake that is made here on purpose. The truth is what the model itself answers under the right assumptions,
 * so that the right cause makes all images right. */
#include <stdlib.h>
#include <string.h>

#include "check_scene.h"
#include "check/check.h"

/* The best cause makes all images right, those of labels the half that judges them. */
static iscp_cause best_cause(const iscp_check *check, int32_t kind) {
  iscp_cause cause = {.struct_size = sizeof cause};
  ASSERT_OK(iscp_check_cause(check, 1, &cause));
  ck_assert_msg(cause.kind == kind, "kind %d (%s, %g), expected %d", cause.kind, cause.text, cause.accuracy, kind);
  ck_assert_msg(cause.correct == cause.images, "%s: %lld of %lld", cause.text, (long long)cause.correct, (long long)cause.images);
  ck_assert(cause.restores);
  ck_assert_double_eq(cause.accuracy, 1);
  ck_assert_double_eq(cause.high, 1);
  return cause;
}

START_TEST(finds_the_scale) {
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract truth = scene_contract(), given = scene_contract_of(0.9f, 0.02f);
  static const float mean[] = {0.485f, 0.456f, 0.406f}, std[] = {0.229f, 0.224f, 0.225f};
  memcpy(truth.mean, mean, sizeof mean);
  memcpy(truth.std, std, sizeof std);
  scene_label(&s, &truth, NULL);
  iscp_check *check = scene_check(&s, &given, ISCP_CAUSES_POOR);
  iscp_cause cause = best_cause(check, ISCP_CAUSE_SCALE);
  ck_assert_str_eq(cause.text, "ImageNet's mean and std");
  ck_assert_mem_eq(cause.contract->mean, mean, sizeof mean);
  iscp_check_destroy(check);
  truth = scene_contract_of(0, 1); /* the other way: the network wants 0 to 255 */
  truth.range = 255;
  scene_label(&s, &truth, NULL);
  check = scene_check(&s, &given, ISCP_CAUSES_ALWAYS);
  cause = best_cause(check, ISCP_CAUSE_SCALE);
  ck_assert_int_eq(cause.contract->range, 255);
  iscp_check_destroy(check);
  scene_destroy(&s);
}
END_TEST

START_TEST(finds_the_order_of_channels) {
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  for (int turn = 0; turn < 2; turn++) { /* from R, G, B to B, G, R and back */
    iscp_contract truth = scene_contract(), given = scene_contract();
    truth.order = turn ? ISCP_ORDER_RGB : ISCP_ORDER_BGR;
    given.order = turn ? ISCP_ORDER_BGR : ISCP_ORDER_RGB;
    scene_label(&s, &truth, NULL);
    iscp_check *check = scene_check(&s, &given, ISCP_CAUSES_ALWAYS);
    ck_assert_int_eq(best_cause(check, ISCP_CAUSE_ORDER).contract->order, truth.order);
    iscp_check_destroy(check);
  }
  scene_destroy(&s);
}
END_TEST

START_TEST(finds_the_size) {
  scene s;
  scene_create(&s, 10, 24);
  iscp_contract truth = scene_contract(), given = scene_contract();
  truth.resize_short = 9; /* 8 / 0.875 */
  truth.crop_height = truth.crop_width = TOY_SIDE;
  given.resize_height = given.resize_width = TOY_SIDE;
  scene_label(&s, &truth, NULL);
  iscp_check *check = scene_check(&s, &given, ISCP_CAUSES_ALWAYS);
  iscp_cause cause = best_cause(check, ISCP_CAUSE_SIZE);
  ck_assert(cause.contract->resize_short == 9 && cause.contract->crop_height == TOY_SIDE && cause.contract->resize_height == 0);
  iscp_check_destroy(check);
  scene_destroy(&s);
}
END_TEST

static void invert(float *image) {
  for (int i = 0; i < TOY_NUMBERS; i++)
    image[i] = 1 - image[i];
}

static void turn(float *image) {
  float copy[TOY_NUMBERS];
  memcpy(copy, image, sizeof copy);
  for (int i = 0; i < TOY_NUMBERS; i++)
    image[i] = copy[i / TOY_PIXELS * TOY_PIXELS + i % TOY_SIDE * TOY_SIDE + i % TOY_PIXELS / TOY_SIDE];
}

START_TEST(finds_changed_pictures) {
  static change_fn *const changes[] = {invert, turn};
  static const char *const texts[] = {"inverted", "rows and columns"};
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = scene_contract();
  for (int i = 0; i < 2; i++) {
    scene_label(&s, &contract, changes[i]);
    iscp_check *check = scene_check(&s, &contract, ISCP_CAUSES_ALWAYS);
    ck_assert_ptr_nonnull(strstr(best_cause(check, ISCP_CAUSE_PICTURES).text, texts[i]));
    iscp_check_destroy(check);
  }
  scene_destroy(&s);
}
END_TEST

START_TEST(finds_the_order_of_classes) {
  static const int32_t order[TOY_CLASSES] = {2, 0, 3, 1}; /* the label of each class of the model */
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = scene_contract();
  scene_label(&s, &contract, NULL);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = order[s.labels[i]];
  iscp_check *check = scene_check(&s, &contract, ISCP_CAUSES_POOR);
  iscp_cause cause = best_cause(check, ISCP_CAUSE_LABELS);
  for (int32_t k = 0; k < TOY_CLASSES; k++)
    ck_assert_int_eq(cause.labels[order[k]], k);
  iscp_check_destroy(check);
  scene_destroy(&s);
}
END_TEST

/* The answers to the whole set are there, and the order takes no run of its own: a small sample hides nothing. */
START_TEST(finds_the_order_of_classes_in_the_whole_set) {
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = scene_contract();
  scene_label(&s, &contract, NULL);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = (s.labels[i] + 1) % TOY_CLASSES;
  iscp_check *check = scene_check_sample(&s, &contract, ISCP_CAUSES_POOR, 4);
  iscp_cause cause = {.struct_size = sizeof cause};
  for (int32_t i = 1; cause.kind != ISCP_CAUSE_LABELS; i++)
    ASSERT_OK(iscp_check_cause(check, i, &cause));
  ck_assert(cause.restores && cause.correct == cause.images && cause.images > IMAGES / 4);
  iscp_check_destroy(check);
  scene_destroy(&s);
}
END_TEST

/* A second mistake is named if it was made: what is as good without it is no cause. */
START_TEST(a_cause_of_two_is_better_than_the_first) {
  scene s;
  scene_create(&s, 10, 24);
  iscp_contract truth = scene_contract_of(0, 1), given = scene_contract_of(0.9f, 0.02f);
  truth.range = 255;
  truth.resize_height = truth.resize_width = given.resize_height = given.resize_width = TOY_SIDE;
  scene_label(&s, &truth, NULL);
  for (int32_t i = 0; i < IMAGES; i += 4) /* so that chance decides among what is nearly as good */
    s.labels[i] = (s.labels[i] + 1) % TOY_CLASSES;
  iscp_check *check = scene_check(&s, &given, ISCP_CAUSES_ALWAYS);
  iscp_check_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_check_get_info(check, &info));
  bool restored = false, two = false;
  for (int32_t i = 0; i < info.causes; i++) {
    iscp_cause cause = {.struct_size = sizeof cause};
    ASSERT_OK(iscp_check_cause(check, i, &cause));
    bool scaled = !strncmp(cause.text, "pixels 0 to 255, not normalised", 31);
    restored = restored || (scaled && cause.kind == ISCP_CAUSE_SCALE && cause.restores);
    two = two || (scaled && cause.kind != ISCP_CAUSE_SCALE && cause.accuracy > 0.7);
    ck_assert_msg(cause.kind == ISCP_CAUSE_SCALE || !cause.restores, "%s: %g", cause.text, cause.accuracy);
  }
  ck_assert(restored && two);
  iscp_check_destroy(check);
  scene_destroy(&s);
}
END_TEST

/* Pictures of the network's own size that were resized and cropped all the same. */
START_TEST(finds_pictures_that_need_no_resizing) {
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract truth = scene_contract(), given = scene_contract();
  given.resize_short = TOY_SIDE * 2;
  given.crop_height = given.crop_width = TOY_SIDE;
  scene_label(&s, &truth, NULL);
  iscp_check *check = scene_check(&s, &given, ISCP_CAUSES_ALWAYS);
  iscp_cause cause = best_cause(check, ISCP_CAUSE_SIZE);
  ck_assert(!cause.contract->resize_short && !cause.contract->crop_height);
  iscp_check_destroy(check);
  scene_destroy(&s);
}
END_TEST

/* Of a set in which classes take turns, every fourth image is of one class, and no sample of the set. */
START_TEST(the_sample_does_not_keep_step_with_the_set) {
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = scene_contract();
  scene_label(&s, &contract, NULL);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = i % 4 == 2 ? s.labels[i] : (s.labels[i] + 1) % TOY_CLASSES;
  iscp_check *check = scene_check_sample(&s, &contract, ISCP_CAUSES_ALWAYS, IMAGES / 4);
  iscp_cause cause = {.struct_size = sizeof cause};
  ASSERT_OK(iscp_check_cause(check, 0, &cause));
  ck_assert_int_eq(cause.images, IMAGES / 4);
  ck_assert_msg(cause.correct > 0 && cause.correct < IMAGES / 8, "%lld right", (long long)cause.correct);
  iscp_check_destroy(check);
  scene_destroy(&s);
}
END_TEST

/* One picture has one answer, whatever is assumed. Where most labels are of one class, another order of the classes makes most of
 * them right, and says nothing. */
START_TEST(an_answer_that_never_changes_restores_nothing) {
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = scene_contract();
  size_t bytes = TOY_SIDE * TOY_SIDE * 3;
  for (size_t i = 1; i < IMAGES; i++)
    memcpy(s.pixels + i * bytes, s.pixels, bytes);
  iscp_model *model = scene_load(&s, &contract);
  iscp_dataset *dataset = scene_open(&s, &contract);
  iscp_session *session;
  float image[TOY_NUMBERS];
  ASSERT_OK(iscp_session_create(&session, model, 1, ISCP_SESSION_INFERENCE));
  ASSERT_OK(iscp_dataset_image(dataset, 0, image));
  int32_t answer = scene_predict(session, image);
  iscp_session_destroy(session);
  iscp_dataset_destroy(dataset);
  iscp_model_destroy(model);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = i % 10 ? (answer + 1) % TOY_CLASSES : answer;
  iscp_check *check = scene_check(&s, &contract, ISCP_CAUSES_POOR);
  iscp_check_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_check_get_info(check, &info));
  bool high = false;
  for (int32_t i = 0; i < info.causes; i++) {
    iscp_cause cause = {.struct_size = sizeof cause};
    ASSERT_OK(iscp_check_cause(check, i, &cause));
    ck_assert_msg(!cause.restores, "%s: %g", cause.text, cause.accuracy);
    high = high || cause.accuracy > 0.8;
  }
  ck_assert(high);
  iscp_check_destroy(check);
  scene_destroy(&s);
}
END_TEST

/* Many classes and few images fit any order: the half that judges says so. */
START_TEST(labels_that_mean_nothing_have_no_order) {
  iscp_context *context = support_context();
  int32_t labels[40], given[20], predicted[20];
  bool other;
  for (int32_t i = 0; i < 20; i++) {
    given[i] = i;
    predicted[i] = (i * 7 + 3) % 40;
  }
  ASSERT_OK(isc_labels_match(labels, &other, context, given, predicted, 20, 40));
  bool taken[40] = {false};
  for (int32_t y = 0; y < 40; y++) {
    ck_assert(labels[y] >= 0 && labels[y] < 40 && !taken[labels[y]]);
    taken[labels[y]] = true;
    ck_assert(y >= 20 || labels[y] == predicted[y]);
  }
  ck_assert(other);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check_causes");
  TCase *causes = tcase_create("causes");
  tcase_add_test(causes, finds_the_scale);
  tcase_add_test(causes, finds_the_order_of_channels);
  tcase_add_test(causes, finds_the_size);
  tcase_add_test(causes, finds_changed_pictures);
  tcase_add_test(causes, finds_the_order_of_classes);
  tcase_add_test(causes, finds_the_order_of_classes_in_the_whole_set);
  tcase_add_test(causes, a_cause_of_two_is_better_than_the_first);
  tcase_add_test(causes, finds_pictures_that_need_no_resizing);
  tcase_add_test(causes, the_sample_does_not_keep_step_with_the_set);
  tcase_add_test(causes, an_answer_that_never_changes_restores_nothing);
  tcase_add_test(causes, labels_that_mean_nothing_have_no_order);
  suite_add_tcase(suite, causes);
  return support_run(suite);
}
