/* Files and directories. Reading takes regular files only. Writing goes to a file beside the target, is synced, and is
 * then renamed: whoever looks sees the old file or the whole new one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/reader.h"

/* ---- Reading ---- */

static iscp_status read_whole(uint8_t **bytes, size_t *size, const iscp_context *context, const isc_source *source,
                              size_t limit) {
  if ((uint64_t)source->size > limit)
    return isc_fail(ISCP_ERROR_FORMAT, "has %lld bytes, expected at most %zu", (long long)source->size, limit);
  uint8_t *memory = isc_alloc(context, (size_t)source->size);
  if (!memory)
    return ISCP_ERROR_MEMORY;
  iscp_status status = isc_source_read(source, 0, memory, (size_t)source->size);
  if (status != ISCP_OK) {
    isc_free(context, memory);
    return status;
  }
  *bytes = memory;
  *size = (size_t)source->size;
  return ISCP_OK;
}

iscp_status isc_file_read(uint8_t **bytes, size_t *size, const iscp_context *context, const char *path, size_t limit) {
  *bytes = NULL;
  *size = 0;
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = read_whole(bytes, size, context, &source, limit);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

iscp_status isc_file_size(int64_t *size, const char *path) {
  *size = 0;
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  *size = source.size;
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

/* ---- Writing ---- */

static iscp_status fail_write(const char *path, int error) {
  return isc_fail(ISCP_ERROR_IO, "%s: cannot be written: %s", path, strerror(error));
}

/* The file that is to be replaced: through links, so that a link stays one. Replacing a device would remove it. */
static iscp_status resolve(char target[PATH_MAX], const char *path) {
  struct stat state;
  if (stat(path, &state) == 0) {
    if (!S_ISREG(state.st_mode))
      return isc_fail(ISCP_ERROR_IO, "%s: cannot be written: is not a regular file", path);
    return realpath(path, target) ? ISCP_OK : fail_write(path, errno);
  }
  if (strlen(path) >= PATH_MAX)
    return fail_write(path, ENAMETOOLONG);
  memcpy(target, path, strlen(path) + 1);
  return ISCP_OK;
}

/* Opens a new file in the target's directory; another writer's file of the same name is passed over. */
static int open_beside(isc_writer *writer) {
  const char *slash = strrchr(writer->target, '/');
  int directory = slash ? (int)(slash - writer->target) + 1 : 0;
  for (int attempt = 0; attempt < 1000; attempt++) {
    int length = snprintf(writer->temporary, sizeof writer->temporary, "%.*s.iscp-%ld-%d.tmp", directory,
                          writer->target, (long)getpid(), attempt);
    if (length < 0 || (size_t)length >= sizeof writer->temporary) {
      errno = ENAMETOOLONG;
      return -1;
    }
    int fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST)
      return fd;
  }
  return -1;
}

void isc_writer_abandon(isc_writer *writer) {
  if (writer->fd >= 0)
    close(writer->fd);
  writer->fd = -1;
  unlink(writer->temporary);
}

static iscp_status fail_writer(isc_writer *writer) {
  int error = errno;
  isc_writer_abandon(writer);
  return fail_write(writer->path, error);
}

iscp_status isc_writer_begin(isc_writer *writer, const char *path) {
  writer->path = path;
  writer->fd = -1;
  ISC_TRY(resolve(writer->target, path));
  writer->fd = open_beside(writer);
  return writer->fd < 0 ? fail_write(path, errno) : ISCP_OK;
}

iscp_status isc_writer_append(isc_writer *writer, const void *bytes, size_t size) {
  const char *from = bytes;
  while (size) {
    ssize_t written = write(writer->fd, from, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return fail_writer(writer);
    from += written;
    size -= (size_t)written;
  }
  return ISCP_OK;
}

iscp_status isc_writer_end(isc_writer *writer) {
  if (fsync(writer->fd))
    return fail_writer(writer);
  int fd = writer->fd;
  writer->fd = -1;
  if (close(fd) || rename(writer->temporary, writer->target))
    return fail_writer(writer);
  return ISCP_OK;
}

iscp_status isc_file_write(const iscp_context *context, const char *path, const void *bytes, size_t size) {
  (void)context;
  isc_writer writer;
  ISC_TRY(isc_writer_begin(&writer, path));
  ISC_TRY(isc_writer_append(&writer, bytes, size));
  return isc_writer_end(&writer);
}

/* ---- Directories ---- */

int isc_is_directory(const char *path) {
  struct stat state;
  return stat(path, &state) == 0 && S_ISDIR(state.st_mode);
}

iscp_status isc_make_directory(const char *path) {
  if (mkdir(path, 0777) == 0)
    return ISCP_OK;
  int error = errno;
  if (error == EEXIST && isc_is_directory(path))
    return ISCP_OK;
  return isc_fail(ISCP_ERROR_IO, "%s: the directory cannot be made: %s", path, strerror(error));
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static iscp_status list_entries(char ***names, size_t *count, const iscp_context *context, DIR *directory) {
  size_t capacity = 0;
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(directory);
    if (!entry)
      return errno ? isc_fail(ISCP_ERROR_IO, "cannot be listed: %s", strerror(errno)) : ISCP_OK;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
      continue;
    ISC_TRY(isc_grow(context, (void **)names, &capacity, *count + 1, sizeof **names));
    char *name = isc_strdup(context, entry->d_name);
    if (!name)
      return ISCP_ERROR_MEMORY;
    (*names)[(*count)++] = name;
  }
}

iscp_status isc_list_directory(char ***names, size_t *count, const iscp_context *context, const char *path) {
  *names = NULL;
  *count = 0;
  DIR *directory = opendir(path);
  if (!directory)
    return isc_fail(ISCP_ERROR_IO, "%s: cannot be listed: %s", path, strerror(errno));
  iscp_status status = list_entries(names, count, context, directory);
  closedir(directory);
  if (status != ISCP_OK) {
    isc_names_free(*names, *count, context);
    *names = NULL;
    *count = 0;
    return isc_fail_in(status, path);
  }
  if (*count)
    qsort(*names, *count, sizeof **names, by_bytes);
  return ISCP_OK;
}

void isc_names_free(char **names, size_t count, const iscp_context *context) {
  for (size_t i = 0; i < count; i++)
    isc_free(context, names[i]);
  isc_free(context, names);
}

char *isc_path_join(const iscp_context *context, const char *directory, const char *name) {
  size_t length = strlen(directory);
  const char *slash = length && directory[length - 1] != '/' ? "/" : "";
  size_t size = length + strlen(slash) + strlen(name) + 1;
  char *path = isc_alloc(context, size);
  if (path)
    snprintf(path, size, "%s%s%s", directory, slash, name);
  return path;
}
