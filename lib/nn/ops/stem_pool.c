/* backward of the imagenet stem as a whole, from the max-pool's diff_dst to the image: pool (3x3, stride 2, padding 1), ReLU,
 * convolution (7x7, stride 2, padding 3).
 *
 * A number of the pool's diff_dst goes back to the one place of its window that it was chosen from (pool.c), so at least three
 * of four numbers of the convolution's diff_dst would be zero. They are never written: each number is brought to the image
 * at once,
 *
 *   diff_src[ic][2 y - 3 + kh][2 x - 3 + kw] += weights[oc][ic][kh][kw] * diff_dst[oc][oh][ow]
 *   (y, x) = 2 (oh, ow) - 1 + chosen (one of 3x3)
 *
 * At one window (oh, ow) all channels that chose the same meet the same 7x7 pixels: their products are added up in registers, a
 * vector a row of weights, and go to memory once. That memory is a tile of the pixels that a row of windows reaches, margins and
 * all; tiles are added to the image. A band of the image's rows is one thread's work from the first of its sums to the last, so
 * that their order does not depend on the threads. */
#include <string.h>

#include "base/simd.h"
#include "nn/ops/stem.h"

enum { K = 7, LANES = 8 /* a row of weights and a zero */, CHOICES = 9, BAND = 56 };

/* A window reaches over 11 x 11 pixels, its neighbour's begin 4 further. */
enum { WINDOWS = 56, STEP = 4, ROWS = K + 4, PITCH = STEP * WINDOWS + 16, CHANNELS = 3 };

typedef struct tile {
  float pixels[CHANNELS][ROWS][PITCH];
} tile;

/* One window of a group of output channels. */
enum { GROUP = 64 };
typedef struct window {
  uint64_t channels[CHOICES]; /* who made each choice, a bit a channel */
  const float *diff_dst;      /* the first channel's number */
  int64_t plane;              /* numbers from one block of channels to the next */
  int32_t block;
} window;

/* pixels += what the window brings to IC input channels, of a group whose weights are `step` numbers apart. */
typedef void scatter_fn(float *pixels, const window *v, const float *weights, int32_t step);

#define UNROLL _Pragma("GCC unroll 21")
#define SCATTER(NAME, TARGET, IC, MULTIPLY_ADD)                                                               \
  TARGET static void NAME(float *pixels, const window *v, const float *weights, int32_t step) {              \
    for (int choice = 0; choice < CHOICES; choice++) {                                                        \
      uint64_t rest = v->channels[choice];                                                                    \
      if (!rest)                                                                                              \
        continue;                                                                                             \
      isc_f32x8 sums[IC * K];                                                                                   \
      UNROLL for (int i = 0; i < IC * K; i++) sums[i] = (isc_f32x8){0};                                         \
      for (; rest; rest &= rest - 1) {                                                                        \
        int32_t c = __builtin_ctzll(rest);                                                                    \
        const isc_f32x8 *w = (const isc_f32x8 *)(weights + c * step);                                             \
        isc_f32x8 number = v->diff_dst[c / v->block * v->plane + c % v->block] - (isc_f32x8){0};                  \
        UNROLL for (int i = 0; i < IC * K; i++) sums[i] = MULTIPLY_ADD(w[i], number, sums[i]);                \
      }                                                                                                       \
      float *at = pixels + 2 * (choice / 3 * PITCH + choice % 3);                                             \
      UNROLL for (int i = 0; i < IC * K; i++)                                                                 \
        *(isc_f32x8_any *)(at + (i / K * ROWS + i % K) * PITCH) += sums[i];                                \
    }                                                                                                         \
  }

#define PLAIN(a, b, c) ((a) * (b) + (c))
#if defined(__x86_64__)
SCATTER(scatter3_avx512, __attribute__((target("avx512f,avx512vl,fma"))), 3, isc_f32x8_fma)
SCATTER(scatter1_avx2, ISC_TARGET_AVX2_FMA, 1, isc_f32x8_fma)
#endif
SCATTER(scatter1_plain, , 1, PLAIN)

typedef struct kernel {
  scatter_fn *scatter;
  int32_t ic; /* input channels at once, as the registers allow */
} kernel;

static kernel choose(int32_t ic) {
#if defined(__x86_64__)
  if (ic == 3 && isc_cpu_has(ISC_CPU_AVX512 | ISC_CPU_AVX2))
    return (kernel){scatter3_avx512, 3};
  if (isc_cpu_has(ISC_CPU_AVX2))
    return (kernel){scatter1_avx2, 1};
#else
  (void)ic;
#endif
  return (kernel){scatter1_plain, 1};
}

int64_t isc_stem_pool_count(const isc_conv_shape *s) { return (int64_t)s->oc * s->ic * K * LANES; }

void isc_stem_pool_pack(float *packed, const float *weights, const isc_conv_shape *s) {
  for (int64_t i = 0; i < (int64_t)s->oc * s->ic * K; i++)
    for (int32_t kw = 0; kw < LANES; kw++)
      *packed++ = kw < K ? weights[i * K + kw] : 0;
}

/* ---- Bands ---- */

/* One image, and the rows of it that are one thread's. */
typedef struct band {
  float *diff_src;
  const float *diff_dst;
  const uint8_t *which;
  int32_t first, last;
} band;

static void sort(window *v, const uint8_t *which, int32_t count) {
  memset(v->channels, 0, sizeof v->channels);
#if defined(__x86_64__)
  if (v->block == 16) {
    for (int32_t c = 0; c < count; c += 16) {
      isc_u8x16_any w = *(const isc_u8x16_any *)(which + c / 16 * v->plane);
      UNROLL for (int p = 0; p < CHOICES; p++)
        v->channels[p] |= (uint64_t)isc_u8x16_equal(w, (uint8_t)p) << c;
    }
    return;
  }
#endif
  for (int32_t c = 0; c < count; c++) {
    uint8_t choice = which[c / v->block * v->plane + c % v->block];
    if (choice < CHOICES)
      v->channels[choice] |= (uint64_t)1 << c;
  }
}

static void fill_tile(tile *t, const band *b, const float *packed, const isc_stem_pool *s, const kernel *k, int32_t oh,
                      int32_t ow) {
  const isc_conv_shape *conv = s->conv;
  int32_t count = s->ow - ow < WINDOWS ? s->ow - ow : WINDOWS;
  window v = {.plane = (int64_t)s->oh * s->ow * s->block, .block = s->block};
  memset(t, 0, sizeof *t);
  for (int32_t first = 0; first < conv->oc; first += GROUP)
    for (int32_t x = 0; x < count; x++) {
      int64_t number = first / s->block * v.plane + ((int64_t)oh * s->ow + ow + x) * s->block;
      v.diff_dst = b->diff_dst + number;
      sort(&v, b->which + number, conv->oc - first < GROUP ? conv->oc - first : GROUP);
      const float *weights = packed + (int64_t)first * conv->ic * K * LANES;
      for (int32_t c = 0; c < conv->ic; c += k->ic)
        k->scatter(&t->pixels[c][0][STEP * x], &v, weights + c * K * LANES, conv->ic * K * LANES);
    }
}

/* The tile's first pixel is (top, left). What lies outside the image met the padding, what lies outside the band is another's. */
static void add_tile(const band *b, const tile *t, const isc_conv_shape *conv, int32_t top, int32_t left) {
  int32_t first = left < 0 ? -left : 0, last = conv->iw - left < PITCH ? conv->iw - left : PITCH;
  for (int32_t c = 0; c < conv->ic; c++)
    for (int32_t r = 0; r < ROWS; r++) {
      if (top + r < b->first || top + r >= b->last)
        continue;
      float *pixels = b->diff_src + ((int64_t)c * conv->ih + top + r) * conv->iw + left;
      for (int32_t x = first; x < last; x++)
        pixels[x] += t->pixels[c][r][x];
    }
}

/* Row oh reaches from 4 oh - 5 to 4 oh + 5. */
static void run_band(const band *b, const float *packed, const isc_stem_pool *s, const kernel *k) {
  const isc_conv_shape *conv = s->conv;
  int32_t first = b->first > 5 ? (b->first - 2) / STEP : 0, last = (b->last + 4) / STEP;
  for (int32_t c = 0; c < conv->ic; c++)
    memset(b->diff_src + ((int64_t)c * conv->ih + b->first) * conv->iw, 0,
           (size_t)(b->last - b->first) * (size_t)conv->iw * sizeof(float));
  for (int32_t oh = first; oh <= last && oh < s->oh; oh++)
    for (int32_t ow = 0; ow < s->ow; ow += WINDOWS) {
      _Alignas(64) tile t;
      fill_tile(&t, b, packed, s, k, oh, ow);
      add_tile(b, &t, conv, STEP * oh - 5, STEP * ow - 5);
    }
}

void isc_stem_pool_backward(float *diff_src, const float *packed, const uint8_t *which, const float *diff_dst,
                            const isc_stem_pool *s) {
  const isc_conv_shape *conv = s->conv;
  kernel k = choose(conv->ic);
  int64_t src_image = (int64_t)conv->ic * conv->ih * conv->iw;
  int64_t dst_image = isc_activation_count(1, conv->oc, s->oh, s->ow, s->block);
  int32_t bands = (conv->ih + BAND - 1) / BAND;
#pragma omp parallel for collapse(2) schedule(static)
  for (int32_t n = 0; n < conv->n; n++)
    for (int32_t i = 0; i < bands; i++) {
      int32_t first = i * BAND, last = first + BAND < conv->ih ? first + BAND : conv->ih;
      run_band(&(band){diff_src + n * src_image, diff_dst + n * dst_image, which + n * dst_image, first, last}, packed, s, &k);
    }
}
