/* The inner loops of direct convolution: a strip of neighbouring places of one row, some blocks of 16 output channels,
 * all input channels and taps. */
#ifndef ISC_NN_DIRECT_KERNEL_H
#define ISC_NN_DIRECT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* A block of channels, and the largest strips, by the 32 registers of AVX-512: 2 blocks of output channels by 14 places
 * are 28 sums, beside two vectors of weights and a number of src; 3 by 9 are 27 sums, for short rows. */
enum { ISC_LANES = 16, ISC_GROUP = 3, ISC_STRIP = 14, ISC_STRIP_OF_3 = 9 };

/* The convolutions that there are loops for: columns of taps, and how far neighbouring places are apart in src and in dst. */
typedef enum isc_strip_kind {
  ISC_STRIP_1X1,        /* of stride 1 */
  ISC_STRIP_1X1_STEP_2, /* of stride 2 */
  ISC_STRIP_3X3,
  ISC_STRIP_3X3_STEP_2,
  ISC_STRIP_PHASE_1, /* backward of stride 2, every other place of dst, one column of taps: kw = 0 at the place itself */
  ISC_STRIP_PHASE_2, /* two columns: kw = 0 at the place, kw = 1 behind it */
  ISC_STRIP_KINDS
} isc_strip_kind;

typedef struct isc_strip {
  const float *src;     /* the first block's number at tap (0, 0) of the first place; may lie outside, where no tap is */
  int64_t src_plane;    /* numbers from one block of input channels to the next */
  int64_t src_row;      /* and from one row to the next */
  const float *weights; /* [block of ic][kh][kw][ic][group][lane] */
  int32_t blocks;       /* of input channels */
  int32_t taps_h;       /* rows of taps */
  int32_t first_kh, last_kh; /* those inside the image: first_kh .. last_kh - 1 */
  bool left, right;     /* the first place has no tap of the first column, the last none of the last */
  float *dst;
  int64_t dst_plane;
  const float *bias;    /* group x lane numbers, NULL for zeros */
  bool sum, relu;       /* dst is added to; negative results become 0 */
  const uint16_t *keep; /* a word a vector of dst, or NULL: results whose bit is not set become 0 */
  uint16_t *bits;       /* a word a vector of dst, or NULL: which results are above 0 */
  int64_t bits_plane;   /* words from one block of output channels to the next */
} isc_strip;

typedef void isc_strip_fn(const isc_strip *s);

/* The loop for `group` blocks of output channels and `places` places. NULL if this machine has none. */
isc_strip_fn *isc_strip_kernel(isc_strip_kind kind, int32_t group, int32_t places);

#endif
