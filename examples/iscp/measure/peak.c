/* The processor's peak in float32: multiply-adds in registers. A core starts one or two a cycle and has each back after
 * some four, so twelve independent chains keep it busy; they start at different values, or the compiler would see that
 * they are equal and keep one. Values stay near 1: m x + b has its fixed point there. */
#include <omp.h>

#include "measure/measure.h"

enum { CHAINS = 12 };

/* Runs `count` rounds and answers something that depends on every chain. */
typedef float kernel_fn(long count);

typedef struct kernel {
  const char *name;
  kernel_fn *run;
  double flops; /* of a round */
} kernel;

#if defined(__x86_64__)
#include <immintrin.h>

/* The empty assembly pins each chain to a register in each round. */
#define ROUNDS(vector, set, multiply_add, constraint)                                                              \
  vector m = set(0.999f), b = set(0.001f);                                                                         \
  vector c0 = set(0.5f), c1 = set(0.6f), c2 = set(0.7f), c3 = set(0.8f), c4 = set(0.9f), c5 = set(1.0f);           \
  vector c6 = set(1.1f), c7 = set(1.2f), c8 = set(1.3f), c9 = set(1.4f), c10 = set(1.5f), c11 = set(1.6f);         \
  for (long i = 0; i < count; i++) {                                                                               \
    c0 = multiply_add(c0, m, b), c1 = multiply_add(c1, m, b), c2 = multiply_add(c2, m, b);                         \
    c3 = multiply_add(c3, m, b), c4 = multiply_add(c4, m, b), c5 = multiply_add(c5, m, b);                         \
    c6 = multiply_add(c6, m, b), c7 = multiply_add(c7, m, b), c8 = multiply_add(c8, m, b);                         \
    c9 = multiply_add(c9, m, b), c10 = multiply_add(c10, m, b), c11 = multiply_add(c11, m, b);                     \
    __asm__ volatile("" : "+" constraint(c0), "+" constraint(c1), "+" constraint(c2), "+" constraint(c3),          \
                     "+" constraint(c4), "+" constraint(c5), "+" constraint(c6), "+" constraint(c7),               \
                     "+" constraint(c8), "+" constraint(c9), "+" constraint(c10), "+" constraint(c11));            \
  }                                                                                                                \
  vector sum = ((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7)) + ((c8 + c9) + (c10 + c11));                      \
  return sum[0]

__attribute__((target("avx512f"), noinline)) static float run_avx512(long count) {
  ROUNDS(__m512, _mm512_set1_ps, _mm512_fmadd_ps, "v");
}

__attribute__((target("avx2,fma"), noinline)) static float run_avx2(long count) {
  ROUNDS(__m256, _mm256_set1_ps, _mm256_fmadd_ps, "x");
}

#define MULTIPLY_ADD(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
__attribute__((noinline)) static float run_sse2(long count) { ROUNDS(__m128, _mm_set1_ps, MULTIPLY_ADD, "x"); }

static const kernel *choose(void) {
  static const kernel avx512 = {"avx512f", run_avx512, CHAINS * 16 * 2};
  static const kernel avx2 = {"avx2 fma", run_avx2, CHAINS * 8 * 2};
  static const kernel sse2 = {"sse2", run_sse2, CHAINS * 4 * 2};
  if (__builtin_cpu_supports("avx512f"))
    return &avx512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2 : &sse2;
}

#else

/* Vectors of four as GCC and clang know them on every processor. */
typedef float four __attribute__((vector_size(16)));

__attribute__((noinline)) static float run_plain(long count) {
  four m = {0.999f, 0.999f, 0.999f, 0.999f}, b = {0.001f, 0.001f, 0.001f, 0.001f}, chains[CHAINS];
  for (int k = 0; k < CHAINS; k++)
    chains[k] = b * (float)(500 + 100 * k);
  for (long i = 0; i < count; i++)
    for (int k = 0; k < CHAINS; k++)
      for (int l = 0; l < 4; l++)
        chains[k][l] = __builtin_fmaf(chains[k][l], m[l], b[l]);
  float sum = 0;
  for (int k = 0; k < CHAINS; k++)
    sum += chains[k][0] + chains[k][1] + chains[k][2] + chains[k][3];
  return sum;
}

static const kernel *choose(void) {
  static const kernel plain = {"plain", run_plain, CHAINS * 4 * 2};
  return &plain;
}
#endif

const char *peak_kernel(void) { return choose()->name; }

/* Seconds until the last thread is done, as a convolution that is cut up among threads takes them. */
static double run_all(const kernel *k, int threads, long count) {
  double start = clock_seconds();
#pragma omp parallel num_threads(threads)
  k->run(count);
  return clock_seconds() - start;
}

static const double WARM_SECONDS = 0.02;

double peak_run(int threads, double seconds) {
  static long rounds = 20000; /* of the last run, and how long a round took: the length of the next one follows */
  static double round_seconds;
  const kernel *k = choose();
  for (double took = 0; round_seconds <= 0 && took < WARM_SECONDS; rounds *= 2) { /* the first run wakes the threads */
    took = run_all(k, threads, rounds);
    round_seconds = took < WARM_SECONDS ? 0 : took / (double)rounds;
  }
  rounds = (long)(seconds / round_seconds) + 1000;
  double took = run_all(k, threads, rounds);
  round_seconds = took / (double)rounds;
  return threads * k->flops * (double)rounds / took * 1e-9;
}
