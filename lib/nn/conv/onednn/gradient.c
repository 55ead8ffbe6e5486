/* backward_weights as one oneDNN primitive, and reorders of weights, both with scratch of the caller's. */
#include "nn/conv/onednn/gradient.h"

#include <string.h>

static dnnl_status_t make_attributes(dnnl_primitive_attr_t *attr) {
  dnnl_status_t status = dnnl_primitive_attr_create(attr);
  return status == dnnl_success ? dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user) : status;
}

/* ---- Gradient ---- */

static dnnl_status_t make_pd(isc_gradient *g, const isc_problem *p, const isc_direction *forward) {
  const isc_conv_shape *s = &p->desc->shape;
  const isc_geometry geometry = {{s->stride, s->stride}, {0, 0}, {s->pad, s->pad}};
  dnnl_primitive_attr_t attr = NULL;
  dnnl_status_t status = make_attributes(&attr);
  if (status == dnnl_success)
    status = isc_conv_backward_weights_pd(&g->pd, p->engine, dnnl_primitive_desc_query_md(forward->pd, dnnl_query_src_md, 0),
                                          dnnl_primitive_desc_query_md(forward->pd, dnnl_query_weights_md, 0),
                                          dnnl_primitive_desc_query_md(forward->pd, dnnl_query_dst_md, 0), &geometry,
                                          forward->pd, attr);
  dnnl_primitive_attr_destroy(attr);
  return status;
}

static dnnl_status_t make_memory(dnnl_memory_t *memory, const isc_gradient *g, const isc_problem *p, dnnl_query_t which) {
  return dnnl_memory_create(memory, dnnl_primitive_desc_query_md(g->pd, which, 0), p->engine, DNNL_MEMORY_NONE);
}

iscp_status isc_gradient_create(isc_gradient *g, const isc_problem *p, const isc_direction *forward) {
  const char *name = "";
  memset(g, 0, sizeof *g);
  dnnl_status_t status = make_pd(g, p, forward);
  if (status == dnnl_success)
    status = dnnl_primitive_desc_query(g->pd, dnnl_query_impl_info_str, 0, &name);
  if (status == dnnl_success && !strncmp(name, "ref", 3))
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "oneDNN has only reference code (%s) for its weights' gradient", name);
  if (status == dnnl_success)
    status = dnnl_primitive_create(&g->primitive, g->pd);
  if (status == dnnl_success)
    status = make_memory(&g->src, g, p, dnnl_query_src_md);
  if (status == dnnl_success)
    status = make_memory(&g->diff_dst, g, p, dnnl_query_diff_dst_md);
  if (status == dnnl_success)
    status = make_memory(&g->diff_weights, g, p, dnnl_query_diff_weights_md);
  if (status == dnnl_success)
    status = make_memory(&g->scratchpad, g, p, dnnl_query_scratchpad_md);
  ISC_TRY(isc_onednn_check(status, p->desc->name, "weights' gradient"));
  g->scratch_bytes = dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(g->pd, dnnl_query_scratchpad_md, 0));
  isc_log(p->context, ISCP_LOG_DEBUG, "%s: backward_weights %s", p->desc->name, name);
  return ISCP_OK;
}

dnnl_status_t isc_gradient_run(isc_gradient *g, dnnl_stream_t stream, const float *src, const float *diff_dst,
                               float *diff_weights, void *scratch) {
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, g->src}, {DNNL_ARG_DIFF_DST, g->diff_dst},
                                       {DNNL_ARG_DIFF_WEIGHTS, g->diff_weights}, {DNNL_ARG_SCRATCHPAD, g->scratchpad}};
  dnnl_status_t status = dnnl_memory_set_data_handle(g->src, (void *)src);
  if (status == dnnl_success)
    status = dnnl_memory_set_data_handle(g->diff_dst, (void *)diff_dst);
  if (status == dnnl_success)
    status = dnnl_memory_set_data_handle(g->diff_weights, diff_weights);
  if (status == dnnl_success && g->scratch_bytes)
    status = dnnl_memory_set_data_handle(g->scratchpad, scratch);
  if (status == dnnl_success)
    status = dnnl_primitive_execute(g->primitive, stream, 4, arguments);
  return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}

void isc_gradient_release(isc_gradient *g) {
  dnnl_memory_destroy(g->src);
  dnnl_memory_destroy(g->diff_dst);
  dnnl_memory_destroy(g->diff_weights);
  dnnl_memory_destroy(g->scratchpad);
  dnnl_primitive_destroy(g->primitive);
  dnnl_primitive_desc_destroy(g->pd);
  memset(g, 0, sizeof *g);
}

/* ---- Reorder ---- */

dnnl_status_t isc_reorder_create(isc_reorder *r, dnnl_engine_t engine, isc_const_md from, isc_const_md to) {
  dnnl_primitive_attr_t attr = NULL;
  dnnl_primitive_desc_t pd = NULL;
  memset(r, 0, sizeof *r);
  dnnl_status_t status = make_attributes(&attr);
  if (status == dnnl_success)
    status = dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, attr);
  if (status == dnnl_success)
    status = dnnl_primitive_create(&r->primitive, pd);
  if (status == dnnl_success)
    status = dnnl_memory_create(&r->from, from, engine, DNNL_MEMORY_NONE);
  if (status == dnnl_success)
    status = dnnl_memory_create(&r->to, to, engine, DNNL_MEMORY_NONE);
  if (status == dnnl_success) {
    isc_const_md scratchpad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    r->scratch_bytes = dnnl_memory_desc_get_size(scratchpad);
    status = dnnl_memory_create(&r->scratchpad, scratchpad, engine, DNNL_MEMORY_NONE);
  }
  dnnl_primitive_desc_destroy(pd);
  dnnl_primitive_attr_destroy(attr);
  return status;
}

dnnl_status_t isc_reorder_run(isc_reorder *r, dnnl_stream_t stream, const float *from, float *to, void *scratch) {
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, r->from}, {DNNL_ARG_TO, r->to}, {DNNL_ARG_SCRATCHPAD, r->scratchpad}};
  dnnl_status_t status = dnnl_memory_set_data_handle(r->from, (void *)from);
  if (status == dnnl_success)
    status = dnnl_memory_set_data_handle(r->to, to);
  if (status == dnnl_success && r->scratch_bytes)
    status = dnnl_memory_set_data_handle(r->scratchpad, scratch);
  if (status == dnnl_success)
    status = dnnl_primitive_execute(r->primitive, stream, 3, arguments);
  return status == dnnl_success ? dnnl_stream_wait(stream) : status;
}

void isc_reorder_release(isc_reorder *r) {
  dnnl_memory_destroy(r->from);
  dnnl_memory_destroy(r->to);
  dnnl_memory_destroy(r->scratchpad);
  dnnl_primitive_destroy(r->primitive);
  memset(r, 0, sizeof *r);
}
