/* A source: an array in memory, of our own or the caller's, u8. A picture is a slice of it and is never copied. */
#include <string.h>

#include "data/source/source.h"

typedef struct memory {
  isc_images images;
  const uint8_t *values; /* of the first picture */
  int64_t bytes;         /* of one picture */
  isc_tensor own;        /* whose values these are, or empty */
} memory;

static iscp_status fetch(isc_picture *picture, isc_tensor *holder, const isc_images *images, int64_t index) {
  const memory *m = (const memory *)images;
  (void)holder;
  *picture = images->layout;
  picture->values = m->values + index * m->bytes;
  return ISCP_OK;
}

/* The images' bytes, then the labels. */
static iscp_status hash(isc_digest *digest, const isc_images *images) {
  const memory *m = (const memory *)images;
  isc_digest_update(digest, m->values, (size_t)(images->count * m->bytes));
  for (int64_t i = 0; i < images->count; i++)
    isc_digest_label(digest, images->labels[i]);
  return ISCP_OK;
}

static void release(isc_images *images) { isc_tensor_release(&((memory *)images)->own, images->context); }

static const isc_image_source table = {.fetch = fetch, .hash = hash, .release = release};

iscp_status isc_memory_create(isc_images **out, const iscp_context *context, const isc_labelled *array, isc_tensor *own,
                              const iscp_dataset_options *options) {
  ISC_TRY(isc_array_create(out, context, sizeof(memory), &table, array, options));
  memory *m = (memory *)*out;
  m->images.is_in_memory = true;
  m->values = array->pixels->data;
  m->bytes = isc_tensor_count(array->pixels) / array->pixels->shape[0];
  if (own) {
    m->own = *own;
    memset(own, 0, sizeof *own); /* last: the array's pixels may be the same tensor */
  }
  return ISCP_OK;
}
