/* A whole run: patterns searched class by class, measured, and written to a report, which a later run goes on with.
 *
 *   iscp_run_create -> iscp_run_next until it yields class -1 -> iscp_run_destroy
 *
 * It is what a program writes by hand of iscp_search (search.h), iscp_evaluation_power (evaluate.h) and iscp_report
 * (report.h), in the order that loses least when it is stopped: each class is measured and on disk before the next is
 * searched on. Stopped anywhere, it is gone on with in the same process by a further call, and in another by
 * `resume` of the report's options, to the same bytes as a run made at one go.
 *
 * A program that shows what is going on calls iscp_run_step in place of iscp_run_next, and iscp_run_get_info before it. */
#ifndef ISCP_RUN_H
#define ISCP_RUN_H

#include <iscp/report.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_run iscp_run;

/* Which canvases of a class have their power measured, at the sizes of the report's options. */
enum {
  ISCP_MEASURE_SELECTED = 1, /* the selected one */
  ISCP_MEASURE_ALL = 2,      /* every one */
  ISCP_MEASURE_NONE = 3,     /* none: the images are not evaluated at all */
  ISCP_MEASURE_COMPARED = 4  /* the selected one at every size, the others at the pictures' size */
};

typedef struct iscp_run_options {
  uint32_t struct_size;              /* sizeof(iscp_run_options), set by iscp_run_options_init */
  int32_t measure;                   /* ISCP_MEASURE_*; default ISCP_MEASURE_SELECTED */
  const iscp_search_options *search; /* read during iscp_run_create; NULL = the library's; default NULL */
  const iscp_report_options *report; /* read during iscp_run_create; NULL = the library's; default NULL */
} iscp_run_options;

ISCP_API iscp_status iscp_run_options_init(iscp_run_options *options, uint32_t struct_size);

/* Prepares a run of `model` on `dataset` into `folder`, which is made with its parents if missing. All that can be wrong with
 * the options, the model and the set is found here, before anything is written: errors as of iscp_search_create and
 * iscp_report_create, in this order. `options` may be NULL. With `resume` of the report's options, the classes that the report
 * has are left out, and `lanes` = 0 takes its batch plan. On success the caller owns *out; on failure *out is NULL. The run
 * keeps what it needs of model and dataset. One thread at a time. Since 0.1. */
ISCP_API iscp_status iscp_run_create(iscp_run **out, const char *folder, const iscp_model *model, const iscp_dataset *dataset,
                                     const iscp_run_options *options);

/* Takes NULL. What is finished stays in the folder. Since 0.1. */
ISCP_API void iscp_run_destroy(iscp_run *run);

/* Goes on until the next class is on disk and yields it in *class_index, or -1 when all are. After ISCP_ERROR_CANCELLED, or once
 * the cause of another error is gone (a disk that was full), a further call goes on where it stopped. Since 0.1. */
ISCP_API iscp_status iscp_run_next(iscp_run *run, int32_t *class_index, iscp_progress_fn progress, void *user);

/* The same in pieces, of which iscp_run_get_info says what the next one is. *class_index is the class that is now on disk, or
 * -1; *more is 1 until every class is. After an error *class_index is -1 and *more is 1. Since 0.1. */
ISCP_API iscp_status iscp_run_step(iscp_run *run, int32_t *class_index, int32_t *more, iscp_progress_fn progress, void *user);

/* What the next piece of a run is. */
enum {
  ISCP_STAGE_CLEAN = 1,   /* the pass over the clean images that powers are measured against; once, if any are */
  ISCP_STAGE_SEARCH = 2,  /* the search until a class is found */
  ISCP_STAGE_MEASURE = 3, /* the power of one of its patterns; with the last one the class goes to disk */
  ISCP_STAGE_WRITE = 4,   /* the class to disk alone: what a failure of that leaves to do */
  ISCP_STAGE_DONE = 5     /* nothing */
};

/* Later versions may append fields. */
typedef struct iscp_run_info {
  uint32_t struct_size; /* sizeof(iscp_run_info), set by the caller before iscp_run_get_info */
  int32_t stage;        /* ISCP_STAGE_* */
  int32_t class_index;  /* being measured or written; -1 otherwise */
  int32_t canvas;       /* being measured, counted from 0; -1 otherwise */
  double size;          /* of the pattern being measured, a share of the pixels; 0 otherwise */
  int32_t class_count;  /* classes asked for */
  int32_t left;         /* of them, those that are not on disk */
} iscp_run_info;

/* Fills `info`, whose struct_size the caller has set. Since 0.1. */
ISCP_API iscp_status iscp_run_get_info(const iscp_run *run, iscp_run_info *info);

/* The run's search: options in force, masks and canvases of the classes found. To be asked only; lives as long as the run. NULL
 * for NULL. Since 0.1. */
ISCP_API const iscp_search *iscp_run_search(const iscp_run *run);

#ifdef __cplusplus
}
#endif
#endif
