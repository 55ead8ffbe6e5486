/* lib/data: what an input contract does to pictures. Against Pillow's bytes it is held in test/formats. */
#include <math.h>
#include <string.h>

#include "data/picture/picture.h"
#include "format/format.h"
#include "support.h"

static iscp_contract contract_of(int32_t channels, int32_t height, int32_t width) {
  iscp_contract contract;
  ASSERT_OK(iscp_contract_init(&contract, sizeof contract));
  contract.channels = channels;
  contract.height = height;
  contract.width = width;
  return contract;
}

/* ---- Pictures ---- */

/* A picture of bytes, height x width x channels, through the contract. */
static void apply(float *image, const iscp_contract *contract, const uint8_t *pixels, int64_t height, int64_t width,
                  int64_t channels) {
  iscp_context *context = support_context();
  isc_tensor array = {.dtype = ISC_U8, .dims = 3, .shape = {height, width, channels}, .data = (void *)pixels};
  isc_picture picture;
  ASSERT_OK(isc_picture_describe(&picture, &array, 0));
  ASSERT_OK(isc_picture_convert(image, context, contract, &picture));
  support_context_end(context);
}

START_TEST(grey_is_copied_and_padded) {
  /* 5 x 5 in 8 x 8: one row above, two below, three columns at the right. */
  iscp_contract contract = contract_of(3, 8, 8);
  contract.pad_top = 1;
  contract.pad_bottom = 2;
  contract.pad_right = 3;
  uint8_t pixels[25];
  for (int i = 0; i < 25; i++)
    pixels[i] = (uint8_t)(i * 10 + 7);
  pixels[0] = 51;
  pixels[24] = 255;
  float image[3 * 64];
  support_fill(image, 3 * 64, -5, 5, 1);
  apply(image, &contract, pixels, 5, 5, 1);
  for (int c = 0; c < 3; c++)
    for (int y = 0; y < 8; y++)
      for (int x = 0; x < 8; x++) {
        int inside = y >= 1 && y < 6 && x < 5;
        float expected = inside ? (float)pixels[(y - 1) * 5 + x] / 255 : 0;
        ck_assert(image[c * 64 + y * 8 + x] == expected);
      }
  ck_assert(image[8] == 0.2f);
  ck_assert(image[2 * 64 + 5 * 8 + 4] == 1.0f);
}
END_TEST

START_TEST(colour_goes_to_planes) {
  iscp_contract contract = contract_of(3, 8, 9);
  uint8_t pixels[8 * 9 * 3];
  for (int i = 0; i < 8 * 9 * 3; i++)
    pixels[i] = (uint8_t)(i + 3);
  float image[8 * 9 * 3];
  apply(image, &contract, pixels, 8, 9, 3);
  for (int i = 0; i < 72; i++)
    for (int c = 0; c < 3; c++)
      ck_assert(image[c * 72 + i] == (float)(i * 3 + c + 3) / 255);
}
END_TEST

START_TEST(pictures_that_do_not_fit) {
  iscp_contract contract = contract_of(1, 32, 32);
  support_failed(isc_contract_check(&contract, 32, 32, 3), ISCP_ERROR_MISMATCH, "colour");
  support_failed(isc_contract_check(&contract, 32, 32, 4), ISCP_ERROR_MISMATCH, "4 channels");
  support_failed(isc_contract_check(&contract, 28, 28, 1), ISCP_ERROR_MISMATCH, "28x28");
  support_failed(isc_contract_check(&contract, 28, 28, 1), ISCP_ERROR_MISMATCH, "32x32");
  support_failed(isc_contract_check(&contract, 28, 29, 1), ISCP_ERROR_MISMATCH, "2,2,1,2");
  support_failed(isc_contract_check(&contract, 33, 28, 1), ISCP_ERROR_MISMATCH, "pictures are resized");
  contract.pad_top = 4;
  support_failed(isc_contract_check(&contract, 32, 32, 1), ISCP_ERROR_MISMATCH, "expected 28x32");
  ASSERT_OK(isc_contract_check(&contract, 28, 32, 1));
}
END_TEST

/* torchvision's crop of 8 x 9 from pictures of every size around it: where it begins, and the zeros around smaller ones. The
 * pixel at row y, column x is 16 y + x + 1. */
static void check_crop(int height, int width, int rule, int top, int left) {
  iscp_contract contract = contract_of(1, 8, 9);
  uint8_t pixels[15 * 15];
  float image[8 * 9];
  contract.crop_height = 8;
  contract.crop_width = 9;
  contract.crop_rule = rule;
  for (int i = 0; i < height * width; i++)
    pixels[i] = (uint8_t)(i / width * 16 + i % width + 1);
  apply(image, &contract, pixels, height, width, 1);
  for (int y = 0; y < 8; y++)
    for (int x = 0; x < 9; x++) {
      int row = y + top, column = x + left, inside = row >= 0 && row < height && column >= 0 && column < width;
      ck_assert_msg(image[y * 9 + x] == (inside ? (float)(row * 16 + column + 1) / 255 : 0), "%dx%d, rule %d: %d, %d",
                    height, width, rule, y, x);
    }
}

START_TEST(crops_begin_where_others_begin_them) {
  /* By rows or columns left over: round(rest / 2.0) with halves to even, and rest // 2; -(missing // 2), and half of it up. */
  static const int even[] = {[1] = 0, 1, 2, 2, 2}, floor_[] = {[1] = 0, 1, 1, 2, 2};
  static const int short_even[] = {[1] = 0, 1, 1, 2, 2}, short_floor[] = {[1] = 1, 1, 2, 2, 3};
  check_crop(8, 9, ISCP_CROP_EVEN, 0, 0);
  for (int n = 1; n <= 5; n++) {
    check_crop(8 + n, 9, ISCP_CROP_EVEN, even[n], 0);
    check_crop(8 + n, 9 + n, ISCP_CROP_FLOOR, floor_[n], floor_[n]);
    check_crop(8 - n, 9, ISCP_CROP_EVEN, -short_even[n], 0);
    check_crop(8 - n, 9 + n, ISCP_CROP_FLOOR, -short_floor[n], floor_[n]);
    check_crop(8 + n, 9 - n, ISCP_CROP_EVEN, even[n], -short_even[n]);
  }
}
END_TEST

START_TEST(sizes_that_a_contract_takes) {
  iscp_contract c = contract_of(3, 32, 48);
  c.resize_short = 32;
  ASSERT_OK(isc_contract_check(&c, 32, 48, 3));
  ASSERT_OK(isc_contract_check(&c, 64, 97, 3)); /* int(32 * 97 / 64) is 48 */
  support_failed(isc_contract_check(&c, 64, 98, 3), ISCP_ERROR_MISMATCH, "64x98 becomes 32x49 by a short side of 32");
  support_failed(isc_contract_check(&c, 0, 98, 3), ISCP_ERROR_MISMATCH, "0x98");
  c.crop_height = 32;
  c.crop_width = 48;
  ASSERT_OK(isc_contract_check(&c, 1, 1, 3));
  ASSERT_OK(isc_contract_check(&c, 5000, 3, 1));
  c.resize_short = 0;
  ASSERT_OK(isc_contract_check(&c, 5000, 3, 1)); /* the crop alone */
  c.crop_height = c.crop_width = 0;
  c.resize_height = 32;
  c.resize_width = 48;
  ASSERT_OK(isc_contract_check(&c, 5000, 3, 1));
}
END_TEST

/* A plane a channel or pixels side by side, and a constant picture, which every filter keeps. */
START_TEST(resizing_does_not_depend_on_the_layout) {
  enum { H = 11, W = 7 };
  iscp_context *context = support_context();
  iscp_contract c = contract_of(3, 8, 12);
  c.resize_height = 8;
  c.resize_width = 12;
  uint8_t planes[3 * H * W], mixed[3 * H * W];
  float images[2][3 * 8 * 12];
  for (int filter = 0; filter < 2; filter++) {
    for (int i = 0; i < 3 * H * W; i++)
      planes[i] = mixed[i % (H * W) * 3 + i / (H * W)] = (uint8_t)(i * i * 31 % 256);
    isc_picture as_planes = {planes, ISC_U8, H, W, 3, W, 1, H * W}, as_pixels = {mixed, ISC_U8, H, W, 3, 3 * W, 3, 1};
    c.filter = filter;
    ASSERT_OK(isc_picture_convert(images[0], context, &c, &as_planes));
    ASSERT_OK(isc_picture_convert(images[1], context, &c, &as_pixels));
    ck_assert_mem_eq(images[0], images[1], sizeof images[0]);
    memset(mixed, 77, sizeof mixed);
    ASSERT_OK(isc_picture_convert(images[1], context, &c, &as_pixels));
    for (int i = 0; i < 3 * 8 * 12; i++)
      ck_assert(images[1][i] == 77.0f / 255);
  }
  support_context_end(context);
}
END_TEST

/* What the loader keeps is the numbers: grey to colour, pads, a crop and both filters. Pictures of numbers are no bytes. */
START_TEST(bytes_are_those_of_the_numbers) {
  enum { H = 21, W = 17, NUMBERS = 3 * 16 * 16 };
  iscp_context *context = support_context();
  iscp_contract c = contract_of(3, 16, 16);
  c.crop_height = 13;
  c.crop_width = 12;
  c.pad_top = 1;
  c.pad_bottom = 2;
  c.pad_left = c.pad_right = 2;
  uint8_t pixels[3 * H * W], bytes[NUMBERS];
  float image[NUMBERS], numbers[H * W] = {0};
  for (int i = 0; i < 3 * H * W; i++)
    pixels[i] = (uint8_t)(i * i * 31 % 256);
  for (int channels = 1; channels <= 3; channels += 2)
    for (int resized = 0; resized < 3; resized++) {
      isc_picture picture = {pixels, ISC_U8, H, W, channels, channels * W, channels, 1};
      c.resize_short = resized ? 14 : 0;
      c.filter = resized == 2 ? ISCP_FILTER_BICUBIC : ISCP_FILTER_BILINEAR;
      memset(bytes, 0xaa, sizeof bytes);
      ASSERT_OK(isc_picture_convert(image, context, &c, &picture));
      ASSERT_OK(isc_picture_pack(bytes, context, &c, &picture));
      for (int i = 0; i < NUMBERS; i++)
        ck_assert((float)bytes[i] / 255.0f == image[i]);
    }
  isc_picture of_numbers = {numbers, ISC_F32, H, W, 1, W, 1, 1};
  support_failed(isc_picture_pack(bytes, context, &c, &of_numbers), ISCP_ERROR_UNSUPPORTED, "a picture of float32, expected uint8");
  support_context_end(context);
}
END_TEST

/* A strip of 200,000 pixels takes the memory of its own size, not that of a picture as high as it is wide; one pixel becomes any
 * size. */
START_TEST(extreme_pictures_are_resized) {
  iscp_context *context = support_context();
  iscp_contract c = contract_of(3, 16, 16);
  c.resize_height = c.resize_width = c.crop_height = c.crop_width = 16;
  uint8_t *strip = isc_calloc(context, 200000, 1), pixel = 200;
  float image[3 * 256];
  memset(strip, 9, 200000);
  for (int filter = 0; filter < 2; filter++) {
    isc_picture wide = {strip, ISC_U8, 1, 200000, 1, 200000, 1, 1}, high = {strip, ISC_U8, 200000, 1, 1, 1, 1, 1};
    isc_picture one = {&pixel, ISC_U8, 1, 1, 1, 1, 1, 1};
    c.filter = filter;
    ASSERT_OK(isc_picture_convert(image, context, &c, &wide));
    ck_assert(image[0] == 9.0f / 255 && image[255] == 9.0f / 255);
    ASSERT_OK(isc_picture_convert(image, context, &c, &high));
    ck_assert(image[0] == 9.0f / 255 && image[255] == 9.0f / 255);
    ASSERT_OK(isc_picture_convert(image, context, &c, &one));
    ck_assert(image[0] == 200.0f / 255 && image[3 * 256 - 1] == 200.0f / 255);
    c.resize_short = 4096; /* the long side is 4096 * 200000: only what the crop keeps is computed */
    c.resize_height = c.resize_width = 0;
    ASSERT_OK(isc_picture_convert(image, context, &c, &wide));
    ck_assert(image[128] == 9.0f / 255);
    c.resize_short = 0;
    c.resize_height = c.resize_width = 16;
  }
  isc_free(context, strip);
  support_context_end(context);
}
END_TEST

START_TEST(resizing_survives_each_failing_allocation) {
  iscp_context *context = support_context();
  iscp_contract c = contract_of(3, 8, 8);
  c.resize_height = c.resize_width = 8;
  uint8_t pixels[300] = {0};
  float image[3 * 64];
  isc_picture picture = {pixels, ISC_U8, 10, 10, 3, 30, 3, 1};
  long allowed = 0;
  for (;; allowed++) {
    support_fail_after(allowed);
    iscp_status status = isc_picture_convert(image, context, &c, &picture);
    support_fail_after(-1);
    if (status == ISCP_OK)
      break;
    ck_assert_int_eq(status, ISCP_ERROR_MEMORY);
  }
  ck_assert_int_gt(allowed, 5);
  support_context_end(context);
}
END_TEST

/* ---- A user's own picture ---- */

enum { HIGH = 8, WIDE = 9, AREA = HIGH * WIDE };

static const char *write_array(const iscp_context *context, const char *name, isc_dtype dtype, int32_t dims,
                               const int64_t *shape, const void *values) {
  const char *path = support_path(name);
  isc_tensor tensor = {.dtype = dtype, .dims = dims, .data = (void *)values};
  memcpy(tensor.shape, shape, (size_t)dims * sizeof *shape);
  ASSERT_OK(isc_write_npy(&tensor, context, path));
  return path;
}

START_TEST(image_of_an_array) {
  iscp_context *context = support_context();
  iscp_contract contract = contract_of(3, HIGH, WIDE);
  uint8_t bytes[3 * AREA];
  float numbers[3 * AREA], image[3 * AREA];
  for (int i = 0; i < 3 * AREA; i++)
    bytes[i] = (uint8_t)(i % 256);
  support_fill(numbers, 3 * AREA, 0, 1, 3);
  numbers[0] = 1;
  ASSERT_OK(iscp_image_read(image, context, write_array(context, "a.npy", ISC_U8, 2, (int64_t[]){HIGH, WIDE}, bytes),
                            &contract));
  for (int i = 0; i < 3 * AREA; i++)
    ck_assert(image[i] == (float)bytes[i % AREA] / 255);
  ASSERT_OK(iscp_image_read(
      image, context, write_array(context, "b.NPY", ISC_U8, 3, (int64_t[]){HIGH, WIDE, 3}, bytes), &contract));
  for (int i = 0; i < 3 * AREA; i++)
    ck_assert(image[i] == (float)bytes[i % AREA * 3 + i / AREA] / 255);
  ASSERT_OK(iscp_image_read(
      image, context, write_array(context, "c.npy", ISC_F32, 3, (int64_t[]){3, HIGH, WIDE}, numbers), &contract));
  ck_assert_mem_eq(image, numbers, sizeof image);
  ASSERT_OK(iscp_image_read(
      image, context, write_array(context, "d.npy", ISC_F32, 3, (int64_t[]){1, HIGH, WIDE}, numbers), &contract));
  ck_assert_mem_eq(image + 2 * AREA, numbers, AREA * sizeof *numbers);
  support_context_end(context);
}
END_TEST

START_TEST(image_of_a_picture) {
  iscp_context *context = support_context();
  iscp_contract contract = contract_of(3, HIGH, WIDE);
  uint8_t pixels[3 * AREA];
  for (int i = 0; i < 3 * AREA; i++)
    pixels[i] = (uint8_t)(i % 251);
  isc_tensor picture = {.dtype = ISC_U8, .dims = 3, .shape = {HIGH, WIDE, 3}, .data = pixels};
  const char *path = support_path("canvas.png");
  ASSERT_OK(isc_write_png(&picture, context, path));
  float image[3 * AREA];
  ASSERT_OK(iscp_image_read(image, context, path, &contract));
  for (int i = 0; i < 3 * AREA; i++)
    ck_assert(image[i] == (float)pixels[i % AREA * 3 + i / AREA] / 255);
  contract.channels = 1;
  support_failed(iscp_image_read(image, context, path, &contract), ISCP_ERROR_MISMATCH, "canvas.png: a colour");
  support_context_end(context);
}
END_TEST

START_TEST(images_that_are_refused) {
  iscp_context *context = support_context();
  iscp_contract contract = contract_of(3, HIGH, WIDE);
  float image[3 * AREA], numbers[4 * AREA] = {0};
  double doubles[AREA] = {0};
  const int64_t grey[] = {HIGH, WIDE}, small[] = {HIGH - 1, WIDE};
  const int64_t four[] = {HIGH, WIDE, 4}, deep[] = {1, 3, HIGH, WIDE};
#define REFUSED_ARRAY(dtype, dims, shape, values, status, word)                                            \
  support_failed(iscp_image_read(image, context, write_array(context, "r.npy", dtype, dims, shape, values), \
                                 &contract), status, word)
  REFUSED_ARRAY(ISC_F64, 2, grey, doubles, ISCP_ERROR_UNSUPPORTED, "r.npy: an array of float64");
  REFUSED_ARRAY(ISC_F32, 3, four, numbers, ISCP_ERROR_MISMATCH, "8x9x4");
  REFUSED_ARRAY(ISC_F32, 4, deep, numbers, ISCP_ERROR_MISMATCH, "1x3x8x9");
  REFUSED_ARRAY(ISC_F32, 2, small, numbers, ISCP_ERROR_MISMATCH, "a picture of 7x9, expected 8x9");
  numbers[5] = 1.5f;
  REFUSED_ARRAY(ISC_F32, 2, grey, numbers, ISCP_ERROR_FORMAT, "value 5 is 1.5");
  numbers[5] = -0.1f;
  REFUSED_ARRAY(ISC_F32, 2, grey, numbers, ISCP_ERROR_FORMAT, "value 5 is -0.1");
  contract.resize_height = HIGH;
  contract.resize_width = WIDE;
  numbers[5] = 0;
  REFUSED_ARRAY(ISC_F32, 2, small, numbers, ISCP_ERROR_UNSUPPORTED, "expected uint8 for an input contract that resizes");
  contract.resize_height = contract.resize_width = 0;
  numbers[5] = NAN;
  REFUSED_ARRAY(ISC_F32, 2, grey, numbers, ISCP_ERROR_FORMAT, "value 5 is nan");
  support_failed(iscp_image_read(image, context, support_path("none.png"), &contract), ISCP_ERROR_IO, "none.png");
  support_failed(iscp_image_read(image, context, support_path("none.npy"), &contract), ISCP_ERROR_IO, "none.npy");
  support_failed(iscp_image_read(NULL, context, "x", &contract), ISCP_ERROR_ARGUMENT, "image");
  support_failed(iscp_image_read(image, NULL, "x", &contract), ISCP_ERROR_ARGUMENT, "context");
  support_failed(iscp_image_read(image, context, NULL, &contract), ISCP_ERROR_ARGUMENT, "path");
  support_failed(iscp_image_read(image, context, "x", NULL), ISCP_ERROR_ARGUMENT, "contract");
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("preprocess");
  TCase *all = tcase_create("preprocess");
  tcase_add_test(all, grey_is_copied_and_padded);
  tcase_add_test(all, colour_goes_to_planes);
  tcase_add_test(all, pictures_that_do_not_fit);
  tcase_add_test(all, crops_begin_where_others_begin_them);
  tcase_add_test(all, sizes_that_a_contract_takes);
  tcase_add_test(all, resizing_does_not_depend_on_the_layout);
  tcase_add_test(all, bytes_are_those_of_the_numbers);
  tcase_add_test(all, extreme_pictures_are_resized);
  tcase_add_test(all, resizing_survives_each_failing_allocation);
  tcase_add_test(all, image_of_an_array);
  tcase_add_test(all, image_of_a_picture);
  tcase_add_test(all, images_that_are_refused);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
