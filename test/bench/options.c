/* The benchmark's command line. */
#include <getopt.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

_Noreturn static void usage(const char *what) {
  fprintf(stderr,
          "bench: %s\nusage: bench [--sizes 224,32-cifar,32-imagenet] [--batches 4,20,64] [--works step,inference,train]\n"
          "             [--backends onednn,blas] [--threads 1,2] [--depth 50] [--width 64] [--seconds 2]\n"
          "             [--convolutions direct] [--precision f32] [--json FILE]\n"
          "             [--layers | --serve | --smoke]\n",
          what);
  exit(2);
}

/* Index of `text` in two words. */
static int32_t read_word(const char *text, const char *first, const char *second) {
  if (strcmp(text, first) && strcmp(text, second))
    usage(text);
  return !strcmp(text, second);
}

static int32_t read_work(const char *text) {
  for (int32_t work = 0; work < WORK_KINDS; work++)
    if (!strcmp(text, work_names[work]))
      return work;
  usage(text);
}

/* One item of a list, by the option's letter. */
static int32_t read_item(int letter, const char *text, bench_size *size) {
  char *end;
  long number = strtol(text, &end, 10);
  if (letter == 'w')
    return read_work(text);
  if (letter == 'e')
    return read_word(text, "onednn", "blas") ? ISCP_BACKEND_BLAS : ISCP_BACKEND_ONEDNN;
  if (number < 1 || number > 4096 || (*end && (letter != 's' || *end != '-')))
    usage(text);
  int32_t cifar = *end ? read_word(end + 1, "imagenet", "cifar") : 0;
  *size = (bench_size){(int32_t)number, cifar ? ISCP_STEM_CIFAR : ISCP_STEM_IMAGENET};
  return (int32_t)number;
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

void read_options(bench_options *o, int argc, char **argv) {
  static const struct option names[] = {
      {"sizes", 1, NULL, 's'},        {"batches", 1, NULL, 'b'},   {"works", 1, NULL, 'w'}, {"backends", 1, NULL, 'e'},
      {"threads", 1, NULL, 't'},      {"depth", 1, NULL, 'd'},     {"width", 1, NULL, 'i'}, {"seconds", 1, NULL, 'x'},
      {"convolutions", 1, NULL, 'c'}, {"precision", 1, NULL, 'p'}, {"json", 1, NULL, 'j'},  {"layers", 0, NULL, 'l'},
      {"serve", 0, NULL, 'v'},        {"smoke", 0, NULL, 'k'},     {NULL, 0, NULL, 0}};
  set_defaults(o);
  for (int letter; (letter = getopt_long(argc, argv, "", names, NULL)) != -1;)
    switch (letter) {
    case 'd': o->depth = (int32_t)strtol(optarg, NULL, 10); break;
    case 'i': o->width = (int32_t)strtol(optarg, NULL, 10); break;
    case 'x': o->seconds = strtod(optarg, NULL); break;
    case 'c': o->convolutions = read_word(optarg, "direct", "fast"); break;
    case 'p': o->precision = read_word(optarg, "f32", "bf16"); break;
    case 'j': o->json = optarg; break;
    case 'l': o->layers = 1; break;
    case 'v': o->serve = 1; break;
    case 'k': set_smoke(o); break;
    case '?': usage("a wrong option"); break;
    default: read_list(o, letter, optarg);
    }
}
