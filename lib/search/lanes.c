/* One step of Algorithm 1 for several jobs together: samples are independent in evaluation mode.
 *
 *   rows of lane l:   l * B .. l * B + B - 1, run a pass at a time
 *   x~_j = m x_c + (1 - m) x_j,  forward,  d(sum of cross-entropies)/d logits,  backward to x~
 *   dL/dm = sum_j sum_c g_jc (x_c - x_jc) + B alpha sign(m) / n,  g in pixel units                       (Eq. 2)
 *         [ + B beta / n d|grad m|_2^2 / dm ]                                                            (Eq. 3)
 *   dL/dx_c = sum_j m g_j, where it is the canvas's turn                                                 (Eq. 4) */
#include <string.h>

#include "search/search.h"

enum { CHUNK = 1024 }; /* pixels that a thread takes at a time */

/* ---- Rows ---- */

static int32_t rows_of(const iscp_search *search, const isc_job *job) {
  int64_t left = job->order_count - job->position;
  return (int32_t)(left < search->options.batch ? left : search->options.batch);
}

/* The job of a row, NULL if the row is idle: its lane is, or the job's minibatch is the last, smaller one. */
static isc_job *job_of(const iscp_search *search, int32_t row) {
  isc_job *job = search->lanes[row / search->options.batch];
  return job && row % search->options.batch < rows_of(search, job) ? job : NULL;
}

/* Of mask_steps + canvas_steps minibatches the first move the mask, the others the canvas. */
static bool is_mask_turn(const iscp_search *search, int64_t turn) {
  const iscp_search_options *o = &search->options;
  return !o->canvas_steps || turn % (o->mask_steps + o->canvas_steps) < o->mask_steps;
}

/* ---- One pass: rows first .. first + count - 1, in the session's rows 0 .. count - 1 ---- */

/* A pass of a search, whose first row is `first` of all lanes'. */
typedef struct pass {
  iscp_search *search;
  int32_t first;
} pass;

static iscp_status mix_row(void *user, int32_t place) {
  const pass *p = user;
  iscp_search *search = p->search;
  int32_t row = p->first + place;
  const isc_job *job = job_of(search, row);
  if (!job)
    return ISCP_OK;
  float *image = search->images + row * search->numbers;
  ISC_TRY(iscp_dataset_image(search->dataset, job->order[job->position + row % search->options.batch], image));
  isc_mix(isc_session_src(search->session, place), job->mask.values, isc_job_canvas(search, job), image,
          iscp_model_contract(search->model));
  return ISCP_OK;
}

static iscp_status mix(iscp_search *search, int32_t first, int32_t count) {
  return isc_rows_fill(count, mix_row, &(pass){search, first});
}

/* Idle rows, and those of the session beyond `count`, get a gradient of zero. */
static void differentiate_loss(iscp_search *search, int32_t first, int32_t count) {
  int32_t classes = isc_model_classes(search->model);
  for (int32_t place = 0; place < search->pass; place++) {
    float *diff = isc_session_diff_logits(search->session, place);
    isc_job *job = place < count ? job_of(search, first + place) : NULL;
    if (job)
      job->batch_loss += isc_cross_entropy(diff, isc_session_logits(search->session, place), classes,
                                           search->classes[job->entry].index);
    else
      memset(diff, 0, (size_t)classes * sizeof *diff);
  }
}

/* gradient[i] += g (x_c - x) of one channel of one row, pixels of a chunk. */
static void add_mask_channel(double *gradient, const float *diff, const float *canvas, const float *image, double scale,
                        int64_t count) {
  for (int64_t i = 0; i < count; i++)
    gradient[i] += scale * diff[i] * ((double)canvas[i] - image[i]);
}

/* gradient[i] += g; the mask, which all rows share, comes in when they are added up. */
static void add_canvas_channel(double *gradient, const float *diff, double scale, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    gradient[i] += scale * diff[i];
}

/* A chunk of all rows of the pass: rows in order, channels in order, whatever the threads. */
static void add_chunk(const iscp_search *search, int32_t first, int32_t count, int64_t start) {
  const iscp_contract *contract = iscp_model_contract(search->model);
  isc_scale scale = isc_contract_scale(contract);
  int64_t pixels = search->pixels, length = pixels - start < CHUNK ? pixels - start : CHUNK;
  for (int32_t place = 0; place < count; place++) {
    const isc_job *job = job_of(search, first + place);
    if (!job)
      continue;
    double *gradient = search->gradients + (first + place) / search->options.batch * search->slopes + start;
    const float *diff = isc_session_diff_src(search->session, place), *canvas = isc_job_canvas(search, job);
    const float *image = search->images + (first + place) * search->numbers;
    bool is_of_mask = is_mask_turn(search, job->turn);
    for (int32_t c = 0; c < contract->channels; c++) {
      int64_t at = c * pixels + start;
      if (is_of_mask)
        add_mask_channel(gradient, diff + at, canvas + at, image + at, 1.0 / scale.std[c], length);
      else
        add_canvas_channel(gradient + c * pixels, diff + at, 1.0 / scale.std[c], length);
    }
  }
}

static void add_gradients(const iscp_search *search, int32_t first, int32_t count) {
#pragma omp parallel for schedule(static)
  for (int64_t start = 0; start < search->pixels; start += CHUNK)
    add_chunk(search, first, count, start);
}

static bool is_idle(const iscp_search *search, int32_t first, int32_t count) {
  for (int32_t row = first; row < first + count; row++)
    if (job_of(search, row))
      return false;
  return true;
}

/* While a pass computes, the images of the next one are decoded: of this step, or of the one after it. */
static void expect_next(const iscp_search *search, int32_t first) {
  int32_t batch = search->options.batch, rows = search->lane_count * batch;
  bool is_next_step = first >= rows;
  for (int32_t row = is_next_step ? 0 : first, end = row + search->pass; row < end && row < rows; row++) {
    const isc_job *job = search->lanes[row / batch];
    int64_t place = job ? job->position + row % batch + (is_next_step ? batch : 0) : 0;
    if (job && place < job->order_count)
      isc_dataset_expect(search->dataset, &job->order[place], 1);
  }
}

static iscp_status run_pass(iscp_search *search, int32_t first, int32_t count) {
  if (is_idle(search, first, count))
    return ISCP_OK;
  ISC_TRY(mix(search, first, count));
  expect_next(search, first + count);
  ISC_TRY(isc_session_forward(search->session));
  differentiate_loss(search, first, count);
  ISC_TRY(isc_session_backward(search->session));
  add_gradients(search, first, count);
  return ISCP_OK;
}

/* ---- The step ---- */

/* `authors` discards the last update of the mask. */
static bool is_dropped(const iscp_search *search, const isc_job *job) {
  int64_t batch = search->options.batch, last = search->options.epochs * ((job->order_count + batch - 1) / batch) - 1;
  if (!search->drop_last)
    return false;
  while (!is_mask_turn(search, last))
    last--;
  return job->turn == last;
}

static int64_t end_of(const iscp_search *search, int64_t start) {
  return search->pixels - start < CHUNK ? search->pixels : start + CHUNK;
}

/* The gradient of the term that couples neighbours: of the mask before any of it moves. */
static void add_variation(const iscp_search *search, double *gradient, const isc_mask *mask, double weight) {
  int32_t width = iscp_model_contract(search->model)->width;
#pragma omp parallel for schedule(static)
  for (int64_t start = 0; start < search->pixels; start += CHUNK)
    isc_mask_add_variation(gradient, mask, width, start, end_of(search, start), weight);
}

static void update_mask(iscp_search *search, isc_job *job, double *gradient) {
  double rows = rows_of(search, job), pixels = (double)search->pixels;
  if (search->options.tv > 0)
    add_variation(search, gradient, &job->mask, rows * search->options.tv / pixels);
#pragma omp parallel for schedule(static)
  for (int64_t start = 0; start < search->pixels; start += CHUNK) {
    isc_mask_add_norm(gradient, &job->mask, start, end_of(search, start), rows * job->alpha / pixels, search->l1_at_zero);
    isc_mask_update(&job->mask, gradient, start, end_of(search, start));
  }
  job->steps++;
}

static void update_canvas(iscp_search *search, isc_job *job, double *gradient) {
#pragma omp parallel for schedule(static)
  for (int64_t start = 0; start < search->pixels; start += CHUNK)
    for (int64_t at = start; at < search->numbers; at += search->pixels)
      isc_learned_update(&job->learned, gradient + at, job->mask.values + start, at, end_of(search, start) - start);
  job->canvas_steps++;
}

static void update(iscp_search *search, int32_t lane) {
  isc_job *job = search->lanes[lane];
  double *gradient = search->gradients + lane * search->slopes;
  job->batch_loss += rows_of(search, job) * isc_job_penalty(search, job);
  if (!is_mask_turn(search, job->turn))
    update_canvas(search, job, gradient);
  else if (!is_dropped(search, job))
    update_mask(search, job, gradient);
  job->turn++;
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

static iscp_status begin(iscp_search *search) {
  for (int32_t lane = 0; lane < search->lane_count; lane++) {
    isc_job *job = search->lanes[lane];
    if (job && !job->ordered)
      ISC_TRY(isc_job_next_epoch(search, job));
    if (job)
      job->batch_loss = 0;
  }
  memset(search->gradients, 0, (size_t)(search->lane_count * search->slopes) * sizeof *search->gradients);
  return ISCP_OK;
}

/* Whatever may fail comes before the first update, so that a failed step changes nothing and can be taken again. */
iscp_status isc_lanes_step(iscp_search *search, isc_meter *meter) {
  int32_t rows = search->lane_count * search->options.batch;
  ISC_TRY(begin(search));
  for (int32_t first = 0; first < rows; first += search->pass)
    ISC_TRY(run_pass(search, first, rows - first < search->pass ? rows - first : search->pass));
  for (int32_t lane = 0; lane < search->lane_count; lane++)
    if (search->lanes[lane]) {
      update(search, lane);
      advance(search, search->lanes[lane], meter);
    }
  return ISCP_OK;
}
