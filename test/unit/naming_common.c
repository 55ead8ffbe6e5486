#include "naming_common.h"

#include <stdio.h>
#include <string.h>

void network_begin(network *n, const toy *t) {
  n->context = support_context();
  toy_tensors(&n->tensors, n->context, t);
}

void network_end(network *n) {
  isc_tensor_set_release(&n->tensors, n->context);
  support_context_end(n->context);
}

void network_add(network *n, const char *name, int32_t dims, const int64_t *shape) {
  toy_add(&n->tensors, n->context, name, dims, shape, 0.5f, 1, 1);
}

void network_set_name(network *n, isc_tensor *tensor, const char *name) {
  isc_free(n->context, tensor->name);
  tensor->name = isc_strdup(n->context, name);
}

isc_tensor *network_item(network *n, const char *name) {
  isc_tensor *found = (isc_tensor *)isc_tensor_set_find(&n->tensors, name);
  ck_assert_msg(found != NULL, "no tensor %s", name);
  return found;
}

void network_put_prefix(network *n, const char *prefix) {
  char name[200];
  for (size_t i = 0; i < n->tensors.count; i++) {
    snprintf(name, sizeof name, "%s%s", prefix, n->tensors.items[i].name);
    network_set_name(n, &n->tensors.items[i], name);
  }
}

void network_replace(network *n, const char *from, const char *to) {
  char name[200];
  size_t replaced = 0;
  for (size_t i = 0; i < n->tensors.count; i++) {
    const char *old = n->tensors.items[i].name, *at = strstr(old, from);
    if (!at)
      continue;
    snprintf(name, sizeof name, "%.*s%s%s", (int)(at - old), old, to, at + strlen(from));
    network_set_name(n, &n->tensors.items[i], name);
    replaced++;
  }
  ck_assert_uint_gt(replaced, 0);
}

void network_drop(network *n, const char *name) {
  isc_tensor *tensor = network_item(n, name);
  isc_tensor_release(tensor, n->context);
  *tensor = n->tensors.items[--n->tensors.count];
}

void network_is(network *n, const toy *t, const char *scheme, const char *prefix) {
  isc_tensor_set expected;
  ASSERT_OK(isc_naming_apply(&n->naming, n->context, &n->tensors));
  ck_assert_str_eq(n->naming.scheme, scheme);
  ck_assert_str_eq(n->naming.prefix, prefix);
  toy_tensors(&expected, n->context, t);
  ck_assert_uint_eq(n->tensors.count, expected.count);
  for (size_t i = 0; i < expected.count; i++)
    ck_assert_mem_eq(network_item(n, expected.items[i].name)->data, expected.items[i].data, isc_tensor_bytes(&expected.items[i]));
  isc_tensor_set_release(&expected, n->context);
}

void network_is_refused(network *n, iscp_status status, const char *word) {
  support_failed(isc_naming_apply(&n->naming, n->context, &n->tensors), status, word);
}
