/* The inside of a search, for lib/search only.
 *
 *   options -> clean pass -> canvases of each class -> jobs (class, canvas, alpha) -> lanes, several jobs that take their
 *   steps together -> figures of each job -> the class's selection */
#ifndef ISC_SEARCH_H
#define ISC_SEARCH_H

#include <iscp/search.h>

#include "evaluate/evaluate.h"
#include "search/learned.h"
#include "search/mask.h"

enum { ISC_MAX_ALPHAS = 5 };

/* One canvas image. */
typedef struct isc_canvas {
  int32_t kind;
  int64_t image;
  float *pixels; /* channels x height x width */
} isc_canvas;

typedef enum isc_job_state { ISC_JOB_WAITING, ISC_JOB_RUNNING, ISC_JOB_STEPPED, ISC_JOB_DONE } isc_job_state;

/* Algorithm 1 on one canvas with one alpha. */
typedef struct isc_job {
  isc_job_state state;
  int32_t entry;  /* index of its class in the search's list */
  int32_t canvas; /* index in the class's canvases */
  double alpha;
  isc_mask mask;
  isc_learned learned; /* the canvas, if it is learned */
  int64_t *order;    /* D_n of this class, in the order of the current epoch */
  int64_t order_count, position;
  bool ordered; /* `order` is the current epoch's */
  int32_t epoch, steps, canvas_steps; /* updates of the mask, and of the canvas */
  int64_t turn; /* minibatches taken, whoever moved by them */
  double batch_loss, epoch_loss; /* sums over the images of the current minibatch and epoch */
  double *epochs;    /* objective per image of each epoch */
  double loss, power;
} isc_job;

/* One class: its canvases, its jobs, and what was selected. */
typedef struct isc_class {
  int32_t index;
  isc_canvas *canvases;
  int32_t canvas_count;
  isc_job *jobs; /* alpha_count x canvas_count, alpha by alpha */
  int32_t job_count, jobs_done;
  int32_t alpha_used; /* index of the alpha whose jobs are the result */
  int32_t selected;   /* canvas */
  bool finished, yielded, skipped;
} isc_class;

struct iscp_search {
  iscp_search_options options; /* its pointers are the search's own copies */
  iscp_model *model;
  iscp_dataset *dataset;
  iscp_context *context;
  int64_t pixels, numbers; /* of one image */
  int64_t slopes;          /* of one lane: pixels, or numbers if canvases are learned */
  int32_t channels;
  double alphas[ISC_MAX_ALPHAS];
  int32_t alpha_count;
  bool l1_at_zero, drop_last;
  uint8_t *searched; /* the draw: D_n of class y is these without the images of y */
  isc_class *classes;
  int32_t class_count;
  int32_t *class_list;
  float *user_canvases;
  int32_t lane_count, pass; /* images of one pass of the network: all rows of the lanes, or some of them at a time */
  isc_job **lanes; /* NULL = idle */
  iscp_session *session;
  float *images;     /* lanes x batch images in pixel range */
  double *gradients; /* lanes x slopes: of the mask or the canvas, whoever's turn it is */
  isc_clean clean;
  bool prepared; /* clean pass done, canvases chosen */
  int64_t done, total; /* images through the network: so far, and in all */
};

/* options.c: defaults, the preset's values and ranges; what a preset stands for. */
typedef struct isc_preset {
  double alpha;
  int32_t ties, select;
  bool l1_at_zero, drop_last; /* gradient 1 of |m|_1 at m = 0; the last update of the mask is not made */
} isc_preset;

const isc_preset *isc_search_preset(const iscp_search_options *options);
iscp_status isc_search_options_check(iscp_search_options *options, const iscp_search_options *given,
                                     const iscp_model *model);

/* plan.c: lanes and images a pass, for `jobs` jobs at most. */
iscp_status isc_search_plan(iscp_search *search, int64_t jobs);

/* canvas.c: chooses the canvases of a class from the clean results. */
iscp_status isc_canvases_choose(iscp_search *search, isc_class *class_);

/* lanes.c: one minibatch of every lane, in passes of the network. */
iscp_status isc_lanes_step(iscp_search *search, isc_meter *meter);

/* jobs.c: life of a job, and its figures once its mask is final. */
iscp_status isc_job_start(iscp_search *search, isc_job *job);
iscp_status isc_job_next_epoch(iscp_search *search, isc_job *job);
iscp_status isc_job_measure(iscp_search *search, isc_job *job, isc_meter *meter);
void isc_job_release(isc_job *job, const iscp_context *context);
int64_t isc_job_images(const iscp_search *search, const isc_job *job); /* through the network, in all */
const float *isc_job_canvas(const iscp_search *search, const isc_job *job); /* as learned, or as chosen */
double isc_job_penalty(const iscp_search *search, const isc_job *job);  /* what the mask adds to the objective of an image */

/* mix.c: x~ = m * x_c + (1 - m) * x, normalised (Eq. 2). */
void isc_mix(float *dst, const float *mask, const float *canvas, const float *image, const iscp_contract *contract);

#endif
