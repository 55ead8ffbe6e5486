/* Predictive power of a pattern (Section 4 of the paper):
 *   PW = ASR / accuracy
 * ASR: share of nontarget images predicted as the target class once the pattern is attached; accuracy: the clean
 * accuracy on target-class images. PW may exceed 1 and is not monotone in the pattern's size. */
#ifndef ISCP_EVALUATE_H
#define ISCP_EVALUATE_H

#include <iscp/dataset.h>
#include <iscp/model.h>
#include <iscp/pattern.h>
#include <iscp/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_evaluation iscp_evaluation;

/* Which images of the dataset are used. The searched part is drawn by `fraction` and `seed`, per class. */
enum {
  ISCP_IMAGES_HELDOUT = 1,  /* those not in the searched part (D_test \ D_n): the honest figure */
  ISCP_IMAGES_ALL = 2,      /* all images (the paper's tables) */
  ISCP_IMAGES_SEARCHED = 3  /* only the searched part (D_n): what a search selects by */
};

typedef struct iscp_evaluate_options {
  uint32_t struct_size; /* sizeof(iscp_evaluate_options), set by iscp_evaluate_options_init */
  int32_t images;       /* ISCP_IMAGES_*; default ISCP_IMAGES_HELDOUT */
  double fraction;      /* share of each class that a search was run on, (0, 1]; default 0.2 */
  uint64_t seed;        /* the search's seed; default 0 */
  int32_t batch;        /* images a batch, 1 to 4096, 0 = by size, threads and memory; default 0 */
  int32_t reserved;     /* 0 */
} iscp_evaluate_options;

/* The power of one pattern. Intervals are 95 % Wilson intervals. Later versions may append fields. */
typedef struct iscp_power {
  uint32_t struct_size;      /* sizeof(iscp_power), set by the caller before iscp_evaluation_power */
  int32_t target;            /* the pattern's class */
  int64_t nontarget;         /* images of other classes that the pattern was put on */
  int64_t nontarget_hits;    /* of these, predicted as the target with the pattern */
  int64_t nontarget_clean;   /* of these, predicted as the target without it */
  int64_t target_images;     /* clean images of the target class */
  int64_t target_correct;    /* of these, predicted correctly */
  double asr;                /* nontarget_hits / nontarget */
  double asr_low, asr_high;  /* interval of asr */
  double accuracy;           /* target_correct / target_images */
  double accuracy_low, accuracy_high; /* interval of accuracy */
  double pw;                 /* asr / accuracy; NaN if the accuracy is 0 */
} iscp_power;

ISCP_API iscp_status iscp_evaluate_options_init(iscp_evaluate_options *options, uint32_t struct_size);

/* Prepares to judge patterns of a model on a dataset: draws the images and runs them once, clean. The evaluation keeps
 * model and dataset alive. `options` may be NULL. On success the caller owns *out; on failure *out is NULL. One thread
 * at a time. Since 0.1. */
ISCP_API iscp_status iscp_evaluation_create(iscp_evaluation **out, const iscp_model *model, const iscp_dataset *dataset,
                                            const iscp_evaluate_options *options, iscp_progress_fn progress, void *user);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_evaluation_destroy(iscp_evaluation *evaluation);

/* Clean accuracy over the images used, all classes, and their number. Each output may be NULL. Since 0.1. */
ISCP_API iscp_status iscp_evaluation_accuracy(const iscp_evaluation *evaluation, double *accuracy, int64_t *images);

/* Measures the power of `pattern`: one pass over the nontarget images. `power->struct_size` is set by the caller.
 * Since 0.1. */
ISCP_API iscp_status iscp_evaluation_power(iscp_evaluation *evaluation, const iscp_pattern *pattern, iscp_power *power,
                                           iscp_progress_fn progress, void *user);

/* Measures `count` patterns one after the other, with one progress for all. `powers[i].struct_size` is set by the caller
 * for each i. On failure, also when cancelled, the powers of the patterns that were done are there and the others are
 * untouched. Since 0.1. */
ISCP_API iscp_status iscp_evaluation_powers(iscp_evaluation *evaluation, const iscp_pattern *const *patterns,
                                            int32_t count, iscp_power *powers, iscp_progress_fn progress, void *user);

/* Transfer rates between `models` models (Figure 8 of the paper): powers[s * models + t] is the PW, or a mean of PW, of
 * what was searched on model s and measured on model t, and
 *   rates[s * models + t] = powers[s * models + s] / powers[s * models + t]
 * the power on the source over that on the target: 1 on the diagonal, near 1 or below for patterns that transfer, large
 * for those that do not, and NaN where the target's power is 0. The arrays may be the same. Since 0.1. */
ISCP_API iscp_status iscp_transfer_rates(double *rates, const double *powers, int32_t models);

/* Mean (mPW) and population standard deviation (STD) of `count` values; NaN values make both NaN. Since 0.1. */
ISCP_API iscp_status iscp_mean_std(const double *values, int64_t count, double *mean, double *std);

#ifdef __cplusplus
}
#endif
#endif
