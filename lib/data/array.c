/* Datasets that are one array: in memory, the library's own copy or the caller's, or in a file that is read picture by
 * picture. */
#include <string.h>

#include "data/dataset.h"

enum { LARGEST_SIDE = 4096 };

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
  if (labels->dims != 1 && !(labels->dims == 2 && labels->shape[1] == 1))
    return isc_fail(ISCP_ERROR_MISMATCH, "labels of shape %s, expected N or Nx1",
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

/* ---- Pixels ---- */

/* C x H x W, also where C could as well be the last axis. */
static void describe_planes(isc_picture *picture, const int64_t shape[3]) {
  picture->channels = shape[0];
  picture->height = shape[1];
  picture->width = shape[2];
  picture->row_stride = picture->width;
  picture->column_stride = 1;
  picture->channel_stride = picture->height * picture->width;
}

/* `pixels` is only described: its data may be anywhere. */
static iscp_status check_pixels(iscp_dataset *dataset, const isc_tensor *pixels, int32_t layout) {
  if (pixels->dtype != ISC_U8)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "images of %s, expected uint8", isc_dtype_name(pixels->dtype));
  ISC_TRY(isc_picture_describe(&dataset->picture, pixels, 1));
  if (layout == ISCP_LAYOUT_NCHW && pixels->dims == 4 && (pixels->shape[1] == 1 || pixels->shape[1] == 3))
    describe_planes(&dataset->picture, pixels->shape + 1);
  if (pixels->shape[0] == 0)
    return isc_fail(ISCP_ERROR_FORMAT, "no image in it");
  if (!dataset->has_contract)
    return ISCP_OK;
  return isc_contract_check(&dataset->contract, dataset->picture.height, dataset->picture.width,
                            dataset->picture.channels);
}

static iscp_status set(iscp_dataset *dataset, const isc_tensor *pixels, const char *pixels_name, const isc_tensor *labels,
                       const char *labels_name, const iscp_dataset_options *options) {
  iscp_status status = check_pixels(dataset, pixels, options->layout);
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
  return ISCP_OK;
}

iscp_status isc_dataset_set_array(iscp_dataset *dataset, isc_tensor *pixels, const char *pixels_name,
                                  const isc_tensor *labels, const char *labels_name,
                                  const iscp_dataset_options *options) {
  ISC_TRY(set(dataset, pixels, pixels_name, labels, labels_name, options));
  dataset->pixels = *pixels;
  memset(pixels, 0, sizeof *pixels);
  dataset->picture.values = dataset->pixels.data;
  return ISCP_OK;
}

iscp_status isc_dataset_set_memory(iscp_dataset *dataset, const isc_tensor *pixels, const isc_tensor *labels,
                                   const iscp_dataset_options *options) {
  ISC_TRY(set(dataset, pixels, "pixels", labels, "labels", options));
  dataset->picture.values = pixels->data;
  return ISCP_OK;
}

iscp_status isc_dataset_set_file(iscp_dataset *dataset, const isc_array_header *header, const char *path,
                                 const isc_tensor *labels, const char *labels_name,
                                 const iscp_dataset_options *options) {
  isc_tensor described = {.dtype = header->dtype, .dims = header->dims};
  memcpy(described.shape, header->shape, sizeof described.shape);
  ISC_TRY(set(dataset, &described, path, labels, labels_name, options));
  dataset->picture.values = NULL;
  dataset->file_offset = header->offset;
  return isc_file_open(&dataset->file, dataset->context, path);
}

iscp_status isc_dataset_set_names(iscp_dataset *dataset, char *const *names, size_t count) {
  dataset->class_names = isc_calloc(dataset->context, count, sizeof *dataset->class_names);
  if (!dataset->class_names)
    return ISCP_ERROR_MEMORY;
  for (size_t i = 0; i < count; i++) {
    dataset->class_names[i] = isc_strdup(dataset->context, names[i]);
    if (!dataset->class_names[i])
      return ISCP_ERROR_MEMORY;
    dataset->name_count++;
  }
  return ISCP_OK;
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

/* The pixels as the options say they lie; without `borrow` in memory of the dataset's own. */
static iscp_status set_from_memory(iscp_dataset *dataset, const isc_tensor *pixels, const isc_tensor *labels,
                                   const iscp_dataset_options *options) {
  if (options->borrow)
    return isc_dataset_set_memory(dataset, pixels, labels, options);
  isc_tensor copy = {0};
  ISC_TRY(isc_tensor_create(&copy, dataset->context, ISC_U8, 4, pixels->shape));
  memcpy(copy.data, pixels->data, isc_tensor_bytes(&copy));
  iscp_status status = isc_dataset_set_array(dataset, &copy, "pixels", labels, "labels", options);
  isc_tensor_release(&copy, dataset->context);
  return status;
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
  isc_tensor label_array = {.dtype = ISC_I32, .dims = 1, .shape = {count}, .data = (void *)labels};
  isc_tensor array = {.dtype = ISC_U8, .dims = 4, .shape = {count, height, width, channels}, .data = (void *)pixels};
  if (options.layout == ISCP_LAYOUT_NCHW)
    memcpy(array.shape, (int64_t[]){count, channels, height, width}, 4 * sizeof(int64_t));
  dataset->kind = "memory";
  iscp_status status = set_from_memory(dataset, &array, &label_array, &options);
  if (status == ISCP_OK)
    status = isc_dataset_end(dataset, &options);
  if (status == ISCP_OK)
    *out = dataset;
  else
    iscp_dataset_destroy(dataset);
  return status;
}
