/* The phases of a strided convolution's backward_data.
 *
 *   diff_src[ic][ih][iw] = sum over oc, kh, kw of weights[oc][ic][kh][kw] * diff_dst[oc][oh][ow], ih = stride * oh + kh - pad
 *
 * The ih of one phase, ih = stride * y + a, meet only the kh that are a + pad modulo stride, and each of them at a constant
 * distance: oh = y + d, kh = a + pad - stride * d. So every pair of phases is a convolution of stride 1 with some of the taps,
 * reversed; together they have each tap once. A phase may have no tap: its diff_src is zero. */
#ifndef ISC_NN_PHASE_H
#define ISC_NN_PHASE_H

#include "nn/resnet/graph.h"

/* Distances d with a tap: 0 <= phase + pad - stride * d < k. */
static inline int32_t isc_phase_first(const isc_conv_shape *s, int32_t phase) {
  int32_t low = phase + s->pad - s->k + 1;
  return low > 0 ? (low + s->stride - 1) / s->stride : -(-low / s->stride);
}
static inline int32_t isc_phase_taps(const isc_conv_shape *s, int32_t phase) {
  return (phase + s->pad) / s->stride - isc_phase_first(s, phase) + 1;
}

/* The kernel row or column of a phase's tap, counted from its first distance. */
static inline int32_t isc_phase_kernel(const isc_conv_shape *s, int32_t phase, int32_t tap) {
  return phase + s->pad - s->stride * (isc_phase_first(s, phase) + tap);
}

/* How many of `size` rows or columns are of the phase. */
static inline int32_t isc_phase_size(const isc_conv_shape *s, int32_t size, int32_t phase) {
  return size > phase ? (size - phase + s->stride - 1) / s->stride : 0;
}

#endif
