/* NumPy's .npz: a zip of .npy files, stored or deflated. What an entry may take is what its own header says, and no more
 * than a file of its size holds of pictures. */
#include <inttypes.h>
#include <string.h>

#include "format/archive.h"

enum {
  MOST_ENTRIES = 1024,
  HEAD = 10000 + 12,    /* the longest header that the .npy reader takes */
  /* Pictures deflate to a half or a quarter, drawings to a hundredth; zeros alone, to a thousandth, are no set of images. */
  PLAUSIBLE_RATIO = 256,
  PLAUSIBLE_SLACK = 1 << 26,
  LOCAL_HEADER = 30,
};

static bool ends_in_npy(const char *name, size_t length) { return length > 4 && !memcmp(name + length - 4, ".npy", 4); }

bool isc_npz_probe(const uint8_t *head, size_t size) {
  if (size < LOCAL_HEADER || memcmp(head, "PK\3\4", 4))
    return false;
  size_t length = head[26] | (size_t)head[27] << 8;
  return length <= size - LOCAL_HEADER && ends_in_npy((const char *)head + LOCAL_HEADER, length);
}

/* Names are never used as paths; one that tries to be one is a sign of something else than an .npz. */
static iscp_status check_name(const char *name) {
  if (name[0] == '/' || !strncmp(name, "../", 3) || strstr(name, "/../"))
    return isc_fail(ISCP_ERROR_FORMAT, "zip entry \"%s\" points out of the archive", name);
  return ISCP_OK;
}

/* ---- One entry ---- */

/* The entry's first bytes, and what its header says of the rest. */
typedef struct entry_head {
  uint8_t bytes[HEAD];
  size_t size;
  isc_array_header header;
  bool is_fortran;
} entry_head;

static iscp_status take_head(entry_head *head, isc_archive *archive, const iscp_context *context, int64_t entry_size) {
  isc_source source;
  ISC_TRY(isc_archive_take(archive, head->bytes, entry_size < HEAD ? (size_t)entry_size : HEAD, &head->size));
  if (!isc_npy_probe(head->bytes, head->size))
    return isc_fail(ISCP_ERROR_FORMAT, "is not an array: it lacks the magic of .npy");
  isc_source_memory(&source, head->bytes, head->size);
  ISC_TRY(isc_npy_describe(&head->header, &head->is_fortran, context, &source));
  return isc_npy_check(&head->header, entry_size);
}

/* The rest of the numbers goes straight to where it belongs; at the end of the entry its checksum is looked at. */
static iscp_status take_numbers(uint8_t *dst, size_t size, const entry_head *head, isc_archive *archive) {
  size_t there = head->size - (size_t)head->header.offset, got = 0;
  uint8_t more;
  memcpy(dst, head->bytes + head->header.offset, there);
  ISC_TRY(isc_archive_take(archive, dst + there, size - there, &got));
  if (there + got < size)
    return isc_fail(ISCP_ERROR_FORMAT, "is truncated: %zu bytes of numbers, expected %zu", there + got, size);
  ISC_TRY(isc_archive_take(archive, &more, 1, &got));
  return got ? isc_fail(ISCP_ERROR_FORMAT, "has more than the %zu bytes of numbers that its header says", size) : ISCP_OK;
}

/* Arrays in columns are gathered; both copies stand in memory for a moment. */
static iscp_status take_fortran(isc_tensor *out, const iscp_context *context, const entry_head *head,
                                isc_archive *archive) {
  int64_t strides[ISC_MAX_DIMS], stride = 1;
  for (int32_t d = 0; d < out->dims; d++) {
    strides[d] = stride;
    stride *= out->shape[d];
  }
  uint8_t *columns = isc_alloc(context, isc_tensor_bytes(out));
  if (!columns)
    return ISCP_ERROR_MEMORY;
  iscp_status status = take_numbers(columns, isc_tensor_bytes(out), head, archive);
  if (status == ISCP_OK && isc_tensor_count(out))
    isc_gather(out->data, columns, isc_dtype_size(out->dtype), out->dims, out->shape, strides);
  isc_free(context, columns);
  return status;
}

static iscp_status take_array(isc_tensor *out, const iscp_context *context, isc_archive *archive, int64_t entry_size,
                              int64_t file_size) {
  entry_head *head = isc_alloc(context, sizeof *head);
  if (!head)
    return ISCP_ERROR_MEMORY;
  iscp_status status;
  ISC_TRY_OR_DONE(take_head(head, archive, context, entry_size));
  if ((entry_size - PLAUSIBLE_SLACK) / PLAUSIBLE_RATIO > file_size)
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_FORMAT, "says %" PRId64 " bytes, more than the file's %" PRId64 " hold of pictures",
                             entry_size, file_size));
  ISC_TRY_OR_DONE(isc_tensor_create(out, context, head->header.dtype, head->header.dims, head->header.shape));
  if (head->is_fortran)
    ISC_TRY_OR_DONE(take_fortran(out, context, head, archive));
  else
    ISC_TRY_OR_DONE(take_numbers(out->data, isc_tensor_bytes(out), head, archive));
done:
  isc_free(context, head);
  return status;
}

/* ---- The list ---- */

static iscp_status add_entry(isc_npz *npz, const iscp_context *context, isc_archive *archive,
                             const isc_archive_entry *entry, entry_head *head) {
  size_t length = strlen(entry->name);
  ISC_TRY(check_name(entry->name));
  if (!ends_in_npy(entry->name, length))
    return ISCP_OK;
  if (npz->count == MOST_ENTRIES)
    return isc_fail(ISCP_ERROR_FORMAT, "has more than %d arrays", MOST_ENTRIES);
  ISC_TRY(isc_grow(context, (void **)&npz->names, &npz->name_capacity, npz->count + 1, sizeof *npz->names));
  ISC_TRY(isc_grow(context, (void **)&npz->headers, &npz->header_capacity, npz->count + 1, sizeof *npz->headers));
  char *name = isc_strdup(context, entry->name);
  if (!name)
    return ISCP_ERROR_MEMORY;
  name[length - 4] = 0;
  npz->names[npz->count++] = name;
  for (size_t i = 0; i + 1 < npz->count; i++)
    if (!strcmp(npz->names[i], name))
      return isc_fail(ISCP_ERROR_FORMAT, "has two arrays \"%s\"", name);
  iscp_status status = take_head(head, archive, context, entry->size);
  if (status == ISCP_ERROR_MEMORY || status == ISCP_ERROR_IO)
    return status;
  isc_array_header *header = &npz->headers[npz->count - 1];
  *header = status == ISCP_OK ? head->header : (isc_array_header){0};
  header->offset = -1;
  return ISCP_OK;
}

static iscp_status list_entries(isc_npz *npz, const iscp_context *context, isc_archive *archive) {
  entry_head *head = isc_alloc(context, sizeof *head);
  if (!head)
    return ISCP_ERROR_MEMORY;
  iscp_status status = ISCP_OK;
  for (isc_archive_entry entry; status == ISCP_OK;) {
    status = isc_archive_next(archive, &entry);
    if (status != ISCP_OK || !entry.name)
      break;
    status = add_entry(npz, context, archive, &entry, head);
  }
  isc_free(context, head);
  return status;
}

iscp_status isc_npz_list_source(isc_npz *npz, const iscp_context *context, const isc_source *source) {
  isc_archive *archive;
  *npz = (isc_npz){0};
  ISC_TRY(isc_archive_open(&archive, context, source));
  iscp_status status = list_entries(npz, context, archive);
  isc_archive_close(archive);
  if (status != ISCP_OK)
    isc_npz_release(npz, context);
  return status;
}

iscp_status isc_npz_list(isc_npz *npz, const iscp_context *context, const char *path) {
  *npz = (isc_npz){0};
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = isc_npz_list_source(npz, context, &source);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

void isc_npz_release(isc_npz *npz, const iscp_context *context) {
  isc_names_free(npz->names, npz->count, context);
  isc_free(context, npz->headers);
  *npz = (isc_npz){0};
}

/* ---- Reading one array ---- */

static bool is_entry(const char *entry, const char *name) {
  size_t length = strlen(name);
  return !strncmp(entry, name, length) && !strcmp(entry + length, ".npy");
}

static iscp_status find_and_take(isc_tensor *out, const iscp_context *context, isc_archive *archive, const char *name,
                                 int64_t file_size) {
  for (;;) {
    isc_archive_entry entry;
    ISC_TRY(isc_archive_next(archive, &entry));
    if (!entry.name)
      return isc_fail(ISCP_ERROR_FORMAT, "has no array \"%s\"", name);
    if (!is_entry(entry.name, name))
      continue;
    iscp_status status = take_array(out, context, archive, entry.size, file_size);
    return status == ISCP_OK || status == ISCP_ERROR_MEMORY ? status : isc_fail_in(status, name);
  }
}

iscp_status isc_npz_read_source(isc_tensor *out, const iscp_context *context, const isc_source *source,
                                const char *name) {
  isc_archive *archive;
  memset(out, 0, sizeof *out);
  ISC_TRY(isc_archive_open(&archive, context, source));
  iscp_status status = find_and_take(out, context, archive, name, source->size);
  isc_archive_close(archive);
  if (status != ISCP_OK)
    isc_tensor_release(out, context);
  return status;
}

iscp_status isc_npz_read(isc_tensor *out, const iscp_context *context, const char *path, const char *name) {
  memset(out, 0, sizeof *out);
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = isc_npz_read_source(out, context, &source, name);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}
