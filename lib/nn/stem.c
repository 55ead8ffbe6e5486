/* backward_data of the first convolution, whose src has 1 or 3 channels: the one shape that oneDNN 2.6 leaves to its reference
 * code or to a slow gemm.
 *
 *   diff_src[ic][ih][iw] = sum over oc, kh, kw of weights[oc][ic][kh][kw] * diff_dst[oc][oh][ow],
 *   oh = (ih + pad - kh) / stride, ow = (iw + pad - kw) / stride where these are whole and inside
 *
 * With stride 2, the places iw of one parity meet the kernel columns kw of one parity, and then neighbours in iw are neighbours
 * in ow: iw = 2 j + q, ow = j + shift. So each parity is a stride-1 correlation, vectorised over j: 16 places at a time, all
 * channels in registers, weights broadcast. A band of rows of diff_dst is first brought from the blocked layout to rows
 * with zeros on both sides, so that no tap needs a test. */
#include "nn/stem.h"

#include <string.h>

enum { LANES = 16, MARGIN = 16, BAND = 8 }; /* places a vector, zeros beside a row, rows of diff_src a thread takes */

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef float loose_lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

static int32_t round_up(int32_t value, int32_t to) { return (value + to - 1) / to * to; }
static int32_t row_numbers(const isc_conv_shape *s) { return MARGIN + round_up(s->ow, 4 * LANES) + 4 * LANES + MARGIN; }

/* Rows of diff_dst that a band of diff_src rows can touch. */
static int32_t band_rows(const isc_conv_shape *s) { return (BAND + s->k - 2) / s->stride + 2; }

size_t isc_stem_scratch(const isc_conv_shape *shape, int32_t threads) {
  return (size_t)threads * (size_t)band_rows(shape) * (size_t)shape->oc * (size_t)row_numbers(shape) * sizeof(float);
}

/* Arranges weights OC x IC x K x K as [kh][parity of kw's][oc][kw of that parity][ic], the order in which they are used. */
void isc_stem_pack(float *packed, const float *weights, const isc_conv_shape *s) {
  for (int32_t kh = 0; kh < s->k; kh++)
    for (int32_t first = 0; first < s->stride; first++)
      for (int32_t oc = 0; oc < s->oc; oc++)
        for (int32_t kw = first; kw < s->k; kw += s->stride)
          for (int32_t ic = 0; ic < s->ic; ic++)
            *packed++ = weights[((oc * s->ic + ic) * s->k + kh) * s->k + kw];
}

/* One row oh of diff_dst, blocked -> rows[oc][MARGIN + ow]; zeros where oh is outside. */
static void unblock_row(float *rows, const float *diff_dst, const isc_conv_shape *s, int32_t oh, int32_t block) {
  int32_t length = row_numbers(s);
  if (oh < 0 || oh >= s->oh) {
    memset(rows, 0, (size_t)s->oc * (size_t)length * sizeof *rows);
    return;
  }
  for (int32_t oc = 0; oc < s->oc; oc++) {
    const float *src = diff_dst + ((int64_t)(oc / block) * s->oh + oh) * s->ow * block + oc % block;
    float *row = rows + (int64_t)oc * length;
    memset(row, 0, MARGIN * sizeof *row);
    for (int32_t w = 0; w < s->ow; w++)
      row[MARGIN + w] = src[(int64_t)w * block];
    memset(row + MARGIN + s->ow, 0, (size_t)(length - MARGIN - s->ow) * sizeof *row);
  }
}

/* What one kernel row adds to `width` vectors of one diff_src row of one parity. */
typedef struct taps {
  const float *weights; /* [oc][kw][ic] */
  const float *rows;    /* first oc's row of diff_dst, at the place that j = 0, first kw meets */
  int32_t oc, count, length;
} taps;

/* sum[ic][v] += over oc, kw; later kw meet earlier ow. */
#define ADD_TAPS(IC, V)                                                             \
  for (int32_t o = 0; o < t->oc; o++) {                                             \
    const float *row = t->rows + (int64_t)o * t->length + at;                       \
    for (int32_t k = 0; k < t->count; k++, w += IC) {                               \
      for (int v = 0; v < V; v++) {                                                 \
        lanes x = *(const loose_lanes *)(row - k + v * LANES);                      \
        for (int c = 0; c < IC; c++)                                                \
          sum[c][v] += w[c] * x;                                                    \
      }                                                                             \
    }                                                                               \
  }

#define KERNEL(NAME, TARGET, IC)                                                                        \
  TARGET static void NAME(float *dst, int32_t dst_stride, const taps *all, int32_t rows, int32_t at) { \
    enum { V = 4 };                                                                                     \
    lanes sum[IC][V];                                                                                   \
    memset(sum, 0, sizeof sum);                                                                         \
    for (int32_t r = 0; r < rows; r++) {                                                                \
      const taps *t = &all[r];                                                                          \
      const float *w = t->weights;                                                                      \
      ADD_TAPS(IC, V)                                                                                   \
    }                                                                                                   \
    for (int c = 0; c < IC; c++)                                                                        \
      memcpy(dst + c * dst_stride, sum[c], sizeof sum[c]);                                              \
  }

#if defined(__x86_64__)
KERNEL(kernel3_avx512, __attribute__((target("avx512f"))), 3)
KERNEL(kernel1_avx512, __attribute__((target("avx512f"))), 1)
KERNEL(kernel3_avx2, __attribute__((target("avx2,fma"))), 3)
KERNEL(kernel1_avx2, __attribute__((target("avx2,fma"))), 1)
#endif
KERNEL(kernel3_plain, , 3)
KERNEL(kernel1_plain, , 1)

typedef void kernel_fn(float *dst, int32_t dst_stride, const taps *all, int32_t rows, int32_t at);

static kernel_fn *choose(int32_t channels) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return channels == 3 ? kernel3_avx512 : kernel1_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return channels == 3 ? kernel3_avx2 : kernel1_avx2;
#endif
  return channels == 3 ? kernel3_plain : kernel1_plain;
}

/* The places iw = stride * j + q of row ih, for all j. */
static void row_of_parity(float *diff_src, const float *packed, const float *rows, const isc_conv_shape *s, int32_t ih,
                          int32_t q, int32_t first_oh, kernel_fn *kernel) {
  enum { WIDE = 4 * LANES };
  taps all[8];
  int32_t used = 0, length = row_numbers(s), first_kw = (q + s->pad) % s->stride;
  int32_t shift = (q + s->pad - first_kw) / s->stride; /* ow that j = 0 meets with the first kw */
  int32_t count = (s->k - first_kw + s->stride - 1) / s->stride;
  for (int32_t kh = (ih + s->pad) % s->stride; kh < s->k; kh += s->stride) {
    int32_t oh = (ih + s->pad - kh) / s->stride;
    int64_t before = (int64_t)kh * s->k + (first_kw ? (s->k + s->stride - 1) / s->stride : 0);
    if (oh < 0 || oh >= s->oh || ih + s->pad < kh)
      continue;
    all[used++] = (taps){packed + before * s->oc * s->ic,
                         rows + (int64_t)(oh - first_oh) * s->oc * length + MARGIN + shift, s->oc, count, length};
  }
  int32_t places = (s->iw - q + s->stride - 1) / s->stride;
  float part[3 * WIDE];
  for (int32_t at = 0; at < places; at += WIDE) {
    kernel(part, WIDE, all, used, at);
    int32_t n = places - at < WIDE ? places - at : WIDE;
    for (int32_t c = 0; c < s->ic; c++) {
      float *dst = diff_src + ((int64_t)c * s->ih + ih) * s->iw + q;
      for (int32_t j = 0; j < n; j++)
        dst[(int64_t)(at + j) * s->stride] = part[c * WIDE + j];
    }
  }
}

/* Rows ih of [first, last) of one image. */
static void band(float *diff_src, const float *packed, const float *diff_dst, float *rows, const isc_conv_shape *s,
                 int32_t first, int32_t last, int32_t block, kernel_fn *kernel) {
  int32_t length = row_numbers(s);
  int32_t low = first + s->pad - s->k + 1, first_oh = low <= 0 ? 0 : low / s->stride;
  int32_t last_oh = (last - 1 + s->pad) / s->stride;
  for (int32_t oh = first_oh; oh <= last_oh; oh++)
    unblock_row(rows + (int64_t)(oh - first_oh) * s->oc * length, diff_dst, s, oh, block);
  for (int32_t ih = first; ih < last; ih++)
    for (int32_t q = 0; q < s->stride; q++)
      row_of_parity(diff_src, packed, rows, s, ih, q, first_oh, kernel);
}

void isc_stem_backward_data(float *diff_src, const float *packed, const float *diff_dst, const isc_conv_shape *s,
                            int32_t block, void *scratch, int32_t threads) {
  kernel_fn *kernel = choose(s->ic);
  int32_t bands = (s->ih + BAND - 1) / BAND;
  int64_t src_image = (int64_t)s->ic * s->ih * s->iw, dst_image = isc_activation_count(1, s->oc, s->oh, s->ow, block);
  int64_t own = (int64_t)band_rows(s) * s->oc * row_numbers(s), work = (int64_t)s->n * bands;
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int32_t t = 0; t < threads; t++)
    for (int64_t i = work * t / threads; i < work * (t + 1) / threads; i++) {
      int64_t n = i / bands;
      int32_t first = (int32_t)(i % bands) * BAND, last = first + BAND < s->ih ? first + BAND : s->ih;
      band(diff_src + n * src_image, packed, diff_dst + n * dst_image, (float *)scratch + t * own, s, first, last, block,
           kernel);
    }
}
