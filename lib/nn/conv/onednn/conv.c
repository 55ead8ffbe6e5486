/* A frozen convolution on oneDNN: plan, forward, backward_data, release. */
#include <stdio.h>

#include "nn/conv/onednn/direction.h"

struct isc_conv {
  iscp_context *context;
  char name[40];
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  isc_direction forward, backward;
};

/* ---- Plan ---- */

static isc_problem problem_of(const isc_conv *conv, const isc_conv_desc *desc, bool backward) {
  bool bf16 = desc->src_block > 1 && iscp_context_precision(conv->context) == ISCP_PRECISION_BF16;
  return (isc_problem){conv->context, desc, conv->engine, conv->stream, backward, bf16, conv->forward.pd};
}

static iscp_status make(isc_direction *d, const isc_problem *p) {
  ISC_TRY(isc_direction_plan(d, p, p->desc->winograd ? dnnl_convolution_winograd : dnnl_convolution_direct));
  return p->desc->weights ? isc_direction_pack(d, p) : ISCP_OK;
}

/* What bf16 has no code for stays in float32. */
static iscp_status make_in_precision(isc_direction *d, isc_problem *p) {
  iscp_status status = make(d, p);
  if (status != ISCP_ERROR_UNSUPPORTED || !p->bf16)
    return status;
  isc_log(p->context, ISCP_LOG_INFO, "layer \"%s\" stays in float32: %s", p->desc->name, iscp_error_message());
  isc_direction_release(d, p->context);
  p->bf16 = false;
  return make(d, p);
}

static iscp_status build(isc_conv *conv, const isc_conv_desc *desc) {
  dnnl_status_t status = dnnl_engine_create(&conv->engine, dnnl_cpu, 0);
  if (status == dnnl_success)
    status = dnnl_stream_create(&conv->stream, conv->engine, dnnl_stream_default_flags);
  ISC_TRY(isc_onednn_check(status, desc->name, "engine"));
  isc_problem forward = problem_of(conv, desc, false);
  ISC_TRY(make_in_precision(&conv->forward, &forward));
  if (!desc->gradient)
    return ISCP_OK;
  isc_problem backward = problem_of(conv, desc, true);
  return make_in_precision(&conv->backward, &backward);
}

static void destroy(isc_conv *conv);

static bool takes(const iscp_context *context, const isc_conv_desc *desc) {
  (void)context;
  return !desc->training;
}

static iscp_status create(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  isc_conv *conv = isc_calloc(context, 1, sizeof *conv);
  if (!conv)
    return ISCP_ERROR_MEMORY;
  conv->context = isc_context_hold(context);
  snprintf(conv->name, sizeof conv->name, "%s", desc->name);
  isc_onednn_lock();
  iscp_status status = build(conv, desc);
  isc_onednn_unlock();
  if (status != ISCP_OK) {
    destroy(conv);
    return status;
  }
  *out = conv;
  return ISCP_OK;
}

/* ---- Forward and backward_data ---- */

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch) {
  return isc_onednn_check(isc_direction_run(&conv->forward, conv->stream, src, dst, scratch), conv->name, "forward run");
}

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch) {
  return isc_onednn_check(isc_direction_run(&conv->backward, conv->stream, diff_dst, diff_src, scratch), conv->name,
                          "backward run");
}

/* ---- Release ---- */

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  isc_direction_release(&conv->forward, context);
  isc_direction_release(&conv->backward, context);
  dnnl_stream_destroy(conv->stream);
  dnnl_engine_destroy(conv->engine);
  isc_free(context, conv);
  isc_context_drop(context);
}

/* ---- Sizes and names ---- */

static size_t scratch(const isc_conv *conv) {
  size_t a = isc_direction_scratch(&conv->forward), b = isc_direction_scratch(&conv->backward);
  return a > b ? a : b;
}

static size_t bytes(const isc_conv *conv) { return conv->forward.packed_bytes + conv->backward.packed_bytes; }

static const char *text(const isc_conv *conv, bool backward) {
  return backward ? conv->backward.implementation : conv->forward.implementation;
}

const isc_conv_implementation isc_conv_onednn = {
    .name = "onednn",
    .backend = ISCP_BACKEND_ONEDNN,
    .takes = takes,
    .create = create,
    .destroy = destroy,
    .scratch = scratch,
    .bytes = bytes,
    .text = text,
    .forward = forward,
    .backward_data = backward_data,
};
