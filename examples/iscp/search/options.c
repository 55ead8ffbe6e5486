/* The options of iscp search: a field of iscp_search_options or iscp_report_options each. */
#include <stdlib.h>
#include <string.h>

#include "search/options.h"

enum { CANVAS = 256, CANVAS_STEP, TURNS, ALPHA, MIN_ACCURACY };

/* The library's codes count from 1 in the order of the words. */
static const char *const presets[] = {"paper", "authors", "predictive", NULL}, *const rules[] = {"loss", "power", NULL};
static const char *const ties[] = {"evidence", "index", NULL}, *const images[] = {"heldout", "all", NULL};
static const char *const which[] = {"selected", "all", "none", NULL};

static const option_line result_lines[] = {
    {'o', "output", "DIR", "the folder of the results; made if missing",
     .how = OPTION_TEXT, .at = offsetof(search_settings, folder)},
    {0, "resume", NULL, "go on with the results in DIR, of the same command",
     .how = OPTION_FLAG, .at = offsetof(search_settings, report.resume), .low = 1},
    {0, "overwrite", NULL, "replace the results in DIR",
     .how = OPTION_FLAG, .at = offsetof(search_settings, report.overwrite), .low = 1},
    {0, "json", NULL, "print result.json in place of tables",
     .how = OPTION_FLAG, .at = offsetof(search_settings, json), .low = 1},
    {0},
};

static const option_line search_lines[] = {
    {0, "classes", "LIST", "numbers, ranges, names, as 0,3,5-7 or dress,coat; default all",
     .how = OPTION_TEXT, .at = offsetof(search_settings, classes)},
    {CANVAS, "canvas", "LIST", "of positive, negative, random, white, or files (a picture or .npy);\n"
                               "default positive. Several are added up", .how = OPTION_OTHER},
    {0, "canvases", "N", "canvases of each kind a class; default 5",
     .how = OPTION_COUNT, .at = offsetof(search_settings, search.canvases), .low = INT32_MIN, .high = INT32_MAX,
     .expected = "a whole number"},
    {0, "learn-canvas", NULL, "the canvas is learned with the mask (the paper's Eq. 4)",
     .how = OPTION_FLAG, .at = offsetof(search_settings, learn_canvas), .low = 1},
    {CANVAS_STEP, "canvas-step", "X", "change of a learned canvas's value a step, in 255ths; default 2", .how = OPTION_OTHER},
    {TURNS, "turns", "M,C", "steps of the mask, then of a learned canvas, in turn; default 5,5", .how = OPTION_OTHER},
    {0, "preset", "NAME", "predictive (what predicts best), paper (its text: alpha 0.2) or\n"
                               "authors (their figures: alpha 8, last update dropped); default\n"
                               "predictive",
     .how = OPTION_WORD, .at = offsetof(search_settings, search.preset), .low = 1, .words = presets,
     .expected = "predictive, paper or authors"},
    {ALPHA, "alpha", "X|auto", "weight of the mask's mean; auto: per class, the best of five around\n"
                               "the preset's by PW on D_n; default: the preset's", .how = OPTION_OTHER},
    {0, "tv", "X", "weight of the mask's total variation, which smooths it (the\n"
                    "paper's Eq. 3, with 0.2 and 1); default 0",
     .how = OPTION_NUMBER, .at = offsetof(search_settings, search.tv), .expected = "a number from 0"},
    {0, "epochs", "N", "passes over D_n; default 5",
     .how = OPTION_COUNT, .at = offsetof(search_settings, search.epochs), .low = INT32_MIN, .high = INT32_MAX,
     .expected = "a whole number"},
    {0, "batch", "N", "images a step; default 4",
     .how = OPTION_COUNT, .at = offsetof(search_settings, search.batch), .low = INT32_MIN, .high = INT32_MAX,
     .expected = "a whole number"},
    {0, "step", "X", "change of a mask value a step; default 0.02",
     .how = OPTION_NUMBER, .at = offsetof(search_settings, search.step), .expected = "a number in (0, 1]"},
    {0, "fraction", "X", "share of each class that is searched on (D_n), 0.2 or 20%; default 0.2",
     .how = OPTION_SHARE, .at = offsetof(search_settings, search.fraction), .expected = "a share, as 0.2 or 20%"},
    {0, "seed", "N", "of D_n, its order, and random canvases; default 0",
     .how = OPTION_SEED, .at = offsetof(search_settings, search.seed), .expected = "a whole number from 0"},
    {0, "select", "RULE", "best canvas of a class by loss or by power (on D_n); default: the\n"
                               "preset's",
     .how = OPTION_WORD, .at = offsetof(search_settings, search.select), .low = 1, .words = rules, .expected = "loss or power"},
    {0, "select-size", "P", "pattern size of that power, in percent; default 5",
     .how = OPTION_PERCENT, .at = offsetof(search_settings, search.select_size), .expected = "percent of the pixels, as 5 or 5%"},
    {0, "ties", "RULE", "rank of equal mask values: evidence or index; default: the preset's",
     .how = OPTION_WORD, .at = offsetof(search_settings, search.ties), .low = 1, .words = ties, .expected = "evidence or index"},
    {0, "lanes", "N", "searches that take their steps together; default: measured if the\n"
                         "search is long, else chosen by size",
     .how = OPTION_COUNT, .at = offsetof(search_settings, search.lanes), .low = INT32_MIN, .high = INT32_MAX,
     .expected = "a whole number"},
    {MIN_ACCURACY, "min-accuracy", "A|none", "share of the images, 0.6 or 60%, that the model must be right on;\n"
                                             "default: clearly more than by guessing. none: search all the same",
     .how = OPTION_OTHER},
    {0},
};

static const option_line power_lines[] = {
    {0, "power", "WHICH", "canvases whose PW is measured: selected (faster), all or none;\n"
                              "default selected",
     .how = OPTION_WORD, .at = offsetof(search_settings, measure), .low = 1, .words = which, .expected = "selected, all or none"},
    {0, "sizes", "LIST", "pattern sizes in percent of the pixels, 2 as well as 2%;\n"
                             "default 1,2,3,5,10", .how = OPTION_OTHER},
    {0, "images", "WHICH", "heldout (not searched on) or all; default heldout",
     .how = OPTION_WORD, .at = offsetof(search_settings, report.images), .low = 1, .words = images, .expected = "heldout or all"},
    {0, "picture-size", "P", "pattern size in the pictures, in percent; default 5",
     .how = OPTION_PERCENT, .at = offsetof(search_settings, report.picture_size),
     .expected = "percent of the pixels, as 5 or 5%"},
    {0, "scale", "N", "picture pixels an image pixel, 1 to 64; default: chosen by size",
     .how = OPTION_COUNT, .at = offsetof(search_settings, report.scale), .low = INT32_MIN, .high = INT32_MAX,
     .expected = "a whole number"},
    {0},
};

/* ---- Fields ---- */

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

static int set_sizes(void *to, int key, const char *value) {
  (void)key;
  search_settings *settings = to;
  free(settings->sizes);
  settings->sizes = read_percents(&settings->report.size_count, value);
  settings->report.sizes = settings->sizes;
  return settings->sizes ? EXIT_DONE : wrong_value("sizes", value, "percents with commas, as 1,2,3,5,10");
}

static int set_search(void *to, int key, const char *value) {
  search_settings *settings = to;
  switch (key) {
  case CANVAS:
    return set_canvas(settings, value);
  case CANVAS_STEP:
    return set_canvas_step(settings, value);
  case TURNS:
    return set_turns(settings, value);
  case ALPHA:
    return set_alpha(&settings->search, value);
  default:
    return set_accuracy(&settings->search, value);
  }
}

static const option_group result_group = {"Results", result_lines, NULL};
const option_group search_group = {"Search", search_lines, set_search};
const option_group power_group = {"Power and pictures", power_lines, set_sizes};
const option_group *const search_groups[] = {&result_group, &search_group, &power_group, &data_group,
                                             &model_group,  &machine_group, NULL};

int search_option_set(search_settings *settings, const char *name, const char *value) {
  for (const option_line *line = search_lines; line->name; line++)
    if (line->value && !strcmp(line->name, name))
      return option_set(&search_group, line, settings, value);
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
