/* Convolution on oneDNN: shape, plan, forward, backward_data, release.
 *
 * Activations are in one layout from end to end (nChw16c with AVX-512, nChw8c otherwise; the network's input is nchw), so
 * no reorder happens inside a pass; the weights are reordered once, into what each direction's primitive asks for. oneDNN's
 * primitives take no post-op on backward, so ReLU's and the join's backward are passes of their own (relu.c). */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "nn/backend.h"
#include "nn/onednn/shim.h"

/* One direction: a primitive, its packed weights, and the memory objects that its calls point at caller's data. */
typedef struct direction {
  dnnl_primitive_desc_t pd;
  dnnl_primitive_t primitive;
  dnnl_memory_t src, weights, bias, dst, scratchpad;
  float *packed;
  size_t packed_bytes, scratch_bytes;
  char implementation[64];
} direction;

struct isc_conv {
  iscp_context *context;
  char name[40];
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  isc_geometry geometry;
  isc_md src_md, weights_md, bias_md, dst_md; /* weights_md leaves the layout to the primitive */
  float *bias;
  direction forward, backward;
};

/* oneDNN 2.6 may write a process-wide table while primitives are made: one at a time. */
static pthread_mutex_t creation = PTHREAD_MUTEX_INITIALIZER;

static iscp_status check_status(dnnl_status_t status, const char *name, const char *what) {
  if (status == dnnl_success)
    return ISCP_OK;
  if (status == dnnl_out_of_memory)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory in oneDNN, %s of layer \"%s\"", what, name);
  if (status == dnnl_unimplemented)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "oneDNN does not implement the %s of layer \"%s\"", what, name);
  return isc_fail(ISCP_ERROR_BACKEND, "oneDNN refuses the %s of layer \"%s\" with status %d", what, name, (int)status);
}

/* ---- Shape ---- */

static dnnl_format_tag_t tag_of(int32_t block) {
  return block == 1 ? dnnl_nchw : block == 8 ? dnnl_nChw8c : dnnl_nChw16c;
}

static dnnl_status_t describe(isc_conv *conv, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  const dnnl_dims_t src = {s->n, s->ic, s->ih, s->iw}, weights = {s->oc, s->ic, s->k, s->k}, bias = {s->oc};
  const dnnl_dims_t dst = {s->n, s->oc, s->oh, s->ow};
  for (int d = 0; d < 2; d++) {
    conv->geometry.strides[d] = s->stride;
    conv->geometry.padding[d] = s->pad;
  }
  dnnl_status_t status = isc_md_create(&conv->src_md, 4, src, tag_of(desc->src_block));
  if (status == dnnl_success)
    status = isc_md_create(&conv->weights_md, 4, weights, dnnl_format_tag_any);
  if (status == dnnl_success)
    status = isc_md_create(&conv->bias_md, 1, bias, dnnl_a);
  if (status == dnnl_success)
    status = isc_md_create(&conv->dst_md, 4, dst, tag_of(desc->dst_block));
  return status;
}

/* ---- Plan ---- */

static dnnl_status_t make_attributes(dnnl_primitive_attr_t *attr, bool sum, bool relu) {
  dnnl_post_ops_t ops = NULL;
  dnnl_status_t status = dnnl_primitive_attr_create(attr);
  if (status == dnnl_success) /* the default scratchpad belongs to the creating thread */
    status = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
  if (status == dnnl_success && (sum || relu)) {
    status = dnnl_post_ops_create(&ops);
    if (status == dnnl_success && sum)
      status = isc_append_sum(ops);
    if (status == dnnl_success && relu)
      status = isc_append_relu(ops);
    if (status == dnnl_success)
      status = dnnl_primitive_attr_set_post_ops(*attr, ops);
    dnnl_post_ops_destroy(ops);
  }
  return status;
}

static iscp_status pack_weights(isc_conv *conv, direction *d, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  const dnnl_dims_t dims = {s->oc, s->ic, s->k, s->k};
  isc_const_md packed_md = dnnl_primitive_desc_query_md(d->pd, dnnl_query_weights_md, 0);
  d->packed = isc_alloc(conv->context, d->packed_bytes);
  if (!d->packed)
    return ISCP_ERROR_MEMORY;
  isc_md plain_md;
  ISC_TRY(check_status(isc_md_create(&plain_md, 4, dims, dnnl_oihw), desc->name, "weights"));
  dnnl_memory_t plain = NULL;
  dnnl_primitive_desc_t reorder_pd = NULL;
  dnnl_primitive_t reorder = NULL;
  dnnl_status_t status = dnnl_memory_create(&plain, isc_md_view(&plain_md), conv->engine, (void *)desc->weights);
  if (status == dnnl_success)
    status = dnnl_memory_create(&d->weights, packed_md, conv->engine, d->packed);
  if (status == dnnl_success)
    status = dnnl_reorder_primitive_desc_create(&reorder_pd, isc_md_view(&plain_md), conv->engine, packed_md, conv->engine,
                                                NULL);
  if (status == dnnl_success)
    status = dnnl_primitive_create(&reorder, reorder_pd);
  if (status == dnnl_success) {
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, d->weights}};
    status = dnnl_primitive_execute(reorder, conv->stream, 2, arguments);
  }
  if (status == dnnl_success)
    status = dnnl_stream_wait(conv->stream);
  dnnl_primitive_destroy(reorder);
  dnnl_primitive_desc_destroy(reorder_pd);
  dnnl_memory_destroy(plain);
  isc_md_destroy(&plain_md);
  return check_status(status, desc->name, "weights");
}

static iscp_status finish_direction(isc_conv *conv, direction *d, const isc_conv_desc *desc, const char *what) {
  const char *name = NULL;
  isc_const_md scratch_md = dnnl_primitive_desc_query_md(d->pd, dnnl_query_scratchpad_md, 0);
  d->scratch_bytes = dnnl_memory_desc_get_size(scratch_md);
  d->packed_bytes = dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(d->pd, dnnl_query_weights_md, 0));
  dnnl_status_t status = dnnl_primitive_desc_query(d->pd, dnnl_query_impl_info_str, 0, &name);
  if (status == dnnl_success)
    snprintf(d->implementation, sizeof d->implementation, "%s", name);
  if (!strncmp(d->implementation, "ref", 3))
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "oneDNN has only reference code (%s) for its %s", d->implementation, what);
  if (!desc->weights)
    return check_status(status, desc->name, what);
  if (status == dnnl_success)
    status = dnnl_primitive_create(&d->primitive, d->pd);
  if (status == dnnl_success)
    status = dnnl_memory_create(&d->src, isc_md_view(&conv->src_md), conv->engine, DNNL_MEMORY_NONE);
  if (status == dnnl_success)
    status = dnnl_memory_create(&d->dst, isc_md_view(&conv->dst_md), conv->engine, DNNL_MEMORY_NONE);
  if (status == dnnl_success)
    status = dnnl_memory_create(&d->scratchpad, scratch_md, conv->engine, DNNL_MEMORY_NONE);
  ISC_TRY(check_status(status, desc->name, what));
  return pack_weights(conv, d, desc);
}

static iscp_status plan_forward(isc_conv *conv, const isc_conv_desc *desc) {
  dnnl_primitive_attr_t attr = NULL;
  dnnl_status_t status = make_attributes(&attr, desc->sum, desc->relu);
  if (status == dnnl_success)
    status = isc_conv_forward_pd(&conv->forward.pd, conv->engine, isc_md_view(&conv->src_md),
                                 isc_md_view(&conv->weights_md), isc_md_view(&conv->bias_md), isc_md_view(&conv->dst_md),
                                 &conv->geometry, attr);
  dnnl_primitive_attr_destroy(attr);
  ISC_TRY(check_status(status, desc->name, "forward convolution"));
  ISC_TRY(finish_direction(conv, &conv->forward, desc, "forward convolution"));
  if (!desc->weights)
    return ISCP_OK;
  conv->bias = isc_alloc(conv->context, (size_t)desc->shape.oc * sizeof *conv->bias);
  if (!conv->bias)
    return ISCP_ERROR_MEMORY;
  memcpy(conv->bias, desc->bias, (size_t)desc->shape.oc * sizeof *conv->bias);
  return check_status(dnnl_memory_create(&conv->forward.bias, isc_md_view(&conv->bias_md), conv->engine, conv->bias),
                      desc->name, "bias");
}

static iscp_status plan_backward_data(isc_conv *conv, const isc_conv_desc *desc) {
  dnnl_primitive_attr_t attr = NULL;
  dnnl_status_t status = make_attributes(&attr, false, false);
  if (status == dnnl_success)
    status = isc_conv_backward_data_pd(&conv->backward.pd, conv->engine, isc_md_view(&conv->src_md),
                                       isc_md_view(&conv->weights_md), isc_md_view(&conv->dst_md), &conv->geometry,
                                       conv->forward.pd, attr);
  dnnl_primitive_attr_destroy(attr);
  ISC_TRY(check_status(status, desc->name, "backward convolution"));
  return finish_direction(conv, &conv->backward, desc, "backward convolution");
}

static void destroy(isc_conv *conv);

static iscp_status build(isc_conv *conv, const isc_conv_desc *desc) {
  dnnl_status_t status = dnnl_engine_create(&conv->engine, dnnl_cpu, 0);
  if (status == dnnl_success)
    status = dnnl_stream_create(&conv->stream, conv->engine, dnnl_stream_default_flags);
  if (status == dnnl_success)
    status = describe(conv, desc);
  ISC_TRY(check_status(status, desc->name, "shape"));
  ISC_TRY(plan_forward(conv, desc));
  return desc->gradient ? plan_backward_data(conv, desc) : ISCP_OK;
}

static iscp_status create(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  isc_conv *conv = isc_calloc(context, 1, sizeof *conv);
  if (!conv)
    return ISCP_ERROR_MEMORY;
  conv->context = isc_context_hold(context);
  snprintf(conv->name, sizeof conv->name, "%s", desc->name);
  pthread_mutex_lock(&creation);
  iscp_status status = build(conv, desc);
  pthread_mutex_unlock(&creation);
  if (status != ISCP_OK) {
    destroy(conv);
    return status;
  }
  *out = conv;
  return ISCP_OK;
}

/* ---- Forward and backward_data ---- */

static iscp_status run(isc_conv *conv, direction *d, const dnnl_exec_arg_t *arguments, int count, const float *src,
                       const float *dst, void *scratch) {
  dnnl_status_t status = dnnl_memory_set_data_handle(d->src, (void *)src);
  if (status == dnnl_success)
    status = dnnl_memory_set_data_handle(d->dst, (void *)dst);
  if (status == dnnl_success && d->scratch_bytes)
    status = dnnl_memory_set_data_handle(d->scratchpad, scratch);
  if (status == dnnl_success)
    status = dnnl_primitive_execute(d->primitive, conv->stream, count, arguments);
  if (status == dnnl_success)
    status = dnnl_stream_wait(conv->stream);
  return check_status(status, conv->name, "convolution");
}

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch) {
  direction *d = &conv->forward;
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, d->src},
                                       {DNNL_ARG_WEIGHTS, d->weights},
                                       {DNNL_ARG_BIAS, d->bias},
                                       {DNNL_ARG_DST, d->dst},
                                       {DNNL_ARG_SCRATCHPAD, d->scratchpad}};
  return run(conv, d, arguments, 5, src, dst, scratch);
}

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch) {
  direction *d = &conv->backward;
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_DIFF_SRC, d->src},
                                       {DNNL_ARG_WEIGHTS, d->weights},
                                       {DNNL_ARG_DIFF_DST, d->dst},
                                       {DNNL_ARG_SCRATCHPAD, d->scratchpad}};
  return run(conv, d, arguments, 4, diff_src, diff_dst, scratch);
}

/* ---- Release ---- */

static void release_direction(const iscp_context *context, direction *d) {
  dnnl_memory_destroy(d->src);
  dnnl_memory_destroy(d->weights);
  dnnl_memory_destroy(d->bias);
  dnnl_memory_destroy(d->dst);
  dnnl_memory_destroy(d->scratchpad);
  dnnl_primitive_destroy(d->primitive);
  dnnl_primitive_desc_destroy(d->pd);
  isc_free(context, d->packed);
}

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  release_direction(context, &conv->forward);
  release_direction(context, &conv->backward);
  isc_md_destroy(&conv->src_md);
  isc_md_destroy(&conv->weights_md);
  isc_md_destroy(&conv->bias_md);
  isc_md_destroy(&conv->dst_md);
  dnnl_stream_destroy(conv->stream);
  dnnl_engine_destroy(conv->engine);
  isc_free(context, conv->bias);
  isc_free(context, conv);
  isc_context_drop(context);
}

/* ---- The table ---- */

/* Instruction sets are masks: those of AVX-512, in whatever version, contain avx512_core's bits. */
static int32_t block(void) {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core ? 16 : 8;
}

static size_t scratch(const isc_conv *conv) {
  return conv->forward.scratch_bytes > conv->backward.scratch_bytes ? conv->forward.scratch_bytes
                                                                    : conv->backward.scratch_bytes;
}

static size_t memory(const isc_conv *conv) { return conv->forward.packed_bytes + conv->backward.packed_bytes; }

static const char *implementation(const isc_conv *conv, bool backward) {
  return backward ? conv->backward.implementation : conv->forward.implementation;
}

const isc_backend isc_backend_onednn = {
    .name = "onednn",
    .block = block,
    .conv_create = create,
    .conv_destroy = destroy,
    .conv_scratch = scratch,
    .conv_memory = memory,
    .conv_implementation = implementation,
    .conv_forward = forward,
    .conv_backward_data = backward_data,
};
