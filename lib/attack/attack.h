/* Face of lib/attack: what an image may become, and the steps of an attack, for those who train against it or invert by it. */
#ifndef ISC_ATTACK_H
#define ISC_ATTACK_H

#include <iscp/attack.h>

#include "model/model.h"

/* ---- Options (attack.c) ---- */

/* The range of every field; eps and step as chosen. */
iscp_status isc_attack_options_check(iscp_attack_options *options, const iscp_attack_options *given);

/* ---- Steps on one image (ball.c) ---- */

/* What may become of an image. */
typedef struct isc_ball {
  int32_t norm, channels; /* ISCP_NORM_* */
  int64_t pixels;         /* of a channel */
  float eps, step;        /* in pixel units; the step is negative towards a label */
  float std[3];           /* from the network's units to pixels */
  uint64_t seed;
} isc_ball;

isc_ball isc_ball_make(const iscp_attack_options *options, const iscp_contract *contract);

/* x = a random place near `clean`, named by the ball's seed, the epoch and the index. */
void isc_ball_start(float *x, const float *clean, const isc_ball *ball, int32_t epoch, int64_t index);

/* x goes a step along `gradient`, which is of the normalised image, and back into the ball around `clean`. */
void isc_ball_step(float *x, const float *clean, const float *gradient, const isc_ball *ball);

/* The gradient of the cross-entropy at the logits, up to a factor above 0: -1 at the label, 1 in sum at the other classes. */
void isc_attack_diff_logits(float *diff, const float *logits, int32_t classes, int32_t label);

#endif
