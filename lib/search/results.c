/* What a finished class gave. */
#include "search/search.h"

static const isc_class *finished_class(const iscp_search *search, int32_t class_index) {
  for (int32_t i = 0; search && i < search->class_count; i++)
    if (search->classes[i].index == class_index && search->classes[i].finished && !search->classes[i].skipped)
      return &search->classes[i];
  return NULL;
}

static const isc_job *result_of(const iscp_search *search, int32_t class_index, int32_t canvas, const isc_class **out) {
  const isc_class *class_ = finished_class(search, class_index);
  if (!class_ || canvas < 0 || canvas >= class_->canvas_count)
    return NULL;
  *out = class_;
  return &class_->jobs[class_->alpha_used * class_->canvas_count + canvas];
}

static iscp_status no_result(const iscp_search *search, int32_t class_index, int32_t canvas) {
  const isc_class *class_ = finished_class(search, class_index);
  if (!search)
    return isc_fail(ISCP_ERROR_ARGUMENT, "search is NULL");
  if (!class_)
    return isc_fail(ISCP_ERROR_ARGUMENT, "class %d is not finished in this search, expected one that iscp_search_next gave",
                    class_index);
  return isc_fail(ISCP_ERROR_ARGUMENT, "class %d has no canvas %d, expected one below %d", class_index, canvas,
                  class_->canvas_count);
}

iscp_status iscp_search_get_options(const iscp_search *search, iscp_search_options *options) {
  if (!search)
    return isc_fail(ISCP_ERROR_ARGUMENT, "search is NULL");
  iscp_search_options result = search->options;
  result.lanes = search->lane_count;
  result.pass_batch = search->pass;
  return isc_fields_write(options, &isc_search_options_fields, &result);
}

int32_t iscp_search_canvas_count(const iscp_search *search, int32_t class_index) {
  const isc_class *class_ = finished_class(search, class_index);
  return class_ ? class_->canvas_count : -1;
}

int32_t iscp_search_selected(const iscp_search *search, int32_t class_index) {
  const isc_class *class_ = finished_class(search, class_index);
  return class_ ? class_->selected : -1;
}

iscp_status iscp_search_get_canvas(const iscp_search *search, int32_t class_index, int32_t canvas,
                                   iscp_canvas_result *given) {
  const isc_class *class_;
  const isc_job *job = result_of(search, class_index, canvas, &class_);
  if (!job)
    return no_result(search, class_index, canvas);
  iscp_canvas_result result = {
      .struct_size = sizeof result,
      .kind = class_->canvases[canvas].kind,
      .image = class_->canvases[canvas].image,
      .alpha = job->alpha,
      .loss = job->loss,
      .power = job->power,
      .selected = canvas == class_->selected,
      .steps = job->steps,
      .canvas_steps = job->canvas_steps,
  };
  for (int64_t i = 0; i < job->mask.pixels; i++) {
    result.saturated += job->mask.values[i] == 1;
    result.zeros += job->mask.values[i] == 0;
  }
  return isc_fields_write(given, &isc_canvas_result_fields, &result);
}

const float *iscp_search_mask(const iscp_search *search, int32_t class_index, int32_t canvas) {
  const isc_class *class_;
  const isc_job *job = result_of(search, class_index, canvas, &class_);
  return job ? job->mask.values : NULL;
}

const int32_t *iscp_search_evidence(const iscp_search *search, int32_t class_index, int32_t canvas) {
  const isc_class *class_;
  const isc_job *job = result_of(search, class_index, canvas, &class_);
  return job ? job->mask.evidence : NULL;
}

const float *iscp_search_canvas(const iscp_search *search, int32_t class_index, int32_t canvas) {
  const isc_class *class_;
  const isc_job *job = result_of(search, class_index, canvas, &class_);
  return job ? isc_job_canvas(search, job) : NULL;
}

const double *iscp_search_epochs(const iscp_search *search, int32_t class_index, int32_t canvas) {
  const isc_class *class_;
  const isc_job *job = result_of(search, class_index, canvas, &class_);
  return job ? job->epochs : NULL;
}

iscp_status iscp_search_pattern(iscp_pattern **out, const iscp_search *search, int32_t class_index, int32_t canvas,
                                int32_t cut_kind, double cut) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  const isc_class *class_;
  const isc_job *job = result_of(search, class_index, canvas, &class_);
  if (!job)
    return no_result(search, class_index, canvas);
  const iscp_contract *contract = iscp_model_contract(search->model);
  return iscp_pattern_create(out, search->context, job->mask.values, job->mask.evidence, isc_job_canvas(search, job),
                             contract->channels, contract->height, contract->width, class_index, cut_kind, cut,
                             search->options.ties);
}
