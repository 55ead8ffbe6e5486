/* lib/data: pictures with a table of labels, and broken pictures. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/data.h"
#include "format/format.h"
#include "sets_common.h"
#include "support.h"

enum { SIDE = 8, AREA = SIDE * SIDE, IMAGE = 3 * AREA };

static void write_picture(const iscp_context *context, const char *name, int value) {
  uint8_t pixels[AREA];
  memset(pixels, value, sizeof pixels);
  isc_tensor picture = {.dtype = ISC_U8, .dims = 3, .shape = {SIDE, SIDE, 1}, .data = pixels};
  ASSERT_OK(isc_write_png(&picture, context, support_path(name)));
}

static void write_text(const char *name, const char *text) { support_write(support_path(name), text, strlen(text)); }

/* flat/0.png to flat/3.png, of the values 0 to 3. */
static void write_flat(const iscp_context *context, const char *folder) {
  char name[64];
  ck_assert_int_eq(mkdir(support_path(folder), 0777), 0);
  for (int i = 0; i < 4; i++) {
    snprintf(name, sizeof name, "%s/%d.png", folder, i);
    write_picture(context, name, i);
  }
}

/* The values and labels of the images, in order. */
static void check(const iscp_dataset *dataset, int count, const int *values, const int *labels) {
  ck_assert_int_eq(iscp_dataset_count(dataset), count);
  for (int i = 0; i < count; i++) {
    float image[IMAGE];
    ASSERT_OK(iscp_dataset_image(dataset, i, image));
    ck_assert(image[0] == (float)values[i] / 255);
    ck_assert_int_eq(iscp_dataset_label(dataset, i), labels[i]);
  }
}

static void open_and_check(iscp_context *context, const char *name, const iscp_dataset_options *options, int count,
                           const int *values, const int *labels) {
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path(name), options));
  check(dataset, count, values, labels);
  iscp_dataset_destroy(dataset);
}

#define THREE (int[]){2, 0, 3}

START_TEST(tables_of_many_writers) {
  static const char *const tables[] = {
      "file,label\n2.png,1\n0.png,0\n3.png,4\n",
      "2.png,1\n0.png,0\n3.png,4\n",
      "\357\273\277file,label\r\n2.png,1\r\n0.png,0\r\n3.png,4\r\n",
      "file;label\n2.png;1\n0.png;0\n3.png;4",
      "file\tlabel\r2.png\t1\r0.png\t0\r3.png\t4\r",
      "index,Target,Image_ID,note\n0,1,2,\"a, \"\"b\"\"\"\n1,0,0,\n\n2,4,3,\"two\nlines\"\n",
      "what,ever\n2,1\n0,0\n3,4\n",
      "label,x\n1,2.png\n0,0\n4,3\n",
      "\"file\",\"label\"\n\"2.png\",\"1\"\n\" 0.png \", 0\n./3.png,4 \n",
      "path,category\ntables/2.png,1\ntables/0.png,0\ntables/3.png,4\n",
  };
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_flat(context, "tables");
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    write_text("tables/labels.csv", tables[i]);
    open_and_check(context, "tables", &options, 3, THREE, (int[]){1, 0, 4});
    open_and_check(context, "tables/labels.csv", &options, 3, THREE, (int[]){1, 0, 4});
  }
  support_context_end(context);
}
END_TEST

/* The first line may name a picture that is missing, and a table with a column a class has no column of labels. */
START_TEST(what_the_first_line_is) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_flat(context, "first");
  write_text("first/labels.csv", "9.png,2\n0.png,1\n1.png,0\n");
  set_refused(context, support_path("first"), &options, ISCP_ERROR_IO, "line 1 lists \"9.png\"");
  write_text("first/labels.csv", "image,cat,dog\n0,1,0\n1,0,1\n");
  set_refused(context, support_path("first"), &options, ISCP_ERROR_FORMAT, "none of its 3 columns is called label");
  write_text("first/labels.csv", "bild,katze,hund\n0,1,0\n1,0,1\n");
  set_refused(context, support_path("first"), &options, ISCP_ERROR_FORMAT, "none of its 3 columns is called label");
  write_text("first/labels.csv", "bild,klasse\n0,1\n1,0\n");
  open_and_check(context, "first", &options, 2, (int[]){0, 1}, (int[]){1, 0});
  support_context_end(context);
}
END_TEST

START_TEST(classes_by_name_are_in_byte_order) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_flat(context, "named");
  write_text("named/labels.csv", "id,class\n2,dog\n0,Cat\n3,dog\n1,\"a, b\"\n");
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("named"), &options));
  check(dataset, 4, (int[]){2, 0, 3, 1}, (int[]){2, 0, 2, 1});
  ck_assert_int_eq(iscp_dataset_classes(dataset), 3);
  ck_assert_str_eq(iscp_dataset_class_name(dataset, 0), "Cat");
  ck_assert_str_eq(iscp_dataset_class_name(dataset, 1), "a, b");
  ck_assert_str_eq(iscp_dataset_class_name(dataset, 2), "dog");
  iscp_dataset_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_dataset_get_info(dataset, &info));
  ck_assert_str_eq(info.kind, "listed pictures");
  iscp_dataset_destroy(dataset);
  options.classes = 4;
  set_refused(context, support_path("named"), &options, ISCP_ERROR_MISMATCH, "3 different labels, expected 4");
  options.classes = 3;
  options.limit = 2;
  open_and_check(context, "named", &options, 2, (int[]){2, 0}, (int[]){2, 0});
  support_context_end(context);
}
END_TEST

START_TEST(where_the_table_is_found) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_flat(context, "found");
  set_refused(context, support_path("found"), &options, ISCP_ERROR_FORMAT, "nor a table of labels");
  write_text("found.csv", "2,1\n");
  open_and_check(context, "found", &options, 1, (int[]){2}, (int[]){1});
  open_and_check(context, "found/", &options, 1, (int[]){2}, (int[]){1});
  write_text("found/any.tsv", "1\t3\n");
  open_and_check(context, "found", &options, 1, (int[]){1}, (int[]){3});
  write_text("found/more.csv", "0,2\n");
  open_and_check(context, "found", &options, 1, (int[]){2}, (int[]){1}); /* two tables in it: neither */
  write_text("found/labels.csv", "3,5\n");
  open_and_check(context, "found", &options, 1, (int[]){3}, (int[]){5});
  options.labels = support_path("found/more.csv");
  open_and_check(context, "found", &options, 1, (int[]){0}, (int[]){2});
  options.labels = "labels.npy";
  set_refused(context, support_path("found"), &options, ISCP_ERROR_ARGUMENT, "expected a table");
  options.labels = support_path("none.csv");
  set_refused(context, support_path("found"), &options, ISCP_ERROR_IO, "none.csv");
  support_context_end(context);
}
END_TEST

START_TEST(pictures_below_and_splits) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  ck_assert_int_eq(mkdir(support_path("deep"), 0777), 0);
  write_flat(context, "deep/train");
  write_flat(context, "deep/valid");
  write_text("deep/all.csv", "file,label\ntrain/1.png,1\nvalid/2,0\n");
  options.labels = support_path("deep/all.csv");
  open_and_check(context, "deep", &options, 2, (int[]){1, 2}, (int[]){1, 0});
  options.labels = NULL;
  write_text("deep/train/labels.csv", "3,1\n");
  set_refused(context, support_path("deep"), &options, ISCP_ERROR_IO, "no split \"test\", only \"train\"");
  write_text("deep/valid/labels.csv", "0,1\n");
  open_and_check(context, "deep", &options, 1, (int[]){0}, (int[]){1});
  options.split = "val";
  open_and_check(context, "deep", &options, 1, (int[]){0}, (int[]){1});
  options.split = "train";
  open_and_check(context, "deep", &options, 1, (int[]){3}, (int[]){1});
  options.split = "exam";
  set_refused(context, support_path("deep"), &options, ISCP_ERROR_ARGUMENT, "split is \"exam\"");
  support_context_end(context);
}
END_TEST

START_TEST(tables_that_are_refused) {
  static const struct {
    const char *table;
    iscp_status status;
    const char *word;
  } cases[] = {
      {"", ISCP_ERROR_FORMAT, "is empty"},
      {"\n\n", ISCP_ERROR_FORMAT, "is empty"},
      {"file,label\n", ISCP_ERROR_FORMAT, "no line after it"},
      {"0.png\n1.png\n", ISCP_ERROR_FORMAT, "one column"},
      {"0,1\n1\n", ISCP_ERROR_FORMAT, "line 2: 1 fields, expected 2"},
      {"0,1\n\n1,2,3\n", ISCP_ERROR_FORMAT, "line 3: 3 fields"},
      {"0,\"1\n", ISCP_ERROR_FORMAT, "line 1: a quote is not closed"},
      {"0,\"1\"x\n", ISCP_ERROR_FORMAT, "line 1: text after a closing quote"},
      {"0,1\n1,\xff\n", ISCP_ERROR_FORMAT, "not UTF-8"},
      {"0,1\n9,2\n8,1\n", ISCP_ERROR_IO, "line 2 lists \"9\", which is not in"},
      {"file,label\n0,1\n1,2\n0.png,1\n", ISCP_ERROR_FORMAT, "line 4 lists 0.png, which line 2 has already"},
      {"0,1\ntwo,2\n", ISCP_ERROR_FORMAT, "several pictures"},
      {"0,1\n1,\n", ISCP_ERROR_FORMAT, "line 2 has an empty label"},
      {"0,1\n1,-2\n", ISCP_ERROR_FORMAT, "line 2 has the label \"-2\""},
      {"0,1\n1,2.5\n", ISCP_ERROR_FORMAT, "line 2 has the label \"2.5\""},
      {"0,1\n1,1048576\n", ISCP_ERROR_MISMATCH, "line 2 has the label 1048576"},
      {"../out,1\n", ISCP_ERROR_IO, "not in"},
      {"/etc/passwd,1\n", ISCP_ERROR_IO, "not in"},
  };
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_flat(context, "wrong");
  write_picture(context, "wrong/two.png", 9);
  write_picture(context, "wrong/two.PNG", 9);
  write_picture(context, "out.png", 9);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_text("wrong/labels.csv", cases[i].table);
    set_refused(context, support_path("wrong"), &options, cases[i].status, cases[i].word);
    ck_assert_ptr_nonnull(strstr(iscp_error_message(), "labels.csv"));
  }
  write_text("wrong/labels.csv", "0,1\n1,2\n");
  options.classes = 2;
  set_refused(context, support_path("wrong"), &options, ISCP_ERROR_MISMATCH, "label 2, expected 0 to 1");
  options.classes = 0;
  options.labels = "x.csv";
  set_refused(context, support_path("wrong/labels.csv"), &options, ISCP_ERROR_ARGUMENT, "labels is \"x.csv\"");
  ck_assert_int_eq(mkdir(support_path("bare"), 0777), 0);
  write_text("bare/labels.csv", "0,1\n");
  options.labels = NULL;
  set_refused(context, support_path("bare"), &options, ISCP_ERROR_FORMAT, "no picture in it");
  support_context_end(context);
}
END_TEST

/* ---- Broken pictures ---- */

/* Of six listed: one is no picture, one is cut short, one is of another size, one is missing. */
static void write_broken(const iscp_context *context, const char *folder) {
  char name[64];
  uint8_t pixels[81] = {0};
  write_flat(context, folder);
  isc_tensor large = {.dtype = ISC_U8, .dims = 3, .shape = {9, 9, 1}, .data = pixels};
  snprintf(name, sizeof name, "%s/text.png", folder);
  write_text(name, "no picture");
  snprintf(name, sizeof name, "%s/cut.png", folder);
  support_write(support_path(name), "\x89PNG\r\n\x1a\n", 8);
  snprintf(name, sizeof name, "%s/large.png", folder);
  ASSERT_OK(isc_write_png(&large, context, support_path(name)));
  snprintf(name, sizeof name, "%s/labels.csv", folder);
  write_text(name, "0,0\ntext,1\n2,2\ncut,0\nlarge,1\nnone,2\n3,1\n");
}

START_TEST(a_file_that_is_no_picture_stops_the_opening) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_broken(context, "stopping");
  set_refused(context, support_path("stopping"), &options, ISCP_ERROR_IO, "line 6 lists \"none\"");
  write_text("stopping/labels.csv", "0,0\ntext,1\n2,2\ncut,0\n");
  set_refused(context, support_path("stopping"), &options, ISCP_ERROR_FORMAT, "text.png: is not a known picture");
  ck_assert_ptr_nonnull(strstr(iscp_error_message(), "of 4 pictures; skip_broken"));
  write_text("stopping/cut.png", "");
  set_refused(context, support_path("stopping"), &options, ISCP_ERROR_FORMAT, "the first of 2 broken pictures of 4");
  support_context_end(context);
}
END_TEST

START_TEST(broken_pictures_are_left_out) {
  static const char *const names[] = {"none", "text.png", "cut.png", "large.png"};
  static const char *const reasons[] = {"line 6", "not a known picture", "truncated", "9x9"};
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_broken(context, "skipping");
  options.skip_broken = 1;
  iscp_dataset *dataset, *good;
  ASSERT_OK(iscp_dataset_open(&dataset, context, support_path("skipping"), &options));
  check(dataset, 3, (int[]){0, 2, 3}, (int[]){0, 2, 1});
  ck_assert_int_eq(iscp_dataset_broken_count(dataset), 4);
  for (int i = 0; i < 4; i++) {
    ck_assert_str_eq(iscp_dataset_broken_name(dataset, i), names[i]);
    ck_assert_msg(strstr(iscp_dataset_broken_reason(dataset, i), reasons[i]) != NULL, "%s",
                  iscp_dataset_broken_reason(dataset, i));
  }
  ck_assert_ptr_null(iscp_dataset_broken_name(dataset, 4));
  ck_assert_ptr_null(iscp_dataset_broken_reason(dataset, -1));
  iscp_dataset_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_dataset_get_info(dataset, &info));
  ck_assert_int_eq(info.broken, 4);
  ck_assert(info.height_low == SIDE && info.height_high == SIDE);
  /* The hash is of the images that are used. */
  write_text("skipping/labels.csv", "0,0\n2,2\n3,1\n");
  options.skip_broken = 0;
  ASSERT_OK(iscp_dataset_open(&good, context, support_path("skipping"), &options));
  ck_assert_str_eq(iscp_dataset_hash(good), iscp_dataset_hash(dataset));
  ck_assert_int_eq(iscp_dataset_broken_count(good), 0);
  iscp_dataset_destroy(good);
  iscp_dataset_destroy(dataset);
  support_context_end(context);
}
END_TEST

START_TEST(nothing_but_broken_pictures_is_an_error) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_flat(context, "hopeless");
  options.skip_broken = 1;
  write_text("hopeless/0.png", "x");
  write_text("hopeless/labels.csv", "0,0\n");
  set_refused(context, support_path("hopeless"), &options, ISCP_ERROR_FORMAT, "0.png: is not a known picture");
  write_text("hopeless/labels.csv", "none,0\n");
  set_refused(context, support_path("hopeless"), &options, ISCP_ERROR_IO, "not in");
  support_context_end(context);
}
END_TEST

static int stop(const iscp_progress *progress, void *user) {
  int *told = user;
  ck_assert(!strcmp(progress->stage, "look") || !strcmp(progress->stage, "check"));
  return ++*told == 1;
}

static int go_on(const iscp_progress *progress, void *user) {
  *(int64_t *)user = progress->total;
  return 0;
}

START_TEST(opening_tells_and_may_be_cancelled) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_flat(context, "told");
  write_text("told/labels.csv", "0,0\n1,1\n2,2\n3,0\n");
  for (options.skip_broken = 0; options.skip_broken < 2; options.skip_broken++) {
    int told = 0;
    int64_t total = 0;
    options.progress = stop;
    options.user = &told;
    set_refused(context, support_path("told"), &options, ISCP_ERROR_CANCELLED, "cancelled");
    options.progress = go_on;
    options.user = &total;
    open_and_check(context, "told", &options, 4, (int[]){0, 1, 2, 3}, (int[]){0, 1, 2, 0});
    ck_assert_int_le(total, 4);
  }
  support_context_end(context);
}
END_TEST

START_TEST(each_allocation_may_fail) {
  iscp_context *context = support_context();
  iscp_dataset_options options = set_options(SIDE);
  write_broken(context, "failing");
  support_context_end(context);
  options.skip_broken = 1;
  set_opens_without_memory(support_path("failing"), &options, 30);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("list");
  TCase *all = tcase_create("list");
  tcase_add_test(all, tables_of_many_writers);
  tcase_add_test(all, what_the_first_line_is);
  tcase_add_test(all, classes_by_name_are_in_byte_order);
  tcase_add_test(all, where_the_table_is_found);
  tcase_add_test(all, pictures_below_and_splits);
  tcase_add_test(all, tables_that_are_refused);
  tcase_add_test(all, a_file_that_is_no_picture_stops_the_opening);
  tcase_add_test(all, broken_pictures_are_left_out);
  tcase_add_test(all, nothing_but_broken_pictures_is_an_error);
  tcase_add_test(all, opening_tells_and_may_be_cancelled);
  tcase_add_test(all, each_allocation_may_fail);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
