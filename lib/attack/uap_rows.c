/* Images with the perturbation on them, as rows of the network's batch: x' = clip(x + v, 0, 1). */
#include "attack/uap.h"

typedef struct fetching {
  iscp_uap *uap;
  const int64_t *indices;
} fetching;

static iscp_status fetch_row(void *user, int32_t row) {
  const fetching *f = user;
  return iscp_dataset_image(f->uap->dataset, f->indices[row], f->uap->images + row * f->uap->numbers);
}

iscp_status isc_uap_fetch(iscp_uap *uap, const int64_t *indices, int32_t rows) {
  return isc_rows_fill(rows, fetch_row, &(fetching){uap, indices});
}

static float clip(float value) { return value < 0 ? 0 : value > 1 ? 1 : value; }

static void place_row(iscp_uap *uap, int32_t row, const float *r, float factor) {
  const iscp_contract *contract = iscp_model_contract(uap->model);
  const float *image = uap->images + row * uap->numbers, *v = uap->v;
  float *src = isc_session_src(uap->session, row);
  for (int64_t i = 0; i < uap->numbers; i++)
    src[i] = clip(image[i] + v[i] + (r ? factor * r[i] : 0));
  isc_normalise(src, src, contract);
}

void isc_uap_place(iscp_uap *uap, int32_t rows, const float *r, float factor) {
#pragma omp parallel for schedule(static)
  for (int32_t row = 0; row < rows; row++)
    place_row(uap, row, r ? r + row * uap->numbers : NULL, factor);
}

bool isc_uap_is_fooled(const iscp_uap *uap, int32_t row) {
  return isc_argmax(isc_session_logits(uap->session, row), isc_model_classes(uap->model)) == uap->class_index;
}

void isc_uap_move(iscp_uap *uap, int64_t number, float change) {
  float eps = (float)uap->options.eps, moved = uap->v[number] + change;
  uap->v[number] = moved < -eps ? -eps : moved > eps ? eps : moved;
  uap->evidence[number] += (change > 0) - (change < 0);
}
