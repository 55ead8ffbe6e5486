/* A pass taken apart: the operations of the network one by one, each with its time, its share of the peak of that moment,
 * and who computes it. Passes over memory compute nothing worth counting: theirs is a time only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "model/model.h"

enum { MOST_ROUNDS = 200, FEWEST_ROUNDS = 3, MOST_KINDS = 16 };

typedef struct rounds {
  int32_t operations;
  int count;
  double *seconds; /* operation by operation, MOST_ROUNDS each */
  double peaks[MOST_ROUNDS];
} rounds;

/* Numbers between -1 and 1: zeros would be no work for a network with ReLU. */
static void fill(float *values, int64_t count) {
  uint32_t state = 1;
  for (int64_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = (float)(state >> 8) * 0x1p-23f - 1;
  }
}

/* All operations once, in order, between two measurements of the peak. */
static void run_round(rounds *r, isc_plan *plan, int32_t threads) {
  double before = peak_run(threads, 0.02);
  for (int32_t i = 0; i < r->operations; i++) {
    double start = clock_seconds();
    must(isc_plan_run(plan, i));
    r->seconds[(size_t)i * MOST_ROUNDS + (size_t)r->count] = clock_seconds() - start;
  }
  r->peaks[r->count++] = (before + peak_run(threads, 0.02)) / 2;
}

static void show_operation(const rounds *r, const isc_plan *plan, int32_t index, int32_t batch) {
  isc_operation_info info;
  double times[MOST_ROUNDS], shares[MOST_ROUNDS];
  isc_plan_operation(plan, index, &info);
  for (int i = 0; i < r->count; i++) {
    times[i] = r->seconds[(size_t)index * MOST_ROUNDS + (size_t)i];
    shares[i] = (double)info.flops / times[i] * 1e-9 / r->peaks[i];
  }
  printf("%-24s  %-16s  %8.3f", info.name, info.kind, median(times, r->count) * 1e3 / batch);
  if (info.flops)
    printf("  %5.2f", median(shares, r->count));
  else
    printf("  %5s", "-");
  printf("  %s\n", info.implementation ? info.implementation : "-");
}

/* Where the time of a pass goes: the sum of each kind of operation, in the order in which they first come. */
static void show_kinds(const rounds *r, const isc_plan *plan, int32_t batch) {
  const char *seen[MOST_KINDS];
  double sums[MOST_KINDS] = {0}, all = 0;
  int kinds = 0;
  for (int32_t i = 0; i < r->operations; i++) {
    isc_operation_info info;
    isc_plan_operation(plan, i, &info);
    int k = 0;
    while (k < kinds && strcmp(seen[k], info.kind))
      k++;
    if (k == MOST_KINDS)
      continue;
    kinds += k == kinds;
    seen[k] = info.kind;
    double seconds = median(r->seconds + (size_t)i * MOST_ROUNDS, r->count);
    sums[k] += seconds;
    all += seconds;
  }
  for (int k = 0; k < kinds; k++)
    printf("%-24s  %-16s  %8.3f  %4.1f %%\n", "all", seen[k], sums[k] * 1e3 / batch, 100 * sums[k] / all);
  printf("%-24s  %-16s  %8.3f\n", "all", "", all * 1e3 / batch);
}

static void show_plan(isc_plan *plan, const bench_case *of, double seconds) {
  rounds r = {.operations = isc_plan_operations(plan)};
  r.seconds = malloc((size_t)r.operations * MOST_ROUNDS * sizeof *r.seconds);
  if (!r.seconds)
    exit(1);
  run_round(&r, plan, of->threads); /* not counted */
  r.count = 0;
  for (double end = clock_seconds() + seconds; r.count < MOST_ROUNDS;)
    if (clock_seconds() < end || r.count < FEWEST_ROUNDS)
      run_round(&r, plan, of->threads);
    else
      break;
  printf("\n%d, %s stem, batch %d, %s, %d threads, peak %.0f GFLOP/s\n", of->size.pixels,
         of->size.stem == ISCP_STEM_CIFAR ? "cifar" : "imagenet", of->batch, backend_name(of->backend), of->threads,
         median(r.peaks, r.count));
  printf("%-24s  %-16s  %8s  %5s  %s\n", "operation", "kind", "ms/image", "share", "implementation");
  for (int32_t i = 0; i < r.operations; i++)
    show_operation(&r, plan, i, of->batch);
  show_kinds(&r, plan, of->batch);
  free(r.seconds);
}

void show_layers(const bench_world *world, const bench_case *of, double seconds) {
  isc_compute compute;
  isc_plan *plan;
  isc_plan_form form = {of->batch, of->size.pixels, of->size.pixels, true, 0, false};
  must(isc_compute_enter(world->context, &compute));
  must(isc_plan_create(&plan, isc_model_network(world->model), &form));
  fill(isc_plan_src(plan), (int64_t)of->batch * 3 * form.height * form.width);
  must(isc_plan_forward(plan));
  fill(isc_plan_diff_logits(plan), (int64_t)of->batch * isc_model_classes(world->model));
  show_plan(plan, of, seconds);
  isc_plan_destroy(plan);
  isc_compute_leave(&compute);
}
