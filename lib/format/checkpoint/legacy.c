/* PyTorch checkpoints before the zip container, which torch.save still writes on request. The legacy stream is five pickles
 * in a row (a magic number, a version, the machine, the object, the keys of its storages), and then the storages in
 * the order of those keys: a count of 8 bytes, little-endian, and the numbers. The tar container before it is told
 * how to be converted. */
#include <stdlib.h>
#include <string.h>

#include "format/checkpoint/views.h"

static const uint8_t MAGIC[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
static const char MAGIC_TEXT[] = "L119547037146038801333356L\n."; /* of pickle protocols 0 and 1 */

enum { VERSION = 1001, FRAME = 9 };

/* The pickle of the magic number: protocols 2 and 3 write it as it is, 4 and 5 in a frame. */
bool isc_pytorch_legacy_probe(const uint8_t *head, size_t size) {
  if (size >= sizeof MAGIC_TEXT && !memcmp(head, MAGIC_TEXT, sizeof MAGIC_TEXT - 1))
    return true;
  if (size < 2 + FRAME + sizeof MAGIC || head[0] != 0x80)
    return false;
  return !memcmp(head + 2, MAGIC, sizeof MAGIC) || (head[2] == 0x95 && !memcmp(head + 2 + FRAME, MAGIC, sizeof MAGIC));
}

bool isc_pytorch_tar_probe(const uint8_t *head, size_t size) { return size >= 262 && !memcmp(head + 257, "ustar", 5); }

iscp_status isc_pytorch_tar_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                                 const char *wanted) {
  (void)out, (void)context, (void)source, (void)wanted;
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "is a tar container of PyTorch before 0.1.10, expected its zip container: if you "
                  "trust it, save it again with torch.save(torch.load(file, weights_only=False), new_file)");
}

/* ---- Storages ---- */

/* Types of numbers that no tensor here has, but whose storages must be passed over. */
static const struct {
  const char *name;
  int64_t size;
} other_types[] = {
    {"torch.ComplexFloatStorage", 8}, {"torch.ComplexDoubleStorage", 16}, {"torch.QInt8Storage", 1},
    {"torch.QUInt8Storage", 1},       {"torch.QInt32Storage", 4},         {"torch.QUInt4x2Storage", 1},
    {"torch.QUInt2x4Storage", 1},     {"torch.UntypedStorage", 1},        {"torch.storage.UntypedStorage", 1},
};

/* A storage that the object names, wanted or not. */
typedef struct record {
  const char *key;
  uint32_t length;
  int64_t item; /* bytes of a number */
} record;

typedef struct stream {
  const iscp_context *context;
  const isc_source *source;
  uint8_t *head; /* the beginning of the file, with all pickles */
  size_t head_size;
  isc_pickle object, keys;
  record *records; /* sorted by key */
  size_t count, capacity;
  int64_t at; /* of the next storage */
} stream;

static int by_key(const void *a, const void *b) {
  const record *x = a, *y = b;
  int order = memcmp(x->key, y->key, x->length < y->length ? x->length : y->length);
  return order ? order : (x->length > y->length) - (x->length < y->length);
}

static iscp_status item_size(int64_t *size, const isc_pickle *pickle, isc_value type) {
  const isc_node *node = isc_pickle_node(pickle, type);
  char name[ISC_NAME_TEXT];
  if (node->kind == ISC_VALUE_NAME && node->length > ISC_NAME_STORAGE) {
    *size = (int64_t)isc_dtype_size((isc_dtype)(node->length - ISC_NAME_STORAGE));
    return ISCP_OK;
  }
  isc_pickle_name_text(name, pickle, type);
  for (size_t i = 0; i < sizeof other_types / sizeof *other_types; i++)
    if (!strcmp(name, other_types[i].name)) {
      *size = other_types[i].size;
      return ISCP_OK;
    }
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "has a storage of %s, whose size is not known, expected one of a number type of "
                  "PyTorch", name);
}

static iscp_status list_records(stream *s) {
  const isc_pickle *pickle = &s->object;
  for (size_t i = 0; i < pickle->count; i++) {
    if (pickle->nodes[i].kind != ISC_VALUE_PERSISTENT)
      continue;
    isc_value tuple = pickle->nodes[i].pair.first;
    const isc_node *key = isc_pickle_node(pickle, isc_pickle_item(pickle, tuple, 2));
    record new = {.length = key->length};
    if (key->kind != ISC_VALUE_TEXT)
      return isc_fail(ISCP_ERROR_FORMAT, "has a storage without a key");
    new.key = (const char *)pickle->bytes + key->offset;
    ISC_TRY(item_size(&new.item, pickle, isc_pickle_item(pickle, tuple, 1)));
    ISC_TRY(isc_grow(s->context, (void **)&s->records, &s->capacity, s->count + 1, sizeof new));
    s->records[s->count++] = new;
  }
  if (s->count)
    qsort(s->records, s->count, sizeof *s->records, by_key);
  return ISCP_OK;
}

static iscp_status read_numbers(void *user, void *dst, size_t size) {
  const stream *s = user;
  return isc_source_read(s->source, s->at, dst, size);
}

/* Takes the storage at s->at to the tensors that view it, or passes over it. */
static iscp_status take_storage(stream *s, isc_tensor_set *set, const isc_views *views, const record *known) {
  uint64_t count;
  char name[64];
  size_t first, wanted = isc_views_of(views, known->key, known->length, &first);
  int length = (int)(known->length < sizeof name - 1 ? known->length : sizeof name - 1);
  memcpy(name, known->key, (size_t)length);
  name[length] = 0;
  ISC_TRY(isc_source_read(s->source, s->at, &count, sizeof count));
  s->at += (int64_t)sizeof count;
  int64_t left = s->source->size - s->at;
  if (count > (uint64_t)(left / known->item))
    return isc_fail(ISCP_ERROR_FORMAT, "is truncated: storage \"%s\" at byte %lld has %llu numbers of %lld bytes, %lld "
                    "bytes are left", name, (long long)s->at, (unsigned long long)count, (long long)known->item,
                    (long long)left);
  isc_storage storage = {.name = name, .size = (int64_t)count * known->item, .read = read_numbers, .user = s};
  if (wanted)
    ISC_TRY(isc_views_fill(set, s->context, views->items + first, wanted, &storage));
  s->at += storage.size;
  return ISCP_OK;
}

static iscp_status take_storages(stream *s, isc_tensor_set *set, const isc_views *views) {
  isc_value list = s->keys.root;
  if (isc_pickle_node(&s->keys, list)->kind != ISC_VALUE_LIST)
    return isc_fail(ISCP_ERROR_FORMAT, "has no list of the keys of its storages before byte %zu", s->keys.end);
  s->at = (int64_t)s->keys.end;
  for (isc_value link = isc_pickle_first(&s->keys, list); link;) {
    const isc_node *key = isc_pickle_node(&s->keys, isc_pickle_step(&s->keys, &link));
    const record *known = NULL;
    if (key->kind == ISC_VALUE_TEXT && s->count) {
      record wanted = {.key = (const char *)s->head + key->offset, .length = key->length};
      known = bsearch(&wanted, s->records, s->count, sizeof wanted, by_key);
    }
    if (!known)
      return isc_fail(ISCP_ERROR_FORMAT, "lists a storage that its object does not have, of which byte %lld on would be",
                      (long long)s->at);
    ISC_TRY(take_storage(s, set, views, known));
  }
  if (s->at != s->source->size)
    return isc_fail(ISCP_ERROR_FORMAT, "has bytes after its last storage, which ends at byte %lld of %lld",
                    (long long)s->at, (long long)s->source->size);
  return isc_views_check(views, set);
}

/* ---- Pickles ---- */

static iscp_status read_head(stream *s) {
  int64_t size = s->source->size;
  s->head_size = size < ISC_PICKLE_LIMIT ? (size_t)size : ISC_PICKLE_LIMIT;
  s->head = isc_alloc(s->context, s->head_size);
  return s->head ? isc_source_read(s->source, 0, s->head, s->head_size) : ISCP_ERROR_MEMORY;
}

/* The version and the machine, of which a big-endian one wrote other numbers. *end is where the object starts. */
static iscp_status check_machine(const stream *s, size_t *end) {
  isc_pickle version, machine;
  ISC_TRY(isc_pickle_parse(&version, s->context, s->head, *end, s->head_size));
  const isc_node *number = isc_pickle_node(&version, version.root);
  bool known = number->kind == ISC_VALUE_INTEGER && number->integer == VERSION;
  *end = version.end;
  isc_pickle_release(&version, s->context);
  if (!known)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "is a legacy stream of another version, expected %d", VERSION);
  ISC_TRY(isc_pickle_parse(&machine, s->context, s->head, *end, s->head_size));
  const isc_node *little = isc_pickle_node(&machine, isc_pickle_find(&machine, machine.root, "little_endian"));
  bool is_big = little->kind == ISC_VALUE_BOOL && !little->integer;
  *end = machine.end;
  isc_pickle_release(&machine, s->context);
  return is_big ? isc_fail(ISCP_ERROR_UNSUPPORTED, "is a legacy stream of a big-endian machine, expected little-endian")
                : ISCP_OK;
}

static iscp_status read_pickles(stream *s) {
  isc_pickle magic;
  ISC_TRY(read_head(s));
  ISC_TRY(isc_pickle_parse(&magic, s->context, s->head, 0, s->head_size));
  size_t end = magic.end;
  isc_pickle_release(&magic, s->context);
  ISC_TRY(check_machine(s, &end));
  ISC_TRY(isc_pickle_parse(&s->object, s->context, s->head, end, s->head_size));
  return isc_pickle_parse(&s->keys, s->context, s->head, s->object.end, s->head_size);
}

iscp_status isc_pytorch_legacy_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                                    const char *wanted) {
  stream s = {.context = context, .source = source};
  isc_views views = {.byte_limit = isc_views_limit(source->size)};
  iscp_status status;
  ISC_TRY_OR_DONE(read_pickles(&s));
  ISC_TRY_OR_DONE(list_records(&s));
  ISC_TRY_OR_DONE(isc_views_collect(&views, out, context, &s.object, wanted));
  ISC_TRY_OR_DONE(take_storages(&s, out, &views));
done:
  isc_free(context, views.items);
  isc_free(context, s.records);
  isc_pickle_release(&s.object, context);
  isc_pickle_release(&s.keys, context);
  isc_free(context, s.head);
  return status;
}
