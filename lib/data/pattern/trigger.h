/* The inside of triggers, for lib/data only: poisoned.c stamps them on stored pictures. */
#ifndef ISC_DATA_TRIGGER_H
#define ISC_DATA_TRIGGER_H

#include "data/picture/picture.h"

iscp_trigger *isc_trigger_hold(const iscp_trigger *trigger); /* one more reference */

/* Whether a stored picture of this size has room for it: ISCP_ERROR_MISMATCH says both sizes. */
iscp_status isc_trigger_check(const iscp_trigger *trigger, int64_t height, int64_t width);

/* Puts the trigger on `values`, which are those of `picture` (u8) and the caller's to change. Checked before. */
void isc_trigger_stamp(const iscp_trigger *trigger, uint8_t *values, const isc_picture *picture);

#endif
