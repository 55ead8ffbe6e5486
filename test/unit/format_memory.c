/* Every reader and writer with each of its allocations failing in turn: ISCP_ERROR_MEMORY, nothing held, no file
 * left. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "format/reader.h"
#include "support.h"

/* FIXTURES, the folder of test/formats/fixtures, comes from the build. */
static const char *fixture(const char *name) {
  static char path[1024];
  snprintf(path, sizeof path, "%s/%s", FIXTURES, name);
  return path;
}

typedef iscp_status (*work)(const iscp_context *context, const char *path);

static iscp_status read_checkpoint(const iscp_context *context, const char *path) {
  isc_tensor_set set;
  iscp_status status = isc_read_tensors(&set, context, path);
  if (status != ISCP_OK)
    ck_assert(!set.count && !set.items && !set.keys);
  isc_tensor_set_release(&set, context);
  return status;
}

static iscp_status finish(const iscp_context *context, isc_tensor *tensor, iscp_status status) {
  if (status != ISCP_OK)
    ck_assert(!tensor->data && !tensor->dims);
  isc_tensor_release(tensor, context);
  return status;
}

static iscp_status read_array(const iscp_context *context, const char *path) {
  isc_tensor array;
  return finish(context, &array, isc_read_array(&array, context, path));
}

static iscp_status read_image(const iscp_context *context, const char *path) {
  isc_tensor image;
  return finish(context, &image, isc_read_image(&image, context, path));
}

static iscp_status read_bytes(const iscp_context *context, const char *path) {
  uint8_t *bytes;
  size_t size;
  iscp_status status = isc_file_read(&bytes, &size, context, path, 100000);
  ck_assert(!bytes == (status != ISCP_OK));
  isc_free(context, bytes);
  return status;
}

static iscp_status list(const iscp_context *context, const char *path) {
  char **names;
  size_t count;
  iscp_status status = isc_list_directory(&names, &count, context, path);
  ck_assert(!names == (status != ISCP_OK));
  isc_names_free(names, count, context);
  return status;
}

static iscp_status digest(const iscp_context *context, const char *path) {
  char text[ISC_DIGEST_TEXT];
  return isc_digest_file(text, context, path);
}

static iscp_status write_safetensors(const iscp_context *context, const char *path) {
  uint8_t numbers[16] = {0};
  isc_tensor items[] = {{.name = "a", .dtype = ISC_F32, .dims = 1, .shape = {4}, .data = numbers},
                        {.name = "b", .dtype = ISC_U8, .dims = 2, .shape = {4, 4}, .data = numbers}};
  isc_tensor_set set = {.items = items, .count = 2};
  return isc_write_safetensors(&set, context, path);
}

static uint8_t pixels[5000];
static const isc_tensor picture = {.dtype = ISC_U8, .dims = 3, .shape = {50, 25, 4}, .data = pixels};

static iscp_status write_png(const iscp_context *context, const char *path) {
  for (size_t i = 0; i < sizeof pixels; i++)
    pixels[i] = (uint8_t)(i * i >> 5);
  return isc_write_png(&picture, context, path);
}

static iscp_status write_npy(const iscp_context *context, const char *path) {
  return isc_write_npy(&picture, context, path);
}

/* How often the work asks for memory, then as many runs, each with one more allocation allowed. */
static void fail_each(work run, const char *path, bool writes) {
  iscp_context *context = support_context();
  long before = support_allocations();
  ASSERT_OK(run(context, path));
  long count = support_allocations() - before;
  for (long allowed = 0; allowed < count; allowed++) {
    if (writes)
      unlink(path);
    support_fail_after(allowed);
    iscp_status status = run(context, path);
    support_fail_after(-1);
    support_failed(status, ISCP_ERROR_MEMORY, "out of memory");
    if (writes)
      ck_assert_int_ne(access(path, F_OK), 0);
  }
  support_context_end(context);
}

START_TEST(readers_of_checkpoints) {
  static const char *const files[] = {"types.pth", "views.pth", "protocol4.pth", "deflated.pth", "checkpoint.pth",
                                      "big.pth",   "legacy2.pth", "around-stream.pth", "whole-inner-zip.pth",
                                      "types.safetensors"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    fail_each(read_checkpoint, fixture(files[i]), false);
}
END_TEST

START_TEST(readers_of_arrays) {
  static const char *const files[] = {"float32-C.npy", "float32-F.npy", "int32-idx3", "int32-idx3.gz"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    fail_each(read_array, fixture(files[i]), false);
}
END_TEST

START_TEST(readers_of_pictures) {
  static const char *const files[] = {"rgb.png", "palette-clear.png", "interlaced.png", "wide.png", "gamma.png"};
  static const char *const jpegs[] = {JPEGS "/775616c5c9e1", JPEGS "/30b3fe4d861f"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    fail_each(read_image, fixture(files[i]), false);
  if (ISC_HAVE_JPEG)
    for (size_t i = 0; i < sizeof jpegs / sizeof *jpegs; i++)
      fail_each(read_image, jpegs[i], false);
}
END_TEST

START_TEST(files) {
  fail_each(read_bytes, fixture("rgb.png"), false);
  fail_each(digest, fixture("rgb.png"), false);
  fail_each(list, FIXTURES, false);
}
END_TEST

START_TEST(writers) {
  fail_each(write_safetensors, support_path("a.safetensors"), true);
  fail_each(write_png, support_path("a.png"), true);
  fail_each(write_npy, support_path("a.npy"), true);
  iscp_context *context = support_context();
  char **names;
  size_t count;
  ASSERT_OK(isc_list_directory(&names, &count, context, support_folder()));
  for (size_t i = 0; i < count; i++)
    ck_assert_msg(names[i][0] == 'a', "%s was left", names[i]);
  isc_names_free(names, count, context);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("memory");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 60);
  tcase_add_test(all, readers_of_checkpoints);
  tcase_add_test(all, readers_of_arrays);
  tcase_add_test(all, readers_of_pictures);
  tcase_add_test(all, files);
  tcase_add_test(all, writers);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
