/* A pattern: the pixels of a canvas that are put on other images (Section 3 of the paper, Eq. 1: p_y = m_gamma * x_c).
 *
 * The one currency between those who find patterns and those who judge them. Immutable; any thread. */
#ifndef ISCP_PATTERN_H
#define ISCP_PATTERN_H

#include <iscp/context.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_pattern iscp_pattern;

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

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_pattern_destroy(iscp_pattern *pattern);

/* What a pattern is made of. Later versions may append fields. */
typedef struct iscp_pattern_info {
  uint32_t struct_size; /* sizeof(iscp_pattern_info), set by the caller before iscp_pattern_get_info */
  int32_t target;       /* the class whose pattern it is */
  int32_t channels;     /* 1 or 3 */
  int32_t height;       /* pixels */
  int32_t width;        /* pixels */
  int32_t pixels;       /* k: pixels kept */
  int32_t tied;         /* pixels that share the last kept pixel's mask value, if some of them were left out; else 0 */
  int32_t tied_kept;    /* how many of those `tied` were kept; 0 if tied is 0 */
} iscp_pattern_info;

/* Fills `info`, whose struct_size the caller has set. Since 0.1. */
ISCP_API iscp_status iscp_pattern_get_info(const iscp_pattern *pattern, iscp_pattern_info *info);

/* The kept pixels, best first: `pixels` values y * width + x. They live as long as the pattern; NULL for NULL.
 * Since 0.1. */
ISCP_API const int32_t *iscp_pattern_positions(const iscp_pattern *pattern);

/* Puts the pattern on an image in place: x' = x * (1 - m) + x_c * m, m binary. `image` is channels x height x width
 * float32. Since 0.1. */
ISCP_API iscp_status iscp_pattern_attach(const iscp_pattern *pattern, float *image);

#ifdef __cplusplus
}
#endif
#endif
