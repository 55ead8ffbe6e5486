/* The check of a model and a set: what it counts, what goes wrong, and what a search makes of it. Causes have check_causes.c. */
#include <string.h>

#include "check_scene.h"

/* ---- Counting ---- */

START_TEST(counts_are_those_of_the_answers) {
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = scene_contract();
  scene_label(&s, &contract, NULL);
  int64_t table[TOY_CLASSES][TOY_CLASSES] = {{0}}, right = 0;
  for (int32_t i = 0; i < IMAGES; i++) { /* every third label is another one */
    int32_t predicted = s.labels[i];
    s.labels[i] = i % 3 ? predicted : (predicted + 1 + i % 2) % TOY_CLASSES;
    table[s.labels[i]][predicted]++;
    right += s.labels[i] == predicted;
  }
  iscp_check *check = scene_check(&s, &contract, ISCP_CAUSES_NEVER);
  iscp_check_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_check_get_info(check, &info));
  ck_assert(info.images == IMAGES && info.correct == right && info.classes == TOY_CLASSES && info.causes == 0 && info.plausible);
  ck_assert_double_eq(info.accuracy, (double)right / IMAGES);
  ck_assert_double_eq(info.plausible_from, 0.25 + 0.15 * 0.75);
  int64_t wrong = 0, most = 0;
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    iscp_check_class c = {.struct_size = sizeof c};
    int64_t images = 0, predicted = 0, confused = 0;
    ASSERT_OK(iscp_check_get_class(check, y, &c));
    for (int32_t k = 0; k < TOY_CLASSES; k++) {
      images += table[y][k];
      predicted += table[k][y];
      confused = k != y && table[y][k] > confused ? table[y][k] : confused;
    }
    most = predicted > most ? predicted : most;
    ck_assert(c.images == images && c.correct == table[y][y] && c.predicted == predicted);
    ck_assert_int_eq(c.confused < 0 ? 0 : table[y][c.confused], confused);
    ck_assert(c.low <= c.accuracy && c.accuracy <= c.high);
  }
  ck_assert_int_eq(info.favourite_count, most);
  int64_t last = IMAGES;
  for (int32_t i = 0; i < info.confusions; i++) {
    iscp_confusion c = {.struct_size = sizeof c};
    ASSERT_OK(iscp_check_confusion(check, i, &c));
    ck_assert(c.label != c.predicted && c.images == table[c.label][c.predicted] && c.images <= last);
    last = c.images;
    wrong += c.images;
  }
  ck_assert_int_eq(wrong, IMAGES - right);
  iscp_check_destroy(check);
  scene_destroy(&s);
}
END_TEST

START_TEST(a_good_model_needs_no_causes) {
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = scene_contract();
  scene_label(&s, &contract, NULL);
  iscp_check *poor = scene_check(&s, &contract, ISCP_CAUSES_POOR), *always = scene_check(&s, &contract, ISCP_CAUSES_ALWAYS);
  iscp_check_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_check_get_info(poor, &info));
  ck_assert(info.correct == IMAGES && info.causes == 0 && info.confusions == 0);
  ASSERT_OK(iscp_check_get_info(always, &info));
  ck_assert_int_gt(info.causes, 10);
  for (int32_t i = 0; i < info.causes; i++) {
    iscp_cause cause = {.struct_size = sizeof cause};
    ASSERT_OK(iscp_check_cause(always, i, &cause));
    ck_assert(!cause.restores && (i == 0) == (cause.kind == ISCP_CAUSE_NONE));
  }
  iscp_check_destroy(poor);
  iscp_check_destroy(always);
  scene_destroy(&s);
}
END_TEST

/* ---- What goes wrong ---- */

START_TEST(wrong_arguments) {
  toy_world world;
  toy_world_create(&world, 20, 3);
  iscp_check_options options;
  iscp_check *check = (iscp_check *)&options;
  ASSERT_OK(iscp_check_options_init(&options, sizeof options));
  support_failed(iscp_check_create(NULL, world.model, world.dataset, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "out is NULL");
  support_failed(iscp_check_create(&check, NULL, world.dataset, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "model is NULL");
  ck_assert_ptr_null(check);
  options.causes = 3;
  support_failed(iscp_check_create(&check, world.model, world.dataset, &options, NULL, NULL), ISCP_ERROR_ARGUMENT, "causes is 3");
  options.causes = 0;
  options.sample = -1;
  support_failed(iscp_check_create(&check, world.model, world.dataset, &options, NULL, NULL), ISCP_ERROR_ARGUMENT, "sample is -1");
  options.sample = 1; /* one image is enough to look at */
  options.causes = ISCP_CAUSES_ALWAYS;
  ASSERT_OK(iscp_check_create(&check, world.model, world.dataset, &options, NULL, NULL));
  iscp_cause cause = {.struct_size = sizeof cause};
  support_failed(iscp_check_cause(check, 99, &cause), ISCP_ERROR_ARGUMENT, "index is 99");
  iscp_check_class class_info = {.struct_size = sizeof class_info};
  support_failed(iscp_check_get_class(check, TOY_CLASSES, &class_info), ISCP_ERROR_ARGUMENT, "class_index is 4, expected 0 to 3");
  support_failed(iscp_check_get_info(NULL, NULL), ISCP_ERROR_ARGUMENT, "check is NULL");
  iscp_check_destroy(check);
  iscp_check_destroy(NULL);
  toy_world_destroy(&world);
}
END_TEST

static int stop_after(const iscp_progress *progress, void *user) {
  (void)progress;
  return --*(int *)user < 0;
}

/* Progress is told ten times a second at most, so that the calls are few: the first, and those at the end. */
START_TEST(stops_when_asked) {
  toy_world world;
  iscp_check_options options;
  iscp_check *check;
  toy_world_create(&world, 20, 3);
  ASSERT_OK(iscp_check_options_init(&options, sizeof options));
  options.causes = ISCP_CAUSES_ALWAYS;
  iscp_status status = ISCP_ERROR_CANCELLED;
  for (int calls = 0; status != ISCP_OK; calls++) {
    int left = calls;
    status = iscp_check_create(&check, world.model, world.dataset, &options, stop_after, &left);
    ck_assert(status == ISCP_OK ? check != NULL && calls > 0 : status == ISCP_ERROR_CANCELLED && !check);
  }
  iscp_check_destroy(check);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(survives_without_memory) {
  toy_world world;
  iscp_check_options options;
  iscp_check *check;
  toy_world_create(&world, 10, 3);
  ASSERT_OK(iscp_check_options_init(&options, sizeof options));
  options.causes = ISCP_CAUSES_ALWAYS;
  iscp_status status = ISCP_ERROR_MEMORY;
  for (long allowed = 0; status != ISCP_OK; allowed++) {
    support_fail_after(allowed);
    status = iscp_check_create(&check, world.model, world.dataset, &options, NULL, NULL);
    support_fail_after(-1);
    ck_assert(status == ISCP_OK ? check != NULL : status == ISCP_ERROR_MEMORY && !check);
  }
  iscp_check_destroy(check);
  toy_world_destroy(&world);
}
END_TEST

/* ---- A search of such a model ---- */

START_TEST(a_search_refuses_what_the_model_does_not_know) {
  scene s;
  scene_create(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = scene_contract();
  scene_label(&s, &contract, NULL);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = (s.labels[i] + 1) % TOY_CLASSES;
  iscp_model *model = scene_load(&s, &contract);
  iscp_dataset *dataset = scene_open(&s, &contract);
  static const struct {
    double least;
    iscp_status status;
  } cases[] = {{0, ISCP_ERROR_MISMATCH}, {0.5, ISCP_ERROR_MISMATCH}, {-1, ISCP_OK}};
  for (int i = 0; i < 3; i++) {
    iscp_search_options options;
    iscp_search *search;
    int32_t finished, more;
    ASSERT_OK(iscp_search_options_init(&options, sizeof options));
    options.min_accuracy = cases[i].least;
    options.lanes = 1;
    ASSERT_OK(iscp_search_create(&search, model, dataset, &options));
    iscp_status status = iscp_search_step(search, &finished, &more, NULL, NULL);
    if (cases[i].status)
      support_failed(status, cases[i].status, "the model is right on 0 of 120 images (0.000), expected 0.");
    else
      ASSERT_OK(status);
    iscp_search_destroy(search);
  }
  iscp_search_options options;
  iscp_search *search;
  ASSERT_OK(iscp_search_options_init(&options, sizeof options));
  options.min_accuracy = 1.5;
  support_failed(iscp_search_create(&search, model, dataset, &options), ISCP_ERROR_ARGUMENT, "min_accuracy is 1.5");
  iscp_dataset_destroy(dataset);
  iscp_model_destroy(model);
  scene_destroy(&s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check");
  TCase *counting = tcase_create("counting"), *wrong = tcase_create("wrong");
  tcase_add_test(counting, counts_are_those_of_the_answers);
  tcase_add_test(counting, a_good_model_needs_no_causes);
  tcase_add_test(wrong, wrong_arguments);
  tcase_add_test(wrong, stops_when_asked);
  tcase_add_test(wrong, survives_without_memory);
  tcase_add_test(wrong, a_search_refuses_what_the_model_does_not_know);
  suite_add_tcase(suite, counting);
  suite_add_tcase(suite, wrong);
  return support_run(suite);
}
