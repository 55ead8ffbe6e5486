/* lib/base/fields: tables of the public structs, and what follows from them. */
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "support.h"

/* ---- The tables ---- */

static size_t width_of(int32_t type) {
  return type == ISCP_TYPE_INT32 || type == ISCP_TYPE_UINT32 || type == ISCP_TYPE_FLOAT ? 4 : 8;
}

/* No public struct has a gap, so that a field without a row shows. */
START_TEST(rows_cover_the_structs) {
  const char *name;
  for (int32_t s = 0; (name = iscp_fields_struct(s)); s++) {
    const iscp_fields *fields = iscp_fields_of(name);
    uint32_t end = 0;
    bool first_ends = false;
    for (int32_t i = 0; i < iscp_fields_count(fields); i++) {
      iscp_field field = {.struct_size = sizeof field};
      ASSERT_OK(iscp_fields_get(&field, fields, i));
      ck_assert_msg(field.offset == end, "%s.%s is at %u, the row before ends at %u", name, field.name, field.offset, end);
      ck_assert_msg(!i == !strcmp(field.name, "struct_size"), "%s", name);
      ck_assert_msg(!strncmp(field.name, "reserved", 8) == !!(field.rules & ISCP_RULE_RESERVED), "%s.%s", name, field.name);
      ck_assert_msg(field.low <= field.high && field.since >= 100, "%s.%s", name, field.name);
      ck_assert_msg(!field.needs || isc_field_find(fields, field.needs), "%s.%s", name, field.name);
      end += (uint32_t)width_of(field.type) * (uint32_t)field.count;
      first_ends |= end == fields->first;
    }
    ck_assert_msg(end == iscp_abi_sizeof(name), "%s: the last row ends at %u of %u", name, end, iscp_abi_sizeof(name));
    ck_assert_msg(first_ends, "%s: the first version ends within a field", name);
    ck_assert_msg(!s || strcmp(iscp_fields_struct(s - 1), name) < 0, "%s is not in the order of the alphabet", name);
  }
}
END_TEST

/* The sizes that programs of the first version have: they never change. */
START_TEST(first_sizes_stay) {
  static const struct {
    const char *name;
    uint32_t first;
  } known[] = {{"iscp_canvas_result", 56},   {"iscp_contract", 56},         {"iscp_dataset_options", 40},
               {"iscp_model_info", 40},      {"iscp_model_options", 24},    {"iscp_pattern_info", 32},
               {"iscp_search_options", 112}, {"iscp_train_options", 88},    {"iscp_attack_options", 48},
               {"iscp_check_options", 24},   {"iscp_context_options", 72},  {"iscp_evaluate_options", 32},
               {"iscp_gradcam_options", 12}, {"iscp_power", 104},           {"iscp_report_options", 48},
               {"iscp_uap_options", 80},     {"iscp_invert_options", 56},   {"iscp_poison_options", 32},
               {"iscp_trigger_options", 16}};
  if (sizeof(void *) == 8)
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
      ck_assert_msg(iscp_fields_of(known[i].name)->first == known[i].first, "%s: %u, expected %u", known[i].name,
                    iscp_fields_of(known[i].name)->first, known[i].first);
}
END_TEST

START_TEST(fields_are_listed) {
  const iscp_fields *fields = iscp_fields_of("iscp_search_options");
  iscp_field field = {.struct_size = sizeof field};
  int32_t value = 0, kinds = 0;
  while (iscp_fields_get(&field, fields, kinds) == ISCP_OK && strcmp(field.name, "canvas_kinds"))
    kinds++;
  ck_assert_int_eq(field.type, ISCP_TYPE_INT32);
  ck_assert(field.low == 1 && field.high == 31 && field.initial == ISCP_CANVAS_POSITIVE && field.rules == ISCP_RULE_BITS);
  ck_assert_int_eq(field.words, 5);
  ck_assert_str_eq(iscp_fields_word(&value, fields, kinds, 4), "user");
  ck_assert_int_eq(value, ISCP_CANVAS_USER);
  ck_assert_str_eq(iscp_fields_word(NULL, fields, kinds, 0), "positive");
  ck_assert_ptr_null(iscp_fields_word(&value, fields, kinds, 5));
  ck_assert_ptr_null(iscp_fields_word(&value, fields, kinds, -1));
  ck_assert_ptr_null(iscp_fields_word(&value, fields, 0, 0));
  ck_assert_ptr_null(iscp_fields_word(&value, NULL, 0, 0));
  ASSERT_OK(iscp_fields_get(&field, fields, iscp_fields_count(fields) - 1));
  ck_assert_str_eq(field.name, "canvas_step");
  support_failed(iscp_fields_get(&field, fields, 26), ISCP_ERROR_ARGUMENT, "index is 26, expected 0 to 25");
  support_failed(iscp_fields_get(&field, NULL, 0), ISCP_ERROR_ARGUMENT, "fields is NULL");
  support_failed(iscp_fields_get(NULL, fields, 0), ISCP_ERROR_ARGUMENT, "iscp_field is NULL");
  field.struct_size = 4;
  support_failed(iscp_fields_get(&field, fields, 0), ISCP_ERROR_ABI, "iscp_field has struct_size 4");
  ck_assert_ptr_null(iscp_fields_of("iscp_nothing"));
  ck_assert_ptr_null(iscp_fields_of(NULL));
  ck_assert_int_eq(iscp_fields_count(NULL), 0);
  ck_assert_ptr_null(iscp_fields_struct(-1));
}
END_TEST

/* ---- Defaults and the ABI rule ---- */

typedef iscp_status init_fn(void *options, uint32_t struct_size);
#define INIT(name) {"iscp_" #name, (init_fn *)(void (*)(void))iscp_##name##_init}
static const struct {
  const char *name;
  init_fn *init;
} inits[] = {INIT(attack_options), INIT(check_options),  INIT(context_options), INIT(contract),       INIT(dataset_options),
             INIT(evaluate_options), INIT(gradcam_options), INIT(invert_options), INIT(model_options), INIT(poison_options),
             INIT(report_options), INIT(search_options), INIT(train_options),   INIT(trigger_options), INIT(uap_options)};

/* Whoever fills the struct, its defaults are the table's. Addresses are the owner's. */
START_TEST(init_gives_the_tables_defaults) {
  const iscp_fields *fields = iscp_fields_of(inits[_i].name);
  unsigned char made[512], expected[512];
  char text[256];
  ASSERT_OK(inits[_i].init(made, fields->size));
  isc_fields_defaults(expected, fields);
  ck_assert_msg(!isc_fields_difference(text, sizeof text, fields, made, expected), "%s: %s", fields->name, text);
  for (int32_t f = 0; f < fields->count; f++)
    if (isc_field_is_value(&fields->rows[f]))
      ck_assert_msg(isc_field_number(&fields->rows[f], made, 0) == isc_field_number(&fields->rows[f], expected, 0), "%s.%s",
                    fields->name, fields->rows[f].name);
}
END_TEST

START_TEST(what_a_struct_does_not_know_is_zero) {
  const char *name;
  int reserved = 0;
  for (int32_t s = 0; (name = iscp_fields_struct(s)); s++) {
    const iscp_fields *fields = iscp_fields_of(name);
    unsigned char given[512] = {0}, read[512];
    uint32_t longer = fields->size + 16;
    ASSERT_OK(isc_fields_init(given, longer, fields));
    ASSERT_OK(isc_fields_read(read, fields, given));
    for (int32_t f = 0; f < fields->count; f++) {
      if (!(fields->rows[f].rules & ISCP_RULE_RESERVED))
        continue;
      given[fields->rows[f].offset] = 1;
      support_failed(isc_fields_read(read, fields, given), ISCP_ERROR_ARGUMENT, "is 1, expected 0");
      given[fields->rows[f].offset] = 0;
      reserved++;
    }
    given[fields->size + 9] = 1;
    support_failed(isc_fields_read(read, fields, given), ISCP_ERROR_ABI, name);
    uint32_t shorter = fields->first - 1;
    memcpy(given, &shorter, sizeof shorter);
    support_failed(isc_fields_read(read, fields, given), ISCP_ERROR_ABI, name);
    support_failed(isc_fields_write(given, fields, read), ISCP_ERROR_ABI, name);
  }
  ck_assert_int_gt(reserved, 15);
}
END_TEST

/* ---- Ranges ---- */

typedef struct ranges {
  uint32_t struct_size;
  int32_t whole;
  double closed, open, share, least, most, any;
  float numbers[2];
  int64_t bytes;
} ranges;

static const isc_field range_rows[] = {
    {.name = "struct_size", .type = ISCP_TYPE_UINT32, .count = 1, .rules = ISCP_RULE_SIZE},
    {.name = "whole", .offset = offsetof(ranges, whole), .type = ISCP_TYPE_INT32, .count = 1, .low = 2, .high = INT32_MAX,
     .initial = 7},
    {.name = "closed", .offset = offsetof(ranges, closed), .type = ISCP_TYPE_DOUBLE, .count = 1, .low = 0, .high = 2},
    {.name = "open", .offset = offsetof(ranges, open), .type = ISCP_TYPE_DOUBLE, .count = 1, .low = 0, .high = 1, .initial = 0.5,
     .rules = ISCP_RULE_ABOVE | ISCP_RULE_BELOW},
    {.name = "share", .offset = offsetof(ranges, share), .type = ISCP_TYPE_DOUBLE, .count = 1, .low = 0, .high = 1, .initial = 1,
     .rules = ISCP_RULE_ABOVE},
    {.name = "least", .offset = offsetof(ranges, least), .type = ISCP_TYPE_DOUBLE, .count = 1, .low = 0, .high = FLT_MAX},
    {.name = "most", .offset = offsetof(ranges, most), .type = ISCP_TYPE_DOUBLE, .count = 1, .low = -INFINITY, .high = 1},
    {.name = "any", .offset = offsetof(ranges, any), .type = ISCP_TYPE_DOUBLE, .count = 1},
    {.name = "numbers", .offset = offsetof(ranges, numbers), .type = ISCP_TYPE_FLOAT, .count = 2, .low = -INFINITY,
     .high = INFINITY, .rules = ISCP_RULE_ABOVE | ISCP_RULE_BELOW},
    {.name = "bytes", .offset = offsetof(ranges, bytes), .type = ISCP_TYPE_INT64, .count = 1, .low = -1, .high = INFINITY,
     .unit = "bytes"},
};
static const iscp_fields range_table = {"ranges", range_rows, sizeof range_rows / sizeof *range_rows, sizeof(ranges), 8, 100};

#define OUTSIDE(field, value, text)                                                          \
  do {                                                                                       \
    ranges r;                                                                                \
    isc_fields_defaults(&r, &range_table);                                                   \
    ASSERT_OK(isc_fields_check(&r, &range_table));                                           \
    r.field = (value);                                                                       \
    ck_assert_int_eq(isc_fields_check(&r, &range_table), ISCP_ERROR_ARGUMENT);               \
    ck_assert_str_eq(iscp_error_message(), text);                                            \
  } while (0)

START_TEST(numbers_out_of_range_are_named) {
  OUTSIDE(whole, 1, "whole is 1, expected 2 to 2147483647");
  OUTSIDE(closed, 2.5, "closed is 2.5, expected 0 to 2");
  OUTSIDE(closed, NAN, "closed is nan, expected 0 to 2");
  OUTSIDE(open, 0, "open is 0, expected more than 0 and less than 1");
  OUTSIDE(open, 1, "open is 1, expected more than 0 and less than 1");
  OUTSIDE(share, 0, "share is 0, expected more than 0 and at most 1");
  OUTSIDE(least, -1, "least is -1, expected 0 or more");
  OUTSIDE(least, 1e300, "least is 1e+300, expected 0 or more");
  OUTSIDE(least, INFINITY, "least is inf, expected 0 or more");
  OUTSIDE(most, 1.5, "most is 1.5, expected at most 1");
  OUTSIDE(numbers[1], (float)INFINITY, "numbers[1] is inf, expected a finite number");
  OUTSIDE(numbers[0], (float)NAN, "numbers[0] is nan, expected a finite number");
  OUTSIDE(bytes, -2, "bytes is -2 bytes, expected -1 or more");
  ranges r;
  isc_fields_defaults(&r, &range_table);
  ck_assert(r.struct_size == sizeof r && r.whole == 7 && r.open == 0.5 && r.bytes == 0);
  r.most = -INFINITY;
  r.any = NAN;
  r.bytes = INT64_MAX;
  ASSERT_OK(isc_fields_check(&r, &range_table));
  r.share = 2;
  ASSERT_OK(isc_field_check(&r, &range_table, "whole"));
  support_failed(isc_field_check(&r, &range_table, "share"), ISCP_ERROR_ARGUMENT, "share is 2");
}
END_TEST

/* ---- Text ---- */

START_TEST(numbers_are_read_back) {
  ranges r = {0}, read = {0};
  char text[ISC_FIELD_TEXT];
  r.closed = 0.1;
  r.numbers[1] = 0.1f;
  r.bytes = INT64_MIN;
  isc_field_print(text, isc_field_find(&range_table, "closed"), &r, 0, 1);
  ck_assert_str_eq(text, "0.1");
  isc_field_print(text, isc_field_find(&range_table, "closed"), &r, 0, 17);
  ck_assert_str_eq(text, "0.10000000000000001");
  isc_field_print(text, isc_field_find(&range_table, "numbers"), &r, 1, 1);
  ck_assert_str_eq(text, "0.1");
  ck_assert(isc_field_parse(&read, isc_field_find(&range_table, "numbers"), 1, text) && read.numbers[1] == 0.1f);
  isc_field_print(text, isc_field_find(&range_table, "bytes"), &r, 0, 1);
  ck_assert(isc_field_parse(&read, isc_field_find(&range_table, "bytes"), 0, text) && read.bytes == INT64_MIN);
  static const char *const wrong[] = {"", "x", "1x", " 1", "+1", "1.5", "2147483648", "99999999999999999999"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    ck_assert_msg(!isc_field_parse(&read, isc_field_find(&range_table, "whole"), 0, wrong[i]), "\"%s\"", wrong[i]);
  ck_assert(!isc_field_parse(&read, isc_field_find(&range_table, "closed"), 0, "0.1,"));
}
END_TEST

/* The bytes that states of trainings have held from the first version on. */
static const char TRAINING[] = "epochs 3,batch 128,schedule 4,learning_rate 0.10000000000000001,momentum 0.90000000000000002,"
                               "weight_decay 0.00050000000000000001,step_factor 0.10000000000000001,rise 0.29999999999999999,"
                               "step_epochs 30,nesterov 1,decay_all 0,shift 0,flip 0,seed 18446744073709551615";

START_TEST(a_record_is_a_line) {
  iscp_train_options options, read;
  char text[512], expected[512];
  ASSERT_OK(iscp_train_options_init(&options, sizeof options));
  options.seed = UINT64_MAX;
  isc_fields_print(text, sizeof text, &options, &isc_train_options_fields);
  ck_assert_str_eq(text, TRAINING);
  options.attack = ISCP_NORM_L2;
  options.attack_eps = 0.25;
  isc_fields_print(text, sizeof text, &options, &isc_train_options_fields);
  snprintf(expected, sizeof expected, "%s,attack 2,attack_steps 7,attack_eps 0.25,attack_step 0", TRAINING);
  ck_assert_str_eq(text, expected);
  ck_assert(isc_fields_parse(&read, &isc_train_options_fields, text));
  ck_assert_mem_eq(&read, &options, sizeof read);
  ck_assert(isc_fields_parse(&read, &isc_train_options_fields, TRAINING) && read.attack == 0 && read.attack_steps == 7);
  static const char *const wrong[] = {"", "epochs", "epochs 3,", "epochs x", "batch 3,none 4", "reserved 1", "epochs 3 4"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    ck_assert_msg(!isc_fields_parse(&read, &isc_train_options_fields, wrong[i]), "\"%s\"", wrong[i]);
  char small[10];
  isc_fields_print(small, sizeof small, &options, &isc_train_options_fields);
  ck_assert_str_eq(small, "epochs 3,");
}
END_TEST

static void differs(const iscp_train_options *there, const iscp_train_options *here, const char *expected) {
  char text[256];
  ck_assert_int_eq(isc_fields_difference(text, sizeof text, &isc_train_options_fields, there, here), *expected != 0);
  ck_assert_str_eq(text, expected);
}

START_TEST(the_first_difference_is_named) {
  iscp_train_options a, b;
  ASSERT_OK(iscp_train_options_init(&a, sizeof a));
  b = a;
  differs(&a, &b, "");
  b.attack_steps = 9; /* without an attack it is nobody's business */
  differs(&a, &b, "");
  b.attack = ISCP_NORM_LINF;
  differs(&a, &b, "no attack, expected attack 1");
  differs(&b, &a, "attack 1, expected no attack");
  a.attack = b.attack;
  differs(&a, &b, "attack_steps 7, expected attack_steps 9");
  a.learning_rate = 0.2;
  differs(&a, &b, "learning_rate 0.2, expected learning_rate 0.1");
  a.epochs = 4;
  differs(&a, &b, "epochs 4, expected epochs 3");
  iscp_contract c, d;
  char text[256];
  ASSERT_OK(iscp_contract_init(&c, sizeof c));
  d = c;
  d.std[2] = 0.5f;
  ck_assert(isc_fields_difference(text, sizeof text, &isc_contract_fields, &c, &d));
  ck_assert_str_eq(text, "std[2] 1, expected std[2] 0.5");
}
END_TEST

/* ---- JSON ---- */

START_TEST(a_record_is_json) {
  iscp_search_options o, read;
  ASSERT_OK(iscp_search_options_init(&o, sizeof o));
  o.canvas_kinds = ISCP_CANVAS_NEGATIVE | ISCP_CANVAS_WHITE;
  o.seed = UINT64_MAX;
  json_t *root = json_object();
  ASSERT_OK(isc_fields_to_json(root, &o, &isc_search_options_fields));
  char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(15));
  ck_assert_str_eq(text, "{\"preset\":\"predictive\",\"alpha_mode\":\"preset\",\"alpha\":0.2,\"tv\":0.0,\"canvas_steps\":0,"
                         "\"mask_steps\":5,\"canvas_step\":0.00784313725490196,\"canvas_kinds\":[\"negative\",\"white\"],"
                         "\"step\":0.02,\"fraction\":0.2,\"select_size\":0.05,\"seed\":\"18446744073709551615\",\"canvases\":5,"
                         "\"epochs\":5,\"batch\":4,\"select\":\"preset\",\"ties\":\"preset\",\"lanes\":0,\"pass_batch\":0,"
                         "\"user_canvas_count\":0}");
  ASSERT_OK(iscp_search_options_init(&read, sizeof read));
  const char *key;
  json_t *value;
  json_object_foreach(root, key, value)
    ASSERT_OK(isc_field_from_json(&read, &isc_search_options_fields, key, value));
  ck_assert_mem_eq(&read, &o, sizeof o);
  o.tv = NAN;
  support_failed(isc_fields_to_json(root, &o, &isc_search_options_fields), ISCP_ERROR_MEMORY, "iscp_search_options");
  json_decref(root);
  free(text);
}
END_TEST

static void refuses(const char *name, const char *json, const char *word) {
  iscp_search_options o;
  json_t *item = json ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;
  support_failed(isc_field_from_json(&o, &isc_search_options_fields, name, item), ISCP_ERROR_FORMAT, word);
  json_decref(item);
}

START_TEST(wrong_json_is_named) {
  refuses("epochs", NULL, "\"epochs\" is missing or no whole number");
  refuses("epochs", "1.5", "\"epochs\" is missing or no whole number");
  refuses("epochs", "2147483648", "\"epochs\" is 2147483648, expected a number of 32 bits");
  refuses("seed", "-1", "\"seed\" is -1, expected a number of 64 bits");
  refuses("seed", "\"x\"", "\"seed\" is missing or no whole number");
  refuses("step", "\"x\"", "\"step\" is missing or no number");
  refuses("ties", "\"x\"", "\"ties\" is \"x\", expected \"preset\", \"evidence\" or \"index\"");
  refuses("ties", "1", "\"ties\" is no text, expected");
  refuses("canvas_kinds", "\"white\"", "\"canvas_kinds\" is not an array of words");
  refuses("canvas_kinds", "[\"white\", \"x\"]", "\"canvas_kinds\" is \"x\", expected \"positive\"");
  iscp_contract contract;
  json_t *three = json_pack("[f,i,f]", 0.5, 1, 0.25), *two = json_pack("[i,i]", 1, 2);
  ASSERT_OK(isc_field_from_json(&contract, &isc_contract_fields, "mean", three));
  ck_assert(contract.mean[0] == 0.5f && contract.mean[1] == 1 && contract.mean[2] == 0.25f);
  json_t *back = isc_field_to_json(&contract, &isc_contract_fields, "mean");
  ck_assert_int_eq((int)json_array_size(back), 3);
  support_failed(isc_field_from_json(&contract, &isc_contract_fields, "mean", two), ISCP_ERROR_FORMAT, "array of 3 numbers");
  json_decref(back);
  json_decref(three);
  json_decref(two);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("fields");
  TCase *tables = tcase_create("tables"), *values = tcase_create("values");
  tcase_add_test(tables, rows_cover_the_structs);
  tcase_add_test(tables, first_sizes_stay);
  tcase_add_test(tables, fields_are_listed);
  tcase_add_loop_test(tables, init_gives_the_tables_defaults, 0, sizeof inits / sizeof *inits);
  tcase_add_test(tables, what_a_struct_does_not_know_is_zero);
  tcase_add_test(values, numbers_out_of_range_are_named);
  tcase_add_test(values, numbers_are_read_back);
  tcase_add_test(values, a_record_is_a_line);
  tcase_add_test(values, the_first_difference_is_named);
  tcase_add_test(values, a_record_is_json);
  tcase_add_test(values, wrong_json_is_named);
  suite_add_tcase(suite, tables);
  suite_add_tcase(suite, values);
  return support_run(suite);
}
