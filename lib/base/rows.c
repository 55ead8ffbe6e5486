/* Filling the rows of a batch on all threads. A message belongs to the thread that failed, so what failed is done once more on
 * the caller's. */
#include "base/base.h"

iscp_status isc_rows_fill(int32_t rows, isc_row_fn *each, void *user) {
  int32_t broken = rows;
#pragma omp parallel for schedule(dynamic, 1) reduction(min : broken)
  for (int32_t r = 0; r < rows; r++)
    if (each(user, r) != ISCP_OK)
      broken = r < broken ? r : broken;
  for (int32_t r = broken; r < rows; r++)
    ISC_TRY(each(user, r));
  return ISCP_OK;
}
