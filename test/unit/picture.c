/* lib/report: pictures, letters, the heat map's colours, patterns as PNG, and the sheet. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "report/report.h"
#include "support.h"

static uint32_t pixel(const isc_picture *picture, int32_t x, int32_t y) {
  const uint8_t *p = (const uint8_t *)picture->pixels.data + (y * picture->width + x) * 3;
  return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* A red, a black and a grey pixel on a canvas of 6 x 8, the three best of the mask. */
static iscp_pattern *make_pattern(iscp_context *context) {
  float mask[48] = {0}, canvas[3 * 48] = {0};
  mask[0] = mask[9] = mask[47] = 1;
  canvas[0] = 1;
  canvas[47] = canvas[48 + 47] = canvas[96 + 47] = 0xbd / 255.0f; /* a grey of the ground itself */
  iscp_pattern *pattern;
  ASSERT_OK(iscp_pattern_create(&pattern, context, mask, NULL, canvas, 3, 6, 8, 0, ISCP_CUT_GAMMA, 0.5,
                                ISCP_TIES_INDEX));
  return pattern;
}

START_TEST(boxes_are_clipped) {
  iscp_context *context = support_context();
  isc_picture picture;
  ASSERT_OK(isc_picture_create(&picture, context, 5, 4, 0x102030));
  isc_draw_fill(&picture, -2, -2, 4, 4, 0xff0000);
  isc_draw_fill(&picture, 4, 3, 100, 100, 0x00ff00);
  isc_draw_fill(&picture, 7, 9, 2, 2, 0x0000ff);
  isc_draw_fill(&picture, 0, 0, -3, 2, 0x0000ff);
  for (int32_t y = 0; y < 4; y++)
    for (int32_t x = 0; x < 5; x++)
      ck_assert_uint_eq(pixel(&picture, x, y), x < 2 && y < 2 ? 0xff0000 : x == 4 && y == 3 ? 0x00ff00 : 0x102030);
  isc_picture_release(&picture, context);
  support_context_end(context);
}
END_TEST

START_TEST(letters_are_all_there_and_distinct) {
  const uint8_t *unknown = isc_font_rows('?');
  for (int a = ' ' + 1; a <= '~'; a++) {
    int ink = 0;
    for (int row = 0; row < ISC_FONT_HEIGHT; row++) {
      ck_assert_int_lt(isc_font_rows((unsigned char)a)[row], 32);
      ink += isc_font_rows((unsigned char)a)[row];
    }
    ck_assert_msg(ink > 0, "'%c' has no ink", a);
    for (int b = ' '; b < a; b++)
      ck_assert_msg(memcmp(isc_font_rows((unsigned char)a), isc_font_rows((unsigned char)b), ISC_FONT_HEIGHT),
                    "'%c' looks like '%c'", a, b);
  }
  ck_assert_ptr_eq(isc_font_rows(0), unknown);
  ck_assert_ptr_eq(isc_font_rows(127), unknown);
  ck_assert_ptr_eq(isc_font_rows(255), unknown);
}
END_TEST

START_TEST(text_is_drawn_a_character_a_box) {
  iscp_context *context = support_context();
  isc_picture picture, same;
  ASSERT_OK(isc_picture_create(&picture, context, 40, 20, 0xffffff));
  ASSERT_OK(isc_picture_create(&same, context, 40, 20, 0xffffff));
  isc_draw_text(&picture, 1, 1, 2, 0x000000, "l\xc3\xa9.");
  isc_draw_text(&same, 1, 1, 2, 0x000000, "l?.");
  ck_assert_mem_eq(picture.pixels.data, same.pixels.data, 40 * 20 * 3);
  ck_assert_uint_eq(pixel(&picture, 1 + 2 * 2, 1), 0x000000); /* the stem of the l */
  ck_assert_uint_eq(pixel(&picture, 1, 1), 0xffffff);
  isc_draw_text(&picture, -100, -100, 3, 0x000000, "outside");
  isc_draw_text(&picture, 39, 19, 3, 0x000000, "at the edge");
  isc_picture_release(&picture, context);
  isc_picture_release(&same, context);
  support_context_end(context);
}
END_TEST

static double luminance(uint32_t colour) {
  return 0.2126 * (colour >> 16) + 0.7152 * (colour >> 8 & 255) + 0.0722 * (colour & 255);
}

START_TEST(the_heat_map_brightens) {
  ck_assert_uint_eq(isc_heat_colour(0), 0x000004);
  ck_assert_uint_eq(isc_heat_colour(1), 0xfcffa4);
  ck_assert_uint_eq(isc_heat_colour(-1), isc_heat_colour(0));
  ck_assert_uint_eq(isc_heat_colour(7), isc_heat_colour(1));
  ck_assert_uint_eq(isc_heat_colour(0.0f / 0.0f), isc_heat_colour(0));
  for (int i = 1; i <= 50; i++)
    ck_assert(luminance(isc_heat_colour((float)i / 50)) > luminance(isc_heat_colour((float)(i - 1) / 50)));
}
END_TEST

START_TEST(images_are_scaled_without_smoothing) {
  static const float grey[4] = {0, 1, 0.5f, 2}, map[4] = {0, 1, 1, 0};
  static const float colour[12] = {1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1};
  static const uint32_t greys[4] = {0x000000, 0xffffff, 0x808080, 0xffffff};
  static const uint32_t colours[4] = {0xff0000, 0x00ff00, 0x0000ff, 0xffffff};
  iscp_context *context = support_context();
  isc_picture picture;
  ASSERT_OK(isc_picture_create(&picture, context, 20, 8, 0x123456));
  isc_draw_image(&picture, 1, 1, 3, grey, 1, 2, 2);
  isc_draw_image(&picture, 7, 1, 3, colour, 3, 2, 2);
  isc_draw_heat(&picture, 13, 1, 3, map, 2, 2);
  for (int32_t y = 0; y < 6; y++)
    for (int32_t x = 0; x < 6; x++) {
      int32_t i = y / 3 * 2 + x / 3;
      ck_assert_uint_eq(pixel(&picture, 1 + x, 1 + y), greys[i]);
      ck_assert_uint_eq(pixel(&picture, 7 + x, 1 + y), colours[i]);
      ck_assert_uint_eq(pixel(&picture, 13 + x, 1 + y), isc_heat_colour(map[i]));
    }
  ck_assert_uint_eq(pixel(&picture, 0, 0), 0x123456);
  ck_assert_uint_eq(pixel(&picture, 19, 7), 0x123456);
  isc_picture_release(&picture, context);
  support_context_end(context);
}
END_TEST

START_TEST(scales_give_pictures_of_one_size) {
  for (int32_t side = 8; side <= 224; side++) {
    int32_t scale = isc_picture_scale(side / 2, side);
    ck_assert_msg(side * scale >= 112 && side * scale <= 224, "%d at scale %d", side, scale);
  }
  ck_assert_int_eq(isc_picture_scale(4096, 4096), 1);
}
END_TEST

/* Is the box of one image pixel plain, of one colour? */
static int is_plain(const isc_picture *picture, int32_t column, int32_t row, int32_t scale) {
  for (int32_t i = 0; i < scale * scale; i++)
    if (pixel(picture, column * scale + i % scale, row * scale + i / scale) !=
        pixel(picture, column * scale, row * scale))
      return 0;
  return 1;
}

START_TEST(every_pixel_of_a_pattern_shows) {
  iscp_context *context = support_context();
  iscp_pattern *pattern = make_pattern(context);
  for (int32_t scale = 4; scale <= 9; scale++) {
    isc_picture picture;
    ASSERT_OK(isc_pattern_picture(&picture, pattern, scale));
    ck_assert(picture.width == 8 * scale && picture.height == 6 * scale);
    for (int32_t i = 0; i < 48; i++)
      ck_assert_int_eq(is_plain(&picture, i % 8, i / 8, scale), i == 0 || i == 9 || i == 47);
    ck_assert_uint_eq(pixel(&picture, 0, 0), 0xff0000);
    ck_assert_uint_eq(pixel(&picture, scale, scale), 0x000000);
    isc_picture_release(&picture, context);
  }
  isc_picture picture;
  ASSERT_OK(isc_pattern_picture(&picture, pattern, 1));
  ck_assert(picture.width == 8 && pixel(&picture, 1, 1) == 0x000000);
  isc_picture_release(&picture, context);
  iscp_pattern_destroy(pattern);
  support_context_end(context);
}
END_TEST

START_TEST(patterns_are_written_and_encoded_alike) {
  iscp_context *context = support_context();
  iscp_pattern *pattern = make_pattern(context);
  const char *path = support_path("pattern.png");
  ASSERT_OK(iscp_pattern_write_png(pattern, path, 4));
  isc_tensor image;
  ASSERT_OK(isc_read_image(&image, context, path));
  ck_assert(image.shape[0] == 24 && image.shape[1] == 32 && image.shape[2] == 3);
  isc_tensor_release(&image, context);
  uint8_t *file, buffer[4096] = {0};
  size_t file_size;
  int64_t size;
  ASSERT_OK(isc_file_read(&file, &file_size, context, path, sizeof buffer));
  ASSERT_OK(iscp_pattern_encode_png(&size, pattern, 4, NULL, 0));
  ck_assert_int_eq(size, (int64_t)file_size);
  ASSERT_OK(iscp_pattern_encode_png(&size, pattern, 4, buffer, size - 1));
  ck_assert_int_eq(buffer[0], 0); /* too small: nothing is written */
  ASSERT_OK(iscp_pattern_encode_png(&size, pattern, 4, buffer, sizeof buffer));
  ck_assert_mem_eq(buffer, file, file_size);
  isc_free(context, file);
  support_failed(iscp_pattern_write_png(pattern, path, 65), ISCP_ERROR_ARGUMENT, "65");
  support_failed(iscp_pattern_write_png(pattern, support_path("no/folder.png"), 1), ISCP_ERROR_IO, "folder.png");
  support_failed(iscp_pattern_write_png(pattern, NULL, 1), ISCP_ERROR_ARGUMENT, "path");
  support_failed(iscp_pattern_encode_png(NULL, pattern, 1, NULL, 0), ISCP_ERROR_ARGUMENT, "size");
  support_failed(iscp_pattern_encode_png(&size, NULL, 1, NULL, 0), ISCP_ERROR_ARGUMENT, "NULL");
  iscp_pattern_destroy(pattern);
  support_context_end(context);
}
END_TEST

/* ---- The sheet ---- */

static isc_sheet make_sheet(const iscp_context *context, const isc_result *result, const char *folder) {
  return (isc_sheet){.context = context,
                     .folder = folder,
                     .result = result,
                     .title = "a title that is much longer than the sheet is wide and has to be cut somewhere before "
                              "its end, or else it would leave the picture",
                     .height = 12,
                     .width = 12,
                     .scale = 12,
                     .ties = ISCP_TIES_EVIDENCE,
                     .picture_size = 0.05};
}

static int64_t height_of(iscp_context *context, const char *path) {
  isc_tensor image;
  ASSERT_OK(isc_read_image(&image, context, path));
  int64_t height = image.shape[0];
  isc_tensor_release(&image, context);
  return height;
}

START_TEST(a_long_sheet_has_pages) {
  iscp_context *context = support_context();
  char folder[512];
  snprintf(folder, sizeof folder, "%s", support_path("pages"));
  ASSERT_OK(isc_make_directory(folder));
  isc_result result = {0};
  for (int32_t y = 0; y < 60; y++)
    ASSERT_OK(isc_result_insert(&result, context, 10 * y, NULL, 0));
  isc_sheet sheet = make_sheet(context, &result, folder);
  ASSERT_OK(isc_sheet_write(&sheet, 595)); /* the last page only */
  struct stat found;
  ck_assert_int_ne(stat(support_path("pages/sheet.png"), &found), 0);
  ASSERT_OK(isc_sheet_write(&sheet, 0));
  int64_t first = height_of(context, support_path("pages/sheet.png"));
  int64_t second = height_of(context, support_path("pages/sheet-2.png"));
  ck_assert_int_eq((first - second) % 40, 0); /* 50 rows and 10 */
  ck_assert_int_ne(stat(support_path("pages/sheet-3.png"), &found), 0);
  isc_result_release(&result, context);
  support_context_end(context);
}
END_TEST

static void write_array(iscp_context *context, const char *path, isc_dtype dtype, int32_t dims, int64_t side,
                        const void *data) {
  isc_tensor array = {.dtype = dtype, .dims = dims, .shape = {dims == 3 ? 1 : side, side, side}, .data = (void *)data};
  ASSERT_OK(isc_write_npy(&array, context, path));
}

START_TEST(a_sheet_shows_the_arrays_on_disk) {
  float mask[144], canvas[144];
  int32_t evidence[144] = {0};
  iscp_context *context = support_context();
  char folder[512];
  snprintf(folder, sizeof folder, "%s", support_path("one"));
  ASSERT_OK(isc_make_directory(folder));
  support_fill(mask, 144, 0, 1, 3);
  support_fill(canvas, 144, 0, 1, 4);
  write_array(context, support_path("one/m.npy"), ISC_F32, 2, 12, mask);
  write_array(context, support_path("one/e.npy"), ISC_I32, 2, 12, evidence);
  write_array(context, support_path("one/c.npy"), ISC_F32, 3, 12, canvas);
  isc_entry entry = {.canvas = {.kind = ISCP_CANVAS_WHITE, .image = -1, .selected = 1},
                     .mask = isc_strdup(context, "m.npy"),
                     .evidence = isc_strdup(context, "e.npy"),
                     .colours = isc_strdup(context, "c.npy")};
  isc_result result = {0};
  ASSERT_OK(isc_result_insert(&result, context, 0, &entry, 1));
  isc_sheet sheet = make_sheet(context, &result, folder);
  for (long allowed = 0;; allowed++) { /* memory may end anywhere */
    support_fail_after(allowed);
    iscp_status status = isc_sheet_write(&sheet, 0);
    if (status == ISCP_OK)
      break;
    ck_assert_msg(status == ISCP_ERROR_MEMORY, "%s", iscp_error_message());
  }
  support_fail_after(-1);
  isc_tensor image;
  ASSERT_OK(isc_read_image(&image, context, support_path("one/sheet.png")));
  isc_picture picture = {image, (int32_t)image.shape[1], (int32_t)image.shape[0]};
  int32_t right = picture.width - 20 - 2 * (144 + 20) - 1; /* last column of the canvas, last but two of the row */
  int32_t bottom = picture.height - 20 - 1;
  uint32_t last = (uint32_t)(canvas[143] * 255 + 0.5f);
  ck_assert_uint_eq(pixel(&picture, right, bottom), last << 16 | last << 8 | last);
  ck_assert_uint_eq(pixel(&picture, right + 164, bottom), isc_heat_colour(mask[143]));
  isc_tensor_release(&image, context);
  sheet.width = 11;
  support_failed(isc_sheet_write(&sheet, 0), ISCP_ERROR_MISMATCH, "m.npy");
  isc_result_release(&result, context);
  support_context_end(context);
}
END_TEST

/* ---- Images and heat ---- */

START_TEST(images_are_written_and_encoded_alike) {
  iscp_context *context = support_context();
  static const float image[3 * 2] = {0, 1, 0.5f, 0, 2, -1}; /* what is beyond [0,1] is held to it */
  const char *path = support_path("image.png");
  static uint8_t buffer[4096];
  int64_t size = 0;
  ASSERT_OK(iscp_image_write_png(context, image, 3, 1, 2, path, 2));
  ASSERT_OK(iscp_image_encode_png(&size, context, image, 3, 1, 2, 2, NULL, 0));
  ASSERT_OK(iscp_image_encode_png(&size, context, image, 3, 1, 2, 2, buffer, sizeof buffer));
  uint8_t *bytes;
  size_t written;
  ASSERT_OK(isc_file_read(&bytes, &written, context, path, sizeof buffer));
  ck_assert_int_eq((int64_t)written, size);
  ck_assert_mem_eq(bytes, buffer, written);
  isc_free(context, bytes);
  isc_tensor read;
  ASSERT_OK(isc_read_image(&read, context, path));
  ck_assert(read.shape[0] == 2 && read.shape[1] == 4 && read.shape[2] == 3);
  static const uint8_t row[] = {0, 128, 255, 0, 128, 255, 255, 0, 0, 255, 0, 0};
  ck_assert_mem_eq(read.data, row, sizeof row);
  isc_tensor_release(&read, context);
  support_failed(iscp_image_write_png(NULL, image, 3, 1, 2, path, 2), ISCP_ERROR_ARGUMENT, "context");
  support_failed(iscp_image_write_png(context, NULL, 3, 1, 2, path, 2), ISCP_ERROR_ARGUMENT, "image");
  support_failed(iscp_image_write_png(context, image, 3, 1, 2, NULL, 2), ISCP_ERROR_ARGUMENT, "path");
  support_failed(iscp_image_write_png(context, image, 2, 1, 2, path, 2), ISCP_ERROR_ARGUMENT, "channels is 2");
  support_failed(iscp_image_write_png(context, image, 3, 0, 2, path, 2), ISCP_ERROR_ARGUMENT, "0x2");
  support_failed(iscp_image_write_png(context, image, 3, 1, 2, path, 65), ISCP_ERROR_ARGUMENT, "scale is 65");
  static float large[1024 * 512];
  support_failed(iscp_image_write_png(context, large, 1, 1024, 512, path, 23), ISCP_ERROR_ARGUMENT,
                 "scale is 23, which makes a picture of 277348352 pixels, expected at most 268435456");
  support_failed(iscp_image_encode_png(NULL, context, image, 3, 1, 2, 2, NULL, 0), ISCP_ERROR_ARGUMENT, "size");
  support_context_end(context);
}
END_TEST

START_TEST(heat_lies_over_an_image) {
  static const float map[] = {0, 2, 4}, grey[] = {0.5f, 0.25f, 1}, none[] = {0, 0, 0};
  float dst[9];
  uint32_t colours[] = {isc_heat_colour(0), isc_heat_colour(0.5f), isc_heat_colour(1)};
  for (int turn = 0; turn < 3; turn++) {
    float opacity = (float)turn / 2;
    ASSERT_OK(iscp_heat_overlay(dst, map, grey, 1, 1, 3, opacity));
    for (int i = 0; i < 9; i++) {
      float heat = (float)(colours[i % 3] >> (16 - 8 * (i / 3)) & 255) / 255;
      ck_assert_float_eq_tol(dst[i], (1 - opacity) * grey[i % 3] + opacity * heat, 1e-6f); /* two roundings */
    }
  }
  ASSERT_OK(iscp_heat_overlay(dst, none, grey, 1, 1, 3, 1));
  for (int i = 0; i < 9; i++)
    ck_assert_float_eq_tol(dst[i], (float)(colours[0] >> (16 - 8 * (i / 3)) & 255) / 255, 1e-6f);
  support_failed(iscp_heat_overlay(NULL, map, grey, 1, 1, 3, 1), ISCP_ERROR_ARGUMENT, "dst");
  support_failed(iscp_heat_overlay(dst, NULL, grey, 1, 1, 3, 1), ISCP_ERROR_ARGUMENT, "map");
  support_failed(iscp_heat_overlay(dst, map, grey, 1, 1, 3, 1.5), ISCP_ERROR_ARGUMENT, "opacity is 1.5");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("picture");
  TCase *draw = tcase_create("draw"), *sheet = tcase_create("sheet");
  tcase_add_test(draw, boxes_are_clipped);
  tcase_add_test(draw, letters_are_all_there_and_distinct);
  tcase_add_test(draw, text_is_drawn_a_character_a_box);
  tcase_add_test(draw, the_heat_map_brightens);
  tcase_add_test(draw, images_are_scaled_without_smoothing);
  tcase_add_test(draw, scales_give_pictures_of_one_size);
  tcase_add_test(draw, every_pixel_of_a_pattern_shows);
  tcase_add_test(draw, patterns_are_written_and_encoded_alike);
  tcase_add_test(draw, images_are_written_and_encoded_alike);
  tcase_add_test(draw, heat_lies_over_an_image);
  tcase_add_test(sheet, a_long_sheet_has_pages);
  tcase_add_test(sheet, a_sheet_shows_the_arrays_on_disk);
  suite_add_tcase(suite, draw);
  suite_add_tcase(suite, sheet);
  return support_run(suite);
}
