/* A source: picture files, each of which is decoded when it is asked for. folder.c and list.c find them and add them one by one,
 * verify.c looks at what they are. */
#include <string.h>

#include "data/source/source.h"
#include "data/workers.h"

enum { FILES_AT_ONCE = 1024 };

typedef struct files {
  isc_images images;
  char **paths;
  size_t path_count, path_capacity, label_capacity;
  size_t root_length; /* what follows it in a path is the picture's name */
} files;

static const files *of(const isc_images *images) { return (const files *)images; }

static iscp_status fetch(isc_picture *picture, isc_tensor *holder, const isc_images *images, int64_t index) {
  ISC_TRY(isc_read_image(holder, images->context, of(images)->paths[index]));
  return isc_picture_describe(picture, holder, 0);
}

static const char *path(const isc_images *images, int64_t index) { return of(images)->paths[index]; }

const char *isc_files_name(const isc_images *images, int64_t index) {
  return of(images)->paths[index] + of(images)->root_length;
}

/* ---- The hash: of each file its name and a zero, the digest of its bytes, the label ---- */

typedef struct file_digest {
  char text[ISC_DIGEST_TEXT];
  iscp_status status;
} file_digest;

/* Some files of the set: the digests of all are too many at once. */
typedef struct portion {
  const isc_images *images;
  int64_t first;
  file_digest *digests;
} portion;

static void digest_file(void *user, int64_t item) {
  portion *p = user;
  file_digest *digest = &p->digests[item];
  digest->status = isc_digest_file(digest->text, p->images->context, path(p->images, p->first + item));
}

/* A failure was another thread's: it happens once more here, for the message. */
static iscp_status add_portion(isc_digest *digest, portion *p, int64_t count) {
  const isc_images *images = p->images;
  isc_progress silent;
  isc_progress_begin(&silent, "hash", count, NULL, NULL);
  ISC_TRY(isc_workers_run(images->context, count, digest_file, p, &silent));
  for (int64_t i = 0; i < count; i++) {
    const char *name = isc_files_name(images, p->first + i);
    if (p->digests[i].status != ISCP_OK)
      ISC_TRY(isc_digest_file(p->digests[i].text, images->context, path(images, p->first + i)));
    isc_digest_update(digest, name, strlen(name) + 1);
    isc_digest_update(digest, p->digests[i].text, ISC_DIGEST_TEXT - 1);
    isc_digest_label(digest, images->labels[p->first + i]);
  }
  return ISCP_OK;
}

static iscp_status hash(isc_digest *digest, const isc_images *images) {
  portion p = {.images = images};
  p.digests = isc_calloc(images->context, FILES_AT_ONCE, sizeof *p.digests);
  iscp_status status = p.digests ? ISCP_OK : ISCP_ERROR_MEMORY;
  for (; p.first < images->count && status == ISCP_OK; p.first += FILES_AT_ONCE) {
    int64_t left = images->count - p.first;
    status = add_portion(digest, &p, left < FILES_AT_ONCE ? left : FILES_AT_ONCE);
  }
  isc_free(images->context, p.digests);
  return status;
}

static void release(isc_images *images) {
  files *f = (files *)images;
  isc_names_free(f->paths, f->path_count, images->context);
  isc_free(images->context, images->labels);
}

static const isc_image_source table = {.fetch = fetch, .path = path, .hash = hash, .release = release};

/* ---- Making a list ---- */

iscp_status isc_files_create(isc_images **out, const iscp_context *context, const char *folder) {
  size_t length = strlen(folder);
  files *f = isc_images_create(context, sizeof *f, &table);
  if (!f)
    return ISCP_ERROR_MEMORY;
  f->root_length = length + (length && folder[length - 1] != '/'); /* as isc_path_join puts it */
  *out = &f->images;
  return ISCP_OK;
}

iscp_status isc_files_add(isc_images *images, const char *folder, const char *name, int32_t label) {
  files *f = (files *)images;
  const iscp_context *context = images->context;
  size_t count = f->path_count;
  ISC_TRY(isc_grow(context, (void **)&f->paths, &f->path_capacity, count + 1, sizeof *f->paths));
  ISC_TRY(isc_grow(context, (void **)&images->labels, &f->label_capacity, count + 1, sizeof *images->labels));
  f->paths[count] = isc_path_join(context, folder, name);
  if (!f->paths[count])
    return ISCP_ERROR_MEMORY;
  images->labels[count] = label;
  f->path_count++;
  return ISCP_OK;
}

size_t isc_files_added(const isc_images *images) { return of(images)->path_count; }

void isc_files_end(isc_images *images, int64_t limit) {
  int64_t added = (int64_t)of(images)->path_count;
  images->count = limit && limit < added ? limit : added;
}

void isc_files_swap(isc_images *images, int64_t a, int64_t b) {
  files *f = (files *)images;
  char *moved = f->paths[a];
  int32_t label = images->labels[a];
  f->paths[a] = f->paths[b];
  f->paths[b] = moved;
  images->labels[a] = images->labels[b];
  images->labels[b] = label;
}
