/* The binary files of CIFAR-10 and CIFAR-100: records of a label (of CIFAR-100 a coarse and a fine one) and 3 x 32 x 32 bytes,
 * planes R, G, B. They stand in a directory, or in the published .tar.gz; the names of the files are the published ones,
 * the number of records is free. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/archive.h"

enum {
  SIDE = 32,
  IMAGE = 3 * SIDE * SIDE,
  BATCHES = 5,           /* data_batch_1.bin to data_batch_5.bin */
  PARTS = BATCHES + 2,   /* and one file for each other split or set */
  MOST_RECORDS = 1 << 16, /* of a file; published are 10,000 and 50,000 */
  NAMES_LIMIT = 1 << 14,
  /* Photographs hardly deflate: what a whole archive may inflate to, so many times its size and a bit. */
  PLAUSIBLE_RATIO = 16,
  PLAUSIBLE_SLACK = 1 << 20,
};

/* One of the two sets, as it was published. */
typedef struct variant {
  int32_t classes;
  size_t labels; /* bytes in front of a record's pixels; the last one counts */
  const char *test, *train[BATCHES + 1], *names, *folder;
} variant;

static const variant variants[] = {
    {10, 1, "test_batch.bin",
     {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", NULL},
     "batches.meta.txt", "cifar-10-batches-bin"},
    {100, 2, "test.bin", {"train.bin", NULL}, "fine_label_names.txt", "cifar-100-binary"},
};

/* The files of one split that were found. */
typedef struct parts {
  const variant *kind;
  uint8_t *bytes[PARTS];
  size_t sizes[PARTS];
  char *names; /* the text file of names, or NULL */
} parts;

static size_t record_size(const variant *kind) { return kind->labels + IMAGE; }

static void release_parts(parts *p, const iscp_context *context) {
  for (int i = 0; i < PARTS; i++)
    isc_free(context, p->bytes[i]);
  isc_free(context, p->names);
}

/* The place among the parts of file `name` of this split, or -1. */
static int find_part(const variant *kind, const char *name, int split) {
  if (split == ISC_CIFAR_TEST)
    return strcmp(name, kind->test) ? -1 : 0;
  for (int i = 0; kind->train[i]; i++)
    if (!strcmp(name, kind->train[i]))
      return i;
  return -1;
}

static iscp_status check_records(const variant *kind, const char *name, int64_t size) {
  int64_t record = (int64_t)record_size(kind);
  if (size < record || size % record || size / record > MOST_RECORDS)
    return isc_fail(ISCP_ERROR_FORMAT, "%s has %" PRId64 " bytes, expected 1 to %d records of %" PRId64 " bytes (CIFAR-%d)",
                    name, size, MOST_RECORDS, record, kind->classes);
  return ISCP_OK;
}

/* ---- From the parts to arrays ---- */

static void copy_records(isc_cifar *out, const parts *p) {
  uint8_t *pixels = out->pixels.data, *labels = out->labels.data;
  size_t record = record_size(p->kind);
  for (int i = 0; i < PARTS; i++)
    for (size_t at = 0; at < p->sizes[i]; at += record) {
      *labels++ = p->bytes[i][at + p->kind->labels - 1];
      memcpy(pixels, p->bytes[i] + at + p->kind->labels, IMAGE);
      pixels += IMAGE;
    }
}

/* A name a line; the file of CIFAR-10 ends in an empty one. Without just the right number there are no names. */
static iscp_status take_names(isc_cifar *out, const iscp_context *context, char *text) {
  char **names = isc_calloc(context, (size_t)out->classes, sizeof *names);
  size_t count = 0;
  if (!names)
    return ISCP_ERROR_MEMORY;
  while (*text) {
    size_t length = strcspn(text, "\r\n");
    char *next = text + length + (text[length] != 0);
    text[length] = 0;
    if (length && count < (size_t)out->classes && !(names[count] = isc_strdup(context, text))) {
      isc_names_free(names, count, context);
      return ISCP_ERROR_MEMORY;
    }
    count += length > 0;
    text = next;
  }
  if (count == (size_t)out->classes) {
    out->names = names;
    return ISCP_OK;
  }
  isc_names_free(names, count < (size_t)out->classes ? count : (size_t)out->classes, context);
  return ISCP_OK;
}

static iscp_status join(isc_cifar *out, const iscp_context *context, const parts *p) {
  int64_t records = 0;
  for (int i = 0; i < PARTS; i++)
    records += (int64_t)(p->sizes[i] / record_size(p->kind));
  if (!records)
    return ISCP_OK;
  out->classes = p->kind->classes;
  ISC_TRY(isc_tensor_create(&out->pixels, context, ISC_U8, 4, (int64_t[]){records, 3, SIDE, SIDE}));
  ISC_TRY(isc_tensor_create(&out->labels, context, ISC_U8, 1, &records));
  copy_records(out, p);
  return p->names ? take_names(out, context, p->names) : ISCP_OK;
}

static iscp_status finish(isc_cifar *out, const iscp_context *context, parts *p, iscp_status status) {
  if (status == ISCP_OK)
    status = join(out, context, p);
  release_parts(p, context);
  if (status != ISCP_OK)
    isc_cifar_release(out, context);
  return status;
}

void isc_cifar_release(isc_cifar *cifar, const iscp_context *context) {
  isc_tensor_release(&cifar->pixels, context);
  isc_tensor_release(&cifar->labels, context);
  if (cifar->names)
    isc_names_free(cifar->names, (size_t)cifar->classes, context);
  *cifar = (isc_cifar){0};
}

/* ---- A directory ---- */

static bool has_name(char *const *names, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (!strcmp(names[i], name))
      return true;
  return false;
}

static iscp_status read_part(uint8_t **bytes, size_t *size, const iscp_context *context, const char *directory,
                             const char *name, size_t limit) {
  char *path = isc_path_join(context, directory, name);
  if (!path)
    return ISCP_ERROR_MEMORY;
  iscp_status status = isc_file_read(bytes, size, context, path, limit);
  isc_free(context, path);
  return status;
}

static iscp_status read_names(parts *p, const iscp_context *context, const char *directory) {
  uint8_t *bytes;
  size_t size;
  ISC_TRY(read_part(&bytes, &size, context, directory, p->kind->names, NAMES_LIMIT));
  p->names = isc_calloc(context, size + 1, 1);
  if (p->names)
    memcpy(p->names, bytes, size);
  isc_free(context, bytes);
  return p->names ? ISCP_OK : ISCP_ERROR_MEMORY;
}

static iscp_status read_parts(parts *p, const iscp_context *context, const char *directory, char *const *files,
                              size_t count, int split) {
  for (size_t i = 0; i < count; i++) {
    int part = find_part(p->kind, files[i], split);
    if (part < 0)
      continue;
    ISC_TRY(read_part(&p->bytes[part], &p->sizes[part], context, directory, files[i], MOST_RECORDS * (IMAGE + 2)));
    iscp_status status = check_records(p->kind, files[i], (int64_t)p->sizes[part]);
    if (status != ISCP_OK)
      return isc_fail_in(status, directory);
  }
  return has_name(files, count, p->kind->names) ? read_names(p, context, directory) : ISCP_OK;
}

static bool has_records(const variant *kind, char *const *files, size_t count) {
  bool found = has_name(files, count, kind->test);
  for (int i = 0; kind->train[i]; i++)
    found |= has_name(files, count, kind->train[i]);
  return found;
}

iscp_status isc_cifar_read_directory(isc_cifar *out, const iscp_context *context, const char *path, int split) {
  *out = (isc_cifar){0};
  char **files = NULL;
  size_t count = 0;
  ISC_TRY(isc_list_directory(&files, &count, context, path));
  parts p = {0};
  iscp_status status = ISCP_OK;
  for (int v = 0; v < 2 && !p.kind && status == ISCP_OK; v++) {
    if (has_records(&variants[v], files, count)) {
      p.kind = &variants[v];
      status = read_parts(&p, context, path, files, count, split);
    } else if (has_name(files, count, variants[v].folder)) {
      char *inner = isc_path_join(context, path, variants[v].folder);
      status = !inner ? ISCP_ERROR_MEMORY
               : isc_is_directory(inner) ? isc_cifar_read_directory(out, context, inner, split) : ISCP_OK;
      isc_free(context, inner);
      isc_names_free(files, count, context);
      return status;
    }
  }
  isc_names_free(files, count, context);
  return p.kind ? finish(out, context, &p, status) : status;
}

/* ---- The published archive ---- */

static iscp_status check_entry(const isc_archive_entry *entry, int64_t *total, int64_t archive_size) {
  int64_t most = archive_size * PLAUSIBLE_RATIO + PLAUSIBLE_SLACK;
  if (entry->name[0] == '/' || !strncmp(entry->name, "../", 3) || strstr(entry->name, "/../"))
    return isc_fail(ISCP_ERROR_FORMAT, "entry \"%s\" points out of the archive", entry->name);
  if (entry->size > most - *total)
    return isc_fail(ISCP_ERROR_FORMAT, "entry \"%s\" says %" PRId64 " bytes, more than %" PRId64 " gzipped bytes hold of "
                    "pictures", entry->name, entry->size, archive_size);
  *total += entry->size;
  return ISCP_OK;
}

static iscp_status take_part(parts *p, const iscp_context *context, isc_archive *archive, const isc_archive_entry *entry,
                             const char *name, int split) {
  int part = find_part(p->kind, name, split);
  if (!strcmp(name, p->kind->names) && entry->size <= NAMES_LIMIT && !p->names) {
    p->names = isc_calloc(context, (size_t)entry->size + 1, 1);
    return p->names ? isc_archive_read(archive, p->names, (size_t)entry->size) : ISCP_ERROR_MEMORY;
  }
  if (part < 0)
    return ISCP_OK;
  if (p->bytes[part])
    return isc_fail(ISCP_ERROR_FORMAT, "has two entries %s", name);
  ISC_TRY(check_records(p->kind, name, entry->size));
  p->bytes[part] = isc_alloc(context, (size_t)entry->size);
  if (!p->bytes[part])
    return ISCP_ERROR_MEMORY;
  p->sizes[part] = (size_t)entry->size;
  return isc_archive_read(archive, p->bytes[part], (size_t)entry->size);
}

/* The folder that an entry stands in says which set it is. */
static const variant *find_variant(const char *entry, const char **name) {
  const char *slash = strrchr(entry, '/');
  *name = slash ? slash + 1 : entry;
  if (!slash)
    return NULL;
  for (int v = 0; v < 2; v++) {
    size_t length = strlen(variants[v].folder);
    if (slash - entry >= (ptrdiff_t)length && !strncmp(slash - length, variants[v].folder, length))
      return &variants[v];
  }
  return NULL;
}

static bool is_python(const char *entry) {
  return strstr(entry, "cifar-10-batches-py/") || strstr(entry, "cifar-100-python/");
}

static iscp_status take_archive(parts *p, const iscp_context *context, isc_archive *archive, int64_t archive_size,
                                int split) {
  for (int64_t total = 0;;) {
    isc_archive_entry entry;
    const char *name;
    ISC_TRY(isc_archive_next(archive, &entry));
    if (!entry.name)
      return p->kind ? ISCP_OK : isc_fail(ISCP_ERROR_FORMAT, "has no folder %s or %s, expected CIFAR's binary archive",
                                          variants[0].folder, variants[1].folder);
    if (is_python(entry.name))
      return isc_fail(ISCP_ERROR_UNSUPPORTED, ISC_CIFAR_PYTHON_TEXT);
    ISC_TRY(check_entry(&entry, &total, archive_size));
    const variant *kind = find_variant(entry.name, &name);
    if (!kind)
      continue;
    if (p->kind && p->kind != kind)
      return isc_fail(ISCP_ERROR_FORMAT, "holds both CIFAR-10 and CIFAR-100");
    p->kind = kind;
    ISC_TRY(take_part(p, context, archive, &entry, name, split));
  }
}

iscp_status isc_cifar_read_archive_source(isc_cifar *out, const iscp_context *context, const isc_source *source,
                                          int split) {
  *out = (isc_cifar){0};
  isc_archive *archive;
  parts p = {0};
  ISC_TRY(isc_archive_open_tar_gzip(&archive, context, source));
  iscp_status status = take_archive(&p, context, archive, source->size, split);
  isc_archive_close(archive);
  if (!p.kind) {
    release_parts(&p, context);
    return status;
  }
  return finish(out, context, &p, status);
}

iscp_status isc_cifar_read_archive(isc_cifar *out, const iscp_context *context, const char *path, int split) {
  *out = (isc_cifar){0};
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = isc_cifar_read_archive_source(out, context, &source, split);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}
