/* The order of classes that explains predictions best: the most frequent pair of label and prediction first, then the most
 * frequent of those that are free, and so on. What is left goes to itself, or to what is free. */
#include "check/check.h"
#include "check/pairs.h"

static void take_pairs(int32_t *labels, bool *taken, const isc_pair *pairs, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (labels[pairs[i].label] < 0 && !taken[pairs[i].predicted]) {
      labels[pairs[i].label] = pairs[i].predicted;
      taken[pairs[i].predicted] = true;
    }
}

static void take_rest(int32_t *labels, bool *taken, int32_t classes) {
  for (int32_t y = 0; y < classes; y++)
    if (labels[y] < 0 && !taken[y])
      taken[labels[y] = y] = true;
  int32_t next = 0;
  for (int32_t y = 0; y < classes; y++) {
    if (labels[y] >= 0)
      continue;
    while (taken[next])
      next++;
    taken[labels[y] = next] = true;
  }
}

iscp_status isc_labels_match(int32_t *labels, bool *other, const iscp_context *context, const int32_t *given,
                             const int32_t *predicted, int64_t count, int32_t classes) {
  isc_pair *pairs = NULL;
  int64_t pair_count = 0;
  bool *taken = isc_calloc(context, (size_t)classes, sizeof *taken);
  iscp_status status = taken ? isc_pairs_count(&pairs, &pair_count, context, given, predicted, count) : ISCP_ERROR_MEMORY;
  *other = false;
  for (int32_t y = 0; y < classes; y++)
    labels[y] = -1;
  if (status == ISCP_OK) {
    take_pairs(labels, taken, pairs, pair_count);
    take_rest(labels, taken, classes);
    for (int32_t y = 0; y < classes; y++)
      *other = *other || labels[y] != y;
  }
  isc_free(context, pairs);
  isc_free(context, taken);
  return status;
}
