/* The inner loops of direct convolution: a strip of neighbouring places of one row, some blocks of 16 output channels,
 * all input channels and taps. */
#ifndef ISC_NN_DIRECT_KERNEL_H
#define ISC_NN_DIRECT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

/* A block of channels, and the largest strips, by the 32 registers of AVX-512: 2 blocks of output channels by 14 places
 * are 28 sums, beside two vectors of weights and a number of src; 3 by 9 are 27 sums, for short rows. */
enum { ISC_LANES = 16, ISC_GROUP = 3, ISC_STRIP = 14, ISC_STRIP_OF_3 = 9 };

typedef struct isc_strip {
  const float *src;     /* the first block's number at tap (0, 0) of the first place; may lie outside, where no tap is */
  int64_t src_plane;    /* numbers from one block of input channels to the next */
  int64_t src_row;      /* and from one row to the next */
  const float *weights; /* [block of ic][kh][kw][ic][group][lane] */
  int32_t blocks;       /* of input channels */
  int32_t first_kh, last_kh; /* kernel rows inside the image: first_kh .. last_kh - 1 */
  bool left, right;     /* the first place has no tap kw = 0, the last none kw = 2 */
  float *dst;
  int64_t dst_plane;
  const float *bias;    /* group x lane numbers, NULL for zeros */
  bool sum, relu;       /* dst is added to; negative results become 0 */
  const uint16_t *keep; /* a word a vector of dst, or NULL: results whose bit is not set become 0 */
  uint16_t *bits;       /* a word a vector of dst, or NULL: which results are above 0 */
  int64_t bits_plane;   /* words from one block of output channels to the next */
} isc_strip;

typedef void isc_strip_fn(const isc_strip *s);

/* The loop for a kernel of k x k (1 or 3), `group` blocks of output channels and `places` places. NULL if this CPU has none. */
isc_strip_fn *isc_strip_kernel(int32_t k, int32_t group, int32_t places);

#endif
