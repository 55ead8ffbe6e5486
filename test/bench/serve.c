/* Runs one workload when it is asked to, so that another program can take turns with it: compare_pytorch.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* The kernel's high-water mark of resident memory: weights, activations and code, whoever allocated them. */
static int64_t most_memory(void) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  long long kilobytes = -1;
  while (file && fgets(line, sizeof line, file))
    if (sscanf(line, "VmHWM: %lld", &kilobytes) == 1)
      break;
  if (file)
    fclose(file);
  return kilobytes * 1024;
}

static void answer(workload *work, int32_t threads, const char *line) {
  int times = 0;
  if (sscanf(line, "run %d", &times) == 1) {
    double start = clock_seconds();
    for (int i = 0; i < times; i++)
      must(workload_run(work));
    printf("%.9f\n", clock_seconds() - start);
  } else if (!strncmp(line, "peak", 4))
    printf("%.3f\n", peak_run(threads, 0.02));
  else if (!strncmp(line, "memory", 6))
    printf("%lld\n", (long long)most_memory());
  else
    printf("unknown\n");
  fflush(stdout);
}

int serve(const bench_options *options) {
  bench_case of = {options->works[0], options->batches[0], options->backends[0], options->threads[0], options->depth,
                   options->sizes[0]};
  bench_world world;
  workload work;
  int32_t lanes, batch;
  world_create(&world, options, &of);
  workload_split(&lanes, &batch, of.batch);
  must(workload_create(&work, world.context, world.model, world.images, of.work, lanes, batch, NULL));
  puts("ready");
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin))
    answer(&work, of.threads, line);
  workload_destroy(&work);
  world_destroy(&world);
  return 0;
}
