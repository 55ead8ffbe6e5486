/* Words that stand for numbers in result.json and on sheets, as the table of a search's options has them: of a canvas's kind, and
 * of a preset. */
#include "report/report.h"

const char *isc_canvas_kind_name(int32_t kind) { return isc_field_word(&isc_search_options_fields, "canvas_kinds", kind); }

int32_t isc_canvas_kind_value(const char *name) {
  int32_t kind = 0;
  isc_field_value(&kind, &isc_search_options_fields, "canvas_kinds", name);
  return kind;
}

const char *isc_preset_name(int32_t preset) { return isc_field_word(&isc_search_options_fields, "preset", preset); }
