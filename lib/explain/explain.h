/* Face of lib/explain: where a network looks, as maps and as patterns. Whoever asks for a map does so through iscp/explain.h;
 * what stands here is for lib/explain and its tests. */
#ifndef ISC_EXPLAIN_H
#define ISC_EXPLAIN_H

#include <iscp/explain.h>

#include "model/model.h"

/* dst (height x width) = src (h x w) by bilinear interpolation with half-pixel centres: the value at place x of dst is that
 * of src at (x + 1/2) w / width - 1/2, held at the border. No smoothing where dst is the smaller. (upsample.c) */
void isc_upsample(float *dst, int32_t height, int32_t width, const float *src, int32_t h, int32_t w);

/* ISCP_ERROR_ARGUMENT unless the image is of numbers in [0,1]. (gradcam.c) */
iscp_status isc_gradcam_check_image(const iscp_gradcam *gradcam, const float *image);
const iscp_contract *isc_gradcam_contract(const iscp_gradcam *gradcam);

#endif
