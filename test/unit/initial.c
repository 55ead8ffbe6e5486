/* lib/nn/resnet/initial.c and iscp_model_create: networks of random weights. */
#include <math.h>
#include <string.h>

#include "model/model.h"
#include "support.h"
#include "toy.h"

static iscp_model_info info_of(int32_t depth, int32_t width, int32_t stem) {
  return (iscp_model_info){
      .struct_size = sizeof(iscp_model_info), .depth = depth, .width = width, .stem = stem, .classes = 7, .channels = 3};
}

static iscp_contract contract_of(int32_t side) {
  iscp_contract contract;
  ASSERT_OK(iscp_contract_init(&contract, sizeof contract));
  contract.height = contract.width = side;
  return contract;
}

static iscp_model_options options_of(const iscp_contract *contract) {
  iscp_model_options options;
  ASSERT_OK(iscp_model_options_init(&options, sizeof options));
  options.contract = contract;
  return options;
}

static iscp_model *create(iscp_context *context, const iscp_model_info *info, uint64_t seed) {
  iscp_contract contract = contract_of(16);
  iscp_model_options options = options_of(&contract);
  iscp_model *model;
  ASSERT_OK(iscp_model_create(&model, context, info, &options, seed));
  return model;
}

static const isc_tensor *tensor_of(const iscp_model *model, const char *name) {
  const isc_tensor *tensor = isc_tensor_set_find(isc_network_tensors(isc_model_network(model)), name);
  ck_assert_msg(tensor != NULL, "no tensor %s", name);
  return tensor;
}

/* Mean 0 and the deviation that is said, within five deviations of what so many draws give. */
static void check_deviation(const iscp_model *model, const char *name, double expected, double kurtosis) {
  const isc_tensor *tensor = tensor_of(model, name);
  const float *numbers = tensor->data;
  int64_t count = isc_tensor_count(tensor);
  double sum = 0, squares = 0, fourths = 0;
  for (int64_t i = 0; i < count; i++) {
    double square = pow(numbers[i] / expected, 2);
    sum += numbers[i] / expected;
    squares += square;
    fourths += square * square;
  }
  double tolerance = 5 / sqrt((double)count);
  ck_assert_double_eq_tol(sum / (double)count, 0, tolerance);
  ck_assert_double_eq_tol(squares / (double)count, 1, tolerance * sqrt(kurtosis - 1));
  ck_assert_double_eq_tol(fourths / (double)count, kurtosis, tolerance * 10); /* 3 of a normal, 9/5 of a uniform one */
}

static void check_all(const iscp_model *model, const char *name, float expected) {
  const isc_tensor *tensor = tensor_of(model, name);
  for (int64_t i = 0; i < isc_tensor_count(tensor); i++)
    ck_assert_msg(((const float *)tensor->data)[i] == expected, "%s[%d]", name, (int)i);
}

START_TEST(weights_are_distributed_as_torchvisions) {
  iscp_context *context = support_context();
  iscp_model_info info = info_of(50, 16, ISCP_STEM_IMAGENET);
  info.classes = 101;
  iscp_model *model = create(context, &info, 1);
  check_deviation(model, "conv1.weight", sqrt(2.0 / (16 * 7 * 7)), 3);
  check_deviation(model, "layer1.0.conv1.weight", sqrt(2.0 / 16), 3);
  check_deviation(model, "layer3.2.conv2.weight", sqrt(2.0 / (64 * 3 * 3)), 3);
  check_deviation(model, "layer4.0.downsample.0.weight", sqrt(2.0 / 512), 3);
  check_deviation(model, "fc.weight", 1 / sqrt(512) / sqrt(3), 1.8);
  check_deviation(model, "fc.bias", 1 / sqrt(512) / sqrt(3), 1.8);
  check_all(model, "layer2.1.bn3.weight", 1);
  check_all(model, "layer2.1.bn3.bias", 0);
  check_all(model, "layer2.1.bn3.running_mean", 0);
  check_all(model, "layer2.1.bn3.running_var", 1);
  iscp_model_destroy(model);
  support_context_end(context);
}
END_TEST

START_TEST(a_new_model_is_what_was_asked_for) {
  static const int32_t depths[] = {18, 34, 50, 101, 152};
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
  iscp_context *context = support_context();
  for (int d = 0; d < 5; d++) {
    iscp_model_info info = info_of(depths[d], 3, 1 + d % 2), got = {.struct_size = sizeof got};
    info.channels = d % 2 ? 1 : 3;
    iscp_contract contract = contract_of(32);
    contract.channels = info.channels;
    iscp_model_options options = options_of(&contract);
    options.class_names = names;
    options.class_count = 7;
    iscp_model *model, *again;
    ASSERT_OK(iscp_model_create(&model, context, &info, &options, 1));
    ASSERT_OK(iscp_model_get_info(model, &got));
    ck_assert(got.depth == info.depth && got.width == 3 && got.stem == info.stem && got.classes == 7 &&
              got.channels == info.channels);
    ck_assert_mem_eq(iscp_model_contract(model), &contract, sizeof contract);
    ck_assert_str_eq(iscp_model_class_name(model, 6), "g");
    ASSERT_OK(iscp_model_create(&again, context, &got, &options, 1)); /* what was read serves as what is asked for */
    ck_assert_str_eq(iscp_model_hash(model), iscp_model_hash(again));
    iscp_model_destroy(model);
    iscp_model_destroy(again);
  }
  support_context_end(context);
}
END_TEST

static void check_equal(const iscp_model *a, const iscp_model *b, bool equal) {
  ck_assert_int_eq(!strcmp(iscp_model_hash(a), iscp_model_hash(b)), equal);
  const isc_tensor *x = tensor_of(a, "layer2.0.conv1.weight"), *y = tensor_of(b, "layer2.0.conv1.weight");
  ck_assert_int_eq(!memcmp(x->data, y->data, isc_tensor_bytes(x)), equal);
}

START_TEST(the_seed_names_the_weights) {
  iscp_context *context = support_context(), *alone;
  iscp_context_options options;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.threads = 1;
  ASSERT_OK(iscp_context_create(&alone, &options));
  iscp_model_info info = info_of(18, 5, ISCP_STEM_CIFAR);
  iscp_model *first = create(context, &info, 3), *again = create(context, &info, 3), *other = create(context, &info, 4);
  iscp_model *high = create(context, &info, 3 + ((uint64_t)1 << 40)), *threads = create(alone, &info, 3);
  check_equal(first, again, true);
  check_equal(first, threads, true);
  check_equal(first, other, false);
  check_equal(first, high, false);
  /* Two layers of one shape are drawn apart. */
  ck_assert_mem_ne(tensor_of(first, "layer1.0.conv1.weight")->data, tensor_of(first, "layer1.0.conv2.weight")->data, 64);
  iscp_model *models[] = {first, again, other, high, threads};
  for (int i = 0; i < 5; i++)
    iscp_model_destroy(models[i]);
  iscp_context_destroy(alone);
  support_context_end(context);
}
END_TEST

static void run_two(const iscp_model *model, float logits[14]) {
  iscp_session *session;
  float images[2 * 3 * 16 * 16];
  support_fill(images, 2 * 3 * 16 * 16, 0, 1, 5);
  ASSERT_OK(iscp_session_create(&session, model, 2, ISCP_SESSION_INFERENCE));
  ASSERT_OK(iscp_session_logits(session, images, 2, logits));
  iscp_session_destroy(session);
}

START_TEST(a_new_model_is_saved_and_loaded) {
  iscp_context *context = support_context();
  iscp_model_info info = info_of(18, 8, ISCP_STEM_CIFAR);
  iscp_model *model = create(context, &info, 1), *loaded;
  const char *path = support_path("new.safetensors");
  float logits[2][14];
  ASSERT_OK(iscp_model_save(model, path, ISCP_STORE_F32));
  ASSERT_OK(iscp_model_load(&loaded, context, path, NULL));
  run_two(model, logits[0]);
  run_two(loaded, logits[1]);
  ck_assert_mem_eq(logits[0], logits[1], sizeof logits[0]);
  for (int i = 0; i < 14; i++)
    ck_assert(isfinite(logits[0][i]));
  iscp_model_destroy(model);
  iscp_model_destroy(loaded);
  support_context_end(context);
}
END_TEST

static void refused(iscp_context *context, const iscp_model_info *info, const iscp_model_options *options,
                    iscp_status status, const char *word) {
  iscp_model *model = (iscp_model *)&model;
  support_failed(iscp_model_create(&model, context, info, options, 0), status, word);
  ck_assert_ptr_null(model);
}

START_TEST(wrong_arguments_are_refused) {
  iscp_context *context = support_context();
  const iscp_model_info right = info_of(18, 4, ISCP_STEM_CIFAR);
  iscp_contract contract = contract_of(16);
  iscp_model_options options = options_of(&contract);
  support_failed(iscp_model_create(NULL, context, &right, &options, 0), ISCP_ERROR_ARGUMENT, "out");
  refused(NULL, &right, &options, ISCP_ERROR_ARGUMENT, "context is NULL");
  refused(context, NULL, &options, ISCP_ERROR_ARGUMENT, "info is NULL");
  refused(context, &right, NULL, ISCP_ERROR_ARGUMENT, "options is NULL");
  struct {
    size_t field;
    int32_t value;
    const char *word;
  } cases[] = {
      {offsetof(iscp_model_info, depth), 20, "depth is 20, expected 18, 34"},
      {offsetof(iscp_model_info, width), 0, "width is 0, expected 1 to 4096"},
      {offsetof(iscp_model_info, width), 4097, "width is 4097"},
      {offsetof(iscp_model_info, stem), 0, "stem is 0"},
      {offsetof(iscp_model_info, classes), 1, "classes is 1, expected 2"},
      {offsetof(iscp_model_info, channels), 2, "channels is 2, expected 1 or 3"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    iscp_model_info info = right;
    memcpy((char *)&info + cases[i].field, &cases[i].value, sizeof cases[i].value);
    refused(context, &info, &options, ISCP_ERROR_ARGUMENT, cases[i].word);
  }
  iscp_model_info info = right;
  info.struct_size = 4;
  refused(context, &info, &options, ISCP_ERROR_ABI, "iscp_model_info");
  info = right;
  info.channels = 1;
  refused(context, &info, &options, ISCP_ERROR_MISMATCH, "contract has 3 channels, expected the network's 1");
  contract.height = 7;
  refused(context, &right, &options, ISCP_ERROR_ARGUMENT, "height is 7");
  options.contract = NULL;
  refused(context, &right, &options, ISCP_ERROR_ARGUMENT, "contract is NULL");
  contract.height = 16;
  options.contract = &contract;
  static const char *const two[] = {"a", "b"};
  options.class_names = two;
  options.class_count = 2;
  refused(context, &right, &options, ISCP_ERROR_MISMATCH, "2 class names are given, expected the network's 7");
  options.class_count = -1;
  refused(context, &right, &options, ISCP_ERROR_ARGUMENT, "class_count is -1");
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("initial");
  TCase *test = tcase_create("create");
  tcase_add_test(test, weights_are_distributed_as_torchvisions);
  tcase_add_test(test, a_new_model_is_what_was_asked_for);
  tcase_add_test(test, the_seed_names_the_weights);
  tcase_add_test(test, a_new_model_is_saved_and_loaded);
  tcase_add_test(test, wrong_arguments_are_refused);
  suite_add_tcase(suite, test);
  return support_run(suite);
}
