/* Files that promise or nest more than they hold: each is refused, and the memory that it takes stays below LIMIT, as the
 * library's own allocator counts it. Those of must-fail are small; those made here are as large as they may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "format/format.h"
#include "format/checkpoint/pickle.h"
#include "support.h"

enum { LIMIT = 64 << 20, HEAD = 16 };

/* ---- A context that counts bytes ---- */

typedef struct count {
  size_t held, most;
} count;

static void *take(size_t bytes, void *user) {
  count *c = user;
  size_t *block = malloc(bytes + HEAD);
  if (!block)
    return NULL;
  *block = bytes;
  c->held += bytes;
  c->most = c->held > c->most ? c->held : c->most;
  return (char *)block + HEAD;
}

static void give(void *memory, void *user) {
  count *c = user;
  size_t *block = (size_t *)((char *)memory - HEAD);
  c->held -= *block;
  free(block);
}

/* Reads a checkpoint and gives its status; what was taken is below the limit, and given back. */
static iscp_status read_within(const char *path) {
  count c = {0};
  iscp_context_options options;
  iscp_context *context;
  isc_tensor_set set;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.allocate = take;
  options.release = give;
  options.allocator_user = &c;
  ASSERT_OK(iscp_context_create(&context, &options));
  iscp_status status = isc_read_tensors(&set, context, path);
  ck_assert_msg(c.most < LIMIT, "%s takes %zu bytes, expected at most %d", path, c.most, LIMIT);
  isc_tensor_set_release(&set, context);
  iscp_context_destroy(context);
  ck_assert_uint_eq(c.held, 0);
  return status;
}

START_TEST(small_files) {
  iscp_context *context = support_context();
  char **names;
  size_t files;
  ASSERT_OK(isc_list_directory(&names, &files, context, MUST_FAIL));
  for (size_t i = 0; i < files; i++) {
    char *path = isc_path_join(context, MUST_FAIL, names[i]);
    ck_assert_int_ne(read_within(path), ISCP_OK);
    isc_free(context, path);
  }
  ck_assert_uint_gt(files, 100);
  isc_names_free(names, files, context);
  support_context_end(context);
}
END_TEST

/* ---- Pickles as large as they may be ---- */

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t size) {
  memcpy(at, bytes, size);
  return at + size;
}

static uint8_t *put_number(uint8_t *at, uint32_t number, size_t size) { return put_bytes(at, &number, size); }

static size_t deflate_raw(uint8_t *to, size_t room, const uint8_t *from, size_t size) {
  z_stream stream = {.next_in = (uint8_t *)from, .avail_in = (uInt)size, .next_out = to, .avail_out = (uInt)room};
  ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
  ck_assert_int_eq(deflateEnd(&stream), Z_OK);
  return stream.total_out;
}

/* A record of a zip's directory, or of what stands before an entry: all that both have, from the version needed on. */
static uint8_t *put_record(uint8_t *at, const uint8_t *data, size_t size, size_t packed, size_t name_length) {
  at = put_number(at, 20, 2);
  at = put_number(at, 0, 2);
  at = put_number(at, 8, 2);
  at = put_number(at, 0x21, 4); /* a time, a date */
  at = put_number(at, (uint32_t)crc32(0, data, (uInt)size), 4);
  at = put_number(at, (uint32_t)packed, 4);
  at = put_number(at, (uint32_t)size, 4);
  at = put_number(at, (uint32_t)name_length, 2);
  return put_number(at, 0, 2);
}

/* A zip of one entry, deflated: a few kilobytes that become `size` bytes of data.pkl. */
static const char *write_zip(const uint8_t *data, size_t size) {
  static const char name[] = "m/data.pkl";
  size_t length = sizeof name - 1, room = size / 100 + 4096;
  uint8_t *file = malloc(room + 256), *at = put_bytes(file, "PK\3\4", 4), *packed_at = file + 30 + length;
  ck_assert_ptr_nonnull(file);
  size_t packed = deflate_raw(packed_at, room, data, size);
  at = put_bytes(put_record(at, data, size, packed, length), name, length);
  ck_assert_ptr_eq(at, packed_at);
  uint8_t *directory = at + packed;
  at = put_number(put_bytes(directory, "PK\1\2", 4), 20, 2);
  at = put_record(at, data, size, packed, length);
  memset(at, 0, 14); /* no comment, this disk, attributes, the entry at 0 */
  at = put_bytes(at + 14, name, length);
  size_t directory_size = (size_t)(at - directory);
  at = put_number(put_bytes(at, "PK\5\6", 4), 0, 4);
  at = put_number(put_number(at, 1, 2), 1, 2);
  at = put_number(put_number(at, (uint32_t)directory_size, 4), (uint32_t)(directory - file), 4);
  at = put_number(at, 0, 2);
  const char *path = support_path("bomb.pth");
  support_write(path, file, (size_t)(at - file));
  free(file);
  return path;
}

/* A whole pickle of one opcode after another, or of a piece of several. */
static void expect_refusal(const char *piece, size_t length, size_t size, const char *word) {
  uint8_t *pickle = malloc(size);
  ck_assert_ptr_nonnull(pickle);
  memcpy(pickle, "\x80\x02", 2);
  for (size_t at = 2; at < size; at++)
    pickle[at] = (uint8_t)piece[(at - 2) % length];
  support_failed(read_within(write_zip(pickle, size)), ISCP_ERROR_FORMAT, word);
  free(pickle);
}

START_TEST(large_pickles) {
  static const struct {
    const char *piece;
    size_t length;
    const char *word;
  } cases[] = {
      {"]", 1, "more than 1048576 values"},          /* lists */
      {"N", 1, "1048576 values on its stack"},       /* one value, many times */
      {"(", 1, "deeper than 256"},                   /* marks */
      {"}\x94", 2, "more than 1048576 values"},      /* dicts, all kept in the memo */
      {"]\x94h\0a0", 6, "more than 1048576 values"}, /* lists that hold the first */
      {"N\x85", 2, "more than 1048576 values"},      /* tuples of one */
      {"ca\nb\n)R0", 8, "more than 1048576 values"}, /* calls that are thrown away */
      {"N0", 2, "truncated"},                        /* nothing at all */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    expect_refusal(cases[i].piece, cases[i].length, ISC_PICKLE_LIMIT - 1, cases[i].word);
}
END_TEST

/* The same in a legacy stream, whose object ends where the reader stops looking. */
START_TEST(large_streams) {
  static const char head[] = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";
  size_t size = ISC_PICKLE_LIMIT + 1000;
  uint8_t *file = malloc(size);
  ck_assert_ptr_nonnull(file);
  memset(file, ']', size);
  memcpy(file, head, sizeof head - 1);
  const char *path = support_path("stream.pth");
  support_write(path, file, size);
  support_failed(read_within(path), ISCP_ERROR_FORMAT, "more than 1048576 values");
  for (size_t at = sizeof head - 1; at < size; at++)
    file[at] = at % 2 ? 'N' : '0';
  support_write(path, file, size);
  support_failed(read_within(path), ISCP_ERROR_FORMAT, "pickle");
  free(file);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("hostile");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, small_files);
  tcase_add_test(all, large_pickles);
  tcase_add_test(all, large_streams);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
