/* Pictures decoded ahead of the network, and kept while there is room: for lib/data only. */
#ifndef ISC_DATA_LOADER_H
#define ISC_DATA_LOADER_H

#include "data/data.h"

typedef struct isc_loader isc_loader;

/* Reads image `index` from where it is stored, decodes it, and brings it into network form; any thread. */
typedef iscp_status isc_decode_fn(float *image, const iscp_dataset *dataset, int64_t index);

/* For the `count` images of `dataset`, each of `numbers` values after the contract; `bytes` bounds what is kept. No thread is
 * started before isc_loader_expect is called. */
iscp_status isc_loader_create(isc_loader **out, const iscp_dataset *dataset, int64_t count, int64_t numbers,
                              int64_t bytes, isc_decode_fn *decode);
void isc_loader_destroy(isc_loader *loader); /* waits for its threads; takes NULL */

/* Writes an image: a kept one, one that was decoded ahead, or decoded now by the caller. A failure is never kept: who asks
 * again tries again. Any thread. */
iscp_status isc_loader_image(isc_loader *loader, int64_t index, float *image);

/* Says which images will be asked for next, in this order; returns at once. Any thread. */
void isc_loader_expect(isc_loader *loader, const int64_t *indices, int64_t count);

#endif
