/* A convolution in training on oneDNN: the two directions of conv.c, whose weights change, and the weights' gradient.
 *
 * The forward direction's weights are the convolution's weights, and gradients are in their order, so that a step of an
 * optimiser needs no reorder. backward_data wants another order and gets it anew each time. Of small images the loops of
 * direct/small.h take over, which read forward's order in all directions. All of it is float32. */
#include <stdio.h>

#include "nn/conv/direct/small.h"
#include "nn/conv/learner.h"
#include "nn/conv/onednn/gradient.h"

enum { ALIGN = 64 };

struct isc_learner {
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

static int64_t count(const isc_learner *l) { return (int64_t)(l->forward.packed_bytes / sizeof(float)); }
static float *weights(const isc_learner *l) { return l->forward.packed; }

/* ---- Plan ---- */

static iscp_status make_reorders(isc_learner *l, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  const dnnl_dims_t dims = {s->oc, s->ic, s->k, s->k};
  isc_const_md own = dnnl_primitive_desc_query_md(l->forward.pd, dnnl_query_weights_md, 0);
  isc_md plain;
  dnnl_status_t status = isc_md_create(&plain, 4, dims, dnnl_f32, dnnl_oihw);
  if (status == dnnl_success) {
    status = isc_reorder_create(&l->pack, l->engine, isc_md_view(&plain), own);
    if (status == dnnl_success)
      status = isc_reorder_create(&l->unpack, l->engine, own, isc_md_view(&plain));
    isc_md_destroy(&plain);
  }
  if (status == dnnl_success && l->backward.pd)
    status = isc_reorder_create(&l->turn, l->engine, own, dnnl_primitive_desc_query_md(l->backward.pd, dnnl_query_weights_md, 0));
  return isc_onednn_check(status, desc->name, "order of weights");
}

static iscp_status make_direction(isc_direction *d, const isc_problem *p) {
  ISC_TRY(isc_direction_plan(d, p, dnnl_convolution_direct));
  return isc_direction_pack(d, p);
}

/* small.h's, where it has good code and the weights are in the order that it takes. */
static dnnl_status_t choose_ways(isc_learner *l, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  const dnnl_dims_t dims = {s->oc, s->ic, s->k, s->k};
  isc_md order;
  dnnl_status_t status = isc_md_create(&order, 4, dims, dnnl_f32, dnnl_OIhw16i16o);
  if (status != dnnl_success)
    return status;
  if (desc->src_block == ISC_SMALL_BLOCK && desc->dst_block == ISC_SMALL_BLOCK &&
      dnnl_memory_desc_equal(dnnl_primitive_desc_query_md(l->forward.pd, dnnl_query_weights_md, 0), isc_md_view(&order))) {
    l->small_directions = isc_small_directions(s);
    l->small_gradient = isc_small_gradient(s);
  }
  isc_md_destroy(&order);
  return status;
}

static iscp_status build(isc_learner *l, const isc_conv_desc *desc) {
  isc_problem p = {.context = l->context, .desc = desc};
  dnnl_status_t status = dnnl_engine_create(&l->engine, dnnl_cpu, 0);
  if (status == dnnl_success)
    status = dnnl_stream_create(&l->stream, l->engine, dnnl_stream_default_flags);
  ISC_TRY(isc_onednn_check(status, desc->name, "engine"));
  p.engine = l->engine;
  p.stream = l->stream;
  ISC_TRY(make_direction(&l->forward, &p));
  ISC_TRY(isc_onednn_check(choose_ways(l, desc), desc->name, "order of weights"));
  if (!l->small_gradient)
    ISC_TRY(isc_gradient_create(&l->gradient, &p, &l->forward));
  p.backward = true;
  p.forward_pd = l->forward.pd;
  if (desc->gradient && !l->small_directions)
    ISC_TRY(make_direction(&l->backward, &p));
  return make_reorders(l, desc);
}

static void destroy(isc_learner *l) {
  if (!l)
    return;
  iscp_context *context = l->context;
  isc_reorder_release(&l->turn);
  isc_reorder_release(&l->pack);
  isc_reorder_release(&l->unpack);
  isc_gradient_release(&l->gradient);
  isc_direction_release(&l->backward, context);
  isc_direction_release(&l->forward, context);
  dnnl_stream_destroy(l->stream);
  dnnl_engine_destroy(l->engine);
  isc_free(context, l);
  isc_context_drop(context);
}

static iscp_status create(isc_learner **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  isc_learner *l = isc_calloc(context, 1, sizeof *l);
  if (!l)
    return ISCP_ERROR_MEMORY;
  const isc_conv_desc wanted = {.name = desc->name, .shape = desc->shape, .gradient = desc->gradient,
                                .src_block = desc->src_block, .dst_block = desc->dst_block};
  l->context = isc_context_hold(context);
  l->shape = desc->shape;
  snprintf(l->name, sizeof l->name, "%s", desc->name);
  isc_onednn_lock();
  iscp_status status = build(l, &wanted);
  isc_onednn_unlock();
  if (status != ISCP_OK) {
    destroy(l);
    return status;
  }
  *out = l;
  return ISCP_OK;
}

static size_t aligned(size_t bytes) { return (bytes + ALIGN - 1) / ALIGN * ALIGN; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Scratch of backward_weights: | the primitive's | a gradient that is to be added |. */
static size_t scratch(const isc_learner *l) {
  size_t most = aligned(l->gradient.scratch_bytes) + l->forward.packed_bytes;
  most = larger(most, larger(isc_direction_scratch(&l->forward), isc_direction_scratch(&l->backward)));
  if (l->small_directions || l->small_gradient)
    most = larger(most, isc_small_scratch(&l->shape));
  return larger(most, larger(l->turn.scratch_bytes, larger(l->pack.scratch_bytes, l->unpack.scratch_bytes)));
}

static size_t memory(const isc_learner *l) { return sizeof *l + l->forward.packed_bytes + l->backward.packed_bytes; }

/* ---- Weights ---- */

static iscp_status pack(isc_learner *l, float *own, const float *plain, void *scratch_memory) {
  return isc_onednn_check(isc_reorder_run(&l->pack, l->stream, plain, own, scratch_memory), l->name, "packing");
}

static iscp_status unpack(isc_learner *l, float *plain, const float *own, void *scratch_memory) {
  return isc_onednn_check(isc_reorder_run(&l->unpack, l->stream, own, plain, scratch_memory), l->name, "unpacking");
}

/* ---- Forward and backward ---- */

static iscp_status forward(isc_learner *l, const float *src, float *dst, void *scratch_memory) {
  if (l->small_directions) {
    isc_small_forward(&l->shape, weights(l), src, dst, scratch_memory);
    return ISCP_OK;
  }
  return isc_onednn_check(isc_direction_run(&l->forward, l->stream, src, dst, scratch_memory), l->name, "forward run");
}

static iscp_status backward_data(isc_learner *l, const float *diff_dst, float *diff_src, void *scratch_memory) {
  if (l->small_directions) {
    isc_small_backward_data(&l->shape, weights(l), diff_dst, diff_src, scratch_memory);
    return ISCP_OK;
  }
  dnnl_status_t status = isc_reorder_run(&l->turn, l->stream, weights(l), l->backward.packed, scratch_memory);
  if (status == dnnl_success)
    status = isc_direction_run(&l->backward, l->stream, diff_dst, diff_src, scratch_memory);
  return isc_onednn_check(status, l->name, "backward run");
}

static iscp_status backward_weights(isc_learner *l, const float *src, const float *diff_dst, float *diff_weights, bool add,
                                    void *scratch_memory) {
  if (l->small_gradient) {
    isc_small_backward_weights(&l->shape, src, diff_dst, diff_weights, add, scratch_memory);
    return ISCP_OK;
  }
  float *part = (float *)((char *)scratch_memory + aligned(l->gradient.scratch_bytes));
  dnnl_status_t status =
      isc_gradient_run(&l->gradient, l->stream, src, diff_dst, add ? part : diff_weights, scratch_memory);
  if (status == dnnl_success && add)
    isc_join_backward(diff_weights, part, NULL, count(l));
  return isc_onednn_check(status, l->name, "weights' gradient run");
}

const isc_learner_kind isc_learner_onednn = {
    .name = "onednn",
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
