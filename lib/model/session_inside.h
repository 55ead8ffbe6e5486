/* The inside of a session, for session.c and budget.c only. */
#ifndef ISC_MODEL_SESSION_INSIDE_H
#define ISC_MODEL_SESSION_INSIDE_H

#include <stdatomic.h>

#include "model/model.h"

struct iscp_session {
  iscp_model *model;
  isc_plan *plan;
  int32_t purpose;
  int64_t numbers; /* of one image */
  atomic_flag busy;
};

/* budget.c: what a session's plan is asked for, and whether there can be one. */
isc_plan_form isc_session_form(const iscp_model *model, int32_t batch, int32_t purpose);
iscp_status isc_session_check(const iscp_model *model, int32_t batch);

#endif
