/* The inside of an inversion, for invert.c and invert_step.c only. */
#ifndef ISC_TRAIN_INVERT_H
#define ISC_TRAIN_INVERT_H

#include <iscp/invert.h>

#include "model/model.h"

/* One image of the batch: what is told about it, and |f(t)|. */
typedef struct isc_inverted_row {
  int64_t index, start;
  double start_distance, distance, stored_distance; /* divided by `length` */
  double length;                                    /* 1 if |f(t)| is 0 */
} isc_inverted_row;

struct iscp_inversion {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_session *session;
  iscp_invert_options options; /* in force */
  int64_t numbers;             /* of an image */
  int32_t features;
  int64_t place; /* of the batch's first image, counted from options.first */
  int32_t rows;  /* of the batch */
  int32_t step;  /* steps done on it */
  bool begun, ready; /* ready: all steps are done, and the results are there */
  float *images;     /* batch x numbers: x */
  float *wanted;     /* batch x features: f(t) */
  uint8_t *stored;   /* batch x numbers, channels last */
  isc_inverted_row *row;
  double sums[3]; /* of the distances, in the order of isc_inverted_row, over `done` images */
  int64_t done;
};

/* Brings the batch to the end, the next one if that is reached. Within the session. */
iscp_status isc_inversion_run(iscp_inversion *inversion, iscp_progress_fn progress, void *user);

#endif
