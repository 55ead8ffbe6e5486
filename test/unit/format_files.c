/* Files, directories and digests: what is refused, and that a file is whole or absent. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/reader.h"
#include "support.h"

/* Entries of the test's folder: what a failed write must not add to. */
static size_t entries(const iscp_context *context) {
  char **names;
  size_t count;
  ASSERT_OK(isc_list_directory(&names, &count, context, support_folder()));
  isc_names_free(names, count, context);
  return count;
}

static void expect_content(const iscp_context *context, const char *path, const char *expected) {
  uint8_t *bytes;
  size_t size;
  ASSERT_OK(isc_file_read(&bytes, &size, context, path, 1000));
  ck_assert_uint_eq(size, strlen(expected));
  ck_assert(!memcmp(bytes, expected, size));
  isc_free(context, bytes);
}

START_TEST(written_files_are_read_back) {
  iscp_context *context = support_context();
  const char *path = support_path("written");
  ASSERT_OK(isc_file_write(context, path, "one", 3));
  expect_content(context, path, "one");
  ASSERT_OK(isc_file_write(context, path, "", 0));
  expect_content(context, path, "");
  ASSERT_OK(isc_file_write(context, path, "three", 5));
  int64_t size;
  ASSERT_OK(isc_file_size(&size, path));
  ck_assert_int_eq(size, 5);
  ck_assert_uint_eq(entries(context), 1);
  unlink(path);
  support_context_end(context);
}
END_TEST

START_TEST(links_are_written_through) {
  iscp_context *context = support_context();
  const char *path = support_path("target"), *link = support_path("link");
  support_write(path, "old", 3);
  ck_assert_int_eq(symlink(path, link), 0);
  ASSERT_OK(isc_file_write(context, link, "new", 3));
  struct stat state;
  ck_assert_int_eq(lstat(link, &state), 0);
  ck_assert(S_ISLNK(state.st_mode));
  expect_content(context, path, "new");
  unlink(path);
  unlink(link);
  support_context_end(context);
}
END_TEST

START_TEST(only_regular_files_are_read) {
  iscp_context *context = support_context();
  uint8_t *bytes;
  size_t size;
  int64_t length;
  const char *pipe = support_path("pipe"), *missing = support_path("missing");
  ck_assert_int_eq(mkfifo(pipe, 0600), 0);
  support_failed(isc_file_read(&bytes, &size, context, pipe, 10), ISCP_ERROR_IO, pipe);
  support_failed(isc_file_read(&bytes, &size, context, "/dev/zero", 10), ISCP_ERROR_IO, "/dev/zero");
  support_failed(isc_file_read(&bytes, &size, context, support_folder(), 10), ISCP_ERROR_IO, "directory");
  support_failed(isc_file_read(&bytes, &size, context, missing, 10), ISCP_ERROR_IO, missing);
  support_failed(isc_file_size(&length, missing), ISCP_ERROR_IO, missing);
  ck_assert_ptr_null(bytes);
  unlink(pipe);
  support_context_end(context);
}
END_TEST

START_TEST(large_files_are_refused) {
  iscp_context *context = support_context();
  const char *path = support_path("large");
  uint8_t *bytes;
  size_t size;
  support_write(path, "12345", 5);
  support_failed(isc_file_read(&bytes, &size, context, path, 4), ISCP_ERROR_FORMAT, "at most 4");
  ASSERT_OK(isc_file_read(&bytes, &size, context, path, 5));
  isc_free(context, bytes);
  unlink(path);
  support_context_end(context);
}
END_TEST

START_TEST(refused_targets_are_left_alone) {
  iscp_context *context = support_context();
  size_t before = entries(context);
  const char *within = support_path("no-such-folder/file");
  support_failed(isc_file_write(context, "/dev/null", "x", 1), ISCP_ERROR_IO, "/dev/null");
  support_failed(isc_file_write(context, support_folder(), "x", 1), ISCP_ERROR_IO, support_folder());
  support_failed(isc_file_write(context, within, "x", 1), ISCP_ERROR_IO, within);
  char name[PATH_MAX + 10];
  memset(name, 'a', sizeof name - 1);
  name[sizeof name - 1] = 0;
  support_failed(isc_file_write(context, name, "x", 1), ISCP_ERROR_IO, "aaa");
  struct stat state;
  ck_assert_int_eq(stat("/dev/null", &state), 0);
  ck_assert(S_ISCHR(state.st_mode));
  ck_assert_uint_eq(entries(context), before);
  support_context_end(context);
}
END_TEST

/* A limit on file sizes stands for a full disk: write() comes back short, then fails. */
START_TEST(full_disk_leaves_nothing) {
  iscp_context *context = support_context();
  const char *path = support_path("full");
  static char bytes[100000];
  support_write(path, "old", 3);
  struct rlimit before, limit;
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
  limit = (struct rlimit){50000, before.rlim_max};
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  iscp_status status = isc_file_write(context, path, bytes, sizeof bytes);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, handler);
  support_failed(status, ISCP_ERROR_IO, path);
  expect_content(context, path, "old");
  ck_assert_uint_eq(entries(context), 1);
  unlink(path);
  support_context_end(context);
}
END_TEST

/* Writers of the same moment do not take each other's file. */
START_TEST(temporary_names_are_passed_over) {
  iscp_context *context = support_context();
  char other[64];
  snprintf(other, sizeof other, ".iscp-%ld-0.tmp", (long)getpid());
  const char *taken = support_path(other), *path = support_path("wanted");
  support_write(taken, "theirs", 6);
  ASSERT_OK(isc_file_write(context, path, "mine", 4));
  expect_content(context, taken, "theirs");
  expect_content(context, path, "mine");
  unlink(taken);
  unlink(path);
  support_context_end(context);
}
END_TEST

START_TEST(short_sources_are_told) {
  isc_source source;
  char byte[4];
  isc_source_memory(&source, "abc", 3);
  ASSERT_OK(isc_source_read(&source, 1, byte, 2));
  ck_assert_int_eq(byte[1], 'c');
  ASSERT_OK(isc_source_read(&source, 3, byte, 0));
  support_failed(isc_source_read(&source, 1, byte, 3), ISCP_ERROR_FORMAT, "truncated");
  support_failed(isc_source_read(&source, 4, byte, 0), ISCP_ERROR_FORMAT, "truncated");
  support_failed(isc_source_read(&source, -1, byte, 1), ISCP_ERROR_FORMAT, "truncated");

  const char *path = support_path("shrinks");
  support_write(path, "abc", 3);
  ASSERT_OK(isc_source_open(&source, path));
  ck_assert_int_eq(truncate(path, 1), 0);
  support_failed(isc_source_read(&source, 0, byte, 3), ISCP_ERROR_IO, "shorter");
  isc_source_close(&source);
  unlink(path);
}
END_TEST

START_TEST(directories_are_listed_by_bytes) {
  iscp_context *context = support_context();
  const char *folder = support_path("list");
  ASSERT_OK(isc_make_directory(folder));
  ASSERT_OK(isc_make_directory(folder));
  ck_assert(isc_is_directory(folder));
  static const char *const made[] = {"b", "a10", "a2", "B", ".hidden"};
  static const char *const sorted[] = {".hidden", "B", "a10", "a2", "b"};
  char **names;
  size_t count;
  ASSERT_OK(isc_list_directory(&names, &count, context, folder));
  ck_assert_uint_eq(count, 0);
  isc_names_free(names, count, context);
  for (int i = 0; i < 5; i++) {
    char *path = isc_path_join(context, folder, made[i]);
    support_write(path, "", 0);
    isc_free(context, path);
  }
  ASSERT_OK(isc_list_directory(&names, &count, context, folder));
  ck_assert_uint_eq(count, 5);
  for (int i = 0; i < 5; i++)
    ck_assert_str_eq(names[i], sorted[i]);
  isc_names_free(names, count, context);
  support_context_end(context);
}
END_TEST

START_TEST(directories_that_cannot_be_are_told) {
  iscp_context *context = support_context();
  char **names;
  size_t count;
  const char *file = support_path("file"), *deep = support_path("no/such");
  support_write(file, "", 0);
  support_failed(isc_make_directory(file), ISCP_ERROR_IO, file);
  support_failed(isc_make_directory(deep), ISCP_ERROR_IO, deep);
  support_failed(isc_list_directory(&names, &count, context, file), ISCP_ERROR_IO, file);
  ck_assert(!isc_is_directory(file));
  ck_assert(!isc_is_directory(deep));
  unlink(file);
  support_context_end(context);
}
END_TEST

START_TEST(paths_are_joined_by_one_slash) {
  iscp_context *context = support_context();
  static const char *const cases[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}, {"", "b", "b"}};
  for (int i = 0; i < 4; i++) {
    char *path = isc_path_join(context, cases[i][0], cases[i][1]);
    ck_assert_str_eq(path, cases[i][2]);
    isc_free(context, path);
  }
  support_context_end(context);
}
END_TEST

/* The examples of FIPS 180-2, and a file that is longer than one block of reading. */
START_TEST(digests_are_sha256) {
  iscp_context *context = support_context();
  static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
  static char letters[1000000];
  char text[ISC_DIGEST_TEXT];
  isc_digest *digest;
  ASSERT_OK(isc_digest_create(&digest, context));
  isc_digest_update(digest, "a", 1);
  isc_digest_update(digest, "bc", 2);
  isc_digest_finish(digest, text);
  ck_assert_str_eq(text, abc);
  memset(letters, 'a', sizeof letters);
  const char *path = support_path("million");
  support_write(path, letters, sizeof letters);
  ASSERT_OK(isc_digest_file(text, context, path));
  ck_assert_str_eq(text, million);
  unlink(path);
  support_failed(isc_digest_file(text, context, path), ISCP_ERROR_IO, path);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("files");
  TCase *all = tcase_create("all");
  tcase_add_test(all, written_files_are_read_back);
  tcase_add_test(all, links_are_written_through);
  tcase_add_test(all, only_regular_files_are_read);
  tcase_add_test(all, large_files_are_refused);
  tcase_add_test(all, refused_targets_are_left_alone);
  tcase_add_test(all, full_disk_leaves_nothing);
  tcase_add_test(all, temporary_names_are_passed_over);
  tcase_add_test(all, short_sources_are_told);
  tcase_add_test(all, directories_are_listed_by_bytes);
  tcase_add_test(all, directories_that_cannot_be_are_told);
  tcase_add_test(all, paths_are_joined_by_one_slash);
  tcase_add_test(all, digests_are_sha256);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
