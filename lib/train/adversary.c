/* The images that an adversarial training learns from: those of a batch after an attack on the weights of this step.
 *
 *   clean (moved, mirrored) -> a random start in the ball -> attack_steps times: predict, gradient of each loss, a step
 *
 * The start of an image is named by seed, epoch and index, so that a training that is gone on with sees the same. */
#include "train/trainer.h"

static int64_t numbers_of(const iscp_trainer *t) { return isc_contract_numbers(iscp_model_contract(t->model)); }

static void place(iscp_trainer *t) {
  int64_t numbers = numbers_of(t);
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < t->options.batch; r++)
    isc_normalise(isc_training_src(t->training) + r * numbers, t->images + r * numbers, iscp_model_contract(t->model));
}

static void start(iscp_trainer *t, const int64_t *indices, int32_t epoch) {
  int64_t numbers = numbers_of(t);
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < t->options.batch; r++)
    isc_ball_start(t->images + r * numbers, t->clean + r * numbers, &t->ball, epoch, indices[r]);
  place(t);
}

static iscp_status step(iscp_trainer *t, const int64_t *indices) {
  int64_t numbers = numbers_of(t);
  int32_t batch = t->options.batch, classes = isc_model_classes(t->model);
  ISC_TRY(isc_training_predict(t->training));
  for (int32_t r = 0; r < batch; r++)
    isc_attack_diff_logits(isc_training_diff_logits(t->training) + (int64_t)r * classes,
                           isc_training_logits(t->training) + (int64_t)r * classes, classes,
                           iscp_dataset_label(t->data, indices[r]));
  ISC_TRY(isc_training_backward_src(t->training));
#pragma omp parallel for schedule(static)
  for (int32_t r = 0; r < batch; r++)
    isc_ball_step(t->images + r * numbers, t->clean + r * numbers, isc_training_diff_src(t->training) + r * numbers, &t->ball);
  place(t);
  return ISCP_OK;
}

iscp_status isc_trainer_attack(iscp_trainer *t, const int64_t *indices, int32_t epoch) {
  start(t, indices, epoch);
  for (int32_t i = 0; i < t->options.attack_steps; i++)
    ISC_TRY(step(t, indices));
  return ISCP_OK;
}
