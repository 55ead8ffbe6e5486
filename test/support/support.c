#include "support.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long held, asked, allowed_left = -1;

static void *count_allocate(size_t bytes, void *user) {
  (void)user;
  atomic_fetch_add(&asked, 1);
  long left = atomic_load(&allowed_left);
  if (left == 0)
    return NULL;
  if (left > 0)
    atomic_fetch_sub(&allowed_left, 1);
  void *memory = malloc(bytes);
  if (memory)
    atomic_fetch_add(&held, 1);
  return memory;
}

static void count_release(void *memory, void *user) {
  (void)user;
  atomic_fetch_sub(&held, 1);
  free(memory);
}

iscp_context *support_context(void) {
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.allocate = count_allocate;
  options.release = count_release;
  const char *backend = getenv("ISCP_TEST_BACKEND");
  if (backend)
    options.backend = !strcmp(backend, "blas") ? ISCP_BACKEND_BLAS : ISCP_BACKEND_ONEDNN;
  atomic_store(&held, 0);
  atomic_store(&asked, 0);
  support_fail_after(-1);
  iscp_context *context;
  ASSERT_OK(iscp_context_create(&context, &options));
  return context;
}

void support_context_end(iscp_context *context) {
  support_fail_after(-1);
  iscp_context_destroy(context);
  ck_assert_int_eq(atomic_load(&held), 0);
}

void support_fail_after(long allowed) { atomic_store(&allowed_left, allowed); }
long support_allocations(void) { return atomic_load(&asked); }

static char folder[] = "/tmp/iscp-test-XXXXXX";
static pid_t folder_owner;

static void remove_folder(void) {
  if (getpid() != folder_owner)
    return;
  char command[64 + sizeof folder];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command))
    fprintf(stderr, "could not remove %s\n", folder);
}

/* Seconds a test. Check's own 4 are short for a busy machine and for sanitizers; it looks at the variable when a case is made. */
__attribute__((constructor)) static void allow_time(void) { setenv("CK_DEFAULT_TIMEOUT", "120", 0); }

int support_run(Suite *suite) {
  if (!mkdtemp(folder)) {
    perror(folder);
    return 1;
  }
  folder_owner = getpid();
  atexit(remove_folder);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  int ran = srunner_ntests_run(runner);
  srunner_free(runner);
  return failed || !ran;
}

int support_skip(const char *reason) {
  printf("skipped: %s\n", reason);
  return 77;
}

const char *support_folder(void) { return folder; }

const char *support_path(const char *name) {
  static char paths[4][512];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

void support_write(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
  ck_assert_int_eq(fclose(file), 0);
}

void support_failed(iscp_status status, iscp_status expected, const char *word) {
  const char *message = iscp_error_message();
  ck_assert_msg(status == expected, "%s (%s), expected %s", iscp_status_name(status), message,
                iscp_status_name(expected));
  size_t length = strlen(message);
  ck_assert_msg(length > 0, "the message is empty");
  ck_assert_msg(message[length - 1] != '.', "\"%s\" ends with a full stop", message);
  ck_assert_msg(!strchr(message, '\n'), "\"%s\" has more than one line", message);
  ck_assert_msg(strstr(message, word) != NULL, "\"%s\" does not name \"%s\"", message, word);
}

double support_max_difference(const float *a, const float *b, size_t count) {
  double largest = 0;
  for (size_t i = 0; i < count; i++) {
    double difference = fabs((double)a[i] - b[i]);
    if (!(difference <= largest))
      largest = difference;
  }
  return largest;
}

double support_relative_l2(const float *a, const float *b, size_t count) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < count; i++) {
    difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    norm += (double)b[i] * b[i];
  }
  return sqrt(difference) / (norm > 0 ? sqrt(norm) : 1);
}

void support_fill(float *values, size_t count, float low, float high, uint32_t seed) {
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (size_t i = 0; i < count; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    values[i] = low + (high - low) * (float)(state >> 40) * 0x1p-24f;
  }
}
