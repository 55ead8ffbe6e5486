/* Draws the searched part of a dataset (D_n): a seeded share of each class, the same on every machine.
 *
 * An image's place in the draw depends on (seed, label, index) only, never on threads or on the order of work. */
#include <math.h>
#include <string.h>

#include "data/dataset.h"

static int64_t share_of(double fraction, int64_t count) {
  int64_t share = (int64_t)floor(fraction * (double)count + 0.5);
  return share < 1 ? 1 : share > count ? count : share;
}

/* Lists the images of each class, one class after the other: class y has members[starts[y]] to
 * members[starts[y + 1] - 1]. `starts` is classes + 2 zeros. */
static void list_members(int64_t *members, int64_t *starts, const isc_images *images) {
  int64_t *next = starts + 1; /* during the listing, entry y + 1 is the next free place of class y */
  for (int64_t i = 0; i < images->count; i++)
    next[images->labels[i] + 1]++;
  for (int32_t y = 0; y < images->classes; y++)
    next[y + 1] += next[y];
  for (int64_t i = 0; i < images->count; i++)
    members[next[images->labels[i]]++] = i;
}

iscp_status isc_split_draw(uint8_t *searched, const iscp_dataset *dataset, double fraction, uint64_t seed) {
  if (!(fraction > 0 && fraction <= 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "fraction is %g, expected above 0, up to 1", fraction);
  const iscp_context *context = dataset->context;
  const isc_images *images = dataset->images;
  memset(searched, 0, (size_t)images->count);
  int64_t *starts = isc_calloc(context, (size_t)images->classes + 2, sizeof *starts);
  int64_t *members = isc_calloc(context, (size_t)images->count, sizeof *members);
  iscp_status status = starts && members ? ISCP_OK : ISCP_ERROR_MEMORY;
  if (status == ISCP_OK)
    list_members(members, starts, images);
  for (int32_t y = 0; y < images->classes && status == ISCP_OK; y++) {
    int64_t *first = members + starts[y], count = starts[y + 1] - starts[y];
    if (!count)
      continue;
    status = isc_random_shuffle(context, first, count, seed, ISC_PURPOSE_SPLIT, y, 0);
    for (int64_t i = 0; i < share_of(fraction, count) && status == ISCP_OK; i++)
      searched[first[i]] = 1;
  }
  isc_free(context, members);
  isc_free(context, starts);
  return status;
}
