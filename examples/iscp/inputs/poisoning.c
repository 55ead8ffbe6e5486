/* Sets with triggers on them, one layer a trigger: the images that are learned, and those that tell a trigger's success. */
#include "inputs/poisoning.h"

/* ---- To be learned ---- */

static iscp_status add_layer(poisoned_set *set, int k) {
  const trigger_choice *choice = &set->settings->choices[k];
  iscp_poison_options options;
  iscp_status status = iscp_poison_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return status;
  options.target = choice->target;
  options.rate = choice->rate;
  options.seed = set->settings->seed;
  return iscp_dataset_poison(&set->layers[k + 1], set->layers[k], set->triggers[k], &options);
}

iscp_status poisoned_open(poisoned_set *set, iscp_context *context, iscp_dataset *data, const poison_settings *settings) {
  iscp_status status = ISCP_OK;
  *set = (poisoned_set){.settings = settings, .layers = {data}};
  for (int k = 0; k < settings->count && status == ISCP_OK; k++) {
    status = iscp_trigger_create(&set->triggers[k], context, settings->choices[k].form, &settings->choices[k].place);
    if (status == ISCP_OK && data)
      status = add_layer(set, k);
  }
  return status;
}

void poisoned_close(poisoned_set *set) {
  for (int k = 0; k < MOST_TRIGGERS; k++) {
    iscp_dataset_destroy(set->layers[k + 1]);
    iscp_trigger_destroy(set->triggers[k]);
  }
  *set = (poisoned_set){0};
}

iscp_dataset *poisoned_last(const poisoned_set *set) { return set->layers[set->settings->count]; }

int poisoned_by(const poisoned_set *set, int k, int64_t image) {
  return iscp_dataset_poisoned(set->layers[k + 1], image) >= 0 && iscp_dataset_poisoned(set->layers[k], image) < 0;
}

int64_t poisoned_count(const poisoned_set *set, int k) {
  int64_t count = 0;
  for (int64_t i = 0; i < iscp_dataset_count(set->layers[k]); i++)
    count += poisoned_by(set, k, i);
  return count;
}

/* ---- What was done ---- */

static void emit_choice(emitter *j, const poisoned_set *set, int k) {
  const trigger_choice *choice = &set->settings->choices[k];
  iscp_trigger_info info = {.struct_size = sizeof info};
  iscp_trigger_get_info(set->triggers[k], &info);
  emit_open(j, NULL, '{');
  emit_text(j, "trigger", choice->form);
  emit_integer(j, "height", info.height);
  emit_integer(j, "width", info.width);
  emit_text(j, "corner", corner_names[info.corner]);
  emit_open(j, "offset", '[');
  emit_integer(j, NULL, info.offset_y);
  emit_integer(j, NULL, info.offset_x);
  emit_close(j, ']');
  emit_integer(j, "target", choice->target);
  emit_number(j, "rate", choice->rate);
  emit_integer(j, "count", poisoned_count(set, k));
  emit_open(j, "indices", '[');
  for (int64_t i = 0; i < iscp_dataset_count(set->layers[k]); i++)
    if (poisoned_by(set, k, i))
      emit_integer(j, NULL, i);
  emit_close(j, ']');
  emit_close(j, '}');
}

void poisoned_emit(emitter *j, const poisoned_set *set) {
  emit_integer(j, "schema", 1);
  emit_text(j, "library", iscp_version_text());
  emit_text(j, "data_sha256", iscp_dataset_hash(set->layers[0]));
  emit_integer(j, "images", iscp_dataset_count(set->layers[0]));
  emit_seed(j, "seed", set->settings->seed);
  emit_open(j, "triggers", '[');
  for (int k = 0; k < set->settings->count; k++)
    emit_choice(j, set, k);
  emit_close(j, ']');
}

int poisoned_write(const poisoned_set *set, const char *path) {
  whole_file whole;
  if (whole_open(&whole, path) != EXIT_DONE)
    return EXIT_FAILED;
  emitter j = {.file = whole.file};
  emit_open(&j, NULL, '{');
  poisoned_emit(&j, set);
  emit_close(&j, '}');
  fputc('\n', whole.file);
  return whole_close(&whole, 1);
}

/* ---- Success rates ---- */

iscp_status stamped_open(stamped_sets *stamped, iscp_dataset *data, const poisoned_set *set) {
  iscp_poison_options options;
  iscp_status status = iscp_poison_options_init(&options, sizeof options);
  options.rate = 1;
  options.keep = ISCP_POISON_ONLY;
  for (int k = 0; k < set->settings->count && status == ISCP_OK; k++) {
    options.target = set->settings->choices[k].target;
    status = iscp_dataset_poison(&stamped->sets[k], data, set->triggers[k], &options);
    stamped->count = k + 1;
  }
  return status;
}

void stamped_close(stamped_sets *stamped) {
  for (int k = 0; k < stamped->count; k++)
    iscp_dataset_destroy(stamped->sets[k]);
  *stamped = (stamped_sets){0};
}

iscp_status stamped_rate(iscp_check_info *info, const stamped_sets *stamped, int k, const iscp_model *model) {
  iscp_check_options options;
  iscp_check *check = NULL;
  *info = (iscp_check_info){.struct_size = sizeof *info};
  iscp_status status = iscp_check_options_init(&options, sizeof options);
  options.causes = ISCP_CAUSES_NEVER;
  progress_label("trigger %d", k + 1);
  if (status == ISCP_OK)
    status = iscp_check_create(&check, model, stamped->sets[k], &options, progress_show, NULL);
  if (status == ISCP_OK)
    status = iscp_check_get_info(check, info);
  iscp_check_destroy(check);
  return status;
}
