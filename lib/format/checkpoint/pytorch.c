/* PyTorch checkpoints in their zip container. It holds one folder with data.pkl, the pickled state dict, and data/<key>, the raw
 * numbers of each storage. Two passes over the archive: the first reads the pickle, the second brings each storage
 * straight to the tensors that view it. */
#include <stdlib.h>
#include <string.h>

#include "format/archive.h"
#include "format/checkpoint/views.h"

enum { ENTRY_LIMIT = 32768 };

/* What the first pass finds. */
typedef struct contents {
  char **names;
  size_t count, capacity;
  char *folder; /* the name of the archive's folder */
  uint8_t *pickle;
  size_t pickle_size;
  bool is_script, is_swapped;
} contents;

bool isc_pytorch_probe(const uint8_t *head, size_t size) { return size >= 4 && !memcmp(head, "PK\3\4", 4); }

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
  char text[8] = {0};
  if (entry->size <= 6)
    ISC_TRY(isc_archive_read(archive, text, (size_t)entry->size));
  found->is_swapped = !strcmp(text, "big");
  if (!found->is_swapped && strcmp(text, "little"))
    return isc_fail(ISCP_ERROR_FORMAT, "byteorder is \"%s\", expected \"little\" or \"big\"", text);
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

static iscp_status read_entry(void *user, void *dst, size_t size) { return isc_archive_read(user, dst, size); }

/* The key of "folder/data/key", or NULL for another entry. */
static const char *storage_key(const char *folder, const char *name) {
  size_t length = strlen(folder);
  if (strncmp(name, folder, length) || strncmp(name + length, "/data/", 6))
    return NULL;
  return name + length + 6;
}

static iscp_status read_storages(isc_tensor_set *set, const iscp_context *context, const isc_source *source,
                                 const contents *found, const isc_views *views) {
  isc_archive *archive;
  ISC_TRY(isc_archive_open(&archive, context, source));
  iscp_status status;
  isc_archive_entry entry;
  do {
    status = isc_archive_next(archive, &entry);
    const char *key = status == ISCP_OK && entry.name ? storage_key(found->folder, entry.name) : NULL;
    size_t first, count = key ? isc_views_of(views, key, strlen(key), &first) : 0;
    isc_storage storage = {entry.name, entry.size, found->is_swapped, read_entry, archive};
    if (count)
      status = isc_views_fill(set, context, views->items + first, count, &storage);
  } while (status == ISCP_OK && entry.name);
  isc_archive_close(archive);
  return status == ISCP_OK ? isc_views_check(views, set) : status;
}

static iscp_status parse(isc_pickle *pickle, const iscp_context *context, const contents *found) {
  ISC_TRY(isc_pickle_parse(pickle, context, found->pickle, 0, found->pickle_size));
  if (pickle->end != found->pickle_size)
    return isc_fail(ISCP_ERROR_FORMAT, "pickle ends at byte %zu of %zu, expected nothing after it", pickle->end,
                    found->pickle_size);
  return ISCP_OK;
}

iscp_status isc_pytorch_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                             const char *wanted) {
  contents found = {0};
  isc_pickle pickle = {0};
  isc_views views = {.byte_limit = isc_views_limit(source->size)};
  iscp_status status;
  ISC_TRY_OR_DONE(find_contents(&found, context, source));
  ISC_TRY_OR_DONE(parse(&pickle, context, &found));
  ISC_TRY_OR_DONE(isc_views_collect(&views, out, context, &pickle, wanted));
  ISC_TRY_OR_DONE(read_storages(out, context, source, &found, &views));
done:
  isc_free(context, views.items);
  isc_pickle_release(&pickle, context);
  release_contents(&found, context);
  return status;
}
