/* Patterns that are added: x' = clip(x + v, 0, 1), v a perturbation, at the pixels where it is not zero in some channel. */
#include <math.h>
#include <stdlib.h>

#include "data/pattern/pattern.h"

static iscp_status check_values(const float *values, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (!(values[i] >= -1 && values[i] <= 1))
      return isc_fail(ISCP_ERROR_ARGUMENT, "perturbation[%lld] is %g, expected -1 to 1", (long long)i, (double)values[i]);
  return ISCP_OK;
}

static isc_ranked measure(const isc_perturbation *p, int64_t position) {
  int64_t pixels = (int64_t)p->height * p->width, evidence = 0;
  isc_ranked item = {.position = (int32_t)position};
  for (int64_t c = 0; c < p->channels; c++) {
    item.value += fabsf(p->values[c * pixels + position]);
    evidence += p->evidence ? llabs(p->evidence[c * pixels + position]) : 0;
  }
  item.evidence = evidence < INT32_MAX ? (int32_t)evidence : INT32_MAX;
  return item;
}

/* The pixels that are changed, ranked; returns how many. */
static int64_t rank_changed(isc_ranked *items, const isc_perturbation *p) {
  int64_t changed = 0;
  for (int64_t i = 0; i < (int64_t)p->height * p->width; i++) {
    isc_ranked item = measure(p, i);
    if (item.value > 0)
      items[changed++] = item;
  }
  isc_rank(items, changed);
  return changed;
}

static iscp_status build(iscp_pattern *pattern, isc_ranked *items, const isc_perturbation *p, double size) {
  int64_t pixels = (int64_t)p->height * p->width, kept = (int64_t)floor(size * (double)pixels + 0.5);
  int64_t changed = rank_changed(items, p);
  if (!changed)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the perturbation is zero throughout, expected a pixel that it changes");
  if (!kept)
    return isc_fail(ISCP_ERROR_ARGUMENT, "size is %g, which rounds to no pixel of %lld", size, (long long)pixels);
  pattern->info.pixels = (int32_t)(kept < changed ? kept : changed);
  isc_pattern_count_ties(&pattern->info, items, changed);
  return isc_pattern_take(pattern, items, p->values);
}

iscp_status isc_pattern_add(iscp_pattern **out, const iscp_context *context, const isc_perturbation *p, double size) {
  iscp_pattern_info info = {.struct_size = sizeof info, .target = p->target, .channels = p->channels, .height = p->height,
                            .width = p->width, .kind = ISCP_PATTERN_ADD};
  iscp_pattern *pattern = isc_pattern_begin(context, &info);
  isc_ranked *items = isc_calloc(context, (size_t)p->height * (size_t)p->width, sizeof *items);
  iscp_status status = pattern && items ? build(pattern, items, p, size) : ISCP_ERROR_MEMORY;
  isc_free(context, items);
  if (status == ISCP_OK)
    *out = pattern;
  else
    iscp_pattern_destroy(pattern);
  return status;
}

iscp_status iscp_pattern_create_add(iscp_pattern **out, iscp_context *context, const float *perturbation,
                                    int32_t channels, int32_t height, int32_t width, int32_t target) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!context || !perturbation)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", context ? "perturbation" : "context");
  ISC_TRY(isc_pattern_check_form(&(iscp_pattern_info){
      .target = target, .channels = channels, .height = height, .width = width}));
  ISC_TRY(check_values(perturbation, (int64_t)channels * height * width));
  isc_perturbation whole = {perturbation, NULL, channels, height, width, target};
  return isc_pattern_add(out, context, &whole, 1);
}
