/* lib/search: progress, and cancelling at every point where a caller may: a search goes on to the same bytes.
 *
 * Progress is told ten times a second. The program is linked with --wrap=clock_gettime, so that a tenth of a second
 * passes at each look at the clock and every step is told, whatever the machine's speed. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "data/data.h"
#include "search_common.h"

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now) {
  static long looks;
  int status = __real_clock_gettime(clock, now);
  now->tv_sec += ++looks; /* whole seconds keep tv_nsec in range */
  return status;
}

enum { EPOCHS = 2, CLASS_COUNT = 2 };
static const int32_t classes[CLASS_COUNT] = {2, 0};

/* Two classes, two canvases each, in three lanes: the last job starts when the others are done. */
static iscp_search_options options_of(void) {
  iscp_search_options options = search_options();
  options.fraction = 0.2;
  options.lanes = 3;
  options.classes = classes;
  options.class_count = CLASS_COUNT;
  return options;
}

typedef struct watcher {
  int calls, cancel_at;   /* the call that cancels, counted from 1; 0 = none */
  bool cancel_each;       /* cancels at each `done` of a stage once */
  int64_t last, cancelled; /* `done` of the last call, and of the last one that cancelled */
  int64_t totals[2];      /* of "clean" and "search" */
  bool finished[2];       /* the stage was told at its total */
  int stage;
  iscp_search *search;    /* called again from within, if set */
} watcher;

static int watch(const iscp_progress *progress, void *user) {
  watcher *w = user;
  int stage = !strcmp(progress->stage, "search");
  ck_assert(stage || !strcmp(progress->stage, "clean"));
  ck_assert_int_ge(progress->done, 0);
  ck_assert_msg(progress->done <= progress->total, "%s: %lld of %lld steps are done", progress->stage,
                (long long)progress->done, (long long)progress->total);
  ck_assert_int_ge(stage, w->stage);
  if (stage > w->stage)
    w->last = w->cancelled = -1;
  ck_assert(w->totals[stage] == 0 || w->totals[stage] == progress->total);
  w->totals[stage] = progress->total;
  w->finished[stage] = progress->done == progress->total;
  w->stage = stage;
  w->last = progress->done;
  int32_t y;
  if (w->search)
    ck_assert_int_eq(iscp_search_next(w->search, &y, NULL, NULL), ISCP_ERROR_BUSY);
  bool cancel = ++w->calls == w->cancel_at || (w->cancel_each && progress->done > w->cancelled);
  w->cancelled = cancel ? progress->done : w->cancelled;
  return cancel;
}

/* Runs to the end, going on after each cancel; answers how many there were. */
static int run(iscp_search *search, watcher *w) {
  int cancels = 0;
  int32_t y = 0;
  while (y >= 0) {
    iscp_status status = iscp_search_next(search, &y, watch, w);
    if (status == ISCP_ERROR_CANCELLED) {
      support_failed(status, ISCP_ERROR_CANCELLED, "cancelled during");
      ck_assert_int_eq(y, -1);
      y = 0;
      cancels++;
    } else
      ASSERT_OK(status);
  }
  return cancels;
}

static void check_same(const iscp_search *a, const iscp_search *b) {
  for (int i = 0; i < CLASS_COUNT; i++)
    search_check_same(a, b, classes[i], EPOCHS);
}

/* An image of D_n goes through the network once an epoch, once for the final objective, once for the power. */
static int64_t expected_total(const toy_world *world, const iscp_search_options *options, const iscp_search *search) {
  uint8_t searched[SEARCH_IMAGES];
  int64_t total = 0;
  ASSERT_OK(isc_split_draw(searched, world->dataset, options->fraction, options->seed));
  for (int i = 0; i < CLASS_COUNT; i++)
    for (int64_t image = 0; image < SEARCH_IMAGES; image++)
      if (searched[image] && iscp_dataset_label(world->dataset, image) != classes[i])
        total += iscp_search_canvas_count(search, classes[i]) * (EPOCHS + 2);
  return total;
}

START_TEST(progress_ends_at_its_total) {
  toy_world world = search_world();
  iscp_search_options options = options_of();
  iscp_search *search = search_create(&world, &options);
  watcher w = {0};
  ck_assert_int_eq(run(search, &w), 0);
  ck_assert_int_eq(w.totals[0], SEARCH_IMAGES);
  ck_assert_int_eq(w.totals[1], expected_total(&world, &options, search));
  ck_assert(w.finished[0] && w.finished[1] && w.last == w.totals[1]);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* The second time the canvas is learned too, in turns that no epoch ends with. */
START_TEST(a_cancel_anywhere_changes_nothing) {
  toy_world world = search_world();
  iscp_search_options options = options_of();
  options.canvas_steps = 2 * _i;
  options.mask_steps = 1;
  iscp_search *whole = search_create(&world, &options);
  watcher all = {0};
  run(whole, &all);
  ck_assert_int_gt(all.calls, 15);
  for (int at = 1; at <= all.calls; at++) {
    iscp_search *search = search_create(&world, &options);
    watcher w = {.cancel_at = at};
    ck_assert_int_eq(run(search, &w), 1);
    ck_assert(w.finished[1] && w.last == all.last);
    check_same(whole, search);
    iscp_search_destroy(search);
  }
  iscp_search_destroy(whole);
  toy_world_destroy(&world);
}
END_TEST

/* A caller who stops whenever something was done still gets there. */
START_TEST(cancelling_at_every_step_changes_nothing) {
  toy_world world = search_world();
  iscp_search_options options = options_of();
  iscp_search *whole = search_run(&world, &options), *search = search_create(&world, &options);
  watcher w = {.cancel_each = true, .cancelled = -1};
  ck_assert_int_gt(run(search, &w), 10);
  ck_assert_int_eq(w.last, w.totals[1]);
  check_same(whole, search);
  iscp_search_destroy(whole);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* What was yielded before a cancel stays what it is. */
START_TEST(finished_classes_stay) {
  toy_world world = search_world();
  iscp_search_options options = options_of();
  options.lanes = 1;
  iscp_search *search = search_create(&world, &options);
  int32_t first, second;
  float mask[TOY_PIXELS];
  ASSERT_OK(iscp_search_next(search, &first, NULL, NULL));
  memcpy(mask, iscp_search_mask(search, first, 0), sizeof mask);
  watcher w = {.cancel_at = 3};
  support_failed(iscp_search_next(search, &second, watch, &w), ISCP_ERROR_CANCELLED, "cancelled during search after");
  ck_assert_int_eq(second, -1);
  ck_assert_mem_eq(mask, iscp_search_mask(search, first, 0), sizeof mask);
  ck_assert_int_eq(iscp_search_canvas_count(search, first), 2);
  ck_assert_int_eq(iscp_search_canvas_count(search, classes[0] + classes[1] - first), -1);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(a_search_is_busy_while_it_runs) {
  toy_world world = search_world();
  iscp_search_options options = options_of();
  iscp_search *whole = search_run(&world, &options), *search = search_create(&world, &options);
  watcher w = {.search = search};
  run(search, &w);
  check_same(whole, search);
  iscp_search_destroy(whole);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("search cancel");
  TCase *cancel = tcase_create("cancel");
  tcase_add_test(cancel, progress_ends_at_its_total);
  tcase_add_loop_test(cancel, a_cancel_anywhere_changes_nothing, 0, 2);
  tcase_add_test(cancel, cancelling_at_every_step_changes_nothing);
  tcase_add_test(cancel, finished_classes_stay);
  tcase_add_test(cancel, a_search_is_busy_while_it_runs);
  suite_add_tcase(suite, cancel);
  return support_run(suite);
}
