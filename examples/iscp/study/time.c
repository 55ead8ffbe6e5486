/* How long a study takes: each model's speed is measured once on a few images, the rest is counting. The same plan is
 * what the progress is a share of. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "measure/measure.h"
#include "study/study.h"

enum { SPEED_BATCH = 64, FULL = 1000 };
static const double speed_seconds = 0.15; /* of one measurement, after a run that is not counted */

/* ---- Speed ---- */

typedef struct trial {
  iscp_session *session;
  float *images, *logits, *gradient;
  int32_t *targets, batch;
} trial;

static iscp_status pass(trial *t, int purpose) {
  if (purpose == ISCP_SESSION_INFERENCE)
    return iscp_session_logits(t->session, t->images, t->batch, t->logits);
  return iscp_session_input_gradient(t->session, t->images, t->targets, t->batch, t->gradient, NULL, NULL);
}

/* A smaller batch where the context's memory asks for it. */
static iscp_status open_trial(trial *t, const study_model *m, int purpose) {
  const iscp_contract *c = iscp_model_contract(m->model);
  size_t numbers = (size_t)c->channels * (size_t)c->height * (size_t)c->width;
  int64_t count = iscp_dataset_count(m->data);
  iscp_status status = ISCP_ERROR_MEMORY;
  for (t->batch = SPEED_BATCH; t->batch && status == ISCP_ERROR_MEMORY; t->batch /= 2) {
    status = iscp_session_create(&t->session, m->model, t->batch, purpose);
    if (status == ISCP_OK)
      break;
  }
  if (status != ISCP_OK)
    return status;
  t->images = take((size_t)t->batch * numbers * sizeof(float));
  t->gradient = take((size_t)t->batch * numbers * sizeof(float));
  t->logits = take((size_t)t->batch * (size_t)class_count(m->model) * sizeof(float));
  t->targets = take((size_t)t->batch * sizeof(int32_t));
  for (int32_t i = 0; i < t->batch && status == ISCP_OK; i++)
    status = iscp_dataset_image(m->data, i % count, t->images + (size_t)i * numbers);
  return status;
}

static iscp_status measure_speed(double *seconds, const study_model *m, int purpose) {
  trial t = {0};
  iscp_status status = open_trial(&t, m, purpose);
  if (status == ISCP_OK)
    status = pass(&t, purpose);
  double start = clock_seconds(), now = start;
  int passes = 0;
  while (status == ISCP_OK && now - start < speed_seconds) {
    status = pass(&t, purpose);
    passes++;
    now = clock_seconds();
  }
  *seconds = passes ? (now - start) / passes / t.batch : 0;
  iscp_session_destroy(t.session);
  free(t.images);
  free(t.gradient);
  free(t.logits);
  free(t.targets);
  return status;
}

/* ---- Planning ---- */

static int32_t jobs_of_class(const iscp_search_options *o) {
  int32_t jobs = o->user_canvas_count;
  static const int32_t several[] = {ISCP_CANVAS_POSITIVE, ISCP_CANVAS_NEGATIVE, ISCP_CANVAS_RANDOM};
  for (int i = 0; i < 3; i++)
    jobs += o->canvas_kinds & several[i] ? o->canvases : 0;
  return jobs + (o->canvas_kinds & ISCP_CANVAS_WHITE ? 1 : 0);
}

static int32_t classes_left(const study *s, const study_run *r) {
  iscp_pattern_list *list;
  int32_t left = r->of->class_count;
  if (!run_is_there(r->folder) || iscp_pattern_list_load(&list, s->context, r->folder) != ISCP_OK)
    return left; /* what is wrong with it is said when it is its turn */
  study_run there = {.list = list};
  for (int32_t i = 0; i < r->of->class_count; i++)
    left -= study_entry(&there, r->of->classes[i], -1) >= 0;
  iscp_pattern_list_destroy(list);
  return left;
}

/* Patterns of a class of so many canvases whose power is measured. */
static int64_t patterns_of_class(const study_run *r, int32_t canvases) {
  const iscp_report_options *o = &r->report;
  int64_t shown = 0;
  for (int32_t i = 0; i < o->size_count; i++)
    shown += fabs(o->sizes[i] - o->picture_size) < 1e-9;
  if (!canvases || r->measure == ISCP_MEASURE_NONE)
    return 0;
  if (r->measure == ISCP_MEASURE_COMPARED)
    return o->size_count + (canvases - 1) * shown;
  return (r->measure == ISCP_MEASURE_ALL ? (int64_t)canvases : 1) * o->size_count;
}

/* Images: D_n is passed epochs times there and back, and twice at the end; every pattern costs one pass over the images of
 * the other classes. */
static void plan_run(study_run *r, int32_t left) {
  const study_model *m = r->of;
  const iscp_search_options *o = &r->search;
  double images = (double)iscp_dataset_count(m->data), others = images * (1 - 1.0 / class_count(m->model));
  double jobs = (double)left * jobs_of_class(o), tries = o->alpha_mode == ISCP_ALPHA_AUTO ? 5 : 1;
  r->search_seconds = jobs * tries * o->fraction * others * (o->epochs * m->gradient + 2 * m->forward);
  double measured = r->report.images == ISCP_IMAGES_HELDOUT ? (1 - o->fraction) * others : others;
  r->pattern_seconds = measured * m->forward;
  double patterns = (double)left * (double)patterns_of_class(r, jobs_of_class(o));
  r->seconds = left ? 2 * images * m->forward + r->search_seconds + patterns * r->pattern_seconds : 0;
}

static iscp_status learn_speed(study_model *m) {
  if (m->forward > 0)
    return ISCP_OK;
  iscp_status status = measure_speed(&m->forward, m, ISCP_SESSION_INFERENCE);
  return status == ISCP_OK ? measure_speed(&m->gradient, m, ISCP_SESSION_GRADIENT) : status;
}

static void say_time(const study *s) {
  double minutes = s->seconds / 60;
  if (s->seconds <= 0)
    return;
  progress_clear();
  int left = 0;
  for (int i = 0; i < s->run_count; i++)
    left += s->runs[i]->seconds > 0;
  fprintf(stderr, "iscp: %s: ", s->word);
  if (left < s->run_count)
    fprintf(stderr, "%d of ", left);
  fprintf(stderr, "%d run%s, ", s->run_count, s->run_count == 1 ? "" : "s");
  if (minutes < 1)
    fputs("less than a minute", stderr);
  else if (minutes < 90)
    fprintf(stderr, "about %.0f min", minutes);
  else
    fprintf(stderr, "about %.1f h", minutes / 60);
  fputs(" to do\n", stderr);
}

int study_estimate(study *s) {
  iscp_status status = ISCP_OK;
  for (int i = 0; i < s->run_count && status == ISCP_OK; i++) {
    study_run *r = s->runs[i];
    int32_t left = classes_left(s, r);
    status = left ? learn_speed(&s->models[r->of - s->models]) : ISCP_OK;
    plan_run(r, left);
    s->seconds += r->seconds;
  }
  for (int i = 0; i < s->model_count && status == ISCP_OK; i++) {
    study_model *m = &s->models[i];
    status = m->forward_passes + m->gradient_passes > 0 ? learn_speed(m) : ISCP_OK;
    s->seconds += study_seconds(m, m->forward_passes, m->gradient_passes);
  }
  if (status != ISCP_OK)
    return failed(status);
  say_time(s);
  return EXIT_DONE;
}

double study_seconds(const study_model *m, double forward, double gradient) {
  return (double)iscp_dataset_count(m->data) * (forward * m->forward + gradient * m->gradient);
}

void study_plan(study *s, int model, double forward, double gradient) {
  s->models[model].forward_passes += forward;
  s->models[model].gradient_passes += gradient;
}

/* ---- Progress ---- */

void study_piece(study *s, double seconds, const char *format, ...) {
  s->done += s->piece;
  s->piece = seconds;
  char label[64];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(label, sizeof label, format, arguments);
  va_end(arguments);
  progress_label("%s", label);
}

/* Seconds of the plan that the piece at hand has behind it. A run searches and measures in turns. */
static double done_of_piece(study *s, const iscp_progress *progress) {
  double share = progress->total > 0 ? (double)progress->done / (double)progress->total : 0;
  study_run *r = s->at;
  if (!r)
    return share * s->piece;
  int measures = !strcmp(progress->stage, "power");
  if (!strcmp(progress->stage, "search"))
    r->searched = share;
  return r->searched * r->search_seconds + ((double)r->patterns - measures + measures * share) * r->pattern_seconds;
}

int study_show(const iscp_progress *progress, void *user) {
  study *s = user;
  double now = s->done + done_of_piece(s, progress);
  if (now > s->told)
    s->told = now;
  if (s->told > s->seconds)
    s->told = s->seconds;
  iscp_progress whole = {sizeof whole, 0, s->word, (int64_t)(FULL * s->told), (int64_t)(FULL * s->seconds)};
  return progress_show(&whole, NULL);
}
