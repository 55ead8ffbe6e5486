/* Work that is the same for each of many items, spread over threads of its own: for lib/data only. */
#ifndef ISC_DATA_WORKERS_H
#define ISC_DATA_WORKERS_H

#include "data/data.h"

/* Does one item, on any thread. What comes of it, a failure too, the function keeps with the item. */
typedef void isc_item_fn(void *user, int64_t item);

/* Calls `each` for items 0 .. count - 1, on as many threads as the context computes with, the calling one among them; it
 * alone tells `progress`, and the others stop at the next item when that asks to. All threads have ended on return. */
iscp_status isc_workers_run(const iscp_context *context, int64_t count, isc_item_fn *each, void *user,
                            isc_progress *progress);

/* How many threads that is: a few are enough to keep a disk busy. */
int32_t isc_workers_count(const iscp_context *context);

#endif
