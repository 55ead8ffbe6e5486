/* iscp bench, cut in two: bench.c measures, bench_print.c shows. */
#ifndef BENCH_H
#define BENCH_H

#include "inputs/inputs.h"
#include "measure/measure.h"

/* One line of the table. */
typedef struct bench_row {
  int work; /* WORK_* */
  iscp_contract contract;
  iscp_model_info info;
  int32_t batch; /* of the network */
  pairs_result pairs;
  int64_t bytes;
} bench_row;

/* What a search of all classes with the default options would take. */
typedef struct bench_estimate {
  int64_t step_images, inference_images; /* through the network */
  double seconds;
  int32_t classes, canvases, epochs;
} bench_estimate;

typedef struct bench_report {
  const iscp_context *context;
  double peak, peak_one; /* GFLOP/s of all threads, and of one */
  bench_row *rows;
  int32_t count;
  const bench_estimate *estimate; /* NULL without */
} bench_report;

void bench_print(const bench_report *report);
void bench_print_json(const bench_report *report);

#endif
