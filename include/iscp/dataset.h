/* A set of labelled images, brought into a network's input form by an input contract.
 *
 * A dataset is immutable and may be shared between threads. */
#ifndef ISCP_DATASET_H
#define ISCP_DATASET_H

#include <iscp/context.h>
#include <iscp/contract.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_dataset iscp_dataset;

typedef struct iscp_dataset_options {
  uint32_t struct_size;          /* sizeof(iscp_dataset_options), set by iscp_dataset_options_init */
  int32_t classes;               /* labels must be below it, 0 to 1048576; 0 = the largest label + 1; default 0 */
  const iscp_contract *contract; /* how images become network input; required (iscp_model_contract); default NULL */
  const char *labels;            /* file of labels (IDX or .npy); NULL = found beside the images; default NULL */
  const char *split;             /* "train" or "test" of a folder of splits; NULL = test; default NULL */
  int64_t limit;                 /* take only the first `limit` images, 0 = all; default 0 */
} iscp_dataset_options;

ISCP_API iscp_status iscp_dataset_options_init(iscp_dataset_options *options, uint32_t struct_size);

/* Opens an image set. `path` is one of
 *   - an IDX file of images (u8, N x H x W), plain or .gz; the labels file has "labels-idx1" for "images-idx3" in its
 *     name, or a directory that holds MNIST's four files (t10k-* is the split "test");
 *   - a folder of class folders of PNG and JPEG files: classes are the folders' names in byte order, images their
 *     files' names in byte order; or a folder of the splits "train" and "test", each of class folders. `classes`, if
 *     given, must be the number of class folders. Files are decoded when they are asked for, the first one at once;
 *   - a .npy array of u8, N x H x W, N x H x W x C or N x C x H x W (C is 1 or 3, and the last axis if both could be),
 *     with `labels` given or in "<name>-labels.npy" or "<name>_labels.npy" beside it.
 * `split` is for folders; a file is its own split. An image that does not fit the contract, or a label out of range, is
 * ISCP_ERROR_MISMATCH and named. On success the caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_dataset_open(iscp_dataset **out, iscp_context *context, const char *path,
                                       const iscp_dataset_options *options);

/* A dataset of images in memory: `pixels` is u8, count x height x width x channels (channels 1 or 3), `labels` is count
 * class indices. Both are copied. `options->labels`, `split` are ignored. Since 0.1. */
ISCP_API iscp_status iscp_dataset_from_memory(iscp_dataset **out, iscp_context *context, const uint8_t *pixels,
                                              const int32_t *labels, int64_t count, int32_t height, int32_t width,
                                              int32_t channels, const iscp_dataset_options *options);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_dataset_destroy(iscp_dataset *dataset);

/* Number of images; 0 for NULL. Since 0.1. */
ISCP_API int64_t iscp_dataset_count(const iscp_dataset *dataset);

/* Number of classes that labels are counted in; 0 for NULL. Since 0.1. */
ISCP_API int32_t iscp_dataset_classes(const iscp_dataset *dataset);

/* Label of image `index`, or -1 if there is no such image. Since 0.1. */
ISCP_API int32_t iscp_dataset_label(const iscp_dataset *dataset, int64_t index);

/* The contract that the images are brought into; lives as long as the dataset. NULL for NULL. Since 0.1. */
ISCP_API const iscp_contract *iscp_dataset_contract(const iscp_dataset *dataset);

/* Name of class `index` (a folder's name), or NULL if the set has none. Since 0.1. */
ISCP_API const char *iscp_dataset_class_name(const iscp_dataset *dataset, int32_t index);

/* Writes image `index` after the contract, channels x height x width float32 in [0,1], into `image`, which the
 * caller owns. A broken picture of a class folder is ISCP_ERROR_FORMAT here, and named. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_dataset_image(const iscp_dataset *dataset, int64_t index, float *image);

/* SHA-256 as 64 hexadecimal digits; lives as long as the dataset, NULL for NULL. Of an array: its images' bytes as
 * stored, then their labels as little-endian int32. Of class folders, for each image: "class/file" and a zero byte, the
 * SHA-256 of the file in hexadecimal, the label. Since 0.1. */
ISCP_API const char *iscp_dataset_hash(const iscp_dataset *dataset);

/* Reads one picture (PNG, JPEG) or array (.npy, u8 or float32 in [0,1]; H x W, H x W x C or C x H x W) through the contract
 * into `image`, channels x height x width float32 in [0,1]: a user's own canvas. Since 0.1. */
ISCP_API iscp_status iscp_image_read(float *image, iscp_context *context, const char *path,
                                     const iscp_contract *contract);

#ifdef __cplusplus
}
#endif
#endif
