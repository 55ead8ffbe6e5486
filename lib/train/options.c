/* Options of a training. Defaults and ranges are those of the table (base/fields/train.c); what an attack's radius and step may
 * be, attacks themselves know. */
#include "train/train.h"

iscp_status iscp_train_options_init(iscp_train_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_train_options_fields);
}

/* eps and step become those in force. */
static iscp_status check_attack(iscp_train_options *o) {
  iscp_attack_options attack, read;
  ISC_TRY(iscp_attack_options_init(&attack, sizeof attack));
  attack.norm = o->attack ? o->attack : ISCP_NORM_LINF;
  attack.eps = o->attack_eps;
  attack.step = o->attack_step;
  if (isc_attack_options_check(&read, &attack) != ISCP_OK)
    return isc_fail_in(ISCP_ERROR_ARGUMENT, "attack");
  o->attack_eps = read.eps;
  o->attack_step = read.step;
  return ISCP_OK;
}

iscp_status isc_train_options_check(iscp_train_options *o, const iscp_train_options *given) {
  ISC_TRY(isc_fields_read(o, &isc_train_options_fields, given));
  ISC_TRY(isc_field_check(o, &isc_train_options_fields, "attack"));
  ISC_TRY(check_attack(o));
  return isc_fields_check(o, &isc_train_options_fields);
}
