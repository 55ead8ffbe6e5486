/* Attention shift: where the network looks before and after a pattern is put on an image (Figure 12 of the paper). Each map is of
 * the class that the network then predicts. */
#include <string.h>

#include "explain/explain.h"

/* Share of the map's sum at the pattern's positions. */
static double share_inside(const float *map, int64_t pixels, const int32_t *positions, int32_t count) {
  double all = 0, inside = 0;
  for (int64_t i = 0; i < pixels; i++)
    all += map[i];
  for (int32_t i = 0; i < count; i++)
    inside += map[positions[i]];
  return all > 0 ? inside / all : 0;
}

static iscp_status check(iscp_pattern_info *info, const iscp_gradcam *gradcam, const iscp_pattern *pattern) {
  const iscp_contract *contract = isc_gradcam_contract(gradcam);
  info->struct_size = sizeof *info;
  ISC_TRY(iscp_pattern_get_info(pattern, info));
  if (info->channels != contract->channels || info->height != contract->height || info->width != contract->width)
    return isc_fail(ISCP_ERROR_MISMATCH, "the pattern is %dx%dx%d, expected %dx%dx%d as the model's images", info->channels,
                    info->height, info->width, contract->channels, contract->height, contract->width);
  return ISCP_OK;
}

/* `memory` holds the image with the pattern, then both maps. */
static iscp_status run(iscp_attention_shift *made, float *memory, iscp_gradcam *gradcam, const float *image,
                       const iscp_pattern *pattern, const iscp_pattern_info *form) {
  int64_t pixels = (int64_t)form->height * form->width, numbers = pixels * form->channels;
  float *attached = memory, *before = memory + numbers, *after = before + pixels;
  const int32_t *positions = iscp_pattern_positions(pattern);
  iscp_gradcam_info info = {.struct_size = sizeof info};
  ISC_TRY(iscp_gradcam_map(before, &info, gradcam, image, -1));
  made->predicted_before = info.predicted;
  memcpy(attached, image, (size_t)numbers * sizeof *attached);
  ISC_TRY(iscp_pattern_attach(pattern, attached));
  ISC_TRY(iscp_gradcam_map(after, &info, gradcam, attached, -1));
  made->predicted_after = info.predicted;
  made->inside_before = share_inside(before, pixels, positions, form->pixels);
  made->inside_after = share_inside(after, pixels, positions, form->pixels);
  made->area = (double)form->pixels / (double)pixels;
  return ISCP_OK;
}

iscp_status iscp_gradcam_shift(iscp_attention_shift *shift, float *before, float *after, iscp_gradcam *gradcam,
                               const float *image, const iscp_pattern *pattern) {
  if (!shift || !gradcam || !image || !pattern)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL",
                    !shift ? "shift" : !gradcam ? "gradcam" : !image ? "image" : "pattern");
  iscp_pattern_info form;
  ISC_TRY(isc_fields_check_output(shift, &isc_attention_shift_fields));
  ISC_TRY(check(&form, gradcam, pattern));
  size_t pixels = (size_t)form.height * (size_t)form.width, numbers = pixels * (size_t)form.channels;
  const iscp_context *context = isc_pattern_context(pattern);
  float *memory = isc_calloc(context, numbers + 2 * pixels, sizeof *memory);
  if (!memory)
    return ISCP_ERROR_MEMORY;
  iscp_attention_shift made = {.struct_size = sizeof made, .target = form.target};
  iscp_status status = run(&made, memory, gradcam, image, pattern, &form);
  if (status == ISCP_OK)
    status = isc_fields_write(shift, &isc_attention_shift_fields, &made);
  if (status == ISCP_OK && before)
    memcpy(before, memory + numbers, pixels * sizeof *before);
  if (status == ISCP_OK && after)
    memcpy(after, memory + numbers + pixels, pixels * sizeof *after);
  isc_free(context, memory);
  return status;
}
