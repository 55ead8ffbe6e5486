/* backward_data of the cifar stem, 3x3, whose src has 1 or 3 channels: a shape that oneDNN leaves to its reference code or to a
 * slow gemm.
 *
 *   diff_src[ic][ih][iw] = sum over oc, kh, kw of weights[oc][ic][kh][kw] * diff_dst[oc][ih + pad - kh][iw + pad - kw]
 *
 * A vector is one block of output channels: products are summed over taps and blocks first, over the vector's lanes at the end.
 * A strip of neighbouring places keeps its sums in registers and shares each vector of weights. */
#include "nn/ops/stem.h"

#include <string.h>

#include "base/simd.h"

enum { K = 3, PAD = 1 };

/* What one kernel row brings. */
typedef struct row_taps {
  const float *weights;  /* [block of oc][kw][ic][lane] */
  const float *diff_dst; /* row oh of the first block */
} row_taps;

typedef struct strip {
  row_taps rows[K];
  int32_t row_count, blocks, ow;
  int64_t plane; /* numbers from one block of diff_dst to the next */
} strip;

/* diff_src of places iw .. iw + PLACES - 1 -> sums[ic][place]. All their ow are inside, unless PLACES is 1. */
typedef void strip_fn(float *sums, const strip *s, int32_t iw);

static inline float sum4(isc_f32x4 x) { return (x[0] + x[2]) + (x[1] + x[3]); }
static inline float sum8(const isc_f32x8 *x) { return sum4(((const isc_f32x4 *)x)[0] + ((const isc_f32x4 *)x)[1]); }
static inline float sum16(const isc_f32x16 *x) {
  isc_f32x8 half = ((const isc_f32x8 *)x)[0] + ((const isc_f32x8 *)x)[1];
  return sum8(&half);
}

#define STRIP(NAME, TARGET, B, IC, PLACES, FMA)                                                    \
  TARGET static void NAME(float *sums, const strip *s, int32_t iw) {                              \
    isc_f32x##B sum[IC][PLACES];                                                                     \
    _Pragma("GCC unroll 3") for (int c = 0; c < IC; c++)                                           \
      _Pragma("GCC unroll 12") for (int p = 0; p < PLACES; p++) sum[c][p] = (isc_f32x##B){0};        \
    for (int32_t r = 0; r < s->row_count; r++) {                                                   \
      const isc_f32x##B *w = (const isc_f32x##B *)s->rows[r].weights;                                  \
      for (int32_t o = 0; o < s->blocks; o++)                                                      \
        for (int32_t kw = 0; kw < K; kw++, w += IC) {                                              \
          int32_t ow = iw + PAD - kw;                                                              \
          if (PLACES == 1 && (ow < 0 || ow >= s->ow))                                              \
            continue;                                                                              \
          const isc_f32x##B *d = (const isc_f32x##B *)(s->rows[r].diff_dst + o * s->plane) + ow;       \
          _Pragma("GCC unroll 12") for (int p = 0; p < PLACES; p++)                                \
            _Pragma("GCC unroll 3") for (int c = 0; c < IC; c++) sum[c][p] = FMA(w[c], d[p], sum[c][p]); \
        }                                                                                          \
    }                                                                                              \
    _Pragma("GCC unroll 3") for (int c = 0; c < IC; c++)                                           \
      _Pragma("GCC unroll 12") for (int p = 0; p < PLACES; p++) sums[c * PLACES + p] = sum##B(&sum[c][p]); \
  }

#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))

#if defined(__x86_64__)
STRIP(strip3_avx512, ISC_TARGET_AVX512F, 16, 3, 8, isc_f32x16_fma)
STRIP(place3_avx512, ISC_TARGET_AVX512F, 16, 3, 1, isc_f32x16_fma)
STRIP(strip1_avx512, ISC_TARGET_AVX512F, 16, 1, 12, isc_f32x16_fma)
STRIP(place1_avx512, ISC_TARGET_AVX512F, 16, 1, 1, isc_f32x16_fma)
STRIP(strip3_avx2, ISC_TARGET_AVX2_FMA, 8, 3, 4, isc_f32x8_fma)
STRIP(place3_avx2, ISC_TARGET_AVX2_FMA, 8, 3, 1, isc_f32x8_fma)
STRIP(strip1_avx2, ISC_TARGET_AVX2_FMA, 8, 1, 8, isc_f32x8_fma)
STRIP(place1_avx2, ISC_TARGET_AVX2_FMA, 8, 1, 1, isc_f32x8_fma)
#endif
STRIP(place3_plain16, , 16, 3, 1, MULTIPLY_ADD)
STRIP(place1_plain16, , 16, 1, 1, MULTIPLY_ADD)
STRIP(place3_plain8, , 8, 3, 1, MULTIPLY_ADD)
STRIP(place1_plain8, , 8, 1, 1, MULTIPLY_ADD)

typedef struct kernels {
  strip_fn *strip, *place; /* several places at once, and one */
  int32_t places;
} kernels;

static kernels choose(int32_t channels, int32_t block) {
  bool three = channels == 3;
#if defined(__x86_64__)
  if (block == 16 && isc_cpu_has(ISC_CPU_AVX512F))
    return three ? (kernels){strip3_avx512, place3_avx512, 8} : (kernels){strip1_avx512, place1_avx512, 12};
  if (block == 8 && isc_cpu_has(ISC_CPU_AVX2))
    return three ? (kernels){strip3_avx2, place3_avx2, 4} : (kernels){strip1_avx2, place1_avx2, 8};
#endif
  strip_fn *plain = block == 16 ? (three ? place3_plain16 : place1_plain16) : (three ? place3_plain8 : place1_plain8);
  return (kernels){plain, plain, 1};
}

int64_t isc_stem_count(const isc_conv_shape *s, int32_t block) {
  return isc_blocks(s->oc, block) * block * s->ic * s->k * s->k;
}

/* [kh][block of oc][kw][ic][lane]: the order in which a strip reads. */
void isc_stem_pack(float *packed, const float *weights, const isc_conv_shape *s, int32_t block) {
  for (int32_t kh = 0; kh < K; kh++)
    for (int32_t o = 0; o < s->oc; o += block)
      for (int32_t kw = 0; kw < K; kw++)
        for (int32_t ic = 0; ic < s->ic; ic++)
          for (int32_t oc = o; oc < o + block; oc++)
            *packed++ = oc < s->oc ? weights[((oc * s->ic + ic) * K + kh) * K + kw] : 0;
}

/* ---- Rows ---- */

/* The kernel rows that row ih meets. */
static strip make_strip(const float *packed, const float *diff_dst, const isc_conv_shape *s, int32_t block, int32_t ih) {
  strip made = {.blocks = (int32_t)isc_blocks(s->oc, block), .ow = s->ow, .plane = (int64_t)s->oh * s->ow * block};
  int64_t row = (int64_t)made.blocks * block * s->ic * K; /* packed numbers of one kernel row */
  for (int32_t kh = 0; kh < K; kh++) {
    int32_t oh = ih + PAD - kh;
    if (oh >= 0 && oh < s->oh)
      made.rows[made.row_count++] = (row_taps){packed + kh * row, diff_dst + (int64_t)oh * s->ow * block};
  }
  return made;
}

static void store(float *diff_src, const float *sums, const isc_conv_shape *s, int32_t ih, int32_t iw, int32_t places) {
  for (int32_t c = 0; c < s->ic; c++)
    memcpy(diff_src + ((int64_t)c * s->ih + ih) * s->iw + iw, sums + c * places, (size_t)places * sizeof *sums);
}

/* Strips where all columns are inside, the last one moved back over its neighbour; one place at a time near the borders. */
static void run_row(float *diff_src, const float *packed, const float *diff_dst, const isc_conv_shape *s, int32_t block,
                    int32_t ih, const kernels *k) {
  strip made = make_strip(packed, diff_dst, s, block, ih);
  int32_t low = PAD, high = s->iw - PAD;
  float sums[3 * 12];
  if (high - low < k->places)
    low = high = s->iw;
  for (int32_t iw = 0; iw < s->iw; iw++) {
    if (iw >= low && iw < high)
      continue;
    k->place(sums, &made, iw);
    store(diff_src, sums, s, ih, iw, 1);
  }
  for (int32_t iw = low; iw < high; iw += k->places) {
    int32_t at = iw + k->places <= high ? iw : high - k->places;
    k->strip(sums, &made, at);
    store(diff_src, sums, s, ih, at, k->places);
  }
}

void isc_stem_backward_data(float *diff_src, const float *packed, const float *diff_dst, const isc_conv_shape *s,
                            int32_t block) {
  kernels k = choose(s->ic, block);
  int64_t src_image = (int64_t)s->ic * s->ih * s->iw, dst_image = isc_activation_count(1, s->oc, s->oh, s->ow, block);
#pragma omp parallel for collapse(2) schedule(static)
  for (int32_t n = 0; n < s->n; n++)
    for (int32_t ih = 0; ih < s->ih; ih++)
      run_row(diff_src + n * src_image, packed, diff_dst + n * dst_image, s, block, ih, &k);
}
