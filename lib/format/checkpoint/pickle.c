/* The restricted pickle reader: a stack machine over an arena of nodes, which only ever builds data. The memo holds
 * indices, so that no value is copied; time and memory are bounded by the number of opcodes. The format is that of
 * Python's pickletools; the opcodes are those of protocols 1 to 5. Protocol 0 says a storage as a text that PyTorch
 * itself cannot read again. */
#include <stdlib.h>
#include <string.h>

#include "format/checkpoint/pickle_stack.h"

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

/* APPEND(S) to a list, SETITEM(S) of a dict, or either of an object, whose items are of no interest. */
static iscp_status op_extend(machine *m, size_t count, uint32_t kind) {
  if (count + 1 > m->height - floor_of(m))
    return fail(m, "a container on the stack");
  isc_value container = m->stack[m->height - count - 1];
  uint32_t found = node_at(m, container)->kind;
  if (kind == ISC_VALUE_DICT && count % 2)
    return fail(m, "keys and values in pairs");
  if (found == ISC_VALUE_OBJECT || found == ISC_VALUE_OPAQUE) {
    m->height -= count;
    return ISCP_OK;
  }
  if (found != kind)
    return fail(m, kind == ISC_VALUE_LIST ? "a list to append to" : "a dict to set items of");
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

/* Takes a text or bytes whose size stands before it. */
static iscp_status take_text(machine *m, isc_node *text, size_t size_bytes) {
  uint64_t length;
  ISC_TRY(take_number(m, &length, size_bytes));
  *text = (isc_node){.kind = ISC_VALUE_TEXT, .length = (uint32_t)length, .offset = m->at};
  const uint8_t *bytes;
  return take(m, &bytes, length > SIZE_MAX ? SIZE_MAX : (size_t)length);
}

static iscp_status op_text(machine *m, size_t size_bytes) {
  isc_node text;
  ISC_TRY(take_text(m, &text, size_bytes));
  return push_node(m, text);
}

static iscp_status op_bytes(machine *m, size_t size_bytes) {
  isc_node text;
  ISC_TRY(take_text(m, &text, size_bytes));
  return push(m, OPAQUE);
}

static iscp_status push_integer(machine *m, int64_t integer) {
  return push_node(m, (isc_node){.kind = ISC_VALUE_INTEGER, .integer = integer});
}

static iscp_status op_integer(machine *m, size_t size, bool is_signed) {
  uint64_t number;
  ISC_TRY(take_number(m, &number, size));
  return push_integer(m, is_signed ? (int32_t)(uint32_t)number : (int64_t)number);
}

/* LONG1, LONG4: two's complement of any length; more than 64 bits are of no use to a shape. */
static iscp_status op_long(machine *m, size_t size_bytes) {
  uint64_t size, number;
  ISC_TRY(take_number(m, &size, size_bytes));
  if (size > 8) {
    const uint8_t *bytes;
    ISC_TRY(take(m, &bytes, (size_t)size));
    return push(m, OPAQUE);
  }
  ISC_TRY(take_number(m, &number, (size_t)size));
  if (size && size < 8 && number >> (8 * size - 1))
    number |= UINT64_MAX << (8 * size);
  return push_integer(m, (int64_t)number);
}

/* INT, of protocols 0 and 1: a decimal number, or 00 and 01 for the truth values. LONG ends in an L. */
static iscp_status op_decimal(machine *m) {
  const char *line;
  size_t length;
  char text[24] = {0}, *end;
  ISC_TRY(take_line(m, &line, &length));
  if (length == 2 && line[0] == '0')
    return push(m, line[1] == '1' ? TRUE : FALSE);
  if (length >= sizeof text)
    return push(m, OPAQUE);
  memcpy(text, line, length);
  long long number = strtoll(text, &end, 10);
  if (!length || (*end && strcmp(end, "L")))
    return fail(m, "a decimal number");
  return push_integer(m, number);
}

static iscp_status op_opaque(machine *m, size_t size) {
  const uint8_t *bytes;
  ISC_TRY(take(m, &bytes, size));
  return push(m, OPAQUE);
}

static iscp_status op_opaque_line(machine *m) {
  const char *line;
  size_t length;
  ISC_TRY(take_line(m, &line, &length));
  return push(m, OPAQUE);
}

static iscp_status op_empty(machine *m, uint32_t kind) { return push_node(m, (isc_node){.kind = kind}); }

static iscp_status op_frozen_set(machine *m) {
  ISC_TRY(drop_marked(m));
  return push(m, OPAQUE);
}

static iscp_status op_pop(machine *m) {
  isc_value value;
  if (m->depth && m->height == m->marks[m->depth - 1])
    return drop_marked(m);
  return pop(m, &value);
}

/* ---- The memo ---- */

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

/* ---- Running ---- */

static iscp_status op_protocol(machine *m) {
  uint64_t protocol;
  ISC_TRY(take_number(m, &protocol, 1));
  if (m->opcode == m->start && protocol <= 5)
    return ISCP_OK;
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "pickle has protocol %d at byte %zu, expected 1 to 5 at its start",
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

/* Opcodes that only protocol 0 writes, and those that no checkpoint has. */
static iscp_status op_unknown(machine *m, uint8_t opcode) {
  if (strchr("VSpgdlP", opcode) && opcode)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "pickle is of protocol 0 (opcode 0x%02x at byte %zu), which PyTorch itself "
                    "cannot read, expected protocol 1 to 5: save it again without pickle_protocol", opcode, m->opcode);
  return fail(m, "an opcode that torch.save writes");
}

static iscp_status run_opcode(machine *m, uint8_t opcode) {
  switch (opcode) {
  case 0x80: return op_protocol(m);
  case 0x95: return op_frame(m);
  case '(': return op_mark(m);
  case '.': return op_stop(m);
  case '0': return op_pop(m);
  case '1': return drop_marked(m);
  case 'N': return push(m, NONE);
  case 0x88: return push(m, TRUE);
  case 0x89: return push(m, FALSE);
  case 'I': case 'L': return op_decimal(m);
  case 'J': return op_integer(m, 4, true);
  case 'K': return op_integer(m, 1, false);
  case 'M': return op_integer(m, 2, false);
  case 0x8a: return op_long(m, 1);
  case 0x8b: return op_long(m, 4);
  case 'F': return op_opaque_line(m);
  case 'G': return op_opaque(m, 8);
  case 'X': return op_text(m, 4);
  case 0x8c: return op_text(m, 1);
  case 0x8d: return op_text(m, 8);
  case 'U': return op_text(m, 1);
  case 'T': return op_text(m, 4);
  case 'C': return op_bytes(m, 1);
  case 'B': return op_bytes(m, 4);
  case 0x8e: case 0x96: return op_bytes(m, 8);
  case '}': return op_empty(m, ISC_VALUE_DICT);
  case ']': return op_empty(m, ISC_VALUE_LIST);
  case ')': return op_tuple(m, 0);
  case 0x85: return op_tuple(m, 1);
  case 0x86: return op_tuple(m, 2);
  case 0x87: return op_tuple(m, 3);
  case 't': return op_tuple_marked(m);
  case 'a': return op_extend(m, 1, ISC_VALUE_LIST);
  case 's': return op_extend(m, 2, ISC_VALUE_DICT);
  case 'e': return op_extend_marked(m, ISC_VALUE_LIST);
  case 'u': return op_extend_marked(m, ISC_VALUE_DICT);
  case 0x8f: return push(m, OPAQUE);
  case 0x90: return drop_marked(m);
  case 0x91: return op_frozen_set(m);
  case 'c': return isc_op_global(m);
  case 0x93: return isc_op_stack_global(m);
  case 'R': case 0x81: return isc_op_call(m);
  case 0x92: return isc_op_call_named(m);
  case 'o': return isc_op_object(m);
  case 'i': return isc_op_instance(m);
  case 'b': return isc_op_build(m);
  case 'Q': return isc_op_persistent(m);
  case 'q': return op_put(m, 1);
  case 'r': return op_put(m, 4);
  case 0x94: return put_memo(m, m->memo_count);
  case 'h': return op_get(m, 1);
  case 'j': return op_get(m, 4);
  default: return op_unknown(m, opcode);
  }
}

static iscp_status add_constants(machine *m) {
  static const isc_node constants[] = {{.kind = ISC_VALUE_NONE},
                                       [NONE] = {.kind = ISC_VALUE_NONE},
                                       [TRUE] = {.kind = ISC_VALUE_BOOL, .integer = 1},
                                       [FALSE] = {.kind = ISC_VALUE_BOOL},
                                       [OPAQUE] = {.kind = ISC_VALUE_OPAQUE}};
  isc_value value;
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
    ISC_TRY(add_node(m, &value, constants[i]));
  return ISCP_OK;
}

static iscp_status run(machine *m) {
  ISC_TRY(add_constants(m));
  while (!m->stopped) {
    const uint8_t *opcode;
    m->opcode = m->at;
    ISC_TRY(take(m, &opcode, 1));
    ISC_TRY(run_opcode(m, *opcode));
  }
  m->pickle->end = m->at;
  return ISCP_OK;
}

iscp_status isc_pickle_parse(isc_pickle *out, const iscp_context *context, const uint8_t *bytes, size_t start,
                             size_t size) {
  *out = (isc_pickle){.bytes = bytes, .size = size};
  if (size > start && size - start > ISC_PICKLE_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle has %zu bytes, expected at most %d", size - start, ISC_PICKLE_LIMIT);
  machine m = {.pickle = out, .context = context, .start = start, .at = start};
  iscp_status status = run(&m);
  isc_free(context, m.stack);
  isc_free(context, m.memo);
  if (status != ISCP_OK)
    isc_pickle_release(out, context);
  return status;
}
