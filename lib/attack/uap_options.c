/* Options of a universal perturbation, whose defaults and ranges are those of the table (base/fields/train.c): what stands for a
 * zero. */
#include "attack/uap.h"

iscp_status iscp_uap_options_init(iscp_uap_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_uap_options_fields);
}

iscp_status isc_uap_options_check(iscp_uap_options *o, const iscp_uap_options *given) {
  ISC_TRY(isc_fields_read(o, &isc_uap_options_fields, given));
  ISC_TRY(isc_fields_check(o, &isc_uap_options_fields));
  o->step = o->step > 0 ? o->step : 0.8 * o->eps;
  o->epochs = o->epochs ? o->epochs : 10;
  o->batch = o->batch ? o->batch : o->method == ISCP_UAP_SGD ? 64 : 1;
  return ISCP_OK;
}
