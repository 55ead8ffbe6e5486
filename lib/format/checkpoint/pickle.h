/* A pickle as an inert tree of values. Nothing is looked up, called or built: the few calls that rebuild PyTorch's tensors
 * stay in the tree as "to be called with that", and every other name, and what is made by calling it, is an object of
 * which its class's name and its attributes are known, no more. */
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
  ISC_VALUE_NAME,       /* pair: the texts of module and name; length: an isc_pickle_name */
  ISC_VALUE_CALL,       /* pair.first: the name called, pair.last: its tuple of arguments; length: an isc_pickle_name */
  ISC_VALUE_OBJECT,     /* pair.first: the name of its class, or of what made it; pair.last: its attributes, or none */
  ISC_VALUE_PERSISTENT, /* pair.first: the tuple that names a storage */
  ISC_VALUE_OPAQUE,     /* a value of no interest here: a float, bytes, a set, a large integer, a device */
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

/* What a name means to the reader. Storages are told apart by their number type. */
typedef enum isc_pickle_name {
  ISC_NAME_FOREIGN,           /* nothing */
  ISC_NAME_REBUILD_TENSOR,    /* storage, offset, size, stride, ... */
  ISC_NAME_REBUILD_PARAMETER, /* tensor, ... */
  ISC_NAME_REBUILD_AS,        /* function, class, its arguments, attributes */
  ISC_NAME_REBUILD_OTHER,     /* a tensor that is none of dense numbers in a storage */
  ISC_NAME_ORDERED_DICT,
  ISC_NAME_DEFAULT_DICT,
  ISC_NAME_SIZE,
  ISC_NAME_DEVICE,
  ISC_NAME_STORAGE /* and ISC_NAME_STORAGE + dtype */
} isc_pickle_name;

typedef struct isc_pickle {
  const uint8_t *bytes;
  size_t size;
  size_t end; /* where the pickle ended */
  isc_node *nodes;
  size_t count, capacity;
  isc_value root;
} isc_pickle;

isc_pickle_name isc_pickle_meaning(const char *module, size_t module_length, const char *name, size_t length);

enum { ISC_PICKLE_LIMIT = 16 << 20 };

/* Parses the pickle that starts at `start`, of protocol 1 to 5, and may end before `size`. `bytes` must outlive the
 * result, which isc_pickle_release gives back (on failure too it is safe to call). */
iscp_status isc_pickle_parse(isc_pickle *out, const iscp_context *context, const uint8_t *bytes, size_t start,
                             size_t size);
void isc_pickle_release(isc_pickle *pickle, const iscp_context *context);

const isc_node *isc_pickle_node(const isc_pickle *pickle, isc_value value);

/* Walks a container: isc_pickle_first gives the first link (0 if empty), isc_pickle_step a link's item and moves on. */
isc_value isc_pickle_first(const isc_pickle *pickle, isc_value container);
isc_value isc_pickle_step(const isc_pickle *pickle, isc_value *link);

/* Item `index` of a short tuple or list; 0 if there is none or it is no such thing. */
isc_value isc_pickle_item(const isc_pickle *pickle, isc_value container, uint32_t index);

/* What a dict holds under a text, the last of several; 0 if there is none or it is no dict. */
isc_value isc_pickle_find(const isc_pickle *pickle, isc_value dict, const char *key);

bool isc_pickle_is_text(const isc_pickle *pickle, isc_value value, const char *text);

/* "module.name" of a name, or of what made a call or an object, cut to the size of `text`. Returns `text`. */
enum { ISC_NAME_TEXT = 160 };
char *isc_pickle_name_text(char text[ISC_NAME_TEXT], const isc_pickle *pickle, isc_value value);

#endif
