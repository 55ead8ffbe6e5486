/* How near the engine is to the machine's limit: the peak of the processor, then a step of the search, inference and, where
 * asked for, a step of training, over sizes, batches, backends and threads, each in turns with the peak loop.
 *
 *   bench                                    everything
 *   bench --sizes 224 --batches 4 --works step --backends onednn --threads 1,2 --seconds 10
 *   bench --sizes 224 --batches 4 --layers   a line an operation
 *   bench --sizes 32 --batches 128 --works train --layers   the same of a step of training
 *   bench --smoke                            does it still work? A few seconds, small networks
 *
 * It fails if the library does, never for being slow. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

void must(iscp_status status) {
  if (status == ISCP_OK)
    return;
  fprintf(stderr, "bench: %s: %s\n", iscp_status_name(status), iscp_error_message());
  exit(1);
}

/* ---- The network ---- */

void world_create(bench_world *world, const bench_options *options, const bench_case *of) {
  iscp_context_options context;
  iscp_model_options model;
  iscp_contract contract;
  bool cifar = of->size.stem == ISCP_STEM_CIFAR;
  iscp_model_info info = {.struct_size = sizeof info, .depth = of->depth, .width = options->width,
                          .stem = of->size.stem, .classes = cifar ? 10 : 1000, .channels = 3};
  must(iscp_context_options_init(&context, sizeof context));
  context.threads = of->threads;
  context.backend = of->backend;
  context.convolutions = options->convolutions;
  context.precision = options->precision;
  counter_install(&context);
  must(iscp_context_create(&world->context, &context));
  must(iscp_contract_init(&contract, sizeof contract));
  contract.height = contract.width = of->size.pixels;
  must(iscp_model_options_init(&model, sizeof model));
  model.contract = &contract;
  must(iscp_model_create(&world->model, world->context, &info, &model, 0));
  must(workload_images(&world->images, world->context, world->model, WORKLOAD_IMAGES));
}

void world_destroy(bench_world *world) {
  iscp_dataset_destroy(world->images);
  iscp_model_destroy(world->model);
  iscp_context_destroy(world->context);
}

/* ---- Measuring ---- */

typedef struct counted {
  workload work;
  int64_t runs, allocations, mallocs;
} counted;

static int run_once(void *user) {
  counted *c = user;
  int64_t allocations = counter_now().allocations, mallocs = mallocs_now();
  must(workload_run(&c->work));
  c->allocations += counter_now().allocations - allocations;
  c->mallocs += mallocs_now() - mallocs;
  c->runs++;
  return 0;
}

static bench_row measure(const bench_world *world, const bench_options *options, const bench_case *of) {
  bench_row row = {.of = *of};
  counted c = {0};
  int32_t lanes, batch;
  workload_split(&lanes, &batch, of->batch);
  must(workload_create(&c.work, world->context, world->model, world->images, of->work, lanes, batch, NULL));
  row.bytes = c.work.bytes;
  run_once(&c); /* what a first run takes for good is not a step's */
  c.runs = c.allocations = c.mallocs = 0;
  pairs_measure(&row.pairs, run_once, &c, c.work.flops, of->threads, options->seconds);
  row.allocations = (double)c.allocations / (double)c.runs;
  row.mallocs = mallocs_now() < 0 ? -1 : (double)c.mallocs / (double)c.runs;
  workload_destroy(&c.work);
  return row;
}

/* ---- The matrix ---- */

/* Fewer threads than all are measured with the smallest batch only. */
static bool is_wanted(const bench_options *o, const bench_case *of) {
  return of->threads == o->threads[o->thread_count - 1] || of->batch == o->batches[0];
}

static int run_world(bench_row *rows, const bench_options *o, bench_case of) {
  bench_world world;
  int count = 0;
  world_create(&world, o, &of);
  for (int b = 0; b < o->batch_count; b++)
    for (int w = 0; w < o->work_count; w++) {
      of.batch = o->batches[b];
      of.work = o->works[w];
      if (!is_wanted(o, &of))
        continue;
      rows[count] = measure(&world, o, &of);
      show_row(&rows[count++]);
    }
  world_destroy(&world);
  return count;
}

/* The layers of each size, batch and backend, on all threads. */
static int run_layers(const bench_options *o) {
  for (int s = 0; s < o->size_count; s++)
    for (int e = 0; e < o->backend_count; e++) {
      bench_case of = {.backend = o->backends[e], .threads = o->threads[o->thread_count - 1], .depth = o->depth,
                       .size = o->sizes[s]};
      bench_world world;
      world_create(&world, o, &of);
      for (int b = 0; b < o->batch_count; b++) {
        of.batch = o->batches[b];
        for (int w = 0; w < o->work_count; w++)
          if (o->works[w] == WORK_TRAIN)
            show_training_layers(&world, &of, o->seconds);
          else if (o->works[w] == WORK_STEP)
            show_layers(&world, &of, o->seconds);
      }
      world_destroy(&world);
    }
  return 0;
}

static int run_matrix(const bench_options *o) {
  int most = o->size_count * o->backend_count * o->thread_count * o->batch_count * o->work_count, count = 0;
  bench_row *rows = calloc((size_t)most, sizeof *rows);
  if (!rows)
    return 1;
  for (int t = 0; t < o->thread_count; t++)
    show_peak(o->threads[t], peak_run(o->threads[t], 0.3));
  show_header();
  for (int s = 0; s < o->size_count; s++)
    for (int e = 0; e < o->backend_count; e++)
      for (int t = 0; t < o->thread_count; t++) {
        bench_case of = {.backend = o->backends[e], .threads = o->threads[t], .depth = o->depth, .size = o->sizes[s]};
        count += run_world(rows + count, o, of);
      }
  int wrong = 0;
  for (int i = 0; i < count; i++)
    wrong += !(rows[i].pairs.share > 0 && rows[i].bytes > 0 && rows[i].allocations >= 0);
  if (o->json)
    write_json(o, rows, count);
  free(rows);
  return wrong > 0;
}

int main(int argc, char **argv) {
  bench_options options;
  read_options(&options, argc, argv);
  return options.serve ? serve(&options) : options.layers ? run_layers(&options) : run_matrix(&options);
}
