/* What the writers write comes back from the readers; what cannot be written is refused and leaves no file. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/reader.h"
#include "support.h"

static const isc_dtype dtypes[] = {ISC_F32, ISC_F16, ISC_BF16, ISC_F64, ISC_U8,
                                   ISC_I8,  ISC_I16, ISC_I32,  ISC_I64, ISC_BOOL};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

static void make_tensor(isc_tensor *tensor, const iscp_context *context, isc_dtype dtype, int32_t dims,
                        const int64_t *shape) {
  ASSERT_OK(isc_tensor_create(tensor, context, dtype, dims, shape));
  for (size_t i = 0; i < isc_tensor_bytes(tensor); i++)
    ((uint8_t *)tensor->data)[i] = (uint8_t)(dtype == ISC_BOOL ? i % 3 == 0 : i * 37 + 11);
}

static void expect_same(const isc_tensor *a, const isc_tensor *b) {
  ck_assert_int_eq(a->dtype, b->dtype);
  ck_assert_int_eq(a->dims, b->dims);
  for (int32_t d = 0; d < a->dims; d++)
    ck_assert_int_eq(a->shape[d], b->shape[d]);
  ck_assert(!memcmp(a->data, b->data, isc_tensor_bytes(a)));
}

static const int64_t shapes[][ISC_MAX_DIMS] = {{0}, {5}, {2, 3}, {0, 4}, {1, 2, 1, 3, 1, 2, 1, 2}};
static const int32_t shape_dims[] = {0, 1, 2, 2, 8};
enum { SHAPES = 5 };

START_TEST(npy_comes_back) {
  iscp_context *context = support_context();
  const char *path = support_path("array.npy");
  for (int t = 0; t < DTYPES; t++)
    for (int s = 0; s < SHAPES; s++) {
      isc_tensor array, back;
      make_tensor(&array, context, dtypes[t], shape_dims[s], shapes[s]);
      if (dtypes[t] == ISC_BF16) {
        support_failed(isc_write_npy(&array, context, path), ISCP_ERROR_UNSUPPORTED, "bfloat16");
      } else {
        ASSERT_OK(isc_write_npy(&array, context, path));
        ASSERT_OK(isc_read_array(&back, context, path));
        expect_same(&array, &back);
        isc_tensor_release(&back, context);
      }
      isc_tensor_release(&array, context);
    }
  unlink(path);
  support_context_end(context);
}
END_TEST

/* NumPy maps arrays from files: its numbers start at a multiple of 64. */
START_TEST(npy_is_aligned) {
  iscp_context *context = support_context();
  const char *path = support_path("array.npy");
  isc_tensor array;
  const int64_t large = (int64_t)1 << 60;
  isc_tensor widest = {.dtype = ISC_F32, .dims = ISC_MAX_DIMS, .data = &array};
  for (int32_t d = 1; d < ISC_MAX_DIMS; d++)
    widest.shape[d] = large;
  make_tensor(&array, context, ISC_F32, 2, shapes[2]);
  ASSERT_OK(isc_write_npy(&array, context, path));
  int64_t size;
  ASSERT_OK(isc_file_size(&size, path));
  ck_assert_int_eq(size % 64, (int64_t)isc_tensor_bytes(&array) % 64);
  isc_tensor_release(&array, context);
  ASSERT_OK(isc_write_npy(&widest, context, path));
  ASSERT_OK(isc_read_array(&array, context, path));
  ck_assert_int_eq(array.shape[7], large);
  isc_tensor_release(&array, context);
  unlink(path);
  support_context_end(context);
}
END_TEST

static void add(isc_tensor_set *set, const iscp_context *context, const char *name, isc_dtype dtype, int shape) {
  isc_tensor tensor;
  make_tensor(&tensor, context, dtype, shape_dims[shape], shapes[shape]);
  tensor.name = isc_strdup(context, name);
  ASSERT_OK(isc_tensor_set_add(set, context, &tensor));
}

START_TEST(safetensors_come_back) {
  iscp_context *context = support_context();
  const char *path = support_path("set.safetensors");
  isc_tensor_set set = {0}, back;
  for (int t = 0; t < DTYPES; t++)
    for (int s = 0; s < SHAPES; s++) {
      char name[64];
      snprintf(name, sizeof name, "%s.\"%d\"/\xc3\xa9\n", isc_dtype_name(dtypes[t]), s);
      add(&set, context, name, dtypes[t], s);
    }
  ASSERT_OK(isc_tensor_set_describe(&set, context, "key \"1\"", "value\t\xe2\x82\xac"));
  ASSERT_OK(isc_tensor_set_describe(&set, context, "empty", ""));
  ASSERT_OK(isc_write_safetensors(&set, context, path));
  ASSERT_OK(isc_read_tensors(&back, context, path));
  ck_assert_uint_eq(back.count, set.count);
  for (size_t i = 0; i < set.count; i++) {
    const isc_tensor *found = isc_tensor_set_find(&back, set.items[i].name);
    ck_assert_ptr_nonnull(found);
    expect_same(&set.items[i], found);
  }
  ck_assert_str_eq(isc_tensor_set_metadata(&back, "key \"1\""), "value\t\xe2\x82\xac");
  ck_assert_str_eq(isc_tensor_set_metadata(&back, "empty"), "");
  isc_tensor_set_release(&back, context);
  isc_tensor_set_release(&set, context);
  unlink(path);
  support_context_end(context);
}
END_TEST

START_TEST(safetensors_start_aligned) {
  iscp_context *context = support_context();
  const char *path = support_path("set.safetensors");
  for (int length = 1; length < 10; length++) {
    isc_tensor_set set = {0};
    char name[16] = "aaaaaaaaaaaaaaa";
    name[length] = 0;
    add(&set, context, name, ISC_F64, 2);
    ASSERT_OK(isc_write_safetensors(&set, context, path));
    uint8_t *bytes;
    size_t size;
    ASSERT_OK(isc_file_read(&bytes, &size, context, path, 1000));
    ck_assert_uint_eq((size - isc_tensor_bytes(&set.items[0])) % 8, 0);
    isc_free(context, bytes);
    isc_tensor_set_release(&set, context);
  }
  unlink(path);
  support_context_end(context);
}
END_TEST

START_TEST(safetensors_names_are_utf8) {
  iscp_context *context = support_context();
  const char *path = support_path("set.safetensors");
  isc_tensor_set set = {0};
  add(&set, context, "a\xff", ISC_U8, 1);
  support_failed(isc_write_safetensors(&set, context, path), ISCP_ERROR_ARGUMENT, "UTF-8");
  isc_tensor_set_release(&set, context);
  ASSERT_OK(isc_tensor_set_describe(&set, context, "key", "\xff"));
  support_failed(isc_write_safetensors(&set, context, path), ISCP_ERROR_ARGUMENT, "UTF-8");
  isc_tensor_set_release(&set, context);
  ck_assert_int_ne(access(path, F_OK), 0);
  support_context_end(context);
}
END_TEST

START_TEST(safetensors_are_counted) {
  iscp_context *context = support_context();
  const char *path = support_path("many.safetensors");
  static char text[1 << 20];
  size_t size = 8;
  for (int i = 0; i <= ISC_MAX_TENSORS; i++)
    size += (size_t)snprintf(text + size, sizeof text - size,
                             "%s\"%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", i ? "," : "{", i);
  text[size++] = '}';
  uint64_t prefix = size - 8;
  memcpy(text, &prefix, sizeof prefix);
  support_write(path, text, size);
  isc_tensor_set set;
  support_failed(isc_read_tensors(&set, context, path), ISCP_ERROR_FORMAT, "8193 tensors, expected at most 8192");
  unlink(path);
  support_context_end(context);
}
END_TEST

START_TEST(pictures_come_back) {
  iscp_context *context = support_context();
  const char *path = support_path("picture.png");
  for (int64_t channels = 1; channels <= 4; channels++) {
    isc_tensor image, back;
    make_tensor(&image, context, ISC_U8, 3, (int64_t[]){9, 7, channels});
    if (channels == 2) {
      support_failed(isc_write_png(&image, context, path), ISCP_ERROR_ARGUMENT, "9x7x2");
    } else {
      ASSERT_OK(isc_write_png(&image, context, path));
      ASSERT_OK(isc_read_image(&back, context, path));
      ck_assert_int_eq(back.shape[2], channels == 1 ? 1 : 3);
      for (int i = 0; i < 9 * 7; i++)
        ck_assert(!memcmp((uint8_t *)back.data + i * back.shape[2], (uint8_t *)image.data + i * channels,
                          (size_t)back.shape[2]));
      isc_tensor_release(&back, context);
    }
    isc_tensor_release(&image, context);
  }
  unlink(path);
  support_context_end(context);
}
END_TEST

START_TEST(encoded_pictures_are_the_same_bytes) {
  iscp_context *context = support_context();
  isc_tensor image;
  uint8_t *first, *second;
  size_t first_size, second_size;
  make_tensor(&image, context, ISC_U8, 3, (int64_t[]){32, 32, 3});
  ASSERT_OK(isc_encode_png(&first, &first_size, &image, context));
  ASSERT_OK(isc_encode_png(&second, &second_size, &image, context));
  ck_assert_uint_eq(first_size, second_size);
  ck_assert(!memcmp(first, second, first_size));
  isc_free(context, first);
  isc_free(context, second);
  isc_tensor_release(&image, context);
  support_context_end(context);
}
END_TEST

START_TEST(pictures_of_no_size_are_refused) {
  iscp_context *context = support_context();
  uint8_t *bytes, pixel[8] = {0};
  size_t size;
  isc_tensor empty = {.dtype = ISC_U8, .dims = 3, .shape = {0, 4, 1}, .data = pixel};
  isc_tensor wide = {.dtype = ISC_U8, .dims = 3, .shape = {1, 2000000, 1}, .data = pixel};
  isc_tensor floats = {.dtype = ISC_F32, .dims = 3, .shape = {1, 1, 1}, .data = pixel};
  isc_tensor flat = {.dtype = ISC_U8, .dims = 2, .shape = {1, 1}, .data = pixel};
  support_failed(isc_encode_png(&bytes, &size, &empty, context), ISCP_ERROR_ARGUMENT, "4 x 0");
  support_failed(isc_encode_png(&bytes, &size, &wide, context), ISCP_ERROR_ARGUMENT, "2000000 x 1");
  support_failed(isc_encode_png(&bytes, &size, &floats, context), ISCP_ERROR_ARGUMENT, "float32");
  support_failed(isc_encode_png(&bytes, &size, &flat, context), ISCP_ERROR_ARGUMENT, "1x1");
  ck_assert_ptr_null(bytes);
  support_context_end(context);
}
END_TEST

START_TEST(writers_name_the_file) {
  iscp_context *context = support_context();
  const char *path = support_path("no-such-folder/file");
  isc_tensor_set set = {0};
  isc_tensor image;
  make_tensor(&image, context, ISC_U8, 3, (int64_t[]){2, 2, 1});
  support_failed(isc_write_png(&image, context, path), ISCP_ERROR_IO, path);
  support_failed(isc_write_npy(&image, context, path), ISCP_ERROR_IO, path);
  support_failed(isc_write_safetensors(&set, context, path), ISCP_ERROR_IO, path);
  isc_tensor_release(&image, context);
  support_context_end(context);
}
END_TEST

START_TEST(picture_names_are_told_by_extension) {
  ck_assert(isc_is_image_name("a.png"));
  ck_assert(isc_is_image_name("folder/a.b.PNG"));
  ck_assert(isc_is_image_name("a.jpg"));
  ck_assert(isc_is_image_name("n01440764_10026.JPEG"));
  static const char *const others[] = {"png", ".png", "a.png.txt", "a.pn", "a.pngx", "a.", "", "a.npy", "a.jp", "a.jpegs"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    ck_assert_msg(!isc_is_image_name(others[i]), "\"%s\"", others[i]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("writers");
  TCase *all = tcase_create("all");
  tcase_add_test(all, npy_comes_back);
  tcase_add_test(all, npy_is_aligned);
  tcase_add_test(all, safetensors_come_back);
  tcase_add_test(all, safetensors_start_aligned);
  tcase_add_test(all, safetensors_names_are_utf8);
  tcase_add_test(all, safetensors_are_counted);
  tcase_add_test(all, pictures_come_back);
  tcase_add_test(all, encoded_pictures_are_the_same_bytes);
  tcase_add_test(all, pictures_of_no_size_are_refused);
  tcase_add_test(all, writers_name_the_file);
  tcase_add_test(all, picture_names_are_told_by_extension);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
