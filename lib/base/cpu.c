/* Which instruction sets this CPU has, and which of them a thread may use (simd.h). */
#include "base/simd.h"

static _Thread_local uint32_t allowed = ISC_CPU_ALL;

uint32_t isc_cpu_found(void) {
  uint32_t found = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    found |= ISC_CPU_AVX2;
  if (__builtin_cpu_supports("avx512f"))
    found |= ISC_CPU_AVX512F;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    found |= ISC_CPU_AVX512;
#endif
  return found;
}

uint32_t isc_cpu(void) { return isc_cpu_found() & allowed; }

void isc_cpu_limit(uint32_t features) { allowed = features; }
