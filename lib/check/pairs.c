/* The confusion matrix as a list of what is not zero: a matrix of many classes would be larger than the set. */
#include <stdlib.h>

#include "check/pairs.h"

static int by_classes(const void *a, const void *b) {
  const isc_pair *x = a, *y = b;
  if (x->label != y->label)
    return x->label < y->label ? -1 : 1;
  return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

static int by_count(const void *a, const void *b) {
  const isc_pair *x = a, *y = b;
  if (x->count != y->count)
    return x->count > y->count ? -1 : 1;
  return by_classes(a, b);
}

iscp_status isc_pairs_count(isc_pair **pairs, int64_t *pair_count, const iscp_context *context, const int32_t *labels,
                            const int32_t *predicted, int64_t count) {
  isc_pair *list = *pairs = isc_calloc(context, (size_t)count, sizeof *list);
  int64_t kept = 0;
  *pair_count = 0;
  if (!list)
    return ISCP_ERROR_MEMORY;
  for (int64_t i = 0; i < count; i++)
    list[i] = (isc_pair){labels[i], predicted[i], 1};
  qsort(list, (size_t)count, sizeof *list, by_classes);
  for (int64_t i = 1; i < count; i++)
    if (by_classes(&list[kept], &list[i]))
      list[++kept] = list[i];
    else
      list[kept].count++;
  *pair_count = count ? kept + 1 : 0;
  qsort(list, (size_t)*pair_count, sizeof *list, by_count);
  return ISCP_OK;
}
