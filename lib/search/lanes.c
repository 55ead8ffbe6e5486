/* One step of Algorithm 1 for several jobs in one batch of the network: samples are independent in evaluation mode.
 *
 *   rows of lane l:   l * B .. l * B + B - 1
 *   x~_j = m x_c + (1 - m) x_j,  forward,  d(sum of cross-entropies)/d logits,  backward to x~
 *   dL/dm = sum_j sum_c g_jc (x_c - x_jc) + B alpha sign(m) / n,  g in pixel units                       (Eq. 2) */
#include <string.h>

#include "search/search.h"

void isc_mix(float *dst, const float *mask, const float *canvas, const float *image, const iscp_contract *contract) {
  int64_t pixels = isc_contract_pixels(contract);
  for (int32_t c = 0; c < contract->channels; c++) {
    float mean = contract->mean[c], std = contract->std[c];
    const float *from = image + c * pixels, *onto = canvas + c * pixels;
    for (int64_t i = 0; i < pixels; i++)
      dst[c * pixels + i] = (mask[i] * onto[i] + (1 - mask[i]) * from[i] - mean) / std;
  }
}

static int32_t rows_of(const iscp_search *search, const isc_job *job) {
  int64_t left = job->order_count - job->position;
  return (int32_t)(left < search->options.batch ? left : search->options.batch);
}

static const isc_canvas *canvas_of(const iscp_search *search, const isc_job *job) {
  return &search->classes[job->entry].canvases[job->canvas];
}

static iscp_status mix_row(iscp_search *search, int32_t row) {
  const isc_job *job = search->lanes[row / search->options.batch];
  int32_t place = row % search->options.batch;
  if (!job || place >= rows_of(search, job))
    return ISCP_OK;
  float *image = search->images + row * search->numbers;
  ISC_TRY(iscp_dataset_image(search->dataset, job->order[job->position + place], image));
  isc_mix(isc_session_src(search->session, row), job->mask.values, canvas_of(search, job)->pixels, image,
          iscp_model_contract(search->model));
  return ISCP_OK;
}

static iscp_status mix(iscp_search *search) {
  int32_t rows = search->lane_count * search->options.batch, broken = rows;
#pragma omp parallel for schedule(dynamic, 1) reduction(min : broken)
  for (int32_t row = 0; row < rows; row++)
    if (mix_row(search, row) != ISCP_OK)
      broken = row < broken ? row : broken;
  return broken == rows ? ISCP_OK : mix_row(search, broken); /* the message must be this thread's */
}

static void differentiate_loss(iscp_search *search, int32_t lane) {
  isc_job *job = search->lanes[lane];
  int32_t classes = isc_model_classes(search->model), rows = job ? rows_of(search, job) : 0;
  double sum = 0;
  for (int32_t place = 0; place < search->options.batch; place++) {
    int32_t row = lane * search->options.batch + place;
    float *diff = isc_session_diff_logits(search->session, row);
    if (place < rows)
      sum += isc_cross_entropy(diff, isc_session_logits(search->session, row), classes, search->classes[job->entry].index);
    else
      memset(diff, 0, (size_t)classes * sizeof *diff);
  }
  if (job)
    job->batch_loss = sum + rows * job->alpha * isc_mask_mean(&job->mask);
}

/* gradient[i] = sum_j sum_c g_jc (x_c - x_jc) at pixel i, where g = diff_src / std. */
static void mask_gradient(const iscp_search *search, int32_t lane, double *gradient) {
  const isc_job *job = search->lanes[lane];
  const iscp_contract *contract = iscp_model_contract(search->model);
  const float *canvas = canvas_of(search, job)->pixels;
  int64_t pixels = search->pixels;
  int32_t rows = rows_of(search, job);
  memset(gradient, 0, (size_t)pixels * sizeof *gradient);
  for (int32_t place = 0; place < rows; place++) {
    int32_t row = lane * search->options.batch + place;
    const float *diff = isc_session_diff_src(search->session, row), *image = search->images + row * search->numbers;
    for (int32_t c = 0; c < contract->channels; c++) {
      double scale = 1.0 / contract->std[c];
      for (int64_t i = 0; i < pixels; i++) {
        int64_t at = c * pixels + i;
        gradient[i] += scale * diff[at] * ((double)canvas[at] - image[at]);
      }
    }
  }
}

/* `authors` discards the last update of all. */
static bool is_dropped(const iscp_search *search, const isc_job *job) {
  return search->drop_last && job->epoch == search->options.epochs - 1 &&
         job->position + rows_of(search, job) == job->order_count;
}

static void update(iscp_search *search, int32_t lane) {
  isc_job *job = search->lanes[lane];
  if (!job || is_dropped(search, job))
    return;
  double *gradient = search->gradients + lane * search->pixels;
  mask_gradient(search, lane, gradient);
  isc_mask_update(&job->mask, gradient, rows_of(search, job) * job->alpha / (double)search->pixels, search->l1_at_zero);
  job->steps++;
}

static void advance(iscp_search *search, isc_job *job, isc_meter *meter) {
  int32_t rows = rows_of(search, job);
  job->position += rows;
  job->epoch_loss += job->batch_loss;
  meter->done += rows;
  if (job->position < job->order_count)
    return;
  job->epochs[job->epoch++] = job->epoch_loss / (double)job->order_count;
  job->position = 0;
  job->state = job->epoch == search->options.epochs ? ISC_JOB_STEPPED : ISC_JOB_RUNNING;
  job->ordered = false;
}

/* Whatever may fail comes before the first update, so that a failed step changes nothing and can be taken again. */
iscp_status isc_lanes_step(iscp_search *search, isc_meter *meter) {
  for (int32_t lane = 0; lane < search->lane_count; lane++)
    if (search->lanes[lane] && !search->lanes[lane]->ordered)
      ISC_TRY(isc_job_next_epoch(search, search->lanes[lane]));
  ISC_TRY(mix(search));
  ISC_TRY(isc_session_forward(search->session));
  for (int32_t lane = 0; lane < search->lane_count; lane++)
    differentiate_loss(search, lane);
  ISC_TRY(isc_session_backward(search->session));
#pragma omp parallel for schedule(dynamic, 1)
  for (int32_t lane = 0; lane < search->lane_count; lane++)
    update(search, lane);
  for (int32_t lane = 0; lane < search->lane_count; lane++)
    if (search->lanes[lane])
      advance(search, search->lanes[lane], meter);
  return ISCP_OK;
}
