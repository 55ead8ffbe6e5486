/* One direction of a convolution, forward or backward_data, as one oneDNN primitive; for lib/nn/conv/onednn only. */
#ifndef ISC_NN_ONEDNN_DIRECTION_H
#define ISC_NN_ONEDNN_DIRECTION_H

#include "nn/conv/conv.h"
#include "nn/conv/onednn/shim.h"

/* What is to be computed: forward, in = src and out = dst; backward_data, in = diff_dst and out = diff_src. */
typedef struct isc_problem {
  const iscp_context *context;
  const isc_conv_desc *desc; /* during creation only */
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  bool backward, bf16; /* bf16: `in` and weights are rounded to bfloat16 */
  dnnl_primitive_desc_t forward_pd; /* backward's hint */
} isc_problem;

typedef struct isc_direction {
  dnnl_primitive_desc_t pd;
  dnnl_primitive_t primitive;
  dnnl_memory_t in, weights, bias, out, scratchpad;
  void *packed;     /* weights in the primitive's layout */
  float *bias_copy; /* forward's */
  size_t packed_bytes, scratch_bytes; /* of the primitive */
  int64_t rounded; /* numbers of `in` that each run rounds to bfloat16; 0 in float32 */
  bool backward;
  char implementation[64];
} isc_direction;

/* Chooses a primitive of the algorithm: sizes and name are known then. ISCP_ERROR_UNSUPPORTED without good code for it. */
iscp_status isc_direction_plan(isc_direction *d, const isc_problem *p, dnnl_alg_kind_t algorithm);

/* Makes it ready to run, with desc's weights; with zeros if they are NULL. */
iscp_status isc_direction_pack(isc_direction *d, const isc_problem *p);

size_t isc_direction_scratch(const isc_direction *d); /* bytes that a run needs */
dnnl_status_t isc_direction_run(isc_direction *d, dnnl_stream_t stream, const float *in, float *out, void *scratch);
void isc_direction_release(isc_direction *d, const iscp_context *context); /* takes one that is half made, or empty */

/* oneDNN 2.6 may write a process-wide table while primitives are made: one thread at a time. */
void isc_onednn_lock(void);
void isc_onednn_unlock(void);

/* dnnl_success is ISCP_OK; otherwise the message names the layer and what failed. */
iscp_status isc_onednn_check(dnnl_status_t status, const char *name, const char *what);

#endif
