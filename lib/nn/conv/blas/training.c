/* A convolution in training on OpenBLAS. Weights are OC x IC x K x K; what backward's products have of them is packed at each
 * backward_data, since they change between steps.
 *
 *   diff_weights (OC x depth) [+]= diff_dst (OC x places) * columns (depth x places), transposed; depth = IC K K
 *
 * The places of as many images as make a long sum are one product. All threads make the columns, then each multiplies some
 * rows, so that no thread needs a diff_weights of its own, and none has a part in another's sums. */
#include <cblas.h>
#include <string.h>

#include "nn/backend.h"
#include "nn/conv/blas/product.h"
#include "nn/conv/blas/threads.h"

enum { PLACES = 512 /* that a product aims at */ };

struct isc_conv {
  iscp_context *context;
  isc_conv_shape shape;
  float *weights, *packed; /* packed: what backward's products have, in their order */
  isc_product forward, *backward;
  int32_t count, threads, images; /* backward products; images of a product of diff_weights */
};

static int64_t depth(const isc_conv_shape *s) { return (int64_t)s->ic * s->k * s->k; }
static int64_t weight_count(const isc_conv *conv) { return conv->shape.oc * depth(&conv->shape); }
static int32_t places(const isc_conv_shape *s) { return s->oh * s->ow; }

/* ---- Plan ---- */

static void plan(isc_conv *conv) {
  const isc_conv_shape *s = &conv->shape;
  int32_t threads = iscp_context_threads(conv->context), most = isc_blas_most_threads();
  float *packed = conv->packed;
  conv->threads = threads < most ? threads : most;
  conv->images = PLACES / places(s) < 1 ? 1 : PLACES / places(s) < s->n ? PLACES / places(s) : s->n;
  conv->forward = isc_product_forward(s, conv->weights);
  isc_product_plan(&conv->forward, conv->threads);
  for (int32_t i = 0; i < conv->count; i++) {
    conv->backward[i] = isc_product_backward(s, i / s->stride, i % s->stride, packed);
    isc_product_plan(&conv->backward[i], conv->threads);
    packed += (int64_t)s->ic * isc_product_depth(&conv->backward[i]);
  }
}

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  isc_free(context, conv->weights);
  isc_free(context, conv->packed);
  isc_free(context, conv->backward);
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
  conv->context = isc_context_hold(context);
  conv->shape = desc->shape;
  conv->count = desc->gradient ? desc->shape.stride * desc->shape.stride : 0;
  conv->weights = isc_calloc(context, (size_t)weight_count(conv), sizeof(float));
  conv->packed = desc->gradient ? isc_calloc(context, (size_t)weight_count(conv), sizeof(float)) : NULL;
  conv->backward = isc_calloc(context, (size_t)conv->count + 1, sizeof *conv->backward);
  if (!conv->weights || !conv->backward || (desc->gradient && !conv->packed)) {
    destroy(conv);
    return ISCP_ERROR_MEMORY;
  }
  plan(conv);
  *out = conv;
  return ISCP_OK;
}

/* Scratch of diff_weights: | columns | diff_dst, the images' places of a channel side by side |, each aligned. */
static size_t aligned(int64_t numbers) { return isc_aligned((size_t)numbers * sizeof(float)); }
static size_t column_bytes(const isc_conv *conv) { return aligned(depth(&conv->shape) * conv->images * places(&conv->shape)); }

static size_t scratch(const isc_conv *conv) {
  size_t largest = column_bytes(conv) + aligned((int64_t)conv->shape.oc * conv->images * places(&conv->shape));
  for (int32_t i = -1; i < conv->count; i++) {
    size_t needed = isc_product_scratch(i < 0 ? &conv->forward : &conv->backward[i]);
    largest = needed > largest ? needed : largest;
  }
  return largest;
}

static size_t bytes(const isc_conv *conv) {
  return sizeof *conv + (size_t)weight_count(conv) * (conv->packed ? 2 : 1) * sizeof(float) +
         (size_t)conv->count * sizeof *conv->backward;
}

/* ---- Weights ---- */

static float *weights(const isc_conv *conv) { return conv->weights; }

static iscp_status copy(isc_conv *conv, float *to, const float *from, void *scratch_memory) {
  (void)scratch_memory;
  memcpy(to, from, (size_t)weight_count(conv) * sizeof *to);
  return ISCP_OK;
}

/* ---- Forward and backward_data ---- */

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch_memory) {
  const isc_finish none = {0};
  isc_blas_enter();
  isc_product_run(&conv->forward, src, dst, &none, scratch_memory);
  isc_blas_leave();
  return ISCP_OK;
}

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch_memory) {
  const isc_finish none = {0};
  float *packed = conv->packed;
  isc_blas_enter();
  for (int32_t i = 0; i < conv->count; i++) {
    isc_product_pack(packed, conv->weights, &conv->shape, &conv->backward[i]);
    isc_product_run(&conv->backward[i], diff_dst, diff_src, &none, scratch_memory);
    packed += (int64_t)conv->shape.ic * isc_product_depth(&conv->backward[i]);
  }
  isc_blas_leave();
  return ISCP_OK;
}

/* ---- Backward_weights ---- */

/* One row of columns, of one image: what tap (kh, kw) meets at each place. */
static void gather_row(float *row, const float *plane, const isc_conv_shape *s, int32_t kh, int32_t kw) {
  int32_t first = s->pad > kw ? (s->pad - kw + s->stride - 1) / s->stride : 0;
  int32_t last = s->iw + s->pad > kw ? (s->iw + s->pad - kw + s->stride - 1) / s->stride : 0;
  last = last < s->ow ? last : s->ow;
  first = first < last ? first : last;
  for (int32_t oh = 0; oh < s->oh; oh++, row += s->ow) {
    int32_t h = oh * s->stride - s->pad + kh;
    if (h < 0 || h >= s->ih) {
      memset(row, 0, (size_t)s->ow * sizeof *row);
      continue;
    }
    const float *src = plane + (int64_t)h * s->iw - s->pad + kw;
    memset(row, 0, (size_t)first * sizeof *row);
    if (s->stride == 1)
      memcpy(row + first, src + first, (size_t)(last - first) * sizeof *row);
    else
      for (int32_t ow = first; ow < last; ow++)
        row[ow] = src[ow * s->stride];
    memset(row + last, 0, (size_t)(s->ow - last) * sizeof *row);
  }
}

/* A group of images: src and diff_dst of the first, and what is made of them. */
typedef struct group {
  const float *src, *diff_dst;
  float *columns, *diff;
  int32_t images;
} group;

static void gather(const group *g, const isc_conv_shape *s, int32_t channel) {
  int64_t taps = (int64_t)s->k * s->k, width = (int64_t)g->images * places(s);
  for (int32_t tap = 0; tap < taps; tap++)
    for (int32_t i = 0; i < g->images; i++)
      gather_row(g->columns + (channel * taps + tap) * width + (int64_t)i * places(s),
                 g->src + ((int64_t)i * s->ic + channel) * s->ih * s->iw, s, tap / s->k, tap % s->k);
}

static void gather_diff(const group *g, const isc_conv_shape *s, int32_t channel) {
  for (int32_t i = 0; i < g->images; i++)
    memcpy(g->diff + ((int64_t)channel * g->images + i) * places(s), g->diff_dst + ((int64_t)i * s->oc + channel) * places(s),
           (size_t)places(s) * sizeof *g->diff);
}

static void multiply(const isc_conv *conv, const group *g, float *diff_weights, bool add) {
  const isc_conv_shape *s = &conv->shape;
  int32_t width = g->images * places(s), columns = (int32_t)depth(s);
#pragma omp parallel num_threads(conv->threads)
  {
#pragma omp for schedule(static)
    for (int32_t c = 0; c < s->ic; c++)
      gather(g, s, c);
#pragma omp for schedule(static)
    for (int32_t c = 0; c < s->oc; c++)
      gather_diff(g, s, c);
#pragma omp for schedule(static)
    for (int64_t share = 0; share < conv->threads; share++) {
      int32_t low = (int32_t)(s->oc * share / conv->threads), high = (int32_t)(s->oc * (share + 1) / conv->threads);
      if (low < high)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, high - low, columns, width, 1, g->diff + (int64_t)low * width,
                    width, g->columns, width, add, diff_weights + (int64_t)low * columns, columns);
    }
  }
}

static iscp_status backward_weights(isc_conv *conv, const float *src, const float *diff_dst, float *diff_weights, bool add,
                                    void *scratch_memory) {
  const isc_conv_shape *s = &conv->shape;
  group g = {.columns = scratch_memory, .diff = (float *)((char *)scratch_memory + column_bytes(conv))};
  isc_blas_enter();
  for (int32_t n = 0; n < s->n; n += conv->images) {
    g.images = s->n - n < conv->images ? s->n - n : conv->images;
    g.src = src + (int64_t)n * s->ic * s->ih * s->iw;
    g.diff_dst = diff_dst + (int64_t)n * s->oc * places(s);
    multiply(conv, &g, diff_weights, add || n > 0);
  }
  isc_blas_leave();
  return ISCP_OK;
}

const isc_conv_implementation isc_conv_blas_training = {
    .name = "blas training",
    .backend = ISCP_BACKEND_BLAS,
    .takes = takes,
    .create = create,
    .destroy = destroy,
    .scratch = scratch,
    .bytes = bytes,
    .weights = weights,
    .count = weight_count,
    .pack = copy,
    .unpack = copy,
    .forward = forward,
    .backward_data = backward_data,
    .backward_weights = backward_weights,
};
