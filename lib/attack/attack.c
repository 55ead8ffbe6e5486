/* An attack as an object, and the attack of images that the caller holds: iscp/attack.h has the steps' formulas. */
#include "attack/object.h"

#include <string.h>

/* ---- Options ---- */

iscp_status iscp_attack_options_init(iscp_attack_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_attack_options_fields);
}

iscp_status isc_attack_options_check(iscp_attack_options *o, const iscp_attack_options *given) {
  ISC_TRY(isc_fields_read(o, &isc_attack_options_fields, given));
  ISC_TRY(isc_fields_check(o, &isc_attack_options_fields));
  bool box = o->norm == ISCP_NORM_LINF;
  if (box && o->eps > 1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "eps is %g, expected 0 to 1", o->eps);
  o->eps = o->eps > 0 ? o->eps : box ? 8.0 / 255 : 0.5;
  o->step = o->step > 0 ? o->step : o->eps / (box ? 4 : 5);
  return ISCP_OK;
}

/* ---- Life ---- */

static iscp_status fill(iscp_attack *attack) {
  int32_t *batch = &attack->options.batch;
  if (!*batch) {
    int32_t good = isc_model_good_batch(attack->model, ISCP_SESSION_GRADIENT);
    int64_t own = good * 2 * attack->numbers * (int64_t)sizeof(float); /* of accuracy.c */
    ISC_TRY(isc_budget_fit(batch, attack->model, good, ISCP_SESSION_GRADIENT, own));
  }
  return iscp_session_create(&attack->session, attack->model, *batch, ISCP_SESSION_GRADIENT);
}

iscp_status iscp_attack_create(iscp_attack **out, const iscp_model *model, const iscp_attack_options *given) {
  if (!out || !model)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", out ? "model" : "out");
  *out = NULL;
  iscp_attack_options options;
  ISC_TRY(isc_attack_options_check(&options, given));
  iscp_attack *attack = isc_calloc(isc_model_context(model), 1, sizeof *attack);
  if (!attack)
    return ISCP_ERROR_MEMORY;
  attack->model = isc_model_hold(model);
  attack->options = options;
  attack->ball = isc_ball_make(&options, iscp_model_contract(model));
  attack->numbers = isc_contract_numbers(iscp_model_contract(model));
  iscp_status status = fill(attack);
  if (status == ISCP_OK)
    *out = attack;
  else
    iscp_attack_destroy(attack);
  return status;
}

void iscp_attack_destroy(iscp_attack *attack) {
  if (!attack)
    return;
  iscp_model *model = attack->model;
  iscp_session_destroy(attack->session);
  isc_free(isc_model_context(model), attack);
  iscp_model_destroy(model);
}

iscp_status iscp_attack_get_options(const iscp_attack *attack, iscp_attack_options *options) {
  if (!attack)
    return isc_fail(ISCP_ERROR_ARGUMENT, "attack is NULL");
  return isc_fields_write(options, &isc_attack_options_fields, &attack->options);
}

/* ---- Rows of the batch ---- */

void isc_attack_place(iscp_attack *attack, int32_t row, const float *x) {
  isc_normalise(isc_session_src(attack->session, row), x, iscp_model_contract(attack->model));
}

void isc_attack_move(float *x, const float *clean, const iscp_attack *attack, int32_t row) {
  isc_ball_step(x, clean, isc_session_diff_src(attack->session, row), &attack->ball);
}

/* ---- Images of the caller ---- */

typedef struct images {
  float *x;
  const float *clean;
  const int32_t *labels;
  const int64_t *indices; /* or NULL */
} images;

static void start_rows(iscp_attack *attack, const images *work, int64_t first, int32_t rows) {
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < rows; r++) {
    int64_t image = first + r, at = image * attack->numbers;
    if (attack->options.random_start)
      isc_ball_start(work->x + at, work->clean + at, &attack->ball, 0, work->indices ? work->indices[image] : image);
    else
      memcpy(work->x + at, work->clean + at, (size_t)attack->numbers * sizeof(float));
  }
}

static iscp_status step_rows(iscp_attack *attack, const images *work, int64_t first, int32_t rows) {
  int32_t classes = isc_model_classes(attack->model);
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < rows; r++)
    isc_attack_place(attack, r, work->x + (first + r) * attack->numbers);
  ISC_TRY(isc_session_forward(attack->session));
  for (int32_t r = 0; r < attack->options.batch; r++) {
    float *diff = isc_session_diff_logits(attack->session, r);
    if (r < rows)
      isc_attack_diff_logits(diff, isc_session_logits(attack->session, r), classes, work->labels[first + r]);
    else
      memset(diff, 0, (size_t)classes * sizeof *diff);
  }
  ISC_TRY(isc_session_backward(attack->session));
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < rows; r++)
    isc_attack_move(work->x + (first + r) * attack->numbers, work->clean + (first + r) * attack->numbers, attack, r);
  return ISCP_OK;
}

static iscp_status run(iscp_attack *attack, const images *work, int64_t count) {
  int32_t batch = attack->options.batch;
  for (int64_t first = 0; first < count; first += batch) {
    int32_t rows = (int32_t)(count - first < batch ? count - first : batch);
    start_rows(attack, work, first, rows);
    for (int32_t step = 0; step < attack->options.steps; step++)
      ISC_TRY(step_rows(attack, work, first, rows));
  }
  return ISCP_OK;
}

static iscp_status check_images(const iscp_attack *attack, const images *work, int64_t count) {
  int32_t classes = isc_model_classes(attack->model);
  for (int64_t i = 0; i < count; i++)
    if (work->labels[i] < 0 || work->labels[i] >= classes)
      return isc_fail(ISCP_ERROR_ARGUMENT, "labels[%lld] is %d, expected 0 to %d", (long long)i, work->labels[i], classes - 1);
  for (int64_t i = 0; i < count * attack->numbers; i++)
    if (!(work->clean[i] >= 0 && work->clean[i] <= 1))
      return isc_fail(ISCP_ERROR_ARGUMENT, "images[%lld] has a pixel of %g, expected 0 to 1", (long long)(i / attack->numbers),
                      (double)work->clean[i]);
  return ISCP_OK;
}

iscp_status iscp_attack_run(float *adversarial, iscp_attack *attack, const float *from, const int32_t *labels,
                            const int64_t *indices, int64_t count) {
  const char *missing = !adversarial ? "adversarial" : !attack ? "attack" : !from ? "images" : !labels ? "labels" : NULL;
  if (missing)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", missing);
  if (adversarial == from)
    return isc_fail(ISCP_ERROR_ARGUMENT, "adversarial and images are the same memory, expected one for each");
  if (count < 1)
    return isc_fail(ISCP_ERROR_ARGUMENT, "count is %lld, expected 1 or more", (long long)count);
  images work = {adversarial, from, labels, indices};
  isc_compute compute;
  ISC_TRY(check_images(attack, &work, count));
  ISC_TRY(isc_session_enter(attack->session, &compute));
  iscp_status status = run(attack, &work, count);
  isc_session_leave(attack->session, &compute);
  return status;
}
