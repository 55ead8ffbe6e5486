/* Triggers on the command line (poison_options.c), and the sets that they poison (poisoning.c): for iscp poison, train, check
 * and power. */
#ifndef POISONING_H
#define POISONING_H

#include "inputs/inputs.h"

enum { MOST_TRIGGERS = 16 };

/* What follows a --trigger, to the next one. */
typedef struct trigger_choice {
  const char *form;
  iscp_trigger_options place;
  double rate;
  int32_t target; /* -1 = not said */
} trigger_choice;

typedef struct poison_settings {
  trigger_choice choices[MOST_TRIGGERS];
  int count;
  uint64_t seed;
} poison_settings;

/* All options; without rate and seed; and the place alone. Settings are a poison_settings. */
extern const option_group poison_group, train_poison_group, target_group, trigger_group;

/* Whether each trigger has its target: EXIT_DONE, or EXIT_USAGE after saying which has none. */
int poison_settings_check(const poison_settings *settings);

extern const char *const corner_names[]; /* by the library's codes */

/* ---- Sets ---- */

/* What the settings make of a set: `layers[k]` has the first k triggers on it, the first one is the set itself, borrowed. */
typedef struct poisoned_set {
  const poison_settings *settings;
  iscp_trigger *triggers[MOST_TRIGGERS];
  iscp_dataset *layers[MOST_TRIGGERS + 1];
} poisoned_set;

/* Makes the triggers, and the layers if `data` is not NULL. What is made is given back by poisoned_close, after a failure too. */
iscp_status poisoned_open(poisoned_set *set, iscp_context *context, iscp_dataset *data, const poison_settings *settings);
void poisoned_close(poisoned_set *set); /* takes a zeroed one */
iscp_dataset *poisoned_last(const poisoned_set *set);

/* Whether trigger k changed the image. */
int poisoned_by(const poisoned_set *set, int k, int64_t image);
int64_t poisoned_count(const poisoned_set *set, int k);

/* The members of poison.json: what was done to which images. */
void poisoned_emit(emitter *j, const poisoned_set *set);

/* Writes it, whole or not at all. */
int poisoned_write(const poisoned_set *set, const char *path);

/* ---- Success rates ---- */

/* Of images that are not of a trigger's target, how many are taken for it with the trigger on them: `accuracy`, its interval
 * and counts. `stamped[k]` is that set. */
typedef struct stamped_sets {
  int count;
  iscp_dataset *sets[MOST_TRIGGERS];
} stamped_sets;

iscp_status stamped_open(stamped_sets *stamped, iscp_dataset *data, const poisoned_set *set);
void stamped_close(stamped_sets *stamped); /* takes a zeroed one */
iscp_status stamped_rate(iscp_check_info *info, const stamped_sets *stamped, int k, const iscp_model *model);

#endif
