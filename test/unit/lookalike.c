/* lib/nn: networks that compute something else than a ResNet, refused by what they have. */
#include <stdio.h>
#include <string.h>

#include "naming_common.h"

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
    network_begin(&n, &basic);
    network_put_prefix(&n, "backbone.");
    network_replace(&n, "backbone.fc.", "classifier.");
    network_add(&n, cases[i].name, cases[i].dims, cases[i].shape);
    if (cases[i].is_refused)
      support_failed(isc_naming_apply(&n.naming, n.context, &n.tensors), ISCP_ERROR_UNSUPPORTED, cases[i].name);
    else
      network_is(&n, &basic, "torchvision", "backbone.");
    network_end(&n);
  }
}
END_TEST

START_TEST(look_alikes_are_told_by_a_name) {
  network n;
  network_begin(&n, &basic);
  network_put_prefix(&n, "module.");
  char name[100];
  snprintf(name, sizeof name, "module.%s", signs[_i].name);
  network_add(&n, name, 1, (int64_t[]){2});
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, signs[_i].word);
  ck_assert_ptr_nonnull(strstr(iscp_error_message(), name));
  network_end(&n);
}
END_TEST

START_TEST(look_alikes_are_told_by_a_shape) {
  network n;
  network_begin(&n, &bottleneck);
  network_item(&n, "layer1.0.conv2.weight")->shape[1] = 2;
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "convolutions in 2 groups (ResNeXt)");
  network_end(&n);
  network_begin(&n, &bottleneck);
  network_drop(&n, "bn1.weight");
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "pre-activation");
  network_end(&n);
  network_begin(&n, &bottleneck);
  network_item(&n, "layer1.0.conv1.weight")->shape[0] = 2;
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "pre-activation");
  network_end(&n);
  network_begin(&n, &basic);
  network_drop(&n, "layer2.0.downsample.1.weight");
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "pre-activation");
  network_end(&n);
  network_begin(&n, &basic);
  network_replace(&n, "layer4.", "layer5.");
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "three stages");
  network_end(&n);
  network_begin(&n, &basic);
  network_set_name(&n, network_item(&n, "layer2.0.downsample.0.weight"), "layer2.0.downsample.9.weight");
  network_item(&n, "layer2.0.downsample.1.weight")->dims = 4;
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "average-pool");
  network_end(&n);
}
END_TEST

START_TEST(norms_of_another_kind_are_refused) {
  network n;
  network_begin(&n, &basic);
  network_replace(&n, ".running_mean", ".mean_of_group");
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "norms without running statistics");
  network_end(&n);
  network_begin(&n, &basic);
  network_replace(&n, "bn1.", "affine1.");
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "no batch norm");
  network_end(&n);
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
  network_add(&n, others[_i].name, 2, (int64_t[]){4, 2});
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, others[_i].word);
  network_end(&n);
}
END_TEST

START_TEST(nothing_is_no_network) {
  network n = {.context = support_context()};
  network_is_refused(&n, ISCP_ERROR_UNSUPPORTED, "has no tensors");
  network_end(&n);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lookalike");
  TCase *refused = tcase_create("refused");
  tcase_add_test(refused, layers_in_a_row_outside_are_refused);
  tcase_add_loop_test(refused, look_alikes_are_told_by_a_name, 0, sizeof signs / sizeof *signs);
  tcase_add_test(refused, look_alikes_are_told_by_a_shape);
  tcase_add_test(refused, norms_of_another_kind_are_refused);
  tcase_add_loop_test(refused, other_networks_are_named, 0, sizeof others / sizeof *others);
  tcase_add_test(refused, nothing_is_no_network);
  suite_add_tcase(suite, refused);
  return support_run(suite);
}
