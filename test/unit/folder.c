/* lib/data: datasets of class folders. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/data.h"
#include "format/format.h"
#include "sets_common.h"
#include "support.h"

enum { SIDE = 8, AREA = SIDE * SIDE, IMAGE = 3 * AREA };

static void make_folder(const char *name) { ck_assert_int_eq(mkdir(support_path(name), 0777), 0); }

/* A picture whose values are all `value`. */
static void write_picture(const iscp_context *context, const char *name, int64_t side, int value) {
  uint8_t pixels[16 * 16 * 3];
  memset(pixels, value, sizeof pixels);
  isc_tensor picture = {.dtype = ISC_U8, .dims = 3, .shape = {side, side, value % 2 ? 3 : 1}, .data = pixels};
  ASSERT_OK(isc_write_png(&picture, context, support_path(name)));
}

/* Two classes: "B" (byte order puts it first) with 1.png, 2.PNG; "a" with 0.png, 3.png, and things left about. */
static const int32_t tree_labels[] = {0, 0, 1, 1};
static const int tree_values[] = {10, 21, 30, 41};

static void write_tree(const iscp_context *context, const char *root) {
  static const char *const folders[] = {"", "/a", "/B", "/B/inner", "/.cache"};
  static const char *const pictures[] = {"/B/1.png", "/B/2.PNG", "/a/0.png", "/a/3.png"};
  char name[128];
  for (int i = 0; i < 5; i++) {
    snprintf(name, sizeof name, "%s%s", root, folders[i]);
    make_folder(name);
  }
  for (int i = 0; i < 4; i++) {
    snprintf(name, sizeof name, "%s%s", root, pictures[i]);
    write_picture(context, name, SIDE, tree_values[i]);
  }
  snprintf(name, sizeof name, "%s/a/notes.txt", root);
  support_write(support_path(name), "x", 1);
  snprintf(name, sizeof name, "%s/README", root);
  support_write(support_path(name), "x", 1);
  snprintf(name, sizeof name, "%s/a/._0.png", root);
  support_write(support_path(name), "x", 1);
}

static void check_tree(const iscp_dataset *dataset, int64_t count) {
  ck_assert_int_eq(iscp_dataset_count(dataset), count);
  ck_assert_int_eq(iscp_dataset_classes(dataset), 2);
  ck_assert_str_eq(iscp_dataset_class_name(dataset, 0), "B");
  ck_assert_str_eq(iscp_dataset_class_name(dataset, 1), "a");
  ck_assert_ptr_null(iscp_dataset_class_name(dataset, 2));
  ck_assert_ptr_null(iscp_dataset_class_name(dataset, -1));
  for (int64_t i = 0; i < count; i++) {
    float image[IMAGE];
    ck_assert_int_eq(iscp_dataset_label(dataset, i), tree_labels[i]);
    ASSERT_OK(iscp_dataset_image(dataset, i, image));
    for (int v = 0; v < IMAGE; v++)
      ck_assert(image[v] == (float)tree_values[i] / 255);
  }
}

START_TEST(classes_and_files_in_byte_order) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_tree(context, "tree");
  iscp_dataset *dataset, *same;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("tree"), &options));
  check_tree(dataset, 4);
  ASSERT_OK(iscp_dataset_open(&same, context, support_path("tree/"), &options));
  ck_assert_uint_eq(strlen(iscp_dataset_hash(same)), 64);
  ck_assert_str_eq(iscp_dataset_hash(same), iscp_dataset_hash(dataset));
  iscp_dataset_destroy(same);
  options.limit = 3;
  options.classes = 2;
  ASSERT_OK(iscp_dataset_open(&same, context, support_path("tree"), &options));
  check_tree(same, 3);
  ck_assert_str_ne(iscp_dataset_hash(same), iscp_dataset_hash(dataset));
  iscp_dataset_destroy(same);
  options = set_options(SIDE);
  write_picture(context, "tree/a/3.png", SIDE, 43);
  ASSERT_OK(iscp_dataset_open(&same, context, support_path("tree"), &options));
  ck_assert_str_ne(iscp_dataset_hash(same), iscp_dataset_hash(dataset));
  iscp_dataset_destroy(same);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

typedef struct lines {
  char text[1024];
} lines;

static void keep_lines(int32_t level, const char *message, void *user) {
  lines *log = user;
  ck_assert_int_eq(level, ISCP_LOG_INFO);
  strncat(log->text, message, sizeof log->text - strlen(log->text) - 2);
  strcat(log->text, "\n");
}

START_TEST(what_is_left_out_is_logged) {
  lines log = {""};
  iscp_context_options context_options;
  ASSERT_OK(iscp_context_options_init(&context_options, sizeof context_options));
  context_options.log = keep_lines;
  context_options.log_user = &log;
  context_options.log_level = ISCP_LOG_INFO;
  iscp_context *context;
  ASSERT_OK(iscp_context_create(&context, &context_options));
  iscp_dataset_options options = set_options(SIDE);
  write_tree(context, "logged");
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("logged"), &options));
  static const char *const strays[] = {"logged/README", "logged/.cache", "B/inner", "a/notes.txt", "a/._0.png"};
  for (int i = 0; i < 5; i++)
    ck_assert_msg(strstr(log.text, strays[i]) != NULL, "%s is not in %s", strays[i], log.text);
  iscp_dataset_destroy(dataset);
  iscp_context_destroy(context);
}
END_TEST

START_TEST(splits_of_class_folders) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  make_folder("splits");
  write_tree(context, "splits/train");
  set_refused(context, support_path("splits"), &options, ISCP_ERROR_IO, "no split \"test\", only \"train\"");
  iscp_dataset *dataset;
  options.split = "train";
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("splits"), &options));
  check_tree(dataset, 4);
  iscp_dataset_destroy(dataset);
  write_tree(context, "splits/test");
  write_picture(context, "splits/test/a/4.png", SIDE, 50);
  options.split = NULL;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("splits"), &options));
  ck_assert_int_eq(iscp_dataset_count(dataset), 5);
  iscp_dataset_destroy(dataset);
  write_tree(context, "whole");
  options.split = "test";
  set_refused(context, support_path("whole"), &options, ISCP_ERROR_IO, "no folder \"test\"");
  support_context_end(context);
}
END_TEST

START_TEST(a_class_may_be_called_train) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  make_folder("vehicles");
  make_folder("vehicles/bus");
  make_folder("vehicles/train");
  make_folder("vehicles/train/.ipynb_checkpoints"); /* hidden, and no class of a split */
  write_picture(context, "vehicles/bus/1.png", SIDE, 1);
  write_picture(context, "vehicles/train/1.png", SIDE, 2);
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("vehicles"), &options));
  ck_assert_str_eq(iscp_dataset_class_name(dataset, 1), "train");
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(folders_that_are_refused) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  set_refused(context, support_path("nowhere"), &options, ISCP_ERROR_IO, "nowhere");
  make_folder("bad");
  set_refused(context, support_path("bad"), &options, ISCP_ERROR_FORMAT, "bad: no class folder");
  write_picture(context, "bad/1.png", SIDE, 1);
  set_refused(context, support_path("bad"), &options, ISCP_ERROR_FORMAT, "bad: no class folder");
  make_folder("bad/empty");
  set_refused(context, support_path("bad"), &options, ISCP_ERROR_FORMAT, "bad/empty: none of its 0 entries");
  support_write(support_path("bad/empty/1.gif"), "x", 1);
  set_refused(context, support_path("bad"), &options, ISCP_ERROR_FORMAT, "none of its 1 entries is a picture");
  write_picture(context, "bad/empty/2.png", SIDE, 1);
  options.classes = 3;
  set_refused(context, support_path("bad"), &options, ISCP_ERROR_MISMATCH, "1 class folders, expected 3");
  options.classes = 0;
  options.labels = "labels.npy";
  set_refused(context, support_path("bad"), &options, ISCP_ERROR_ARGUMENT, "labels.npy");
  options.labels = NULL;
  write_picture(context, "bad/empty/2.png", SIDE + 1, 1);
  set_refused(context, support_path("bad"), &options, ISCP_ERROR_MISMATCH, "2.png: a picture of 9x9");
  support_write(support_path("bad/empty/2.png"), "not a picture", 13);
  set_refused(context, support_path("bad"), &options, ISCP_ERROR_FORMAT, "2.png");
  support_context_end(context);
}
END_TEST

START_TEST(a_broken_picture_is_named_when_reached) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_tree(context, "broken");
  support_write(support_path("broken/B/2.PNG"), "\x89PNG\r\n\x1a\n", 8);
  write_picture(context, "broken/a/0.png", SIDE + 1, 9);
  iscp_dataset *dataset;
  options.memory = -1; /* nothing is kept, so that each access decodes */
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("broken"), &options));
  float image[IMAGE];
  ASSERT_OK(iscp_dataset_image(dataset, 0, image));
  support_failed(iscp_dataset_image(dataset, 1, image), ISCP_ERROR_FORMAT, "broken/B/2.PNG: ");
  support_failed(iscp_dataset_image(dataset, 2, image), ISCP_ERROR_MISMATCH, "broken/a/0.png: a picture of 9x9");
  ASSERT_OK(iscp_dataset_image(dataset, 3, image));
  ck_assert_int_eq(unlink(support_path("broken/a/3.png")), 0);
  support_failed(iscp_dataset_image(dataset, 3, image), ISCP_ERROR_IO, "broken/a/3.png");
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(threads_may_read_at_once) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_tree(context, "shared");
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("shared"), &options));
  int wrong = 0;
#pragma omp parallel for num_threads(4) reduction(+ : wrong)
  for (int i = 0; i < 64; i++) {
    float image[IMAGE];
    iscp_status status = iscp_dataset_image(dataset, i % 5, image);
    if (i % 5 == 4)
      wrong += status != ISCP_ERROR_ARGUMENT;
    else
      wrong += status != ISCP_OK || image[IMAGE - 1] != (float)tree_values[i % 5] / 255;
  }
  ck_assert_int_eq(wrong, 0);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(each_allocation_may_fail) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  make_folder("failing");
  write_tree(context, "failing/test");
  support_context_end(context);
  set_opens_without_memory(support_path("failing"), &options, 20);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("folder");
  TCase *all = tcase_create("folder");
  tcase_add_test(all, classes_and_files_in_byte_order);
  tcase_add_test(all, what_is_left_out_is_logged);
  tcase_add_test(all, splits_of_class_folders);
  tcase_add_test(all, a_class_may_be_called_train);
  tcase_add_test(all, folders_that_are_refused);
  tcase_add_test(all, a_broken_picture_is_named_when_reached);
  tcase_add_test(all, threads_may_read_at_once);
  tcase_add_test(all, each_allocation_may_fail);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
