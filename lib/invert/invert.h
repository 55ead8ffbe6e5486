/* The inside of an inversion, for lib/invert only.
 *
 *   invert.c (options, memory) -> step.c (a batch: goals, steps, bytes) -> goal.c (what a picture is brought to, by kind) */
#ifndef ISC_INVERT_H
#define ISC_INVERT_H

#include <iscp/invert.h>

#include "attack/attack.h"

/* One image of the batch. */
typedef struct isc_inverted_row {
  int64_t index, start;
  int32_t label, predicted;
  double start_distance, distance, stored_distance;
  double length; /* of features: |f(t)|, 1 if that is 0 */
} isc_inverted_row;

struct iscp_inversion {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_session *session;
  iscp_invert_options options; /* in force */
  isc_ball ball;
  int64_t numbers; /* of an image */
  int32_t goals;   /* numbers of a goal: features, or an image for an attack */
  int64_t place;   /* of the batch's first image, counted from options.first */
  int32_t rows;    /* of the batch */
  int32_t step;    /* steps done on it */
  bool begun, ready; /* ready: all steps are done, and the results are there */
  float *images;     /* batch x numbers: x */
  float *goal;       /* batch x goals: f(t), or t */
  uint8_t *stored;   /* batch x numbers, channels last */
  isc_inverted_row *row;
  double sums[3]; /* of the distances, in the order of isc_inverted_row, over `done` images */
  int64_t done, taken;
};

static inline bool isc_inversion_attacks(const iscp_inversion *v) { return v->options.kind != ISCP_INVERT_FEATURES; }

/* Brings the batch to the end, the next one if that is reached. Within the session. */
iscp_status isc_inversion_run(iscp_inversion *inversion, iscp_progress_fn progress, void *user);

/* ---- What a picture is brought to (goal.c) ---- */

/* Of image row->index: the label, and the image to begin from. */
void isc_inversion_draw(const iscp_inversion *inversion, isc_inverted_row *row);

/* After a forward pass on x = t: takes the row's goal from it. */
void isc_inversion_aim(iscp_inversion *inversion, int32_t row);

/* After a forward pass on x: how far it is, and where backward begins, the gradient. */
double isc_inversion_distance(const iscp_inversion *inversion, int32_t row, const float *x);
void isc_inversion_differ(iscp_inversion *inversion, int32_t row);
void isc_inversion_differ_not(iscp_inversion *inversion, int32_t row); /* of a row without an image */

/* x goes a step. */
void isc_inversion_move(iscp_inversion *inversion, int32_t row);

#endif
