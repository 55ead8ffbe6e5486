/* What a parsed pickle holds: walking its tree, and the list of names that mean something. Only these names are ever told apart;
 * every other one is text. */
#include "format/checkpoint/pickle.h"

#include <stdio.h>
#include <string.h>

static const struct {
  const char *module, *name;
  uint32_t meaning;
} known[] = {
    {"torch._utils", "_rebuild_tensor_v2", ISC_NAME_REBUILD_TENSOR},
    {"torch._utils", "_rebuild_tensor", ISC_NAME_REBUILD_TENSOR},
    {"torch._utils", "_rebuild_parameter", ISC_NAME_REBUILD_PARAMETER},
    {"torch._utils", "_rebuild_parameter_with_state", ISC_NAME_REBUILD_PARAMETER},
    {"torch._tensor", "_rebuild_from_type_v2", ISC_NAME_REBUILD_AS},
    {"collections", "OrderedDict", ISC_NAME_ORDERED_DICT},
    {"collections", "defaultdict", ISC_NAME_DEFAULT_DICT},
    {"torch", "Size", ISC_NAME_SIZE},
    {"torch", "device", ISC_NAME_DEVICE},
    {"torch", "FloatStorage", ISC_NAME_STORAGE + ISC_F32},
    {"torch", "HalfStorage", ISC_NAME_STORAGE + ISC_F16},
    {"torch", "BFloat16Storage", ISC_NAME_STORAGE + ISC_BF16},
    {"torch", "DoubleStorage", ISC_NAME_STORAGE + ISC_F64},
    {"torch", "ByteStorage", ISC_NAME_STORAGE + ISC_U8},
    {"torch", "CharStorage", ISC_NAME_STORAGE + ISC_I8},
    {"torch", "ShortStorage", ISC_NAME_STORAGE + ISC_I16},
    {"torch", "IntStorage", ISC_NAME_STORAGE + ISC_I32},
    {"torch", "LongStorage", ISC_NAME_STORAGE + ISC_I64},
    {"torch", "BoolStorage", ISC_NAME_STORAGE + ISC_BOOL},
};

static bool is_text(const char *text, const char *bytes, size_t length) {
  return strlen(text) == length && !memcmp(text, bytes, length);
}

static bool starts_with(const char *bytes, size_t length, const char *start) {
  return length >= strlen(start) && !memcmp(bytes, start, strlen(start));
}

isc_pickle_name isc_pickle_meaning(const char *module, size_t module_length, const char *name, size_t length) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (is_text(known[i].module, module, module_length) && is_text(known[i].name, name, length))
      return known[i].meaning;
  bool rebuilds = is_text("torch._utils", module, module_length) || is_text("torch._tensor", module, module_length);
  return rebuilds && starts_with(name, length, "_rebuild_") ? ISC_NAME_REBUILD_OTHER : ISC_NAME_FOREIGN;
}

void isc_pickle_release(isc_pickle *pickle, const iscp_context *context) {
  isc_free(context, pickle->nodes);
  *pickle = (isc_pickle){0};
}

const isc_node *isc_pickle_node(const isc_pickle *pickle, isc_value value) { return &pickle->nodes[value]; }

isc_value isc_pickle_first(const isc_pickle *pickle, isc_value container) {
  uint32_t kind = pickle->nodes[container].kind;
  bool holds = kind == ISC_VALUE_LIST || kind == ISC_VALUE_TUPLE || kind == ISC_VALUE_DICT;
  return holds ? pickle->nodes[container].pair.first : 0;
}

isc_value isc_pickle_step(const isc_pickle *pickle, isc_value *link) {
  isc_node node = pickle->nodes[*link];
  *link = node.pair.last;
  return node.pair.first;
}

isc_value isc_pickle_item(const isc_pickle *pickle, isc_value container, uint32_t index) {
  isc_value link = isc_pickle_first(pickle, container);
  for (uint32_t i = 0; link; i++) {
    isc_value item = isc_pickle_step(pickle, &link);
    if (i == index)
      return item;
  }
  return 0;
}

bool isc_pickle_is_text(const isc_pickle *pickle, isc_value value, const char *text) {
  const isc_node *node = &pickle->nodes[value];
  return node->kind == ISC_VALUE_TEXT && is_text(text, (const char *)pickle->bytes + node->offset, node->length);
}

isc_value isc_pickle_find(const isc_pickle *pickle, isc_value dict, const char *key) {
  isc_value found = 0;
  if (pickle->nodes[dict].kind != ISC_VALUE_DICT)
    return 0;
  for (isc_value link = isc_pickle_first(pickle, dict); link;) {
    isc_value name = isc_pickle_step(pickle, &link), value = isc_pickle_step(pickle, &link);
    if (isc_pickle_is_text(pickle, name, key))
      found = value;
  }
  return found;
}

char *isc_pickle_name_text(char text[ISC_NAME_TEXT], const isc_pickle *pickle, isc_value value) {
  const isc_node *node = &pickle->nodes[value];
  if (node->kind == ISC_VALUE_CALL || node->kind == ISC_VALUE_OBJECT)
    node = &pickle->nodes[node->pair.first];
  if (node->kind != ISC_VALUE_NAME) {
    snprintf(text, ISC_NAME_TEXT, "an unnamed call");
    return text;
  }
  const isc_node *module = &pickle->nodes[node->pair.first], *name = &pickle->nodes[node->pair.last];
  snprintf(text, ISC_NAME_TEXT, "%.*s.%.*s", (int)(module->length < 79 ? module->length : 79),
           (const char *)pickle->bytes + module->offset, (int)(name->length < 79 ? name->length : 79),
           (const char *)pickle->bytes + name->offset);
  return text;
}
