/* Input contracts by name: the preprocessing that well-known weights were trained with.
 *
 * Two families of CIFAR-10 deviations are in circulation: .2023 .1994 .2010 is the mean of each image's own deviation,
 * .2470 .2435 .2616 that over all pixels. The weights decide which is right. */
#include <stdio.h>
#include <string.h>

#include "data/contract/contract.h"

#define RESIZE(short_side, how, crop)                                                                                    \
  .channels = 3, .height = crop, .width = crop, .resize_short = short_side, .filter = how, .crop_height = crop,          \
  .crop_width = crop
#define SQUARE(side, pad) \
  .channels = 3, .height = side, .width = side, .pad_top = pad, .pad_bottom = pad, .pad_left = pad, .pad_right = pad
#define IMAGENET .mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}
#define CIFAR10_MEAN .mean = {0.4914f, 0.4822f, 0.4465f}
#define OLD_STD .std = {0.2023f, 0.1994f, 0.2010f}
#define GREY(m, s) .mean = {m, m, m}, .std = {s, s, s}
#define PIXELS .std = {1, 1, 1}

static const struct {
  const char *name, *summary;
  iscp_contract contract; /* struct_size and range are filled in */
} presets[] = {
    {"torchvision-v1",
     "ImageNet, torchvision's IMAGENET1K_V1: short side 256 bilinear, crop 224, ImageNet mean and std",
     {RESIZE(256, ISCP_FILTER_BILINEAR, 224), IMAGENET}},
    {"torchvision-v2",
     "ImageNet, torchvision's IMAGENET1K_V2: short side 232 bilinear, crop 224, ImageNet mean and std",
     {RESIZE(232, ISCP_FILTER_BILINEAR, 224), IMAGENET}},
    {"timm",
     "ImageNet, what timm does where a config is silent: short side 256 bicubic, crop 224, ImageNet mean and std",
     {RESIZE(256, ISCP_FILTER_BICUBIC, 224), IMAGENET}},
    {"timm-0.95",
     "ImageNet, timm with crop_pct 0.95: short side 235 bicubic, crop 224, ImageNet mean and std",
     {RESIZE(235, ISCP_FILTER_BICUBIC, 224), IMAGENET}},
    {"kuangliu-cifar",
     "CIFAR-10 32x32, kuangliu/pytorch-cifar: std .2023 .1994 .2010",
     {SQUARE(32, 0), CIFAR10_MEAN, OLD_STD}},
    {"cifar10",
     "CIFAR-10 32x32, mean and std over all pixels: std .2470 .2435 .2616",
     {SQUARE(32, 0), CIFAR10_MEAN, .std = {0.2470f, 0.2435f, 0.2616f}}},
    {"cifar100",
     "CIFAR-100 32x32, mean and std over all pixels: mean .5071 .4865 .4409, std .2673 .2564 .2762",
     {SQUARE(32, 0), .mean = {0.5071f, 0.4865f, 0.4409f}, .std = {0.2673f, 0.2564f, 0.2762f}}},
    {"madrylab",
     "CIFAR-10 32x32, MadryLab's robustness: the normaliser inside its models, as kuangliu-cifar",
     {SQUARE(32, 0), CIFAR10_MEAN, OLD_STD}},
    {"authors", "32x32, the models of the paper's authors: pixels in [0,1], not normalised", {SQUARE(32, 0), PIXELS}},
    {"mnist",
     "MNIST 28x28, zeros added to 32x32: mean .1307, std .3081, 3 channels or 1",
     {SQUARE(32, 2), GREY(0.1307f, 0.3081f)}},
    {"fashion-mnist",
     "Fashion-MNIST 28x28, zeros added to 32x32: mean .286, std .353, 3 channels or 1",
     {SQUARE(32, 2), GREY(0.286f, 0.353f)}},
    {"none", "pixels in [0,1] of pictures that have the input's size, 224x224 if none is given", {SQUARE(224, 0), PIXELS}},
};
enum { PRESETS = sizeof presets / sizeof *presets };

const char *iscp_contract_preset_name(int32_t index) {
  return index >= 0 && index < PRESETS ? presets[index].name : NULL;
}

const char *iscp_contract_preset_summary(int32_t index) {
  return index >= 0 && index < PRESETS ? presets[index].summary : NULL;
}

static iscp_status fail_name(const char *name) {
  char list[512] = "";
  size_t length = 0;
  for (int i = 0; i < PRESETS; i++)
    length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", presets[i].name);
  return isc_fail(ISCP_ERROR_ARGUMENT, "\"%s\" is no preset, expected one of %s", name, list);
}

iscp_status iscp_contract_preset(iscp_contract *contract, const char *name) {
  if (!contract || !name)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", contract ? "name" : "contract");
  for (int i = 0; i < PRESETS; i++) {
    if (strcmp(presets[i].name, name))
      continue;
    iscp_contract chosen = presets[i].contract;
    chosen.range = 1;
    return isc_contract_give(contract, &chosen);
  }
  return fail_name(name);
}
