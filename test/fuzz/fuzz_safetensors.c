#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  isc_tensor_set set = {0};
  isc_source source;
  isc_source_memory(&source, data, size);
  fuzz_check(isc_safetensors_read(&set, fuzz_context(), &source, NULL));
  fuzz_touch_set(&set, fuzz_context());
  return 0;
}
