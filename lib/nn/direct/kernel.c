/* dst[oc][x] = bias[oc] + sum over ic, kh, kw of weights[oc][ic][kh][kw] * src[ic][y + kh][x + kw], for lanes of oc.
 *
 * A number of src is broadcast and meets `group` vectors of weights; the sums of all places stay in registers until the
 * end, so that a multiply-add needs less than one load. Taps that fall outside the image are left out, not multiplied
 * by zero. */
#include "nn/direct/kernel.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define UNROLL _Pragma("GCC unroll 16")

/* 16 input channels at one tap, for the places X0 .. X1 - 1. */
#define TAP(GROUP, X0, X1)                                                     \
  _Pragma("GCC unroll 4") for (int c = 0; c < ISC_LANES; c++) {                \
    __m512 weights[GROUP];                                                     \
    UNROLL for (int g = 0; g < GROUP; g++, w += ISC_LANES) weights[g] = _mm512_load_ps(w); \
    UNROLL for (int x = X0; x < X1; x++) {                                     \
      __m512 number = _mm512_set1_ps(src[ISC_LANES * x + c]);                  \
      UNROLL for (int g = 0; g < GROUP; g++) sums[g][x] = _mm512_fmadd_ps(weights[g], number, sums[g][x]); \
    }                                                                          \
  }

/* The next block of channels is far away, where no prefetcher of the CPU looks. */
#define TAPS_1(GROUP, PLACES)                                                  \
  const float *src = plane;                                                    \
  UNROLL for (int x = 0; x < PLACES; x++) __builtin_prefetch(src + s->src_plane + x * ISC_LANES); \
  TAP(GROUP, 0, PLACES)

#define TAPS_3(GROUP, PLACES)                                                  \
  w += s->first_kh * 3 * (ISC_LANES * ISC_LANES * GROUP);                      \
  for (int32_t kh = s->first_kh; kh < s->last_kh; kh++) {                      \
    const float *src = plane + kh * s->src_row;                                \
    if (s->left) {                                                             \
      TAP(GROUP, 1, PLACES)                                                    \
    } else {                                                                   \
      TAP(GROUP, 0, PLACES)                                                    \
    }                                                                          \
    src += ISC_LANES;                                                          \
    TAP(GROUP, 0, PLACES)                                                      \
    src += ISC_LANES;                                                          \
    if (s->right) {                                                            \
      TAP(GROUP, 0, PLACES - 1)                                                \
    } else {                                                                   \
      TAP(GROUP, 0, PLACES)                                                    \
    }                                                                          \
  }                                                                            \
  w += (3 - s->last_kh) * 3 * (ISC_LANES * ISC_LANES * GROUP);

/* sum = VALUE, of each sum and its place in dst. */
#define FINISH(CONDITION, GROUP, PLACES, VALUE)                                \
  if (CONDITION)                                                               \
    UNROLL for (int g = 0; g < GROUP; g++)                                     \
      UNROLL for (int x = 0; x < PLACES; x++) {                                \
        __m512 *sum = &sums[g][x];                                             \
        float *dst = s->dst + g * s->dst_plane + x * ISC_LANES;                \
        (void)dst;                                                             \
        *sum = VALUE;                                                          \
      }

__attribute__((target("avx512f"))) static inline uint16_t above_zero(__m512 x) {
  return _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
}

#define KERNEL(K, GROUP, PLACES)                                                                           \
  __attribute__((target("avx512f"))) static void strip##K##_##GROUP##_##PLACES(const isc_strip *s) {      \
    __m512 sums[GROUP][PLACES];                                                                            \
    const float *w = s->weights, *plane = s->src;                                                          \
    UNROLL for (int g = 0; g < GROUP; g++) {                                                               \
      UNROLL for (int x = 0; x < PLACES; x++) __builtin_prefetch(s->dst + g * s->dst_plane + x * ISC_LANES, 1); \
      __m512 start = s->bias ? _mm512_loadu_ps(s->bias + g * ISC_LANES) : _mm512_setzero_ps();             \
      UNROLL for (int x = 0; x < PLACES; x++) sums[g][x] = start;                                          \
    }                                                                                                      \
    for (int32_t b = 0; b < s->blocks; b++, plane += s->src_plane) {                                       \
      TAPS_##K(GROUP, PLACES)                                                                              \
    }                                                                                                      \
    FINISH(s->sum, GROUP, PLACES, _mm512_add_ps(*sum, _mm512_load_ps(dst)))                                \
    FINISH(s->keep, GROUP, PLACES, _mm512_maskz_mov_ps(s->keep[g * s->bits_plane + x], *sum))              \
    FINISH(s->relu, GROUP, PLACES, _mm512_max_ps(_mm512_setzero_ps(), *sum))                               \
    FINISH(true, GROUP, PLACES, (_mm512_store_ps(dst, *sum), *sum))                                        \
    FINISH(s->bits, GROUP, PLACES, (s->bits[g * s->bits_plane + x] = above_zero(*sum), *sum))              \
  }

#define UP_TO_9(X, K, GROUP) \
  X(K, GROUP, 1) X(K, GROUP, 2) X(K, GROUP, 3) X(K, GROUP, 4) X(K, GROUP, 5) X(K, GROUP, 6) X(K, GROUP, 7) \
  X(K, GROUP, 8) X(K, GROUP, 9)
#define UP_TO_14(X, K, GROUP) \
  UP_TO_9(X, K, GROUP) X(K, GROUP, 10) X(K, GROUP, 11) X(K, GROUP, 12) X(K, GROUP, 13) X(K, GROUP, 14)

UP_TO_14(KERNEL, 1, 1)
UP_TO_14(KERNEL, 1, 2)
UP_TO_9(KERNEL, 1, 3)
UP_TO_14(KERNEL, 3, 1)
UP_TO_14(KERNEL, 3, 2)
UP_TO_9(KERNEL, 3, 3)

#define NAME(K, GROUP, PLACES) strip##K##_##GROUP##_##PLACES,

static isc_strip_fn *const kernels[2][ISC_GROUP][ISC_STRIP] = {
    {{UP_TO_14(NAME, 1, 1)}, {UP_TO_14(NAME, 1, 2)}, {UP_TO_9(NAME, 1, 3)}},
    {{UP_TO_14(NAME, 3, 1)}, {UP_TO_14(NAME, 3, 2)}, {UP_TO_9(NAME, 3, 3)}},
};

isc_strip_fn *isc_strip_kernel(int32_t k, int32_t group, int32_t places) {
  return __builtin_cpu_supports("avx512f") ? kernels[k == 3][group - 1][places - 1] : NULL;
}

#else

isc_strip_fn *isc_strip_kernel(int32_t k, int32_t group, int32_t places) {
  (void)k, (void)group, (void)places;
  return NULL;
}

#endif
