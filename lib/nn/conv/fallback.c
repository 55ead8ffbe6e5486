/* A convolution that the fast backend refuses or would run by its reference code, run by OpenBLAS inside the fast backend's
 * layout: blocked -> N C H W, sgemm, and back. Odd channel counts need it; the published networks never do. */
#include "nn/conv/fallback.h"

struct isc_conv {
  iscp_context *context;
  isc_conv *inner; /* of isc_backend_blas */
  isc_conv_shape shape;
  bool sum;
  int32_t src_block, dst_block;
};

static int64_t plain_src(const isc_conv_shape *s) { return (int64_t)s->n * s->ic * s->ih * s->iw; }
static int64_t plain_dst(const isc_conv_shape *s) { return (int64_t)s->n * s->oc * s->oh * s->ow; }

/* Scratch: | src, N C H W | dst, N C H W | inner |, each a multiple of 64 bytes. */
static size_t aligned(int64_t count) { return ((size_t)count * sizeof(float) + 63) / 64 * 64; }

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

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  isc_backend_blas.conv_destroy(conv->inner);
  isc_free(context, conv);
  isc_context_drop(context);
}

static iscp_status create(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  isc_conv *conv = isc_calloc(context, 1, sizeof *conv);
  if (!conv)
    return ISCP_ERROR_MEMORY;
  conv->context = isc_context_hold(context);
  conv->shape = desc->shape;
  conv->sum = desc->sum;
  conv->src_block = desc->src_block;
  conv->dst_block = desc->dst_block;
  iscp_status status = isc_backend_blas.conv_create(&conv->inner, context, desc);
  if (status != ISCP_OK) {
    destroy(conv);
    return status;
  }
  *out = conv;
  return ISCP_OK;
}

static size_t scratch(const isc_conv *conv) {
  return aligned(plain_src(&conv->shape)) + aligned(plain_dst(&conv->shape)) +
         isc_backend_blas.conv_scratch(conv->inner);
}

static size_t memory(const isc_conv *conv) { return isc_backend_blas.conv_memory(conv->inner); }

static const char *implementation(const isc_conv *conv, bool backward) {
  return isc_backend_blas.conv_implementation(conv->inner, backward);
}

typedef struct places {
  float *src, *dst;
  void *inner;
} places;

static places divide(const isc_conv *conv, void *memory_) {
  char *at = memory_;
  size_t src = aligned(plain_src(&conv->shape)), dst = aligned(plain_dst(&conv->shape));
  return (places){(float *)at, (float *)(at + src), at + src + dst};
}

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch_memory) {
  const isc_conv_shape *s = &conv->shape;
  places p = divide(conv, scratch_memory);
  isc_unblock(p.src, src, s->n, s->ic, (int64_t)s->ih * s->iw, conv->src_block);
  if (conv->sum)
    isc_unblock(p.dst, dst, s->n, s->oc, (int64_t)s->oh * s->ow, conv->dst_block);
  ISC_TRY(isc_backend_blas.conv_forward(conv->inner, p.src, p.dst, p.inner));
  isc_reblock(dst, p.dst, s->n, s->oc, (int64_t)s->oh * s->ow, conv->dst_block);
  return ISCP_OK;
}

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch_memory) {
  const isc_conv_shape *s = &conv->shape;
  places p = divide(conv, scratch_memory);
  isc_unblock(p.dst, diff_dst, s->n, s->oc, (int64_t)s->oh * s->ow, conv->dst_block);
  ISC_TRY(isc_backend_blas.conv_backward_data(conv->inner, p.dst, p.src, p.inner));
  isc_reblock(diff_src, p.src, s->n, s->ic, (int64_t)s->ih * s->iw, conv->src_block);
  return ISCP_OK;
}

const isc_backend isc_backend_fallback = {
    .name = "fallback",
    .conv_create = create,
    .conv_destroy = destroy,
    .conv_scratch = scratch,
    .conv_memory = memory,
    .conv_implementation = implementation,
    .conv_forward = forward,
    .conv_backward_data = backward_data,
};
