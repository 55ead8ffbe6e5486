/* Whole networks in training: one backend against the other, the gradient against the loss's change along it, the same bytes
 * from the same step, and parameters that come out as they went in. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/nn.h"
#include "support.h"
#include "toy.h"

enum { BATCH = 8, CLASSES = 7 };

typedef struct network_case {
  toy t;
  int32_t height, width;
} network_case;

static const network_case cases[] = {{{18, 8, ISCP_STEM_IMAGENET, 3, CLASSES, 1}, 33, 29},
                                     {{18, 16, ISCP_STEM_CIFAR, 1, CLASSES, 2}, 13, 9},
                                     {{34, 8, ISCP_STEM_CIFAR, 3, CLASSES, 3}, 16, 11},
                                     {{50, 8, ISCP_STEM_CIFAR, 3, CLASSES, 6}, 9, 12},
                                     {{50, 16, ISCP_STEM_IMAGENET, 3, CLASSES, 5}, 64, 64},
                                     {{50, 5, ISCP_STEM_CIFAR, 3, CLASSES, 10}, 8, 10}};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct runner {
  iscp_context *context;
  isc_network *network;
  isc_training *training;
  isc_compute compute;
} runner;

static runner make_runner(const network_case *c, int32_t backend, bool attacked) {
  runner r = {0};
  iscp_context_options options;
  isc_tensor_set tensors;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.backend = backend;
  options.threads = 2;
  ASSERT_OK(iscp_context_create(&r.context, &options));
  toy_tensors(&tensors, r.context, &c->t);
  ASSERT_OK(isc_network_create(&r.network, r.context, &tensors));
  ASSERT_OK(isc_compute_enter(r.context, &r.compute));
  ASSERT_OK(isc_training_create(&r.training, r.network, BATCH, c->height, c->width, attacked));
  support_fill(isc_training_src(r.training), (size_t)(BATCH * c->t.channels * c->height * c->width), -2, 2, 77);
  return r;
}

static void release_runner(runner *r) {
  isc_training_destroy(r->training);
  isc_compute_leave(&r->compute);
  isc_network_drop(r->network);
  iscp_context_destroy(r->context);
}

/* The mean cross-entropy, whose gradient goes into diff_logits. */
static double loss(const runner *r) {
  double sum = 0;
  ASSERT_OK(isc_training_forward(r->training));
  float *diff = isc_training_diff_logits(r->training);
  for (int32_t n = 0; n < BATCH; n++)
    sum += isc_cross_entropy(diff + n * CLASSES, isc_training_logits(r->training) + n * CLASSES, CLASSES, n % CLASSES);
  for (int32_t i = 0; i < BATCH * CLASSES; i++)
    diff[i] /= BATCH;
  return sum / BATCH;
}

static float *plain_gradient(const runner *r, int32_t index, size_t *count) {
  isc_parameter p;
  isc_training_parameter(&p, r->training, index);
  *count = 1;
  for (int32_t d = 0; d < p.dims; d++)
    *count *= (size_t)p.shape[d];
  float *plain = malloc(*count * sizeof *plain);
  ASSERT_OK(isc_training_unpack(r->training, index, plain, p.gradient ? p.gradient : p.numbers));
  return plain;
}

/* Rounding of 1e-7 passes through up to 100 layers and back, and grows on its way in networks of random weights: some 1e-5 of a
 * gradient. Where a ReLU's input is 0 to within rounding its decision may differ, and with it all gradients behind it, by a share
 * of the order of one number of 8 images; a tenth of all gradients may meet it. What a wrong term changes is 10 % and more. */
START_TEST(backends_agree) {
  int seen = 0, off = 0;
  for (int i = 0; i < CASES; i++) {
    runner a = make_runner(&cases[i], ISCP_BACKEND_AUTO, false), b = make_runner(&cases[i], ISCP_BACKEND_BLAS, false);
    double one = loss(&a), other = loss(&b);
    ck_assert_msg(fabs(one - other) <= 1e-5 * other, "losses %.8g and %.8g", one, other);
    ASSERT_OK(isc_training_backward(a.training, false));
    ASSERT_OK(isc_training_backward(b.training, false));
    for (int32_t p = 0; p < isc_training_parameters(a.training); p++, seen++) {
      size_t count;
      float *x = plain_gradient(&a, p, &count), *y = plain_gradient(&b, p, &count);
      double difference = support_relative_l2(x, y, count);
      ck_assert_msg(difference <= 0.05, "case %d, parameter %d: gradients differ by %.3g", i, p, difference);
      off += difference > 1e-4;
      free(x), free(y);
    }
    release_runner(&a);
    release_runner(&b);
  }
  ck_assert_msg(10 * off <= seen, "%d of %d gradients differ", off, seen);
}
END_TEST

/* Moves every trained number by step * its gradient; the squares of gradients, summed. */
static double move(const runner *r, double step) {
  double squares = 0;
  for (int32_t i = 0; i < isc_training_parameters(r->training); i++) {
    isc_parameter p;
    isc_training_parameter(&p, r->training, i);
    for (int64_t j = 0; p.gradient && j < p.count; j++) {
      p.numbers[j] += (float)(step * p.gradient[j]);
      squares += (double)p.gradient[j] * p.gradient[j];
    }
  }
  return squares;
}

/* L(w + h g) - L(w - h g) = 2 h |g|^2 for a small h: one that changes the loss by 2e-3 of it, so that float32's rounding (1e-6 of
 * the loss) is 1e-3 of the change, and curvature, of odd order only, less than a percent. ReLUs that change sides bend it too: 3 %
 * is let pass, and a term left out of a gradient shows by more. The running statistics take no part. */
START_TEST(gradient_is_the_change_of_the_loss) {
  static const int32_t backends[] = {ISCP_BACKEND_AUTO, ISCP_BACKEND_BLAS};
  for (int i = 0; i < 2 * CASES; i++) {
    runner r = make_runner(&cases[i / 2], backends[i % 2], false);
    double here = loss(&r);
    ASSERT_OK(isc_training_backward(r.training, false));
    double squares = move(&r, 0), h = 1e-3 * here / squares;
    move(&r, h);
    double above = loss(&r);
    move(&r, -2 * h);
    double below = loss(&r);
    ck_assert_msg(fabs((above - below) / (2 * h * squares) - 1) <= 0.03, "case %d: slope %.6g, expected %.6g", i / 2,
                  (above - below) / (2 * h), squares);
    release_runner(&r);
  }
}
END_TEST

START_TEST(a_step_has_the_same_bytes) {
  static const int32_t backends[] = {ISCP_BACKEND_AUTO, ISCP_BACKEND_BLAS};
  for (int i = 0; i < 2; i++) {
    runner r = make_runner(&cases[3], backends[i], false), s = make_runner(&cases[3], backends[i], false);
    ck_assert_double_eq(loss(&r), loss(&s));
    ASSERT_OK(isc_training_backward(r.training, false));
    ASSERT_OK(isc_training_backward(s.training, false));
    for (int32_t p = 0; p < isc_training_parameters(r.training); p++) {
      size_t count;
      float *x = plain_gradient(&r, p, &count), *y = plain_gradient(&s, p, &count);
      ck_assert_mem_eq(x, y, count * sizeof *x);
      free(x), free(y);
    }
    release_runner(&r);
    release_runner(&s);
  }
}
END_TEST

/* Two backward passes of one forward are twice the gradient, to the rounding of sums that go on where the first ended. */
START_TEST(gradients_add_up) {
  runner r = make_runner(&cases[1], ISCP_BACKEND_AUTO, false);
  loss(&r);
  ASSERT_OK(isc_training_backward(r.training, false));
  size_t count;
  float *once[200], *twice;
  int32_t parameters = isc_training_parameters(r.training);
  ck_assert_int_lt(parameters, 200);
  for (int32_t p = 0; p < parameters; p++)
    once[p] = plain_gradient(&r, p, &count);
  ASSERT_OK(isc_training_backward(r.training, true));
  for (int32_t p = 0; p < parameters; p++) {
    isc_parameter what;
    isc_training_parameter(&what, r.training, p);
    twice = plain_gradient(&r, p, &count);
    for (size_t i = 0; i < count; i++)
      once[p][i] *= what.gradient ? 2 : 1;
    ck_assert_double_le(support_relative_l2(twice, once[p], count), 1e-6);
    free(twice), free(once[p]);
  }
  release_runner(&r);
}
END_TEST

START_TEST(parameters_come_out_as_they_went_in) {
  for (int i = 0; i < CASES; i++) {
    runner r = make_runner(&cases[i], ISCP_BACKEND_AUTO, false);
    const isc_tensor_set *before = isc_network_tensors(r.network);
    isc_tensor_set after = {0};
    ASSERT_OK(isc_training_tensors(&after, r.training));
    for (size_t j = 0; j < after.count; j++) {
      const isc_tensor *tensor = isc_tensor_set_find(before, after.items[j].name);
      ck_assert_ptr_nonnull(tensor);
      ck_assert_mem_eq(tensor->data, after.items[j].data, isc_tensor_bytes(tensor));
    }
    isc_network *again; /* nothing is missing */
    ASSERT_OK(isc_network_create(&again, r.context, &after));
    isc_network_drop(again);
    release_runner(&r);
  }
}
END_TEST

/* ---- The network as it would be ---- */

/* A frozen network of the parameters of now, on the same images. */
static isc_plan *make_frozen(isc_network **network, const runner *r, const network_case *c) {
  isc_tensor_set tensors = {0};
  isc_plan *plan;
  const isc_plan_form form = {.batch = BATCH, .height = c->height, .width = c->width, .gradient = true};
  ASSERT_OK(isc_training_tensors(&tensors, r->training));
  ASSERT_OK(isc_network_create(network, r->context, &tensors));
  ASSERT_OK(isc_plan_create(&plan, *network, &form));
  memcpy(isc_plan_src(plan), isc_training_src(r->training),
         (size_t)(BATCH * c->t.channels * c->height * c->width) * sizeof(float));
  return plan;
}

/* As far as rounding and, of the gradient of an image in ten, ReLUs of nearly 0 go (see backends_agree). Returns those. */
static int compare_frozen(runner *r, const network_case *c) {
  isc_network *network;
  isc_plan *plan = make_frozen(&network, r, c);
  size_t numbers = (size_t)(c->t.channels * c->height * c->width);
  int off = 0;
  ASSERT_OK(isc_plan_forward(plan));
  ASSERT_OK(isc_training_predict(r->training));
  double difference = support_relative_l2(isc_training_logits(r->training), isc_plan_logits(plan), BATCH * CLASSES);
  ck_assert_msg(difference <= 1e-5, "logits differ by %.3g", difference);
  support_fill(isc_plan_diff_logits(plan), BATCH * CLASSES, -1, 1, 5);
  memcpy(isc_training_diff_logits(r->training), isc_plan_diff_logits(plan), BATCH * CLASSES * sizeof(float));
  ASSERT_OK(isc_plan_backward(plan));
  ASSERT_OK(isc_training_backward_src(r->training));
  for (size_t n = 0; n < BATCH; n++) {
    difference = support_relative_l2(isc_training_diff_src(r->training) + n * numbers, isc_plan_diff_src(plan) + n * numbers,
                                     numbers);
    ck_assert_msg(difference <= 0.1, "image %zu: gradients differ by %.3g", n, difference);
    off += difference > 1e-4;
  }
  isc_plan_destroy(plan);
  isc_network_drop(network);
  return off;
}

START_TEST(attacks_see_the_frozen_network) {
  static const int32_t backends[] = {ISCP_BACKEND_AUTO, ISCP_BACKEND_BLAS};
  int off = 0;
  for (int i = 0; i < 2 * CASES; i++) {
    runner r = make_runner(&cases[i / 2], backends[i % 2], true);
    double here = loss(&r); /* a step, so that statistics and weights are no longer those of the beginning */
    ASSERT_OK(isc_training_backward(r.training, false));
    move(&r, -0.01 * here / move(&r, 0));
    off += compare_frozen(&r, &cases[i / 2]);
    release_runner(&r);
  }
  ck_assert_msg(10 * off <= 2 * CASES * BATCH, "%d gradients differ", off);
}
END_TEST

/* Parameters, statistics, gradients, and the step that follows. */
START_TEST(attacks_leave_no_trace) {
  for (int i = 0; i < CASES; i++) {
    runner r = make_runner(&cases[i], ISCP_BACKEND_AUTO, true), s = make_runner(&cases[i], ISCP_BACKEND_AUTO, false);
    loss(&r);
    loss(&s);
    for (int step = 0; step < 2; step++) {
      ASSERT_OK(isc_training_backward(r.training, false));
      ASSERT_OK(isc_training_backward(s.training, false));
      ASSERT_OK(isc_training_predict(r.training));
      ASSERT_OK(isc_training_backward_src(r.training));
      for (int32_t p = 0; p < isc_training_parameters(r.training); p++) {
        isc_parameter x, y;
        isc_training_parameter(&x, r.training, p);
        isc_training_parameter(&y, s.training, p);
        ck_assert_mem_eq(x.numbers, y.numbers, (size_t)x.count * sizeof *x.numbers);
        if (x.gradient)
          ck_assert_mem_eq(x.gradient, y.gradient, (size_t)x.count * sizeof *x.gradient);
      }
      ck_assert_double_eq(loss(&r), loss(&s));
    }
    release_runner(&r);
    release_runner(&s);
  }
}
END_TEST

START_TEST(one_number_a_channel_is_refused) {
  runner r = make_runner(&cases[1], ISCP_BACKEND_AUTO, false);
  isc_training *training;
  support_failed(isc_training_create(&training, r.network, 1, 8, 8, false), ISCP_ERROR_ARGUMENT, "batch is 1");
  ck_assert_ptr_null(training);
  release_runner(&r);
}
END_TEST

/* Every allocation fails once. */
START_TEST(memory_runs_out) {
  iscp_context *context = support_context();
  isc_tensor_set tensors;
  isc_network *network;
  isc_training *training = NULL;
  isc_compute compute;
  toy_tensors(&tensors, context, &cases[1].t);
  ASSERT_OK(isc_network_create(&network, context, &tensors));
  ASSERT_OK(isc_compute_enter(context, &compute));
  long allowed = 0;
  iscp_status status = ISCP_ERROR_MEMORY;
  for (; status != ISCP_OK; allowed++) {
    support_fail_after(allowed);
    status = isc_training_create(&training, network, BATCH, 8, 8, true);
    isc_tensor_set after = {0};
    if (status == ISCP_OK) {
      status = isc_training_tensors(&after, training);
      isc_tensor_set_release(&after, context);
    }
    if (status != ISCP_OK) {
      ck_assert_int_eq(status, ISCP_ERROR_MEMORY);
      isc_training_destroy(training);
    }
  }
  ck_assert_int_gt(allowed, 100);
  support_fail_after(-1);
  isc_training_destroy(training);
  isc_compute_leave(&compute);
  isc_network_drop(network);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("training networks");
  TCase *tests = tcase_create("networks");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, backends_agree);
  tcase_add_test(tests, gradient_is_the_change_of_the_loss);
  tcase_add_test(tests, a_step_has_the_same_bytes);
  tcase_add_test(tests, gradients_add_up);
  tcase_add_test(tests, attacks_see_the_frozen_network);
  tcase_add_test(tests, attacks_leave_no_trace);
  tcase_add_test(tests, parameters_come_out_as_they_went_in);
  tcase_add_test(tests, one_number_a_channel_is_refused);
  tcase_add_test(tests, memory_runs_out);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
