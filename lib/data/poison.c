/* Poisoned sets: another set, some of whose images have a trigger on them and are of another class (BadNets, all to one).
 *
 * A source like any other, whose pictures come from the set before it. Which images are drawn is a function of the options and
 * that set alone, and a picture is stamped each time it is fetched, below the loader: nothing but labels and marks is held. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/dataset.h"

/* ---- Options ---- */

static const iscp_poison_options defaults = {.struct_size = sizeof(iscp_poison_options), .target = -1, .rate = 0.05};

iscp_status iscp_poison_options_init(iscp_poison_options *options, uint32_t struct_size) {
  return isc_options_init(options, struct_size, &defaults, sizeof defaults, sizeof defaults, "iscp_poison_options");
}

static iscp_status check_options(const iscp_poison_options *options, const iscp_dataset *dataset) {
  if (options->target < 0 || options->target >= dataset->classes)
    return isc_fail(ISCP_ERROR_ARGUMENT, "target is %d, expected a class, 0 to %d", options->target, dataset->classes - 1);
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
static iscp_status draw(int32_t *targets, int64_t *chosen, const iscp_dataset *before, const iscp_poison_options *options) {
  int64_t candidates = 0;
  int64_t *indices = isc_calloc(before->context, (size_t)before->count, sizeof *indices);
  if (!indices)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < before->count; i++) {
    targets[i] = -1;
    if (before->labels[i] != options->target && iscp_dataset_poisoned(before, i) < 0)
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
static iscp_status leave_out(isc_poisoning *p, int64_t chosen) {
  const iscp_context *context = p->before->context;
  p->places = isc_calloc(context, (size_t)chosen, sizeof *p->places);
  if (!p->places)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0, next = 0; i < p->before->count; i++)
    if (p->targets[i] >= 0)
      p->places[next++] = i;
  for (int64_t i = 0; i < chosen; i++)
    p->targets[i] = p->options.target;
  return ISCP_OK;
}

static iscp_status set_labels(iscp_dataset *dataset) {
  const isc_poisoning *p = dataset->poisoning;
  dataset->labels = isc_calloc(dataset->context, (size_t)dataset->count, sizeof *dataset->labels);
  if (!dataset->labels)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < dataset->count; i++) {
    bool is_relabelled = p->targets[i] >= 0 && p->options.keep != ISCP_POISON_STAMP;
    dataset->labels[i] = is_relabelled ? p->targets[i] : p->before->labels[i];
  }
  return ISCP_OK;
}

/* ---- Life ---- */

static void describe(iscp_dataset *dataset, const iscp_dataset *before) {
  dataset->kind = "poisoned";
  dataset->contract = before->contract;
  dataset->has_contract = before->has_contract;
  dataset->classes = before->classes;
  dataset->picture = before->picture;
  dataset->picture.values = NULL;
  memcpy(dataset->low, before->low, sizeof dataset->low);
  memcpy(dataset->high, before->high, sizeof dataset->high);
}

static iscp_status fill(iscp_dataset *dataset, const iscp_dataset *before, const iscp_trigger *trigger,
                        const iscp_poison_options *options) {
  isc_poisoning *p = isc_calloc(dataset->context, 1, sizeof *p);
  int64_t chosen;
  if (!p)
    return ISCP_ERROR_MEMORY;
  dataset->poisoning = p;
  *p = (isc_poisoning){isc_dataset_hold(before), isc_trigger_hold(trigger), *options, NULL, NULL};
  p->targets = isc_calloc(dataset->context, (size_t)before->count, sizeof *p->targets);
  if (!p->targets)
    return ISCP_ERROR_MEMORY;
  describe(dataset, before);
  ISC_TRY(draw(p->targets, &chosen, before, options));
  dataset->count = options->keep == ISCP_POISON_ONLY ? chosen : before->count;
  if (options->keep == ISCP_POISON_ONLY)
    ISC_TRY(leave_out(p, chosen));
  ISC_TRY(set_labels(dataset));
  if (before->name_count)
    ISC_TRY(isc_dataset_set_names(dataset, before->class_names, before->name_count));
  dataset->memory = before->memory;
  if (!before->loader)
    return ISCP_OK;
  return isc_dataset_load_ahead(dataset);
}

iscp_status iscp_dataset_poison(iscp_dataset **out, const iscp_dataset *before, const iscp_trigger *trigger,
                                const iscp_poison_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!before || !trigger)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", before ? "trigger" : "dataset");
  iscp_poison_options options;
  ISC_TRY(isc_options_read(&options, &defaults, sizeof defaults, sizeof defaults, given, "iscp_poison_options"));
  ISC_TRY(check_options(&options, before));
  if (before->picture.channels)
    ISC_TRY(isc_trigger_check(trigger, before->picture.height, before->picture.width));
  iscp_dataset *dataset;
  iscp_dataset_options none;
  ISC_TRY(isc_dataset_begin(&dataset, &none, before->context, NULL));
  iscp_status status = fill(dataset, before, trigger, &options);
  if (status == ISCP_OK)
    *out = dataset;
  else
    iscp_dataset_destroy(dataset);
  return status;
}

void isc_poisoning_destroy(isc_poisoning *p, const iscp_context *context) {
  if (!p)
    return;
  isc_free(context, p->places);
  isc_free(context, p->targets);
  iscp_trigger_destroy(p->trigger);
  iscp_dataset_destroy(p->before);
  isc_free(context, p);
}

/* ---- What it gives ---- */

int32_t iscp_dataset_poisoned(const iscp_dataset *dataset, int64_t index) {
  if (iscp_dataset_label(dataset, index) < 0)
    return -1;
  for (const isc_poisoning *p; (p = dataset->poisoning); dataset = p->before) {
    if (p->targets[index] >= 0)
      return p->targets[index];
    index = p->places ? p->places[index] : index;
  }
  return -1;
}

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

iscp_status isc_poisoning_fetch(isc_picture *picture, isc_tensor *holder, const iscp_dataset *dataset, int64_t index) {
  const isc_poisoning *p = dataset->poisoning;
  ISC_TRY(isc_dataset_fetch(picture, holder, p->before, p->places ? p->places[index] : index));
  if (p->targets[index] < 0)
    return ISCP_OK;
  iscp_status status = isc_trigger_check(p->trigger, picture->height, picture->width);
  if (status != ISCP_OK) {
    const char *path = isc_dataset_path(dataset, index);
    return path ? isc_fail_in(status, path) : status;
  }
  ISC_TRY(own(picture, holder, dataset->context));
  isc_trigger_stamp(p->trigger, holder->data, picture);
  return ISCP_OK;
}

/* Options as a text whose numbers are exact, the hash before, the trigger's pixels. */
iscp_status isc_poisoning_digest(isc_digest *digest, const isc_poisoning *p) {
  const iscp_poison_options *o = &p->options;
  iscp_trigger_info t = {.struct_size = sizeof t};
  const char *before;
  char text[256];
  ISC_TRY(isc_dataset_hash(&before, p->before));
  ISC_TRY(iscp_trigger_get_info(p->trigger, &t));
  int length = snprintf(text, sizeof text, "poison target %d rate %.17g seed %llu keep %d "
                        "trigger %dx%d corner %d offset %d,%d of %s", o->target, o->rate, (unsigned long long)o->seed, o->keep,
                        t.height, t.width, t.corner, t.offset_y, t.offset_x, before);
  isc_digest_update(digest, text, (size_t)length);
  isc_digest_update(digest, iscp_trigger_pixels(p->trigger), (size_t)t.height * (size_t)t.width * 4);
  return ISCP_OK;
}
