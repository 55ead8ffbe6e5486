/* Max-pooling, 3x3, stride 2, padding 1, of the imagenet stem, whose src is the output of a ReLU.
 *
 *   forward:  dst[oh][ow] = max(0, max over kh, kw of src[2 oh - 1 + kh][2 ow - 1 + kw]), the first of equal ones
 *   backward: diff_src[ih][iw] = sum of diff_dst over the windows that chose this place
 *
 * No place of a window that is 0 all over is chosen, so that ReLU's own backward is in the choice: a place that is 0 gets no
 * gradient. Backward gathers instead of scattering: every number is written once, and the sum's order is fixed. A plane is
 * H x W x block; there are N * ceil(C / block) of them, and a vector is the block. */
#include "nn/backend.h"

enum { NONE = 255 }; /* `which` of a window without a positive number */

typedef struct pool_shape {
  int32_t ih, iw, oh, ow;
} pool_shape;

/* Row oh of a plane's dst, and row ih of its diff_src. `which` may be NULL. */
typedef void forward_fn(float *dst, uint8_t *which, const float *plane, const pool_shape *s, int32_t oh);
typedef void backward_fn(float *diff_src, const uint8_t *which, const float *diff_dst, const pool_shape *s, int32_t ih);

#define VECTORS(B)                                                                                 \
  typedef float floats##B __attribute__((vector_size(B * sizeof(float)), aligned(4), may_alias)); \
  typedef int32_t ints##B __attribute__((vector_size(B * sizeof(int32_t))));                       \
  typedef uint8_t bytes##B __attribute__((vector_size(B), aligned(1), may_alias));

#define FORWARD(NAME, TARGET, B)                                                                                        \
  TARGET static void NAME(float *dst, uint8_t *which, const float *plane, const pool_shape *s, int32_t oh) {           \
    for (int32_t ow = 0; ow < s->ow; ow++) {                                                                            \
      floats##B best = {0};                                                                                             \
      bytes##B place = (bytes##B){0} + (uint8_t)NONE;                                                                   \
      for (int32_t kh = oh ? 0 : 1; kh < 3 && 2 * oh - 1 + kh < s->ih; kh++)                                            \
        for (int32_t kw = ow ? 0 : 1; kw < 3 && 2 * ow - 1 + kw < s->iw; kw++) {                                        \
          floats##B x = *(const floats##B *)(plane + ((int64_t)(2 * oh - 1 + kh) * s->iw + 2 * ow - 1 + kw) * B);       \
          ints##B more = x > best;                                                                                      \
          bytes##B more8 = __builtin_convertvector(more, bytes##B);                                                     \
          best = (floats##B)(((ints##B)x & more) | ((ints##B)best & ~more));                                            \
          place = (more8 & (uint8_t)(3 * kh + kw)) | (place & ~more8);                                                  \
        }                                                                                                               \
      *(floats##B *)(dst + (int64_t)ow * B) = best;                                                                     \
      if (which)                                                                                                        \
        *(bytes##B *)(which + (int64_t)ow * B) = place;                                                                 \
    }                                                                                                                   \
  }

/* The windows along one axis that hold place i: o from i / 2 to (i + 1) / 2, with kernel index k = i + 1 - 2 o. */
#define BACKWARD(NAME, TARGET, B)                                                                                       \
  TARGET static void NAME(float *diff_src, const uint8_t *which, const float *diff_dst, const pool_shape *s,           \
                          int32_t ih) {                                                                                 \
    for (int32_t iw = 0; iw < s->iw; iw++) {                                                                            \
      floats##B sum = {0};                                                                                              \
      for (int32_t oh = ih / 2; oh <= (ih + 1) / 2 && oh < s->oh; oh++)                                                 \
        for (int32_t ow = iw / 2; ow <= (iw + 1) / 2 && ow < s->ow; ow++) {                                             \
          int64_t at = ((int64_t)oh * s->ow + ow) * B;                                                                  \
          ints##B code = __builtin_convertvector(*(const bytes##B *)(which + at), ints##B);                             \
          ints##B here = code == 3 * (ih + 1 - 2 * oh) + (iw + 1 - 2 * ow);                                             \
          sum += (floats##B)((ints##B)*(const floats##B *)(diff_dst + at) & here);                                      \
        }                                                                                                               \
      *(floats##B *)(diff_src + (int64_t)iw * B) = sum;                                                                 \
    }                                                                                                                   \
  }

VECTORS(1)
VECTORS(8)
VECTORS(16)

#if defined(__x86_64__)
FORWARD(forward16_avx512, __attribute__((target("avx512f,avx512bw,avx512vl"))), 16)
BACKWARD(backward16_avx512, __attribute__((target("avx512f,avx512bw,avx512vl"))), 16)
FORWARD(forward8_avx2, __attribute__((target("avx2"))), 8)
BACKWARD(backward8_avx2, __attribute__((target("avx2"))), 8)
#endif
FORWARD(forward16_plain, , 16)
BACKWARD(backward16_plain, , 16)
FORWARD(forward8_plain, , 8)
BACKWARD(backward8_plain, , 8)
FORWARD(forward1_plain, , 1)
BACKWARD(backward1_plain, , 1)

typedef struct kernels {
  forward_fn *forward;
  backward_fn *backward;
} kernels;

static kernels choose(int32_t block) {
#if defined(__x86_64__)
  if (block == 16 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return (kernels){forward16_avx512, backward16_avx512};
  if (block == 8 && __builtin_cpu_supports("avx2"))
    return (kernels){forward8_avx2, backward8_avx2};
#endif
  return block == 16  ? (kernels){forward16_plain, backward16_plain}
         : block == 8 ? (kernels){forward8_plain, backward8_plain}
                      : (kernels){forward1_plain, backward1_plain};
}

void isc_pool_forward(float *dst, uint8_t *which, const float *src, int64_t planes, int32_t ih, int32_t iw, int32_t oh,
                      int32_t ow, int32_t block) {
  const pool_shape s = {ih, iw, oh, ow};
  kernels k = choose(block);
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t p = 0; p < planes; p++)
    for (int32_t y = 0; y < oh; y++) {
      int64_t row = (p * oh + y) * ow * block;
      k.forward(dst + row, which ? which + row : NULL, src + p * ih * iw * block, &s, y);
    }
}

void isc_pool_backward(float *diff_src, const uint8_t *which, const float *diff_dst, int64_t planes, int32_t ih,
                       int32_t iw, int32_t oh, int32_t ow, int32_t block) {
  const pool_shape s = {ih, iw, oh, ow};
  kernels k = choose(block);
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t p = 0; p < planes; p++)
    for (int32_t y = 0; y < ih; y++) {
      int64_t out = p * oh * ow * block;
      k.backward(diff_src + (p * ih + y) * iw * block, which + out, diff_dst + out, &s, y);
    }
}
