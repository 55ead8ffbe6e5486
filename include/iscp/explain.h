/* The rival explanations of the paper, made into patterns so that the same evaluation judges them. */
#ifndef ISCP_EXPLAIN_H
#define ISCP_EXPLAIN_H

#include <iscp/dataset.h>
#include <iscp/model.h>
#include <iscp/pattern.h>
#include <iscp/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Grad-CAM ---- */

/* Where a network looks when it gives a class its logit (Selvaraju et al., 2016; Appendix F of the paper):
 *
 *   w_k = mean over space of d logit_y / dA_k        map = relu( sum over k of w_k A_k )
 *
 * A are the activations that a stage ends in, after its last ReLU; the logit is the one before softmax. The map has the size
 * of A and is brought to the image's by bilinear interpolation with half-pixel centres. A Grad-CAM holds one image's
 * activations and serves one thread at a time. */
typedef struct iscp_gradcam iscp_gradcam;

typedef struct iscp_gradcam_options {
  uint32_t struct_size; /* sizeof(iscp_gradcam_options), set by iscp_gradcam_options_init */
  int32_t stage;        /* A are the output of layer<stage>, 1 to 4: later ones know the class, earlier ones the place; default 4 */
  int32_t reserved;     /* 0 */
} iscp_gradcam_options;

/* What a map is of. Later versions may append fields. */
typedef struct iscp_gradcam_info {
  uint32_t struct_size; /* sizeof(iscp_gradcam_info), set by the caller before the call */
  int32_t class_index;  /* the class whose logit was followed */
  int32_t predicted;    /* the class of the largest logit */
  int32_t height;       /* of A, before the map was brought to the image's size */
  int32_t width;
  int32_t reserved;     /* 0 */
  double logit;         /* of class_index */
  double maximum;       /* the map's largest value; 0 if nothing speaks for the class, and then the map is 0 everywhere */
} iscp_gradcam_info;

/* How attention moves when a pattern is put on an image. Later versions may append fields. */
typedef struct iscp_attention_shift {
  uint32_t struct_size;     /* sizeof(iscp_attention_shift), set by the caller before the call */
  int32_t target;           /* the pattern's class */
  int32_t predicted_before; /* the class of the image as it is; its map is `before` */
  int32_t predicted_after;  /* the class with the pattern on it; its map is `after` */
  double inside_before;     /* share of the map's sum on the pattern's pixels, without it; 0 if the map is 0 */
  double inside_after;      /* the same with the pattern on the image */
  double area;              /* the pattern's pixels as a share of all: what an even map would have inside */
} iscp_attention_shift;

ISCP_API iscp_status iscp_gradcam_options_init(iscp_gradcam_options *options, uint32_t struct_size);

/* Prepares to explain a model's answers; keeps the model alive. `options` may be NULL. Errors as of iscp_session_create, whose
 * gradient session needs more memory. On success the caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_gradcam_create(iscp_gradcam **out, const iscp_model *model, const iscp_gradcam_options *options);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_gradcam_destroy(iscp_gradcam *gradcam);

/* The map of one image: `map` is height x width float32, >= 0 and not scaled, the caller's; `image` is channels x height x
 * width in [0,1]. `class_index` is a class, or -1 for the one that the model predicts. `info` may be NULL.
 * ISCP_ERROR_ARGUMENT names a pixel beyond [0,1]. One thread at a time (ISCP_ERROR_BUSY otherwise). Since 0.1. */
ISCP_API iscp_status iscp_gradcam_map(float *map, iscp_gradcam_info *info, iscp_gradcam *gradcam, const float *image,
                                      int32_t class_index);

/* The pixels of `image` where its map is highest, as a pattern of the map's class. Ties by index, so that of a map of zeros
 * (iscp_gradcam_info: maximum) they are the first ones and tell nothing. `cut_kind` and `cut` as of iscp_pattern_create; for
 * ISCP_CUT_GAMMA the mask is map / maximum. On success the caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_gradcam_pattern(iscp_pattern **out, iscp_gradcam *gradcam, const float *image,
                                          int32_t class_index, int32_t cut_kind, double cut);

/* Maps of the predicted class without and with the pattern on the image, and how much of each lies on the pattern's pixels
 * (Figure 12). `before` and `after` are height x width float32 each, the caller's, and may be NULL. ISCP_ERROR_MISMATCH if the
 * pattern is not of the model's shape. On failure nothing is written. Since 0.1. */
ISCP_API iscp_status iscp_gradcam_shift(iscp_attention_shift *shift, float *before, float *after, iscp_gradcam *gradcam,
                                        const float *image, const iscp_pattern *pattern);

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
  ISCP_UAP_SGD = 1, /* v <- clip(v - s * sign(sum of d loss / dv), -eps, eps): loss is the cross-entropy towards y of x',
                       an image whose loss is above `loss_clamp` or whose x' is cut off at a pixel gives no gradient
                       there; s falls evenly from `step` at the first minibatch to 0 behind the last epoch */
  ISCP_UAP_DEEPFOOL = 2 /* v <- clip(v + r, -eps, eps), r of DeepFool towards y, for images that are not yet taken for y;
                           stops at the end of the epoch that reaches `stop` */
};

typedef struct iscp_uap_options {
  uint32_t struct_size; /* sizeof(iscp_uap_options), set by iscp_uap_options_init */
  int32_t method;       /* ISCP_UAP_*; default ISCP_UAP_SGD */
  double eps;           /* bound of |v|, in [0,1] pixels, (0, 1]; default 8/255 */
  double step;          /* sgd: change of v at the first step, (0, 2]; 0 = 0.8 eps; default 0 */
  double fraction;      /* share of each class of the dataset that v is crafted on, (0, 1], drawn by `seed` as a search's
                           D_n is; default 1, the paper's */
  uint64_t seed;        /* of the draw and of the order; default 0 */
  int32_t epochs;       /* passes over the images, at most, 1 to 1000; 0 = 10; default 0 */
  int32_t batch;        /* images a step, 1 to 4096; 0 = 64 for sgd, 1 for deepfool; default 0. A batch of deepfool starts
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
 * on where it stopped, to the same result. One that is finished does nothing. ISCP_ERROR_ARGUMENT after a first epoch of sgd
 * in which no image had a loss of `loss_clamp` or less: v would stay zero. Since 0.1. */
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
