/* What every fallible call returns, and the words that go with it.
 *
 * Use this when a call returns something other than ISCP_OK: iscp_error_message() is one line that names
 * the offending value and what was expected (for a file: its name and, where it helps, the byte offset).
 * A wrong argument returns a status; it never aborts the process. */
#ifndef ISCP_STATUS_H
#define ISCP_STATUS_H

#include <iscp/version.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t iscp_status;

enum {
  ISCP_OK = 0,
  ISCP_ERROR_ARGUMENT = 1,    /* a wrong argument: NULL, out of range, not a number */
  ISCP_ERROR_MEMORY = 2,      /* an allocation failed; everything taken so far was given back */
  ISCP_ERROR_IO = 3,          /* a file is missing, unreadable, unwritable, or the disk is full */
  ISCP_ERROR_FORMAT = 4,      /* a file is truncated, damaged, or not what its name says */
  ISCP_ERROR_UNSUPPORTED = 5, /* a valid thing that this library, or this build of it, does not do */
  ISCP_ERROR_MISMATCH = 6,    /* two things do not fit: weights and network, images and input contract */
  ISCP_ERROR_CANCELLED = 7,   /* a progress callback asked to stop; what is done stays valid */
  ISCP_ERROR_ABI = 8,         /* an options struct of a size or content that this version does not know */
  ISCP_ERROR_BACKEND = 9,     /* oneDNN or OpenBLAS refused or failed */
  ISCP_ERROR_BUSY = 10        /* the object is in use by another thread, or belongs to a process forked from */
};

/* The last error of the calling thread: one line, no full stop, valid until the thread's next call into
 * the library. Empty if there was none. Never NULL. Since 0.1. */
ISCP_API const char *iscp_error_message(void);

/* The name of a status, as "ISCP_ERROR_FORMAT". Static storage; never NULL. Since 0.1. */
ISCP_API const char *iscp_status_name(iscp_status status);

#ifdef __cplusplus
}
#endif
#endif
