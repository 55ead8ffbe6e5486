#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  isc_tensor array = {0};
  isc_source source;
  isc_source_memory(&source, data, size);
  iscp_status status = isc_idx_read(&array, fuzz_context(), &source);
  fuzz_check(status);
  if (status == ISCP_OK)
    fuzz_touch(&array);
  isc_tensor_release(&array, fuzz_context());
  return 0;
}
