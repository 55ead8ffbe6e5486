/* The model, and what is said about its input: a preset or a file, and options that change it. */
#include <stdlib.h>
#include <string.h>

#include "inputs/inputs.h"

enum { INPUT = 256, SIZE, RESIZE, FILTER, CROP, CROP_RULE, PAD, ORDER, RANGE, MEAN, STD, CHANNELS, NAMES, STATE_DICT, STRIDE };

static const option_line model_lines[] = {
    {INPUT, "input", "NAME|FILE", "a preset, as torchvision-v1 (--input list shows all), or a JSON file:\n"
                                  "libiscp's, timm's config.json, Hugging Face's preprocessor_config.json", .how = OPTION_OTHER},
    {SIZE, "size", "HxW", "the network's input, in pixels after padding, as 32x32 or 224", .how = OPTION_OTHER},
    {RESIZE, "resize", "N|HxW|no", "resize pictures: the short side to N, or both sides", .how = OPTION_OTHER},
    {FILTER, "filter", "NAME", "of resizing: bilinear or bicubic; default bilinear", .how = OPTION_OTHER},
    {CROP, "crop", "HxW|no", "cut pictures from the middle; size and crop follow each other", .how = OPTION_OTHER},
    {CROP_RULE, "crop-rule", "NAME", "where a crop begins: even (torchvision) or floor (Hugging Face)", .how = OPTION_OTHER},
    {PAD, "pad", "N|T,B,L,R", "rows and columns of zeros added around an image; default 0", .how = OPTION_OTHER},
    {ORDER, "order", "RGB|BGR", "the network's order of channels; default RGB", .how = OPTION_OTHER},
    {RANGE, "range", "1|255", "the network's largest pixel value; default 1", .how = OPTION_OTHER},
    {MEAN, "mean", "M[,M,M]", "mean of each channel of the network's input, as 0.485,0.456,0.406", .how = OPTION_OTHER},
    {STD, "std", "S[,S,S]", "standard deviation of each channel, as 0.229,0.224,0.225", .how = OPTION_OTHER},
    {CHANNELS, "channels", "N", "1 or 3; default 3 (a grey image is copied to three channels)", .how = OPTION_OTHER},
    {NAMES, "names", "FILE", "names of the classes, one a line; default: those in the model's file", .how = OPTION_OTHER},
    {STATE_DICT, "state-dict", "KEY", "where a checkpoint of several has the weights, as model_ema or\n"
                                      "ema.state_dict; default: chosen, iscp info says which", .how = OPTION_OTHER},
    {STRIDE, "stride", "PLACE", "3x3 or 1x1: the convolution of bottlenecks that has it, which weights\n"
                                "do not tell; default 3x3, as PyTorch's networks", .how = OPTION_OTHER},
    {0},
};

/* ---- Values ---- */

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

/* "HxW", or "N" for both; *one says which. */
static int read_sides(int32_t *height, int32_t *width, int *one, const char *text, int least) {
  char *copy = take_copy(text), *cross = strchr(copy, 'x');
  *one = !cross;
  if (cross)
    *cross++ = 0;
  int64_t rows = 0, columns = 0;
  int right = read_integer(&rows, copy) && read_integer(&columns, cross ? cross : copy);
  free(copy);
  *height = (int32_t)rows;
  *width = (int32_t)columns;
  return right && rows >= least && rows <= 4096 && columns >= least && columns <= 4096;
}

static int read_resize(iscp_contract *contract, const char *text) {
  int32_t height = 0, width = 0;
  int one = 0;
  contract->resize_short = contract->resize_height = contract->resize_width = 0;
  if (!strcmp(text, "no"))
    return 1;
  int right = read_sides(&height, &width, &one, text, 1);
  contract->resize_short = one ? height : 0;
  contract->resize_height = one ? 0 : height;
  contract->resize_width = one ? 0 : width;
  return right;
}

static int read_crop(iscp_contract *contract, const char *text) {
  int one;
  contract->crop_height = contract->crop_width = 0;
  return !strcmp(text, "no") || read_sides(&contract->crop_height, &contract->crop_width, &one, text, 1);
}

static int read_size(iscp_contract *contract, const char *text) {
  int one;
  return read_sides(&contract->height, &contract->width, &one, text, 8);
}

static int read_word(int32_t *field, const char *text, const char *const *words) {
  int choice = read_choice(text, words);
  *field = choice;
  return choice >= 0;
}

static int read_range(int32_t *range, const char *text) {
  *range = !strcmp(text, "255") ? 255 : 1;
  return !strcmp(text, "1") || !strcmp(text, "255");
}

static int read_channel_count(int32_t *channels, const char *text) {
  *channels = !strcmp(text, "1") ? 1 : 3;
  return !strcmp(text, "1") || !strcmp(text, "3");
}

/* -1 as after --help: nothing is left to do. */
static int list_presets(void) {
  for (int32_t i = 0; iscp_contract_preset_name(i); i++)
    printf("%-16s %s\n", iscp_contract_preset_name(i), iscp_contract_preset_summary(i));
  return -1;
}

const char *const filter_names[] = {[ISCP_FILTER_BILINEAR] = "bilinear", [ISCP_FILTER_BICUBIC] = "bicubic", NULL};
const char *const crop_rule_names[] = {[ISCP_CROP_EVEN] = "even", [ISCP_CROP_FLOOR] = "floor", NULL};
const char *const order_names[] = {[ISCP_ORDER_RGB] = "RGB", [ISCP_ORDER_BGR] = "BGR", NULL};

#define CHECKED(name, right, expected) return (right) ? EXIT_DONE : wrong_value(name, value, expected)

static int set_model(void *to, int key, const char *value) {
  model_settings *settings = to;
  iscp_contract *c = &settings->contract;
  if (key < NAMES)
    settings->given |= 1 << (key - INPUT);
  switch (key) {
  case INPUT:
    settings->input = value;
    return strcmp(value, "list") ? EXIT_DONE : list_presets();
  case SIZE:
    CHECKED("size", read_size(c, value), "HEIGHTxWIDTH, 8 to 4096 each");
  case RESIZE:
    CHECKED("resize", read_resize(c, value), "a short side, HEIGHTxWIDTH, 1 to 4096 each, or no");
  case FILTER:
    CHECKED("filter", read_word(&c->filter, value, filter_names), "bilinear or bicubic");
  case CROP:
    CHECKED("crop", read_crop(c, value), "HEIGHTxWIDTH, 1 to 4096 each, or no");
  case CROP_RULE:
    CHECKED("crop-rule", read_word(&c->crop_rule, value, crop_rule_names), "even or floor");
  case PAD:
    CHECKED("pad", read_pad(c, value), "one number, or TOP,BOTTOM,LEFT,RIGHT");
  case ORDER:
    CHECKED("order", read_word(&c->order, value, order_names), "RGB or BGR");
  case RANGE:
    CHECKED("range", read_range(&c->range, value), "1 or 255");
  case MEAN:
    CHECKED("mean", read_channels(c->mean, value), "one number, or three");
  case STD:
    CHECKED("std", read_channels(c->std, value), "one number, or three");
  case CHANNELS:
    CHECKED("channels", read_channel_count(&c->channels, value), "1 or 3");
  case STATE_DICT:
    settings->state_dict = value;
    return EXIT_DONE;
  case STRIDE:
    settings->stride = !strcmp(value, "1x1") ? ISCP_STRIDE_1X1 : ISCP_STRIDE_3X3;
    CHECKED("stride", !strcmp(value, "1x1") || !strcmp(value, "3x3"), "3x3 or 1x1");
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

/* ---- The contract ---- */

static int has(const model_settings *settings, int key) { return settings->given >> (key - INPUT) & 1; }

/* Size, mean and standard deviation together are a whole contract. */
static int is_whole(const model_settings *s) { return s->input || (has(s, SIZE) && has(s, MEAN) && has(s, STD)); }

/* Size and crop differ by the padding: of one that is not given, the other decides. */
static void lay_sides_over(iscp_contract *contract, const model_settings *settings) {
  const iscp_contract *given = &settings->contract;
  if (has(settings, SIZE)) {
    contract->height = given->height;
    contract->width = given->width;
  }
  if (has(settings, CROP)) {
    contract->crop_height = given->crop_height;
    contract->crop_width = given->crop_width;
  }
  int32_t rows = contract->pad_top + contract->pad_bottom, columns = contract->pad_left + contract->pad_right;
  if (has(settings, CROP) && !has(settings, SIZE) && contract->crop_height) {
    contract->height = contract->crop_height + rows;
    contract->width = contract->crop_width + columns;
  } else if (contract->crop_height && !has(settings, CROP)) {
    contract->crop_height = contract->height - rows;
    contract->crop_width = contract->width - columns;
  }
}

static void lay_over(iscp_contract *contract, const model_settings *settings) {
  const iscp_contract *given = &settings->contract;
  if (has(settings, PAD)) {
    contract->pad_top = given->pad_top;
    contract->pad_bottom = given->pad_bottom;
    contract->pad_left = given->pad_left;
    contract->pad_right = given->pad_right;
  }
  if (has(settings, RESIZE)) {
    contract->resize_short = given->resize_short;
    contract->resize_height = given->resize_height;
    contract->resize_width = given->resize_width;
  }
  lay_sides_over(contract, settings);
  contract->channels = has(settings, CHANNELS) ? given->channels : contract->channels;
  contract->filter = has(settings, FILTER) ? given->filter : contract->filter;
  contract->crop_rule = has(settings, CROP_RULE) ? given->crop_rule : contract->crop_rule;
  contract->order = has(settings, ORDER) ? given->order : contract->order;
  contract->range = has(settings, RANGE) ? given->range : contract->range;
  if (has(settings, MEAN))
    memcpy(contract->mean, given->mean, sizeof given->mean);
  if (has(settings, STD))
    memcpy(contract->std, given->std, sizeof given->std);
}

static int is_file_name(const char *text) {
  size_t length = strlen(text);
  return strchr(text, '/') || (length > 5 && !strcmp(text + length - 5, ".json"));
}

/* Another word of where the contract is from: "preset mnist and options". */
static void add_source(const model_settings *settings, const char *word) {
  if (!settings->source)
    return;
  size_t length = strlen(settings->source);
  snprintf(settings->source + length, SOURCE_SIZE - length, "%s%s", length ? " " : "", word);
}

/* What the options are laid over: a preset, a file, the defaults if they say all, else what the model's file has. Mean and
 * standard deviation are never guessed. */
static iscp_status read_base(iscp_contract *contract, iscp_context *context, const char *path,
                             const model_settings *settings) {
  iscp_status status = iscp_contract_init(contract, sizeof *contract);
  if (status != ISCP_OK)
    return status;
  if (settings->input && is_file_name(settings->input)) {
    add_source(settings, settings->input);
    return iscp_contract_read(contract, context, settings->input);
  }
  if (settings->input) {
    add_source(settings, "preset");
    add_source(settings, settings->input);
    return iscp_contract_preset(contract, settings->input);
  }
  if (is_whole(settings))
    return ISCP_OK;
  char source[SOURCE_SIZE];
  status = iscp_model_read_contract(contract, source, sizeof source, context, path, settings->state_dict);
  if (status == ISCP_OK)
    add_source(settings, source);
  return status;
}

static iscp_status make_contract(iscp_contract *contract, iscp_context *context, const char *path,
                                 const model_settings *settings) {
  iscp_status status = read_base(contract, context, path, settings);
  lay_over(contract, settings);
  if (settings->given != 1) /* there are others than --input */
    add_source(settings, settings->source && *settings->source ? "and options" : "options");
  return status == ISCP_OK ? iscp_contract_validate(contract) : status;
}

/* Whether the file is a model once its input is described: with either number of channels. */
static int lacks_input_alone(const char *path, const iscp_model_options *given) {
  iscp_context *quiet;
  iscp_contract contract;
  iscp_model_options options = *given;
  int loads = 0;
  options.contract = &contract;
  if (iscp_context_create(&quiet, NULL) != ISCP_OK || iscp_contract_init(&contract, sizeof contract) != ISCP_OK)
    return 0;
  contract.height = contract.width = 32;
  for (contract.channels = 1; contract.channels <= 3 && !loads; contract.channels += 2) {
    iscp_model *model;
    loads = iscp_model_load(&model, quiet, path, &options) == ISCP_OK;
    iscp_model_destroy(model);
  }
  iscp_context_destroy(quiet);
  return loads;
}

static int load_failed(iscp_status status, const char *path, const iscp_model_options *options, const model_settings *settings) {
  if (status != ISCP_ERROR_MISMATCH || is_whole(settings))
    return failed(status);
  char *message = take_copy(iscp_error_message());
  if (lacks_input_alone(path, options))
    complain("%s; say what its input is, as: --input torchvision-v1, or --size 32 --mean 0.4914,0.4822,0.4465 "
             "--std 0.247,0.2435,0.2616", message);
  else
    complain("%s", message);
  free(message);
  return EXIT_FAILED;
}

static void free_names(char **names, int32_t count) {
  for (int32_t i = 0; i < count; i++)
    free(names[i]);
  free(names);
}

/* The names of the set's classes, if all have one. */
static char **copy_names(int32_t *count, const iscp_dataset *data) {
  int32_t classes = iscp_dataset_classes(data);
  char **names = take((size_t)classes * sizeof *names);
  for (*count = 0; *count < classes && iscp_dataset_class_name(data, *count); ++*count)
    names[*count] = take_copy(iscp_dataset_class_name(data, *count));
  if (*count == classes)
    return names;
  free_names(names, *count);
  *count = 0;
  return NULL;
}

int make_model(iscp_model **out, iscp_context *context, const iscp_model_info *info, const iscp_dataset *data,
               const model_settings *settings, uint64_t seed) {
  iscp_model_options options;
  iscp_contract contract;
  iscp_model_info network = *info;
  int32_t count = 0;
  *out = NULL;
  if (!is_whole(settings)) {
    complain("what the network's input is to be is not said, expected --input with a preset, or --size, --mean and --std");
    return EXIT_USAGE;
  }
  iscp_status status = iscp_model_options_init(&options, sizeof options);
  if (status == ISCP_OK)
    status = make_contract(&contract, context, NULL, settings);
  if (status != ISCP_OK)
    return failed(status);
  char **names = settings->names ? read_names(&count, settings->names) : copy_names(&count, data);
  if (settings->names && !names)
    return EXIT_FAILED;
  options.contract = &contract;
  options.class_names = (const char *const *)names;
  options.class_count = count;
  network.channels = contract.channels;
  network.stride = settings->stride;
  status = iscp_model_create(out, context, &network, &options, seed);
  free_names(names, count);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
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
  if (status == ISCP_OK && settings->given) {
    status = make_contract(&contract, context, path, settings);
    options.contract = &contract;
  }
  if (status != ISCP_OK)
    return load_failed(status, path, &options, settings);
  if (settings->names && !(names = read_names(&count, settings->names)))
    return EXIT_FAILED;
  options.class_names = (const char *const *)names;
  options.class_count = count;
  status = iscp_model_load(out, context, path, &options);
  int code = status == ISCP_OK ? EXIT_DONE : load_failed(status, path, &options, settings);
  free_names(names, count);
  if (code == EXIT_DONE && !settings->given)
    add_source(settings, iscp_model_contract_source(*out));
  return code;
}
