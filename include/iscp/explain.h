/* The rival explanations of the paper, made into patterns so that the same evaluation judges them. */
#ifndef ISCP_EXPLAIN_H
#define ISCP_EXPLAIN_H

#include <iscp/model.h>
#include <iscp/pattern.h>

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
 * width in [0,1]. `class_index` is a class, or -1 for the one that the model predicts. `info` may be NULL. One thread at a
 * time (ISCP_ERROR_BUSY otherwise). Since 0.1. */
ISCP_API iscp_status iscp_gradcam_map(float *map, iscp_gradcam_info *info, iscp_gradcam *gradcam, const float *image,
                                      int32_t class_index);

/* The pixels of `image` where its map is highest, as a pattern of the map's class. Ties by index. `cut_kind` and `cut` as of
 * iscp_pattern_create; for ISCP_CUT_GAMMA the mask is map / maximum. On success the caller owns *out; on failure *out is
 * NULL. Since 0.1. */
ISCP_API iscp_status iscp_gradcam_pattern(iscp_pattern **out, iscp_gradcam *gradcam, const float *image,
                                          int32_t class_index, int32_t cut_kind, double cut);

/* Maps of the predicted class without and with the pattern on the image, and how much of each lies on the pattern's pixels
 * (Figure 12). `before` and `after` are height x width float32 each, the caller's, and may be NULL. Since 0.1. */
ISCP_API iscp_status iscp_gradcam_shift(iscp_attention_shift *shift, float *before, float *after, iscp_gradcam *gradcam,
                                        const float *image, const iscp_pattern *pattern);

#ifdef __cplusplus
}
#endif
#endif
