/* The paper's tables and figures on other models and images. Each is an item: it first says what runs it needs, which all
 * are then made at one go, and then shows what came out, with what the paper says about it checked. */
#ifndef REPRODUCE_H
#define REPRODUCE_H

#include "paper/numbers.h"
#include "study/show.h"

typedef struct relation {
  int holds;      /* 1, 0, or -1 where it cannot be judged */
  char *claim, *numbers;
} relation;

enum { UAP_BOUNDS = 3 };

typedef struct reproduction {
  study study;
  double uaps[UAP_BOUNDS]; /* bounds that are planned (paper/uap.h) */
  int uap_count;
  relation *relations; /* of the item at hand; the counts are of all */
  int relation_count, held, failed, open;
} reproduction;

typedef struct reproduce_item {
  const char *name, *title;
  const char *needs; /* of models, where one does not do */
  int models;        /* how many it needs at least */
  void (*plan)(reproduction *r);
  iscp_status (*show)(reproduction *r);
} reproduce_item;

/* Ended by one without a name. */
extern const reproduce_item table_items[], figure_items[], model_items[], attention_items[], method_items[];

/* ---- Runs (runs.c): on models[m], made if they are not there yet ---- */

study_run *base_run(reproduction *r, int m); /* as the options say; every canvas is measured at the pictures' size */
study_run *canvas_run(reproduction *r, int m, int32_t kind);
study_run *tv_run(reproduction *r, int m, double beta);
study_run *fraction_run(reproduction *r, int m, double fraction);

study_run *learned_run(reproduction *r, int m);

/* Mean clean accuracy of the run's classes and its deviation. */
void mean_accuracy(double *mean, double *std, const study_run *run);
/* Clean accuracy of a class, NaN if nothing was measured. */
double class_accuracy(const study_run *run, int32_t y);

/* Mean PW over the classes of a run at a size, and of one of them. */
double mean_power(const study_run *run, double size);
double class_power(const study_run *run, int32_t y, double size);

/* ---- Patterns that no run has measured (judge.c) ----
 *
 * What is measured is kept in DIR/runs/<model>-<what>.txt, pattern by pattern, and gone on with. */

/* Plans what is left of `count` patterns on models[m]. */
void judge_plan(reproduction *r, int m, int32_t count, const char *what);

/* PW of each on the images that the runs of models[m] are measured on; NaN where the model is never right on its class. */
iscp_status judge_patterns(reproduction *r, int m, iscp_pattern *const *patterns, int32_t count, double *pws,
                           const char *what);

/* ---- The shape of patterns (shapes.c) ---- */

/* Share of a pattern's pixels that touch another of it, left, right, above or below: high for closed shapes. */
double share_touching(const iscp_pattern *pattern);
/* Share in the four corners of the image, which have a quarter of its sides and together a quarter of its pixels. */
double share_in_corners(const iscp_pattern *pattern);
/* Mean of either over the selected patterns of a run, NaN if it has none. */
iscp_status mean_share(double *mean, const study_run *run, double size, double (*share)(const iscp_pattern *));

/* ---- What the paper says (relations.c) ---- */

/* `holds` is 1, 0, or -1 if it cannot be judged; the rest are the numbers that it was judged by. */
void relate(reproduction *r, int holds, const char *claim, const char *numbers, ...)
    __attribute__((format(printf, 4, 5)));

/* `holds`, but -1 where the number that it hangs on was not measured. */
int judge(int holds, double number);

/* A claim about what pictures look like, which is left to the reader. */
void relate_by_eye(reproduction *r, const char *claim);

/* Prints the item's relations and puts them on the page, and forgets them. */
void show_relations(reproduction *r);

extern const cli_command reproduce_command; /* for main.c */

#endif
