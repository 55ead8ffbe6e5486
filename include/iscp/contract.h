/* The input contract: what turns a stored image into the network's input.
 *
 * It belongs to the weights and travels with them. iscp_model_load takes the first of these that there is:
 *   1. the contract in its options;
 *   2. the one in the safetensors metadata, where iscp_model_save stores it (key "iscp.contract", a JSON object);
 *   3. the same JSON object in "<weights file>.contract.json" beside the weights;
 *   4. a "config.json" of timm, or a "preprocessor_config.json" of Hugging Face, in the folder of the weights.
 * iscp_model_contract_source says which it was. All methods of this library work on R, G, B in pixel range [0,1], whatever
 * the network's own order and range: those are folded into its first convolution and into mean and std.
 *
 * Resizing gives the bytes of Pillow, sizes and crops those of torchvision (docs/preprocessing.md). */
#ifndef ISCP_CONTRACT_H
#define ISCP_CONTRACT_H

#include <iscp/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How pixels are weighed when a picture is resized: Pillow's filters, which smooth when they make smaller. */
enum {
  ISCP_FILTER_BILINEAR = 0, /* a triangle over 2 pixels */
  ISCP_FILTER_BICUBIC = 1   /* Keys' cubic, a = -0.5, over 4 pixels */
};

/* Where a centre crop begins when an odd number of rows or columns is left over. */
enum {
  ISCP_CROP_EVEN = 0, /* half of it, halves to the even number: torchvision, timm */
  ISCP_CROP_FLOOR = 1 /* half of it, rounded down: Hugging Face's image processors */
};

/* Order of the channels of a network's input. */
enum { ISCP_ORDER_RGB = 0, ISCP_ORDER_BGR = 1 };

/* A stored image goes through, in this order:
 *   - grey <-> colour as `channels` asks: grey is copied to three channels, colour for a one-channel network is refused;
 *   - resizing, to resize_height x resize_width, or so that the short side becomes resize_short and the long one
 *     int(resize_short * long / short), or not at all;
 *   - the crop of crop_height x crop_width from the middle, with zeros around a picture that is smaller, or none;
 *   - zeros padded on four sides; the result must be height x width;
 *   - v / 255; the network gets (v / 255 * range - mean) / std, its channels in the order `order`.
 * A value out of range, sides that do not add up, or pads that leave no room for a picture, is ISCP_ERROR_ARGUMENT where the
 * contract is used. */
typedef struct iscp_contract {
  uint32_t struct_size; /* sizeof(iscp_contract), set by iscp_contract_init */
  int32_t channels;     /* channels of the network's input, 1 or 3; default 3 */
  int32_t height;       /* pixels, after padding, 8 to 4096; default 224 */
  int32_t width;        /* pixels, after padding, 8 to 4096; default 224 */
  int32_t pad_top;      /* rows of zeros added above, 0 to 1024; default 0 */
  int32_t pad_bottom;   /* rows of zeros added below, 0 to 1024; default 0 */
  int32_t pad_left;     /* columns of zeros added left, 0 to 1024; default 0 */
  int32_t pad_right;    /* columns of zeros added right, 0 to 1024; default 0 */
  float mean[3];        /* per channel of the network's input, in its order and range; default 0 */
  float std[3];         /* per channel of the network's input, in its order and range, > 0; default 1 */
  int32_t resize_short; /* pixels of the short side after resizing, 1 to 4096, 0 = see the next two; default 0 */
  int32_t resize_height; /* pixels after resizing, 1 to 4096, 0 = no resizing to an exact size; default 0 */
  int32_t resize_width; /* as resize_height, and set with it; default 0 */
  int32_t filter;       /* ISCP_FILTER_*, of resizing; default ISCP_FILTER_BILINEAR */
  int32_t crop_height;  /* pixels, 1 to 4096, 0 = no crop; default 0 */
  int32_t crop_width;   /* as crop_height, and set with it; default 0 */
  int32_t crop_rule;    /* ISCP_CROP_*; default ISCP_CROP_EVEN */
  int32_t order;        /* ISCP_ORDER_*; default ISCP_ORDER_RGB */
  int32_t range;        /* largest value of the network's input before mean and std, 1 or 255, 0 = 1; default 1 */
} iscp_contract;

/* Fills `contract` with the defaults. ISCP_ERROR_ABI as iscp_context_options_init. Since 0.1. */
ISCP_API iscp_status iscp_contract_init(iscp_contract *contract, uint32_t struct_size);

/* Fills `contract`, whose struct_size the caller has set (iscp_contract_init), with the preset `name`: every field, so that
 * changes come after. mean and std of three equal channels serve `channels` 1 as well. ISCP_ERROR_ARGUMENT if there is no such
 * preset; the message lists them. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_contract_preset(iscp_contract *contract, const char *name);

/* Name of preset `index` (0, 1, ...), as "torchvision-v1", and a line about it; NULL past the last one. Static storage.
 * Since 0.1. */
ISCP_API const char *iscp_contract_preset_name(int32_t index);
ISCP_API const char *iscp_contract_preset_summary(int32_t index);

/* ISCP_ERROR_ARGUMENT, with a line that says why, if a value of the contract is out of range or two contradict each other:
 * what every function that takes a contract checks. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_contract_validate(const iscp_contract *contract);

/* Reads a contract from a JSON file of at most 1 MB into `contract`, whose struct_size the caller has set. The file is one of
 *   - libiscp's own object: docs/preprocessing.md lists its keys, a key that is not among them is refused;
 *   - a timm config: "config.json" with a "pretrained_cfg" object, or that object itself (input_size, interpolation,
 *     crop_pct, crop_mode center or squash, mean, std);
 *   - a Hugging Face "preprocessor_config.json" (do_resize, size, crop_pct, do_center_crop, crop_size, resample, do_normalize,
 *     image_mean, image_std).
 * ISCP_ERROR_FORMAT names what is wrong, ISCP_ERROR_UNSUPPORTED what has no equal here (a filter, a crop mode). On failure
 * `contract` is as it was. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_contract_read(iscp_contract *contract, iscp_context *context, const char *path);

/* Writes the contract as libiscp's own object, with `class_count` names (UTF-8) unless that is 0. Named
 * "<weights file>.contract.json" it is found by iscp_model_load. The file is whole or absent. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_contract_write(const iscp_contract *contract, iscp_context *context, const char *path,
                                         const char *const *class_names, int32_t class_count);

#ifdef __cplusplus
}
#endif
#endif
