/* The inside of a universal adversarial perturbation, for lib/attack only.
 *
 *   options -> images of other classes -> steps (uap_sgd.c, uap_deepfool.c) until the last epoch -> a count of
 *   the fooled */
#ifndef ISC_ATTACK_UAP_H
#define ISC_ATTACK_UAP_H

#include <iscp/explain.h>

#include "evaluate/evaluate.h"

typedef enum isc_uap_phase { ISC_UAP_CRAFTING, ISC_UAP_COUNTING, ISC_UAP_FINISHED } isc_uap_phase;

struct iscp_uap {
  iscp_uap_options options; /* in force */
  iscp_model *model;
  iscp_dataset *dataset;
  iscp_context *context;
  int32_t class_index, pass; /* images of one pass of the network */
  int64_t pixels, numbers;   /* of one image */
  iscp_session *session;
  float *v;          /* numbers */
  int32_t *evidence; /* numbers: the sum of the steps' signs */
  float *images;     /* pass images as they are */
  double *gradient;  /* numbers; sgd only */
  float *r;          /* batch x numbers; deepfool only */

  uint8_t *used;
  int64_t *order; /* the images, in the order of the current epoch */
  int64_t count, position;
  bool ordered; /* `order` is the current epoch's */
  int64_t *pending; /* deepfool: batch images that are not yet fooled, found from `position` on */
  uint8_t *solved;  /* deepfool: of these, those whose r leads to the class */
  int32_t pending_count;
  int32_t first, inner; /* deepfool: those of a pass from `first` on are being solved, `inner` steps so far */

  isc_uap_phase phase;
  int32_t epoch;
  int64_t steps, fooled;
  int64_t heard; /* sgd: images below the clamp so far, one each time */
  int64_t done, total; /* images through the network, told as progress */
};

/* uap_options.c */
iscp_status isc_uap_options_check(iscp_uap_options *options, const iscp_uap_options *given);

/* A minibatch, or a part of one. One that fails changes nothing and can be taken again. */
iscp_status isc_uap_sgd_step(iscp_uap *uap, isc_meter *meter);
iscp_status isc_uap_deepfool_step(iscp_uap *uap, isc_meter *meter);

/* uap_rows.c: the images, and rows 0 .. rows - 1 of the session: clip(x + v + factor * r), normalised; `r` is rows x numbers,
 * or NULL. */
iscp_status isc_uap_fetch(iscp_uap *uap, const int64_t *indices, int32_t rows);
void isc_uap_place(iscp_uap *uap, int32_t rows, const float *r, float factor);
bool isc_uap_is_fooled(const iscp_uap *uap, int32_t row); /* after a forward pass */

/* v <- clip(v + change) for one number, and its evidence. */
void isc_uap_move(iscp_uap *uap, int64_t number, float change);

#endif
