/* An array of pictures and its labels, wherever its numbers are (memory.c, array_file.c): whether they are what a dataset takes,
 * and what the images have of them. */
#include "data/source/source.h"

/* ---- Labels ---- */

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
static iscp_status set_labels(isc_images *images, const isc_tensor *labels, int32_t classes) {
  int64_t count = labels->shape[0], largest = 0, bound = classes ? classes : ISC_LARGEST_CLASSES;
  for (int64_t i = 0; i < count; i++) {
    int64_t label = whole_number(labels, i);
    if (label < 0 || label >= bound)
      return isc_fail(ISCP_ERROR_MISMATCH, "label %lld at index %lld, expected 0 to %lld", (long long)label,
                      (long long)i, (long long)bound - 1);
    images->labels[i] = (int32_t)label;
    largest = label > largest ? label : largest;
  }
  images->classes = classes ? classes : (int32_t)largest + 1;
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
static iscp_status check_pixels(isc_picture *layout, const isc_tensor *pixels, const iscp_dataset_options *options) {
  if (pixels->dtype != ISC_U8)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "images of %s, expected uint8", isc_dtype_name(pixels->dtype));
  ISC_TRY(isc_picture_describe(layout, pixels, 1));
  if (options->layout == ISCP_LAYOUT_NCHW && pixels->dims == 4 && (pixels->shape[1] == 1 || pixels->shape[1] == 3))
    describe_planes(layout, pixels->shape + 1);
  layout->values = NULL;
  if (pixels->shape[0] == 0)
    return isc_fail(ISCP_ERROR_FORMAT, "no image in it");
  return options->contract ? isc_contract_check(options->contract, layout->height, layout->width, layout->channels) : ISCP_OK;
}

iscp_status isc_array_create(isc_images **out, const iscp_context *context, size_t size, const isc_image_source *source,
                             const isc_labelled *array, const iscp_dataset_options *options) {
  isc_picture layout;
  iscp_status status = check_pixels(&layout, array->pixels, options);
  if (status != ISCP_OK)
    return isc_fail_in(status, array->pixels_name);
  int64_t count = array->pixels->shape[0];
  status = check_label_array(array->labels, array->pixels_name, count);
  if (status != ISCP_OK)
    return isc_fail_in(status, array->labels_name);
  isc_images *images = isc_images_create(context, size + (size_t)count * sizeof *images->labels, source);
  if (!images)
    return isc_fail_in(ISCP_ERROR_MEMORY, array->labels_name);
  images->labels = (int32_t *)((char *)images + size);
  images->layout = layout;
  images->count = options->limit && options->limit < count ? options->limit : count;
  status = set_labels(images, array->labels, options->classes);
  if (status != ISCP_OK) {
    isc_images_drop(images);
    return isc_fail_in(status, array->labels_name);
  }
  *out = images;
  return ISCP_OK;
}
