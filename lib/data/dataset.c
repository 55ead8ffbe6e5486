/* Datasets: one immutable, reference-counted object over two kinds of source, an array in memory or a list of files.
 *
 * open.c and folder.c find the images and their labels; here they are checked, counted, hashed, and brought into
 * network form one by one. Nothing changes after opening, so that any number of threads may read. */
#include "data/dataset.h"

#include <string.h>

enum { LARGEST_SIDE = 4096 };

static const iscp_dataset_options defaults = {.struct_size = sizeof(iscp_dataset_options)};

iscp_status iscp_dataset_options_init(iscp_dataset_options *options, uint32_t struct_size) {
  return isc_options_init(options, struct_size, &defaults, sizeof defaults, sizeof defaults, "iscp_dataset_options");
}

static iscp_status check_options(const iscp_dataset_options *options) {
  if (options->classes < 0 || options->classes > ISC_LARGEST_CLASSES)
    return isc_fail(ISCP_ERROR_ARGUMENT, "classes is %d, expected 0 to %d", options->classes, ISC_LARGEST_CLASSES);
  if (!options->contract)
    return isc_fail(ISCP_ERROR_ARGUMENT, "contract of the dataset's options is NULL");
  if (options->limit < 0)
    return isc_fail(ISCP_ERROR_ARGUMENT, "limit is %lld, expected 0 or more", (long long)options->limit);
  return ISCP_OK;
}

iscp_status isc_dataset_begin(iscp_dataset **out, iscp_dataset_options *options, const iscp_context *context,
                              const iscp_dataset_options *given) {
  iscp_contract contract;
  ISC_TRY(isc_options_read(options, &defaults, sizeof defaults, sizeof defaults, given, "iscp_dataset_options"));
  ISC_TRY(check_options(options));
  ISC_TRY(isc_contract_read(&contract, options->contract));
  iscp_dataset *dataset = isc_calloc(context, 1, sizeof *dataset);
  if (!dataset)
    return ISCP_ERROR_MEMORY;
  atomic_init(&dataset->references, 1);
  dataset->context = isc_context_hold(context);
  dataset->contract = contract;
  *out = dataset;
  return ISCP_OK;
}

iscp_dataset *isc_dataset_hold(const iscp_dataset *dataset) {
  iscp_dataset *held = (iscp_dataset *)dataset; /* the count is not part of what const promises */
  atomic_fetch_add(&held->references, 1);
  return held;
}

void iscp_dataset_destroy(iscp_dataset *dataset) {
  if (!dataset || atomic_fetch_sub(&dataset->references, 1) != 1)
    return;
  iscp_context *context = dataset->context;
  isc_names_free(dataset->paths, dataset->path_count, context);
  isc_names_free(dataset->class_names, dataset->name_count, context);
  isc_tensor_release(&dataset->pixels, context);
  isc_free(context, dataset->labels);
  isc_free(context, dataset);
  isc_context_drop(context);
}

/* ---- Labels of an array ---- */

static int64_t whole_number(const isc_tensor *numbers, int64_t index) {
  switch (numbers->dtype) {
  case ISC_U8:
    return ((const uint8_t *)numbers->data)[index];
  case ISC_I8:
    return ((const int8_t *)numbers->data)[index];
  case ISC_I16:
    return ((const int16_t *)numbers->data)[index];
  case ISC_I32:
    return ((const int32_t *)numbers->data)[index];
  default:
    return ((const int64_t *)numbers->data)[index];
  }
}

static iscp_status check_label_array(const isc_tensor *labels, const char *pixels_name, int64_t images) {
  char text[ISC_SHAPE_TEXT];
  isc_dtype dtype = labels->dtype;
  if (dtype != ISC_U8 && dtype != ISC_I8 && dtype != ISC_I16 && dtype != ISC_I32 && dtype != ISC_I64)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "labels of %s, expected whole numbers", isc_dtype_name(dtype));
  if (labels->dims != 1)
    return isc_fail(ISCP_ERROR_MISMATCH, "labels of shape %s, expected one dimension",
                    isc_shape_text(text, labels->dims, labels->shape));
  if (labels->shape[0] != images)
    return isc_fail(ISCP_ERROR_MISMATCH, "%lld labels, expected %lld, the images of %s", (long long)labels->shape[0],
                    (long long)images, pixels_name);
  return ISCP_OK;
}

/* All labels of the file are read, so that the number of classes does not depend on the limit. */
static iscp_status set_labels(iscp_dataset *dataset, const isc_tensor *labels, int32_t classes) {
  int64_t count = labels->shape[0], largest = 0, bound = classes ? classes : ISC_LARGEST_CLASSES;
  dataset->labels = isc_calloc(dataset->context, (size_t)count, sizeof *dataset->labels);
  if (!dataset->labels)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < count; i++) {
    int64_t label = whole_number(labels, i);
    if (label < 0 || label >= bound)
      return isc_fail(ISCP_ERROR_MISMATCH, "label %lld at index %lld, expected 0 to %lld", (long long)label,
                      (long long)i, (long long)bound - 1);
    dataset->labels[i] = (int32_t)label;
    largest = label > largest ? label : largest;
  }
  dataset->classes = classes ? classes : (int32_t)largest + 1;
  return ISCP_OK;
}

void isc_digest_label(isc_digest *digest, int32_t label) {
  uint32_t bits = (uint32_t)label;
  uint8_t bytes[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
  isc_digest_update(digest, bytes, sizeof bytes);
}

static iscp_status hash_array(iscp_dataset *dataset) {
  isc_digest *digest;
  ISC_TRY(isc_digest_create(&digest, dataset->context));
  isc_digest_update(digest, dataset->pixels.data, (size_t)(dataset->count * dataset->image_values));
  for (int64_t i = 0; i < dataset->count; i++)
    isc_digest_label(digest, dataset->labels[i]);
  isc_digest_finish(digest, dataset->hash);
  return ISCP_OK;
}

static iscp_status check_pixels(iscp_dataset *dataset, const isc_tensor *pixels) {
  if (pixels->dtype != ISC_U8)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "images of %s, expected uint8", isc_dtype_name(pixels->dtype));
  ISC_TRY(isc_picture_describe(&dataset->picture, pixels, 1));
  if (pixels->shape[0] == 0)
    return isc_fail(ISCP_ERROR_FORMAT, "no image in it");
  return isc_contract_check(&dataset->contract, dataset->picture.height, dataset->picture.width,
                            dataset->picture.channels);
}

iscp_status isc_dataset_set_array(iscp_dataset *dataset, isc_tensor *pixels, const char *pixels_name,
                                  const isc_tensor *labels, const char *labels_name,
                                  const iscp_dataset_options *options) {
  iscp_status status = check_pixels(dataset, pixels);
  if (status != ISCP_OK)
    return isc_fail_in(status, pixels_name);
  int64_t images = pixels->shape[0];
  status = check_label_array(labels, pixels_name, images);
  if (status == ISCP_OK)
    status = set_labels(dataset, labels, options->classes);
  if (status != ISCP_OK)
    return isc_fail_in(status, labels_name);
  dataset->count = options->limit && options->limit < images ? options->limit : images;
  dataset->image_values = isc_tensor_count(pixels) / images;
  dataset->pixels = *pixels;
  memset(pixels, 0, sizeof *pixels);
  return hash_array(dataset);
}

/* ---- From memory ---- */

static iscp_status check_memory(const uint8_t *pixels, const int32_t *labels, int64_t count, int32_t height,
                                int32_t width, int32_t channels) {
  if (!pixels || !labels)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", pixels ? "labels" : "pixels");
  if (count < 1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "count is %lld, expected 1 or more", (long long)count);
  if (height < 1 || height > LARGEST_SIDE || width < 1 || width > LARGEST_SIDE)
    return isc_fail(ISCP_ERROR_ARGUMENT, "height x width is %dx%d, expected 1 to %d each", height, width, LARGEST_SIDE);
  if (channels != 1 && channels != 3)
    return isc_fail(ISCP_ERROR_ARGUMENT, "channels is %d, expected 1 or 3", channels);
  if (count > ((int64_t)1 << 48) / height / width / channels)
    return isc_fail(ISCP_ERROR_ARGUMENT, "count is %lld, more than memory can hold", (long long)count);
  return ISCP_OK;
}

iscp_status iscp_dataset_from_memory(iscp_dataset **out, iscp_context *context, const uint8_t *pixels,
                                     const int32_t *labels, int64_t count, int32_t height, int32_t width,
                                     int32_t channels, const iscp_dataset_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!context)
    return isc_fail(ISCP_ERROR_ARGUMENT, "context is NULL");
  ISC_TRY(check_memory(pixels, labels, count, height, width, channels));
  iscp_dataset *dataset;
  iscp_dataset_options options;
  ISC_TRY(isc_dataset_begin(&dataset, &options, context, given));
  isc_tensor copy = {0};
  isc_tensor borrowed = {.dtype = ISC_I32, .dims = 1, .shape = {count}, .data = (void *)labels};
  iscp_status status;
  ISC_TRY_OR_DONE(isc_tensor_create(&copy, context, ISC_U8, 4, (int64_t[]){count, height, width, channels}));
  memcpy(copy.data, pixels, isc_tensor_bytes(&copy));
  ISC_TRY_OR_DONE(isc_dataset_set_array(dataset, &copy, "pixels", &borrowed, "labels", &options));
  *out = dataset;
  dataset = NULL;
done:
  isc_tensor_release(&copy, context);
  iscp_dataset_destroy(dataset);
  return status;
}

/* ---- What a dataset tells ---- */

static int has_image(const iscp_dataset *dataset, int64_t index) {
  return dataset && index >= 0 && index < dataset->count;
}

const iscp_context *isc_dataset_context(const iscp_dataset *dataset) { return dataset->context; }

int64_t iscp_dataset_count(const iscp_dataset *dataset) { return dataset ? dataset->count : 0; }

int32_t iscp_dataset_classes(const iscp_dataset *dataset) { return dataset ? dataset->classes : 0; }

int32_t iscp_dataset_label(const iscp_dataset *dataset, int64_t index) {
  return has_image(dataset, index) ? dataset->labels[index] : -1;
}

const iscp_contract *iscp_dataset_contract(const iscp_dataset *dataset) { return dataset ? &dataset->contract : NULL; }

const char *iscp_dataset_class_name(const iscp_dataset *dataset, int32_t index) {
  return dataset && index >= 0 && (size_t)index < dataset->name_count ? dataset->class_names[index] : NULL;
}

const char *iscp_dataset_hash(const iscp_dataset *dataset) { return dataset ? dataset->hash : NULL; }

/* ---- Images ---- */

static iscp_status decode(float *image, const iscp_dataset *dataset, const char *path) {
  isc_tensor decoded;
  isc_picture picture;
  ISC_TRY(isc_read_image(&decoded, dataset->context, path));
  iscp_status status = isc_picture_describe(&picture, &decoded, 0);
  if (status == ISCP_OK)
    status = isc_picture_convert(image, dataset->context, &dataset->contract, &picture);
  if (status != ISCP_OK)
    status = isc_fail_in(status, path);
  isc_tensor_release(&decoded, dataset->context);
  return status;
}

iscp_status iscp_dataset_image(const iscp_dataset *dataset, int64_t index, float *image) {
  if (!dataset || !image)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", dataset ? "image" : "dataset");
  if (!has_image(dataset, index))
    return isc_fail(ISCP_ERROR_ARGUMENT, "index is %lld, expected 0 to %lld", (long long)index,
                    (long long)dataset->count - 1);
  if (dataset->paths)
    return decode(image, dataset, dataset->paths[index]);
  isc_picture picture = dataset->picture;
  picture.values = (const uint8_t *)dataset->pixels.data + index * dataset->image_values;
  return isc_picture_convert(image, dataset->context, &dataset->contract, &picture);
}
