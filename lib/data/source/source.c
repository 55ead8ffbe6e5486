/* What all kinds of sources have in common: the life of images, their classes' names, pictures that were left out, and the
 * SHA-256, which is made when it is first asked for, since it reads everything and opening need not. */
#include "data/source/source.h"

#include <string.h>

void *isc_images_create(const iscp_context *context, size_t size, const isc_image_source *source) {
  isc_images *images = isc_calloc(context, 1, size);
  if (!images)
    return NULL;
  atomic_init(&images->references, 1);
  pthread_mutex_init(&images->hash_lock, NULL);
  images->source = source;
  images->context = context;
  return images;
}

isc_images *isc_images_hold(const isc_images *images) {
  isc_images *held = (isc_images *)images; /* the count is not part of what const promises */
  atomic_fetch_add(&held->references, 1);
  return held;
}

void isc_images_drop(isc_images *images) {
  if (!images || atomic_fetch_sub(&images->references, 1) != 1)
    return;
  const iscp_context *context = images->context;
  images->source->release(images);
  for (size_t i = 0; i < images->broken_count; i++) {
    isc_free(context, images->broken[i].name);
    isc_free(context, images->broken[i].reason);
  }
  isc_free(context, images->broken);
  isc_names_free(images->class_names, images->name_count, context);
  pthread_mutex_destroy(&images->hash_lock);
  isc_free(context, images);
}

/* ---- By the table ---- */

iscp_status isc_images_fetch(isc_picture *picture, isc_tensor *holder, const isc_images *images, int64_t index) {
  *holder = (isc_tensor){0};
  return images->source->fetch(picture, holder, images, index);
}

const char *isc_images_path(const isc_images *images, int64_t index) {
  return images->source->path ? images->source->path(images, index) : NULL;
}

void isc_digest_label(isc_digest *digest, int32_t label) {
  uint32_t bits = (uint32_t)label;
  uint8_t bytes[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
  isc_digest_update(digest, bytes, sizeof bytes);
}

static iscp_status make_hash(char text[ISC_DIGEST_TEXT], const isc_images *images) {
  isc_digest *digest;
  char made[ISC_DIGEST_TEXT];
  ISC_TRY(isc_digest_create(&digest, images->context));
  iscp_status status = images->source->hash(digest, images);
  isc_digest_finish(digest, made);
  if (status == ISCP_OK)
    memcpy(text, made, sizeof made);
  return status;
}

iscp_status isc_images_hash(const char **hash, const isc_images *images) {
  isc_images *filled = (isc_images *)images; /* what it tells was there all along */
  iscp_status status = ISCP_OK;
  *hash = NULL;
  pthread_mutex_lock(&filled->hash_lock);
  if (!*filled->hash)
    status = make_hash(filled->hash, images);
  pthread_mutex_unlock(&filled->hash_lock);
  if (status == ISCP_OK)
    *hash = images->hash;
  return status;
}

/* ---- While images are made ---- */

iscp_status isc_images_set_names(isc_images *images, char *const *names, size_t count) {
  images->class_names = isc_calloc(images->context, count, sizeof *images->class_names);
  if (!images->class_names)
    return ISCP_ERROR_MEMORY;
  for (size_t i = 0; i < count; i++) {
    images->class_names[i] = isc_strdup(images->context, names[i]);
    if (!images->class_names[i])
      return ISCP_ERROR_MEMORY;
    images->name_count++;
  }
  return ISCP_OK;
}

iscp_status isc_images_add_broken(isc_images *images, const char *name, const char *reason) {
  const iscp_context *context = images->context;
  ISC_TRY(isc_grow(context, (void **)&images->broken, &images->broken_capacity, images->broken_count + 1,
                   sizeof *images->broken));
  isc_broken *broken = &images->broken[images->broken_count++];
  *broken = (isc_broken){isc_strdup(context, name), isc_strdup(context, reason)};
  isc_log(context, ISCP_LOG_INFO, "%s is left out: %s", name, reason);
  return broken->name && broken->reason ? ISCP_OK : ISCP_ERROR_MEMORY;
}
