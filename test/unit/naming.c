/* lib/nn: whose names a checkpoint's tensors have, what stands before them, and the widths they say. Look-alikes have
 * lookalike.c. */
#include <stdio.h>
#include <string.h>

#include "naming_common.h"

/* ---- Schemes ---- */

START_TEST(torchvision) {
  network n;
  network_begin(&n, &basic);
  network_is(&n, &basic, "torchvision", "");
  network_end(&n);
}
END_TEST

START_TEST(pytorch_cifar) {
  network n;
  network_begin(&n, &basic);
  network_replace(&n, ".downsample.", ".shortcut.");
  network_replace(&n, "fc.", "linear.");
  network_put_prefix(&n, "module.");
  network_is(&n, &basic, "pytorch-cifar", "module.");
  network_end(&n);
}
END_TEST

static void name_as_hugging_face(network *n) {
  char from[40], to[60];
  for (int layer = 1; layer <= 3; layer++) {
    snprintf(from, sizeof from, ".conv%d.", layer);
    snprintf(to, sizeof to, ".layer.%d.convolution.", layer - 1);
    network_replace(n, from, to);
    snprintf(from, sizeof from, ".bn%d.", layer);
    snprintf(to, sizeof to, ".layer.%d.normalization.", layer - 1);
    network_replace(n, from, to);
  }
  network_replace(n, ".downsample.0.", ".shortcut.convolution.");
  network_replace(n, ".downsample.1.", ".shortcut.normalization.");
  for (int stage = 1; stage <= 4; stage++) {
    snprintf(from, sizeof from, "layer%d.", stage);
    snprintf(to, sizeof to, "resnet.encoder.stages.%d.layers.", stage - 1);
    network_replace(n, from, to);
  }
  network_replace(n, "conv1.", "resnet.embedder.embedder.convolution.");
  network_replace(n, "bn1.", "resnet.embedder.embedder.normalization.");
  network_replace(n, "fc.", "classifier.1.");
}

START_TEST(hugging_face) {
  network n;
  network_begin(&n, &bottleneck);
  name_as_hugging_face(&n);
  network_is(&n, &bottleneck, "Hugging Face", "resnet.");
  network_end(&n);
}
END_TEST

START_TEST(children_in_a_sequence) {
  network n;
  network_begin(&n, &bottleneck);
  network_replace(&n, "layer1.", "features.4.");
  network_replace(&n, "layer2.", "features.5.");
  network_replace(&n, "layer3.", "features.6.");
  network_replace(&n, "layer4.", "features.7.");
  network_set_name(&n, network_item(&n, "conv1.weight"), "features.0.weight");
  static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"};
  for (int l = 0; l < 5; l++) {
    char from[40], to[40];
    snprintf(from, sizeof from, "bn1.%s", leaves[l]);
    snprintf(to, sizeof to, "features.1.%s", leaves[l]);
    network_set_name(&n, network_item(&n, from), to);
  }
  network_is(&n, &bottleneck, "torchvision as Sequential", "features.");
  network_end(&n);
}
END_TEST

/* ---- Prefixes and what is beside the network ---- */

START_TEST(any_prefix_is_taken_off) {
  static const char *const prefixes[] = {"module.", "_orig_mod.", "module._orig_mod.model.", "net.backbone.", "my_net.", "1."};
  for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
    network n;
    network_begin(&n, &basic);
    network_put_prefix(&n, prefixes[p]);
    network_is(&n, &basic, "torchvision", prefixes[p]);
    network_end(&n);
  }
}
END_TEST

/* robustness: the network twice, the second time within the attacker, and a normalizer beside each. */
START_TEST(twins_are_left_out) {
  network n;
  network_begin(&n, &basic);
  isc_tensor_set twin;
  toy other = basic;
  char name[200];
  other.seed = 9;
  network_put_prefix(&n, "module.model.");
  network_add(&n, "module.normalizer.new_mean", 3, (int64_t[]){3, 1, 1});
  network_add(&n, "module.attacker.normalize.new_std", 3, (int64_t[]){3, 1, 1});
  toy_tensors(&twin, n.context, &other);
  for (size_t i = 0; i < twin.count; i++) {
    snprintf(name, sizeof name, "module.attacker.model.%s", twin.items[i].name);
    isc_free(n.context, twin.items[i].name);
    twin.items[i].name = isc_strdup(n.context, name);
    ASSERT_OK(isc_tensor_set_add(&n.tensors, n.context, &twin.items[i]));
  }
  isc_tensor_set_release(&twin, n.context);
  network_is(&n, &basic, "torchvision", "module.model.");
  network_end(&n);
}
END_TEST

START_TEST(normalizers_and_leftovers_are_left_out) {
  network n;
  network_begin(&n, &basic);
  network_add(&n, "mean", 4, (int64_t[]){1, 3, 1, 1});
  network_add(&n, "normalize.std", 1, (int64_t[]){3});
  network_add(&n, "total_ops", 1, (int64_t[]){1});
  network_add(&n, "layer1.0.conv1.total_params", 1, (int64_t[]){1});
  network_is(&n, &basic, "torchvision", "");
  network_end(&n);
}
END_TEST

START_TEST(heads_of_many_names) {
  static const char *const heads[][2] = {
      {"fc.1.", ""}, {"linear.", ""}, {"classifier.", ""}, {"head.fc.", ""}, {"classifier.1.", "backbone."},
      {"model.head.", "model.net."}};
  for (size_t h = 0; h < sizeof heads / sizeof *heads; h++) {
    network n;
    char name[40];
    network_begin(&n, &basic);
    network_put_prefix(&n, heads[h][1]);
    snprintf(name, sizeof name, "%sfc.", heads[h][1]);
    network_replace(&n, name, heads[h][0]);
    network_is(&n, &basic, "torchvision", heads[h][1]);
    network_end(&n);
  }
}
END_TEST

START_TEST(several_networks_are_refused) {
  network n;
  network_begin(&n, &basic);
  network_put_prefix(&n, "student.");
  network_add(&n, "teacher.layer1.0.conv1.weight", 4, (int64_t[]){4, 4, 3, 3});
  network_is_refused(&n, ISCP_ERROR_MISMATCH, "under \"student.\" and \"teacher.\"");
  network_end(&n);
}
END_TEST

START_TEST(names_that_become_one_are_refused) {
  network n;
  network_begin(&n, &basic);
  network_add(&n, "layer2.0.shortcut.0.weight", 4, (int64_t[]){8, 4, 1, 1});
  network_is_refused(&n, ISCP_ERROR_FORMAT, "\"layer2.0.downsample.0.weight\" stands twice");
  network_end(&n);
}
END_TEST

START_TEST(heads_of_several_layers_are_refused) {
  network n;
  network_begin(&n, &basic);
  network_replace(&n, "fc.", "fc.0.");
  network_add(&n, "fc.3.weight", 2, (int64_t[]){5, 5});
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "several dense layers, \"fc.0.weight\" and \"fc.3.weight\"");
  network_end(&n);
  network_begin(&n, &basic);
  network_drop(&n, "fc.weight");
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "is no classifier: no dense layer (\"fc.weight\"");
  network_end(&n);
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
  network_begin(&n, &bottleneck);
  ASSERT_OK(isc_tensor_set_describe(&n.tensors, n.context, ISC_STRIDE_KEY, "1x1"));
  ASSERT_OK(isc_architecture_infer(&a, &n.tensors));
  ck_assert_int_eq(a.stride, ISCP_STRIDE_1X1);
  ASSERT_OK(isc_tensor_set_describe(&n.tensors, n.context, ISC_STRIDE_KEY, "3x3"));
  ASSERT_OK(isc_architecture_infer(&a, &n.tensors));
  ck_assert_int_eq(a.stride, 0);
  ASSERT_OK(isc_tensor_set_describe(&n.tensors, n.context, ISC_STRIDE_KEY, "5x5"));
  support_failed(isc_architecture_infer(&a, &n.tensors), ISCP_ERROR_MISMATCH, "\"5x5\", expected \"3x3\" or \"1x1\"");
  network_end(&n);
  network_begin(&n, &basic);
  ASSERT_OK(isc_tensor_set_describe(&n.tensors, n.context, ISC_STRIDE_KEY, "1x1"));
  support_failed(isc_architecture_infer(&a, &n.tensors), ISCP_ERROR_MISMATCH, "of a ResNet-18");
  network_end(&n);
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
  network_begin(&n, &bottleneck);
  network_item(&n, "layer1.0.conv3.weight")->shape[0] = 18;
  support_failed(isc_architecture_infer(&a, &n.tensors), ISCP_ERROR_MISMATCH, "18 output channels, expected 1 to 4096 times 4");
  network_item(&n, "layer1.0.conv3.weight")->shape[0] = 16;
  network_item(&n, "layer1.0.conv1.weight")->shape[0] = 0;
  support_failed(isc_architecture_infer(&a, &n.tensors), ISCP_ERROR_MISMATCH, "layer1.0.conv1.weight has 0 output");
  network_end(&n);
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
  tcase_add_test(widths, widths_are_inferred);
  tcase_add_test(widths, the_published_wide_network_has_its_known_size);
  tcase_add_test(widths, a_stride_is_said_by_metadata);
  tcase_add_test(widths, impossible_widths_are_refused);
  suite_add_tcase(suite, names);
  suite_add_tcase(suite, refused);
  suite_add_tcase(suite, widths);
  return support_run(suite);
}
