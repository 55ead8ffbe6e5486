/* Max-pooling, 3x3, stride 2, padding 1, of the imagenet stem, whose src is the output of a ReLU.
 *
 *   dst[oh][ow] = max(0, max over kh, kw of src[2 oh - 1 + kh][2 ow - 1 + kw]), the first of equal ones
 *
 * No place of a window that is 0 all over is chosen, so that ReLU's own backward is in the choice: a place that is 0 gets no
 * gradient. A frozen network's backward is one with that of the convolution before (stem_pool.c). A plane is H x W x block;
 * there are N * ceil(C / block) of them, and a vector is the block. */
#include <string.h>

#include "base/simd.h"
#include "nn/ops/ops.h"

enum { NONE = 255 }; /* `which` of a window without a positive number */

typedef struct pool_shape {
  int32_t ih, iw, oh, ow;
} pool_shape;

/* Row oh of a plane's dst. `which` may be NULL. */
typedef void forward_fn(float *dst, uint8_t *which, const float *plane, const pool_shape *s, int32_t oh);

#define FORWARD(NAME, TARGET, B)                                                                                       \
  TARGET static void NAME(float *dst, uint8_t *which, const float *plane, const pool_shape *s, int32_t oh) {           \
    for (int32_t ow = 0; ow < s->ow; ow++) {                                                                           \
      isc_f32x##B##_any best = {0};                                                                                    \
      isc_u8x##B##_any place = (isc_u8x##B##_any){0} + (uint8_t)NONE;                                                  \
      for (int32_t kh = oh ? 0 : 1; kh < 3 && 2 * oh - 1 + kh < s->ih; kh++)                                           \
        for (int32_t kw = ow ? 0 : 1; kw < 3 && 2 * ow - 1 + kw < s->iw; kw++) {                                       \
          int64_t at = (int64_t)(2 * oh - 1 + kh) * s->iw + 2 * ow - 1 + kw;                                           \
          isc_f32x##B##_any x = *(const isc_f32x##B##_any *)(plane + at * B);                                          \
          isc_i32x##B more = x > best;                                                                                 \
          isc_u8x##B##_any more8 = __builtin_convertvector(more, isc_u8x##B##_any);                                    \
          best = (isc_f32x##B##_any)(((isc_i32x##B)x & more) | ((isc_i32x##B)best & ~more));                           \
          place = (more8 & (uint8_t)(3 * kh + kw)) | (place & ~more8);                                                 \
        }                                                                                                              \
      *(isc_f32x##B##_any *)(dst + (int64_t)ow * B) = best;                                                            \
      if (which)                                                                                                       \
        *(isc_u8x##B##_any *)(which + (int64_t)ow * B) = place;                                                        \
    }                                                                                                                  \
  }

#if defined(__x86_64__)
FORWARD(forward16_avx512, __attribute__((target("avx512f,avx512bw,avx512vl"))), 16)
FORWARD(forward8_avx2, ISC_TARGET_AVX2, 8)
#endif
FORWARD(forward16_plain, , 16)
FORWARD(forward8_plain, , 8)
FORWARD(forward1_plain, , 1)

static forward_fn *choose(int32_t block) {
#if defined(__x86_64__)
  if (block == 16 && isc_cpu_has(ISC_CPU_AVX512))
    return forward16_avx512;
  if (block == 8 && isc_cpu_has(ISC_CPU_AVX2))
    return forward8_avx2;
#endif
  return block == 16 ? forward16_plain : block == 8 ? forward8_plain : forward1_plain;
}

void isc_pool_forward(float *dst, uint8_t *which, const float *src, int64_t planes, int32_t ih, int32_t iw, int32_t oh,
                      int32_t ow, int32_t block) {
  const pool_shape s = {ih, iw, oh, ow};
  forward_fn *forward = choose(block);
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t p = 0; p < planes; p++)
    for (int32_t y = 0; y < oh; y++) {
      int64_t row = (p * oh + y) * ow * block;
      forward(dst + row, which ? which + row : NULL, src + p * ih * iw * block, &s, y);
    }
}

static void backward_plane(float *diff_src, const uint8_t *which, const float *diff_dst, const pool_shape *s, int32_t block) {
  memset(diff_src, 0, (size_t)s->ih * (size_t)s->iw * (size_t)block * sizeof *diff_src);
  for (int32_t oh = 0; oh < s->oh; oh++)
    for (int32_t i = 0; i < s->ow * block; i++, which++, diff_dst++)
      if (*which != NONE) {
        int32_t h = 2 * oh - 1 + *which / 3, w = 2 * (i / block) - 1 + *which % 3;
        diff_src[((int64_t)h * s->iw + w) * block + i % block] += *diff_dst;
      }
}

void isc_pool_backward(float *diff_src, const uint8_t *which, const float *diff_dst, int64_t planes, int32_t ih, int32_t iw,
                       int32_t oh, int32_t ow, int32_t block) {
  const pool_shape s = {ih, iw, oh, ow};
#pragma omp parallel for schedule(static)
  for (int64_t p = 0; p < planes; p++)
    backward_plane(diff_src + p * ih * iw * block, which + p * oh * ow * block, diff_dst + p * oh * ow * block, &s, block);
}
