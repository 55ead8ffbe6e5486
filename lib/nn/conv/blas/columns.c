/* What surrounds a product: src -> columns before it, a tile -> dst after it.
 *
 * Where the grid is as large as src, a row of columns is the channel itself, shifted: one copy, and then zeros where the
 * shift crossed an edge. Images of 7 x 7 would otherwise be copied 7 numbers at a time. */
#include <string.h>

#include "nn/conv/blas/product.h"

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

/* A run of places: a row of the grid, or what a tile holds of it. */
typedef struct run {
  int32_t y, x, length, left;
} run;

static run first_run(const isc_product *p, int32_t first, int32_t count) {
  int32_t x = first % p->columns;
  return (run){first / p->columns, x, least(p->columns - x, count), count};
}

static void next_run(run *at, const isc_product *p) {
  at->left -= at->length;
  at->length = least(p->columns, at->left);
  at->x = 0;
  at->y++;
}

/* ---- Columns ---- */

/* Short runs, for which a call of memset costs more than it does. */
static void clear(float *dst, int32_t low, int32_t high) {
  for (int32_t k = low; k < high; k++)
    dst[k] = 0;
}

/* dst[k] = row[start + step * k], 0 where that is not in [0, w). */
static void copy_steps(float *dst, const float *row, int32_t start, int32_t step, int32_t w, int32_t count) {
  int32_t low = start < 0 ? least((-start + step - 1) / step, count) : 0;
  int32_t high = start < w ? least((w - start + step - 1) / step, count) : low;
  high = high < low ? low : high;
  clear(dst, 0, low);
  if (step == 1 && high > low)
    memcpy(dst + low, row + start + low, (size_t)(high - low) * sizeof *dst);
  else if (step == 2)
#pragma omp simd
    for (int32_t k = low; k < high; k++)
      dst[k] = row[start + 2 * k];
  else
    for (int32_t k = low; k < high; k++)
      dst[k] = row[start + step * k];
  clear(dst, high, count);
}

static void step_row(float *dst, const float *plane, const isc_product *p, int32_t i, int32_t j, int32_t first,
                     int32_t count) {
  for (run at = first_run(p, first, count); at.left > 0; next_run(&at, p)) {
    int32_t h = at.y * p->step + p->first_h + i;
    if (h < 0 || h >= p->src_h)
      clear(dst, 0, at.length);
    else
      copy_steps(dst, plane + (int64_t)h * p->src_w, at.x * p->step + p->first_w + j, p->step, p->src_w, at.length);
    dst += at.length;
  }
}

static bool is_shift(const isc_product *p) {
  return p->step == 1 && p->rows == p->src_h && p->columns == p->src_w;
}

/* Which of `size` places cross an edge when they move by `shift`: the first ones or the last ones. */
static void crossing(int32_t size, int32_t shift, int32_t *low, int32_t *high) {
  *low = shift < 0 ? 0 : size - least(shift, size);
  *high = shift < 0 ? least(-shift, size) : size;
}

/* dst[k] = plane[place + down * W + right] with place = first + k; then zeros where y + down or x + right is outside, which
 * is also where the sum is outside the plane. */
static void shift_row(float *dst, const float *plane, const isc_product *p, int32_t i, int32_t j, int32_t first,
                      int32_t count) {
  int32_t down = p->first_h + i, right = p->first_w + j, places = isc_product_places(p), low, high;
  int32_t from = first + down * p->columns + right;
  int32_t skip = from < 0 ? -from : 0, stop = least(count, places - from);
  if (skip < stop)
    memcpy(dst + skip, plane + from + skip, (size_t)(stop - skip) * sizeof *dst);
  crossing(p->rows, down, &low, &high);
  low = low * p->columns - first;
  high = high * p->columns - first;
  clear(dst, low < 0 ? 0 : low, least(high, count));
  crossing(p->columns, right, &low, &high);
  if (low < high)
    for (int32_t row = first / p->columns * p->columns - first; row < count; row += p->columns)
      clear(dst, row + low < 0 ? 0 : row + low, least(row + high, count));
}

void isc_columns_make(float *col, const float *src, const isc_product *p, int32_t first, int32_t count, int32_t low,
                      int32_t high) {
  bool shift = is_shift(p);
  int64_t plane = (int64_t)p->src_h * p->src_w;
  col += (int64_t)low * p->taps_h * p->taps_w * count;
  for (int32_t c = low; c < high; c++)
    for (int32_t i = 0; i < p->taps_h; i++)
      for (int32_t j = 0; j < p->taps_w; j++, col += count)
        (shift ? shift_row : step_row)(col, src + c * plane, p, i, j, first, count);
}

/* ---- Spreading ---- */

void isc_columns_spread(float *dst, const float *tile, const isc_product *p, int32_t first, int32_t count, int32_t low,
                        int32_t high) {
  for (int32_t m = low; m < high; m++) {
    const float *src = tile + (int64_t)m * count;
    for (run at = first_run(p, first, count); at.left > 0; next_run(&at, p)) {
      int64_t row = (int64_t)m * p->dst_h + at.y * p->spread + p->at_h;
      float *to = dst + row * p->dst_w + at.x * p->spread + p->at_w;
      for (int32_t k = 0; k < at.length; k++)
        to[k * p->spread] = src[k];
      src += at.length;
    }
  }
}
