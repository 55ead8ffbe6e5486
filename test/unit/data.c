/* lib/data: datasets from memory and from IDX and .npy files. Class folders have folder.c. */
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "data/data.h"
#include "format/format.h"
#include "sets_common.h"
#include "support.h"

enum { COUNT = 4, SIDE = 8, AREA = SIDE * SIDE, IMAGE = 3 * AREA };
static const int32_t four_labels[COUNT] = {0, 1, 2, 1};

static void fill_pixels(uint8_t *pixels, size_t count) {
  for (size_t i = 0; i < count; i++)
    pixels[i] = (uint8_t)(i * 7 % 256);
}

/* Grey images of SIDE x SIDE, fill_pixels one after the other, from image `first` of them on. */
static void check_grey(const iscp_dataset *dataset, int64_t first) {
  float image[IMAGE];
  for (int64_t i = 0; i < iscp_dataset_count(dataset); i++) {
    ASSERT_OK(iscp_dataset_image(dataset, i, image));
    for (int64_t v = 0; v < IMAGE; v++)
      ck_assert(image[v] == (float)(((first + i) * AREA + v % AREA) * 7 % 256) / 255);
  }
}

static void check_labels(const iscp_dataset *dataset, const int32_t *labels, int64_t count) {
  ck_assert_int_eq(iscp_dataset_count(dataset), count);
  for (int64_t i = 0; i < count; i++)
    ck_assert_int_eq(iscp_dataset_label(dataset, i), labels[i]);
}

/* ---- From memory ---- */

START_TEST(memory_is_copied_and_told) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  uint8_t pixels[COUNT * AREA];
  fill_pixels(pixels, sizeof pixels);
  int32_t labels[COUNT];
  memcpy(labels, four_labels, sizeof labels);
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, labels, COUNT, SIDE, SIDE, 1, &options));
  memset(pixels, 0, sizeof pixels);
  memset(labels, 0, sizeof labels);
  check_labels(dataset, four_labels, COUNT);
  check_grey(dataset, 0);
  ck_assert_int_eq(iscp_dataset_classes(dataset), 3);
  ck_assert_int_eq(iscp_dataset_label(dataset, -1), -1);
  ck_assert_int_eq(iscp_dataset_label(dataset, COUNT), -1);
  ck_assert_ptr_null(iscp_dataset_class_name(dataset, 0));
  ck_assert_int_eq(iscp_dataset_contract(dataset)->height, SIDE);
  ck_assert_ptr_eq(isc_dataset_context(dataset), context);
  /* Python: hashlib.sha256(pixels + struct.pack("<4i", 0, 1, 2, 1)) */
  ck_assert_str_eq(iscp_dataset_hash(dataset), "c3b9c9dfd1c4b35acd8537e268280cdc2696f4b3e9b445904ce9524775b486c3");
  float image[IMAGE];
  support_failed(iscp_dataset_image(dataset, COUNT, image), ISCP_ERROR_ARGUMENT, "index is 4, expected 0 to 3");
  support_failed(iscp_dataset_image(dataset, -1, image), ISCP_ERROR_ARGUMENT, "index is -1");
  support_failed(iscp_dataset_image(dataset, 0, NULL), ISCP_ERROR_ARGUMENT, "image");
  support_failed(iscp_dataset_image(NULL, 0, image), ISCP_ERROR_ARGUMENT, "dataset");
  iscp_dataset_destroy(dataset);
  iscp_dataset_destroy(NULL);
  ck_assert_int_eq(iscp_dataset_count(NULL), 0);
  ck_assert_int_eq(iscp_dataset_classes(NULL), 0);
  ck_assert_int_eq(iscp_dataset_label(NULL, 0), -1);
  ck_assert_ptr_null(iscp_dataset_contract(NULL));
  ck_assert_ptr_null(iscp_dataset_class_name(NULL, 0));
  ck_assert_ptr_null(iscp_dataset_hash(NULL));
  support_context_end(context);
}
END_TEST

START_TEST(a_dataset_outlives_context_and_first_reference) {
  iscp_context *context;
  ASSERT_OK(iscp_context_create(&context, NULL));
  iscp_dataset_options options = set_options(SIDE);
  uint8_t pixels[COUNT * AREA];
  fill_pixels(pixels, sizeof pixels);
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, four_labels, COUNT, SIDE, SIDE, 1, &options));
  iscp_dataset *held = isc_dataset_hold(dataset);
  iscp_context_destroy(context);
  iscp_dataset_destroy(dataset);
  check_grey(held, 0);
  iscp_dataset_destroy(held);
}
END_TEST

START_TEST(limit_takes_the_first_images) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  uint8_t pixels[COUNT * AREA];
  fill_pixels(pixels, sizeof pixels);
  iscp_dataset *dataset, *two;
  options.limit = 2;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, four_labels, COUNT, SIDE, SIDE, 1, &options));
  check_labels(dataset, four_labels, 2);
  ck_assert_int_eq(iscp_dataset_classes(dataset), 3); /* of the whole set */
  options.limit = 100;
  ASSERT_OK(iscp_dataset_from_memory(&two, context, pixels, four_labels, 2, SIDE, SIDE, 1, &options));
  check_labels(two, four_labels, 2);
  ck_assert_str_eq(iscp_dataset_hash(two), iscp_dataset_hash(dataset));
  iscp_dataset_destroy(two);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(memory_may_be_borrowed) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  uint8_t pixels[COUNT * AREA];
  fill_pixels(pixels, sizeof pixels);
  iscp_dataset *dataset, *copied;
  ASSERT_OK(iscp_dataset_from_memory(&copied, context, pixels, four_labels, COUNT, SIDE, SIDE, 1, &options));
  options.borrow = 1;
  long before = support_allocations();
  ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, four_labels, COUNT, SIDE, SIDE, 1, &options));
  ck_assert_int_le(support_allocations() - before, 2); /* the object and its labels */
  check_grey(dataset, 0);
  ck_assert_str_eq(iscp_dataset_hash(dataset), iscp_dataset_hash(copied));
  float image[IMAGE];
  pixels[AREA] = 255;
  ASSERT_OK(iscp_dataset_image(dataset, 1, image));
  ck_assert(image[0] == 1);
  ASSERT_OK(iscp_dataset_image(copied, 1, image));
  ck_assert(image[0] != 1);
  iscp_dataset_destroy(copied);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

/* Two colour images, planes after one another: value 10 * channel + image. */
START_TEST(memory_of_planes) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  uint8_t pixels[2 * IMAGE];
  for (int i = 0; i < 2 * IMAGE; i++)
    pixels[i] = (uint8_t)(i / AREA % 3 * 10 + i / IMAGE);
  iscp_dataset *dataset;
  for (options.borrow = 0; options.borrow < 2; options.borrow++) {
    options.layout = ISCP_LAYOUT_NCHW;
    ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, four_labels, 2, SIDE, SIDE, 3, &options));
    for (int i = 0; i < 2; i++) {
      float image[IMAGE];
      ASSERT_OK(iscp_dataset_image(dataset, i, image));
      for (int v = 0; v < IMAGE; v++)
        ck_assert(image[v] == (float)(v / AREA * 10 + i) / 255);
    }
    iscp_dataset_destroy(dataset);
  }
  support_context_end(context);
}
END_TEST

START_TEST(without_a_contract_a_set_is_only_told_about) {
  iscp_context *context = support_context();
  uint8_t pixels[COUNT * AREA];
  fill_pixels(pixels, sizeof pixels);
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, four_labels, COUNT, SIDE, SIDE, 1, NULL));
  ck_assert_ptr_null(iscp_dataset_contract(dataset));
  check_labels(dataset, four_labels, COUNT);
  ck_assert_uint_eq(strlen(iscp_dataset_hash(dataset)), 64);
  iscp_dataset_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_dataset_get_info(dataset, &info));
  ck_assert_str_eq(info.kind, "memory");
  ck_assert_int_eq(info.images, COUNT);
  ck_assert_int_eq(info.classes, 3);
  ck_assert_int_eq(info.channels, 1);
  ck_assert(info.height_low == SIDE && info.height_high == SIDE && info.width_low == SIDE && info.width_high == SIDE);
  float image[IMAGE];
  support_failed(iscp_dataset_image(dataset, 0, image), ISCP_ERROR_ARGUMENT, "without an input contract");
  support_failed(iscp_dataset_get_info(NULL, &info), ISCP_ERROR_ARGUMENT, "dataset");
  support_failed(iscp_dataset_get_info(dataset, NULL), ISCP_ERROR_ARGUMENT, "iscp_dataset_info");
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(wrong_memory_is_refused) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  uint8_t pixels[COUNT * AREA * 3] = {0};
  iscp_dataset *dataset;
#define REFUSED(status, word, ...) \
  support_failed(iscp_dataset_from_memory(&dataset, __VA_ARGS__, &options), status, word)
  REFUSED(ISCP_ERROR_ARGUMENT, "context", NULL, pixels, four_labels, 4, 8, 8, 1);
  REFUSED(ISCP_ERROR_ARGUMENT, "pixels", context, NULL, four_labels, 4, 8, 8, 1);
  REFUSED(ISCP_ERROR_ARGUMENT, "labels", context, pixels, NULL, 4, 8, 8, 1);
  REFUSED(ISCP_ERROR_ARGUMENT, "count is 0", context, pixels, four_labels, 0, 8, 8, 1);
  REFUSED(ISCP_ERROR_ARGUMENT, "more than memory", context, pixels, four_labels, INT64_MAX, 8, 8, 1);
  REFUSED(ISCP_ERROR_ARGUMENT, "0x8", context, pixels, four_labels, 4, 0, 8, 1);
  REFUSED(ISCP_ERROR_ARGUMENT, "8x5000", context, pixels, four_labels, 4, 8, 5000, 1);
  REFUSED(ISCP_ERROR_ARGUMENT, "channels is 2", context, pixels, four_labels, 4, 8, 8, 2);
  REFUSED(ISCP_ERROR_MISMATCH, "pixels: a picture of 6x8", context, pixels, four_labels, 4, 6, 8, 1);
  options.classes = 2;
  REFUSED(ISCP_ERROR_MISMATCH, "labels: label 2 at index 2, expected 0 to 1", context, pixels, four_labels, 4, 8, 8, 1);
  options.classes = 0;
  const int32_t negative[2] = {0, -1}, huge[2] = {INT32_MAX, 0};
  REFUSED(ISCP_ERROR_MISMATCH, "label -1 at index 1", context, pixels, negative, 2, 8, 8, 1);
  REFUSED(ISCP_ERROR_MISMATCH, "label 2147483647 at index 0", context, pixels, huge, 2, 8, 8, 1);
  set_contract.channels = 1;
  REFUSED(ISCP_ERROR_MISMATCH, "colour", context, pixels, four_labels, 4, 8, 8, 3);
  set_contract.std[1] = 0;
  REFUSED(ISCP_ERROR_ARGUMENT, "std[1]", context, pixels, four_labels, 4, 8, 8, 1);
  options = set_options(SIDE);
  options.limit = -1;
  REFUSED(ISCP_ERROR_ARGUMENT, "limit is -1", context, pixels, four_labels, 4, 8, 8, 1);
  options.limit = 0;
  options.classes = -1;
  REFUSED(ISCP_ERROR_ARGUMENT, "classes is -1", context, pixels, four_labels, 4, 8, 8, 1);
  options.classes = 0;
  options.memory = -2;
  REFUSED(ISCP_ERROR_ARGUMENT, "memory is -2", context, pixels, four_labels, 4, 8, 8, 1);
  options.memory = 0;
  options.borrow = 2;
  REFUSED(ISCP_ERROR_ARGUMENT, "borrow is 2", context, pixels, four_labels, 4, 8, 8, 1);
  options.borrow = 0;
  options.layout = 3;
  REFUSED(ISCP_ERROR_ARGUMENT, "layout is 3", context, pixels, four_labels, 4, 8, 8, 1);
  options.layout = 0;
  options.skip_broken = -1;
  REFUSED(ISCP_ERROR_ARGUMENT, "skip_broken is -1", context, pixels, four_labels, 4, 8, 8, 1);
  options = set_options(SIDE);
  options.borrow = -1; /* beyond what a client of the first headers has */
  options.struct_size = offsetof(iscp_dataset_options, borrow);
  ASSERT_OK(iscp_dataset_from_memory(&dataset, context, pixels, four_labels, 4, 8, 8, 1, &options));
  iscp_dataset_destroy(dataset);
  options.struct_size = 8;
  REFUSED(ISCP_ERROR_ABI, "iscp_dataset_options", context, pixels, four_labels, 4, 8, 8, 1);
  ck_assert_ptr_null(dataset);
#undef REFUSED
  support_context_end(context);
}
END_TEST

/* ---- IDX ---- */

static void write_idx(const char *name, const uint8_t *head, size_t head_size, const void *bytes, size_t size) {
  const char *path = support_path(name);
  size_t length = strlen(name);
  gzFile file = gzopen(path, strcmp(name + length - 3, ".gz") ? "wbT" : "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(gzwrite(file, head, (unsigned)head_size), (int)head_size);
  ck_assert_int_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
  ck_assert_int_eq(gzclose(file), Z_OK);
}

/* `count` images, fill_pixels from image `first` on. */
static void write_idx_images(const char *name, int first, int count) {
  uint8_t pixels[16 * AREA], head[] = {0, 0, 8, 3, 0, 0, 0, (uint8_t)count, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
  fill_pixels(pixels, sizeof pixels);
  write_idx(name, head, sizeof head, pixels + first * AREA, (size_t)(count * AREA));
}

static void write_idx_labels(const char *name, const int32_t *labels, int count) {
  uint8_t bytes[16], head[] = {0, 0, 8, 1, 0, 0, 0, (uint8_t)count};
  for (int i = 0; i < count; i++)
    bytes[i] = (uint8_t)labels[i];
  write_idx(name, head, sizeof head, bytes, (size_t)count);
}

static void make_folder(const char *name) { ck_assert_int_eq(mkdir(support_path(name), 0777), 0); }

static void open_and_check(iscp_context *context, const char *name, const iscp_dataset_options *options, int first,
                           const int32_t *labels, int64_t count) {
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path(name), options));
  check_labels(dataset, labels, count);
  check_grey(dataset, first);
  iscp_dataset_destroy(dataset);
}

START_TEST(idx_files_with_their_labels) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_idx_images("a-images-idx3-ubyte", 0, 4);
  write_idx_labels("a-labels-idx1-ubyte", four_labels, 4);
  open_and_check(context, "a-images-idx3-ubyte", &options, 0, four_labels, 4);
  write_idx_images("b-images-idx3-ubyte.gz", 2, 4);
  write_idx_labels("b-labels-idx1-ubyte.gz", four_labels, 4);
  options.limit = 3;
  options.classes = 10;
  open_and_check(context, "b-images-idx3-ubyte.gz", &options, 2, four_labels, 3);
  options.labels = support_path("a-labels-idx1-ubyte");
  write_idx_images("pictures", 0, 4);
  open_and_check(context, "pictures", &options, 0, four_labels, 3);
  options.labels = NULL;
  set_refused(context, support_path("pictures"), &options, ISCP_ERROR_IO, "labels");
  support_context_end(context);
}
END_TEST

START_TEST(idx_labels_that_do_not_fit) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_idx_images("c-images-idx3-ubyte", 0, 4);
  set_refused(context, support_path("c-images-idx3-ubyte"), &options, ISCP_ERROR_IO, "c-labels-idx1-ubyte");
  write_idx_labels("c-labels-idx1-ubyte", four_labels, 3);
  set_refused(context, support_path("c-images-idx3-ubyte"), &options, ISCP_ERROR_MISMATCH, "3 labels, expected 4");
  options.limit = 2; /* no excuse */
  set_refused(context, support_path("c-images-idx3-ubyte"), &options, ISCP_ERROR_MISMATCH, "c-labels-idx1-ubyte");
  write_idx_labels("c-labels-idx1-ubyte", four_labels, 4);
  options.classes = 2;
  set_refused(context, support_path("c-images-idx3-ubyte"), &options, ISCP_ERROR_MISMATCH,
          "c-labels-idx1-ubyte: label 2 at index 2, expected 0 to 1");
  options.classes = 0;
  options.labels = support_path("c-images-idx3-ubyte");
  set_refused(context, options.labels, &options, ISCP_ERROR_MISMATCH, "labels of shape 4x8x8");
  options.labels = support_path("c-labels-idx1-ubyte");
  set_refused(context, options.labels, &options, ISCP_ERROR_MISMATCH, "an array of 4, expected NxHxW");
  set_refused(context, support_path("missing-images-idx3-ubyte"), &options, ISCP_ERROR_IO, "missing-images-idx3-ubyte");
  support_context_end(context);
}
END_TEST

START_TEST(a_directory_of_mnist) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  make_folder("mnist");
  write_idx_images("mnist/train-images-idx3-ubyte.gz", 1, 4);
  write_idx_labels("mnist/train-labels-idx1-ubyte.gz", four_labels, 4);
  set_refused(context, support_path("mnist"), &options, ISCP_ERROR_IO, "no split \"test\", only \"train\"");
  write_idx_images("mnist/t10k-images-idx3-ubyte", 3, 2);
  write_idx_labels("mnist/t10k-labels-idx1-ubyte", four_labels, 2);
  open_and_check(context, "mnist", &options, 3, four_labels, 2);
  options.split = "test";
  open_and_check(context, "mnist", &options, 3, four_labels, 2);
  options.split = "train";
  open_and_check(context, "mnist", &options, 1, four_labels, 4);
  options.split = "valid";
  set_refused(context, support_path("mnist"), &options, ISCP_ERROR_ARGUMENT, "split is \"valid\"");
  support_context_end(context);
}
END_TEST

/* ---- .npy ---- */

static void write_array(const iscp_context *context, const char *name, isc_dtype dtype, int32_t dims,
                        const int64_t *shape, const void *values) {
  isc_tensor tensor = {.dtype = dtype, .dims = dims, .data = (void *)values};
  memcpy(tensor.shape, shape, (size_t)dims * sizeof *shape);
  ASSERT_OK(isc_write_npy(&tensor, context, support_path(name)));
}

START_TEST(npy_layouts) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  uint8_t pixels[COUNT * IMAGE];
  fill_pixels(pixels, sizeof pixels);
  write_array(context, "x_labels.npy", ISC_I32, 1, (int64_t[]){COUNT}, four_labels);
  write_array(context, "x.npy", ISC_U8, 3, (int64_t[]){COUNT, SIDE, SIDE}, pixels);
  open_and_check(context, "x.npy", &options, 0, four_labels, COUNT);
  write_array(context, "x.npy", ISC_U8, 4, (int64_t[]){COUNT, SIDE, SIDE, 1}, pixels);
  open_and_check(context, "x.npy", &options, 0, four_labels, COUNT);
  write_array(context, "x.npy", ISC_U8, 4, (int64_t[]){COUNT, 1, SIDE, SIDE}, pixels);
  open_and_check(context, "x.npy", &options, 0, four_labels, COUNT);

  float image[IMAGE];
  iscp_dataset *dataset;
  write_array(context, "x.npy", ISC_U8, 4, (int64_t[]){COUNT, 3, SIDE, SIDE}, pixels);
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("x.npy"), &options));
  ASSERT_OK(iscp_dataset_image(dataset, 2, image));
  for (int v = 0; v < IMAGE; v++)
    ck_assert(image[v] == (float)pixels[2 * IMAGE + v] / 255);
  iscp_dataset_destroy(dataset);

  /* 3 x 8 x 3 is a picture of three rows, since C is last where both could be. */
  write_array(context, "x.npy", ISC_U8, 4, (int64_t[]){COUNT, 3, SIDE, 3}, pixels);
  set_contract.pad_bottom = 5;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("x.npy"), &options));
  ASSERT_OK(iscp_dataset_image(dataset, 1, image));
  for (int c = 0; c < 3; c++)
    for (int v = 0; v < 3 * SIDE; v++)
      ck_assert(image[c * AREA + v] == (float)pixels[3 * SIDE * 3 + v * 3 + c] / 255);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(npy_labels) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  uint8_t pixels[COUNT * AREA];
  fill_pixels(pixels, sizeof pixels);
  const int64_t count[] = {COUNT}, square[] = {2, 2}, labels64[COUNT] = {0, 1, 2, 1};
  const int8_t labels8[COUNT] = {0, 1, 2, 1}, negative[COUNT] = {0, 1, -2, 1};
  const int16_t labels16[COUNT] = {0, 1, 2, 1};
  const int64_t huge[COUNT] = {0, (int64_t)1 << 32, 2, 1};
  const float floats[COUNT] = {0, 1, 2, 1};
  write_array(context, "y.npy", ISC_U8, 3, (int64_t[]){COUNT, SIDE, SIDE}, pixels);
  set_refused(context, support_path("y.npy"), &options, ISCP_ERROR_IO, "y-labels.npy");
  write_array(context, "y-labels.npy", ISC_I64, 1, count, labels64);
  open_and_check(context, "y.npy", &options, 0, four_labels, COUNT);
  write_array(context, "y-labels.npy", ISC_I8, 1, count, labels8);
  open_and_check(context, "y.npy", &options, 0, four_labels, COUNT);
  write_array(context, "y-labels.npy", ISC_I16, 1, count, labels16);
  open_and_check(context, "y.npy", &options, 0, four_labels, COUNT);
  write_array(context, "y-labels.npy", ISC_I64, 1, count, huge);
  set_refused(context, support_path("y.npy"), &options, ISCP_ERROR_MISMATCH, "label 4294967296 at index 1");
  write_array(context, "y-labels.npy", ISC_I8, 1, count, negative);
  set_refused(context, support_path("y.npy"), &options, ISCP_ERROR_MISMATCH, "label -2 at index 2");
  write_array(context, "y-labels.npy", ISC_F32, 1, count, floats);
  set_refused(context, support_path("y.npy"), &options, ISCP_ERROR_UNSUPPORTED, "y-labels.npy: labels of float32");
  write_array(context, "y-labels.npy", ISC_I32, 2, square, four_labels);
  set_refused(context, support_path("y.npy"), &options, ISCP_ERROR_MISMATCH, "shape 2x2");
  support_context_end(context);
}
END_TEST

START_TEST(npy_images_that_are_refused) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  float floats[AREA] = {0};
  uint8_t pixels[AREA * 3] = {0};
  write_array(context, "z-labels.npy", ISC_I32, 1, (int64_t[]){1}, four_labels);
  write_array(context, "z.npy", ISC_F32, 3, (int64_t[]){1, SIDE, SIDE}, floats);
  set_refused(context, support_path("z.npy"), &options, ISCP_ERROR_UNSUPPORTED, "z.npy: images of float32");
  write_array(context, "z.npy", ISC_U8, 4, (int64_t[]){1, SIDE, SIDE, 2}, pixels);
  set_refused(context, support_path("z.npy"), &options, ISCP_ERROR_MISMATCH, "1x8x8x2");
  write_array(context, "z.npy", ISC_U8, 3, (int64_t[]){0, SIDE, SIDE}, pixels);
  set_refused(context, support_path("z.npy"), &options, ISCP_ERROR_FORMAT, "no image");
  write_array(context, "z.npy", ISC_U8, 3, (int64_t[]){1, SIDE, SIDE - 1}, pixels);
  set_refused(context, support_path("z.npy"), &options, ISCP_ERROR_MISMATCH, "z.npy: a picture of 8x7");
  iscp_dataset *dataset;
  support_failed(iscp_dataset_open(NULL, context, "z.npy", &options), ISCP_ERROR_ARGUMENT, "out");
  support_failed(iscp_dataset_open(&dataset, NULL, "z.npy", &options), ISCP_ERROR_ARGUMENT, "context");
  support_failed(iscp_dataset_open(&dataset, context, NULL, &options), ISCP_ERROR_ARGUMENT, "path");
  support_context_end(context);
}
END_TEST

START_TEST(each_allocation_of_arrays_may_fail) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  uint8_t pixels[COUNT * AREA];
  fill_pixels(pixels, sizeof pixels);
  write_array(context, "f.npy", ISC_U8, 3, (int64_t[]){COUNT, SIDE, SIDE}, pixels);
  write_array(context, "f_labels.npy", ISC_I32, 1, (int64_t[]){COUNT}, four_labels);
  support_context_end(context);
  set_opens_without_memory(support_path("f.npy"), &options, 5);
  make_folder("fail");
  write_idx_images("fail/t10k-images-idx3-ubyte.gz", 3, 2);
  write_idx_labels("fail/t10k-labels-idx1-ubyte.gz", four_labels, 2);
  set_opens_without_memory(support_path("fail"), &options, 5);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("data");
  TCase *all = tcase_create("data");
  tcase_add_test(all, memory_is_copied_and_told);
  tcase_add_test(all, a_dataset_outlives_context_and_first_reference);
  tcase_add_test(all, limit_takes_the_first_images);
  tcase_add_test(all, memory_may_be_borrowed);
  tcase_add_test(all, memory_of_planes);
  tcase_add_test(all, without_a_contract_a_set_is_only_told_about);
  tcase_add_test(all, wrong_memory_is_refused);
  tcase_add_test(all, idx_files_with_their_labels);
  tcase_add_test(all, idx_labels_that_do_not_fit);
  tcase_add_test(all, a_directory_of_mnist);
  tcase_add_test(all, npy_layouts);
  tcase_add_test(all, npy_labels);
  tcase_add_test(all, npy_images_that_are_refused);
  tcase_add_test(all, each_allocation_of_arrays_may_fail);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
