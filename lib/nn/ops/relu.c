/* ReLU's backward from one bit a number.
 *
 *   forward:  dst = max(src, 0), fused into the convolution; here bit = dst > 0
 *   backward: diff_src = bit ? diff_dst : 0
 *
 * A bit costs a 32nd of the activation's memory and traffic. All of it runs at memory speed once it is vectorised. */
#include "base/simd.h"
#include "nn/ops/ops.h"

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
ISC_TARGET_AVX512F static void pack_avx512(uint16_t *bits, const float *src, int64_t words) {
  for (int64_t i = 0; i < words; i++)
    bits[i] = isc_f32x16_above_zero(*(const isc_f32x16_any *)(src + 16 * i));
}

ISC_TARGET_AVX512F static void keep_avx512(float *diff, const uint16_t *bits, int64_t words) {
  for (int64_t i = 0; i < words; i++) {
    isc_f32x16_any *d = (isc_f32x16_any *)(diff + 16 * i);
    *d = isc_f32x16_keep(bits[i], *d);
  }
}

ISC_TARGET_AVX512F static void join_avx512(float *diff, const float *other, const uint16_t *bits, int64_t words) {
  for (int64_t i = 0; i < words; i++) {
    isc_f32x16_any *d = (isc_f32x16_any *)(diff + 16 * i);
    *d = isc_f32x16_keep(bits[i], *d + *(const isc_f32x16_any *)(other + 16 * i));
  }
}

/* Half a word at a time. */
static inline unsigned half_of(const uint16_t *bits, int64_t i) { return bits[i / 2] >> (i % 2 * 8) & 255; }

ISC_TARGET_AVX2 static void pack_avx2(uint16_t *bits, const float *src, int64_t words) {
  for (int64_t i = 0; i < words; i++) {
    unsigned low = isc_f32x8_above_zero(*(const isc_f32x8_any *)(src + 16 * i));
    unsigned high = isc_f32x8_above_zero(*(const isc_f32x8_any *)(src + 16 * i + 8));
    bits[i] = (uint16_t)(low | high << 8);
  }
}

ISC_TARGET_AVX2 static void keep_avx2(float *diff, const uint16_t *bits, int64_t words) {
  for (int64_t i = 0; i < 2 * words; i++) {
    isc_f32x8_any *d = (isc_f32x8_any *)(diff + 8 * i);
    *d = isc_f32x8_keep(half_of(bits, i), *d);
  }
}

ISC_TARGET_AVX2 static void join_avx2(float *diff, const float *other, const uint16_t *bits, int64_t words) {
  for (int64_t i = 0; i < 2 * words; i++) {
    isc_f32x8_any *d = (isc_f32x8_any *)(diff + 8 * i);
    *d = isc_f32x8_keep(half_of(bits, i), *d + *(const isc_f32x8_any *)(other + 8 * i));
  }
}
#endif

static kernels choose(void) {
#if defined(__x86_64__)
  if (isc_cpu_has(ISC_CPU_AVX512F))
    return (kernels){pack_avx512, keep_avx512, join_avx512};
  if (isc_cpu_has(ISC_CPU_AVX2))
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
