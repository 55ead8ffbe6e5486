/* Included before a source of lib/data: its choice of kernels then sees a CPU without any vector extension. */
#define __builtin_cpu_supports(feature) 0
