/* lib/data: sets of several arrays in one file (.npz), CIFAR's binary edition, and arrays that stay in their file. */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "data/data.h"
#include "format/format.h"
#include "sets_common.h"
#include "support.h"

enum { COUNT = 4, SIDE = 8, AREA = SIDE * SIDE, CIFAR = 3072, RECORD = CIFAR + 1, RECORD100 = CIFAR + 2 };

static void refused(iscp_context *context, const char *name, const iscp_dataset_options *options, iscp_status status,
                    const char *word) {
  set_refused(context, support_path(name), options, status, word);
  ck_assert_msg(strstr(iscp_error_message(), name) != NULL, "\"%s\" does not name %s", iscp_error_message(), name);
}

/* ---- Writing archives ---- */

typedef struct entry {
  const char *name;
  const void *bytes;
  size_t size;
  int64_t says; /* the size in the header, 0 = the true one */
} entry;

static void add_entry(struct archive *a, const entry *from) {
  struct archive_entry *e = archive_entry_new();
  archive_entry_set_pathname(e, from->name);
  archive_entry_set_size(e, (la_int64_t)from->size);
  archive_entry_set_filetype(e, AE_IFREG);
  archive_entry_set_perm(e, 0644);
  ck_assert_int_eq(archive_write_header(a, e), ARCHIVE_OK);
  ck_assert_int_eq(archive_write_data(a, from->bytes, from->size), (la_ssize_t)from->size);
  archive_entry_free(e);
}

static void write_zip(const char *name, bool deflated, const entry *entries, size_t count) {
  struct archive *a = archive_write_new();
  ck_assert_int_eq(archive_write_set_format_zip(a), ARCHIVE_OK);
  ck_assert_int_eq(deflated ? archive_write_zip_set_compression_deflate(a) : archive_write_zip_set_compression_store(a),
                   ARCHIVE_OK);
  ck_assert_int_eq(archive_write_open_filename(a, support_path(name)), ARCHIVE_OK);
  for (size_t i = 0; i < count; i++)
    add_entry(a, &entries[i]);
  ck_assert_int_eq(archive_write_close(a), ARCHIVE_OK);
  archive_write_free(a);
}

/* Writes another size into a header of tar, and its checksum. */
static void lie(uint8_t *header, int64_t says) {
  unsigned sum = 0;
  char text[32];
  snprintf(text, sizeof text, "%011llo", (unsigned long long)says);
  memcpy(header + 124, text, 12);
  memset(header + 148, ' ', 8);
  for (int i = 0; i < 512; i++)
    sum += header[i];
  snprintf(text, sizeof text, "%06o", sum);
  memcpy(header + 148, text, 7);
}

static void write_tar(const char *name, const entry *entries, size_t count) {
  static uint8_t tar[1 << 16];
  size_t used = 0, at = 0;
  struct archive *a = archive_write_new();
  ck_assert_int_eq(archive_write_set_format_ustar(a), ARCHIVE_OK);
  ck_assert_int_eq(archive_write_open_memory(a, tar, sizeof tar, &used), ARCHIVE_OK);
  for (size_t i = 0; i < count; i++)
    add_entry(a, &entries[i]);
  ck_assert_int_eq(archive_write_close(a), ARCHIVE_OK);
  archive_write_free(a);
  for (size_t i = 0; i < count; i++) {
    if (entries[i].says)
      lie(tar + at, entries[i].says);
    at += 512 + (entries[i].size + 511) / 512 * 512;
  }
  gzFile file = gzopen(support_path(name), "wb");
  ck_assert_int_eq(gzwrite(file, tar, (unsigned)used), (int)used);
  ck_assert_int_eq(gzclose(file), Z_OK);
}

/* A .npy of uint8, 128 bytes of header. */
static size_t make_npy(uint8_t *to, const char *shape, const void *bytes, size_t size) {
  char header[129];
  int length = snprintf(header, sizeof header, "\x93NUMPY\x01%cv%c{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }",
                        0, 0, shape);
  memset(header + length, ' ', sizeof header - (size_t)length);
  header[127] = '\n';
  memcpy(to, header, 128);
  memcpy(to + 128, bytes, size);
  return 128 + size;
}

typedef struct arrays {
  uint8_t pixels[COUNT * AREA], labels[COUNT];
  uint8_t images[128 + COUNT * AREA], classes[128 + COUNT];
  entry images_entry, classes_entry;
} arrays;

/* `values` apart from each other by `seed`, so that two splits differ. */
static void make_arrays(arrays *a, int seed, const char *images, const char *labels) {
  for (int i = 0; i < COUNT * AREA; i++)
    a->pixels[i] = (uint8_t)(i * 7 + seed);
  for (int i = 0; i < COUNT; i++)
    a->labels[i] = (uint8_t)((i + seed) % 3);
  a->images_entry = (entry){images, a->images, make_npy(a->images, "4, 8, 8", a->pixels, sizeof a->pixels), 0};
  a->classes_entry = (entry){labels, a->classes, make_npy(a->classes, "4, 1", a->labels, sizeof a->labels), 0};
}

static void check_arrays(const iscp_dataset *dataset, const arrays *a) {
  ck_assert_int_eq(iscp_dataset_count(dataset), COUNT);
  for (int i = 0; i < COUNT; i++) {
    float image[3 * AREA];
    ASSERT_OK(iscp_dataset_image(dataset, i, image));
    for (int v = 0; v < 3 * AREA; v++)
      ck_assert(image[v] == (float)a->pixels[i * AREA + v % AREA] / 255);
    ck_assert_int_eq(iscp_dataset_label(dataset, i), a->labels[i]);
  }
}

static void open_arrays(iscp_context *context, const char *name, const iscp_dataset_options *options, const arrays *a) {
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path(name), options));
  check_arrays(dataset, a);
  iscp_dataset_destroy(dataset);
}

/* ---- .npz ---- */

START_TEST(npz_by_the_names_that_people_use) {
  static const char *const names[][2] = {
      {"images.npy", "labels.npy"}, {"x.npy", "y.npy"},           {"data.npy", "labels.npy"}, {"data.npy", "targets.npy"},
      {"X.npy", "Y.npy"},           {"image.npy", "label.npy"},   {"arr_0.npy", "arr_1.npy"}, {"x_test.npy", "y_test.npy"},
      {"test_images.npy", "test_labels.npy"}, {"X_test.npy", "Y_test.npy"}, {"val_images.npy", "val_labels.npy"},
      {"x_validation.npy", "y_validation.npy"},
  };
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  arrays a;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    make_arrays(&a, (int)i, names[i][0], names[i][1]);
    write_zip("names.npz", i % 2, (entry[]){a.classes_entry, a.images_entry, {"note.txt", "x", 1, 0}}, 3);
    open_arrays(context, "names.npz", &options, &a);
  }
  support_context_end(context);
}
END_TEST

START_TEST(npz_of_splits) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  arrays train, test;
  make_arrays(&train, 1, "x_train.npy", "y_train.npy");
  make_arrays(&test, 2, "x_test.npy", "y_test.npy");
  const entry all[] = {train.images_entry, train.classes_entry, test.images_entry, test.classes_entry};
  write_zip("keras", true, all, 4); /* the content tells what it is, not the name */
  open_arrays(context, "keras", &options, &test);
  options.split = "train";
  open_arrays(context, "keras", &options, &train);
  options.split = "val";
  refused(context, "keras", &options, ISCP_ERROR_FORMAT, "x_train (4x8x8)");
  options.split = NULL;
  write_zip("keras", true, all, 2);
  refused(context, "keras", &options, ISCP_ERROR_IO, "no split \"test\", only \"train\"");
  options.labels = "y.npy";
  refused(context, "keras", &options, ISCP_ERROR_ARGUMENT, "holds its own");
  options.labels = NULL;
  make_arrays(&train, 1, "x.npy", "y.npy");
  write_zip("keras", true, (entry[]){train.images_entry, train.classes_entry}, 2);
  options.split = "test";
  refused(context, "keras", &options, ISCP_ERROR_IO, "no arrays of the split \"test\"");
  support_context_end(context);
}
END_TEST

START_TEST(npz_files_that_are_refused) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  arrays a;
  uint8_t huge[128 + 8];
  make_arrays(&a, 0, "x.npy", "y.npy");
  write_zip("bad.npz", false, (entry[]){a.images_entry}, 1);
  refused(context, "bad.npz", &options, ISCP_ERROR_FORMAT, "no images with labels among its arrays x (4x8x8)");
  write_zip("bad.npz", false, (entry[]){a.images_entry, a.classes_entry, a.images_entry}, 3);
  refused(context, "bad.npz", &options, ISCP_ERROR_FORMAT, "two arrays \"x\"");
  write_zip("bad.npz", false, (entry[]){a.images_entry, {"../y.npy", "x", 1, 0}}, 2);
  refused(context, "bad.npz", &options, ISCP_ERROR_FORMAT, "points out of the archive");
  write_zip("bad.npz", false, (entry[]){a.images_entry, {"y.npy", "no array", 8, 0}}, 2);
  refused(context, "bad.npz", &options, ISCP_ERROR_FORMAT, "y: is not an array");
  make_npy(huge, "4, 50000, 50000", "12345678", 8); /* 10 GB by the header, 8 bytes in the entry */
  write_zip("bad.npz", true, (entry[]){{"x.npy", huge, sizeof huge, 0}, a.classes_entry}, 2);
  refused(context, "bad.npz", &options, ISCP_ERROR_FORMAT, "x: has 8 bytes of numbers, expected 10000000000");
  make_npy(huge, "4, 8, 8", "12345678", 8);
  write_zip("bad.npz", true, (entry[]){{"x.npy", huge, sizeof huge, 0}, a.classes_entry}, 2);
  refused(context, "bad.npz", &options, ISCP_ERROR_FORMAT, "x: has 8 bytes of numbers, expected 256");
  set_contract.height = 9;
  write_zip("bad.npz", false, (entry[]){a.images_entry, a.classes_entry}, 2);
  refused(context, "bad.npz", &options, ISCP_ERROR_MISMATCH, "x: a picture of 8x8");
  ck_assert_int_eq(truncate(support_path("bad.npz"), 400), 0);
  refused(context, "bad.npz", &options, ISCP_ERROR_FORMAT, "truncated");
  support_context_end(context);
}
END_TEST

/* ---- CIFAR ---- */

static const char ten[] = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";

/* `records` records of a class that rises from `first` on; each picture's planes are 10, 20, 30 plus the class. */
static void make_records(uint8_t *to, int records, size_t labels, int first) {
  for (int r = 0; r < records; r++) {
    uint8_t *record = to + (size_t)r * (labels + CIFAR);
    memset(record, 0xee, labels); /* the coarse label of CIFAR-100, not used */
    record[labels - 1] = (uint8_t)(first + r);
    for (int v = 0; v < CIFAR; v++)
      record[labels + (size_t)v] = (uint8_t)((v / 1024 + 1) * 10 + first + r);
  }
}

static void check_records(const iscp_dataset *dataset, int records, int first, int classes) {
  ck_assert_int_eq(iscp_dataset_count(dataset), records);
  ck_assert_int_eq(iscp_dataset_classes(dataset), classes);
  for (int r = 0; r < records; r++) {
    float image[CIFAR];
    ck_assert_int_eq(iscp_dataset_label(dataset, r), first + r);
    ASSERT_OK(iscp_dataset_image(dataset, r, image));
    for (int v = 0; v < CIFAR; v++)
      ck_assert(image[v] == (float)((v / 1024 + 1) * 10 + first + r) / 255);
  }
}

static void open_records(iscp_context *context, const char *name, const iscp_dataset_options *options, int records,
                         int first, int classes, const char *first_name) {
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path(name), options));
  check_records(dataset, records, first, classes);
  if (first_name)
    ck_assert_str_eq(iscp_dataset_class_name(dataset, 0), first_name);
  else
    ck_assert_ptr_null(iscp_dataset_class_name(dataset, 0));
  iscp_dataset_destroy(dataset);
}

/* Two training files of two records each, and a test file of three; the last three fields are for the archive. */
typedef struct cifar {
  uint8_t test[3 * RECORD], first[2 * RECORD], second[2 * RECORD];
  entry entries[4];
} cifar;

static void make_cifar(cifar *c) {
  make_records(c->test, 3, 1, 4);
  make_records(c->first, 2, 1, 0);
  make_records(c->second, 2, 1, 2);
  c->entries[0] = (entry){"cifar-10-batches-bin/data_batch_2.bin", c->second, sizeof c->second, 0};
  c->entries[1] = (entry){"cifar-10-batches-bin/batches.meta.txt", ten, strlen(ten), 0};
  c->entries[2] = (entry){"./cifar-10-batches-bin/data_batch_1.bin", c->first, sizeof c->first, 0};
  c->entries[3] = (entry){"cifar-10-batches-bin/test_batch.bin", c->test, sizeof c->test, 0};
}

START_TEST(cifar10_as_directory) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(32);
  cifar c;
  make_cifar(&c);
  ck_assert_int_eq(mkdir(support_path("c10"), 0777), 0);
  ck_assert_int_eq(mkdir(support_path("c10/cifar-10-batches-bin"), 0777), 0);
  support_write(support_path("c10/cifar-10-batches-bin/data_batch_1.bin"), c.first, sizeof c.first);
  support_write(support_path("c10/cifar-10-batches-bin/data_batch_2.bin"), c.second, sizeof c.second);
  refused(context, "c10", &options, ISCP_ERROR_IO, "no split \"test\", only \"train\"");
  support_write(support_path("c10/cifar-10-batches-bin/test_batch.bin"), c.test, sizeof c.test);
  open_records(context, "c10", &options, 3, 4, 10, NULL);
  support_write(support_path("c10/cifar-10-batches-bin/batches.meta.txt"), ten, strlen(ten));
  open_records(context, "c10/cifar-10-batches-bin", &options, 3, 4, 10, "airplane");
  options.split = "train";
  open_records(context, "c10", &options, 4, 0, 10, "airplane");
  options.split = "val";
  refused(context, "c10", &options, ISCP_ERROR_IO, "no split \"val\"");
  options.split = NULL;
  options.labels = "y.csv";
  refused(context, "c10", &options, ISCP_ERROR_ARGUMENT, "holds its own");
  options.labels = NULL;
  support_write(support_path("c10/cifar-10-batches-bin/test_batch.bin"), c.test, sizeof c.test - 1);
  refused(context, "c10", &options, ISCP_ERROR_FORMAT, "test_batch.bin has 9218 bytes, expected 1 to 65536 records of 3073");
  c.test[RECORD] = 10;
  support_write(support_path("c10/cifar-10-batches-bin/test_batch.bin"), c.test, sizeof c.test);
  refused(context, "c10", &options, ISCP_ERROR_MISMATCH, "label 10 at index 1, expected 0 to 9");
  support_context_end(context);
}
END_TEST

START_TEST(cifar100_has_fine_labels) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(32);
  uint8_t records[2 * RECORD100];
  make_records(records, 2, 2, 57);
  ck_assert_int_eq(mkdir(support_path("c100"), 0777), 0);
  support_write(support_path("c100/test.bin"), records, sizeof records);
  open_records(context, "c100", &options, 2, 57, 100, NULL);
  write_tar("c100.tgz", (entry[]){{"cifar-100-binary/test.bin", records, sizeof records, 0}}, 1);
  open_records(context, "c100.tgz", &options, 2, 57, 100, NULL);
  support_context_end(context);
}
END_TEST

START_TEST(cifar10_as_published) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(32);
  cifar c;
  make_cifar(&c);
  write_tar("c.tar.gz", c.entries, 4);
  open_records(context, "c.tar.gz", &options, 3, 4, 10, "airplane");
  options.split = "train";
  open_records(context, "c.tar.gz", &options, 4, 0, 10, "airplane");
  write_tar("c.tar.gz", c.entries + 3, 1);
  refused(context, "c.tar.gz", &options, ISCP_ERROR_IO, "no files of the split \"train\"");
  support_context_end(context);
}
END_TEST

START_TEST(archives_that_are_refused) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(32);
  cifar c;
  make_cifar(&c);
  const entry *test = &c.entries[3];
  const entry cases[][2] = {
      {*test, *test},
      {{"cifar-10-batches-bin/test_batch.bin", c.test, 100, 0}, *test},
      {*test, {"../x", "x", 1, 0}},
      {*test, {"cifar-100-binary/test.bin", c.test, RECORD100, 0}},
      {{"cifar-10-batches-py/test_batch", "x", 1, 0}, *test},
      {{"cifar-10-batches-bin/huge", "x", 1, ((int64_t)8 << 30) - 1}, *test},
      {{"cifar-10-batches-bin/test_batch.bin", "x", 1, 60000LL * RECORD}, *test},
  };
  static const char *const words[] = {"two entries test_batch.bin", "100 bytes", "points out of the archive",
                                      "both CIFAR-10 and CIFAR-100", "Python edition", "8589934591 bytes",
                                      "more than"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    write_tar("bad.tar.gz", cases[i], 2);
    refused(context, "bad.tar.gz", &options, i == 4 ? ISCP_ERROR_UNSUPPORTED : ISCP_ERROR_FORMAT, words[i]);
  }
  write_tar("bad.tar.gz", (entry[]){{"other/file", "x", 1, 0}}, 1);
  refused(context, "bad.tar.gz", &options, ISCP_ERROR_FORMAT, "has no folder cifar-10-batches-bin");
  write_tar("bad.tar.gz", c.entries, 4);
  struct stat state;
  ck_assert_int_eq(stat(support_path("bad.tar.gz"), &state), 0);
  ck_assert_int_eq(truncate(support_path("bad.tar.gz"), state.st_size - 40), 0);
  refused(context, "bad.tar.gz", &options, ISCP_ERROR_FORMAT, "truncated");
  support_context_end(context);
}
END_TEST

START_TEST(the_python_edition_is_named) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(32);
  ck_assert_int_eq(mkdir(support_path("py"), 0777), 0);
  ck_assert_int_eq(mkdir(support_path("py/cifar-10-batches-py"), 0777), 0);
  refused(context, "py", &options, ISCP_ERROR_UNSUPPORTED, "Python edition");
  support_write(support_path("py/cifar-10-batches-py/batches.meta"), "x", 1);
  support_write(support_path("py/cifar-10-batches-py/test_batch"), "x", 1);
  refused(context, "py/cifar-10-batches-py", &options, ISCP_ERROR_UNSUPPORTED, "iscp.convert_cifar");
  ck_assert_int_eq(mkdir(support_path("py100"), 0777), 0);
  support_write(support_path("py100/meta"), "x", 1);
  support_write(support_path("py100/train"), "x", 1);
  refused(context, "py100", &options, ISCP_ERROR_UNSUPPORTED, "Python edition");
  support_context_end(context);
}
END_TEST

/* ---- Arrays that stay in their file ---- */

static void write_npy(const iscp_context *context, const char *name, int32_t dims, const int64_t *shape, void *data) {
  isc_tensor array = {.dtype = ISC_U8, .dims = dims, .data = data};
  memcpy(array.shape, shape, (size_t)dims * sizeof *shape);
  ASSERT_OK(isc_write_npy(&array, context, support_path(name)));
}

START_TEST(large_arrays_are_read_picture_by_picture) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  arrays a;
  make_arrays(&a, 3, "", "");
  write_npy(context, "large.npy", 3, (int64_t[]){COUNT, SIDE, SIDE}, a.pixels);
  write_npy(context, "large-labels.npy", 1, (int64_t[]){COUNT}, a.labels);
  uint8_t idx[16 + sizeof a.pixels] = {0, 0, 8, 3, 0, 0, 0, COUNT, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
  memcpy(idx + 16, a.pixels, sizeof a.pixels);
  support_write(support_path("l-images-idx3"), idx, sizeof idx);
  uint8_t labels[8 + COUNT] = {0, 0, 8, 1, 0, 0, 0, COUNT};
  memcpy(labels + 8, a.labels, COUNT);
  support_write(support_path("l-labels-idx1"), labels, sizeof labels);
  iscp_dataset *whole, *lazy;
  ASSERT_OK(iscp_dataset_open(&whole, context, support_path("large.npy"), &options));
  for (int i = 0; i < 4; i++) {
    options.memory = i < 2 ? 10 : -1;
    ASSERT_OK(iscp_dataset_open(&lazy, context, support_path(i % 2 ? "l-images-idx3" : "large.npy"), &options));
    check_arrays(lazy, &a);
    ck_assert_str_eq(iscp_dataset_hash(lazy), iscp_dataset_hash(whole));
    iscp_dataset_destroy(lazy);
  }
  /* A file that becomes shorter is an error where it is met, not before. */
  ASSERT_OK(iscp_dataset_open(&lazy, context, support_path("large.npy"), &options));
  ck_assert_int_eq(truncate(support_path("large.npy"), 128 + AREA), 0);
  float image[3 * AREA];
  ASSERT_OK(iscp_dataset_image(lazy, 0, image));
  support_failed(iscp_dataset_image(lazy, 2, image), ISCP_ERROR_IO, "large.npy: became shorter");
  ck_assert_ptr_null(iscp_dataset_hash(lazy));
  support_failed(ISCP_ERROR_IO, ISCP_ERROR_IO, "large.npy");
  iscp_dataset_destroy(lazy);
  iscp_dataset_destroy(whole);
  support_context_end(context);
}
END_TEST

/* 20 GB that are not there but for a hole: opened and read in a moment, within little memory. */
START_TEST(an_array_larger_than_memory) {
  enum { SIDE_224 = 224 };
  const int64_t images = 133000, bytes = images * 3 * SIDE_224 * SIDE_224;
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE_224);
  uint8_t header[128], *labels = isc_calloc(context, (size_t)images, 1);
  make_npy(header, "133000, 224, 224, 3", "", 0);
  support_write(support_path("holes.npy"), header, sizeof header);
  ck_assert_int_eq(truncate(support_path("holes.npy"), 128 + bytes), 0);
  write_npy(context, "holes-labels.npy", 1, &images, labels);
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("holes.npy"), &options));
  ck_assert_int_eq(iscp_dataset_count(dataset), images);
  float *image = isc_alloc(context, 3 * SIDE_224 * SIDE_224 * sizeof *image);
  isc_dataset_expect(dataset, (int64_t[]){images - 2, images - 1}, 2);
  for (int64_t i = images - 3; i < images; i++) {
    image[7] = 1;
    ASSERT_OK(iscp_dataset_image(dataset, i, image));
    ck_assert(image[7] == 0);
  }
  isc_free(context, image);
  isc_free(context, labels);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

/* ---- Memory ---- */

static void fail_each(const char *name, int side, const char *split) {
  iscp_dataset_options options = set_options(side);
  options.split = split;
  options.memory = 10;
  set_opens_without_memory(support_path(name), &options, 6);
}

START_TEST(each_allocation_may_fail) {
  iscp_context *context = support_context();
  arrays a;
  cifar c;
  make_arrays(&a, 1, "x.npy", "y.npy");
  make_cifar(&c);
  write_zip("m.npz", true, (entry[]){a.images_entry, a.classes_entry}, 2);
  write_tar("m.tar.gz", c.entries, 4);
  write_npy(context, "m.npy", 3, (int64_t[]){COUNT, SIDE, SIDE}, a.pixels);
  write_npy(context, "m-labels.npy", 1, (int64_t[]){COUNT}, a.labels);
  ck_assert_int_eq(mkdir(support_path("m"), 0777), 0);
  support_write(support_path("m/test_batch.bin"), c.test, sizeof c.test);
  support_write(support_path("m/batches.meta.txt"), ten, strlen(ten));
  support_context_end(context);
  fail_each("m.npz", SIDE, NULL);
  fail_each("m.npy", SIDE, NULL);
  fail_each("m.tar.gz", 32, "train");
  fail_each("m", 32, NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sets");
  TCase *all = tcase_create("sets");
  tcase_add_test(all, npz_by_the_names_that_people_use);
  tcase_add_test(all, npz_of_splits);
  tcase_add_test(all, npz_files_that_are_refused);
  tcase_add_test(all, cifar10_as_directory);
  tcase_add_test(all, cifar100_has_fine_labels);
  tcase_add_test(all, cifar10_as_published);
  tcase_add_test(all, archives_that_are_refused);
  tcase_add_test(all, the_python_edition_is_named);
  tcase_add_test(all, large_arrays_are_read_picture_by_picture);
  tcase_add_test(all, an_array_larger_than_memory);
  tcase_add_test(all, each_allocation_may_fail);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
