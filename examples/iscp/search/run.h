/* One search into one report: what iscp search does once, and a study (study.h) for each of its variants. Finished classes
 * are on disk at once, so that a run that was stopped can be gone on with.
 *
 *   run_prepare   checks everything, opens the folder, and knows what is left to do
 *   run_go        searches and measures what is left, class by class
 *   run_release   in either case */
#ifndef RUN_H
#define RUN_H

#include "inputs/inputs.h"

/* Which canvases are measured: the selected one of a class, every one, none, or the selected one at every size and the
 * others at the pictures' size. */
enum { POWER_SELECTED, POWER_ALL, POWER_NONE, POWER_COMPARED };

typedef struct search_run search_run;
struct search_run {
  /* Set by the caller, who keeps what it points to. */
  iscp_context *context;
  const iscp_model *model;
  const iscp_dataset *data;
  const char *folder; /* made with its parents if missing */
  int power;
  iscp_search_options search; /* with the classes listed; run_prepare puts those in force here */
  iscp_report_options report; /* resume, overwrite and the rest */
  iscp_progress_fn progress;
  void *user;
  void (*begun)(const search_run *run, int32_t class_index, double size); /* measuring a pattern of a class */
  void (*finished)(const search_run *run, int32_t class_index);           /* a class is on disk */

  /* The run's own. */
  iscp_search *made;
  iscp_report *written;
  iscp_evaluation *evaluation;
  int32_t left; /* classes that are not in the report yet */
};

iscp_status run_prepare(search_run *run);
iscp_status run_go(search_run *run);
void run_release(search_run *run);

/* Whether `folder` holds a result.json. */
int run_is_there(const char *folder);

/* Patterns of a class that are measured where it has `canvases` canvases. */
int64_t run_patterns(const search_run *run, int32_t canvases);

#endif
