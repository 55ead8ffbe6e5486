/* A pattern or an image as a picture of its own: a PNG in a file or in memory. And heat over an image. */
#include <string.h>

#include "report/report.h"

enum {
  LARGEST_SIDE = 16384, /* several images side by side */
  LARGEST_SCALE = 64,
  LARGEST_PICTURE = LARGEST_SIDE * LARGEST_SIDE /* pixels */
};

iscp_status isc_picture_choose_scale(int32_t *scale, int32_t height, int32_t width) {
  if (*scale < 0 || *scale > LARGEST_SCALE)
    return isc_fail(ISCP_ERROR_ARGUMENT, "scale is %d, expected 1 to %d, or 0 for one chosen by size", *scale, LARGEST_SCALE);
  if (!*scale)
    *scale = isc_picture_scale(height, width);
  int64_t pixels = (int64_t)height * width * *scale * *scale;
  if (pixels > LARGEST_PICTURE)
    return isc_fail(ISCP_ERROR_ARGUMENT, "scale is %d, which makes a picture of %lld pixels, expected at most %d", *scale,
                    (long long)pixels, LARGEST_PICTURE);
  return ISCP_OK;
}

/* Both give the picture back. */
static iscp_status write_picture(isc_picture *picture, const iscp_context *context, const char *path) {
  iscp_status status = isc_write_png(&picture->pixels, context, path);
  isc_picture_release(picture, context);
  return status;
}

static iscp_status encode_picture(int64_t *size, isc_picture *picture, const iscp_context *context, uint8_t *buffer,
                                  int64_t capacity) {
  uint8_t *bytes = NULL;
  size_t encoded;
  iscp_status status = isc_encode_png(&bytes, &encoded, &picture->pixels, context);
  if (status == ISCP_OK) {
    *size = (int64_t)encoded;
    if (buffer && capacity >= *size)
      memcpy(buffer, bytes, encoded);
  }
  isc_free(context, bytes);
  isc_picture_release(picture, context);
  return status;
}

/* ---- Patterns ---- */

iscp_status isc_pattern_picture(isc_picture *picture, const iscp_pattern *pattern, int32_t scale) {
  memset(picture, 0, sizeof *picture);
  iscp_pattern_info info = {.struct_size = sizeof info};
  ISC_TRY(iscp_pattern_get_info(pattern, &info));
  ISC_TRY(isc_picture_choose_scale(&scale, info.height, info.width));
  ISC_TRY(isc_picture_create(picture, isc_pattern_context(pattern), info.width * scale, info.height * scale, 0));
  isc_draw_pattern(picture, 0, 0, scale, pattern, &info);
  return ISCP_OK;
}

iscp_status iscp_pattern_write_png(const iscp_pattern *pattern, const char *path, int32_t scale) {
  if (!path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "path is NULL");
  isc_picture picture;
  ISC_TRY(isc_pattern_picture(&picture, pattern, scale));
  return write_picture(&picture, isc_pattern_context(pattern), path);
}

iscp_status iscp_pattern_encode_png(int64_t *size, const iscp_pattern *pattern, int32_t scale, uint8_t *buffer,
                                    int64_t capacity) {
  if (!size)
    return isc_fail(ISCP_ERROR_ARGUMENT, "size is NULL");
  *size = 0;
  isc_picture picture;
  ISC_TRY(isc_pattern_picture(&picture, pattern, scale));
  return encode_picture(size, &picture, isc_pattern_context(pattern), buffer, capacity);
}

/* ---- Images ---- */

static iscp_status check_form(const float *image, int32_t channels, int32_t height, int32_t width) {
  if (!image)
    return isc_fail(ISCP_ERROR_ARGUMENT, "image is NULL");
  if (channels != 1 && channels != 3)
    return isc_fail(ISCP_ERROR_ARGUMENT, "channels is %d, expected 1 or 3", channels);
  if (height < 1 || height > LARGEST_SIDE || width < 1 || width > LARGEST_SIDE)
    return isc_fail(ISCP_ERROR_ARGUMENT, "height x width is %dx%d, expected 1 to %d each", height, width, LARGEST_SIDE);
  return ISCP_OK;
}

static iscp_status draw(isc_picture *picture, const iscp_context *context, const float *image, int32_t channels,
                        int32_t height, int32_t width, int32_t scale) {
  if (!context)
    return isc_fail(ISCP_ERROR_ARGUMENT, "context is NULL");
  ISC_TRY(check_form(image, channels, height, width));
  ISC_TRY(isc_picture_choose_scale(&scale, height, width));
  ISC_TRY(isc_picture_create(picture, context, width * scale, height * scale, 0));
  isc_draw_image(picture, 0, 0, scale, image, channels, height, width);
  return ISCP_OK;
}

iscp_status iscp_image_write_png(iscp_context *context, const float *image, int32_t channels, int32_t height,
                                 int32_t width, const char *path, int32_t scale) {
  if (!path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "path is NULL");
  isc_picture picture;
  ISC_TRY(draw(&picture, context, image, channels, height, width, scale));
  return write_picture(&picture, context, path);
}

iscp_status iscp_image_encode_png(int64_t *size, iscp_context *context, const float *image, int32_t channels,
                                  int32_t height, int32_t width, int32_t scale, uint8_t *buffer, int64_t capacity) {
  if (!size)
    return isc_fail(ISCP_ERROR_ARGUMENT, "size is NULL");
  *size = 0;
  isc_picture picture;
  ISC_TRY(draw(&picture, context, image, channels, height, width, scale));
  return encode_picture(size, &picture, context, buffer, capacity);
}

/* ---- Heat ---- */

iscp_status iscp_heat_overlay(float *dst, const float *map, const float *image, int32_t channels, int32_t height,
                              int32_t width, double opacity) {
  if (!dst || !map)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", dst ? "map" : "dst");
  ISC_TRY(check_form(image, channels, height, width));
  if (!(opacity >= 0 && opacity <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "opacity is %g, expected 0 to 1", opacity);
  int64_t pixels = (int64_t)height * width;
  float largest = 0;
  for (int64_t i = 0; i < pixels; i++)
    largest = map[i] > largest ? map[i] : largest;
  for (int64_t i = 0; i < pixels; i++) {
    uint32_t colour = isc_heat_colour(largest > 0 ? map[i] / largest : 0);
    for (int32_t c = 0; c < 3; c++) {
      float under = image[(channels == 3 ? c * pixels : 0) + i], over = (float)(colour >> (16 - 8 * c) & 255) / 255;
      dst[c * pixels + i] = under + (float)opacity * (over - under);
    }
  }
  return ISCP_OK;
}
