/* A convolution in training on OpenBLAS. Weights are OC x IC x K x K; what backward's products have of them is packed at each
 * backward_data, since they change between steps.
 *
 *   diff_weights (OC x depth) [+]= diff_dst (OC x places) * columns (depth x places), transposed; depth = IC K K
 *
 * The places of as many images as make a long sum are one product. All threads make the columns, then each multiplies some
 * rows, so that no thread needs a diff_weights of its own, and none has a part in another's sums. */
#include <cblas.h>
#include <string.h>

#include "nn/conv/blas/product.h"
#include "nn/conv/blas/threads.h"
#include "nn/conv/learner.h"

enum { PLACES = 512 /* that a product aims at */, ALIGN = 64 };

struct isc_learner {
  iscp_context *context;
  isc_conv_shape shape;
  float *weights, *packed; /* packed: what backward's products have, in their order */
  isc_product forward, *backward;
  int32_t count, threads, images; /* backward products; images of a product of diff_weights */
};

static int64_t depth(const isc_conv_shape *s) { return (int64_t)s->ic * s->k * s->k; }
static int64_t weight_count(const isc_learner *l) { return l->shape.oc * depth(&l->shape); }
static int32_t places(const isc_conv_shape *s) { return s->oh * s->ow; }

/* ---- Plan ---- */

static void plan(isc_learner *l) {
  const isc_conv_shape *s = &l->shape;
  int32_t threads = iscp_context_threads(l->context), most = isc_blas_most_threads();
  float *packed = l->packed;
  l->threads = threads < most ? threads : most;
  l->images = PLACES / places(s) < 1 ? 1 : PLACES / places(s) < s->n ? PLACES / places(s) : s->n;
  l->forward = isc_product_forward(s, l->weights);
  isc_product_plan(&l->forward, l->threads);
  for (int32_t i = 0; i < l->count; i++) {
    l->backward[i] = isc_product_backward(s, i / s->stride, i % s->stride, packed);
    isc_product_plan(&l->backward[i], l->threads);
    packed += (int64_t)s->ic * isc_product_depth(&l->backward[i]);
  }
}

static void destroy(isc_learner *l) {
  if (!l)
    return;
  iscp_context *context = l->context;
  isc_free(context, l->weights);
  isc_free(context, l->packed);
  isc_free(context, l->backward);
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
  l->count = desc->gradient ? desc->shape.stride * desc->shape.stride : 0;
  l->weights = isc_calloc(context, (size_t)weight_count(l), sizeof(float));
  l->packed = desc->gradient ? isc_calloc(context, (size_t)weight_count(l), sizeof(float)) : NULL;
  l->backward = isc_calloc(context, (size_t)l->count + 1, sizeof *l->backward);
  if (!l->weights || !l->backward || (desc->gradient && !l->packed)) {
    destroy(l);
    return ISCP_ERROR_MEMORY;
  }
  plan(l);
  *out = l;
  return ISCP_OK;
}

/* Scratch of diff_weights: | columns | diff_dst, the images' places of a channel side by side |, each a multiple of 64 bytes. */
static size_t aligned(int64_t numbers) { return ((size_t)numbers * sizeof(float) + ALIGN - 1) / ALIGN * ALIGN; }
static size_t column_bytes(const isc_learner *l) { return aligned(depth(&l->shape) * l->images * places(&l->shape)); }

static size_t scratch(const isc_learner *l) {
  size_t largest = column_bytes(l) + aligned((int64_t)l->shape.oc * l->images * places(&l->shape));
  for (int32_t i = -1; i < l->count; i++) {
    size_t bytes = isc_product_scratch(i < 0 ? &l->forward : &l->backward[i]);
    largest = bytes > largest ? bytes : largest;
  }
  return largest;
}

static size_t memory(const isc_learner *l) {
  return sizeof *l + (size_t)weight_count(l) * (l->packed ? 2 : 1) * sizeof(float) + (size_t)l->count * sizeof *l->backward;
}

/* ---- Weights ---- */

static float *weights(const isc_learner *l) { return l->weights; }

static iscp_status copy(isc_learner *l, float *to, const float *from, void *scratch_memory) {
  (void)scratch_memory;
  memcpy(to, from, (size_t)weight_count(l) * sizeof *to);
  return ISCP_OK;
}

/* ---- Forward and backward_data ---- */

static iscp_status forward(isc_learner *l, const float *src, float *dst, void *scratch_memory) {
  const isc_finish none = {0};
  isc_blas_enter();
  isc_product_run(&l->forward, src, dst, &none, scratch_memory);
  isc_blas_leave();
  return ISCP_OK;
}

static iscp_status backward_data(isc_learner *l, const float *diff_dst, float *diff_src, void *scratch_memory) {
  const isc_finish none = {0};
  float *packed = l->packed;
  isc_blas_enter();
  for (int32_t i = 0; i < l->count; i++) {
    isc_product_pack(packed, l->weights, &l->shape, &l->backward[i]);
    isc_product_run(&l->backward[i], diff_dst, diff_src, &none, scratch_memory);
    packed += (int64_t)l->shape.ic * isc_product_depth(&l->backward[i]);
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

static void multiply(const isc_learner *l, const group *g, float *diff_weights, bool add) {
  const isc_conv_shape *s = &l->shape;
  int32_t width = g->images * places(s), columns = (int32_t)depth(s);
#pragma omp parallel num_threads(l->threads)
  {
#pragma omp for schedule(static)
    for (int32_t c = 0; c < s->ic; c++)
      gather(g, s, c);
#pragma omp for schedule(static)
    for (int32_t c = 0; c < s->oc; c++)
      gather_diff(g, s, c);
#pragma omp for schedule(static)
    for (int64_t share = 0; share < l->threads; share++) {
      int32_t low = (int32_t)(s->oc * share / l->threads), high = (int32_t)(s->oc * (share + 1) / l->threads);
      if (low < high)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, high - low, columns, width, 1, g->diff + (int64_t)low * width,
                    width, g->columns, width, add, diff_weights + (int64_t)low * columns, columns);
    }
  }
}

static iscp_status backward_weights(isc_learner *l, const float *src, const float *diff_dst, float *diff_weights, bool add,
                                    void *scratch_memory) {
  const isc_conv_shape *s = &l->shape;
  group g = {.columns = scratch_memory, .diff = (float *)((char *)scratch_memory + column_bytes(l))};
  isc_blas_enter();
  for (int32_t n = 0; n < s->n; n += l->images) {
    g.images = s->n - n < l->images ? s->n - n : l->images;
    g.src = src + (int64_t)n * s->ic * s->ih * s->iw;
    g.diff_dst = diff_dst + (int64_t)n * s->oc * places(s);
    multiply(l, &g, diff_weights, add || n > 0);
  }
  isc_blas_leave();
  return ISCP_OK;
}

const isc_learner_kind isc_learner_blas = {
    .name = "blas",
    .create = create,
    .destroy = destroy,
    .scratch = scratch,
    .memory = memory,
    .weights = weights,
    .count = weight_count,
    .pack = copy,
    .unpack = copy,
    .forward = forward,
    .backward_data = backward_data,
    .backward_weights = backward_weights,
};
