/* lib/attack: universal perturbations. Steps of sgd by hand from a session's gradients, the count of the fooled by the
 * evaluation, cancelling everywhere, a bound of memory, wrong arguments. DeepFool's own numbers are compared with PyTorch
 * (test/oracle).
 *
 * Linked with --wrap=clock_gettime, so that every step is told, as search_cancel is. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "data/data.h"
#include "support.h"
#include "toy.h"

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now) {
  static long looks;
  int status = __real_clock_gettime(clock, now);
  now->tv_sec += ++looks;
  return status;
}

enum { IMAGES = 40, TARGET = 2 };

static iscp_uap_options options_of(int32_t method) {
  iscp_uap_options options;
  ASSERT_OK(iscp_uap_options_init(&options, sizeof options));
  options.method = method;
  options.eps = 0.25;
  options.seed = 3;
  options.epochs = 2;
  options.batch = 7; /* does not divide anything */
  return options;
}

static iscp_uap *make(const toy_world *world, const iscp_uap_options *options) {
  iscp_uap *uap;
  ASSERT_OK(iscp_uap_create(&uap, world->model, world->dataset, TARGET, options));
  return uap;
}

static iscp_uap_info info_of(const iscp_uap *uap) {
  iscp_uap_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_uap_get_info(uap, &info));
  return info;
}

/* ---- sgd by hand ---- */

/* The sum over all images of other classes of the gradient at clip(x + v), none where x + v is cut off, none of an image whose
 * loss is above `clamp`. Returns how many images had a say. */
static int sum_gradients(double sum[TOY_NUMBERS], const toy_world *world, const float v[TOY_NUMBERS], double clamp) {
  iscp_session *session;
  int heard = 0;
  ASSERT_OK(iscp_session_create(&session, world->model, 1, ISCP_SESSION_GRADIENT));
  memset(sum, 0, TOY_NUMBERS * sizeof *sum);
  for (int64_t i = 0; i < IMAGES; i++) {
    float image[TOY_NUMBERS], moved[TOY_NUMBERS], gradient[TOY_NUMBERS], loss;
    if (iscp_dataset_label(world->dataset, i) == TARGET)
      continue;
    ASSERT_OK(iscp_dataset_image(world->dataset, i, image));
    for (int k = 0; k < TOY_NUMBERS; k++)
      moved[k] = fminf(fmaxf(image[k] + v[k], 0), 1);
    ASSERT_OK(iscp_session_input_gradient(session, moved, &(int32_t){TARGET}, 1, gradient, &loss, NULL));
    heard += loss <= clamp;
    for (int k = 0; k < TOY_NUMBERS && loss <= clamp; k++)
      if (image[k] + v[k] >= 0 && image[k] + v[k] <= 1)
        sum[k] += gradient[k];
  }
  iscp_session_destroy(session);
  return heard;
}

/* One step of `size` from v by hand. A sum that is nearly nothing beside the largest has a sign of rounding: not compared. */
static void check_step(const toy_world *world, const float before[TOY_NUMBERS], const float *after, double size, double clamp) {
  double sum[TOY_NUMBERS], largest = 0;
  int heard = sum_gradients(sum, world, before, clamp), compared = 0;
  ck_assert_int_gt(heard, 0);
  for (int k = 0; k < TOY_NUMBERS; k++)
    largest = fmax(largest, fabs(sum[k]));
  for (int k = 0; k < TOY_NUMBERS; k++) {
    if (sum[k] != 0 && fabs(sum[k]) < 1e-5 * largest)
      continue;
    float step = (float)(sum[k] > 0 ? -size : sum[k] < 0 ? size : 0);
    ck_assert_msg(after[k] == fminf(fmaxf(before[k] + step, -0.25f), 0.25f), "v[%d] is %g after a sum of %g", k,
                  (double)after[k], sum[k]);
    compared++;
  }
  ck_assert_int_gt(compared, TOY_NUMBERS * 9 / 10);
}

static int stop_at_once(const iscp_progress *progress, void *user) {
  (void)progress, (void)user;
  return 1;
}

/* Stopped behind each step, which is an epoch here. */
START_TEST(sgd_takes_the_steps_of_the_formula) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_uap_options options = options_of(ISCP_UAP_SGD);
  options.batch = IMAGES;
  options.step = 0.1;
  options.epochs = 4;
  float before[TOY_NUMBERS] = {0};
  iscp_uap *uap = make(&world, &options);
  for (int step = 0; step < 4; step++) {
    support_failed(iscp_uap_run(uap, stop_at_once, NULL), ISCP_ERROR_CANCELLED, "cancelled during uap");
    ck_assert_int_eq(info_of(uap).steps, step + 1);
    check_step(&world, before, iscp_uap_perturbation(uap), 0.1 * (1 - step / 4.0), 12);
    memcpy(before, iscp_uap_perturbation(uap), sizeof before);
  }
  iscp_uap_destroy(uap);
  toy_world_destroy(&world);
}
END_TEST

/* The size falls with each minibatch, not with each epoch. */
START_TEST(the_last_step_of_sgd_is_the_smallest) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_uap_options options = options_of(ISCP_UAP_SGD);
  options.step = 0.02; /* never comes to the bound */
  float before[TOY_NUMBERS] = {0};
  iscp_uap *uap = make(&world, &options);
  int32_t minibatches = (int32_t)(info_of(uap).images + 6) / 7;
  ck_assert_int_gt(minibatches, 3);
  for (int step = 0; step < 2 * minibatches; step++) {
    support_failed(iscp_uap_run(uap, stop_at_once, NULL), ISCP_ERROR_CANCELLED, "cancelled during uap");
    float largest = 0;
    for (int k = 0; k < TOY_NUMBERS; k++)
      largest = fmaxf(largest, fabsf(iscp_uap_perturbation(uap)[k] - before[k]));
    ck_assert_float_eq_tol(largest, 0.02f * (1 - (float)step / (float)(2 * minibatches)), 1e-6f); /* of sums of float32 */
    memcpy(before, iscp_uap_perturbation(uap), sizeof before);
  }
  iscp_uap_destroy(uap);
  toy_world_destroy(&world);
}
END_TEST

/* A clamp that silences all images: said, not a perturbation of zero. */
START_TEST(a_clamp_that_silences_all_is_refused) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_uap_options options = options_of(ISCP_UAP_SGD);
  options.loss_clamp = 1e-6;
  iscp_uap *uap = make(&world, &options);
  for (int again = 0; again < 2; again++) {
    support_failed(iscp_uap_run(uap, NULL, NULL), ISCP_ERROR_ARGUMENT, "loss_clamp is 1e-06");
    ck_assert_int_eq(info_of(uap).finished, 0);
  }
  iscp_uap_destroy(uap);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(an_image_beyond_the_clamp_has_no_say) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_uap_options options = options_of(ISCP_UAP_SGD);
  options.batch = IMAGES;
  options.step = 0.1;
  options.epochs = 1;
  options.loss_clamp = 1.5;
  float zero[TOY_NUMBERS] = {0};
  double sum[TOY_NUMBERS];
  int heard = sum_gradients(sum, &world, zero, 1.5), all = sum_gradients(sum, &world, zero, INFINITY);
  ck_assert_msg(heard > 0 && heard < all, "%d of %d images are below the clamp, expected some", heard, all);
  iscp_uap *uap = make(&world, &options);
  ASSERT_OK(iscp_uap_run(uap, NULL, NULL));
  check_step(&world, zero, iscp_uap_perturbation(uap), 0.1, 1.5);
  iscp_uap_destroy(uap);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Both methods ---- */

/* The count is what the evaluation finds of the pattern, on the images that it was crafted on. */
static void check_judged(const toy_world *world, const iscp_uap *uap, int32_t images, double fraction) {
  iscp_evaluate_options options;
  ASSERT_OK(iscp_evaluate_options_init(&options, sizeof options));
  options.images = images;
  options.fraction = fraction;
  options.seed = 3;
  iscp_evaluation *evaluation;
  iscp_pattern *pattern;
  iscp_power power = {.struct_size = sizeof power};
  ASSERT_OK(iscp_evaluation_create(&evaluation, world->model, world->dataset, &options, NULL, NULL));
  ASSERT_OK(iscp_uap_pattern(&pattern, uap, 1));
  ASSERT_OK(iscp_evaluation_power(evaluation, pattern, &power, NULL, NULL));
  iscp_uap_info info = info_of(uap);
  ck_assert_int_eq(info.finished, 1);
  ck_assert_int_eq(info.images, power.nontarget);
  ck_assert_int_eq(info.fooled, power.nontarget_hits);
  ck_assert_int_gt(info.fooled, power.nontarget_clean);
  ck_assert(info.asr == power.asr && info.asr_low == power.asr_low && info.asr_high == power.asr_high);
  iscp_pattern_destroy(pattern);
  iscp_evaluation_destroy(evaluation);
}

START_TEST(the_fooled_are_those_of_the_evaluation) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  for (int32_t method = ISCP_UAP_SGD; method <= ISCP_UAP_DEEPFOOL; method++)
    for (int part = 0; part < 2; part++) {
      iscp_uap_options options = options_of(method);
      options.fraction = part ? 0.5 : 1;
      iscp_uap *uap = make(&world, &options);
      ASSERT_OK(iscp_uap_run(uap, NULL, NULL));
      for (int k = 0; k < TOY_NUMBERS; k++)
        ck_assert(fabsf(iscp_uap_perturbation(uap)[k]) <= 0.25f);
      check_judged(&world, uap, part ? ISCP_IMAGES_SEARCHED : ISCP_IMAGES_ALL, options.fraction);
      iscp_uap_destroy(uap);
    }
  toy_world_destroy(&world);
}
END_TEST

START_TEST(deepfool_stops_when_enough_are_fooled) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_uap_options options = options_of(ISCP_UAP_DEEPFOOL);
  options.eps = 1;
  options.epochs = 20;
  options.stop = 0.9;
  iscp_uap *uap = make(&world, &options);
  ASSERT_OK(iscp_uap_run(uap, NULL, NULL));
  iscp_uap_info info = info_of(uap);
  ck_assert_msg(info.asr >= 0.9 && info.epochs < 20, "an ASR of %g after %d epochs", info.asr, info.epochs);
  iscp_uap_destroy(uap);
  toy_world_destroy(&world);
}
END_TEST

typedef struct watcher {
  int calls;
  bool cancel; /* at each call */
  int64_t total, last;
  iscp_uap *uap;
} watcher;

static int watch(const iscp_progress *progress, void *user) {
  watcher *w = user;
  ck_assert_str_eq(progress->stage, "uap");
  ck_assert(progress->done >= w->last && progress->done <= progress->total);
  ck_assert(!w->total || w->total == progress->total);
  w->last = progress->done;
  w->total = progress->total;
  w->calls++;
  ck_assert_int_eq(iscp_uap_run(w->uap, NULL, NULL), ISCP_ERROR_BUSY);
  return w->cancel;
}

/* Stopped behind each step, it goes on to the same bytes. */
START_TEST(cancelled_everywhere_it_comes_out_the_same) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  for (int32_t method = ISCP_UAP_SGD; method <= ISCP_UAP_DEEPFOOL; method++) {
    iscp_uap_options options = options_of(method);
    iscp_uap *whole = make(&world, &options), *pieces = make(&world, &options);
    watcher free_run = {.uap = whole}, stopped = {.uap = pieces, .cancel = true};
    ASSERT_OK(iscp_uap_run(whole, watch, &free_run));
    ck_assert_int_eq(free_run.last, free_run.total);
    int cancels = 0;
    iscp_status status;
    while ((status = iscp_uap_run(pieces, watch, &stopped)) != ISCP_OK) {
      support_failed(status, ISCP_ERROR_CANCELLED, "cancelled during uap");
      ck_assert_int_le(++cancels, free_run.calls);
    }
    ck_assert_int_eq(stopped.calls, free_run.calls);
    ck_assert_int_gt(cancels, 10);
    ck_assert_mem_eq(iscp_uap_perturbation(whole), iscp_uap_perturbation(pieces), TOY_NUMBERS * sizeof(float));
    ck_assert_int_eq(info_of(whole).fooled, info_of(pieces).fooled);
    ck_assert_int_eq(info_of(whole).steps, info_of(pieces).steps);
    ASSERT_OK(iscp_uap_run(whole, watch, &free_run)); /* does nothing */
    ck_assert_int_eq(stopped.calls, free_run.calls);
    iscp_uap_destroy(whole);
    iscp_uap_destroy(pieces);
  }
  toy_world_destroy(&world);
}
END_TEST

START_TEST(the_options_in_force_are_told) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_uap *uap = make(&world, NULL);
  iscp_uap_options options = {.struct_size = sizeof options};
  ASSERT_OK(iscp_uap_get_options(uap, &options));
  ck_assert(options.eps == 8.0 / 255 && options.step == 0.8 * 8 / 255 && options.fraction == 1);
  ck_assert(options.method == ISCP_UAP_SGD && options.epochs == 10 && options.batch == 64);
  iscp_pattern *pattern;
  support_failed(iscp_uap_pattern(&pattern, uap, 1), ISCP_ERROR_ARGUMENT, "zero throughout"); /* it has not begun */
  support_failed(iscp_uap_pattern(&pattern, uap, NAN), ISCP_ERROR_ARGUMENT, "size is");
  support_failed(iscp_uap_pattern(&pattern, NULL, 1), ISCP_ERROR_ARGUMENT, "uap is NULL");
  ck_assert_ptr_null(pattern);
  ck_assert_ptr_null(iscp_uap_perturbation(NULL));
  iscp_uap_destroy(uap);
  iscp_uap_destroy(NULL);
  toy_world_destroy(&world);
}
END_TEST

/* v of a toy network after two steps of 20 images, within `memory` bytes (0 = no bound), and what passes of 1 and of 3 images
 * take. */
static iscp_status craft_within(float v[TOY_NUMBERS], int64_t need[4], int64_t memory, int32_t method) {
  static const toy small = {18, 8, ISCP_STEM_CIFAR, TOY_CHANNELS, TOY_CLASSES, 5};
  static uint8_t pixels[20 * TOY_NUMBERS];
  static const int32_t labels[20] = {0, 1, 3, 0, 1, 3, 0, 1, 3, 0, 1, 3, 0, 1, 3, 0, 1, 3, 0, 1};
  for (int i = 0; i < 20 * TOY_NUMBERS; i++)
    pixels[i] = (uint8_t)(i * 7919 % 251);
  iscp_context_options context_options;
  iscp_context *context;
  ASSERT_OK(iscp_context_options_init(&context_options, sizeof context_options));
  context_options.memory = memory;
  ASSERT_OK(iscp_context_create(&context, &context_options));
  isc_tensor_set tensors;
  iscp_contract contract = toy_contract(&small, TOY_SIDE, TOY_SIDE);
  toy_tensors(&tensors, context, &small);
  iscp_model *model = toy_model(context, &tensors, &contract);
  iscp_dataset_options data_options;
  ASSERT_OK(iscp_dataset_options_init(&data_options, sizeof data_options));
  data_options.contract = &contract;
  data_options.classes = TOY_CLASSES;
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, labels, 20, TOY_SIDE, TOY_SIDE, TOY_CHANNELS, &data_options));
  for (int32_t batch = 1; batch <= 3; batch++)
    ASSERT_OK(iscp_session_foretell(&need[batch], model, batch, ISCP_SESSION_GRADIENT));
  iscp_uap_options options = options_of(method);
  options.batch = 20;
  iscp_uap *uap;
  iscp_status status = iscp_uap_create(&uap, model, dataset, TARGET, &options);
  if (status == ISCP_OK) {
    ASSERT_OK(iscp_uap_run(uap, NULL, NULL));
    memcpy(v, iscp_uap_perturbation(uap), TOY_NUMBERS * sizeof *v);
  }
  iscp_uap_destroy(uap);
  iscp_dataset_destroy(dataset);
  iscp_model_destroy(model);
  isc_tensor_set_release(&tensors, context);
  iscp_context_destroy(context);
  return status;
}

/* A batch in several passes is the same batch: sums differ by rounding alone, which may turn a sign here and there (sgd), and r in
 * its last digits (deepfool). */
START_TEST(memory_is_bounded) {
  float whole[TOY_NUMBERS], passes[TOY_NUMBERS];
  int64_t need[4];
  for (int32_t method = ISCP_UAP_SGD; method <= ISCP_UAP_DEEPFOOL; method++) {
    int same = 0;
    ASSERT_OK(craft_within(whole, need, 0, method));
    support_failed(craft_within(passes, need, need[1] - 1, method), ISCP_ERROR_MEMORY, "one image a pass needs");
    int64_t own = (20 + 20 + 4) * TOY_NUMBERS * (int64_t)sizeof(float);
    ASSERT_OK(craft_within(passes, need, need[3] + own, method));
    for (int k = 0; k < TOY_NUMBERS; k++)
      same += fabsf(whole[k] - passes[k]) < 1e-3f;
    ck_assert_msg(same >= TOY_NUMBERS * 95 / 100, "%d of %d numbers are the same", same, TOY_NUMBERS);
  }
}
END_TEST

/* ---- Wrong arguments ---- */

static void refuse(const toy_world *world, int32_t target, const iscp_uap_options *options, const char *words) {
  iscp_uap *uap = (iscp_uap *)world;
  support_failed(iscp_uap_create(&uap, world->model, world->dataset, target, options), ISCP_ERROR_ARGUMENT, words);
  ck_assert_ptr_null(uap);
}

#define REFUSE(field, value, words)                        \
  do {                                                     \
    iscp_uap_options wrong = options_of(ISCP_UAP_SGD);     \
    wrong.field = value;                                   \
    refuse(&world, TARGET, &wrong, words);                 \
  } while (0)

START_TEST(wrong_arguments_are_refused) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  refuse(&world, -1, NULL, "class -1 is out of range, expected 0 to 3");
  refuse(&world, TOY_CLASSES, NULL, "class 4 is out of range");
  REFUSE(method, 3, "method is 3");
  REFUSE(eps, 0, "eps is 0");
  REFUSE(eps, NAN, "eps is nan");
  REFUSE(eps, 1.5, "eps is 1.5");
  REFUSE(step, -0.1, "step is -0.1");
  REFUSE(step, NAN, "step is nan");
  REFUSE(fraction, 0, "fraction is 0");
  REFUSE(epochs, -1, "epochs is -1");
  REFUSE(batch, 4097, "batch is 4097");
  REFUSE(loss_clamp, NAN, "loss_clamp is nan");
  REFUSE(overshoot, 2, "overshoot is 2");
  REFUSE(inner_steps, 0, "inner_steps is 0");
  REFUSE(stop, 0, "stop is 0");
  iscp_uap *uap;
  support_failed(iscp_uap_create(NULL, world.model, world.dataset, 0, NULL), ISCP_ERROR_ARGUMENT, "out is NULL");
  support_failed(iscp_uap_create(&uap, NULL, world.dataset, 0, NULL), ISCP_ERROR_ARGUMENT, "model is NULL");
  support_failed(iscp_uap_create(&uap, world.model, NULL, 0, NULL), ISCP_ERROR_ARGUMENT, "dataset is NULL");
  support_failed(iscp_uap_run(NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "uap is NULL");
  iscp_uap_options small = {.struct_size = 8};
  support_failed(iscp_uap_create(&uap, world.model, world.dataset, 0, &small), ISCP_ERROR_ABI, "iscp_uap_options");
  toy_world_destroy(&world);
}
END_TEST

/* A set that has images of the target class alone. */
START_TEST(there_must_be_images_of_other_classes) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  static const uint8_t pixels[2 * TOY_NUMBERS];
  iscp_dataset_options options;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = iscp_model_contract(world.model);
  options.classes = TOY_CLASSES;
  iscp_dataset_destroy(world.dataset);
  ASSERT_OK(iscp_dataset_from_memory(&world.dataset, world.context, pixels, ((int32_t[]){TARGET, TARGET}), 2, TOY_SIDE,
                                     TOY_SIDE, TOY_CHANNELS, &options));
  refuse(&world, TARGET, NULL, "no image to craft class 2 on");
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("uap");
  TCase *uap = tcase_create("uap");
  tcase_set_timeout(uap, 60);
  tcase_add_test(uap, sgd_takes_the_steps_of_the_formula);
  tcase_add_test(uap, the_last_step_of_sgd_is_the_smallest);
  tcase_add_test(uap, an_image_beyond_the_clamp_has_no_say);
  tcase_add_test(uap, a_clamp_that_silences_all_is_refused);
  tcase_add_test(uap, the_fooled_are_those_of_the_evaluation);
  tcase_add_test(uap, deepfool_stops_when_enough_are_fooled);
  tcase_add_test(uap, cancelled_everywhere_it_comes_out_the_same);
  tcase_add_test(uap, the_options_in_force_are_told);
  tcase_add_test(uap, memory_is_bounded);
  tcase_add_test(uap, wrong_arguments_are_refused);
  tcase_add_test(uap, there_must_be_images_of_other_classes);
  suite_add_tcase(suite, uap);
  return support_run(suite);
}
