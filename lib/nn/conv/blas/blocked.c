/* OpenBLAS's convolutions inside a layout in blocks of channels: blocked -> N C H W, sgemm, and back. For what oneDNN refuses, or
 * would run by its reference code. Odd channel counts need it; the published networks never do.
 *
 * Weights in training are those of the convolution inside, in its order. */
#include "nn/conv/conv.h"

struct isc_conv {
  iscp_context *context;
  isc_conv_choice inner; /* frozen or in training, as this one */
  isc_conv_shape shape;
  bool training, sum;
  int32_t src_block, dst_block;
};

/* Scratch: | src, N C H W | dst, N C H W | inner |, each aligned. */
static size_t aligned(int64_t count) { return isc_aligned((size_t)count * sizeof(float)); }
static size_t src_bytes(const isc_conv_shape *s) { return aligned((int64_t)s->n * s->ic * s->ih * s->iw); }
static size_t dst_bytes(const isc_conv_shape *s) { return aligned((int64_t)s->n * s->oc * s->oh * s->ow); }

/* ---- Life ---- */

static bool takes(const iscp_context *context, const isc_conv_desc *desc) {
  (void)context;
  return !desc->winograd;
}

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  conv->inner.by->destroy(conv->inner.conv);
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
  conv->training = desc->training;
  conv->sum = desc->sum;
  conv->src_block = desc->src_block;
  conv->dst_block = desc->dst_block;
  conv->inner.by = desc->training ? &isc_conv_blas_training : &isc_conv_blas;
  iscp_status status = conv->inner.by->create(&conv->inner.conv, context, desc);
  if (status != ISCP_OK) {
    destroy(conv);
    return status;
  }
  *out = conv;
  return ISCP_OK;
}

static size_t scratch(const isc_conv *conv) {
  return src_bytes(&conv->shape) + dst_bytes(&conv->shape) + conv->inner.by->scratch(conv->inner.conv);
}

static size_t bytes(const isc_conv *conv) {
  return (conv->training ? sizeof *conv : 0) + conv->inner.by->bytes(conv->inner.conv);
}

static const char *text(const isc_conv *conv, bool backward) { return conv->inner.by->text(conv->inner.conv, backward); }

/* ---- Layouts ---- */

typedef struct places {
  float *src, *dst;
  void *inner;
} places;

static places divide(const isc_conv *conv, void *scratch_memory) {
  char *at = scratch_memory;
  size_t src = src_bytes(&conv->shape), dst = dst_bytes(&conv->shape);
  return (places){(float *)at, (float *)(at + src), at + src + dst};
}

static void unblock_src(float *plain, const float *src, const isc_conv *conv) {
  const isc_conv_shape *s = &conv->shape;
  isc_unblock(plain, src, s->n, s->ic, (int64_t)s->ih * s->iw, conv->src_block);
}

static void unblock_dst(float *plain, const float *dst, const isc_conv *conv) {
  const isc_conv_shape *s = &conv->shape;
  isc_unblock(plain, dst, s->n, s->oc, (int64_t)s->oh * s->ow, conv->dst_block);
}

/* ---- Forward and backward ---- */

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch_memory) {
  const isc_conv_shape *s = &conv->shape;
  places p = divide(conv, scratch_memory);
  unblock_src(p.src, src, conv);
  if (conv->sum)
    unblock_dst(p.dst, dst, conv);
  ISC_TRY(conv->inner.by->forward(conv->inner.conv, p.src, p.dst, p.inner));
  isc_reblock(dst, p.dst, s->n, s->oc, (int64_t)s->oh * s->ow, conv->dst_block);
  return ISCP_OK;
}

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch_memory) {
  const isc_conv_shape *s = &conv->shape;
  places p = divide(conv, scratch_memory);
  unblock_dst(p.dst, diff_dst, conv);
  ISC_TRY(conv->inner.by->backward_data(conv->inner.conv, p.dst, p.src, p.inner));
  isc_reblock(diff_src, p.src, s->n, s->ic, (int64_t)s->ih * s->iw, conv->src_block);
  return ISCP_OK;
}

static iscp_status backward_weights(isc_conv *conv, const float *src, const float *diff_dst, float *diff_weights, bool add,
                                    void *scratch_memory) {
  places p = divide(conv, scratch_memory);
  unblock_src(p.src, src, conv);
  unblock_dst(p.dst, diff_dst, conv);
  return conv->inner.by->backward_weights(conv->inner.conv, p.src, p.dst, diff_weights, add, p.inner);
}

/* ---- Weights in training ---- */

static float *weights(const isc_conv *conv) { return conv->inner.by->weights(conv->inner.conv); }
static int64_t count(const isc_conv *conv) { return conv->inner.by->count(conv->inner.conv); }

static iscp_status pack(isc_conv *conv, float *own, const float *plain, void *scratch_memory) {
  return conv->inner.by->pack(conv->inner.conv, own, plain, scratch_memory);
}

static iscp_status unpack(isc_conv *conv, float *plain, const float *own, void *scratch_memory) {
  return conv->inner.by->unpack(conv->inner.conv, plain, own, scratch_memory);
}

const isc_conv_implementation isc_conv_blas_blocked = {
    .name = "blas blocked",
    .backend = ISCP_BACKEND_ONEDNN,
    .takes = takes,
    .create = create,
    .destroy = destroy,
    .scratch = scratch,
    .bytes = bytes,
    .text = text,
    .forward = forward,
    .backward_data = backward_data,
    .backward_weights = backward_weights,
    .weights = weights,
    .count = count,
    .pack = pack,
    .unpack = unpack,
};
