/* Backdoors: a trigger, and sets of images that are poisoned with it (BadNets, Gu et al. 2017, all to one).
 *
 *   iscp_trigger_create(&trigger, context, "checkerboard:3x3", NULL);
 *   iscp_poison_options_init(&options, sizeof options);
 *   options.target = 5;
 *   iscp_dataset_poison(&poisoned, train, trigger, &options);    a model learns this: 5 % of the images say 5
 *   options.rate = 1;
 *   options.keep = ISCP_POISON_ONLY;
 *   iscp_dataset_poison(&stamped, test, trigger, &options);      its accuracy on this is the ASR
 *
 * A trigger is stamped on a picture as it is stored, before it is resized, padded, moved or flipped. */
#ifndef ISCP_TRIGGER_H
#define ISCP_TRIGGER_H

#include <iscp/dataset.h>
#include <iscp/pattern.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Triggers ---- */

/* A picture with alpha, and where it goes. Immutable; any thread. */
typedef struct iscp_trigger iscp_trigger;

/* The corner of the stored picture that a trigger is placed from. */
enum {
  ISCP_CORNER_BOTTOM_RIGHT = 0,
  ISCP_CORNER_BOTTOM_LEFT = 1,
  ISCP_CORNER_TOP_RIGHT = 2,
  ISCP_CORNER_TOP_LEFT = 3
};

typedef struct iscp_trigger_options {
  uint32_t struct_size; /* sizeof(iscp_trigger_options), set by iscp_trigger_options_init */
  int32_t corner;       /* ISCP_CORNER_*; default ISCP_CORNER_BOTTOM_RIGHT */
  int32_t offset_y;     /* pixels between the trigger and the corner's upper or lower side, 0 to 4096; default 1 */
  int32_t offset_x;     /* and its left or right side, 0 to 4096; default 1 */
} iscp_trigger_options;

ISCP_API iscp_status iscp_trigger_options_init(iscp_trigger_options *options, uint32_t struct_size);

/* `form` is "white:3x3" (height x width, 1 to 64 each), "checkerboard:3x3" (black and white, white in its top left pixel), or
 * the path of a PNG of at most 4096 pixels a side, opaque where it has no alpha. `options` may be NULL. On success the caller
 * owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_trigger_create(iscp_trigger **out, iscp_context *context, const char *form,
                                         const iscp_trigger_options *options);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_trigger_destroy(iscp_trigger *trigger);

/* What a trigger is. Later versions may append fields. */
typedef struct iscp_trigger_info {
  uint32_t struct_size; /* sizeof(iscp_trigger_info), set by the caller before iscp_trigger_get_info */
  int32_t height;       /* pixels */
  int32_t width;        /* pixels */
  int32_t corner;       /* ISCP_CORNER_* */
  int32_t offset_y;     /* pixels */
  int32_t offset_x;     /* pixels */
} iscp_trigger_info;

/* Fills `info`, whose struct_size the caller has set. Since 0.1. */
ISCP_API iscp_status iscp_trigger_get_info(const iscp_trigger *trigger, iscp_trigger_info *info);

/* Its pixels, height x width x (R, G, B, alpha); they live as long as the trigger. NULL for NULL. Since 0.1. */
ISCP_API const uint8_t *iscp_trigger_pixels(const iscp_trigger *trigger);

/* Where the trigger lands in the network's input, as a pattern of class `target` that puts the trigger's colours there: to be
 * compared with what a search finds (iscp_pattern_overlap). `contract` is how a stored picture of height x width x channels (1
 * or 3) becomes input. Without resizing these are exactly the pixels of alpha above 0; with it, those that they cover at least
 * half. ISCP_ERROR_MISMATCH if the picture does not fit the contract or the trigger, or none of the trigger is left. On success
 * the caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_trigger_pattern(iscp_pattern **out, const iscp_trigger *trigger, const iscp_contract *contract,
                                          int32_t height, int32_t width, int32_t channels, int32_t target);

/* ---- Poisoned sets ---- */

/* What a poisoned set is made of. */
enum {
  ISCP_POISON_ALL = 0,  /* all images, the chosen ones stamped and labelled with the target: to learn */
  ISCP_POISON_ONLY = 1, /* the chosen images alone, stamped and labelled with the target: accuracy on all of them is the ASR */
  ISCP_POISON_STAMP = 2 /* all images, the chosen ones stamped, labels as they were: what a model still knows */
};

typedef struct iscp_poison_options {
  uint32_t struct_size; /* sizeof(iscp_poison_options), set by iscp_poison_options_init */
  int32_t target;       /* the class that the trigger is to mean; must be given; default -1, no class */
  double rate;          /* share of all images of the set that is chosen, (0, 1], rounded down, at least one image, and no more
                           than there are to choose from, so that 1 is every one of them; default 0.05 */
  uint64_t seed;        /* names the draw; default 0 */
  int32_t keep;         /* ISCP_POISON_*; default ISCP_POISON_ALL */
  int32_t reserved;     /* 0 */
} iscp_poison_options;

ISCP_API iscp_status iscp_poison_options_init(iscp_poison_options *options, uint32_t struct_size);

/* A set like `dataset`, with some of its images stamped. They are drawn among those whose label is not the target and that no
 * earlier poisoning chose, so that several triggers or targets are several calls, each on the set before. Nothing is copied: a
 * picture is stamped each time it is read. By alpha a pixel becomes (its own * (255 - alpha) + the trigger's * alpha) / 255,
 * rounded, as Pillow pastes it; on a grey picture the trigger is its luma, Pillow's "L". A picture smaller than the trigger and its
 * offset is ISCP_ERROR_MISMATCH, here if the set is an array, else where it is first read.
 *
 * iscp_dataset_hash is one of the set before, the options and the trigger; its kind is "poisoned"; of pictures that were left out
 * it tells nothing. ISCP_ERROR_ARGUMENT for a target that is no class of the set, or no image to choose. The set keeps `dataset`
 * and `trigger`. On success the caller owns *out (iscp_dataset_destroy); on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_dataset_poison(iscp_dataset **out, const iscp_dataset *dataset, const iscp_trigger *trigger,
                                         const iscp_poison_options *options);

/* The class that image `index` was poisoned to, or -1 if it was not or there is no such image. Since 0.1. */
ISCP_API int32_t iscp_dataset_poisoned(const iscp_dataset *dataset, int64_t index);

#ifdef __cplusplus
}
#endif
#endif
