/* A training, step by step: images in the epoch's order, moved and normalised by all threads, forward, loss, backward, a step of
 * the optimiser. All that a step depends on is the weights, the momenta, its number and the options. */
#include "train/trainer.h"

#include <math.h>
#include <stddef.h>

/* ---- Life ---- */

static const iscp_contract *contract_of(const iscp_trainer *t) { return iscp_model_contract(t->model); }

static iscp_status make_training(iscp_trainer *t) {
  const iscp_contract *contract = contract_of(t);
  const isc_sgd_form form = {.momentum = (float)t->options.momentum, .weight_decay = (float)t->options.weight_decay,
                             .nesterov = t->options.nesterov, .decay_all = t->options.decay_all};
  ISC_TRY(isc_training_create(&t->training, isc_model_network(t->model), t->options.batch, contract->height, contract->width,
                              t->options.attack != 0));
  return isc_sgd_create(&t->sgd, t->context, t->training, &form);
}

static iscp_status check_memory(const iscp_trainer *t) {
  int64_t most = iscp_context_memory(t->context);
  int64_t held = (int64_t)(isc_training_memory(t->training) + isc_sgd_memory(t->sgd));
  if (most && held > most)
    return isc_fail(ISCP_ERROR_MEMORY, "training on batches of %d holds %lld MB, the context allows %lld MB, expected a smaller "
                    "batch", t->options.batch, (long long)(held >> 20), (long long)(most >> 20));
  return ISCP_OK;
}

static iscp_status prepare_attack(iscp_trainer *t) {
  iscp_attack_options attack;
  ISC_TRY(iscp_attack_options_init(&attack, sizeof attack));
  attack.norm = t->options.attack;
  attack.eps = t->options.attack_eps;
  attack.step = t->options.attack_step;
  attack.seed = t->options.seed;
  t->ball = isc_ball_make(&attack, contract_of(t));
  t->clean = isc_calloc(t->context, (size_t)t->options.batch, (size_t)isc_contract_numbers(contract_of(t)) * sizeof(float));
  return t->clean ? ISCP_OK : ISCP_ERROR_MEMORY;
}

static iscp_status fill(iscp_trainer *t) {
  int64_t count = iscp_dataset_count(t->data);
  if (count < t->options.batch)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the set has %lld images, expected at least a batch of %d", (long long)count,
                    t->options.batch);
  t->epoch_steps = count / t->options.batch;
  t->order_epoch = -1;
  t->schedule = (isc_schedule){t->options.schedule, t->options.learning_rate, t->epoch_steps * t->options.epochs,
                               t->epoch_steps * t->options.step_epochs, t->options.step_factor, t->options.rise};
  t->order = isc_calloc(t->context, (size_t)count, sizeof *t->order);
  t->images = isc_calloc(t->context, (size_t)t->options.batch, (size_t)isc_contract_numbers(contract_of(t)) * sizeof(float));
  if (!t->order || !t->images)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < count; i++)
    t->order[i] = i;
  if (t->options.attack)
    ISC_TRY(prepare_attack(t));
  isc_compute compute;
  ISC_TRY(isc_compute_enter(t->context, &compute));
  iscp_status status = make_training(t);
  isc_compute_leave(&compute);
  return status == ISCP_OK ? check_memory(t) : status;
}

iscp_status iscp_trainer_create(iscp_trainer **out, const iscp_model *model, const iscp_dataset *data,
                                const iscp_train_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!model || !data)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", model ? "data" : "model");
  iscp_train_options options;
  ISC_TRY(isc_train_options_check(&options, given));
  ISC_TRY(isc_model_check_dataset(model, data));
  iscp_trainer *t = isc_calloc(isc_model_context(model), 1, sizeof *t);
  if (!t)
    return ISCP_ERROR_MEMORY;
  atomic_flag_clear(&t->busy);
  t->context = isc_context_hold(isc_model_context(model));
  t->model = isc_model_hold(model);
  t->data = isc_dataset_hold(data);
  t->options = options;
  iscp_status status = fill(t);
  if (status != ISCP_OK) {
    iscp_trainer_destroy(t);
    return status;
  }
  *out = t;
  return ISCP_OK;
}

void iscp_trainer_destroy(iscp_trainer *t) {
  if (!t)
    return;
  iscp_context *context = t->context;
  isc_sgd_destroy(t->sgd);
  isc_training_destroy(t->training);
  isc_free(context, t->order);
  isc_free(context, t->images);
  isc_free(context, t->clean);
  iscp_dataset_destroy(t->data);
  iscp_model_destroy(t->model);
  isc_free(context, t);
  isc_context_drop(context);
}

iscp_status isc_trainer_enter(iscp_trainer *t, isc_compute *compute) {
  if (atomic_flag_test_and_set(&t->busy))
    return isc_fail(ISCP_ERROR_BUSY, "the trainer is in use by another thread, expected one thread at a time");
  iscp_status status = isc_compute_enter(t->context, compute);
  if (status == ISCP_OK && t->broken) {
    isc_compute_leave(compute);
    status = isc_fail(ISCP_ERROR_ARGUMENT, "the training has left the numbers, expected a new one with a lower learning rate");
  }
  if (status != ISCP_OK)
    atomic_flag_clear(&t->busy);
  return status;
}

void isc_trainer_leave(iscp_trainer *t, const isc_compute *compute) {
  isc_compute_leave(compute);
  atomic_flag_clear(&t->busy);
}

/* ---- Images ---- */

static int32_t epoch_of(const iscp_trainer *t) { return (int32_t)(t->step / t->epoch_steps); }

static iscp_status put_in_order(iscp_trainer *t) {
  int32_t epoch = epoch_of(t);
  if (t->order_epoch == epoch)
    return ISCP_OK;
  t->order_epoch = -1;
  ISC_TRY(isc_random_shuffle(t->context, t->order, iscp_dataset_count(t->data), t->options.seed, ISC_PURPOSE_ORDER, 0, epoch));
  t->order_epoch = epoch;
  return ISCP_OK;
}

/* The images of a step. */
typedef struct filling {
  iscp_trainer *trainer;
  const int64_t *indices;
} filling;

static iscp_status fill_row(void *user, int32_t row) {
  const filling *f = user;
  iscp_trainer *t = f->trainer;
  int64_t numbers = isc_contract_numbers(contract_of(t)), index = f->indices[row];
  const isc_augment augment = {t->options.seed, epoch_of(t), t->options.shift, t->options.flip};
  float *image = t->images + row * numbers;
  ISC_TRY(iscp_dataset_image(t->data, index, image));
  isc_augment_image((t->clean ? t->clean : isc_training_src(t->training)) + row * numbers, image, &augment, index, contract_of(t),
                    !t->clean);
  return ISCP_OK;
}

static iscp_status fill_rows(iscp_trainer *t, const int64_t *indices) {
  return isc_rows_fill(t->options.batch, fill_row, &(filling){t, indices});
}

/* ---- A step ---- */

/* The mean cross-entropy's gradient goes into diff_logits; what it adds up to is the batch's. */
static double take_loss(iscp_trainer *t, const int64_t *indices, int64_t *correct) {
  int32_t batch = t->options.batch, classes = isc_model_classes(t->model);
  double loss = 0;
  for (int32_t r = 0; r < batch; r++) {
    const float *logits = isc_training_logits(t->training) + (int64_t)r * classes;
    float *diff = isc_training_diff_logits(t->training) + (int64_t)r * classes;
    int32_t label = iscp_dataset_label(t->data, indices[r]);
    loss += isc_cross_entropy(diff, logits, classes, label);
    *correct += isc_argmax(logits, classes) == label;
    for (int32_t k = 0; k < classes; k++)
      diff[k] /= (float)batch;
  }
  return loss;
}

static iscp_status learn(iscp_trainer *t, const int64_t *indices) {
  int64_t correct = 0;
  double rate = isc_schedule_rate(&t->schedule, t->step);
  if (t->options.attack)
    ISC_TRY(isc_trainer_attack(t, indices, epoch_of(t)));
  ISC_TRY(isc_training_forward(t->training));
  double loss = take_loss(t, indices, &correct);
  if (!isfinite(loss))
    return isc_fail(ISCP_ERROR_ARGUMENT, "the loss is %g at step %lld of epoch %d with learning rate %g, expected a number: a "
                    "lower learning rate may help", loss, (long long)(t->step % t->epoch_steps + 1), epoch_of(t) + 1, rate);
  ISC_TRY(isc_training_backward(t->training, false));
  ISC_TRY(isc_sgd_step(t->sgd, (float)rate));
  bool first = t->step % t->epoch_steps == 0;
  t->loss = (first ? 0 : t->loss) + loss;
  t->correct = (first ? 0 : t->correct) + correct;
  return ISCP_OK;
}

static iscp_status run_step(iscp_trainer *t) {
  ISC_TRY(put_in_order(t));
  int64_t place = t->step % t->epoch_steps, batch = t->options.batch;
  const int64_t *indices = t->order + place * batch;
  ISC_TRY(fill_rows(t, indices));
  if (place + 1 < t->epoch_steps)
    isc_dataset_expect(t->data, indices + batch, batch);
  iscp_status status = learn(t, indices);
  t->broken = status != ISCP_OK; /* half a step is none that could be gone on with */
  t->step += status == ISCP_OK;
  t->seen += batch;
  t->rate_seen = (double)t->seen / (isc_clock() - t->started);
  return status;
}

static iscp_status run_epoch(iscp_trainer *t, iscp_progress_fn function, void *user) {
  isc_progress progress;
  if (t->step == t->schedule.steps)
    return ISCP_OK;
  t->started = isc_clock();
  t->seen = 0;
  isc_progress_begin(&progress, "train", t->epoch_steps, function, user);
  do {
    ISC_TRY(run_step(t));
    int64_t place = t->step % t->epoch_steps;
    iscp_status status = isc_progress_tell(&progress, place ? place : t->epoch_steps);
    if (place && status != ISCP_OK)
      return status;
  } while (t->step % t->epoch_steps);
  return ISCP_OK;
}

iscp_status iscp_trainer_epoch(iscp_trainer *t, iscp_progress_fn progress, void *user) {
  if (!t)
    return isc_fail(ISCP_ERROR_ARGUMENT, "trainer is NULL");
  isc_compute compute;
  ISC_TRY(isc_trainer_enter(t, &compute));
  iscp_status status = run_epoch(t, progress, user);
  isc_trainer_leave(t, &compute);
  return status;
}

/* ---- Asking ---- */

iscp_status iscp_trainer_get_state(const iscp_trainer *t, iscp_train_state *state) {
  if (!t)
    return isc_fail(ISCP_ERROR_ARGUMENT, "trainer is NULL");
  int64_t place = t->step % t->epoch_steps, steps = place ? place : t->step ? t->epoch_steps : 0;
  double images = (double)(steps * t->options.batch);
  iscp_train_state result = {
      .struct_size = sizeof result,
      .epochs = t->options.epochs,
      .step = t->step,
      .epoch_steps = t->epoch_steps,
      .loss = images > 0 ? t->loss / images : NAN,
      .accuracy = images > 0 ? (double)t->correct / images : 0,
      .learning_rate = t->step < t->schedule.steps ? isc_schedule_rate(&t->schedule, t->step) : 0,
      .images_per_second = t->rate_seen,
      .memory = (int64_t)(isc_training_memory(t->training) + isc_sgd_memory(t->sgd)),
  };
  return isc_fields_write(state, &isc_train_state_fields, &result);
}

iscp_status iscp_trainer_model(iscp_model **out, iscp_trainer *t) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!t)
    return isc_fail(ISCP_ERROR_ARGUMENT, "trainer is NULL");
  isc_tensor_set tensors = {0};
  isc_compute compute;
  ISC_TRY(isc_trainer_enter(t, &compute));
  iscp_status status = isc_training_tensors(&tensors, t->training);
  isc_trainer_leave(t, &compute);
  if (status == ISCP_OK)
    status = isc_model_of_tensors(out, t->model, &tensors, "trained by libiscp");
  isc_tensor_set_release(&tensors, t->context);
  return status;
}
