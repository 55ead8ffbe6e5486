/* The inside of a check, for lib/check and its tests only: the mistakes that it tries.
 *
 *   check.c (a clean run, figures of each class) -> causes.c (which mistakes) -> trial.c (one of them, run over a sample)
 *                                                            \--> labels.c, pairs.c (labels in another order) */
#ifndef ISC_CHECK_H
#define ISC_CHECK_H

#include <iscp/check.h>

#include "evaluate/evaluate.h"

/* One set of assumptions about the input, and how the model does with it. */
enum { ISC_TRIAL_TEXT = 240 };
typedef struct isc_trial {
  int32_t kind; /* ISCP_CAUSE_* */
  char text[ISC_TRIAL_TEXT];
  iscp_contract contract;
  bool inverted, turned; /* 1 - x; rows and columns exchanged */
  int64_t images, correct;
  int64_t base_images, base_correct; /* those of the trial that this one was tried upon */
  double chance;      /* share that would be right if answers and labels, each as frequent as they are, had nothing in common */
  int32_t *predicted; /* a class an image of the sample */
  int32_t *labels;    /* ISCP_CAUSE_LABELS: a class a label; else NULL */
} isc_trial;

/* Who runs trials, and the images that all of them see. */
typedef struct isc_trials {
  iscp_session *session; /* entered */
  const iscp_model *model;
  const iscp_dataset *dataset;
  int64_t *sample; /* indices, rising */
  int64_t count;
  const int32_t *clean; /* the model's answer to each image of the dataset, the input as given */
  float mean[3], std[3]; /* of the sample's pixels, R, G, B in [0,1], once the first trial was run */
  isc_meter *meter;
} isc_trials;

/* trial.c: fills `correct`, `images` and `predicted`. *fits is false, with ISCP_OK, if the pictures cannot be brought into the
 * trial's form. */
iscp_status isc_trial_run(isc_trials *trials, isc_trial *trial, bool *fits);
void isc_trial_release(isc_trial *trial, const iscp_context *context);

/* causes.c. Whether a's share of right answers is above b's beyond doubt: their 95 % intervals do not meet. */
bool isc_trial_is_beyond(const isc_trial *a, const isc_trial *b);
bool isc_trial_adds(const isc_trial *a); /* the same against the one it was tried upon */

/* Whether a's answers have to do with the labels: of 9 images in 10 of one class, a model that always answers that class is right
 * on as many and knows nothing. */
bool isc_trial_tells(const isc_trial *a);

/* `counts` has the images of each label, then those of each answer. */
double isc_trial_chance(const int64_t *counts, int32_t classes, int64_t images);

/* The input as given, then what may be wrong with it. *list of *count trials is the caller's, whatever the outcome;
 * the first is the input as given, the others the best first. */
iscp_status isc_causes_find(isc_trial **list, int32_t *count, isc_trials *trials);

/* Images of the runs that isc_causes_find may do. */
int64_t isc_causes_total(const isc_trials *trials);

/* labels.c: the order of the classes that explains `count` predictions best: to each label a class of its own. `labels` has
 * `classes` entries; true if it is another than 0, 1, 2 .... */
iscp_status isc_labels_match(int32_t *labels, bool *other, const iscp_context *context, const int32_t *given,
                             const int32_t *predicted, int64_t count, int32_t classes);

#endif
