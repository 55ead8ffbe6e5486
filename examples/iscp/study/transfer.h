/* iscp transfer: patterns searched on each of several models, measured on all of them (Figure 8 of the paper). What is
 * measured (transfer_measure.c) and how it is shown (transfer_show.c) stand apart from the command (transfer.c). */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "inputs/inputs.h"

enum { MOST_MODELS = 7 };

typedef struct transfer_model {
  char *name; /* letters, digits, "-", "_" and "." only: a folder and a column of tables */
  const char *path;
  char *folder; /* the report with its patterns */
  iscp_model *model;
  iscp_dataset *data; /* the images through this model's contract */
  iscp_pattern_list *list;
  int32_t *entries, *classes; /* of the list: the selected canvas of each class */
  int32_t count;
} transfer_model;

typedef struct transfer {
  iscp_context *context;
  const char *folder;
  transfer_model models[MOST_MODELS];
  int count;
  double *sizes;
  int32_t size_count, shown; /* `shown` is the size of the pictures, or the nearest one */
  int32_t images;            /* ISCP_IMAGES_* */
  int searched_here;         /* 1 if the reports were made by this command, so that their own figures can be taken */
  /* powers[s][t] is count x size_count of what was searched on s and is measured on t; target -1 is not measured yet. */
  iscp_power *powers[MOST_MODELS][MOST_MODELS];
} transfer;

static inline iscp_power *transfer_power(const transfer *t, int s, int target, int32_t pattern, int32_t size) {
  return &t->powers[s][target][pattern * t->size_count + size];
}

/* ---- Measuring ---- */

/* Reads the reports of all models: the selected canvases of the `count` classes, or of all if `classes` is NULL. */
int transfer_load(transfer *t, const int32_t *classes, int32_t count);

/* What an earlier run left in transfer.csv, where it fits. */
void transfer_read(transfer *t);

/* Measures what is missing and writes transfer.csv after each pair of models, also when it is stopped. */
int transfer_measure(transfer *t);

/* Pairs that are measured whole. */
int transfer_pairs(const transfer *t);

/* Over the classes, at one size: mean and standard deviation of PW; the rate of the paper, PW on s over PW on the target;
 * and its inverse, the share of PW that is kept. NaN where they have no value. */
typedef struct transfer_cell {
  double mean, std, rate, kept;
} transfer_cell;
transfer_cell transfer_mean(const transfer *t, int s, int target, int32_t size);

void transfer_release(transfer *t);

/* ---- Showing ---- */

/* Tables of text, or JSON, on standard output. */
void transfer_print(const transfer *t);
void transfer_print_json(const transfer *t, FILE *file);

/* transfer.json, matrix.csv, the plots and index.html. */
int transfer_write(const transfer *t);

extern const cli_command transfer_command; /* for main.c */

#endif
