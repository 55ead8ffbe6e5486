/* Version of the library: at compile time by the macros, at run time by iscp_version(). */
#ifndef ISCP_VERSION_H
#define ISCP_VERSION_H

#include <stdint.h>

#if defined(__GNUC__)
#define ISCP_API __attribute__((visibility("default")))
#else
#define ISCP_API
#endif

/* Before a declaration that a later release will drop: whoever uses it is warned, and told what to use (docs/abi.md). */
#if defined(__GNUC__)
#define ISCP_DEPRECATED(instead) __attribute__((deprecated(instead)))
#else
#define ISCP_DEPRECATED(instead)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ISCP_VERSION_MAJOR 0
#define ISCP_VERSION_MINOR 1
#define ISCP_VERSION_PATCH 0

/* The version of the headers as one number, for #if: 1.2.3 is 0x010203. */
#define ISCP_VERSION (ISCP_VERSION_MAJOR << 16 | ISCP_VERSION_MINOR << 8 | ISCP_VERSION_PATCH)

/* The SONAME's number. It changes only when a program built against an older header would break. */
#define ISCP_ABI_VERSION 0

/* The version of the library that is running, as ISCP_VERSION has it: major << 16 | minor << 8 | patch. Any thread. Since 0.1. */
ISCP_API uint32_t iscp_version(void);

/* One line that names the version, the backends compiled in, and the versions of their libraries, as
 * "libiscp 0.1.0, oneDNN 2.6.3, OpenBLAS 0.3.21". Static storage, any thread. Since 0.1. */
ISCP_API const char *iscp_version_text(void);

/* Size in bytes, in the running library, of a public struct given by its name ("iscp_search_options"),
 * 0 for a name that it does not know. For bindings that declare the structs again. Since 0.1. */
ISCP_API uint32_t iscp_abi_sizeof(const char *struct_name);

#ifdef __cplusplus
}
#endif
#endif
