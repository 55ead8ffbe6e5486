/* A pattern: what is put on other images to make the model say a class. Two kinds: the pixels of a canvas that replace
 * those of the image (Section 3 of the paper, Eq. 1: p_y = m_gamma * x_c), and a perturbation that is added to them.
 *
 * The one currency between those who find patterns and those who judge them. Immutable; any thread. */
#ifndef ISCP_PATTERN_H
#define ISCP_PATTERN_H

#include <iscp/context.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_pattern iscp_pattern;

/* Kinds of pattern. */
enum {
  ISCP_PATTERN_REPLACE = 1, /* x' = x * (1 - m) + x_c * m, m binary: pixels of a canvas */
  ISCP_PATTERN_ADD = 2      /* x' = clip(x + v, 0, 1): a perturbation */
};

/* How pixels of equal mask value are ranked. */
enum {
  ISCP_TIES_PRESET = 0,   /* of a search's options only: as its preset says */
  ISCP_TIES_EVIDENCE = 1, /* larger accumulated evidence first, then lower index */
  ISCP_TIES_INDEX = 2     /* lower index first */
};

/* How large a pattern is. */
enum {
  ISCP_CUT_SIZE = 1, /* `cut` is the share of the pixels kept, (0, 1]: k = round(cut * height * width), halves up */
  ISCP_CUT_GAMMA = 2 /* `cut` is gamma, [0, 1): every pixel with mask > gamma, as float32, is kept */
};

/* Cuts a pattern out of a canvas. `mask` is height x width float32 in [0,1]; `evidence` is height x width, the sum of
 * -sign(dL/dm) over the steps, or NULL to rank ties by index; `canvas` is channels x height x width in [0,1]. All are
 * copied. Pixels are kept by larger mask value, then as `ties` says. A cut that keeps no pixel is ISCP_ERROR_ARGUMENT.
 * On success the caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_pattern_create(iscp_pattern **out, iscp_context *context, const float *mask,
                                         const int32_t *evidence, const float *canvas, int32_t channels, int32_t height,
                                         int32_t width, int32_t target, int32_t cut_kind, double cut, int32_t ties);

/* Makes a pattern of a perturbation v, channels x height x width in [-1,1], which is copied: x' = clip(x + v, 0, 1) at
 * every pixel where v is not zero in some channel. These are its pixels, the larger sum of |v| over the channels first,
 * then the lower index. A perturbation that is zero throughout is ISCP_ERROR_ARGUMENT. On success the caller owns *out;
 * on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_pattern_create_add(iscp_pattern **out, iscp_context *context, const float *perturbation,
                                             int32_t channels, int32_t height, int32_t width, int32_t target);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_pattern_destroy(iscp_pattern *pattern);

/* What a pattern is made of. Later versions may append fields. */
typedef struct iscp_pattern_info {
  uint32_t struct_size; /* sizeof(iscp_pattern_info), set by the caller before iscp_pattern_get_info */
  int32_t target;       /* the class whose pattern it is */
  int32_t channels;     /* 1 or 3 */
  int32_t height;       /* pixels */
  int32_t width;        /* pixels */
  int32_t pixels;       /* k: pixels kept; of an added pattern those that it changes */
  int32_t tied;         /* pixels that share the last kept pixel's mask value (of an added pattern its sum of |v|), if some
                           of them were left out; else 0 */
  int32_t tied_kept;    /* how many of those `tied` were kept; 0 if tied is 0 */
  int32_t kind;         /* ISCP_PATTERN_* */
} iscp_pattern_info;

/* Fills `info`, whose struct_size the caller has set. Since 0.1. */
ISCP_API iscp_status iscp_pattern_get_info(const iscp_pattern *pattern, iscp_pattern_info *info);

/* The kept pixels, best first: `pixels` values y * width + x. They live as long as the pattern; NULL for NULL.
 * Since 0.1. */
ISCP_API const int32_t *iscp_pattern_positions(const iscp_pattern *pattern);

/* Pixels x channels values in the order of iscp_pattern_positions: the canvas's, or what is added. They live as long as
 * the pattern; NULL for NULL. Since 0.1. */
ISCP_API const float *iscp_pattern_values(const iscp_pattern *pattern);

/* Puts the pattern on an image in place, as its kind says. `image` is channels x height x width float32, of pixels in
 * [0,1]. Since 0.1. */
ISCP_API iscp_status iscp_pattern_attach(const iscp_pattern *pattern, float *image);

/* How far two patterns are at the same place: the pixels that both have over those that either has, 0 to 1, whatever their
 * values, channels and targets. ISCP_ERROR_MISMATCH if they are of different height or width. Since 0.1. */
ISCP_API iscp_status iscp_pattern_overlap(const iscp_pattern *a, const iscp_pattern *b, double *iou);

#ifdef __cplusplus
}
#endif
#endif
