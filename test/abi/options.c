/* Every options struct follows the ABI rule: shorter and longer callers, and garbage in struct_size. */
#include <string.h>

#include "support.h"

typedef iscp_status init_fn(void *options, uint32_t struct_size);

#define INIT(name)                                                       \
  static iscp_status init_##name(void *options, uint32_t struct_size) { \
    return iscp_##name##_init(options, struct_size);                     \
  }
INIT(attack_options)
INIT(context_options)
INIT(contract)
INIT(dataset_options)
INIT(evaluate_options)
INIT(gradcam_options)
INIT(invert_options)
INIT(model_options)
INIT(poison_options)
INIT(report_options)
INIT(run_options)
INIT(search_options)
INIT(train_options)
INIT(trigger_options)
INIT(uap_options)

static const struct {
  const char *name;
  init_fn *init;
} structs[] = {
    {"iscp_attack_options", init_attack_options},     {"iscp_context_options", init_context_options},
    {"iscp_contract", init_contract},                 {"iscp_dataset_options", init_dataset_options},
    {"iscp_evaluate_options", init_evaluate_options}, {"iscp_gradcam_options", init_gradcam_options},
    {"iscp_invert_options", init_invert_options},     {"iscp_model_options", init_model_options},
    {"iscp_poison_options", init_poison_options},     {"iscp_report_options", init_report_options},
    {"iscp_run_options", init_run_options},           {"iscp_search_options", init_search_options},
        {"iscp_train_options", init_train_options},
    {"iscp_trigger_options", init_trigger_options},   {"iscp_uap_options", init_uap_options},
};

START_TEST(init_fills_what_the_caller_has) {
  uint32_t size = iscp_abi_sizeof(structs[_i].name);
  unsigned char longer[8192], exact[8192];
  ck_assert_uint_gt(size, 0);
  ASSERT_OK(structs[_i].init(exact, size));
  memset(longer, 0xAA, sizeof longer);
  ASSERT_OK(structs[_i].init(longer, size + 64));
  uint32_t told;
  memcpy(&told, longer, sizeof told);
  ck_assert_uint_eq(told, size + 64);
  ck_assert_mem_eq(longer + 4, exact + 4, size - 4);
  for (uint32_t i = size; i < size + 64; i++)
    ck_assert_uint_eq(longer[i], 0);
  ck_assert_uint_eq(longer[size + 64], 0xAA);
}
END_TEST

START_TEST(init_refuses_impossible_sizes) {
  unsigned char memory[8192];
  support_failed(structs[_i].init(memory, 0), ISCP_ERROR_ABI, structs[_i].name);
  support_failed(structs[_i].init(memory, 4), ISCP_ERROR_ABI, structs[_i].name);
  support_failed(structs[_i].init(memory, 100000), ISCP_ERROR_ABI, structs[_i].name);
  support_failed(structs[_i].init(NULL, iscp_abi_sizeof(structs[_i].name)), ISCP_ERROR_ARGUMENT, structs[_i].name);
}
END_TEST

/* A context stands for all: they share one function. */
START_TEST(newer_callers) {
  struct {
    iscp_context_options known;
    uint64_t future;
  } options;
  iscp_context *context;
  ASSERT_OK(iscp_context_options_init(&options.known, sizeof options));
  ASSERT_OK(iscp_context_create(&context, &options.known));
  iscp_context_destroy(context);
  options.future = 1;
  support_failed(iscp_context_create(&context, &options.known), ISCP_ERROR_ABI, "iscp_context_options");
  ck_assert_ptr_null(context);
  options.known.struct_size = 8;
  support_failed(iscp_context_create(&context, &options.known), ISCP_ERROR_ABI, "iscp_context_options");
}
END_TEST

START_TEST(unknown_struct) {
  ck_assert_uint_eq(iscp_abi_sizeof("iscp_nothing"), 0);
  ck_assert_uint_eq(iscp_abi_sizeof(NULL), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("option structs");
  TCase *test = tcase_create("abi");
  int count = sizeof structs / sizeof *structs;
  tcase_add_loop_test(test, init_fills_what_the_caller_has, 0, count);
  tcase_add_loop_test(test, init_refuses_impossible_sizes, 0, count);
  tcase_add_test(test, newer_callers);
  tcase_add_test(test, unknown_struct);
  suite_add_tcase(suite, test);
  return support_run(suite);
}
