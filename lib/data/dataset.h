/* The inside of a dataset and of a stored picture, for lib/data only. */
#ifndef ISC_DATA_DATASET_H
#define ISC_DATA_DATASET_H

#include <stdatomic.h>

#include "data/data.h"
#include "format/format.h"

/* ---- A picture somewhere in memory, whatever the order of its axes (picture.c) ---- */

typedef struct isc_picture {
  const void *values; /* borrowed */
  isc_dtype dtype;    /* ISC_U8 (0 to 255) or ISC_F32 (0 to 1) */
  int64_t height, width, channels;
  int64_t row_stride, column_stride, channel_stride; /* in values */
} isc_picture;

/* Reads the layout off the axes from `first` on: H x W, H x W x C or C x H x W with C 1 or 3. If both of the latter are
 * possible, C is the last axis. `values` is left at the array's start. */
iscp_status isc_picture_describe(isc_picture *picture, const isc_tensor *array, int32_t first);

/* Checks the picture against the contract (isc_contract_check), then writes the image. `context` gives the scratch that a
 * contract that resizes needs; a picture of numbers cannot be resized (ISCP_ERROR_UNSUPPORTED). */
iscp_status isc_picture_convert(float *image, const iscp_context *context, const iscp_contract *contract,
                                const isc_picture *picture);

/* ---- Datasets ---- */

enum { ISC_LARGEST_CLASSES = 1 << 20 }; /* catches garbage in labels */

/* Images are either slices of one array or files that are decoded at each access. */
struct iscp_dataset {
  atomic_int references;
  iscp_context *context;
  iscp_contract contract;
  int64_t count;
  int32_t classes;
  int32_t *labels; /* count or more values */

  isc_tensor pixels;    /* array: N x (a layout of isc_picture_describe), u8; data is NULL for files */
  isc_picture picture;  /* array: layout of one image */
  int64_t image_values; /* array: numbers of one image */

  char **paths; /* files: path_count paths */
  size_t path_count, path_capacity, label_capacity;

  char **class_names; /* or NULL */
  size_t name_count;
  char hash[ISC_DIGEST_TEXT];
};

/* The ABI rule and the ranges, and a dataset without images that holds `context` and the contract. */
iscp_status isc_dataset_begin(iscp_dataset **out, iscp_dataset_options *options, const iscp_context *context,
                              const iscp_dataset_options *given);

/* An array with its labels. `pixels` is taken over (zeroed on success), `labels` only read; names are for messages. */
iscp_status isc_dataset_set_array(iscp_dataset *dataset, isc_tensor *pixels, const char *pixels_name,
                                  const isc_tensor *labels, const char *labels_name,
                                  const iscp_dataset_options *options);

/* A folder of class folders of pictures (folder.c). */
iscp_status isc_dataset_set_folder(iscp_dataset *dataset, const char *path, const iscp_dataset_options *options);

/* Adds a label to a digest: four bytes, low first. */
void isc_digest_label(isc_digest *digest, int32_t label);

#endif
