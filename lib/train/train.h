/* Face of lib/train: how weights move. */
#ifndef ISC_TRAIN_H
#define ISC_TRAIN_H

#include "nn/nn.h"

/* ---- Schedule (schedule.c): the learning rate of each step, as PyTorch's schedulers have it ---- */

typedef enum isc_schedule_kind {
  ISC_SCHEDULE_CONSTANT = 1,
  ISC_SCHEDULE_STEP,     /* StepLR: times `factor` after every `period` steps */
  ISC_SCHEDULE_COSINE,   /* CosineAnnealingLR down to 0 at the last step's end */
  ISC_SCHEDULE_ONE_CYCLE /* OneCycleLR: up from a 25th over the first `rise` of all steps, then down to a 250,000th */
} isc_schedule_kind;

typedef struct isc_schedule {
  isc_schedule_kind kind;
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

#endif
