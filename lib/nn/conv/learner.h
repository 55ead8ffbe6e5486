/* A convolution whose weights change: what a backend gives for training. There is no bias, no ReLU and no sum in it: batch norm
 * stands behind it (norm.h). */
#ifndef ISC_NN_LEARNER_H
#define ISC_NN_LEARNER_H

#include "nn/backend.h"

typedef struct isc_learner isc_learner; /* each backend's own */

typedef struct isc_learner_kind {
  const char *name;

  /* Of `desc` the name, the shape, the blocks and `gradient` are read, which says whether backward_data will be called. The
   * weights are zeros at first. ISCP_ERROR_UNSUPPORTED, with nothing made, where the backend has no good code for the shape. */
  iscp_status (*create)(isc_learner **out, const iscp_context *context, const isc_conv_desc *desc);
  void (*destroy)(isc_learner *learner); /* takes NULL */
  size_t (*scratch)(const isc_learner *learner); /* bytes that a call needs of its caller, 64-byte aligned */
  size_t (*memory)(const isc_learner *learner);  /* bytes that it holds */

  /* The weights, in an order of the backend's: `count` numbers, those that pad a block of channels are zero. Gradients are in the
   * same order, so that an optimiser need not know it. pack and unpack turn OC x IC x K x K into it and back. */
  float *(*weights)(const isc_learner *learner);
  int64_t (*count)(const isc_learner *learner);
  iscp_status (*pack)(isc_learner *learner, float *own, const float *plain, void *scratch);
  iscp_status (*unpack)(isc_learner *learner, float *plain, const float *own, void *scratch);

  iscp_status (*forward)(isc_learner *learner, const float *src, float *dst, void *scratch);
  iscp_status (*backward_data)(isc_learner *learner, const float *diff_dst, float *diff_src, void *scratch); /* overwrites */

  /* diff_weights [+]= sum over n, oh, ow of diff_dst[n][oc][oh][ow] * src[n][ic][stride oh - pad + kh][stride ow - pad + kw] */
  iscp_status (*backward_weights)(isc_learner *learner, const float *src, const float *diff_dst, float *diff_weights, bool add,
                                  void *scratch);
} isc_learner_kind;

/* The second computes in N C H W; the third is the second inside another layout, for what the first refuses. */
extern const isc_learner_kind isc_learner_onednn, isc_learner_blas, isc_learner_fallback;

#endif
