/* Networks that end backward at a stage: what is kept = plain C's activations in double, its gradient = the derivative of plain
 * C's logits by central differences, on both backends, for every stage, all depths and both stems. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/nn.h"
#include "plain_network.h"
#include "support.h"

enum { BATCH = 2, CLASSES = 5 };

typedef struct stage_case {
  toy t;
  int32_t height, width;
} stage_case;

static const stage_case cases[] = {
    {{18, 8, ISCP_STEM_IMAGENET, 3, CLASSES, 1}, 33, 29},  {{18, 16, ISCP_STEM_CIFAR, 1, CLASSES, 2}, 13, 9},
    {{34, 8, ISCP_STEM_CIFAR, 3, CLASSES, 3}, 8, 11},      {{34, 10, ISCP_STEM_IMAGENET, 1, CLASSES, 4}, 32, 20},
    {{50, 16, ISCP_STEM_IMAGENET, 3, CLASSES, 5}, 32, 32}, {{50, 5, ISCP_STEM_CIFAR, 3, CLASSES, 6}, 9, 12},
    {{101, 8, ISCP_STEM_IMAGENET, 3, CLASSES, 7}, 24, 25}, {{152, 8, ISCP_STEM_CIFAR, 1, CLASSES, 8}, 8, 8}};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- One network, backend and stage ---- */

typedef struct runner {
  iscp_context *context;
  isc_network *network;
  isc_plan *plan;
  isc_compute compute;
  int32_t size[3];
  size_t numbers; /* of an image */
  size_t kept;    /* of one image's activations */
} runner;

static runner make_runner(const stage_case *c, int32_t backend, int stage) {
  runner r = {.numbers = (size_t)c->t.channels * (size_t)c->height * (size_t)c->width};
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.backend = backend;
  ASSERT_OK(iscp_context_create(&r.context, &options));
  isc_tensor_set tensors;
  toy_tensors(&tensors, r.context, &c->t);
  ASSERT_OK(isc_network_create(&r.network, r.context, &tensors));
  ASSERT_OK(isc_compute_enter(r.context, &r.compute));
  isc_plan_form form = {BATCH, c->height, c->width, true, stage, false};
  size_t foretold = 0;
  ASSERT_OK(isc_plan_foretell(&foretold, r.network, &form));
  ASSERT_OK(isc_plan_create(&r.plan, r.network, &form));
  ck_assert_uint_eq(isc_plan_memory(r.plan), foretold);
  isc_plan_kept_size(r.plan, r.size);
  r.kept = (size_t)r.size[0] * (size_t)r.size[1] * (size_t)r.size[2];
  return r;
}

static void release_runner(runner *r) {
  isc_plan_destroy(r->plan);
  isc_compute_leave(&r->compute);
  isc_network_drop(r->network);
  iscp_context_destroy(r->context);
}

static int32_t target_of(int32_t row) { return (3 * row + 1) % CLASSES; }

/* Forward, and backward of one logit a row. */
static void run(runner *r, uint32_t seed) {
  support_fill(isc_plan_src(r->plan), BATCH * r->numbers, -2, 2, seed);
  ASSERT_OK(isc_plan_forward(r->plan));
  memset(isc_plan_diff_logits(r->plan), 0, BATCH * CLASSES * sizeof(float));
  for (int32_t row = 0; row < BATCH; row++)
    isc_plan_diff_logits(r->plan)[row * CLASSES + target_of(row)] = 1;
  ASSERT_OK(isc_plan_backward(r->plan));
}

/* ---- Activations ---- */

/* Rounding of 20 to 155 layers is some 5e-7 of the largest number (see network.c), ten times that is let pass. Another layer's
 * output, or numbers in another order, differ by the order of the numbers themselves. */
static double *check_kept(const stage_case *c, const runner *r, int stage, int32_t row) {
  double *image = malloc(r->numbers * sizeof *image), largest = 0;
  int32_t size[3];
  for (size_t i = 0; i < r->numbers; i++)
    image[i] = isc_plan_src(r->plan)[(size_t)row * r->numbers + i];
  double *expected =
      plain_network_stage(size, isc_network_tensors(r->network), &c->t, image, c->height, c->width, stage);
  ck_assert_mem_eq(size, r->size, sizeof size);
  const float *kept = isc_plan_kept(r->plan) + (size_t)row * r->kept;
  for (size_t i = 0; i < r->kept; i++)
    largest = fmax(largest, expected[i]);
  for (size_t i = 0; i < r->kept; i++)
    ck_assert_msg(fabs(kept[i] - expected[i]) <= 5e-6 * largest, "ResNet-%d, stage %d: number %zu is %.8g, expected %.8g",
                  c->t.depth, stage, i, (double)kept[i], expected[i]);
  free(image);
  return expected;
}

/* ---- Gradient ---- */

static double logit_at(const stage_case *c, const runner *r, int stage, const double *from, const float *direction,
                       double step, int32_t target) {
  double *moved = malloc(r->kept * sizeof *moved), logits[CLASSES];
  for (size_t i = 0; i < r->kept; i++)
    moved[i] = from[i] + step * direction[i];
  plain_network_rest(logits, isc_network_tensors(r->network), &c->t, moved, r->size, stage);
  free(moved);
  return logits[target];
}

/* Directions move zeros of A too, which a gradient with A's own ReLU in it would not see. The tolerances are network.c's, and for
 * its reasons: 2e-5, but 2e-2 where a later ReLU's input was 0 to within rounding, in a tenth of the directions. */
static bool is_derivative(const stage_case *c, const runner *r, int stage, const double *at, int32_t row) {
  const float *gradient = isc_plan_diff_kept(r->plan) + (size_t)row * r->kept;
  float *direction = malloc(r->kept * sizeof *direction);
  double h = 1e-6, along = 0, squares = 0, lengths = 0;
  support_fill(direction, r->kept, -1, 1, 77);
  for (size_t i = 0; i < r->kept; i++) {
    along += (double)gradient[i] * direction[i];
    squares += (double)gradient[i] * gradient[i];
    lengths += (double)direction[i] * direction[i];
  }
  ck_assert_double_gt(squares, 0);
  double expected = (logit_at(c, r, stage, at, direction, h, target_of(row)) -
                     logit_at(c, r, stage, at, direction, -h, target_of(row))) / (2 * h);
  double difference = fabs(along - expected) / sqrt(squares * lengths / (double)r->kept);
  free(direction);
  ck_assert_msg(difference <= 2e-2, "ResNet-%d, stage %d: the derivative is %.8g, the gradient says %.8g", c->t.depth, stage,
                expected, along);
  return difference <= 2e-5;
}

static void check_backend(int32_t backend) {
  int seen = 0, close = 0;
  for (int i = 0; i < CASES; i++)
    for (int stage = 1; stage <= 4; stage++) {
      runner r = make_runner(&cases[i], backend, stage);
      run(&r, 100 + (uint32_t)i);
      for (int32_t row = 0; row < BATCH; row++) {
        double *at = check_kept(&cases[i], &r, stage, row);
        seen++;
        close += is_derivative(&cases[i], &r, stage, at, row);
        free(at);
      }
      release_runner(&r);
    }
  ck_assert_msg(10 * (seen - close) <= seen, "%d of %d derivatives differ", seen - close, seen);
}

START_TEST(the_default_backend) { check_backend(ISCP_BACKEND_AUTO); }
END_TEST

START_TEST(openblas) { check_backend(ISCP_BACKEND_BLAS); }
END_TEST

/* The logits are those of a plan without a stage, to rounding (see check_kept): a convolution that has no backward may be
 * computed by other code. */
START_TEST(logits_stay) {
  for (int i = 0; i < CASES; i++) {
    const stage_case *c = &cases[i];
    runner r = make_runner(c, ISCP_BACKEND_AUTO, 2);
    isc_plan *whole;
    ASSERT_OK(isc_plan_create(&whole, r.network, &(isc_plan_form){BATCH, c->height, c->width, true, 0, false}));
    run(&r, 5);
    support_fill(isc_plan_src(whole), BATCH * r.numbers, -2, 2, 5);
    ASSERT_OK(isc_plan_forward(whole));
    const float *expected = isc_plan_logits(whole);
    double largest = 0;
    for (int k = 0; k < BATCH * CLASSES; k++)
      largest = fmax(largest, fabs((double)expected[k]));
    ck_assert_double_le(support_max_difference(isc_plan_logits(r.plan), expected, BATCH * CLASSES), 1e-5 * largest);
    isc_plan_destroy(whole);
    release_runner(&r);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("stage");
  TCase *stage = tcase_create("stage");
  tcase_set_timeout(stage, 100);
  tcase_add_test(stage, the_default_backend);
  tcase_add_test(stage, openblas);
  tcase_add_test(stage, logits_stay);
  suite_add_tcase(suite, stage);
  return support_run(suite);
}
