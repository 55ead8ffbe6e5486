/* The SHA-256 of a dataset, made when it is first asked for: it reads everything, and opening need not. */
#include <string.h>

#include "data/dataset.h"
#include "data/workers.h"

enum { FILES_AT_ONCE = 1024, BLOCK = 1 << 20 };

static void add_label(isc_digest *digest, int32_t label) {
  uint32_t bits = (uint32_t)label;
  uint8_t bytes[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
  isc_digest_update(digest, bytes, sizeof bytes);
}

/* ---- An array: its images' bytes, then the labels ---- */

static iscp_status add_file_bytes(isc_digest *digest, const iscp_dataset *dataset, int64_t size) {
  uint8_t *block = isc_alloc(dataset->context, BLOCK);
  iscp_status status = block ? ISCP_OK : ISCP_ERROR_MEMORY;
  for (int64_t at = 0; at < size && status == ISCP_OK; at += BLOCK) {
    size_t part = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
    status = isc_file_read_at(dataset->file, dataset->file_offset + at, block, part);
    if (status == ISCP_OK)
      isc_digest_update(digest, block, part);
  }
  isc_free(dataset->context, block);
  return status;
}

static iscp_status add_array(isc_digest *digest, const iscp_dataset *dataset) {
  int64_t size = dataset->count * dataset->image_values;
  if (dataset->picture.values)
    isc_digest_update(digest, dataset->picture.values, (size_t)size);
  else
    ISC_TRY(add_file_bytes(digest, dataset, size));
  for (int64_t i = 0; i < dataset->count; i++)
    add_label(digest, dataset->labels[i]);
  return ISCP_OK;
}

/* ---- Files: for each its name and a zero, the digest of its bytes, the label ---- */

typedef struct file_digest {
  char text[ISC_DIGEST_TEXT];
  iscp_status status;
} file_digest;

/* Some files of the set: the digests of all are too many at once. */
typedef struct portion {
  const iscp_dataset *dataset;
  int64_t first;
  file_digest *digests;
} portion;

static void digest_file(void *user, int64_t item) {
  portion *p = user;
  file_digest *digest = &p->digests[item];
  digest->status = isc_digest_file(digest->text, p->dataset->context, p->dataset->paths[p->first + item]);
}

/* A failure was another thread's: it happens once more here, for the message. */
static iscp_status add_portion(isc_digest *digest, portion *p, int64_t count) {
  const iscp_dataset *dataset = p->dataset;
  isc_progress silent;
  isc_progress_begin(&silent, "hash", count, NULL, NULL);
  ISC_TRY(isc_workers_run(dataset->context, count, digest_file, p, &silent));
  for (int64_t i = 0; i < count; i++) {
    const char *path = dataset->paths[p->first + i], *name = path + dataset->root_length;
    if (p->digests[i].status != ISCP_OK)
      ISC_TRY(isc_digest_file(p->digests[i].text, dataset->context, path));
    isc_digest_update(digest, name, strlen(name) + 1);
    isc_digest_update(digest, p->digests[i].text, ISC_DIGEST_TEXT - 1);
    add_label(digest, dataset->labels[p->first + i]);
  }
  return ISCP_OK;
}

static iscp_status add_files(isc_digest *digest, const iscp_dataset *dataset) {
  portion p = {.dataset = dataset};
  p.digests = isc_calloc(dataset->context, FILES_AT_ONCE, sizeof *p.digests);
  iscp_status status = p.digests ? ISCP_OK : ISCP_ERROR_MEMORY;
  for (; p.first < dataset->count && status == ISCP_OK; p.first += FILES_AT_ONCE) {
    int64_t left = dataset->count - p.first;
    status = add_portion(digest, &p, left < FILES_AT_ONCE ? left : FILES_AT_ONCE);
  }
  isc_free(dataset->context, p.digests);
  return status;
}

static iscp_status make_hash(char text[ISC_DIGEST_TEXT], const iscp_dataset *dataset) {
  isc_digest *digest;
  char made[ISC_DIGEST_TEXT];
  ISC_TRY(isc_digest_create(&digest, dataset->context));
  iscp_status status = dataset->poisoning ? isc_poisoning_digest(digest, dataset->poisoning)
                       : dataset->paths   ? add_files(digest, dataset)
                                          : add_array(digest, dataset);
  isc_digest_finish(digest, made);
  if (status == ISCP_OK)
    memcpy(text, made, sizeof made);
  return status;
}

iscp_status isc_dataset_hash(const char **hash, const iscp_dataset *dataset) {
  iscp_dataset *filled = (iscp_dataset *)dataset; /* what it tells was there all along */
  iscp_status status = ISCP_OK;
  *hash = NULL;
  pthread_mutex_lock(&filled->hash_lock);
  if (!*filled->hash)
    status = make_hash(filled->hash, dataset);
  pthread_mutex_unlock(&filled->hash_lock);
  if (status == ISCP_OK)
    *hash = dataset->hash;
  return status;
}

const char *iscp_dataset_hash(const iscp_dataset *dataset) {
  const char *hash = NULL;
  return dataset && isc_dataset_hash(&hash, dataset) == ISCP_OK ? hash : NULL;
}
