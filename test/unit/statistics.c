/* lib/evaluate/statistics.c: intervals, rates and means, beside values known or counted by hand. */
#include <math.h>
#include <string.h>

#include "evaluate/evaluate.h"
#include "support.h"

/* By the formula at 40 digits; all but the last two are in Newcombe (1998), to four digits. */
START_TEST(wilson_intervals_are_the_known_ones) {
  static const struct {
    int64_t hits, count;
    double low, high;
  } known[] = {{81, 263, 0.25528851988, 0.36620957698}, {15, 148, 0.06238639953, 0.16048724172},
               {0, 20, 0, 0.16112515805},               {1, 29, 0.00611321429, 0.17175521879},
               {20, 20, 0.83887484195, 1},              {5, 10, 0.23659309051, 0.76340690949}};
  double low, high;
  for (int i = 0; i < 6; i++) {
    isc_wilson(&low, &high, known[i].hits, known[i].count);
    ck_assert_double_eq_tol(low, known[i].low, 1e-10);
    ck_assert_double_eq_tol(high, known[i].high, 1e-10);
  }
  isc_wilson(&low, &high, 0, 0);
  ck_assert(low == 0 && high == 1);
}
END_TEST

/* Row 0: its patterns keep half of 0.8 on the second model and nothing on the third. */
START_TEST(transfer_rates_are_source_over_target) {
  const double powers[] = {0.8, 0.4, 0, 0.6, 0.5, 0.25, NAN, 0.1, 0.2};
  double rates[9];
  ASSERT_OK(iscp_transfer_rates(rates, powers, 3));
  ck_assert(rates[0] == 1 && rates[1] == 2 && isnan(rates[2]));
  ck_assert(rates[3] == 0.5 / 0.6 && rates[4] == 1 && rates[5] == 2);
  ck_assert(isnan(rates[6]) && rates[7] == 2 && rates[8] == 1);
  memcpy(rates, powers, sizeof rates);
  ASSERT_OK(iscp_transfer_rates(rates, rates, 3));
  ck_assert(rates[0] == 1 && rates[1] == 2 && rates[3] == 0.5 / 0.6 && rates[5] == 2);
  support_failed(iscp_transfer_rates(NULL, powers, 3), ISCP_ERROR_ARGUMENT, "rates is NULL");
  support_failed(iscp_transfer_rates(rates, NULL, 3), ISCP_ERROR_ARGUMENT, "powers is NULL");
  support_failed(iscp_transfer_rates(rates, powers, 0), ISCP_ERROR_ARGUMENT, "models is 0, expected 1 or more");
}
END_TEST

START_TEST(std_is_of_the_population) {
  const double values[] = {2, 4, 4, 4, 5, 5, 7, 9}, one[] = {0.3}, broken[] = {1, NAN, 2};
  double mean, std;
  ASSERT_OK(iscp_mean_std(values, 8, &mean, &std));
  ck_assert(mean == 5 && std == 2);
  ASSERT_OK(iscp_mean_std(one, 1, &mean, &std));
  ck_assert(mean == 0.3 && std == 0);
  ASSERT_OK(iscp_mean_std(broken, 3, &mean, &std));
  ck_assert(isnan(mean) && isnan(std));
  support_failed(iscp_mean_std(NULL, 1, &mean, &std), ISCP_ERROR_ARGUMENT, "values");
  support_failed(iscp_mean_std(values, 1, NULL, &std), ISCP_ERROR_ARGUMENT, "mean");
  support_failed(iscp_mean_std(values, 1, &mean, NULL), ISCP_ERROR_ARGUMENT, "std");
  support_failed(iscp_mean_std(values, 0, &mean, &std), ISCP_ERROR_ARGUMENT, "count is 0");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("statistics");
  TCase *figures = tcase_create("figures");
  tcase_add_test(figures, wilson_intervals_are_the_known_ones);
  tcase_add_test(figures, transfer_rates_are_source_over_target);
  tcase_add_test(figures, std_is_of_the_population);
  suite_add_tcase(suite, figures);
  return support_run(suite);
}
