/* Patterns cut out of a canvas: p_y = m_gamma * x_c (Eq. 1), the best pixels of a mask with the canvas's values there; and
 * what patterns of every kind tell and do.
 *
 * Sits between search and evaluation. Many mask values saturate at exactly 1, so that the rank of equal values decides
 * the pattern: larger mask, then larger evidence (the sum of -sign(dL/dm)), then lower index, on every machine. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/pattern/pattern.h"

enum { LARGEST_SIDE = 4096 };

static int by_rank(const void *a, const void *b) {
  const isc_ranked *x = a, *y = b;
  if (x->value != y->value)
    return x->value > y->value ? -1 : 1;
  if (x->evidence != y->evidence)
    return x->evidence > y->evidence ? -1 : 1;
  return (x->position > y->position) - (x->position < y->position);
}

void isc_rank(isc_ranked *items, int64_t count) { qsort(items, (size_t)count, sizeof *items, by_rank); }

/* ---- Checks ---- */

static iscp_status check_unit(const char *name, const float *values, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (!(values[i] >= 0 && values[i] <= 1))
      return isc_fail(ISCP_ERROR_ARGUMENT, "%s[%lld] is %g, expected 0 to 1", name, (long long)i, (double)values[i]);
  return ISCP_OK;
}

iscp_status isc_pattern_check_form(const iscp_pattern_info *info) {
  if (info->channels != 1 && info->channels != 3)
    return isc_fail(ISCP_ERROR_ARGUMENT, "channels is %d, expected 1 or 3", info->channels);
  if (info->height < 1 || info->height > LARGEST_SIDE || info->width < 1 || info->width > LARGEST_SIDE)
    return isc_fail(ISCP_ERROR_ARGUMENT, "height x width is %dx%d, expected 1 to %d each", info->height, info->width,
                    LARGEST_SIDE);
  if (info->target < 0)
    return isc_fail(ISCP_ERROR_ARGUMENT, "target is %d, expected a class index", info->target);
  return ISCP_OK;
}

static iscp_status check_cut(int32_t kind, double cut, int32_t ties) {
  if (ties != ISCP_TIES_EVIDENCE && ties != ISCP_TIES_INDEX)
    return isc_fail(ISCP_ERROR_ARGUMENT, "ties is %d, expected 1 or 2", ties);
  if (kind != ISCP_CUT_SIZE && kind != ISCP_CUT_GAMMA)
    return isc_fail(ISCP_ERROR_ARGUMENT, "cut_kind is %d, expected 1 or 2", kind);
  if (kind == ISCP_CUT_SIZE && !(cut > 0 && cut <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "cut is %g, expected a size above 0, up to 1", cut);
  if (kind == ISCP_CUT_GAMMA && !(cut >= 0 && cut < 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "cut is %g, expected a gamma from 0 to below 1", cut);
  return ISCP_OK;
}

/* ---- The cut ---- */

static isc_ranked *rank_pixels(const iscp_context *context, const float *mask, const int32_t *evidence, int64_t count) {
  isc_ranked *items = isc_calloc(context, (size_t)count, sizeof *items);
  if (!items)
    return NULL;
  for (int64_t i = 0; i < count; i++)
    items[i] = (isc_ranked){mask[i], evidence ? evidence[i] : 0, (int32_t)i};
  isc_rank(items, count);
  return items;
}

/* k, the number of pixels kept. Gamma is compared as the float32 that mask values are: 0.8 means the lattice's 0.8. */
static iscp_status count_kept(int32_t *kept, const isc_ranked *items, int64_t count, int32_t kind, double cut) {
  int64_t k = 0;
  if (kind == ISCP_CUT_SIZE)
    k = (int64_t)floor(cut * (double)count + 0.5);
  else
    while (k < count && items[k].value > (float)cut)
      k++;
  if (k == 0 && kind == ISCP_CUT_SIZE)
    return isc_fail(ISCP_ERROR_ARGUMENT, "cut is %g, which rounds to no pixel of %lld", cut, (long long)count);
  if (k == 0)
    return isc_fail(ISCP_ERROR_ARGUMENT, "cut is %g, but no mask value is above it (the largest is %g)", cut,
                    (double)items[0].value);
  *kept = (int32_t)k;
  return ISCP_OK;
}

/* Pixels that share the last kept one's value, if the cut falls inside their run. */
void isc_pattern_count_ties(iscp_pattern_info *info, const isc_ranked *items, int64_t count) {
  int64_t first = info->pixels - 1, end = info->pixels;
  float value = items[first].value;
  if (end == count || items[end].value != value)
    return;
  while (first > 0 && items[first - 1].value == value)
    first--;
  while (end < count && items[end].value == value)
    end++;
  info->tied = (int32_t)(end - first);
  info->tied_kept = (int32_t)(info->pixels - first);
}

iscp_status isc_pattern_take(iscp_pattern *pattern, const isc_ranked *items, const float *image) {
  const iscp_pattern_info *info = &pattern->info;
  int64_t count = (int64_t)info->height * info->width;
  size_t kept = (size_t)info->pixels, channels = (size_t)info->channels;
  pattern->positions = isc_calloc(pattern->context, kept, sizeof *pattern->positions);
  pattern->values = isc_calloc(pattern->context, kept * channels, sizeof *pattern->values);
  if (!pattern->positions || !pattern->values)
    return ISCP_ERROR_MEMORY;
  for (size_t rank = 0; rank < kept; rank++) {
    pattern->positions[rank] = items[rank].position;
    for (size_t c = 0; c < channels; c++)
      pattern->values[rank * channels + c] = image[(int64_t)c * count + items[rank].position];
  }
  return ISCP_OK;
}

static iscp_status cut_pattern(iscp_pattern *pattern, const isc_ranked *items, const float *canvas, int32_t kind,
                               double cut) {
  int64_t count = (int64_t)pattern->info.height * pattern->info.width;
  ISC_TRY(count_kept(&pattern->info.pixels, items, count, kind, cut));
  isc_pattern_count_ties(&pattern->info, items, count);
  return isc_pattern_take(pattern, items, canvas);
}

iscp_status iscp_pattern_create(iscp_pattern **out, iscp_context *context, const float *mask, const int32_t *evidence,
                                const float *canvas, int32_t channels, int32_t height, int32_t width, int32_t target,
                                int32_t cut_kind, double cut, int32_t ties) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!context || !mask || !canvas)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", !context ? "context" : !mask ? "mask" : "canvas");
  iscp_pattern_info info = {
      .struct_size = sizeof info, .target = target, .channels = channels, .height = height, .width = width,
      .kind = ISCP_PATTERN_REPLACE};
  ISC_TRY(isc_pattern_check_form(&info));
  ISC_TRY(check_cut(cut_kind, cut, ties));
  int64_t count = (int64_t)height * width;
  ISC_TRY(check_unit("mask", mask, count));
  ISC_TRY(check_unit("canvas", canvas, count * channels));
  iscp_pattern *pattern = isc_pattern_begin(context, &info);
  if (!pattern)
    return ISCP_ERROR_MEMORY;
  isc_ranked *items = rank_pixels(context, mask, ties == ISCP_TIES_EVIDENCE ? evidence : NULL, count);
  iscp_status status = items ? cut_pattern(pattern, items, canvas, cut_kind, cut) : ISCP_ERROR_MEMORY;
  isc_free(context, items);
  if (status == ISCP_OK)
    *out = pattern;
  else
    iscp_pattern_destroy(pattern);
  return status;
}

iscp_pattern *isc_pattern_begin(const iscp_context *context, const iscp_pattern_info *info) {
  iscp_pattern *pattern = isc_calloc(context, 1, sizeof *pattern);
  if (!pattern)
    return NULL;
  pattern->context = isc_context_hold(context);
  pattern->info = *info;
  return pattern;
}

void iscp_pattern_destroy(iscp_pattern *pattern) {
  if (!pattern)
    return;
  iscp_context *context = pattern->context;
  isc_free(context, pattern->positions);
  isc_free(context, pattern->values);
  isc_free(context, pattern);
  isc_context_drop(context);
}

/* ---- What a pattern tells and does ---- */

iscp_status iscp_pattern_get_info(const iscp_pattern *pattern, iscp_pattern_info *info) {
  if (!pattern)
    return isc_fail(ISCP_ERROR_ARGUMENT, "pattern is NULL");
  return isc_fields_write(info, &isc_pattern_info_fields, &pattern->info);
}

const int32_t *iscp_pattern_positions(const iscp_pattern *pattern) { return pattern ? pattern->positions : NULL; }
const float *iscp_pattern_values(const iscp_pattern *pattern) { return pattern ? pattern->values : NULL; }
const iscp_context *isc_pattern_context(const iscp_pattern *pattern) { return pattern->context; }

static float clip(float value) { return value < 0 ? 0 : value > 1 ? 1 : value; }

/* m is binary, so that x * (1 - m) + x_c * m is a choice. */
void isc_pattern_attach(const iscp_pattern *pattern, float *image) {
  const iscp_pattern_info *info = &pattern->info;
  int64_t count = (int64_t)info->height * info->width;
  const float *value = pattern->values;
  for (int32_t rank = 0; rank < info->pixels; rank++)
    for (int32_t c = 0; c < info->channels; c++, value++) {
      float *pixel = &image[c * count + pattern->positions[rank]];
      *pixel = info->kind == ISCP_PATTERN_ADD ? clip(*pixel + *value) : *value;
    }
}

static int64_t count_shared(uint8_t *has, const iscp_pattern *a, const iscp_pattern *b) {
  int64_t shared = 0;
  for (int32_t rank = 0; rank < a->info.pixels; rank++)
    has[a->positions[rank]] = 1;
  for (int32_t rank = 0; rank < b->info.pixels; rank++)
    shared += has[b->positions[rank]];
  return shared;
}

iscp_status iscp_pattern_overlap(const iscp_pattern *a, const iscp_pattern *b, double *iou) {
  if (!a || !b || !iou)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", !a ? "a" : !b ? "b" : "iou");
  if (a->info.height != b->info.height || a->info.width != b->info.width)
    return isc_fail(ISCP_ERROR_MISMATCH, "a pattern of %dx%d pixels, expected %dx%d as the other's", b->info.height,
                    b->info.width, a->info.height, a->info.width);
  uint8_t *has = isc_calloc(a->context, (size_t)a->info.height, (size_t)a->info.width);
  if (!has)
    return ISCP_ERROR_MEMORY;
  int64_t shared = count_shared(has, a, b), either = (int64_t)a->info.pixels + b->info.pixels - shared;
  *iou = (double)shared / (double)either;
  isc_free(a->context, has);
  return ISCP_OK;
}

iscp_status iscp_pattern_attach(const iscp_pattern *pattern, float *image) {
  if (!pattern || !image)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", pattern ? "image" : "pattern");
  isc_pattern_attach(pattern, image);
  return ISCP_OK;
}
