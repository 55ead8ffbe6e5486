/* Classes by number, by range and by name. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inputs/inputs.h"

int32_t class_count(const iscp_model *model) {
  iscp_model_info info = {.struct_size = sizeof info};
  return iscp_model_get_info(model, &info) == ISCP_OK ? info.classes : 0;
}

const char *class_name(const iscp_model *model, const iscp_dataset *dataset, int32_t class_index) {
  const char *name = iscp_model_class_name(model, class_index);
  return name ? name : dataset ? iscp_dataset_class_name(dataset, class_index) : NULL;
}

/* "3" or "5-7" in *low and *high. */
static int read_range(int64_t *low, int64_t *high, const char *text) {
  char *copy = take_copy(text), *dash = strchr(copy + (*copy == '-'), '-');
  if (dash)
    *dash++ = 0;
  int right = read_integer(low, copy) && read_integer(high, dash ? dash : copy) && *low <= *high;
  free(copy);
  return right;
}

/* As it is written, or else whatever the case; -1 if no class has the name. */
static int32_t find_name(const char *text, const iscp_model *model, const iscp_dataset *dataset) {
  int32_t alike = -1;
  for (int32_t y = 0; y < class_count(model); y++) {
    const char *name = class_name(model, dataset, y);
    if (name && !strcmp(name, text))
      return y;
    if (name && alike < 0 && !strcasecmp(name, text))
      alike = y;
  }
  return alike;
}

static int mark(char *marks, const char *piece, const iscp_model *model, const iscp_dataset *dataset) {
  int64_t low, high;
  int32_t count = class_count(model);
  if (!read_range(&low, &high, piece)) {
    low = high = find_name(piece, model, dataset);
    if (low < 0) {
      complain("--classes: there is no class \"%s\", expected numbers, ranges as 5-7, or names", piece);
      return 0;
    }
  }
  if (low < 0 || high >= count) {
    complain("--classes: class %s is asked for, expected 0 to %d", piece, count - 1);
    return 0;
  }
  memset(marks + low, 1, (size_t)(high - low + 1));
  return 1;
}

int32_t *choose_classes(int32_t *count, const char *text, const iscp_model *model, const iscp_dataset *dataset) {
  size_t all = (size_t)class_count(model);
  char *marks = take(all), *copy = text ? take_copy(text) : NULL, *list = copy;
  int32_t *classes = take(all * sizeof *classes);
  int right = 1;
  for (char *piece; right && (piece = next_piece(&list));)
    right = mark(marks, piece, model, dataset);
  if (!text)
    memset(marks, 1, all);
  *count = 0;
  for (size_t y = 0; y < all; y++)
    if (marks[y])
      classes[(*count)++] = (int32_t)y;
  free(marks);
  free(copy);
  if (right)
    return classes;
  free(classes);
  return NULL;
}
