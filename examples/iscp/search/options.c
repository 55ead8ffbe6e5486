/* The options of iscp search: a field of iscp_search_options or iscp_report_options each. */
#include <stdlib.h>
#include <string.h>

#include "search/options.h"

enum {
  CLASSES = 256, CANVAS, CANVASES, LEARN_CANVAS, CANVAS_STEP, TURNS, PRESET, ALPHA, TV, EPOCHS, BATCH, STEP, FRACTION,
  SEED, SELECT, SELECT_SIZE, TIES, SIZES,
  IMAGES, LANES, MIN_ACCURACY, POWER, RESUME, OVERWRITE, PICTURE_SIZE, SCALE, JSON
};

static const option_line result_lines[] = {
    {'o', "output", "DIR", "the folder of the results; made if missing"},
    {RESUME, "resume", NULL, "go on with the results in DIR, of the same command"},
    {OVERWRITE, "overwrite", NULL, "replace the results in DIR"},
    {JSON, "json", NULL, "print result.json in place of tables"},
    {0},
};

static const option_line search_lines[] = {
    {CLASSES, "classes", "LIST", "numbers, ranges, names, as 0,3,5-7 or dress,coat; default all"},
    {CANVAS, "canvas", "LIST", "of positive, negative, random, white, or files (a picture or .npy);\n"
                               "default positive. Several are added up"},
    {CANVASES, "canvases", "N", "canvases of each kind a class; default 5"},
    {LEARN_CANVAS, "learn-canvas", NULL, "the canvas is learned with the mask (the paper's Eq. 4)"},
    {CANVAS_STEP, "canvas-step", "X", "change of a learned canvas's value a step, in 255ths; default 2"},
    {TURNS, "turns", "M,C", "steps of the mask, then of a learned canvas, in turn; default 5,5"},
    {PRESET, "preset", "NAME", "predictive (what predicts best), paper (its text: alpha 0.2) or\n"
                               "authors (their figures: alpha 8, last update dropped); default\n"
                               "predictive"},
    {ALPHA, "alpha", "X|auto", "weight of the mask's mean; auto: per class, the best of five around\n"
                               "the preset's by PW on D_n; default: the preset's"},
    {TV, "tv", "X", "weight of the mask's total variation, which smooths it (the\n"
                    "paper's Eq. 3, with 0.2 and 1); default 0"},
    {EPOCHS, "epochs", "N", "passes over D_n; default 5"},
    {BATCH, "batch", "N", "images a step; default 4"},
    {STEP, "step", "X", "change of a mask value a step; default 0.02"},
    {FRACTION, "fraction", "X", "share of each class that is searched on (D_n), 0.2 or 20%; default 0.2"},
    {SEED, "seed", "N", "of D_n, its order, and random canvases; default 0"},
    {SELECT, "select", "RULE", "best canvas of a class by loss or by power (on D_n); default: the\n"
                               "preset's"},
    {SELECT_SIZE, "select-size", "P", "pattern size of that power, in percent; default 5"},
    {TIES, "ties", "RULE", "rank of equal mask values: evidence or index; default: the preset's"},
    {LANES, "lanes", "N", "searches that take their steps together; default: measured if the\n"
                         "search is long, else chosen by size"},
    {MIN_ACCURACY, "min-accuracy", "A|none", "share of the images, 0.6 or 60%, that the model must be right on;\n"
                                             "default: clearly more than by guessing. none: search all the same"},
    {0},
};

static const option_line power_lines[] = {
    {POWER, "power", "WHICH", "canvases whose PW is measured: selected (faster), all or none;\n"
                              "default selected"},
    {SIZES, "sizes", "LIST", "pattern sizes in percent of the pixels, 2 as well as 2%;\n"
                             "default 1,2,3,5,10"},
    {IMAGES, "images", "WHICH", "heldout (not searched on) or all; default heldout"},
    {PICTURE_SIZE, "picture-size", "P", "pattern size in the pictures, in percent; default 5"},
    {SCALE, "scale", "N", "picture pixels an image pixel, 1 to 64; default: chosen by size"},
    {0},
};

/* ---- Fields ---- */

static int set_count(int32_t *field, const char *name, const char *value) {
  int64_t number;
  if (!read_integer(&number, value) || number < INT32_MIN || number > INT32_MAX)
    return wrong_value(name, value, "a whole number");
  *field = (int32_t)number;
  return EXIT_DONE;
}

/* Choices count from 1, as the library's do. */
static int set_choice(int32_t *field, const char *name, const char *value, const char *const *choices,
                      const char *expected) {
  int choice = read_choice(value, choices);
  if (choice < 0)
    return wrong_value(name, value, expected);
  *field = choice + 1;
  return EXIT_DONE;
}

static int set_share(double *field, const char *name, const char *value) {
  return read_share(field, value) ? EXIT_DONE : wrong_value(name, value, "a share, as 0.2 or 20%");
}

static int set_percent(double *field, const char *name, const char *value) {
  return read_percent(field, value) ? EXIT_DONE : wrong_value(name, value, "percent of the pixels, as 5 or 5%");
}

static int set_accuracy(iscp_search_options *search, const char *value) {
  if (!strcmp(value, "none")) {
    search->min_accuracy = -1;
    return EXIT_DONE;
  }
  if (!read_share(&search->min_accuracy, value) || search->min_accuracy <= 0 || search->min_accuracy > 1)
    return wrong_value("min-accuracy", value, "none, or a share above 0, as 0.6 or 60%");
  return EXIT_DONE;
}

static int set_alpha(iscp_search_options *search, const char *value) {
  search->alpha_mode = !strcmp(value, "auto") ? ISCP_ALPHA_AUTO : ISCP_ALPHA_FIXED;
  if (search->alpha_mode == ISCP_ALPHA_FIXED && !read_number(&search->alpha, value))
    return wrong_value("alpha", value, "a number from 0, or auto");
  return EXIT_DONE;
}

static int set_canvas_step(search_settings *settings, const char *value) {
  double *step = &settings->search.canvas_step;
  if (!read_number(step, value) || *step <= 0 || *step > 255)
    return wrong_value("canvas-step", value, "255ths above 0, at most 255");
  *step /= 255;
  settings->learning = "--canvas-step";
  return EXIT_DONE;
}

static int set_turns(search_settings *settings, const char *value) {
  char *copy = take_copy(value), *list = copy, *mask = next_piece(&list), *canvas = next_piece(&list);
  int64_t of_mask = 0, of_canvas = 0;
  int right = mask && canvas && !next_piece(&list) && read_integer(&of_mask, mask) && read_integer(&of_canvas, canvas);
  free(copy);
  if (!right || of_mask < 1 || of_mask > 1000 || of_canvas < 1 || of_canvas > 1000)
    return wrong_value("turns", value, "steps of the mask and of the canvas, 1 to 1000 each, as 5,5");
  settings->search.mask_steps = (int32_t)of_mask;
  settings->canvas_steps = (int32_t)of_canvas;
  settings->learning = "--turns";
  return EXIT_DONE;
}

/* A word that is no kind is a file's name. */
static int set_canvas(search_settings *settings, const char *value) {
  static const char *const kinds[] = {"positive", "negative", "random", "white", NULL};
  char *copy = take_copy(value), *list = copy;
  iscp_search_options *search = &settings->search;
  search->canvas_kinds = 0;
  search->user_canvas_count = 0;
  for (char *piece; (piece = next_piece(&list));) {
    int kind = read_choice(piece, kinds);
    search->canvas_kinds |= kind < 0 ? ISCP_CANVAS_USER : 1 << kind;
    if (kind >= 0)
      continue;
    char **longer = realloc(settings->canvas_files, ((size_t)search->user_canvas_count + 1) * sizeof *longer);
    if (!longer)
      break;
    settings->canvas_files = longer;
    longer[search->user_canvas_count++] = take_copy(piece);
  }
  free(copy);
  return EXIT_DONE;
}

static int set_sizes(search_settings *settings, const char *value) {
  free(settings->sizes);
  settings->sizes = read_percents(&settings->report.size_count, value);
  settings->report.sizes = settings->sizes;
  return settings->sizes ? EXIT_DONE : wrong_value("sizes", value, "percents with commas, as 1,2,3,5,10");
}

static int set_search(void *to, int key, const char *value) {
  static const char *const presets[] = {"paper", "authors", "predictive", NULL};
  static const char *const rules[] = {"loss", "power", NULL};
  static const char *const ties[] = {"evidence", "index", NULL};
  search_settings *settings = to;
  iscp_search_options *search = &settings->search;
  switch (key) {
  case CLASSES:
    settings->classes = value;
    return EXIT_DONE;
  case CANVAS:
    return set_canvas(settings, value);
  case CANVASES:
    return set_count(&search->canvases, "canvases", value);
  case LEARN_CANVAS:
    settings->learn_canvas = 1;
    return EXIT_DONE;
  case CANVAS_STEP:
    return set_canvas_step(settings, value);
  case TURNS:
    return set_turns(settings, value);
  case PRESET:
    return set_choice(&search->preset, "preset", value, presets, "predictive, paper or authors");
  case ALPHA:
    return set_alpha(search, value);
  case TV:
    return read_number(&search->tv, value) ? EXIT_DONE : wrong_value("tv", value, "a number from 0");
  case EPOCHS:
    return set_count(&search->epochs, "epochs", value);
  case BATCH:
    return set_count(&search->batch, "batch", value);
  case STEP:
    return read_number(&search->step, value) ? EXIT_DONE : wrong_value("step", value, "a number in (0, 1]");
  case FRACTION:
    return set_share(&search->fraction, "fraction", value);
  case SEED:
    return read_seed(&search->seed, value) ? EXIT_DONE : wrong_value("seed", value, "a whole number from 0");
  case SELECT:
    return set_choice(&search->select, "select", value, rules, "loss or power");
  case SELECT_SIZE:
    return set_percent(&search->select_size, "select-size", value);
  case TIES:
    return set_choice(&search->ties, "ties", value, ties, "evidence or index");
  case MIN_ACCURACY:
    return set_accuracy(search, value);
  default:
    return set_count(&search->lanes, "lanes", value);
  }
}

static int set_result(void *to, int key, const char *value) {
  search_settings *settings = to;
  switch (key) {
  case 'o':
    settings->folder = value;
    return EXIT_DONE;
  case RESUME:
    settings->report.resume = 1;
    return EXIT_DONE;
  case OVERWRITE:
    settings->report.overwrite = 1;
    return EXIT_DONE;
  default:
    settings->json = 1;
    return EXIT_DONE;
  }
}

static int set_power(void *to, int key, const char *value) {
  static const char *const which[] = {"selected", "all", "none", NULL}, *const images[] = {"heldout", "all", NULL};
  search_settings *settings = to;
  switch (key) {
  case POWER:
    return set_choice(&settings->measure, "power", value, which, "selected, all or none");
  case SIZES:
    return set_sizes(settings, value);
  case IMAGES:
    return set_choice(&settings->report.images, "images", value, images, "heldout or all");
  case PICTURE_SIZE:
    return set_percent(&settings->report.picture_size, "picture-size", value);
  default:
    return set_count(&settings->report.scale, "scale", value);
  }
}

static const option_group result_group = {"Results", result_lines, set_result};
const option_group search_group = {"Search", search_lines, set_search};
const option_group power_group = {"Power and pictures", power_lines, set_power};
const option_group *const search_groups[] = {&result_group, &search_group, &power_group, &data_group,
                                             &model_group,  &machine_group, NULL};

int search_option_set(search_settings *settings, const char *name, const char *value) {
  for (const option_line *line = search_lines; line->name; line++)
    if (line->value && !strcmp(line->name, name))
      return set_search(settings, line->key, value);
  return -1;
}

/* ---- Settings ---- */

iscp_status search_settings_init(search_settings *settings) {
  *settings = (search_settings){.measure = ISCP_MEASURE_SELECTED, .canvas_steps = 5};
  iscp_status status = iscp_search_options_init(&settings->search, sizeof settings->search);
  return status == ISCP_OK ? iscp_report_options_init(&settings->report, sizeof settings->report) : status;
}

int search_settings_learn(search_settings *settings, const char *command) {
  if (settings->learning && !settings->learn_canvas) {
    complain("%s: %s is of a learned canvas, expected --learn-canvas too", command, settings->learning);
    return EXIT_USAGE;
  }
  if (settings->learn_canvas)
    settings->search.canvas_steps = settings->canvas_steps;
  return EXIT_DONE;
}

int search_settings_check(search_settings *settings) {
  if (!settings->folder || !*settings->folder) {
    complain("search: no folder for the results, expected -o DIR");
    return EXIT_USAGE;
  }
  if (settings->report.resume && settings->report.overwrite) {
    complain("search: --resume and --overwrite exclude each other");
    return EXIT_USAGE;
  }
  return search_settings_learn(settings, "search");
}

void search_settings_release(search_settings *settings) {
  for (int32_t i = 0; i < settings->search.user_canvas_count; i++)
    free(settings->canvas_files[i]);
  free(settings->canvas_files);
  free(settings->sizes);
}

iscp_status search_settings_run(iscp_run **out, const char *folder, const search_settings *settings, const iscp_model *model,
                                const iscp_dataset *data, const int32_t *classes, int32_t count, const float *canvases) {
  iscp_search_options search = settings->search;
  search.classes = classes;
  search.class_count = count;
  search.user_canvases = canvases;
  const iscp_run_options options = {sizeof options, settings->measure, &search, &settings->report};
  return iscp_run_create(out, folder, model, data, &options);
}

int run_is_there(const char *folder) { return folder_has(folder, "result.json"); }

int read_canvases(float **out, const search_settings *settings, iscp_context *context, const iscp_contract *contract) {
  *out = NULL;
  int32_t count = settings->search.user_canvas_count;
  size_t numbers = (size_t)contract->channels * (size_t)contract->height * (size_t)contract->width;
  if (!count)
    return EXIT_DONE;
  *out = take((size_t)count * numbers * sizeof **out);
  for (int32_t i = 0; i < count; i++) {
    iscp_status status = iscp_image_read(*out + (size_t)i * numbers, context, settings->canvas_files[i], contract);
    if (status != ISCP_OK)
      return failed(status);
  }
  return EXIT_DONE;
}
