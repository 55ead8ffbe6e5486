/* Schedules by hand, and what a step of an optimiser refuses. That both are PyTorch's is the oracle tests' part. */
#include <math.h>
#include <stdlib.h>

#include "support.h"
#include "toy.h"
#include "train/train.h"

/* Numbers of a formula of a few operations in double. */
static void expect(const isc_schedule *s, int64_t step, double rate) {
  ck_assert_msg(fabs(isc_schedule_rate(s, step) - rate) <= 1e-12, "schedule %d, step %lld: %.15g, expected %.15g", s->kind,
                (long long)step, isc_schedule_rate(s, step), rate);
}

START_TEST(rates_of_schedules) {
  isc_schedule s = {.kind = ISCP_SCHEDULE_CONSTANT, .rate = 0.4, .steps = 100, .period = 30, .factor = 0.1, .rise = 0.3};
  expect(&s, 0, 0.4);
  expect(&s, 99, 0.4);
  s.kind = ISCP_SCHEDULE_STEP;
  expect(&s, 29, 0.4);
  expect(&s, 30, 0.04);
  expect(&s, 99, 0.0004);
  s.kind = ISCP_SCHEDULE_COSINE;
  expect(&s, 0, 0.4);
  expect(&s, 50, 0.2);
  expect(&s, 25, 0.2 * (1 + sqrt(0.5)));
  s.kind = ISCP_SCHEDULE_ONE_CYCLE;
  expect(&s, 0, 0.016);
  expect(&s, 29, 0.4);
  expect(&s, 99, 0.4 / 250000);
  s.steps = 1; /* of one step: it is the end of the rise and of the fall */
  ck_assert(isfinite(isc_schedule_rate(&s, 0)));
}
END_TEST

typedef struct world {
  iscp_context *context;
  isc_network *network;
  isc_training *training;
  isc_compute compute;
} world;

static world make_world(void) {
  world w;
  toy t = {18, 8, ISCP_STEM_CIFAR, 3, 4, 1};
  isc_tensor_set tensors;
  w.context = support_context();
  toy_tensors(&tensors, w.context, &t);
  ASSERT_OK(isc_network_create(&w.network, w.context, &tensors));
  ASSERT_OK(isc_compute_enter(w.context, &w.compute));
  ASSERT_OK(isc_training_create(&w.training, w.network, 4, 8, 8, false));
  return w;
}

static void end_world(world *w) {
  isc_training_destroy(w->training);
  isc_compute_leave(&w->compute);
  isc_network_drop(w->network);
  support_context_end(w->context);
}

/* One number: w = 1, g = 0.5, decay 0.1, momentum 0.5, rate 0.25.
 *   g' = 0.6, v = 0.6, w = 1 - 0.25 * 0.6 = 0.85        with Nesterov w = 1 - 0.25 * (0.6 + 0.3) = 0.775
 * A batch norm's is not decayed, unless all are: g' = 0.5, w = 1 - 0.25 * 0.5 = 0.875. */
START_TEST(a_step_by_hand) {
  static const struct {
    bool nesterov, all;
    float weight, gamma;
  } cases[] = {{false, false, 0.85f, 0.875f}, {true, false, 0.775f, 0.8125f}, {false, true, 0.85f, 0.85f}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    world w = make_world();
    isc_sgd *sgd;
    isc_parameter p;
    ASSERT_OK(isc_sgd_create(&sgd, w.context, w.training,
                             &(isc_sgd_form){.momentum = 0.5f, .weight_decay = 0.1f, .nesterov = cases[i].nesterov,
                                             .decay_all = cases[i].all}));
    for (int32_t k = 0; k < 2; k++) { /* conv1.weight, bn1.weight */
      isc_training_parameter(&p, w.training, k);
      p.numbers[0] = 1;
      p.gradient[0] = 0.5f;
    }
    ASSERT_OK(isc_sgd_step(sgd, 0.25f));
    isc_training_parameter(&p, w.training, 0);
    ck_assert_float_eq_tol(p.numbers[0], cases[i].weight, 1e-7f); /* one rounding at 1 */
    ck_assert_float_eq_tol(isc_sgd_momentum(sgd, 0)[0], 0.6f, 1e-7f);
    isc_training_parameter(&p, w.training, 1);
    ck_assert_float_eq_tol(p.numbers[0], cases[i].gamma, 1e-7f);
    ck_assert_ptr_null(isc_sgd_momentum(sgd, 3)); /* bn1.running_mean */
    isc_sgd_destroy(sgd);
    end_world(&w);
  }
}
END_TEST

START_TEST(numbers_that_are_none_are_told) {
  static const float bad[] = {NAN, INFINITY};
  for (int i = 0; i < 2; i++) {
    world w = make_world();
    isc_sgd *sgd;
    isc_parameter p;
    ASSERT_OK(isc_sgd_create(&sgd, w.context, w.training, &(isc_sgd_form){.momentum = 0.9f}));
    isc_training_parameter(&p, w.training, 5); /* the second layer's convolution */
    p.gradient[p.count / 2] = bad[i];
    support_failed(isc_sgd_step(sgd, 0.1f), ISCP_ERROR_ARGUMENT, "layer1.0.conv1.weight");
    isc_sgd_destroy(sgd);
    end_world(&w);
  }
}
END_TEST

START_TEST(memory_runs_out) {
  world w = make_world();
  isc_sgd *sgd;
  for (long allowed = 0; allowed < 3; allowed++) {
    support_fail_after(allowed);
    ck_assert_int_eq(isc_sgd_create(&sgd, w.context, w.training, &(isc_sgd_form){0}), ISCP_ERROR_MEMORY);
    ck_assert_ptr_null(sgd);
  }
  support_fail_after(-1);
  end_world(&w);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("train");
  TCase *tests = tcase_create("optimiser");
  tcase_add_test(tests, rates_of_schedules);
  tcase_add_test(tests, a_step_by_hand);
  tcase_add_test(tests, numbers_that_are_none_are_told);
  tcase_add_test(tests, memory_runs_out);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
