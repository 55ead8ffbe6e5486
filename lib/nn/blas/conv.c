/* Convolution on OpenBLAS: im2col and sgemm, any shape, activations N C H W.
 *
 *   forward:       dst[n] = weights (OC x K) * col (K x OH OW) + bias [+ dst[n]], then ReLU; K = IC * KH * KW
 *   backward_data: dcol (K x OH OW) = transposed weights * diff_dst[n]; diff_src[n] = col2im(dcol)
 *
 * A 1x1 convolution of stride 1 is its own im2col. Otherwise the columns are made a tile of output rows at a time, so that
 * the scratch stays near SCRATCH_NUMBERS whatever the image's size. */
#include <cblas.h>
#include <string.h>

#include "nn/backend.h"
#include "nn/blas/threads.h"

enum { SCRATCH_NUMBERS = 1 << 20 };

struct isc_conv {
  iscp_context *context;
  isc_conv_shape shape;
  bool relu, sum;
  float *weights, *bias;
};

/* ---- Shape ---- */

static int64_t depth_of(const isc_conv_shape *s) { return (int64_t)s->ic * s->k * s->k; }
static bool is_direct(const isc_conv_shape *s) { return s->k == 1 && s->stride == 1; }

static int32_t tile_rows(const isc_conv_shape *s) {
  int64_t rows = SCRATCH_NUMBERS / (depth_of(s) * s->ow);
  return rows < 1 ? 1 : rows > s->oh ? s->oh : (int32_t)rows;
}

static size_t scratch(const isc_conv *conv) {
  const isc_conv_shape *s = &conv->shape;
  return is_direct(s) ? 0 : (size_t)(depth_of(s) * tile_rows(s) * s->ow) * sizeof(float);
}

/* ---- Plan ---- */

static void destroy(isc_conv *conv) {
  if (!conv)
    return;
  iscp_context *context = conv->context;
  isc_free(context, conv->weights);
  isc_free(context, conv->bias);
  isc_free(context, conv);
  isc_context_drop(context);
}

static size_t memory(const isc_conv *conv) {
  return (size_t)(depth_of(&conv->shape) + 1) * (size_t)conv->shape.oc * sizeof(float);
}

static iscp_status create(isc_conv **out, const iscp_context *context, const isc_conv_desc *desc) {
  *out = NULL;
  isc_conv *conv = isc_calloc(context, 1, sizeof *conv);
  if (!conv)
    return ISCP_ERROR_MEMORY;
  conv->context = isc_context_hold(context);
  conv->shape = desc->shape;
  conv->relu = desc->relu;
  conv->sum = desc->sum;
  *out = conv;
  if (!desc->weights)
    return ISCP_OK;
  size_t bias_bytes = (size_t)desc->shape.oc * sizeof(float);
  size_t weight_bytes = (size_t)depth_of(&desc->shape) * bias_bytes;
  conv->weights = isc_alloc(context, weight_bytes);
  conv->bias = isc_alloc(context, bias_bytes);
  if (!conv->weights || !conv->bias) {
    destroy(conv);
    *out = NULL;
    return ISCP_ERROR_MEMORY;
  }
  memcpy(conv->weights, desc->weights, weight_bytes);
  memcpy(conv->bias, desc->bias, bias_bytes);
  return ISCP_OK;
}

/* ---- Columns: col[(c, kh, kw)][(oh, ow)] = src[c][oh * stride - pad + kh][ow * stride - pad + kw], 0 outside ---- */

/* Output columns whose source is inside: ow in [low, high). */
static void inside(const isc_conv_shape *s, int32_t kw, int32_t *low, int32_t *high) {
  int32_t start = s->pad - kw, end = s->iw - 1 + s->pad - kw;
  *low = start <= 0 ? 0 : (start + s->stride - 1) / s->stride;
  *high = end < 0 ? 0 : end / s->stride + 1;
  *high = *high > s->ow ? s->ow : *high;
  *low = *low > *high ? *high : *low;
}

static void im2col_row(float *row, const float *plane, const isc_conv_shape *s, int32_t kh, int32_t kw, int32_t first,
                       int32_t rows) {
  int32_t low, high;
  inside(s, kw, &low, &high);
  for (int32_t r = 0; r < rows; r++) {
    int32_t h = (first + r) * s->stride - s->pad + kh;
    float *dst = row + (int64_t)r * s->ow;
    if (h < 0 || h >= s->ih) {
      memset(dst, 0, (size_t)s->ow * sizeof *dst);
      continue;
    }
    const float *src = plane + (int64_t)h * s->iw - s->pad + kw;
    for (int32_t w = 0; w < low; w++)
      dst[w] = 0;
    for (int32_t w = low; w < high; w++)
      dst[w] = src[(int64_t)w * s->stride];
    for (int32_t w = high; w < s->ow; w++)
      dst[w] = 0;
  }
}

static void im2col(float *col, const float *src, const isc_conv_shape *s, int32_t first, int32_t rows) {
  int64_t taps = (int64_t)s->k * s->k, columns = (int64_t)rows * s->ow;
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < s->ic * taps; row++) {
    int32_t tap = (int32_t)(row % taps);
    im2col_row(col + row * columns, src + row / taps * s->ih * s->iw, s, tap / s->k, tap % s->k, first, rows);
  }
}

static void col2im_row(float *plane, const float *row, const isc_conv_shape *s, int32_t kh, int32_t kw, int32_t first,
                       int32_t rows) {
  int32_t low, high;
  inside(s, kw, &low, &high);
  for (int32_t r = 0; r < rows; r++) {
    int32_t h = (first + r) * s->stride - s->pad + kh;
    if (h < 0 || h >= s->ih)
      continue;
    float *dst = plane + (int64_t)h * s->iw - s->pad + kw;
    const float *src = row + (int64_t)r * s->ow;
    for (int32_t w = low; w < high; w++)
      dst[(int64_t)w * s->stride] += src[w];
  }
}

/* Adds; a thread owns whole channels of dst, so that no two write one place. */
static void col2im(float *dst, const float *col, const isc_conv_shape *s, int32_t first, int32_t rows) {
  int32_t taps = s->k * s->k;
  int64_t columns = (int64_t)rows * s->ow;
#pragma omp parallel for schedule(static)
  for (int32_t c = 0; c < s->ic; c++)
    for (int32_t tap = 0; tap < taps; tap++)
      col2im_row(dst + (int64_t)c * s->ih * s->iw, col + ((int64_t)c * taps + tap) * columns, s, tap / s->k, tap % s->k,
                 first, rows);
}

/* ---- Forward ---- */

static void add_bias(float *dst, const isc_conv *conv, bool first_use) {
  int64_t plane = (int64_t)conv->shape.oh * conv->shape.ow;
#pragma omp parallel for schedule(static)
  for (int32_t o = 0; o < conv->shape.oc; o++)
    for (int64_t i = 0; i < plane; i++)
      dst[o * plane + i] = first_use ? conv->bias[o] : dst[o * plane + i] + conv->bias[o];
}

static void relu(float *dst, int64_t count) {
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; i++)
    dst[i] = dst[i] > 0 ? dst[i] : 0;
}

static iscp_status forward(isc_conv *conv, const float *src, float *dst, void *scratch_memory) {
  const isc_conv_shape *s = &conv->shape;
  int32_t k = (int32_t)depth_of(s), plane = s->oh * s->ow;
  for (int32_t n = 0; n < s->n; n++) {
    const float *image = src + (int64_t)n * s->ic * s->ih * s->iw;
    float *out = dst + (int64_t)n * s->oc * plane;
    add_bias(out, conv, !conv->sum);
    int32_t tile = is_direct(s) ? s->oh : tile_rows(s);
    for (int32_t first = 0; first < s->oh; first += tile) {
      int32_t rows = s->oh - first < tile ? s->oh - first : tile, columns = rows * s->ow;
      const float *col = image;
      if (!is_direct(s)) {
        im2col(scratch_memory, image, s, first, rows);
        col = scratch_memory;
      }
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s->oc, columns, k, 1.0f, conv->weights, k, col, columns, 1.0f,
                  out + (int64_t)first * s->ow, plane);
    }
    if (conv->relu)
      relu(out, (int64_t)s->oc * plane);
  }
  return ISCP_OK;
}

/* ---- Backward_data ---- */

static iscp_status backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch_memory) {
  const isc_conv_shape *s = &conv->shape;
  int32_t k = (int32_t)depth_of(s), plane = s->oh * s->ow;
  int64_t image = (int64_t)s->ic * s->ih * s->iw;
  for (int32_t n = 0; n < s->n; n++) {
    const float *diff = diff_dst + (int64_t)n * s->oc * plane;
    float *out = diff_src + n * image;
    if (is_direct(s)) {
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, plane, s->oc, 1.0f, conv->weights, k, diff, plane, 0.0f, out,
                  plane);
      continue;
    }
    memset(out, 0, (size_t)image * sizeof *out);
    int32_t tile = tile_rows(s);
    for (int32_t first = 0; first < s->oh; first += tile) {
      int32_t rows = s->oh - first < tile ? s->oh - first : tile, columns = rows * s->ow;
      cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, columns, s->oc, 1.0f, conv->weights, k,
                  diff + (int64_t)first * s->ow, plane, 0.0f, scratch_memory, columns);
      col2im(out, scratch_memory, s, first, rows);
    }
  }
  return ISCP_OK;
}

/* ---- The table ---- */

static int32_t block(void) { return 1; }

static iscp_status governed_forward(isc_conv *conv, const float *src, float *dst, void *scratch_memory) {
  isc_blas_enter();
  iscp_status status = forward(conv, src, dst, scratch_memory);
  isc_blas_leave();
  return status;
}

static iscp_status governed_backward_data(isc_conv *conv, const float *diff_dst, float *diff_src, void *scratch_memory) {
  isc_blas_enter();
  iscp_status status = backward_data(conv, diff_dst, diff_src, scratch_memory);
  isc_blas_leave();
  return status;
}

static const char *implementation(const isc_conv *conv, bool backward) {
  if (is_direct(&conv->shape))
    return "sgemm";
  return backward ? "sgemm and col2im" : "im2col and sgemm";
}

const isc_backend isc_backend_blas = {
    .name = "blas",
    .block = block,
    .conv_create = create,
    .conv_destroy = destroy,
    .conv_scratch = scratch,
    .conv_memory = memory,
    .conv_implementation = implementation,
    .conv_forward = governed_forward,
    .conv_backward_data = governed_backward_data,
};
