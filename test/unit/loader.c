/* lib/data: the loader that decodes ahead and keeps what there is room for; and the threads that share work. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/loader.h"
#include "data/workers.h"
#include "support.h"

enum { COUNT = 40, NUMBERS = 12 };

/* What the decoder of these tests does: counts, and fails or gives odd numbers for one image. */
static atomic_int decodes[COUNT];
static atomic_int failing = -1, odd = -1;

static float value_of(int64_t index, int64_t v) { return (float)((index * 7 + v * 3) % 256) / 255.0f; }

static iscp_status decode(void *image, isc_dtype dtype, int64_t index, const void *user) {
  (void)user;
  atomic_fetch_add(&decodes[index], 1);
  if (index == atomic_load(&failing))
    return isc_fail(ISCP_ERROR_FORMAT, "picture %d is broken", (int)index);
  bool is_odd = index == atomic_load(&odd);
  if (is_odd && dtype == ISC_U8)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "picture %d is no bytes", (int)index);
  for (int64_t v = 0; v < NUMBERS; v++)
    if (dtype == ISC_U8)
      ((uint8_t *)image)[v] = (uint8_t)((index * 7 + v * 3) % 256);
    else
      ((float *)image)[v] = is_odd ? 0.1f : value_of(index, v);
  return ISCP_OK;
}

static int decoded(int first, int end) {
  int sum = 0;
  for (int i = first; i < end; i++)
    sum += atomic_load(&decodes[i]);
  return sum;
}

typedef struct bench {
  iscp_context *context;
  isc_loader *loader;
} bench;

/* A loader with room for `room` images. */
static bench make(int room) {
  bench b = {.context = support_context()};
  for (int i = 0; i < COUNT; i++)
    atomic_store(&decodes[i], 0);
  atomic_store(&failing, -1);
  atomic_store(&odd, -1);
  ASSERT_OK(isc_loader_create(&b.loader, b.context, COUNT, NUMBERS, room * NUMBERS, decode, NULL));
  return b;
}

static void end(bench *b) {
  isc_loader_destroy(b->loader);
  support_context_end(b->context);
}

static void ask(const bench *b, int64_t index) {
  float image[NUMBERS];
  memset(image, 0xff, sizeof image);
  ASSERT_OK(isc_loader_image(b->loader, index, image));
  for (int v = 0; v < NUMBERS; v++)
    ck_assert(image[v] == value_of(index, v));
}

static void expect_range(const bench *b, int64_t first, int64_t count) {
  int64_t indices[COUNT];
  for (int64_t i = 0; i < count; i++)
    indices[i] = first + i;
  isc_loader_expect(b->loader, indices, count);
}

/* The case's own time limit ends a wait that would not end. */
static void wait_for(int first, int end_index, int sum) {
  while (decoded(first, end_index) < sum)
    sched_yield();
}

START_TEST(what_fits_is_decoded_once) {
  bench b = make(COUNT);
  for (int round = 0; round < 3; round++)
    for (int i = 0; i < COUNT; i++)
      ask(&b, i);
  ck_assert_int_eq(decoded(0, COUNT), COUNT);
  end(&b);
}
END_TEST

START_TEST(rounds_over_more_than_fits_keep_a_part) {
  enum { ROOM = 10, ROUND = 20, ROUNDS = 10 };
  bench b = make(ROOM);
  for (int round = 0; round < ROUNDS; round++)
    for (int i = 0; i < ROUND; i++)
      ask(&b, i);
  ck_assert_int_eq(decoded(0, ROUND), ROUND + (ROUNDS - 1) * (ROUND - ROOM));
  end(&b);
}
END_TEST

START_TEST(what_is_no_longer_asked_for_gives_way) {
  bench b = make(10);
  for (int i = 0; i < COUNT; i++)
    ask(&b, i);
  for (int round = 0; round < 12; round++)
    for (int i = 30; i < COUNT; i++)
      ask(&b, i);
  int before = decoded(0, COUNT);
  for (int i = 30; i < COUNT; i++)
    ask(&b, i);
  ck_assert_int_eq(decoded(0, COUNT), before);
  end(&b);
}
END_TEST

START_TEST(announced_images_are_decoded_ahead) {
  bench b = make(COUNT);
  expect_range(&b, 5, 8);
  wait_for(5, 13, 8);
  for (int i = 5; i < 13; i++)
    ask(&b, i);
  ck_assert_int_eq(decoded(0, COUNT), 8);
  for (int i = 5; i < 13; i++)
    ask(&b, i);
  ck_assert_int_eq(decoded(0, COUNT), 8);
  end(&b);
}
END_TEST

/* With room for none, images are decoded ahead all the same, a few at a time, and go when they were taken. */
START_TEST(the_row_ahead_is_bounded) {
  bench b = make(0);
  expect_range(&b, 0, COUNT);
  wait_for(0, COUNT, 8);
  for (int i = 0; i < COUNT; i++)
    expect_range(&b, i, 1);
  for (int i = 0; i < COUNT; i++)
    ask(&b, i);
  int before = decoded(0, COUNT);
  ask(&b, COUNT - 1);
  ck_assert_int_eq(decoded(0, COUNT), before + 1);
  end(&b);
}
END_TEST

START_TEST(a_failure_comes_to_the_one_who_asks) {
  bench b = make(COUNT);
  atomic_store(&failing, 3);
  for (int ahead = 0; ahead < 2; ahead++) {
    if (ahead) {
      expect_range(&b, 0, 8);
      wait_for(3, 4, 2);
    }
    float image[NUMBERS];
    isc_message_set("nothing");
    support_failed(isc_loader_image(b.loader, 3, image), ISCP_ERROR_FORMAT, "picture 3 is broken");
    ask(&b, 2);
  }
  atomic_store(&failing, -1);
  ask(&b, 3);
  ask(&b, 3);
  end(&b);
}
END_TEST

START_TEST(numbers_that_are_no_bytes_are_not_kept) {
  bench b = make(COUNT);
  float image[NUMBERS];
  atomic_store(&odd, 4);
  expect_range(&b, 4, 1);
  wait_for(4, 5, 1);
  for (int i = 0; i < 3; i++) {
    ASSERT_OK(isc_loader_image(b.loader, 4, image));
    ck_assert(image[0] == 0.1f);
  }
  ck_assert_int_ge(atomic_load(&decodes[4]), 3);
  end(&b);
}
END_TEST

START_TEST(without_memory_it_decodes_and_keeps_nothing) {
  bench b = make(COUNT);
  support_fail_after(0);
  expect_range(&b, 0, 8);
  for (int i = 0; i < COUNT; i++)
    ask(&b, i);
  support_fail_after(-1);
  ask(&b, 0);
  ck_assert_int_eq(atomic_load(&decodes[0]), 2);
  end(&b);
}
END_TEST

START_TEST(it_may_end_with_work_undone) {
  for (int i = 0; i < 50; i++) {
    bench b = make(COUNT);
    expect_range(&b, 0, COUNT);
    end(&b);
  }
}
END_TEST

/* ---- Threads ---- */

typedef struct asker {
  const bench *bench;
  int step, wrong;
} asker;

static void *ask_many(void *user) {
  asker *a = user;
  for (int n = 0; n < 20 * COUNT; n++) {
    int64_t index = (int64_t)n * a->step % COUNT, next = (int64_t)(n + 1) * a->step % COUNT;
    float image[NUMBERS];
    isc_loader_expect(a->bench->loader, &next, 1);
    iscp_status status = isc_loader_image(a->bench->loader, index, image);
    a->wrong += index == 17 ? status != ISCP_ERROR_FORMAT : status != ISCP_OK || image[1] != value_of(index, 1);
  }
  return NULL;
}

START_TEST(threads_share_it) {
  static const int steps[] = {1, 3, 7, 39}, rooms[] = {0, 5, COUNT};
  for (int r = 0; r < 3; r++) {
    bench b = make(rooms[r]);
    pthread_t threads[4];
    asker askers[4];
    atomic_store(&failing, 17);
    for (int i = 0; i < 4; i++) {
      askers[i] = (asker){&b, steps[i], 0};
      ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_many, &askers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
      pthread_join(threads[i], NULL);
      ck_assert_int_eq(askers[i].wrong, 0);
    }
    end(&b);
  }
}
END_TEST

/* In a forked child the threads are gone, and the lock may be anybody's: it decodes by itself. */
START_TEST(a_forked_child_reads_too) {
  bench b = make(COUNT);
  expect_range(&b, 0, COUNT);
  pid_t child = fork();
  if (!child) {
    float image[NUMBERS];
    isc_loader_expect(b.loader, (int64_t[]){1, 2}, 2);
    int good = isc_loader_image(b.loader, 9, image) == ISCP_OK && image[1] == value_of(9, 1);
    isc_loader_destroy(b.loader);
    _exit(good ? 0 : 1);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ask(&b, 9);
  end(&b);
}
END_TEST

/* ---- Shared work ---- */

static void count_item(void *user, int64_t item) { atomic_fetch_add((atomic_int *)user + item, 1); }

static int stop_at_once(const iscp_progress *progress, void *user) {
  (void)user;
  return progress->done > 0;
}

START_TEST(each_item_is_done_once) {
  iscp_context *context = support_context();
  static atomic_int done[1000];
  isc_progress progress;
  isc_progress_begin(&progress, "count", 1000, NULL, NULL);
  ASSERT_OK(isc_workers_run(context, 1000, count_item, done, &progress));
  for (int i = 0; i < 1000; i++)
    ck_assert_int_eq(atomic_load(&done[i]), 1);
  ASSERT_OK(isc_workers_run(context, 0, count_item, done, &progress));
  isc_progress_begin(&progress, "count", 1000, stop_at_once, NULL);
  iscp_status status = isc_workers_run(context, 1000, count_item, done, &progress);
  support_failed(status, ISCP_ERROR_CANCELLED, "cancelled during count");
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("loader");
  TCase *all = tcase_create("loader");
  tcase_add_test(all, what_fits_is_decoded_once);
  tcase_add_test(all, rounds_over_more_than_fits_keep_a_part);
  tcase_add_test(all, what_is_no_longer_asked_for_gives_way);
  tcase_add_test(all, announced_images_are_decoded_ahead);
  tcase_add_test(all, the_row_ahead_is_bounded);
  tcase_add_test(all, a_failure_comes_to_the_one_who_asks);
  tcase_add_test(all, numbers_that_are_no_bytes_are_not_kept);
  tcase_add_test(all, without_memory_it_decodes_and_keeps_nothing);
  tcase_add_test(all, it_may_end_with_work_undone);
  tcase_add_test(all, threads_share_it);
  tcase_add_test(all, a_forked_child_reads_too);
  tcase_add_test(all, each_item_is_done_once);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
