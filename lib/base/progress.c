/* Tells the caller how far the work is, ten times a second, and hears whether to stop. */
#include "base/base.h"

static int64_t tick_now(void) { return (int64_t)(10 * isc_clock()); }

void isc_progress_begin(isc_progress *progress, const char *stage, int64_t total, iscp_progress_fn function, void *user) {
  *progress = (isc_progress){function, user, stage, total, -1};
}

iscp_status isc_progress_tell(isc_progress *progress, int64_t done) {
  if (!progress->function)
    return ISCP_OK;
  int64_t tick = tick_now();
  if (tick == progress->last_tick && done < progress->total)
    return ISCP_OK;
  progress->last_tick = tick;
  iscp_progress report = {sizeof report, 0, progress->stage, done, progress->total};
  if (progress->function(&report, progress->user))
    return isc_fail(ISCP_ERROR_CANCELLED, "cancelled during %s after %lld of %lld steps", progress->stage,
                    (long long)done, (long long)progress->total);
  return ISCP_OK;
}
