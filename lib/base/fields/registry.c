/* The list of all tables: a struct's table by its name, a field's row by its own. The tables lie beside this file, by topic;
 * check.c, record.c and json.c say what follows from a table for a struct in memory, tell.c what a table says to others. */
#include <string.h>

#include "base/base.h"

/* In the order of the alphabet. */
static const iscp_fields *const structs[] = {
    &isc_attack_info_fields, &isc_attack_options_fields, &isc_attention_shift_fields, &isc_canvas_result_fields,
    &isc_cause_fields, &isc_check_class_fields, &isc_check_info_fields, &isc_check_options_fields, &isc_confusion_fields,
    &isc_context_options_fields, &isc_contract_fields, &isc_dataset_info_fields, &isc_dataset_options_fields,
    &isc_evaluate_options_fields, &isc_field_fields, &isc_gradcam_info_fields, &isc_gradcam_options_fields,
    &isc_invert_info_fields, &isc_invert_options_fields, &isc_inverted_fields, &isc_model_info_fields,
    &isc_model_options_fields, &isc_pattern_info_fields, &isc_poison_options_fields, &isc_power_fields,
    &isc_progress_fields, &isc_report_options_fields, &isc_run_info_fields, &isc_run_options_fields,
    &isc_search_options_fields, &isc_train_options_fields,
    &isc_train_state_fields, &isc_trigger_info_fields, &isc_trigger_options_fields, &isc_uap_info_fields,
    &isc_uap_options_fields,
};

static const int32_t struct_count = sizeof structs / sizeof *structs;

const char *iscp_fields_struct(int32_t index) {
  return index < 0 || index >= struct_count ? NULL : structs[index]->name;
}

const iscp_fields *iscp_fields_of(const char *struct_name) {
  for (int32_t i = 0; struct_name && i < struct_count; i++)
    if (!strcmp(structs[i]->name, struct_name))
      return structs[i];
  return NULL;
}

uint32_t iscp_abi_sizeof(const char *struct_name) {
  const iscp_fields *fields = iscp_fields_of(struct_name);
  return fields ? fields->size : 0;
}

const isc_field *isc_field_find(const iscp_fields *fields, const char *name) {
  for (int32_t i = 0; i < fields->count; i++)
    if (!strcmp(fields->rows[i].name, name))
      return &fields->rows[i];
  return NULL;
}

const char *isc_field_word(const iscp_fields *fields, const char *name, int32_t value) {
  for (const isc_word *word = isc_field_find(fields, name)->words; word && word->name; word++)
    if (word->value == value)
      return word->name;
  return NULL;
}

bool isc_field_value(int32_t *value, const iscp_fields *fields, const char *name, const char *text) {
  for (const isc_word *word = isc_field_find(fields, name)->words; word && word->name; word++)
    if (!strcmp(word->name, text)) {
      *value = word->value;
      return true;
    }
  return false;
}
