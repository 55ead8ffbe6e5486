/* A convolution of small images, a place at a time: what meets tap t at place p of dst is place q of src, of all images at once.
 *
 *   forward:          dst[p] (OC x N)         = sum over taps of weights[t] (OC x IC) * src[q] (IC x N)
 *   backward_data:    diff_src[q] (IC x N)    = sum over taps of weights[t] transposed * diff_dst[p] (OC x N)
 *   backward_weights: diff_weights[t] (IC x OC) [+]= sum over places of src[q] (IC x N) * diff_dst[p] transposed
 *
 * The images are what the vectors of the first two run over, so that weights are read as they lie, in either direction, and once
 * for many images; the activations, the smaller part, are turned before and after. Taps that only meet padding are left out: at
 * 1x1 a 3x3 convolution has one tap, at 2x2 four of nine on the average. */
#include "nn/conv/direct/small.h"

#include <string.h>

#include "nn/conv/direct/tile.h"

enum { LANES = ISC_TILE_LANES, BLOCK = LANES * LANES, MOST_PLACES = 64, LARGEST_KERNEL = 3, PART = 16 /* blocks of weights */ };

static bool is_here(const isc_conv_shape *s) {
  return s->k <= LARGEST_KERNEL && s->ih * s->iw <= MOST_PLACES && s->oh * s->ow <= MOST_PLACES && isc_tile_here();
}

/* By measurement: what is won is the taps left out, and at 1x1 the weights, which oneDNN reads again for every image. */
bool isc_small_directions(const isc_conv_shape *s) { return is_here(s) && s->oh * s->ow <= (s->k > 1 ? 4 : 1); }
bool isc_small_gradient(const isc_conv_shape *s) { return is_here(s) && s->oh * s->ow <= (s->k > 1 ? 16 : 4); }

/* ---- Shapes ---- */

static int64_t ic_blocks(const isc_conv_shape *s) { return isc_blocks(s->ic, LANES); }
static int64_t oc_blocks(const isc_conv_shape *s) { return isc_blocks(s->oc, LANES); }
static int32_t src_places(const isc_conv_shape *s) { return s->ih * s->iw; }
static int32_t dst_places(const isc_conv_shape *s) { return s->oh * s->ow; }
static int64_t image_vectors(const isc_conv_shape *s) { return (s->n + LANES - 1) / LANES; }

/* Numbers of an activation whose images are padded to whole vectors. */
static int64_t src_count(const isc_conv_shape *s) { return src_places(s) * image_vectors(s) * ic_blocks(s) * BLOCK; }
static int64_t dst_count(const isc_conv_shape *s) { return dst_places(s) * image_vectors(s) * oc_blocks(s) * BLOCK; }

size_t isc_small_scratch(const isc_conv_shape *s) { return (size_t)(src_count(s) + dst_count(s)) * sizeof(float); }

/* The place of src that place p of dst meets at a tap, or -1 where that is padding. */
static int32_t place_met(const isc_conv_shape *s, int32_t p, int32_t tap) {
  int32_t h = p / s->ow * s->stride - s->pad + tap / s->k, w = p % s->ow * s->stride - s->pad + tap % s->k;
  return h >= 0 && h < s->ih && w >= 0 && w < s->iw ? h * s->iw + w : -1;
}

static int32_t smaller(int64_t a, int32_t b) { return a < b ? (int32_t)a : b; }

/* ---- Turning: [image][block][place][lane] <-> [place][vector of images][channel][image] ---- */

typedef struct turning {
  int32_t n, places;
  int64_t blocks;
} turning;

/* The corner in [image][block][place][lane] of what is a block of 16 channels by 16 images in the other order. */
static int64_t corner(const turning *t, int64_t vector, int64_t block, int32_t place) {
  return ((vector * LANES * t->blocks + block) * t->places + place) * LANES;
}

/* Images beyond the last are zeros. */
static void turn(float *to, const float *from, const turning *t) {
  int64_t vectors = (t->n + LANES - 1) / LANES, image = t->blocks * t->places * LANES;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t v = 0; v < vectors; v++)
    for (int64_t b = 0; b < t->blocks; b++)
      for (int32_t p = 0; p < t->places; p++)
        isc_tile_turn(to + ((p * vectors + v) * t->blocks + b) * BLOCK, LANES, LANES, from + corner(t, v, b, p), image,
                      smaller(t->n - v * LANES, LANES));
}

static void turn_back(float *to, const float *from, const turning *t) {
  int64_t vectors = (t->n + LANES - 1) / LANES, image = t->blocks * t->places * LANES;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t v = 0; v < vectors; v++)
    for (int64_t b = 0; b < t->blocks; b++)
      for (int32_t p = 0; p < t->places; p++)
        isc_tile_turn(to + corner(t, v, b, p), image, smaller(t->n - v * LANES, LANES),
                      from + ((p * vectors + v) * t->blocks + b) * BLOCK, LANES, LANES);
}

/* ---- Forward and backward_data ---- */

/* All vectors of images, for one block of channels of the result at one place; `tile` has the rest. The weights of a part of the
 * sum stay in the first-level cache until all images have met them. */
static void run_block(isc_tile tile, int64_t vectors) {
  const isc_tile all = tile;
  int32_t part = PART / (all.span_count ? all.span_count : 1);
  for (int32_t block = 0; block < all.blocks; block += part) {
    tile.blocks = smaller(all.blocks - block, part);
    tile.add = block > 0;
    for (int32_t half = 0; half < LANES; half += ISC_TILE_ROWS)
      for (int64_t v = 0; v < vectors; v += ISC_TILE_VECTORS) {
        tile.a = all.a + block * all.a_block + half * (all.turned ? LANES : 1);
        tile.b = all.b + block * all.b_block + v * all.b_vector;
        tile.c = all.c + v * all.c_vector + half * LANES;
        isc_tile_run(&tile, smaller(vectors - v, ISC_TILE_VECTORS));
      }
  }
}

static int32_t spans_forward(isc_span *spans, const isc_conv_shape *s, int32_t p, int64_t plane) {
  int32_t count = 0;
  for (int32_t tap = 0; tap < s->k * s->k; tap++) {
    int32_t q = place_met(s, p, tap);
    if (q >= 0)
      spans[count++] = (isc_span){(int64_t)tap * BLOCK, q * plane};
  }
  return count;
}

static int32_t spans_backward(isc_span *spans, const isc_conv_shape *s, int32_t q, int64_t plane) {
  int32_t count = 0;
  for (int32_t p = 0; p < dst_places(s); p++)
    for (int32_t tap = 0; tap < s->k * s->k; tap++)
      if (place_met(s, p, tap) == q)
        spans[count++] = (isc_span){(int64_t)tap * BLOCK, p * plane};
  return count;
}

void isc_small_forward(const isc_conv_shape *s, const float *weights, const float *src, float *dst, void *scratch) {
  int64_t in = ic_blocks(s), out = oc_blocks(s), taps = s->k * s->k, vectors = image_vectors(s);
  float *turned = scratch, *result = turned + src_count(s);
  turn(turned, src, &(turning){s->n, src_places(s), in});
#pragma omp parallel for schedule(static)
  for (int64_t o = 0; o < out; o++)
    for (int32_t p = 0; p < dst_places(s); p++) {
      isc_span spans[LARGEST_KERNEL * LARGEST_KERNEL];
      isc_tile tile = {.a = weights + o * in * taps * BLOCK, .b = turned, .spans = spans, .blocks = (int32_t)in, .steps = LANES,
                       .a_block = taps * BLOCK, .b_block = BLOCK, .b_vector = in * BLOCK,
                       .c = result + (p * vectors * out + o) * BLOCK, .c_vector = out * BLOCK};
      tile.span_count = spans_forward(spans, s, p, vectors * in * BLOCK);
      run_block(tile, vectors);
    }
  turn_back(dst, result, &(turning){s->n, dst_places(s), out});
}

void isc_small_backward_data(const isc_conv_shape *s, const float *weights, const float *diff_dst, float *diff_src,
                             void *scratch) {
  int64_t in = ic_blocks(s), out = oc_blocks(s), taps = s->k * s->k, vectors = image_vectors(s);
  float *turned = scratch, *result = turned + dst_count(s);
  turn(turned, diff_dst, &(turning){s->n, dst_places(s), out});
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < in; i++)
    for (int32_t q = 0; q < src_places(s); q++) {
      isc_span spans[LARGEST_KERNEL * LARGEST_KERNEL];
      isc_tile tile = {.a = weights + i * taps * BLOCK, .b = turned, .spans = spans, .blocks = (int32_t)out, .steps = LANES,
                       .a_block = in * taps * BLOCK, .b_block = BLOCK, .b_vector = out * BLOCK,
                       .c = result + (q * vectors * in + i) * BLOCK, .c_vector = in * BLOCK, .turned = true};
      tile.span_count = spans_backward(spans, s, q, vectors * out * BLOCK);
      run_block(tile, vectors);
    }
  turn_back(diff_src, result, &(turning){s->n, src_places(s), in});
}

/* ---- Backward_weights ---- */

/* [image][block][place][lane] -> [block][place][image][lane] */
static void gather(float *to, const float *from, const turning *t) {
#pragma omp parallel for schedule(static)
  for (int64_t b = 0; b < t->blocks; b++)
    for (int64_t i = 0; i < t->n; i++)
      for (int32_t p = 0; p < t->places; p++)
        memcpy(to + ((b * t->places + p) * t->n + i) * LANES, from + ((i * t->blocks + b) * t->places + p) * LANES,
               LANES * sizeof *to);
}

static int32_t spans_gradient(isc_span *spans, const isc_conv_shape *s, int32_t tap) {
  int32_t count = 0;
  for (int32_t p = 0; p < dst_places(s); p++) {
    int32_t q = place_met(s, p, tap);
    if (q >= 0)
      spans[count++] = (isc_span){(int64_t)q * s->n * LANES, (int64_t)p * s->n * LANES};
  }
  return count;
}

void isc_small_backward_weights(const isc_conv_shape *s, const float *src, const float *diff_dst, float *diff_weights,
                                bool add, void *scratch) {
  int64_t in = ic_blocks(s), out = oc_blocks(s), taps = s->k * s->k;
  float *a = scratch, *b = a + src_count(s);
  gather(a, src, &(turning){s->n, src_places(s), in});
  gather(b, diff_dst, &(turning){s->n, dst_places(s), out});
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t o = 0; o < out; o += ISC_TILE_VECTORS)
    for (int64_t i = 0; i < in; i++)
      for (int32_t tap = 0; tap < taps; tap++)
        for (int32_t half = 0; half < LANES; half += ISC_TILE_ROWS) {
          isc_span spans[MOST_PLACES];
          const isc_tile tile = {.a = a + i * src_places(s) * s->n * LANES + half, .b = b + o * dst_places(s) * s->n * LANES,
                                 .spans = spans, .span_count = spans_gradient(spans, s, tap), .blocks = 1, .steps = s->n,
                                 .b_vector = (int64_t)dst_places(s) * s->n * LANES, .add = add,
                                 .c = diff_weights + ((o * in + i) * taps + tap) * BLOCK + half * LANES,
                                 .c_vector = in * taps * BLOCK};
          isc_tile_run(&tile, smaller(out - o, ISC_TILE_VECTORS));
        }
}
