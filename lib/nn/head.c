/* The end of the network: mean over space, and the dense layer.
 *
 *   features[n][c] = mean over H x W of src[n][c]          diff_src = diff_features / HW, then ReLU backward
 *   dst[n][k]      = bias[k] + sum_c weights[k][c] features[n][c]
 *   diff_src[n][c] = sum_k weights[k][c] diff_dst[n][k]
 *
 * Each sum runs in one fixed order, whatever the threads. */
#include <string.h>

#include "nn/backend.h"

enum { LARGEST_BLOCK = 16 };

void isc_mean_forward(float *features, const float *src, int32_t n, int32_t c, int32_t hw, int32_t block) {
  int64_t blocks = isc_blocks(c, block);
#pragma omp parallel for collapse(2) schedule(static)
  for (int32_t i = 0; i < n; i++)
    for (int64_t b = 0; b < blocks; b++) {
      const float *plane = src + (i * blocks + b) * hw * block;
      float sum[LARGEST_BLOCK] = {0};
      for (int32_t p = 0; p < hw; p++)
        for (int32_t j = 0; j < block; j++)
          sum[j] += plane[(int64_t)p * block + j];
      for (int32_t j = 0; j < block && b * block + j < c; j++)
        features[(int64_t)i * c + b * block + j] = sum[j] / (float)hw;
    }
}

void isc_mean_backward(float *diff_src, const float *diff_features, const uint16_t *bits, int32_t n, int32_t c,
                       int32_t hw, int32_t block) {
  int64_t blocks = isc_blocks(c, block);
#pragma omp parallel for collapse(2) schedule(static)
  for (int32_t i = 0; i < n; i++)
    for (int64_t b = 0; b < blocks; b++) {
      float *plane = diff_src + (i * blocks + b) * hw * block;
      float value[LARGEST_BLOCK] = {0};
      for (int32_t j = 0; j < block && b * block + j < c; j++)
        value[j] = diff_features[(int64_t)i * c + b * block + j] / (float)hw;
      for (int32_t p = 0; p < hw; p++)
        for (int32_t j = 0; j < block; j++)
          plane[(int64_t)p * block + j] = value[j];
    }
  isc_relu_backward(diff_src, bits, isc_activation_count(n, c, hw, 1, block));
}

static float dot(const float *a, const float *b, int32_t count) {
  float sum[LARGEST_BLOCK] = {0};
  int32_t whole = count / LARGEST_BLOCK * LARGEST_BLOCK;
  for (int32_t i = 0; i < whole; i += LARGEST_BLOCK)
    for (int j = 0; j < LARGEST_BLOCK; j++)
      sum[j] += a[i + j] * b[i + j];
  float total = 0;
  for (int j = 0; j < LARGEST_BLOCK; j++)
    total += sum[j];
  for (int32_t i = whole; i < count; i++)
    total += a[i] * b[i];
  return total;
}

void isc_dense_forward(float *dst, const float *src, const float *weights, const float *bias, int32_t n, int32_t c,
                       int32_t classes) {
#pragma omp parallel for schedule(static)
  for (int32_t k = 0; k < classes; k++)
    for (int32_t i = 0; i < n; i++)
      dst[(int64_t)i * classes + k] = bias[k] + dot(src + (int64_t)i * c, weights + (int64_t)k * c, c);
}

void isc_dense_backward_data(float *diff_src, const float *diff_dst, const float *weights, int32_t n, int32_t c,
                             int32_t classes) {
#pragma omp parallel for schedule(static)
  for (int32_t i = 0; i < n; i++) {
    float *row = diff_src + (int64_t)i * c;
    memset(row, 0, (size_t)c * sizeof *row);
    for (int32_t k = 0; k < classes; k++) {
      float scale = diff_dst[(int64_t)i * classes + k];
      const float *w = weights + (int64_t)k * c;
      for (int32_t j = 0; j < c; j++)
        row[j] += scale * w[j];
    }
  }
}
