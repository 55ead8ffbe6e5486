/* iscp uap: what was asked for, and what came of it. */
#ifndef UAP_H
#define UAP_H

#include "inputs/inputs.h"

typedef struct uap_settings {
  iscp_uap_options options; /* `eps` is set for each */
  const char *folder, *classes;
  double *eps, *sizes; /* of 1; shares of the pixels, the first is 1 */
  int32_t eps_count, size_count;
  int overwrite, json;
} uap_settings;

/* One perturbation, or its strongest pixels. */
typedef struct uap_measured {
  double size;
  iscp_pattern_info cut;
  iscp_power crafted, heldout; /* on the images it was crafted on, and on the others: target -1 if there are none */
} uap_measured;

typedef struct uap_row {
  int32_t class_index;
  iscp_uap_options options; /* in force */
  iscp_uap_info info;
  int64_t example; /* image of the pictures */
  int32_t count;
  uap_measured *sizes; /* `count` of them */
} uap_row;

typedef struct uap_results {
  const uap_settings *settings;
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  double accuracy, heldout_accuracy; /* clean, of all classes */
  int64_t images, heldout_images;    /* 0 if there are none */
  uap_row *rows;
  int32_t count;
} uap_results;

/* Files of a row (files.c): DIR/uap-<class>-<eps>.npy, .png, and -example.png. EXIT_DONE, or an exit code after saying
 * why. */
int uap_write_files(const uap_results *results, uap_row *row, const iscp_uap *uap, const iscp_pattern *pattern);
void uap_name(char text[64], const uap_row *row, const char *end);

/* DIR/result.json, whole or as it was. */
int uap_write_result(const uap_results *results);

/* The same on standard output, or tables (print.c). */
void uap_print_json(FILE *file, const uap_results *results);
void uap_print_table(const uap_results *results);

#endif
