/* A study: many searches over models and variants, each a report of its own in DIR/runs/<model>-<variant>, told of and
 * timed as one piece of work. What is done is kept: the same study begun again goes on, to the same bytes, and tables
 * that need the same run share it.
 *
 *   study_open      models, images and the options that every run begins with
 *   study_add       once a run that is needed; the same one twice is one run
 *   study_estimate  says about how long what is left will take
 *   study_go        searches and measures
 *   study_power     what was measured */
#ifndef STUDY_H
#define STUDY_H

#include "search/options.h"

typedef struct study_model {
  char *path, *name; /* of NAME=MODEL, or the file's name */
  iscp_model *model;
  iscp_dataset *data; /* in this model's contract */
  int32_t *classes, class_count;
  double forward, gradient; /* seconds an image through the network, and there and back; 0 = not measured yet */
  double forward_passes, gradient_passes; /* of the whole set, planned beside the runs */
} study_model;

typedef struct study_run {
  const study_model *of;
  char *variant, *folder;
  int32_t measure;         /* ISCP_MEASURE_* */
  iscp_search_options search;
  iscp_report_options report;
  double seconds;          /* planned for what is left */
  double search_seconds, pattern_seconds; /* of it: the search, and one pattern's measuring */
  double searched;         /* share of the search that is done */
  int64_t patterns;        /* measured, or being so */
  iscp_pattern_list *list; /* once it is done */
} study_run;

typedef struct study {
  const char *folder, *word; /* the word for what is done, as "sweep" */
  iscp_context *context;
  study_model *models;
  int model_count;
  study_run **runs;
  int run_count;
  const search_settings *base;
  double seconds, done; /* planned in all, and of these behind us */
  double piece, told;   /* of the piece of work at hand; the most that was told */
  study_run *at;
  struct page *page; /* of what is shown (show.h) */
  int code;          /* EXIT_FAILED once a file of it could not be written */
} study;

/* `words` are MODEL, NAME=MODEL or MODEL=NAME. EXIT_DONE, or an exit code after saying why. */
int study_open(study *s, const inputs *in, const char *const *words, int count, const char *data);
void study_close(study *s);

/* A run of models[model] named `variant`, with these options of the search. */
study_run *study_add(study *s, int model, const char *variant, const iscp_search_options *search, int32_t measure);

/* Plans what is left of every run, and says how long it takes. */
int study_estimate(study *s);
/* Other work on models[model], in passes over its images: planned before the estimate, and begun by study_piece, which ends
 * the piece before. */
void study_plan(study *s, int model, double forward, double gradient);
double study_seconds(const study_model *m, double forward, double gradient);
void study_piece(study *s, double seconds, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Progress callback of that work, its user pointer the study. */
int study_show(const iscp_progress *progress, void *user);

/* EXIT_DONE; EXIT_INTERRUPTED after saying how to go on; EXIT_FAILED after saying why. */
int study_go(study *s);
int study_stopped(study *s, iscp_status status);

/* Entry of the run's list for a class's canvas, counted from 0, or for -1 of the selected one; -1 if there is none. */
int32_t study_entry(const study_run *r, int32_t y, int32_t canvas);
/* PW there, NaN if it was not measured; `power` may be NULL. */
double study_power(const study_run *r, int32_t y, int32_t canvas, double size, iscp_power *power);
/* Mean and population deviation over the run's classes that were measured, NaN if there is none. */
void study_mean(double *mean, double *std, const study_run *r, double size);

/* The model's name of a class, or its number: in a buffer of the caller's. */
const char *study_class(char text[64], const study_model *m, int32_t y);

/* DIR/name: memory of the caller's. */
char *study_path(const study *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
