/* An image as it is seen in one epoch: moved, mirrored, normalised if asked for, in one pass. */
#include "train/train.h"

/* Uniform in -shift .. shift from 32 random bits. */
static int32_t draw_shift(uint32_t bits, int32_t shift) {
  return (int32_t)((uint64_t)bits * (uint64_t)(2 * shift + 1) >> 32) - shift;
}

/* dst[x] = row[x + right], of the mirrored row if `flip`; outside it is black. */
static void move_row(float *dst, const float *row, int32_t width, int32_t right, bool flip, float mean, float deviation) {
  for (int32_t x = 0; x < width; x++) {
    int32_t from = x + right;
    float pixel = row && from >= 0 && from < width ? row[flip ? width - 1 - from : from] : 0;
    dst[x] = (pixel - mean) / deviation;
  }
}

void isc_augment_image(float *dst, const float *image, const isc_augment *a, int64_t index, const iscp_contract *contract,
                       bool normal) {
  uint64_t where = isc_random(a->seed, ISC_PURPOSE_AUGMENT, 0, a->epoch, index);
  int32_t down = draw_shift((uint32_t)where, a->shift), right = draw_shift((uint32_t)(where >> 32), a->shift);
  bool flip = a->flip && isc_random(a->seed, ISC_PURPOSE_AUGMENT, 1, a->epoch, index) >> 63;
  isc_scale scale = isc_contract_scale(contract);
  int32_t height = contract->height, width = contract->width;
  for (int32_t c = 0; c < contract->channels; c++)
    for (int32_t y = 0; y < height; y++) {
      bool inside = y + down >= 0 && y + down < height;
      const float *row = inside ? image + ((int64_t)c * height + y + down) * width : NULL;
      move_row(dst + ((int64_t)c * height + y) * width, row, width, right, flip, normal ? scale.mean[c] : 0,
               normal ? scale.std[c] : 1);
    }
}
