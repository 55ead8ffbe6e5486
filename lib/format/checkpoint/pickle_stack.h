/* The stack machine that runs a pickle: its bytes, its stack and its marks, and the arena of nodes that it fills. pickle.c
 * has the opcodes of data, pickle_calls.c those of names and calls. */
#ifndef ISC_FORMAT_PICKLE_STACK_H
#define ISC_FORMAT_PICKLE_STACK_H

#include <string.h>

#include "format/checkpoint/pickle.h"

enum { NODE_LIMIT = 1 << 20, DEPTH_LIMIT = 256 };

/* Values without content are one node each, behind that of "none". */
enum { NONE = 1, TRUE, FALSE, OPAQUE };

typedef struct machine {
  isc_pickle *pickle;
  const iscp_context *context;
  size_t start, at; /* first and next byte */
  size_t opcode; /* where the current opcode stands, for messages */
  isc_value *stack, *memo;
  size_t height, stack_capacity, memo_count, memo_capacity;
  size_t marks[DEPTH_LIMIT]; /* stack heights */
  size_t depth;
  bool stopped;
} machine;

static inline iscp_status fail(const machine *m, const char *expected) {
  return isc_fail(ISCP_ERROR_FORMAT, "pickle is damaged at byte %zu (opcode 0x%02x), expected %s", m->opcode,
                  m->pickle->bytes[m->opcode], expected);
}

/* ---- Bytes ---- */

static inline iscp_status take(machine *m, const uint8_t **bytes, size_t size) {
  if (size > m->pickle->size - m->at)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle is truncated: it ends at byte %zu within the opcode at byte %zu",
                    m->pickle->size, m->opcode);
  *bytes = m->pickle->bytes + m->at;
  m->at += size;
  return ISCP_OK;
}

/* A little-endian unsigned number of up to 8 bytes. */
static inline iscp_status take_number(machine *m, uint64_t *number, size_t size) {
  const uint8_t *bytes;
  ISC_TRY(take(m, &bytes, size));
  *number = 0;
  for (size_t i = 0; i < size; i++)
    *number |= (uint64_t)bytes[i] << (8 * i);
  return ISCP_OK;
}

static inline iscp_status take_line(machine *m, const char **line, size_t *length) {
  const uint8_t *start = m->pickle->bytes + m->at;
  const uint8_t *end = memchr(start, '\n', m->pickle->size - m->at);
  if (!end)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle is truncated: it ends within the line at byte %zu", m->opcode);
  *line = (const char *)start;
  *length = (size_t)(end - start);
  m->at += *length + 1;
  return ISCP_OK;
}

/* ---- Nodes and the stack ---- */

static inline iscp_status add_node(machine *m, isc_value *value, isc_node node) {
  isc_pickle *pickle = m->pickle;
  if (pickle->count >= NODE_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle has more than %d values", NODE_LIMIT);
  ISC_TRY(isc_grow(m->context, (void **)&pickle->nodes, &pickle->capacity, pickle->count + 1, sizeof node));
  *value = (isc_value)pickle->count;
  pickle->nodes[pickle->count++] = node;
  return ISCP_OK;
}

static inline isc_node *node_at(const machine *m, isc_value value) { return &m->pickle->nodes[value]; }

static inline iscp_status push(machine *m, isc_value value) {
  if (m->height >= NODE_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle has more than %d values on its stack at byte %zu", NODE_LIMIT, m->opcode);
  ISC_TRY(isc_grow(m->context, (void **)&m->stack, &m->stack_capacity, m->height + 1, sizeof value));
  m->stack[m->height++] = value;
  return ISCP_OK;
}

static inline iscp_status push_node(machine *m, isc_node node) {
  isc_value value;
  ISC_TRY(add_node(m, &value, node));
  return push(m, value);
}

static inline size_t floor_of(const machine *m) { return m->depth ? m->marks[m->depth - 1] : 0; }

/* Takes the top value; a value below the last mark is out of reach. */
static inline iscp_status pop(machine *m, isc_value *value) {
  if (m->height <= floor_of(m))
    return fail(m, "a value on the stack");
  *value = m->stack[--m->height];
  return ISCP_OK;
}

static inline iscp_status top(const machine *m, isc_value *value) {
  if (m->height <= floor_of(m))
    return fail(m, "a value on the stack");
  *value = m->stack[m->height - 1];
  return ISCP_OK;
}

static inline iscp_status link_item(machine *m, isc_value container, isc_value item) {
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
static inline iscp_status link_top(machine *m, isc_value container, size_t count) {
  m->height -= count;
  for (size_t i = 0; i < count; i++)
    ISC_TRY(link_item(m, container, m->stack[m->height + i]));
  return ISCP_OK;
}

/* The number of values above the last mark, which is gone. */
static inline iscp_status pop_mark(machine *m, size_t *count) {
  if (!m->depth)
    return fail(m, "a mark on the stack");
  *count = m->height - m->marks[--m->depth];
  return ISCP_OK;
}

/* Takes the values above the last mark away: POP_MARK, and what goes into a set. */
static inline iscp_status drop_marked(machine *m) {
  size_t count;
  ISC_TRY(pop_mark(m, &count));
  m->height -= count;
  return ISCP_OK;
}

/* ---- Names and calls (pickle_calls.c) ---- */

iscp_status isc_op_global(machine *m);
iscp_status isc_op_stack_global(machine *m);
iscp_status isc_op_call(machine *m);       /* REDUCE, NEWOBJ */
iscp_status isc_op_call_named(machine *m); /* NEWOBJ_EX */
iscp_status isc_op_object(machine *m);     /* OBJ */
iscp_status isc_op_instance(machine *m);   /* INST */
iscp_status isc_op_build(machine *m);
iscp_status isc_op_persistent(machine *m);

#endif
