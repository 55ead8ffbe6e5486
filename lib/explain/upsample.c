/* Maps brought to the size of images. */
#include "explain/explain.h"

/* Two neighbours in src and the share of the second. */
typedef struct between {
  int32_t low, high;
  double share;
} between;

static between find_between(int32_t place, int32_t dst_size, int32_t src_size) {
  double at = (place + 0.5) * src_size / dst_size - 0.5;
  at = at > 0 ? at : 0;
  int32_t low = (int32_t)at;
  if (low >= src_size - 1)
    return (between){src_size - 1, src_size - 1, 0};
  return (between){low, low + 1, at - low};
}

void isc_upsample(float *dst, int32_t height, int32_t width, const float *src, int32_t h, int32_t w) {
  for (int32_t y = 0; y < height; y++) {
    between row = find_between(y, height, h);
    const float *upper = src + (int64_t)row.low * w, *lower = src + (int64_t)row.high * w;
    for (int32_t x = 0; x < width; x++) {
      between column = find_between(x, width, w);
      double left = upper[column.low] + (lower[column.low] - upper[column.low]) * row.share;
      double right = upper[column.high] + (lower[column.high] - upper[column.high]) * row.share;
      *dst++ = (float)(left + (right - left) * column.share);
    }
  }
}
