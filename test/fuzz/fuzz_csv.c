#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const iscp_context *context = fuzz_context();
  isc_csv csv;
  iscp_status status = isc_csv_parse(&csv, context, data, size);
  fuzz_check(status);
  size_t cells = csv.rows * csv.columns, length = 0;
  for (size_t i = 0; i < cells; i++)
    length += strlen(csv.cells[i]);
  if (length > size || (status == ISCP_OK && !csv.rows))
    abort();
  isc_csv_release(&csv, context);
  return 0;
}
