/* NumPy's .npy: a magic, a version, a header that is a Python dict in text, the numbers. The header is read by a parser of just
 * the dict that NumPy writes, keys in any order; Fortran order is brought to C order. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/reader.h"

enum { MAGIC = 6, HEADER_LIMIT = 10000 /* NumPy's own limit */, ALIGNMENT = 64 };

static const char magic[] = "\x93NUMPY";

static const struct {
  const char *descr;
  isc_dtype dtype;
} types[] = {
    {"<f4", ISC_F32}, {"|u1", ISC_U8}, {"<i4", ISC_I32}, {"<i8", ISC_I64},  {"<f2", ISC_F16},
    {"<f8", ISC_F64}, {"|i1", ISC_I8}, {"<i2", ISC_I16}, {"|b1", ISC_BOOL},
};
enum { TYPES = sizeof types / sizeof *types };

/* What the header says. The texts stand in the header and are not terminated. */
typedef struct header {
  const char *at, *end; /* what is left to parse */
  const char *descr;
  size_t descr_length;
  bool has_descr, has_order, has_shape;
  bool is_fortran;
  int32_t dims;
  int64_t shape[ISC_MAX_DIMS];
} header;

bool isc_npy_probe(const uint8_t *head, size_t size) { return size >= MAGIC && !memcmp(head, magic, MAGIC); }

/* ---- The dict ---- */

static void skip_space(header *h) {
  while (h->at < h->end && (*h->at == ' ' || *h->at == '\n'))
    h->at++;
}

static bool accept(header *h, const char *word) {
  size_t length = strlen(word);
  skip_space(h);
  if ((size_t)(h->end - h->at) < length || memcmp(h->at, word, length))
    return false;
  h->at += length;
  return true;
}

static iscp_status fail(const header *h, const char *what) {
  size_t left = (size_t)(h->end - h->at);
  return isc_fail(ISCP_ERROR_FORMAT, "header has \"%.*s\", expected %s", (int)(left < 16 ? left : 16), h->at, what);
}

static iscp_status take_text(header *h, const char **text, size_t *length) {
  const char *quote = accept(h, "'") ? "'" : accept(h, "\"") ? "\"" : NULL;
  if (!quote)
    return fail(h, "a quoted text");
  const char *end = memchr(h->at, *quote, (size_t)(h->end - h->at));
  if (!end)
    return fail(h, "a closing quote");
  *text = h->at;
  *length = (size_t)(end - h->at);
  h->at = end + 1;
  return ISCP_OK;
}

static iscp_status take_size(header *h, int64_t *size) {
  skip_space(h);
  const char *start = h->at;
  *size = 0;
  for (; h->at < h->end && *h->at >= '0' && *h->at <= '9'; h->at++)
    if (__builtin_mul_overflow(*size, 10, size) || __builtin_add_overflow(*size, *h->at - '0', size))
      return fail(h, "a size below 2^63");
  if (h->at == start)
    return fail(h, "a size of 0 or more");
  accept(h, "L"); /* as Python 2 wrote it */
  return ISCP_OK;
}

static iscp_status take_shape(header *h) {
  if (!accept(h, "("))
    return fail(h, "a shape as (2, 3)");
  while (!accept(h, ")")) {
    if (h->dims == ISC_MAX_DIMS)
      return fail(h, "at most 8 dimensions");
    ISC_TRY(take_size(h, &h->shape[h->dims++]));
    bool comma = accept(h, ",");
    skip_space(h);
    if (!comma && (h->dims == 1 || h->at == h->end || *h->at != ')'))
      return fail(h, "a comma after a size");
  }
  return ISCP_OK;
}

static iscp_status take_order(header *h) {
  h->is_fortran = accept(h, "True");
  return h->is_fortran || accept(h, "False") ? ISCP_OK : fail(h, "True or False");
}

static iscp_status take_descr(header *h) {
  skip_space(h);
  if (h->at < h->end && *h->at == '[')
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "is an array of records, expected plain numbers");
  return take_text(h, &h->descr, &h->descr_length);
}

static bool is_key(const char *key, size_t length, const char *name, bool *seen) {
  if (*seen || length != strlen(name) || memcmp(key, name, length))
    return false;
  *seen = true;
  return true;
}

static iscp_status take_item(header *h) {
  const char *key;
  size_t length;
  ISC_TRY(take_text(h, &key, &length));
  if (!accept(h, ":"))
    return fail(h, "a colon");
  if (is_key(key, length, "descr", &h->has_descr))
    return take_descr(h);
  if (is_key(key, length, "fortran_order", &h->has_order))
    return take_order(h);
  if (is_key(key, length, "shape", &h->has_shape))
    return take_shape(h);
  return isc_fail(ISCP_ERROR_FORMAT, "header has the key \"%.*s\", expected descr, fortran_order and shape once each",
                  (int)(length < 32 ? length : 32), key);
}

static iscp_status take_dict(header *h) {
  if (!accept(h, "{"))
    return fail(h, "a dict");
  while (!accept(h, "}")) {
    ISC_TRY(take_item(h));
    bool comma = accept(h, ",");
    skip_space(h);
    if (!comma && (h->at == h->end || *h->at != '}'))
      return fail(h, "a comma or a closing brace");
  }
  skip_space(h);
  if (h->at != h->end)
    return fail(h, "nothing after the dict");
  if (!h->has_descr || !h->has_order || !h->has_shape)
    return isc_fail(ISCP_ERROR_FORMAT, "header lacks descr, fortran_order or shape");
  return ISCP_OK;
}

static iscp_status get_type(isc_dtype *dtype, const header *h) {
  for (int i = 0; i < TYPES; i++)
    if (h->descr_length == 3 && !memcmp(types[i].descr, h->descr, 3)) {
      *dtype = types[i].dtype;
      return ISCP_OK;
    }
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "holds numbers of type \"%.*s\", expected one of <f4 <f2 <f8 |u1 |i1 |b1 <i2 "
                  "<i4 <i8", (int)(h->descr_length < 16 ? h->descr_length : 16), h->descr);
}

/* ---- Reading ---- */

/* Where the header's text starts and how long it is. */
static iscp_status find_header(int64_t *start, size_t *length, const isc_source *source) {
  uint8_t head[MAGIC + 2 + 4] = {0};
  ISC_TRY(isc_source_read(source, 0, head, MAGIC + 4));
  uint8_t major = head[MAGIC], minor = head[MAGIC + 1];
  if (major < 1 || major > 3 || minor != 0)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "has .npy version %d.%d, expected 1.0, 2.0 or 3.0", major, minor);
  size_t width = major == 1 ? 2 : 4;
  ISC_TRY(isc_source_read(source, 0, head, MAGIC + 2 + width));
  uint32_t size = 0;
  for (size_t i = 0; i < width; i++)
    size |= (uint32_t)head[MAGIC + 2 + i] << (8 * i);
  if (size > HEADER_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "has a header of %u bytes, expected at most %d", size, HEADER_LIMIT);
  *start = (int64_t)(MAGIC + 2 + width);
  *length = size;
  return ISCP_OK;
}

/* Parses the header's text into *h, whose texts stand in *text (isc_free). */
static iscp_status read_header(header *h, char **text, int64_t *numbers, const iscp_context *context,
                               const isc_source *source) {
  int64_t start;
  size_t length;
  ISC_TRY(find_header(&start, &length, source));
  *text = isc_alloc(context, length);
  if (!*text)
    return ISCP_ERROR_MEMORY;
  *h = (header){.at = *text, .end = *text + length};
  ISC_TRY(isc_source_read(source, start, *text, length));
  *numbers = start + (int64_t)length;
  return take_dict(h);
}

static iscp_status describe(isc_array_header *out, const header *h, int64_t numbers) {
  int64_t count;
  ISC_TRY(get_type(&out->dtype, h));
  ISC_TRY(isc_shape_count(&count, h->dims, h->shape));
  out->dims = h->dims;
  memcpy(out->shape, h->shape, sizeof out->shape);
  out->offset = numbers;
  return ISCP_OK;
}

iscp_status isc_npy_describe(isc_array_header *out, bool *is_fortran, const iscp_context *context,
                             const isc_source *source) {
  header h;
  char *text = NULL;
  int64_t numbers;
  *out = (isc_array_header){0};
  iscp_status status = read_header(&h, &text, &numbers, context, source);
  if (status == ISCP_OK)
    status = describe(out, &h, numbers);
  if (status == ISCP_OK)
    *is_fortran = h.is_fortran;
  isc_free(context, text);
  return status;
}

static iscp_status read_fortran(isc_tensor *out, const iscp_context *context, const isc_source *source, int64_t start) {
  size_t size = isc_tensor_bytes(out);
  int64_t strides[ISC_MAX_DIMS], stride = 1;
  for (int32_t d = 0; size && d < out->dims; d++) {
    strides[d] = stride;
    stride *= out->shape[d];
  }
  void *columns = isc_alloc(context, size);
  if (!columns)
    return ISCP_ERROR_MEMORY;
  iscp_status status = isc_source_read(source, start, columns, size);
  if (status == ISCP_OK)
    isc_gather(out->data, columns, isc_dtype_size(out->dtype), out->dims, out->shape, strides);
  isc_free(context, columns);
  return status;
}

iscp_status isc_npy_check(const isc_array_header *array, int64_t size) {
  int64_t count;
  ISC_TRY(isc_shape_count(&count, array->dims, array->shape));
  int64_t bytes = count * (int64_t)isc_dtype_size(array->dtype);
  if (size - array->offset != bytes)
    return isc_fail(ISCP_ERROR_FORMAT, "has %" PRId64 " bytes of numbers, expected %" PRId64 " by its shape and type",
                    size - array->offset, bytes);
  return ISCP_OK;
}

iscp_status isc_npy_read(isc_tensor *out, const iscp_context *context, const isc_source *source) {
  isc_array_header array;
  bool is_fortran;
  ISC_TRY(isc_npy_describe(&array, &is_fortran, context, source));
  ISC_TRY(isc_npy_check(&array, source->size));
  ISC_TRY(isc_tensor_create(out, context, array.dtype, array.dims, array.shape));
  if (is_fortran)
    return read_fortran(out, context, source, array.offset);
  return isc_source_read(source, array.offset, out->data, isc_tensor_bytes(out));
}

/* ---- Writing ---- */

/* A header of version 1.0 for `array`, of *size bytes in all, a multiple of 64. */
static void make_header(char text[4 * ALIGNMENT], size_t *size, const isc_tensor *array, const char *descr) {
  enum { ROOM = 4 * ALIGNMENT, PREFIX = MAGIC + 4 };
  size_t length = PREFIX;
  length += (size_t)snprintf(text + length, ROOM - length, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (int32_t d = 0; d < array->dims; d++)
    length += (size_t)snprintf(text + length, ROOM - length, d ? ", %" PRId64 : "%" PRId64, array->shape[d]);
  length += (size_t)snprintf(text + length, ROOM - length, array->dims == 1 ? ",), }" : "), }");
  *size = (length + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  memset(text + length, ' ', *size - length);
  text[*size - 1] = '\n';
  memcpy(text, magic, MAGIC);
  text[MAGIC] = 1;
  text[MAGIC + 1] = 0;
  text[MAGIC + 2] = (char)((*size - PREFIX) & 255);
  text[MAGIC + 3] = (char)((*size - PREFIX) >> 8);
}

iscp_status isc_write_npy(const isc_tensor *array, const iscp_context *context, const char *path) {
  (void)context;
  const char *descr = NULL;
  for (int i = 0; i < TYPES; i++)
    if (types[i].dtype == array->dtype)
      descr = types[i].descr;
  if (!descr)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "%s: .npy has no type for %s", path, isc_dtype_name(array->dtype));
  char header_text[4 * ALIGNMENT];
  size_t size;
  make_header(header_text, &size, array, descr);
  isc_writer writer;
  ISC_TRY(isc_writer_begin(&writer, path));
  ISC_TRY(isc_writer_append(&writer, header_text, size));
  ISC_TRY(isc_writer_append(&writer, array->data, isc_tensor_bytes(array)));
  return isc_writer_end(&writer);
}
