/* The shift of attention: a report's patterns on images, as in Figure 12 of the paper. */
#include <stdlib.h>
#include <string.h>

#include "commands/gradcam/gradcam.h"

enum { IMAGES = 5 }; /* a pattern, if none were asked for */

static int is_chosen(const gradcam_run *run, int32_t class_index) {
  for (int32_t i = 0; i < run->class_count; i++)
    if (run->classes[i] == class_index)
      return 1;
  return 0;
}

static iscp_status overlay(float *dst, const gradcam_run *run, const float *map, const float *image) {
  return iscp_heat_overlay(dst, map, image, run->contract->channels, run->contract->height, run->contract->width,
                           run->own->opacity);
}

/* Above the image and its map, below the same with the pattern on it. `memory`: the other image, both maps, both overlays. */
static int finish_shift(gradcam_run *run, const iscp_pattern *pattern, int64_t image, float *memory) {
  float *attached = memory, *before = attached + run->numbers, *after = before + run->pixels;
  float *overlays[] = {after + run->pixels, after + 4 * run->pixels};
  shift_row *row = &run->shifts[run->shift_count++];
  *row = (shift_row){.image = image, .shift.struct_size = sizeof row->shift};
  iscp_status status = iscp_dataset_image(run->data, image, run->image);
  if (status == ISCP_OK)
    status = iscp_gradcam_shift(&row->shift, before, after, run->gradcam, run->image, pattern);
  memcpy(attached, run->image, run->numbers * sizeof *attached);
  if (status == ISCP_OK)
    status = iscp_pattern_attach(pattern, attached);
  if (status == ISCP_OK)
    status = overlay(overlays[0], run, before, run->image);
  if (status == ISCP_OK)
    status = overlay(overlays[1], run, after, attached);
  if (status != ISCP_OK)
    return failed(status);
  const float *left[] = {run->image, attached}, *right[] = {overlays[0], overlays[1]};
  int32_t y = row->shift.target;
  int code = gradcam_write_map(run, "before", y, image, before);
  if (code == EXIT_DONE)
    code = gradcam_write_map(run, "after", y, image, after);
  return code == EXIT_DONE ? gradcam_write_pairs(run, "shift", y, image, left, right, 2) : code;
}

/* The images asked for, or the first ones of other classes. */
static int shift_pattern(gradcam_run *run, const iscp_pattern *pattern, int32_t class_index) {
  float *memory = take((run->numbers + 8 * run->pixels) * sizeof *memory);
  int64_t count = run->index ? run->index_count : iscp_dataset_count(run->data);
  int code = EXIT_DONE, done = 0;
  for (int64_t i = 0; code == EXIT_DONE && i < count && (run->index || done < IMAGES); i++) {
    if (!run->index && iscp_dataset_label(run->data, i) == class_index)
      continue;
    code = signals_came() ? EXIT_INTERRUPTED : finish_shift(run, pattern, run->index ? run->index[i] : i, memory);
    done++;
  }
  free(memory);
  return code;
}

static int shift_entry(gradcam_run *run, int32_t entry) {
  int32_t y, selected;
  iscp_pattern *pattern;
  iscp_status status = iscp_pattern_list_entry(run->list, entry, &y, &selected);
  if (status == ISCP_OK && (!selected || !is_chosen(run, y)))
    return EXIT_DONE;
  if (status == ISCP_OK)
    status = iscp_pattern_list_cut(&pattern, run->list, entry, ISCP_CUT_SIZE, run->own->sizes[0]);
  if (status != ISCP_OK)
    return failed(status);
  char *path = gradcam_path(run, "pattern", y, -1, "png");
  status = iscp_pattern_write_png(pattern, path, run->scale);
  int code = status == ISCP_OK ? shift_pattern(run, pattern, y) : failed(status);
  free(path);
  iscp_pattern_destroy(pattern);
  return code;
}

int gradcam_shifts(gradcam_run *run) {
  int32_t entries = iscp_pattern_list_count(run->list);
  size_t images = run->index ? (size_t)run->index_count : IMAGES;
  run->shifts = take((size_t)entries * images * sizeof *run->shifts);
  int code = EXIT_DONE;
  for (int32_t i = 0; code == EXIT_DONE && i < entries; i++)
    code = shift_entry(run, i);
  if (code == EXIT_DONE && !run->shift_count) {
    complain("%s has no pattern of the classes asked for", run->own->patterns);
    return EXIT_FAILED;
  }
  return code;
}
