/* ReLU's backward from one bit a number.
 *
 *   forward:  dst = max(src, 0), fused into the convolution; here bit = dst > 0
 *   backward: diff_src = bit ? diff_dst : 0
 *
 * A bit costs a 32nd of the activation's memory and traffic. All of it runs at memory speed once it is vectorised. */
#include "nn/ops/ops.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { CHUNK = 8192 }; /* numbers a thread takes at a time; a multiple of 16 */

typedef struct kernels {
  void (*pack)(uint16_t *bits, const float *src, int64_t words);
  void (*keep)(float *diff, const uint16_t *bits, int64_t words);
  void (*join)(float *diff, const float *other, const uint16_t *bits, int64_t words);
} kernels;

static void pack_tail(uint16_t *bits, const float *src, int count) {
  unsigned word = 0;
  for (int j = 0; j < count; j++)
    word |= (unsigned)(src[j] > 0) << j;
  *bits = (uint16_t)word;
}

static void keep_tail(float *diff, uint16_t bits, int count) {
  for (int j = 0; j < count; j++)
    diff[j] = bits >> j & 1 ? diff[j] : 0;
}

static void pack_plain(uint16_t *bits, const float *src, int64_t words) {
  for (int64_t i = 0; i < words; i++)
    pack_tail(bits + i, src + 16 * i, 16);
}

static void keep_plain(float *diff, const uint16_t *bits, int64_t words) {
  for (int64_t i = 0; i < words; i++)
    keep_tail(diff + 16 * i, bits[i], 16);
}

static void join_plain(float *diff, const float *other, const uint16_t *bits, int64_t words) {
  for (int64_t i = 0; i < words; i++)
    for (int j = 0; j < 16; j++)
      diff[16 * i + j] = bits[i] >> j & 1 ? diff[16 * i + j] + other[16 * i + j] : 0;
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void pack_avx512(uint16_t *bits, const float *src, int64_t words) {
  for (int64_t i = 0; i < words; i++)
    bits[i] = _mm512_cmp_ps_mask(_mm512_loadu_ps(src + 16 * i), _mm512_setzero_ps(), _CMP_GT_OQ);
}

__attribute__((target("avx512f"))) static void keep_avx512(float *diff, const uint16_t *bits, int64_t words) {
  for (int64_t i = 0; i < words; i++)
    _mm512_storeu_ps(diff + 16 * i, _mm512_maskz_loadu_ps(bits[i], diff + 16 * i));
}

__attribute__((target("avx512f"))) static void join_avx512(float *diff, const float *other, const uint16_t *bits,
                                                           int64_t words) {
  for (int64_t i = 0; i < words; i++)
    _mm512_storeu_ps(diff + 16 * i, _mm512_maskz_add_ps(bits[i], _mm512_loadu_ps(diff + 16 * i),
                                                        _mm512_loadu_ps(other + 16 * i)));
}

__attribute__((target("avx2"))) static __m256 spread_avx2(unsigned byte) {
  const __m256i place = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  __m256i set = _mm256_and_si256(_mm256_set1_epi32((int)byte), place);
  return _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, place));
}

__attribute__((target("avx2"))) static void pack_avx2(uint16_t *bits, const float *src, int64_t words) {
  const __m256 zero = _mm256_setzero_ps();
  for (int64_t i = 0; i < words; i++) {
    int low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(src + 16 * i), zero, _CMP_GT_OQ));
    int high = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(src + 16 * i + 8), zero, _CMP_GT_OQ));
    bits[i] = (uint16_t)(low | high << 8);
  }
}

__attribute__((target("avx2"))) static void keep_avx2(float *diff, const uint16_t *bits, int64_t words) {
  for (int64_t i = 0; i < 2 * words; i++) {
    __m256 kept = spread_avx2(bits[i / 2] >> (i % 2 * 8) & 255);
    _mm256_storeu_ps(diff + 8 * i, _mm256_and_ps(kept, _mm256_loadu_ps(diff + 8 * i)));
  }
}

__attribute__((target("avx2"))) static void join_avx2(float *diff, const float *other, const uint16_t *bits,
                                                      int64_t words) {
  for (int64_t i = 0; i < 2 * words; i++) {
    __m256 kept = spread_avx2(bits[i / 2] >> (i % 2 * 8) & 255);
    __m256 sum = _mm256_add_ps(_mm256_loadu_ps(diff + 8 * i), _mm256_loadu_ps(other + 8 * i));
    _mm256_storeu_ps(diff + 8 * i, _mm256_and_ps(kept, sum));
  }
}
#endif

static kernels choose(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return (kernels){pack_avx512, keep_avx512, join_avx512};
  if (__builtin_cpu_supports("avx2"))
    return (kernels){pack_avx2, keep_avx2, join_avx2};
#endif
  return (kernels){pack_plain, keep_plain, join_plain};
}

static int64_t chunk_words(int64_t start, int64_t whole) {
  return (start + CHUNK < whole ? CHUNK : whole - start) / 16;
}

void isc_relu_bits(uint16_t *bits, const float *dst, int64_t count) {
  kernels k = choose();
  int64_t whole = count / 16 * 16;
#pragma omp parallel for schedule(static)
  for (int64_t start = 0; start < whole; start += CHUNK)
    k.pack(bits + start / 16, dst + start, chunk_words(start, whole));
  if (count > whole)
    pack_tail(bits + whole / 16, dst + whole, (int)(count - whole));
}

void isc_relu_backward(float *diff, const uint16_t *bits, int64_t count) {
  kernels k = choose();
  int64_t whole = count / 16 * 16;
#pragma omp parallel for schedule(static)
  for (int64_t start = 0; start < whole; start += CHUNK)
    k.keep(diff + start, bits + start / 16, chunk_words(start, whole));
  if (count > whole)
    keep_tail(diff + whole, bits[whole / 16], (int)(count - whole));
}

static void add(float *diff, const float *other, int64_t count) {
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; i++)
    diff[i] += other[i];
}

void isc_join_backward(float *diff, const float *other, const uint16_t *bits, int64_t count) {
  if (!bits) {
    add(diff, other, count);
    return;
  }
  kernels k = choose();
  int64_t whole = count / 16 * 16;
#pragma omp parallel for schedule(static)
  for (int64_t start = 0; start < whole; start += CHUNK)
    k.join(diff + start, other + start, bits + start / 16, chunk_words(start, whole));
  for (int64_t i = whole; i < count; i++)
    diff[i] = bits[whole / 16] >> (i - whole) & 1 ? diff[i] + other[i] : 0;
}
