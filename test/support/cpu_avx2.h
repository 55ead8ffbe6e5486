/* Included before a source of lib/nn: its choice of kernels then sees a CPU that ends at AVX2. */
static inline int cpu_has_avx2(void) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return 0;
#endif
}
#define __builtin_cpu_supports(feature) ((feature)[3] != '5' && cpu_has_avx2())
