/* Options of a search: defaults, presets, and the range of every field. */
#include <math.h>

#include "search/search.h"

/* What the presets stand for. The values of the predictive one are what was measured to predict best (docs/presets.md). */
static const isc_preset presets[] = {
    [ISCP_PRESET_PAPER] = {.alpha = 0.2, .ties = ISCP_TIES_EVIDENCE, .select = ISCP_SELECT_LOSS},
    [ISCP_PRESET_AUTHORS] = {.alpha = 8, .ties = ISCP_TIES_EVIDENCE, .select = ISCP_SELECT_LOSS, .l1_at_zero = true,
                             .drop_last = true},
    [ISCP_PRESET_PREDICTIVE] = {.alpha = 8, .ties = ISCP_TIES_EVIDENCE, .select = ISCP_SELECT_POWER},
};

static const iscp_search_options defaults = {
    .struct_size = sizeof(iscp_search_options),
    .preset = ISCP_PRESET_PREDICTIVE,
    .alpha_mode = ISCP_ALPHA_PRESET,
    .canvas_kinds = ISCP_CANVAS_POSITIVE,
    .alpha = 0.2,
    .step = 0.02,
    .fraction = 0.2,
    .select_size = 0.05,
    .canvases = 5,
    .epochs = 5,
    .batch = 4,
    .mask_steps = 5,
    .canvas_step = 2.0 / 255,
};

iscp_status iscp_search_options_init(iscp_search_options *options, uint32_t struct_size) {
  return isc_options_init(options, struct_size, &defaults, sizeof defaults, ISC_SEARCH_OPTIONS_FIRST, "iscp_search_options");
}

static iscp_status check_whole(const char *name, int32_t value, int32_t low, int32_t high) {
  if (value < low || value > high)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %d, expected %d to %d", name, value, low, high);
  return ISCP_OK;
}

/* ---- Presets ---- */

const isc_preset *isc_search_preset(const iscp_search_options *o) { return &presets[o->preset]; }

static iscp_status resolve(iscp_search_options *o) {
  ISC_TRY(check_whole("preset", o->preset, ISCP_PRESET_PAPER, ISCP_PRESET_PREDICTIVE));
  ISC_TRY(check_whole("alpha_mode", o->alpha_mode, ISCP_ALPHA_PRESET, ISCP_ALPHA_AUTO));
  ISC_TRY(check_whole("select", o->select, ISCP_SELECT_PRESET, ISCP_SELECT_POWER));
  ISC_TRY(check_whole("ties", o->ties, ISCP_TIES_PRESET, ISCP_TIES_INDEX));
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
  ISC_TRY(isc_options_read(&known, &defaults, sizeof defaults, ISC_SEARCH_OPTIONS_FIRST, options, "iscp_search_options"));
  ISC_TRY(resolve(&known));
  return isc_output_write(options, &known, sizeof known, ISC_SEARCH_OPTIONS_FIRST, "iscp_search_options");
}

/* ---- Ranges ---- */

/* (0, 1] */
static iscp_status check_share(const char *name, double value) {
  if (!(value > 0 && value <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %g, expected more than 0 and at most 1", name, value);
  return ISCP_OK;
}

static iscp_status check_canvases(const iscp_search_options *o, const iscp_model *model) {
  ISC_TRY(check_whole("canvas_kinds", o->canvas_kinds, 1, 31));
  ISC_TRY(check_whole("canvases", o->canvases, 1, 1000));
  ISC_TRY(check_whole("user_canvas_count", o->user_canvas_count, 0, 1000));
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
  ISC_TRY(isc_options_read(o, &defaults, sizeof defaults, ISC_SEARCH_OPTIONS_FIRST, given, "iscp_search_options"));
  ISC_TRY(resolve(o));
  ISC_TRY(check_whole("epochs", o->epochs, 1, 1000));
  ISC_TRY(check_whole("batch", o->batch, 1, 1024));
  ISC_TRY(check_whole("lanes", o->lanes, 0, 256));
  ISC_TRY(check_whole("pass_batch", o->pass_batch, 0, ISC_LARGEST_BATCH));
  ISC_TRY(check_whole("canvas_steps", o->canvas_steps, 0, 1000));
  ISC_TRY(check_whole("mask_steps", o->mask_steps, 1, 1000));
  ISC_TRY(check_share("canvas_step", o->canvas_step));
  ISC_TRY(check_share("step", o->step));
  ISC_TRY(check_share("fraction", o->fraction));
  ISC_TRY(check_share("select_size", o->select_size));
  if (!(o->min_accuracy <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "min_accuracy is %g, expected at most 1", o->min_accuracy);
  if (!(o->tv >= 0 && isfinite(o->tv)))
    return isc_fail(ISCP_ERROR_ARGUMENT, "tv is %g, expected 0 or more", o->tv);
  if (o->alpha_mode == ISCP_ALPHA_FIXED && !(o->alpha >= 0 && isfinite(o->alpha)))
    return isc_fail(ISCP_ERROR_ARGUMENT, "alpha is %g, expected 0 or more", o->alpha);
  ISC_TRY(check_canvases(o, model));
  return check_classes(o, model);
}
