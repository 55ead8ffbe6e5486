/* Version of the running library. Sizes of its structs are in fields/registry.c. */
#include <iscp/version.h>

uint32_t iscp_version(void) {
  return ISCP_VERSION;
}
