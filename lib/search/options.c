/* Options of a search: presets, and what several fields say together. Defaults and ranges are those of the table
 * (base/fields/search.c). */
#include "search/search.h"

/* What the presets stand for. The values of the predictive one are what was measured to predict best (docs/presets.md). */
static const isc_preset presets[] = {
    [ISCP_PRESET_PAPER] = {.alpha = 0.2, .ties = ISCP_TIES_EVIDENCE, .select = ISCP_SELECT_LOSS},
    [ISCP_PRESET_AUTHORS] = {.alpha = 8, .ties = ISCP_TIES_EVIDENCE, .select = ISCP_SELECT_LOSS, .l1_at_zero = true,
                             .drop_last = true},
    [ISCP_PRESET_PREDICTIVE] = {.alpha = 8, .ties = ISCP_TIES_EVIDENCE, .select = ISCP_SELECT_POWER},
};

iscp_status iscp_search_options_init(iscp_search_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_search_options_fields);
}

/* ---- Presets ---- */

const isc_preset *isc_search_preset(const iscp_search_options *o) { return &presets[o->preset]; }

static iscp_status resolve(iscp_search_options *o) {
  static const char *const modes[] = {"preset", "alpha_mode", "select", "ties"};
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
    ISC_TRY(isc_field_check(o, &isc_search_options_fields, modes[i]));
  const isc_preset *preset = isc_search_preset(o);
  if (o->alpha_mode == ISCP_ALPHA_PRESET)
    o->alpha = preset->alpha;
  o->ties = o->ties ? o->ties : preset->ties;
  o->select = o->select ? o->select : preset->select;
  return ISCP_OK;
}

iscp_status iscp_search_options_resolve(iscp_search_options *options) {
  iscp_search_options known;
  if (!options)
    return isc_fail(ISCP_ERROR_ARGUMENT, "options is NULL");
  ISC_TRY(isc_fields_read(&known, &isc_search_options_fields, options));
  ISC_TRY(resolve(&known));
  return isc_fields_write(options, &isc_search_options_fields, &known);
}

/* ---- Ranges ---- */

static iscp_status check_canvases(const iscp_search_options *o, const iscp_model *model) {
  if ((o->canvas_kinds & ISCP_CANVAS_USER) && (!o->user_canvas_count || !o->user_canvases))
    return isc_fail(ISCP_ERROR_ARGUMENT, "canvas_kinds asks for user canvases, expected user_canvases and their count");
  if (!(o->canvas_kinds & ISCP_CANVAS_USER))
    return ISCP_OK;
  int64_t count = o->user_canvas_count * isc_contract_numbers(iscp_model_contract(model));
  for (int64_t i = 0; i < count; i++)
    if (!(o->user_canvases[i] >= 0 && o->user_canvases[i] <= 1))
      return isc_fail(ISCP_ERROR_ARGUMENT, "user_canvases[%lld] is %g, expected 0 to 1", (long long)i,
                      (double)o->user_canvases[i]);
  return ISCP_OK;
}

static iscp_status check_classes(const iscp_search_options *o, const iscp_model *model) {
  int32_t classes = isc_model_classes(model);
  if (o->class_count < 0 || (o->class_count > 0 && !o->classes))
    return isc_fail(ISCP_ERROR_ARGUMENT, "class_count is %d with classes %s, expected 0 or a list of that many",
                    o->class_count, o->classes ? "set" : "NULL");
  for (int32_t i = 0; i < o->class_count; i++) {
    if (o->classes[i] < 0 || o->classes[i] >= classes)
      return isc_fail(ISCP_ERROR_ARGUMENT, "class %d is out of range, expected 0 to %d", o->classes[i], classes - 1);
    for (int32_t j = 0; j < i; j++)
      if (o->classes[i] == o->classes[j])
        return isc_fail(ISCP_ERROR_ARGUMENT, "class %d is listed twice, expected each once", o->classes[i]);
  }
  return ISCP_OK;
}

iscp_status isc_search_options_check(iscp_search_options *o, const iscp_search_options *given, const iscp_model *model) {
  ISC_TRY(isc_fields_read(o, &isc_search_options_fields, given));
  ISC_TRY(resolve(o));
  iscp_search_options ranged = *o;
  if (o->alpha_mode == ISCP_ALPHA_AUTO)
    ranged.alpha = 0; /* nobody reads it */
  ISC_TRY(isc_fields_check(&ranged, &isc_search_options_fields));
  ISC_TRY(check_canvases(o, model));
  return check_classes(o, model);
}
