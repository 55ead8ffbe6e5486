/* The ways to a dataset: of a path (open.c), of the caller's memory, of another set with a trigger in it, of another set through
 * another contract. Each makes images of some source, or takes those that are there, and puts a dataset over them. */
#include <string.h>

#include "data/dataset.h"
#include "data/open/open.h"

enum { DEFAULT_MEMORY = 256 << 20, LARGEST_SIDE = 4096 };

/* ---- Options ---- */

iscp_status iscp_dataset_options_init(iscp_dataset_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_dataset_options_fields);
}

static iscp_status check_flag(const char *name, int32_t value, int32_t most) {
  if (value < 0 || value > most)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %d, expected 0 to %d", name, value, most);
  return ISCP_OK;
}

static iscp_status check_options(const iscp_dataset_options *options) {
  if (options->classes < 0 || options->classes > ISC_LARGEST_CLASSES)
    return isc_fail(ISCP_ERROR_ARGUMENT, "classes is %d, expected 0 to %d", options->classes, ISC_LARGEST_CLASSES);
  if (options->limit < 0)
    return isc_fail(ISCP_ERROR_ARGUMENT, "limit is %lld, expected 0 or more", (long long)options->limit);
  if (options->memory < -1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "memory is %lld, expected -1 or more", (long long)options->memory);
  ISC_TRY(check_flag("borrow", options->borrow, 1));
  ISC_TRY(check_flag("layout", options->layout, ISCP_LAYOUT_NCHW));
  return check_flag("skip_broken", options->skip_broken, 1);
}

/* The ABI rule and the ranges. The options' contract becomes a whole one, in `contract`, and `memory` a number of bytes or -1. */
static iscp_status read_options(iscp_dataset_options *options, iscp_contract *contract, const iscp_dataset_options *given) {
  ISC_TRY(isc_fields_read(options, &isc_dataset_options_fields, given));
  ISC_TRY(check_options(options));
  if (options->contract)
    ISC_TRY(isc_contract_read(contract, options->contract));
  options->contract = options->contract ? contract : NULL;
  options->memory = options->memory ? options->memory : DEFAULT_MEMORY;
  return ISCP_OK;
}

/* Takes the images over. Pictures that are not in memory are decoded ahead, unless the options forbid it. */
static iscp_status show(iscp_dataset **out, const iscp_context *context, isc_images *images,
                        const iscp_dataset_options *options) {
  iscp_dataset *dataset;
  ISC_TRY(isc_dataset_create(&dataset, context, images, options->contract));
  if (options->contract && !images->is_in_memory && options->memory >= 0) {
    iscp_status status = isc_dataset_load_ahead(dataset, options->memory);
    if (status != ISCP_OK) {
      iscp_dataset_destroy(dataset);
      return status;
    }
  }
  *out = dataset;
  return ISCP_OK;
}

/* ---- Of a path ---- */

iscp_status iscp_dataset_open(iscp_dataset **out, iscp_context *context, const char *path,
                              const iscp_dataset_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!context || !path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", context ? "path" : "context");
  iscp_dataset_options options;
  iscp_contract contract;
  isc_images *images;
  ISC_TRY(read_options(&options, &contract, given));
  ISC_TRY(isc_images_open(&images, context, path, &options));
  return show(out, context, images, &options);
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
static iscp_status take_memory(isc_images **images, const iscp_context *context, const isc_tensor *pixels,
                               const isc_tensor *labels, const iscp_dataset_options *options) {
  isc_labelled array = {pixels, labels, "pixels", "labels"};
  if (options->borrow)
    return isc_memory_create(images, context, &array, NULL, options);
  isc_tensor copy = {0};
  ISC_TRY(isc_tensor_create(&copy, context, ISC_U8, 4, pixels->shape));
  memcpy(copy.data, pixels->data, isc_tensor_bytes(&copy));
  array.pixels = &copy;
  iscp_status status = isc_memory_create(images, context, &array, &copy, options);
  isc_tensor_release(&copy, context);
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
  iscp_dataset_options options;
  iscp_contract contract;
  isc_images *images;
  ISC_TRY(read_options(&options, &contract, given));
  isc_tensor label_array = {.dtype = ISC_I32, .dims = 1, .shape = {count}, .data = (void *)labels};
  isc_tensor array = {.dtype = ISC_U8, .dims = 4, .shape = {count, height, width, channels}, .data = (void *)pixels};
  if (options.layout == ISCP_LAYOUT_NCHW)
    memcpy(array.shape, (int64_t[]){count, channels, height, width}, 4 * sizeof(int64_t));
  ISC_TRY(take_memory(&images, context, &array, &label_array, &options));
  images->kind = "memory";
  return show(out, context, images, &options);
}

/* ---- Of another dataset ---- */

/* Decoded ahead if the set before is, with as much memory: a picture that is stamped is another one. */
iscp_status iscp_dataset_poison(iscp_dataset **out, const iscp_dataset *before, const iscp_trigger *trigger,
                                const iscp_poison_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!before || !trigger)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", before ? "trigger" : "dataset");
  isc_images *images;
  ISC_TRY(isc_poisoned_create(&images, before->images, trigger, given));
  iscp_dataset_options options = {.contract = iscp_dataset_contract(before), .memory = before->loader ? before->memory : -1};
  return show(out, before->context, images, &options);
}

/* Nothing is decoded ahead or kept. */
iscp_status isc_dataset_view(iscp_dataset **out, const iscp_dataset *dataset, const iscp_contract *contract) {
  *out = NULL;
  return isc_dataset_create(out, dataset->context, isc_images_hold(dataset->images), contract);
}
