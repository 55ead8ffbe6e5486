/* What a picture is brought to, by the kind of inversion: the features of an image, or a label, near the image. */
#include <math.h>
#include <string.h>

#include "invert/invert.h"

/* ---- Draws ---- */

enum { DRAW_START = 0, DRAW_LABEL = 1 };

static int64_t draw(const iscp_inversion *v, int32_t what, int64_t index, int64_t among) {
  return (int64_t)(isc_random(v->options.seed, ISC_PURPOSE_INVERT, what, 0, index) % (uint64_t)among);
}

void isc_inversion_draw(const iscp_inversion *v, isc_inverted_row *row) {
  int32_t classes = isc_model_classes(v->model);
  row->label = iscp_dataset_label(v->data, row->index);
  row->start = row->index;
  row->predicted = -1;
  if (v->options.kind == ISCP_INVERT_RANDOM)
    row->label = (int32_t)draw(v, DRAW_LABEL, row->index, classes);
  else if (v->options.kind == ISCP_INVERT_DETERMINISTIC)
    row->label = (row->label + 1) % classes;
  else { /* any image but t itself */
    row->start = draw(v, DRAW_START, row->index, iscp_dataset_count(v->data) - 1);
    row->start += row->start >= row->index;
  }
}

/* ---- Distances ---- */

static double difference(const float *a, const float *b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++)
    sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
  return sqrt(sum);
}

static const float *goal_of(const iscp_inversion *v, int32_t row) { return v->goal + (int64_t)row * v->goals; }

void isc_inversion_aim(iscp_inversion *v, int32_t row) {
  const float *from = isc_inversion_attacks(v) ? v->images + row * v->numbers : isc_session_features(v->session, row);
  memcpy(v->goal + (int64_t)row * v->goals, from, (size_t)v->goals * sizeof *from);
  double sum = 0;
  for (int32_t i = 0; i < v->goals; i++)
    sum += (double)from[i] * (double)from[i];
  v->row[row].length = isc_inversion_attacks(v) || sum == 0 ? 1 : sqrt(sum);
}

double isc_inversion_distance(const iscp_inversion *v, int32_t row, const float *x) {
  const float *from = isc_inversion_attacks(v) ? x : isc_session_features(v->session, row);
  return difference(from, goal_of(v, row), v->goals) / v->row[row].length;
}

/* ---- A step ---- */

/* Of |f(x) - f(t)|: the difference, made 1 long. */
static void differ_features(float *diff, const float *features, const float *wanted, int32_t count) {
  double length = difference(features, wanted, count);
  for (int32_t i = 0; i < count; i++)
    diff[i] = length > 0 ? (float)(((double)features[i] - (double)wanted[i]) / length) : 0;
}

void isc_inversion_differ(iscp_inversion *v, int32_t row) {
  if (isc_inversion_attacks(v))
    isc_attack_diff_logits(isc_session_diff_logits(v->session, row), isc_session_logits(v->session, row),
                           isc_model_classes(v->model), v->row[row].label);
  else
    differ_features(isc_session_diff_features(v->session, row), isc_session_features(v->session, row), goal_of(v, row), v->goals);
}

void isc_inversion_differ_not(iscp_inversion *v, int32_t row) {
  if (isc_inversion_attacks(v))
    memset(isc_session_diff_logits(v->session, row), 0, (size_t)isc_model_classes(v->model) * sizeof(float));
  else
    memset(isc_session_diff_features(v->session, row), 0, (size_t)v->goals * sizeof(float));
}

/* Features may be found anywhere: a ball around x itself keeps nothing back but the range of pixels. */
void isc_inversion_move(iscp_inversion *v, int32_t row) {
  float *x = v->images + row * v->numbers;
  isc_ball_step(x, isc_inversion_attacks(v) ? goal_of(v, row) : x, isc_session_diff_src(v->session, row), &v->ball);
}
