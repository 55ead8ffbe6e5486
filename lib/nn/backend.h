/* What a backend gives: convolutions, packed and planned for one shape. Everything else (ReLU's bits, pooling, head, loss) is
 * written once for all backends over the layout below. */
#ifndef ISC_NN_BACKEND_H
#define ISC_NN_BACKEND_H

#include "nn/resnet/graph.h"

/* Activations are N x ceil(C / block) x H x W x block: block 1 is N C H W, 8 and 16 are oneDNN's nChw8c and nChw16c.
 * Channels that pad the last block are zero. */
static inline int64_t isc_blocks(int32_t channels, int32_t block) { return ((int64_t)channels + block - 1) / block; }
static inline int64_t isc_activation_count(int32_t n, int32_t c, int32_t h, int32_t w, int32_t block) {
  return n * isc_blocks(c, block) * h * w * block;
}

typedef struct isc_conv_desc {
  const char *name; /* the layer's, for messages */
  isc_conv_shape shape;
  const float *weights; /* OC x IC x KH x KW, read during creation only; NULL: only conv_scratch and conv_memory are asked for */
  const float *bias;    /* OC, likewise */
  bool relu, sum;       /* of isc_layer */
  bool gradient;        /* backward_data will be called */
  bool winograd;        /* by Winograd's algorithm or not at all */
  int32_t src_block, dst_block;
} isc_conv_desc;

typedef struct isc_conv isc_conv; /* each backend's own */

typedef struct isc_backend {
  const char *name;
  int32_t (*block)(void); /* of all activations; the network's input is N C H W */
  iscp_status (*check)(const iscp_context *context); /* whether the context's precision can be had here; NULL = always */

  /* dst = max(weights * src + bias [+ dst], 0); without relu no max. All memory that a call needs beyond src and dst is
   * the caller's `scratch`, of conv_scratch bytes, 64-byte aligned. conv_create answers
   * ISCP_ERROR_UNSUPPORTED, with nothing made, where the backend has no good code for the shape: see fallback.h. */
  iscp_status (*conv_create)(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc);
  void (*conv_destroy)(isc_conv *conv);              /* takes NULL */
  size_t (*conv_scratch)(const isc_conv *conv);      /* bytes */
  size_t (*conv_memory)(const isc_conv *conv);       /* bytes of packed weights */
  const char *(*conv_implementation)(const isc_conv *conv, bool backward);
  iscp_status (*conv_forward)(isc_conv *conv, const float *src, float *dst, void *scratch);

  /* diff_src = transposed weights * diff_dst; overwrites. ReLU and sum are the caller's. */
  iscp_status (*conv_backward_data)(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch);

  /* The same with what follows, for backends that can do it on the way to memory; NULL for others, and then the caller does it
   * (relu.c): forward also writes dst's bits (may be NULL); diff_src = diff_src [+ what it held], 0 where `bits` (NULL = all set)
   * are not set. What it held must have been masked by the same bits if the stride is above 1: places that no tap meets are left
   * as they are. */
  iscp_status (*conv_forward_bits)(isc_conv *conv, const float *src, float *dst, uint16_t *bits, void *scratch);
  iscp_status (*conv_backward_data_join)(isc_conv *conv, const float *diff_dst, float *diff_src, bool add, const uint16_t *bits,
                                         void *scratch);
} isc_backend;

extern const isc_backend isc_backend_onednn, isc_backend_blas;

/* The backend of a context. */
const isc_backend *isc_backend_of(const iscp_context *context);

/* "2.6.3" and the CPU kernels in use; static storage. The oneDNN ones are empty in a build without it. */
const char *isc_onednn_version(void);
const char *isc_onednn_kernels(void);
const char *isc_blas_version(void);
/* With advice in brackets where OpenBLAS does not use what the CPU has: "Haswell (this CPU has AVX-512: set ...)". */
const char *isc_blas_kernels(void);
int32_t isc_blas_most_threads(void); /* that may call OpenBLAS at a time, as it was built */
/* What to do so that OpenBLAS, which runs `kernels`, uses the CPU's features; "" where it does. */
const char *isc_blas_advice(const char *kernels, bool avx512, bool avx2);
/* Says so in the log: a warning where OpenBLAS computes everything, for information where it is a fallback. */
void isc_blas_advise(const iscp_context *context);

/* ---- Operations of all backends ---- */

/* relu.c: bits[i] = src[i] > 0; and the two backward passes, 16 numbers a word. */
static inline size_t isc_bits_bytes(int64_t count) { return (size_t)(count + 15) / 16 * 2; }
void isc_relu_bits(uint16_t *bits, const float *dst, int64_t count);
void isc_relu_backward(float *diff, const uint16_t *bits, int64_t count);
/* diff = (diff + other) where the bits are set; bits NULL = everywhere. */
void isc_join_backward(float *diff, const float *other, const uint16_t *bits, int64_t count);

/* pool.c: 3x3, stride 2, padding 1, of a ReLU's output. `which` (may be NULL) keeps, one byte a dst number, which of the
 * nine won (3 * kh + kw), if any is above 0, else 255. Backward gives each diff_dst to that place, and overwrites; that of a
 * frozen network is one with the convolution's (stem_pool.c). */
void isc_pool_forward(float *dst, uint8_t *which, const float *src, int64_t planes, int32_t ih, int32_t iw, int32_t oh,
                      int32_t ow, int32_t block);
void isc_pool_backward(float *diff_src, const uint8_t *which, const float *diff_dst, int64_t planes, int32_t ih, int32_t iw,
                       int32_t oh, int32_t ow, int32_t block);

/* mean.c: over H x W; dense.c: the dense layer. features: N x C, weights: classes x C. */
void isc_mean_forward(float *features, const float *src, int32_t n, int32_t c, int32_t hw, int32_t block);
/* diff_src = diff_features / HW at every place, 0 where the bits (NULL = all set) are not set. */
void isc_mean_backward(float *diff_src, const float *diff_features, const uint16_t *bits, int32_t n, int32_t c,
                       int32_t hw, int32_t block);
/* fallback.c: dst (N C H W) = src (in blocks). */
void isc_unblock(float *dst, const float *src, int32_t n, int32_t c, int64_t hw, int32_t block);
void isc_dense_forward(float *dst, const float *src, const float *weights, const float *bias, int32_t n, int32_t c,
                       int32_t classes);
void isc_dense_backward_data(float *diff_src, const float *diff_dst, const float *weights, int32_t n, int32_t c,
                             int32_t classes);
/* Both are added to. */
void isc_dense_backward_weights(float *diff_weights, float *diff_bias, const float *src, const float *diff_dst, int32_t n,
                                int32_t c, int32_t classes);

#endif
