/* The pickle reader by itself, and what the readers share: strided copies, UTF-8. */
#include <stdio.h>
#include <string.h>

#include "format/checkpoint/views.h"
#include "support.h"

/* ---- Pickles ---- */

/* A pickle given as a string literal, its closing zero left out. */
#define PARSE(pickle, context, literal) \
  isc_pickle_parse(pickle, context, (const uint8_t *)(literal), 0, sizeof(literal) - 1)

START_TEST(values_are_told_apart) {
  iscp_context *context = support_context();
  isc_pickle pickle;
  ASSERT_OK(PARSE(&pickle, context, "\x80\x02(NK\x07J\xfe\xff\xff\xff\x8a\x02\x00\x80\x8a\x00"
                  "\x88G12345678X\x02\0\0\0hi}t."));
  static const uint32_t kinds[] = {ISC_VALUE_NONE,    ISC_VALUE_INTEGER, ISC_VALUE_INTEGER,
                                   ISC_VALUE_INTEGER, ISC_VALUE_INTEGER, ISC_VALUE_BOOL,
                                   ISC_VALUE_OPAQUE,  ISC_VALUE_TEXT,    ISC_VALUE_DICT};
  static const int64_t integers[] = {0, 7, -2, -32768, 0};
  ck_assert_uint_eq(isc_pickle_node(&pickle, pickle.root)->length, 9);
  for (uint32_t i = 0; i < 9; i++) {
    const isc_node *node = isc_pickle_node(&pickle, isc_pickle_item(&pickle, pickle.root, i));
    ck_assert_uint_eq(node->kind, kinds[i]);
    if (node->kind == ISC_VALUE_INTEGER)
      ck_assert_int_eq(node->integer, integers[i]);
  }
  ck_assert(isc_pickle_is_text(&pickle, isc_pickle_item(&pickle, pickle.root, 7), "hi"));
  ck_assert(!isc_pickle_is_text(&pickle, isc_pickle_item(&pickle, pickle.root, 7), "h"));
  ck_assert_uint_eq(isc_pickle_item(&pickle, pickle.root, 9), 0);
  isc_pickle_release(&pickle, context);
  support_context_end(context);
}
END_TEST

/* What Python writes for longer numbers and texts, and Python 2 for all texts. */
START_TEST(long_forms_are_read) {
  iscp_context *context = support_context();
  isc_pickle pickle;
  ASSERT_OK(PARSE(&pickle, context, "\x80\x02(M\x34\x12U\x02hir\x05\0\0\0T\x02\0\0\0hij\x05\0\0\0C\x01zB\x01\0\0\0z"
                  "\x8d\x02\0\0\0\0\0\0\0hi\x8a\x09" "123456789t."));
  ck_assert_int_eq(isc_pickle_node(&pickle, isc_pickle_item(&pickle, pickle.root, 0))->integer, 0x1234);
  for (uint32_t i = 1; i < 8; i++) {
    isc_value value = isc_pickle_item(&pickle, pickle.root, i);
    if (i == 4 || i == 5 || i == 7)
      ck_assert_uint_eq(isc_pickle_node(&pickle, value)->kind, ISC_VALUE_OPAQUE);
    else
      ck_assert(isc_pickle_is_text(&pickle, value, "hi"));
  }
  isc_pickle_release(&pickle, context);
  support_context_end(context);
}
END_TEST

START_TEST(memo_shares_values) {
  iscp_context *context = support_context();
  isc_pickle pickle;
  /* A list that holds itself and, twice, one dict. */
  ASSERT_OK(PARSE(&pickle, context, "\x80\x04]\x94h\x00" "a}\x94" "ah\x01" "a."));
  ck_assert_uint_eq(isc_pickle_item(&pickle, pickle.root, 0), pickle.root);
  ck_assert_uint_eq(isc_pickle_item(&pickle, pickle.root, 1), isc_pickle_item(&pickle, pickle.root, 2));
  isc_pickle_release(&pickle, context);
  support_context_end(context);
}
END_TEST

START_TEST(sizes_and_devices_are_values) {
  iscp_context *context = support_context();
  isc_pickle pickle;
  ASSERT_OK(PARSE(&pickle, context, "\x80\x02]ctorch\nSize\nK\x02K\x03\x86\x85Ra"
                  "ctorch\ndevice\nX\x03\0\0\0cpu\x85Ra."));
  isc_value size = isc_pickle_item(&pickle, pickle.root, 0);
  ck_assert_uint_eq(isc_pickle_node(&pickle, size)->kind, ISC_VALUE_TUPLE);
  ck_assert_int_eq(isc_pickle_node(&pickle, isc_pickle_item(&pickle, size, 1))->integer, 3);
  ck_assert_uint_eq(isc_pickle_node(&pickle, isc_pickle_item(&pickle, pickle.root, 1))->kind, ISC_VALUE_OPAQUE);
  isc_pickle_release(&pickle, context);
  support_context_end(context);
}
END_TEST

static isc_value item(const isc_pickle *pickle, uint32_t index) { return isc_pickle_item(pickle, pickle->root, index); }

static uint32_t kind_of(const isc_pickle *pickle, isc_value value) { return isc_pickle_node(pickle, value)->kind; }

/* Names that mean nothing, their calls, items and attributes: a class, a set, bytes, an enum's member, a NumPy scalar. */
START_TEST(objects_are_passed_over) {
  iscp_context *context = support_context();
  isc_pickle pickle;
  char name[ISC_NAME_TEXT];
  ASSERT_OK(PARSE(&pickle, context, "\x80\x04]\x94(cargparse\nNamespace\n)\x81}X\x02\0\0\0lrG12345678sb"
                  "ca\nList\n)RK\x01" "aK\x01K\x02s\x8f(K\x01\x90(K\x02\x91\x8e\x01\0\0\0\0\0\0\0z"
                  "cbuiltins\ngetattr\ncm\nE\nX\x01\0\0\0a\x86R)R"
                  "cn\nscalar\ncn\ndtype\nC\x01z\x86Rcx\nY\n)}\x92(ca\nB\nK\x01o(K\x01ia\nC\n"
                  "I01\nI7\nL-5L\nF0.5\n\x8b\x01\0\0\0\x05NK\x09" "0(K\x01" "0" "1(K\x02" "1e."));
  static const uint32_t kinds[] = {
      ISC_VALUE_OBJECT, ISC_VALUE_OBJECT, ISC_VALUE_OPAQUE,  ISC_VALUE_OPAQUE,  ISC_VALUE_OPAQUE, ISC_VALUE_OBJECT,
      ISC_VALUE_OBJECT, ISC_VALUE_OBJECT, ISC_VALUE_OBJECT,  ISC_VALUE_OBJECT,  ISC_VALUE_BOOL,   ISC_VALUE_INTEGER,
      ISC_VALUE_INTEGER, ISC_VALUE_OPAQUE, ISC_VALUE_INTEGER, ISC_VALUE_NONE};
  ck_assert_uint_eq(isc_pickle_node(&pickle, pickle.root)->length, sizeof kinds / sizeof *kinds);
  for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    ck_assert_uint_eq(kind_of(&pickle, item(&pickle, i)), kinds[i]);
  ck_assert_str_eq(isc_pickle_name_text(name, &pickle, item(&pickle, 0)), "argparse.Namespace");
  ck_assert_str_eq(isc_pickle_name_text(name, &pickle, item(&pickle, 9)), "a.C");
  ck_assert_str_eq(isc_pickle_name_text(name, &pickle, item(&pickle, 5)), "an unnamed call");
  isc_value attributes = isc_pickle_node(&pickle, item(&pickle, 0))->pair.last;
  ck_assert_uint_eq(kind_of(&pickle, isc_pickle_find(&pickle, attributes, "lr")), ISC_VALUE_OPAQUE);
  ck_assert_uint_eq(isc_pickle_find(&pickle, attributes, "l"), 0);
  ck_assert_int_eq(isc_pickle_node(&pickle, item(&pickle, 12))->integer, -5);
  isc_pickle_release(&pickle, context);
  support_context_end(context);
}
END_TEST

/* Python 2 gives an OrderedDict its items as an argument; a defaultdict gets them as any dict. */
START_TEST(dicts_of_other_classes_are_dicts) {
  iscp_context *context = support_context();
  isc_pickle pickle;
  ASSERT_OK(PARSE(&pickle, context, "\x80\x02" "ccollections\nOrderedDict\n](](U\x01" "aK\x01" "e](U\x01" "bK\x02" "ee\x85R."));
  ck_assert_int_eq(isc_pickle_node(&pickle, isc_pickle_find(&pickle, pickle.root, "b"))->integer, 2);
  isc_pickle_release(&pickle, context);
  ASSERT_OK(PARSE(&pickle, context, "\x80\x02" "ccollections\ndefaultdict\nc__builtin__\nint\n\x85RU\x01" "aK\x03s."));
  ck_assert_int_eq(isc_pickle_node(&pickle, isc_pickle_find(&pickle, pickle.root, "a"))->integer, 3);
  isc_pickle_release(&pickle, context);
  support_context_end(context);
}
END_TEST

/* Every beginning of a good pickle is refused; bytes behind it are not looked at, and it says where it ended. */
START_TEST(beginnings_are_refused) {
  static const char good[] = "\x80\x02}q\x00(X\x01\0\0\0aK\x01X\x01\0\0\0b]q\x01(K\x02K\x03\x86" "e\x8a\x01\x05" "Nu.";
  iscp_context *context = support_context();
  isc_pickle pickle;
  ASSERT_OK(isc_pickle_parse(&pickle, context, (const uint8_t *)good, 0, sizeof good));
  ck_assert_uint_eq(pickle.end, sizeof good - 1);
  isc_pickle_release(&pickle, context);
  for (size_t size = 0; size < sizeof good - 1; size++)
    support_failed(isc_pickle_parse(&pickle, context, (const uint8_t *)good, 0, size), ISCP_ERROR_FORMAT, "pickle");
  support_context_end(context);
}
END_TEST

START_TEST(many_values_are_refused) {
  enum { COUNT = 5 << 20 };
  iscp_context *context = support_context();
  isc_pickle pickle;
  uint8_t *bytes = isc_alloc(context, COUNT);
  memset(bytes, ']', COUNT);
  support_failed(isc_pickle_parse(&pickle, context, bytes, 0, COUNT), ISCP_ERROR_FORMAT, "more than 1048576 values");
  memset(bytes, 'N', COUNT); /* one value, again and again */
  support_failed(isc_pickle_parse(&pickle, context, bytes, 0, COUNT), ISCP_ERROR_FORMAT, "1048576 values on its stack");
  support_failed(isc_pickle_parse(&pickle, context, bytes, 0, (size_t)ISC_PICKLE_LIMIT + 1), ISCP_ERROR_FORMAT, "at most");
  isc_free(context, bytes);
  support_context_end(context);
}
END_TEST

/* A dict of `count` names for one memoized tensor. */
static size_t make_state(uint8_t *bytes, int count) {
  static const char head[] = "\x80\x02}(";
  static const char tensor[] = "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
                               "X\x01\0\0\0" "0X\x03\0\0\0cpuK\x01tQK\0K\x01\x85K\x01\x85\x89}tRq\0";
  size_t size = 0;
  memcpy(bytes, head, sizeof head - 1);
  size += sizeof head - 1;
  for (int i = 0; i < count; i++) {
    const char name[] = {'X', 4, 0, 0, 0, (char)('0' + (i >> 12 & 63)), (char)('0' + (i >> 8 & 15)),
                         (char)('0' + (i >> 4 & 15)), (char)('0' + (i & 15))};
    memcpy(bytes + size, name, sizeof name);
    size += sizeof name;
    memcpy(bytes + size, i ? "h\0" : tensor, i ? 2 : sizeof tensor - 1);
    size += i ? 2 : sizeof tensor - 1;
  }
  memcpy(bytes + size, "u.", 2);
  return size + 2;
}

static iscp_status collect(const iscp_context *context, int count, size_t *made) {
  uint8_t *bytes = isc_alloc(context, (size_t)count * 16 + 256);
  size_t size = make_state(bytes, count);
  isc_pickle pickle;
  isc_views views = {.byte_limit = 1 << 20};
  isc_tensor_set set = {0};
  iscp_status status = isc_pickle_parse(&pickle, context, bytes, 0, size);
  if (status == ISCP_OK)
    status = isc_views_collect(&views, &set, context, &pickle, NULL);
  *made = set.count;
  isc_tensor_set_release(&set, context);
  isc_free(context, views.items);
  isc_pickle_release(&pickle, context);
  isc_free(context, bytes);
  return status;
}

START_TEST(tensors_are_counted) {
  iscp_context *context = support_context();
  size_t made;
  ASSERT_OK(collect(context, ISC_MAX_TENSORS, &made));
  ck_assert_uint_eq(made, ISC_MAX_TENSORS);
  support_failed(collect(context, ISC_MAX_TENSORS + 1, &made), ISCP_ERROR_FORMAT, "more than 8192 tensors");
  support_context_end(context);
}
END_TEST

/* ---- Shared by the readers ---- */

START_TEST(strides_are_followed) {
  enum { ROOM = 4000 };
  static uint8_t src[ROOM], dst[ROOM];
  for (int i = 0; i < ROOM; i++)
    src[i] = (uint8_t)(i * 131 >> 3);
  static const int64_t shape[3] = {3, 4, 5};
  static const int64_t strides[][3] = {{20, 5, 1}, {1, 3, 12}, {5, 20, 2}, {0, 0, 1}, {7, 0, 3}, {40, 10, 2}};
  static const size_t items[] = {1, 2, 4, 8};
  for (size_t s = 0; s < sizeof strides / sizeof *strides; s++)
    for (int k = 0; k < 4; k++) {
      isc_gather(dst, src, items[k], 3, shape, strides[s]);
      for (int64_t n = 0; n < 60; n++) {
        int64_t from = n / 20 * strides[s][0] + n / 5 % 4 * strides[s][1] + n % 5 * strides[s][2];
        ck_assert(!memcmp(dst + n * (int64_t)items[k], src + from * (int64_t)items[k], items[k]));
      }
    }
  uint8_t before = dst[0] = 99;
  isc_gather(dst, src, 1, 2, (int64_t[]){0, 5}, strides[0]);
  ck_assert_uint_eq(dst[0], before);
  isc_gather(dst, src + 1, 1, 0, NULL, NULL);
  ck_assert_uint_eq(dst[0], src[1]);
}
END_TEST

START_TEST(text_is_utf8) {
  static const char *const good[] = {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\x89",
                                     "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
  static const char *const bad[] = {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
                                    "\xf4\x90\x80\x80", "\xff", "a\xe2\x82", "\xc3("};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    ck_assert_msg(isc_is_text(good[i], strlen(good[i])), "case %zu", i);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    ck_assert_msg(!isc_is_text(bad[i], strlen(bad[i])), "case %zu", i);
  ck_assert(!isc_is_text("a\0b", 3));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("parsing");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 60);
  tcase_add_test(all, values_are_told_apart);
  tcase_add_test(all, long_forms_are_read);
  tcase_add_test(all, memo_shares_values);
  tcase_add_test(all, sizes_and_devices_are_values);
  tcase_add_test(all, objects_are_passed_over);
  tcase_add_test(all, dicts_of_other_classes_are_dicts);
  tcase_add_test(all, beginnings_are_refused);
  tcase_add_test(all, many_values_are_refused);
  tcase_add_test(all, tensors_are_counted);
  tcase_add_test(all, strides_are_followed);
  tcase_add_test(all, text_is_utf8);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
