/* IDX, the format of MNIST, plain or gzipped: 0 0 type dims, the sizes, the numbers, all big-endian. A gzipped file tells its
 * size only by being inflated, so that what it may become is bounded by what deflate can do. */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "format/reader.h"

enum { HEAD = 4, BLOCK = 1 << 15, LARGEST_RATIO = 1032 /* of deflate */ };

static const struct {
  uint8_t code;
  isc_dtype dtype;
} types[] = {{0x08, ISC_U8}, {0x09, ISC_I8}, {0x0b, ISC_I16}, {0x0c, ISC_I32}, {0x0d, ISC_F32}, {0x0e, ISC_F64}};
enum { TYPES = sizeof types / sizeof *types };

static bool is_gzip(const uint8_t *head, size_t size) { return size >= 2 && head[0] == 0x1f && head[1] == 0x8b; }

static bool find_type(isc_dtype *dtype, uint8_t code) {
  for (int i = 0; i < TYPES; i++)
    if (types[i].code == code) {
      *dtype = types[i].dtype;
      return true;
    }
  return false;
}

/* HEAD bytes, inflated if the file is gzipped: no second gzip is looked into. */
static bool read_head(isc_dtype *dtype, int32_t *dims, const uint8_t *head) {
  *dims = head[3];
  return !head[0] && !head[1] && find_type(dtype, head[2]) && head[3] >= 1 && head[3] <= ISC_MAX_DIMS;
}

bool isc_idx_probe(const uint8_t *head, size_t size) {
  isc_dtype dtype;
  int32_t dims;
  return is_gzip(head, size) || (size >= HEAD && read_head(&dtype, &dims, head));
}

/* ---- A stream of bytes, inflated if need be ---- */

typedef struct stream {
  const isc_source *source;
  int64_t at;    /* in the source */
  int64_t given; /* bytes taken from the stream */
  bool is_gzip, is_ended;
  z_stream z;
  uint8_t block[BLOCK];
} stream;

static void *take_memory(void *context, unsigned count, unsigned size) { return isc_calloc(context, count, size); }
static void give_memory(void *context, void *memory) { isc_free(context, memory); }

static iscp_status open_stream(stream **out, const iscp_context *context, const isc_source *source) {
  uint8_t head[2] = {0};
  ISC_TRY(isc_source_read(source, 0, head, source->size < 2 ? (size_t)source->size : 2));
  stream *s = isc_calloc(context, 1, sizeof *s);
  if (!s)
    return ISCP_ERROR_MEMORY;
  s->source = source;
  s->is_gzip = is_gzip(head, 2);
  s->z.zalloc = take_memory;
  s->z.zfree = give_memory;
  s->z.opaque = (void *)context;
  if (s->is_gzip && inflateInit2(&s->z, 16 + MAX_WBITS) != Z_OK) {
    isc_free(context, s);
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory in the gzip reader");
  }
  *out = s;
  return ISCP_OK;
}

static void close_stream(stream *s, const iscp_context *context) {
  if (s->is_gzip)
    inflateEnd(&s->z);
  isc_free(context, s);
}

static iscp_status fill_block(stream *s) {
  int64_t left = s->source->size - s->at;
  size_t size = left < BLOCK ? (size_t)left : BLOCK;
  ISC_TRY(isc_source_read(s->source, s->at, s->block, size));
  s->at += (int64_t)size;
  s->z.next_in = s->block;
  s->z.avail_in = (unsigned)size;
  return ISCP_OK;
}

static iscp_status fail_inflate(const stream *s, int code) {
  if (code == Z_MEM_ERROR)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory in the gzip reader");
  if (code == Z_BUF_ERROR || code == Z_OK)
    return isc_fail(ISCP_ERROR_FORMAT, "is truncated: the gzip stream has no end");
  return isc_fail(ISCP_ERROR_FORMAT, "gzip stream is damaged near byte %" PRId64 ": %s", s->at - (int64_t)s->z.avail_in,
                  s->z.msg ? s->z.msg : "no reason known");
}

/* Inflates up to `size` bytes; *got is less only at the end of the stream. */
static iscp_status inflate_bytes(stream *s, uint8_t *dst, size_t size, size_t *got) {
  *got = 0;
  while (*got < size && !s->is_ended) {
    size_t left = size - *got;
    unsigned room = left < (1u << 30) ? (unsigned)left : 1u << 30;
    if (!s->z.avail_in)
      ISC_TRY(fill_block(s));
    s->z.next_out = dst + *got;
    s->z.avail_out = room;
    unsigned before = s->z.avail_in;
    int code = inflate(&s->z, Z_NO_FLUSH);
    *got += room - s->z.avail_out;
    s->is_ended = code == Z_STREAM_END;
    bool stuck = !before && s->z.avail_out == room;
    if ((code != Z_OK && code != Z_STREAM_END) || (stuck && !s->is_ended))
      return fail_inflate(s, code);
  }
  return ISCP_OK;
}

static iscp_status take(stream *s, void *dst, size_t size) {
  size_t got = size;
  if (s->is_gzip) {
    ISC_TRY(inflate_bytes(s, dst, size, &got));
  } else {
    ISC_TRY(isc_source_read(s->source, s->at, dst, size));
    s->at += (int64_t)size;
  }
  s->given += (int64_t)got;
  if (got < size)
    return isc_fail(ISCP_ERROR_FORMAT, "is truncated: it inflates to %" PRId64 " bytes, expected %zu more", s->given,
                    size - got);
  return ISCP_OK;
}

/* Nothing may follow the numbers, neither within the gzip stream nor behind it. */
static iscp_status check_end(stream *s) {
  uint8_t more;
  size_t got = 0;
  if (s->is_gzip)
    ISC_TRY(inflate_bytes(s, &more, 1, &got));
  if (got || s->at - (int64_t)s->z.avail_in != s->source->size)
    return isc_fail(ISCP_ERROR_FORMAT, "has bytes after the %" PRId64 " that its header says", s->given);
  return ISCP_OK;
}

/* ---- The array ---- */

static iscp_status take_header(stream *s, isc_dtype *dtype, int32_t *dims, int64_t shape[ISC_MAX_DIMS]) {
  uint8_t head[HEAD], size[4];
  ISC_TRY(take(s, head, HEAD));
  if (!read_head(dtype, dims, head))
    return isc_fail(ISCP_ERROR_FORMAT, "starts with bytes %02x %02x %02x %02x, expected 00 00, a type of 08 to 0e and "
                    "1 to %d dimensions (IDX)", head[0], head[1], head[2], head[3], ISC_MAX_DIMS);
  for (int32_t d = 0; d < *dims; d++) {
    ISC_TRY(take(s, size, 4));
    shape[d] = (int64_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3];
  }
  return ISCP_OK;
}

/* Before memory is taken: the numbers are all of a plain file, and no more than a gzipped one can inflate to. */
static iscp_status check_size(const stream *s, int64_t bytes) {
  int64_t left = s->source->size - s->given;
  if (!s->is_gzip && left != bytes)
    return isc_fail(ISCP_ERROR_FORMAT, "has %" PRId64 " bytes of numbers, expected %" PRId64 " by its header", left,
                    bytes);
  if (s->is_gzip && bytes / LARGEST_RATIO > s->source->size)
    return isc_fail(ISCP_ERROR_FORMAT, "header says %" PRId64 " bytes of numbers, more than %" PRId64 " gzipped bytes "
                    "hold", bytes, s->source->size);
  return ISCP_OK;
}

iscp_status isc_idx_describe(isc_array_header *out, const iscp_context *context, const isc_source *source) {
  stream *s;
  int64_t count;
  *out = (isc_array_header){0};
  ISC_TRY(open_stream(&s, context, source));
  iscp_status status = take_header(s, &out->dtype, &out->dims, out->shape);
  if (status == ISCP_OK)
    status = isc_shape_count(&count, out->dims, out->shape);
  if (status == ISCP_OK)
    status = check_size(s, count * (int64_t)isc_dtype_size(out->dtype));
  out->offset = !s->is_gzip && isc_dtype_size(out->dtype) == 1 ? s->at : -1;
  close_stream(s, context);
  return status;
}

iscp_status isc_gzip_head(uint8_t *dst, size_t size, size_t *got, const iscp_context *context,
                          const isc_source *source) {
  stream *s;
  *got = 0;
  ISC_TRY(open_stream(&s, context, source));
  iscp_status status = s->is_gzip ? inflate_bytes(s, dst, size, got) : ISCP_OK;
  close_stream(s, context);
  return status;
}

static void to_native(void *data, size_t item, int64_t count) {
  for (int64_t i = 0; item > 1 && i < count; i++) {
    uint8_t *number = (uint8_t *)data + (size_t)i * item;
    for (size_t low = 0, high = item - 1; low < high; low++, high--) {
      uint8_t byte = number[low];
      number[low] = number[high];
      number[high] = byte;
    }
  }
}

static iscp_status read_array(isc_tensor *out, const iscp_context *context, stream *s) {
  isc_dtype dtype;
  int32_t dims;
  int64_t shape[ISC_MAX_DIMS], count;
  ISC_TRY(take_header(s, &dtype, &dims, shape));
  ISC_TRY(isc_shape_count(&count, dims, shape));
  int64_t bytes = count * (int64_t)isc_dtype_size(dtype);
  ISC_TRY(check_size(s, bytes));
  ISC_TRY(isc_tensor_create(out, context, dtype, dims, shape));
  ISC_TRY(take(s, out->data, (size_t)bytes));
  ISC_TRY(check_end(s));
  to_native(out->data, isc_dtype_size(dtype), count);
  return ISCP_OK;
}

iscp_status isc_idx_read(isc_tensor *out, const iscp_context *context, const isc_source *source) {
  stream *s;
  ISC_TRY(open_stream(&s, context, source));
  iscp_status status = read_array(out, context, s);
  close_stream(s, context);
  return status;
}
