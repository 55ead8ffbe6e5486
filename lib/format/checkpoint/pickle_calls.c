/* What a pickle names and calls. The few names that rebuild a tensor or a dict have a meaning here; of all others nothing is
 * looked up, and what their calls would make is an object without content. */
#include "format/checkpoint/pickle_stack.h"

static iscp_status push_name(machine *m, isc_value module, isc_value name) {
  const isc_node *a = node_at(m, module), *b = node_at(m, name);
  const char *bytes = (const char *)m->pickle->bytes;
  uint32_t meaning = isc_pickle_meaning(bytes + a->offset, a->length, bytes + b->offset, b->length);
  return push_node(m, (isc_node){.kind = ISC_VALUE_NAME, .length = meaning, .pair = {module, name}});
}

static iscp_status add_line(machine *m, isc_value *value) {
  const char *line;
  size_t length;
  ISC_TRY(take_line(m, &line, &length));
  uint64_t offset = (uint64_t)((const uint8_t *)line - m->pickle->bytes);
  return add_node(m, value, (isc_node){.kind = ISC_VALUE_TEXT, .length = (uint32_t)length, .offset = offset});
}

iscp_status isc_op_global(machine *m) {
  isc_value module, name;
  ISC_TRY(add_line(m, &module));
  ISC_TRY(add_line(m, &name));
  return push_name(m, module, name);
}

iscp_status isc_op_stack_global(machine *m) {
  isc_value name, module;
  ISC_TRY(pop(m, &name));
  ISC_TRY(pop(m, &module));
  if (node_at(m, module)->kind != ISC_VALUE_TEXT || node_at(m, name)->kind != ISC_VALUE_TEXT)
    return fail(m, "a module and a name on the stack");
  return push_name(m, module, name);
}

/* OrderedDict(), or of Python 2, OrderedDict([[key, value], ...]). */
static iscp_status push_dict(machine *m, isc_value arguments) {
  isc_value dict, items = isc_pickle_item(m->pickle, arguments, 0);
  ISC_TRY(add_node(m, &dict, (isc_node){.kind = ISC_VALUE_DICT}));
  for (isc_value link = isc_pickle_first(m->pickle, items); link;) {
    isc_value pair = isc_pickle_step(m->pickle, &link);
    uint32_t kind = node_at(m, pair)->kind;
    if ((kind != ISC_VALUE_LIST && kind != ISC_VALUE_TUPLE) || node_at(m, pair)->length != 2)
      return fail(m, "an OrderedDict of pairs");
    ISC_TRY(link_item(m, dict, isc_pickle_item(m->pickle, pair, 0)));
    ISC_TRY(link_item(m, dict, isc_pickle_item(m->pickle, pair, 1)));
  }
  return push(m, dict);
}

static iscp_status push_call(machine *m, isc_value name, isc_value arguments) {
  uint32_t meaning = node_at(m, name)->length;
  if (node_at(m, name)->kind != ISC_VALUE_NAME)
    return push_node(m, (isc_node){.kind = ISC_VALUE_OBJECT, .pair = {name, 0}});
  switch (meaning) {
  case ISC_NAME_ORDERED_DICT:
    return push_dict(m, arguments);
  case ISC_NAME_DEFAULT_DICT:
    return push_node(m, (isc_node){.kind = ISC_VALUE_DICT});
  case ISC_NAME_SIZE:
    if (node_at(m, arguments)->length != 1)
      return fail(m, "a torch.Size of one argument");
    return push(m, isc_pickle_item(m->pickle, arguments, 0));
  case ISC_NAME_DEVICE:
    return push(m, OPAQUE);
  case ISC_NAME_REBUILD_TENSOR:
  case ISC_NAME_REBUILD_PARAMETER:
  case ISC_NAME_REBUILD_AS:
  case ISC_NAME_REBUILD_OTHER:
    return push_node(m, (isc_node){.kind = ISC_VALUE_CALL, .length = meaning, .pair = {name, arguments}});
  default:
    return push_node(m, (isc_node){.kind = ISC_VALUE_OBJECT, .pair = {name, 0}});
  }
}

/* A name, or what a call of one gave, which stays unknown. */
static bool may_be_called(uint32_t kind) {
  return kind == ISC_VALUE_NAME || kind == ISC_VALUE_OBJECT || kind == ISC_VALUE_OPAQUE;
}

iscp_status isc_op_call(machine *m) {
  isc_value arguments, name;
  ISC_TRY(pop(m, &arguments));
  ISC_TRY(pop(m, &name));
  if (!may_be_called(node_at(m, name)->kind) || node_at(m, arguments)->kind != ISC_VALUE_TUPLE)
    return fail(m, "a name and a tuple of arguments on the stack");
  return push_call(m, name, arguments);
}

/* NEWOBJ_EX: arguments by name come on top. */
iscp_status isc_op_call_named(machine *m) {
  isc_value named;
  ISC_TRY(pop(m, &named));
  return isc_op_call(m);
}

/* OBJ: a class and its arguments above the mark. */
iscp_status isc_op_object(machine *m) {
  size_t count;
  ISC_TRY(pop_mark(m, &count));
  if (!count)
    return fail(m, "a class above the mark");
  m->height -= count;
  return push_node(m, (isc_node){.kind = ISC_VALUE_OBJECT, .pair = {m->stack[m->height], 0}});
}

/* INST: the same with the class's name in the opcode. */
iscp_status isc_op_instance(machine *m) {
  isc_value class;
  ISC_TRY(drop_marked(m));
  ISC_TRY(isc_op_global(m));
  ISC_TRY(pop(m, &class));
  return push_node(m, (isc_node){.kind = ISC_VALUE_OBJECT, .pair = {class, 0}});
}

/* BUILD gives an object its attributes. A state dict's OrderedDict carries `_metadata` that way; it is passed over. */
iscp_status isc_op_build(machine *m) {
  isc_value state, target;
  ISC_TRY(pop(m, &state));
  ISC_TRY(top(m, &target));
  isc_node *node = node_at(m, target);
  if (node->kind == ISC_VALUE_OBJECT)
    node->pair.last = state;
  else if (node->kind != ISC_VALUE_DICT && node->kind != ISC_VALUE_CALL && node->kind != ISC_VALUE_OPAQUE)
    return fail(m, "an object, an OrderedDict or a tensor to build");
  return ISCP_OK;
}

/* What stands for a storage, or in a legacy stream for the class of a module with its source beside it. */
iscp_status isc_op_persistent(machine *m) {
  isc_value tuple;
  ISC_TRY(pop(m, &tuple));
  isc_value kind = isc_pickle_item(m->pickle, tuple, 0);
  if (isc_pickle_is_text(m->pickle, kind, "module") && node_at(m, tuple)->length > 1)
    return push(m, isc_pickle_item(m->pickle, tuple, 1));
  if (node_at(m, tuple)->kind != ISC_VALUE_TUPLE || !isc_pickle_is_text(m->pickle, kind, "storage"))
    return fail(m, "a tuple that starts with 'storage'");
  return push_node(m, (isc_node){.kind = ISC_VALUE_PERSISTENT, .pair = {tuple, 0}});
}
