/* From a pickle's tree to tensors: which dict is the state dict, and what each
 *   _rebuild_tensor_v2(('storage', type, key, device, count), offset, size, stride, ...)
 * in it asks for. Everything is checked here, so that the numbers can be moved without a look at bounds. */
#include "format/views.h"

#include <stdlib.h>
#include <string.h>

/* ---- The state dict ---- */

static bool is_tensor(const isc_pickle *pickle, isc_value value) {
  return isc_pickle_node(pickle, value)->kind == ISC_VALUE_CALL;
}

static bool holds_tensor(const isc_pickle *pickle, isc_value dict) {
  for (isc_value link = isc_pickle_first(pickle, dict); link;) {
    isc_pickle_step(pickle, &link);
    if (is_tensor(pickle, isc_pickle_step(pickle, &link)))
      return true;
  }
  return false;
}

static isc_value find(const isc_pickle *pickle, isc_value dict, const char *key) {
  for (isc_value link = isc_pickle_first(pickle, dict); link;) {
    isc_value name = isc_pickle_step(pickle, &link), value = isc_pickle_step(pickle, &link);
    if (isc_pickle_is_text(pickle, name, key))
      return value;
  }
  return 0;
}

static iscp_status choose_dict(isc_value *dict, const char **name, const isc_pickle *pickle) {
  static const char *const names[] = {"state_dict", "model_state_dict", "model", "net", "network", "model_ema", "ema"};
  *dict = pickle->root;
  *name = "top level";
  if (isc_pickle_node(pickle, *dict)->kind != ISC_VALUE_DICT)
    return isc_fail(ISCP_ERROR_FORMAT, "holds no dict, expected a state dict: torch.save(model.state_dict(), file)");
  if (holds_tensor(pickle, *dict))
    return ISCP_OK;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    isc_value inner = find(pickle, pickle->root, names[i]);
    if (isc_pickle_node(pickle, inner)->kind == ISC_VALUE_DICT && holds_tensor(pickle, inner)) {
      *dict = inner;
      *name = names[i];
      return ISCP_OK;
    }
  }
  return isc_fail(ISCP_ERROR_FORMAT, "holds no tensor, expected a state dict at the top level or in state_dict, "
                  "model_state_dict, model, net, network, model_ema or ema");
}

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

static iscp_status get_storage(isc_view *view, const isc_pickle *pickle, isc_value persistent) {
  const isc_node *node = isc_pickle_node(pickle, persistent);
  if (node->kind != ISC_VALUE_PERSISTENT)
    return isc_fail(ISCP_ERROR_FORMAT, "it has no storage");
  isc_value tuple = node->pair.first;
  const isc_node *type = isc_pickle_node(pickle, isc_pickle_item(pickle, tuple, 1));
  const isc_node *key = isc_pickle_node(pickle, isc_pickle_item(pickle, tuple, 2));
  if (type->kind != ISC_VALUE_NAME || type->length <= ISC_NAME_STORAGE)
    return isc_fail(ISCP_ERROR_FORMAT, "its storage has no number type");
  if (key->kind != ISC_VALUE_TEXT || !key->length || key->length > 256)
    return isc_fail(ISCP_ERROR_FORMAT, "its storage has no key");
  view->dtype = (isc_dtype)(type->length - ISC_NAME_STORAGE);
  view->key = (const char *)pickle->bytes + key->offset;
  view->key_length = key->length;
  return get_integer(&view->storage_count, pickle, isc_pickle_item(pickle, tuple, 4), "the count of its storage");
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

static iscp_status get_view(isc_views *views, isc_view *view, const isc_pickle *pickle, isc_value tensor) {
  isc_value arguments = isc_pickle_node(pickle, tensor)->pair.first;
  if (isc_pickle_node(pickle, tensor)->length == ISC_NAME_REBUILD_PARAMETER) {
    tensor = isc_pickle_item(pickle, arguments, 0);
    arguments = isc_pickle_node(pickle, tensor)->pair.first;
  }
  const isc_node *node = isc_pickle_node(pickle, tensor);
  if (node->kind != ISC_VALUE_CALL || node->length != ISC_NAME_REBUILD_TENSOR)
    return isc_fail(ISCP_ERROR_FORMAT, "a parameter holds no tensor");
  ISC_TRY(get_storage(view, pickle, isc_pickle_item(pickle, arguments, 0)));
  ISC_TRY(get_integer(&view->offset, pickle, isc_pickle_item(pickle, arguments, 1), "the offset"));
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

static iscp_status get_name(char **out, const iscp_context *context, const isc_pickle *pickle, isc_value key) {
  const isc_node *node = isc_pickle_node(pickle, key);
  const char *text = node->kind == ISC_VALUE_TEXT ? (const char *)pickle->bytes + node->offset : NULL;
  if (!text || !node->length || node->length > 1024 || !isc_is_text(text, node->length))
    return isc_fail(ISCP_ERROR_FORMAT, "a tensor has no readable name, expected a text of 1 to 1024 bytes");
  *out = isc_calloc(context, node->length + 1, 1);
  if (!*out)
    return ISCP_ERROR_MEMORY;
  memcpy(*out, text, node->length);
  return ISCP_OK;
}

static iscp_status add_tensor(isc_views *views, isc_tensor_set *set, const iscp_context *context,
                              const isc_pickle *pickle, const char *name, isc_value value) {
  isc_view view = {.index = set->count};
  iscp_status status = get_view(views, &view, pickle, value);
  if (status != ISCP_OK)
    return isc_fail(status, "tensor \"%s\": %s", name, iscp_error_message());
  if (set->count >= ISC_MAX_TENSORS)
    return isc_fail(ISCP_ERROR_FORMAT, "has more than %d tensors", ISC_MAX_TENSORS);
  isc_tensor tensor = {0};
  ISC_TRY(isc_tensor_create(&tensor, context, view.dtype, view.dims, view.shape));
  tensor.name = isc_strdup(context, name);
  status = tensor.name ? isc_tensor_set_add(set, context, &tensor) : ISCP_ERROR_MEMORY;
  isc_tensor_release(&tensor, context);
  ISC_TRY(status);
  ISC_TRY(isc_grow(context, (void **)&views->items, &views->capacity, views->count + 1, sizeof view));
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
                              const isc_pickle *pickle) {
  isc_value dict;
  const char *choice;
  ISC_TRY(choose_dict(&dict, &choice, pickle));
  ISC_TRY(isc_tensor_set_describe(set, context, "pytorch.dict", choice));
  for (isc_value link = isc_pickle_first(pickle, dict); link;) {
    isc_value key = isc_pickle_step(pickle, &link), value = isc_pickle_step(pickle, &link);
    if (!is_tensor(pickle, value))
      continue; /* an epoch, an accuracy: no weights */
    char *name;
    ISC_TRY(get_name(&name, context, pickle, key));
    iscp_status status = add_tensor(views, set, context, pickle, name, value);
    isc_free(context, name);
    ISC_TRY(status);
  }
  qsort(views->items, views->count, sizeof *views->items, by_key);
  return ISCP_OK;
}

size_t isc_views_of(const isc_views *views, const char *key, size_t *first) {
  isc_view wanted = {.key = key, .key_length = (uint32_t)strlen(key)};
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
