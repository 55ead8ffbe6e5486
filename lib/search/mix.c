/* An image under a mask and a canvas: what the network sees in a step (lanes.c), and when a mask is measured (jobs.c). */
#include "search/search.h"

void isc_mix(float *dst, const float *mask, const float *canvas, const float *image, const iscp_contract *contract) {
  int64_t pixels = isc_contract_pixels(contract);
  isc_scale scale = isc_contract_scale(contract);
  for (int32_t c = 0; c < contract->channels; c++) {
    float mean = scale.mean[c], std = scale.std[c];
    const float *from = image + c * pixels, *onto = canvas + c * pixels;
    for (int64_t i = 0; i < pixels; i++)
      dst[c * pixels + i] = (mask[i] * onto[i] + (1 - mask[i]) * from[i] - mean) / std;
  }
}
