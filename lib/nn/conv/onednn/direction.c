/* A primitive with its packed weights and the memory objects that its runs point at the caller's data.
 *
 * Activations are in one layout from end to end (nChw16c with AVX-512, nChw8c otherwise; the network's input is nchw), so no
 * reorder happens inside a pass; the weights are reordered once, into what the primitive asks for. oneDNN's primitives take no
 * post-op on backward, so ReLU's and the join's backward are passes of their own (relu.c). */
#include "nn/conv/onednn/direction.h"

#include <stdio.h>
#include <string.h>

#include "base/simd.h"

iscp_status isc_onednn_check(dnnl_status_t status, const char *name, const char *what) {
  if (status == dnnl_success)
    return ISCP_OK;
  if (status == dnnl_out_of_memory)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory in oneDNN, %s of layer \"%s\"", what, name);
  if (status == dnnl_unimplemented)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "oneDNN does not implement the %s of layer \"%s\"", what, name);
  return isc_fail(ISCP_ERROR_BACKEND, "oneDNN refuses the %s of layer \"%s\" with status %d", what, name, (int)status);
}

static const char *what_of(const isc_direction *d) { return d->backward ? "backward convolution" : "forward convolution"; }

/* ---- Plan ---- */

static dnnl_format_tag_t tag_of(int32_t block) {
  return block == 1 ? dnnl_nchw : block == 8 ? dnnl_nChw8c : dnnl_nChw16c;
}

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

/* Shapes and layouts; the weights' layout is left to the primitive. */
typedef struct descriptors {
  isc_md src, weights, bias, dst;
} descriptors;

static dnnl_status_t describe(descriptors *m, const isc_problem *p) {
  const isc_conv_shape *s = &p->desc->shape;
  const dnnl_dims_t src = {s->n, s->ic, s->ih, s->iw}, weights = {s->oc, s->ic, s->k, s->k}, bias = {s->oc};
  const dnnl_dims_t dst = {s->n, s->oc, s->oh, s->ow};
  dnnl_data_type_t in = p->bf16 ? dnnl_bf16 : dnnl_f32;
  memset(m, 0, sizeof *m);
  dnnl_status_t status = isc_md_create(&m->src, 4, src, p->backward ? dnnl_f32 : in, tag_of(p->desc->src_block));
  if (status == dnnl_success)
    status = isc_md_create(&m->weights, 4, weights, in, dnnl_format_tag_any);
  if (status == dnnl_success)
    status = isc_md_create(&m->bias, 1, bias, dnnl_f32, dnnl_a);
  if (status == dnnl_success)
    status = isc_md_create(&m->dst, 4, dst, p->backward ? in : dnnl_f32, tag_of(p->desc->dst_block));
  return status;
}

static void forget(descriptors *m) {
  isc_md_destroy(&m->src);
  isc_md_destroy(&m->weights);
  isc_md_destroy(&m->bias);
  isc_md_destroy(&m->dst);
}

static dnnl_status_t make_pd(isc_direction *d, const isc_problem *p, const descriptors *m, dnnl_alg_kind_t algorithm) {
  const isc_conv_shape *s = &p->desc->shape;
  const isc_geometry geometry = {{s->stride, s->stride}, {0, 0}, {s->pad, s->pad}};
  dnnl_primitive_attr_t attr = NULL;
  dnnl_status_t status = make_attributes(&attr, !p->backward && p->desc->sum, !p->backward && p->desc->relu);
  if (status == dnnl_success && p->backward)
    status = isc_conv_backward_data_pd(&d->pd, p->engine, algorithm, isc_md_view(&m->src), isc_md_view(&m->weights),
                                       isc_md_view(&m->dst), &geometry, p->forward_pd, attr);
  else if (status == dnnl_success)
    status = isc_conv_forward_pd(&d->pd, p->engine, algorithm, isc_md_view(&m->src), isc_md_view(&m->weights),
                                 isc_md_view(&m->bias), isc_md_view(&m->dst), &geometry, attr);
  dnnl_primitive_attr_destroy(attr);
  return status;
}

static size_t bytes_of(const isc_direction *d, dnnl_query_t which) {
  return dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(d->pd, which, 0));
}

iscp_status isc_direction_plan(isc_direction *d, const isc_problem *p, dnnl_alg_kind_t algorithm) {
  const isc_conv_shape *s = &p->desc->shape;
  descriptors m;
  memset(d, 0, sizeof *d);
  d->backward = p->backward;
  dnnl_status_t status = describe(&m, p);
  if (status == dnnl_success)
    status = make_pd(d, p, &m, algorithm);
  forget(&m);
  const char *name = "";
  if (status == dnnl_success)
    status = dnnl_primitive_desc_query(d->pd, dnnl_query_impl_info_str, 0, &name);
  ISC_TRY(isc_onednn_check(status, p->desc->name, what_of(d)));
  snprintf(d->implementation, sizeof d->implementation, "%s", name);
  if (!strncmp(name, "ref", 3))
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "oneDNN has only reference code (%s) for its %s", name, what_of(d));
  d->scratch_bytes = bytes_of(d, dnnl_query_scratchpad_md);
  d->packed_bytes = bytes_of(d, dnnl_query_weights_md);
  if (p->bf16)
    d->rounded = p->backward ? isc_activation_count(s->n, s->oc, s->oh, s->ow, p->desc->dst_block)
                             : isc_activation_count(s->n, s->ic, s->ih, s->iw, p->desc->src_block);
  return ISCP_OK;
}

/* ---- Pack ---- */

/* Weights OC x IC x K x K, float32 -> the primitive's layout and type. */
static dnnl_status_t reorder_weights(isc_direction *d, const isc_problem *p) {
  const isc_conv_shape *s = &p->desc->shape;
  const dnnl_dims_t dims = {s->oc, s->ic, s->k, s->k};
  isc_const_md packed_md = dnnl_primitive_desc_query_md(d->pd, dnnl_query_weights_md, 0);
  isc_md plain_md;
  dnnl_memory_t plain = NULL;
  dnnl_primitive_desc_t pd = NULL;
  dnnl_primitive_t reorder = NULL;
  dnnl_status_t status = isc_md_create(&plain_md, 4, dims, dnnl_f32, dnnl_oihw);
  if (status != dnnl_success)
    return status;
  status = dnnl_memory_create(&plain, isc_md_view(&plain_md), p->engine, (void *)p->desc->weights);
  if (status == dnnl_success)
    status = dnnl_reorder_primitive_desc_create(&pd, isc_md_view(&plain_md), p->engine, packed_md, p->engine, NULL);
  if (status == dnnl_success)
    status = dnnl_primitive_create(&reorder, pd);
  if (status == dnnl_success) {
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, d->weights}};
    status = dnnl_primitive_execute(reorder, p->stream, 2, arguments);
  }
  if (status == dnnl_success)
    status = dnnl_stream_wait(p->stream);
  dnnl_primitive_destroy(reorder);
  dnnl_primitive_desc_destroy(pd);
  dnnl_memory_destroy(plain);
  isc_md_destroy(&plain_md);
  return status;
}

static dnnl_status_t make_memory(dnnl_memory_t *memory, const isc_direction *d, const isc_problem *p, dnnl_query_t which,
                                 void *data) {
  return dnnl_memory_create(memory, dnnl_primitive_desc_query_md(d->pd, which, 0), p->engine, data);
}

static dnnl_status_t make_memories(isc_direction *d, const isc_problem *p) {
  bool back = d->backward;
  dnnl_status_t status = make_memory(&d->in, d, p, back ? dnnl_query_diff_dst_md : dnnl_query_src_md, DNNL_MEMORY_NONE);
  if (status == dnnl_success)
    status = make_memory(&d->out, d, p, back ? dnnl_query_diff_src_md : dnnl_query_dst_md, DNNL_MEMORY_NONE);
  if (status == dnnl_success)
    status = make_memory(&d->scratchpad, d, p, dnnl_query_scratchpad_md, DNNL_MEMORY_NONE);
  if (status == dnnl_success)
    status = make_memory(&d->weights, d, p, dnnl_query_weights_md, d->packed);
  if (status == dnnl_success && !back) /* the bias is the second of the weights */
    status = dnnl_memory_create(&d->bias, dnnl_primitive_desc_query_md(d->pd, dnnl_query_weights_md, 1), p->engine,
                                d->bias_copy);
  return status;
}

iscp_status isc_direction_pack(isc_direction *d, const isc_problem *p) {
  const isc_conv_desc *desc = p->desc;
  d->packed = isc_calloc(p->context, 1, d->packed_bytes);
  d->bias_copy = d->backward ? NULL : isc_calloc(p->context, (size_t)desc->shape.oc, sizeof *d->bias_copy);
  if (!d->packed || (!d->backward && !d->bias_copy))
    return ISCP_ERROR_MEMORY;
  if (!d->backward && desc->bias)
    memcpy(d->bias_copy, desc->bias, (size_t)desc->shape.oc * sizeof *d->bias_copy);
  dnnl_status_t status = dnnl_primitive_create(&d->primitive, d->pd);
  if (status == dnnl_success)
    status = make_memories(d, p);
  if (status == dnnl_success && desc->weights)
    status = reorder_weights(d, p);
  return isc_onednn_check(status, desc->name, what_of(d));
}

/* ---- Run ---- */

/* bfloat16 is the upper half of a float32, rounded to nearest, ties to even. */
static void round_numbers(uint16_t *dst, const float *src, int64_t count) {
  enum { LANES = 16 };
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; i += LANES) { /* whole blocks of 16 channels: bf16 comes with AVX-512 only */
    isc_u32x16_any bits = *(const isc_u32x16_any *)(src + i);
    bits += 0x7fff + ((bits >> 16) & 1);
    *(isc_u16x16_any *)(dst + i) = __builtin_convertvector(bits >> 16, isc_u16x16_any);
  }
}

static size_t rounded_bytes(const isc_direction *d) { return isc_aligned((size_t)d->rounded * sizeof(uint16_t)); }

size_t isc_direction_scratch(const isc_direction *d) { return rounded_bytes(d) + d->scratch_bytes; }

dnnl_status_t isc_direction_run(isc_direction *d, dnnl_stream_t stream, const float *in, float *out, void *scratch) {
  void *input = (void *)in;
  if (d->rounded) {
    round_numbers(scratch, in, d->rounded);
    input = scratch;
    scratch = (char *)scratch + rounded_bytes(d);
  }
  const dnnl_exec_arg_t arguments[] = {{d->backward ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC, d->in},
                                       {DNNL_ARG_WEIGHTS, d->weights},
                                       {d->backward ? DNNL_ARG_DIFF_SRC : DNNL_ARG_DST, d->out},
                                       {DNNL_ARG_SCRATCHPAD, d->scratchpad},
                                       {DNNL_ARG_BIAS, d->bias}};
  dnnl_status_t status = dnnl_memory_set_data_handle(d->in, input);
  if (status == dnnl_success)
    status = dnnl_memory_set_data_handle(d->out, out);
  if (status == dnnl_success && d->scratch_bytes)
    status = dnnl_memory_set_data_handle(d->scratchpad, scratch);
  if (status == dnnl_success)
    status = dnnl_primitive_execute(d->primitive, stream, d->backward ? 4 : 5, arguments);
  return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}

/* ---- Release ---- */

void isc_direction_release(isc_direction *d, const iscp_context *context) {
  dnnl_memory_destroy(d->in);
  dnnl_memory_destroy(d->weights);
  dnnl_memory_destroy(d->bias);
  dnnl_memory_destroy(d->out);
  dnnl_memory_destroy(d->scratchpad);
  dnnl_primitive_destroy(d->primitive);
  dnnl_primitive_desc_destroy(d->pd);
  isc_free(context, d->packed);
  isc_free(context, d->bias_copy);
  memset(d, 0, sizeof *d);
}
