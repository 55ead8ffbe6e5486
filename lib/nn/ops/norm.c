/* Batch norm with the statistics of the batch, ReLU and the residual sum with it. Of the M = N H W numbers of a channel:
 *
 *   forward:   mean = sum x / M     variance = sum (x - mean)^2 / M     y = max(a x + b [+ shortcut], 0)
 *              a = gamma / sqrt(variance + eps)     b = beta - mean a
 *   backward:  g = diff_y where y > 0, else 0       diff_beta += sum g     diff_gamma += sum g (x - mean) / sqrt(variance + eps)
 *              diff_x = a (g - sum g / M - (x - mean) / (variance + eps) sum g (x - mean) / M)
 *
 * Frozen, mean and variance are the running ones and constant: diff_x = a g.
 *
 * An image's plane of a block of channels, or the planes of several images where they are small, are one piece of work: its sums
 * are taken in float32 while a cache holds it, and those of all pieces are added up in double in their order, so that no result
 * depends on the threads. The variance is that of deviations from the piece's own mean, put together by Chan's formula: a large
 * mean costs no digits.
 *
 * Vectors are of 16 numbers whatever the block: number i of a plane belongs to channel i modulo block, so that a channel's
 * constants lie at every block-th lane. */
#include "nn/ops/norm.h"

#include <math.h>
#include <string.h>

#include "base/simd.h"

static const double MOMENTUM = 0.1; /* of the running statistics, PyTorch's default */

enum { LANES = ISC_NORM_LANES, PIECE = 512 /* numbers that a piece aims at */ };
typedef isc_f32x16_any floats; /* LANES of them */
typedef isc_i32x16_any words;

/* The planes' numbers and their channels' constants, lane by lane. */
typedef struct piece {
  int64_t count;       /* numbers of a plane */
  int64_t images, stride; /* planes, and numbers from one to the next */
  const float *x, *shortcut;
  float *y, *diff;     /* diff: of y, and g afterwards where it is kept */
  const float *other;  /* a second part of diff */
  float *diff_x;
  const float *mean, *a, *b, *slope, *offset; /* LANES each */
  bool relu, keep;
} piece;

typedef struct kernels {
  void (*sum)(float sums[LANES], const piece *p);
  void (*squares)(float sums[LANES], const piece *p);
  void (*apply)(const piece *p);
  void (*gradient)(float sums[2][LANES], const piece *p);
  void (*spread)(const piece *p);
  void (*frozen)(const piece *p);
} kernels;

/* 16 numbers at i; the last, fewer ones go through copies, padded with zeros. */
static inline __attribute__((always_inline)) void load(floats *value, const float *from, int64_t i, int64_t count) {
  if (i + LANES <= count) {
    *value = *(const floats *)(from + i);
    return;
  }
  *value = (floats){0};
  memcpy(value, from + i, (size_t)(count - i) * sizeof *from);
}

static inline __attribute__((always_inline)) void store(float *to, const floats *value, int64_t i, int64_t count) {
  if (i + LANES <= count)
    *(floats *)(to + i) = *value;
  else
    memcpy(to + i, value, (size_t)(count - i) * sizeof *to);
}

/* value = 0 where y is 0 or below; what is no number stays, so that the loss shows it. */
static inline __attribute__((always_inline)) void mask(floats *value, const floats *y) {
  *value = (floats)((words)*value & ~(words)(*y <= 0));
}

/* Beyond the end x is 0, and x - mean is made so. */
static inline __attribute__((always_inline)) void deviate(floats *x, const floats *mean, int64_t i, int64_t count) {
  *x -= *mean;
  for (int64_t j = count - i; j < LANES; j++)
    (*x)[j] = 0;
}

#define VECTOR(lanes) (*(const floats *)(lanes))
/* `at`: where the plane begins. */
#define PLANES for (int64_t n = 0, at = 0; n < p->images; n++, at += p->stride)
#define KERNELS(NAME, TARGET)                                                                                 \
  TARGET static void sum_##NAME(float sums[LANES], const piece *p) {                                          \
    floats all[4] = {{0}}, x;                                                                                 \
    PLANES {                                                                                                  \
      int64_t i = 0;                                                                                          \
      for (; i + 4 * LANES <= p->count; i += 4 * LANES)                                                       \
        _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) all[k] += VECTOR(p->x + at + i + k * LANES);      \
      for (; i < p->count; i += LANES) {                                                                      \
        load(&x, p->x + at, i, p->count);                                                                     \
        all[0] += x;                                                                                          \
      }                                                                                                       \
    }                                                                                                         \
    *(floats *)sums = (all[0] + all[1]) + (all[2] + all[3]);                                                  \
  }                                                                                                           \
  TARGET static void squares_##NAME(float sums[LANES], const piece *p) {                                      \
    floats all[4] = {{0}}, mean = VECTOR(p->mean), x;                                                         \
    PLANES {                                                                                                  \
      int64_t i = 0;                                                                                          \
      for (; i + 4 * LANES <= p->count; i += 4 * LANES)                                                       \
        _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) {                                                 \
          x = VECTOR(p->x + at + i + k * LANES) - mean;                                                       \
          all[k] += x * x;                                                                                    \
        }                                                                                                     \
      for (; i < p->count; i += LANES) {                                                                      \
        load(&x, p->x + at, i, p->count);                                                                     \
        deviate(&x, &mean, i, p->count);                                                                      \
        all[0] += x * x;                                                                                      \
      }                                                                                                       \
    }                                                                                                         \
    *(floats *)sums = (all[0] + all[1]) + (all[2] + all[3]);                                                  \
  }                                                                                                           \
  TARGET static void apply_##NAME(const piece *p) {                                                           \
    floats a = VECTOR(p->a), b = VECTOR(p->b), x, y;                                                          \
    PLANES for (int64_t i = 0; i < p->count; i += LANES) {                                                    \
      load(&x, p->x + at, i, p->count);                                                                       \
      y = a * x + b;                                                                                          \
      if (p->shortcut) {                                                                                      \
        load(&x, p->shortcut + at, i, p->count);                                                              \
        y += x;                                                                                               \
      }                                                                                                       \
      if (p->relu)                                                                                            \
        mask(&y, &y);                                                                                         \
      store(p->y + at, &y, i, p->count);                                                                      \
    }                                                                                                         \
  }                                                                                                           \
  TARGET static void gradient_##NAME(float sums[2][LANES], const piece *p) {                                  \
    floats all[2] = {{0}}, mean = VECTOR(p->mean), a = VECTOR(p->a), b = VECTOR(p->b), x, y, g;               \
    PLANES for (int64_t i = 0; i < p->count; i += LANES) {                                                    \
      load(&x, p->x + at, i, p->count);                                                                       \
      load(&g, p->diff + at, i, p->count);                                                                    \
      if (p->other) {                                                                                         \
        load(&y, p->other + at, i, p->count);                                                                 \
        g += y;                                                                                               \
      }                                                                                                       \
      y = a * x + b;                                                                                          \
      if (p->y)                                                                                               \
        load(&y, p->y + at, i, p->count);                                                                     \
      if (p->relu)                                                                                            \
        mask(&g, &y);                                                                                         \
      if (p->keep)                                                                                            \
        store(p->diff + at, &g, i, p->count);                                                                 \
      all[0] += g;                                                                                            \
      all[1] += g * (x - mean);                                                                               \
    }                                                                                                         \
    *(floats *)sums[0] = all[0];                                                                              \
    *(floats *)sums[1] = all[1];                                                                              \
  }                                                                                                           \
  TARGET static void spread_##NAME(const piece *p) {                                                          \
    floats a = VECTOR(p->a), b = VECTOR(p->b), slope = VECTOR(p->slope), offset = VECTOR(p->offset), x, y, g; \
    PLANES for (int64_t i = 0; i < p->count; i += LANES) {                                                    \
      load(&x, p->x + at, i, p->count);                                                                       \
      load(&g, p->diff + at, i, p->count);                                                                    \
      y = a * x + b;                                                                                          \
      if (p->relu && !p->keep)                                                                                \
        mask(&g, &y);                                                                                         \
      g = a * g + (slope * x + offset);                                                                       \
      store(p->diff_x + at, &g, i, p->count);                                                                 \
    }                                                                                                         \
  }                                                                                                           \
  TARGET static void frozen_##NAME(const piece *p) {                                                          \
    floats a = VECTOR(p->a), y, g;                                                                            \
    PLANES for (int64_t i = 0; i < p->count; i += LANES) {                                                    \
      load(&g, p->diff + at, i, p->count);                                                                    \
      if (p->other) {                                                                                         \
        load(&y, p->other + at, i, p->count);                                                                 \
        g += y;                                                                                               \
      }                                                                                                       \
      if (p->relu) {                                                                                          \
        load(&y, p->y + at, i, p->count);                                                                     \
        mask(&g, &y);                                                                                         \
      }                                                                                                       \
      if (p->keep)                                                                                            \
        store(p->diff + at, &g, i, p->count);                                                                 \
      g *= a;                                                                                                 \
      store(p->diff_x + at, &g, i, p->count);                                                                 \
    }                                                                                                         \
  }

#if defined(__x86_64__)
KERNELS(avx512, ISC_TARGET_AVX512F)
KERNELS(avx2, ISC_TARGET_AVX2)
#endif
KERNELS(plain, )

static kernels choose(void) {
#if defined(__x86_64__)
  if (isc_cpu_has(ISC_CPU_AVX512F))
    return (kernels){sum_avx512, squares_avx512, apply_avx512, gradient_avx512, spread_avx512, frozen_avx512};
  if (isc_cpu_has(ISC_CPU_AVX2))
    return (kernels){sum_avx2, squares_avx2, apply_avx2, gradient_avx2, spread_avx2, frozen_avx2};
#endif
  return (kernels){sum_plain, squares_plain, apply_plain, gradient_plain, spread_plain, frozen_plain};
}

/* ---- Pieces ---- */

/* Images of a piece; the last pieces may have fewer. */
static int64_t images_of(const isc_norm_shape *s) {
  int64_t images = PIECE / ((int64_t)s->hw * s->block);
  return images < 1 ? 1 : images < s->n ? images : s->n;
}

static int64_t parts(const isc_norm_shape *s) { return (s->n + images_of(s) - 1) / images_of(s); }

/* One for each part of the images and each block of channels, the blocks of a part together. */
static int64_t pieces(const isc_norm_shape *s) { return parts(s) * isc_blocks(s->c, s->block); }

size_t isc_norm_scratch(const isc_norm_shape *s) { return (size_t)pieces(s) * 2 * LANES * sizeof(float); }

int64_t isc_norm_lanes(int32_t channels, int32_t block) { return isc_blocks(channels, block) * LANES; }

/* Adds the lanes of one channel up: those that are `block` apart. */
static double fold(const float *lanes, int32_t lane, int32_t block) {
  double sum = 0;
  for (int32_t j = lane; j < LANES; j += block)
    sum += lanes[j];
  return sum;
}

/* Gives all lanes of channel c its constant. Channels that pad a block keep the zeros of their memory, and so stay zero. */
static void set_lanes(float *lanes, double value, const isc_norm_shape *s, int32_t c) {
  for (int32_t j = c % s->block; j < LANES; j += s->block)
    lanes[c / s->block * LANES + j] = (float)value;
}

static const float *lanes_of(const float *lanes, const isc_norm_shape *s, int64_t index) {
  return lanes + index % isc_blocks(s->c, s->block) * LANES;
}

static piece piece_of(const isc_norm_shape *s, int64_t index) {
  int64_t images = images_of(s), first = index / isc_blocks(s->c, s->block) * images, count = (int64_t)s->hw * s->block;
  return (piece){.count = count, .images = s->n - first < images ? s->n - first : images,
                 .stride = isc_blocks(s->c, s->block) * count};
}

/* Where the piece begins in an activation. */
static int64_t begin(const isc_norm_shape *s, int64_t index) {
  int64_t blocks = isc_blocks(s->c, s->block), image = index / blocks * images_of(s);
  return (image * blocks + index % blocks) * s->hw * s->block;
}

static const float *at(const float *numbers, int64_t begin) { return numbers ? numbers + begin : NULL; }

/* ---- Forward ---- */

/* sums[piece] = the means of its channels, lane by lane, and the sums of squares of deviations from them. */
static void measure(float (*sums)[2][LANES], const float *x, const isc_norm_shape *s) {
  kernels k = choose();
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < pieces(s); i++) {
    piece p = piece_of(s, i);
    float total[LANES];
    p.mean = sums[i][0];
    p.x = x + begin(s, i);
    k.sum(total, &p);
    for (int32_t j = 0; j < s->block; j++) {
      float mean = (float)(fold(total, j, s->block) / (double)(p.images * s->hw));
      for (int32_t lane = j; lane < LANES; lane += s->block)
        sums[i][0][lane] = mean;
    }
    k.squares(sums[i][1], &p);
  }
}

/* Chan's formula: M2 of both = M2 + M2' + (mean' - mean)^2 M M' / (M + M'). */
static void merge(double *mean, double *variance, float (*sums)[2][LANES], const isc_norm_shape *s, int32_t c) {
  double squares = 0, count = 0;
  int64_t blocks = isc_blocks(s->c, s->block);
  *mean = 0;
  for (int64_t i = c / s->block; i < pieces(s); i += blocks) {
    double apart = sums[i][0][c % s->block] - *mean, more = (double)piece_of(s, i).images * s->hw, share = more / (count + more);
    squares += fold(sums[i][1], c % s->block, s->block) + apart * apart * count * share;
    *mean += apart * share;
    count += more;
  }
  *variance = squares / count;
}

static void set_channel(const isc_norm *norm, float (*sums)[2][LANES], const isc_norm_shape *s, int32_t c) {
  double mean, variance, m = (double)s->n * s->hw;
  merge(&mean, &variance, sums, s, c);
  double a = norm->gamma[c] / sqrt(variance + ISC_NORM_EPS);
  set_lanes(norm->mean, mean, s, c);
  set_lanes(norm->a, a, s, c);
  set_lanes(norm->b, norm->beta[c] - mean * a, s, c);
  norm->deviation[c] = (float)sqrt(variance + ISC_NORM_EPS);
  norm->running_mean[c] = (float)((1 - MOMENTUM) * norm->running_mean[c] + MOMENTUM * mean);
  norm->running_variance[c] = (float)((1 - MOMENTUM) * norm->running_variance[c] + MOMENTUM * variance * m / (m - 1));
}

static void apply(float *y, const isc_norm *norm, const float *x, const float *shortcut, bool relu, const isc_norm_shape *s) {
  kernels k = choose();
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < pieces(s); i++) {
    piece p = piece_of(s, i);
    p.relu = relu;
    p.a = lanes_of(norm->a, s, i);
    p.b = lanes_of(norm->b, s, i);
    p.x = x + begin(s, i);
    p.shortcut = at(shortcut, begin(s, i));
    p.y = y + begin(s, i);
    k.apply(&p);
  }
}

void isc_norm_forward(float *y, const isc_norm *norm, const float *x, const float *shortcut, bool relu,
                      const isc_norm_shape *s, void *scratch) {
  float(*sums)[2][LANES] = scratch;
  measure(sums, x, s);
#pragma omp parallel for schedule(static)
  for (int32_t c = 0; c < s->c; c++)
    set_channel(norm, sums, s, c);
  apply(y, norm, x, shortcut, relu, s);
}

void isc_norm_frozen_forward(float *y, const isc_norm *norm, const float *x, const float *shortcut, bool relu,
                             const isc_norm_shape *s) {
  for (int32_t c = 0; c < s->c; c++) {
    double a = norm->gamma[c] / sqrt(norm->running_variance[c] + ISC_NORM_EPS);
    set_lanes(norm->a, a, s, c);
    set_lanes(norm->b, norm->beta[c] - norm->running_mean[c] * a, s, c);
  }
  apply(y, norm, x, shortcut, relu, s);
}

/* ---- Backward ---- */

/* From the sums of g and g (x - mean): diff_gamma, diff_beta, and diff_x = a g + slope x + offset. */
static void set_gradient(const isc_norm *norm, float (*sums)[2][LANES], const isc_norm_shape *s, int32_t c) {
  double total = 0, along = 0, m = (double)s->n * s->hw, deviation = norm->deviation[c];
  int64_t blocks = isc_blocks(s->c, s->block), first = c / s->block * (int64_t)LANES + c % s->block;
  for (int64_t i = c / s->block; i < pieces(s); i += blocks) {
    total += fold(sums[i][0], c % s->block, s->block);
    along += fold(sums[i][1], c % s->block, s->block);
  }
  double a = norm->a[first], slope = -a * along / (deviation * deviation * m);
  norm->diff_beta[c] += (float)total;
  norm->diff_gamma[c] += (float)(along / deviation);
  set_lanes(norm->slope, slope, s, c);
  set_lanes(norm->offset, -a * total / m - slope * norm->mean[first], s, c);
}

static piece backward_piece(const isc_norm *norm, const isc_norm_gradient *g, const isc_norm_shape *s, int64_t i) {
  piece p = piece_of(s, i);
  int64_t first = begin(s, i);
  p.relu = g->relu;
  p.keep = g->keep;
  p.mean = lanes_of(norm->mean, s, i);
  p.a = lanes_of(norm->a, s, i);
  p.b = lanes_of(norm->b, s, i);
  p.slope = lanes_of(norm->slope, s, i);
  p.offset = lanes_of(norm->offset, s, i);
  p.x = at(g->x, first);
  p.y = (float *)at(g->y, first);
  p.diff = g->diff + first;
  p.other = at(g->other, first);
  p.diff_x = g->diff_x + first;
  return p;
}

void isc_norm_backward(const isc_norm *norm, const isc_norm_gradient *g, const isc_norm_shape *s, void *scratch) {
  kernels k = choose();
  float(*sums)[2][LANES] = scratch;
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < pieces(s); i++) {
    piece p = backward_piece(norm, g, s, i);
    k.gradient(sums[i], &p);
  }
#pragma omp parallel for schedule(static)
  for (int32_t c = 0; c < s->c; c++)
    set_gradient(norm, sums, s, c);
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < pieces(s); i++) {
    piece p = backward_piece(norm, g, s, i);
    k.spread(&p);
  }
}

void isc_norm_frozen_backward(const isc_norm *norm, const isc_norm_gradient *g, const isc_norm_shape *s) {
  kernels k = choose();
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < pieces(s); i++) {
    piece p = backward_piece(norm, g, s, i);
    k.frozen(&p);
  }
}
