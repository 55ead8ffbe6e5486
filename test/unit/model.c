/* lib/model: loading and saving, the input contract and the class names that travel with the weights. Sessions have
 * session.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "format/format.h"
#include "model/model.h"
#include "support.h"
#include "toy.h"

static const toy small = {18, 4, ISCP_STEM_CIFAR, 3, 3, 1};
static const char *const three_names[] = {"T-shirt/top", "caf\xc3\xa9", ""};

static iscp_model_options options_of(const iscp_contract *contract) {
  iscp_model_options options;
  ASSERT_OK(iscp_model_options_init(&options, sizeof options));
  options.contract = contract;
  return options;
}

/* The small network's tensors as a file without metadata. */
static const char *write_bare(iscp_context *context) {
  const char *path = support_path("bare.safetensors");
  isc_tensor_set tensors;
  toy_tensors(&tensors, context, &small);
  ASSERT_OK(isc_write_safetensors(&tensors, context, path));
  isc_tensor_set_release(&tensors, context);
  return path;
}

static iscp_model *load(iscp_context *context, const char *path, const iscp_model_options *options) {
  iscp_model *model;
  ASSERT_OK(iscp_model_load(&model, context, path, options));
  return model;
}

static void refused(iscp_context *context, const char *path, const iscp_model_options *options, iscp_status status,
                    const char *word) {
  iscp_model *model = (iscp_model *)&model;
  support_failed(iscp_model_load(&model, context, path, options), status, word);
  ck_assert_ptr_null(model);
}

static void check_contract(const iscp_contract *a, const iscp_contract *b) {
  ck_assert_mem_eq(a, b, sizeof *a);
}

/* ---- Loading ---- */

START_TEST(a_bare_file_needs_a_contract) {
  iscp_context *context = support_context();
  const char *path = write_bare(context);
  refused(context, path, NULL, ISCP_ERROR_MISMATCH, "carries no input contract");
  ck_assert_ptr_nonnull(strstr(iscp_error_message(), "bare.safetensors: "));
  iscp_contract contract = toy_contract(&small, 10, 12);
  iscp_model_options options = options_of(&contract);
  iscp_model *model = load(context, path, &options);
  check_contract(iscp_model_contract(model), &contract);
  ck_assert_ptr_null(iscp_model_class_name(model, 0));
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

static void check_source(iscp_context *context, const char *path, const iscp_model_options *options, const char *source,
                         int32_t height) {
  iscp_model *model = load(context, path, options);
  ck_assert_str_eq(iscp_model_contract_source(model), source);
  ck_assert_int_eq(iscp_model_contract(model)->height, height);
  iscp_model_destroy(model);
}

/* Options come before the metadata, these before the files beside the weights. */
START_TEST(a_contract_has_a_source) {
  iscp_context *context = support_context();
  char path[512], beside[560], saved[512], saved_beside[560];
  snprintf(path, sizeof path, "%s", write_bare(context));
  snprintf(beside, sizeof beside, "%s.contract.json", path);
  iscp_contract contract = toy_contract(&small, 10, 12);
  iscp_model_options options = options_of(&contract);
  check_source(context, path, &options, "options", 10);
  contract.height = 11;
  ASSERT_OK(iscp_contract_write(&contract, context, beside, three_names, 3));
  check_source(context, path, NULL, beside, 11);
  iscp_model *model = load(context, path, NULL);
  check_contract(iscp_model_contract(model), &contract);
  ck_assert_str_eq(iscp_model_class_name(model, 1), three_names[1]);
  snprintf(saved, sizeof saved, "%s", support_path("saved.safetensors"));
  snprintf(saved_beside, sizeof saved_beside, "%s.contract.json", saved);
  ASSERT_OK(iscp_model_save(model, saved, ISCP_STORE_F32));
  iscp_model_destroy(model);
  contract.height = 12;
  ASSERT_OK(iscp_contract_write(&contract, context, saved_beside, NULL, 0));
  check_source(context, saved, NULL, "metadata", 11);
  contract.height = 13;
  check_source(context, saved, &options, "options", 13);
  check_source(context, path, &options, "options", 13);
  support_write(beside, "{\"height\": 8}", 13);
  refused(context, path, NULL, ISCP_ERROR_FORMAT, ".contract.json: ");
  check_source(context, path, &options, "options", 13);
  ck_assert_ptr_null(iscp_model_contract_source(NULL));
  support_context_end(context);
}
END_TEST

/* Without a network, what loading takes: from beside, from the file, and neither. */
START_TEST(a_contract_is_read_alone) {
  iscp_context *context = support_context();
  char path[512], beside[560], saved[512], source[600], cut[5];
  snprintf(path, sizeof path, "%s", write_bare(context));
  snprintf(beside, sizeof beside, "%s.contract.json", path);
  iscp_contract contract = toy_contract(&small, 10, 12), found;
  remove(beside);
  ASSERT_OK(iscp_contract_init(&found, sizeof found));
  support_failed(iscp_model_read_contract(&found, source, sizeof source, context, path, NULL), ISCP_ERROR_MISMATCH,
                 "carries no input contract");
  ck_assert_ptr_nonnull(strstr(iscp_error_message(), "bare.safetensors: "));
  ASSERT_OK(iscp_contract_write(&contract, context, beside, three_names, 3));
  ASSERT_OK(iscp_model_read_contract(&found, source, sizeof source, context, path, NULL));
  check_contract(&found, &contract);
  ck_assert_str_eq(source, beside);
  iscp_model *model = load(context, path, NULL);
  snprintf(saved, sizeof saved, "%s", support_path("saved.safetensors"));
  ASSERT_OK(iscp_model_save(model, saved, ISCP_STORE_F32));
  iscp_model_destroy(model);
  ASSERT_OK(iscp_model_read_contract(&found, cut, sizeof cut, context, saved, NULL));
  ck_assert_str_eq(cut, "meta");
  ASSERT_OK(iscp_model_read_contract(&found, NULL, 0, context, saved, NULL));
  check_contract(&found, &contract);
  support_failed(iscp_model_read_contract(&found, NULL, 4, context, saved, NULL), ISCP_ERROR_ARGUMENT, "source");
  support_failed(iscp_model_read_contract(&found, NULL, 0, context, support_path("nowhere"), NULL), ISCP_ERROR_IO, "nowhere");
  support_failed(iscp_model_read_contract(&found, NULL, 0, context, saved, "ema"), ISCP_ERROR_MISMATCH, "ema");
  support_context_end(context);
}
END_TEST

/* Weights for B, G, R are saved as they came. */
START_TEST(saved_weights_are_not_reversed) {
  iscp_context *context = support_context();
  iscp_contract contract = toy_contract(&small, 10, 12);
  contract.order = ISCP_ORDER_BGR;
  contract.range = 255;
  iscp_model_options options = options_of(&contract);
  const char *bare = write_bare(context), *saved = support_path("bgr.safetensors");
  iscp_model *model = load(context, bare, &options);
  ASSERT_OK(iscp_model_save(model, saved, ISCP_STORE_F32));
  iscp_model_destroy(model);
  isc_tensor_set before, after;
  ASSERT_OK(isc_read_tensors(&before, context, bare));
  ASSERT_OK(isc_read_tensors(&after, context, saved));
  const isc_tensor *a = isc_tensor_set_find(&before, "conv1.weight"), *b = isc_tensor_set_find(&after, "conv1.weight");
  ck_assert_mem_eq(a->data, b->data, isc_tensor_bytes(a));
  isc_tensor_set_release(&before, context);
  isc_tensor_set_release(&after, context);
  model = load(context, saved, NULL);
  check_contract(iscp_model_contract(model), &contract);
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

START_TEST(a_model_tells_what_it_is) {
  iscp_context *context = support_context();
  const char *path = write_bare(context);
  iscp_contract contract = toy_contract(&small, 10, 12);
  iscp_model_options options = options_of(&contract);
  iscp_model *model = load(context, path, &options);
  iscp_model_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_model_get_info(model, &info));
  ck_assert_int_eq(info.depth, 18);
  ck_assert_int_eq(info.width, 4);
  ck_assert_int_eq(info.stem, ISCP_STEM_CIFAR);
  ck_assert_int_eq(info.classes, 3);
  ck_assert_int_eq(info.channels, 3);
  ck_assert_int_eq(info.parameters, isc_network_parameters(isc_model_network(model)));
  ck_assert_int_eq(info.multiply_adds, isc_network_multiply_adds(isc_model_network(model), 10, 12));
  char digest[ISC_DIGEST_TEXT];
  ASSERT_OK(isc_digest_file(digest, context, path));
  ck_assert_str_eq(iscp_model_hash(model), digest);
  info.struct_size = 4;
  support_failed(iscp_model_get_info(model, &info), ISCP_ERROR_ABI, "iscp_model_info");
  support_failed(iscp_model_get_info(model, NULL), ISCP_ERROR_ARGUMENT, "iscp_model_info");
  support_failed(iscp_model_get_info(NULL, &info), ISCP_ERROR_ARGUMENT, "model");
  iscp_model_destroy(model);
  iscp_model_destroy(NULL);
  ck_assert_ptr_null(iscp_model_contract(NULL));
  ck_assert_ptr_null(iscp_model_class_name(NULL, 0));
  ck_assert_ptr_null(iscp_model_hash(NULL));
  support_context_end(context);
}
END_TEST

START_TEST(wrong_calls_are_refused) {
  iscp_context *context = support_context();
  const char *path = write_bare(context);
  iscp_contract contract = toy_contract(&small, 10, 12);
  iscp_model_options options = options_of(&contract);
  support_failed(iscp_model_load(NULL, context, path, NULL), ISCP_ERROR_ARGUMENT, "out");
  refused(NULL, path, &options, ISCP_ERROR_ARGUMENT, "context");
  refused(context, NULL, &options, ISCP_ERROR_ARGUMENT, "path");
  refused(context, support_path("absent"), &options, ISCP_ERROR_IO, "absent");
  options.class_count = -1;
  refused(context, path, &options, ISCP_ERROR_ARGUMENT, "class_count is -1");
  options.class_count = 3;
  refused(context, path, &options, ISCP_ERROR_ARGUMENT, "class_names NULL");
  const char *const two[] = {"a", "b"}, *const hole[] = {"a", NULL, "c"};
  options.class_names = hole;
  refused(context, path, &options, ISCP_ERROR_ARGUMENT, "class_names[1] is NULL");
  options.class_names = two;
  options.class_count = 2;
  refused(context, path, &options, ISCP_ERROR_MISMATCH, "2 class names are given, expected the network's 3");
  options.class_count = 0;
  contract.height = 7;
  refused(context, path, &options, ISCP_ERROR_ARGUMENT, "height is 7");
  contract.height = 10;
  contract.channels = 1;
  refused(context, path, &options, ISCP_ERROR_MISMATCH, "the input contract has 1 channels, expected the network's 3");
  options.struct_size = 4;
  refused(context, path, &options, ISCP_ERROR_ABI, "iscp_model_options");
  support_context_end(context);
}
END_TEST

START_TEST(a_fault_names_file_and_tensor) {
  iscp_context *context = support_context();
  const char *path = support_path("faulty.safetensors");
  iscp_contract contract = toy_contract(&small, 8, 8);
  iscp_model_options options = options_of(&contract);
  isc_tensor_set tensors;
  toy_tensors(&tensors, context, &small);
  toy_add(&tensors, context, "ema.decay", 0, NULL, 0, 1, 1);
  ASSERT_OK(isc_write_safetensors(&tensors, context, path));
  refused(context, path, &options, ISCP_ERROR_MISMATCH, "faulty.safetensors: the weights do not fit a ResNet-18: ");
  ck_assert_ptr_nonnull(strstr(iscp_error_message(), "\"ema.decay\" is unexpected"));
  isc_tensor_set_release(&tensors, context);
  toy_add(&tensors, context, "features.0.weight", 1, (int64_t[]){4}, 0, 1, 1);
  ASSERT_OK(isc_write_safetensors(&tensors, context, path));
  refused(context, path, &options, ISCP_ERROR_UNSUPPORTED, "faulty.safetensors: is no ResNet but a VGG");
  isc_tensor_set_release(&tensors, context);
  support_write(path, "not a checkpoint", 16);
  refused(context, path, &options, ISCP_ERROR_FORMAT, "faulty.safetensors");
  support_context_end(context);
}
END_TEST

/* ---- Contract and names ---- */

/* Saved with names and contract under `to`. */
static void save_named(iscp_context *context, const char *to, int32_t store) {
  iscp_contract contract = toy_contract(&small, 10, 12);
  contract.pad_top = 1;
  contract.pad_right = 2;
  iscp_model_options options = options_of(&contract);
  options.class_names = three_names;
  options.class_count = 3;
  iscp_model *model = load(context, write_bare(context), &options);
  for (int i = 0; i < 3; i++)
    ck_assert_str_eq(iscp_model_class_name(model, i), three_names[i]);
  ASSERT_OK(iscp_model_save(model, to, store));
  iscp_model_destroy(model);
}

START_TEST(contract_and_names_travel_with_the_weights) {
  iscp_context *context = support_context();
  const char *path = support_path("named.safetensors");
  save_named(context, path, ISCP_STORE_F32);
  iscp_model *model = load(context, path, NULL);
  iscp_contract contract = toy_contract(&small, 10, 12);
  contract.pad_top = 1;
  contract.pad_right = 2;
  check_contract(iscp_model_contract(model), &contract);
  for (int i = 0; i < 3; i++)
    ck_assert_str_eq(iscp_model_class_name(model, i), three_names[i]);
  ck_assert_ptr_null(iscp_model_class_name(model, 3));
  ck_assert_ptr_null(iscp_model_class_name(model, -1));
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

START_TEST(options_go_before_what_is_stored) {
  iscp_context *context = support_context();
  const char *path = support_path("named.safetensors");
  static const char *const other[] = {"x", "y", "z"};
  save_named(context, path, ISCP_STORE_F32);
  iscp_contract contract = toy_contract(&small, 16, 8);
  iscp_model_options options = options_of(&contract);
  iscp_model *model = load(context, path, &options);
  check_contract(iscp_model_contract(model), &contract);
  ck_assert_str_eq(iscp_model_class_name(model, 0), three_names[0]); /* only the contract was given */
  iscp_model_destroy(model);
  options.contract = NULL;
  options.class_names = other;
  options.class_count = 3;
  model = load(context, path, &options);
  ck_assert_int_eq(iscp_model_contract(model)->width, 12);
  ck_assert_str_eq(iscp_model_class_name(model, 2), "z");
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

/* ---- Saving ---- */

static void run_one(const iscp_model *model, float logits[3]) {
  iscp_session *session;
  float image[3 * 10 * 12];
  support_fill(image, 3 * 10 * 12, 0, 1, 5);
  ASSERT_OK(iscp_session_create(&session, model, 1, ISCP_SESSION_INFERENCE));
  ASSERT_OK(iscp_session_logits(session, image, 1, logits));
  iscp_session_destroy(session);
}

static int64_t size_of(const char *path) {
  struct stat status;
  ck_assert_int_eq(stat(path, &status), 0);
  return status.st_size;
}

START_TEST(f32_is_kept_to_the_bit) {
  iscp_context *context = support_context();
  const char *first = support_path("first.safetensors"), *second = support_path("second.safetensors");
  float logits[2][3];
  save_named(context, first, ISCP_STORE_F32);
  iscp_model *model = load(context, first, NULL);
  ASSERT_OK(iscp_model_save(model, second, ISCP_STORE_F32));
  iscp_model *again = load(context, second, NULL);
  ck_assert_str_eq(iscp_model_hash(model), iscp_model_hash(again));
  run_one(model, logits[0]);
  run_one(again, logits[1]);
  ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
  iscp_model_destroy(model);
  iscp_model_destroy(again);
  support_context_end(context);
}
END_TEST

/* f16 rounds each weight by at most 2^-11 of itself: over the layers that makes some 1e-3 of the logits. Stored so, the
 * weights are float16 numbers, and storing them again changes nothing. */
START_TEST(f16_is_half_as_large) {
  iscp_context *context = support_context();
  const char *full = support_path("full.safetensors"), *half = support_path("half.safetensors");
  const char *again = support_path("again.safetensors");
  float logits[2][3];
  save_named(context, full, ISCP_STORE_F32);
  iscp_model *model = load(context, full, NULL);
  run_one(model, logits[0]);
  ASSERT_OK(iscp_model_save(model, half, ISCP_STORE_F16));
  iscp_model_destroy(model);
  model = load(context, half, NULL);
  run_one(model, logits[1]);
  ck_assert_double_lt(support_relative_l2(logits[1], logits[0], 3), 1e-2);
  ck_assert_int_lt(size_of(half) - size_of(full) / 2, 6000); /* the header is as long as before */
  ck_assert_int_eq(isc_network_tensors(isc_model_network(model))->items[0].dtype, ISC_F16);
  ASSERT_OK(iscp_model_save(model, again, ISCP_STORE_F16));
  iscp_model *same = load(context, again, NULL);
  ck_assert_str_eq(iscp_model_hash(same), iscp_model_hash(model));
  iscp_model_destroy(same);
  ASSERT_OK(iscp_model_save(model, again, ISCP_STORE_F32)); /* every f16 number is an f32 number */
  same = load(context, again, NULL);
  run_one(same, logits[0]);
  ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
  iscp_model_destroy(same);
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

START_TEST(saving_refuses) {
  iscp_context *context = support_context();
  iscp_contract contract = toy_contract(&small, 8, 8);
  iscp_model_options options = options_of(&contract);
  iscp_model *model = load(context, write_bare(context), &options);
  const char *path = support_path("out.safetensors");
  support_failed(iscp_model_save(NULL, path, ISCP_STORE_F32), ISCP_ERROR_ARGUMENT, "model");
  support_failed(iscp_model_save(model, NULL, ISCP_STORE_F32), ISCP_ERROR_ARGUMENT, "path");
  support_failed(iscp_model_save(model, path, 3), ISCP_ERROR_ARGUMENT, "store is 3");
  support_failed(iscp_model_save(model, support_path("no/such/folder/x"), ISCP_STORE_F32), ISCP_ERROR_IO,
                 "no/such/folder");
  struct stat status;
  ck_assert_int_ne(stat(path, &status), 0);
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

/* 70,000 is finite in float32 and infinite in float16: a file with it could not be loaded again. */
START_TEST(f16_must_not_overflow) {
  iscp_context *context = support_context();
  iscp_contract contract = toy_contract(&small, 8, 8);
  isc_tensor_set tensors;
  toy_tensors(&tensors, context, &small);
  ((float *)isc_tensor_set_find(&tensors, "layer1.0.bn2.running_var")->data)[3] = 70000;
  iscp_model *model = toy_model(context, &tensors, &contract);
  const char *path = support_path("overflow.safetensors");
  support_failed(iscp_model_save(model, path, ISCP_STORE_F16), ISCP_ERROR_UNSUPPORTED, "\"layer1.0.bn2.running_var\"");
  struct stat status;
  ck_assert_int_ne(stat(path, &status), 0);
  ASSERT_OK(iscp_model_save(model, path, ISCP_STORE_F32));
  iscp_model_destroy(model);
  isc_tensor_set_release(&tensors, context);
  support_context_end(context);
}
END_TEST

START_TEST(saving_may_run_out_of_memory) {
  iscp_context *context = support_context();
  iscp_contract contract = toy_contract(&small, 8, 8);
  iscp_model_options options = options_of(&contract);
  iscp_model *model = load(context, write_bare(context), &options);
  const char *path = support_path("memory.safetensors");
  iscp_status status = ISCP_ERROR_MEMORY;
  struct stat found;
  for (long allowed = 0; status != ISCP_OK; allowed += 3) {
    support_fail_after(allowed);
    status = iscp_model_save(model, path, ISCP_STORE_F16);
    support_fail_after(-1);
    ck_assert(status == ISCP_OK || (status == ISCP_ERROR_MEMORY && stat(path, &found)));
  }
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

/* ---- Life ---- */

START_TEST(a_model_outlives_its_context_handle) {
  iscp_context *context;
  ASSERT_OK(iscp_context_create(&context, NULL));
  iscp_contract contract = toy_contract(&small, 10, 12);
  iscp_model_options options = options_of(&contract);
  iscp_model *model = load(context, write_bare(context), &options);
  iscp_context_destroy(context);
  iscp_model *held = isc_model_hold(model);
  iscp_model_destroy(model);
  float logits[3];
  run_one(held, logits);
  iscp_model_destroy(held);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("model");
  TCase *loading = tcase_create("loading"), *saving = tcase_create("saving");
  tcase_add_test(loading, a_bare_file_needs_a_contract);
  tcase_add_test(loading, a_contract_has_a_source);
  tcase_add_test(loading, a_contract_is_read_alone);
  tcase_add_test(loading, saved_weights_are_not_reversed);
  tcase_add_test(loading, a_model_tells_what_it_is);
  tcase_add_test(loading, wrong_calls_are_refused);
  tcase_add_test(loading, a_fault_names_file_and_tensor);
  tcase_add_test(loading, contract_and_names_travel_with_the_weights);
  tcase_add_test(loading, options_go_before_what_is_stored);
  tcase_add_test(saving, f32_is_kept_to_the_bit);
  tcase_add_test(saving, f16_is_half_as_large);
  tcase_add_test(saving, saving_refuses);
  tcase_add_test(saving, f16_must_not_overflow);
  tcase_add_test(saving, saving_may_run_out_of_memory);
  tcase_add_test(saving, a_model_outlives_its_context_handle);
  suite_add_tcase(suite, loading);
  suite_add_tcase(suite, saving);
  return support_run(suite);
}
