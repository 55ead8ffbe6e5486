/* Dense arrays and named sets of them. */
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

static const int64_t LARGEST_COUNT = (int64_t)1 << 48;

iscp_status isc_shape_count(int64_t *count, int32_t dims, const int64_t *shape) {
  if (dims < 0 || dims > ISC_MAX_DIMS)
    return isc_fail(ISCP_ERROR_FORMAT, "an array of %d dimensions, expected at most %d", dims, ISC_MAX_DIMS);
  int64_t product = 1;
  for (int32_t d = 0; d < dims; d++) {
    if (shape[d] < 0)
      return isc_fail(ISCP_ERROR_FORMAT, "an array size of %lld, expected 0 or more", (long long)shape[d]);
    if (shape[d] && product > LARGEST_COUNT / shape[d])
      return isc_fail(ISCP_ERROR_FORMAT, "an array of more than 2^48 numbers");
    product *= shape[d];
  }
  *count = product;
  return ISCP_OK;
}

iscp_status isc_tensor_create(isc_tensor *tensor, const iscp_context *context, isc_dtype dtype, int32_t dims,
                              const int64_t *shape) {
  memset(tensor, 0, sizeof *tensor);
  int64_t count;
  ISC_TRY(isc_shape_count(&count, dims, shape));
  void *data = isc_alloc(context, (size_t)count * isc_dtype_size(dtype));
  if (!data)
    return ISCP_ERROR_MEMORY;
  tensor->dtype = dtype;
  tensor->dims = dims;
  for (int32_t d = 0; d < dims; d++)
    tensor->shape[d] = shape[d];
  tensor->data = data;
  return ISCP_OK;
}

void isc_tensor_release(isc_tensor *tensor, const iscp_context *context) {
  isc_free(context, tensor->name);
  isc_free(context, tensor->data);
  memset(tensor, 0, sizeof *tensor);
}

int64_t isc_tensor_count(const isc_tensor *tensor) {
  int64_t count = 1;
  for (int32_t d = 0; d < tensor->dims; d++)
    count *= tensor->shape[d];
  return count;
}

size_t isc_tensor_bytes(const isc_tensor *tensor) {
  return (size_t)isc_tensor_count(tensor) * isc_dtype_size(tensor->dtype);
}

char *isc_shape_text(char text[ISC_SHAPE_TEXT], int32_t dims, const int64_t *shape) {
  size_t length = 0;
  text[0] = 0;
  if (dims == 0)
    snprintf(text, ISC_SHAPE_TEXT, "scalar");
  for (int32_t d = 0; d < dims && length < ISC_SHAPE_TEXT; d++)
    length += (size_t)snprintf(text + length, ISC_SHAPE_TEXT - length, "%s%lld", d ? "x" : "", (long long)shape[d]);
  return text;
}

iscp_status isc_tensor_set_add(isc_tensor_set *set, const iscp_context *context, isc_tensor *tensor) {
  if (isc_tensor_set_find(set, tensor->name))
    return isc_fail(ISCP_ERROR_FORMAT, "tensor \"%s\" stands twice, expected each name once", tensor->name);
  ISC_TRY(isc_grow(context, (void **)&set->items, &set->capacity, set->count + 1, sizeof *set->items));
  set->items[set->count++] = *tensor;
  memset(tensor, 0, sizeof *tensor);
  return ISCP_OK;
}

iscp_status isc_tensor_set_describe(isc_tensor_set *set, const iscp_context *context, const char *key,
                                    const char *value) {
  size_t count = set->metadata_count;
  for (size_t i = 0; i < count; i++)
    if (!strcmp(set->keys[i], key)) {
      char *copy = isc_strdup(context, value);
      if (!copy)
        return ISCP_ERROR_MEMORY;
      isc_free(context, set->values[i]);
      set->values[i] = copy;
      return ISCP_OK;
    }
  ISC_TRY(isc_grow(context, (void **)&set->keys, &set->keys_capacity, count + 1, sizeof *set->keys));
  ISC_TRY(isc_grow(context, (void **)&set->values, &set->values_capacity, count + 1, sizeof *set->values));
  char *key_copy = isc_strdup(context, key);
  char *value_copy = isc_strdup(context, value);
  if (!key_copy || !value_copy) {
    isc_free(context, key_copy);
    isc_free(context, value_copy);
    return ISCP_ERROR_MEMORY;
  }
  set->keys[count] = key_copy;
  set->values[count] = value_copy;
  set->metadata_count++;
  return ISCP_OK;
}

const isc_tensor *isc_tensor_set_find(const isc_tensor_set *set, const char *name) {
  for (size_t i = 0; i < set->count; i++)
    if (!strcmp(set->items[i].name, name))
      return &set->items[i];
  return NULL;
}

const char *isc_tensor_set_metadata(const isc_tensor_set *set, const char *key) {
  for (size_t i = 0; i < set->metadata_count; i++)
    if (!strcmp(set->keys[i], key))
      return set->values[i];
  return NULL;
}

void isc_tensor_set_release(isc_tensor_set *set, const iscp_context *context) {
  for (size_t i = 0; i < set->count; i++)
    isc_tensor_release(&set->items[i], context);
  for (size_t i = 0; i < set->metadata_count; i++) {
    isc_free(context, set->keys[i]);
    isc_free(context, set->values[i]);
  }
  isc_free(context, set->items);
  isc_free(context, set->keys);
  isc_free(context, set->values);
  memset(set, 0, sizeof *set);
}
