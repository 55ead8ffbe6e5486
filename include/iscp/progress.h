/* Progress of long work, and the way to stop it. */
#ifndef ISCP_PROGRESS_H
#define ISCP_PROGRESS_H

#include <iscp/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Read-only for the callback, valid only during the call. Later versions may append fields: a callback that
 * reads one must look at struct_size first. */
typedef struct iscp_progress {
  uint32_t struct_size; /* bytes the library filled */
  int32_t reserved;     /* 0 */
  const char *stage;    /* what is being done, as "search"; static storage */
  int64_t done;         /* steps done, of one unit a stage (an image through the network, forward or backward) */
  int64_t total;        /* steps in all, or 0 if unknown */
} iscp_progress;

/* Called on the thread that made the call, about ten times a second and once at the end of a stage. Return 0 to
 * go on; any other value cancels: the call ends at the next step boundary with ISCP_ERROR_CANCELLED. */
typedef int (*iscp_progress_fn)(const iscp_progress *progress, void *user);

#ifdef __cplusplus
}
#endif
#endif
