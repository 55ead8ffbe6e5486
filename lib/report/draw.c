/* Drawing into an R, G, B picture of u8: filled boxes, images, heat maps and patterns, enlarged by whole factors
 * without smoothing, since every pixel counts. */
#include <string.h>

#include "report/report.h"

enum { LIGHT = 0xd9d9d9, DARK = 0xbdbdbd }; /* the chequered ground */

iscp_status isc_picture_create(isc_picture *picture, const iscp_context *context, int32_t width, int32_t height,
                               uint32_t colour) {
  memset(picture, 0, sizeof *picture);
  ISC_TRY(isc_tensor_create(&picture->pixels, context, ISC_U8, 3, (int64_t[]){height, width, 3}));
  picture->width = width;
  picture->height = height;
  isc_draw_fill(picture, 0, 0, width, height, colour);
  return ISCP_OK;
}

void isc_picture_release(isc_picture *picture, const iscp_context *context) {
  isc_tensor_release(&picture->pixels, context);
  memset(picture, 0, sizeof *picture);
}

void isc_draw_fill(isc_picture *picture, int32_t x, int32_t y, int32_t width, int32_t height, uint32_t colour) {
  int32_t left = x < 0 ? 0 : x, right = x + width < picture->width ? x + width : picture->width;
  int32_t top = y < 0 ? 0 : y, bottom = y + height < picture->height ? y + height : picture->height;
  for (int32_t row = top; row < bottom; row++) {
    uint8_t *pixel = (uint8_t *)picture->pixels.data + ((size_t)row * (size_t)picture->width + (size_t)left) * 3;
    for (int32_t column = left; column < right; column++, pixel += 3) {
      pixel[0] = (uint8_t)(colour >> 16);
      pixel[1] = (uint8_t)(colour >> 8);
      pixel[2] = (uint8_t)colour;
    }
  }
}

/* NaN becomes 0. */
static uint32_t to_byte(float value) { return value > 0 ? value < 1 ? (uint32_t)(value * 255 + 0.5f) : 255 : 0; }

static uint32_t to_colour(float red, float green, float blue) {
  return to_byte(red) << 16 | to_byte(green) << 8 | to_byte(blue);
}

void isc_draw_image(isc_picture *picture, int32_t x, int32_t y, int32_t scale, const float *image, int32_t channels,
                    int32_t height, int32_t width) {
  size_t plane = channels == 3 ? (size_t)height * (size_t)width : 0; /* 0: one grey plane serves all three */
  for (int32_t row = 0; row < height; row++)
    for (int32_t column = 0; column < width; column++) {
      const float *value = image + (size_t)row * (size_t)width + column;
      isc_draw_fill(picture, x + column * scale, y + row * scale, scale, scale,
                    to_colour(value[0], value[plane], value[2 * plane]));
    }
}

/* Nine colours of "inferno" (matplotlib, CC0), evenly spaced; between them linear. */
uint32_t isc_heat_colour(float value) {
  static const uint32_t stops[] = {0x000004, 0x210c4a, 0x57106e, 0x8a226a, 0xbc3754,
                                   0xe45a31, 0xf98e09, 0xf9cb35, 0xfcffa4};
  enum { LAST = sizeof stops / sizeof *stops - 1 };
  float place = value > 0 ? value < 1 ? value * LAST : LAST : 0;
  int32_t stop = place < LAST ? (int32_t)place : LAST - 1;
  float share = place - (float)stop;
  float mixed[3];
  for (int c = 0; c < 3; c++) {
    float low = (float)(stops[stop] >> (16 - 8 * c) & 255), high = (float)(stops[stop + 1] >> (16 - 8 * c) & 255);
    mixed[c] = (low + (high - low) * share) / 255;
  }
  return to_colour(mixed[0], mixed[1], mixed[2]);
}

void isc_draw_heat(isc_picture *picture, int32_t x, int32_t y, int32_t scale, const float *map, int32_t height,
                   int32_t width) {
  for (int32_t row = 0; row < height; row++)
    for (int32_t column = 0; column < width; column++)
      isc_draw_fill(picture, x + column * scale, y + row * scale, scale, scale,
                    isc_heat_colour(map[(size_t)row * (size_t)width + column]));
}

/* Two by two checks an image pixel, so that a grey pixel of the pattern is seen as plain; where that is too fine for
 * the eye, checks of four picture pixels. */
static void draw_ground(isc_picture *picture, int32_t x, int32_t y, int32_t scale, int32_t height, int32_t width) {
  int32_t fine = scale >= 4;
  for (int32_t row = 0; row < height * scale; row++)
    for (int32_t column = 0; column < width * scale; column++) {
      int32_t check = fine ? row * 2 / scale + column * 2 / scale : row / 4 + column / 4;
      isc_draw_fill(picture, x + column, y + row, 1, 1, check & 1 ? DARK : LIGHT);
    }
}

/* An added pattern is shown amplified, so that its largest value is white or black: grey + v / (2 max |v|). */
static float strength_of(const float *values, int64_t count) {
  float largest = 0;
  for (int64_t i = 0; i < count; i++)
    largest = values[i] > largest ? values[i] : -values[i] > largest ? -values[i] : largest;
  return largest > 0 ? 0.5f / largest : 0;
}

void isc_draw_pattern(isc_picture *picture, int32_t x, int32_t y, int32_t scale, const iscp_pattern *pattern,
                      const iscp_pattern_info *info) {
  draw_ground(picture, x, y, scale, info->height, info->width);
  const int32_t *positions = iscp_pattern_positions(pattern);
  const float *value = iscp_pattern_values(pattern);
  int32_t green = info->channels == 3 ? 1 : 0, blue = 2 * green;
  float base = info->kind == ISCP_PATTERN_ADD ? 0.5f : 0;
  float factor = base > 0 ? strength_of(value, (int64_t)info->pixels * info->channels) : 1;
  for (int32_t rank = 0; rank < info->pixels; rank++, value += info->channels) {
    int32_t column = positions[rank] % info->width, row = positions[rank] / info->width;
    isc_draw_fill(picture, x + column * scale, y + row * scale, scale, scale,
                  to_colour(base + factor * value[0], base + factor * value[green], base + factor * value[blue]));
  }
}

int32_t isc_picture_scale(int32_t height, int32_t width) {
  int32_t longest = height > width ? height : width;
  int32_t scale = (2 * 168 + longest) / (2 * longest);
  return scale > 1 ? scale < 64 ? scale : 64 : 1;
}
