/* lib/search: the mask's sign steps on their lattice, and the evidence. */
#include <math.h>
#include <stdlib.h>

#include "search/mask.h"
#include "support.h"

enum { PIXELS = 64, STEPS = 4000 };

static isc_mask make_mask(const iscp_context *context, int64_t pixels, double step) {
  isc_mask mask;
  ASSERT_OK(isc_mask_create(&mask, context, pixels, step));
  return mask;
}

/* A walk that drifts up, then down, so that values spend time at both bounds and between them. */
static void walk_gradient(double gradient[PIXELS], int turn) {
  float noise[PIXELS];
  support_fill(noise, PIXELS, -1, 1, (uint32_t)turn + 1);
  for (int i = 0; i < PIXELS; i++)
    gradient[i] = noise[i] + 0.3 * sin(turn / 200.0 + i);
}

START_TEST(a_mask_starts_at_one_half) {
  iscp_context *context = support_context();
  isc_mask mask = make_mask(context, PIXELS, 0.02);
  for (int i = 0; i < PIXELS; i++)
    ck_assert(mask.values[i] == 0.5f && mask.evidence[i] == 0);
  ck_assert_double_eq(isc_mask_mean(&mask), 0.5);
  isc_mask_release(&mask, context);
  ck_assert_ptr_null(mask.values);
  for (long allowed = 0; allowed < 4; allowed++) {
    support_fail_after(allowed);
    ck_assert_int_eq(isc_mask_create(&mask, context, PIXELS, 0.02), ISCP_ERROR_MEMORY);
    support_fail_after(-1);
  }
  support_context_end(context);
}
END_TEST

/* With a step of 1/50 the lattice is k / 50, whether counted from 0, 0.5 or 1: whole numbers say where a walk is. */
START_TEST(steps_of_a_fiftieth_stay_on_fiftieths) {
  iscp_context *context = support_context();
  isc_mask mask = make_mask(context, PIXELS, 0.02);
  int place[PIXELS], bounds = 0;
  double gradient[PIXELS];
  for (int i = 0; i < PIXELS; i++)
    place[i] = 25;
  for (int turn = 0; turn < STEPS; turn++) {
    walk_gradient(gradient, turn);
    isc_mask_update(&mask, gradient, 0, mask.pixels);
    for (int i = 0; i < PIXELS; i++) {
      int moved = place[i] + (gradient[i] < 0) - (gradient[i] > 0);
      place[i] = moved < 0 ? 0 : moved > 50 ? 50 : moved;
      bounds += place[i] == 0 || place[i] == 50;
      if (mask.values[i] != (float)(place[i] / 50.0))
        ck_abort_msg("pixel %d is %.9g, expected %d fiftieths", i, (double)mask.values[i], place[i]);
    }
  }
  ck_assert_int_gt(bounds, STEPS);
  isc_mask_release(&mask, context);
  support_context_end(context);
}
END_TEST

/* For any step the lattice is anchor + k * step, the anchor 0.5 at first and then the bound that was met last. */
static void check_step(const iscp_context *context, double step) {
  isc_mask mask = make_mask(context, PIXELS, step);
  double anchor[PIXELS], gradient[PIXELS];
  int k[PIXELS] = {0};
  for (int i = 0; i < PIXELS; i++)
    anchor[i] = 0.5;
  for (int turn = 0; turn < STEPS; turn++) {
    walk_gradient(gradient, turn);
    isc_mask_update(&mask, gradient, 0, mask.pixels);
    for (int i = 0; i < PIXELS; i++) {
      k[i] += (gradient[i] < 0) - (gradient[i] > 0);
      float value = (float)(anchor[i] + k[i] * step);
      if (value <= 0 || value >= 1) {
        anchor[i] = value <= 0 ? 0 : 1;
        k[i] = 0;
      }
      if (mask.values[i] != (float)(anchor[i] + k[i] * step))
        ck_abort_msg("step %g, pixel %d: %.9g is not on the lattice", step, i, (double)mask.values[i]);
    }
  }
  isc_mask_release(&mask, context);
}

START_TEST(any_step_keeps_its_lattice) {
  static const double steps[] = {0.02, 0.03, 0.1, 0.3, 0.5, 0.7, 1, 1.0 / 255};
  iscp_context *context = support_context();
  for (int s = 0; s < 8; s++)
    check_step(context, steps[s]);
  support_context_end(context);
}
END_TEST

/* A value that a whole number of steps brings to the bound is exactly there, though 0.5 + 5 * 0.1 may miss 1. */
START_TEST(bounds_are_exact) {
  static const double steps[] = {0.02, 0.1, 0.3, 1.0 / 6};
  iscp_context *context = support_context();
  for (int s = 0; s < 4; s++)
    for (int up = 0; up < 2; up++) {
      isc_mask mask = make_mask(context, 1, steps[s]);
      const double gradient = up ? -1 : 1;
      int turns = (int)ceil(0.5 / steps[s] - 1e-9);
      for (int turn = 0; turn < turns; turn++) {
        ck_assert(mask.values[0] > 0 && mask.values[0] < 1);
        isc_mask_update(&mask, &gradient, 0, mask.pixels);
      }
      ck_assert(mask.values[0] == (float)up);
      isc_mask_release(&mask, context);
    }
  support_context_end(context);
}
END_TEST

/* ---- The sign ---- */

START_TEST(the_sign_of_zero_is_zero) {
  iscp_context *context = support_context();
  isc_mask mask = make_mask(context, 3, 0.02);
  const double zero[3] = {0, -0.0, 0};
  double balanced[3] = {-0.25, -0.25, -0.25};
  isc_mask_update(&mask, zero, 0, mask.pixels);
  isc_mask_add_norm(balanced, &mask, 0, mask.pixels, 0.25, false);
  isc_mask_update(&mask, balanced, 0, mask.pixels);
  for (int i = 0; i < 3; i++)
    ck_assert(mask.values[i] == 0.5f && mask.evidence[i] == 0);
  const double tiny[3] = {-0x1p-1000, 0x1p-1000, 0}; /* a sign step looks at nothing but the sign */
  isc_mask_update(&mask, tiny, 0, mask.pixels);
  ck_assert(mask.values[0] == 0.52f && mask.values[1] == 0.48f && mask.values[2] == 0.5f);
  isc_mask_release(&mask, context);
  support_context_end(context);
}
END_TEST

static void step_with_norm(isc_mask *mask, double first, double second, bool at_zero) {
  double gradient[2] = {first, second};
  isc_mask_add_norm(gradient, mask, 0, mask->pixels, 0.2, at_zero);
  isc_mask_update(mask, gradient, 0, mask->pixels);
}

/* d|m|/dm is sign(m): nothing at m = 0, unless `at_zero` says 1. */
START_TEST(the_norm_pulls_only_above_zero) {
  iscp_context *context = support_context();
  isc_mask mask = make_mask(context, 2, 0.5);
  step_with_norm(&mask, 0, 0, false);
  ck_assert(mask.values[0] == 0 && mask.evidence[0] == -1);
  step_with_norm(&mask, 0, 0, false);
  ck_assert(mask.values[0] == 0 && mask.evidence[0] == -1);
  step_with_norm(&mask, 0, 0, true);
  ck_assert(mask.values[0] == 0 && mask.evidence[0] == -2);
  step_with_norm(&mask, -0.1, -0.3, true); /* at 0 with at_zero: -0.1 + 0.2 stays, -0.3 + 0.2 goes up */
  ck_assert(mask.values[0] == 0 && mask.values[1] == 0.5f);
  step_with_norm(&mask, -0.1, -0.3, false); /* at 0 without: -0.1 goes up */
  ck_assert(mask.values[0] == 0.5f && mask.values[1] == 1);
  isc_mask_release(&mask, context);
  support_context_end(context);
}
END_TEST

/* The evidence counts on where the mask is clipped. */
START_TEST(evidence_is_not_clipped) {
  iscp_context *context = support_context();
  isc_mask mask = make_mask(context, PIXELS, 0.3);
  double gradient[PIXELS];
  int expected[PIXELS] = {0};
  for (int turn = 0; turn < STEPS; turn++) {
    walk_gradient(gradient, turn);
    gradient[0] = -1;
    gradient[1] = 1;
    gradient[2] = 0;
    isc_mask_update(&mask, gradient, 0, mask.pixels);
    for (int i = 0; i < PIXELS; i++)
      expected[i] += (gradient[i] < 0) - (gradient[i] > 0);
  }
  ck_assert_int_eq(expected[0], STEPS);
  for (int i = 0; i < PIXELS; i++)
    ck_assert_int_eq(mask.evidence[i], expected[i]);
  ck_assert(mask.values[0] == 1 && mask.values[1] == 0 && mask.values[2] == 0.5f);
  double sum = 0;
  for (int i = 0; i < PIXELS; i++)
    sum += mask.values[i];
  ck_assert_double_eq(isc_mask_mean(&mask), sum / PIXELS);
  isc_mask_release(&mask, context);
  support_context_end(context);
}
END_TEST

/* The sum by its definition, and its gradient by differences: of a polynomial of second degree they are exact but for rounding. */
START_TEST(total_variation) {
  enum { WIDTH = 5, HEIGHT = 4, ALL = WIDTH * HEIGHT };
  iscp_context *context = support_context();
  isc_mask mask = make_mask(context, ALL, 0.02);
  support_fill(mask.values, ALL, 0, 1, 9);
  double sum = 0, gradient[ALL] = {0};
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < WIDTH; x++) {
      double m = mask.values[y * WIDTH + x];
      sum += x + 1 < WIDTH ? pow(mask.values[y * WIDTH + x + 1] - m, 2) : 0;
      sum += y + 1 < HEIGHT ? pow(mask.values[(y + 1) * WIDTH + x] - m, 2) : 0;
    }
  ck_assert_double_eq_tol(isc_mask_variation(&mask, WIDTH), sum, 1e-12);
  isc_mask_add_variation(gradient, &mask, WIDTH, 0, 7, 3);
  isc_mask_add_variation(gradient, &mask, WIDTH, 7, ALL, 3);
  for (int i = 0; i < ALL; i++) {
    float value = mask.values[i];
    mask.values[i] = value + 0.25f;
    double above = isc_mask_variation(&mask, WIDTH);
    mask.values[i] = value - 0.25f;
    double below = isc_mask_variation(&mask, WIDTH);
    mask.values[i] = value;
    ck_assert_double_eq_tol(gradient[i], 3 * (above - below) / 0.5, 1e-5); /* values are float32: 2^-24 on each side */
  }
  isc_mask_release(&mask, context);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mask");
  TCase *lattice = tcase_create("lattice"), *sign = tcase_create("sign");
  tcase_add_test(lattice, a_mask_starts_at_one_half);
  tcase_add_test(lattice, steps_of_a_fiftieth_stay_on_fiftieths);
  tcase_add_test(lattice, any_step_keeps_its_lattice);
  tcase_add_test(lattice, bounds_are_exact);
  tcase_add_test(sign, the_sign_of_zero_is_zero);
  tcase_add_test(sign, the_norm_pulls_only_above_zero);
  tcase_add_test(sign, evidence_is_not_clipped);
  TCase *smooth = tcase_create("smooth");
  tcase_add_test(smooth, total_variation);
  suite_add_tcase(suite, smooth);
  suite_add_tcase(suite, lattice);
  suite_add_tcase(suite, sign);
  return support_run(suite);
}
