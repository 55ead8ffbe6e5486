/* iscp info DATA: what a set of images is. */
#include <stdlib.h>

#include "commands/describe.h"

enum { MOST_LINES = 20, MOST_BROKEN = 10 };

/* Images of each class; memory of the caller's. */
static int64_t *count_classes(const iscp_dataset *data) {
  int64_t *counts = take((size_t)iscp_dataset_classes(data) * sizeof *counts);
  for (int64_t i = 0; i < iscp_dataset_count(data); i++)
    counts[iscp_dataset_label(data, i)]++;
  return counts;
}

static void print_range(int32_t low, int32_t high) {
  if (low == high)
    printf("%d", low);
  else
    printf("%d to %d", low, high);
}

static void print_sizes(const iscp_dataset_info *info) {
  printf("sizes         ");
  print_range(info->height_low, info->height_high);
  printf(" x ");
  print_range(info->width_low, info->width_high);
  if (info->channels)
    printf(", %s", info->channels == 1 ? "grey" : "colour");
  else
    printf(" of the pictures looked at");
  printf(" (height x width)\n");
}

static void print_classes(const iscp_dataset *data, const iscp_model *model) {
  int64_t *counts = count_classes(data);
  int32_t classes = iscp_dataset_classes(data);
  int64_t low = counts[0], high = counts[0];
  for (int32_t y = 0; y < classes; y++) {
    const char *own = iscp_dataset_class_name(data, y), *name = own ? own : model ? iscp_model_class_name(model, y) : NULL;
    if (y < MOST_LINES)
      printf("  %4d  %8lld  %s\n", y, (long long)counts[y], name ? name : "");
    low = counts[y] < low ? counts[y] : low;
    high = counts[y] > high ? counts[y] : high;
  }
  if (classes > MOST_LINES)
    printf("  and %d more classes; %lld to %lld images a class\n", classes - MOST_LINES, (long long)low, (long long)high);
  free(counts);
}

void describe_plain(const iscp_dataset *data, const iscp_model *model, const char *path, const char *hash) {
  iscp_dataset_info info = {.struct_size = sizeof info};
  if (iscp_dataset_get_info(data, &info) != ISCP_OK)
    return;
  printf("data          %s\n", path);
  if (hash)
    printf("sha256        %s\n", hash);
  printf("kind          %s\n", info.kind);
  printf("images        %lld\n", (long long)info.images);
  if (info.broken)
    printf("left out      %lld\n", (long long)info.broken);
  for (int64_t i = 0; i < info.broken && i < MOST_BROKEN; i++)
    printf("  %s: %s\n", iscp_dataset_broken_name(data, i), iscp_dataset_broken_reason(data, i));
  print_sizes(&info);
  printf("classes       %d\n", info.classes);
  print_classes(data, model);
}

void describe_json(emitter *j, const iscp_dataset *data, const char *path, const char *hash) {
  iscp_dataset_info info = {.struct_size = sizeof info};
  if (iscp_dataset_get_info(data, &info) != ISCP_OK)
    return;
  int64_t *counts = count_classes(data);
  emit_text(j, "path", path);
  emit_text(j, "kind", info.kind);
  emit_text(j, "data_sha256", hash);
  emit_integer(j, "images", info.images);
  emit_integer(j, "broken", info.broken);
  emit_open(j, "broken_first", '[');
  for (int64_t i = 0; i < info.broken && i < MOST_BROKEN; i++)
    emit_text(j, NULL, iscp_dataset_broken_name(data, i));
  emit_close(j, ']');
  emit_integer(j, "channels", info.channels);
  emit_integer(j, "height_low", info.height_low);
  emit_integer(j, "height_high", info.height_high);
  emit_integer(j, "width_low", info.width_low);
  emit_integer(j, "width_high", info.width_high);
  emit_open(j, "classes", '[');
  for (int32_t y = 0; y < info.classes; y++) {
    emit_open(j, NULL, '{');
    emit_text(j, "name", iscp_dataset_class_name(data, y));
    emit_integer(j, "images", counts[y]);
    emit_close(j, '}');
  }
  emit_close(j, ']');
  free(counts);
}
