#include "plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/simd.h"

void plain_limit_cpu(void) {
  const char *cpu = getenv("TEST_CPU");
  if (!cpu)
    return;
  if (strcmp(cpu, "avx2") && strcmp(cpu, "none"))
    abort();
  isc_cpu_limit(strcmp(cpu, "avx2") ? 0 : ISC_CPU_AVX2);
}

static void add_product(plain_sum *sum, double a, double b) {
  sum->value += a * b;
  sum->magnitude += fabs(a * b);
}

plain_sum plain_conv_forward(const isc_conv_shape *s, const float *src, const float *weights, const float *bias,
                             int32_t n, int32_t oc, int32_t oh, int32_t ow) {
  plain_sum sum = {bias[oc], fabs(bias[oc])};
  for (int32_t ic = 0; ic < s->ic; ic++)
    for (int32_t kh = 0; kh < s->k; kh++)
      for (int32_t kw = 0; kw < s->k; kw++) {
        int32_t h = oh * s->stride - s->pad + kh, w = ow * s->stride - s->pad + kw;
        if (h >= 0 && h < s->ih && w >= 0 && w < s->iw)
          add_product(&sum, src[(((int64_t)n * s->ic + ic) * s->ih + h) * s->iw + w],
                      weights[(((int64_t)oc * s->ic + ic) * s->k + kh) * s->k + kw]);
      }
  return sum;
}

plain_sum plain_conv_backward_data(const isc_conv_shape *s, const float *diff_dst, const float *weights, int32_t n,
                                   int32_t ic, int32_t ih, int32_t iw) {
  plain_sum sum = {0, 0};
  for (int32_t kh = 0; kh < s->k; kh++)
    for (int32_t kw = 0; kw < s->k; kw++) {
      int32_t h = ih + s->pad - kh, w = iw + s->pad - kw;
      if (h < 0 || w < 0 || h % s->stride || w % s->stride || h / s->stride >= s->oh || w / s->stride >= s->ow)
        continue;
      for (int32_t oc = 0; oc < s->oc; oc++)
        add_product(&sum, diff_dst[(((int64_t)n * s->oc + oc) * s->oh + h / s->stride) * s->ow + w / s->stride],
                    weights[(((int64_t)oc * s->ic + ic) * s->k + kh) * s->k + kw]);
    }
  return sum;
}

double plain_tolerance(double terms, double magnitude) { return 4 * sqrt(terms) * 0x1p-24 * magnitude; }

/* The place that wins window (oh, ow) of a plane: the first of the largest. */
static int64_t winner(const float *plane, int32_t ih, int32_t iw, int32_t oh, int32_t ow) {
  int64_t best = -1;
  for (int32_t h = 2 * oh - 1; h <= 2 * oh + 1; h++)
    for (int32_t w = 2 * ow - 1; w <= 2 * ow + 1; w++) {
      int64_t at = (int64_t)h * iw + w;
      if (h >= 0 && h < ih && w >= 0 && w < iw && (best < 0 || plane[at] > plane[best]))
        best = at;
    }
  return best;
}

void plain_pool_forward(float *dst, const float *src, int64_t planes, int32_t ih, int32_t iw, int32_t oh, int32_t ow) {
  for (int64_t p = 0; p < planes; p++)
    for (int32_t h = 0; h < oh; h++)
      for (int32_t w = 0; w < ow; w++) {
        const float *plane = src + p * ih * iw;
        dst[(p * oh + h) * ow + w] = plane[winner(plane, ih, iw, h, w)];
      }
}

void plain_pool_backward(double *diff_src, const float *src, const float *diff_dst, int64_t planes, int32_t ih,
                         int32_t iw, int32_t oh, int32_t ow) {
  memset(diff_src, 0, (size_t)(planes * ih * iw) * sizeof *diff_src);
  for (int64_t p = 0; p < planes; p++)
    for (int32_t h = 0; h < oh; h++)
      for (int32_t w = 0; w < ow; w++)
        diff_src[p * ih * iw + winner(src + p * ih * iw, ih, iw, h, w)] += diff_dst[(p * oh + h) * ow + w];
}

void plain_mean(double *features, const float *src, int64_t planes, int32_t hw) {
  for (int64_t p = 0; p < planes; p++) {
    double sum = 0;
    for (int32_t i = 0; i < hw; i++)
      sum += src[p * hw + i];
    features[p] = sum / hw;
  }
}

void plain_dense(double *dst, const double *features, const float *weights, const float *bias, int32_t n, int32_t c,
                 int32_t classes) {
  for (int32_t i = 0; i < n; i++)
    for (int32_t k = 0; k < classes; k++) {
      double sum = bias[k];
      for (int32_t j = 0; j < c; j++)
        sum += features[i * c + j] * weights[k * c + j];
      dst[i * classes + k] = sum;
    }
}

static int64_t place(int32_t n, int32_t c, int64_t i, int32_t blocks, int64_t hw, int32_t block) {
  return (((int64_t)n * blocks + c / block) * hw + i) * block + c % block;
}

void plain_block(float *blocked, const float *src, int32_t n, int32_t c, int64_t hw, int32_t block) {
  int32_t blocks = (c + block - 1) / block;
  for (int32_t i = 0; i < n; i++)
    for (int32_t j = 0; j < blocks * block; j++)
      for (int64_t p = 0; p < hw; p++)
        blocked[place(i, j, p, blocks, hw, block)] = j < c ? src[((int64_t)i * c + j) * hw + p] : 0;
}

bool plain_unblock(float *dst, const float *blocked, int32_t n, int32_t c, int64_t hw, int32_t block) {
  int32_t blocks = (c + block - 1) / block;
  bool clean = true;
  for (int32_t i = 0; i < n; i++)
    for (int32_t j = 0; j < blocks * block; j++)
      for (int64_t p = 0; p < hw; p++) {
        float value = blocked[place(i, j, p, blocks, hw, block)];
        if (j < c)
          dst[((int64_t)i * c + j) * hw + p] = value;
        else
          clean = clean && value == 0;
      }
  return clean;
}
