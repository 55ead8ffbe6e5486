/* The canvas samplers (Section 3, "Canvas Sampling"), over the clean results of the whole dataset. */
#include <stdlib.h>

#include "search/search.h"

typedef struct candidate {
  float logit;
  int64_t index;
} candidate;

static int by_logit(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->logit != y->logit)
    return x->logit > y->logit ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

static iscp_status add_canvas(iscp_search *search, isc_class *class_, int32_t kind, int64_t image, float **pixels) {
  isc_canvas *canvas = &class_->canvases[class_->canvas_count];
  canvas->pixels = isc_alloc(search->context, (size_t)search->numbers * sizeof(float));
  if (!canvas->pixels)
    return ISCP_ERROR_MEMORY;
  canvas->kind = kind;
  canvas->image = image;
  class_->canvas_count++;
  *pixels = canvas->pixels;
  return ISCP_OK;
}

static iscp_status add_image(iscp_search *search, isc_class *class_, int32_t kind, int64_t image) {
  float *pixels;
  ISC_TRY(add_canvas(search, class_, kind, image, &pixels));
  return iscp_dataset_image(search->dataset, image, pixels);
}

/* Images that the model takes for the class, of the class (positive) or of others (negative), by descending logit. The logit
 * kept is that of the predicted class, which is the target's for all of these. */
static iscp_status add_confident(iscp_search *search, isc_class *class_, int32_t kind) {
  int64_t total = iscp_dataset_count(search->dataset), count = 0;
  candidate *found = isc_calloc(search->context, (size_t)total, sizeof *found);
  if (!found)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < total; i++) {
    bool of_class = iscp_dataset_label(search->dataset, i) == class_->index;
    if (search->clean.predicted[i] == class_->index && of_class == (kind == ISCP_CANVAS_POSITIVE))
      found[count++] = (candidate){search->clean.logit[i], i};
  }
  qsort(found, (size_t)count, sizeof *found, by_logit);
  if (count < search->options.canvases)
    isc_log(search->context, ISCP_LOG_INFO, "class %d has %lld of %d %s canvases", class_->index, (long long)count,
            search->options.canvases, kind == ISCP_CANVAS_POSITIVE ? "positive" : "negative");
  iscp_status status = ISCP_OK;
  for (int64_t i = 0; status == ISCP_OK && i < count && i < search->options.canvases; i++)
    status = add_image(search, class_, kind, found[i].index);
  isc_free(search->context, found);
  return status;
}

static iscp_status add_random(iscp_search *search, isc_class *class_) {
  int64_t total = iscp_dataset_count(search->dataset);
  int64_t *indices = isc_calloc(search->context, (size_t)total, sizeof *indices);
  if (!indices)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < total; i++)
    indices[i] = i;
  iscp_status status = isc_random_shuffle(search->context, indices, total, search->options.seed, ISC_PURPOSE_CANVAS,
                                          class_->index, 0);
  for (int64_t i = 0; status == ISCP_OK && i < total && i < search->options.canvases; i++)
    status = add_image(search, class_, ISCP_CANVAS_RANDOM, indices[i]);
  isc_free(search->context, indices);
  return status;
}

static iscp_status add_white(iscp_search *search, isc_class *class_) {
  float *pixels;
  ISC_TRY(add_canvas(search, class_, ISCP_CANVAS_WHITE, -1, &pixels));
  for (int64_t i = 0; i < search->numbers; i++)
    pixels[i] = 1;
  return ISCP_OK;
}

static iscp_status add_user(iscp_search *search, isc_class *class_) {
  for (int32_t u = 0; u < search->options.user_canvas_count; u++) {
    float *pixels;
    ISC_TRY(add_canvas(search, class_, ISCP_CANVAS_USER, u, &pixels));
    for (int64_t i = 0; i < search->numbers; i++)
      pixels[i] = search->user_canvases[u * search->numbers + i];
  }
  return ISCP_OK;
}

iscp_status isc_canvases_choose(iscp_search *search, isc_class *class_) {
  const iscp_search_options *o = &search->options;
  size_t most = 3 * (size_t)o->canvases + 1 + (size_t)o->user_canvas_count;
  class_->canvases = isc_calloc(search->context, most, sizeof *class_->canvases);
  if (!class_->canvases)
    return ISCP_ERROR_MEMORY;
  if (o->canvas_kinds & ISCP_CANVAS_POSITIVE)
    ISC_TRY(add_confident(search, class_, ISCP_CANVAS_POSITIVE));
  if (o->canvas_kinds & ISCP_CANVAS_NEGATIVE)
    ISC_TRY(add_confident(search, class_, ISCP_CANVAS_NEGATIVE));
  if (o->canvas_kinds & ISCP_CANVAS_RANDOM)
    ISC_TRY(add_random(search, class_));
  if (o->canvas_kinds & ISCP_CANVAS_WHITE)
    ISC_TRY(add_white(search, class_));
  return o->canvas_kinds & ISCP_CANVAS_USER ? add_user(search, class_) : ISCP_OK;
}
