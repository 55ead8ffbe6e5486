/* The inside of the input contract, for lib/data only: defaults, ranges, and the JSON of others. */
#ifndef ISC_DATA_CONTRACT_H
#define ISC_DATA_CONTRACT_H

#include <jansson.h>

#include "data/data.h"

extern const iscp_contract isc_contract_defaults;

/* ISCP_ERROR_ARGUMENT names the first field that is out of range or contradicts another (contract.c). */
iscp_status isc_contract_range(const iscp_contract *contract);

/* ---- Pieces of JSON (contract_pieces.c): all failures are ISCP_ERROR_FORMAT ---- */

iscp_status isc_json_integer(int32_t *value, const json_t *item, const char *key);

/* As isc_json_integer if `root` has the key; otherwise the value stays. */
iscp_status isc_json_optional_integer(int32_t *value, const json_t *root, const char *key);

/* Whether `array` is one of `count` items. */
iscp_status isc_json_array(const json_t *array, const char *key, size_t count);

/* An array of `count` numbers under `key`; absent, the values stay. */
iscp_status isc_json_floats(float *values, const json_t *root, const char *key, size_t count);

/* ---- One object's readers, below isc_contract_parse (contract_read.c) ---- */

/* libiscp's own object (contract_json.c); names as of isc_contract_parse. */
iscp_status isc_contract_parse_own(iscp_contract *contract, char ***names, size_t *count, const iscp_context *context,
                                   json_t *root);

/* Whether the object is one of timm's or of Hugging Face's (contract_foreign.c). */
bool isc_contract_is_foreign(const json_t *root);

/* ISCP_ERROR_UNSUPPORTED names what has no equal here. */
iscp_status isc_contract_parse_foreign(iscp_contract *contract, const json_t *root);

#endif
