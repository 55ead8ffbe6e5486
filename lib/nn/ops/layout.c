/* Between a layout in blocks of channels and N C H W: for those who compute in the other one, and for what is handed out. */
#include "nn/ops/layout.h"

void isc_unblock(float *plain, const float *blocked, int32_t n, int32_t c, int64_t hw, int32_t block) {
  int64_t blocks = isc_blocks(c, block);
#pragma omp parallel for collapse(2) schedule(static)
  for (int32_t i = 0; i < n; i++)
    for (int32_t j = 0; j < c; j++) {
      const float *src = blocked + ((i * blocks + j / block) * hw) * block + j % block;
      float *dst = plain + ((int64_t)i * c + j) * hw;
      for (int64_t p = 0; p < hw; p++)
        dst[p] = src[p * block];
    }
}

void isc_reblock(float *blocked, const float *plain, int32_t n, int32_t c, int64_t hw, int32_t block) {
  int64_t blocks = isc_blocks(c, block);
#pragma omp parallel for collapse(2) schedule(static)
  for (int32_t i = 0; i < n; i++)
    for (int64_t j = 0; j < blocks * block; j++) {
      float *dst = blocked + ((i * blocks + j / block) * hw) * block + j % block;
      const float *src = plain + ((int64_t)i * c + j) * hw;
      for (int64_t p = 0; p < hw; p++)
        dst[p * block] = j < c ? src[p] : 0;
    }
}
