/* The inside of a trainer, for trainer.c, adversary.c and state.c only. */
#ifndef ISC_TRAIN_TRAINER_H
#define ISC_TRAIN_TRAINER_H

#include <stdatomic.h>

#include "train/train.h"

struct iscp_trainer {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_train_options options;
  isc_training *training;
  isc_sgd *sgd;
  isc_schedule schedule;
  int64_t epoch_steps, step;
  int64_t *order; /* of the images in epoch order_epoch, which is -1 at first */
  int32_t order_epoch;
  float *images;    /* of a batch, before they are moved; under attack what becomes of them */
  float *clean;     /* of an adversarial training: the images, moved */
  isc_ball ball;    /* likewise */
  double loss;      /* summed over the images of the epoch that the last step belongs to */
  int64_t correct;  /* of them */
  double started;   /* when iscp_trainer_epoch was called last */
  int64_t seen;     /* images since then */
  double rate_seen; /* images a second then */
  bool broken;      /* the loss or a weight is no number */
  atomic_flag busy;
};

/* Claims the trainer for the calling thread and enters the context; isc_trainer_leave gives both back. */
iscp_status isc_trainer_enter(iscp_trainer *trainer, isc_compute *compute);
void isc_trainer_leave(iscp_trainer *trainer, const isc_compute *compute);

/* adversary.c: src = the images of `clean` as an attack leaves them, normalised. */
iscp_status isc_trainer_attack(iscp_trainer *trainer, const int64_t *indices, int32_t epoch);

#endif
