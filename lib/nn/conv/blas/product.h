/* A convolution, or one part of one, as a product of matrices for each image of a batch.
 *
 *   dst[m][place] = sum over c, i, j of weights[m][c][i][j] * src[c][step * y + first_h + i][step * x + first_w + j]
 *
 * with 0 outside src. A place (y, x) is one of rows x columns of a grid; in dst it lies at spread * y + at_h,
 * spread * x + at_w. */
#ifndef ISC_NN_BLAS_PRODUCT_H
#define ISC_NN_BLAS_PRODUCT_H

#include "nn/conv/conv.h"

typedef struct isc_product {
  int32_t n, c, src_h, src_w;  /* src: N x C x H x W */
  int32_t m, dst_h, dst_w;     /* dst: N x M x H x W */
  int32_t rows, columns, step; /* the grid, and how far apart its places are in src */
  int32_t first_h, first_w, taps_h, taps_w;
  int32_t spread, at_h, at_w; /* the grid in dst */
  const float *weights;
  /* Set by isc_product_plan: */
  int32_t threads;
  int32_t tiles, width; /* tiles an image, places a tile; the last one may be narrower */
  bool own_columns;     /* src is not the matrix of columns as it lies: they are made */
  bool own_dst;         /* a tile of dst is not written where it belongs but spread out afterwards */
  bool shared;          /* too few tiles for the threads: they share the rows of each */
} isc_product;

static inline int32_t isc_product_places(const isc_product *p) { return p->rows * p->columns; }
static inline int32_t isc_product_taps(const isc_product *p) { return p->taps_h * p->taps_w; }
static inline int32_t isc_product_depth(const isc_product *p) { return p->c * isc_product_taps(p); }

/* ---- directions.c: what `weights` is, is in the order of the product's m, c, i, j ---- */

isc_product isc_product_forward(const isc_conv_shape *shape, const float *weights);
isc_product isc_product_backward(const isc_conv_shape *shape, int32_t phase_h, int32_t phase_w, const float *weights);

/* packed[ic][oc][i][j] = weights[oc][ic][kh][kw] of the tap at the i-th and j-th distance, for one of backward's. */
void isc_product_pack(float *packed, const float *weights, const isc_conv_shape *shape, const isc_product *product);

/* ---- columns.c: of one image, `count` places from `first` on ---- */

/* col[(c, i, j)][place], channels [low, high) of it; a row has `count` numbers. */
void isc_columns_make(float *col, const float *src, const isc_product *p, int32_t first, int32_t count, int32_t low,
                      int32_t high);

/* Rows [low, high) of a tile of dst to where they belong. */
void isc_columns_spread(float *dst, const float *tile, const isc_product *p, int32_t first, int32_t count, int32_t low,
                        int32_t high);

/* ---- product.c ---- */

void isc_product_plan(isc_product *product, int32_t threads);
size_t isc_product_scratch(const isc_product *product); /* bytes */

/* dst = max(product + bias [+ dst], 0); without relu no max, with NULL no bias. Only where own_dst is false: backward has
 * none of them. */
typedef struct isc_finish {
  const float *bias;
  bool sum, relu;
} isc_finish;

void isc_product_run(const isc_product *product, const float *src, float *dst, const isc_finish *finish, void *scratch);

#endif
