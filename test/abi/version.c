/* The version as a program's preprocessor, compiler and run see it. Compiled as C and as C++ by versions.py. */
#include <iscp/iscp.h>

#if ISCP_VERSION < 0x000100
#error "ISCP_VERSION is not a number for #if"
#endif
#if ISCP_VERSION != ISCP_VERSION_MAJOR * 65536 + ISCP_VERSION_MINOR * 256 + ISCP_VERSION_PATCH
#error "ISCP_VERSION is not major << 16 | minor << 8 | patch"
#endif

int main(void) {
  return iscp_version() == ISCP_VERSION ? 0 : 1;
}
