#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  isc_tensor image = {0};
  isc_source source;
  isc_source_memory(&source, data, size);
  iscp_status status = isc_jpeg_read(&image, fuzz_context(), &source);
  fuzz_check(status);
  if (status == ISCP_OK)
    fuzz_touch(&image);
  isc_tensor_release(&image, fuzz_context());
  return 0;
}
