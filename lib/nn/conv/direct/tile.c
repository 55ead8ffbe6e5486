/* A vector of b meets 8 numbers of a, each of which meets all vectors: of 24 multiply-adds 11 loads, so that it is the
 * multiply-adds that take the time. */
#include "nn/conv/direct/tile.h"

#include "base/simd.h"

#if defined(__x86_64__)

#define UNROLL _Pragma("GCC unroll 16")

#define TILE(NAME, ROW, STEP, VECTORS)                                                                       \
  ISC_TARGET_AVX512F static void NAME(const isc_tile *t) {                                                   \
    isc_f32x16 sums[ISC_TILE_ROWS][VECTORS];                                                                     \
    UNROLL for (int r = 0; r < ISC_TILE_ROWS; r++)                                                           \
      UNROLL for (int v = 0; v < VECTORS; v++) sums[r][v] = (isc_f32x16){0};                             \
    for (int32_t s = 0; s < t->span_count; s++)                                                              \
      for (int32_t block = 0; block < t->blocks; block++) {                                                  \
        const float *a = t->a + t->spans[s].a + block * t->a_block;                                          \
        const float *b = t->b + t->spans[s].b + block * t->b_block;                                          \
        for (int32_t step = 0; step < t->steps; step++, a += STEP, b += ISC_TILE_LANES) {                    \
          isc_f32x16 vectors[VECTORS];                                                                           \
          UNROLL for (int v = 0; v < VECTORS; v++) vectors[v] = *(const isc_f32x16 *)(b + v * t->b_vector);         \
          UNROLL for (int r = 0; r < ISC_TILE_ROWS; r++) {                                                   \
            isc_f32x16 number = isc_f32x16_all(a[r * ROW]);                                                      \
            UNROLL for (int v = 0; v < VECTORS; v++) sums[r][v] = isc_f32x16_fma(number, vectors[v], sums[r][v]); \
          }                                                                                                  \
        }                                                                                                    \
      }                                                                                                      \
    UNROLL for (int r = 0; r < ISC_TILE_ROWS; r++)                                                           \
      UNROLL for (int v = 0; v < VECTORS; v++) {                                                             \
        isc_f32x16 *c = (isc_f32x16 *)(t->c + r * ISC_TILE_LANES + v * t->c_vector);                         \
        if (t->add)                                                                                          \
          sums[r][v] += *c;                                                                                  \
        *c = sums[r][v];                                                                                     \
      }                                                                                                      \
  }

TILE(lines_1, 1, ISC_TILE_LANES, 1)
TILE(lines_2, 1, ISC_TILE_LANES, 2)
TILE(lines_3, 1, ISC_TILE_LANES, 3)
TILE(turned_1, ISC_TILE_LANES, 1, 1)
TILE(turned_2, ISC_TILE_LANES, 1, 2)
TILE(turned_3, ISC_TILE_LANES, 1, 3)

bool isc_tile_here(void) { return isc_cpu_has(ISC_CPU_AVX512F); }

void isc_tile_run(const isc_tile *tile, int32_t vectors) {
  static void (*const tiles[2][ISC_TILE_VECTORS])(const isc_tile *) = {{lines_1, lines_2, lines_3},
                                                                       {turned_1, turned_2, turned_3}};
  tiles[tile->turned][vectors - 1](tile);
}

/* Exchanges bit after bit of the row's number and the column's. */
ISC_TARGET_AVX512F void isc_tile_turn(float *to, int64_t to_row, int32_t to_rows, const float *from, int64_t from_row,
                                      int32_t from_rows) {
  isc_f32x16 rows[ISC_TILE_LANES];
  UNROLL for (int i = 0; i < ISC_TILE_LANES; i++)
    rows[i] = i < from_rows ? *(const isc_f32x16 *)(from + i * from_row) : (isc_f32x16){0};
  UNROLL for (int bit = 1; bit < ISC_TILE_LANES; bit *= 2) {
    /* lanes 0 to 15 are the lower row's, 16 to 31 the higher row's */
    const isc_i32x16 place = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const isc_i32x16 low = place + (((place & bit) != 0) & (ISC_TILE_LANES - bit)), high = low + bit;
    UNROLL for (int i = 0; i < ISC_TILE_LANES; i++)
      if (!(i & bit)) {
        isc_f32x16 a = rows[i], b = rows[i + bit];
        rows[i] = isc_f32x16_pick(a, low, b);
        rows[i + bit] = isc_f32x16_pick(a, high, b);
      }
  }
  UNROLL for (int i = 0; i < ISC_TILE_LANES; i++)
    if (i < to_rows)
      *(isc_f32x16 *)(to + i * to_row) = rows[i];
}

#else

bool isc_tile_here(void) { return false; }

void isc_tile_run(const isc_tile *tile, int32_t vectors) { (void)tile, (void)vectors; }

void isc_tile_turn(float *to, int64_t to_row, int32_t to_rows, const float *from, int64_t from_row, int32_t from_rows) {
  (void)to, (void)to_row, (void)to_rows, (void)from, (void)from_row, (void)from_rows;
}

#endif
