/* Resizing of 8-bit pictures (resize.c), for lib/data only. */
#ifndef ISC_DATA_RESIZE_H
#define ISC_DATA_RESIZE_H

#include "data/picture/picture.h"

/* Of a picture resized to height x width, the part that is wanted. */
typedef struct isc_resize_form {
  int64_t height, width;
  int64_t top, left, rows, columns; /* at least one row and column, within height x width */
  int32_t filter;                   /* ISCP_FILTER_* */
} isc_resize_form;

/* src is of bytes, of 1 or 3 channels in any layout; dst becomes rows x columns x channels. */
iscp_status isc_resize(uint8_t *dst, const iscp_context *context, const isc_picture *src, const isc_resize_form *form);

#endif
