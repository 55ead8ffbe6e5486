/* The input contract of a checkpoint, which is asked for before there is a network: in its metadata, else in a file beside it. */
#include <stdio.h>
#include <string.h>

#include "format/format.h"
#include "model/model.h"
#include "model/stored.h"

iscp_status isc_stored_contract_read(const isc_stored_contract *out, char **found, const iscp_context *context,
                                     const isc_tensor_set *tensors, const char *path) {
  const char *stored = isc_tensor_set_metadata(tensors, ISC_CONTRACT_KEY);
  ISC_TRY(isc_contract_find(found, context, path));
  if (!stored)
    return *found ? isc_contract_load(out->contract, out->names, out->name_count, context, *found) : ISCP_OK;
  if (*found)
    isc_log(context, ISCP_LOG_INFO, "%s is not read: the weights carry an input contract", *found);
  isc_free(context, *found);
  *found = isc_strdup(context, "metadata");
  if (!*found)
    return ISCP_ERROR_MEMORY;
  return isc_contract_parse(out->contract, out->names, out->name_count, context, stored, strlen(stored), false);
}

iscp_status isc_stored_contract_missing(void) {
  return isc_fail(ISCP_ERROR_MISMATCH, "the file carries no input contract, expected one in the options (height, width, "
                  "padding, mean, std), or in a file \"<weights>.contract.json\" beside it");
}

static iscp_status read(iscp_contract *contract, char **found, const iscp_context *context, const char *path,
                        const char *state_dict) {
  isc_tensor_set tensors = {0};
  const char *container;
  char **names = NULL;
  size_t count = 0;
  const isc_stored_contract out = {contract, &names, &count};
  ISC_TRY(isc_read_checkpoint(&tensors, &container, context, path, state_dict));
  iscp_status status = isc_stored_contract_read(&out, found, context, &tensors, path);
  if (status == ISCP_OK && !*found)
    status = isc_stored_contract_missing();
  isc_names_free(names, count, context);
  isc_tensor_set_release(&tensors, context);
  if (status == ISCP_ERROR_MISMATCH || status == ISCP_ERROR_FORMAT || status == ISCP_ERROR_UNSUPPORTED)
    return isc_fail_in(status, path);
  return status;
}

iscp_status iscp_model_read_contract(iscp_contract *contract, char *source, int32_t source_size, iscp_context *context,
                                     const char *path, const char *state_dict) {
  if (!contract || !context || !path || source_size < 0 || (source_size && !source))
    return isc_fail(ISCP_ERROR_ARGUMENT, "contract, context, path or source is NULL, or source_size %d below 0", source_size);
  iscp_contract stored;
  char *found = NULL;
  iscp_status status = read(&stored, &found, context, path, state_dict);
  if (status == ISCP_OK && source_size)
    snprintf(source, (size_t)source_size, "%s", found);
  isc_free(context, found);
  return status == ISCP_OK ? isc_contract_give(contract, &stored) : status;
}
