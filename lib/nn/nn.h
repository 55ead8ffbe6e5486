/* Face of lib/nn: a frozen ResNet, forward and backward to its input, and one in training. No files, no datasets, no patterns.
 *
 *   tensors -> isc_network (architecture and parameters, immutable, shared)
 *           -> isc_plan    (one batch size: packed weights, activations, scratch; one thread at a time)
 *           -> isc_training (parameters of its own that change, their gradients, all activations; one thread at a time)
 *
 * Names are oneDNN's: src, weights, bias, dst, diff_src, diff_dst; N C H W, OC OH OW, KH KW. */
#ifndef ISC_NN_H
#define ISC_NN_H

#include <iscp/model.h>

#include "tensor/tensor.h"

/* ---- Architecture (resnet/architecture.c) ---- */

typedef struct isc_architecture {
  int32_t depth;    /* 18, 34, 50, 101, 152 */
  int32_t width;    /* channels of the stem */
  int32_t stem;     /* ISCP_STEM_* */
  int32_t classes;  /* rows of fc.weight */
  int32_t channels; /* channels of the input */
  int32_t planes;   /* of the first stage, doubled from each to the next: bottlenecks end in 4 times them; 0 = width */
  int32_t inner;    /* channels of the first stage's 3x3 convolutions in bottlenecks; 0 = planes */
  int32_t stride;   /* ISCP_STRIDE_*, 0 = ISCP_STRIDE_3X3 */
} isc_architecture;

/* The metadata that says the place of a stride, "3x3" or "1x1", which no shape tells. */
#define ISC_STRIDE_KEY "iscp.stride"

/* ---- Names (resnet/naming.c, resnet/lookalike.c) ---- */

enum { ISC_PREFIX_TEXT = 256 };

typedef struct isc_naming {
  const char *scheme; /* whose names the tensors had, static: "torchvision", "pytorch-cifar", "Hugging Face" ... */
  char prefix[ISC_PREFIX_TEXT]; /* what stood before them: "module." */
} isc_naming;

/* Gives the tensors of a ResNet torchvision's names and releases those outside of it. ISCP_ERROR_UNSUPPORTED for a network
 * of another kind, ISCP_ERROR_MISMATCH for several of which none is the one. */
iscp_status isc_naming_apply(isc_naming *found, const iscp_context *context, isc_tensor_set *tensors);

/* Reads the architecture off the tensors' names and shapes (torchvision's). ISCP_ERROR_MISMATCH says what is missing. */
iscp_status isc_architecture_infer(isc_architecture *architecture, const isc_tensor_set *tensors);

/* ISCP_ERROR_ARGUMENT names the first field that no network has. */
iscp_status isc_architecture_check(const isc_architecture *architecture);

/* ---- Random weights (resnet/initial.c) ---- */

/* All tensors of a network that was not trained, float32, as torchvision initialises them; `seed` names them. `tensors` is
 * empty before, and on failure again. */
iscp_status isc_initial_tensors(isc_tensor_set *tensors, const iscp_context *context,
                                const isc_architecture *architecture, uint64_t seed);

/* ---- Network (resnet/network.c) ---- */

typedef struct isc_network isc_network;

/* Takes over `tensors` (emptied on success) after checking each: nothing missing, unexpected or mis-shaped, all numbers
 * finite, no negative variance. All faults are logged, the message names the first ones. */
iscp_status isc_network_create(isc_network **out, const iscp_context *context, isc_tensor_set *tensors);

/* Right after creation: plans made from the network take images in the reverse order of channels, as R, G, B for weights
 * trained on B, G, R. isc_network_tensors are as they came. */
void isc_network_reverse(isc_network *network);
bool isc_network_is_reversed(const isc_network *network);

isc_network *isc_network_hold(const isc_network *network);
void isc_network_drop(isc_network *network); /* takes NULL */
const isc_architecture *isc_network_architecture(const isc_network *network);
const isc_tensor_set *isc_network_tensors(const isc_network *network);
const iscp_context *isc_network_context(const isc_network *network);
int64_t isc_network_parameters(const isc_network *network);
int64_t isc_network_multiply_adds(const isc_network *network, int32_t height, int32_t width);

/* ---- Plan (frozen/) ---- */

typedef struct isc_plan isc_plan;

/* Images a pass, their size, and whether backward will be asked for: without, less memory. `stage` says how far back: 0 to the
 * image, 1 to 4 to the output A of layer<stage>, after its last ReLU, which is then kept beside its gradient. With `features` the
 * network ends at what its dense layer reads, and has no logits. */
typedef struct isc_plan_form {
  int32_t batch, height, width;
  bool gradient;
  int32_t stage;
  bool features;
} isc_plan_form;

/* Packs the weights (batch norm folded in) and takes all memory of a pass. */
iscp_status isc_plan_create(isc_plan **out, const isc_network *network, const isc_plan_form *form);
void isc_plan_destroy(isc_plan *plan); /* takes NULL */

/* Bytes that such a plan would hold; next to nothing is taken to find out. */
iscp_status isc_plan_foretell(size_t *bytes, const isc_network *network, const isc_plan_form *form);

int32_t isc_plan_batch(const isc_plan *plan);
size_t isc_plan_memory(const isc_plan *plan); /* bytes held, weights included */

/* N x channels x height x width, normalised; the caller writes it, forward reads it. */
float *isc_plan_src(isc_plan *plan);

/* src -> logits. Every row is computed; the caller uses those it filled. */
iscp_status isc_plan_forward(isc_plan *plan);
const float *isc_plan_logits(const isc_plan *plan); /* N x classes */

/* diff_logits (N x classes, written by the caller; zero rows give zero gradients) -> diff_src, of the last forward. */
float *isc_plan_diff_logits(isc_plan *plan);
iscp_status isc_plan_backward(isc_plan *plan);
const float *isc_plan_diff_src(const isc_plan *plan); /* N x channels x height x width, of the normalised input */

/* Of a plan that ends at its features, N x isc_plan_feature_count: src -> features, diff_features (the caller's) -> diff_src. */
int32_t isc_plan_feature_count(const isc_plan *plan);
const float *isc_plan_features(const isc_plan *plan);
float *isc_plan_diff_features(isc_plan *plan);

/* Of a plan with a stage, which has no diff_src: A of the last forward and its gradient of the last backward, both
 * N x size[0] x size[1] x size[2] in plain order. The gradient is that of A itself: A's ReLU is in front of it. */
void isc_plan_kept_size(const isc_plan *plan, int32_t size[3]);
const float *isc_plan_kept(const isc_plan *plan);
const float *isc_plan_diff_kept(const isc_plan *plan);

/* One operation of a plan, for benchmarks and logs. */
typedef struct isc_operation_info {
  const char *name;           /* "layer1.0.conv2", "maxpool", "head" */
  const char *kind;           /* "forward", "backward_data", "pool" */
  const char *implementation; /* who runs a convolution, "own" for code of libiscp, NULL for passes over memory */
  int64_t flops;              /* 0 for passes over memory */
} isc_operation_info;

/* Forward's operations, then backward's; isc_plan_forward and isc_plan_backward run them in this order. */
int32_t isc_plan_operations(const isc_plan *plan);
void isc_plan_operation(const isc_plan *plan, int32_t index, isc_operation_info *info);
iscp_status isc_plan_run(isc_plan *plan, int32_t index);

/* ---- Training (training/) ---- */

typedef struct isc_training isc_training;

/* Copies the network's parameters as float32 and takes all memory of a step on `batch` images; `attacked`: also of
 * isc_training_backward_src. Batch norm takes its statistics from the batch: ISCP_ERROR_ARGUMENT where a channel would have a
 * single number. */
iscp_status isc_training_create(isc_training **out, const isc_network *network, int32_t batch, int32_t height,
                                int32_t width, bool attacked);
void isc_training_destroy(isc_training *training); /* takes NULL */

int32_t isc_training_batch(const isc_training *training);
size_t isc_training_memory(const isc_training *training); /* bytes held */

/* N x channels x height x width, normalised; the caller writes it, forward reads it. */
float *isc_training_src(isc_training *training);

/* src -> logits, and the running statistics a tenth of the way to the batch's. */
iscp_status isc_training_forward(isc_training *training);
const float *isc_training_logits(const isc_training *training); /* N x classes */

/* diff_logits (N x classes, written by the caller) -> the gradient of every parameter, of the last forward: written anew, or
 * with `add` added to what there is. */
float *isc_training_diff_logits(isc_training *training);
iscp_status isc_training_backward(isc_training *training, bool add);

/* The network as it would be in use with the parameters of now, for attacks on it: src -> logits with the running statistics, and
 * diff_logits -> diff_src of the normalised images. No parameter, statistic or gradient changes; the activations of a forward
 * pass before are gone. */
iscp_status isc_training_predict(isc_training *training);
iscp_status isc_training_backward_src(isc_training *training);
const float *isc_training_diff_src(const isc_training *training); /* N x channels x height x width */

/* A parameter and its gradient, in an order of the backend's: numbers that pad it are zero in both. */
typedef struct isc_parameter {
  char name[64]; /* of its tensor: "layer1.0.conv2.weight" */
  float *numbers;
  float *gradient; /* NULL: a running statistic */
  int64_t count;
  int32_t dims;
  int64_t shape[4]; /* of the tensor */
} isc_parameter;

int32_t isc_training_parameters(const isc_training *training);
void isc_training_parameter(isc_parameter *parameter, const isc_training *training, int32_t index);

/* Between the order of parameter `index` (`count` numbers: the parameter's, its gradient's, a momentum's) and the tensor's. */
iscp_status isc_training_pack(isc_training *training, int32_t index, float *own, const float *plain);
iscp_status isc_training_unpack(isc_training *training, int32_t index, float *plain, const float *own);

/* All parameters as tensors, float32, torchvision's names: what isc_network_create takes. `tensors` is empty before, and on
 * failure again. */
iscp_status isc_training_tensors(isc_tensor_set *tensors, isc_training *training);

/* ---- Loss (ops/loss.c) ---- */

/* -log softmax(logits)[target] of one row of `classes` logits; diff_logits (may be NULL) = softmax(logits) - onehot(target). */
double isc_cross_entropy(float *diff_logits, const float *logits, int32_t classes, int32_t target);

/* Index of the largest of `classes` logits, the lowest of equal ones. */
int32_t isc_argmax(const float *logits, int32_t classes);

#endif
