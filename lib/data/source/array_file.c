/* A source: an array that stays in its file, because it is larger than what may stay in memory. Each picture is read when it is
 * asked for, from its place, by any number of threads at once. */
#include <string.h>

#include "data/source/source.h"

enum { BLOCK = 1 << 20 };

typedef struct array_file {
  isc_images images;
  isc_file *file;
  int64_t offset; /* in the file, of the first picture */
  int64_t bytes;  /* of one picture */
} array_file;

static iscp_status fetch(isc_picture *picture, isc_tensor *holder, const isc_images *images, int64_t index) {
  const array_file *a = (const array_file *)images;
  ISC_TRY(isc_tensor_create(holder, images->context, ISC_U8, 1, &a->bytes));
  *picture = images->layout;
  picture->values = holder->data;
  return isc_file_read_at(a->file, a->offset + index * a->bytes, holder->data, (size_t)a->bytes);
}

/* The images' bytes, then the labels: the same as of an array in memory. */
static iscp_status hash(isc_digest *digest, const isc_images *images) {
  const array_file *a = (const array_file *)images;
  int64_t size = images->count * a->bytes;
  uint8_t *block = isc_alloc(images->context, BLOCK);
  iscp_status status = block ? ISCP_OK : ISCP_ERROR_MEMORY;
  for (int64_t at = 0; at < size && status == ISCP_OK; at += BLOCK) {
    size_t part = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
    status = isc_file_read_at(a->file, a->offset + at, block, part);
    if (status == ISCP_OK)
      isc_digest_update(digest, block, part);
  }
  isc_free(images->context, block);
  for (int64_t i = 0; i < images->count && status == ISCP_OK; i++)
    isc_digest_label(digest, images->labels[i]);
  return status;
}

static void release(isc_images *images) { isc_file_close(((array_file *)images)->file); }

static const isc_image_source table = {.fetch = fetch, .hash = hash, .release = release};

iscp_status isc_array_file_create(isc_images **out, const iscp_context *context, const isc_array_header *header,
                                  const char *path, const isc_tensor *labels, const char *labels_name,
                                  const iscp_dataset_options *options) {
  isc_tensor described = {.dtype = header->dtype, .dims = header->dims};
  isc_labelled array = {&described, labels, path, labels_name};
  memcpy(described.shape, header->shape, sizeof described.shape);
  isc_images *images;
  ISC_TRY(isc_array_create(&images, context, sizeof(array_file), &table, &array, options));
  array_file *a = (array_file *)images;
  iscp_status status = isc_file_open(&a->file, context, path);
  if (status != ISCP_OK) {
    isc_images_drop(images);
    return status;
  }
  a->offset = header->offset;
  a->bytes = isc_tensor_count(&described) / described.shape[0];
  *out = images;
  return ISCP_OK;
}
