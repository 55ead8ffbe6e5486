/* A convolution in training that the fast backend refuses, run by OpenBLAS inside the fast backend's layout, as fallback.c does
 * for frozen ones. */
#include "nn/conv/fallback.h"
#include "nn/conv/learner.h"

struct isc_learner {
  iscp_context *context;
  isc_learner *inner; /* of isc_learner_blas */
  isc_conv_shape shape;
  int32_t src_block, dst_block;
};

static const isc_learner_kind *const blas = &isc_learner_blas;

static void destroy(isc_learner *l) {
  if (!l)
    return;
  iscp_context *context = l->context;
  blas->destroy(l->inner);
  isc_free(context, l);
  isc_context_drop(context);
}

static iscp_status create(isc_learner **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  isc_learner *l = isc_calloc(context, 1, sizeof *l);
  if (!l)
    return ISCP_ERROR_MEMORY;
  l->context = isc_context_hold(context);
  l->shape = desc->shape;
  l->src_block = desc->src_block;
  l->dst_block = desc->dst_block;
  iscp_status status = blas->create(&l->inner, context, desc);
  if (status != ISCP_OK) {
    destroy(l);
    return status;
  }
  *out = l;
  return ISCP_OK;
}

/* Scratch: | src, N C H W | dst, N C H W | inner |, each a multiple of 64 bytes. */
static size_t aligned(int64_t count) { return ((size_t)count * sizeof(float) + 63) / 64 * 64; }
static size_t src_bytes(const isc_conv_shape *s) { return aligned((int64_t)s->n * s->ic * s->ih * s->iw); }
static size_t dst_bytes(const isc_conv_shape *s) { return aligned((int64_t)s->n * s->oc * s->oh * s->ow); }

static size_t scratch(const isc_learner *l) {
  return src_bytes(&l->shape) + dst_bytes(&l->shape) + blas->scratch(l->inner);
}

static size_t memory(const isc_learner *l) { return sizeof *l + blas->memory(l->inner); }
static float *weights(const isc_learner *l) { return blas->weights(l->inner); }
static int64_t count(const isc_learner *l) { return blas->count(l->inner); }

static iscp_status pack(isc_learner *l, float *own, const float *plain, void *scratch_memory) {
  return blas->pack(l->inner, own, plain, scratch_memory);
}

static iscp_status unpack(isc_learner *l, float *plain, const float *own, void *scratch_memory) {
  return blas->unpack(l->inner, plain, own, scratch_memory);
}

typedef struct places {
  float *src, *dst;
  void *inner;
} places;

static places divide(const isc_learner *l, void *memory_) {
  char *at = memory_;
  size_t src = src_bytes(&l->shape), dst = dst_bytes(&l->shape);
  return (places){(float *)at, (float *)(at + src), at + src + dst};
}

static void unblock_src(float *plain, const float *src, const isc_learner *l) {
  isc_unblock(plain, src, l->shape.n, l->shape.ic, (int64_t)l->shape.ih * l->shape.iw, l->src_block);
}

static void unblock_dst(float *plain, const float *dst, const isc_learner *l) {
  isc_unblock(plain, dst, l->shape.n, l->shape.oc, (int64_t)l->shape.oh * l->shape.ow, l->dst_block);
}

static iscp_status forward(isc_learner *l, const float *src, float *dst, void *scratch_memory) {
  const isc_conv_shape *s = &l->shape;
  places p = divide(l, scratch_memory);
  unblock_src(p.src, src, l);
  ISC_TRY(blas->forward(l->inner, p.src, p.dst, p.inner));
  isc_reblock(dst, p.dst, s->n, s->oc, (int64_t)s->oh * s->ow, l->dst_block);
  return ISCP_OK;
}

static iscp_status backward_data(isc_learner *l, const float *diff_dst, float *diff_src, void *scratch_memory) {
  const isc_conv_shape *s = &l->shape;
  places p = divide(l, scratch_memory);
  unblock_dst(p.dst, diff_dst, l);
  ISC_TRY(blas->backward_data(l->inner, p.dst, p.src, p.inner));
  isc_reblock(diff_src, p.src, s->n, s->ic, (int64_t)s->ih * s->iw, l->src_block);
  return ISCP_OK;
}

static iscp_status backward_weights(isc_learner *l, const float *src, const float *diff_dst, float *diff_weights, bool add,
                                    void *scratch_memory) {
  places p = divide(l, scratch_memory);
  unblock_src(p.src, src, l);
  unblock_dst(p.dst, diff_dst, l);
  return blas->backward_weights(l->inner, p.src, p.dst, diff_weights, add, p.inner);
}

const isc_learner_kind isc_learner_fallback = {
    .name = "fallback",
    .create = create,
    .destroy = destroy,
    .scratch = scratch,
    .memory = memory,
    .weights = weights,
    .count = count,
    .pack = pack,
    .unpack = unpack,
    .forward = forward,
    .backward_data = backward_data,
    .backward_weights = backward_weights,
};
