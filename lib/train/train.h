/* Face of lib/train: how weights move, and the trainer. */
#ifndef ISC_TRAIN_H
#define ISC_TRAIN_H

#include <iscp/train.h>

#include "attack/attack.h"

/* ---- Schedule (schedule.c): the learning rate of each step, as PyTorch's schedulers have it ---- */

typedef struct isc_schedule {
  int32_t kind;   /* ISCP_SCHEDULE_* */
  double rate;    /* the highest */
  int64_t steps;  /* of the whole training */
  int64_t period; /* of STEP */
  double factor;  /* of STEP */
  double rise;    /* of ONE_CYCLE, a share of all steps in (0, 1) */
} isc_schedule;

double isc_schedule_rate(const isc_schedule *schedule, int64_t step); /* of step 0, 1 ... steps - 1 */

/* ---- Stochastic gradient descent with momentum (sgd.c) ---- */

typedef struct isc_sgd isc_sgd;

typedef struct isc_sgd_form {
  float momentum, weight_decay;
  bool nesterov;
  bool decay_all; /* weight decay of batch norms and biases too */
} isc_sgd_form;

/* Momenta of all trained parameters, zeros at first. The training must outlive it. */
iscp_status isc_sgd_create(isc_sgd **out, const iscp_context *context, isc_training *training, const isc_sgd_form *form);
void isc_sgd_destroy(isc_sgd *sgd); /* takes NULL */
size_t isc_sgd_memory(const isc_sgd *sgd);

/* Moves every trained parameter against its gradient. ISCP_ERROR_ARGUMENT names the first one that is no longer finite. */
iscp_status isc_sgd_step(isc_sgd *sgd, float rate);

/* The momentum of parameter `index`, in its order; NULL of a running statistic. */
float *isc_sgd_momentum(const isc_sgd *sgd, int32_t index);

/* ---- Options (options.c) ---- */

iscp_status isc_train_options_check(iscp_train_options *options, const iscp_train_options *given);

/* ---- Images (augment.c) ---- */

/* What is done to image `index` in an epoch, by (seed, epoch, index) alone. */
typedef struct isc_augment {
  uint64_t seed;
  int32_t epoch, shift;
  bool flip;
} isc_augment;

/* dst = the image moved and mirrored; black comes in. Both are C x H x W of the contract, and dst is normalised if `normal`. */
void isc_augment_image(float *dst, const float *image, const isc_augment *augment, int64_t index,
                       const iscp_contract *contract, bool normal);

#endif
