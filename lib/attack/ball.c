/* Projected gradient descent on one image, whoever computes the gradient: the start, a step, and the way back into the ball.
 *
 *   d = x + step direction(g) - clean,   |d| <= eps in the ball's norm,   x <- clip(clean + d, 0, 1)
 *
 * Gradients come in the network's units, of (pixel - mean) / std: in pixels they are divided by std, which changes no sign. */
#include <math.h>
#include <string.h>

#include "attack/attack.h"

static float clip(float value, float low, float high) { return value < low ? low : value > high ? high : value; }

isc_ball isc_ball_make(const iscp_attack_options *options, const iscp_contract *contract) {
  isc_scale scale = isc_contract_scale(contract);
  isc_ball ball = {.norm = options->norm, .channels = contract->channels, .pixels = isc_contract_pixels(contract),
                   .eps = (float)options->eps, .step = (float)(options->targeted ? -options->step : options->step),
                   .seed = options->seed};
  memcpy(ball.std, scale.std, sizeof ball.std);
  return ball;
}

/* ---- The way back ---- */

/* x = clip(clean + factor (x - clean)) */
static void shrink(float *x, const float *clean, int64_t numbers, float factor) {
  for (int64_t i = 0; i < numbers; i++)
    x[i] = clip(clean[i] + (x[i] - clean[i]) * factor, 0, 1);
}

static void project(float *x, const float *clean, const isc_ball *ball) {
  int64_t numbers = ball->channels * ball->pixels;
  double square = 0;
  if (ball->norm == ISCP_NORM_LINF) {
    for (int64_t i = 0; i < numbers; i++)
      x[i] = clip(clean[i] + clip(x[i] - clean[i], -ball->eps, ball->eps), 0, 1);
    return;
  }
  for (int64_t i = 0; i < numbers; i++) {
    double d = x[i] - clean[i];
    square += d * d;
  }
  double length = sqrt(square);
  shrink(x, clean, numbers, length > (double)ball->eps ? (float)((double)ball->eps / length) : 1);
}

/* ---- A step ---- */

static double length_of(const float *gradient, const isc_ball *ball) {
  double square = 0;
  for (int32_t c = 0; c < ball->channels; c++) {
    double sum = 0;
    for (int64_t i = c * ball->pixels; i < (c + 1) * ball->pixels; i++)
      sum += (double)gradient[i] * (double)gradient[i];
    square += sum / ((double)ball->std[c] * (double)ball->std[c]);
  }
  return sqrt(square);
}

void isc_ball_step(float *x, const float *clean, const float *gradient, const isc_ball *ball) {
  int64_t numbers = ball->channels * ball->pixels;
  if (ball->norm == ISCP_NORM_LINF) {
    for (int64_t i = 0; i < numbers; i++)
      x[i] += gradient[i] > 0 ? ball->step : gradient[i] < 0 ? -ball->step : 0;
  } else {
    double length = length_of(gradient, ball);
    if (!(length > 0 && isfinite(length)))
      return;
    for (int32_t c = 0; c < ball->channels; c++) {
      float share = (float)((double)ball->step / (length * (double)ball->std[c]));
      for (int64_t i = c * ball->pixels; i < (c + 1) * ball->pixels; i++)
        x[i] += share * gradient[i];
    }
  }
  project(x, clean, ball);
}

/* ---- The start ---- */

/* Numbers 2k and 2k + 1 of an image are named by k. */
void isc_ball_start(float *x, const float *clean, const isc_ball *ball, int32_t epoch, int64_t index) {
  int64_t numbers = ball->channels * ball->pixels;
  bool box = ball->norm == ISCP_NORM_LINF;
  double square = 0, pair[2];
  for (int64_t i = 0; i < numbers; i++) {
    if (i % 2 == 0)
      (box ? isc_random_uniform : isc_random_normal)(pair, ball->seed, ISC_PURPOSE_ATTACK, (int32_t)(i / 2), epoch, index);
    double change = box ? (2 * pair[i % 2] - 1) * (double)ball->eps : pair[i % 2];
    square += change * change;
    x[i] = (float)change;
  }
  float factor = box ? 1 : square > 0 ? (float)((double)ball->eps / sqrt(square)) : 0;
  for (int64_t i = 0; i < numbers; i++)
    x[i] = clip(clean[i] + factor * x[i], 0, 1);
}

/* ---- The loss ---- */

/* The cross-entropy's gradient is softmax(z) - onehot(y) = (1 - p_y) (softmax of the other logits, and -1 at y). Only the
 * direction counts, so the factor is left out: of a model that is sure of itself it is nearly nothing, and in float32 nothing
 * at all. */
void isc_attack_diff_logits(float *diff, const float *logits, int32_t classes, int32_t label) {
  double largest = -INFINITY, sum = 0;
  for (int32_t k = 0; k < classes; k++)
    largest = k != label ? fmax(largest, logits[k]) : largest;
  for (int32_t k = 0; k < classes; k++)
    sum += k != label ? exp(logits[k] - largest) : 0;
  for (int32_t k = 0; k < classes; k++)
    diff[k] = k != label ? (float)(exp(logits[k] - largest) / sum) : -1;
}
