/* The inner loop of products in training: 8 rows by up to 3 vectors of sums that stay in registers. */
#ifndef ISC_NN_DIRECT_TILE_H
#define ISC_NN_DIRECT_TILE_H

#include <stdbool.h>
#include <stdint.h>

enum { ISC_TILE_ROWS = 8, ISC_TILE_VECTORS = 3, ISC_TILE_LANES = 16 };

/* Where one part of the sum begins in a and in b. */
typedef struct isc_span {
  int64_t a, b;
} isc_span;

/* c[row][vector] [+]= sum over spans, blocks and steps of a number of a by a vector of b:
 *
 *   a[span.a + block a_block + step a_step + row a_row]     b[span.b + block b_block + step LANES + vector b_vector]
 *
 * a is read in lines of 16: rows are 1 apart and steps 16, or, turned, rows 16 and steps 1. b and c are 64-byte aligned. */
typedef struct isc_tile {
  const float *a, *b;
  const isc_span *spans;
  int32_t span_count, blocks, steps;
  int64_t a_block, b_block, b_vector;
  float *c;
  int64_t c_vector; /* rows of c are LANES apart */
  bool turned, add;
} isc_tile;

/* Whether this CPU has the loop. */
bool isc_tile_here(void);

/* `vectors`: 1 to ISC_TILE_VECTORS. */
void isc_tile_run(const isc_tile *tile, int32_t vectors);

/* to[column to_row + row] = from[row from_row + column] for 16 by 16 numbers, of which `from_rows` rows are read, zeros for the
 * others, and `to_rows` written. */
void isc_tile_turn(float *to, int64_t to_row, int32_t to_rows, const float *from, int64_t from_row, int32_t from_rows);

#endif
