/* What each
 *   _rebuild_tensor_v2(('storage', type, key, device, count[, view]), offset, size, stride, ...)
 * of a state dict asks for, and how the numbers of a storage come to the tensors that view it. Everything is checked
 * before, so that the numbers can be moved without a look at bounds. */
#include "format/checkpoint/views.h"

#include <stdlib.h>
#include <string.h>

/* ---- One tensor ---- */

static iscp_status get_integer(int64_t *out, const isc_pickle *pickle, isc_value value, const char *what) {
  const isc_node *node = isc_pickle_node(pickle, value);
  if (node->kind != ISC_VALUE_INTEGER || node->integer < 0)
    return isc_fail(ISCP_ERROR_FORMAT, "%s is not an integer of 0 or more", what);
  *out = node->integer;
  return ISCP_OK;
}

static iscp_status get_sizes(int64_t *out, int32_t *dims, const isc_pickle *pickle, isc_value tuple, const char *what) {
  const isc_node *node = isc_pickle_node(pickle, tuple);
  if (node->kind != ISC_VALUE_TUPLE && node->kind != ISC_VALUE_LIST)
    return isc_fail(ISCP_ERROR_FORMAT, "%s is not a tuple", what);
  if (node->length > ISC_MAX_DIMS)
    return isc_fail(ISCP_ERROR_FORMAT, "%s has %u dimensions, expected at most %d", what, node->length, ISC_MAX_DIMS);
  *dims = (int32_t)node->length;
  isc_value link = isc_pickle_first(pickle, tuple);
  for (int32_t d = 0; d < *dims; d++)
    ISC_TRY(get_integer(&out[d], pickle, isc_pickle_step(pickle, &link), what));
  return ISCP_OK;
}

/* A legacy stream's storage may be a part of another: (key of the part, offset, count), or None. */
static iscp_status get_part(isc_view *view, const isc_pickle *pickle, isc_value part) {
  int64_t offset, count;
  if (isc_pickle_node(pickle, part)->kind == ISC_VALUE_NONE)
    return ISCP_OK;
  ISC_TRY(get_integer(&offset, pickle, isc_pickle_item(pickle, part, 1), "the offset of its part of a storage"));
  ISC_TRY(get_integer(&count, pickle, isc_pickle_item(pickle, part, 2), "the count of its part of a storage"));
  if (offset > view->storage_count || count > view->storage_count - offset)
    return isc_fail(ISCP_ERROR_FORMAT, "its part of a storage reaches beyond the storage's %lld numbers",
                    (long long)view->storage_count);
  view->offset = offset;
  return ISCP_OK;
}

static iscp_status get_storage(isc_view *view, const isc_pickle *pickle, isc_value persistent) {
  const isc_node *node = isc_pickle_node(pickle, persistent);
  if (node->kind != ISC_VALUE_PERSISTENT)
    return isc_fail(ISCP_ERROR_FORMAT, "it has no storage");
  isc_value tuple = node->pair.first;
  const isc_node *type = isc_pickle_node(pickle, isc_pickle_item(pickle, tuple, 1));
  const isc_node *key = isc_pickle_node(pickle, isc_pickle_item(pickle, tuple, 2));
  char name[ISC_NAME_TEXT];
  if (type->kind != ISC_VALUE_NAME)
    return isc_fail(ISCP_ERROR_FORMAT, "its storage has no number type");
  if (type->length <= ISC_NAME_STORAGE)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "it is a %s, expected one of floating point numbers or integers",
                    isc_pickle_name_text(name, pickle, isc_pickle_item(pickle, tuple, 1)));
  if (key->kind != ISC_VALUE_TEXT || !key->length || key->length > 256)
    return isc_fail(ISCP_ERROR_FORMAT, "its storage has no key");
  view->dtype = (isc_dtype)(type->length - ISC_NAME_STORAGE);
  view->key = (const char *)pickle->bytes + key->offset;
  view->key_length = key->length;
  ISC_TRY(get_integer(&view->storage_count, pickle, isc_pickle_item(pickle, tuple, 4), "the count of its storage"));
  return get_part(view, pickle, isc_pickle_item(pickle, tuple, 5));
}

/* The largest index that a view reaches lies within its storage: offset + sum (size - 1) * stride < storage_count. */
static iscp_status check_reach(const isc_view *view, int64_t count) {
  int64_t last = view->offset;
  bool overflow = last > view->storage_count; /* of a view of no numbers too: the pointer is still formed */
  for (int32_t d = 0; count && d < view->dims; d++) {
    int64_t step;
    overflow |= __builtin_mul_overflow(view->shape[d] - 1, view->strides[d], &step);
    overflow |= __builtin_add_overflow(last, step, &last);
  }
  if (overflow || (count && last >= view->storage_count))
    return isc_fail(ISCP_ERROR_FORMAT, "it reaches beyond its storage of %lld numbers", (long long)view->storage_count);
  return ISCP_OK;
}

/* An honest file holds its numbers as they are, or deflates them a little: what asks for far more is a bomb. */
int64_t isc_views_limit(int64_t file_size) {
  return file_size < INT64_MAX / 32 ? file_size * 16 + (1 << 20) : INT64_MAX / 2;
}

static iscp_status check_size(isc_views *views, const isc_view *view, int64_t count) {
  int64_t item = (int64_t)isc_dtype_size(view->dtype);
  if (view->storage_count > views->byte_limit / item)
    return isc_fail(ISCP_ERROR_FORMAT, "its storage has %lld numbers, more than the file can hold",
                    (long long)view->storage_count);
  if (count > (views->byte_limit - views->bytes) / item)
    return isc_fail(ISCP_ERROR_FORMAT, "with it the tensors have more than %lld bytes, more than the file can hold",
                    (long long)views->byte_limit);
  views->bytes += count * item;
  return ISCP_OK;
}

/* Of a tensor that is none of dense numbers of a known type in a storage. */
static iscp_status fail_other(const isc_pickle *pickle, isc_value tensor) {
  char name[ISC_NAME_TEXT], type[ISC_NAME_TEXT];
  isc_value dtype = isc_pickle_item(pickle, isc_pickle_node(pickle, tensor)->pair.last, 6);
  isc_pickle_name_text(name, pickle, tensor);
  if (!strcmp(name, "torch._utils._rebuild_tensor_v3") && isc_pickle_node(pickle, dtype)->kind == ISC_VALUE_NAME)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "it is of %s, expected float32, float16, bfloat16 or float64",
                    isc_pickle_name_text(type, pickle, dtype));
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "it is made by %s, which is not read, expected dense numbers", name);
}

static iscp_status get_view(isc_views *views, isc_view *view, const isc_pickle *pickle, isc_value tensor) {
  isc_value arguments = isc_state_tensor(pickle, tensor);
  int64_t offset;
  if (!arguments)
    return fail_other(pickle, tensor);
  ISC_TRY(get_storage(view, pickle, isc_pickle_item(pickle, arguments, 0)));
  ISC_TRY(get_integer(&offset, pickle, isc_pickle_item(pickle, arguments, 1), "the offset"));
  if (__builtin_add_overflow(view->offset, offset, &view->offset))
    return isc_fail(ISCP_ERROR_FORMAT, "it reaches beyond its storage of %lld numbers", (long long)view->storage_count);
  ISC_TRY(get_sizes(view->shape, &view->dims, pickle, isc_pickle_item(pickle, arguments, 2), "the shape"));
  int32_t strides;
  ISC_TRY(get_sizes(view->strides, &strides, pickle, isc_pickle_item(pickle, arguments, 3), "the stride"));
  if (strides != view->dims)
    return isc_fail(ISCP_ERROR_FORMAT, "it has %d strides, expected %d as its shape", strides, view->dims);
  int64_t count;
  ISC_TRY(isc_shape_count(&count, view->dims, view->shape));
  ISC_TRY(check_reach(view, count));
  return check_size(views, view, count);
}

/* ---- All of them ---- */

typedef struct collector {
  isc_views *views;
  isc_tensor_set *set;
  const iscp_context *context;
  const isc_pickle *pickle;
} collector;

static iscp_status add_tensor(void *user, const char *name, isc_value value) {
  collector *c = user;
  isc_views *views = c->views;
  isc_view view = {.index = c->set->count};
  iscp_status status = get_view(views, &view, c->pickle, value);
  if (status != ISCP_OK)
    return isc_fail(status, "tensor \"%s\": %s", name, iscp_error_message());
  if (c->set->count >= ISC_MAX_TENSORS)
    return isc_fail(ISCP_ERROR_FORMAT, "has more than %d tensors", ISC_MAX_TENSORS);
  isc_tensor tensor = {0};
  ISC_TRY(isc_tensor_create(&tensor, c->context, view.dtype, view.dims, view.shape));
  tensor.name = isc_strdup(c->context, name);
  status = tensor.name ? isc_tensor_set_add(c->set, c->context, &tensor) : ISCP_ERROR_MEMORY;
  isc_tensor_release(&tensor, c->context);
  ISC_TRY(status);
  ISC_TRY(isc_grow(c->context, (void **)&views->items, &views->capacity, views->count + 1, sizeof view));
  views->items[views->count++] = view;
  return ISCP_OK;
}

static int by_key(const void *a, const void *b) {
  const isc_view *x = a, *y = b;
  uint32_t shorter = x->key_length < y->key_length ? x->key_length : y->key_length;
  int order = memcmp(x->key, y->key, shorter);
  if (order)
    return order;
  return (x->key_length > y->key_length) - (x->key_length < y->key_length);
}

iscp_status isc_views_collect(isc_views *views, isc_tensor_set *set, const iscp_context *context,
                              const isc_pickle *pickle, const char *wanted) {
  isc_state state;
  collector c = {views, set, context, pickle};
  ISC_TRY(isc_state_choose(&state, context, pickle, wanted));
  ISC_TRY(isc_tensor_set_describe(set, context, "pytorch.dict", state.path));
  ISC_TRY(isc_state_each(&state, pickle, add_tensor, &c));
  if (views->count)
    qsort(views->items, views->count, sizeof *views->items, by_key);
  return ISCP_OK;
}

size_t isc_views_of(const isc_views *views, const char *key, size_t length, size_t *first) {
  isc_view wanted = {.key = key, .key_length = (uint32_t)length};
  size_t low = 0, high = views->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (by_key(&views->items[middle], &wanted) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *first = low;
  while (high < views->count && !by_key(&views->items[high], &wanted))
    high++;
  return high - low;
}

/* ---- Numbers ---- */

/* Whether the view is its whole storage, already in C order. */
static bool is_whole_storage(const isc_view *view, int64_t count) {
  int64_t stride = 1;
  for (int32_t d = view->dims - 1; count && d >= 0; d--) {
    if (view->shape[d] != 1 && view->strides[d] != stride)
      return false;
    stride *= view->shape[d];
  }
  return view->offset == 0 && count == view->storage_count;
}

static void swap_bytes(void *numbers, size_t item, int64_t size) {
  uint8_t *bytes = numbers;
  for (int64_t at = 0; at + (int64_t)item <= size; at += (int64_t)item)
    for (size_t i = 0; i < item / 2; i++) {
      uint8_t byte = bytes[at + (int64_t)i];
      bytes[at + (int64_t)i] = bytes[at + (int64_t)(item - 1 - i)];
      bytes[at + (int64_t)(item - 1 - i)] = byte;
    }
}

static iscp_status read_storage(const isc_storage *storage, void *dst, size_t item) {
  ISC_TRY(storage->read(storage->user, dst, (size_t)storage->size));
  if (storage->is_swapped)
    swap_bytes(dst, item, storage->size);
  return ISCP_OK;
}

static iscp_status check_storage(const isc_tensor_set *set, isc_view *view, const isc_view *first,
                                 const isc_storage *storage) {
  int64_t bytes = view->storage_count * (int64_t)isc_dtype_size(view->dtype);
  /* A view may be far larger than its storage: filled again and again, it would take hours. */
  if (view->is_read)
    return isc_fail(ISCP_ERROR_FORMAT, "storage \"%s\" stands twice, expected each once", storage->name);
  if (bytes != storage->size)
    return isc_fail(ISCP_ERROR_FORMAT, "storage \"%s\" has %lld bytes, expected %lld for tensor \"%s\"", storage->name,
                    (long long)storage->size, (long long)bytes, set->items[view->index].name);
  if (storage->is_swapped && isc_dtype_size(view->dtype) != isc_dtype_size(first->dtype))
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "storage \"%s\" is big-endian and of two number types", storage->name);
  view->is_read = true;
  return ISCP_OK;
}

iscp_status isc_views_fill(isc_tensor_set *set, const iscp_context *context, isc_view *views, size_t count,
                           const isc_storage *storage) {
  for (size_t i = 0; i < count; i++)
    ISC_TRY(check_storage(set, &views[i], views, storage));
  const isc_tensor *first = &set->items[views->index];
  size_t item = isc_dtype_size(views->dtype);
  if (count == 1 && is_whole_storage(views, isc_tensor_count(first)))
    return read_storage(storage, first->data, item);
  char *numbers = isc_alloc(context, (size_t)storage->size);
  if (!numbers)
    return ISCP_ERROR_MEMORY;
  iscp_status status = read_storage(storage, numbers, item);
  for (size_t i = 0; i < count && status == ISCP_OK; i++) {
    item = isc_dtype_size(views[i].dtype);
    isc_gather(set->items[views[i].index].data, numbers + (size_t)views[i].offset * item, item, views[i].dims,
               views[i].shape, views[i].strides);
  }
  isc_free(context, numbers);
  return status;
}

iscp_status isc_views_check(const isc_views *views, const isc_tensor_set *set) {
  for (size_t i = 0; i < views->count; i++) {
    const isc_view *view = &views->items[i];
    if (!view->is_read)
      return isc_fail(ISCP_ERROR_FORMAT, "has no storage \"%.*s\", expected the numbers of tensor \"%s\"",
                      (int)view->key_length, view->key, set->items[view->index].name);
  }
  return ISCP_OK;
}
