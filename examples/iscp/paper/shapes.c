/* Two plain measures of what patterns look like, where the paper says it in words. */
#include <math.h>
#include <stdlib.h>

#include "paper/reproduce.h"

double share_touching(const iscp_pattern *pattern) {
  iscp_pattern_info info = {.struct_size = sizeof info};
  if (iscp_pattern_get_info(pattern, &info) != ISCP_OK)
    return NAN;
  const int32_t *positions = iscp_pattern_positions(pattern);
  size_t stride = (size_t)info.width + 2;
  char *marks = take(((size_t)info.height + 2) * stride); /* with a border of nothing */
  int32_t touching = 0;
  for (int32_t i = 0; i < info.pixels; i++)
    marks[(size_t)(positions[i] / info.width + 1) * stride + (size_t)(positions[i] % info.width) + 1] = 1;
  for (int32_t i = 0; i < info.pixels; i++) {
    const char *at = marks + (size_t)(positions[i] / info.width + 1) * stride + (size_t)(positions[i] % info.width) + 1;
    touching += at[-1] || at[1] || at[-(ptrdiff_t)stride] || at[stride];
  }
  free(marks);
  return (double)touching / info.pixels;
}

static int is_outer(int32_t place, int32_t length) { return 4 * place < length || 4 * (place + 1) > 3 * length; }

double share_in_corners(const iscp_pattern *pattern) {
  iscp_pattern_info info = {.struct_size = sizeof info};
  if (iscp_pattern_get_info(pattern, &info) != ISCP_OK)
    return NAN;
  const int32_t *positions = iscp_pattern_positions(pattern);
  int32_t inside = 0;
  for (int32_t i = 0; i < info.pixels; i++)
    inside += is_outer(positions[i] / info.width, info.height) && is_outer(positions[i] % info.width, info.width);
  return (double)inside / info.pixels;
}

iscp_status mean_share(double *mean, const study_run *run, double size, double (*share)(const iscp_pattern *)) {
  double sum = 0;
  int count = 0;
  for (int32_t i = 0; i < run->of->class_count; i++) {
    int32_t entry = study_entry(run, run->of->classes[i], -1);
    iscp_pattern *pattern;
    if (entry < 0)
      continue;
    iscp_status status = iscp_pattern_list_cut(&pattern, run->list, entry, ISCP_CUT_SIZE, size);
    if (status != ISCP_OK)
      return status;
    sum += share(pattern);
    count++;
    iscp_pattern_destroy(pattern);
  }
  *mean = count ? sum / count : NAN;
  return ISCP_OK;
}
