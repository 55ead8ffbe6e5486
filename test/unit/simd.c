/* lib/base/cpu.c: what a thread may use of the CPU. */
#include <omp.h>

#include "base/simd.h"
#include "support.h"

/* Every CPU with the whole of AVX-512 has its foundation. */
START_TEST(features_come_together) {
  uint32_t found = isc_cpu_found();
  ck_assert_uint_eq(found & ~(uint32_t)ISC_CPU_ALL, 0);
  ck_assert(!(found & ISC_CPU_AVX512) || found & ISC_CPU_AVX512F);
  ck_assert_uint_eq(isc_cpu(), found);
}
END_TEST

START_TEST(a_limit_takes_away_and_gives_nothing) {
  for (uint32_t limit = 0; limit <= ISC_CPU_ALL; limit++) {
    isc_cpu_limit(limit);
    ck_assert_uint_eq(isc_cpu(), isc_cpu_found() & limit);
    ck_assert_int_eq(isc_cpu_has(ISC_CPU_AVX2), (isc_cpu_found() & limit & ISC_CPU_AVX2) != 0);
    ck_assert_int_eq(isc_cpu_has(ISC_CPU_AVX2 | ISC_CPU_AVX512),
                     (isc_cpu_found() & limit & (ISC_CPU_AVX2 | ISC_CPU_AVX512)) == (ISC_CPU_AVX2 | ISC_CPU_AVX512));
  }
  isc_cpu_limit(ISC_CPU_ALL);
  ck_assert_uint_eq(isc_cpu(), isc_cpu_found());
}
END_TEST

START_TEST(a_limit_is_the_threads_own) {
  uint32_t other = 0;
  isc_cpu_limit(0);
#pragma omp parallel num_threads(2)
  if (omp_get_thread_num() == 1)
    other = isc_cpu();
  ck_assert_uint_eq(isc_cpu(), 0);
  ck_assert_uint_eq(other, isc_cpu_found());
  isc_cpu_limit(ISC_CPU_ALL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("simd");
  TCase *cpu = tcase_create("cpu");
  tcase_add_test(cpu, features_come_together);
  tcase_add_test(cpu, a_limit_takes_away_and_gives_nothing);
  tcase_add_test(cpu, a_limit_is_the_threads_own);
  suite_add_tcase(suite, cpu);
  return support_run(suite);
}
