/* The paper's tables and figures on other models and images. Each is an item: it first says what runs it needs, which all
 * are then made at one go, and then shows what came out, with what the paper says about it checked. */
#ifndef REPRODUCE_H
#define REPRODUCE_H

#include "grid.h"
#include "page.h"
#include "paper_numbers.h"
#include "plot.h"
#include "study.h"

typedef struct relation {
  int holds;      /* 1, 0, or -1 where it cannot be judged */
  char *claim, *numbers;
} relation;

typedef struct reproduction {
  study study;
  page *page;
  relation *relations; /* of the item at hand; the counts are of all */
  int relation_count, held, failed, open;
  int code;            /* EXIT_FAILED once a file could not be written */
} reproduction;

typedef struct reproduce_item {
  const char *name, *title;
  const char *needs; /* of models, where one does not do */
  int models;        /* how many it needs at least */
  void (*plan)(reproduction *r);
  iscp_status (*show)(reproduction *r);
} reproduce_item;

/* Ended by one without a name. */
extern const reproduce_item table_items[], figure_items[];

/* ---- Runs (reproduce_runs.c): on models[m], made if they are not there yet ---- */

study_run *base_run(reproduction *r, int m); /* as the options say; every canvas is measured at the pictures' size */
study_run *canvas_run(reproduction *r, int m, int32_t kind);
study_run *tv_run(reproduction *r, int m, double beta);
study_run *fraction_run(reproduction *r, int m, double fraction);

/* Mean PW over the classes of a run at a size. */
double mean_power(const study_run *run, double size);
double class_power(const study_run *run, int32_t y, double size);

/* ---- Showing (reproduce_show.c) ---- */

/* Prints the table, puts it on the page, and writes DIR/<name>.csv. Frees it. */
void show_grid(reproduction *r, grid *g, const char *name);

/* Draws DIR/<name>.svg and .png and puts it on the page. */
void show_plot(reproduction *r, const plot *p, const char *name, const char *alt);

/* One picture of a gallery: the pattern of a class's canvas (-1: the selected one) at a size. `caption` may be NULL. */
void show_pattern(reproduction *r, const study_run *run, int32_t y, int32_t canvas, double size, const char *caption);

/* ---- What the paper says (relations.c) ---- */

/* `holds` is 1, 0, or -1 if it cannot be judged; the rest are the numbers that it was judged by. */
void relate(reproduction *r, int holds, const char *claim, const char *numbers, ...)
    __attribute__((format(printf, 4, 5)));

/* `holds`, but -1 where the number that it hangs on was not measured. */
int judge(int holds, double number);

/* Prints the item's relations and puts them on the page, and forgets them. */
void show_relations(reproduction *r);

#endif
