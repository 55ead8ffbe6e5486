/* Where stored pictures are, and what is known of them: for lib/data only.
 *
 * Images are pictures as they are stored, with their labels, before any input contract. Each kind of source is one file, which
 * gives a table of four functions and makes images of its kind; what stands above (dataset.c, verify.c) asks through the table
 * and knows no kind:
 *
 *   memory.c      an array in memory, of our own or the caller's
 *   array_file.c  an array that stays in its file, larger than memory may be
 *   files.c       picture files, decoded when they are asked for
 *   poisoned.c    other images, some of which are stamped with a trigger when they are asked for
 *
 * Images are counted: several datasets, each with a contract of its own, may show the same. Once a dataset shows them they never
 * change, so that any number of threads may read. */
#ifndef ISC_DATA_SOURCE_H
#define ISC_DATA_SOURCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "data/picture/picture.h"
#include "format/format.h"

enum { ISC_LARGEST_CLASSES = 1 << 20 }; /* catches garbage in labels */

typedef struct isc_images isc_images;

/* What a kind of source gives. */
typedef struct isc_image_source {
  /* One stored picture, read and laid out; `holder` comes zeroed, and what it is given is the caller's (isc_tensor_release). */
  iscp_status (*fetch)(isc_picture *picture, isc_tensor *holder, const isc_images *images, int64_t index);
  /* The file that a picture is in, or NULL; a table without it has no files. */
  const char *(*path)(const isc_images *images, int64_t index);
  /* Adds all that the images are made of: what iscp_dataset_hash says. */
  iscp_status (*hash)(isc_digest *digest, const isc_images *images);
  /* Gives back what this kind's struct holds beyond isc_images. */
  void (*release)(isc_images *images);
} isc_image_source;

/* A picture that is left out, and why. */
typedef struct isc_broken {
  char *name, *reason;
} isc_broken;

/* What all kinds have; the first member of each kind's struct. */
struct isc_images {
  const isc_image_source *source;
  const iscp_context *context; /* kept by the datasets that show these */
  atomic_int references;
  const char *kind; /* as iscp_dataset_info tells it; static storage */
  int64_t count;
  int32_t classes;
  int32_t *labels; /* count or more values; the kind gives them back */
  char **class_names; /* or NULL */
  size_t name_count;

  isc_picture layout; /* of every stored picture, without its values; 0 channels where each has a form of its own */
  bool is_in_memory;  /* a picture costs no reading and no decoding */
  int64_t low[2], high[2]; /* without a common layout: least and largest height and width of those looked at, 0 if none was */
  isc_broken *broken;
  size_t broken_count, broken_capacity;

  pthread_mutex_t hash_lock;
  char hash[ISC_DIGEST_TEXT]; /* empty until it is asked for */
};

/* ---- All kinds (source.c) ---- */

/* A struct of `size` bytes that begins with an isc_images, held once; the rest is zero. NULL without memory. */
void *isc_images_create(const iscp_context *context, size_t size, const isc_image_source *source);
isc_images *isc_images_hold(const isc_images *images); /* one more reference */
void isc_images_drop(isc_images *images);              /* takes NULL */

/* By the table; any thread. *hash lives as long as the images, and is made at the first call. */
iscp_status isc_images_fetch(isc_picture *picture, isc_tensor *holder, const isc_images *images, int64_t index);
const char *isc_images_path(const isc_images *images, int64_t index);
iscp_status isc_images_hash(const char **hash, const isc_images *images);

/* A label as it goes into a hash. */
void isc_digest_label(isc_digest *digest, int32_t label);

/* While images are made: the classes' names, copied; a picture that is left out, both texts copied. */
iscp_status isc_images_set_names(isc_images *images, char *const *names, size_t count);
iscp_status isc_images_add_broken(isc_images *images, const char *name, const char *reason);

/* ---- Arrays with their labels, which are copied. `options` have a whole contract, or NULL ---- */

typedef struct isc_labelled {
  const isc_tensor *pixels, *labels;
  const char *pixels_name, *labels_name; /* for messages */
} isc_labelled;

/* A source's struct with what it has of an array that is described, wherever its numbers are: count, classes, labels (which stand
 * behind the `size` bytes of the struct), layout (array.c). */
iscp_status isc_array_create(isc_images **out, const iscp_context *context, size_t size, const isc_image_source *source,
                             const isc_labelled *array, const iscp_dataset_options *options);

/* In memory (memory.c). `own` holds the pixels and is taken over (zeroed on success); without it (NULL) they are borrowed. */
iscp_status isc_memory_create(isc_images **out, const iscp_context *context, const isc_labelled *array, isc_tensor *own,
                              const iscp_dataset_options *options);

/* In its file (array_file.c), as `header` says. */
iscp_status isc_array_file_create(isc_images **out, const iscp_context *context, const isc_array_header *header,
                                  const char *path, const isc_tensor *labels, const char *labels_name,
                                  const iscp_dataset_options *options);

/* ---- Picture files (files.c) ---- */

/* None yet; what follows `folder` in a path is the picture's name. */
iscp_status isc_files_create(isc_images **out, const iscp_context *context, const char *folder);
iscp_status isc_files_add(isc_images *images, const char *folder, const char *name, int32_t label);
size_t isc_files_added(const isc_images *images);

/* Once all are added: the first `limit` are the images, 0 = all. */
void isc_files_end(isc_images *images, int64_t limit);

const char *isc_files_name(const isc_images *images, int64_t index);

/* Exchanges two files, labels and all. */
void isc_files_swap(isc_images *images, int64_t a, int64_t b);

/* ---- Poisoned images (poisoned.c) ---- */

/* Of `before`, of which one more reference is held. Wrong options are ISCP_ERROR_ARGUMENT. */
iscp_status isc_poisoned_create(isc_images **out, const isc_images *before, const iscp_trigger *trigger,
                                const iscp_poison_options *given);

/* The class that image `index` was poisoned to, here or in the images before, or -1. */
int32_t isc_images_poisoned(const isc_images *images, int64_t index);

#endif
