/* lib/data: the input contract, its ranges, presets and JSON. What it does to pictures has preprocess.c. */
#include <math.h>
#include <string.h>

#include "data/data.h"
#include "format/format.h"
#include "support.h"

static iscp_contract contract_of(int32_t channels, int32_t height, int32_t width) {
  iscp_contract contract;
  ASSERT_OK(iscp_contract_init(&contract, sizeof contract));
  contract.channels = channels;
  contract.height = height;
  contract.width = width;
  return contract;
}

/* ---- Ranges ---- */

START_TEST(defaults_are_in_range) {
  iscp_contract given, read;
  ASSERT_OK(iscp_contract_init(&given, sizeof given));
  ASSERT_OK(isc_contract_read(&read, &given));
  ck_assert_mem_eq(&read, &given, sizeof read);
  ck_assert_int_eq(read.height, 224);
  ck_assert_float_eq(read.std[2], 1);
  ck_assert_int_eq(isc_contract_pixels(&read), 224 * 224);
  ck_assert_int_eq(isc_contract_numbers(&read), 3 * 224 * 224);
  given.std[0] = 0.5f;
  ck_assert_int_eq(isc_contract_same_form(&given, &read), 1);
  given.width = 223;
  ck_assert_int_eq(isc_contract_same_form(&given, &read), 0);
}
END_TEST

static void refused(iscp_contract contract, const char *word) {
  iscp_contract read, zero = {0};
  support_failed(isc_contract_read(&read, &contract), ISCP_ERROR_ARGUMENT, word);
  ck_assert_mem_eq(&read, &zero, sizeof read);
}

#define REFUSED(field, value, word)                     \
  do {                                                  \
    iscp_contract changed = contract_of(3, 32, 32);     \
    changed.field = value;                              \
    refused(changed, word);                             \
  } while (0)

START_TEST(values_out_of_range_are_refused) {
  REFUSED(channels, 2, "channels is 2");
  REFUSED(height, 7, "height is 7");
  REFUSED(width, 4097, "width is 4097");
  REFUSED(pad_top, -1, "pad_top is -1");
  REFUSED(pad_bottom, 1025, "pad_bottom");
  REFUSED(pad_left, -5, "pad_left");
  REFUSED(pad_right, 1 << 30, "pad_right");
  REFUSED(pad_top, 32, "pad_top and pad_bottom");
  REFUSED(pad_right, 32, "pad_left and pad_right");
  REFUSED(mean[1], NAN, "mean[1] is nan");
  REFUSED(mean[2], INFINITY, "mean[2]");
  REFUSED(std[0], 0, "std[0] is 0");
  REFUSED(std[1], -1, "std[1] is -1");
  REFUSED(std[2], NAN, "std[2]");
  REFUSED(std[2], INFINITY, "std[2]");
  REFUSED(resize_short, -1, "resize_short is -1");
  REFUSED(resize_short, 4097, "resize_short is 4097");
  REFUSED(resize_height, 32, "resize_width is 0 and resize_height 32");
  REFUSED(crop_width, 32, "crop_height is 0 and crop_width 32");
  REFUSED(crop_height, 5000, "crop_height is 5000");
  REFUSED(filter, 2, "filter is 2");
  REFUSED(crop_rule, -1, "crop_rule is -1");
  REFUSED(order, 2, "order is 2");
  REFUSED(range, 100, "range is 100, expected 1 or 255");
  iscp_contract read, given = contract_of(3, 32, 32);
  given.struct_size = 12;
  support_failed(isc_contract_read(&read, &given), ISCP_ERROR_ABI, "iscp_contract");
  support_failed(isc_contract_read(&read, NULL), ISCP_ERROR_ARGUMENT, "NULL");
}
END_TEST

START_TEST(sides_add_up) {
  iscp_contract c = contract_of(3, 32, 40);
  c.resize_height = c.crop_height = 28;
  c.resize_width = c.crop_width = 40;
  refused(c, "crop_height is 28 and the pads beside it 0, expected the height of 32 together");
  c.pad_top = c.pad_bottom = 2;
  ASSERT_OK(iscp_contract_validate(&c));
  c.resize_height = c.resize_width = 100; /* the crop cuts them */
  ASSERT_OK(iscp_contract_validate(&c));
  c.resize_short = 50;
  refused(c, "resize_short is 50 and resize_height 100");
  c.resize_short = c.crop_height = c.crop_width = 0;
  refused(c, "resize_height is 100");
  c.resize_height = 28;
  refused(c, "resize_width is 100");
  c.resize_width = 40;
  ASSERT_OK(iscp_contract_validate(&c));
}
END_TEST

/* What a caller of the first version hands over ends before the fields that came later: they are as they were then. */
START_TEST(a_shorter_struct_is_as_before) {
  iscp_contract given, read;
  memset(&given, 0x55, sizeof given);
  ASSERT_OK(iscp_contract_init(&given, offsetof(iscp_contract, resize_short)));
  ck_assert_int_eq(given.range, 0x55555555);
  ASSERT_OK(isc_contract_read(&read, &given));
  ck_assert_int_eq(read.resize_short + read.crop_height + read.filter + read.order, 0);
  ck_assert_int_eq(read.range, 1);
  ASSERT_OK(iscp_contract_preset(&given, "torchvision-v1"));
  ck_assert_int_eq(given.range, 0x55555555);
  ASSERT_OK(iscp_contract_init(&given, sizeof given));
  given.range = 0;
  ASSERT_OK(isc_contract_read(&read, &given));
  ck_assert_int_eq(read.range, 1);
}
END_TEST

START_TEST(presets_are_whole_contracts) {
  int count = 0;
  for (; iscp_contract_preset_name(count); count++) {
    iscp_contract c = contract_of(1, 9, 9);
    const char *name = iscp_contract_preset_name(count);
    ASSERT_OK(iscp_contract_preset(&c, name));
    ASSERT_OK(iscp_contract_validate(&c));
    ck_assert_int_eq(c.channels, 3);
    ck_assert_str_ne(iscp_contract_preset_summary(count), "");
    for (int other = 0; other < count; other++)
      ck_assert_str_ne(name, iscp_contract_preset_name(other));
  }
  ck_assert_int_eq(count, 12);
  ck_assert_ptr_null(iscp_contract_preset_summary(count));
  ck_assert_ptr_null(iscp_contract_preset_name(-1));
  iscp_contract c = contract_of(3, 32, 32), before = c;
  support_failed(iscp_contract_preset(&c, "torchvision"), ISCP_ERROR_ARGUMENT, "torchvision-v1, torchvision-v2, timm");
  support_failed(iscp_contract_preset(&c, NULL), ISCP_ERROR_ARGUMENT, "name");
  support_failed(iscp_contract_preset(NULL, "timm"), ISCP_ERROR_ARGUMENT, "contract");
  ck_assert_mem_eq(&c, &before, sizeof c);
}
END_TEST

START_TEST(range_and_order_become_mean_and_std) {
  iscp_contract c = contract_of(3, 32, 32);
  memcpy(c.mean, (float[3]){10, 20, 30}, sizeof c.mean);
  memcpy(c.std, (float[3]){1, 2, 4}, sizeof c.std);
  isc_scale plain = isc_contract_scale(&c);
  ck_assert_mem_eq(plain.mean, c.mean, sizeof c.mean);
  ck_assert_mem_eq(plain.std, c.std, sizeof c.std);
  ck_assert(!isc_contract_reverses(&c));
  c.range = 255;
  c.order = ISCP_ORDER_BGR; /* mean[0] is that of blue */
  isc_scale scale = isc_contract_scale(&c);
  for (int i = 0; i < 3; i++) {
    ck_assert(scale.mean[i] == (float)(c.mean[2 - i] / 255.0));
    ck_assert(scale.std[i] == (float)(c.std[2 - i] / 255.0));
  }
  ck_assert(isc_contract_reverses(&c));
  c.channels = 1;
  ck_assert(!isc_contract_reverses(&c));
}
END_TEST

/* ---- JSON ---- */

static void check_round_trip(const iscp_context *context, const iscp_contract *contract, const char *const *names,
                             size_t count) {
  char *json, **read_names;
  size_t read_count;
  iscp_contract read;
  ASSERT_OK(isc_contract_print(&json, context, contract, names, count));
  ASSERT_OK(isc_contract_parse(&read, &read_names, &read_count, context, json, strlen(json), false));
  ck_assert_msg(!memcmp(&read, contract, sizeof read), "%s reads differently", json);
  ck_assert_uint_eq(read_count, count);
  for (size_t i = 0; i < count; i++)
    ck_assert_str_eq(read_names[i], names[i]);
  isc_names_free(read_names, read_count, context);
  isc_free(context, json);
}

START_TEST(json_reads_back_the_same) {
  iscp_context *context = support_context();
  const char *names[] = {"T-shirt", "caf\xc3\xa9 \"quoted\"", "", "a\\b"};
  iscp_contract contract = contract_of(3, 36, 40);
  contract.pad_top = 1;
  contract.pad_bottom = 2;
  contract.pad_left = 3;
  contract.pad_right = 4;
  memcpy(contract.mean, (float[3]){0.1f, 1.0f / 3, -1e-30f}, sizeof contract.mean);
  memcpy(contract.std, (float[3]){0.2023f, 1.17549435e-38f, 3.4028235e38f}, sizeof contract.std);
  check_round_trip(context, &contract, names, 4);
  check_round_trip(context, &contract, NULL, 0);
  iscp_contract more = contract_of(3, 224, 200);
  more.resize_short = 256;
  more.filter = ISCP_FILTER_BICUBIC;
  more.crop_height = 224;
  more.crop_width = 200;
  more.crop_rule = ISCP_CROP_FLOOR;
  more.order = ISCP_ORDER_BGR;
  more.range = 255;
  check_round_trip(context, &more, NULL, 0);
  more.resize_short = 0;
  more.resize_height = 300;
  more.resize_width = 301;
  check_round_trip(context, &more, NULL, 0);
  iscp_contract grey = contract_of(1, 28, 28);
  grey.mean[0] = 0.2860405969887955f;
  check_round_trip(context, &grey, names, 2);
  float values[300];
  support_fill(values, 300, 0.001f, 1, 5);
  for (int i = 0; i < 300; i += 3) {
    memcpy(contract.mean, values + i, sizeof contract.mean);
    memcpy(contract.std, values + i, sizeof contract.std);
    check_round_trip(context, &contract, NULL, 0);
  }
  support_context_end(context);
}
END_TEST

START_TEST(json_of_least_content) {
  iscp_context *context = support_context();
  iscp_contract read, expected = contract_of(3, 28, 32);
  char **names;
  size_t count;
  const char *json = "{\"height\": 28, \"width\": 32, \"mean\": [0,0,0]}";
  ASSERT_OK(isc_contract_parse(&read, &names, &count, context, json, strlen(json), false));
  ck_assert_mem_eq(&read, &expected, sizeof read);
  ck_assert_ptr_null(names);
  ck_assert_uint_eq(count, 0);
  support_context_end(context);
}
END_TEST

START_TEST(json_refusals) {
  static const struct {
    const char *json, *word;
  } cases[] = {
      {"", "not JSON"},
      {"[1, 2]", "not a JSON object"},
      {"7", "not JSON"},
      {"{\"height\": 28, \"width\": 28", "at byte"},
      {"{\"height\": 28, \"width\": 28} x", "not JSON"},
      {"{\"height\": 28, \"height\": 28, \"width\": 28}", "duplicate"},
      {"{\"width\": 28}", "\"height\""},
      {"{\"height\": 28}", "\"width\""},
      {"{\"height\": 28.5, \"width\": 28}", "\"height\""},
      {"{\"height\": \"28\", \"width\": 28}", "\"height\""},
      {"{\"height\": 4294967324, \"width\": 28}", "4294967324"},
      {"{\"height\": 5000, \"width\": 28}", "5000"},
      {"{\"height\": 28, \"width\": 28, \"channels\": 4}", "\"channels\" is 4"},
      {"{\"height\": 28, \"width\": 28, \"resize\": \"256\"}", "\"resize\""},
      {"{\"height\": 28, \"width\": 28, \"resize\": [28]}", "\"resize\" is not an array of 2"},
      {"{\"height\": 28, \"width\": 28, \"resize\": [30, 30]}", "resize_height is 30"},
      {"{\"height\": 28, \"width\": 28, \"crop\": 28}", "\"crop\""},
      {"{\"height\": 28, \"width\": 28, \"crop\": [28, 0]}", "crop_width is 0"},
      {"{\"height\": 28, \"width\": 28, \"filter\": \"lanczos\"}", "expected \"bilinear\" or \"bicubic\""},
      {"{\"height\": 28, \"width\": 28, \"filter\": 3}", "\"filter\" is no text"},
      {"{\"height\": 28, \"width\": 28, \"order\": \"bgr\"}", "\"order\" is \"bgr\""},
      {"{\"height\": 28, \"width\": 28, \"crop_rule\": \"odd\"}", "\"crop_rule\""},
      {"{\"height\": 28, \"width\": 28, \"range\": 256}", "range is 256"},
      {"{\"height\": 28, \"width\": 28, \"gamma\": 2.2}", "\"gamma\""},
      {"{\"height\": 28, \"width\": 28, \"pad\": [1, 2, 3]}", "\"pad\""},
      {"{\"height\": 28, \"width\": 28, \"pad\": [1, 2, 3, \"4\"]}", "\"pad\""},
      {"{\"height\": 28, \"width\": 28, \"pad\": 2}", "\"pad\""},
      {"{\"height\": 28, \"width\": 28, \"mean\": [0.5]}", "\"mean\""},
      {"{\"height\": 28, \"width\": 28, \"mean\": [0, 0, null]}", "\"mean\""},
      {"{\"height\": 28, \"width\": 28, \"mean\": [0, 0, 1e300]}", "mean[2]"},
      {"{\"height\": 28, \"width\": 28, \"std\": [0.5, 0.5, 0]}", "std[2]"},
      {"{\"height\": 28, \"width\": 28, \"std\": [0.5, 0.5, NaN]}", "not JSON"},
      {"{\"height\": 28, \"width\": 28, \"classes\": \"a\"}", "\"classes\""},
      {"{\"height\": 28, \"width\": 28, \"classes\": []}", "\"classes\""},
      {"{\"height\": 28, \"width\": 28, \"classes\": [\"a\", 1]}", "entry 1"},
      {"{\"height\": 28, \"width\": 28, \"classes\": [\"a\\u0000b\"]}", "not JSON"},
      {"{\"height\": 28, \"width\": 28, \"classes\": [\"\xff\"]}", "not JSON"},
  };
  iscp_context *context = support_context();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iscp_contract read;
    char **names = (char **)&names;
    size_t count = 9;
    iscp_status status = isc_contract_parse(&read, &names, &count, context, cases[i].json,
                                            strlen(cases[i].json), false);
    support_failed(status, ISCP_ERROR_FORMAT, cases[i].word);
    ck_assert_ptr_null(names);
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(read.struct_size, 0);
  }
  support_context_end(context);
}
END_TEST

START_TEST(names_that_are_not_text_are_not_printed) {
  iscp_context *context = support_context();
  const char *names[] = {"a", "\xff\xfe"};
  iscp_contract contract = contract_of(3, 28, 28);
  char *json = (char *)&json;
  support_failed(isc_contract_print(&json, context, &contract, names, 2), ISCP_ERROR_ARGUMENT, "UTF-8");
  ck_assert_ptr_null(json);
  contract.std[0] = 0;
  support_failed(isc_contract_print(&json, context, &contract, NULL, 0), ISCP_ERROR_ARGUMENT, "std[0]");
  support_context_end(context);
}
END_TEST

START_TEST(json_survives_each_failing_allocation) {
  iscp_context *context = support_context();
  const char *text = "{\"height\": 28, \"width\": 28, \"classes\": [\"a\", \"b\"]}";
  for (long allowed = 0; allowed <= 3; allowed++) {
    iscp_contract read;
    char **names;
    size_t count;
    support_fail_after(allowed);
    ck_assert_int_eq(isc_contract_parse(&read, &names, &count, context, text, strlen(text), false),
                     allowed < 3 ? ISCP_ERROR_MEMORY : ISCP_OK);
    support_fail_after(-1);
    isc_names_free(names, count, context);
  }
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("contract");
  TCase *all = tcase_create("contract");
  tcase_add_test(all, defaults_are_in_range);
  tcase_add_test(all, values_out_of_range_are_refused);
  tcase_add_test(all, sides_add_up);
  tcase_add_test(all, a_shorter_struct_is_as_before);
  tcase_add_test(all, presets_are_whole_contracts);
  tcase_add_test(all, range_and_order_become_mean_and_std);
  tcase_add_test(all, json_reads_back_the_same);
  tcase_add_test(all, json_of_least_content);
  tcase_add_test(all, json_refusals);
  tcase_add_test(all, names_that_are_not_text_are_not_printed);
  tcase_add_test(all, json_survives_each_failing_allocation);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
