/* The passes of training: convolutions whose weights change and batch norm with the batch's statistics, each against plain C in
 * double on odd shapes; then whole networks, one backend against the other and the gradient against the loss's change. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/simd.h"
#include "config.h"
#include "nn/backend.h"
#include "nn/conv/conv.h"
#include "nn/conv/direct/small.h"
#include "nn/ops/norm.h"
#include "nn/ops/ops.h"
#include "plain.h"
#include "support.h"
#include "toy.h"

static iscp_context *context_of(int32_t backend, int32_t threads) {
  iscp_context_options options;
  iscp_context *context;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.backend = backend;
  options.threads = threads;
  ASSERT_OK(iscp_context_create(&context, &options));
  return context;
}

static float *numbers(int64_t count, uint32_t seed) {
  float *values = malloc((size_t)count * sizeof *values);
  support_fill(values, (size_t)count, -1, 1, seed);
  return values;
}

static float *blocked(const float *plain, int32_t n, int32_t c, int64_t hw, int32_t block) {
  float *values = aligned_alloc(64, ((size_t)isc_activation_count(n, c, (int32_t)hw, 1, block) * sizeof(float) + 63) / 64 * 64);
  plain_block(values, plain, n, c, hw, block);
  return values;
}

/* ---- Convolutions ---- */

static const isc_conv_shape shapes[] = {
    {3, 3, 9, 7, 16, 5, 4, 7, 2, 3},  {2, 1, 8, 8, 8, 8, 8, 3, 1, 1},     {5, 16, 7, 5, 32, 7, 5, 3, 1, 1},
    {2, 32, 9, 6, 16, 5, 3, 3, 2, 1}, {4, 48, 4, 3, 16, 4, 3, 1, 1, 0},   {3, 16, 5, 8, 40, 3, 4, 1, 2, 0},
    {2, 10, 6, 6, 5, 6, 6, 3, 1, 1},  {600, 16, 1, 1, 16, 1, 1, 3, 1, 1}, {7, 64, 2, 2, 64, 1, 1, 3, 2, 1},
    {17, 40, 2, 2, 56, 2, 2, 3, 1, 1}, {9, 48, 3, 2, 24, 2, 1, 1, 2, 0},  {2, 272, 1, 1, 48, 1, 1, 1, 1, 0},
    {2, 48, 1, 1, 272, 1, 1, 1, 1, 0}, {3, 80, 2, 2, 80, 2, 2, 3, 1, 1},  {2, 16, 5, 3, 72, 5, 3, 3, 1, 1}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* One number of diff_weights, and the sum of its terms' magnitudes. */
static plain_sum plain_gradient(const isc_conv_shape *s, const float *src, const float *diff_dst, int32_t oc, int32_t ic,
                                int32_t kh, int32_t kw) {
  plain_sum sum = {0, 0};
  for (int32_t n = 0; n < s->n; n++)
    for (int32_t oh = 0; oh < s->oh; oh++)
      for (int32_t ow = 0; ow < s->ow; ow++) {
        int32_t h = oh * s->stride - s->pad + kh, w = ow * s->stride - s->pad + kw;
        if (h < 0 || h >= s->ih || w < 0 || w >= s->iw)
          continue;
        double product = (double)src[(((int64_t)n * s->ic + ic) * s->ih + h) * s->iw + w] *
                         diff_dst[(((int64_t)n * s->oc + oc) * s->oh + oh) * s->ow + ow];
        sum.value += product;
        sum.magnitude += fabs(product);
      }
  return sum;
}

typedef struct conv_world {
  const isc_conv_implementation *by;
  isc_conv *conv;
  isc_conv_shape s;
  int32_t src_block, block;
  float *src, *weights, *diff_dst; /* plain */
  void *scratch;
} conv_world;

static void expect(const conv_world *w, const char *what, int64_t index, double found, plain_sum sum, double terms) {
  double allowed = plain_tolerance(terms, sum.magnitude) + 1e-30;
  ck_assert_msg(fabs(found - sum.value) <= allowed, "%s %s of shape %dx%d k %d: number %lld is %.8g, expected %.8g",
                w->by->name, what, w->s.ic, w->s.oc, w->s.k, (long long)index, found, sum.value);
}

static void check_forward(const conv_world *w) {
  const isc_conv_shape *s = &w->s;
  int64_t count = (int64_t)s->n * s->oc * s->oh * s->ow;
  float *src = blocked(w->src, s->n, s->ic, (int64_t)s->ih * s->iw, w->src_block), *dst = numbers(count, 9);
  float *own = blocked(dst, s->n, s->oc, (int64_t)s->oh * s->ow, w->block), *zero = calloc((size_t)s->oc, sizeof *zero);
  ASSERT_OK(w->by->forward(w->conv, src, own, w->scratch));
  ck_assert(plain_unblock(dst, own, s->n, s->oc, (int64_t)s->oh * s->ow, w->block));
  for (int64_t i = 0; i < count; i++) {
    int32_t ow = (int32_t)(i % s->ow), oh = (int32_t)(i / s->ow % s->oh), oc = (int32_t)(i / s->ow / s->oh % s->oc);
    plain_sum sum = plain_conv_forward(s, w->src, w->weights, zero, (int32_t)(i / s->ow / s->oh / s->oc), oc, oh, ow);
    expect(w, "forward", i, dst[i], sum, s->ic * s->k * s->k);
  }
  free(src), free(dst), free(own), free(zero);
}

static void check_backward_data(const conv_world *w) {
  const isc_conv_shape *s = &w->s;
  int64_t count = (int64_t)s->n * s->ic * s->ih * s->iw;
  float *diff = blocked(w->diff_dst, s->n, s->oc, (int64_t)s->oh * s->ow, w->block), *src = numbers(count, 8);
  float *own = blocked(src, s->n, s->ic, (int64_t)s->ih * s->iw, w->src_block);
  ASSERT_OK(w->by->backward_data(w->conv, diff, own, w->scratch));
  ck_assert(plain_unblock(src, own, s->n, s->ic, (int64_t)s->ih * s->iw, w->src_block));
  for (int64_t i = 0; i < count; i++) {
    int32_t iw = (int32_t)(i % s->iw), ih = (int32_t)(i / s->iw % s->ih), ic = (int32_t)(i / s->iw / s->ih % s->ic);
    plain_sum sum = plain_conv_backward_data(s, w->diff_dst, w->weights, (int32_t)(i / s->iw / s->ih / s->ic), ic, ih, iw);
    expect(w, "backward_data", i, src[i], sum, s->oc * s->k * s->k);
  }
  free(diff), free(src), free(own);
}

/* Written, then added once more: the double of it. */
static void check_backward_weights(const conv_world *w) {
  const isc_conv_shape *s = &w->s;
  int64_t count = w->by->count(w->conv), plain_count = (int64_t)s->oc * s->ic * s->k * s->k;
  float *src = blocked(w->src, s->n, s->ic, (int64_t)s->ih * s->iw, w->src_block);
  float *diff = blocked(w->diff_dst, s->n, s->oc, (int64_t)s->oh * s->ow, w->block);
  float *own = aligned_alloc(64, ((size_t)count * sizeof *own + 63) / 64 * 64), *plain = numbers(plain_count, 7);
  memset(own, 0x7f, (size_t)count * sizeof *own);
  for (int times = 1; times <= 2; times++) {
    ASSERT_OK(w->by->backward_weights(w->conv, src, diff, own, times > 1, w->scratch));
    ASSERT_OK(w->by->unpack(w->conv, plain, own, w->scratch));
    for (int64_t i = 0; i < plain_count; i++) {
      int32_t kw = (int32_t)(i % s->k), kh = (int32_t)(i / s->k % s->k), ic = (int32_t)(i / s->k / s->k % s->ic);
      plain_sum sum = plain_gradient(s, w->src, w->diff_dst, (int32_t)(i / s->k / s->k / s->ic), ic, kh, kw);
      sum.value *= times;
      sum.magnitude *= times;
      expect(w, "backward_weights", i, plain[i], sum, (double)s->n * s->oh * s->ow);
    }
  }
  double padding = 0, inside = 0; /* what pads the gradient's own order is zero: no more than the plain numbers adds up */
  for (int64_t i = 0; i < count; i++)
    padding += fabs((double)own[i]);
  for (int64_t i = 0; i < plain_count; i++)
    inside += fabs((double)plain[i]);
  ck_assert_double_le(fabs(padding - inside), 1e-9 * inside); /* the same numbers in another order, in double */
  free(src), free(diff), free(own), free(plain);
}

static void check_conv(const isc_conv_implementation *by, iscp_context *context, const isc_conv_shape *s, int32_t src_block,
                       int32_t block) {
  isc_conv_desc desc = {.name = "layer", .shape = *s, .training = true, .gradient = src_block == block,
                        .src_block = src_block, .dst_block = block};
  conv_world w = {.by = by, .s = *s, .src_block = src_block, .block = block};
  iscp_status status = by->create(&w.conv, context, &desc);
  if (status == ISCP_ERROR_UNSUPPORTED)
    return;
  ASSERT_OK(status);
  w.src = numbers((int64_t)s->n * s->ic * s->ih * s->iw, 1);
  w.weights = numbers((int64_t)s->oc * s->ic * s->k * s->k, 2);
  w.diff_dst = numbers((int64_t)s->n * s->oc * s->oh * s->ow, 3);
  w.scratch = isc_alloc(context, by->scratch(w.conv));
  ASSERT_OK(by->pack(w.conv, by->weights(w.conv), w.weights, w.scratch));
  check_forward(&w);
  if (desc.gradient)
    check_backward_data(&w);
  check_backward_weights(&w);
  isc_free(context, w.scratch);
  free(w.src), free(w.weights), free(w.diff_dst);
  by->destroy(w.conv);
}

START_TEST(convolutions_of_openblas) {
  iscp_context *context = context_of(ISCP_BACKEND_BLAS, 2);
  isc_compute compute;
  ASSERT_OK(isc_compute_enter(context, &compute));
  for (int i = 0; i < SHAPES; i++) {
    check_conv(&isc_conv_blas_training, context, &shapes[i], 1, 1);
    check_conv(&isc_conv_blas_blocked, context, &shapes[i], shapes[i].ic < 4 ? 1 : 8, 8);
  }
  isc_compute_leave(&compute);
  iscp_context_destroy(context);
}
END_TEST

#if ISC_HAVE_ONEDNN
START_TEST(convolutions_of_onednn) {
  iscp_context *context = context_of(ISCP_BACKEND_ONEDNN, 2);
  int32_t block = isc_backend_onednn.block();
  isc_compute compute;
  ASSERT_OK(isc_compute_enter(context, &compute));
  for (int i = 0; i < SHAPES; i++)
    check_conv(&isc_conv_onednn_training, context, &shapes[i], shapes[i].ic < 4 ? 1 : block, block);
  isc_compute_leave(&compute);
  iscp_context_destroy(context);
}
END_TEST

/* dst, diff_src and diff_weights of a convolution, in its own order. */
typedef struct passes {
  float *dst, *diff_src, *diff_weights;
  int64_t counts[3];
} passes;

static float *zeros(int64_t count) {
  float *values = aligned_alloc(64, ((size_t)count * sizeof *values + 63) / 64 * 64);
  return memset(values, 0, (size_t)count * sizeof *values);
}

/* By the implementation on `threads` threads, or by small.h's functions themselves. */
static passes run_passes(const isc_conv_shape *s, int32_t threads, bool itself) {
  const isc_conv_implementation *by = &isc_conv_onednn_training;
  iscp_context *context = context_of(ISCP_BACKEND_ONEDNN, threads);
  isc_conv_desc desc = {.name = "layer", .shape = *s, .training = true, .gradient = true, .src_block = 16, .dst_block = 16};
  isc_conv *conv;
  isc_compute compute;
  ASSERT_OK(isc_compute_enter(context, &compute));
  ASSERT_OK(by->create(&conv, context, &desc));
  float *plain[] = {numbers((int64_t)s->n * s->ic * s->ih * s->iw, 1), numbers((int64_t)s->n * s->oc * s->oh * s->ow, 3),
                    numbers((int64_t)s->oc * s->ic * s->k * s->k, 2)};
  float *src = blocked(plain[0], s->n, s->ic, s->ih * s->iw, 16), *diff = blocked(plain[1], s->n, s->oc, s->oh * s->ow, 16);
  passes p = {.counts = {isc_activation_count(s->n, s->oc, s->oh, s->ow, 16),
                         isc_activation_count(s->n, s->ic, s->ih, s->iw, 16), by->count(conv)}};
  void *scratch = isc_alloc(context, by->scratch(conv));
  p.dst = zeros(p.counts[0]);
  p.diff_src = zeros(p.counts[1]);
  p.diff_weights = zeros(p.counts[2]);
  ASSERT_OK(by->pack(conv, by->weights(conv), plain[2], scratch));
  if (itself) {
    isc_small_forward(s, by->weights(conv), src, p.dst, scratch);
    isc_small_backward_data(s, by->weights(conv), diff, p.diff_src, scratch);
    isc_small_backward_weights(s, src, diff, p.diff_weights, false, scratch);
  } else {
    ASSERT_OK(by->forward(conv, src, p.dst, scratch));
    ASSERT_OK(by->backward_data(conv, diff, p.diff_src, scratch));
    ASSERT_OK(by->backward_weights(conv, src, diff, p.diff_weights, false, scratch));
  }
  isc_free(context, scratch);
  by->destroy(conv);
  isc_compute_leave(&compute);
  iscp_context_destroy(context);
  free(src), free(diff), free(plain[0]), free(plain[1]), free(plain[2]);
  return p;
}

static void free_passes(passes *p) { free(p->dst), free(p->diff_src), free(p->diff_weights); }

/* oneDNN's implementation takes the loops of small.h where they are the faster ones, and these give the same bits on any number
 * of threads. */
START_TEST(small_images) {
  static const isc_conv_shape small[] = {{70, 64, 2, 2, 96, 2, 2, 3, 1, 1}, {50, 96, 1, 1, 320, 1, 1, 1, 1, 0},
                                         {33, 96, 2, 2, 64, 1, 1, 1, 2, 0}};
  for (int i = 0; i < 3; i++) {
    ck_assert(isc_small_directions(&small[i]) && isc_small_gradient(&small[i]));
    passes a = run_passes(&small[i], 1, false), b = run_passes(&small[i], 3, true);
    ck_assert_mem_eq(a.dst, b.dst, (size_t)a.counts[0] * sizeof(float));
    ck_assert_mem_eq(a.diff_src, b.diff_src, (size_t)a.counts[1] * sizeof(float));
    ck_assert_mem_eq(a.diff_weights, b.diff_weights, (size_t)a.counts[2] * sizeof(float));
    free_passes(&a);
    free_passes(&b);
  }
  ck_assert(!isc_small_directions(&(isc_conv_shape){4, 64, 8, 8, 64, 8, 8, 3, 1, 1}));
}
END_TEST

static bool has_small_images(void) { return isc_backend_onednn.block() == ISC_SMALL_BLOCK && isc_cpu_has(ISC_CPU_AVX512F); }
#else
static bool has_small_images(void) { return false; }
#endif

/* ---- Batch norm ---- */

enum { CHANNELS = 19, IMAGES = 5, MOST_PLACES = 50, MOST = IMAGES * CHANNELS * MOST_PLACES };

typedef struct norm_world {
  isc_norm_shape s;
  isc_norm norm;
  float x[MOST], shortcut[MOST], diff[MOST], other[MOST]; /* plain */
  double y[MOST], g[MOST], diff_x[MOST], mean[CHANNELS], variance[CHANNELS], diff_gamma[CHANNELS], diff_beta[CHANNELS];
} norm_world;

static int64_t place(const norm_world *w, int32_t n, int32_t c, int32_t p) { return ((int64_t)n * CHANNELS + c) * w->s.hw + p; }
static int64_t all(const norm_world *w) { return (int64_t)IMAGES * CHANNELS * w->s.hw; }

static void make_norm(norm_world *w, const isc_norm_shape *s) {
  w->s = *s;
  float **const vectors[] = {&w->norm.gamma,      &w->norm.beta,      &w->norm.running_mean, &w->norm.running_variance,
                             &w->norm.diff_gamma, &w->norm.diff_beta, &w->norm.deviation};
  float **const wide[] = {&w->norm.mean, &w->norm.a, &w->norm.b, &w->norm.slope, &w->norm.offset};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
    *vectors[i] = numbers(CHANNELS, 20 + (uint32_t)i);
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
    *wide[i] = calloc((size_t)isc_norm_lanes(CHANNELS, s->block), sizeof(float));
  support_fill(w->x, (size_t)all(w), -1, 1, 1);
  support_fill(w->shortcut, (size_t)all(w), -1, 1, 2);
  support_fill(w->diff, (size_t)all(w), -1, 1, 3);
  support_fill(w->other, (size_t)all(w), -1, 1, 4);
  for (int64_t i = 0; i < all(w); i++) /* a mean of a thousand deviations: sums of squares alone would lose all digits */
    w->x[i] += i / w->s.hw % CHANNELS == 4 ? 1000 : 0;
}

static void free_norm(norm_world *w) {
  float *const vectors[] = {w->norm.gamma, w->norm.beta, w->norm.running_mean, w->norm.running_variance, w->norm.diff_gamma,
                            w->norm.diff_beta, w->norm.deviation, w->norm.mean, w->norm.a, w->norm.b, w->norm.slope,
                            w->norm.offset};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
    free(vectors[i]);
}

static void plain_norm_channel(norm_world *w, int32_t c, bool relu, bool sum) {
  double m = (double)IMAGES * w->s.hw, along = 0, total = 0;
  w->mean[c] = w->variance[c] = 0;
  for (int32_t i = 0; i < m; i++)
    w->mean[c] += w->x[place(w, i / w->s.hw, c, i % w->s.hw)] / m;
  for (int32_t i = 0; i < m; i++)
    w->variance[c] += pow(w->x[place(w, i / w->s.hw, c, i % w->s.hw)] - w->mean[c], 2) / m;
  double deviation = sqrt(w->variance[c] + 1e-5);
  for (int32_t i = 0; i < m; i++) {
    int64_t at = place(w, i / w->s.hw, c, i % w->s.hw);
    double normal = (w->x[at] - w->mean[c]) / deviation;
    w->y[at] = w->norm.gamma[c] * normal + w->norm.beta[c] + (sum ? (double)w->shortcut[at] : 0);
    w->g[at] = relu && w->y[at] <= 0 ? 0 : w->diff[at] + (sum ? (double)w->other[at] : 0);
    w->y[at] = relu ? fmax(w->y[at], 0) : w->y[at];
    total += w->g[at];
    along += w->g[at] * normal;
  }
  for (int32_t i = 0; i < m; i++) {
    int64_t at = place(w, i / w->s.hw, c, i % w->s.hw);
    double normal = (w->x[at] - w->mean[c]) / deviation;
    w->diff_x[at] = w->norm.gamma[c] / deviation * (w->g[at] - total / m - normal * along / m);
  }
  w->diff_gamma[c] += along;
  w->diff_beta[c] += total;
}

/* Of channel 4 float32 has x - mean to within 6e-5: 1e-3 of a number of size 1 lets that through the three places where it
 * enters. The others are good to the rounding of a few operations; 2e-5 lets sums of 250 numbers through. */
static void check_numbers(const norm_world *w, const char *what, const float *found, const double *expected) {
  for (int64_t i = 0; i < all(w); i++) {
    double allowed = i / w->s.hw % CHANNELS == 4 ? 1e-3 : 2e-5;
    ck_assert_msg(fabs(found[i] - expected[i]) <= allowed, "%s, block %d, hw %d: number %lld is %.7g, expected %.7g", what,
                  w->s.block, w->s.hw, (long long)i, (double)found[i], expected[i]);
  }
}

static void unblock(norm_world *w, float *plain, float *own) {
  ck_assert(plain_unblock(plain, own, IMAGES, CHANNELS, w->s.hw, w->s.block));
  free(own);
}

static void check_norm(const isc_norm_shape *s, bool relu, bool sum) {
  static norm_world w;
  static float found[MOST];
  make_norm(&w, s);
  float running_mean[CHANNELS], running_variance[CHANNELS];
  memcpy(running_mean, w.norm.running_mean, sizeof running_mean);
  memcpy(running_variance, w.norm.running_variance, sizeof running_variance);
  for (int32_t c = 0; c < CHANNELS; c++) {
    w.diff_gamma[c] = w.norm.diff_gamma[c];
    w.diff_beta[c] = w.norm.diff_beta[c];
    plain_norm_channel(&w, c, relu, sum);
  }
  float *x = blocked(w.x, IMAGES, CHANNELS, s->hw, s->block), *y = blocked(w.x, IMAGES, CHANNELS, s->hw, s->block);
  float *shortcut = blocked(w.shortcut, IMAGES, CHANNELS, s->hw, s->block);
  float *diff = blocked(w.diff, IMAGES, CHANNELS, s->hw, s->block), *other = blocked(w.other, IMAGES, CHANNELS, s->hw, s->block);
  float *diff_x = sum ? blocked(w.x, IMAGES, CHANNELS, s->hw, s->block) : diff;
  void *scratch = aligned_alloc(64, (isc_norm_scratch(s) + 63) / 64 * 64);
  isc_norm_forward(y, &w.norm, x, sum ? shortcut : NULL, relu, s, scratch);
  const isc_norm_gradient gradient = {.x = x, .y = sum ? y : NULL, .diff = diff, .other = sum ? other : NULL, .diff_x = diff_x,
                                      .relu = relu, .keep = sum};
  isc_norm_backward(&w.norm, &gradient, s, scratch);
  unblock(&w, found, y);
  check_numbers(&w, "y", found, w.y);
  if (sum) {
    unblock(&w, found, diff);
    check_numbers(&w, "kept gradient", found, w.g);
  }
  unblock(&w, found, diff_x);
  check_numbers(&w, "diff_x", found, w.diff_x);
  double m = (double)IMAGES * s->hw; /* unbiased in the running variance */
  for (int32_t c = 0; c < CHANNELS; c++) {
    ck_assert_double_le(fabs(w.norm.running_mean[c] - (0.9 * running_mean[c] + 0.1 * w.mean[c])), 1e-5);
    ck_assert_double_le(fabs(w.norm.running_variance[c] - (0.9 * running_variance[c] + 0.1 * w.variance[c] * m / (m - 1))), 1e-5);
    ck_assert_double_le(fabs(w.norm.diff_gamma[c] - w.diff_gamma[c]), c == 4 ? 2e-2 : 1e-4); /* sums of 250 such numbers */
    ck_assert_double_le(fabs(w.norm.diff_beta[c] - w.diff_beta[c]), 1e-4);
  }
  free(x), free(shortcut), free(other), free(scratch);
  free_norm(&w);
}

START_TEST(batch_norm) {
  static const int32_t blocks[] = {1, 8, 16}, places[] = {1, 2, 16, 33, MOST_PLACES};
  for (int b = 0; b < 3; b++)
    for (int p = 0; p < 5; p++)
      for (int relu = 0; relu < 2; relu++)
        for (int sum = 0; sum < 2; sum++)
          check_norm(&(isc_norm_shape){IMAGES, CHANNELS, places[p], blocks[b]}, relu, sum);
}
END_TEST

/* ---- Pool and dense ---- */

START_TEST(pool_backward) {
  enum { IH = 7, IW = 6, OH = 4, OW = 3, PLANES = 32 };
  static float src[PLANES * IH * IW], dst[PLANES * OH * OW], diff[PLANES * OH * OW], found[PLANES * IH * IW];
  static double expected[PLANES * IH * IW];
  support_fill(src, PLANES * IH * IW, 0.5f, 1, 1); /* of a ReLU, above 0 */
  support_fill(diff, PLANES * OH * OW, -1, 1, 2);
  plain_pool_backward(expected, src, diff, PLANES, IH, IW, OH, OW);
  for (int32_t block = 1; block <= 16; block = block == 1 ? 8 : 2 * block) {
    static uint8_t which[PLANES * OH * OW];
    float *own = blocked(src, 2, PLANES / 2, IH * IW, block), *own_diff = blocked(diff, 2, PLANES / 2, OH * OW, block);
    isc_pool_forward(dst, which, own, PLANES / block, IH, IW, OH, OW, block);
    isc_pool_backward(own, which, own_diff, PLANES / block, IH, IW, OH, OW, block);
    ck_assert(plain_unblock(found, own, 2, PLANES / 2, IH * IW, block));
    for (int i = 0; i < PLANES * IH * IW; i++) /* at most four terms of size 1 */
      ck_assert_double_le(fabs(found[i] - expected[i]), 4 * 0x1p-24);
    free(own), free(own_diff);
  }
}
END_TEST

START_TEST(dense_backward_weights) {
  enum { N = 11, C = 1100, K = 7 };
  static float src[N * C], diff[N * K], weights[K * C], bias[K], before[K * C];
  support_fill(src, N * C, -1, 1, 1);
  support_fill(diff, N * K, -1, 1, 2);
  support_fill(weights, K * C, -1, 1, 3);
  memcpy(before, weights, sizeof weights);
  memset(bias, 0, sizeof bias);
  isc_dense_backward_weights(weights, bias, src, diff, N, C, K);
  for (int k = 0; k < K; k++) {
    double total = 0;
    for (int n = 0; n < N; n++)
      total += diff[n * K + k];
    ck_assert_double_le(fabs(bias[k] - total), 1e-6); /* one rounding of a sum of 11 */
    for (int c = 0; c < C; c++) {
      double sum = before[k * C + c];
      for (int n = 0; n < N; n++)
        sum += (double)src[n * C + c] * diff[n * K + k];
      ck_assert_double_le(fabs(weights[k * C + c] - sum), plain_tolerance(N + 1, N)); /* terms below 1 */
    }
  }
}
END_TEST

int main(void) {
  plain_limit_cpu();
  const char *only = getenv("CK_RUN_CASE");
  if (only && !strcmp(only, "avx512") && !has_small_images())
    return support_skip("the loops for small images need AVX-512 and oneDNN's blocks of 16");
  Suite *suite = suite_create("training");
  TCase *tests = tcase_create("passes");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, convolutions_of_openblas);
#if ISC_HAVE_ONEDNN
  tcase_add_test(tests, convolutions_of_onednn);
  TCase *wide = tcase_create("avx512");
  tcase_add_test(wide, small_images);
  if (has_small_images())
    suite_add_tcase(suite, wide);
#endif
  tcase_add_test(tests, batch_norm);
  tcase_add_test(tests, pool_backward);
  tcase_add_test(tests, dense_backward_weights);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
