/* The search object: from options to finished classes. */
#include "search/search.h"

#include <math.h>
#include <string.h>

/* ---- Creation ---- */

static void set_preset(iscp_search *search) {
  static const double range[ISC_MAX_ALPHAS] = {0.1, 0.15, 0.2, 0.25, 0.3}; /* "slightly adjusted around 0.2" */
  const iscp_search_options *o = &search->options;
  const isc_preset *preset = isc_search_preset(o);
  search->l1_at_zero = preset->l1_at_zero;
  search->drop_last = preset->drop_last;
  search->alpha_count = 1;
  search->alphas[0] = o->alpha;
  if (o->alpha_mode != ISCP_ALPHA_AUTO)
    return;
  search->alpha_count = ISC_MAX_ALPHAS;
  for (int i = 0; i < ISC_MAX_ALPHAS; i++)
    search->alphas[i] = range[i] * (preset->alpha / 0.2);
}

static int32_t count_kinds(const iscp_search_options *o) {
  int32_t sampled = ISCP_CANVAS_POSITIVE | ISCP_CANVAS_NEGATIVE | ISCP_CANVAS_RANDOM;
  int32_t count = __builtin_popcount((unsigned)(o->canvas_kinds & sampled)) * o->canvases;
  count += o->canvas_kinds & ISCP_CANVAS_WHITE ? 1 : 0;
  return count + (o->canvas_kinds & ISCP_CANVAS_USER ? o->user_canvas_count : 0);
}

static iscp_status copy_lists(iscp_search *search) {
  const iscp_search_options *o = &search->options;
  search->class_count = o->class_count ? o->class_count : isc_model_classes(search->model);
  search->class_list = isc_calloc(search->context, (size_t)search->class_count, sizeof *search->class_list);
  search->classes = isc_calloc(search->context, (size_t)search->class_count, sizeof *search->classes);
  if (!search->class_list || !search->classes)
    return ISCP_ERROR_MEMORY;
  for (int32_t i = 0; i < search->class_count; i++) {
    search->class_list[i] = search->classes[i].index = o->class_count ? o->classes[i] : i;
    search->classes[i].selected = -1;
  }
  size_t canvas_numbers = (size_t)o->user_canvas_count * (size_t)search->numbers;
  if (o->canvas_kinds & ISCP_CANVAS_USER) {
    search->user_canvases = isc_calloc(search->context, canvas_numbers, sizeof(float));
    if (!search->user_canvases)
      return ISCP_ERROR_MEMORY;
    memcpy(search->user_canvases, o->user_canvases, canvas_numbers * sizeof(float));
  }
  search->options.classes = search->class_list;
  search->options.class_count = search->class_count;
  search->options.user_canvases = search->user_canvases;
  return ISCP_OK;
}

static iscp_status build(iscp_search *search) {
  const iscp_contract *contract = iscp_model_contract(search->model);
  search->pixels = isc_contract_pixels(contract);
  search->numbers = isc_contract_numbers(contract);
  search->slopes = search->options.canvas_steps ? search->numbers : search->pixels;
  ISC_TRY(isc_model_check_dataset(search->model, search->dataset));
  ISC_TRY(copy_lists(search));
  set_preset(search);
  search->searched = isc_calloc(search->context, (size_t)iscp_dataset_count(search->dataset), 1);
  if (!search->searched)
    return ISCP_ERROR_MEMORY;
  ISC_TRY(isc_split_draw(search->searched, search->dataset, search->options.fraction, search->options.seed));
  int64_t jobs = (int64_t)search->class_count * count_kinds(&search->options) * search->alpha_count;
  ISC_TRY(isc_search_plan(search, jobs));
  size_t rows = (size_t)search->lane_count * (size_t)search->options.batch;
  search->lanes = isc_calloc(search->context, (size_t)search->lane_count, sizeof *search->lanes);
  search->images = isc_calloc(search->context, rows, (size_t)search->numbers * sizeof(float));
  search->gradients = isc_calloc(search->context, (size_t)search->lane_count, (size_t)search->slopes * sizeof(double));
  if (!search->lanes || !search->images || !search->gradients)
    return ISCP_ERROR_MEMORY;
  return iscp_session_create(&search->session, search->model, search->pass, ISCP_SESSION_GRADIENT);
}

iscp_status iscp_search_create(iscp_search **out, const iscp_model *model, const iscp_dataset *dataset,
                               const iscp_search_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!model || !dataset)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", model ? "dataset" : "model");
  iscp_search_options options;
  ISC_TRY(isc_search_options_check(&options, given, model));
  const iscp_context *context = isc_model_context(model);
  iscp_search *search = isc_calloc(context, 1, sizeof *search);
  if (!search)
    return ISCP_ERROR_MEMORY;
  search->context = isc_context_hold(context);
  search->model = isc_model_hold(model);
  search->dataset = isc_dataset_hold(dataset);
  search->options = options;
  iscp_status status = build(search);
  if (status != ISCP_OK) {
    iscp_search_destroy(search);
    return status;
  }
  *out = search;
  return ISCP_OK;
}

static void release_class(isc_class *class_, const iscp_context *context) {
  for (int32_t i = 0; i < class_->canvas_count; i++)
    isc_free(context, class_->canvases[i].pixels);
  for (int32_t i = 0; i < class_->job_count; i++)
    isc_job_release(&class_->jobs[i], context);
  isc_free(context, class_->canvases);
  isc_free(context, class_->jobs);
  memset(class_, 0, sizeof *class_);
}

void iscp_search_destroy(iscp_search *search) {
  if (!search)
    return;
  iscp_context *context = search->context;
  for (int32_t i = 0; search->classes && i < search->class_count; i++)
    release_class(&search->classes[i], context);
  isc_clean_release(&search->clean, context);
  iscp_session_destroy(search->session);
  isc_free(context, search->classes);
  isc_free(context, search->class_list);
  isc_free(context, search->user_canvases);
  isc_free(context, search->searched);
  isc_free(context, search->lanes);
  isc_free(context, search->images);
  isc_free(context, search->gradients);
  iscp_dataset_destroy(search->dataset);
  iscp_model_destroy(search->model);
  isc_free(context, search);
  isc_context_drop(context);
}

iscp_status iscp_search_skip(iscp_search *search, int32_t class_index) {
  if (!search)
    return isc_fail(ISCP_ERROR_ARGUMENT, "search is NULL");
  if (search->prepared)
    return isc_fail(ISCP_ERROR_ARGUMENT, "class %d cannot be skipped any more, expected a search that has not begun",
                    class_index);
  for (int32_t i = 0; i < search->class_count; i++)
    if (search->classes[i].index == class_index) {
      search->classes[i].skipped = search->classes[i].finished = search->classes[i].yielded = true;
      return ISCP_OK;
    }
  return isc_fail(ISCP_ERROR_ARGUMENT, "class %d is not in the search's list", class_index);
}

/* ---- Preparing: the clean pass, the canvases, the jobs ---- */

static iscp_status make_jobs(iscp_search *search, int32_t entry) {
  isc_class *class_ = &search->classes[entry];
  ISC_TRY(isc_canvases_choose(search, class_));
  size_t count = (size_t)class_->canvas_count * (size_t)search->alpha_count;
  class_->jobs = isc_calloc(search->context, count, sizeof *class_->jobs);
  if (!class_->jobs)
    return ISCP_ERROR_MEMORY;
  class_->job_count = (int32_t)count;
  for (int32_t i = 0; i < class_->job_count; i++)
    class_->jobs[i] = (isc_job){.entry = entry,
                                .canvas = i % class_->canvas_count,
                                .alpha = search->alphas[i / class_->canvas_count]};
  class_->finished = count == 0;
  return ISCP_OK;
}

/* Patterns of a model that does not know the images would say nothing: mostly its input contract, or the labels, are wrong. */
static iscp_status check_accuracy(const iscp_search *search) {
  int64_t images = iscp_dataset_count(search->dataset), correct = 0;
  double low, high, least = search->options.min_accuracy;
  for (int64_t i = 0; i < images; i++)
    correct += search->clean.predicted[i] == iscp_dataset_label(search->dataset, i);
  isc_wilson(&low, &high, correct, images);
  least = least == 0 ? isc_plausible_accuracy(isc_model_classes(search->model)) : least;
  if (high < least)
    return isc_fail(ISCP_ERROR_MISMATCH, "the model is right on %lld of %lld images (%.3f), expected %.3f or more of a model and "
                    "images that belong together: iscp check looks for the cause; min_accuracy -1 searches all the same",
                    (long long)correct, (long long)images, (double)correct / (double)images, least);
  return ISCP_OK;
}

static iscp_status prepare(iscp_search *search, iscp_progress_fn progress, void *user) {
  isc_meter meter = {0};
  isc_progress_begin(&meter.progress, "clean", iscp_dataset_count(search->dataset), progress, user);
  ISC_TRY(isc_clean_run(&search->clean, search->session, search->model, search->dataset, NULL, &meter));
  ISC_TRY(check_accuracy(search));
  for (int32_t i = 0; i < search->class_count; i++) {
    int32_t index = search->classes[i].index;
    if (search->classes[i].skipped)
      continue;
    release_class(&search->classes[i], search->context); /* what an attempt that ran out of memory left */
    search->classes[i].index = index;
    search->classes[i].selected = -1;
    ISC_TRY(make_jobs(search, i));
  }
  search->total = search->done = 0;
  for (int32_t i = 0; i < search->class_count; i++)
    for (int32_t j = 0; j < search->classes[i].job_count; j++)
      search->total += isc_job_images(search, &search->classes[i].jobs[j]);
  search->prepared = true;
  return ISCP_OK;
}

/* ---- Selecting ---- */

static const isc_job *job_of(const isc_class *class_, int32_t alpha, int32_t canvas) {
  return &class_->jobs[alpha * class_->canvas_count + canvas];
}

static double power_of(const isc_job *job) { return isnan(job->power) ? -1 : job->power; }

static bool is_better(const iscp_search *search, const isc_job *a, const isc_job *b) {
  if (search->options.select == ISCP_SELECT_POWER && power_of(a) != power_of(b))
    return power_of(a) > power_of(b);
  return a->loss < b->loss;
}

/* The alpha whose best canvas has the highest power on D_n; of equal ones the lowest. Then the best of its canvases. */
static void select_best(const iscp_search *search, isc_class *class_) {
  double best = -2;
  for (int32_t a = 0; a < search->alpha_count; a++)
    for (int32_t c = 0; c < class_->canvas_count; c++)
      if (power_of(job_of(class_, a, c)) > best) {
        best = power_of(job_of(class_, a, c));
        class_->alpha_used = a;
      }
  class_->selected = 0;
  for (int32_t c = 1; c < class_->canvas_count; c++)
    if (is_better(search, job_of(class_, class_->alpha_used, c), job_of(class_, class_->alpha_used, class_->selected)))
      class_->selected = c;
  class_->finished = true;
}

/* ---- Running ---- */

static isc_job *next_waiting(iscp_search *search) {
  for (int32_t i = 0; i < search->class_count; i++)
    for (int32_t j = 0; j < search->classes[i].job_count; j++)
      if (search->classes[i].jobs[j].state == ISC_JOB_WAITING)
        return &search->classes[i].jobs[j];
  return NULL;
}

static iscp_status fill_lanes(iscp_search *search) {
  for (int32_t lane = 0; lane < search->lane_count; lane++) {
    isc_job *job = search->lanes[lane] ? NULL : next_waiting(search);
    if (!job)
      continue;
    iscp_status status = isc_job_start(search, job);
    if (status != ISCP_OK) {
      isc_job_release(job, search->context);
      return status;
    }
    job->state = ISC_JOB_RUNNING;
    search->lanes[lane] = job;
  }
  return ISCP_OK;
}

static isc_job **first_stepped(iscp_search *search) {
  for (int32_t lane = 0; lane < search->lane_count; lane++)
    if (search->lanes[lane] && search->lanes[lane]->state == ISC_JOB_STEPPED)
      return &search->lanes[lane];
  return NULL;
}

/* The figures of a job whose mask is final; its lane is free then. */
static iscp_status measure(iscp_search *search, isc_job **lane, isc_meter *meter) {
  isc_job *job = *lane;
  ISC_TRY(isc_job_measure(search, job, meter));
  search->done = meter->done;
  job->state = ISC_JOB_DONE;
  *lane = NULL;
  isc_class *class_ = &search->classes[job->entry];
  if (++class_->jobs_done == class_->job_count)
    select_best(search, class_);
  return ISCP_OK;
}

static isc_class *first_to_yield(iscp_search *search) {
  for (int32_t i = 0; i < search->class_count; i++)
    if (search->classes[i].finished && !search->classes[i].yielded)
      return &search->classes[i];
  return NULL;
}

static bool is_all_yielded(const iscp_search *search) {
  for (int32_t i = 0; i < search->class_count; i++)
    if (!search->classes[i].yielded)
      return false;
  return true;
}

/* One minibatch of every lane. It is kept, and counted, also if the caller stops right behind it. */
static iscp_status step_lanes(iscp_search *search, isc_meter *meter) {
  ISC_TRY(fill_lanes(search));
  ISC_TRY(isc_lanes_step(search, meter));
  search->done = meter->done;
  return isc_progress_tell(&meter->progress, meter->done);
}

/* One piece of work (the clean pass, the figures of a job, a minibatch of every lane), or as many as finish a class. None
 * if a class is there to be yielded, or all were. */
static iscp_status run(iscp_search *search, bool until_class, iscp_progress_fn progress, void *user) {
  if (!search->prepared) {
    ISC_TRY(prepare(search, progress, user));
    if (!until_class)
      return ISCP_OK;
  }
  isc_meter meter = {.done = search->done};
  isc_progress_begin(&meter.progress, "search", search->total, progress, user);
  while (!first_to_yield(search) && !is_all_yielded(search)) {
    isc_job **stepped = first_stepped(search);
    ISC_TRY(stepped ? measure(search, stepped, &meter) : step_lanes(search, &meter));
    if (!until_class)
      break;
  }
  return ISCP_OK;
}

static iscp_status advance(iscp_search *search, int32_t *class_index, bool until_class, iscp_progress_fn progress,
                           void *user) {
  *class_index = -1;
  isc_compute compute;
  ISC_TRY(isc_session_enter(search->session, &compute));
  iscp_status status = run(search, until_class, progress, user);
  isc_session_leave(search->session, &compute);
  ISC_TRY(status);
  isc_class *class_ = first_to_yield(search);
  if (class_) {
    class_->yielded = true;
    *class_index = class_->index;
  }
  return ISCP_OK;
}

iscp_status iscp_search_next(iscp_search *search, int32_t *class_index, iscp_progress_fn progress, void *user) {
  if (!search || !class_index)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", search ? "class_index" : "search");
  return advance(search, class_index, true, progress, user);
}

iscp_status iscp_search_step(iscp_search *search, int32_t *class_index, int32_t *more, iscp_progress_fn progress,
                             void *user) {
  if (!search || !class_index || !more)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", !search ? "search" : class_index ? "more" : "class_index");
  *more = 1;
  ISC_TRY(advance(search, class_index, false, progress, user));
  *more = !is_all_yielded(search);
  return ISCP_OK;
}
