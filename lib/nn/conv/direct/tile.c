/* A vector of b meets 8 numbers of a, each of which meets all vectors: of 24 multiply-adds 11 loads, so that it is the
 * multiply-adds that take the time. */
#include "nn/conv/direct/tile.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define UNROLL _Pragma("GCC unroll 16")

#define TILE(NAME, ROW, STEP, VECTORS)                                                                       \
  __attribute__((target("avx512f"))) static void NAME(const isc_tile *t) {                                   \
    __m512 sums[ISC_TILE_ROWS][VECTORS];                                                                     \
    UNROLL for (int r = 0; r < ISC_TILE_ROWS; r++)                                                           \
      UNROLL for (int v = 0; v < VECTORS; v++) sums[r][v] = _mm512_setzero_ps();                             \
    for (int32_t s = 0; s < t->span_count; s++)                                                              \
      for (int32_t block = 0; block < t->blocks; block++) {                                                  \
        const float *a = t->a + t->spans[s].a + block * t->a_block;                                          \
        const float *b = t->b + t->spans[s].b + block * t->b_block;                                          \
        for (int32_t step = 0; step < t->steps; step++, a += STEP, b += ISC_TILE_LANES) {                    \
          __m512 vectors[VECTORS];                                                                           \
          UNROLL for (int v = 0; v < VECTORS; v++) vectors[v] = _mm512_load_ps(b + v * t->b_vector);         \
          UNROLL for (int r = 0; r < ISC_TILE_ROWS; r++) {                                                   \
            __m512 number = _mm512_set1_ps(a[r * ROW]);                                                      \
            UNROLL for (int v = 0; v < VECTORS; v++) sums[r][v] = _mm512_fmadd_ps(number, vectors[v], sums[r][v]); \
          }                                                                                                  \
        }                                                                                                    \
      }                                                                                                      \
    UNROLL for (int r = 0; r < ISC_TILE_ROWS; r++)                                                           \
      UNROLL for (int v = 0; v < VECTORS; v++) {                                                             \
        float *c = t->c + r * ISC_TILE_LANES + v * t->c_vector;                                              \
        _mm512_store_ps(c, t->add ? _mm512_add_ps(sums[r][v], _mm512_load_ps(c)) : sums[r][v]);              \
      }                                                                                                      \
  }

TILE(lines_1, 1, ISC_TILE_LANES, 1)
TILE(lines_2, 1, ISC_TILE_LANES, 2)
TILE(lines_3, 1, ISC_TILE_LANES, 3)
TILE(turned_1, ISC_TILE_LANES, 1, 1)
TILE(turned_2, ISC_TILE_LANES, 1, 2)
TILE(turned_3, ISC_TILE_LANES, 1, 3)

bool isc_tile_here(void) { return __builtin_cpu_supports("avx512f"); }

void isc_tile_run(const isc_tile *tile, int32_t vectors) {
  static void (*const tiles[2][ISC_TILE_VECTORS])(const isc_tile *) = {{lines_1, lines_2, lines_3},
                                                                       {turned_1, turned_2, turned_3}};
  tiles[tile->turned][vectors - 1](tile);
}

static const int32_t lanes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* Exchanges bit after bit of the row's number and the column's. */
__attribute__((target("avx512f"))) void isc_tile_turn(float *to, int64_t to_row, int32_t to_rows, const float *from,
                                                      int64_t from_row, int32_t from_rows) {
  __m512 rows[ISC_TILE_LANES];
  UNROLL for (int i = 0; i < ISC_TILE_LANES; i++)
    rows[i] = i < from_rows ? _mm512_load_ps(from + i * from_row) : _mm512_setzero_ps();
  UNROLL for (int bit = 1; bit < ISC_TILE_LANES; bit *= 2) {
    const __mmask16 set = bit == 1 ? 0xaaaa : bit == 2 ? 0xcccc : bit == 4 ? 0xf0f0 : 0xff00;
    const __m512i place = _mm512_loadu_si512(lanes), by = _mm512_set1_epi32(bit), other = _mm512_set1_epi32(ISC_TILE_LANES);
    /* lanes 0 to 15 are the lower row's, 16 to 31 the higher row's */
    const __m512i low = _mm512_mask_add_epi32(place, set, _mm512_sub_epi32(place, by), other);
    const __m512i high = _mm512_mask_add_epi32(_mm512_add_epi32(place, by), set, place, other);
    UNROLL for (int i = 0; i < ISC_TILE_LANES; i++)
      if (!(i & bit)) {
        __m512 a = rows[i], b = rows[i + bit];
        rows[i] = _mm512_permutex2var_ps(a, low, b);
        rows[i + bit] = _mm512_permutex2var_ps(a, high, b);
      }
  }
  UNROLL for (int i = 0; i < ISC_TILE_LANES; i++)
    if (i < to_rows)
      _mm512_store_ps(to + i * to_row, rows[i]);
}

#else

bool isc_tile_here(void) { return false; }

void isc_tile_run(const isc_tile *tile, int32_t vectors) { (void)tile, (void)vectors; }

void isc_tile_turn(float *to, int64_t to_row, int32_t to_rows, const float *from, int64_t from_row, int32_t from_rows) {
  (void)to, (void)to_row, (void)to_rows, (void)from, (void)from_row, (void)from_rows;
}

#endif
