/* lib/data: the input contract, its JSON, and what it does to pictures. */
#include <math.h>
#include <string.h>

#include "data/dataset.h"
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

/* ---- Ranges ---- */

START_TEST(defaults_are_in_range) {
  iscp_contract given, read;
  ASSERT_OK(iscp_contract_init(&given, sizeof given));
  ASSERT_OK(isc_contract_read(&read, &given));
  ck_assert_mem_eq(&read, &given, sizeof read);
  ck_assert_int_eq(read.height, 224);
  ck_assert_float_eq(read.std[2], 1);
  ck_assert_int_eq(isc_contract_pixels(&read), 224 * 224);
  ck_assert_int_eq(isc_contract_numbers(&read), 3 * 224 * 224);
  given.std[0] = 0.5f;
  ck_assert_int_eq(isc_contract_same_form(&given, &read), 1);
  given.width = 223;
  ck_assert_int_eq(isc_contract_same_form(&given, &read), 0);
}
END_TEST

static void refused(iscp_contract contract, const char *word) {
  iscp_contract read, zero = {0};
  support_failed(isc_contract_read(&read, &contract), ISCP_ERROR_ARGUMENT, word);
  ck_assert_mem_eq(&read, &zero, sizeof read);
}

#define REFUSED(field, value, word)                     \
  do {                                                  \
    iscp_contract changed = contract_of(3, 32, 32);     \
    changed.field = value;                              \
    refused(changed, word);                             \
  } while (0)

START_TEST(values_out_of_range_are_refused) {
  REFUSED(channels, 2, "channels is 2");
  REFUSED(height, 7, "height is 7");
  REFUSED(width, 4097, "width is 4097");
  REFUSED(pad_top, -1, "pad_top is -1");
  REFUSED(pad_bottom, 1025, "pad_bottom");
  REFUSED(pad_left, -5, "pad_left");
  REFUSED(pad_right, 1 << 30, "pad_right");
  REFUSED(pad_top, 32, "pad_top and pad_bottom");
  REFUSED(pad_right, 32, "pad_left and pad_right");
  REFUSED(mean[1], NAN, "mean[1] is nan");
  REFUSED(mean[2], INFINITY, "mean[2]");
  REFUSED(std[0], 0, "std[0] is 0");
  REFUSED(std[1], -1, "std[1] is -1");
  REFUSED(std[2], NAN, "std[2]");
  REFUSED(std[2], INFINITY, "std[2]");
  iscp_contract read, given = contract_of(3, 32, 32);
  given.struct_size = 12;
  support_failed(isc_contract_read(&read, &given), ISCP_ERROR_ABI, "iscp_contract");
  support_failed(isc_contract_read(&read, NULL), ISCP_ERROR_ARGUMENT, "NULL");
}
END_TEST

/* ---- JSON ---- */

static void check_round_trip(const iscp_context *context, const iscp_contract *contract, const char *const *names,
                             size_t count) {
  char *json, **read_names;
  size_t read_count;
  iscp_contract read;
  ASSERT_OK(isc_contract_print(&json, context, contract, names, count));
  ASSERT_OK(isc_contract_parse(&read, &read_names, &read_count, context, json, strlen(json), false));
  ck_assert_msg(!memcmp(&read, contract, sizeof read), "%s reads differently", json);
  ck_assert_uint_eq(read_count, count);
  for (size_t i = 0; i < count; i++)
    ck_assert_str_eq(read_names[i], names[i]);
  isc_names_free(read_names, read_count, context);
  isc_free(context, json);
}

START_TEST(json_reads_back_the_same) {
  iscp_context *context = support_context();
  const char *names[] = {"T-shirt", "caf\xc3\xa9 \"quoted\"", "", "a\\b"};
  iscp_contract contract = contract_of(3, 36, 40);
  contract.pad_top = 1;
  contract.pad_bottom = 2;
  contract.pad_left = 3;
  contract.pad_right = 4;
  memcpy(contract.mean, (float[3]){0.1f, 1.0f / 3, -1e-30f}, sizeof contract.mean);
  memcpy(contract.std, (float[3]){0.2023f, 1.17549435e-38f, 3.4028235e38f}, sizeof contract.std);
  check_round_trip(context, &contract, names, 4);
  check_round_trip(context, &contract, NULL, 0);
  iscp_contract grey = contract_of(1, 28, 28);
  grey.mean[0] = 0.2860405969887955f;
  check_round_trip(context, &grey, names, 2);
  float values[300];
  support_fill(values, 300, 0.001f, 1, 5);
  for (int i = 0; i < 300; i += 3) {
    memcpy(contract.mean, values + i, sizeof contract.mean);
    memcpy(contract.std, values + i, sizeof contract.std);
    check_round_trip(context, &contract, NULL, 0);
  }
  support_context_end(context);
}
END_TEST

START_TEST(json_of_least_content) {
  iscp_context *context = support_context();
  iscp_contract read, expected = contract_of(3, 28, 32);
  char **names;
  size_t count;
  const char *json = "{\"height\": 28, \"width\": 32, \"mean\": [0,0,0]}";
  ASSERT_OK(isc_contract_parse(&read, &names, &count, context, json, strlen(json), false));
  ck_assert_mem_eq(&read, &expected, sizeof read);
  ck_assert_ptr_null(names);
  ck_assert_uint_eq(count, 0);
  support_context_end(context);
}
END_TEST

START_TEST(json_refusals) {
  static const struct {
    const char *json, *word;
  } cases[] = {
      {"", "not JSON"},
      {"[1, 2]", "not a JSON object"},
      {"7", "not JSON"},
      {"{\"height\": 28, \"width\": 28", "at byte"},
      {"{\"height\": 28, \"width\": 28} x", "not JSON"},
      {"{\"height\": 28, \"height\": 28, \"width\": 28}", "duplicate"},
      {"{\"width\": 28}", "\"height\""},
      {"{\"height\": 28}", "\"width\""},
      {"{\"height\": 28.5, \"width\": 28}", "\"height\""},
      {"{\"height\": \"28\", \"width\": 28}", "\"height\""},
      {"{\"height\": 4294967324, \"width\": 28}", "4294967324"},
      {"{\"height\": 5000, \"width\": 28}", "5000"},
      {"{\"height\": 28, \"width\": 28, \"channels\": 4}", "\"channels\" is 4"},
      {"{\"height\": 28, \"width\": 28, \"gamma\": 2.2}", "\"gamma\""},
      {"{\"height\": 28, \"width\": 28, \"pad\": [1, 2, 3]}", "\"pad\""},
      {"{\"height\": 28, \"width\": 28, \"pad\": [1, 2, 3, \"4\"]}", "\"pad\""},
      {"{\"height\": 28, \"width\": 28, \"pad\": 2}", "\"pad\""},
      {"{\"height\": 28, \"width\": 28, \"mean\": [0.5]}", "\"mean\""},
      {"{\"height\": 28, \"width\": 28, \"mean\": [0, 0, null]}", "\"mean\""},
      {"{\"height\": 28, \"width\": 28, \"mean\": [0, 0, 1e300]}", "mean[2]"},
      {"{\"height\": 28, \"width\": 28, \"std\": [0.5, 0.5, 0]}", "std[2]"},
      {"{\"height\": 28, \"width\": 28, \"std\": [0.5, 0.5, NaN]}", "not JSON"},
      {"{\"height\": 28, \"width\": 28, \"classes\": \"a\"}", "\"classes\""},
      {"{\"height\": 28, \"width\": 28, \"classes\": []}", "\"classes\""},
      {"{\"height\": 28, \"width\": 28, \"classes\": [\"a\", 1]}", "entry 1"},
      {"{\"height\": 28, \"width\": 28, \"classes\": [\"a\\u0000b\"]}", "not JSON"},
      {"{\"height\": 28, \"width\": 28, \"classes\": [\"\xff\"]}", "not JSON"},
  };
  iscp_context *context = support_context();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iscp_contract read;
    char **names = (char **)&names;
    size_t count = 9;
    iscp_status status = isc_contract_parse(&read, &names, &count, context, cases[i].json,
                                            strlen(cases[i].json), false);
    support_failed(status, ISCP_ERROR_FORMAT, cases[i].word);
    ck_assert_ptr_null(names);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(read.struct_size, 0);
  }
  support_context_end(context);
}
END_TEST

START_TEST(names_that_are_not_text_are_not_printed) {
  iscp_context *context = support_context();
  const char *names[] = {"a", "\xff\xfe"};
  iscp_contract contract = contract_of(3, 28, 28);
  char *json = (char *)&json;
  support_failed(isc_contract_print(&json, context, &contract, names, 2), ISCP_ERROR_ARGUMENT, "UTF-8");
  ck_assert_ptr_null(json);
  contract.std[0] = 0;
  support_failed(isc_contract_print(&json, context, &contract, NULL, 0), ISCP_ERROR_ARGUMENT, "std[0]");
  support_context_end(context);
}
END_TEST

START_TEST(json_survives_each_failing_allocation) {
  iscp_context *context = support_context();
  const char *text = "{\"height\": 28, \"width\": 28, \"classes\": [\"a\", \"b\"]}";
  for (long allowed = 0; allowed <= 3; allowed++) {
    iscp_contract read;
    char **names;
    size_t count;
    support_fail_after(allowed);
    ck_assert_int_eq(isc_contract_parse(&read, &names, &count, context, text, strlen(text), false),
                     allowed < 3 ? ISCP_ERROR_MEMORY : ISCP_OK);
    support_fail_after(-1);
    isc_names_free(names, count, context);
  }
  support_context_end(context);
}
END_TEST

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
  Suite *suite = suite_create("contract");
  TCase *all = tcase_create("contract");
  tcase_add_test(all, defaults_are_in_range);
  tcase_add_test(all, values_out_of_range_are_refused);
  tcase_add_test(all, json_reads_back_the_same);
  tcase_add_test(all, json_of_least_content);
  tcase_add_test(all, json_refusals);
  tcase_add_test(all, names_that_are_not_text_are_not_printed);
  tcase_add_test(all, json_survives_each_failing_allocation);
  tcase_add_test(all, grey_is_copied_and_padded);
  tcase_add_test(all, colour_goes_to_planes);
  tcase_add_test(all, pictures_that_do_not_fit);
  tcase_add_test(all, image_of_an_array);
  tcase_add_test(all, image_of_a_picture);
  tcase_add_test(all, images_that_are_refused);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
