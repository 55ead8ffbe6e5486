/* Face of lib/evaluate: what a model says of clean images and of images with a pattern. Does not know who found the pattern. */
#ifndef ISC_EVALUATE_H
#define ISC_EVALUATE_H

#include <iscp/evaluate.h>

#include "model/model.h"

/* Work that is counted in images over several passes, told to the caller's progress function. */
typedef struct isc_meter {
  isc_progress progress;
  int64_t done;
} isc_meter;

/* Images that were run clean: the predicted class (-1 if not run) and its logit, one entry an image of the dataset. */
typedef struct isc_clean {
  int32_t *predicted;
  float *logit;
} isc_clean;

/* Writes rows 0 .. rows-1 of the session's batch: the images, with the pattern (NULL = none), normalised. */
iscp_status isc_fill_rows(iscp_session *session, const iscp_model *model, const iscp_dataset *dataset,
                          const int64_t *indices, int32_t rows, const iscp_pattern *pattern);

/* Runs the images that `used` marks (NULL = all) through an entered session, those of them that an earlier call did not come to.
 * `clean` is zeroed before the first call; what is done stays in it, whatever the outcome. */
iscp_status isc_clean_run(isc_clean *clean, iscp_session *session, const iscp_model *model, const iscp_dataset *dataset,
                          const uint8_t *used, isc_meter *meter);
void isc_clean_release(isc_clean *clean, const iscp_context *context);

/* Power of a pattern over the images that `used` marks, by an entered session; clean results cover at least those. */
iscp_status isc_power_run(iscp_power *power, iscp_session *session, const iscp_model *model, const iscp_dataset *dataset,
                          const uint8_t *used, const isc_clean *clean, const iscp_pattern *pattern, isc_meter *meter);

/* Images of other classes than `target` that `used` marks. */
int64_t isc_count_nontarget(const iscp_dataset *dataset, const uint8_t *used, int32_t target);

/* The least accuracy that is clearly better than guessing: 1 / classes + 0.15 (1 - 1 / classes). */
double isc_plausible_accuracy(int32_t classes);

/* 95 % Wilson interval of hits / count; [0, 1] if count is 0. */
void isc_wilson(double *low, double *high, int64_t hits, int64_t count);

#endif
