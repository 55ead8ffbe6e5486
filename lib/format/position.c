/* A file kept open and read at any position, by any number of threads at once: arrays too large for memory. lib/data takes one
 * picture a time from it, so that a set may be larger than the machine. */
#include "format/reader.h"

struct isc_file {
  const iscp_context *context;
  char *path;
  isc_source source;
};

iscp_status isc_file_open(isc_file **out, const iscp_context *context, const char *path) {
  *out = NULL;
  isc_file *file = isc_calloc(context, 1, sizeof *file);
  if (!file)
    return ISCP_ERROR_MEMORY;
  file->context = context;
  file->source.fd = -1;
  file->path = isc_strdup(context, path);
  iscp_status status = file->path ? isc_source_open(&file->source, path) : ISCP_ERROR_MEMORY;
  if (status == ISCP_OK) {
    *out = file;
    return ISCP_OK;
  }
  isc_file_close(file);
  return status == ISCP_ERROR_MEMORY ? status : isc_fail_in(status, path);
}

iscp_status isc_file_read_at(const isc_file *file, int64_t offset, void *dst, size_t size) {
  iscp_status status = isc_source_read(&file->source, offset, dst, size);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, file->path);
}

const char *isc_file_path(const isc_file *file) { return file->path; }

void isc_file_close(isc_file *file) {
  if (!file)
    return;
  isc_source_close(&file->source);
  isc_free(file->context, file->path);
  isc_free(file->context, file);
}
