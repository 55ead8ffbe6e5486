/* How often each label met each prediction (pairs.c): for lib/check only. */
#ifndef ISC_CHECK_PAIRS_H
#define ISC_CHECK_PAIRS_H

#include "evaluate/evaluate.h"

typedef struct isc_pair {
  int32_t label, predicted;
  int64_t count;
} isc_pair;

/* The pairs that occur, the most frequent first, equal ones by label and prediction; *pairs is the caller's (isc_free). */
iscp_status isc_pairs_count(isc_pair **pairs, int64_t *pair_count, const iscp_context *context, const int32_t *labels,
                            const int32_t *predicted, int64_t count);

#endif
