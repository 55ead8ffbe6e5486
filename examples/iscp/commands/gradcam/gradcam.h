/* What iscp gradcam is made of: its settings, and one run of it. */
#ifndef GRADCAM_H
#define GRADCAM_H

#include "inputs/inputs.h"
#include "search/table.h"

typedef struct gradcam_settings {
  const char *folder, *classes, *index, *patterns;
  double *sizes;
  int32_t size_count, stage, images, scale;
  double opacity;
  int power, json, overwrite;
} gradcam_settings;

/* One map with its pattern's powers. */
typedef struct gradcam_row {
  int64_t image;
  int32_t class_index;
  iscp_gradcam_info info;
  cli_measured *sizes; /* settings' size_count of them */
} gradcam_row;

/* One image before and after a pattern. */
typedef struct shift_row {
  int64_t image;
  iscp_attention_shift shift;
} shift_row;

typedef struct gradcam_run {
  const gradcam_settings *own;
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_gradcam *gradcam;
  iscp_evaluation *evaluation; /* NULL if nothing is measured */
  iscp_pattern_list *list;     /* of --patterns */
  const iscp_contract *contract;
  size_t pixels, numbers; /* of an image */
  int32_t *classes;
  int32_t class_count, scale;
  int64_t *index; /* the images asked for; NULL = none were */
  int32_t index_count;
  gradcam_row *rows;
  shift_row *shifts;
  int32_t row_count, shift_count;
  float *image, *map; /* of the row in hand */
} gradcam_run;

/* Each returns EXIT_DONE, or an exit code after saying why; pictures and arrays are written on the way. */
int gradcam_maps(gradcam_run *run);
int gradcam_shifts(gradcam_run *run);

/* The files of a class and an image: "<folder>/<what>-<class>-<image>.<kind>", memory of the caller's. */
char *gradcam_path(const gradcam_run *run, const char *what, int32_t class_index, int64_t image, const char *kind);
int gradcam_write_map(const gradcam_run *run, const char *what, int32_t class_index, int64_t image, const float *map);

/* Writes `rows` rows of two pictures, channels x height x width each, the left ones with `channels` of the contract and the
 * right ones with 3. */
int gradcam_write_pairs(const gradcam_run *run, const char *what, int32_t class_index, int64_t image,
                        const float *const *left, const float *const *right, int32_t rows);

void gradcam_print(const gradcam_run *run);
int gradcam_write_json(const gradcam_run *run);

#endif
