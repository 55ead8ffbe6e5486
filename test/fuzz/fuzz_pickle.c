#include "format/checkpoint/views.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const iscp_context *context = fuzz_context();
  isc_pickle pickle;
  isc_views views = {.byte_limit = 1 << 20};
  isc_tensor_set set = {0};
  iscp_status status = isc_pickle_parse(&pickle, context, data, 0, size);
  if (status == ISCP_OK)
    status = isc_views_collect(&views, &set, context, &pickle, NULL);
  fuzz_check(status);
  isc_tensor_set_release(&set, context);
  isc_free(context, views.items);
  isc_pickle_release(&pickle, context);
  return 0;
}
