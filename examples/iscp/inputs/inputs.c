/* Images and machine: the options that most commands share, and the opening of what they name. model.c has the model's. */
#include <stdlib.h>
#include <string.h>

#include "inputs/inputs.h"

enum { THREADS = 256, BACKEND, MEMORY, CONVOLUTIONS, PRECISION, VERBOSE, LABELS, SPLIT, LIMIT, SKIP_BROKEN, IMAGE_MEMORY };

/* ---- Machine ---- */

static const option_line machine_lines[] = {
    {THREADS, "threads", "N", "threads to compute with; default: as OpenMP finds them"},
    {BACKEND, "backend", "NAME", "auto, onednn or blas; default auto"},
    {MEMORY, "memory", "SIZE", "what a run of the network may hold, as 500M or 2G; default: no bound"},
    {CONVOLUTIONS, "convolutions", "HOW", "direct or fast (Winograd's where it is faster; rounds more);\n"
                                          "default direct"},
    {PRECISION, "precision", "TYPE", "of convolutions: f32 or bf16 (for CPUs with AMX; rounds much more);\n"
                                     "default f32"},
    {VERBOSE, "verbose", NULL, "say on standard error what the library does"},
    {0},
};

/* The library's codes count from 0 as the words do. */
static int set_word(int32_t *field, const char *name, const char *value, const char *const *words, const char *expected) {
  int choice = read_choice(value, words);
  if (choice < 0)
    return wrong_value(name, value, expected);
  *field = choice;
  return EXIT_DONE;
}

static int set_threads(machine_settings *settings, const char *value) {
  int64_t number;
  if (!read_integer(&number, value) || number < 1 || number > 1024)
    return wrong_value("threads", value, "1 to 1024");
  settings->threads = (int32_t)number;
  return EXIT_DONE;
}

/* "500M": a whole number of bytes, K, M or G (of 1024). */
static int set_bytes(int64_t *bytes, const char *name, const char *value) {
  static const char units[] = "KMG";
  char *copy = take_copy(value);
  size_t length = strlen(copy);
  const char *unit = length ? strchr(units, copy[length - 1]) : NULL;
  int shift = unit ? 10 * (int)(unit - units + 1) : 0;
  if (unit)
    copy[length - 1] = 0;
  int64_t number;
  int right = read_integer(&number, copy) && number > 0 && number <= INT64_MAX >> shift;
  free(copy);
  if (!right)
    return wrong_value(name, value, "bytes, as 500M or 2G");
  *bytes = number << shift;
  return EXIT_DONE;
}

static int set_machine(void *to, int key, const char *value) {
  static const char *const backends[] = {"auto", "onednn", "blas", NULL}, *const ways[] = {"direct", "fast", NULL};
  static const char *const types[] = {"f32", "bf16", NULL};
  machine_settings *settings = to;
  switch (key) {
  case THREADS:
    return set_threads(settings, value);
  case BACKEND:
    return set_word(&settings->backend, "backend", value, backends, "auto, onednn or blas");
  case MEMORY:
    return set_bytes(&settings->memory, "memory", value);
  case CONVOLUTIONS:
    return set_word(&settings->convolutions, "convolutions", value, ways, "direct or fast");
  case PRECISION:
    return set_word(&settings->precision, "precision", value, types, "f32 or bf16");
  default:
    settings->verbose = 1;
    return EXIT_DONE;
  }
}

const option_group machine_group = {"Machine", machine_lines, set_machine};

static void print_log(int32_t level, const char *message, void *user) {
  (void)user;
  progress_clear();
  fprintf(stderr, "iscp: %s%s\n", level <= ISCP_LOG_WARNING ? "warning: " : "", message);
}

int open_context(iscp_context **out, const machine_settings *settings) {
  iscp_context_options options;
  iscp_status status = iscp_context_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return failed(status);
  options.threads = settings->threads;
  options.backend = settings->backend;
  options.memory = settings->memory;
  options.convolutions = settings->convolutions;
  options.precision = settings->precision;
  options.log = print_log;
  if (settings->adjust)
    settings->adjust(&options);
  options.log_level = settings->verbose ? ISCP_LOG_DEBUG : ISCP_LOG_WARNING;
  status = iscp_context_create(out, &options);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

/* ---- Images ---- */

static const option_line data_lines[] = {
    {LABELS, "labels", "FILE", "labels: IDX, .npy, or a table .csv of pictures; default: found"},
    {SPLIT, "split", "NAME", "train, val or test, of a set that has several; default test, else val;\nof iscp train: train"},
    {LIMIT, "limit", "N", "take the first N images only"},
    {SKIP_BROKEN, "skip-broken", NULL, "leave out pictures that cannot be used, instead of stopping at them"},
    {IMAGE_MEMORY, "image-memory", "SIZE", "pictures kept in memory, as 500M or 2G; default 256M"},
    {0},
};

static int set_data(void *to, int key, const char *value) {
  data_settings *settings = to;
  if (key == LABELS)
    settings->labels = value;
  if (key == SPLIT)
    settings->split = value;
  if (key == SKIP_BROKEN)
    settings->skip_broken = 1;
  if (key == IMAGE_MEMORY)
    return set_bytes(&settings->memory, "image-memory", value);
  if (key == LIMIT && (!read_integer(&settings->limit, value) || settings->limit < 1))
    return wrong_value("limit", value, "a number of images, 1 or more");
  return EXIT_DONE;
}

const option_group data_group = {"Images", data_lines, set_data};

int open_data(iscp_dataset **out, iscp_context *context, const char *path, const iscp_model *model,
              const data_settings *settings) {
  iscp_dataset_options options;
  iscp_status status = iscp_dataset_options_init(&options, sizeof options);
  if (status == ISCP_OK) {
    options.classes = model ? class_count(model) : 0;
    options.contract = model ? iscp_model_contract(model) : settings->contract;
    options.labels = settings->labels;
    options.split = settings->split;
    options.limit = settings->limit;
    options.skip_broken = settings->skip_broken;
    options.memory = settings->memory;
    options.progress = progress_show;
    progress_label("pictures");
    status = iscp_dataset_open(out, context, path, &options);
  }
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}
