/* A call of a deprecated function: versions.py wants the warning, and the word what to use instead. */
#include <iscp/version.h>

ISCP_DEPRECATED("use iscp_version") static int outdated(void);

static int outdated(void) {
  return 0;
}

int main(void) {
  return outdated();
}
