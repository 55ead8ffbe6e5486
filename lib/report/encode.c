/* A pattern as a picture of its own: a PNG in a file or in memory. */
#include <string.h>

#include "report/report.h"

iscp_status isc_pattern_picture(isc_picture *picture, const iscp_pattern *pattern, int32_t scale) {
  memset(picture, 0, sizeof *picture);
  iscp_pattern_info info = {.struct_size = sizeof info};
  ISC_TRY(iscp_pattern_get_info(pattern, &info));
  if (scale < 0 || scale > 64)
    return isc_fail(ISCP_ERROR_ARGUMENT, "scale is %d, expected 1 to 64, or 0 for one chosen by size", scale);
  if (!scale)
    scale = isc_picture_scale(info.height, info.width);
  ISC_TRY(isc_picture_create(picture, isc_pattern_context(pattern), info.width * scale, info.height * scale, 0));
  isc_draw_pattern(picture, 0, 0, scale, pattern, &info);
  return ISCP_OK;
}

iscp_status iscp_pattern_write_png(const iscp_pattern *pattern, const char *path, int32_t scale) {
  if (!path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "path is NULL");
  isc_picture picture;
  ISC_TRY(isc_pattern_picture(&picture, pattern, scale));
  const iscp_context *context = isc_pattern_context(pattern);
  iscp_status status = isc_write_png(&picture.pixels, context, path);
  isc_picture_release(&picture, context);
  return status;
}

iscp_status iscp_pattern_encode_png(int64_t *size, const iscp_pattern *pattern, int32_t scale, uint8_t *buffer,
                                    int64_t capacity) {
  if (!size)
    return isc_fail(ISCP_ERROR_ARGUMENT, "size is NULL");
  *size = 0;
  isc_picture picture;
  ISC_TRY(isc_pattern_picture(&picture, pattern, scale));
  const iscp_context *context = isc_pattern_context(pattern);
  uint8_t *bytes = NULL;
  size_t encoded;
  iscp_status status = isc_encode_png(&bytes, &encoded, &picture.pixels, context);
  if (status == ISCP_OK) {
    *size = (int64_t)encoded;
    if (buffer && capacity >= *size)
      memcpy(buffer, bytes, encoded);
  }
  isc_free(context, bytes);
  isc_picture_release(&picture, context);
  return status;
}
