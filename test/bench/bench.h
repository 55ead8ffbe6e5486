/* The benchmark of the engine, cut up: options.c reads what is asked for, bench.c runs the matrix, show.c prints it,
 * layers.c takes a pass apart, layers_train.c a step of training, serve.c runs on request, mallocs.c counts. */
#ifndef TEST_BENCH_H
#define TEST_BENCH_H

#include <stdint.h>

#include "measure/measure.h"

enum { MOST_ITEMS = 16 };

typedef struct bench_size {
  int32_t pixels, stem;
} bench_size;

typedef struct bench_options {
  bench_size sizes[MOST_ITEMS];
  int32_t batches[MOST_ITEMS], threads[MOST_ITEMS], backends[MOST_ITEMS], works[MOST_ITEMS];
  int size_count, batch_count, thread_count, backend_count, work_count;
  int32_t depth, width, convolutions, precision;
  double seconds;
  const char *json; /* file, or NULL */
  int layers, serve;
} bench_options;

/* What one line of the table is about. */
typedef struct bench_case {
  int32_t work, batch, backend, threads, depth;
  bench_size size;
} bench_case;

typedef struct bench_row {
  bench_case of;
  pairs_result pairs;
  int64_t bytes;
  double allocations; /* of the library's allocator, a run */
  double mallocs;     /* of the whole process, oneDNN and OpenMP included, a run; -1 if they are not counted */
} bench_row;

/* options.c: ends the program where they are wrong. */
void read_options(bench_options *options, int argc, char **argv);

/* A network of random weights with a few images, on a context of its own. Failures end the program with a message. */
typedef struct bench_world {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *images;
} bench_world;

void world_create(bench_world *world, const bench_options *options, const bench_case *of);
void world_destroy(bench_world *world);

/* Ends the program unless `status` is ISCP_OK. */
void must(iscp_status status);

/* show.c */
const char *backend_name(int32_t backend);
void show_peak(int32_t threads, double peak);
void show_header(void);
void show_row(const bench_row *row);
void write_json(const bench_options *options, const bench_row *rows, int count);

/* serve.c: one workload, run when a line on standard input asks for it:
 *   "run N"    N runs; the answer is their seconds
 *   "peak"     the answer is the machine's GFLOP/s at this moment
 *   "memory"   the answer is the most memory the process has held, in bytes
 * Every answer is one line on standard output, the first one "ready". Ends with the input. */
int serve(const bench_options *options);

/* layers.c: a line an operation of the network's pass. */
void show_layers(const bench_world *world, const bench_case *of, double seconds);

/* layers_train.c: a line a layer of a step of training. */
void show_training_layers(const bench_world *world, const bench_case *of, double seconds);

/* mallocs.c: calls of malloc and its kin by the whole process, or -1 where they cannot be counted. */
int64_t mallocs_now(void);

#endif
