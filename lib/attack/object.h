/* The inside of an attack, for attack.c and accuracy.c only. */
#ifndef ISC_ATTACK_OBJECT_H
#define ISC_ATTACK_OBJECT_H

#include "attack/attack.h"

struct iscp_attack {
  iscp_attack_options options; /* in force */
  iscp_model *model;
  iscp_session *session;
  isc_ball ball;
  int64_t numbers; /* of one image */
};

/* Row `row` of the session's batch = x, normalised. */
void isc_attack_place(iscp_attack *attack, int32_t row, const float *x);

/* After a backward pass: x, around the image `clean`, moves by the gradient of the row. */
void isc_attack_move(float *x, const float *clean, const iscp_attack *attack, int32_t row);

#endif
