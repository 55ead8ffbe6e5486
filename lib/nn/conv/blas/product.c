/* A product in tiles of an image's places. A thread makes the columns of a tile in scratch of its own, multiplies them by
 * OpenBLAS, which runs on one thread inside a parallel region, and finishes the tile while its cache still holds it.
 *
 *   tile of dst (m x width) = weights (m x depth) * columns (depth x width)
 *
 * Scratch: at most max(TILE, NARROW * (depth + m)) numbers a thread, whatever the batch and the size of the images.
 *
 * No tile spans two images, and all images have the same tiles: OpenBLAS rounds a column by where it stands in a call, so
 * that only calls of the same shape give an image the same bytes wherever it stands in a batch. */
#include <cblas.h>
#include <string.h>

#include "nn/conv/blas/product.h"

enum {
  TILE = 1 << 18, /* numbers of columns and dst that a tile aims at: a second-level cache */
  NARROW = 96,    /* places below which packing the weights for each tile costs too much */
  GRAIN = 16      /* numbers of a cache line, and the step of OpenBLAS's widest kernels */
};

static int64_t divide_up(int64_t value, int64_t by) { return (value + by - 1) / by; }
static int64_t round_up(int64_t value) { return divide_up(value, GRAIN) * GRAIN; }

/* ---- Plan ---- */

/* Do the threads have at least four fifths of their time to do, when each takes whole tiles? */
static bool is_balanced(int64_t tiles, int32_t threads) { return 5 * tiles >= 4 * threads * divide_up(tiles, threads); }

void isc_product_plan(isc_product *p, int32_t threads) {
  int64_t places = isc_product_places(p), widest = TILE / (isc_product_depth(p) + p->m) / GRAIN * GRAIN;
  widest = widest < NARROW ? NARROW : widest;
  p->threads = threads;
  p->own_columns = p->step != 1 || p->taps_h != 1 || p->taps_w != 1 || p->first_h || p->first_w || p->rows != p->src_h ||
                   p->columns != p->src_w;
  p->own_dst = p->spread != 1;
  int64_t tiles = divide_up(places, widest);
  while (!is_balanced(p->n * tiles, threads) && places >= (tiles + 1) * NARROW)
    tiles++;
  p->width = tiles > 1 ? (int32_t)round_up(divide_up(places, tiles)) : (int32_t)places;
  p->tiles = places ? (int32_t)divide_up(places, p->width) : 0;
  p->shared = !is_balanced((int64_t)p->n * p->tiles, threads);
}

/* Scratch of a tile: | columns | tile of dst | */
static int64_t column_numbers(const isc_product *p) {
  return p->own_columns ? round_up((int64_t)isc_product_depth(p) * p->width) : 0;
}
static int64_t tile_numbers(const isc_product *p) {
  return column_numbers(p) + (p->own_dst ? round_up((int64_t)p->m * p->width) : 0);
}

size_t isc_product_scratch(const isc_product *p) {
  return (size_t)(tile_numbers(p) * (p->shared ? 1 : p->threads)) * sizeof(float);
}

/* ---- Running ---- */

static void add_bias(float *row, float bias, bool relu, int32_t count) {
  if (relu)
#pragma omp simd
    for (int32_t i = 0; i < count; i++)
      row[i] = row[i] + bias > 0 ? row[i] + bias : 0;
  else
#pragma omp simd
    for (int32_t i = 0; i < count; i++)
      row[i] += bias;
}

/* One tile of one image. */
typedef struct tile {
  const isc_product *p;
  const isc_finish *finish;
  const float *src;
  float *dst, *scratch;
  int32_t first, count;
} tile;

static tile tile_of(const isc_product *p, const isc_finish *finish, const float *src, float *dst, float *scratch,
                    int64_t index) {
  int64_t n = index / p->tiles;
  int32_t first = (int32_t)(index % p->tiles) * p->width, left = isc_product_places(p) - first;
  return (tile){.p = p,
                .finish = finish,
                .src = src + n * p->c * p->src_h * p->src_w,
                .dst = dst + n * p->m * p->dst_h * p->dst_w,
                .scratch = scratch,
                .first = first,
                .count = left < p->width ? left : p->width};
}

/* Channels [low, high) of the columns. */
static void make_columns(const tile *t, int32_t low, int32_t high) {
  if (t->p->own_columns)
    isc_columns_make(t->scratch, t->src, t->p, t->first, t->count, low, high);
}

/* Rows [low, high) of the product. */
static void multiply(const tile *t, int32_t low, int32_t high) {
  const isc_product *p = t->p;
  int32_t depth = isc_product_depth(p), places = isc_product_places(p), rows = high - low;
  const float *weights = p->weights + (int64_t)low * depth, *columns = p->own_columns ? t->scratch : t->src + t->first;
  float *own = t->scratch + column_numbers(p), *dst = t->dst + (int64_t)low * places + t->first;
  int32_t apart = places; /* numbers between rows of dst */
  if (p->own_dst) {
    dst = own + (int64_t)low * t->count;
    apart = t->count;
  }
  if (depth && rows)
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, t->count, depth, 1, weights, depth, columns,
                p->own_columns ? t->count : places, t->finish->sum ? 1 : 0, dst, apart);
  else /* a phase of backward that no tap meets */
    memset(dst, 0, (size_t)rows * (size_t)t->count * sizeof *dst);
  if (t->finish->bias)
    for (int32_t r = 0; r < rows; r++)
      add_bias(dst + (int64_t)r * apart, t->finish->bias[low + r], t->finish->relu, t->count);
  if (p->own_dst)
    isc_columns_spread(t->dst, own, p, t->first, t->count, low, high);
}

static void run_tiles(const isc_product *p, const float *src, float *dst, const isc_finish *finish, float *scratch) {
  int64_t tiles = (int64_t)p->n * p->tiles, own = tile_numbers(p);
#pragma omp parallel for schedule(static) num_threads(p->threads)
  for (int32_t thread = 0; thread < p->threads; thread++)
    for (int64_t i = tiles * thread / p->threads; i < tiles * (thread + 1) / p->threads; i++) {
      tile t = tile_of(p, finish, src, dst, scratch + thread * own, i);
      make_columns(&t, 0, p->c);
      multiply(&t, 0, p->m);
    }
}

/* Each tile by all threads: first each makes some channels of the columns, then each multiplies some rows of the weights. */
static void run_shared(const isc_product *p, const float *src, float *dst, const isc_finish *finish, float *scratch) {
  int64_t threads = p->threads;
#pragma omp parallel num_threads(p->threads)
  for (int64_t i = 0; i < (int64_t)p->n * p->tiles; i++) {
    tile t = tile_of(p, finish, src, dst, scratch, i);
#pragma omp for schedule(static)
    for (int32_t share = 0; share < p->threads; share++)
      make_columns(&t, (int32_t)(p->c * share / threads), (int32_t)(p->c * (share + 1) / threads));
#pragma omp for schedule(static)
    for (int32_t share = 0; share < p->threads; share++)
      multiply(&t, (int32_t)(p->m * share / threads), (int32_t)(p->m * (share + 1) / threads));
  }
}

void isc_product_run(const isc_product *p, const float *src, float *dst, const isc_finish *finish, void *scratch) {
  (p->shared ? run_shared : run_tiles)(p, src, dst, finish, scratch);
}
