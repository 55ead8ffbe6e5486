/* The directions of a convolution as products (product.h).
 *
 *   forward:       m = OC, c = IC, grid OH x OW: src place = stride * y - pad + kh
 *   backward_data: one for every pair of phases (phase.h) */
#include "nn/conv/blas/product.h"
#include "nn/conv/phase.h"

isc_product isc_product_forward(const isc_conv_shape *s, const float *weights) {
  return (isc_product){.n = s->n, .c = s->ic, .src_h = s->ih, .src_w = s->iw,
                       .m = s->oc, .dst_h = s->oh, .dst_w = s->ow,
                       .rows = s->oh, .columns = s->ow, .step = s->stride,
                       .first_h = -s->pad, .first_w = -s->pad, .taps_h = s->k, .taps_w = s->k,
                       .spread = 1,
                       .weights = weights};
}

isc_product isc_product_backward(const isc_conv_shape *s, int32_t a, int32_t b, const float *weights) {
  return (isc_product){.n = s->n, .c = s->oc, .src_h = s->oh, .src_w = s->ow,
                       .m = s->ic, .dst_h = s->ih, .dst_w = s->iw,
                       .rows = isc_phase_size(s, s->ih, a), .columns = isc_phase_size(s, s->iw, b), .step = 1,
                       .first_h = isc_phase_first(s, a), .first_w = isc_phase_first(s, b),
                       .taps_h = isc_phase_taps(s, a), .taps_w = isc_phase_taps(s, b),
                       .spread = s->stride, .at_h = a, .at_w = b,
                       .weights = weights};
}

void isc_product_pack(float *packed, const float *weights, const isc_conv_shape *s, const isc_product *p) {
  int64_t row = (int64_t)s->oc * isc_product_taps(p);
#pragma omp parallel for schedule(static)
  for (int32_t ic = 0; ic < s->ic; ic++) {
    float *to = packed + ic * row;
    for (int32_t oc = 0; oc < s->oc; oc++)
      for (int32_t i = 0; i < p->taps_h; i++)
        for (int32_t j = 0; j < p->taps_w; j++) {
          int32_t kh = isc_phase_kernel(s, p->at_h, i);
          int32_t kw = isc_phase_kernel(s, p->at_w, j);
          *to++ = weights[(((int64_t)oc * s->ic + ic) * s->k + kh) * s->k + kw];
        }
  }
}
