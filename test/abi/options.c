/* Every options struct follows the ABI rule: shorter and longer callers, garbage in struct_size, and nothing but zero in what the
 * library does not know, be it a reserved field or a byte beyond its own struct. */
#include <string.h>

#include "support.h"

typedef iscp_status init_fn(void *options, uint32_t struct_size);

#define INIT(name)                                                       \
  static iscp_status init_##name(void *options, uint32_t struct_size) { \
    return iscp_##name##_init(options, struct_size);                     \
  }
INIT(attack_options)
INIT(check_options)
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
    {"iscp_check_options", init_check_options},
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

/* ---- Those who read them ---- */

enum { SIDE = 8, IMAGES = 6, CLASSES = 3 };

typedef struct world {
  iscp_context *context;
  iscp_contract contract;
  iscp_model *model;
  iscp_dataset *data;
  iscp_trigger *trigger;
} world;

static const uint8_t pixels[IMAGES * SIDE * SIDE];
static const int32_t labels[IMAGES] = {0, 1, 2, 0, 1, 2};
static const iscp_model_info info = {
    .struct_size = sizeof info, .depth = 18, .width = 4, .stem = ISCP_STEM_CIFAR, .classes = CLASSES, .channels = 1};

static void open_world(world *w) {
  iscp_model_options options;
  iscp_dataset_options data;
  ASSERT_OK(iscp_context_create(&w->context, NULL));
  ASSERT_OK(iscp_contract_init(&w->contract, sizeof w->contract));
  w->contract.channels = 1;
  w->contract.height = w->contract.width = SIDE;
  ASSERT_OK(iscp_model_options_init(&options, sizeof options));
  options.contract = &w->contract;
  ASSERT_OK(iscp_model_create(&w->model, w->context, &info, &options, 0));
  ASSERT_OK(iscp_dataset_options_init(&data, sizeof data));
  data.contract = &w->contract;
  ASSERT_OK(iscp_dataset_from_memory(&w->data, w->context, pixels, labels, IMAGES, SIDE, SIDE, 1, &data));
  ASSERT_OK(iscp_trigger_create(&w->trigger, w->context, "white:2x2", NULL));
}

static void close_world(world *w) {
  iscp_trigger_destroy(w->trigger);
  iscp_dataset_destroy(w->data);
  iscp_model_destroy(w->model);
  iscp_context_destroy(w->context);
}

/* Every function that reads a struct of the caller's. None of them succeeds here. */
static iscp_status read_attack_options(world *w, const void *o) {
  return iscp_attack_create(&(iscp_attack *){0}, w->model, o);
}
static iscp_status read_check_options(world *w, const void *o) {
  return iscp_check_create(&(iscp_check *){0}, w->model, w->data, o, NULL, NULL);
}
static iscp_status read_context_options(world *w, const void *o) {
  return (void)w, iscp_context_create(&(iscp_context *){0}, o);
}
static iscp_status read_contract(world *w, const void *o) {
  return (void)w, iscp_contract_validate(o);
}
static iscp_status read_dataset_options(world *w, const void *o) {
  return iscp_dataset_from_memory(&(iscp_dataset *){0}, w->context, pixels, labels, IMAGES, SIDE, SIDE, 1, o);
}
static iscp_status read_evaluate_options(world *w, const void *o) {
  return iscp_evaluation_create(&(iscp_evaluation *){0}, w->model, w->data, o, NULL, NULL);
}
static iscp_status read_gradcam_options(world *w, const void *o) {
  return iscp_gradcam_create(&(iscp_gradcam *){0}, w->model, o);
}
static iscp_status read_invert_options(world *w, const void *o) {
  return iscp_inversion_create(&(iscp_inversion *){0}, w->model, w->data, o);
}
static iscp_status read_model_info(world *w, const void *o) {
  iscp_model_options options = {.struct_size = sizeof options, .contract = &w->contract};
  return iscp_model_create(&(iscp_model *){0}, w->context, o, &options, 0);
}
static iscp_status read_model_options(world *w, const void *o) {
  return iscp_model_create(&(iscp_model *){0}, w->context, &info, o, 0);
}
static iscp_status read_poison_options(world *w, const void *o) {
  return iscp_dataset_poison(&(iscp_dataset *){0}, w->data, w->trigger, o);
}
static iscp_status read_report_options(world *w, const void *o) {
  return iscp_report_create(&(iscp_report *){0}, "/nowhere/at/all", w->model, w->data, NULL, o);
}
static iscp_status read_search_options(world *w, const void *o) {
  return iscp_search_create(&(iscp_search *){0}, w->model, w->data, o);
}
static iscp_status resolve_search_options(world *w, const void *o) {
  return (void)w, iscp_search_options_resolve((iscp_search_options *)o);
}
static iscp_status report_search_options(world *w, const void *o) {
  return iscp_report_create(&(iscp_report *){0}, "/nowhere/at/all", w->model, w->data, o, NULL);
}
static iscp_status read_train_options(world *w, const void *o) {
  return iscp_trainer_create(&(iscp_trainer *){0}, w->model, w->data, o);
}
static iscp_status read_trigger_options(world *w, const void *o) {
  return iscp_trigger_create(&(iscp_trigger *){0}, w->context, "white:2x2", o);
}
static iscp_status read_uap_options(world *w, const void *o) {
  return iscp_uap_create(&(iscp_uap *){0}, w->model, w->data, 0, o);
}

static const struct {
  const char *name;
  iscp_status (*read)(world *w, const void *options);
} readers[] = {
    {"iscp_attack_options", read_attack_options},     {"iscp_check_options", read_check_options},
    {"iscp_context_options", read_context_options},   {"iscp_contract", read_contract},
    {"iscp_dataset_options", read_dataset_options},   {"iscp_evaluate_options", read_evaluate_options},
    {"iscp_gradcam_options", read_gradcam_options},   {"iscp_invert_options", read_invert_options},
    {"iscp_model_info", read_model_info},             {"iscp_model_options", read_model_options},
    {"iscp_poison_options", read_poison_options},     {"iscp_report_options", read_report_options},
    {"iscp_search_options", read_search_options},     {"iscp_search_options", resolve_search_options},
    {"iscp_search_options", report_search_options},   {"iscp_train_options", read_train_options},
    {"iscp_trigger_options", read_trigger_options},   {"iscp_uap_options", read_uap_options},
};

/* The defaults, in a struct of `size` bytes. */
static void fill(unsigned char *options, const char *name, uint32_t size) {
  memset(options, 0, size);
  memcpy(options, &size, sizeof size);
  if (!strcmp(name, "iscp_model_info"))
    memcpy(options + 4, (const char *)&info + 4, sizeof info - 4);
  for (size_t i = 0; i < sizeof structs / sizeof *structs; i++)
    if (!strcmp(structs[i].name, name))
      ASSERT_OK(structs[i].init(options, size));
}

START_TEST(what_is_not_known_is_refused) {
  const char *name = readers[_i].name;
  const iscp_fields *fields = iscp_fields_of(name);
  iscp_field field = {.struct_size = sizeof field};
  unsigned char options[512];
  uint32_t size = iscp_abi_sizeof(name);
  world w;
  open_world(&w);
  for (int32_t f = 0; f < iscp_fields_count(fields); f++) {
    ASSERT_OK(iscp_fields_get(&field, fields, f));
    if (!(field.rules & ISCP_RULE_RESERVED))
      continue;
    fill(options, name, size);
    options[field.offset] = 1;
    support_failed(readers[_i].read(&w, options), ISCP_ERROR_ARGUMENT, "reserved");
  }
  fill(options, name, size + 8);
  options[size + 7] = 1;
  support_failed(readers[_i].read(&w, options), ISCP_ERROR_ABI, name);
  uint32_t few = 4;
  memcpy(options, &few, sizeof few);
  support_failed(readers[_i].read(&w, options), ISCP_ERROR_ABI, name);
  close_world(&w);
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
  tcase_add_loop_test(test, what_is_not_known_is_refused, 0, sizeof readers / sizeof *readers);
  tcase_add_test(test, unknown_struct);
  suite_add_tcase(suite, test);
  return support_run(suite);
}
