/* What this CPU can, and the vectors that kernels are written in: the one place that knows the names of instruction sets.
 *
 * A kernel is a loop over a vector type below, compiled once for each instruction set that gives it something (`target` of the
 * function), and once without any. It is chosen when an operation begins, by isc_cpu. What C's operators on vectors do not say,
 * a function here does. Vectors are passed by value only to functions that are inlined: without AVX they have no registers. */
#ifndef ISC_BASE_SIMD_H
#define ISC_BASE_SIMD_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- What the CPU can (cpu.c) ---- */

enum {
  ISC_CPU_AVX2 = 1,    /* AVX2 and FMA */
  ISC_CPU_AVX512F = 2, /* the foundation alone: 32 registers of 16 floats */
  ISC_CPU_AVX512 = 4,  /* with BW, DQ and VL, which all but the first such CPUs have */
  ISC_CPU_ALL = 7
};

/* The features that this thread may use: the machine's, within the thread's limit. 0 on other CPUs than x86-64. */
uint32_t isc_cpu(void);
uint32_t isc_cpu_found(void); /* the machine's */
static inline bool isc_cpu_has(uint32_t features) { return (isc_cpu() & features) == features; }

/* Limits the calling thread, until it is called again, to some of ISC_CPU_ALL. Loops choose before they go parallel, so that the
 * threads of a team need no limit of their own. */
void isc_cpu_limit(uint32_t features);

#define ISC_TARGET_AVX2 __attribute__((target("avx2")))
#define ISC_TARGET_AVX2_FMA __attribute__((target("avx2,fma")))
#define ISC_TARGET_AVX512F __attribute__((target("avx512f")))

/* ---- Vectors ---- */

/* N numbers. In memory at an address that N of them divide, or with _any wherever one may lie. */
#define ISC_VECTORS(N)                                                                                     \
  typedef float isc_f32x##N __attribute__((vector_size(4 * N), may_alias));                                \
  typedef float isc_f32x##N##_any __attribute__((vector_size(4 * N), aligned(4), may_alias));              \
  typedef int32_t isc_i32x##N __attribute__((vector_size(4 * N)));                                         \
  typedef int32_t isc_i32x##N##_any __attribute__((vector_size(4 * N), aligned(4), may_alias));            \
  typedef uint32_t isc_u32x##N##_any __attribute__((vector_size(4 * N), aligned(4), may_alias));           \
  typedef uint16_t isc_u16x##N##_any __attribute__((vector_size(2 * N), aligned(2), may_alias));           \
  typedef uint8_t isc_u8x##N##_any __attribute__((vector_size(N), aligned(1), may_alias));
ISC_VECTORS(1)
ISC_VECTORS(4)
ISC_VECTORS(8)
ISC_VECTORS(16)
#undef ISC_VECTORS

/* ---- x86-64: what operators do not say ---- */

#if defined(__x86_64__)
#define ISC_INLINE static inline __attribute__((always_inline))

/* a * b + c, rounded once. */
ISC_TARGET_AVX2_FMA ISC_INLINE isc_f32x8 isc_f32x8_fma(isc_f32x8 a, isc_f32x8 b, isc_f32x8 c) {
  return (isc_f32x8)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
ISC_TARGET_AVX512F ISC_INLINE isc_f32x16 isc_f32x16_fma(isc_f32x16 a, isc_f32x16 b, isc_f32x16 c) {
  return (isc_f32x16)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

/* The same number in all lanes. */
ISC_TARGET_AVX512F ISC_INLINE isc_f32x16 isc_f32x16_all(float number) { return (isc_f32x16)_mm512_set1_ps(number); }

/* The larger of two, lane by lane; b where one of them is no number. */
ISC_TARGET_AVX512F ISC_INLINE isc_f32x16 isc_f32x16_max(isc_f32x16 a, isc_f32x16 b) {
  return (isc_f32x16)_mm512_max_ps((__m512)a, (__m512)b);
}

/* One bit a lane: x > 0. And zeros where a bit is not set. */
ISC_TARGET_AVX512F ISC_INLINE uint16_t isc_f32x16_above_zero(isc_f32x16 x) {
  return _mm512_cmp_ps_mask((__m512)x, _mm512_setzero_ps(), _CMP_GT_OQ);
}
ISC_TARGET_AVX512F ISC_INLINE isc_f32x16 isc_f32x16_keep(uint16_t bits, isc_f32x16 x) {
  return (isc_f32x16)_mm512_maskz_mov_ps(bits, (__m512)x);
}
ISC_TARGET_AVX2 ISC_INLINE unsigned isc_f32x8_above_zero(isc_f32x8 x) {
  return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps((__m256)x, _mm256_setzero_ps(), _CMP_GT_OQ));
}
ISC_TARGET_AVX2 ISC_INLINE isc_f32x8 isc_f32x8_keep(unsigned bits, isc_f32x8 x) {
  const __m256i place = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  __m256i set = _mm256_and_si256(_mm256_set1_epi32((int)bits), place);
  return (isc_f32x8)_mm256_and_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(set, place)), (__m256)x);
}

/* One bit a lane: x == number. */
ISC_INLINE uint32_t isc_u8x16_equal(isc_u8x16_any x, uint8_t number) {
  return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8((__m128i)x, _mm_set1_epi8((char)number)));
}

/* Lanes picked from both: numbers 0 to 15 are a's, 16 to 31 b's. */
ISC_TARGET_AVX512F ISC_INLINE isc_f32x16 isc_f32x16_pick(isc_f32x16 a, isc_i32x16 which, isc_f32x16 b) {
  return (isc_f32x16)_mm512_permutex2var_ps((__m512)a, (__m512i)which, (__m512)b);
}
#endif

#endif
