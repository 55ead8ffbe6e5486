/* The input contract that stands in a checkpoint or beside it. Seen by lib/model only. */
#ifndef ISC_MODEL_STORED_H
#define ISC_MODEL_STORED_H

#include "data/data.h"

#define ISC_CONTRACT_KEY "iscp.contract" /* of a file's metadata */

/* Where a contract and its class names go: the caller's. */
typedef struct isc_stored_contract {
  iscp_contract *contract;
  char ***names;
  size_t *name_count;
} isc_stored_contract;

/* What the file carries, else what lies beside it; *found says which ("metadata", or a path) and is the caller's, NULL if neither
 * is there: then nothing is read. */
iscp_status isc_stored_contract_read(const isc_stored_contract *out, char **found, const iscp_context *context,
                                     const isc_tensor_set *tensors, const char *path);

/* ISCP_ERROR_MISMATCH, with the message for a file without one. */
iscp_status isc_stored_contract_missing(void);

#endif
