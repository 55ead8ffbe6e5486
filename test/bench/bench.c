/* How near the engine is to the machine's limit: the peak of the processor, then a step of the search and inference, over
 * sizes, batches, backends and threads, each in turns with the peak loop.
 *
 *   bench                                    everything
 *   bench --sizes 224 --batches 4 --works step --backends onednn --threads 1,2 --seconds 10
 *   bench --smoke                            does it still work? A few seconds, small networks
 *
 * It fails if the library does, never for being slow. */
#include <getopt.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
  counter_install(&context);
  must(iscp_context_create(&world->context, &context));
  must(iscp_contract_init(&contract, sizeof contract));
  contract.height = contract.width = of->size.pixels;
  must(iscp_model_options_init(&model, sizeof model));
  model.contract = &contract;
  must(iscp_model_create(&world->model, world->context, &info, &model, 0));
  must(workload_images(&world->images, world->context, world->model));
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
  must(workload_create(&c.work, world->model, world->images, of->work, lanes, batch, NULL));
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
    write_json(o->json, rows, count);
  free(rows);
  return wrong > 0;
}

/* ---- Options ---- */

_Noreturn static void usage(const char *what) {
  fprintf(stderr,
          "bench: %s\nusage: bench [--sizes 224,32-cifar,32-imagenet] [--batches 4,20,64] [--works step,inference]\n"
          "             [--backends onednn,blas] [--threads 1,2] [--depth 50] [--width 64] [--seconds 2]\n"
          "             [--json FILE] [--serve | --smoke]\n",
          what);
  exit(2);
}

/* One item of a list, by the option's letter. */
static int32_t read_item(int letter, const char *text, bench_size *size) {
  char stem[16] = "imagenet";
  int32_t number = (int32_t)strtol(text, NULL, 10);
  if (letter == 'w' || letter == 'e') {
    int second = !strcmp(text, letter == 'w' ? "inference" : "blas");
    if (!second && strcmp(text, letter == 'w' ? "step" : "onednn"))
      usage(text);
    return letter == 'w' ? second : second ? ISCP_BACKEND_BLAS : ISCP_BACKEND_ONEDNN;
  }
  if (number < 1)
    usage(text);
  if (letter == 's' && strchr(text, '-'))
    snprintf(stem, sizeof stem, "%s", strchr(text, '-') + 1);
  *size = (bench_size){number, strcmp(stem, "cifar") ? ISCP_STEM_IMAGENET : ISCP_STEM_CIFAR};
  return number;
}

static void read_list(bench_options *o, int letter, char *text) {
  int32_t *lists[] = {o->batches, o->threads, o->backends, o->works, NULL};
  int *counts[] = {&o->batch_count, &o->thread_count, &o->backend_count, &o->work_count, &o->size_count};
  int which = (int)(strchr("btews", letter) - "btews");
  *counts[which] = 0;
  for (char *piece = strtok(text, ","); piece; piece = strtok(NULL, ",")) {
    bench_size size;
    if (*counts[which] == MOST_ITEMS)
      usage("a list is too long");
    int32_t item = read_item(letter, piece, &size);
    if (letter == 's')
      o->sizes[(*counts[which])++] = size;
    else
      lists[which][(*counts[which])++] = item;
  }
}

static void set_defaults(bench_options *o) {
  char sizes[] = "224,32-cifar,32-imagenet", batches[] = "4,20,64", works[] = "step,inference", both[] = "onednn,blas";
  char blas[] = "blas";
  *o = (bench_options){.depth = 50, .width = 64, .seconds = 2};
  read_list(o, 's', sizes);
  read_list(o, 'b', batches);
  read_list(o, 'w', works);
  read_list(o, 'e', strstr(iscp_version_text(), "oneDNN") ? both : blas);
  for (int32_t t = 1; t < omp_get_max_threads() && o->thread_count < MOST_ITEMS - 1; t *= 2)
    o->threads[o->thread_count++] = t;
  o->threads[o->thread_count++] = omp_get_max_threads();
}

static void set_smoke(bench_options *o) {
  char sizes[] = "16-cifar,32", batches[] = "4,6", threads[] = "1,2";
  read_list(o, 's', sizes);
  read_list(o, 'b', batches);
  read_list(o, 't', threads);
  o->depth = 18;
  o->width = 8;
  o->seconds = 0.05;
}

int main(int argc, char **argv) {
  static const struct option names[] = {
      {"sizes", 1, NULL, 's'},   {"batches", 1, NULL, 'b'}, {"works", 1, NULL, 'w'},   {"backends", 1, NULL, 'e'},
      {"threads", 1, NULL, 't'}, {"depth", 1, NULL, 'd'},   {"width", 1, NULL, 'i'},   {"seconds", 1, NULL, 'x'},
      {"json", 1, NULL, 'j'},    {"serve", 0, NULL, 'v'},   {"smoke", 0, NULL, 'k'},   {NULL, 0, NULL, 0}};
  bench_options o;
  set_defaults(&o);
  for (int letter; (letter = getopt_long(argc, argv, "", names, NULL)) != -1;)
    switch (letter) {
    case 'd': o.depth = (int32_t)strtol(optarg, NULL, 10); break;
    case 'i': o.width = (int32_t)strtol(optarg, NULL, 10); break;
    case 'x': o.seconds = strtod(optarg, NULL); break;
    case 'j': o.json = optarg; break;
    case 'v': o.serve = 1; break;
    case 'k': o.smoke = 1; break;
    case '?': usage("a wrong option"); break;
    default: read_list(&o, letter, optarg);
    }
  if (o.smoke)
    set_smoke(&o);
  return o.serve ? serve(&o) : run_matrix(&o);
}
