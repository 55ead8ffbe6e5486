/* A frozen convolution on OpenBLAS, any shape: one product forward, stride x stride products backward (product.h). */
#include <string.h>

#include "nn/backend.h"
#include "nn/conv/blas/product.h"
#include "nn/conv/blas/threads.h"

struct isc_conv {
  iscp_context *context;
  isc_conv_shape shape;
  isc_finish finish;
  float *weights, *bias; /* weights: OC x IC x K x K, then what backward's products have, in their order */
  isc_product *products; /* forward, then backward's */
  int32_t count;
  bool gradient;
};

static size_t weight_count(const isc_conv_shape *s) { return (size_t)s->oc * (size_t)s->ic * (size_t)(s->k * s->k); }

/* ---- Plan ---- */

static void plan_products(isc_conv *conv, const isc_conv_desc *desc) {
  const isc_conv_shape *s = &conv->shape;
  conv->products[conv->count++] = isc_product_forward(s, conv->weights);
  float *packed = desc->weights ? conv->weights + weight_count(s) : NULL;
  for (int32_t a = 0; conv->gradient && a < s->stride; a++)
    for (int32_t b = 0; b < s->stride; b++) {
      isc_product *p = &conv->products[conv->count++];
      *p = isc_product_backward(s, a, b, packed);
      if (!packed)
        continue;
      isc_product_pack(packed, desc->weights, s, p);
      packed += (int64_t)p->m * isc_product_depth(p);
    }
  int32_t threads = iscp_context_threads(conv->context), most = isc_blas_most_threads();
  for (int32_t i = 0; i < conv->count; i++)
    isc_product_plan(&conv->products[i], threads < most ? threads : most);
}

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  isc_free(context, conv->weights);
  isc_free(context, conv->bias);
  isc_free(context, conv->products);
  isc_free(context, conv);
  isc_context_drop(context);
}

static size_t bytes(const isc_conv *conv) {
  size_t weights = weight_count(&conv->shape) * (conv->gradient ? 2 : 1);
  return (weights + (size_t)conv->shape.oc) * sizeof(float);
}

static iscp_status copy_numbers(isc_conv *conv, const isc_conv_desc *desc) {
  size_t weights = weight_count(&desc->shape), bias = (size_t)desc->shape.oc * sizeof(float);
  conv->weights = isc_alloc(conv->context, weights * (desc->gradient ? 2 : 1) * sizeof(float));
  conv->bias = isc_alloc(conv->context, bias);
  if (!conv->weights || !conv->bias)
    return ISCP_ERROR_MEMORY;
  memcpy(conv->weights, desc->weights, weights * sizeof(float));
  memcpy(conv->bias, desc->bias, bias);
  return ISCP_OK;
}

static bool takes(const iscp_context *context, const isc_conv_desc *desc) {
  (void)context;
  return !desc->training && !desc->winograd;
}

static iscp_status create(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  isc_conv *conv = isc_calloc(context, 1, sizeof *conv);
  if (!conv)
    return ISCP_ERROR_MEMORY;
  const isc_conv_shape *s = &desc->shape;
  conv->context = isc_context_hold(context);
  conv->shape = *s;
  conv->gradient = desc->gradient;
  conv->products = isc_calloc(context, 1 + (size_t)(desc->gradient ? s->stride * s->stride : 0), sizeof *conv->products);
  if (!conv->products || (desc->weights && copy_numbers(conv, desc) != ISCP_OK)) {
    destroy(conv);
    return ISCP_ERROR_MEMORY;
  }
  conv->finish = (isc_finish){conv->bias, desc->sum, desc->relu};
  plan_products(conv, desc);
  *out = conv;
  return ISCP_OK;
}

static size_t scratch(const isc_conv *conv) {
  size_t largest = 0;
  for (int32_t i = 0; i < conv->count; i++) {
    size_t needed = isc_product_scratch(&conv->products[i]);
    largest = needed > largest ? needed : largest;
  }
  return largest;
}

/* ---- Forward and backward_data ---- */

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch_memory) {
  isc_blas_enter();
  isc_product_run(&conv->products[0], src, dst, &conv->finish, scratch_memory);
  isc_blas_leave();
  return ISCP_OK;
}

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch_memory) {
  const isc_finish none = {0};
  isc_blas_enter();
  for (int32_t i = 1; i < conv->count; i++)
    isc_product_run(&conv->products[i], diff_dst, diff_src, &none, scratch_memory);
  isc_blas_leave();
  return ISCP_OK;
}

static const char *text(const isc_conv *conv, bool backward) {
  const isc_product *p = &conv->products[backward];
  return p->own_columns ? "im2col and sgemm" : "sgemm";
}

const isc_conv_implementation isc_conv_blas = {
    .name = "blas",
    .backend = ISCP_BACKEND_BLAS,
    .takes = takes,
    .create = create,
    .destroy = destroy,
    .scratch = scratch,
    .bytes = bytes,
    .text = text,
    .forward = forward,
    .backward_data = backward_data,
};
