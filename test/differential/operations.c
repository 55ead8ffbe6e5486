/* The operations that are written once for all backends, against plain C: ReLU's bits and its backward passes,
 * max-pooling, the mean, the dense layer, and the loss. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/nn.h"
#include "nn/ops/ops.h"
#include "plain.h"
#include "support.h"

/* ---- ReLU: exact, on lengths with and without tails, within one thread's share and beyond it ---- */

enum { LONGEST = 3 * 8192 + 21 };
static const int64_t lengths[] = {1, 7, 15, 16, 17, 31, 32, 33, 100, 8191, 8192, 8193, 16384 + 16, LONGEST};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static bool bit(const uint16_t *bits, int64_t i) { return bits[i / 16] >> (i % 16) & 1; }

/* A third negative, a third zero of either sign, a third positive, with the smallest numbers among them. */
static void fill_signs(float *values, int64_t count, uint32_t seed) {
  support_fill(values, (size_t)count, -3, 3, seed);
  for (int64_t i = 0; i < count; i++) {
    values[i] = fabsf(values[i]) < 1 ? copysignf(0, values[i]) : values[i];
    if (i % 11 == 5)
      values[i] = copysignf(0x1p-140f, values[i]);
  }
}

START_TEST(bits_say_what_is_positive) {
  static float values[LONGEST];
  static uint16_t bits[LONGEST / 16 + 2];
  for (int l = 0; l < LENGTHS; l++) {
    int64_t count = lengths[l], words = (int64_t)isc_bits_bytes(count) / 2;
    ck_assert_int_eq(words, (count + 15) / 16);
    memset(bits, 0xab, sizeof bits);
    fill_signs(values, count, (uint32_t)l);
    isc_relu_bits(bits, values, count);
    for (int64_t i = 0; i < words * 16; i++)
      if (bit(bits, i) != (i < count && values[i] > 0))
        ck_abort_msg("bit %lld of %lld", (long long)i, (long long)count);
    ck_assert_uint_eq(bits[words], 0xabab);
  }
}
END_TEST

START_TEST(backward_keeps_where_the_bits_are_set) {
  static float values[LONGEST], diff[LONGEST + 16], before[LONGEST + 16];
  static uint16_t bits[LONGEST / 16 + 2];
  for (int l = 0; l < LENGTHS; l++) {
    int64_t count = lengths[l];
    fill_signs(values, count, (uint32_t)l);
    isc_relu_bits(bits, values, count);
    support_fill(before, LONGEST + 16, -1, 1, 77);
    before[count / 2] = NAN; /* what is masked out must not come through by a product with 0 */
    memcpy(diff, before, sizeof diff);
    isc_relu_backward(diff, bits, count);
    for (int64_t i = 0; i < count; i++) {
      float expected = values[i] > 0 ? before[i] : 0;
      if (diff[i] != expected && !(isnan(diff[i]) && isnan(expected)))
        ck_abort_msg("number %lld of %lld", (long long)i, (long long)count);
    }
    ck_assert_mem_eq(diff + count, before + count, 16 * sizeof *diff);
  }
}
END_TEST

START_TEST(join_adds_where_the_bits_are_set) {
  static float values[LONGEST], diff[LONGEST + 16], before[LONGEST + 16], other[LONGEST];
  static uint16_t bits[LONGEST / 16 + 2];
  for (int l = 0; l < LENGTHS; l++)
    for (int masked = 0; masked < 2; masked++) {
      int64_t count = lengths[l];
      fill_signs(values, count, (uint32_t)l);
      isc_relu_bits(bits, values, count);
      support_fill(before, LONGEST + 16, -1, 1, 78);
      support_fill(other, LONGEST, -1, 1, 79);
      memcpy(diff, before, sizeof diff);
      isc_join_backward(diff, other, masked ? bits : NULL, count);
      for (int64_t i = 0; i < count; i++)
        if (diff[i] != (masked && !(values[i] > 0) ? 0 : before[i] + other[i]))
          ck_abort_msg("number %lld of %lld", (long long)i, (long long)count);
      ck_assert_mem_eq(diff + count, before + count, 16 * sizeof *diff);
    }
}
END_TEST

/* ---- Max-pooling: a choice, so exact; what it chose is compared through a backward that is written here ---- */

typedef struct pool_case {
  int32_t c, ih, iw, oh, ow, block;
  int64_t src_count, dst_count, src_blocked, dst_blocked; /* of two images */
} pool_case;

static pool_case make_pool(int32_t c, int32_t ih, int32_t iw, int32_t block) {
  pool_case p = {c, ih, iw, (ih - 1) / 2 + 1, (iw - 1) / 2 + 1, block, 0, 0, 0, 0};
  p.src_count = 2 * isc_activation_count(1, c, ih, iw, 1);
  p.dst_count = 2 * isc_activation_count(1, c, p.oh, p.ow, 1);
  p.src_blocked = isc_activation_count(2, c, ih, iw, block);
  p.dst_blocked = isc_activation_count(2, c, p.oh, p.ow, block);
  return p;
}

static float *floats(int64_t count) { return malloc((size_t)count * sizeof(float)); }

/* Place of window number i of dst that code `which` says. */
static int64_t chosen_place(const pool_case *p, int64_t i, uint8_t which) {
  int64_t plane = i / p->ow / p->oh, oh = i / p->ow % p->oh, ow = i % p->ow;
  return (plane * p->ih + 2 * oh - 1 + which / 3) * p->iw + 2 * ow - 1 + which % 3;
}

/* Forward of `src` through the blocked layout; diff_src: each number of diff_dst given to what was chosen. */
static void run_pool(const pool_case *p, const float *src, const float *diff_dst, float *dst, double *diff_src) {
  int64_t planes = 2 * isc_blocks(p->c, p->block), ihw = (int64_t)p->ih * p->iw, ohw = (int64_t)p->oh * p->ow;
  float *src_ = floats(p->src_blocked), *dst_ = floats(p->dst_blocked), *choices = floats(p->dst_count);
  uint8_t *which = malloc((size_t)p->dst_blocked);
  plain_block(src_, src, 2, p->c, ihw, p->block);
  isc_pool_forward(dst_, which, src_, planes, p->ih, p->iw, p->oh, p->ow, p->block);
  ck_assert(plain_unblock(dst, dst_, 2, p->c, ohw, p->block));
  for (int64_t i = 0; i < p->dst_blocked; i++)
    dst_[i] = which[i];
  plain_unblock(choices, dst_, 2, p->c, ohw, p->block);
  memset(diff_src, 0, (size_t)p->src_count * sizeof *diff_src);
  for (int64_t i = 0; i < p->dst_count; i++)
    if (choices[i] < 9)
      diff_src[chosen_place(p, i, (uint8_t)choices[i])] += diff_dst[i];
    else
      ck_assert(choices[i] == 255);
  free(src_);
  free(dst_);
  free(choices);
  free(which);
}

static void check_pool(const pool_case *p, const float *src, const float *diff_dst) {
  float *dst = floats(p->dst_count), *expected = floats(p->dst_count);
  double *diff_src = malloc((size_t)p->src_count * sizeof *diff_src);
  double *expected_diff = malloc((size_t)p->src_count * sizeof *expected_diff);
  run_pool(p, src, diff_dst, dst, diff_src);
  plain_pool_forward(expected, src, 2 * p->c, p->ih, p->iw, p->oh, p->ow);
  ck_assert_mem_eq(dst, expected, (size_t)p->dst_count * sizeof *dst);
  plain_pool_backward(expected_diff, src, diff_dst, 2 * p->c, p->ih, p->iw, p->oh, p->ow);
  for (int64_t i = 0; i < p->src_count; i++) /* the same numbers added in the same order; ReLU's backward is in the choice */
    ck_assert(diff_src[i] == (src[i] > 0 ? expected_diff[i] : 0));
  free(dst);
  free(diff_src);
  free(expected);
  free(expected_diff);
}

/* src is a ReLU's output. Random numbers, then numbers of three values only, so that most windows hold several largest ones
 * and many are 0 all over. */
static void check_pool_size(int32_t c, int32_t ih, int32_t iw, int32_t block) {
  pool_case p = make_pool(c, ih, iw, block);
  float *src = floats(p.src_count), *diff_dst = floats(p.dst_count);
  support_fill(src, (size_t)p.src_count, -1, 1, 31);
  for (int64_t i = 0; i < p.src_count; i++)
    src[i] = src[i] > 0 ? src[i] : 0;
  support_fill(diff_dst, (size_t)p.dst_count, -1, 1, 32);
  check_pool(&p, src, diff_dst);
  for (int64_t i = 0; i < p.src_count; i++)
    src[i] = floorf(2 * src[i] + 0.5f) / 2;
  check_pool(&p, src, diff_dst);
  free(src);
  free(diff_dst);
}

START_TEST(pooling) {
  static const int32_t sizes[][2] = {{1, 1}, {2, 2}, {3, 1}, {1, 4}, {5, 7}, {8, 8}, {17, 13}, {16, 33}};
  static const int32_t blocks[] = {1, 8, 16}, channels[] = {1, 5, 8, 17, 33};
  for (int s = 0; s < 8; s++)
    for (int b = 0; b < 3; b++)
      for (int c = 0; c < 5; c++)
        check_pool_size(channels[c], sizes[s][0], sizes[s][1], blocks[b]);
}
END_TEST

/* ---- Head ---- */

static void check_mean(int32_t n, int32_t c, int32_t hw, int32_t block) {
  int64_t numbers = (int64_t)n * c * hw, blocked = isc_activation_count(n, c, hw, 1, block);
  float *src = malloc((size_t)numbers * sizeof *src), *src_ = malloc((size_t)blocked * sizeof *src_);
  float *features = malloc((size_t)(n * c) * sizeof *features);
  double *expected = malloc((size_t)(n * c) * sizeof *expected);
  uint16_t *bits = malloc(isc_bits_bytes(blocked));
  fill_signs(src, numbers, 41);
  plain_block(src_, src, n, c, hw, block);
  isc_relu_bits(bits, src_, blocked);
  isc_mean_forward(features, src_, n, c, hw, block);
  plain_mean(expected, src, (int64_t)n * c, hw);
  for (int32_t i = 0; i < n * c; i++)
    ck_assert_double_le(fabs(features[i] - expected[i]), plain_tolerance(hw + 1, 3));
  isc_mean_backward(src_, features, bits, n, c, hw, block);
  float *diff = malloc((size_t)numbers * sizeof *diff);
  ck_assert(plain_unblock(diff, src_, n, c, hw, block));
  for (int64_t i = 0; i < numbers; i++)
    ck_assert(diff[i] == (src[i] > 0 ? features[i / hw] / (float)hw : 0));
  free(diff);
  free(src);
  free(src_);
  free(features);
  free(expected);
  free(bits);
}

START_TEST(mean_over_space) {
  static const int32_t blocks[] = {1, 8, 16}, channels[] = {1, 5, 16, 33}, areas[] = {1, 4, 49, 63};
  for (int b = 0; b < 3; b++)
    for (int c = 0; c < 4; c++)
      for (int a = 0; a < 4; a++)
        check_mean(3, channels[c], areas[a], blocks[b]);
}
END_TEST

enum { MOST_ROWS = 7, WIDEST = 1100, MOST_CLASSES = 37 };

static void check_dense(int32_t rows, int32_t c, int32_t classes) {
  float src[MOST_ROWS * WIDEST], weights[MOST_CLASSES * WIDEST], bias[MOST_CLASSES], dst[MOST_ROWS * MOST_CLASSES];
  double features[MOST_ROWS * WIDEST], expected[MOST_ROWS * MOST_CLASSES];
  support_fill(src, (size_t)(rows * c), 0, 1, 51);
  support_fill(weights, (size_t)(classes * c), -1, 1, 52);
  support_fill(bias, (size_t)classes, -1, 1, 53);
  for (int32_t i = 0; i < rows * c; i++)
    features[i] = src[i];
  isc_dense_forward(dst, src, weights, bias, rows, c, classes);
  plain_dense(expected, features, weights, bias, rows, c, classes);
  for (int32_t i = 0; i < rows * classes; i++)
    ck_assert_double_le(fabs(dst[i] - expected[i]), plain_tolerance(c + 1, c + 1));
  float diff[MOST_ROWS * WIDEST];
  memset(diff, 0xff, sizeof diff);
  isc_dense_backward_data(diff, dst, weights, rows, c, classes);
  for (int32_t i = 0; i < rows * c; i++) {
    plain_sum sum = {0, 0};
    for (int32_t k = 0; k < classes; k++) {
      sum.value += (double)dst[i / c * classes + k] * weights[k * c + i % c];
      sum.magnitude += fabs((double)dst[i / c * classes + k] * weights[k * c + i % c]);
    }
    ck_assert_double_le(fabs(diff[i] - sum.value), plain_tolerance(classes, sum.magnitude));
  }
}

START_TEST(dense_layer) {
  static const int32_t rows[] = {1, 3, 4, MOST_ROWS}, channels[] = {1, 5, 15, 16, 17, 64, 130, WIDEST};
  static const int32_t classes[] = {2, 10, MOST_CLASSES};
  for (int n = 0; n < 4; n++)
    for (int c = 0; c < 8; c++)
      for (int k = 0; k < 3; k++)
        check_dense(rows[n], channels[c], classes[k]);
}
END_TEST

/* ---- Loss ---- */

START_TEST(loss_by_its_definition) {
  float logits[7], diff[7];
  support_fill(logits, 7, -4, 4, 61);
  for (int32_t target = 0; target < 7; target++) {
    double sum = 0, total = 0;
    for (int k = 0; k < 7; k++)
      sum += exp(logits[k]);
    double loss = isc_cross_entropy(diff, logits, 7, target);
    ck_assert_double_eq_tol(loss, log(sum) - logits[target], 1e-14); /* double against double, a few ulps */
    ck_assert(loss == isc_cross_entropy(NULL, logits, 7, target));
    for (int k = 0; k < 7; k++) {
      ck_assert_double_eq_tol(diff[k], exp(logits[k]) / sum - (k == target), 0x1p-24); /* rounded to float32 once */
      total += diff[k];
    }
    ck_assert_double_eq_tol(total, 0, 7 * 0x1p-25);
  }
}
END_TEST

/* Logits far beyond what exp takes give the limit, not infinity. */
START_TEST(loss_of_large_logits) {
  const float logits[3] = {1e30f, -1e30f, 1e30f}, high[3] = {5000, 4000, 0};
  float diff[3];
  ck_assert_double_eq_tol(isc_cross_entropy(diff, logits, 3, 0), log(2), 1e-15);
  ck_assert(diff[0] == -0.5f && diff[1] == 0 && diff[2] == 0.5f);
  ck_assert_double_eq(isc_cross_entropy(diff, high, 3, 1), 1000);
  ck_assert(diff[0] == 1 && diff[1] == -1 && diff[2] == 0);
  ck_assert_double_eq(isc_cross_entropy(diff, high, 3, 0), 0);
}
END_TEST

START_TEST(argmax_takes_the_lowest_of_equal_ones) {
  const float logits[5] = {-1, 3, 2, 3, 3}, equal[3] = {-2, -2, -2};
  ck_assert_int_eq(isc_argmax(logits, 5), 1);
  ck_assert_int_eq(isc_argmax(logits + 2, 3), 1);
  ck_assert_int_eq(isc_argmax(equal, 3), 0);
}
END_TEST

int main(void) {
  plain_limit_cpu();
  Suite *suite = suite_create("operations");
  TCase *relu = tcase_create("relu"), *pool = tcase_create("pool"), *head = tcase_create("head");
  tcase_add_test(relu, bits_say_what_is_positive);
  tcase_add_test(relu, backward_keeps_where_the_bits_are_set);
  tcase_add_test(relu, join_adds_where_the_bits_are_set);
  tcase_add_test(pool, pooling);
  tcase_add_test(head, mean_over_space);
  tcase_add_test(head, dense_layer);
  tcase_add_test(head, loss_by_its_definition);
  tcase_add_test(head, loss_of_large_logits);
  tcase_add_test(head, argmax_takes_the_lowest_of_equal_ones);
  suite_add_tcase(suite, relu);
  suite_add_tcase(suite, pool);
  suite_add_tcase(suite, head);
  return support_run(suite);
}
