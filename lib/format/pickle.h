/* A pickle as an inert tree of values. Nothing is looked up, called or built: a name that is not on the list below ends
 * the reading, and the few calls that PyTorch's state dicts make stay in the tree as "to be called with that". */
#ifndef ISC_FORMAT_PICKLE_H
#define ISC_FORMAT_PICKLE_H

#include "format/reader.h"

typedef uint32_t isc_value; /* index of a node; 0 is none */

typedef enum isc_value_kind {
  ISC_VALUE_NONE,
  ISC_VALUE_BOOL,    /* integer */
  ISC_VALUE_INTEGER, /* integer */
  ISC_VALUE_TEXT,    /* offset, length: bytes of the pickle */
  ISC_VALUE_LIST,    /* pair.first, pair.last: links to the items */
  ISC_VALUE_TUPLE,
  ISC_VALUE_DICT,       /* links to key, value, key, value ... */
  ISC_VALUE_NAME,       /* length: an isc_pickle_name */
  ISC_VALUE_CALL,       /* length: the name called; pair.first: its tuple of arguments */
  ISC_VALUE_PERSISTENT, /* pair.first: the tuple that names a storage */
  ISC_VALUE_OPAQUE,     /* a value of no interest here: a float, bytes, a large integer, a device */
  ISC_VALUE_LINK        /* inside of a container: pair.first is the item, pair.last the next link */
} isc_value_kind;

typedef struct isc_node {
  uint32_t kind;
  uint32_t length; /* bytes of a text, items of a container (a dict's keys and values both), an isc_pickle_name */
  union {
    int64_t integer;
    uint64_t offset;
    struct {
      uint32_t first, last;
    } pair;
  };
} isc_node;

/* The names that may stand in a pickle. Storages are told apart by their number type. */
typedef enum isc_pickle_name {
  ISC_NAME_REBUILD_TENSOR,    /* storage, offset, size, stride, ... */
  ISC_NAME_REBUILD_PARAMETER, /* tensor, ... */
  ISC_NAME_ORDERED_DICT,
  ISC_NAME_SIZE,
  ISC_NAME_DEVICE,
  ISC_NAME_STORAGE /* and ISC_NAME_STORAGE + dtype */
} isc_pickle_name;

typedef struct isc_pickle {
  const uint8_t *bytes;
  size_t size;
  isc_node *nodes;
  size_t count, capacity;
  isc_value root;
} isc_pickle;

/* The isc_pickle_name of "module.name", or -1 for one that is not on the list. */
int isc_pickle_meaning(const char *module, size_t module_length, const char *name, size_t length);

enum { ISC_PICKLE_LIMIT = 64 << 20 };

/* Parses a pickle of protocol 2 to 5. `bytes` must outlive the result, which isc_pickle_release gives back (on failure
 * too it is safe to call). */
iscp_status isc_pickle_parse(isc_pickle *out, const iscp_context *context, const uint8_t *bytes, size_t size);
void isc_pickle_release(isc_pickle *pickle, const iscp_context *context);

const isc_node *isc_pickle_node(const isc_pickle *pickle, isc_value value);

/* Walks a container: isc_pickle_first gives the first link (0 if empty), isc_pickle_step a link's item and moves on. */
isc_value isc_pickle_first(const isc_pickle *pickle, isc_value container);
isc_value isc_pickle_step(const isc_pickle *pickle, isc_value *link);

/* Item `index` of a short tuple or list; 0 if there is none or it is no such thing. */
isc_value isc_pickle_item(const isc_pickle *pickle, isc_value container, uint32_t index);

bool isc_pickle_is_text(const isc_pickle *pickle, isc_value value, const char *text);

#endif
