/* Options of a universal perturbation: defaults and the range of every field. */
#include "attack/uap.h"

static const iscp_uap_options defaults = {
    .struct_size = sizeof(iscp_uap_options),
    .method = ISCP_UAP_SGD,
    .eps = 8.0 / 255,
    .fraction = 1,
    .loss_clamp = 12,
    .overshoot = 0.02,
    .inner_steps = 50,
    .stop = 0.8,
};

iscp_status iscp_uap_options_init(iscp_uap_options *options, uint32_t struct_size) {
  return isc_options_init(options, struct_size, &defaults, sizeof defaults, sizeof defaults, "iscp_uap_options");
}

static iscp_status check_whole(const char *name, int32_t value, int32_t low, int32_t high) {
  if (value < low || value > high)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %d, expected %d to %d", name, value, low, high);
  return ISCP_OK;
}

/* (0, 1] */
static iscp_status check_share(const char *name, double value) {
  if (!(value > 0 && value <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %g, expected more than 0 and at most 1", name, value);
  return ISCP_OK;
}

iscp_status isc_uap_options_check(iscp_uap_options *o, const iscp_uap_options *given) {
  ISC_TRY(isc_options_read(o, &defaults, sizeof defaults, sizeof defaults, given, "iscp_uap_options"));
  ISC_TRY(check_whole("method", o->method, ISCP_UAP_SGD, ISCP_UAP_DEEPFOOL));
  ISC_TRY(check_share("eps", o->eps));
  ISC_TRY(check_share("fraction", o->fraction));
  ISC_TRY(check_share("stop", o->stop));
  ISC_TRY(check_whole("epochs", o->epochs, 0, 1000));
  ISC_TRY(check_whole("batch", o->batch, 0, ISC_LARGEST_BATCH));
  ISC_TRY(check_whole("inner_steps", o->inner_steps, 1, 1000));
  if (!(o->step >= 0 && o->step <= 2))
    return isc_fail(ISCP_ERROR_ARGUMENT, "step is %g, expected 0 to 2", o->step);
  if (!(o->loss_clamp > 0))
    return isc_fail(ISCP_ERROR_ARGUMENT, "loss_clamp is %g, expected more than 0", o->loss_clamp);
  if (!(o->overshoot >= 0 && o->overshoot <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "overshoot is %g, expected 0 to 1", o->overshoot);
  o->step = o->step > 0 ? o->step : 0.8 * o->eps;
  o->epochs = o->epochs ? o->epochs : 10;
  o->batch = o->batch ? o->batch : o->method == ISCP_UAP_SGD ? 64 : 1;
  return ISCP_OK;
}
