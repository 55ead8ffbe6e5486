/* The restricted pickle reader: a stack machine over an arena of nodes, which only ever builds data. The memo holds
 * indices, so that no value is copied; time and memory are bounded by the number of opcodes. The format is that of
 * Python's pickletools; the opcodes are those that torch.save writes with protocol 2 and, beyond it, 4 and 5. */
#include "format/pickle.h"

#include <stdio.h>
#include <string.h>

enum { NODE_LIMIT = 4 << 20, DEPTH_LIMIT = 64 };

typedef struct machine {
  isc_pickle *pickle;
  const iscp_context *context;
  size_t at;     /* next byte */
  size_t opcode; /* where the current opcode stands, for messages */
  isc_value *stack, *memo;
  size_t height, stack_capacity, memo_count, memo_capacity;
  size_t marks[DEPTH_LIMIT]; /* stack heights */
  size_t depth;
  bool stopped;
} machine;

static iscp_status fail(const machine *m, const char *expected) {
  return isc_fail(ISCP_ERROR_FORMAT, "pickle is damaged at byte %zu (opcode 0x%02x), expected %s", m->opcode,
                  m->pickle->bytes[m->opcode], expected);
}

/* ---- Bytes ---- */

static iscp_status take(machine *m, const uint8_t **bytes, size_t size) {
  if (size > m->pickle->size - m->at)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle is truncated: it ends at byte %zu within the opcode at byte %zu",
                    m->pickle->size, m->opcode);
  *bytes = m->pickle->bytes + m->at;
  m->at += size;
  return ISCP_OK;
}

/* A little-endian unsigned number of up to 8 bytes. */
static iscp_status take_number(machine *m, uint64_t *number, size_t size) {
  const uint8_t *bytes;
  ISC_TRY(take(m, &bytes, size));
  *number = 0;
  for (size_t i = 0; i < size; i++)
    *number |= (uint64_t)bytes[i] << (8 * i);
  return ISCP_OK;
}

static iscp_status take_line(machine *m, const char **line, size_t *length) {
  const uint8_t *start = m->pickle->bytes + m->at;
  const uint8_t *end = memchr(start, '\n', m->pickle->size - m->at);
  if (!end)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle is truncated: it ends within the name at byte %zu", m->opcode);
  *line = (const char *)start;
  *length = (size_t)(end - start);
  m->at += *length + 1;
  return ISCP_OK;
}

/* ---- Nodes and the stack ---- */

static iscp_status add_node(machine *m, isc_value *value, isc_node node) {
  isc_pickle *pickle = m->pickle;
  if (pickle->count >= NODE_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle has more than %d values", NODE_LIMIT);
  ISC_TRY(isc_grow(m->context, (void **)&pickle->nodes, &pickle->capacity, pickle->count + 1, sizeof node));
  *value = (isc_value)pickle->count;
  pickle->nodes[pickle->count++] = node;
  return ISCP_OK;
}

static isc_node *node_at(const machine *m, isc_value value) { return &m->pickle->nodes[value]; }

static iscp_status push(machine *m, isc_value value) {
  ISC_TRY(isc_grow(m->context, (void **)&m->stack, &m->stack_capacity, m->height + 1, sizeof value));
  m->stack[m->height++] = value;
  return ISCP_OK;
}

static iscp_status push_node(machine *m, isc_node node) {
  isc_value value;
  ISC_TRY(add_node(m, &value, node));
  return push(m, value);
}

static size_t floor_of(const machine *m) { return m->depth ? m->marks[m->depth - 1] : 0; }

/* Takes the top value; a value below the last mark is out of reach. */
static iscp_status pop(machine *m, isc_value *value) {
  if (m->height <= floor_of(m))
    return fail(m, "a value on the stack");
  *value = m->stack[--m->height];
  return ISCP_OK;
}

static iscp_status top(const machine *m, isc_value *value) {
  if (m->height <= floor_of(m))
    return fail(m, "a value on the stack");
  *value = m->stack[m->height - 1];
  return ISCP_OK;
}

static iscp_status link_item(machine *m, isc_value container, isc_value item) {
  isc_value link;
  ISC_TRY(add_node(m, &link, (isc_node){.kind = ISC_VALUE_LINK, .pair = {item, 0}}));
  isc_node *node = node_at(m, container);
  if (node->pair.last)
    node_at(m, node->pair.last)->pair.last = link;
  else
    node->pair.first = link;
  node->pair.last = link;
  node->length++;
  return ISCP_OK;
}

/* Moves the top `count` values into `container`, in their order. */
static iscp_status link_top(machine *m, isc_value container, size_t count) {
  m->height -= count;
  for (size_t i = 0; i < count; i++)
    ISC_TRY(link_item(m, container, m->stack[m->height + i]));
  return ISCP_OK;
}

static iscp_status pop_mark(machine *m, size_t *count) {
  if (!m->depth)
    return fail(m, "a mark on the stack");
  *count = m->height - m->marks[--m->depth];
  return ISCP_OK;
}

/* ---- Opcodes ---- */

static iscp_status op_mark(machine *m) {
  if (m->depth == DEPTH_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle is nested deeper than %d at byte %zu", DEPTH_LIMIT, m->opcode);
  m->marks[m->depth++] = m->height;
  return ISCP_OK;
}

static iscp_status op_tuple(machine *m, size_t count) {
  if (count > m->height - floor_of(m))
    return fail(m, "that many values on the stack");
  isc_value tuple;
  ISC_TRY(add_node(m, &tuple, (isc_node){.kind = ISC_VALUE_TUPLE}));
  ISC_TRY(link_top(m, tuple, count));
  return push(m, tuple);
}

/* APPEND(S) with a list below `count` values, SETITEM(S) with a dict. */
static iscp_status op_extend(machine *m, size_t count, uint32_t kind) {
  if (count + 1 > m->height - floor_of(m))
    return fail(m, "a container on the stack");
  isc_value container = m->stack[m->height - count - 1];
  if (node_at(m, container)->kind != kind)
    return fail(m, kind == ISC_VALUE_LIST ? "a list to append to" : "a dict to set items of");
  if (kind == ISC_VALUE_DICT && count % 2)
    return fail(m, "keys and values in pairs");
  return link_top(m, container, count);
}

static iscp_status op_tuple_marked(machine *m) {
  size_t count;
  ISC_TRY(pop_mark(m, &count));
  return op_tuple(m, count);
}

static iscp_status op_extend_marked(machine *m, uint32_t kind) {
  size_t count;
  ISC_TRY(pop_mark(m, &count));
  return op_extend(m, count, kind);
}

static iscp_status op_text(machine *m, size_t size_bytes, uint32_t kind) {
  uint64_t length;
  ISC_TRY(take_number(m, &length, size_bytes));
  size_t offset = m->at;
  const uint8_t *bytes;
  ISC_TRY(take(m, &bytes, length > SIZE_MAX ? SIZE_MAX : (size_t)length));
  return push_node(m, (isc_node){.kind = kind, .length = (uint32_t)length, .offset = offset});
}

static iscp_status push_integer(machine *m, int64_t integer) {
  return push_node(m, (isc_node){.kind = ISC_VALUE_INTEGER, .integer = integer});
}

static iscp_status op_integer(machine *m, size_t size, bool is_signed) {
  uint64_t number;
  ISC_TRY(take_number(m, &number, size));
  return push_integer(m, is_signed ? (int32_t)(uint32_t)number : (int64_t)number);
}

/* LONG1: two's complement of any length; more than 64 bits are of no use to a shape. */
static iscp_status op_long(machine *m) {
  uint64_t size, number;
  ISC_TRY(take_number(m, &size, 1));
  if (size > 8) {
    const uint8_t *bytes;
    ISC_TRY(take(m, &bytes, (size_t)size));
    return push_node(m, (isc_node){.kind = ISC_VALUE_OPAQUE});
  }
  ISC_TRY(take_number(m, &number, (size_t)size));
  if (size && size < 8 && number >> (8 * size - 1))
    number |= UINT64_MAX << (8 * size);
  return push_integer(m, (int64_t)number);
}

static iscp_status op_opaque(machine *m, size_t size) {
  const uint8_t *bytes;
  ISC_TRY(take(m, &bytes, size));
  return push_node(m, (isc_node){.kind = ISC_VALUE_OPAQUE});
}

static iscp_status op_constant(machine *m, uint32_t kind, int64_t value) {
  return push_node(m, (isc_node){.kind = kind, .integer = value});
}

static iscp_status push_name(machine *m, const char *module, size_t module_length, const char *name, size_t length) {
  int meaning = isc_pickle_meaning(module, module_length, name, length);
  if (meaning >= 0)
    return push_node(m, (isc_node){.kind = ISC_VALUE_NAME, .length = (uint32_t)meaning});
  const char *hint = "expected tensors in plain dicts only, as in torch.save(model.state_dict(), file)";
  /* A pickle that starts with a class is that class's object. */
  if (!m->height)
    hint = "it holds a whole object or module, expected a state dict: torch.save(model.state_dict(), file)";
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "pickle names %.*s.%.*s at byte %zu, which is not read: %s",
                  (int)(module_length < 100 ? module_length : 100), module, (int)(length < 100 ? length : 100), name,
                  m->opcode, hint);
}

static iscp_status op_global(machine *m) {
  const char *module, *name;
  size_t module_length, length;
  ISC_TRY(take_line(m, &module, &module_length));
  ISC_TRY(take_line(m, &name, &length));
  return push_name(m, module, module_length, name, length);
}

static iscp_status op_stack_global(machine *m) {
  isc_value name, module;
  ISC_TRY(pop(m, &name));
  ISC_TRY(pop(m, &module));
  const isc_node *a = node_at(m, module), *b = node_at(m, name);
  if (a->kind != ISC_VALUE_TEXT || b->kind != ISC_VALUE_TEXT)
    return fail(m, "a module and a name on the stack");
  const char *bytes = (const char *)m->pickle->bytes;
  return push_name(m, bytes + a->offset, a->length, bytes + b->offset, b->length);
}

static iscp_status push_call(machine *m, uint32_t name, isc_value arguments) {
  const isc_node *node = node_at(m, arguments);
  switch (name) {
  case ISC_NAME_ORDERED_DICT:
    if (node->length)
      return fail(m, "an OrderedDict without arguments");
    return push_node(m, (isc_node){.kind = ISC_VALUE_DICT});
  case ISC_NAME_SIZE:
    if (node->length != 1)
      return fail(m, "a torch.Size of one argument");
    return push(m, isc_pickle_item(m->pickle, arguments, 0));
  case ISC_NAME_DEVICE:
    return push_node(m, (isc_node){.kind = ISC_VALUE_OPAQUE});
  case ISC_NAME_REBUILD_TENSOR:
  case ISC_NAME_REBUILD_PARAMETER:
    return push_node(m, (isc_node){.kind = ISC_VALUE_CALL, .length = name, .pair = {arguments, 0}});
  default:
    return fail(m, "a call that rebuilds a tensor");
  }
}

static iscp_status op_call(machine *m) {
  isc_value arguments, name;
  ISC_TRY(pop(m, &arguments));
  ISC_TRY(pop(m, &name));
  if (node_at(m, name)->kind != ISC_VALUE_NAME || node_at(m, arguments)->kind != ISC_VALUE_TUPLE)
    return fail(m, "a name and a tuple of arguments on the stack");
  return push_call(m, node_at(m, name)->length, arguments);
}

/* BUILD gives an object its attributes. A state dict's OrderedDict carries `_metadata` that way; it is passed over. */
static iscp_status op_build(machine *m) {
  isc_value state, target;
  ISC_TRY(pop(m, &state));
  ISC_TRY(top(m, &target));
  uint32_t kind = node_at(m, target)->kind;
  return kind == ISC_VALUE_DICT || kind == ISC_VALUE_CALL ? ISCP_OK : fail(m, "an OrderedDict or a tensor to build");
}

static iscp_status op_persistent(machine *m) {
  isc_value tuple;
  ISC_TRY(pop(m, &tuple));
  if (node_at(m, tuple)->kind != ISC_VALUE_TUPLE ||
      !isc_pickle_is_text(m->pickle, isc_pickle_item(m->pickle, tuple, 0), "storage"))
    return fail(m, "a tuple that starts with 'storage'");
  return push_node(m, (isc_node){.kind = ISC_VALUE_PERSISTENT, .pair = {tuple, 0}});
}

static iscp_status put_memo(machine *m, uint64_t index) {
  isc_value value;
  ISC_TRY(top(m, &value));
  /* Python numbers the memo in sequence, so an index beyond the number of bytes is no pickler's. */
  if (index >= m->pickle->size || index >= NODE_LIMIT)
    return fail(m, "a memo index below the number of values");
  ISC_TRY(isc_grow(m->context, (void **)&m->memo, &m->memo_capacity, (size_t)index + 1, sizeof value));
  m->memo[index] = value;
  if (index >= m->memo_count)
    m->memo_count = (size_t)index + 1;
  return ISCP_OK;
}

static iscp_status op_put(machine *m, size_t size) {
  uint64_t index;
  ISC_TRY(take_number(m, &index, size));
  return put_memo(m, index);
}

static iscp_status op_get(machine *m, size_t size) {
  uint64_t index;
  ISC_TRY(take_number(m, &index, size));
  if (index >= m->memo_count || !m->memo[index])
    return fail(m, "a memo index that was stored before");
  return push(m, m->memo[index]);
}

static iscp_status op_protocol(machine *m) {
  uint64_t protocol;
  ISC_TRY(take_number(m, &protocol, 1));
  if (m->opcode == 0 && protocol >= 2 && protocol <= 5)
    return ISCP_OK;
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "pickle has protocol %d at byte %zu, expected 2 to 5 at its start",
                  (int)protocol, m->opcode);
}

static iscp_status op_frame(machine *m) {
  uint64_t size;
  return take_number(m, &size, 8);
}

static iscp_status op_stop(machine *m) {
  if (m->height != 1 || m->depth)
    return fail(m, "one value on the stack at the end");
  m->pickle->root = m->stack[0];
  m->stopped = true;
  return ISCP_OK;
}

static iscp_status run_opcode(machine *m, uint8_t opcode) {
  switch (opcode) {
  case 0x80: return op_protocol(m);
  case 0x95: return op_frame(m);
  case '(': return op_mark(m);
  case '.': return op_stop(m);
  case 'N': return op_constant(m, ISC_VALUE_NONE, 0);
  case 0x88: return op_constant(m, ISC_VALUE_BOOL, 1);
  case 0x89: return op_constant(m, ISC_VALUE_BOOL, 0);
  case 'J': return op_integer(m, 4, true);
  case 'K': return op_integer(m, 1, false);
  case 'M': return op_integer(m, 2, false);
  case 0x8a: return op_long(m);
  case 'G': return op_opaque(m, 8);
  case 'X': return op_text(m, 4, ISC_VALUE_TEXT);
  case 0x8c: return op_text(m, 1, ISC_VALUE_TEXT);
  case 0x8d: return op_text(m, 8, ISC_VALUE_TEXT);
  case 'U': return op_text(m, 1, ISC_VALUE_TEXT);
  case 'T': return op_text(m, 4, ISC_VALUE_TEXT);
  case 'C': return op_text(m, 1, ISC_VALUE_OPAQUE);
  case 'B': return op_text(m, 4, ISC_VALUE_OPAQUE);
  case '}': return op_constant(m, ISC_VALUE_DICT, 0);
  case ']': return op_constant(m, ISC_VALUE_LIST, 0);
  case ')': return op_tuple(m, 0);
  case 0x85: return op_tuple(m, 1);
  case 0x86: return op_tuple(m, 2);
  case 0x87: return op_tuple(m, 3);
  case 't': return op_tuple_marked(m);
  case 'a': return op_extend(m, 1, ISC_VALUE_LIST);
  case 's': return op_extend(m, 2, ISC_VALUE_DICT);
  case 'e': return op_extend_marked(m, ISC_VALUE_LIST);
  case 'u': return op_extend_marked(m, ISC_VALUE_DICT);
  case 'c': return op_global(m);
  case 0x93: return op_stack_global(m);
  case 'R': case 0x81: return op_call(m);
  case 'b': return op_build(m);
  case 'Q': return op_persistent(m);
  case 'q': return op_put(m, 1);
  case 'r': return op_put(m, 4);
  case 0x94: return put_memo(m, m->memo_count);
  case 'h': return op_get(m, 1);
  case 'j': return op_get(m, 4);
  default: return fail(m, "an opcode that torch.save writes");
  }
}

static iscp_status run(machine *m) {
  isc_value none;
  ISC_TRY(add_node(m, &none, (isc_node){.kind = ISC_VALUE_NONE}));
  while (!m->stopped) {
    const uint8_t *opcode;
    m->opcode = m->at;
    ISC_TRY(take(m, &opcode, 1));
    ISC_TRY(run_opcode(m, *opcode));
  }
  if (m->at != m->pickle->size)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle ends at byte %zu of %zu, expected nothing after it", m->at,
                    m->pickle->size);
  return ISCP_OK;
}

iscp_status isc_pickle_parse(isc_pickle *out, const iscp_context *context, const uint8_t *bytes, size_t size) {
  *out = (isc_pickle){.bytes = bytes, .size = size};
  if (size > ISC_PICKLE_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle has %zu bytes, expected at most %d", size, ISC_PICKLE_LIMIT);
  machine m = {.pickle = out, .context = context};
  iscp_status status = run(&m);
  isc_free(context, m.stack);
  isc_free(context, m.memo);
  if (status != ISCP_OK)
    isc_pickle_release(out, context);
  return status;
}
