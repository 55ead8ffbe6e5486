/* A source: other images, some of which have a trigger on them and are of another class (BadNets, all to one).
 *
 * Its pictures come from the images before it, of whatever kind. Which are drawn is a function of the options and those images
 * alone, and a picture is stamped each time it is fetched, below the loader: nothing but labels and marks is held. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/pattern/trigger.h"
#include "data/source/source.h"

typedef struct poisoned {
  isc_images images;
  isc_images *before;
  iscp_trigger *trigger;
  iscp_poison_options options;
  int64_t *places;  /* of each image in `before`, NULL if they are the same */
  int32_t *targets; /* of each image: the class that it was poisoned to here, or -1 */
} poisoned;

static const poisoned *of(const isc_images *images) { return (const poisoned *)images; }

static int64_t place_of(const poisoned *p, int64_t index) { return p->places ? p->places[index] : index; }

/* ---- Options ---- */

iscp_status iscp_poison_options_init(iscp_poison_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_poison_options_fields);
}

static iscp_status check_options(const iscp_poison_options *options, const isc_images *before) {
  if (options->target < 0 || options->target >= before->classes)
    return isc_fail(ISCP_ERROR_ARGUMENT, "target is %d, expected a class, 0 to %d", options->target, before->classes - 1);
  if (!(options->rate > 0 && options->rate <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "rate is %g, expected above 0, up to 1", options->rate);
  if (options->keep < ISCP_POISON_ALL || options->keep > ISCP_POISON_STAMP)
    return isc_fail(ISCP_ERROR_ARGUMENT, "keep is %d, expected %d to %d", options->keep, ISCP_POISON_ALL, ISCP_POISON_STAMP);
  return ISCP_OK;
}

/* ---- The draw ---- */

/* The nudge is for rates that binary numbers fall short of: 0.29 of 100 images is 29. */
static int64_t count_chosen(const iscp_poison_options *options, int64_t images, int64_t candidates) {
  int64_t wanted = (int64_t)floor(options->rate * (double)images + 1e-6);
  wanted = wanted < 1 ? 1 : wanted;
  return wanted < candidates ? wanted : candidates;
}

/* Marks the drawn images of `before`, whose number goes to *chosen: the target, or -1. */
static iscp_status draw(int32_t *targets, int64_t *chosen, const isc_images *before, const iscp_poison_options *options) {
  int64_t candidates = 0;
  int64_t *indices = isc_calloc(before->context, (size_t)before->count, sizeof *indices);
  if (!indices)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < before->count; i++) {
    targets[i] = -1;
    if (before->labels[i] != options->target && isc_images_poisoned(before, i) < 0)
      indices[candidates++] = i;
  }
  iscp_status status = ISCP_OK;
  if (!candidates)
    status = isc_fail(ISCP_ERROR_ARGUMENT, "all images are of class %d or poisoned already, expected one to choose",
                      options->target);
  else
    status = isc_random_shuffle(before->context, indices, candidates, options->seed, ISC_PURPOSE_POISON, options->target, 0);
  *chosen = count_chosen(options, before->count, candidates);
  for (int64_t i = 0; i < *chosen && status == ISCP_OK; i++)
    targets[indices[i]] = options->target;
  isc_free(before->context, indices);
  return status;
}

/* The chosen images alone, in their order. */
static iscp_status leave_out(poisoned *p, int64_t chosen) {
  p->places = isc_calloc(p->images.context, (size_t)chosen, sizeof *p->places);
  if (!p->places)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0, next = 0; i < p->before->count; i++)
    if (p->targets[i] >= 0)
      p->places[next++] = i;
  for (int64_t i = 0; i < chosen; i++)
    p->targets[i] = p->options.target;
  return ISCP_OK;
}

static iscp_status set_labels(poisoned *p) {
  isc_images *images = &p->images;
  images->labels = isc_calloc(images->context, (size_t)images->count, sizeof *images->labels);
  if (!images->labels)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < images->count; i++) {
    bool is_relabelled = p->targets[i] >= 0 && p->options.keep != ISCP_POISON_STAMP;
    images->labels[i] = is_relabelled ? p->targets[i] : p->before->labels[i];
  }
  return ISCP_OK;
}

/* ---- The table ---- */

/* Pictures that are borrowed from an array in memory are copied before they are changed. */
static iscp_status own(isc_picture *picture, isc_tensor *holder, const iscp_context *context) {
  int64_t bytes = picture->height * picture->width * picture->channels;
  if (holder->data)
    return ISCP_OK;
  ISC_TRY(isc_tensor_create(holder, context, ISC_U8, 1, &bytes));
  memcpy(holder->data, picture->values, (size_t)bytes);
  picture->values = holder->data;
  return ISCP_OK;
}

static iscp_status fetch(isc_picture *picture, isc_tensor *holder, const isc_images *images, int64_t index) {
  const poisoned *p = of(images);
  ISC_TRY(isc_images_fetch(picture, holder, p->before, place_of(p, index)));
  if (p->targets[index] < 0)
    return ISCP_OK;
  iscp_status status = isc_trigger_check(p->trigger, picture->height, picture->width);
  if (status != ISCP_OK) {
    const char *file = isc_images_path(images, index);
    return file ? isc_fail_in(status, file) : status;
  }
  ISC_TRY(own(picture, holder, images->context));
  isc_trigger_stamp(p->trigger, holder->data, picture);
  return ISCP_OK;
}

static const char *path(const isc_images *images, int64_t index) {
  return isc_images_path(of(images)->before, place_of(of(images), index));
}

/* Options as a text whose numbers are exact, the hash before, the trigger's pixels. */
static iscp_status hash(isc_digest *digest, const isc_images *images) {
  const poisoned *p = of(images);
  const iscp_poison_options *o = &p->options;
  iscp_trigger_info t = {.struct_size = sizeof t};
  const char *before;
  char text[256];
  ISC_TRY(isc_images_hash(&before, p->before));
  ISC_TRY(iscp_trigger_get_info(p->trigger, &t));
  int length = snprintf(text, sizeof text, "poison target %d rate %.17g seed %llu keep %d "
                        "trigger %dx%d corner %d offset %d,%d of %s", o->target, o->rate, (unsigned long long)o->seed, o->keep,
                        t.height, t.width, t.corner, t.offset_y, t.offset_x, before);
  isc_digest_update(digest, text, (size_t)length);
  isc_digest_update(digest, iscp_trigger_pixels(p->trigger), (size_t)t.height * (size_t)t.width * 4);
  return ISCP_OK;
}

static void release(isc_images *images) {
  poisoned *p = (poisoned *)images;
  isc_free(images->context, p->places);
  isc_free(images->context, p->targets);
  isc_free(images->context, images->labels);
  iscp_trigger_destroy(p->trigger);
  isc_images_drop(p->before);
}

static const isc_image_source table = {.fetch = fetch, .path = path, .hash = hash, .release = release};

int32_t isc_images_poisoned(const isc_images *images, int64_t index) {
  while (images->source == &table) {
    if (of(images)->targets[index] >= 0)
      return of(images)->targets[index];
    index = place_of(of(images), index);
    images = of(images)->before;
  }
  return -1;
}

/* ---- Making one ---- */

static iscp_status fill(poisoned *p) {
  const isc_images *before = p->before;
  isc_images *images = &p->images;
  int64_t chosen;
  images->kind = "poisoned";
  images->classes = before->classes;
  images->layout = before->layout;
  memcpy(images->low, before->low, sizeof images->low);
  memcpy(images->high, before->high, sizeof images->high);
  p->targets = isc_calloc(images->context, (size_t)before->count, sizeof *p->targets);
  if (!p->targets)
    return ISCP_ERROR_MEMORY;
  ISC_TRY(draw(p->targets, &chosen, before, &p->options));
  images->count = p->options.keep == ISCP_POISON_ONLY ? chosen : before->count;
  if (p->options.keep == ISCP_POISON_ONLY)
    ISC_TRY(leave_out(p, chosen));
  ISC_TRY(set_labels(p));
  return before->name_count ? isc_images_set_names(images, before->class_names, before->name_count) : ISCP_OK;
}

iscp_status isc_poisoned_create(isc_images **out, const isc_images *before, const iscp_trigger *trigger,
                                const iscp_poison_options *given) {
  iscp_poison_options options;
  ISC_TRY(isc_fields_read(&options, &isc_poison_options_fields, given));
  ISC_TRY(check_options(&options, before));
  if (before->layout.channels)
    ISC_TRY(isc_trigger_check(trigger, before->layout.height, before->layout.width));
  poisoned *p = isc_images_create(before->context, sizeof *p, &table);
  if (!p)
    return ISCP_ERROR_MEMORY;
  p->before = isc_images_hold(before);
  p->trigger = isc_trigger_hold(trigger);
  p->options = options;
  iscp_status status = fill(p);
  if (status == ISCP_OK)
    *out = &p->images;
  else
    isc_images_drop(&p->images);
  return status;
}
