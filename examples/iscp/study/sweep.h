/* A sweep: the same search with one option at several values, on one model or several. */
#ifndef SWEEP_H
#define SWEEP_H

#include "study/show.h"

enum { SWEEP_OPTION, SWEEP_SIZE, SWEEP_STAGE }; /* an option of the search; the pattern's size; the models themselves */

typedef struct sweep {
  study study;
  int over;
  char *option, **values; /* "alpha" and its values as given; of stages the models' names */
  int value_count;
  study_run **runs;       /* models x values; of sizes and stages one a model */
  double shown;           /* the pattern size of tables and pictures, but where sizes are compared */
} sweep;

/* The run and size of a model's value; of stages `model` is not looked at. */
const study_run *sweep_run(const sweep *w, int model, int value);
double sweep_size(const sweep *w, int value);
const char *sweep_name(const sweep *w); /* "alpha", "size" or "stage" */

/* Table, plot, pictures, CSV and page (sweep_show.c). */
int sweep_show(sweep *w);

extern const cli_command sweep_command; /* for main.c */

#endif
