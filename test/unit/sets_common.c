#include "sets_common.h"

iscp_contract set_contract;

iscp_dataset_options set_options(int32_t side) {
  iscp_dataset_options options;
  ASSERT_OK(iscp_contract_init(&set_contract, sizeof set_contract));
  set_contract.height = set_contract.width = side;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = &set_contract;
  return options;
}

void set_refused(iscp_context *context, const char *path, const iscp_dataset_options *options, iscp_status status,
                 const char *word) {
  iscp_dataset *dataset = (iscp_dataset *)&dataset;
  support_failed(iscp_dataset_open(&dataset, context, path, options), status, word);
  ck_assert_ptr_null(dataset);
}

void set_opens_without_memory(const char *path, const iscp_dataset_options *options, long least) {
  iscp_status status;
  long allowed = 0;
  do {
    iscp_dataset *dataset = (iscp_dataset *)&dataset;
    iscp_context *context = support_context();
    support_fail_after(allowed++);
    status = iscp_dataset_open(&dataset, context, path, options);
    support_fail_after(-1);
    if (status != ISCP_OK) {
      support_failed(status, ISCP_ERROR_MEMORY, "out of memory");
      ck_assert_ptr_null(dataset);
    }
    iscp_dataset_destroy(dataset);
    support_context_end(context);
  } while (status != ISCP_OK && allowed < 1000);
  ck_assert_int_eq(status, ISCP_OK);
  ck_assert_int_gt(allowed, least);
}
