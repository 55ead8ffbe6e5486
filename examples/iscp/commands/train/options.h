/* The options of iscp train (options.c), for train.c. */
#ifndef TRAIN_OPTIONS_H
#define TRAIN_OPTIONS_H

#include "inputs/inputs.h"

typedef struct train_settings {
  iscp_train_options train;
  iscp_model_info network; /* of random weights */
  const char *from, *folder, *test, *test_labels;
  int64_t save_every; /* seconds between two states */
  int64_t keep; /* weights of every so many epochs stay; 0 = of none */
  int32_t store; /* ISCP_STORE_* of the weights that are kept */
  int resume, overwrite, json;
} train_settings;

iscp_status train_settings_init(train_settings *settings);
extern const option_group train_group, network_group;

#endif
