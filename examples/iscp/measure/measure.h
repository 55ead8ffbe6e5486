/* Measuring on a machine that is shared: how fast a piece of work is, as a share of what the processor can do at that
 * very moment. iscp bench and test/bench use the same code. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>

#include <iscp/iscp.h>

/* ---- Peak (peak.c): multiply-adds in registers, no memory touched ---- */

/* GFLOP/s of `threads` threads over about `seconds`, a multiply-add counted as two operations. */
double peak_run(int threads, double seconds);
const char *peak_kernel(void); /* the instructions it is made of, as "avx512f" */

/* ---- Pairs (pairs.c) ---- */

/* One piece of work; anything but 0 stops the measuring. */
typedef int measured_fn(void *user);

typedef struct pairs_result {
  int pairs;
  double seconds; /* of one piece of work, median */
  double gflops;  /* at that time */
  double peak;    /* GFLOP/s, median */
  double share;   /* median over pairs of the work's GFLOP/s over the mean of the peak right before and right after */
} pairs_result;

/* Takes the work and the peak loop in turns for about `seconds`, three pairs at least, after two runs that are not
 * counted. `flops` is what one run computes. Returns 0, or what `run` returned to stop. */
int pairs_measure(pairs_result *result, measured_fn *run, void *user, double flops, int threads, double seconds);

double clock_seconds(void);
double median(double *values, int count); /* sorts them; 0 of none */

/* ---- Counter (counter.c): what the library allocates ---- */

/* Bytes held now, and allocations so far, of the contexts made with counter_install. */
typedef struct counter_state {
  int64_t bytes, allocations;
} counter_state;

void counter_install(iscp_context_options *options);
counter_state counter_now(void);

/* ---- Workloads (workload.c): what is measured, by the public functions ---- */

enum { WORK_STEP, WORK_INFERENCE, WORK_TRAIN, WORK_KINDS };

/* A step of Algorithm 1 for `lanes` searches of `batch` images each, the logits of lanes x batch images, or a step of training on
 * so many: one pass of a network batch of lanes x batch. */
typedef struct workload {
  int kind;
  int32_t lanes, batch;
  double flops;   /* of one run */
  int64_t bytes;  /* that the library took for it, apart from model and images */
  iscp_context *context;
  const iscp_model *model;
  const iscp_dataset *data;
  iscp_search *search;
  iscp_session *session;
  iscp_dataset *batch_images; /* of a training: as many as a batch has, so that an epoch is one step */
  iscp_trainer *trainer;
  int32_t epochs;             /* it has gone */
  float *images, *logits;
} workload;

/* "step", "inference", "train". */
extern const char *const work_names[WORK_KINDS + 1];

/* Splits a network batch: minibatches of four, as a search takes them by default, in as many lanes as make it up. */
void workload_split(int32_t *lanes, int32_t *batch, int32_t network_batch);

/* Random images in the form that the model takes, for workloads without images of the user's. */
enum { WORKLOAD_IMAGES = 32 };
iscp_status workload_images(iscp_dataset **out, iscp_context *context, const iscp_model *model, int32_t count);

/* Makes a workload and has everything ready for the first run: of a step the clean pass is done. All three are
 * kept by it. On failure nothing is held. */
iscp_status workload_create(workload *work, iscp_context *context, const iscp_model *model, const iscp_dataset *data, int kind,
                            int32_t lanes, int32_t batch, iscp_progress_fn progress);
iscp_status workload_run(workload *work);
void workload_destroy(workload *work);

#endif
