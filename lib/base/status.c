/* The thread's one-line message. A static record, so that reporting a failed allocation allocates nothing. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"

enum { MESSAGE_SIZE = 1024 };

static _Thread_local char message[MESSAGE_SIZE];

void isc_keep_one_line(char *text) {
  for (char *c = text; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f)
      *c = '?';
}

void isc_message_set(const char *format, ...) {
  char text[MESSAGE_SIZE]; /* an argument may be the message itself */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  memcpy(message, text, sizeof message);
  isc_keep_one_line(message);
}

const char *iscp_error_message(void) { return message; }

const char *iscp_status_name(iscp_status status) {
  static const char *const names[] = {
      "ISCP_OK",
      "ISCP_ERROR_ARGUMENT",
      "ISCP_ERROR_MEMORY",
      "ISCP_ERROR_IO",
      "ISCP_ERROR_FORMAT",
      "ISCP_ERROR_UNSUPPORTED",
      "ISCP_ERROR_MISMATCH",
      "ISCP_ERROR_CANCELLED",
      "ISCP_ERROR_ABI",
      "ISCP_ERROR_BACKEND",
      "ISCP_ERROR_BUSY",
  };
  if (status < 0 || (size_t)status >= sizeof names / sizeof *names)
    return "unknown status";
  return names[status];
}
