/* Networks that compute something else than the ResNets of architecture.c, though their tensors may fit: told by a name or by
 * a shape, and refused with what they have. What shapes cannot tell (the place of a stride, a blur filter that is not
 * stored, weights standardised on the fly) is in docs/checkpoints.md. */
#include <stdio.h>
#include <string.h>

#include "nn/resnet/naming.h"

/* ---- By names ---- */

/* A piece of a tensor's name behind the network's prefix; '^' is its beginning. */
typedef struct sign {
  const char *piece, *what;
} sign;

static const sign signs[] = {
    {"^conv1.0.", "a stem of several convolutions (ResNet-C or ResNet-D)"},
    {"^stem.", "a stem of several convolutions (ResNet-C or ResNet-D)"},
    {"^conv2.", "a stem of several convolutions"},
    {"^attnpool.", "attention in place of the mean (CLIP)"},
    {".downsample.2.", "an average-pool before the shortcut's convolution (ResNet-D)"},
    {".filt", "pooling with a blur filter (anti-aliased)"},
    {".se.", "squeeze-and-excitation in its blocks"},
    {".se_module.", "squeeze-and-excitation in its blocks"},
    {".fc1.", "squeeze-and-excitation in its blocks"},
    {".eca.", "channel attention in its blocks (ECA)"},
    {".cbam.", "attention in its blocks (CBAM)"},
    {".attn", "attention in its blocks"},
    {".ca.", "attention in its blocks"},
    {".convs.", "convolutions by scales (Res2Net)"},
    {".conv2.conv.", "split attention (ResNeSt)"},
    {".conv2.fc", "split attention (ResNeSt)"},
    {".conv2.paths.", "selective kernels (SKNet)"},
    {".conv1.paths.", "selective kernels (SKNet)"},
    {".weight_g", "weights in parts (weight norm: remove it before saving)"},
    {".weight_orig", "weights in parts (spectral norm or pruning: remove it before saving)"},
    {".parametrizations.", "weights in parts (a parametrization: remove it before saving)"},
    {".lora_", "adapters beside its weights (LoRA: merge them before saving)"},
    {"._packed_params", "quantized weights"},
    {".zero_point", "quantized weights"},
    {".gn1.", "group norm"},
};

static const sign others[] = {
    {"cls_token", "a vision transformer"},
    {"class_token", "a vision transformer"},
    {"patch_embed", "a vision transformer"},
    {"relative_position_bias_table", "a Swin transformer"},
    {"word_embeddings", "a language model"},
    {"denseblock1.", "a DenseNet"},
    {"^dense1.", "a DenseNet"},
    {"inception3a.", "a GoogLeNet"},
    {"Mixed_5b.", "an Inception network"},
    {".squeeze.weight", "a SqueezeNet"},
    {"stage2.0.branch", "a ShuffleNet"},
    {"trunk_output.", "a RegNet"},
    {"s1.b1.conv1.", "a RegNet"},
    {"layer1.0.conv1.paths.", "an SKNet"},
    {"stem.conv1.conv.", "a network of other stems and blocks (timm's byobnet, CLIP's ResNet)"},
    {"_depthwise_conv.", "an EfficientNet"},
    {"conv_dw.", "a MobileNet, EfficientNet or ConvNeXt"},
    {"dwconv.", "a ConvNeXt"},
    {"features.1.conv.0.0.", "a MobileNet"},
    {"features.1.0.block.", "an EfficientNet or ConvNeXt"},
    {"features.1.0.layer_scale", "a ConvNeXt"},
    {"block1.layer.0.", "a Wide ResNet of pre-activation blocks"},
    {"stages.0.blocks.0.norm1.", "a ResNet of pre-activation blocks (ResNetV2, BiT)"},
    {"block1.unit01.", "a ResNet of pre-activation blocks (BiT)"},
    {"features.0.weight", "a VGG or an AlexNet"},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool has_piece(const char *name, const char *piece) {
  return *piece == '^' ? !strncmp(name, piece + 1, strlen(piece) - 1) : strstr(name, piece) != NULL;
}

static iscp_status refuse(const char *what, const char *name) {
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "computes something else than a ResNet: %s (\"%.80s\")", what, name);
}

iscp_status isc_lookalike_check_names(const isc_tensor_set *tensors, const char *prefix) {
  size_t length = strlen(prefix);
  for (size_t s = 0; s < COUNT(signs); s++)
    for (size_t i = 0; i < tensors->count; i++) {
      const char *name = tensors->items[i].name;
      if (!strncmp(name, prefix, length) && has_piece(name + length, signs[s].piece))
        return refuse(signs[s].what, name);
    }
  return ISCP_OK;
}

iscp_status isc_lookalike_fail(const isc_tensor_set *tensors) {
  char shape[ISC_SHAPE_TEXT];
  for (size_t s = 0; s < COUNT(others); s++)
    for (size_t i = 0; i < tensors->count; i++)
      if (has_piece(tensors->items[i].name, others[s].piece))
        return isc_fail(ISCP_ERROR_UNSUPPORTED, "is no ResNet but %s: has \"%.80s\"", others[s].what,
                        tensors->items[i].name);
  if (!tensors->count)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "is no ResNet: has no tensors");
  const isc_tensor *first = &tensors->items[0];
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "is no ResNet: has %zu tensors, \"%.80s\" of %s the first, and no "
                  "\"layer1.0.conv1.weight\" under any prefix", tensors->count, first->name,
                  isc_shape_text(shape, first->dims, first->shape));
}

/* ---- By shapes ---- */

static bool has(const isc_tensor_set *tensors, const char *name) { return isc_tensor_set_find(tensors, name) != NULL; }

static bool has_end(const isc_tensor_set *tensors, const char *end) {
  for (size_t i = 0; i < tensors->count; i++) {
    size_t length = strlen(tensors->items[i].name);
    if (length >= strlen(end) && !strcmp(tensors->items[i].name + length - strlen(end), end))
      return true;
  }
  return false;
}

static iscp_status check_norms(const isc_tensor_set *tensors) {
  if (!has(tensors, "bn1.weight") && !has(tensors, "layer1.0.bn1.weight"))
    return refuse("no batch norm", "bn1.weight is missing");
  if (!has_end(tensors, ".running_mean"))
    return refuse("norms without running statistics, as of groups, layers or instances", "bn1.running_mean is missing");
  return ISCP_OK;
}

/* A block that norms its input: the norm is as wide as that, the shortcut and the stem have none. */
static iscp_status check_order(const isc_tensor_set *tensors) {
  static const char *const what = "pre-activation blocks, batch norm before the convolution";
  const isc_tensor *norm = isc_tensor_set_find(tensors, "layer1.0.bn1.weight"),
                   *conv = isc_tensor_set_find(tensors, "layer1.0.conv1.weight");
  if (!has(tensors, "bn1.weight"))
    return refuse(what, "bn1.weight is missing");
  if (norm && norm->dims == 1 && norm->shape[0] != conv->shape[0] && norm->shape[0] == conv->shape[1])
    return refuse(what, norm->name);
  if (has(tensors, "layer2.0.downsample.0.weight") && !has(tensors, "layer2.0.downsample.1.weight"))
    return refuse(what, "layer2.0.downsample.1.weight is missing");
  return ISCP_OK;
}

static iscp_status check_groups(const isc_tensor_set *tensors) {
  const isc_tensor *first = isc_tensor_set_find(tensors, "layer1.0.conv1.weight"),
                   *second = isc_tensor_set_find(tensors, "layer1.0.conv2.weight");
  char what[80];
  if (!second || second->dims != 4 || !second->shape[1] || second->shape[1] >= first->shape[0] ||
      first->shape[0] % second->shape[1])
    return ISCP_OK;
  snprintf(what, sizeof what, "convolutions in %lld groups (ResNeXt)", (long long)(first->shape[0] / second->shape[1]));
  return refuse(what, second->name);
}

iscp_status isc_lookalike_check_shapes(const isc_tensor_set *tensors) {
  const isc_tensor *shortcut = isc_tensor_set_find(tensors, "layer2.0.downsample.1.weight");
  if (!has(tensors, "layer1.0.conv1.weight"))
    return ISCP_OK; /* its absence will be told */
  ISC_TRY(check_norms(tensors));
  ISC_TRY(check_order(tensors));
  ISC_TRY(check_groups(tensors));
  if (shortcut && shortcut->dims == 4)
    return refuse("an average-pool before the shortcut's convolution (ResNet-D)", shortcut->name);
  if (!has(tensors, "layer4.0.conv1.weight") && has(tensors, "layer3.0.conv1.weight"))
    return refuse("three stages (a ResNet-20 to 110 for CIFAR), expected four", "layer4.0.conv1.weight is missing");
  return ISCP_OK;
}
