/* Model, images and machine: the options that most commands share, and the opening of what they name. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "program.h"

enum { THREADS = 256, BACKEND, MEMORY, CONVOLUTIONS, PRECISION, VERBOSE, SIZE, PAD, MEAN, STD, CHANNELS, NAMES, STATE_DICT, STRIDE, LABELS, SPLIT, LIMIT };

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
static int set_memory(machine_settings *settings, const char *value) {
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
    return wrong_value("memory", value, "bytes, as 500M or 2G");
  settings->memory = number << shift;
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
    return set_memory(settings, value);
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

/* ---- Model and its input contract ---- */

static const option_line model_lines[] = {
    {SIZE, "size", "HxW", "the network's input, in pixels after padding, as 32x32 or 224"},
    {PAD, "pad", "N|T,B,L,R", "rows and columns of zeros added around an image; default 0"},
    {MEAN, "mean", "M[,M,M]", "mean of each channel, of pixels in [0,1], as 0.485,0.456,0.406"},
    {STD, "std", "S[,S,S]", "standard deviation of each channel, as 0.229,0.224,0.225"},
    {CHANNELS, "channels", "N", "1 or 3; default 3 (a grey image is copied to three channels)"},
    {NAMES, "names", "FILE", "names of the classes, one a line; default: those in the model's file"},
    {STATE_DICT, "state-dict", "KEY", "where a checkpoint of several has the weights, as model_ema or\n"
                                      "ema.state_dict; default: chosen, iscp info says which"},
    {STRIDE, "stride", "PLACE", "3x3 or 1x1: the convolution of bottlenecks that has it, which weights\n"
                                "do not tell; default 3x3, as PyTorch's networks"},
    {0},
};

/* One number serves all channels. */
static int read_channels(float values[3], const char *text) {
  char *copy = take_copy(text), *list = copy;
  int count = 0, right = 1;
  for (char *piece; right && (piece = next_piece(&list)); count++) {
    double value = 0;
    right = count < 3 && read_number(&value, piece);
    if (right)
      values[count] = (float)value;
  }
  free(copy);
  if (right && count == 1)
    values[1] = values[2] = values[0];
  return right && (count == 1 || count == 3);
}

static int read_pad(iscp_contract *contract, const char *text) {
  int32_t *sides[] = {&contract->pad_top, &contract->pad_bottom, &contract->pad_left, &contract->pad_right};
  char *copy = take_copy(text), *list = copy;
  int count = 0, right = 1;
  for (char *piece; right && (piece = next_piece(&list)); count++) {
    int64_t value = 0;
    right = count < 4 && read_integer(&value, piece) && value >= 0 && value <= 1024;
    if (right)
      *sides[count] = (int32_t)value;
  }
  free(copy);
  if (right && count == 1)
    *sides[1] = *sides[2] = *sides[3] = *sides[0];
  return right && (count == 1 || count == 4);
}

static int read_size(iscp_contract *contract, const char *text) {
  char *copy = take_copy(text), *cross = strchr(copy, 'x');
  if (cross)
    *cross++ = 0;
  int64_t height = 0, width = 0;
  int right = read_integer(&height, copy) && read_integer(&width, cross ? cross : copy);
  right = right && height >= 8 && height <= 4096 && width >= 8 && width <= 4096;
  free(copy);
  contract->height = (int32_t)height;
  contract->width = (int32_t)width;
  return right;
}

static int set_model(void *to, int key, const char *value) {
  model_settings *settings = to;
  iscp_contract *contract = &settings->contract;
  switch (key) {
  case SIZE:
    settings->size = 1;
    return read_size(contract, value) ? EXIT_DONE : wrong_value("size", value, "HEIGHTxWIDTH, 8 to 4096 each");
  case PAD:
    settings->pad = 1;
    return read_pad(contract, value) ? EXIT_DONE : wrong_value("pad", value, "one number, or TOP,BOTTOM,LEFT,RIGHT");
  case MEAN:
    settings->mean = 1;
    return read_channels(contract->mean, value) ? EXIT_DONE : wrong_value("mean", value, "one number, or three");
  case STD:
    settings->std = 1;
    return read_channels(contract->std, value) ? EXIT_DONE : wrong_value("std", value, "one number, or three");
  case CHANNELS:
    settings->channels = 1;
    contract->channels = !strcmp(value, "1") ? 1 : 3;
    return !strcmp(value, "1") || !strcmp(value, "3") ? EXIT_DONE : wrong_value("channels", value, "1 or 3");
  case STATE_DICT:
    settings->state_dict = value;
    return EXIT_DONE;
  case STRIDE:
    settings->stride = !strcmp(value, "1x1") ? ISCP_STRIDE_1X1 : ISCP_STRIDE_3X3;
    return !strcmp(value, "1x1") || !strcmp(value, "3x3") ? EXIT_DONE : wrong_value("stride", value, "3x3 or 1x1");
  default:
    settings->names = value;
    return EXIT_DONE;
  }
}

const option_group model_group = {"Model's input and names (a model saved by libiscp carries them)", model_lines,
                                  set_model};

/* The lines of a file, empty ones at the end left out. NULL after saying what is wrong. */
static char **read_names(int32_t *count, const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) {
    complain("%s cannot be read, expected a file with a class name a line", path);
    return NULL;
  }
  char **names = NULL, *line = NULL;
  size_t capacity = 0, filled = 0;
  *count = 0;
  for (ssize_t length; (length = getline(&line, &capacity, file)) >= 0;) {
    line[strcspn(line, "\r\n")] = 0;
    char **longer = realloc(names, ((size_t)*count + 1) * sizeof *names);
    if (!longer)
      break;
    names = longer;
    names[(*count)++] = take_copy(line);
    if (*line)
      filled = (size_t)*count;
  }
  for (size_t i = filled; i < (size_t)*count; i++)
    free(names[i]);
  *count = (int32_t)filled;
  free(line);
  fclose(file);
  if (!filled) {
    complain("%s is empty, expected a class name a line", path);
    free(names);
    return NULL;
  }
  return names;
}

static int has_contract(const model_settings *s) { return s->size || s->pad || s->mean || s->std || s->channels; }

/* Options go over what the file's own contract says. */
static void lay_over(iscp_contract *contract, const model_settings *settings) {
  const iscp_contract *given = &settings->contract;
  if (settings->channels)
    contract->channels = given->channels;
  if (settings->size) {
    contract->height = given->height;
    contract->width = given->width;
  }
  if (settings->pad) {
    contract->pad_top = given->pad_top;
    contract->pad_bottom = given->pad_bottom;
    contract->pad_left = given->pad_left;
    contract->pad_right = given->pad_right;
  }
  if (settings->mean)
    memcpy(contract->mean, given->mean, sizeof given->mean);
  if (settings->std)
    memcpy(contract->std, given->std, sizeof given->std);
}

/* Size, mean and standard deviation together are a whole contract. Fewer change the one in the file; mean and standard
 * deviation are never guessed. */
static iscp_status make_contract(iscp_contract *contract, iscp_context *context, const char *path,
                                 const iscp_model_options *options, const model_settings *settings) {
  iscp_status status = iscp_contract_init(contract, sizeof *contract);
  if (status == ISCP_OK && !(settings->size && settings->mean && settings->std)) {
    iscp_model *stored;
    status = iscp_model_load(&stored, context, path, options);
    if (status == ISCP_OK)
      *contract = *iscp_model_contract(stored);
    iscp_model_destroy(stored);
  }
  lay_over(contract, settings);
  return status;
}

static int load_failed(iscp_status status, const model_settings *settings) {
  const char *message = iscp_error_message();
  if (status != ISCP_ERROR_MISMATCH || (settings->size && settings->mean && settings->std) ||
      !strstr(message, "contract"))
    return failed(status);
  complain("%s; say what its input is, as: --size 224 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225", message);
  return EXIT_FAILED;
}

int open_model(iscp_model **out, iscp_context *context, const char *path, const model_settings *settings) {
  iscp_model_options options;
  iscp_contract contract;
  char **names = NULL;
  int32_t count = 0;
  *out = NULL;
  iscp_status status = iscp_model_options_init(&options, sizeof options);
  options.state_dict = settings->state_dict;
  options.stride = settings->stride;
  if (status == ISCP_OK && has_contract(settings)) {
    status = make_contract(&contract, context, path, &options, settings);
    options.contract = &contract;
  }
  if (status != ISCP_OK)
    return load_failed(status, settings);
  if (settings->names && !(names = read_names(&count, settings->names)))
    return EXIT_FAILED;
  options.class_names = (const char *const *)names;
  options.class_count = count;
  status = iscp_model_load(out, context, path, &options);
  for (int32_t i = 0; i < count; i++)
    free(names[i]);
  free(names);
  return status == ISCP_OK ? EXIT_DONE : load_failed(status, settings);
}

/* ---- Images ---- */

static const option_line data_lines[] = {
    {LABELS, "labels", "FILE", "labels (IDX or .npy); default: found beside the images"},
    {SPLIT, "split", "NAME", "train or test, of a folder that holds both; default test"},
    {LIMIT, "limit", "N", "take the first N images only"},
    {0},
};

static int set_data(void *to, int key, const char *value) {
  data_settings *settings = to;
  if (key == LABELS)
    settings->labels = value;
  if (key == SPLIT)
    settings->split = value;
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
    options.classes = class_count(model);
    options.contract = iscp_model_contract(model);
    options.labels = settings->labels;
    options.split = settings->split;
    options.limit = settings->limit;
    status = iscp_dataset_open(out, context, path, &options);
  }
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}
