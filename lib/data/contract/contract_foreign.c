/* The preprocessing that timm and Hugging Face describe in their own JSON files -> an input contract.
 *
 *   timm          scale = floor(size / crop_pct); centre: short side -> scale, squash: both; then the crop. Where a config is
 *                 silent, timm's defaults: 3 x 224 x 224, bicubic, 0.875, centre, ImageNet's mean and std
 *   Hugging Face  with crop_pct: short side -> int(size / crop_pct) and the crop below 384 pixels, both sides -> size from
 *                 there on. Without: resize and crop as do_resize, size, do_center_crop, crop_size say */
#include <math.h>
#include <string.h>

#include "data/contract/contract.h"

enum { WARP_FROM = 384, PIL_BILINEAR = 2, PIL_BICUBIC = 3, LARGEST = 1 << 20 };

bool isc_contract_is_foreign(const json_t *root) {
  static const char *const marks[] = {"pretrained_cfg", "crop_pct",        "input_size",          "image_mean",
                                      "image_std",      "interpolation",   "feature_extractor_type", "image_processor_type",
                                      "do_resize",      "do_normalize",    "test_input_size"};
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
    if (json_object_get(root, marks[i]))
      return true;
  return false;
}

/* ---- Values ---- */

static iscp_status parse_truth(bool *value, const json_t *root, const char *key) {
  const json_t *item = json_object_get(root, key);
  if (!item || json_is_null(item))
    return ISCP_OK;
  if (!json_is_boolean(item))
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is neither true nor false", key);
  *value = json_is_true(item);
  return ISCP_OK;
}

static iscp_status parse_share(double *value, const json_t *root, const char *key) {
  const json_t *item = json_object_get(root, key);
  if (!item || json_is_null(item))
    return ISCP_OK;
  double number = json_number_value(item);
  if (!json_is_number(item) || !(number > 0.01 && number <= 1))
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is no number above 0.01 up to 1", key);
  *value = number;
  return ISCP_OK;
}

/* A side in pixels, small enough that nothing overflows; the contract has its own bounds. */
static iscp_status parse_side(int32_t *side, const json_t *item, const char *key) {
  ISC_TRY(isc_json_integer(side, item, key));
  if (*side < 1 || *side > LARGEST)
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is %d, expected a number of pixels", key, *side);
  return ISCP_OK;
}

static const char *text_of(const json_t *root, const char *key, const char *otherwise) {
  const json_t *item = json_object_get(root, key);
  if (!item || json_is_null(item))
    return otherwise;
  return json_is_string(item) ? json_string_value(item) : "";
}

static iscp_status check(const iscp_contract *contract) {
  if (isc_contract_range(contract) != ISCP_OK)
    return isc_fail(ISCP_ERROR_FORMAT, "%s", iscp_error_message());
  return ISCP_OK;
}

static void set_short(iscp_contract *contract, double side) { contract->resize_short = (int32_t)side; }

static void set_crop(iscp_contract *contract, int32_t height, int32_t width) {
  contract->crop_height = contract->height = height;
  contract->crop_width = contract->width = width;
}

/* ---- timm ---- */

static iscp_status parse_interpolation(iscp_contract *contract, const json_t *root) {
  const char *name = text_of(root, "interpolation", "bicubic");
  if (!strcmp(name, "bilinear"))
    contract->filter = ISCP_FILTER_BILINEAR;
  else if (!strcmp(name, "bicubic"))
    contract->filter = ISCP_FILTER_BICUBIC;
  else
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "\"interpolation\" is \"%.40s\", expected \"bilinear\" or \"bicubic\"", name);
  return ISCP_OK;
}

/* [channels, height, width] */
static iscp_status parse_input_size(iscp_contract *contract, const json_t *root) {
  const json_t *size = json_object_get(root, "input_size");
  if (!size)
    return ISCP_OK;
  if (!json_is_array(size) || json_array_size(size) != 3)
    return isc_fail(ISCP_ERROR_FORMAT, "\"input_size\" is not [channels, height, width]");
  ISC_TRY(parse_side(&contract->channels, json_array_get(size, 0), "input_size"));
  if (contract->channels != 1 && contract->channels != 3)
    return isc_fail(ISCP_ERROR_FORMAT, "\"input_size\" has %d channels, expected 1 or 3", contract->channels);
  ISC_TRY(parse_side(&contract->height, json_array_get(size, 1), "input_size"));
  return parse_side(&contract->width, json_array_get(size, 2), "input_size");
}

static iscp_status parse_crop_mode(iscp_contract *contract, const json_t *root, double share) {
  const char *mode = text_of(root, "crop_mode", "center");
  double rows = floor(contract->height / share), columns = floor(contract->width / share);
  set_crop(contract, contract->height, contract->width);
  if (!strcmp(mode, "squash")) {
    contract->resize_height = (int32_t)rows;
    contract->resize_width = (int32_t)columns;
    return ISCP_OK;
  }
  if (strcmp(mode, "center"))
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "\"crop_mode\" is \"%.40s\", expected \"center\" or \"squash\"", mode);
  if (contract->height != contract->width)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "\"input_size\" is %dx%d, expected a square one with \"crop_mode\" center",
                    contract->height, contract->width);
  set_short(contract, rows);
  return ISCP_OK;
}

static iscp_status parse_timm(iscp_contract *contract, const json_t *root) {
  double share = 0.875;
  ISC_TRY(iscp_contract_preset(contract, "timm"));
  ISC_TRY(parse_input_size(contract, root));
  ISC_TRY(parse_share(&share, root, "crop_pct"));
  ISC_TRY(parse_interpolation(contract, root));
  contract->resize_short = 0;
  ISC_TRY(parse_crop_mode(contract, root, share));
  ISC_TRY(isc_json_floats(contract->mean, root, "mean", (size_t)contract->channels));
  ISC_TRY(isc_json_floats(contract->std, root, "std", (size_t)contract->channels));
  for (int c = contract->channels; c < 3; c++) { /* as libiscp's own object leaves them */
    contract->mean[c] = isc_contract_defaults.mean[c];
    contract->std[c] = isc_contract_defaults.std[c];
  }
  return check(contract);
}

/* ---- Hugging Face ---- */

/* 224, {"shortest_edge": 224} or {"height": 224, "width": 224}; the first is the short side if `square` is 0. */
static iscp_status parse_size(int32_t *edge, int32_t *height, int32_t *width, const json_t *size, const char *key,
                              bool square) {
  *edge = *height = *width = 0;
  if (!json_is_object(size)) {
    int32_t side = 0;
    ISC_TRY(parse_side(&side, size, key));
    *edge = square ? 0 : side;
    *height = *width = square ? side : 0;
    return ISCP_OK;
  }
  if (json_object_get(size, "shortest_edge"))
    return parse_side(edge, json_object_get(size, "shortest_edge"), "shortest_edge");
  if (!json_object_get(size, "height"))
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "\"%s\" has neither \"shortest_edge\" nor \"height\" and \"width\"", key);
  ISC_TRY(parse_side(height, json_object_get(size, "height"), "height"));
  return parse_side(width, json_object_get(size, "width"), "width");
}

static iscp_status parse_resample(iscp_contract *contract, const json_t *root, int32_t otherwise) {
  int32_t filter = otherwise;
  ISC_TRY(isc_json_optional_integer(&filter, root, "resample"));
  if (filter != PIL_BILINEAR && filter != PIL_BICUBIC)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "\"resample\" is %d, expected 2 (bilinear) or 3 (bicubic)", filter);
  contract->filter = filter == PIL_BICUBIC ? ISCP_FILTER_BICUBIC : ISCP_FILTER_BILINEAR;
  return ISCP_OK;
}

/* The processors of ConvNeXt, which ResNets are published with. */
static iscp_status parse_cropped_share(iscp_contract *contract, const json_t *root) {
  double share = 224.0 / 256;
  int32_t edge, height, width;
  ISC_TRY(parse_share(&share, root, "crop_pct"));
  ISC_TRY(parse_size(&edge, &height, &width, json_object_get(root, "size"), "size", false));
  if (!edge)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "\"size\" has no \"shortest_edge\", expected one beside \"crop_pct\"");
  set_crop(contract, edge, edge);
  if (edge >= WARP_FROM) {
    contract->resize_height = contract->resize_width = edge;
    contract->crop_height = contract->crop_width = 0;
  } else
    set_short(contract, edge / share);
  return ISCP_OK;
}

static iscp_status parse_plain(iscp_contract *contract, const json_t *root, bool resize) {
  bool crop = false;
  int32_t edge = 0, height = 0, width = 0;
  ISC_TRY(parse_truth(&crop, root, "do_center_crop"));
  if (resize) {
    ISC_TRY(parse_size(&edge, &height, &width, json_object_get(root, "size"), "size", !crop));
    contract->resize_short = edge;
    contract->resize_height = contract->height = height;
    contract->resize_width = contract->width = width;
  }
  if (crop) {
    ISC_TRY(parse_size(&edge, &height, &width, json_object_get(root, "crop_size"), "crop_size", true));
    set_crop(contract, height, width);
  }
  if (!contract->crop_height && !contract->resize_height)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "neither \"crop_size\" nor \"size\" says how large the network's input is");
  return ISCP_OK;
}

static iscp_status parse_hugging_face(iscp_contract *contract, const json_t *root) {
  bool resize = true, normalise = true, rescale = true;
  *contract = isc_contract_defaults;
  contract->crop_rule = ISCP_CROP_FLOOR;
  ISC_TRY(parse_truth(&resize, root, "do_resize"));
  ISC_TRY(parse_truth(&rescale, root, "do_rescale"));
  ISC_TRY(parse_truth(&normalise, root, "do_normalize"));
  contract->range = rescale ? 1 : 255;
  bool convnext = json_object_get(root, "crop_pct") || strstr(text_of(root, "image_processor_type", ""), "ConvNext") ||
                  strstr(text_of(root, "feature_extractor_type", ""), "ConvNext");
  ISC_TRY(convnext && resize ? parse_cropped_share(contract, root) : parse_plain(contract, root, resize));
  ISC_TRY(parse_resample(contract, root, PIL_BILINEAR));
  if (normalise) {
    ISC_TRY(isc_json_floats(contract->mean, root, "image_mean", 3));
    ISC_TRY(isc_json_floats(contract->std, root, "image_std", 3));
  }
  return check(contract);
}

iscp_status isc_contract_parse_foreign(iscp_contract *contract, const json_t *root) {
  const json_t *inner = json_object_get(root, "pretrained_cfg");
  *contract = isc_contract_defaults;
  if (inner && !json_is_object(inner))
    return isc_fail(ISCP_ERROR_FORMAT, "\"pretrained_cfg\" is not a JSON object");
  if (inner || json_object_get(root, "input_size") || json_object_get(root, "interpolation") ||
      json_object_get(root, "test_input_size"))
    return parse_timm(contract, inner ? inner : root);
  return parse_hugging_face(contract, root);
}
