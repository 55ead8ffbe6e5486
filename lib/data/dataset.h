/* The inside of a dataset and of a stored picture, for lib/data only. */
#ifndef ISC_DATA_DATASET_H
#define ISC_DATA_DATASET_H

#include <pthread.h>
#include <stdatomic.h>

#include "data/data.h"
#include "data/loader.h"
#include "format/format.h"

/* ---- Triggers (trigger.c) ---- */

iscp_trigger *isc_trigger_hold(const iscp_trigger *trigger); /* one more reference */

/* Whether a stored picture of this size has room for it: ISCP_ERROR_MISMATCH says both sizes. */
iscp_status isc_trigger_check(const iscp_trigger *trigger, int64_t height, int64_t width);

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

/* Puts the trigger on `values`, which are those of `picture` (u8) and the caller's to change. Checked before. */
void isc_trigger_stamp(const iscp_trigger *trigger, uint8_t *values, const isc_picture *picture);

/* Checks the picture against the contract (isc_contract_check), then writes the image. `context` gives the scratch that a
 * contract that resizes needs; a picture of numbers cannot be resized (ISCP_ERROR_UNSUPPORTED). */
iscp_status isc_picture_convert(float *image, const iscp_context *context, const iscp_contract *contract,
                                const isc_picture *picture);

/* The same, but the bytes v of the image's v / 255: a quarter of the numbers. Of a picture of numbers, which need not be any such v,
 * it is ISCP_ERROR_UNSUPPORTED. */
iscp_status isc_picture_pack(uint8_t *image, const iscp_context *context, const iscp_contract *contract,
                             const isc_picture *picture);

/* ---- Datasets ---- */

enum { ISC_LARGEST_CLASSES = 1 << 20 }; /* catches garbage in labels */

/* A picture that is left out, and why. */
typedef struct isc_broken {
  char *name, *reason;
} isc_broken;

/* Of a set that is another one with some images stamped (poison.c). */
typedef struct isc_poisoning {
  iscp_dataset *before;
  iscp_trigger *trigger;
  iscp_poison_options options;
  int64_t *places;  /* of each image in `before`, NULL if they are the same */
  int32_t *targets; /* of each image: the class that it was poisoned to here, or -1 */
} isc_poisoning;

/* Images are slices of an array, in memory or in a file, or files that are decoded when they are asked for, or another set's. */
struct iscp_dataset {
  atomic_int references;
  iscp_dataset *base; /* of a view (view.c): whose arrays, files and names these are; NULL for others */
  iscp_context *context;
  const char *kind; /* static storage */
  iscp_contract contract;
  bool has_contract;
  int64_t count;
  int32_t classes;
  int32_t *labels; /* count or more values */
  size_t label_capacity;

  isc_picture picture;   /* array: layout of one stored picture; `values` is the first one's, NULL if not in memory */
  int64_t image_values;  /* array: bytes of one stored picture */
  isc_tensor pixels;     /* array in memory of our own */
  isc_file *file;        /* array in a file: its numbers start at `file_offset` */
  int64_t file_offset;

  char **paths; /* files: path_count paths; what follows the first `root_length` bytes is the image's name */
  size_t path_count, path_capacity, root_length;
  int64_t low[2], high[2]; /* files: least and largest height and width of those that were looked at, 0 if none was */
  isc_broken *broken;
  size_t broken_count, broken_capacity;

  char **class_names; /* or NULL */
  size_t name_count;

  isc_poisoning *poisoning; /* NULL of other sets */

  isc_loader *loader; /* NULL: each access decodes */
  int64_t memory;     /* bytes of pictures that it may keep */
  pthread_mutex_t hash_lock;
  char hash[ISC_DIGEST_TEXT]; /* empty until it is asked for */
};

/* The ABI rule and the ranges, and a dataset without images that holds `context` and the contract. */
iscp_status isc_dataset_begin(iscp_dataset **out, iscp_dataset_options *options, const iscp_context *context,
                              const iscp_dataset_options *given);

/* What all sources end with: the loader, for pictures that are not in memory. */
iscp_status isc_dataset_end(iscp_dataset *dataset, const iscp_dataset_options *options);

/* Bytes of pictures that may stay in memory, by the options. */
int64_t isc_dataset_memory(const iscp_dataset_options *options);

/* The loader of a set with a contract, for `memory` bytes. */
iscp_status isc_dataset_load_ahead(iscp_dataset *dataset);

/* ---- Sources, one file a kind. Each sets `kind`, count, classes, labels and where the pictures are ---- */

/* An array with its labels (array.c). `pixels` is taken over (zeroed on success), `labels` only read; names are for
 * messages. isc_dataset_set_memory only borrows the pixels, u8 in the layout that the options name. */
iscp_status isc_dataset_set_array(iscp_dataset *dataset, isc_tensor *pixels, const char *pixels_name,
                                  const isc_tensor *labels, const char *labels_name,
                                  const iscp_dataset_options *options);
iscp_status isc_dataset_set_memory(iscp_dataset *dataset, const isc_tensor *pixels, const isc_tensor *labels,
                                   const iscp_dataset_options *options);

/* An array that stays in its file (array.c). */
iscp_status isc_dataset_set_file(iscp_dataset *dataset, const isc_array_header *header, const char *path,
                                 const isc_tensor *labels, const char *labels_name,
                                 const iscp_dataset_options *options);

/* The classes' names, copied. */
iscp_status isc_dataset_set_names(iscp_dataset *dataset, char *const *names, size_t count);

/* Arrays by name in one file (npz.c). */
iscp_status isc_dataset_set_npz(iscp_dataset *dataset, const char *path, const iscp_dataset_options *options);

/* CIFAR's binary edition, a directory or the archive (cifar.c). *found tells if a directory is one; another is left alone. */
iscp_status isc_dataset_try_cifar(iscp_dataset *dataset, bool *found, const char *path,
                                  const iscp_dataset_options *options);
iscp_status isc_dataset_set_cifar_archive(iscp_dataset *dataset, const char *path, const iscp_dataset_options *options);

/* A folder of class folders of pictures (folder.c), and one of pictures with a table of labels (list.c). *table of
 * isc_dataset_find_table is NULL if none is there. */
iscp_status isc_dataset_set_folder(iscp_dataset *dataset, const char *path, const iscp_dataset_options *options);
iscp_status isc_dataset_set_list(iscp_dataset *dataset, const char *path, const char *table,
                                 const iscp_dataset_options *options);
iscp_status isc_dataset_find_table(char **table, const iscp_context *context, const char *folder);
bool isc_is_table_name(const char *name);

/* Adds one file to the list of a dataset of files. */
iscp_status isc_dataset_add_file(iscp_dataset *dataset, const char *folder, const char *name, int32_t label);

/* Once all files are listed (verify.c): by the option, looks at the first bytes of all, or decodes all and leaves out those
 * that fail. `count` is set before. */
iscp_status isc_dataset_verify(iscp_dataset *dataset, const iscp_dataset_options *options);

/* Notes a picture that is left out; both texts are copied. */
iscp_status isc_dataset_add_broken(iscp_dataset *dataset, const char *name, const char *reason);

/* A poisoned set (poison.c): one picture as isc_dataset_fetch gives it, what its hash is made of, and its end. */
iscp_status isc_poisoning_fetch(isc_picture *picture, isc_tensor *holder, const iscp_dataset *dataset, int64_t index);
iscp_status isc_poisoning_digest(isc_digest *digest, const isc_poisoning *poisoning);
void isc_poisoning_destroy(isc_poisoning *poisoning, const iscp_context *context); /* takes NULL */

/* The file that an image is in, NULL of an array (dataset.c). */
const char *isc_dataset_path(const iscp_dataset *dataset, int64_t index);

/* One stored picture, read and laid out (dataset.c). `holder` is the caller's (isc_tensor_release). */
iscp_status isc_dataset_fetch(isc_picture *picture, isc_tensor *holder, const iscp_dataset *dataset, int64_t index);

#endif
