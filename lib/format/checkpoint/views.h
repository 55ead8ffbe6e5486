/* The tensors that a state dict's pickle describes, each as a strided view of a storage. */
#ifndef ISC_FORMAT_VIEWS_H
#define ISC_FORMAT_VIEWS_H

#include "format/checkpoint/state.h"

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

/* What tensors of a file of that size may have in bytes. */
int64_t isc_views_limit(int64_t file_size);

/* Makes the tensors of a checkpoint's state dict (`wanted` as of isc_state_choose) in `set`, in its order and yet without
 * numbers. Where it was found is the metadata "pytorch.dict". The views' items are the caller's (isc_free), on failure
 * too. */
iscp_status isc_views_collect(isc_views *views, isc_tensor_set *set, const iscp_context *context,
                              const isc_pickle *pickle, const char *wanted);

/* The number of views of storage `key`, which start at items[*first]. */
size_t isc_views_of(const isc_views *views, const char *key, size_t length, size_t *first);

/* A storage as it stands in a file: `read` copies all of its `size` bytes. */
typedef struct isc_storage {
  const char *name; /* for messages */
  int64_t size;
  bool is_swapped; /* big-endian */
  iscp_status (*read)(void *user, void *dst, size_t size);
  void *user;
} isc_storage;

/* Brings a storage to the `count` tensors that view it: straight, if it is one that has all of its numbers in order. */
iscp_status isc_views_fill(isc_tensor_set *set, const iscp_context *context, isc_view *views, size_t count,
                           const isc_storage *storage);

/* ISCP_ERROR_FORMAT names the first tensor whose storage was not there. */
iscp_status isc_views_check(const isc_views *views, const isc_tensor_set *set);

#endif
