/* Stored pictures, wherever they are in memory, and what an input contract makes of them: for lib/data only. */
#ifndef ISC_DATA_PICTURE_H
#define ISC_DATA_PICTURE_H

#include "data/data.h"

/* A picture somewhere in memory, whatever the order of its axes. */
typedef struct isc_picture {
  const void *values; /* borrowed */
  isc_dtype dtype;    /* ISC_U8 (0 to 255) or ISC_F32 (0 to 1) */
  int64_t height, width, channels;
  int64_t row_stride, column_stride, channel_stride; /* in values */
} isc_picture;

/* Reads the layout off the axes from `first` on: H x W, H x W x C or C x H x W with C 1 or 3. If both of the latter are
 * possible, C is the last axis. `values` is left at the array's start. */
iscp_status isc_picture_describe(isc_picture *picture, const isc_tensor *array, int32_t first);

/* Checks the picture against the contract (isc_contract_check), then writes the image. `context` gives the scratch that a
 * contract that resizes needs; a picture of numbers cannot be resized (ISCP_ERROR_UNSUPPORTED). */
iscp_status isc_picture_convert(float *image, const iscp_context *context, const iscp_contract *contract,
                                const isc_picture *picture);

/* The same, but the bytes v of the image's v / 255: a quarter of the numbers. Of a picture of numbers, which need not be any such
 * v, it is ISCP_ERROR_UNSUPPORTED. */
iscp_status isc_picture_pack(uint8_t *image, const iscp_context *context, const iscp_contract *contract,
                             const isc_picture *picture);

#endif
