/* Archives by way of libarchive, which sees one format a time: zip, read by the central directory, or gzipped tar. Its warnings
 * (a wrong checksum, a size that differs from the directory's) are errors to us. */
#include "format/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 1 << 16 };

struct isc_archive {
  const iscp_context *context;
  const isc_source *source;
  struct archive *zip;
  const char *kind; /* "zip" or "tar.gz" */
  int64_t position;
  iscp_status status; /* of a failed callback, whose message stands */
  uint8_t block[BLOCK];
};

static la_ssize_t give_block(struct archive *zip, void *user, const void **block) {
  isc_archive *archive = user;
  int64_t left = archive->source->size - archive->position;
  size_t size = left < BLOCK ? (size_t)left : BLOCK;
  archive->status = isc_source_read(archive->source, archive->position, archive->block, size);
  if (archive->status != ISCP_OK) {
    archive_set_error(zip, EIO, "read");
    return ARCHIVE_FATAL;
  }
  archive->position += (int64_t)size;
  *block = archive->block;
  return (la_ssize_t)size;
}

static la_int64_t skip(struct archive *zip, void *user, la_int64_t request) {
  (void)zip;
  isc_archive *archive = user;
  int64_t left = archive->source->size - archive->position;
  int64_t step = request < 0 ? 0 : request < left ? request : left;
  archive->position += step;
  return step;
}

static la_int64_t seek(struct archive *zip, void *user, la_int64_t offset, int whence) {
  isc_archive *archive = user;
  int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? archive->position : archive->source->size, to;
  if (__builtin_add_overflow(from, offset, &to) || to < 0 || to > archive->source->size) {
    archive_set_error(zip, EINVAL, "an offset outside the file");
    return ARCHIVE_FATAL;
  }
  archive->position = to;
  return to;
}

/* What libarchive says, in our words; a callback's own message is kept. */
static iscp_status fail(const isc_archive *archive, const char *what) {
  if (archive->status != ISCP_OK)
    return archive->status;
  if (archive_errno(archive->zip) == ENOMEM)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory in the %s reader", archive->kind);
  const char *reason = archive_error_string(archive->zip);
  return isc_fail(ISCP_ERROR_FORMAT, "%s: %s", what, reason ? reason : "no reason known");
}

static void set_callbacks(isc_archive *archive) {
  archive_read_set_read_callback(archive->zip, give_block);
  archive_read_set_skip_callback(archive->zip, skip);
  archive_read_set_callback_data(archive->zip, archive);
}

static iscp_status start_zip(isc_archive *archive) {
  struct archive *zip = archive->zip;
  set_callbacks(archive);
  archive_read_set_seek_callback(zip, seek);
  if (archive_read_support_format_zip_seekable(zip) != ARCHIVE_OK)
    return fail(archive, "zip is not available");
  if (archive_read_open1(zip) != ARCHIVE_OK)
    return archive->status != ISCP_OK ? archive->status
                                      : isc_fail(ISCP_ERROR_FORMAT, "is truncated or damaged: it has no zip directory "
                                                                    "at its end");
  return ISCP_OK;
}

static iscp_status start_tar_gzip(isc_archive *archive) {
  struct archive *tar = archive->zip;
  set_callbacks(archive);
  if (archive_read_support_filter_gzip(tar) != ARCHIVE_OK || archive_read_support_format_tar(tar) != ARCHIVE_OK)
    return fail(archive, "tar.gz is not available");
  return archive_read_open1(tar) == ARCHIVE_OK ? ISCP_OK : fail(archive, "is truncated or damaged");
}

static iscp_status open_kind(isc_archive **out, const iscp_context *context, const isc_source *source, const char *kind,
                             iscp_status (*start)(isc_archive *archive)) {
  *out = NULL;
  isc_archive *archive = isc_calloc(context, 1, sizeof *archive);
  if (!archive)
    return ISCP_ERROR_MEMORY;
  archive->context = context;
  archive->source = source;
  archive->kind = kind;
  archive->zip = archive_read_new();
  iscp_status status =
      archive->zip ? start(archive) : isc_fail(ISCP_ERROR_MEMORY, "out of memory in the %s reader", kind);
  if (status == ISCP_OK)
    *out = archive;
  else
    isc_archive_close(archive);
  return status;
}

iscp_status isc_archive_open(isc_archive **out, const iscp_context *context, const isc_source *source) {
  return open_kind(out, context, source, "zip", start_zip);
}

iscp_status isc_archive_open_tar_gzip(isc_archive **out, const iscp_context *context, const isc_source *source) {
  return open_kind(out, context, source, "tar.gz", start_tar_gzip);
}

void isc_archive_close(isc_archive *archive) {
  if (!archive)
    return;
  archive_read_free(archive->zip);
  isc_free(archive->context, archive);
}

/* The name in the encoding of the file: a name that the locale cannot say is there as UTF-8. */
static const char *name_of(struct archive_entry *entry) {
  const char *name = archive_entry_pathname(entry);
  return name ? name : archive_entry_pathname_utf8(entry);
}

static iscp_status check_entry(const isc_archive *archive, struct archive_entry *entry, int code, const char *name) {
  if (!name)
    return isc_fail(ISCP_ERROR_FORMAT, "has a %s entry without a readable name", archive->kind);
  if (archive_entry_is_encrypted(entry))
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "%s entry \"%s\" is encrypted, expected plain entries", archive->kind, name);
  /* A name that the locale cannot say is a warning too; any other is that directory and local header disagree. */
  if (code != ARCHIVE_OK && (code != ARCHIVE_WARN || archive_entry_pathname(entry)))
    return fail(archive, "is damaged");
  if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0)
    return isc_fail(ISCP_ERROR_FORMAT, "%s entry \"%s\" has no size", archive->kind, name);
  if (archive_entry_filetype(entry) != AE_IFREG)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "%s entry \"%s\" is a link or a device, expected files", archive->kind, name);
  return ISCP_OK;
}

iscp_status isc_archive_next(isc_archive *archive, isc_archive_entry *out) {
  for (;;) {
    struct archive_entry *entry;
    int code = archive_read_next_header(archive->zip, &entry);
    *out = (isc_archive_entry){0};
    if (code == ARCHIVE_EOF)
      return ISCP_OK;
    if (code != ARCHIVE_OK && code != ARCHIVE_WARN && code != ARCHIVE_FAILED)
      return fail(archive, "is truncated or damaged");
    const char *name = name_of(entry);
    if (code != ARCHIVE_FAILED && archive_entry_filetype(entry) == AE_IFDIR)
      continue;
    ISC_TRY(check_entry(archive, entry, code, name));
    *out = (isc_archive_entry){name, archive_entry_size(entry)};
    return ISCP_OK;
  }
}

iscp_status isc_archive_take(isc_archive *archive, void *dst, size_t size, size_t *got) {
  *got = 0;
  while (*got < size) {
    la_ssize_t more = archive_read_data(archive->zip, (uint8_t *)dst + *got, size - *got);
    if (more < 0)
      return fail(archive, "is truncated or damaged");
    if (more == 0)
      return ISCP_OK;
    *got += (size_t)more;
  }
  return ISCP_OK;
}

iscp_status isc_archive_read(isc_archive *archive, void *dst, size_t size) {
  la_ssize_t got = archive_read_data(archive->zip, dst, size);
  if (got < 0)
    return fail(archive, "is truncated or damaged");
  if ((size_t)got != size)
    return isc_fail(ISCP_ERROR_FORMAT, "is truncated or damaged: a zip entry has %lld bytes, expected %zu",
                    (long long)got, size);
  /* The checksum is looked at when the end of the entry is met. */
  char more;
  got = archive_read_data(archive->zip, &more, 1);
  if (got < 0)
    return fail(archive, "is damaged");
  if (got > 0)
    return isc_fail(ISCP_ERROR_FORMAT, "is damaged: a zip entry has more than the %zu bytes that its directory says",
                    size);
  return ISCP_OK;
}
