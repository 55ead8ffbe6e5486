/* Messages: one line each on standard error, apart from the progress bar. */
#include <stdarg.h>

#include "program.h"

void complain(const char *format, ...) {
  progress_clear();
  fputs("iscp: ", stderr);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

int failed(iscp_status status) {
  if (status == ISCP_ERROR_CANCELLED && signals_came())
    return EXIT_INTERRUPTED;
  complain("%s", iscp_error_message());
  return EXIT_FAILED;
}
