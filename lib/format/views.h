/* The tensors that a state dict's pickle describes, each as a strided view of a storage. */
#ifndef ISC_FORMAT_VIEWS_H
#define ISC_FORMAT_VIEWS_H

#include "format/pickle.h"

typedef struct isc_view {
  size_t index;    /* of the tensor in the set */
  const char *key; /* of the storage; bytes of the pickle, not terminated */
  uint32_t key_length;
  isc_dtype dtype;
  int32_t dims;
  int64_t shape[ISC_MAX_DIMS], strides[ISC_MAX_DIMS];
  int64_t offset, storage_count; /* in numbers; every index that the view reaches is below storage_count */
  bool is_read;
} isc_view;

typedef struct isc_views {
  isc_view *items; /* sorted by key */
  size_t count, capacity;
  int64_t bytes, byte_limit; /* of all tensors and of any one storage */
} isc_views;

/* Chooses the state dict of a checkpoint and makes its tensors in `set`, in its order and yet without numbers. The
 * choice is the metadata "pytorch.dict": "top level" or the name of a dict in it. The views' items are the caller's
 * (isc_free), on failure too. */
iscp_status isc_views_collect(isc_views *views, isc_tensor_set *set, const iscp_context *context,
                              const isc_pickle *pickle);

/* The number of views of storage `key`, which start at items[*first]. */
size_t isc_views_of(const isc_views *views, const char *key, size_t *first);

#endif
