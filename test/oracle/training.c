/* Steps of training, for PyTorch to be held against:
 *
 *   training BACKEND MODEL IMAGES LABELS OUT                                     the gradients of one step
 *   training BACKEND MODEL IMAGES LABELS OUT SCHEDULE NESTEROV DECAY ALL STEPS   the parameters after STEPS steps
 *   training BACKEND MODEL IMAGES LABELS OUT attack                              the network as it is after a step, in use
 *
 * MODEL: a checkpoint; IMAGES: N x C x H x W float32, normalised, LABELS: N int64, both .npy. OUT, a .safetensors, holds by
 * each parameter's name the gradient of the mean cross-entropy or the parameter, and each running statistic afterwards. Steps
 * take the same images again and again, with a highest learning rate of 0.02 and a momentum of 0.9. For `attack` OUT holds the
 * parameters and statistics after a forward pass of training, and "logits" and "diff_src", the gradient of the summed
 * cross-entropy at the images, of the network that has them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/format.h"
#include "train/train.h"

static void must(iscp_status status) {
  if (status == ISCP_OK)
    return;
  fprintf(stderr, "%s\n", iscp_error_message());
  exit(1);
}

/* Names as they are in the file; gradients in place of weights if they are asked for. */
static void add_result(isc_tensor_set *results, const iscp_context *context, isc_training *t, int32_t index, bool gradient) {
  isc_parameter p;
  isc_tensor tensor = {0};
  isc_training_parameter(&p, t, index);
  must(isc_tensor_create(&tensor, context, ISC_F32, p.dims, p.shape));
  tensor.name = isc_strdup(context, p.name);
  must(isc_training_unpack(t, index, tensor.data, gradient && p.gradient ? p.gradient : p.numbers));
  must(isc_tensor_set_add(results, context, &tensor));
}

static void step(isc_training *t, const isc_network *network, const isc_tensor *images, const isc_tensor *labels) {
  int32_t batch = isc_training_batch(t), classes = isc_network_architecture(network)->classes;
  const int64_t *targets = labels->data;
  float *diff = isc_training_diff_logits(t);
  memcpy(isc_training_src(t), images->data, isc_tensor_bytes(images));
  must(isc_training_forward(t));
  for (int32_t n = 0; n < batch; n++)
    isc_cross_entropy(diff + n * classes, isc_training_logits(t) + n * classes, classes, (int32_t)targets[n]);
  for (int32_t i = 0; i < batch * classes; i++)
    diff[i] /= (float)batch;
  must(isc_training_backward(t, false));
}

static void train(isc_training *t, const isc_network *network, const isc_tensor *images, const isc_tensor *labels, char **words) {
  isc_sgd *sgd;
  const isc_sgd_form form = {.momentum = 0.9f, .nesterov = atoi(words[1]), .weight_decay = (float)atof(words[2]),
                             .decay_all = atoi(words[3])};
  const isc_schedule schedule = {.kind = atoi(words[0]), .rate = 0.02, .steps = atoi(words[4]), .period = 7,
                                 .factor = 0.3, .rise = 0.3};
  must(isc_sgd_create(&sgd, isc_network_context(network), t, &form));
  for (int64_t i = 0; i < schedule.steps; i++) {
    step(t, network, images, labels);
    must(isc_sgd_step(sgd, (float)isc_schedule_rate(&schedule, i)));
  }
  isc_sgd_destroy(sgd);
}

static void add_numbers(isc_tensor_set *results, const iscp_context *context, const char *name, const float *numbers,
                        int32_t dims, const int64_t *shape) {
  isc_tensor tensor = {0};
  must(isc_tensor_create(&tensor, context, ISC_F32, dims, shape));
  memcpy(tensor.data, numbers, isc_tensor_bytes(&tensor));
  tensor.name = isc_strdup(context, name);
  must(isc_tensor_set_add(results, context, &tensor));
}

static void attack(isc_tensor_set *results, isc_training *t, const isc_network *network, const isc_tensor *images,
                   const isc_tensor *labels) {
  int32_t batch = isc_training_batch(t), classes = isc_network_architecture(network)->classes;
  const iscp_context *context = isc_network_context(network);
  const int64_t *targets = labels->data;
  step(t, network, images, labels);
  must(isc_training_predict(t));
  for (int32_t n = 0; n < batch; n++)
    isc_cross_entropy(isc_training_diff_logits(t) + n * classes, isc_training_logits(t) + n * classes, classes,
                      (int32_t)targets[n]);
  must(isc_training_backward_src(t));
  add_numbers(results, context, "logits", isc_training_logits(t), 2, (const int64_t[]){batch, classes});
  add_numbers(results, context, "diff_src", isc_training_diff_src(t), 4, images->shape);
}

int main(int count, char **words) {
  iscp_context *context;
  iscp_context_options options;
  isc_tensor_set tensors = {0}, results = {0};
  isc_tensor images = {0}, labels = {0};
  isc_network *network;
  isc_training *training;
  isc_compute compute;
  if (count != 6 && count != 7 && count != 11)
    return 2;
  must(iscp_context_options_init(&options, sizeof options));
  options.backend = !strcmp(words[1], "blas") ? ISCP_BACKEND_BLAS : ISCP_BACKEND_AUTO;
  must(iscp_context_create(&context, &options));
  must(isc_read_tensors(&tensors, context, words[2]));
  must(isc_read_array(&images, context, words[3]));
  must(isc_read_array(&labels, context, words[4]));
  must(isc_network_create(&network, context, &tensors));
  must(isc_compute_enter(context, &compute));
  must(isc_training_create(&training, network, (int32_t)images.shape[0], (int32_t)images.shape[2], (int32_t)images.shape[3],
                           count == 7));
  if (count == 6)
    step(training, network, &images, &labels);
  else if (count == 7)
    attack(&results, training, network, &images, &labels);
  else
    train(training, network, &images, &labels, words + 6);
  for (int32_t i = 0; i < isc_training_parameters(training); i++)
    add_result(&results, context, training, i, count == 6);
  must(isc_write_safetensors(&results, context, words[5]));
  isc_compute_leave(&compute);
  isc_training_destroy(training);
  isc_network_drop(network);
  isc_tensor_set_release(&results, context);
  isc_tensor_release(&images, context);
  isc_tensor_release(&labels, context);
  iscp_context_destroy(context);
  return 0;
}
