/* Pictures decoded ahead of the network, and kept while there is room: for lib/data only. It knows images by their indices, and
 * asks one function for them. */
#ifndef ISC_DATA_LOADER_H
#define ISC_DATA_LOADER_H

#include "tensor/tensor.h"

typedef struct isc_loader isc_loader;

/* Reads image `index` from where it is stored, decodes it, and brings it into network form: numbers (ISC_F32), or the bytes v of
 * v / 255 (ISC_U8); ISCP_ERROR_UNSUPPORTED says that the image is no such bytes. Any thread. */
typedef iscp_status isc_decode_fn(void *image, isc_dtype dtype, int64_t index, const void *user);

/* For `count` images, each of `numbers` values after the contract; `bytes` bounds what is kept. No thread is started before
 * isc_loader_expect is called. `user` is given to `decode`, and outlives the loader. */
iscp_status isc_loader_create(isc_loader **out, const iscp_context *context, int64_t count, int64_t numbers, int64_t bytes,
                              isc_decode_fn *decode, const void *user);
void isc_loader_destroy(isc_loader *loader); /* waits for its threads; takes NULL */

/* Writes an image: a kept one, one that was decoded ahead, or decoded now by the caller. A failure is never kept: who asks
 * again tries again. Any thread. */
iscp_status isc_loader_image(isc_loader *loader, int64_t index, float *image);

/* Says which images will be asked for next, in this order; returns at once. Any thread. */
void isc_loader_expect(isc_loader *loader, const int64_t *indices, int64_t count);

#endif
