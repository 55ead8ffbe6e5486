#include <string.h>

#include "data/data.h"
#include "fuzz.h"

static void check(int right) {
  if (!right)
    abort();
}

/* What was read is in range, is printed, and reads back the same. */
static void go_round(const iscp_contract *contract, char **names, size_t count) {
  const iscp_context *context = fuzz_context();
  iscp_contract whole, again;
  char *json, **names_again;
  size_t count_again;
  check(isc_contract_read(&whole, contract) == ISCP_OK);
  check(isc_contract_print(&json, context, contract, (const char *const *)names, count) == ISCP_OK);
  check(isc_contract_parse(&again, &names_again, &count_again, context, json, strlen(json), false) == ISCP_OK);
  check(!memcmp(&again, contract, sizeof again) && count == count_again);
  isc_names_free(names_again, count_again, context);
  isc_free(context, json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  iscp_contract contract;
  char **names;
  size_t count;
  iscp_status status = isc_contract_parse(&contract, &names, &count, fuzz_context(), (const char *)data, size, true);
  fuzz_check(status);
  if (status == ISCP_OK)
    go_round(&contract, names, count);
  isc_names_free(names, count, fuzz_context());
  return 0;
}
