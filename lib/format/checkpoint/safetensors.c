/* safetensors: 8 bytes of header size, a JSON header, the numbers. Checked on reading as the reference implementation
 * does: the tensors cover the data from its first to its last byte without a hole or an overlap. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "format/reader.h"

/* The format allows 100 MB; 8192 tensors need one, and a parsed header takes up to thirty times its size. */
enum { HEADER_LIMIT = 2 << 20, PREFIX = 8 };

static const char METADATA[] = "__metadata__";

static const struct {
  const char *name;
  isc_dtype dtype;
  int rank; /* of the order in which the reference writes: wider numbers first, so that all stay aligned */
} types[] = {
    {"I64", ISC_I64, 10}, {"F64", ISC_F64, 9}, {"F32", ISC_F32, 8}, {"I32", ISC_I32, 7}, {"BF16", ISC_BF16, 6},
    {"F16", ISC_F16, 5},  {"I16", ISC_I16, 4}, {"I8", ISC_I8, 3},   {"U8", ISC_U8, 2},   {"BOOL", ISC_BOOL, 1},
};
enum { TYPES = sizeof types / sizeof *types };

/* One tensor of a header. */
typedef struct entry {
  const char *name; /* the JSON's */
  int type;         /* index into types */
  int32_t dims;
  int64_t shape[ISC_MAX_DIMS];
  int64_t begin, end;
  const isc_tensor *tensor; /* when writing */
} entry;

typedef struct header {
  json_t *json;
  int64_t data; /* where the numbers start */
  entry *entries;
  size_t count;
} header;

static uint64_t header_size(const uint8_t *head) {
  uint64_t size;
  memcpy(&size, head, sizeof size);
  return size;
}

bool isc_safetensors_probe(const uint8_t *head, size_t size) {
  return size > PREFIX && head[PREFIX] == '{' && header_size(head) <= UINT64_C(1) << 48;
}

/* ---- Reading ---- */

static iscp_status parse_json(header *h, const iscp_context *context, const isc_source *source) {
  uint8_t prefix[PREFIX];
  ISC_TRY(isc_source_read(source, 0, prefix, PREFIX));
  uint64_t size = header_size(prefix);
  if (size > HEADER_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "has a header of %" PRIu64 " bytes, expected at most %d", size, HEADER_LIMIT);
  char *text = isc_alloc(context, (size_t)size);
  if (!text)
    return ISCP_ERROR_MEMORY;
  json_error_t error;
  iscp_status status = isc_source_read(source, PREFIX, text, (size_t)size);
  if (status == ISCP_OK) {
    h->json = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, &error);
    if (!h->json)
      status = isc_fail(ISCP_ERROR_FORMAT, "header is not JSON at byte %d: %s", PREFIX + error.position, error.text);
  }
  isc_free(context, text);
  ISC_TRY(status);
  h->data = PREFIX + (int64_t)size;
  return json_is_object(h->json) ? ISCP_OK : isc_fail(ISCP_ERROR_FORMAT, "header is not a JSON object");
}

static iscp_status get_type(int *type, const char *name, const json_t *info) {
  const char *text = json_string_value(json_object_get(info, "dtype"));
  if (!text)
    return isc_fail(ISCP_ERROR_FORMAT, "tensor \"%s\" has no dtype", name);
  for (*type = 0; *type < TYPES; ++*type)
    if (!strcmp(types[*type].name, text))
      return ISCP_OK;
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "tensor \"%s\" has dtype %.32s, expected one of F32, F16, BF16, F64, I64, "
                  "I32, I16, I8, U8, BOOL", name, text);
}

static iscp_status get_integers(int64_t *out, size_t count, const char *name, const char *what, const json_t *array) {
  for (size_t i = 0; i < count; i++) {
    const json_t *item = json_array_get(array, i);
    if (!json_is_integer(item) || json_integer_value(item) < 0)
      return isc_fail(ISCP_ERROR_FORMAT, "tensor \"%s\" has a %s that is not an integer of 0 or more", name, what);
    out[i] = json_integer_value(item);
  }
  return ISCP_OK;
}

static iscp_status get_entry(entry *e, const char *name, const json_t *info, int64_t data_size) {
  const json_t *shape = json_object_get(info, "shape"), *offsets = json_object_get(info, "data_offsets");
  int64_t range[2], count;
  e->name = name;
  ISC_TRY(get_type(&e->type, name, info));
  if (!json_is_array(shape) || json_array_size(shape) > ISC_MAX_DIMS)
    return isc_fail(ISCP_ERROR_FORMAT, "tensor \"%s\" has no shape of at most %d sizes", name, ISC_MAX_DIMS);
  if (json_array_size(offsets) != 2)
    return isc_fail(ISCP_ERROR_FORMAT, "tensor \"%s\" has no data_offsets of two numbers", name);
  e->dims = (int32_t)json_array_size(shape);
  ISC_TRY(get_integers(e->shape, (size_t)e->dims, name, "size", shape));
  ISC_TRY(get_integers(range, 2, name, "data offset", offsets));
  e->begin = range[0];
  e->end = range[1];
  if (e->begin > e->end || e->end > data_size)
    return isc_fail(ISCP_ERROR_FORMAT, "tensor \"%s\" lies at data bytes %" PRId64 " to %" PRId64 ", expected within "
                    "the file's %" PRId64, name, e->begin, e->end, data_size);
  iscp_status status = isc_shape_count(&count, e->dims, e->shape);
  if (status != ISCP_OK)
    return isc_fail(status, "tensor \"%s\": %s", name, iscp_error_message());
  int64_t bytes = count * (int64_t)isc_dtype_size(types[e->type].dtype);
  if (e->end - e->begin != bytes)
    return isc_fail(ISCP_ERROR_FORMAT, "tensor \"%s\" has %" PRId64 " bytes, expected %" PRId64 " by its shape", name,
                    e->end - e->begin, bytes);
  return ISCP_OK;
}

static int by_place(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

static iscp_status check_cover(const header *h, int64_t data_size) {
  int64_t at = 0;
  for (size_t i = 0; i < h->count; i++) {
    const entry *e = &h->entries[i];
    if (e->begin != at)
      return isc_fail(ISCP_ERROR_FORMAT, "tensor \"%s\" starts at data byte %" PRId64 ", expected %" PRId64 " (no "
                      "hole, no overlap)", e->name, e->begin, at);
    at = e->end;
  }
  if (at != data_size)
    return isc_fail(ISCP_ERROR_FORMAT, "tensors end at data byte %" PRId64 ", expected %" PRId64 ", the end of the "
                    "file", at, data_size);
  return ISCP_OK;
}

static iscp_status get_entries(header *h, const iscp_context *context, const isc_source *source) {
  size_t count = json_object_size(h->json) - (json_object_get(h->json, METADATA) != NULL);
  if (count > ISC_MAX_TENSORS)
    return isc_fail(ISCP_ERROR_FORMAT, "has %zu tensors, expected at most %d", count, ISC_MAX_TENSORS);
  h->entries = isc_calloc(context, count ? count : 1, sizeof *h->entries);
  if (!h->entries)
    return ISCP_ERROR_MEMORY;
  const char *name;
  json_t *info;
  json_object_foreach(h->json, name, info) {
    if (strcmp(name, METADATA))
      ISC_TRY(get_entry(&h->entries[h->count++], name, info, source->size - h->data));
  }
  qsort(h->entries, h->count, sizeof *h->entries, by_place);
  return check_cover(h, source->size - h->data);
}

static iscp_status get_metadata(isc_tensor_set *out, const iscp_context *context, const header *h) {
  const json_t *metadata = json_object_get(h->json, METADATA);
  if (metadata && !json_is_object(metadata))
    return isc_fail(ISCP_ERROR_FORMAT, "%s is not an object", METADATA);
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)metadata, key, value) {
    if (!json_is_string(value))
      return isc_fail(ISCP_ERROR_FORMAT, "metadata \"%s\" is not a string", key);
    ISC_TRY(isc_tensor_set_describe(out, context, key, json_string_value(value)));
  }
  return ISCP_OK;
}

static iscp_status read_tensor(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                               const header *h, const entry *e) {
  isc_tensor tensor = {0};
  iscp_status status;
  ISC_TRY_OR_DONE(isc_tensor_create(&tensor, context, types[e->type].dtype, e->dims, e->shape));
  tensor.name = isc_strdup(context, e->name);
  ISC_TRY_OR_DONE(tensor.name ? ISCP_OK : ISCP_ERROR_MEMORY);
  ISC_TRY_OR_DONE(isc_source_read(source, h->data + e->begin, tensor.data, (size_t)(e->end - e->begin)));
  ISC_TRY_OR_DONE(isc_tensor_set_add(out, context, &tensor));
done:
  isc_tensor_release(&tensor, context);
  return status;
}

iscp_status isc_safetensors_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                                 const char *wanted) {
  header h = {0};
  iscp_status status;
  if (wanted)
    return isc_fail(ISCP_ERROR_MISMATCH, "has no state dict \"%.64s\": a safetensors file is one state dict", wanted);
  ISC_TRY_OR_DONE(parse_json(&h, context, source));
  ISC_TRY_OR_DONE(get_entries(&h, context, source));
  ISC_TRY_OR_DONE(get_metadata(out, context, &h));
  for (size_t i = 0; i < h.count; i++)
    ISC_TRY_OR_DONE(read_tensor(out, context, source, &h, &h.entries[i]));
done:
  isc_free(context, h.entries);
  json_decref(h.json);
  return status;
}

/* ---- Writing ---- */

static int by_rank(const void *a, const void *b) {
  const entry *x = a, *y = b;
  if (x->type != y->type)
    return types[x->type].rank > types[y->type].rank ? -1 : 1;
  return strcmp(x->name, y->name);
}

static iscp_status place_tensors(header *h, const iscp_context *context, const isc_tensor_set *set) {
  h->entries = isc_calloc(context, set->count ? set->count : 1, sizeof *h->entries);
  if (!h->entries)
    return ISCP_ERROR_MEMORY;
  h->count = set->count;
  for (size_t i = 0; i < h->count; i++) {
    entry *e = &h->entries[i];
    e->tensor = &set->items[i];
    e->name = e->tensor->name;
    while (types[e->type].dtype != e->tensor->dtype)
      e->type++;
  }
  qsort(h->entries, h->count, sizeof *h->entries, by_rank);
  int64_t at = 0;
  for (size_t i = 0; i < h->count; i++) {
    h->entries[i].begin = at;
    at += (int64_t)isc_tensor_bytes(h->entries[i].tensor);
    h->entries[i].end = at;
  }
  return ISCP_OK;
}

static int describe_tensor(json_t *json, const entry *e) {
  json_t *shape = json_array();
  for (int32_t d = 0; d < e->tensor->dims; d++)
    if (json_array_append_new(shape, json_integer(e->tensor->shape[d]))) {
      json_decref(shape);
      return -1;
    }
  json_t *info = json_pack("{s:s, s:o, s:[I, I]}", "dtype", types[e->type].name, "shape", shape, "data_offsets",
                           (json_int_t)e->begin, (json_int_t)e->end);
  return json_object_set_new(json, e->name, info);
}

/* Fails for a name that is not UTF-8, and without memory. */
static iscp_status describe(header *h, const isc_tensor_set *set) {
  h->json = json_object();
  json_t *metadata = json_object();
  for (size_t i = 0; i < set->metadata_count; i++)
    if (json_object_set_new(metadata, set->keys[i], json_string(set->values[i]))) {
      json_decref(metadata);
      return isc_fail(ISCP_ERROR_ARGUMENT, "metadata \"%s\" cannot be written, expected UTF-8", set->keys[i]);
    }
  if (!set->metadata_count)
    json_decref(metadata);
  else if (json_object_set_new(h->json, METADATA, metadata))
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory for the header");
  for (size_t i = 0; i < h->count; i++)
    if (describe_tensor(h->json, &h->entries[i]))
      return isc_fail(ISCP_ERROR_ARGUMENT, "tensor \"%s\" cannot be written, expected a name in UTF-8",
                      h->entries[i].name);
  return ISCP_OK;
}

/* The header's text, padded with spaces so that the numbers start at a multiple of 8. */
static iscp_status dump_header(char **text, size_t *size, const iscp_context *context, const json_t *json) {
  size_t length = json_dumpb(json, NULL, 0, JSON_COMPACT);
  size_t padded = (length + 7) / 8 * 8;
  if (!length)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory for the header");
  *text = isc_alloc(context, padded);
  if (!*text)
    return ISCP_ERROR_MEMORY;
  memset(*text, ' ', padded);
  json_dumpb(json, *text, length, JSON_COMPACT);
  *size = padded;
  return ISCP_OK;
}

static iscp_status write_file(const header *h, const char *text, size_t size, const char *path) {
  isc_writer writer;
  uint64_t prefix = size;
  ISC_TRY(isc_writer_begin(&writer, path));
  ISC_TRY(isc_writer_append(&writer, &prefix, sizeof prefix));
  ISC_TRY(isc_writer_append(&writer, text, size));
  for (size_t i = 0; i < h->count; i++)
    ISC_TRY(isc_writer_append(&writer, h->entries[i].tensor->data, isc_tensor_bytes(h->entries[i].tensor)));
  return isc_writer_end(&writer);
}

iscp_status isc_write_safetensors(const isc_tensor_set *set, const iscp_context *context, const char *path) {
  header h = {0};
  char *text = NULL;
  size_t size = 0;
  iscp_status status = place_tensors(&h, context, set);
  if (status == ISCP_OK)
    status = describe(&h, set);
  if (status == ISCP_OK)
    status = dump_header(&text, &size, context, h.json);
  status = status == ISCP_OK ? write_file(&h, text, size, path) : isc_fail_in(status, path);
  isc_free(context, text);
  isc_free(context, h.entries);
  json_decref(h.json);
  return status;
}
