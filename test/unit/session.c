/* lib/model: sessions. Their numbers are held against plain C in test/differential; here it is about how they are
 * called. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/model.h"
#include "support.h"
#include "toy.h"

static const toy small = {18, 8, ISCP_STEM_IMAGENET, 3, 5, 2};
enum { SIDE = 16, NUMBERS = 3 * SIDE * SIDE, CLASSES = 5, IMAGES = 7 };

static iscp_model *make_model(iscp_context *context) {
  iscp_contract contract = toy_contract(&small, SIDE, SIDE);
  isc_tensor_set tensors;
  toy_tensors(&tensors, context, &small);
  iscp_model *model = toy_model(context, &tensors, &contract);
  isc_tensor_set_release(&tensors, context);
  return model;
}

static iscp_session *make_session(const iscp_model *model, int32_t batch, int32_t purpose) {
  iscp_session *session;
  ASSERT_OK(iscp_session_create(&session, model, batch, purpose));
  return session;
}

static void fill_images(float images[IMAGES * NUMBERS]) { support_fill(images, IMAGES * NUMBERS, 0, 1, 3); }

START_TEST(wrong_calls_are_refused) {
  iscp_context *context = support_context();
  iscp_model *model = make_model(context);
  iscp_session *session = (iscp_session *)&session;
  support_failed(iscp_session_create(NULL, model, 1, ISCP_SESSION_INFERENCE), ISCP_ERROR_ARGUMENT, "out");
  support_failed(iscp_session_create(&session, NULL, 1, ISCP_SESSION_INFERENCE), ISCP_ERROR_ARGUMENT, "model");
  ck_assert_ptr_null(session);
  support_failed(iscp_session_create(&session, model, 0, ISCP_SESSION_INFERENCE), ISCP_ERROR_ARGUMENT, "batch is 0");
  support_failed(iscp_session_create(&session, model, 4097, ISCP_SESSION_INFERENCE), ISCP_ERROR_ARGUMENT,
                 "batch is 4097");
  support_failed(iscp_session_create(&session, model, 1, 0), ISCP_ERROR_ARGUMENT, "purpose is 0");
  support_failed(iscp_session_create(&session, model, 1, 3), ISCP_ERROR_ARGUMENT, "purpose is 3");
  float image[NUMBERS] = {0}, logits[CLASSES], gradient[NUMBERS];
  int32_t target = 0, below = -1, above = CLASSES;
  session = make_session(model, 2, ISCP_SESSION_INFERENCE);
  support_failed(iscp_session_logits(NULL, image, 1, logits), ISCP_ERROR_ARGUMENT, "session");
  support_failed(iscp_session_logits(session, NULL, 1, logits), ISCP_ERROR_ARGUMENT, "images");
  support_failed(iscp_session_logits(session, image, 1, NULL), ISCP_ERROR_ARGUMENT, "output");
  support_failed(iscp_session_logits(session, image, 0, logits), ISCP_ERROR_ARGUMENT, "count is 0");
  support_failed(iscp_session_logits(session, image, -3, logits), ISCP_ERROR_ARGUMENT, "count is -3");
  support_failed(iscp_session_input_gradient(session, image, &target, 1, gradient, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "made for inference");
  iscp_session_destroy(session);
  session = make_session(model, 2, ISCP_SESSION_GRADIENT);
  support_failed(iscp_session_input_gradient(session, image, NULL, 1, gradient, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "targets");
  support_failed(iscp_session_input_gradient(session, image, &below, 1, gradient, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "targets[0] is -1, expected 0 to 4");
  support_failed(iscp_session_input_gradient(session, image, &above, 1, gradient, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "targets[0] is 5");
  support_failed(iscp_session_input_gradient(session, image, &target, 1, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT,
                 "output");
  iscp_session_destroy(session);
  iscp_session_destroy(NULL);
  ck_assert_int_eq(iscp_session_memory(NULL), 0);
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

/* A network trained on B, G, R in [0,255] is, to its caller, one of R, G, B in [0,1]: held against the same weights with the
 * first convolution reversed by hand, under a contract of that range and order. */
START_TEST(order_and_range_are_the_networks_own) {
  iscp_context *context = support_context();
  iscp_contract plain = toy_contract(&small, SIDE, SIDE), foreign = plain;
  isc_tensor_set tensors;
  toy_tensors(&tensors, context, &small);
  iscp_model *models[2];
  models[0] = toy_model(context, &tensors, &plain);
  isc_tensor *stem = (isc_tensor *)isc_tensor_set_find(&tensors, "conv1.weight");
  int64_t plane = stem->shape[2] * stem->shape[3];
  float *weights = stem->data;
  for (int64_t o = 0; o < stem->shape[0]; o++)
    for (int64_t i = 0; i < plane; i++) {
      float *red = weights + o * 3 * plane + i, *blue = red + 2 * plane, swap = *red;
      *red = *blue;
      *blue = swap;
    }
  foreign.order = ISCP_ORDER_BGR;
  foreign.range = 255;
  for (int c = 0; c < 3; c++) {
    foreign.mean[c] = plain.mean[2 - c] * 255;
    foreign.std[c] = plain.std[2 - c] * 255;
  }
  models[1] = toy_model(context, &tensors, &foreign);
  static float images[IMAGES * NUMBERS], gradient[2][IMAGES * NUMBERS];
  float logits[2][IMAGES * CLASSES];
  const int32_t targets[IMAGES] = {0, 1, 2, 3, 4, 0, 1};
  fill_images(images);
  for (int m = 0; m < 2; m++) {
    iscp_session *session = make_session(models[m], 4, ISCP_SESSION_GRADIENT);
    ASSERT_OK(iscp_session_input_gradient(session, images, targets, IMAGES, gradient[m], NULL, logits[m]));
    iscp_session_destroy(session);
    iscp_model_destroy(models[m]);
  }
  /* mean * 255 / 255 may be off by a rounding: 1e-7 of the input, amplified by 18 layers. */
  ck_assert_double_lt(support_relative_l2(logits[0], logits[1], IMAGES * CLASSES), 1e-4);
  ck_assert_double_lt(support_relative_l2(gradient[0], gradient[1], IMAGES * NUMBERS), 1e-3);
  isc_tensor_set_release(&tensors, context);
  support_context_end(context);
}
END_TEST

/* Seven images through a batch of three are three calls of 3, 3 and 1. */
START_TEST(any_count_is_cut_into_batches) {
  iscp_context *context = support_context();
  iscp_model *model = make_model(context);
  iscp_session *session = make_session(model, 3, ISCP_SESSION_GRADIENT);
  static float images[IMAGES * NUMBERS], gradient[2][IMAGES * NUMBERS];
  float logits[2][IMAGES * CLASSES], losses[2][IMAGES], only[IMAGES * CLASSES];
  const int32_t targets[IMAGES] = {0, 1, 2, 3, 4, 0, 1};
  fill_images(images);
  ASSERT_OK(iscp_session_input_gradient(session, images, targets, IMAGES, gradient[0], losses[0], logits[0]));
  for (int start = 0; start < IMAGES; start += 3)
    ASSERT_OK(iscp_session_input_gradient(session, images + start * NUMBERS, targets + start, start < 6 ? 3 : 1,
                                          gradient[1] + start * NUMBERS, losses[1] + start,
                                          logits[1] + start * CLASSES));
  ck_assert_mem_eq(gradient[0], gradient[1], sizeof gradient[0]);
  ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
  ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
  for (int i = 0; i < IMAGES; i++)
    ck_assert(losses[0][i] == (float)isc_cross_entropy(NULL, logits[0] + i * CLASSES, CLASSES, targets[i]));
  ASSERT_OK(iscp_session_logits(session, images, IMAGES, only));
  ck_assert_mem_eq(only, logits[0], sizeof only);
  ASSERT_OK(iscp_session_input_gradient(session, images, targets, IMAGES, gradient[1], NULL, NULL));
  ck_assert_mem_eq(gradient[0], gradient[1], sizeof gradient[0]);
  iscp_session_destroy(session);
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

/* The gradient is of the pixels, not of the normalised input: the same network under a contract of mean 0, std 1, given
 * the normalised image, has a gradient that is std times as large. */
START_TEST(gradients_are_in_pixel_units) {
  iscp_context *context = support_context();
  iscp_contract contract = toy_contract(&small, SIDE, SIDE), plain = contract;
  for (int c = 0; c < 3; c++) {
    plain.mean[c] = 0;
    plain.std[c] = 1;
  }
  isc_tensor_set tensors;
  toy_tensors(&tensors, context, &small);
  iscp_model *models[2] = {toy_model(context, &tensors, &contract), toy_model(context, &tensors, &plain)};
  float images[2][NUMBERS], gradient[2][NUMBERS], logits[2][CLASSES];
  support_fill(images[0], NUMBERS, 0, 1, 8);
  isc_normalise(images[1], images[0], &contract);
  int32_t target = 2;
  for (int m = 0; m < 2; m++) {
    iscp_session *session = make_session(models[m], 1, ISCP_SESSION_GRADIENT);
    ASSERT_OK(iscp_session_input_gradient(session, images[m], &target, 1, gradient[m], NULL, logits[m]));
    iscp_session_destroy(session);
    iscp_model_destroy(models[m]);
  }
  ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
  for (int i = 0; i < NUMBERS; i++) {
    ck_assert(images[1][i] == (images[0][i] - contract.mean[i / SIDE / SIDE]) / contract.std[i / SIDE / SIDE]);
    ck_assert(gradient[0][i] == gradient[1][i] / contract.std[i / SIDE / SIDE]);
  }
  isc_tensor_set_release(&tensors, context);
  support_context_end(context);
}
END_TEST

/* ---- Threads and processes ---- */

static void *try_logits(void *session) {
  float image[NUMBERS] = {0}, logits[CLASSES];
  iscp_status status = iscp_session_logits(session, image, 1, logits);
  return (void *)(intptr_t)(status == ISCP_ERROR_BUSY && strstr(iscp_error_message(), "another thread") ? 1 : 0);
}

START_TEST(a_session_serves_one_thread_at_a_time) {
  iscp_context *context = support_context();
  iscp_model *model = make_model(context);
  iscp_session *session = make_session(model, 1, ISCP_SESSION_INFERENCE);
  float image[NUMBERS] = {0}, logits[CLASSES];
  isc_compute compute;
  pthread_t thread;
  void *refused;
  ASSERT_OK(isc_session_enter(session, &compute));
  ck_assert_int_eq(pthread_create(&thread, NULL, try_logits, session), 0);
  ck_assert_int_eq(pthread_join(thread, &refused), 0);
  ck_assert_msg(refused != NULL, "a second thread was let in");
  support_failed(iscp_session_logits(session, image, 1, logits), ISCP_ERROR_BUSY, "in use");
  isc_session_leave(session, &compute);
  ASSERT_OK(iscp_session_logits(session, image, 1, logits));
  iscp_session_destroy(session);
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

typedef struct worker {
  const iscp_model *model;
  const float *images;
  float logits[IMAGES * CLASSES];
  iscp_status status;
} worker;

static void *work(void *user) {
  worker *w = user;
  iscp_session *session;
  w->status = iscp_session_create(&session, w->model, 2, ISCP_SESSION_INFERENCE);
  for (int turn = 0; turn < 3 && w->status == ISCP_OK; turn++)
    w->status = iscp_session_logits(session, w->images, IMAGES, w->logits);
  if (w->status == ISCP_OK)
    iscp_session_destroy(session);
  return NULL;
}

START_TEST(threads_share_a_model) {
  enum { THREADS = 3 };
  iscp_context *context = support_context();
  iscp_model *model = make_model(context);
  static float images[IMAGES * NUMBERS];
  fill_images(images);
  worker alone = {.model = model, .images = images}, workers[THREADS];
  pthread_t threads[THREADS];
  work(&alone);
  ASSERT_OK(alone.status);
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){.model = model, .images = images};
    ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ASSERT_OK(workers[i].status);
    ck_assert_mem_eq(workers[i].logits, alone.logits, sizeof alone.logits);
  }
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

/* The pools of threads do not survive fork: a child that would hang is told so instead. */
START_TEST(a_forked_child_is_refused) {
  iscp_context *context = support_context();
  iscp_model *model = make_model(context);
  iscp_session *session = make_session(model, 1, ISCP_SESSION_INFERENCE), *other;
  float image[NUMBERS] = {0}, logits[CLASSES];
  ASSERT_OK(iscp_session_logits(session, image, 1, logits));
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    int refused = iscp_session_logits(session, image, 1, logits) == ISCP_ERROR_BUSY &&
                  strstr(iscp_error_message(), "after fork") &&
                  iscp_session_create(&other, model, 1, ISCP_SESSION_INFERENCE) == ISCP_ERROR_BUSY && !other;
    _exit(refused ? 0 : 1);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status));
  ck_assert_int_eq(WEXITSTATUS(status), 0);
  ASSERT_OK(iscp_session_logits(session, image, 1, logits)); /* the parent goes on */
  iscp_session_destroy(session);
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

/* ---- Memory and life ---- */

static atomic_llong bytes_held;
static atomic_int blocks_held;

static void *count_bytes(size_t bytes, void *user) {
  (void)user;
  size_t *memory = malloc(bytes + 64);
  *memory = bytes;
  atomic_fetch_add(&bytes_held, (long long)bytes);
  atomic_fetch_add(&blocks_held, 1);
  return (char *)memory + 64;
}

static void uncount_bytes(void *memory, void *user) {
  (void)user;
  size_t *start = (size_t *)(void *)((char *)memory - 64);
  atomic_fetch_sub(&bytes_held, (long long)*start);
  atomic_fetch_sub(&blocks_held, 1);
  free(start);
}

/* What the session tells is what the allocator gave, but for the padding of each block and the objects around them. */
static void check_memory(const iscp_model *model, int32_t batch, int32_t purpose) {
  long long bytes = atomic_load(&bytes_held);
  int blocks = atomic_load(&blocks_held);
  iscp_session *session = make_session(model, batch, purpose);
  bytes = atomic_load(&bytes_held) - bytes;
  blocks = atomic_load(&blocks_held) - blocks;
  ck_assert_int_le(iscp_session_memory(session), bytes);
  ck_assert_int_ge(iscp_session_memory(session), bytes - 2048 * blocks);
  iscp_session_destroy(session);
}

START_TEST(memory_is_what_is_taken) {
  iscp_context_options options;
  iscp_context *context;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.allocate = count_bytes;
  options.release = uncount_bytes;
  for (int32_t backend = ISCP_BACKEND_AUTO; backend <= ISCP_BACKEND_BLAS; backend += 2) {
    options.backend = backend;
    ASSERT_OK(iscp_context_create(&context, &options));
    iscp_model *model = make_model(context);
    check_memory(model, 1, ISCP_SESSION_INFERENCE);
    check_memory(model, 8, ISCP_SESSION_GRADIENT);
    iscp_session *inference = make_session(model, 8, ISCP_SESSION_INFERENCE);
    iscp_session *gradient = make_session(model, 8, ISCP_SESSION_GRADIENT);
    ck_assert_int_lt(iscp_session_memory(inference), iscp_session_memory(gradient));
    iscp_session_destroy(inference);
    iscp_session_destroy(gradient);
    iscp_model_destroy(model);
    iscp_context_destroy(context);
    ck_assert_int_eq(atomic_load(&bytes_held), 0);
  }
}
END_TEST

/* All memory of a step is taken when the session is made. */
START_TEST(running_takes_no_memory) {
  iscp_context *context = support_context();
  iscp_model *model = make_model(context);
  iscp_session *session = make_session(model, 2, ISCP_SESSION_GRADIENT);
  static float images[IMAGES * NUMBERS], gradient[IMAGES * NUMBERS];
  const int32_t targets[IMAGES] = {0};
  fill_images(images);
  long before = support_allocations();
  ASSERT_OK(iscp_session_input_gradient(session, images, targets, IMAGES, gradient, NULL, NULL));
  ck_assert_int_eq(support_allocations(), before);
  iscp_session_destroy(session);
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

START_TEST(a_session_outlives_model_and_context_handle) {
  iscp_context *context;
  ASSERT_OK(iscp_context_create(&context, NULL));
  iscp_model *model = make_model(context);
  iscp_session *session = make_session(model, 1, ISCP_SESSION_INFERENCE);
  iscp_context_destroy(context);
  iscp_model_destroy(model);
  float image[NUMBERS] = {0}, logits[CLASSES];
  ASSERT_OK(iscp_session_logits(session, image, 1, logits));
  iscp_session_destroy(session);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("session");
  TCase *calls = tcase_create("calls"), *threads = tcase_create("threads"), *memory = tcase_create("memory");
  tcase_add_test(calls, wrong_calls_are_refused);
  tcase_add_test(calls, any_count_is_cut_into_batches);
  tcase_add_test(calls, gradients_are_in_pixel_units);
  tcase_add_test(calls, order_and_range_are_the_networks_own);
  tcase_add_test(threads, a_session_serves_one_thread_at_a_time);
  tcase_add_test(threads, threads_share_a_model);
  tcase_add_test(threads, a_forked_child_is_refused);
  tcase_add_test(memory, memory_is_what_is_taken);
  tcase_add_test(memory, running_takes_no_memory);
  tcase_add_test(memory, a_session_outlives_model_and_context_handle);
  suite_add_tcase(suite, calls);
  suite_add_tcase(suite, threads);
  suite_add_tcase(suite, memory);
  return support_run(suite);
}
