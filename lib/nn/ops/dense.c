/* The dense layer, the network's end:
 *
 *   dst[n][k]      = bias[k] + sum_c weights[k][c] src[n][c]
 *   diff_src[n][c] = sum_k weights[k][c] diff_dst[n][k]
 *   diff_weights[k][c] += sum_n src[n][c] diff_dst[n][k]     diff_bias[k] += sum_n diff_dst[n][k]
 *
 * With few images it is as fast as its weights can be read: they are read once, a few images share each piece of them. Each
 * image's sums run in one fixed order, whatever the threads and the other images. */
#include <string.h>

#include "base/simd.h"
#include "nn/ops/ops.h"

enum { IMAGES = 4, CHUNK = 512 /* columns of a thread's piece of backward */ };

/* sums[i] = src[i][0 .. c - 1] * weights[0 .. c - 1] */
typedef void dot_fn(float sums[IMAGES], const float *const src[IMAGES], const float *weights, int32_t c);

/* diff[i][0 .. count - 1] += scales[i] * weights[0 .. count - 1] */
typedef void add_fn(float diff[IMAGES][CHUNK], const float scales[IMAGES], const float *weights, int32_t count);

/* Two sums an image, so that more multiply-adds are under way than one waits for. */
#define DENSE(NAME, TARGET, B)                                                                              \
  TARGET static void dot_##NAME(float sums[IMAGES], const float *const src[IMAGES], const float *weights,   \
                                int32_t c) {                                                                \
    isc_f32x##B##_any sum[IMAGES][2] = {{{0}}};                                                             \
    int32_t whole = c / (2 * B) * (2 * B);                                                                  \
    for (int32_t j = 0; j < whole; j += 2 * B)                                                              \
      _Pragma("GCC unroll 4") for (int i = 0; i < IMAGES; i++)                                              \
        _Pragma("GCC unroll 2") for (int half = 0; half < 2; half++)                                        \
          sum[i][half] += *(const isc_f32x##B##_any *)(src[i] + j + half * B) *                             \
                          *(const isc_f32x##B##_any *)(weights + j + half * B);                             \
    for (int i = 0; i < IMAGES; i++) {                                                                      \
      isc_f32x##B##_any both = sum[i][0] + sum[i][1];                                                       \
      sums[i] = 0;                                                                                          \
      for (int j = 0; j < B; j++)                                                                           \
        sums[i] += both[j];                                                                                 \
      for (int32_t j = whole; j < c; j++)                                                                   \
        sums[i] += src[i][j] * weights[j];                                                                  \
    }                                                                                                       \
  }                                                                                                         \
  TARGET static void add_##NAME(float diff[IMAGES][CHUNK], const float scales[IMAGES], const float *weights, \
                                int32_t count) {                                                            \
    int32_t whole = count / B * B;                                                                          \
    for (int32_t j = 0; j < whole; j += B)                                                                  \
      _Pragma("GCC unroll 4") for (int i = 0; i < IMAGES; i++)                                              \
        *(isc_f32x##B##_any *)(diff[i] + j) += scales[i] * *(const isc_f32x##B##_any *)(weights + j);       \
    for (int32_t j = whole; j < count; j++)                                                                 \
      for (int i = 0; i < IMAGES; i++)                                                                      \
        diff[i][j] += scales[i] * weights[j];                                                               \
  }

#if defined(__x86_64__)
DENSE(avx512, ISC_TARGET_AVX512F, 16)
DENSE(avx2, ISC_TARGET_AVX2, 8)
#endif
DENSE(plain, , 4)

typedef struct kernels {
  dot_fn *dot;
  add_fn *add;
} kernels;

static kernels choose(void) {
#if defined(__x86_64__)
  if (isc_cpu_has(ISC_CPU_AVX512F))
    return (kernels){dot_avx512, add_avx512};
  if (isc_cpu_has(ISC_CPU_AVX2))
    return (kernels){dot_avx2, add_avx2};
#endif
  return (kernels){dot_plain, add_plain};
}

void isc_dense_forward(float *dst, const float *src, const float *weights, const float *bias, int32_t n, int32_t c,
                       int32_t classes) {
  kernels kernel = choose();
#pragma omp parallel for schedule(static)
  for (int32_t k = 0; k < classes; k++)
    for (int32_t first = 0; first < n; first += IMAGES) {
      const float *rows[IMAGES];
      float sums[IMAGES];
      for (int32_t i = 0; i < IMAGES; i++) /* beyond the last image: that one again */
        rows[i] = src + (int64_t)(first + i < n ? first + i : n - 1) * c;
      kernel.dot(sums, rows, weights + (int64_t)k * c, c);
      for (int32_t i = 0; i < IMAGES && first + i < n; i++)
        dst[(int64_t)(first + i) * classes + k] = bias[k] + sums[i];
    }
}

/* Columns start .. start + count - 1 of IMAGES images. */
static void backward_chunk(float *diff_src, const float *diff_dst, const float *weights, int32_t images, int32_t start,
                           int32_t count, int32_t c, int32_t classes, add_fn *add) {
  float diff[IMAGES][CHUNK] = {{0}}, scales[IMAGES] = {0};
  for (int32_t k = 0; k < classes; k++) {
    for (int32_t i = 0; i < images; i++)
      scales[i] = diff_dst[(int64_t)i * classes + k];
    add(diff, scales, weights + (int64_t)k * c + start, count);
  }
  for (int32_t i = 0; i < images; i++)
    memcpy(diff_src + (int64_t)i * c + start, diff[i], (size_t)count * sizeof **diff);
}

void isc_dense_backward_data(float *diff_src, const float *diff_dst, const float *weights, int32_t n, int32_t c,
                             int32_t classes) {
  kernels kernel = choose();
#pragma omp parallel for collapse(2) schedule(static)
  for (int32_t start = 0; start < c; start += CHUNK)
    for (int32_t first = 0; first < n; first += IMAGES) {
      int32_t images = n - first < IMAGES ? n - first : IMAGES, count = c - start < CHUNK ? c - start : CHUNK;
      backward_chunk(diff_src + (int64_t)first * c, diff_dst + (int64_t)first * classes, weights, images, start, count, c,
                     classes, kernel.add);
    }
}

/* Columns start .. start + count - 1 of `rows` classes from `first` on. */
static void weights_chunk(float *diff_weights, const float *src, const float *diff_dst, int32_t first, int32_t rows,
                          int32_t start, int32_t count, int32_t n, int32_t c, int32_t classes, add_fn *add) {
  float diff[IMAGES][CHUNK] = {{0}}, scales[IMAGES] = {0};
  for (int32_t i = 0; i < n; i++) {
    memcpy(scales, diff_dst + (int64_t)i * classes + first, (size_t)rows * sizeof *scales);
    add(diff, scales, src + (int64_t)i * c + start, count);
  }
  for (int32_t k = 0; k < rows; k++)
    for (int32_t j = 0; j < count; j++)
      diff_weights[(int64_t)(first + k) * c + start + j] += diff[k][j];
}

void isc_dense_backward_weights(float *diff_weights, float *diff_bias, const float *src, const float *diff_dst, int32_t n,
                                int32_t c, int32_t classes) {
  kernels kernel = choose();
#pragma omp parallel for collapse(2) schedule(static)
  for (int32_t first = 0; first < classes; first += IMAGES)
    for (int32_t start = 0; start < c; start += CHUNK)
      weights_chunk(diff_weights, src, diff_dst, first, classes - first < IMAGES ? classes - first : IMAGES, start,
                    c - start < CHUNK ? c - start : CHUNK, n, c, classes, kernel.add);
#pragma omp parallel for schedule(static)
  for (int32_t k = 0; k < classes; k++) {
    double sum = 0;
    for (int32_t i = 0; i < n; i++)
      sum += diff_dst[(int64_t)i * classes + k];
    diff_bias[k] += (float)sum;
  }
}
