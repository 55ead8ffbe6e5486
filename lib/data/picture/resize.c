/* Resizing of 8-bit pictures, byte for byte as Pillow does it with its antialiased filters.
 *
 * Each axis is a weighted sum over `count` source pixels from `first` on, in fixed point:
 *   scale = in / out,  f = max(scale, 1),  centre = (x + 0.5) scale
 *   w_i = filter((first + i - centre + 0.5) / f) / sum of them,  k_i = round(w_i 2^22)
 *   dst = clip((2^21 + sum k_i src_i) >> 22, 0, 255)
 * Rows are summed along the width first, rounded to bytes, and those bytes along the height. Every byte depends on its own
 * window only, so that what a crop throws away need not be computed. */
#include "data/picture/resize.h"

#include <math.h>
#include <string.h>

enum {
  BITS = 22,
  HALF = 1 << (BITS - 1),
  BLOCK = 128, /* bytes of a row that are summed together: a constant, so that compilers make vectors of them */
  SLACK = 4    /* bytes that may be read beyond a row */
};

/* ---- Weights ---- */

static double triangle(double x) {
  x = fabs(x);
  return x < 1 ? 1 - x : 0;
}

/* Keys' cubic with a = -1/2, each piece in the order of operations that gives Pillow's last bit. */
static double cubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/* The outputs start .. start + count - 1 of an axis. */
typedef struct axis {
  int64_t outputs, stride; /* stride: weights an output has room for */
  int64_t *first;
  int32_t *count, *weights;
} axis;

static void release(axis *a, const iscp_context *context) {
  isc_free(context, a->first);
  isc_free(context, a->count);
  isc_free(context, a->weights);
}

static int32_t fixed(double weight) {
  double scaled = weight * (1 << BITS);
  return (int32_t)(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

typedef struct window {
  double centre, support, shrink; /* shrink: pixels of the source that one step of the filter spans */
  double (*filter)(double x);
} window;

/* The weights of output i. `exact` has room for them. */
static void weigh(axis *a, int64_t i, const window *w, int64_t in, double *exact) {
  int64_t first = (int64_t)(w->centre - w->support + 0.5), last = (int64_t)(w->centre + w->support + 0.5);
  first = first < 0 ? 0 : first;
  last = last > in ? in : last;
  double sum = 0, step = 1 / w->shrink;
  for (int64_t x = 0; x < last - first; x++) {
    exact[x] = w->filter(((double)(x + first) - w->centre + 0.5) * step);
    sum += exact[x];
  }
  for (int64_t x = 0; x < last - first; x++)
    a->weights[i * a->stride + x] = fixed(sum != 0 ? exact[x] / sum : exact[x]);
  a->first[i] = first;
  a->count[i] = (int32_t)(last - first);
}

static iscp_status prepare(axis *a, const iscp_context *context, int64_t in, int64_t out, int64_t start,
                           int64_t outputs, int32_t filter) {
  bool bicubic = filter == ISCP_FILTER_BICUBIC;
  double scale = (double)(float)in / (double)out, shrink = scale < 1 ? 1 : scale; /* Pillow's box holds floats */
  window w = {.support = (bicubic ? 2 : 1) * shrink, .shrink = shrink, .filter = bicubic ? cubic : triangle};
  int64_t room = (int64_t)ceil(w.support) * 2 + 1;
  *a = (axis){.outputs = outputs, .stride = room < in ? room : in};
  a->first = isc_calloc(context, (size_t)outputs, sizeof *a->first);
  a->count = isc_calloc(context, (size_t)outputs, sizeof *a->count);
  a->weights = isc_calloc(context, (size_t)(outputs * a->stride), sizeof *a->weights);
  double *exact = isc_calloc(context, (size_t)a->stride, sizeof *exact);
  if (!a->first || !a->count || !a->weights || !exact) {
    isc_free(context, exact);
    return ISCP_ERROR_MEMORY;
  }
  for (int64_t i = 0; i < outputs; i++) {
    w.centre = ((double)(start + i) + 0.5) * scale;
    weigh(a, i, &w, in, exact);
  }
  isc_free(context, exact);
  return ISCP_OK;
}

/* ---- Sums ---- */

typedef int32_t sums4 __attribute__((vector_size(16)));
typedef uint8_t bytes4 __attribute__((vector_size(4)));

#define INLINE static inline __attribute__((always_inline))

INLINE uint8_t clip(int32_t sum) {
  sum >>= BITS;
  return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* The same of four. A comparison of vectors is -1 where it holds. */
INLINE bytes4 clip4(sums4 sum) {
  sum >>= BITS;
  sum &= sum > 0;
  sum |= sum > 255;
  return __builtin_convertvector(sum & 255, bytes4);
}

static int64_t whole_blocks(int64_t length) { return (length + BLOCK - 1) / BLOCK * BLOCK; }

/* One row: dst has a->outputs pixels. The three channels of a pixel, and a byte beyond, are one vector. */
INLINE void sum_row3(uint8_t *dst, const uint8_t *src, const axis *a) {
  for (int64_t x = 0; x < a->outputs; x++) {
    const int32_t *k = a->weights + x * a->stride;
    const uint8_t *from = src + a->first[x] * 3;
    sums4 sum = {HALF, HALF, HALF, HALF};
    for (int32_t i = 0; i < a->count[x]; i++) {
      bytes4 pixel;
      memcpy(&pixel, from + i * 3, sizeof pixel);
      sum += k[i] * __builtin_convertvector(pixel, sums4);
    }
    bytes4 pixel = clip4(sum);
    memcpy(dst + x * 3, &pixel, 3);
  }
}

static void sum_row1(uint8_t *dst, const uint8_t *src, const axis *a) {
  for (int64_t x = 0; x < a->outputs; x++) {
    const int32_t *k = a->weights + x * a->stride;
    const uint8_t *from = src + a->first[x];
    int32_t sum = HALF;
    for (int32_t i = 0; i < a->count[x]; i++)
      sum += k[i] * from[i];
    dst[x] = clip(sum);
  }
}

/* `count` rows of `length` bytes, the i-th at ring slot (first + i) % slots -> one. Slots have whole blocks. */
INLINE void sum_rows(uint8_t *dst, const uint8_t *ring, int64_t slots, int64_t first, const int32_t *k, int32_t count,
                     int64_t length) {
  for (int64_t start = 0; start < length; start += BLOCK) {
    int32_t sum[BLOCK];
    uint8_t block[BLOCK];
    for (int x = 0; x < BLOCK; x++)
      sum[x] = HALF;
    for (int32_t i = 0; i < count; i++) {
      const uint8_t *row = ring + (first + i) % slots * whole_blocks(length) + start;
      for (int x = 0; x < BLOCK; x++)
        sum[x] += k[i] * row[x];
    }
    for (int x = 0; x < BLOCK; x++)
      block[x] = clip(sum[x]);
    memcpy(dst + start, block, (size_t)(length - start < BLOCK ? length - start : BLOCK));
  }
}

typedef struct kernels {
  void (*row3)(uint8_t *dst, const uint8_t *src, const axis *a);
  void (*rows)(uint8_t *dst, const uint8_t *ring, int64_t slots, int64_t first, const int32_t *k, int32_t count,
               int64_t length);
} kernels;

/* The same loops for two kinds of CPU: whole numbers, so that both give the same bytes. */
#define KERNELS(name, attribute)                                                                                      \
  attribute static void row3_##name(uint8_t *dst, const uint8_t *src, const axis *a) { sum_row3(dst, src, a); }       \
  attribute static void rows_##name(uint8_t *dst, const uint8_t *ring, int64_t slots, int64_t first, const int32_t *k, \
                                    int32_t count, int64_t length) {                                                  \
    sum_rows(dst, ring, slots, first, k, count, length);                                                              \
  }

KERNELS(plain, )
#ifdef __x86_64__
KERNELS(avx2, __attribute__((target("avx2"))))
#endif

static kernels choose(void) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2"))
    return (kernels){row3_avx2, rows_avx2};
#endif
  return (kernels){row3_plain, rows_plain};
}

/* ---- A picture ---- */

/* Row y, its channels side by side. */
static void fetch(uint8_t *row, const isc_picture *src, int64_t y) {
  const uint8_t *from = (const uint8_t *)src->values + y * src->row_stride;
  int64_t channels = src->channels;
  if (src->column_stride == channels && (src->channel_stride == 1 || channels == 1)) {
    memcpy(row, from, (size_t)(src->width * channels));
    return;
  }
  for (int64_t x = 0; x < src->width; x++)
    for (int64_t c = 0; c < channels; c++)
      row[x * channels + c] = from[x * src->column_stride + c * src->channel_stride];
}

typedef struct work {
  const isc_picture *src;
  axis across, down;
  kernels run;
  uint8_t *row;  /* one of the source */
  uint8_t *ring; /* as many rows, summed along the width, as an output row needs */
  int64_t slots;
} work;

/* Output rows in order: each needs source rows that the ring has still or that follow. */
static void run(uint8_t *dst, work *w) {
  int64_t length = w->across.outputs * w->src->channels, slot = whole_blocks(length), next = w->down.first[0];
  for (int64_t y = 0; y < w->down.outputs; y++) {
    int64_t first = w->down.first[y];
    int32_t count = w->down.count[y];
    for (next = next < first ? first : next; next < first + count; next++) {
      fetch(w->row, w->src, next);
      (w->src->channels == 3 ? w->run.row3 : sum_row1)(w->ring + next % w->slots * slot, w->row, &w->across);
    }
    w->run.rows(dst + y * length, w->ring, w->slots, first, w->down.weights + y * w->down.stride, count, length);
  }
}

iscp_status isc_resize(uint8_t *dst, const iscp_context *context, const isc_picture *src, const isc_resize_form *form) {
  work w = {.src = src, .run = choose()};
  iscp_status status;
  ISC_TRY_OR_DONE(prepare(&w.across, context, src->width, form->width, form->left, form->columns, form->filter));
  ISC_TRY_OR_DONE(prepare(&w.down, context, src->height, form->height, form->top, form->rows, form->filter));
  w.slots = w.down.stride;
  w.row = isc_calloc(context, (size_t)(src->width * src->channels) + SLACK, 1);
  w.ring = isc_calloc(context, (size_t)(w.slots * whole_blocks(form->columns * src->channels)), 1);
  status = w.row && w.ring ? ISCP_OK : ISCP_ERROR_MEMORY;
  if (status == ISCP_OK)
    run(dst, &w);
done:
  isc_free(context, w.row);
  isc_free(context, w.ring);
  release(&w.across, context);
  release(&w.down, context);
  return status;
}
