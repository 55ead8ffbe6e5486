/* The inside of a pattern, for lib/data only. */
#ifndef ISC_DATA_PATTERN_H
#define ISC_DATA_PATTERN_H

#include "data/data.h"

struct iscp_pattern {
  iscp_context *context;
  iscp_pattern_info info;
  int32_t *positions; /* info.pixels, best first */
  float *values;      /* info.pixels x info.channels */
};

/* A pixel and what it is ranked by: larger value, then larger evidence, then lower position. */
typedef struct isc_ranked {
  float value;
  int32_t evidence;
  int32_t position;
} isc_ranked;
void isc_rank(isc_ranked *items, int64_t count);

iscp_status isc_pattern_check_form(const iscp_pattern_info *info);

/* An empty pattern; NULL without memory. */
iscp_pattern *isc_pattern_begin(const iscp_context *context, const iscp_pattern_info *info);

/* Fills `tied` and `tied_kept` for the first info->pixels of `count` ranked items. */
void isc_pattern_count_ties(iscp_pattern_info *info, const isc_ranked *items, int64_t count);

/* The first info.pixels items' positions, and the image's values there. */
iscp_status isc_pattern_take(iscp_pattern *pattern, const isc_ranked *items, const float *image);

#endif
