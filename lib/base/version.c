/* Version and struct sizes, for bindings that cannot include the headers. */
#include <string.h>

#include <iscp/iscp.h>

uint32_t iscp_version(void) {
  return ISCP_VERSION;
}

uint32_t iscp_abi_sizeof(const char *struct_name) {
  static const struct {
    const char *name;
    uint32_t size;
  } structs[] = {
#define ENTRY(type) {#type, sizeof(type)}
      ENTRY(iscp_attack_info),      ENTRY(iscp_attack_options),
      ENTRY(iscp_attention_shift),  ENTRY(iscp_canvas_result),   ENTRY(iscp_cause),
      ENTRY(iscp_check_class),      ENTRY(iscp_check_info),      ENTRY(iscp_check_options),
      ENTRY(iscp_confusion),        ENTRY(iscp_context_options), ENTRY(iscp_contract),
      ENTRY(iscp_dataset_info),     ENTRY(iscp_dataset_options), ENTRY(iscp_evaluate_options),
      ENTRY(iscp_gradcam_info),     ENTRY(iscp_gradcam_options),
      ENTRY(iscp_invert_info),      ENTRY(iscp_invert_options),  ENTRY(iscp_inverted),
      ENTRY(iscp_model_info),       ENTRY(iscp_model_options),   ENTRY(iscp_pattern_info),
      ENTRY(iscp_poison_options),   ENTRY(iscp_power),           ENTRY(iscp_progress),
      ENTRY(iscp_report_options),   ENTRY(iscp_search_options),  ENTRY(iscp_train_options),
      ENTRY(iscp_train_state),      ENTRY(iscp_trigger_info),    ENTRY(iscp_trigger_options),
      ENTRY(iscp_uap_info),         ENTRY(iscp_uap_options),
#undef ENTRY
  };
  for (size_t i = 0; struct_name && i < sizeof structs / sizeof *structs; i++)
    if (!strcmp(structs[i].name, struct_name))
      return structs[i].size;
  return 0;
}
