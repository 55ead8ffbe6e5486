/* Pictures of class folders are decoded when they are asked for, by several threads: one that breaks in the middle of
 * the work is named, and once it is whole again the search goes on as if nothing had been. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/format.h"
#include "support.h"
#include "toy.h"

enum { EACH = 4, COUNT = TOY_CLASSES * EACH };

typedef struct album {
  toy_world world; /* its dataset is the folder */
  char paths[COUNT][512];
} album;

static void write_picture(const iscp_context *context, const char *path, uint32_t seed) {
  uint8_t pixels[TOY_NUMBERS];
  float numbers[TOY_NUMBERS];
  support_fill(numbers, TOY_NUMBERS, 0, 255.99f, seed);
  for (int i = 0; i < TOY_NUMBERS; i++)
    pixels[i] = (uint8_t)numbers[i];
  isc_tensor image = {.dtype = ISC_U8, .dims = 3, .shape = {TOY_SIDE, TOY_SIDE, TOY_CHANNELS}, .data = pixels};
  ASSERT_OK(isc_write_png(&image, context, path));
}

static void write_album(album *a) {
  ASSERT_OK(isc_make_directory(support_path("album")));
  for (int i = 0; i < COUNT; i++) {
    char folder[32];
    snprintf(folder, sizeof folder, "album/%d", i / EACH);
    if (i % EACH == 0)
      ASSERT_OK(isc_make_directory(support_path(folder)));
    snprintf(a->paths[i], sizeof a->paths[i], "%s/%d.png", support_path(folder), i % EACH);
    write_picture(a->world.context, a->paths[i], (uint32_t)i);
  }
}

static void open_album(album *a) {
  toy_world_create(&a->world, 20, 1);
  write_album(a);
  iscp_dataset_options options;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = iscp_model_contract(a->world.model);
  options.memory = 1; /* pictures are decoded ahead, and none is kept: a broken one must be met again */
  iscp_dataset_destroy(a->world.dataset);
  ASSERT_OK(iscp_dataset_open(&a->world.dataset, a->world.context, support_path("album"), &options));
  ck_assert_int_eq(iscp_dataset_count(a->world.dataset), COUNT);
}

static void spoil(const album *a, int image) { support_write(a->paths[image], "\x89PNG\r\n\x1a\n and no more", 20); }
static void repair(const album *a, int image) { write_picture(a->world.context, a->paths[image], (uint32_t)image); }

START_TEST(an_evaluation_names_the_picture) {
  album a;
  open_album(&a);
  iscp_evaluate_options options;
  ASSERT_OK(iscp_evaluate_options_init(&options, sizeof options));
  options.images = ISCP_IMAGES_ALL;
  iscp_evaluation *evaluation = (iscp_evaluation *)&a;
  spoil(&a, 9);
  support_failed(iscp_evaluation_create(&evaluation, a.world.model, a.world.dataset, &options, NULL, NULL),
                 ISCP_ERROR_FORMAT, "album/2/1.png");
  ck_assert_ptr_null(evaluation);
  ck_assert_int_eq(remove(a.paths[9]), 0);
  support_failed(iscp_evaluation_create(&evaluation, a.world.model, a.world.dataset, &options, NULL, NULL),
                 ISCP_ERROR_IO, "album/2/1.png");
  repair(&a, 9);
  ASSERT_OK(iscp_evaluation_create(&evaluation, a.world.model, a.world.dataset, &options, NULL, NULL));
  iscp_evaluation_destroy(evaluation);
  toy_world_destroy(&a.world);
}
END_TEST

static iscp_search *make_search(const album *a) {
  iscp_search_options options;
  iscp_search *search;
  ASSERT_OK(iscp_search_options_init(&options, sizeof options));
  options.min_accuracy = -1; /* a toy knows nothing */
  options.canvas_kinds = ISCP_CANVAS_WHITE;
  options.fraction = 1;
  options.epochs = 2;
  options.lanes = 2;
  ASSERT_OK(iscp_search_create(&search, a->world.model, a->world.dataset, &options));
  return search;
}

static iscp_status go_on(iscp_search *search) {
  int32_t y = 0;
  iscp_status status = ISCP_OK;
  while (status == ISCP_OK && y >= 0)
    status = iscp_search_next(search, &y, NULL, NULL);
  return status;
}

START_TEST(a_search_names_the_picture_and_goes_on) {
  album a;
  open_album(&a);
  iscp_search *whole = make_search(&a);
  ASSERT_OK(go_on(whole));
  for (int image = 1; image < COUNT; image += 3) {
    iscp_search *search = make_search(&a);
    int32_t y;
    if (image % 2) /* half of them break between two classes, the others before the clean pass */
      ASSERT_OK(iscp_search_next(search, &y, NULL, NULL));
    spoil(&a, image);
    support_failed(go_on(search), ISCP_ERROR_FORMAT, a.paths[image]);
    repair(&a, image);
    ASSERT_OK(go_on(search));
    for (y = 0; y < TOY_CLASSES; y++)
      ck_assert_mem_eq(iscp_search_mask(search, y, 0), iscp_search_mask(whole, y, 0), TOY_PIXELS * sizeof(float));
    iscp_search_destroy(search);
  }
  iscp_search_destroy(whole);
  toy_world_destroy(&a.world);
}
END_TEST

/* ---- Cancelling and memory, while the loader runs ---- */

/* Each look at the clock is a second after the one before, so that every step tells how far it is. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now) {
  static atomic_long seconds;
  (void)clock;
  *now = (struct timespec){.tv_sec = atomic_fetch_add(&seconds, 1)};
  return 0;
}

/* Cancels at call `at`, counting all. */
typedef struct brake {
  int at, calls;
} brake;

static int pull(const iscp_progress *progress, void *user) {
  (void)progress;
  brake *b = user;
  return b->calls++ == b->at;
}

static iscp_status finish(iscp_search *search, brake *b) {
  int32_t y = 0;
  iscp_status status = ISCP_OK;
  while (status == ISCP_OK && y >= 0)
    status = iscp_search_next(search, &y, pull, b);
  return status;
}

static void check_same(const iscp_search *search, const iscp_search *whole) {
  for (int y = 0; y < TOY_CLASSES; y++)
    ck_assert_mem_eq(iscp_search_mask(search, y, 0), iscp_search_mask(whole, y, 0), TOY_PIXELS * sizeof(float));
}

START_TEST(cancelled_anywhere_a_search_goes_on) {
  album a;
  open_album(&a);
  brake none = {-1, 0};
  iscp_search *whole = make_search(&a);
  ASSERT_OK(finish(whole, &none));
  ck_assert_int_gt(none.calls, 20);
  for (int at = 0; at < none.calls; at++) {
    iscp_search *search = make_search(&a);
    brake b = {at, 0};
    ck_assert_int_eq(finish(search, &b), ISCP_ERROR_CANCELLED);
    if (at % 3) /* with images announced that nobody comes for */
      ASSERT_OK(go_on(search));
    if (at % 3)
      check_same(search, whole);
    iscp_search_destroy(search);
  }
  iscp_search_destroy(whole);
  toy_world_destroy(&a.world);
}
END_TEST

/* Which allocation is whose depends on the threads: any may fail, and what is not lost to the search is the loader's. */
START_TEST(without_memory_a_search_goes_on) {
  album a;
  open_album(&a);
  iscp_search *whole = make_search(&a);
  long before = support_allocations();
  ASSERT_OK(go_on(whole));
  long needed = support_allocations() - before, stride = needed / 40 + 1;
  int failures = 0;
  for (long k = 0; k < needed; k += stride) {
    iscp_search *search = make_search(&a);
    support_fail_after(k);
    iscp_status status = go_on(search);
    support_fail_after(-1);
    ck_assert_msg(status == ISCP_OK || status == ISCP_ERROR_MEMORY, "%s", iscp_error_message());
    failures += status != ISCP_OK;
    ASSERT_OK(go_on(search));
    check_same(search, whole);
    iscp_search_destroy(search);
  }
  ck_assert_int_gt(failures, 5);
  iscp_search_destroy(whole);
  toy_world_destroy(&a.world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("pictures");
  TCase *pictures = tcase_create("pictures");
  tcase_add_test(pictures, an_evaluation_names_the_picture);
  tcase_add_test(pictures, a_search_names_the_picture_and_goes_on);
  tcase_add_test(pictures, cancelled_anywhere_a_search_goes_on);
  tcase_add_test(pictures, without_memory_a_search_goes_on);
  suite_add_tcase(suite, pictures);
  return support_run(suite);
}
