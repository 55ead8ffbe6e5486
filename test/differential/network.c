/* Whole networks of random weights: oneDNN = OpenBLAS = plain C in double, and the gradient = the derivative of plain
 * C's loss by central differences. All depths, both stems, odd sizes, one and three channels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "nn/nn.h"
#include "plain_network.h"
#include "support.h"

enum { BATCH = 4, CLASSES = 7 };

typedef struct network_case {
  toy t;
  int32_t height, width;
} network_case;

static const network_case cases[] = {
    {{18, 8, ISCP_STEM_IMAGENET, 3, CLASSES, 1}, 33, 29},  {{18, 16, ISCP_STEM_CIFAR, 1, CLASSES, 2}, 13, 9},
    {{34, 8, ISCP_STEM_CIFAR, 3, CLASSES, 3}, 16, 11},     {{34, 8, ISCP_STEM_IMAGENET, 1, CLASSES, 4}, 32, 32},
    {{50, 16, ISCP_STEM_IMAGENET, 3, CLASSES, 5}, 32, 32}, {{50, 8, ISCP_STEM_CIFAR, 3, CLASSES, 6}, 9, 12},
    {{101, 8, ISCP_STEM_IMAGENET, 3, CLASSES, 7}, 40, 25}, {{152, 8, ISCP_STEM_CIFAR, 1, CLASSES, 8}, 8, 8},
    {{18, 10, ISCP_STEM_IMAGENET, 3, CLASSES, 9}, 9, 8},   {{50, 5, ISCP_STEM_CIFAR, 3, CLASSES, 10}, 8, 10}};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- One network on one backend ---- */

typedef struct runner {
  iscp_context *context;
  isc_network *network;
  isc_plan *plan;
  isc_compute compute;
} runner;

static iscp_context *context_of(int32_t backend) {
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.backend = backend;
  iscp_context *context;
  ASSERT_OK(iscp_context_create(&context, &options));
  return context;
}

static runner make_runner(const network_case *c, int32_t backend, int32_t batch, bool gradient) {
  runner r = {.context = context_of(backend)};
  isc_tensor_set tensors;
  toy_tensors(&tensors, r.context, &c->t);
  ASSERT_OK(isc_network_create(&r.network, r.context, &tensors));
  ASSERT_OK(isc_compute_enter(r.context, &r.compute));
  ASSERT_OK(isc_plan_create(&r.plan, r.network, &(isc_plan_form){batch, c->height, c->width, gradient, 0, false}));
  ck_assert_int_eq(isc_plan_batch(r.plan), batch);
  return r;
}

static void release_runner(runner *r) {
  isc_plan_destroy(r->plan);
  isc_compute_leave(&r->compute);
  isc_network_drop(r->network);
  iscp_context_destroy(r->context);
}

static size_t image_numbers(const network_case *c) {
  return (size_t)c->t.channels * (size_t)c->height * (size_t)c->width;
}

static int32_t target_of(int32_t row) { return (3 * row + 1) % CLASSES; }

/* Forward and backward of the summed cross-entropy; `logits` BATCH x CLASSES, `gradient` as the images. */
static void run(runner *r, const network_case *c, const float *images, float *logits, float *gradient) {
  size_t count = BATCH * image_numbers(c);
  memcpy(isc_plan_src(r->plan), images, count * sizeof *images);
  ASSERT_OK(isc_plan_forward(r->plan));
  memcpy(logits, isc_plan_logits(r->plan), BATCH * CLASSES * sizeof *logits);
  for (int32_t row = 0; row < BATCH; row++)
    isc_cross_entropy(isc_plan_diff_logits(r->plan) + row * CLASSES, logits + row * CLASSES, CLASSES, target_of(row));
  ASSERT_OK(isc_plan_backward(r->plan));
  memcpy(gradient, isc_plan_diff_src(r->plan), count * sizeof *gradient);
}

static float *make_images(const network_case *c, uint32_t seed) {
  size_t count = BATCH * image_numbers(c);
  float *images = malloc(count * sizeof *images);
  support_fill(images, count, -2, 2, seed);
  return images;
}

static double largest_of(const float *values, size_t count) {
  double largest = 0;
  for (size_t i = 0; i < count; i++)
    largest = fmax(largest, fabs((double)values[i]));
  return largest;
}

/* ---- Logits against plain C ---- */

/* Each layer's rounding, about 1e-7 of its numbers, passes on to the next ones, with random signs: 20 to 155 layers
 * make some 5e-7 of the largest logit, and ten times that leaves room for other kernels. A layer left out, a wrong
 * shortcut or a batch norm folded wrongly changes the logits by more than 1e-2. */
static void check_logits(const network_case *c, const isc_tensor_set *tensors, const float *images,
                         const float *logits) {
  size_t numbers = image_numbers(c);
  double *image = malloc(numbers * sizeof *image), expected[CLASSES];
  for (int32_t row = 0; row < BATCH; row++) {
    for (size_t i = 0; i < numbers; i++)
      image[i] = images[(size_t)row * numbers + i];
    plain_network(expected, tensors, &c->t, image, c->height, c->width);
    double allowed = 5e-6 * largest_of(logits + row * CLASSES, CLASSES);
    for (int k = 0; k < CLASSES; k++)
      ck_assert_msg(fabs(logits[row * CLASSES + k] - expected[k]) <= allowed,
                    "ResNet-%d, image %d: logit %d is %.8g, expected %.8g within %.2g", c->t.depth, row, k,
                    (double)logits[row * CLASSES + k], expected[k], allowed);
  }
  free(image);
}

static void check_backend_logits(int32_t backend) {
  for (int i = 0; i < CASES; i++) {
    const network_case *c = &cases[i];
    runner r = make_runner(c, backend, BATCH, false);
    float *images = make_images(c, 100 + (uint32_t)i);
    memcpy(isc_plan_src(r.plan), images, BATCH * image_numbers(c) * sizeof *images);
    ASSERT_OK(isc_plan_forward(r.plan));
    check_logits(c, isc_network_tensors(r.network), images, isc_plan_logits(r.plan));
    free(images);
    release_runner(&r);
  }
}

START_TEST(logits_of_the_default_backend) { check_backend_logits(ISCP_BACKEND_AUTO); }
END_TEST

START_TEST(logits_of_openblas) { check_backend_logits(ISCP_BACKEND_BLAS); }
END_TEST

/* ---- Gradients of the two backends ---- */

/* An input of a ReLU that is 0 to within rounding may be positive on one backend and not on the other; then one bit of
 * backward differs and the image's gradient with it, by a share of the order of one active unit. With up to 1e5 inputs
 * an image and rounding of 1e-7 of their size, one image in a hundred or so meets this: a tenth of all images may, and
 * even those stay within 5 %. The others agree to the rounding of all layers, forward and back: some 1e-6, and ten
 * times that is let pass. */
START_TEST(gradients_of_the_backends_agree) {
  int images_seen = 0, flipped = 0;
  for (int i = 0; i < CASES; i++) {
    const network_case *c = &cases[i];
    size_t numbers = image_numbers(c);
    runner fast = make_runner(c, ISCP_BACKEND_AUTO, BATCH, true), blas = make_runner(c, ISCP_BACKEND_BLAS, BATCH, true);
    float *images = make_images(c, 200 + (uint32_t)i), logits[2][BATCH * CLASSES];
    float *gradients[2] = {make_images(c, 1), make_images(c, 2)};
    run(&fast, c, images, logits[0], gradients[0]);
    run(&blas, c, images, logits[1], gradients[1]);
    double allowed = 1e-5 * largest_of(logits[1], BATCH * CLASSES);
    ck_assert_double_le(support_max_difference(logits[0], logits[1], BATCH * CLASSES), allowed);
    for (size_t row = 0; row < BATCH; row++) {
      ck_assert_double_gt(largest_of(gradients[1] + row * numbers, numbers), 0);
      double difference = support_relative_l2(gradients[0] + row * numbers, gradients[1] + row * numbers, numbers);
      ck_assert_msg(difference <= 0.05, "ResNet-%d, image %zu: gradients differ by %.3g", c->t.depth, row, difference);
      images_seen++;
      flipped += difference > 1e-5;
    }
    free(images);
    free(gradients[0]);
    free(gradients[1]);
    release_runner(&fast);
    release_runner(&blas);
  }
  ck_assert_msg(10 * flipped <= images_seen, "%d of %d gradients differ", flipped, images_seen);
}
END_TEST

/* ---- Gradients against the derivative ---- */

static double loss_at(const network_case *c, const isc_tensor_set *tensors, const float *image, const float *direction,
                      double step, int32_t target) {
  size_t numbers = image_numbers(c);
  double *moved = malloc(numbers * sizeof *moved), logits[CLASSES];
  for (size_t i = 0; i < numbers; i++)
    moved[i] = image[i] + step * direction[i];
  plain_network(logits, tensors, &c->t, moved, c->height, c->width);
  free(moved);
  return plain_cross_entropy(logits, CLASSES, target);
}

/* (L(x + h d) - L(x - h d)) / 2h of plain C in double. h = 1e-6 leaves 1e-10 of rounding, and so few ReLUs change sides
 * within h that the difference is the derivative at x. The library's float32 gradient is off by some 3e-6 of what a
 * random direction sees of it; 2e-5 is let pass. Where a bit flipped (see above) it is off by more: a tenth of the
 * directions may be, and they stay within 2e-2. */
static bool is_derivative(const network_case *c, const isc_tensor_set *tensors, const float *image,
                          const float *gradient, int32_t target, uint32_t seed) {
  size_t numbers = image_numbers(c);
  float *direction = malloc(numbers * sizeof *direction);
  double h = 1e-6, along = 0, squares = 0, lengths = 0;
  support_fill(direction, numbers, -1, 1, seed);
  for (size_t i = 0; i < numbers; i++) {
    along += (double)gradient[i] * direction[i];
    squares += (double)gradient[i] * gradient[i];
    lengths += (double)direction[i] * direction[i];
  }
  double expected =
      (loss_at(c, tensors, image, direction, h, target) - loss_at(c, tensors, image, direction, -h, target)) / (2 * h);
  double difference = fabs(along - expected) / sqrt(squares * lengths / (double)numbers);
  free(direction);
  ck_assert_msg(difference <= 2e-2, "ResNet-%d at %dx%d: the derivative is %.8g, the gradient says %.8g", c->t.depth,
                c->height, c->width, expected, along);
  return difference <= 2e-5;
}

static void check_derivatives(int32_t backend) {
  int seen = 0, close = 0;
  for (int i = 0; i < CASES; i++) {
    const network_case *c = &cases[i];
    runner r = make_runner(c, backend, BATCH, true);
    float *images = make_images(c, 300 + (uint32_t)i), *gradient = make_images(c, 1), logits[BATCH * CLASSES];
    run(&r, c, images, logits, gradient);
    for (int32_t row = 0; row < BATCH; row++)
      for (uint32_t d = 0; d < 2; d++) {
        size_t start = (size_t)row * image_numbers(c);
        seen++;
        close += is_derivative(c, isc_network_tensors(r.network), images + start, gradient + start, target_of(row),
                               1000 * (uint32_t)i + 2 * (uint32_t)row + d);
      }
    free(images);
    free(gradient);
    release_runner(&r);
  }
  ck_assert_msg(10 * (seen - close) <= seen, "%d of %d derivatives differ", seen - close, seen);
}

START_TEST(derivatives_of_the_default_backend) { check_derivatives(ISCP_BACKEND_AUTO); }
END_TEST

START_TEST(derivatives_of_openblas) { check_derivatives(ISCP_BACKEND_BLAS); }
END_TEST

/* ---- Batches ---- */

/* A row's bytes do not depend on what its neighbours hold, not even on NaN. */
static void check_neighbours(int32_t backend) {
  for (int i = 0; i < CASES; i++) {
    const network_case *c = &cases[i];
    size_t numbers = image_numbers(c);
    runner r = make_runner(c, backend, BATCH, true);
    float *images = make_images(c, 400), *gradients[2] = {make_images(c, 1), make_images(c, 2)};
    float logits[2][BATCH * CLASSES];
    run(&r, c, images, logits[0], gradients[0]);
    for (size_t at = 0; at < BATCH * numbers; at++)
      images[at] = at / numbers == 1 ? images[at] : NAN;
    run(&r, c, images, logits[1], gradients[1]);
    ck_assert_mem_eq(logits[0] + CLASSES, logits[1] + CLASSES, CLASSES * sizeof **logits);
    ck_assert_mem_eq(gradients[0] + numbers, gradients[1] + numbers, numbers * sizeof(float));
    free(images);
    free(gradients[0]);
    free(gradients[1]);
    release_runner(&r);
  }
}

START_TEST(rows_are_independent) {
  check_neighbours(ISCP_BACKEND_AUTO);
  check_neighbours(ISCP_BACKEND_BLAS);
}
END_TEST

/* Another batch size is another plan, with other kernels: the same numbers to rounding (see check_logits). */
START_TEST(batch_sizes_agree) {
  for (int i = 0; i < CASES; i++) {
    const network_case *c = &cases[i];
    size_t numbers = image_numbers(c);
    runner four = make_runner(c, ISCP_BACKEND_AUTO, BATCH, false), one = make_runner(c, ISCP_BACKEND_AUTO, 1, false);
    float *images = make_images(c, 500);
    memcpy(isc_plan_src(four.plan), images, BATCH * numbers * sizeof *images);
    ASSERT_OK(isc_plan_forward(four.plan));
    for (size_t row = 0; row < BATCH; row++) {
      memcpy(isc_plan_src(one.plan), images + row * numbers, numbers * sizeof *images);
      ASSERT_OK(isc_plan_forward(one.plan));
      const float *alone = isc_plan_logits(one.plan), *together = isc_plan_logits(four.plan) + row * CLASSES;
      ck_assert_double_le(support_max_difference(alone, together, CLASSES), 1e-5 * largest_of(alone, CLASSES));
    }
    free(images);
    release_runner(&four);
    release_runner(&one);
  }
}
END_TEST

/* Rows with a zero diff_logits have a zero gradient, whatever they hold. */
START_TEST(padded_rows_have_no_gradient) {
  const network_case *c = &cases[0];
  size_t numbers = image_numbers(c);
  runner r = make_runner(c, ISCP_BACKEND_AUTO, BATCH, true);
  support_fill(isc_plan_src(r.plan), BATCH * numbers, -2, 2, 600);
  ASSERT_OK(isc_plan_forward(r.plan));
  memset(isc_plan_diff_logits(r.plan), 0, BATCH * CLASSES * sizeof(float));
  isc_cross_entropy(isc_plan_diff_logits(r.plan), isc_plan_logits(r.plan), CLASSES, 0);
  ASSERT_OK(isc_plan_backward(r.plan));
  ck_assert_double_gt(largest_of(isc_plan_diff_src(r.plan), numbers), 0);
  ck_assert_double_eq(largest_of(isc_plan_diff_src(r.plan) + numbers, (BATCH - 1) * numbers), 0);
  release_runner(&r);
}
END_TEST

/* Same library, CPU, threads, backend and batch: the same bytes from plan to plan and from run to run. */
static void check_repeats(int32_t backend) {
  for (int i = 0; i < CASES; i++) {
    const network_case *c = &cases[i];
    size_t bytes = BATCH * image_numbers(c) * sizeof(float);
    float *images = make_images(c, 700), *gradients[2] = {make_images(c, 1), make_images(c, 2)};
    float logits[2][BATCH * CLASSES];
    for (int turn = 0; turn < 4; turn++) {
      runner r = make_runner(c, backend, BATCH, true);
      run(&r, c, images, logits[turn > 0], gradients[turn > 0]);
      if (turn == 3)
        run(&r, c, images, logits[1], gradients[1]);
      release_runner(&r);
      if (!turn)
        continue;
      ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
      ck_assert_mem_eq(gradients[0], gradients[1], bytes);
    }
    free(images);
    free(gradients[0]);
    free(gradients[1]);
  }
}

START_TEST(runs_repeat_to_the_byte) {
  check_repeats(ISCP_BACKEND_AUTO);
  check_repeats(ISCP_BACKEND_BLAS);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("network");
  TCase *network = tcase_create("network"), *batches = tcase_create("batches");
  tcase_add_test(network, logits_of_the_default_backend);
  tcase_add_test(network, logits_of_openblas);
  tcase_add_test(network, gradients_of_the_backends_agree);
  tcase_add_test(network, derivatives_of_the_default_backend);
  tcase_add_test(network, derivatives_of_openblas);
  tcase_add_test(batches, rows_are_independent);
  tcase_add_test(batches, batch_sizes_agree);
  tcase_add_test(batches, padded_rows_have_no_gradient);
  tcase_add_test(batches, runs_repeat_to_the_byte);
  suite_add_tcase(suite, network);
  suite_add_tcase(suite, batches);
  return support_run(suite);
}
