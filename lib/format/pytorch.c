/* PyTorch checkpoints. A zip container holds one folder with data.pkl, the pickled state dict, and data/<key>, the raw
 * numbers of each storage. Two passes over the archive: the first reads the pickle, the second brings each storage
 * straight to the tensors that view it. */
#include <stdlib.h>
#include <string.h>

#include "format/archive.h"
#include "format/views.h"

enum { ENTRY_LIMIT = 32768 };

/* What the first pass finds. */
typedef struct contents {
  char **names;
  size_t count, capacity;
  char *folder; /* the name of the archive's folder */
  uint8_t *pickle;
  size_t pickle_size;
  bool is_script, is_big_endian;
} contents;

bool isc_pytorch_probe(const uint8_t *head, size_t size) { return size >= 4 && !memcmp(head, "PK\3\4", 4); }

bool isc_pytorch_legacy_probe(const uint8_t *head, size_t size) {
  static const uint8_t magic[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                  0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};
  return size >= sizeof magic && !memcmp(head, magic, sizeof magic);
}

bool isc_pytorch_tar_probe(const uint8_t *head, size_t size) { return size >= 262 && !memcmp(head + 257, "ustar", 5); }

iscp_status isc_pytorch_legacy_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source) {
  (void)out, (void)context, (void)source;
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "is a legacy stream of PyTorch before 1.6, expected its zip container: save "
                  "it again with torch.save(torch.load(file), new_file)");
}

iscp_status isc_pytorch_tar_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source) {
  (void)out, (void)context, (void)source;
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "is a tar container of PyTorch before 0.1.10, expected its zip container: "
                  "save it again with torch.save(torch.load(file), new_file)");
}

/* ---- First pass ---- */

static iscp_status read_pickle(contents *found, const iscp_context *context, isc_archive *archive,
                               const isc_archive_entry *entry, size_t folder_length) {
  if (found->pickle)
    return isc_fail(ISCP_ERROR_FORMAT, "has two entries data.pkl, expected one");
  if (entry->size > ISC_PICKLE_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "data.pkl has %lld bytes, expected at most %d", (long long)entry->size,
                    ISC_PICKLE_LIMIT);
  found->folder = isc_calloc(context, folder_length + 1, 1);
  found->pickle = isc_alloc(context, (size_t)entry->size);
  if (!found->folder || !found->pickle)
    return ISCP_ERROR_MEMORY;
  memcpy(found->folder, entry->name, folder_length);
  found->pickle_size = (size_t)entry->size;
  return isc_archive_read(archive, found->pickle, found->pickle_size);
}

static iscp_status read_byteorder(contents *found, isc_archive *archive, const isc_archive_entry *entry) {
  char text[8];
  found->is_big_endian = true;
  if (entry->size != 6) /* "little" */
    return ISCP_OK;
  ISC_TRY(isc_archive_read(archive, text, 6));
  found->is_big_endian = memcmp(text, "little", 6) != 0;
  return ISCP_OK;
}

static iscp_status look_at(contents *found, const iscp_context *context, isc_archive *archive,
                           const isc_archive_entry *entry) {
  if (found->count >= ENTRY_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "has more than %d zip entries", ENTRY_LIMIT);
  ISC_TRY(isc_grow(context, (void **)&found->names, &found->capacity, found->count + 1, sizeof *found->names));
  char *name = isc_strdup(context, entry->name);
  if (!name)
    return ISCP_ERROR_MEMORY;
  found->names[found->count++] = name;
  const char *slash = strchr(name, '/');
  if (!slash)
    return ISCP_OK;
  if (!strcmp(slash, "/constants.pkl"))
    found->is_script = true;
  if (!strcmp(slash, "/byteorder"))
    return read_byteorder(found, archive, entry);
  if (!strcmp(slash, "/data.pkl"))
    return read_pickle(found, context, archive, entry, (size_t)(slash - name));
  return ISCP_OK;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static iscp_status check_contents(const contents *found) {
  if (found->count)
    qsort(found->names, found->count, sizeof *found->names, by_name);
  for (size_t i = 1; i < found->count; i++)
    if (!strcmp(found->names[i - 1], found->names[i]))
      return isc_fail(ISCP_ERROR_FORMAT, "zip entry \"%s\" stands twice, expected each name once", found->names[i]);
  if (found->is_script)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "is a TorchScript archive (it has constants.pkl), expected a state dict: "
                    "torch.save(torch.jit.load(file).state_dict(), new_file)");
  if (!found->pickle)
    return isc_fail(ISCP_ERROR_FORMAT, "is a zip file without data.pkl, expected a PyTorch checkpoint");
  if (found->is_big_endian)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "byteorder is not \"little\": it was saved on a big-endian machine");
  return ISCP_OK;
}

static iscp_status find_contents(contents *found, const iscp_context *context, const isc_source *source) {
  isc_archive *archive;
  ISC_TRY(isc_archive_open(&archive, context, source));
  iscp_status status;
  isc_archive_entry entry;
  do {
    status = isc_archive_next(archive, &entry);
    if (status == ISCP_OK && entry.name)
      status = look_at(found, context, archive, &entry);
  } while (status == ISCP_OK && entry.name);
  isc_archive_close(archive);
  return status == ISCP_OK ? check_contents(found) : status;
}

static void release_contents(contents *found, const iscp_context *context) {
  for (size_t i = 0; i < found->count; i++)
    isc_free(context, found->names[i]);
  isc_free(context, found->names);
  isc_free(context, found->folder);
  isc_free(context, found->pickle);
}

/* ---- Second pass ---- */

/* Whether the view is its whole storage, already in C order. */
static bool is_whole_storage(const isc_view *view, int64_t count) {
  int64_t stride = 1;
  for (int32_t d = view->dims - 1; count && d >= 0; d--) {
    if (view->shape[d] != 1 && view->strides[d] != stride)
      return false;
    stride *= view->shape[d];
  }
  return view->offset == 0 && count == view->storage_count;
}

/* Brings the storage at which `archive` stands to the `count` tensors that view it. */
static iscp_status read_storage(isc_tensor_set *set, const iscp_context *context, isc_archive *archive,
                                const isc_archive_entry *entry, isc_view *views, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int64_t bytes = views[i].storage_count * (int64_t)isc_dtype_size(views[i].dtype);
    if (bytes != entry->size)
      return isc_fail(ISCP_ERROR_FORMAT, "storage \"%s\" has %lld bytes, expected %lld for tensor \"%s\"", entry->name,
                      (long long)entry->size, (long long)bytes, set->items[views[i].index].name);
    views[i].is_read = true;
  }
  const isc_tensor *first = &set->items[views->index];
  if (count == 1 && is_whole_storage(views, isc_tensor_count(first)))
    return isc_archive_read(archive, first->data, (size_t)entry->size);
  char *storage = isc_alloc(context, (size_t)entry->size);
  if (!storage)
    return ISCP_ERROR_MEMORY;
  iscp_status status = isc_archive_read(archive, storage, (size_t)entry->size);
  for (size_t i = 0; i < count && status == ISCP_OK; i++) {
    size_t item = isc_dtype_size(views[i].dtype);
    isc_gather(set->items[views[i].index].data, storage + (size_t)views[i].offset * item, item, views[i].dims,
               views[i].shape, views[i].strides);
  }
  isc_free(context, storage);
  return status;
}

/* The key of "folder/data/key", or NULL for another entry. */
static const char *storage_key(const char *folder, const char *name) {
  size_t length = strlen(folder);
  if (strncmp(name, folder, length) || strncmp(name + length, "/data/", 6))
    return NULL;
  return name + length + 6;
}

static iscp_status read_storages(isc_tensor_set *set, const iscp_context *context, const isc_source *source,
                                 const char *folder, const isc_views *views) {
  isc_archive *archive;
  ISC_TRY(isc_archive_open(&archive, context, source));
  iscp_status status;
  isc_archive_entry entry;
  do {
    status = isc_archive_next(archive, &entry);
    const char *key = status == ISCP_OK && entry.name ? storage_key(folder, entry.name) : NULL;
    size_t first, count = key ? isc_views_of(views, key, &first) : 0;
    if (count)
      status = read_storage(set, context, archive, &entry, views->items + first, count);
  } while (status == ISCP_OK && entry.name);
  isc_archive_close(archive);
  for (size_t i = 0; i < views->count && status == ISCP_OK; i++) {
    const isc_view *view = &views->items[i];
    if (!view->is_read)
      status = isc_fail(ISCP_ERROR_FORMAT, "has no zip entry %s/data/%.*s, expected the numbers of tensor \"%s\"",
                        folder, (int)view->key_length, view->key, set->items[view->index].name);
  }
  return status;
}

iscp_status isc_pytorch_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source) {
  contents found = {0};
  isc_pickle pickle = {0};
  isc_views views = {0};
  iscp_status status;
  /* An honest file holds its numbers as they are, or deflates them a little: what asks for far more is a bomb. */
  views.byte_limit = source->size < INT64_MAX / 32 ? source->size * 16 + (1 << 20) : INT64_MAX / 2;
  ISC_TRY_OR_DONE(find_contents(&found, context, source));
  ISC_TRY_OR_DONE(isc_pickle_parse(&pickle, context, found.pickle, found.pickle_size));
  ISC_TRY_OR_DONE(isc_views_collect(&views, out, context, &pickle));
  ISC_TRY_OR_DONE(read_storages(out, context, source, found.folder, &views));
done:
  isc_free(context, views.items);
  isc_pickle_release(&pickle, context);
  release_contents(&found, context);
  return status;
}
