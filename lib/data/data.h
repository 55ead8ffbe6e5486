/* Face of lib/data: input contract, datasets, splits, patterns. No networks. */
#ifndef ISC_DATA_H
#define ISC_DATA_H

#include <iscp/contract.h>
#include <iscp/dataset.h>
#include <iscp/pattern.h>
#include <iscp/trigger.h>

#include "tensor/tensor.h"

/* ---- Input contract (contract.c) ---- */

/* Pixels of one channel, and numbers of one image, in network form. */
int64_t isc_contract_pixels(const iscp_contract *contract);
int64_t isc_contract_numbers(const iscp_contract *contract);

/* The ABI rule and the range of every field; `contract` becomes a whole struct of this library's size. */
iscp_status isc_contract_read(iscp_contract *contract, const iscp_contract *given);

/* Copies a whole contract into a caller's struct, whose struct_size says what fits. */
iscp_status isc_contract_give(iscp_contract *given, const iscp_contract *contract);

/* 1 if images brought into `a` are what `b` expects: channels, height, width (mean and std belong to the network). */
int isc_contract_same_form(const iscp_contract *a, const iscp_contract *b);

/* Images are R, G, B in [0,1] everywhere, whatever the network's order and range: this mean and std of R, G, B bring them into
 * the network's input, whose first convolution is reversed (isc_network_reverse) if the order is B, G, R. Nobody else reads
 * a contract's mean, std, order and range. */
typedef struct isc_scale {
  float mean[3], std[3];
} isc_scale;
isc_scale isc_contract_scale(const iscp_contract *contract);
int isc_contract_reverses(const iscp_contract *contract);

/* The JSON object (read by contract_read.c, printed by contract_json.c) stored under "iscp.contract" in safetensors metadata, or
 * in a file beside the weights:
 *   {"channels": 3, "height": 28, "width": 28, "resize": 256 or [height, width], "filter": "bicubic",
 *    "crop": [height, width], "crop_rule": "floor", "pad": [top, bottom, left, right], "order": "BGR", "range": 255,
 *    "mean": [..], "std": [..], "classes": ["T-shirt", ..]}
 * mean and std have `channels` entries. Reading: all but height and width may be absent (defaults); an unknown key is
 * refused, since it may change what images mean: ISCP_ERROR_FORMAT, as all that is wrong in the text. *names, an array of
 * *count strings, is the caller's (isc_names_free of format.h); NULL and 0 if absent. With `foreign` the configs of timm and
 * Hugging Face are read too, and what has no equal is ISCP_ERROR_UNSUPPORTED. */
iscp_status isc_contract_parse(iscp_contract *contract, char ***names, size_t *count, const iscp_context *context,
                               const char *json, size_t size, bool foreign);
iscp_status isc_contract_print(char **json, const iscp_context *context, const iscp_contract *contract,
                               const char *const *names, size_t count);

/* The object without the class names, its floats as `real` makes them; NULL if memory ran out. The caller owns it. */
typedef struct json_t *isc_json_real(float value);
struct json_t *isc_contract_json(const iscp_contract *contract, isc_json_real *real);

/* The same from a file (contract_file.c), whose name is put before messages. */
iscp_status isc_contract_load(iscp_contract *contract, char ***names, size_t *count, const iscp_context *context,
                              const char *path);

/* The file beside the weights that describes their input (contract.h says which), NULL if there is none. *path is the
 * caller's. */
iscp_status isc_contract_find(char **path, const iscp_context *context, const char *weights);

/* Whether a picture of this size can be brought into the contract's form: ISCP_ERROR_MISMATCH says the picture's size and what
 * is expected. A contract with a crop, or with a resize to an exact size, takes pictures of any size. */
iscp_status isc_contract_check(const iscp_contract *contract, int64_t height, int64_t width, int64_t channels);

/* ---- Datasets (dataset.c; source.h has the kinds of source below them) ---- */

iscp_dataset *isc_dataset_hold(const iscp_dataset *dataset); /* one more reference */
const iscp_context *isc_dataset_context(const iscp_dataset *dataset);

/* The same pictures through another contract (create.c), for a look at some of them: nothing is decoded ahead or kept. The form
 * of `contract` is the caller's care. */
iscp_status isc_dataset_view(iscp_dataset **out, const iscp_dataset *dataset, const iscp_contract *contract);

/* Says which images will be asked for next, in order, so that they are decoded meanwhile. Returns at once; any thread. */
void isc_dataset_expect(const iscp_dataset *dataset, const int64_t *indices, int64_t count);

/* The hash, made at the first call: reads all that the set is made of. *hash lives as long as the dataset. Any thread. */
iscp_status isc_dataset_hash(const char **hash, const iscp_dataset *dataset);

/* ---- Splits (split.c) ---- */

/* Marks the searched part: searched[i] is 1 for images of a seeded draw of `fraction` of each class (rounded, at least
 * one image of a class that has any), else 0. The same draw for every target class; D_n of class y is the marked images
 * without those of y. `searched` has iscp_dataset_count entries. */
iscp_status isc_split_draw(uint8_t *searched, const iscp_dataset *dataset, double fraction, uint64_t seed);

/* ---- Patterns (pattern.c, perturbation.c) ---- */

/* Puts the pattern on an image of pixels in [0,1]. */
void isc_pattern_attach(const iscp_pattern *pattern, float *image);

/* The pattern of a perturbation: of the pixels where it is not zero, the share `size` of the image's at most, ranked by
 * the sum of |v| over the channels, then by that of |evidence| (channels x height x width, or NULL), then by index. The
 * form is the caller's care. */
typedef struct isc_perturbation {
  const float *values;     /* channels x height x width */
  const int32_t *evidence; /* the same, or NULL */
  int32_t channels, height, width, target;
} isc_perturbation;
iscp_status isc_pattern_add(iscp_pattern **out, const iscp_context *context, const isc_perturbation *perturbation,
                            double size);

const iscp_context *isc_pattern_context(const iscp_pattern *pattern);

#endif
