/* lib/attack: attacks. Steps, projection and starts by hand, an attack against a session's own gradients, robust accuracy counted
 * image by image, cancelling everywhere, wrong arguments. That it is PyTorch's is the oracle tests' part (test_attack.py).
 *
 * Linked with --wrap=clock_gettime, so that every step is told, as search_cancel is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attack/attack.h"
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

enum { IMAGES = 40 };

/* A bit above the rounding of a sum of two numbers in [0,1] in float32. */
static const float ROUNDING = 2e-7f;

static iscp_attack_options options_of(int32_t norm, double eps) {
  iscp_attack_options options;
  ASSERT_OK(iscp_attack_options_init(&options, sizeof options));
  options.norm = norm;
  options.eps = eps;
  options.steps = 5;
  options.seed = 3;
  options.batch = 7; /* does not divide anything */
  return options;
}

static iscp_attack *make(const toy_world *world, const iscp_attack_options *options) {
  iscp_attack *attack;
  ASSERT_OK(iscp_attack_create(&attack, world->model, options));
  return attack;
}

typedef struct images {
  float clean[IMAGES][TOY_NUMBERS];
  int32_t labels[IMAGES];
} images;

static images images_of(const toy_world *world) {
  images all;
  for (int64_t i = 0; i < IMAGES; i++) {
    ASSERT_OK(iscp_dataset_image(world->dataset, i, all.clean[i]));
    all.labels[i] = iscp_dataset_label(world->dataset, i);
  }
  return all;
}

static double l2(const float *a, const float *b) {
  double sum = 0;
  for (int k = 0; k < TOY_NUMBERS; k++)
    sum += ((double)a[k] - b[k]) * ((double)a[k] - b[k]);
  return sqrt(sum);
}

static double linf(const float *a, const float *b) {
  double most = 0;
  for (int k = 0; k < TOY_NUMBERS; k++)
    most = fmax(most, fabs((double)a[k] - b[k]));
  return most;
}

static double distance(int32_t norm, const float *a, const float *b) {
  return (norm == ISCP_NORM_LINF ? linf : l2)(a, b);
}

/* ---- By hand ---- */

/* Four pixels of one channel, std 1. Up by 0.25, at most 0.375 from the clean image, within [0,1]; sign(0) = 0. */
START_TEST(a_step_in_linf_by_hand) {
  const isc_ball ball = {.norm = ISCP_NORM_LINF, .channels = 1, .pixels = 4, .eps = 0.375f, .step = 0.25f, .std = {1}};
  const float clean[] = {0.5f, 0.5f, 0.875f, 0.125f}, gradient[] = {1e-30f, 0, 3, -2};
  float x[] = {0.75f, 0.25f, 0.875f, 0.125f};
  isc_ball_step(x, clean, gradient, &ball);
  const float expected[] = {0.875f, 0.25f, 1, 0};
  ck_assert_mem_eq(x, expected, sizeof x);
}
END_TEST

/* The gradient (6, 8) of normalised numbers is (3, 8) / std of pixels with std (2, 1); here one channel each. */
START_TEST(a_step_in_l2_by_hand) {
  const isc_ball ball = {.norm = ISCP_NORM_L2, .channels = 2, .pixels = 1, .eps = 0.25f, .step = 0.5f, .std = {2, 1}};
  const float clean[] = {0.5f, 0.5f}, gradient[] = {6, 4};
  float x[] = {0.5f, 0.5f};
  isc_ball_step(x, clean, gradient, &ball); /* (3, 4) / 5 * 0.5 is twice as long as the radius */
  ck_assert_float_eq_tol(x[0], 0.5f + 0.15f, ROUNDING);
  ck_assert_float_eq_tol(x[1], 0.5f + 0.2f, ROUNDING);
  const float still[] = {0, 0}, none[] = {NAN, 1};
  float before[] = {x[0], x[1]};
  isc_ball_step(x, clean, still, &ball);
  isc_ball_step(x, clean, none, &ball);
  ck_assert_mem_eq(x, before, sizeof x);
  const float edge[] = {0.9f, 0.5f}; /* the ball first, then the range: clipped, x is inside of the ball */
  x[0] = 0.9f, x[1] = 0.5f;
  isc_ball_step(x, edge, gradient, &ball);
  ck_assert_float_eq(x[0], 1);
  ck_assert_float_eq_tol(x[1], 0.7f, ROUNDING);
}
END_TEST

/* Of logits of no interest it is the cross-entropy's gradient over 1 - p; p = 1 - 2e-87 leaves nothing of that in float32. */
START_TEST(a_sure_model_still_gives_a_direction) {
  const float logits[] = {0.5f, -1, 2, 0.25f};
  float diff[4], gradient[4];
  double p = exp(-isc_cross_entropy(gradient, logits, 4, 2));
  isc_attack_diff_logits(diff, logits, 4, 2);
  for (int k = 0; k < 4; k++)
    ck_assert_float_eq_tol(diff[k], (float)(gradient[k] / (1 - p)), 1e-6f); /* a few roundings */
  isc_attack_diff_logits(diff, (const float[]){200, 0, 1}, 3, 0);
  ck_assert_float_eq(diff[0], -1);
  ck_assert_float_eq_tol(diff[1], 1 / (1 + expf(1)), 1e-6f);
  ck_assert_float_eq_tol(diff[2], expf(1) / (1 + expf(1)), 1e-6f);
}
END_TEST

/* ---- Starts ---- */

START_TEST(starts_are_random_places_of_the_ball) {
  enum { NUMBERS = 1001 }; /* odd: the last pair is half used */
  static float clean[NUMBERS], x[NUMBERS], y[NUMBERS];
  for (int i = 0; i < NUMBERS; i++)
    clean[i] = i < 500 ? 0.5f : 0;
  isc_ball ball = {.norm = ISCP_NORM_LINF, .channels = 1, .pixels = NUMBERS, .eps = 0.25f, .std = {1}, .seed = 4};
  isc_ball_start(x, clean, &ball, 2, 77);
  double mean = 0, square = 0;
  int cut = 0;
  for (int i = 0; i < NUMBERS; i++) {
    ck_assert(fabsf(x[i] - clean[i]) <= 0.25f + ROUNDING && x[i] >= 0);
    mean += i < 500 ? (x[i] - clean[i]) / 500.0 : 0;
    square += i < 500 ? (x[i] - clean[i]) * (double)(x[i] - clean[i]) / 500 : 0;
    cut += i >= 500 && x[i] == 0;
  }
  ck_assert_double_le(fabs(mean), 0.03);                       /* 4.6 deviations of 0.25 / sqrt(3 * 500) */
  ck_assert_double_le(fabs(square - 0.0625 / 3), 0.004);       /* 4.8 of 0.0625 * sqrt(4 / 45 / 500) */
  ck_assert_msg(cut > 190 && cut < 310, "%d of 501 are below 0", cut); /* 5 deviations around half of them */
  isc_ball_start(y, clean, &ball, 2, 77);
  ck_assert_mem_eq(x, y, sizeof x);
  isc_ball_start(y, clean, &ball, 3, 77);
  ck_assert_mem_ne(x, y, sizeof x);
  isc_ball_start(y, clean, &ball, 2, 78);
  ck_assert_mem_ne(x, y, sizeof x);
  ball.norm = ISCP_NORM_L2;
  for (int i = 0; i < NUMBERS; i++)
    clean[i] = 0.5f;
  isc_ball_start(x, clean, &ball, 2, 77);
  square = 0;
  for (int i = 0; i < NUMBERS; i++)
    square += (x[i] - clean[i]) * (double)(x[i] - clean[i]);
  ck_assert_double_eq_tol(sqrt(square), 0.25, 1e-5); /* of 1001 numbers of 0.5, each off by 3e-8 */
}
END_TEST

/* ---- A whole attack ---- */

/* x after the formula's step, from the gradient that a session gives. A sign of nearly nothing is rounding's: *unsure. */
static void step_by_hand(float x[TOY_NUMBERS], bool unsure[TOY_NUMBERS], iscp_session *session, const float *clean,
                         int32_t label, const iscp_attack_options *o) {
  float gradient[TOY_NUMBERS];
  double length = 0, largest = 0, sign = o->targeted ? -1 : 1, moved = 0;
  ASSERT_OK(iscp_session_input_gradient(session, x, &label, 1, gradient, NULL, NULL));
  for (int k = 0; k < TOY_NUMBERS; k++) {
    length += (double)gradient[k] * gradient[k];
    largest = fmax(largest, fabsf(gradient[k]));
  }
  for (int k = 0; k < TOY_NUMBERS; k++) {
    double d = o->norm == ISCP_NORM_LINF ? (gradient[k] > 0) - (gradient[k] < 0) : gradient[k] / sqrt(length);
    unsure[k] = o->norm == ISCP_NORM_LINF && fabsf(gradient[k]) < 1e-4 * largest;
    x[k] += (float)(sign * o->step * d);
    moved += pow((double)x[k] - clean[k], 2);
  }
  double shrink = o->norm == ISCP_NORM_L2 && sqrt(moved) > o->eps ? o->eps / sqrt(moved) : 1;
  for (int k = 0; k < TOY_NUMBERS; k++) {
    double d = ((double)x[k] - clean[k]) * shrink;
    d = o->norm == ISCP_NORM_LINF ? fmin(fmax(d, -o->eps), o->eps) : d;
    x[k] = (float)fmin(fmax(clean[k] + d, 0), 1);
  }
}

/* One step of an attack on every image, from the image, against the formula. */
START_TEST(a_step_follows_the_gradient) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  images all = images_of(&world);
  iscp_session *session;
  ASSERT_OK(iscp_session_create(&session, world.model, 1, ISCP_SESSION_GRADIENT));
  for (int kind = 0; kind < 4; kind++) {
    iscp_attack_options o = options_of(kind % 2 ? ISCP_NORM_L2 : ISCP_NORM_LINF, kind % 2 ? 0.5 : 0.1);
    o.random_start = 0;
    o.targeted = kind / 2;
    o.steps = 1;
    iscp_attack *attack = make(&world, &o);
    ASSERT_OK(iscp_attack_get_options(attack, &o));
    ck_assert_double_eq_tol(o.step, kind % 2 ? 0.1 : 0.025, 1e-15); /* a fifth and a quarter, in double */
    static float found[IMAGES][TOY_NUMBERS];
    ASSERT_OK(iscp_attack_run(found[0], attack, all.clean[0], all.labels, NULL, IMAGES));
    int seen = 0;
    for (int i = 0; i < IMAGES; i++) {
      float x[TOY_NUMBERS];
      bool unsure[TOY_NUMBERS];
      memcpy(x, all.clean[i], sizeof x);
      step_by_hand(x, unsure, session, all.clean[i], all.labels[i], &o);
      for (int k = 0; k < TOY_NUMBERS; k++) {
        /* of L2 the direction has the rounding of two ways through the network */
        float allowed = o.norm == ISCP_NORM_LINF ? ROUNDING : 1e-5f;
        ck_assert_msg(unsure[k] || fabsf(found[i][k] - x[k]) <= allowed, "kind %d, image %d, number %d: %g, expected %g", kind, i,
                      k, (double)found[i][k], (double)x[k]);
        seen += !unsure[k];
      }
    }
    ck_assert_int_gt(seen, IMAGES * TOY_NUMBERS * 9 / 10);
    iscp_attack_destroy(attack);
  }
  iscp_session_destroy(session);
  toy_world_destroy(&world);
}
END_TEST

/* The mean loss of the labels. */
static double loss_of(const toy_world *world, const float *x, const int32_t *labels) {
  static float logits[IMAGES][TOY_CLASSES];
  iscp_session *session;
  double loss = 0;
  ASSERT_OK(iscp_session_create(&session, world->model, IMAGES, ISCP_SESSION_INFERENCE));
  ASSERT_OK(iscp_session_logits(session, x, IMAGES, logits[0]));
  for (int i = 0; i < IMAGES; i++)
    loss += isc_cross_entropy(NULL, logits[i], TOY_CLASSES, labels[i]) / IMAGES;
  iscp_session_destroy(session);
  return loss;
}

/* Whatever the norm and the direction: near, in range, the loss where it should be, the same whatever the batch. */
START_TEST(attacks_stay_near_and_get_somewhere) {
  static float found[IMAGES][TOY_NUMBERS], again[IMAGES][TOY_NUMBERS];
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  images all = images_of(&world);
  for (int kind = 0; kind < 4; kind++) {
    iscp_attack_options o = options_of(kind % 2 ? ISCP_NORM_L2 : ISCP_NORM_LINF, kind % 2 ? 0.5 : 0.05);
    o.targeted = kind / 2;
    int32_t labels[IMAGES];
    for (int i = 0; i < IMAGES; i++)
      labels[i] = (all.labels[i] + o.targeted) % TOY_CLASSES;
    iscp_attack *attack = make(&world, &o);
    ASSERT_OK(iscp_attack_run(found[0], attack, all.clean[0], labels, NULL, IMAGES));
    for (int i = 0; i < IMAGES; i++) {
      ck_assert_double_le(distance(o.norm, found[i], all.clean[i]), o.eps + 1e-6); /* rounding of the sum of 192 squares */
      for (int k = 0; k < TOY_NUMBERS; k++)
        ck_assert(found[i][k] >= 0 && found[i][k] <= 1);
    }
    double before = loss_of(&world, all.clean[0], labels), after = loss_of(&world, found[0], labels);
    ck_assert_msg(o.targeted ? after < 0.8 * before : after > 1.2 * before, "kind %d: the loss goes from %g to %g", kind, before,
                  after);
    ASSERT_OK(iscp_attack_run(again[0], attack, all.clean[0], labels, NULL, IMAGES));
    ck_assert_mem_eq(found, again, sizeof found);
    iscp_attack_destroy(attack);
  }
  toy_world_destroy(&world);
}
END_TEST

/* Images keep their starts in any company: those of the second half of a call, called again by their indices. */
START_TEST(starts_follow_the_index) {
  static float found[IMAGES][TOY_NUMBERS], half[IMAGES][TOY_NUMBERS];
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  images all = images_of(&world);
  iscp_attack_options o = options_of(ISCP_NORM_L2, 0.5);
  o.steps = 1;
  o.step = 1e-6; /* what is seen is the start */
  iscp_attack *attack = make(&world, &o);
  int64_t indices[IMAGES / 2];
  for (int64_t i = 0; i < IMAGES / 2; i++)
    indices[i] = IMAGES / 2 + i;
  ASSERT_OK(iscp_attack_run(found[0], attack, all.clean[0], all.labels, NULL, IMAGES));
  ASSERT_OK(iscp_attack_run(half[0], attack, all.clean[IMAGES / 2], all.labels + IMAGES / 2, indices, IMAGES / 2));
  for (int i = 0; i < IMAGES / 2; i++) {
    ck_assert_double_le(linf(half[i], found[IMAGES / 2 + i]), 3e-6); /* two steps that may part */
    ck_assert_double_gt(l2(half[i], all.clean[IMAGES / 2 + i]), 0.2);
  }
  iscp_attack_destroy(attack);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Robust accuracy ---- */

static iscp_attack_info accuracy_of(iscp_attack *attack, const iscp_dataset *data) {
  iscp_attack_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_attack_accuracy(&info, attack, data, NULL, NULL));
  return info;
}

/* Image i is right as it is, and after each of the first 0 .. steps steps: one attack a number of steps. */
static void count_by_hand(int64_t *correct, int64_t *robust, const toy_world *world, const images *all, iscp_attack_options o) {
  static float x[IMAGES][TOY_NUMBERS], logits[IMAGES][TOY_CLASSES];
  bool right[IMAGES], still[IMAGES];
  iscp_session *session;
  int32_t steps = o.steps;
  ASSERT_OK(iscp_session_create(&session, world->model, 7, ISCP_SESSION_INFERENCE));
  memcpy(x, all->clean, sizeof x);
  *correct = *robust = 0;
  for (o.steps = 0; o.steps <= steps; o.steps++) {
    if (o.steps) {
      iscp_attack *attack = make(world, &o);
      ASSERT_OK(iscp_attack_run(x[0], attack, all->clean[0], all->labels, NULL, IMAGES));
      iscp_attack_destroy(attack);
    }
    ASSERT_OK(iscp_session_logits(session, x[0], IMAGES, logits[0]));
    for (int i = 0; i < IMAGES; i++) {
      bool now = isc_argmax(logits[i], TOY_CLASSES) == all->labels[i];
      right[i] = o.steps ? right[i] : now;
      still[i] = o.steps ? still[i] && now : now;
    }
  }
  for (int i = 0; i < IMAGES; i++) {
    *correct += right[i];
    *robust += still[i];
  }
  iscp_session_destroy(session);
}

/* Rows take images as others are decided; what is counted is the same as one image after the other. */
START_TEST(robust_images_are_counted) {
  static const double eps[] = {1e-4, 4e-3, 0.02, 0.3};
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  images all = images_of(&world);
  int64_t before = IMAGES;
  bool between = false;
  for (int i = 0; i < 4; i++) {
    iscp_attack_options o = options_of(ISCP_NORM_LINF, eps[i]);
    o.random_start = 0;
    o.batch = 3;
    int64_t correct, robust;
    count_by_hand(&correct, &robust, &world, &all, o);
    iscp_attack *attack = make(&world, &o);
    iscp_attack_info info = accuracy_of(attack, world.dataset);
    ck_assert_int_eq(info.images, IMAGES);
    ck_assert_int_eq(info.correct, correct);
    ck_assert_int_eq(info.correct, IMAGES * 4 / 5); /* as the toy's labels are made */
    ck_assert_int_eq(info.robust, robust);
    ck_assert_double_eq_tol(info.robust_accuracy, (double)robust / IMAGES, 1e-15);
    ck_assert(info.robust_low <= info.robust_accuracy && info.robust_accuracy <= info.robust_high);
    ck_assert_int_le(robust, before);
    before = robust;
    between = between || (robust > 0 && robust < correct);
    iscp_attack_destroy(attack);
  }
  ck_assert(between);
  ck_assert_int_eq(before, 0);
  toy_world_destroy(&world);
}
END_TEST

typedef struct stopper {
  int left;
} stopper;

static int stop_later(const iscp_progress *progress, void *user) {
  (void)progress;
  return ((stopper *)user)->left-- == 0;
}

/* At every callback; afterwards the attack is as good as new. */
START_TEST(cancelling) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  iscp_attack_options o = options_of(ISCP_NORM_LINF, 0.02);
  iscp_attack *attack = make(&world, &o);
  iscp_attack_info whole = accuracy_of(attack, world.dataset), info = {.struct_size = sizeof info};
  iscp_status status = ISCP_ERROR_CANCELLED;
  int stops = 0;
  for (; status == ISCP_ERROR_CANCELLED; stops++) {
    status = iscp_attack_accuracy(&info, attack, world.dataset, stop_later, &(stopper){stops});
    if (status != ISCP_OK)
      ck_assert_int_eq(info.images, 0);
  }
  ASSERT_OK(status);
  ck_assert_int_gt(stops, 10);
  ck_assert_mem_eq(&whole, &info, sizeof info);
  iscp_attack_destroy(attack);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Wrong arguments ---- */

START_TEST(options_are_checked) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  const iscp_attack_options good = options_of(ISCP_NORM_LINF, 0.1);
  iscp_attack *attack;
  iscp_attack_options bad;
#define REFUSED(field, value, text)                                                                                  \
  bad = good;                                                                                                        \
  bad.field = value;                                                                                                 \
  support_failed(iscp_attack_create(&attack, world.model, &bad), ISCP_ERROR_ARGUMENT, text);                         \
  ck_assert_ptr_null(attack)
  REFUSED(norm, 0, "norm is 0, expected 1 to 2");
  REFUSED(eps, 1.5, "eps is 1.5, expected 0 to 1");
  REFUSED(eps, -1, "eps is -1");
  REFUSED(eps, NAN, "eps is");
  REFUSED(step, INFINITY, "step is inf, expected 0 or more");
  REFUSED(steps, 0, "steps is 0, expected 1 to 10000");
  REFUSED(random_start, 2, "random_start is 2");
  REFUSED(targeted, -1, "targeted is -1");
  REFUSED(batch, 5000, "batch is 5000, expected 0 to 4096");
  support_failed(iscp_attack_create(&attack, NULL, NULL), ISCP_ERROR_ARGUMENT, "model is NULL");
  support_failed(iscp_attack_create(NULL, world.model, NULL), ISCP_ERROR_ARGUMENT, "out is NULL");
  ASSERT_OK(iscp_attack_create(&attack, world.model, NULL));
  ASSERT_OK(iscp_attack_get_options(attack, &bad));
  ck_assert_double_eq(bad.eps, 8.0 / 255);
  ck_assert_double_eq(bad.step, 2.0 / 255);
  ck_assert_int_eq(bad.steps, 20);
  ck_assert_int_gt(bad.batch, 0);
  iscp_attack_destroy(attack);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(calls_are_checked) {
  toy_world world;
  toy_world_create(&world, IMAGES, 1);
  images all = images_of(&world);
  static float x[IMAGES][TOY_NUMBERS];
  iscp_attack_options o = options_of(ISCP_NORM_LINF, 0.1);
  iscp_attack *attack = make(&world, &o);
  iscp_attack_info info = {.struct_size = sizeof info};
  support_failed(iscp_attack_run(all.clean[0], attack, all.clean[0], all.labels, NULL, 1), ISCP_ERROR_ARGUMENT, "same memory");
  support_failed(iscp_attack_run(x[0], attack, all.clean[0], all.labels, NULL, 0), ISCP_ERROR_ARGUMENT, "count is 0");
  support_failed(iscp_attack_run(x[0], attack, all.clean[0], NULL, NULL, 1), ISCP_ERROR_ARGUMENT, "labels is NULL");
  support_failed(iscp_attack_run(x[0], NULL, all.clean[0], all.labels, NULL, 1), ISCP_ERROR_ARGUMENT, "attack is NULL");
  all.labels[4] = TOY_CLASSES;
  support_failed(iscp_attack_run(x[0], attack, all.clean[0], all.labels, NULL, 5), ISCP_ERROR_ARGUMENT,
                 "labels[4] is 4, expected 0 to 3");
  all.labels[4] = 0;
  all.clean[2][TOY_NUMBERS - 1] = 1.5f;
  support_failed(iscp_attack_run(x[0], attack, all.clean[0], all.labels, NULL, 5), ISCP_ERROR_ARGUMENT,
                 "images[2] has a pixel of 1.5");
  support_failed(iscp_attack_accuracy(&info, NULL, world.dataset, NULL, NULL), ISCP_ERROR_ARGUMENT, "attack is NULL");
  support_failed(iscp_attack_accuracy(&info, attack, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "dataset is NULL");
  support_failed(iscp_attack_accuracy(NULL, attack, world.dataset, NULL, NULL), ISCP_ERROR_ARGUMENT, "iscp_attack_info is NULL");
  iscp_attack_destroy(attack);
  o.targeted = 1;
  attack = make(&world, &o);
  support_failed(iscp_attack_accuracy(&info, attack, world.dataset, NULL, NULL), ISCP_ERROR_ARGUMENT, "targeted is 1");
  iscp_attack_destroy(attack);
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("attack");
  TCase *tests = tcase_create("attack");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, a_step_in_linf_by_hand);
  tcase_add_test(tests, a_step_in_l2_by_hand);
  tcase_add_test(tests, a_sure_model_still_gives_a_direction);
  tcase_add_test(tests, starts_are_random_places_of_the_ball);
  tcase_add_test(tests, a_step_follows_the_gradient);
  tcase_add_test(tests, attacks_stay_near_and_get_somewhere);
  tcase_add_test(tests, starts_follow_the_index);
  tcase_add_test(tests, robust_images_are_counted);
  tcase_add_test(tests, cancelling);
  tcase_add_test(tests, options_are_checked);
  tcase_add_test(tests, calls_are_checked);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
