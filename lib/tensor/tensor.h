/* Face of lib/tensor: number types, dense arrays, named sets of them, conversion to float32. */
#ifndef ISC_TENSOR_H
#define ISC_TENSOR_H

#include "base/base.h"

enum { ISC_MAX_DIMS = 8 };

typedef enum isc_dtype {
  ISC_F32 = 1,
  ISC_F16,
  ISC_BF16,
  ISC_F64,
  ISC_U8,
  ISC_I8,
  ISC_I16,
  ISC_I32,
  ISC_I64,
  ISC_BOOL
} isc_dtype;

size_t isc_dtype_size(isc_dtype dtype);
const char *isc_dtype_name(isc_dtype dtype); /* "float32", as NumPy says it */

/* A dense array in C order. Owns `name` (or NULL) and `data`. */
typedef struct isc_tensor {
  char *name;
  isc_dtype dtype;
  int32_t dims;
  int64_t shape[ISC_MAX_DIMS];
  void *data;
} isc_tensor;

/* Takes memory for a tensor of `dims` sizes >= 0; data is uninitialised. Overflow is ISCP_ERROR_FORMAT. */
iscp_status isc_tensor_create(isc_tensor *tensor, const iscp_context *context, isc_dtype dtype, int32_t dims,
                              const int64_t *shape);
void isc_tensor_release(isc_tensor *tensor, const iscp_context *context); /* takes a zeroed struct */
int64_t isc_tensor_count(const isc_tensor *tensor);
size_t isc_tensor_bytes(const isc_tensor *tensor);

/* Product of sizes with overflow check: ISCP_ERROR_FORMAT for a negative size or a count beyond 2^48. */
iscp_status isc_shape_count(int64_t *count, int32_t dims, const int64_t *shape);

/* "64x3x7x7" into `text`. Returns `text`. */
enum { ISC_SHAPE_TEXT = 128 };
char *isc_shape_text(char text[ISC_SHAPE_TEXT], int32_t dims, const int64_t *shape);

/* Converts `count` numbers of any dtype to and from float32: exact for f16 and bf16; to f16, rounded to nearest even. */
void isc_to_f32(float *dst, const void *src, isc_dtype dtype, int64_t count);
void isc_f32_to_f16(uint16_t *dst, const float *src, int64_t count);

/* Named tensors and string metadata, as a checkpoint holds them. */
typedef struct isc_tensor_set {
  isc_tensor *items;
  size_t count, capacity;
  char **keys, **values; /* metadata */
  size_t metadata_count, keys_capacity, values_capacity;
} isc_tensor_set;

/* Appends and takes over `tensor` (zeroed on success). A name that is there already is ISCP_ERROR_FORMAT. */
iscp_status isc_tensor_set_add(isc_tensor_set *set, const iscp_context *context, isc_tensor *tensor);
/* Sets a metadata's value, in place of what it was. */
iscp_status isc_tensor_set_describe(isc_tensor_set *set, const iscp_context *context, const char *key, const char *value);
const isc_tensor *isc_tensor_set_find(const isc_tensor_set *set, const char *name);
const char *isc_tensor_set_metadata(const isc_tensor_set *set, const char *key); /* NULL if absent */
void isc_tensor_set_release(isc_tensor_set *set, const iscp_context *context);

#endif
