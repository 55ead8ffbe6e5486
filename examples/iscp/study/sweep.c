/* iscp sweep: how PW and the patterns change with one option of the search, with the pattern's size, or from one checkpoint
 * of a training to the next. */
#include <stdlib.h>
#include <string.h>

#include "study/sweep.h"

enum { OVER = 256, MOST_WORDS = 64, MOST_VALUES = 64 };

typedef struct sweep_settings {
  search_settings search;
  char *over;
} sweep_settings;

static const option_line lines[] = {
    {'o', "output", "DIR", "the folder of the results; made if missing, gone on with if there",
     .how = OPTION_TEXT, .at = offsetof(sweep_settings, search.folder)},
    {OVER, "over", "OPTION=V,..", "an option of the search and its values, as alpha=0.1,0.2,auto,\n"
                                  "fraction=20%,100%, canvas=positive,white, ties=evidence,index; or\n"
                                  "size=1,5,10. Without it, several models are compared (stages)", .how = OPTION_OTHER},
    {0},
};

static int set(void *to, int key, const char *value) {
  (void)key;
  sweep_settings *own = to;
  free(own->over);
  own->over = take_copy(value);
  return EXIT_DONE;
}

static const option_group own_group = {"Results", lines, set};
static const option_group *const groups[] = {&own_group,   &search_group, &power_group, &data_group,
                                             &model_group, &machine_group, NULL};

/* ---- What is varied ---- */

const char *sweep_name(const sweep *w) { return w->over == SWEEP_STAGE ? "stage" : w->option; }

const study_run *sweep_run(const sweep *w, int model, int value) {
  if (w->over == SWEEP_STAGE)
    return w->runs[value];
  return w->runs[w->over == SWEEP_SIZE ? model : model * w->value_count + value];
}

double sweep_size(const sweep *w, int value) {
  return w->over == SWEEP_SIZE ? w->study.base->report.sizes[value] : w->shown;
}

/* "alpha=0.1,0.2": w->option and w->values. Cuts `over` up. */
static int read_over(sweep *w, char *over) {
  char *list = strchr(over, '=');
  if (!list || list == over || !list[1])
    return wrong_value("over", over, "an option and its values, as alpha=0.1,0.2,0.3");
  *list++ = 0;
  w->option = over;
  w->over = strcmp(over, "size") ? SWEEP_OPTION : SWEEP_SIZE;
  w->values = take(MOST_VALUES * sizeof *w->values);
  for (char *piece; (piece = next_piece(&list));) {
    if (w->value_count == MOST_VALUES || !*piece) {
      complain("--over %s: an empty value, or more than %d of them", w->option, MOST_VALUES);
      return EXIT_USAGE;
    }
    for (int i = 0; i < w->value_count; i++)
      if (!strcmp(w->values[i], piece)) {
        complain("--over %s: the value %s is given twice", w->option, piece);
        return EXIT_USAGE;
      }
    w->values[w->value_count++] = piece;
  }
  return EXIT_DONE;
}

static int set_sizes(sweep *w, search_settings *settings) {
  free(settings->sizes);
  settings->sizes = take((size_t)w->value_count * sizeof *settings->sizes);
  for (int i = 0; i < w->value_count; i++)
    if (!read_percent(&settings->sizes[i], w->values[i]))
      return wrong_value("over size", w->values[i], "percent of the pixels, as 5 or 5%");
  settings->report.sizes = settings->sizes;
  settings->report.size_count = w->value_count;
  return EXIT_DONE;
}

static int take_stages(sweep *w) {
  const study *s = &w->study;
  if (s->model_count < 2) {
    complain("sweep: nothing to vary, expected --over OPTION=V,.. or several models");
    return EXIT_USAGE;
  }
  w->over = SWEEP_STAGE;
  w->value_count = s->model_count;
  w->values = take((size_t)w->value_count * sizeof *w->values);
  for (int i = 0; i < w->value_count; i++)
    w->values[i] = s->models[i].name;
  return EXIT_DONE;
}

/* ---- Runs ---- */

/* "positive+white" is the value "positive,white" of --canvas. */
static int set_value(search_settings *variant, const char *option, const char *value) {
  char *text = take_copy(value);
  for (char *c = text; !strcmp(option, "canvas") && *c; c++)
    *c = *c == '+' ? ',' : *c;
  int code = strcmp(option, "classes") ? search_option_set(variant, option, text) : -1;
  free(text);
  if (code >= 0)
    return code;
  complain("sweep: --over has no option \"%s\", expected size or an option of the search with a value, as alpha, fraction, "
           "canvases, canvas, ties, select, tv, seed", option);
  return EXIT_USAGE;
}

static int check_variant(search_settings *variant) {
  const iscp_search_options *o = &variant->search;
  if (search_settings_learn(variant, "sweep") != EXIT_DONE)
    return EXIT_USAGE;
  if (o->canvas_kinds & ISCP_CANVAS_USER) {
    complain("sweep: a canvas is a file, expected kinds: positive, negative, random, white");
    return EXIT_USAGE;
  }
  if (o->fraction >= 1 && variant->report.images == ISCP_IMAGES_HELDOUT) {
    complain("sweep: fraction 1 leaves no held-out images to measure on, expected --images all");
    return EXIT_USAGE;
  }
  return EXIT_DONE;
}

/* Each value on a copy of the settings, for every model. */
static int add_values(sweep *w, const search_settings *base) {
  for (int v = 0; v < w->value_count; v++) {
    search_settings variant = *base;
    char name[128];
    variant.canvas_files = NULL;
    int code = set_value(&variant, w->option, w->values[v]);
    if (code == EXIT_DONE)
      code = check_variant(&variant);
    for (int32_t i = 0; variant.canvas_files && i < variant.search.user_canvas_count; i++)
      free(variant.canvas_files[i]);
    free(variant.canvas_files);
    if (code != EXIT_DONE)
      return code;
    snprintf(name, sizeof name, "%s-%s", w->option, w->values[v]);
    for (int m = 0; m < w->study.model_count; m++)
      w->runs[m * w->value_count + v] = study_add(&w->study, m, name, &variant.search, base->measure);
  }
  return EXIT_DONE;
}

static int add_runs(sweep *w, search_settings *base) {
  w->runs = take((size_t)w->study.model_count * (size_t)w->value_count * sizeof *w->runs);
  int code = check_variant(base);
  if (w->over == SWEEP_OPTION || code != EXIT_DONE)
    return code == EXIT_DONE ? add_values(w, base) : code;
  for (int m = 0; m < w->study.model_count; m++)
    w->runs[m] = study_add(&w->study, m, w->over == SWEEP_SIZE ? "sizes" : "stage", &base->search, base->measure);
  return EXIT_DONE;
}

/* ---- The command ---- */

static int check_settings(const search_settings *own) {
  if (!own->folder || !*own->folder) {
    complain("sweep: no folder for the results, expected -o DIR");
    return EXIT_USAGE;
  }
  if (own->measure == ISCP_MEASURE_NONE) {
    complain("sweep: --power none leaves nothing to compare, expected selected or all");
    return EXIT_USAGE;
  }
  return EXIT_DONE;
}

/* The pictures' size if it is measured, else the largest that is. */
static void choose_shown(sweep *w) {
  const iscp_report_options *o = &w->study.base->report;
  w->shown = o->sizes[0];
  for (int32_t i = 0; i < o->size_count; i++)
    if (o->sizes[i] > w->shown)
      w->shown = o->sizes[i];
  for (int32_t i = 0; i < o->size_count; i++)
    if (o->sizes[i] == o->picture_size)
      w->shown = o->picture_size;
}

static int sweep_with(sweep *w, sweep_settings *own, const inputs *in, const char **words) {
  int count = 0;
  while (words[count])
    count++;
  int code = check_settings(&own->search);
  if (code == EXIT_DONE && own->over)
    code = read_over(w, own->over);
  if (code == EXIT_DONE && w->over == SWEEP_SIZE && own->over)
    code = set_sizes(w, &own->search);
  if (code == EXIT_DONE && !own->over && count < 3) {
    complain("sweep: nothing to vary, expected --over OPTION=V,.. or several models");
    return EXIT_USAGE;
  }
  if (code == EXIT_DONE)
    code = study_open(&w->study, in, words, count - 1, words[count - 1]);
  if (code == EXIT_DONE && !own->over)
    code = take_stages(w);
  if (code == EXIT_DONE)
    code = add_runs(w, &own->search);
  if (code != EXIT_DONE)
    return code;
  choose_shown(w);
  code = study_estimate(&w->study);
  if (code == EXIT_DONE)
    code = study_go(&w->study);
  return code == EXIT_DONE ? sweep_show(w) : code;
}

static int run(const cli_command *command, int argc, char **argv) {
  sweep_settings own = {0};
  inputs in = {0};
  const char *words[MOST_WORDS + 1] = {0};
  iscp_status status = search_settings_init(&own.search);
  if (status != ISCP_OK)
    return failed(status);
  void *settings[] = {&own, &own.search, &own.search, &in.data, &in.model, &in.machine};
  int code = options_read(command, argc, argv, settings, words);
  sweep w = {.study = {.folder = own.search.folder, .word = "sweep", .base = &own.search}};
  if (code == EXIT_DONE)
    code = sweep_with(&w, &own, &in, words);
  free(w.runs);
  free(w.values);
  study_close(&w.study);
  search_settings_release(&own.search);
  free(own.over);
  return code < 0 ? EXIT_DONE : code;
}

const cli_command sweep_command = {
    .name = "sweep",
    .summary = "Compare searches: one option at several values, or several models",
    .usage = "MODEL... DATA --over OPTION=V,.. -o DIR",
    .text = "Leaves DIR/sweep.csv, a plot (sweep.svg, sweep.png), the patterns side by side (strip.png: a row a\n"
            "class, a column a value), index.html, and the searches, each a report, in DIR/runs:\n\n"
            "  iscp sweep model.safetensors t10k-images-idx3-ubyte.gz --over alpha=0.1,0.2,0.3,auto -o alphas\n"
            "  iscp sweep model.safetensors t10k-images-idx3-ubyte.gz --over fraction=20%,60%,100% \\\n"
            "    --images all -o fractions\n"
            "  iscp sweep model.safetensors t10k-images-idx3-ubyte.gz -o canvases \\\n"
            "    --over canvas=positive,white,positive+white\n"
            "  iscp sweep 3=epoch-3.pth 10=epoch-10.pth 50=epoch-50.pth cifar-10-binary.tar.gz -o stages\n"
            "\n"
            "A model is called by its file's name, or as NAME=MODEL says. The other options hold for every\n"
            "value. Ctrl-C keeps what is done; the same command goes on with it.\n",
    .arguments = 2,
    .optional = MOST_WORDS - 2,
    .groups = groups,
    .run = run,
};
