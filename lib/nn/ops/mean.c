/* Mean over space, the network's features:
 *
 *   features[n][c] = mean over H x W of src[n][c]          diff_src = diff_features / HW, then ReLU backward
 *
 * Each sum runs in one fixed order, whatever the threads. */
#include "nn/ops/ops.h"

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
  if (bits)
    isc_relu_backward(diff_src, bits, isc_activation_count(n, c, hw, 1, block));
}
