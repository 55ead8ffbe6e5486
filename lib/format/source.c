/* Where a reader's bytes come from: a regular file, or memory. Reading is by position, so that a reader takes what it
 * needs straight to where it belongs and never holds a file and its arrays at once. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/reader.h"

static iscp_status check_regular(int fd, int64_t *size) {
  struct stat state;
  if (fstat(fd, &state))
    return isc_fail(ISCP_ERROR_IO, "cannot be read: %s", strerror(errno));
  if (S_ISDIR(state.st_mode))
    return isc_fail(ISCP_ERROR_IO, "is a directory, expected a file");
  if (!S_ISREG(state.st_mode))
    return isc_fail(ISCP_ERROR_IO, "is a device or a pipe, expected a regular file");
  *size = state.st_size;
  return ISCP_OK;
}

iscp_status isc_source_open(isc_source *source, const char *path) {
  *source = (isc_source){.fd = -1};
  /* O_NONBLOCK: opening a pipe that nobody writes to must not wait. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return isc_fail(ISCP_ERROR_IO, "cannot be opened: %s", strerror(errno));
  iscp_status status = check_regular(fd, &source->size);
  if (status != ISCP_OK) {
    close(fd);
    return status;
  }
  source->fd = fd;
  return ISCP_OK;
}

void isc_source_memory(isc_source *source, const void *bytes, size_t size) {
  *source = (isc_source){.fd = -1, .bytes = bytes, .size = (int64_t)size};
}

void isc_source_close(isc_source *source) {
  if (source->fd >= 0)
    close(source->fd);
  *source = (isc_source){.fd = -1};
}

static iscp_status read_file(int fd, int64_t offset, uint8_t *dst, size_t size) {
  while (size) {
    ssize_t got = pread(fd, dst, size, offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return isc_fail(ISCP_ERROR_IO, "cannot be read at byte %lld: %s", (long long)offset, strerror(errno));
    if (got == 0)
      return isc_fail(ISCP_ERROR_IO, "became shorter while it was read, at byte %lld", (long long)offset);
    dst += got;
    offset += got;
    size -= (size_t)got;
  }
  return ISCP_OK;
}

iscp_status isc_source_read(const isc_source *source, int64_t offset, void *dst, size_t size) {
  if (offset < 0 || offset > source->size || size > (uint64_t)(source->size - offset))
    return isc_fail(ISCP_ERROR_FORMAT, "is truncated: it ends at byte %lld, expected %zu bytes from byte %lld",
                    (long long)source->size, size, (long long)offset);
  if (source->fd >= 0)
    return read_file(source->fd, offset, dst, size);
  if (size)
    memcpy(dst, source->bytes + offset, size);
  return ISCP_OK;
}
