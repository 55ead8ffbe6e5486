/* A set of labelled images, brought into a network's input form by an input contract.
 *
 * A dataset is immutable and may be shared between threads. Arrays up to a bound are held in memory; larger ones are read
 * picture by picture, and picture files are decoded when they are asked for, so that a set may be larger than memory. While
 * a search or an evaluation runs, threads of the dataset's own, as many as the context computes with (16 at most), decode
 * the pictures that come next, and pictures stay decoded while there is room. What an image holds never depends on that.
 * A child of fork() may read images of an inherited dataset; it decodes each by itself. */
#ifndef ISCP_DATASET_H
#define ISCP_DATASET_H

#include <iscp/context.h>
#include <iscp/contract.h>
#include <iscp/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_dataset iscp_dataset;

/* The order of axes of an array of four dimensions. */
enum {
  ISCP_LAYOUT_AUTO = 0, /* channels are the last axis if that is 1 or 3, else the second */
  ISCP_LAYOUT_NHWC = 1, /* channels last: the same as AUTO in iscp_dataset_from_memory */
  ISCP_LAYOUT_NCHW = 2  /* channels second, where that axis is 1 or 3 */
};

typedef struct iscp_dataset_options {
  uint32_t struct_size;          /* sizeof(iscp_dataset_options), set by iscp_dataset_options_init */
  int32_t classes;               /* labels must be below it, 0 to 1048576; 0 = the largest label + 1; default 0 */
  const iscp_contract *contract; /* how images become network input (iscp_model_contract); NULL = the set can be told
                                    about, but gives no images; default NULL */
  const char *labels;            /* file of labels (IDX, .npy, or a table .csv for pictures); NULL = found beside the
                                    images; default NULL */
  const char *split;             /* "train", "val" or "test" of a set of splits; NULL = test, else val; default NULL */
  int64_t limit;                 /* take only the first `limit` images, broken ones among them, 0 = all; default 0 */
  int32_t borrow;                /* 1 = iscp_dataset_from_memory keeps the pointer to the pixels, which the caller leaves
                                    as they are until the dataset is destroyed; default 0 (they are copied) */
  int32_t layout;                /* ISCP_LAYOUT_*, of arrays; default ISCP_LAYOUT_AUTO */
  int32_t skip_broken;           /* 1 = pictures that cannot be decoded, or do not fit the contract, or are listed and
                                    missing, are left out: all are decoded once when the set is opened; default 0 */
  int32_t reserved;              /* 0 */
  int64_t memory;                /* bytes of pictures that may stay in memory: decoded ones, one byte a value of the
                                    network's input, and arrays, which are left in their files if they are larger and
                                    not compressed; 0 = 256 MiB, -1 = none, and none decoded ahead; default 0 */
  iscp_progress_fn progress;     /* told while pictures are looked at ("look", or "check" for skip_broken); may cancel;
                                    default NULL */
  void *user;                    /* given to `progress` */
} iscp_dataset_options;

ISCP_API iscp_status iscp_dataset_options_init(iscp_dataset_options *options, uint32_t struct_size);

/* Opens an image set. What `path` is, is found in this order. A directory is
 *   1. one of MNIST's four files (t10k-* is the split "test"), plain or .gz;
 *   2. CIFAR-10's or CIFAR-100's binary edition: the published files, or the folder cifar-10-batches-bin or
 *      cifar-100-binary that holds them. The number of records is free; labels of CIFAR-100 are the fine ones;
 *   3. a folder of splits: "train"/"training", "val"/"valid"/"validation", "test"/"testing", each of one of the next two;
 *   4. a folder of class folders: classes are the folders' names in byte order, images their pictures' names in byte
 *      order. `classes`, if given, must be the number of class folders;
 *   5. a folder of pictures with a table (RFC 4180) that is `labels`, "labels.csv" or the only .csv or .tsv in it, or
 *      "<folder>.csv" beside it; with `labels`, pictures in folders below belong to it as well. Columns are found by a
 *      header (file, filename, image, id, path, ..; label, class, target, category, ..), else are the first and second.
 *      Names may lack the extension. Labels are whole numbers, or names, which are counted in byte order; `classes`, if
 *      given, must be their number then. A listed file that is missing, one listed twice, and a name that fits two
 *      pictures are errors; pictures that are not listed are left out, with a warning in the log.
 * A file is, by its content,
 *   - an IDX file of images (u8, N x H x W), plain or .gz; the labels file has "labels-idx1" for "images-idx3" in its name;
 *   - a .npy array of u8, N x H x W, N x H x W x C or N x C x H x W (C is 1 or 3), with `labels` given or in
 *     "<name>-labels.npy" or "<name>_labels.npy" beside it (N or N x 1 whole numbers);
 *   - a .npz of such arrays, stored or deflated: x_test/y_test, test_images/test_labels (and so for train, val), or
 *     images/labels, x/y, data/labels, data/targets, image/label, arr_0/arr_1, whatever the case;
 *   - CIFAR's published cifar-10-binary.tar.gz or cifar-100-binary.tar.gz;
 *   - a table (.csv, .tsv by its name) of pictures of the folder that it stands in.
 * CIFAR's Python edition (pickles) is ISCP_ERROR_UNSUPPORTED, with a line that says how to convert it. Pictures are PNG
 * and JPEG files, of any size if the contract resizes.
 *
 * `split` is for sets that have several; other files are their own split. An image that does not fit the contract, or a
 * label out of range, is ISCP_ERROR_MISMATCH and named. The first bytes of every picture file are looked at here, and one
 * picture is decoded, so that what is no picture stops the work before it begins: the first is named and all are counted;
 * other damage is met where the picture is first used. On success the caller owns *out; on failure *out is NULL. Since
 * 0.1. */
ISCP_API iscp_status iscp_dataset_open(iscp_dataset **out, iscp_context *context, const char *path,
                                       const iscp_dataset_options *options);

/* A dataset of images in memory: `pixels` is u8, count x height x width x channels (channels 1 or 3), or count x channels x
 * height x width with ISCP_LAYOUT_NCHW; `labels` is count class indices. Both are copied, the pixels unless `borrow` is
 * set. `labels`, `split`, `skip_broken` and `memory` of the options are ignored. Since 0.1. */
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

/* The contract that the images are brought into; lives as long as the dataset. NULL for NULL, and for a dataset that was
 * opened without one. Since 0.1. */
ISCP_API const iscp_contract *iscp_dataset_contract(const iscp_dataset *dataset);

/* Name of class `index` (a folder's name), or NULL if the set has none. Since 0.1. */
ISCP_API const char *iscp_dataset_class_name(const iscp_dataset *dataset, int32_t index);

/* Writes image `index` after the contract, channels x height x width float32 in [0,1], into `image`, which the
 * caller owns. A broken picture file is ISCP_ERROR_FORMAT here, and named; a file that has changed since it was last
 * decoded may be seen as it was. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_dataset_image(const iscp_dataset *dataset, int64_t index, float *image);

/* SHA-256 as 64 hexadecimal digits; lives as long as the dataset, NULL for NULL. Made when it is first asked for, which
 * reads the whole set: NULL if that fails, and the message says why. Of an array: its images' bytes as stored, then their
 * labels as little-endian int32. Of picture files, for each image: its name below the folder, as "class/file", and a zero
 * byte, the SHA-256 of the file in hexadecimal, the label. Pictures that are left out do not count. Any thread. Since
 * 0.1. */
ISCP_API const char *iscp_dataset_hash(const iscp_dataset *dataset);

/* Pictures that skip_broken left out: how many, and of each its name below the folder and why, one line. NULL if there is no
 * such picture. They live as long as the dataset. Since 0.1. */
ISCP_API int64_t iscp_dataset_broken_count(const iscp_dataset *dataset);
ISCP_API const char *iscp_dataset_broken_name(const iscp_dataset *dataset, int64_t index);
ISCP_API const char *iscp_dataset_broken_reason(const iscp_dataset *dataset, int64_t index);

/* What a set is made of. Later versions may append fields. */
typedef struct iscp_dataset_info {
  uint32_t struct_size; /* sizeof(iscp_dataset_info), set by the caller before iscp_dataset_get_info */
  int32_t classes;      /* number of classes */
  int64_t images;       /* number of images */
  int64_t broken;       /* pictures left out */
  const char *kind;     /* "class folders", "listed pictures", "array", "npz", "CIFAR-10", "CIFAR-100", "memory" or "poisoned"
                           (trigger.h); static storage */
  int32_t channels;     /* of stored pictures; 0 if they are files, of which each has its own */
  int32_t reserved;     /* 0 */
  int32_t height_low, height_high; /* least and largest height of stored pictures, in pixels: of files only of those that */
  int32_t width_low, width_high;   /* were decoded when the set was opened (the first; all with skip_broken) */
} iscp_dataset_info;

/* Fills `info`, whose struct_size the caller has set. Since 0.1. */
ISCP_API iscp_status iscp_dataset_get_info(const iscp_dataset *dataset, iscp_dataset_info *info);

/* Reads one picture (PNG, JPEG) or array (.npy, u8 or float32 in [0,1]; H x W, H x W x C or C x H x W) through the contract
 * into `image`, channels x height x width float32 in [0,1]: a user's own canvas. Since 0.1. */
ISCP_API iscp_status iscp_image_read(float *image, iscp_context *context, const char *path,
                                     const iscp_contract *contract);

#ifdef __cplusplus
}
#endif
#endif
