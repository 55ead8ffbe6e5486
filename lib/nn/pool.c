/* Max-pooling, 3x3, stride 2, padding 1, of the imagenet stem.
 *
 *   forward:  dst[oh][ow] = max over kh, kw of src[2 oh - 1 + kh][2 ow - 1 + kw], the first of equal ones
 *   backward: diff_src[ih][iw] = sum of diff_dst over the windows that chose this place
 *
 * Backward gathers instead of scattering, so that every number is written once and the sum's order is fixed. A plane is
 * H x W x block; there are N * ceil(C / block) of them. */
#include <float.h>

#include "nn/backend.h"

enum { LARGEST_BLOCK = 16 };

static void window_max(float *dst, uint8_t *which, const float *plane, int32_t ih, int32_t iw, int32_t oh, int32_t ow,
                       int32_t block) {
  float best[LARGEST_BLOCK];
  uint8_t place[LARGEST_BLOCK];
  for (int32_t c = 0; c < block; c++) {
    best[c] = -FLT_MAX;
    place[c] = 0;
  }
  for (int32_t kh = 0; kh < 3; kh++)
    for (int32_t kw = 0; kw < 3; kw++) {
      int32_t h = 2 * oh - 1 + kh, w = 2 * ow - 1 + kw;
      if (h < 0 || h >= ih || w < 0 || w >= iw)
        continue;
      const float *src = plane + ((int64_t)h * iw + w) * block;
      uint8_t here = (uint8_t)(3 * kh + kw);
      for (int32_t c = 0; c < block; c++) {
        bool more = src[c] > best[c];
        best[c] = more ? src[c] : best[c];
        place[c] = more ? here : place[c];
      }
    }
  for (int32_t c = 0; c < block; c++) {
    dst[c] = best[c];
    which[c] = place[c];
  }
}

void isc_pool_forward(float *dst, uint8_t *which, const float *src, int64_t planes, int32_t ih, int32_t iw, int32_t oh,
                      int32_t ow, int32_t block) {
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t p = 0; p < planes; p++)
    for (int32_t y = 0; y < oh; y++) {
      const float *plane = src + p * ih * iw * block;
      int64_t row = (p * oh + y) * ow * block;
      for (int32_t x = 0; x < ow; x++)
        window_max(dst + row + (int64_t)x * block, which + row + (int64_t)x * block, plane, ih, iw, y, x, block);
    }
}

/* The windows along one axis that hold place i: o from (i / 2) to ((i + 1) / 2), with kernel index k = i + 1 - 2 o. */
static void gather(float *diff_src, const uint8_t *which, const float *diff_dst, int32_t h, int32_t w, int32_t oh,
                   int32_t ow, int32_t block) {
  float sum[LARGEST_BLOCK] = {0};
  for (int32_t y = h / 2; y <= (h + 1) / 2 && y < oh; y++)
    for (int32_t x = w / 2; x <= (w + 1) / 2 && x < ow; x++) {
      uint8_t here = (uint8_t)(3 * (h + 1 - 2 * y) + (w + 1 - 2 * x));
      int64_t at = ((int64_t)y * ow + x) * block;
      for (int32_t c = 0; c < block; c++)
        sum[c] += which[at + c] == here ? diff_dst[at + c] : 0;
    }
  for (int32_t c = 0; c < block; c++)
    diff_src[c] = sum[c];
}

void isc_pool_backward(float *diff_src, const uint8_t *which, const float *diff_dst, int64_t planes, int32_t ih,
                       int32_t iw, int32_t oh, int32_t ow, int32_t block) {
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t p = 0; p < planes; p++)
    for (int32_t y = 0; y < ih; y++) {
      int64_t out = p * oh * ow * block;
      float *row = diff_src + (p * ih + y) * iw * block;
      for (int32_t x = 0; x < iw; x++)
        gather(row + (int64_t)x * block, which + out, diff_dst + out, y, x, oh, ow, block);
    }
}
