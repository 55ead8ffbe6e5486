/* lib/base/rows.c: rows of a batch on several threads, and whose message is heard when some of them fail. */
#include <omp.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/base.h"
#include "support.h"

enum { ROWS = 40 };

typedef struct batch {
  atomic_int runs[ROWS];
  bool fails[ROWS];
  bool heals; /* a row that failed does not fail again */
} batch;

static iscp_status fill_row(void *user, int32_t row) {
  batch *b = user;
  int before = atomic_fetch_add(&b->runs[row], 1);
  if (b->fails[row] && !(b->heals && before))
    return isc_fail(ISCP_ERROR_FORMAT, "row %d is broken", row);
  return ISCP_OK;
}

START_TEST(each_row_is_filled_once) {
  batch b = {0};
  omp_set_num_threads(3);
  ASSERT_OK(isc_rows_fill(ROWS, fill_row, &b));
  for (int i = 0; i < ROWS; i++)
    ck_assert_int_eq(b.runs[i], 1);
  ASSERT_OK(isc_rows_fill(0, fill_row, &b));
  ck_assert_int_eq(b.runs[0], 1);
}
END_TEST

/* Whichever thread met it first. */
START_TEST(the_first_broken_row_is_told) {
  for (int threads = 1; threads <= 4; threads++)
    for (int first = 0; first < ROWS; first += 13) {
      batch b = {0};
      omp_set_num_threads(threads);
      b.fails[first] = b.fails[ROWS - 1] = true;
      char word[32];
      snprintf(word, sizeof word, "row %d is broken", first);
      support_failed(isc_rows_fill(ROWS, fill_row, &b), ISCP_ERROR_FORMAT, word);
    }
}
END_TEST

/* A file that comes back while the message is looked for: the rows are complete. */
START_TEST(a_row_that_heals_is_filled) {
  batch b = {.heals = true};
  omp_set_num_threads(3);
  b.fails[7] = b.fails[31] = true;
  ASSERT_OK(isc_rows_fill(ROWS, fill_row, &b));
  ck_assert_int_eq(b.runs[6], 1);
  ck_assert_int_eq(b.runs[7], 2);
  ck_assert_int_eq(b.runs[31], 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rows");
  TCase *rows = tcase_create("rows");
  tcase_add_test(rows, each_row_is_filled_once);
  tcase_add_test(rows, the_first_broken_row_is_told);
  tcase_add_test(rows, a_row_that_heals_is_filled);
  suite_add_tcase(suite, rows);
  return support_run(suite);
}
