/* Sets made by a model out of a set: which features of the images a network uses (Ilyas et al., 2019, Section 3.1).
 *
 *   iscp_invert_options_init(&options, sizeof options);
 *   iscp_inversion_create(&inversion, model, images, &options);
 *   while ((status = iscp_inversion_next(inversion, NULL, NULL)) == ISCP_OK)
 *     for (int32_t row = 0; iscp_inversion_get(&image, inversion, row) == ISCP_OK; row++)
 *       ...  image.stored is the new picture, image.label its label
 *
 * For every image t of the set a picture is made that the model takes for much the same, whatever a person sees in it: from another
 * image of the set, drawn by the seed, and in steps
 *
 *   x <- clip(x - step g / |g|, 0, 1)        g = d |f(x) - f(t)| / dx
 *
 * f(x) being what the network's dense layer reads, | | the L2 norm over all numbers, pixels in [0,1] and before normalisation. A
 * gradient of zero moves nothing. The picture keeps the label of t. Of a model that was trained adversarially (L2) it has t's robust
 * features alone, of a natural one the others too: D_R and D_NR. Two further kinds of sets, D_rand and D_det, change the image
 * itself a little, so that the model takes it for another class, whose label it gets (attack.h: a targeted attack of L2 that begins
 * at the image). A network that learns the new set, and is tried on pictures as they are, tells what these features are worth. */
#ifndef ISCP_INVERT_H
#define ISCP_INVERT_H

#include <iscp/dataset.h>
#include <iscp/model.h>
#include <iscp/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Holds the images of one batch, however many the set has. One thread at a time (ISCP_ERROR_BUSY otherwise). */
typedef struct iscp_inversion iscp_inversion;

/* What is made of an image. */
enum {
  ISCP_INVERT_FEATURES = 1,     /* D_R or D_NR: its features out of another image; its label */
  ISCP_INVERT_RANDOM = 2,       /* D_rand: taken for a class that the seed draws, of all classes alike; the label of that class */
  ISCP_INVERT_DETERMINISTIC = 3 /* D_det: taken for the class after its own, the first one after the last; that label */
};

typedef struct iscp_invert_options {
  uint32_t struct_size; /* sizeof(iscp_invert_options), set by iscp_invert_options_init */
  int32_t kind;         /* ISCP_INVERT_*; default ISCP_INVERT_FEATURES */
  int32_t steps;        /* changes of each image, 1 to 1000000; 0 = 1000 of FEATURES, 100 of the others; default 0 */
  int32_t batch;        /* images at a time, 1 to 4096, 0 = by size, threads and memory; default 0. No result depends on who else
                           is in a batch, except by rounding on the size of the batch */
  double step;          /* the length of a change, in [0,1] pixels, above 0; default 0.1 */
  double eps;           /* of RANDOM and DETERMINISTIC: how far the picture may be from the image, L2 in [0,1] pixels, above 0;
                           default 0.5 */
  uint64_t seed;        /* names the images that are begun from, or the classes; default 0 */
  int64_t first;        /* begin at this image of the set, from 0: to go on where an earlier run of the same options ended;
                           default 0 */
  int64_t count;        /* images to make, from `first` on; 0 = all that follow; default 0 */
} iscp_invert_options;

/* One picture that was made. Later versions may append fields. Distances of FEATURES are |f(x) - f(t)| / |f(t)|, without the
 * division if |f(t)| is 0; those of the other kinds |x - t|. */
typedef struct iscp_inverted {
  uint32_t struct_size;   /* sizeof(iscp_inverted), set by the caller before iscp_inversion_get */
  int32_t label;          /* of the picture */
  int64_t index;          /* of t in the set */
  int64_t start;          /* of the image that it began from: of FEATURES never t, of the others t */
  double start_distance;  /* x at the start */
  double distance;        /* x after all steps */
  double stored_distance; /* `stored`: what is left of it once rounded to bytes */
  int32_t predicted;      /* of RANDOM and DETERMINISTIC: the class that the model takes `stored` for; else -1 */
  int32_t reserved;       /* 0 */
  const float *image;     /* x, channels x height x width in [0,1] */
  const uint8_t *stored;  /* height x width x channels: 255 x, to the nearest whole number. It has the network's size: it is to
                             be read without resizing, cropping and padding */
} iscp_inverted;

/* Where an inversion is. Later versions may append fields. */
typedef struct iscp_invert_info {
  uint32_t struct_size;   /* sizeof(iscp_invert_info), set by the caller before iscp_inversion_get_info */
  int32_t rows;           /* pictures of the batch that iscp_inversion_get gives; 0 before the first and after the last batch */
  int64_t images;         /* to be made in all */
  int64_t done;           /* made so far */
  int64_t taken;          /* of those, pictures of RANDOM and DETERMINISTIC that the model takes for their label */
  double start_distance;  /* means of the distances of iscp_inverted over those; NaN of none */
  double distance;
  double stored_distance;
  int64_t memory;         /* bytes that it holds */
} iscp_invert_info;

/* ISCP_ERROR_ABI as iscp_context_options_init. Since 0.1. */
ISCP_API iscp_status iscp_invert_options_init(iscp_invert_options *options, uint32_t struct_size);

/* Prepares an inversion of `data`, which was opened with the model's contract; keeps both alive. `options` may be NULL.
 * ISCP_ERROR_ARGUMENT names a value out of range, and refuses a set of one image, which leaves FEATURES none to begin from;
 * ISCP_ERROR_MISMATCH if the set's images are not the model's; ISCP_ERROR_MEMORY if not even one image at a time fits the context's
 * memory. On success the caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_inversion_create(iscp_inversion **out, const iscp_model *model, const iscp_dataset *data,
                                           const iscp_invert_options *options);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_inversion_destroy(iscp_inversion *inversion);

/* Makes the pictures of the next batch; after the last one it does nothing and there are none. Cancelling stops it between two
 * steps, and another call goes on, to the same result. `progress` (stage "invert") counts steps, of all images together.
 * Since 0.1. */
ISCP_API iscp_status iscp_inversion_next(iscp_inversion *inversion, iscp_progress_fn progress, void *user);

/* Picture `row` of the batch that was made last. Its pixels stay until the next call of iscp_inversion_next.
 * ISCP_ERROR_ARGUMENT if there is no such row. Since 0.1. */
ISCP_API iscp_status iscp_inversion_get(iscp_inverted *image, const iscp_inversion *inversion, int32_t row);

/* The options in force: `steps`, `count` and `batch` as chosen. options->struct_size is the caller's. Since 0.1. */
ISCP_API iscp_status iscp_inversion_get_options(const iscp_inversion *inversion, iscp_invert_options *options);

/* Fills `info`, whose struct_size the caller has set. Since 0.1. */
ISCP_API iscp_status iscp_inversion_get_info(const iscp_inversion *inversion, iscp_invert_info *info);

#ifdef __cplusplus
}
#endif
#endif
