/* lib/base: options rule, messages, memory, random streams, progress, context. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "support.h"

/* ---- Random streams ---- */

START_TEST(philox_published_vectors) {
  /* Random123, kat_vectors, philox4x32 of 10 rounds: (counter, key) -> words 0 and 1 of four. */
  ck_assert_uint_eq(isc_random(0, 0, 0, 0, 0), 0xe169c58d6627e8d5u);
  ck_assert_uint_eq(isc_random(UINT64_MAX, 0, -1, -1, -1), 0x41c83b0e408f276du);
  ck_assert_uint_eq(isc_random(0x299f31d0a4093822u, 0, 0x13198a2e, 0x03707344, (int64_t)0x85a308d3243f6a88u),
                    0x94fdccebd16cfe09u);
}
END_TEST

START_TEST(every_part_of_a_name_counts) {
  uint64_t draws[] = {isc_random(1, 2, 3, 4, 5), isc_random(0, 2, 3, 4, 5), isc_random(1, 1, 3, 4, 5),
                      isc_random(1, 2, 0, 4, 5), isc_random(1, 2, 3, 0, 5), isc_random(1, 2, 3, 4, 0),
                      isc_random(1, 2, 3, 4, 5 + ((int64_t)1 << 40))};
  for (int i = 0; i < 7; i++)
    for (int j = 0; j < i; j++)
      ck_assert_uint_ne(draws[i], draws[j]);
}
END_TEST

START_TEST(shuffle_does_not_see_the_input_order) {
  enum { COUNT = 1000 };
  iscp_context *context = support_context();
  int64_t forward[COUNT], backward[COUNT], other[COUNT];
  for (int i = 0; i < COUNT; i++) {
    forward[i] = other[i] = 3 * i;
    backward[COUNT - 1 - i] = 3 * i;
  }
  ASSERT_OK(isc_random_shuffle(context, forward, COUNT, 9, ISC_PURPOSE_ORDER, 1, 2));
  ASSERT_OK(isc_random_shuffle(context, backward, COUNT, 9, ISC_PURPOSE_ORDER, 1, 2));
  ASSERT_OK(isc_random_shuffle(context, other, COUNT, 10, ISC_PURPOSE_ORDER, 1, 2));
  ck_assert_mem_eq(forward, backward, sizeof forward);
  ck_assert_mem_ne(forward, other, sizeof forward);
  char seen[COUNT] = {0};
  for (int i = 0; i < COUNT; i++)
    seen[forward[i] / 3]++;
  for (int i = 0; i < COUNT; i++)
    ck_assert_int_eq(seen[i], 1);
  ASSERT_OK(isc_random_shuffle(context, forward, 0, 9, ISC_PURPOSE_ORDER, 1, 2));
  support_context_end(context);
}
END_TEST

/* ---- Options ---- */

typedef struct settings {
  uint32_t struct_size;
  int32_t first;
  int32_t second; /* the first release ended before this one */
  int32_t third;
} settings;

static const settings settings_defaults = {sizeof(settings), 10, 20, 30};
enum { FIRST_SIZE = 8 };

static const isc_field settings_rows[] = {
    {.name = "struct_size", .type = ISCP_TYPE_UINT32, .count = 1, .rules = ISCP_RULE_SIZE},
    {.name = "first", .offset = offsetof(settings, first), .type = ISCP_TYPE_INT32, .count = 1, .initial = 10},
    {.name = "second", .offset = offsetof(settings, second), .type = ISCP_TYPE_INT32, .count = 1, .initial = 20},
    {.name = "third", .offset = offsetof(settings, third), .type = ISCP_TYPE_INT32, .count = 1, .initial = 30},
};
static const iscp_fields settings_fields = {"settings", settings_rows, 4, sizeof(settings), FIRST_SIZE, 100};

static iscp_status read_settings(settings *out, const void *given) { return isc_fields_read(out, &settings_fields, given); }

START_TEST(options_of_older_callers_keep_new_defaults) {
  settings read, given = {FIRST_SIZE, 1, 99, 99};
  ASSERT_OK(read_settings(&read, &given));
  ck_assert_int_eq(read.first, 1);
  ck_assert_int_eq(read.second, 20);
  ck_assert_int_eq(read.third, 30);
  ck_assert_uint_eq(read.struct_size, sizeof read);
}
END_TEST

START_TEST(options_of_equal_size_and_null) {
  settings read, given = {sizeof given, 1, 2, 3};
  ASSERT_OK(read_settings(&read, &given));
  ck_assert_mem_eq(&read, &given, sizeof read);
  ASSERT_OK(read_settings(&read, NULL));
  ck_assert_mem_eq(&read, &settings_defaults, sizeof read);
}
END_TEST

START_TEST(options_of_newer_callers) {
  struct {
    settings known;
    unsigned char unknown[8];
  } given = {{sizeof given, 1, 2, 3}, {0}};
  settings read;
  ASSERT_OK(read_settings(&read, &given));
  ck_assert_int_eq(read.third, 3);
  ck_assert_uint_eq(read.struct_size, sizeof read);
  given.unknown[7] = 1;
  support_failed(read_settings(&read, &given), ISCP_ERROR_ABI, "byte 23");
}
END_TEST

START_TEST(options_of_impossible_size) {
  settings read, given = {FIRST_SIZE - 1, 1, 2, 3};
  support_failed(read_settings(&read, &given), ISCP_ERROR_ABI, "struct_size 7");
  given.struct_size = 0xdeadbeef;
  support_failed(read_settings(&read, &given), ISCP_ERROR_ABI, "struct_size");
}
END_TEST

START_TEST(options_init_writes_the_callers_size) {
  unsigned char memory[32];
  memset(memory, 0xaa, sizeof memory);
  ASSERT_OK(isc_fields_init(memory, 24, &settings_fields));
  settings read;
  memcpy(&read, memory, sizeof read);
  ck_assert_uint_eq(read.struct_size, 24);
  ck_assert_int_eq(read.third, 30);
  for (int i = 16; i < 24; i++)
    ck_assert_uint_eq(memory[i], 0);
  ck_assert_uint_eq(memory[24], 0xaa);
  memset(memory, 0xaa, sizeof memory);
  ASSERT_OK(isc_fields_init(memory, FIRST_SIZE, &settings_fields));
  ck_assert_uint_eq(memory[FIRST_SIZE], 0xaa);
  support_failed(isc_fields_init(memory, 4, &settings_fields),
                 ISCP_ERROR_ABI, "settings");
  support_failed(isc_fields_init(NULL, 24, &settings_fields),
                 ISCP_ERROR_ARGUMENT, "settings");
}
END_TEST

START_TEST(outputs_fit_the_callers_struct) {
  settings result = {sizeof result, 1, 2, 3}, small = {FIRST_SIZE, 0, 77, 77};
  ASSERT_OK(isc_fields_write(&small, &settings_fields, &result));
  ck_assert_uint_eq(small.struct_size, FIRST_SIZE);
  ck_assert_int_eq(small.first, 1);
  ck_assert_int_eq(small.second, 77);
  support_failed(isc_fields_write(NULL, &settings_fields, &result), ISCP_ERROR_ARGUMENT, "NULL");
  small.struct_size = 0;
  support_failed(isc_fields_write(&small, &settings_fields, &result), ISCP_ERROR_ABI, "0");
}
END_TEST

/* ---- Status and message ---- */

START_TEST(status_names) {
  ck_assert_str_eq(iscp_status_name(ISCP_OK), "ISCP_OK");
  ck_assert_str_eq(iscp_status_name(ISCP_ERROR_FORMAT), "ISCP_ERROR_FORMAT");
  ck_assert_str_eq(iscp_status_name(ISCP_ERROR_BUSY), "ISCP_ERROR_BUSY");
  ck_assert_str_eq(iscp_status_name(ISCP_ERROR_BUSY + 1), "unknown status");
  ck_assert_str_eq(iscp_status_name(-1), "unknown status");
}
END_TEST

START_TEST(message_is_one_line) {
  ck_assert_int_eq(isc_fail(ISCP_ERROR_IO, "file \"%s\" is gone", "a\nb\x1b[31m\x7f"), ISCP_ERROR_IO);
  ck_assert_str_eq(iscp_error_message(), "file \"a?b?[31m?\" is gone");
  ck_assert_int_eq(isc_fail_in(ISCP_ERROR_FORMAT, "folder"), ISCP_ERROR_FORMAT);
  ck_assert_str_eq(iscp_error_message(), "folder: file \"a?b?[31m?\" is gone");
  char text[5000];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = 0;
  ck_assert_int_eq(isc_fail(ISCP_ERROR_IO, "%s", text), ISCP_ERROR_IO);
  ck_assert_uint_eq(strlen(iscp_error_message()), 1023);
}
END_TEST

static void *other_thread(void *argument) {
  ck_assert_str_eq(iscp_error_message(), "");
  ck_assert_int_eq(isc_fail(ISCP_ERROR_IO, "of the other thread"), ISCP_ERROR_IO);
  return argument;
}

START_TEST(message_belongs_to_the_thread) {
  pthread_t thread;
  ck_assert_int_eq(isc_fail(ISCP_ERROR_IO, "of this thread"), ISCP_ERROR_IO);
  ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, NULL), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert_str_eq(iscp_error_message(), "of this thread");
}
END_TEST

/* ---- Memory ---- */

START_TEST(blocks_are_aligned_and_overflow_is_seen) {
  iscp_context *context = support_context();
  for (size_t size = 0; size < 200; size += 7) {
    void *memory = isc_alloc(context, size);
    ck_assert_uint_eq((uintptr_t)memory % 64, 0);
    isc_free(context, memory);
  }
  isc_free(context, NULL);
  ck_assert_ptr_null(isc_alloc(context, SIZE_MAX));
  ck_assert_ptr_null(isc_calloc(context, SIZE_MAX / 4, 8));
  support_failed(ISCP_ERROR_MEMORY, ISCP_ERROR_MEMORY, "out of memory");
  unsigned char *zeros = isc_calloc(context, 100, 3);
  for (int i = 0; i < 300; i++)
    ck_assert_uint_eq(zeros[i], 0);
  isc_free(context, zeros);
  support_context_end(context);
}
END_TEST

START_TEST(grow_keeps_content_and_clears_the_rest) {
  iscp_context *context = support_context();
  int32_t *items = NULL;
  size_t capacity = 0;
  for (int32_t i = 0; i < 1000; i++) {
    ASSERT_OK(isc_grow(context, (void **)&items, &capacity, (size_t)i + 1, sizeof *items));
    items[i] = i;
  }
  for (int32_t i = 0; i < 1000; i++)
    ck_assert_int_eq(items[i], i);
  for (size_t i = 1000; i < capacity; i++)
    ck_assert_int_eq(items[i], 0);
  size_t before = capacity;
  support_fail_after(0);
  ck_assert_int_eq(isc_grow(context, (void **)&items, &capacity, capacity + 1, sizeof *items), ISCP_ERROR_MEMORY);
  support_fail_after(-1);
  ck_assert_int_eq(isc_grow(context, (void **)&items, &capacity, SIZE_MAX, sizeof *items), ISCP_ERROR_MEMORY);
  ck_assert_uint_eq(capacity, before);
  ck_assert_int_eq(items[999], 999);
  isc_free(context, items);
  support_context_end(context);
}
END_TEST

/* ---- Progress ---- */

typedef struct told {
  int calls;
  int64_t last_done;
  int stop;
} told;

static int hear(const iscp_progress *progress, void *user) {
  told *t = user;
  ck_assert_uint_eq(progress->struct_size, sizeof *progress);
  ck_assert_str_eq(progress->stage, "work");
  t->calls++;
  t->last_done = progress->done;
  return t->stop;
}

START_TEST(progress_is_paced) {
  told t = {0};
  isc_progress progress;
  isc_progress_begin(&progress, "work", 1 << 30, hear, &t);
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  double seconds;
  int64_t done = 0;
  do {
    ASSERT_OK(isc_progress_tell(&progress, ++done));
    clock_gettime(CLOCK_MONOTONIC, &now);
    seconds = (double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) * 1e-9;
  } while (seconds < 0.35);
  ck_assert_int_ge(t.calls, 1);
  ck_assert_int_le(t.calls, (int)(seconds * 10) + 2);
  ASSERT_OK(isc_progress_tell(&progress, 1 << 30));
  ck_assert_int_eq(t.last_done, 1 << 30);
}
END_TEST

START_TEST(progress_cancels) {
  told t = {.stop = 1};
  isc_progress progress;
  isc_progress_begin(&progress, "work", 10, hear, &t);
  support_failed(isc_progress_tell(&progress, 3), ISCP_ERROR_CANCELLED, "3 of 10");
  isc_progress_begin(&progress, "work", 10, NULL, NULL);
  ASSERT_OK(isc_progress_tell(&progress, 10));
}
END_TEST

/* ---- Context ---- */

static void *counted_allocate(size_t bytes, void *user) {
  ++*(int *)user;
  return malloc(bytes);
}

static void counted_release(void *memory, void *user) {
  --*(int *)user;
  free(memory);
}

START_TEST(context_lives_as_long_as_its_last_holder) {
  int held = 0;
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.allocate = counted_allocate;
  options.release = counted_release;
  options.allocator_user = &held;
  for (int order = 0; order < 2; order++) {
    iscp_context *context;
    ASSERT_OK(iscp_context_create(&context, &options));
    iscp_context *reference = isc_context_hold(context);
    void *memory = isc_alloc(context, 100);
    ck_assert_int_eq(held, 2);
    iscp_context_destroy(order ? reference : context);
    isc_free(order ? context : reference, memory);
    ck_assert_int_eq(held, 1);
    isc_context_drop(order ? context : reference);
    ck_assert_int_eq(held, 0);
  }
  iscp_context_destroy(NULL);
}
END_TEST

START_TEST(context_refuses_wrong_options) {
  iscp_context *context = (iscp_context *)&context;
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  ck_assert_int_eq(options.log_level, ISCP_LOG_WARNING);
  options.threads = 1025;
  support_failed(iscp_context_create(&context, &options), ISCP_ERROR_ARGUMENT, "1025");
  ck_assert_ptr_null(context);
  options.threads = 2;
  options.backend = 3;
  support_failed(iscp_context_create(&context, &options), ISCP_ERROR_ARGUMENT, "backend is 3");
  options.backend = ISCP_BACKEND_BLAS;
  options.allocate = counted_allocate;
  support_failed(iscp_context_create(&context, &options), ISCP_ERROR_ARGUMENT, "both or neither");
  options.allocate = NULL;
  options.struct_size = 4;
  support_failed(iscp_context_create(&context, &options), ISCP_ERROR_ABI, "struct_size 4");
  support_failed(iscp_context_create(NULL, NULL), ISCP_ERROR_ARGUMENT, "out");
  options.struct_size = sizeof options;
  ASSERT_OK(iscp_context_create(&context, &options));
  ck_assert_int_eq(iscp_context_threads(context), 2);
  ck_assert_int_eq(iscp_context_backend(context), ISCP_BACKEND_BLAS);
  iscp_context_destroy(context);
  ck_assert_int_eq(iscp_context_threads(NULL), 0);
  ck_assert_int_eq(iscp_context_backend(NULL), 0);
}
END_TEST

static void keep_line(int32_t level, const char *message, void *user) {
  char *line = user;
  snprintf(line, 64, "%d %s", level, message);
}

START_TEST(log_keeps_to_its_level) {
  char line[64] = "";
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.log = keep_line;
  options.log_user = line;
  options.log_level = ISCP_LOG_INFO;
  iscp_context *context;
  ASSERT_OK(iscp_context_create(&context, &options));
  isc_log(context, ISCP_LOG_DEBUG, "detail");
  ck_assert_str_eq(line, "");
  isc_log(context, ISCP_LOG_INFO, "%d of %d", 1, 2);
  ck_assert_str_eq(line, "3 1 of 2");
  iscp_context_destroy(context);
}
END_TEST

START_TEST(a_forked_child_may_not_compute) {
  iscp_context *context = support_context();
  isc_compute compute;
  ASSERT_OK(isc_compute_enter(context, &compute));
  isc_compute_leave(&compute);
  pid_t child = fork();
  if (child == 0)
    _exit(isc_compute_enter(context, &compute));
  int result;
  ck_assert_int_eq(waitpid(child, &result, 0), child);
  ck_assert(WIFEXITED(result));
  ck_assert_int_eq(WEXITSTATUS(result), ISCP_ERROR_BUSY);
  support_context_end(context);
}
END_TEST

START_TEST(sizes_by_name) {
  ck_assert_uint_eq(iscp_abi_sizeof("iscp_contract"), sizeof(iscp_contract));
  ck_assert_uint_eq(iscp_abi_sizeof("iscp_dataset_options"), sizeof(iscp_dataset_options));
  ck_assert_uint_eq(iscp_abi_sizeof("nothing"), 0);
  ck_assert_uint_eq(iscp_abi_sizeof(NULL), 0);
  ck_assert_uint_eq(iscp_version(), ISCP_VERSION_MAJOR << 16 | ISCP_VERSION_MINOR << 8 | ISCP_VERSION_PATCH);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("base");
  TCase *random = tcase_create("random"), *options = tcase_create("options"), *status = tcase_create("status"),
        *context = tcase_create("context");
  tcase_add_test(random, philox_published_vectors);
  tcase_add_test(random, every_part_of_a_name_counts);
  tcase_add_test(random, shuffle_does_not_see_the_input_order);
  tcase_add_test(options, options_of_older_callers_keep_new_defaults);
  tcase_add_test(options, options_of_equal_size_and_null);
  tcase_add_test(options, options_of_newer_callers);
  tcase_add_test(options, options_of_impossible_size);
  tcase_add_test(options, options_init_writes_the_callers_size);
  tcase_add_test(options, outputs_fit_the_callers_struct);
  tcase_add_test(status, status_names);
  tcase_add_test(status, message_is_one_line);
  tcase_add_test(status, message_belongs_to_the_thread);
  tcase_add_test(context, blocks_are_aligned_and_overflow_is_seen);
  tcase_add_test(context, grow_keeps_content_and_clears_the_rest);
  tcase_add_test(context, progress_is_paced);
  tcase_add_test(context, progress_cancels);
  tcase_add_test(context, context_lives_as_long_as_its_last_holder);
  tcase_add_test(context, context_refuses_wrong_options);
  tcase_add_test(context, log_keeps_to_its_level);
  tcase_add_test(context, a_forked_child_may_not_compute);
  tcase_add_test(context, sizes_by_name);
  TCase *cases[] = {random, options, status, context};
  for (int i = 0; i < 4; i++)
    suite_add_tcase(suite, cases[i]);
  return support_run(suite);
}
