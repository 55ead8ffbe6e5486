/* lib/run: the loop of search, power and report. What it leaves is what a program leaves that calls the three itself, also
 * after it was stopped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search_common.h"

enum { CLASS_COUNT = 2, SIZES = 2 };
static const int32_t classes[CLASS_COUNT] = {0, 2};
static const double sizes[SIZES] = {0.1, 0.3};

static iscp_search_options search_of(void) {
  iscp_search_options search = search_options();
  search.classes = classes;
  search.class_count = CLASS_COUNT;
  return search;
}

static iscp_report_options report_of(int resume) {
  iscp_report_options report;
  ASSERT_OK(iscp_report_options_init(&report, sizeof report));
  report.sizes = sizes;
  report.size_count = SIZES;
  report.picture_size = sizes[0];
  report.resume = resume;
  return report;
}

static iscp_run *create(const toy_world *world, const char *folder, int32_t measure, int resume) {
  iscp_search_options search = search_of();
  iscp_report_options report = report_of(resume);
  iscp_run_options options;
  ASSERT_OK(iscp_run_options_init(&options, sizeof options));
  options.measure = measure;
  options.search = &search;
  options.report = &report;
  iscp_run *run;
  ASSERT_OK(iscp_run_create(&run, folder, world->model, world->dataset, &options));
  return run;
}

static void finish(iscp_run *run) {
  int32_t y = 0;
  while (y >= 0)
    ASSERT_OK(iscp_run_next(run, &y, NULL, NULL));
  iscp_run_destroy(run);
}

static char *read_whole(const char *folder, const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  ck_assert_ptr_nonnull(file);
  char *text = calloc(1, 1 << 20);
  ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
  fclose(file);
  return text;
}

static void check_same(const char *a, const char *b) {
  static const char *const names[] = {"result.json", "mask-0-0.npy", "mask-2-1.npy"};
  for (int i = 0; i < 3; i++) {
    char *one = read_whole(a, names[i]), *other = read_whole(b, names[i]);
    ck_assert_str_eq(one, other);
    free(one);
    free(other);
  }
}

/* The three by hand, every canvas of each class measured. */
static void run_by_hand(const toy_world *world, const char *folder) {
  iscp_search_options search = search_of();
  iscp_report_options report = report_of(0);
  iscp_evaluate_options evaluate;
  iscp_evaluation *evaluation;
  iscp_report *written;
  iscp_search *made = search_create(world, &search);
  ASSERT_OK(iscp_search_get_options(made, &search));
  ASSERT_OK(iscp_report_create(&written, folder, world->model, world->dataset, &search, &report));
  ASSERT_OK(iscp_evaluate_options_init(&evaluate, sizeof evaluate));
  evaluate.fraction = search.fraction;
  evaluate.seed = search.seed;
  ASSERT_OK(iscp_evaluation_create(&evaluation, world->model, world->dataset, &evaluate, NULL, NULL));
  int32_t y;
  ASSERT_OK(iscp_search_next(made, &y, NULL, NULL));
  while (y >= 0) {
    iscp_power powers[8];
    for (int32_t row = 0; row < iscp_search_canvas_count(made, y) * SIZES; row++) {
      iscp_pattern *pattern;
      powers[row] = (iscp_power){.struct_size = sizeof *powers};
      ASSERT_OK(iscp_search_pattern(&pattern, made, y, row / SIZES, ISCP_CUT_SIZE, sizes[row % SIZES]));
      ASSERT_OK(iscp_evaluation_power(evaluation, pattern, &powers[row], NULL, NULL));
      iscp_pattern_destroy(pattern);
    }
    ASSERT_OK(iscp_report_add(written, made, y, powers));
    ASSERT_OK(iscp_search_next(made, &y, NULL, NULL));
  }
  iscp_evaluation_destroy(evaluation);
  iscp_report_destroy(written);
  iscp_search_destroy(made);
}

START_TEST(the_loop_is_the_three_by_hand) {
  toy_world world = search_world();
  char *folder = strdup(support_path("loop")), *hand = strdup(support_path("hand"));
  finish(create(&world, folder, ISCP_MEASURE_ALL, 0));
  run_by_hand(&world, hand);
  check_same(folder, hand);
  free(folder);
  free(hand);
  toy_world_destroy(&world);
}
END_TEST

static int cancel_after(const iscp_progress *progress, void *user) {
  (void)progress;
  int *left = user;
  return --*left < 0;
}

/* Stopped at every callback: gone on with by a further call, or by another run. */
START_TEST(a_stopped_run_goes_on) {
  toy_world world = search_world();
  char *whole = strdup(support_path("whole")), *stopped = strdup(support_path("stopped"));
  finish(create(&world, whole, ISCP_MEASURE_COMPARED, 0));
  iscp_run *run = create(&world, stopped, ISCP_MEASURE_COMPARED, 1);
  int32_t y = -1, more = 1;
  for (int stops = 0; more; stops++) {
    int calls = stops;
    iscp_status status = iscp_run_step(run, &y, &more, cancel_after, &calls);
    ck_assert(status == ISCP_OK || (status == ISCP_ERROR_CANCELLED && y == -1 && more == 1));
    if (status != ISCP_ERROR_CANCELLED)
      stops = 0;
    if (y == classes[0]) {
      iscp_run_destroy(run);
      run = create(&world, stopped, ISCP_MEASURE_COMPARED, 1);
    }
  }
  iscp_run_destroy(run);
  check_same(whole, stopped);
  free(whole);
  free(stopped);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(info_says_what_comes_next) {
  toy_world world = search_world();
  iscp_run *run = create(&world, support_path("info"), ISCP_MEASURE_SELECTED, 0);
  int32_t seen[ISCP_STAGE_DONE + 1] = {0}, y = -1, more = 1, yielded = 0;
  iscp_run_info info = {.struct_size = sizeof info};
  while (more) {
    ASSERT_OK(iscp_run_get_info(run, &info));
    seen[info.stage]++;
    ck_assert_int_eq(info.class_count, CLASS_COUNT);
    ck_assert_int_eq(info.left, CLASS_COUNT - yielded);
    ck_assert_int_eq(info.class_index >= 0, info.stage == ISCP_STAGE_MEASURE);
    int32_t selected = iscp_search_selected(iscp_run_search(run), info.class_index);
    ck_assert_int_eq(info.canvas, info.stage == ISCP_STAGE_MEASURE ? selected : -1);
    ASSERT_OK(iscp_run_step(run, &y, &more, NULL, NULL));
    yielded += y >= 0;
  }
  ASSERT_OK(iscp_run_get_info(run, &info));
  ck_assert_int_eq(info.stage, ISCP_STAGE_DONE);
  ck_assert(seen[ISCP_STAGE_CLEAN] == 1 && seen[ISCP_STAGE_SEARCH] == CLASS_COUNT);
  ck_assert(seen[ISCP_STAGE_MEASURE] == CLASS_COUNT * SIZES && seen[ISCP_STAGE_WRITE] == 0);
  ASSERT_OK(iscp_run_step(run, &y, &more, NULL, NULL)); /* the end stays the end */
  ck_assert(y == -1 && more == 0);
  iscp_run_destroy(run);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(nothing_is_measured_if_so_asked) {
  toy_world world = search_world();
  char *folder = strdup(support_path("none"));
  finish(create(&world, folder, ISCP_MEASURE_NONE, 0));
  iscp_pattern_list *list;
  ASSERT_OK(iscp_pattern_list_load(&list, world.context, folder));
  ck_assert_int_gt(iscp_pattern_list_count(list), 0);
  ck_assert_int_eq(iscp_pattern_list_power_count(list, 0), 0);
  iscp_pattern_list_destroy(list);
  free(folder);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(what_is_wrong_is_said_before_anything_is_written) {
  toy_world world = search_world();
  iscp_run *run;
  iscp_run_options options;
  ASSERT_OK(iscp_run_options_init(&options, sizeof options));
  options.measure = 5;
  support_failed(iscp_run_create(&run, "x", world.model, world.dataset, &options), ISCP_ERROR_ARGUMENT, "measure is 5");
  ck_assert_ptr_null(run);
  support_failed(iscp_run_create(&run, "", world.model, world.dataset, NULL), ISCP_ERROR_ARGUMENT, "folder");
  iscp_search_options search = search_of();
  iscp_report_options report = report_of(0);
  search.batch = 0;
  options = (iscp_run_options){sizeof options, ISCP_MEASURE_ALL, &search, &report};
  char *folder = strdup(support_path("never/made"));
  support_failed(iscp_run_create(&run, folder, world.model, world.dataset, &options), ISCP_ERROR_ARGUMENT, "batch");
  search.batch = 4;
  report.size_count = 33;
  support_failed(iscp_run_create(&run, folder, world.model, world.dataset, &options), ISCP_ERROR_ARGUMENT, "size_count is 33");
  ck_assert_int_ne(access(folder, F_OK), 0);
  report.size_count = SIZES;
  ASSERT_OK(iscp_run_create(&run, folder, world.model, world.dataset, &options));
  finish(run);
  support_failed(iscp_run_create(&run, folder, world.model, world.dataset, &options), ISCP_ERROR_IO, "report already");
  ck_assert_ptr_null(run);
  iscp_run_destroy(NULL);
  ck_assert_ptr_null(iscp_run_search(NULL));
  free(folder);
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("run");
  TCase *loop = tcase_create("loop");
  tcase_set_timeout(loop, 100);
  tcase_add_test(loop, the_loop_is_the_three_by_hand);
  tcase_add_test(loop, a_stopped_run_goes_on);
  tcase_add_test(loop, info_says_what_comes_next);
  tcase_add_test(loop, nothing_is_measured_if_so_asked);
  tcase_add_test(loop, what_is_wrong_is_said_before_anything_is_written);
  suite_add_tcase(suite, loop);
  return support_run(suite);
}
