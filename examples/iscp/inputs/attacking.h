/* The attacks of iscp check and iscp train (attacking.c): their options, and a model's robust accuracy. */
#ifndef ATTACKING_H
#define ATTACKING_H

#include "inputs/inputs.h"

typedef struct attack_settings {
  int32_t norm, steps; /* ISCP_NORM_*, 0 = no attack; 0 steps = the command's own default */
  double eps, step;    /* 0 = by the norm */
} attack_settings;

extern const option_group attack_group;

/* EXIT_USAGE, after saying why, if there are options of an attack that was not asked for, or a ball that holds all images. */
int attack_settings_check(const attack_settings *settings);

/* Into the options of a training. */
void attack_settings_train(iscp_train_options *train, const attack_settings *settings);

typedef struct attack_result {
  iscp_attack_options options; /* those in force; norm 0: there was no attack */
  iscp_attack_info info;
} attack_result;

/* The robust accuracy on a set, if an attack was asked for. */
iscp_status attack_measure(attack_result *result, const attack_settings *settings, const iscp_model *model,
                           const iscp_dataset *data);
void attack_print(const attack_result *result);
void attack_emit(emitter *j, const attack_result *result);

#endif
