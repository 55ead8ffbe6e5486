/* lib/search: iscp_search_step, a search in small pieces, gives what iscp_search_next gives. */
#include <string.h>

#include "data/data.h"
#include "search_common.h"

enum { EPOCHS = 2, CLASS_COUNT = 2 };
static const int32_t classes[CLASS_COUNT] = {2, 0};

/* Two classes, two canvases each: in three lanes the last job starts when the others are done. */
static iscp_search_options options_of(int32_t lanes) {
  iscp_search_options options = search_options();
  options.lanes = lanes;
  options.classes = classes;
  options.class_count = CLASS_COUNT;
  return options;
}

typedef struct tally {
  int calls, yielded;
  int32_t order[CLASS_COUNT];
} tally;

/* One call, and what must hold of it. Answers whether there is more. */
static bool step(iscp_search *search, tally *t, iscp_progress_fn progress, void *user) {
  int32_t y = -2, more = -2;
  ASSERT_OK(iscp_search_step(search, &y, &more, progress, user));
  t->calls++;
  ck_assert(more == 0 || more == 1);
  if (y >= 0) {
    ck_assert_int_lt(t->yielded, CLASS_COUNT);
    ck_assert_int_eq(iscp_search_canvas_count(search, y), 2);
    t->order[t->yielded++] = y;
  }
  ck_assert_int_eq(more, t->yielded < CLASS_COUNT);
  return more;
}

static void check_same(const iscp_search *a, const iscp_search *b) {
  for (int i = 0; i < CLASS_COUNT; i++)
    search_check_same(a, b, classes[i], EPOCHS);
}

static int32_t minibatches(const toy_world *world, const iscp_search_options *options, int32_t y) {
  uint8_t searched[SEARCH_IMAGES];
  int32_t count = 0;
  ASSERT_OK(isc_split_draw(searched, world->dataset, options->fraction, options->seed));
  for (int64_t i = 0; i < SEARCH_IMAGES; i++)
    count += searched[i] && iscp_dataset_label(world->dataset, i) != y;
  return (count + options->batch - 1) / options->batch;
}

START_TEST(pieces_make_the_whole) {
  static const int32_t lanes[] = {1, 3, 4};
  toy_world world = search_world();
  for (int l = 0; l < 3; l++) {
    iscp_search_options options = options_of(lanes[l]);
    iscp_search *whole = search_run(&world, &options), *search = search_create(&world, &options);
    tally t = {0};
    while (step(search, &t, NULL, NULL))
      ;
    check_same(whole, search);
    int32_t y = 0, more = 1;
    ASSERT_OK(iscp_search_step(search, &y, &more, NULL, NULL)); /* the end stays the end */
    ck_assert(y == -1 && more == 0);
    iscp_search_destroy(whole);
    iscp_search_destroy(search);
  }
  toy_world_destroy(&world);
}
END_TEST

/* One lane: the clean pass, each minibatch of each epoch of each job, and the figures of each job. */
START_TEST(a_call_is_one_piece) {
  toy_world world = search_world();
  iscp_search_options options = options_of(1);
  iscp_search *search = search_create(&world, &options);
  tally t = {0};
  while (step(search, &t, NULL, NULL))
    ;
  int expected = 1;
  for (int i = 0; i < CLASS_COUNT; i++)
    expected += 2 * (EPOCHS * minibatches(&world, &options, classes[i]) + 1);
  ck_assert_int_eq(t.calls, expected);
  ck_assert(t.order[0] == classes[0] && t.order[1] == classes[1]);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(both_ways_may_be_mixed) {
  toy_world world = search_world();
  iscp_search_options options = options_of(3);
  iscp_search *whole = search_run(&world, &options), *search = search_create(&world, &options);
  tally t = {0};
  for (int i = 0; i < 5; i++)
    ck_assert(step(search, &t, NULL, NULL));
  int32_t first, second;
  ASSERT_OK(iscp_search_next(search, &first, NULL, NULL));
  ck_assert_int_ge(first, 0);
  t.order[t.yielded++] = first;
  while (step(search, &t, NULL, NULL))
    ;
  ASSERT_OK(iscp_search_next(search, &second, NULL, NULL));
  ck_assert_int_eq(second, -1);
  check_same(whole, search);
  iscp_search_destroy(whole);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Progress ---- */

typedef struct watcher {
  int64_t done, total;
  int calls, cancels;
  bool cancel;
} watcher;

static int watch(const iscp_progress *progress, void *user) {
  watcher *w = user;
  w->calls++;
  ck_assert_int_le(progress->done, progress->total);
  if (!strcmp(progress->stage, "search")) {
    ck_assert_int_ge(progress->done, w->done);
    w->done = progress->done;
    w->total = progress->total;
  }
  return w->cancel;
}

START_TEST(each_call_tells_how_far_it_is) {
  toy_world world = search_world();
  iscp_search_options options = options_of(3);
  iscp_search *search = search_create(&world, &options);
  tally t = {0};
  watcher w = {0};
  bool more = true;
  while (more) {
    int before = w.calls;
    more = step(search, &t, watch, &w);
    ck_assert_int_gt(w.calls, before);
  }
  ck_assert(w.total > 0 && w.done == w.total);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* A step that is cancelled behind its minibatch is kept; a cancelled clean pass or figure is begun anew. */
START_TEST(a_cancelled_step_is_gone_on_with) {
  toy_world world = search_world();
  iscp_search_options options = options_of(3);
  iscp_search *whole = search_run(&world, &options), *search = search_create(&world, &options);
  watcher w = {.cancel = true};
  int32_t y = 0, more = 1, yielded = 0;
  while (more) {
    iscp_status status = iscp_search_step(search, &y, &more, watch, &w);
    if (status == ISCP_ERROR_CANCELLED) {
      ck_assert(y == -1 && more == 1);
      w.cancels++;
    } else
      ASSERT_OK(status);
    yielded += y >= 0;
    w.cancel = !w.cancel;
  }
  ck_assert_int_gt(w.cancels, 5);
  ck_assert_int_eq(yielded, CLASS_COUNT);
  check_same(whole, search);
  iscp_search_destroy(whole);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Arguments and ends ---- */

START_TEST(wrong_arguments_are_refused) {
  toy_world world = search_world();
  iscp_search_options options = options_of(1);
  iscp_search *search = search_create(&world, &options);
  int32_t y, more;
  support_failed(iscp_search_step(NULL, &y, &more, NULL, NULL), ISCP_ERROR_ARGUMENT, "search is NULL");
  support_failed(iscp_search_step(search, NULL, &more, NULL, NULL), ISCP_ERROR_ARGUMENT, "class_index is NULL");
  support_failed(iscp_search_step(search, &y, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "more is NULL");
  tally t = {0};
  step(search, &t, NULL, NULL);
  support_failed(iscp_search_skip(search, classes[0]), ISCP_ERROR_ARGUMENT, "cannot be skipped any more");
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(skipped_classes_are_not_stepped) {
  toy_world world = search_world();
  iscp_search_options options = options_of(3);
  iscp_search *whole = search_run(&world, &options), *search = search_create(&world, &options);
  ASSERT_OK(iscp_search_skip(search, classes[0]));
  tally t = {.yielded = 1};
  while (step(search, &t, NULL, NULL))
    ;
  ck_assert_int_eq(t.order[1], classes[1]);
  search_check_same(whole, search, classes[1], EPOCHS);
  iscp_search_destroy(whole);
  iscp_search_destroy(search);
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("search pieces");
  TCase *pieces = tcase_create("pieces");
  tcase_add_test(pieces, pieces_make_the_whole);
  tcase_add_test(pieces, a_call_is_one_piece);
  tcase_add_test(pieces, both_ways_may_be_mixed);
  tcase_add_test(pieces, each_call_tells_how_far_it_is);
  tcase_add_test(pieces, a_cancelled_step_is_gone_on_with);
  tcase_add_test(pieces, wrong_arguments_are_refused);
  tcase_add_test(pieces, skipped_classes_are_not_stepped);
  suite_add_tcase(suite, pieces);
  return support_run(suite);
}
