/* The life of a job: its part of D_n in the order of each epoch, and the figures of its final mask. */
#include <string.h>

#include "search/search.h"

static bool in_dn(const iscp_search *search, int32_t class_index, int64_t image) {
  return search->searched[image] && iscp_dataset_label(search->dataset, image) != class_index;
}

static void list_dn(const iscp_search *search, isc_job *job) {
  int32_t class_index = search->classes[job->entry].index;
  int64_t total = iscp_dataset_count(search->dataset);
  job->order_count = 0;
  for (int64_t i = 0; i < total; i++)
    if (in_dn(search, class_index, i))
      job->order[job->order_count++] = i;
}

iscp_status isc_job_next_epoch(iscp_search *search, isc_job *job) {
  int32_t class_index = search->classes[job->entry].index;
  list_dn(search, job);
  ISC_TRY(isc_random_shuffle(search->context, job->order, job->order_count, search->options.seed, ISC_PURPOSE_ORDER,
                             class_index, job->epoch));
  job->position = 0;
  job->epoch_loss = 0;
  job->ordered = true;
  return ISCP_OK;
}

iscp_status isc_job_start(iscp_search *search, isc_job *job) {
  int64_t dn = isc_count_nontarget(search->dataset, search->searched, search->classes[job->entry].index);
  if (!dn)
    return isc_fail(ISCP_ERROR_ARGUMENT, "D_n of class %d is empty, expected images of other classes in the dataset",
                    search->classes[job->entry].index);
  ISC_TRY(isc_mask_create(&job->mask, search->context, search->pixels, search->options.step));
  if (search->options.canvas_steps)
    ISC_TRY(isc_learned_create(&job->learned, search->context, isc_job_canvas(search, job), search->numbers,
                               search->options.canvas_step));
  job->order = isc_calloc(search->context, (size_t)dn, sizeof *job->order);
  job->epochs = isc_calloc(search->context, (size_t)search->options.epochs, sizeof *job->epochs);
  if (!job->order || !job->epochs)
    return ISCP_ERROR_MEMORY;
  return isc_job_next_epoch(search, job);
}

void isc_job_release(isc_job *job, const iscp_context *context) {
  isc_mask_release(&job->mask, context);
  isc_learned_release(&job->learned, context);
  isc_free(context, job->order);
  isc_free(context, job->epochs);
  job->order = NULL;
  job->epochs = NULL;
}

const float *isc_job_canvas(const iscp_search *search, const isc_job *job) {
  return job->learned.values ? job->learned.values : search->classes[job->entry].canvases[job->canvas].pixels;
}

int64_t isc_job_images(const iscp_search *search, const isc_job *job) {
  int64_t dn = isc_count_nontarget(search->dataset, search->searched, search->classes[job->entry].index);
  return dn * (search->options.epochs + 2); /* the steps, the final objective, the power */
}

/* ---- Figures of the final mask, over D_n ---- */

static iscp_status mix_row(iscp_search *search, const isc_job *job, int64_t image, int32_t row) {
  float *src = isc_session_src(search->session, row);
  ISC_TRY(iscp_dataset_image(search->dataset, image, src));
  isc_mix(src, job->mask.values, isc_job_canvas(search, job), src, iscp_model_contract(search->model));
  return ISCP_OK;
}

/* alpha |m|_1 / n + beta |grad m|_2^2 / n (Eq. 3) */
double isc_job_penalty(const iscp_search *search, const isc_job *job) {
  double penalty = job->alpha * isc_mask_mean(&job->mask), beta = search->options.tv;
  if (beta > 0)
    penalty += beta * isc_mask_variation(&job->mask, iscp_model_contract(search->model)->width) / (double)search->pixels;
  return penalty;
}

static iscp_status measure_loss(iscp_search *search, isc_job *job, isc_meter *meter) {
  int32_t batch = isc_session_batch(search->session), classes = isc_model_classes(search->model);
  double sum = 0;
  list_dn(search, job);
  for (int64_t start = 0; start < job->order_count; start += batch) {
    int32_t rows = (int32_t)(job->order_count - start < batch ? job->order_count - start : batch);
    for (int32_t r = 0; r < rows; r++)
      ISC_TRY(mix_row(search, job, job->order[start + r], r));
    int64_t left = job->order_count - start - rows;
    isc_dataset_expect(search->dataset, job->order + start + rows, left < batch ? left : batch);
    ISC_TRY(isc_session_forward(search->session));
    for (int32_t r = 0; r < rows; r++)
      sum += isc_cross_entropy(NULL, isc_session_logits(search->session, r), classes, search->classes[job->entry].index);
    meter->done += rows;
    ISC_TRY(isc_progress_tell(&meter->progress, meter->done));
  }
  job->loss = sum / (double)job->order_count + isc_job_penalty(search, job);
  return ISCP_OK;
}

static iscp_status measure_power(iscp_search *search, isc_job *job, isc_meter *meter) {
  const isc_class *class_ = &search->classes[job->entry];
  const iscp_contract *contract = iscp_model_contract(search->model);
  iscp_pattern *pattern;
  ISC_TRY(iscp_pattern_create(&pattern, search->context, job->mask.values, job->mask.evidence,
                              isc_job_canvas(search, job), contract->channels, contract->height, contract->width,
                              class_->index, ISCP_CUT_SIZE, search->options.select_size, search->options.ties));
  iscp_power power;
  iscp_status status = isc_power_run(&power, search->session, search->model, search->dataset, search->searched,
                                     &search->clean, pattern, meter);
  iscp_pattern_destroy(pattern);
  job->power = power.pw;
  return status;
}

iscp_status isc_job_measure(iscp_search *search, isc_job *job, isc_meter *meter) {
  ISC_TRY(measure_loss(search, job, meter));
  ISC_TRY(measure_power(search, job, meter));
  isc_learned_finish(&job->learned, search->context);
  return ISCP_OK;
}
