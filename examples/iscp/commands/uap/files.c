/* What iscp uap leaves in its folder: arrays, pictures, and result.json. */
#include <stdlib.h>
#include <string.h>

#include "commands/uap/uap.h"

void uap_name(char text[64], const uap_row *row, const char *end) {
  snprintf(text, 64, "uap-%d-%g%s", row->class_index, 255 * row->options.eps, end);
}

static char *path_of(const uap_results *results, const uap_row *row, const char *end) {
  char name[64];
  uap_name(name, row, end);
  return join_path(results->settings->folder, name);
}

/* Two images side by side, a pixel of white between them. */
static float *join(const float *left, const float *right, const iscp_contract *form) {
  size_t width = (size_t)form->width, rows = (size_t)form->channels * (size_t)form->height, both = 2 * width + 1;
  float *strip = take(rows * both * sizeof *strip);
  for (size_t row = 0; row < rows; row++) {
    memcpy(strip + row * both, left + row * width, width * sizeof *strip);
    strip[row * both + width] = 1;
    memcpy(strip + row * both + width + 1, right + row * width, width * sizeof *strip);
  }
  return strip;
}

/* About 168 picture pixels a side, as the pictures of patterns have. */
static int32_t enlargement(const iscp_contract *form) {
  int32_t longest = form->height > form->width ? form->height : form->width, scale = (2 * 168 + longest) / (2 * longest);
  return scale < 1 ? 1 : scale > 64 ? 64 : scale;
}

/* The first image of another class, without the perturbation and with it. */
static iscp_status write_example(const char *path, const uap_results *results, uap_row *row, const iscp_pattern *pattern) {
  const iscp_contract *form = iscp_model_contract(results->model);
  size_t numbers = (size_t)form->channels * (size_t)form->height * (size_t)form->width;
  float *image = take(2 * numbers * sizeof *image), *with = image + numbers;
  while (iscp_dataset_label(results->data, row->example) == row->class_index)
    row->example++;
  iscp_status status = iscp_dataset_image(results->data, row->example, image);
  memcpy(with, image, numbers * sizeof *with);
  if (status == ISCP_OK)
    status = iscp_pattern_attach(pattern, with);
  if (status == ISCP_OK) {
    float *strip = join(image, with, form);
    status = iscp_image_write_png(results->context, strip, form->channels, form->height, 2 * form->width + 1, path,
                                  enlargement(form));
    free(strip);
  }
  free(image);
  return status;
}

int uap_write_files(const uap_results *results, uap_row *row, const iscp_uap *uap, const iscp_pattern *pattern) {
  char *array = path_of(results, row, ".npy"), *picture = path_of(results, row, ".png");
  char *example = path_of(results, row, "-example.png");
  const iscp_contract *form = iscp_model_contract(results->model);
  int code = write_npy(array, iscp_uap_perturbation(uap), (int32_t[]){form->channels, form->height, form->width}, 3);
  iscp_status status = code == EXIT_DONE ? iscp_pattern_write_png(pattern, picture, 0) : ISCP_OK;
  if (code == EXIT_DONE && status == ISCP_OK)
    status = write_example(example, results, row, pattern);
  free(array);
  free(picture);
  free(example);
  return status == ISCP_OK ? code : failed(status);
}

/* ---- result.json ---- */

int uap_write_result(const uap_results *results) {
  char *path = join_path(results->settings->folder, "result.json");
  whole_file whole;
  int code = whole_open(&whole, path);
  if (code == EXIT_DONE) {
    uap_print_json(whole.file, results);
    code = whole_close(&whole, 1);
  }
  free(path);
  return code;
}
