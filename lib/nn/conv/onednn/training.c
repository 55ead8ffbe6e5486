/* A convolution in training on oneDNN: the two directions of conv.c, whose weights change, and the weights' gradient.
 *
 * The forward direction's weights are the convolution's weights, and gradients are in their order, so that a step of an
 * optimiser needs no reorder. backward_data wants another order and gets it anew each time. Of small images the loops of
 * direct/small.h take over, which read forward's order in all directions. All of it is float32. */
#include <stdio.h>

#include "nn/conv/direct/small.h"
#include "nn/conv/onednn/gradient.h"
#include "nn/ops/ops.h"

struct isc_conv {
  iscp_context *context;
  char name[40];
  isc_conv_shape shape;
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  isc_direction forward, backward;
  isc_gradient gradient;
  isc_reorder turn, pack, unpack; /* forward's order -> backward's; OC x IC x K x K -> forward's; and back */
  bool small_directions, small_gradient; /* small.h takes them */
};

static int64_t count(const isc_conv *conv) { return (int64_t)(conv->forward.packed_bytes / sizeof(float)); }
static float *weights(const isc_conv *conv) { return conv->forward.packed; }

/* ---- Plan ---- */

static iscp_status make_reorders(isc_conv *conv, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  const dnnl_dims_t dims = {s->oc, s->ic, s->k, s->k};
  isc_const_md own = dnnl_primitive_desc_query_md(conv->forward.pd, dnnl_query_weights_md, 0);
  isc_md plain;
  dnnl_status_t status = isc_md_create(&plain, 4, dims, dnnl_f32, dnnl_oihw);
  if (status == dnnl_success) {
    status = isc_reorder_create(&conv->pack, conv->engine, isc_md_view(&plain), own);
    if (status == dnnl_success)
      status = isc_reorder_create(&conv->unpack, conv->engine, own, isc_md_view(&plain));
    isc_md_destroy(&plain);
  }
  if (status == dnnl_success && conv->backward.pd)
    status = isc_reorder_create(&conv->turn, conv->engine, own,
                                dnnl_primitive_desc_query_md(conv->backward.pd, dnnl_query_weights_md, 0));
  return isc_onednn_check(status, desc->name, "order of weights");
}

static iscp_status make_direction(isc_direction *d, const isc_problem *p) {
  ISC_TRY(isc_direction_plan(d, p, dnnl_convolution_direct));
  return isc_direction_pack(d, p);
}

/* small.h's, where it has good code and the weights are in the order that it takes. */
static dnnl_status_t choose_small(isc_conv *conv, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  const dnnl_dims_t dims = {s->oc, s->ic, s->k, s->k};
  isc_md order;
  dnnl_status_t status = isc_md_create(&order, 4, dims, dnnl_f32, dnnl_OIhw16i16o);
  if (status != dnnl_success)
    return status;
  if (desc->src_block == ISC_SMALL_BLOCK && desc->dst_block == ISC_SMALL_BLOCK &&
      dnnl_memory_desc_equal(dnnl_primitive_desc_query_md(conv->forward.pd, dnnl_query_weights_md, 0), isc_md_view(&order))) {
    conv->small_directions = isc_small_directions(s);
    conv->small_gradient = isc_small_gradient(s);
  }
  isc_md_destroy(&order);
  return status;
}

static iscp_status build(isc_conv *conv, const isc_conv_desc *desc) {
  isc_problem p = {.context = conv->context, .desc = desc};
  dnnl_status_t status = dnnl_engine_create(&conv->engine, dnnl_cpu, 0);
  if (status == dnnl_success)
    status = dnnl_stream_create(&conv->stream, conv->engine, dnnl_stream_default_flags);
  ISC_TRY(isc_onednn_check(status, desc->name, "engine"));
  p.engine = conv->engine;
  p.stream = conv->stream;
  ISC_TRY(make_direction(&conv->forward, &p));
  ISC_TRY(isc_onednn_check(choose_small(conv, desc), desc->name, "order of weights"));
  if (!conv->small_gradient)
    ISC_TRY(isc_gradient_create(&conv->gradient, &p, &conv->forward));
  p.backward = true;
  p.forward_pd = conv->forward.pd;
  if (desc->gradient && !conv->small_directions)
    ISC_TRY(make_direction(&conv->backward, &p));
  return make_reorders(conv, desc);
}

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  isc_reorder_release(&conv->turn);
  isc_reorder_release(&conv->pack);
  isc_reorder_release(&conv->unpack);
  isc_gradient_release(&conv->gradient);
  isc_direction_release(&conv->backward, context);
  isc_direction_release(&conv->forward, context);
  dnnl_stream_destroy(conv->stream);
  dnnl_engine_destroy(conv->engine);
  isc_free(context, conv);
  isc_context_drop(context);
}

static bool takes(const iscp_context *context, const isc_conv_desc *desc) {
  (void)context;
  return desc->training;
}

static iscp_status create(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  isc_conv *conv = isc_calloc(context, 1, sizeof *conv);
  if (!conv)
    return ISCP_ERROR_MEMORY;
  const isc_conv_desc wanted = {.name = desc->name, .shape = desc->shape, .gradient = desc->gradient,
                                .src_block = desc->src_block, .dst_block = desc->dst_block};
  conv->context = isc_context_hold(context);
  conv->shape = desc->shape;
  snprintf(conv->name, sizeof conv->name, "%s", desc->name);
  isc_onednn_lock();
  iscp_status status = build(conv, &wanted);
  isc_onednn_unlock();
  if (status != ISCP_OK) {
    destroy(conv);
    return status;
  }
  *out = conv;
  return ISCP_OK;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Scratch of backward_weights: | the primitive's | a gradient that is to be added |. */
static size_t scratch(const isc_conv *conv) {
  size_t most = isc_aligned(conv->gradient.scratch_bytes) + conv->forward.packed_bytes;
  most = larger(most, larger(isc_direction_scratch(&conv->forward), isc_direction_scratch(&conv->backward)));
  if (conv->small_directions || conv->small_gradient)
    most = larger(most, isc_small_scratch(&conv->shape));
  return larger(most, larger(conv->turn.scratch_bytes, larger(conv->pack.scratch_bytes, conv->unpack.scratch_bytes)));
}

static size_t bytes(const isc_conv *conv) { return sizeof *conv + conv->forward.packed_bytes + conv->backward.packed_bytes; }

/* ---- Weights ---- */

static iscp_status pack(isc_conv *conv, float *own, const float *plain, void *scratch_memory) {
  return isc_onednn_check(isc_reorder_run(&conv->pack, conv->stream, plain, own, scratch_memory), conv->name, "packing");
}

static iscp_status unpack(isc_conv *conv, float *plain, const float *own, void *scratch_memory) {
  return isc_onednn_check(isc_reorder_run(&conv->unpack, conv->stream, own, plain, scratch_memory), conv->name, "unpacking");
}

/* ---- Forward and backward ---- */

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch_memory) {
  if (conv->small_directions) {
    isc_small_forward(&conv->shape, weights(conv), src, dst, scratch_memory);
    return ISCP_OK;
  }
  return isc_onednn_check(isc_direction_run(&conv->forward, conv->stream, src, dst, scratch_memory), conv->name, "forward run");
}

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch_memory) {
  if (conv->small_directions) {
    isc_small_backward_data(&conv->shape, weights(conv), diff_dst, diff_src, scratch_memory);
    return ISCP_OK;
  }
  dnnl_status_t status = isc_reorder_run(&conv->turn, conv->stream, weights(conv), conv->backward.packed, scratch_memory);
  if (status == dnnl_success)
    status = isc_direction_run(&conv->backward, conv->stream, diff_dst, diff_src, scratch_memory);
  return isc_onednn_check(status, conv->name, "backward run");
}

static iscp_status backward_weights(isc_conv *conv, const float *src, const float *diff_dst, float *diff_weights, bool add,
                                    void *scratch_memory) {
  if (conv->small_gradient) {
    isc_small_backward_weights(&conv->shape, src, diff_dst, diff_weights, add, scratch_memory);
    return ISCP_OK;
  }
  float *part = (float *)((char *)scratch_memory + isc_aligned(conv->gradient.scratch_bytes));
  dnnl_status_t status =
      isc_gradient_run(&conv->gradient, conv->stream, src, diff_dst, add ? part : diff_weights, scratch_memory);
  if (status == dnnl_success && add)
    isc_join_backward(diff_weights, part, NULL, count(conv));
  return isc_onednn_check(status, conv->name, "weights' gradient run");
}

const isc_conv_implementation isc_conv_onednn_training = {
    .name = "onednn training",
    .backend = ISCP_BACKEND_ONEDNN,
    .takes = takes,
    .create = create,
    .destroy = destroy,
    .scratch = scratch,
    .bytes = bytes,
    .weights = weights,
    .count = count,
    .pack = pack,
    .unpack = unpack,
    .forward = forward,
    .backward_data = backward_data,
    .backward_weights = backward_weights,
};
