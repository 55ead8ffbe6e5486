/* Reading an input contract's JSON: whose object it is, one of timm's and Hugging Face's (contract_foreign.c) or libiscp's own
 * (contract_json.c), is decided here, so that neither of them knows the other. */
#include "data/contract/contract.h"

static iscp_status parse_object(iscp_contract *contract, char ***names, size_t *count, const iscp_context *context,
                                json_t *root, bool foreign) {
  iscp_contract parsed;
  if (!json_is_object(root))
    return isc_fail(ISCP_ERROR_FORMAT, "the input contract is not a JSON object");
  if (foreign && isc_contract_is_foreign(root))
    ISC_TRY(isc_contract_parse_foreign(&parsed, root));
  else
    ISC_TRY(isc_contract_parse_own(&parsed, names, count, context, root));
  *contract = parsed;
  return ISCP_OK;
}

iscp_status isc_contract_parse(iscp_contract *contract, char ***names, size_t *count, const iscp_context *context,
                               const char *json, size_t size, bool foreign) {
  *contract = (iscp_contract){0};
  *names = NULL;
  *count = 0;
  json_error_t error;
  json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);
  if (!root && json_error_code(&error) == json_error_out_of_memory)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory while reading the input contract");
  if (!root)
    return isc_fail(ISCP_ERROR_FORMAT, "the input contract is not JSON: %s at byte %d", error.text, error.position);
  iscp_status status = parse_object(contract, names, count, context, root, foreign);
  json_decref(root);
  return status;
}
