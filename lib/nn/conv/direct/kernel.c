/* dst[oc][x] = bias[oc] + sum over ic, kh, kw of weights[oc][ic][kh][kw] * src[ic][y + kh][x + kw], for lanes of oc.
 *
 * A number of src is broadcast and meets `group` vectors of weights; the sums of all places stay in registers until the
 * end, so that a multiply-add needs less than one load. Taps that fall outside the image are left out, not multiplied
 * by zero. */
#include "nn/conv/direct/kernel.h"

#include <stddef.h>

#include "base/simd.h"

#if defined(__x86_64__)

#define UNROLL _Pragma("GCC unroll 16")

/* 16 input channels at one tap, for the places X0 .. X1 - 1, which are STEP numbers of src apart. */
#define TAP(STEP, GROUP, X0, X1)                                               \
  _Pragma("GCC unroll 4") for (int c = 0; c < ISC_LANES; c++) {                \
    isc_f32x16 weights[GROUP];                                                     \
    UNROLL for (int g = 0; g < GROUP; g++, w += ISC_LANES) weights[g] = *(const isc_f32x16 *)w; \
    UNROLL for (int x = X0; x < X1; x++) {                                     \
      isc_f32x16 number = isc_f32x16_all(src[ISC_LANES * STEP * x + c]);           \
      UNROLL for (int g = 0; g < GROUP; g++) sums[g][x] = isc_f32x16_fma(weights[g], number, sums[g][x]); \
    }                                                                          \
  }

/* The next block of channels is far away, where no prefetcher of the CPU looks. */
#define TAP_ALONE(STEP, GROUP, PLACES)                                         \
  UNROLL for (int x = 0; x < PLACES; x++) __builtin_prefetch(src + s->src_plane + x * STEP * ISC_LANES); \
  TAP(STEP, GROUP, 0, PLACES)

#define TAPS_1X1(STEP, GROUP, PLACES)                                          \
  const float *src = plane;                                                    \
  TAP_ALONE(STEP, GROUP, PLACES)

/* A row of taps; `src` is at its first one. */
#define COLUMNS_1(STEP, GROUP, PLACES) TAP_ALONE(STEP, GROUP, PLACES)

#define COLUMN_BUT_LAST(STEP, GROUP, PLACES)                                   \
  src += ISC_LANES;                                                            \
  if (s->right) {                                                              \
    TAP(STEP, GROUP, 0, PLACES - 1)                                            \
  } else {                                                                     \
    TAP(STEP, GROUP, 0, PLACES)                                                \
  }

#define COLUMNS_2(STEP, GROUP, PLACES)                                         \
  TAP(STEP, GROUP, 0, PLACES)                                                  \
  COLUMN_BUT_LAST(STEP, GROUP, PLACES)

#define COLUMNS_3(STEP, GROUP, PLACES)                                         \
  if (s->left) {                                                               \
    TAP(STEP, GROUP, 1, PLACES)                                                \
  } else {                                                                     \
    TAP(STEP, GROUP, 0, PLACES)                                                \
  }                                                                            \
  src += ISC_LANES;                                                            \
  TAP(STEP, GROUP, 0, PLACES)                                                  \
  COLUMN_BUT_LAST(STEP, GROUP, PLACES)

#define ROWS(COLUMNS, STEP, GROUP, PLACES)                                     \
  w += s->first_kh * COLUMNS * (ISC_LANES * ISC_LANES * GROUP);                \
  for (int32_t kh = s->first_kh; kh < s->last_kh; kh++) {                      \
    const float *src = plane + kh * s->src_row;                                \
    if (STEP > 1)                                                              \
      UNROLL for (int x = 0; x < PLACES * STEP; x++) __builtin_prefetch(src + s->src_plane + x * ISC_LANES); \
    COLUMNS_##COLUMNS(STEP, GROUP, PLACES)                                     \
  }                                                                            \
  w += (s->taps_h - s->last_kh) * COLUMNS * (ISC_LANES * ISC_LANES * GROUP);

/* The kinds of kernel.h: the taps, and how far places are apart in dst. */
#define TAPS_one(GROUP, PLACES) TAPS_1X1(1, GROUP, PLACES)
#define TAPS_one_step_2(GROUP, PLACES) TAPS_1X1(2, GROUP, PLACES)
#define TAPS_three(GROUP, PLACES) ROWS(3, 1, GROUP, PLACES)
#define TAPS_three_step_2(GROUP, PLACES) ROWS(3, 2, GROUP, PLACES)
#define TAPS_phase_1(GROUP, PLACES) ROWS(1, 1, GROUP, PLACES)
#define TAPS_phase_2(GROUP, PLACES) ROWS(2, 1, GROUP, PLACES)
enum { SPREAD_one = 1, SPREAD_one_step_2 = 1, SPREAD_three = 1, SPREAD_three_step_2 = 1, SPREAD_phase_1 = 2, SPREAD_phase_2 = 2 };

/* sum = VALUE, of each sum, its place in dst and in the bits. */
#define FINISH(CONDITION, KIND, GROUP, PLACES, VALUE)                          \
  if (CONDITION)                                                               \
    UNROLL for (int g = 0; g < GROUP; g++)                                     \
      UNROLL for (int x = 0; x < PLACES; x++) {                                \
        isc_f32x16 *sum = &sums[g][x];                                             \
        float *dst = s->dst + g * s->dst_plane + x * SPREAD_##KIND * ISC_LANES; \
        int64_t word = g * s->bits_plane + x * SPREAD_##KIND;                  \
        (void)dst, (void)word;                                                 \
        *sum = VALUE;                                                          \
      }

#define KERNEL(KIND, GROUP, PLACES)                                                                        \
  ISC_TARGET_AVX512F static void strip_##KIND##_##GROUP##_##PLACES(const isc_strip *s) {                   \
    isc_f32x16 sums[GROUP][PLACES];                                                                            \
    const float *w = s->weights, *plane = s->src;                                                          \
    UNROLL for (int g = 0; g < GROUP; g++) {                                                               \
      UNROLL for (int x = 0; x < PLACES; x++)                                                              \
        __builtin_prefetch(s->dst + g * s->dst_plane + x * SPREAD_##KIND * ISC_LANES, 1);                  \
      isc_f32x16 start = {0};                                                                              \
      if (s->bias)                                                                                         \
        start = *(const isc_f32x16_any *)(s->bias + g * ISC_LANES);                                        \
      UNROLL for (int x = 0; x < PLACES; x++) sums[g][x] = start;                                          \
    }                                                                                                      \
    for (int32_t b = 0; b < s->blocks; b++, plane += s->src_plane) {                                       \
      TAPS_##KIND(GROUP, PLACES)                                                                           \
    }                                                                                                      \
    FINISH(s->sum, KIND, GROUP, PLACES, *sum + *(const isc_f32x16 *)dst)                          \
    FINISH(s->keep, KIND, GROUP, PLACES, isc_f32x16_keep(s->keep[word], *sum))                         \
    FINISH(s->relu, KIND, GROUP, PLACES, isc_f32x16_max((isc_f32x16){0}, *sum))                         \
    FINISH(true, KIND, GROUP, PLACES, *(isc_f32x16 *)dst = *sum)                                  \
    FINISH(s->bits, KIND, GROUP, PLACES, (s->bits[word] = isc_f32x16_above_zero(*sum), *sum))                         \
  }

#define UP_TO_9(X, KIND, GROUP) \
  X(KIND, GROUP, 1) X(KIND, GROUP, 2) X(KIND, GROUP, 3) X(KIND, GROUP, 4) X(KIND, GROUP, 5) X(KIND, GROUP, 6) \
  X(KIND, GROUP, 7) X(KIND, GROUP, 8) X(KIND, GROUP, 9)
#define UP_TO_14(X, KIND, GROUP) \
  UP_TO_9(X, KIND, GROUP) X(KIND, GROUP, 10) X(KIND, GROUP, 11) X(KIND, GROUP, 12) X(KIND, GROUP, 13) X(KIND, GROUP, 14)

#define KERNELS(KIND) UP_TO_14(KERNEL, KIND, 1) UP_TO_14(KERNEL, KIND, 2) UP_TO_9(KERNEL, KIND, 3)
KERNELS(one)
KERNELS(one_step_2)
KERNELS(three)
KERNELS(three_step_2)
KERNELS(phase_1)
KERNELS(phase_2)

#define NAME(KIND, GROUP, PLACES) strip_##KIND##_##GROUP##_##PLACES,
#define NAMES(KIND) {{UP_TO_14(NAME, KIND, 1)}, {UP_TO_14(NAME, KIND, 2)}, {UP_TO_9(NAME, KIND, 3)}}

static isc_strip_fn *const kernels[ISC_STRIP_KINDS][ISC_GROUP][ISC_STRIP] = {
    [ISC_STRIP_1X1] = NAMES(one),           [ISC_STRIP_1X1_STEP_2] = NAMES(one_step_2),
    [ISC_STRIP_3X3] = NAMES(three),         [ISC_STRIP_3X3_STEP_2] = NAMES(three_step_2),
    [ISC_STRIP_PHASE_1] = NAMES(phase_1),   [ISC_STRIP_PHASE_2] = NAMES(phase_2),
};

isc_strip_fn *isc_strip_kernel(isc_strip_kind kind, int32_t group, int32_t places) {
  return isc_cpu_found() & ISC_CPU_AVX512F ? kernels[kind][group - 1][places - 1] : NULL;
}

#else

isc_strip_fn *isc_strip_kernel(isc_strip_kind kind, int32_t group, int32_t places) {
  (void)kind, (void)group, (void)places;
  return NULL;
}

#endif
