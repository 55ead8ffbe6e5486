/* Rival explanations of what a model has learned for a class (Section 5 of the paper).
 *
 * Each gives patterns, which are judged like any other (evaluate.h). */
#ifndef ISCP_EXPLAIN_H
#define ISCP_EXPLAIN_H

#include <iscp/dataset.h>
#include <iscp/model.h>
#include <iscp/pattern.h>
#include <iscp/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Universal adversarial perturbations, targeted at a class ----
 *
 * One perturbation v, |v| <= eps at every pixel, that makes the model say class y of any image: it is crafted on the images
 * of other classes, those of y itself are left out. Wherever it is put on an image, x' = clip(x + v, 0, 1).
 *
 *   iscp_uap_create -> iscp_uap_run -> iscp_uap_pattern
 *
 * A perturbation under way serves one thread at a time and keeps model and dataset alive. */

typedef struct iscp_uap iscp_uap;

/* How a perturbation is crafted, over minibatches of the images in a seeded order. */
enum {
  ISCP_UAP_SGD = 1, /* v <- clip(v - step * sign(sum of d loss / dv), -eps, eps): loss is the cross-entropy towards y of
                       x', an image whose loss is above `loss_clamp` or whose x' is cut off at a pixel gives no gradient
                       there */
  ISCP_UAP_DEEPFOOL = 2 /* v <- clip(v + r, -eps, eps), r of DeepFool towards y, for images that are not yet taken for y;
                           stops at the end of the epoch that reaches `stop` */
};

typedef struct iscp_uap_options {
  uint32_t struct_size; /* sizeof(iscp_uap_options), set by iscp_uap_options_init */
  int32_t method;       /* ISCP_UAP_*; default ISCP_UAP_SGD */
  double eps;           /* bound of |v|, in [0,1] pixels, (0, 1]; default 8/255 */
  double step;          /* sgd: change of v a step, (0, 2]; 0 = 0.8 eps; default 0 */
  double fraction;      /* share of each class of the dataset that v is crafted on, (0, 1], drawn by `seed` as a search's
                           D_n is; default 1, the paper's */
  uint64_t seed;        /* of the draw and of the order; default 0 */
  int32_t epochs;       /* passes over the images, at most, 1 to 1000; 0 = 10; default 0 */
  int32_t batch;        /* images a step, 1 to 4096; 0 = 512 for sgd, 1 for deepfool; default 0. A batch of deepfool starts
                           from the same v, and its r are added one after the other: 1 is the published algorithm, and
                           more are no faster where v fools more with each image */
  double loss_clamp;    /* sgd: see above, above 0; default 12 */
  double overshoot;     /* deepfool: r is made longer by this share, 0 to 1; default 0.02 */
  int32_t inner_steps;  /* deepfool: steps an image, at most; an image that needs more adds nothing, 1 to 1000; default 50 */
  int32_t reserved;     /* 0 */
  double stop;          /* deepfool: share of the images taken for y that is enough, (0, 1]; default 0.8 */
} iscp_uap_options;

ISCP_API iscp_status iscp_uap_options_init(iscp_uap_options *options, uint32_t struct_size);

/* Prepares a perturbation towards `class_index`. `options` may be NULL. Every argument is checked here: a class out of range
 * (ISCP_ERROR_ARGUMENT), a dataset whose contract is not the model's (ISCP_ERROR_MISMATCH), one without images of other
 * classes (ISCP_ERROR_ARGUMENT); ISCP_ERROR_MEMORY if not even one image a pass fits the context's memory. On success the
 * caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_uap_create(iscp_uap **out, const iscp_model *model, const iscp_dataset *dataset,
                                     int32_t class_index, const iscp_uap_options *options);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_uap_destroy(iscp_uap *uap);

/* Crafts it to the end, then counts the images that are taken for the class. After ISCP_ERROR_CANCELLED a further call goes
 * on where it stopped, to the same result. One that is finished does nothing. Since 0.1. */
ISCP_API iscp_status iscp_uap_run(iscp_uap *uap, iscp_progress_fn progress, void *user);

/* The options in force: defaults filled in, `step`, `epochs` and `batch` as chosen. options->struct_size is the caller's.
 * Since 0.1. */
ISCP_API iscp_status iscp_uap_get_options(const iscp_uap *uap, iscp_uap_options *options);

/* How far it is, and what it does on the images that it was crafted on. Later versions may append fields. */
typedef struct iscp_uap_info {
  uint32_t struct_size; /* sizeof(iscp_uap_info), set by the caller before iscp_uap_get_info */
  int32_t class_index;  /* the class that it makes the model say */
  int32_t finished;     /* 1 once it is crafted and counted, else 0 */
  int32_t epochs;       /* passes over the images so far */
  int64_t steps;        /* changes of v so far */
  int64_t images;       /* images that it is crafted on: none of the class itself */
  int64_t fooled;       /* of these, taken for the class with v; 0 until it is finished */
  double asr;           /* fooled / images */
  double asr_low, asr_high; /* 95 % Wilson interval of asr */
} iscp_uap_info;

/* Fills `info`, whose struct_size the caller has set. Since 0.1. */
ISCP_API iscp_status iscp_uap_get_info(const iscp_uap *uap, iscp_uap_info *info);

/* v so far, channels x height x width. It lives as long as the perturbation; NULL for NULL. Since 0.1. */
ISCP_API const float *iscp_uap_perturbation(const iscp_uap *uap);

/* The perturbation as an added pattern: all of it (`size` 1), or its share `size` of the image's pixels, (0, 1], those of the
 * largest sum of |v| over the channels; of equal ones, where the steps agreed most (the sum over the channels of |sum of
 * their signs|), then of the lower index. ISCP_ERROR_ARGUMENT if v is zero throughout. On success the caller owns *out; on
 * failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_uap_pattern(iscp_pattern **out, const iscp_uap *uap, double size);

#ifdef __cplusplus
}
#endif
#endif
