/* Walks the folder of files that must be refused: each by the status and the word that its expected.txt gives, in one
 * line that starts with the file's name. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "format/format.h"
#include "support.h"

/* One line of expected.txt: file, status, word of the message. */
typedef struct expectation {
  char *file, *status, *word;
} expectation;

static bool next_line(char **text, expectation *line) {
  char *start = *text;
  if (!*start)
    return false;
  *text = start + strcspn(start, "\n");
  if (**text)
    *(*text)++ = 0;
  line->file = start;
  line->status = start + strcspn(start, "\t");
  *line->status++ = 0;
  line->word = line->status + strcspn(line->status, "\t");
  *line->word++ = 0;
  return true;
}

static bool ends_with(const char *text, const char *end) {
  size_t length = strlen(text), end_length = strlen(end);
  return length >= end_length && !strcmp(text + length - end_length, end);
}

static iscp_status read_any(const iscp_context *context, const char *path) {
  isc_tensor_set set;
  isc_tensor tensor;
  if (ends_with(path, ".pth") || ends_with(path, ".safetensors")) {
    iscp_status status = isc_read_tensors(&set, context, path);
    ck_assert_uint_eq(set.count, 0);
    return status;
  }
  iscp_status status = isc_is_image_name(path) ? isc_read_image(&tensor, context, path)
                                               : isc_read_array(&tensor, context, path);
  ck_assert_ptr_null(tensor.data);
  return status;
}

/* A build without libjpeg-turbo says so of every JPEG. */
static void expect_refusal(const iscp_context *context, const expectation *given) {
  static char unsupported[] = "ISCP_ERROR_UNSUPPORTED", library[] = "libjpeg-turbo";
  expectation without_jpeg = {given->file, unsupported, library};
  const expectation *line = !ISC_HAVE_JPEG && ends_with(given->file, ".jpg") ? &without_jpeg : given;
  char *path = isc_path_join(context, MUST_FAIL, line->file);
  iscp_status status = read_any(context, path);
  ck_assert_msg(status != ISCP_OK, "%s was read", path);
  ck_assert_msg(!strcmp(iscp_status_name(status), line->status), "%s, expected %s: %s", iscp_status_name(status),
                line->status, iscp_error_message());
  support_failed(status, status, line->word);
  ck_assert_msg(!strncmp(iscp_error_message(), path, strlen(path)), "\"%s\" does not start with the file's name",
                iscp_error_message());
  isc_free(context, path);
}

START_TEST(each_is_refused_in_one_line) {
  iscp_context *context = support_context();
  char *path = isc_path_join(context, MUST_FAIL, "expected.txt"), *text, *at;
  uint8_t *bytes;
  size_t size, count, walked = 0;
  ASSERT_OK(isc_file_read(&bytes, &size, context, path, 1 << 20));
  at = text = isc_calloc(context, size + 1, 1);
  memcpy(text, bytes, size);
  for (expectation line; next_line(&at, &line); walked++)
    expect_refusal(context, &line);
  char **names;
  ASSERT_OK(isc_list_directory(&names, &count, context, MUST_FAIL));
  ck_assert_uint_eq(walked, count - 1);
  isc_names_free(names, count, context);
  isc_free(context, bytes);
  isc_free(context, text);
  isc_free(context, path);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("must fail");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 60);
  tcase_add_test(all, each_is_refused_in_one_line);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
