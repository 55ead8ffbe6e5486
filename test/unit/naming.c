/* lib/nn: whose names a checkpoint's tensors have, what stands before them, and which networks are refused by what they
 * have. */
#include <stdio.h>
#include <string.h>

#include "nn/naming.h"
#include "support.h"
#include "toy.h"

static const toy basic = {18, 4, ISCP_STEM_CIFAR, 3, 5, 1};
static const toy bottleneck = {50, 4, ISCP_STEM_IMAGENET, 3, 5, 1};

typedef struct network {
  iscp_context *context;
  isc_tensor_set tensors;
  isc_naming naming;
} network;

static void begin(network *n, const toy *t) {
  n->context = support_context();
  toy_tensors(&n->tensors, n->context, t);
}

static void end(network *n) {
  isc_tensor_set_release(&n->tensors, n->context);
  support_context_end(n->context);
}

static void add(network *n, const char *name, int32_t dims, const int64_t *shape) {
  toy_add(&n->tensors, n->context, name, dims, shape, 0.5f, 1, 1);
}

static void set_name(network *n, isc_tensor *tensor, const char *name) {
  isc_free(n->context, tensor->name);
  tensor->name = isc_strdup(n->context, name);
}

static isc_tensor *item(network *n, const char *name) {
  isc_tensor *found = (isc_tensor *)isc_tensor_set_find(&n->tensors, name);
  ck_assert_msg(found != NULL, "no tensor %s", name);
  return found;
}

static void put_prefix(network *n, const char *prefix) {
  char name[200];
  for (size_t i = 0; i < n->tensors.count; i++) {
    snprintf(name, sizeof name, "%s%s", prefix, n->tensors.items[i].name);
    set_name(n, &n->tensors.items[i], name);
  }
}

/* Gives each name that has `from` in it `to` there. */
static void replace(network *n, const char *from, const char *to) {
  char name[200];
  size_t replaced = 0;
  for (size_t i = 0; i < n->tensors.count; i++) {
    const char *old = n->tensors.items[i].name, *at = strstr(old, from);
    if (!at)
      continue;
    snprintf(name, sizeof name, "%.*s%s%s", (int)(at - old), old, to, at + strlen(from));
    set_name(n, &n->tensors.items[i], name);
    replaced++;
  }
  ck_assert_uint_gt(replaced, 0);
}

static void drop(network *n, const char *name) {
  isc_tensor *tensor = item(n, name);
  isc_tensor_release(tensor, n->context);
  *tensor = n->tensors.items[--n->tensors.count];
}

/* The names are again torchvision's, each with the numbers that it had. */
static void expect_network(network *n, const toy *t, const char *scheme, const char *prefix) {
  isc_tensor_set expected;
  ASSERT_OK(isc_naming_apply(&n->naming, n->context, &n->tensors));
  ck_assert_str_eq(n->naming.scheme, scheme);
  ck_assert_str_eq(n->naming.prefix, prefix);
  toy_tensors(&expected, n->context, t);
  ck_assert_uint_eq(n->tensors.count, expected.count);
  for (size_t i = 0; i < expected.count; i++)
    ck_assert_mem_eq(item(n, expected.items[i].name)->data, expected.items[i].data, isc_tensor_bytes(&expected.items[i]));
  isc_tensor_set_release(&expected, n->context);
}

/* ---- Schemes ---- */

START_TEST(torchvision) {
  network n;
  begin(&n, &basic);
  expect_network(&n, &basic, "torchvision", "");
  end(&n);
}
END_TEST

START_TEST(pytorch_cifar) {
  network n;
  begin(&n, &basic);
  replace(&n, ".downsample.", ".shortcut.");
  replace(&n, "fc.", "linear.");
  put_prefix(&n, "module.");
  expect_network(&n, &basic, "pytorch-cifar", "module.");
  end(&n);
}
END_TEST

static void name_as_hugging_face(network *n) {
  char from[40], to[60];
  for (int layer = 1; layer <= 3; layer++) {
    snprintf(from, sizeof from, ".conv%d.", layer);
    snprintf(to, sizeof to, ".layer.%d.convolution.", layer - 1);
    replace(n, from, to);
    snprintf(from, sizeof from, ".bn%d.", layer);
    snprintf(to, sizeof to, ".layer.%d.normalization.", layer - 1);
    replace(n, from, to);
  }
  replace(n, ".downsample.0.", ".shortcut.convolution.");
  replace(n, ".downsample.1.", ".shortcut.normalization.");
  for (int stage = 1; stage <= 4; stage++) {
    snprintf(from, sizeof from, "layer%d.", stage);
    snprintf(to, sizeof to, "resnet.encoder.stages.%d.layers.", stage - 1);
    replace(n, from, to);
  }
  replace(n, "conv1.", "resnet.embedder.embedder.convolution.");
  replace(n, "bn1.", "resnet.embedder.embedder.normalization.");
  replace(n, "fc.", "classifier.1.");
}

START_TEST(hugging_face) {
  network n;
  begin(&n, &bottleneck);
  name_as_hugging_face(&n);
  expect_network(&n, &bottleneck, "Hugging Face", "resnet.");
  end(&n);
}
END_TEST

START_TEST(children_in_a_sequence) {
  network n;
  begin(&n, &bottleneck);
  replace(&n, "layer1.", "features.4.");
  replace(&n, "layer2.", "features.5.");
  replace(&n, "layer3.", "features.6.");
  replace(&n, "layer4.", "features.7.");
  set_name(&n, item(&n, "conv1.weight"), "features.0.weight");
  static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"};
  for (int l = 0; l < 5; l++) {
    char from[40], to[40];
    snprintf(from, sizeof from, "bn1.%s", leaves[l]);
    snprintf(to, sizeof to, "features.1.%s", leaves[l]);
    set_name(&n, item(&n, from), to);
  }
  expect_network(&n, &bottleneck, "torchvision as Sequential", "features.");
  end(&n);
}
END_TEST

/* ---- Prefixes and what is beside the network ---- */

START_TEST(any_prefix_is_taken_off) {
  static const char *const prefixes[] = {"module.", "_orig_mod.", "module._orig_mod.model.", "net.backbone.", "my_net.", "1."};
  for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
    network n;
    begin(&n, &basic);
    put_prefix(&n, prefixes[p]);
    expect_network(&n, &basic, "torchvision", prefixes[p]);
    end(&n);
  }
}
END_TEST

/* robustness: the network twice, the second time within the attacker, and a normalizer beside each. */
START_TEST(twins_are_left_out) {
  network n;
  begin(&n, &basic);
  isc_tensor_set twin;
  toy other = basic;
  char name[200];
  other.seed = 9;
  put_prefix(&n, "module.model.");
  add(&n, "module.normalizer.new_mean", 3, (int64_t[]){3, 1, 1});
  add(&n, "module.attacker.normalize.new_std", 3, (int64_t[]){3, 1, 1});
  toy_tensors(&twin, n.context, &other);
  for (size_t i = 0; i < twin.count; i++) {
    snprintf(name, sizeof name, "module.attacker.model.%s", twin.items[i].name);
    isc_free(n.context, twin.items[i].name);
    twin.items[i].name = isc_strdup(n.context, name);
    ASSERT_OK(isc_tensor_set_add(&n.tensors, n.context, &twin.items[i]));
  }
  isc_tensor_set_release(&twin, n.context);
  expect_network(&n, &basic, "torchvision", "module.model.");
  end(&n);
}
END_TEST

START_TEST(normalizers_and_leftovers_are_left_out) {
  network n;
  begin(&n, &basic);
  add(&n, "mean", 4, (int64_t[]){1, 3, 1, 1});
  add(&n, "normalize.std", 1, (int64_t[]){3});
  add(&n, "total_ops", 1, (int64_t[]){1});
  add(&n, "layer1.0.conv1.total_params", 1, (int64_t[]){1});
  expect_network(&n, &basic, "torchvision", "");
  end(&n);
}
END_TEST

START_TEST(heads_of_many_names) {
  static const char *const heads[][2] = {
      {"fc.1.", ""}, {"linear.", ""}, {"classifier.", ""}, {"head.fc.", ""}, {"classifier.1.", "backbone."},
      {"model.head.", "model.net."}};
  for (size_t h = 0; h < sizeof heads / sizeof *heads; h++) {
    network n;
    char name[40];
    begin(&n, &basic);
    put_prefix(&n, heads[h][1]);
    snprintf(name, sizeof name, "%sfc.", heads[h][1]);
    replace(&n, name, heads[h][0]);
    expect_network(&n, &basic, "torchvision", heads[h][1]);
    end(&n);
  }
}
END_TEST

static void expect_refusal(network *n, iscp_status status, const char *word) {
  support_failed(isc_naming_apply(&n->naming, n->context, &n->tensors), status, word);
}

START_TEST(several_networks_are_refused) {
  network n;
  begin(&n, &basic);
  put_prefix(&n, "student.");
  add(&n, "teacher.layer1.0.conv1.weight", 4, (int64_t[]){4, 4, 3, 3});
  expect_refusal(&n, ISCP_ERROR_MISMATCH, "under \"student.\" and \"teacher.\"");
  end(&n);
}
END_TEST

START_TEST(names_that_become_one_are_refused) {
  network n;
  begin(&n, &basic);
  add(&n, "layer2.0.shortcut.0.weight", 4, (int64_t[]){8, 4, 1, 1});
  expect_refusal(&n, ISCP_ERROR_FORMAT, "\"layer2.0.downsample.0.weight\" stands twice");
  end(&n);
}
END_TEST

START_TEST(heads_of_several_layers_are_refused) {
  network n;
  begin(&n, &basic);
  replace(&n, "fc.", "fc.0.");
  add(&n, "fc.3.weight", 2, (int64_t[]){5, 5});
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "several dense layers, \"fc.0.weight\" and \"fc.3.weight\"");
  end(&n);
  begin(&n, &basic);
  drop(&n, "fc.weight");
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "is no classifier: no dense layer (\"fc.weight\"");
  end(&n);
}
END_TEST

/* ---- Look-alikes ---- */

/* A tensor that another network has beside those of a ResNet. */
static const struct {
  const char *name, *word;
} signs[] = {
    {"conv1.0.weight", "a stem of several convolutions"},
    {"stem.0.weight", "a stem of several convolutions"},
    {"attnpool.k_proj.weight", "CLIP"},
    {"layer2.0.downsample.2.weight", "ResNet-D"},
    {"layer2.0.conv2.filt", "blur filter"},
    {"layer1.0.se.fc1.weight", "squeeze-and-excitation"},
    {"layer1.0.fc1.weight", "squeeze-and-excitation"},
    {"layer1.0.convs.0.weight", "Res2Net"},
    {"layer1.0.conv2.conv.weight", "ResNeSt"},
    {"layer1.0.conv1.weight_g", "weight norm"},
    {"layer1.0.conv1.parametrizations.weight.original0", "parametrization"},
    {"layer1.0.attn.conv.weight", "attention"},
    {"fc._packed_params._packed_params", "quantized"},
};

/* Behind the head, between network and head, before the network; a head of another task is left out. */
START_TEST(layers_in_a_row_outside_are_refused) {
  static const struct {
    const char *name;
    int32_t dims;
    int64_t shape[2];
    bool is_refused;
  } cases[] = {
      {"after.weight", 2, {4, 5}, true},       {"neck.weight", 2, {32, 32}, true}, {"neck.running_mean", 1, {32}, true},
      {"before.running_mean", 1, {3}, true},   {"task.weight", 2, {9, 32}, false}, {"loss.weight", 1, {5}, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    network n;
    begin(&n, &basic);
    put_prefix(&n, "backbone.");
    replace(&n, "backbone.fc.", "classifier.");
    add(&n, cases[i].name, cases[i].dims, cases[i].shape);
    if (cases[i].is_refused)
      support_failed(isc_naming_apply(&n.naming, n.context, &n.tensors), ISCP_ERROR_UNSUPPORTED, cases[i].name);
    else
      expect_network(&n, &basic, "torchvision", "backbone.");
    end(&n);
  }
}
END_TEST

START_TEST(look_alikes_are_told_by_a_name) {
  network n;
  begin(&n, &basic);
  put_prefix(&n, "module.");
  char name[100];
  snprintf(name, sizeof name, "module.%s", signs[_i].name);
  add(&n, name, 1, (int64_t[]){2});
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, signs[_i].word);
  ck_assert_ptr_nonnull(strstr(iscp_error_message(), name));
  end(&n);
}
END_TEST

START_TEST(look_alikes_are_told_by_a_shape) {
  network n;
  begin(&n, &bottleneck);
  item(&n, "layer1.0.conv2.weight")->shape[1] = 2;
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "convolutions in 2 groups (ResNeXt)");
  end(&n);
  begin(&n, &bottleneck);
  drop(&n, "bn1.weight");
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "pre-activation");
  end(&n);
  begin(&n, &bottleneck);
  item(&n, "layer1.0.conv1.weight")->shape[0] = 2;
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "pre-activation");
  end(&n);
  begin(&n, &basic);
  drop(&n, "layer2.0.downsample.1.weight");
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "pre-activation");
  end(&n);
  begin(&n, &basic);
  replace(&n, "layer4.", "layer5.");
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "three stages");
  end(&n);
  begin(&n, &basic);
  set_name(&n, item(&n, "layer2.0.downsample.0.weight"), "layer2.0.downsample.9.weight");
  item(&n, "layer2.0.downsample.1.weight")->dims = 4;
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "average-pool");
  end(&n);
}
END_TEST

START_TEST(norms_of_another_kind_are_refused) {
  network n;
  begin(&n, &basic);
  replace(&n, ".running_mean", ".mean_of_group");
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "norms without running statistics");
  end(&n);
  begin(&n, &basic);
  replace(&n, "bn1.", "affine1.");
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "no batch norm");
  end(&n);
}
END_TEST

/* A tensor of a network that is no ResNet at all. */
static const struct {
  const char *name, *word;
} others[] = {
    {"cls_token", "a vision transformer"},
    {"features.denseblock1.denselayer1.conv1.weight", "a DenseNet"},
    {"module.features.0.weight", "a VGG or an AlexNet"},
    {"features.1.conv.0.0.weight", "a MobileNet"},
    {"block1.layer.0.conv1.weight", "a Wide ResNet of pre-activation"},
    {"stages.0.blocks.0.norm1.weight", "pre-activation blocks (ResNetV2"},
    {"weird", "has 1 tensors, \"weird\" of 4x2 the first"},
};

START_TEST(other_networks_are_named) {
  network n = {.context = support_context()};
  add(&n, others[_i].name, 2, (int64_t[]){4, 2});
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, others[_i].word);
  end(&n);
}
END_TEST

START_TEST(nothing_is_no_network) {
  network n = {.context = support_context()};
  expect_refusal(&n, ISCP_ERROR_UNSUPPORTED, "has no tensors");
  end(&n);
}
END_TEST

/* ---- Widths and stride ---- */

START_TEST(widths_are_inferred) {
  static const isc_architecture made[] = {{50, 4, ISCP_STEM_CIFAR, 5, 3, 0, 8, 0},
                                          {50, 4, ISCP_STEM_IMAGENET, 5, 1, 6, 0, 0},
                                          {101, 8, ISCP_STEM_CIFAR, 5, 3, 4, 9, 0},
                                          {18, 8, ISCP_STEM_CIFAR, 5, 3, 4, 0, 0}};
  iscp_context *context = support_context();
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
    isc_tensor_set tensors = {0};
    isc_architecture found;
    ASSERT_OK(isc_initial_tensors(&tensors, context, &made[i], 1));
    ASSERT_OK(isc_architecture_infer(&found, &tensors));
    ck_assert_mem_eq(&found, &made[i], sizeof found);
    isc_network *held;
    ASSERT_OK(isc_network_create(&held, context, &tensors));
    isc_network_drop(held);
  }
  support_context_end(context);
}
END_TEST

START_TEST(the_published_wide_network_has_its_known_size) {
  static const isc_architecture wide[] = {{50, 64, ISCP_STEM_IMAGENET, 1000, 3, 0, 128, 0},
                                          {101, 64, ISCP_STEM_IMAGENET, 1000, 3, 0, 128, 0}};
  static const int64_t known[] = {68883240, 126886696}; /* as torchvision's table of models says */
  iscp_context *context = support_context();
  for (int i = 0; i < 2; i++) {
    iscp_model_info info = {.struct_size = sizeof info, .depth = wide[i].depth, .width = 64, .stem = ISCP_STEM_IMAGENET,
                            .classes = 1000, .channels = 3, .inner = 128};
    iscp_model_options options;
    iscp_contract contract;
    iscp_model *model;
    ASSERT_OK(iscp_contract_init(&contract, sizeof contract));
    ASSERT_OK(iscp_model_options_init(&options, sizeof options));
    options.contract = &contract;
    ASSERT_OK(iscp_model_create(&model, context, &info, &options, 1));
    ASSERT_OK(iscp_model_get_info(model, &info));
    ck_assert_int_eq(info.parameters, known[i]);
    ck_assert_int_eq(info.inner, 128);
    ck_assert_str_eq(iscp_model_source(model), "random weights");
    iscp_model_destroy(model);
  }
  support_context_end(context);
}
END_TEST

START_TEST(a_stride_is_said_by_metadata) {
  network n;
  isc_architecture a;
  begin(&n, &bottleneck);
  ASSERT_OK(isc_tensor_set_describe(&n.tensors, n.context, ISC_STRIDE_KEY, "1x1"));
  ASSERT_OK(isc_architecture_infer(&a, &n.tensors));
  ck_assert_int_eq(a.stride, ISCP_STRIDE_1X1);
  ASSERT_OK(isc_tensor_set_describe(&n.tensors, n.context, ISC_STRIDE_KEY, "3x3"));
  ASSERT_OK(isc_architecture_infer(&a, &n.tensors));
  ck_assert_int_eq(a.stride, 0);
  ASSERT_OK(isc_tensor_set_describe(&n.tensors, n.context, ISC_STRIDE_KEY, "5x5"));
  support_failed(isc_architecture_infer(&a, &n.tensors), ISCP_ERROR_MISMATCH, "\"5x5\", expected \"3x3\" or \"1x1\"");
  end(&n);
  begin(&n, &basic);
  ASSERT_OK(isc_tensor_set_describe(&n.tensors, n.context, ISC_STRIDE_KEY, "1x1"));
  support_failed(isc_architecture_infer(&a, &n.tensors), ISCP_ERROR_MISMATCH, "of a ResNet-18");
  end(&n);
}
END_TEST

START_TEST(impossible_widths_are_refused) {
  static const struct {
    isc_architecture a;
    const char *word;
  } cases[] = {{{50, 4, ISCP_STEM_CIFAR, 5, 3, 5000, 0, 0}, "planes is 5000"},
               {{50, 4, ISCP_STEM_CIFAR, 5, 3, 0, -1, 0}, "inner is -1"},
               {{18, 4, ISCP_STEM_CIFAR, 5, 3, 0, 8, 0}, "inner is 8"},
               {{18, 4, ISCP_STEM_CIFAR, 5, 3, 0, 0, ISCP_STRIDE_1X1}, "stride is 2"},
               {{50, 4, ISCP_STEM_CIFAR, 5, 3, 0, 0, 3}, "stride is 3"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    support_failed(isc_architecture_check(&cases[i].a), ISCP_ERROR_ARGUMENT, cases[i].word);
  network n;
  isc_architecture a;
  begin(&n, &bottleneck);
  item(&n, "layer1.0.conv3.weight")->shape[0] = 18;
  support_failed(isc_architecture_infer(&a, &n.tensors), ISCP_ERROR_MISMATCH, "18 output channels, expected 1 to 4096 times 4");
  item(&n, "layer1.0.conv3.weight")->shape[0] = 16;
  item(&n, "layer1.0.conv1.weight")->shape[0] = 0;
  support_failed(isc_architecture_infer(&a, &n.tensors), ISCP_ERROR_MISMATCH, "layer1.0.conv1.weight has 0 output");
  end(&n);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("naming");
  TCase *names = tcase_create("names"), *refused = tcase_create("refused"), *widths = tcase_create("widths");
  tcase_set_timeout(widths, 60);
  tcase_add_test(names, torchvision);
  tcase_add_test(names, pytorch_cifar);
  tcase_add_test(names, hugging_face);
  tcase_add_test(names, children_in_a_sequence);
  tcase_add_test(names, any_prefix_is_taken_off);
  tcase_add_test(names, twins_are_left_out);
  tcase_add_test(names, normalizers_and_leftovers_are_left_out);
  tcase_add_test(names, heads_of_many_names);
  tcase_add_test(refused, several_networks_are_refused);
  tcase_add_test(refused, names_that_become_one_are_refused);
  tcase_add_test(refused, heads_of_several_layers_are_refused);
  tcase_add_test(refused, layers_in_a_row_outside_are_refused);
  tcase_add_loop_test(refused, look_alikes_are_told_by_a_name, 0, sizeof signs / sizeof *signs);
  tcase_add_test(refused, look_alikes_are_told_by_a_shape);
  tcase_add_test(refused, norms_of_another_kind_are_refused);
  tcase_add_loop_test(refused, other_networks_are_named, 0, sizeof others / sizeof *others);
  tcase_add_test(refused, nothing_is_no_network);
  tcase_add_test(widths, widths_are_inferred);
  tcase_add_test(widths, the_published_wide_network_has_its_known_size);
  tcase_add_test(widths, a_stride_is_said_by_metadata);
  tcase_add_test(widths, impossible_widths_are_refused);
  suite_add_tcase(suite, names);
  suite_add_tcase(suite, refused);
  suite_add_tcase(suite, widths);
  return support_run(suite);
}
