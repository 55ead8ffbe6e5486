/* Patterns side by side in one picture. */
#include <stdlib.h>
#include <string.h>

#include "page/strip.h"

/* Picture pixels of a small image's longer side, and the largest scale that iscp_image_write_png takes. */
enum { READABLE = 112, MOST_SCALE = 64 };

static const float ground = 0.75f, between = 1;

struct strip {
  int rows, columns;
  int32_t channels, height, width; /* of one pattern */
  float *pixels;                   /* channels x whole height x whole width */
};

static size_t whole_height(const strip *s) { return (size_t)s->rows * ((size_t)s->height + 1) - 1; }
static size_t whole_width(const strip *s) { return (size_t)s->columns * ((size_t)s->width + 1) - 1; }

strip *strip_new(int rows, int columns, const iscp_contract *form) {
  strip *s = take(sizeof *s);
  *s = (strip){rows, columns, form->channels, form->height, form->width, NULL};
  size_t numbers = (size_t)s->channels * whole_height(s) * whole_width(s);
  s->pixels = take(numbers * sizeof *s->pixels);
  for (size_t i = 0; i < numbers; i++)
    s->pixels[i] = between;
  return s;
}

void strip_free(strip *s) {
  if (s)
    free(s->pixels);
  free(s);
}

void strip_put_image(strip *s, int row, int column, const float *image) {
  size_t width = (size_t)s->width, rows = (size_t)s->channels * (size_t)s->height;
  for (size_t i = 0; i < rows; i++) {
    size_t channel = i / (size_t)s->height, y = (size_t)row * ((size_t)s->height + 1) + i % (size_t)s->height;
    float *to = s->pixels + (channel * whole_height(s) + y) * whole_width(s) + (size_t)column * (width + 1);
    memcpy(to, image + i * width, width * sizeof *to);
  }
}

iscp_status strip_put(strip *s, int row, int column, const iscp_pattern *pattern) {
  size_t width = (size_t)s->width, rows = (size_t)s->channels * (size_t)s->height;
  float *image = take(rows * width * sizeof *image);
  for (size_t i = 0; i < rows * width; i++)
    image[i] = ground;
  iscp_status status = iscp_pattern_attach(pattern, image);
  if (status == ISCP_OK)
    strip_put_image(s, row, column, image);
  free(image);
  return status;
}

/* By the size of one image; the library would go by the whole strip's. */
static int32_t chosen_scale(const strip *s) {
  int32_t longest = s->height > s->width ? s->height : s->width;
  int32_t scale = longest < READABLE ? READABLE / longest : 1;
  return scale < MOST_SCALE ? scale : MOST_SCALE;
}

iscp_status strip_write(const strip *s, iscp_context *context, const char *path, int32_t scale) {
  if (!scale)
    scale = chosen_scale(s);
  return iscp_image_write_png(context, s->pixels, s->channels, (int32_t)whole_height(s), (int32_t)whole_width(s), path, scale);
}
