/* Options of a training: defaults, and the range of every field. */
#include <math.h>
#include <stddef.h>

#include "train/train.h"

#define FIRST_SIZE offsetof(iscp_train_options, attack)

static const iscp_train_options defaults = {
    .struct_size = sizeof(iscp_train_options),
    .epochs = 3,
    .batch = 128,
    .schedule = ISCP_SCHEDULE_ONE_CYCLE,
    .learning_rate = 0.1,
    .momentum = 0.9,
    .weight_decay = 5e-4,
    .step_factor = 0.1,
    .rise = 0.3,
    .step_epochs = 30,
    .nesterov = 1,
    .attack_steps = 7,
};

iscp_status iscp_train_options_init(iscp_train_options *options, uint32_t struct_size) {
  return isc_options_init(options, struct_size, &defaults, sizeof defaults, FIRST_SIZE, "iscp_train_options");
}

static iscp_status check_whole(const char *name, int32_t value, int32_t low, int32_t high) {
  if (value < low || value > high)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %d, expected %d to %d", name, value, low, high);
  return ISCP_OK;
}

static iscp_status check_rates(const iscp_train_options *o) {
  if (!(o->learning_rate > 0 && isfinite((float)o->learning_rate)))
    return isc_fail(ISCP_ERROR_ARGUMENT, "learning_rate is %g, expected more than 0", o->learning_rate);
  if (!(o->momentum >= 0 && o->momentum < 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "momentum is %g, expected 0 or more and less than 1", o->momentum);
  if (!(o->weight_decay >= 0 && isfinite((float)o->weight_decay)))
    return isc_fail(ISCP_ERROR_ARGUMENT, "weight_decay is %g, expected 0 or more", o->weight_decay);
  if (!(o->step_factor > 0 && o->step_factor <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "step_factor is %g, expected more than 0 and at most 1", o->step_factor);
  if (!(o->rise > 0 && o->rise < 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "rise is %g, expected more than 0 and less than 1", o->rise);
  return ISCP_OK;
}

/* eps and step become those in force. */
static iscp_status check_attack(iscp_train_options *o) {
  iscp_attack_options attack, read;
  ISC_TRY(check_whole("attack", o->attack, 0, ISCP_NORM_L2));
  ISC_TRY(check_whole("attack_steps", o->attack_steps, 1, 10000));
  ISC_TRY(iscp_attack_options_init(&attack, sizeof attack));
  attack.norm = o->attack ? o->attack : ISCP_NORM_LINF;
  attack.eps = o->attack_eps;
  attack.step = o->attack_step;
  if (isc_attack_options_check(&read, &attack) != ISCP_OK)
    return isc_fail_in(ISCP_ERROR_ARGUMENT, "attack");
  o->attack_eps = read.eps;
  o->attack_step = read.step;
  return ISCP_OK;
}

iscp_status isc_train_options_check(iscp_train_options *o, const iscp_train_options *given) {
  ISC_TRY(isc_options_read(o, &defaults, sizeof defaults, FIRST_SIZE, given, "iscp_train_options"));
  ISC_TRY(check_whole("epochs", o->epochs, 1, 100000));
  ISC_TRY(check_whole("batch", o->batch, 2, ISC_LARGEST_BATCH));
  ISC_TRY(check_whole("schedule", o->schedule, ISCP_SCHEDULE_CONSTANT, ISCP_SCHEDULE_ONE_CYCLE));
  ISC_TRY(check_whole("step_epochs", o->step_epochs, 1, INT32_MAX));
  ISC_TRY(check_whole("nesterov", o->nesterov, 0, 1));
  ISC_TRY(check_whole("decay_all", o->decay_all, 0, 1));
  ISC_TRY(check_whole("shift", o->shift, 0, 256));
  ISC_TRY(check_whole("flip", o->flip, 0, 1));
  ISC_TRY(check_whole("reserved", o->reserved, 0, 0));
  ISC_TRY(check_attack(o));
  return check_rates(o);
}
