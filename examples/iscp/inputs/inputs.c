/* Images and machine: the options that most commands share, and the opening of what they name. model.c has the model's. */
#include <stdlib.h>
#include <string.h>

#include "inputs/inputs.h"

enum { MEMORY = 256 };

/* ---- Machine ---- */

/* The library's codes count from 0 in the order of the words. */
static const char *const backends[] = {"auto", "onednn", "blas", NULL}, *const ways[] = {"direct", "fast", NULL};
static const char *const types[] = {"f32", "bf16", NULL};

static const option_line machine_lines[] = {
    {0, "threads", "N", "threads to compute with; default: as OpenMP finds them",
     .how = OPTION_COUNT, .at = offsetof(machine_settings, threads), .low = 1, .high = 1024, .expected = "1 to 1024"},
    {0, "backend", "NAME", "auto, onednn or blas; default auto",
     .how = OPTION_WORD, .at = offsetof(machine_settings, backend), .words = backends, .expected = "auto, onednn or blas"},
    {MEMORY, "memory", "SIZE", "what a run of the network may hold, as 500M or 2G; default: no bound", .how = OPTION_OTHER},
    {0, "convolutions", "HOW", "direct or fast (Winograd's where it is faster; rounds more);\n"
                                          "default direct",
     .how = OPTION_WORD, .at = offsetof(machine_settings, convolutions), .words = ways, .expected = "direct or fast"},
    {0, "precision", "TYPE", "of convolutions: f32 or bf16 (for CPUs with AMX; rounds much more);\n"
                                     "default f32",
     .how = OPTION_WORD, .at = offsetof(machine_settings, precision), .words = types, .expected = "f32 or bf16"},
    {0, "verbose", NULL, "say on standard error what the library does",
     .how = OPTION_FLAG, .at = offsetof(machine_settings, verbose), .low = 1},
    {0},
};

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
  (void)key;
  return set_bytes(&((machine_settings *)to)->memory, "memory", value);
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
    {0, "labels", "FILE", "labels: IDX, .npy, or a table .csv of pictures; default: found",
     .how = OPTION_TEXT, .at = offsetof(data_settings, labels)},
    {0, "split", "NAME", "train, val or test, of a set that has several; default test, else val;\nof iscp train: train",
     .how = OPTION_TEXT, .at = offsetof(data_settings, split)},
    {0, "limit", "N", "take the first N images only",
     .how = OPTION_LONG, .at = offsetof(data_settings, limit), .low = 1, .high = 0x1p63,
     .expected = "a number of images, 1 or more"},
    {0, "skip-broken", NULL, "leave out pictures that cannot be used, instead of stopping at them",
     .how = OPTION_FLAG, .at = offsetof(data_settings, skip_broken), .low = 1},
    {MEMORY, "image-memory", "SIZE", "pictures kept in memory, as 500M or 2G; default 256M", .how = OPTION_OTHER},
    {0},
};

static int set_data(void *to, int key, const char *value) {
  (void)key;
  return set_bytes(&((data_settings *)to)->memory, "image-memory", value);
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

/* ---- All three ---- */

int open_subject(iscp_context **context, iscp_model **model, iscp_dataset **data, const inputs *in, const char *const *words) {
  int code = open_context(context, &in->machine);
  if (code == EXIT_DONE)
    code = open_model(model, *context, words[0], &in->model);
  if (code == EXIT_DONE)
    code = open_data(data, *context, words[1], *model, &in->data);
  return code;
}

void close_subject(iscp_context *context, iscp_model *model, iscp_dataset *data) {
  iscp_dataset_destroy(data);
  iscp_model_destroy(model);
  iscp_context_destroy(context);
}
