/* iscp transfer: the command. Searches each model into a report of its own, or takes reports that are there. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search/options.h"
#include "study/transfer.h"

typedef struct settings {
  search_settings search; /* with the folder, --resume and --overwrite */
  const char *patterns;
} settings;

static const option_line lines[] = {
    {'o', "output", "DIR", "the folder of the results; made if missing",
     .how = OPTION_TEXT, .at = offsetof(settings, search.folder)},
    {0, "resume", NULL, "go on with the results in DIR, of the same command",
     .how = OPTION_FLAG, .at = offsetof(settings, search.report.resume), .low = 1},
    {0, "overwrite", NULL, "replace the results in DIR",
     .how = OPTION_FLAG, .at = offsetof(settings, search.report.overwrite), .low = 1},
    {0, "json", NULL, "print transfer.json in place of tables",
     .how = OPTION_FLAG, .at = offsetof(settings, search.json), .low = 1},
    {0, "patterns", "DIR", "search nothing: take the reports DIR/NAME of an earlier transfer, or of\n"
                                  "iscp search",
     .how = OPTION_TEXT, .at = offsetof(settings, patterns)},
    {0},
};

static const option_group own_group = {"Transfer", lines, NULL};
static const option_group *const groups[] = {&own_group,   &search_group,  &power_group, &data_group,
                                             &model_group, &machine_group, NULL};

/* ---- Models ---- */

/* "NAME=PATH", or a path that is named after its file. A "=" behind a "/" is the path's. */
static int name_model(transfer_model *m, const char *word) {
  const char *equals = strchr(word, '='), *slash = strchr(word, '/');
  int is_given = equals && (!slash || equals < slash);
  m->path = is_given ? equals + 1 : word;
  if (is_given) {
    m->name = take_copy(word);
    m->name[equals - word] = 0;
  } else {
    const char *base = strrchr(word, '/');
    m->name = take_copy(base ? base + 1 : word);
    char *dot = strrchr(m->name, '.');
    if (dot && dot > m->name)
      *dot = 0;
  }
  int right = *m->name && *m->name != '.' && strlen(m->name) <= 64;
  for (char *c = m->name; *c; c++)
    if (!isalnum((unsigned char)*c) && !strchr("-_.", *c)) {
      right &= !is_given;
      *c = '-';
    }
  if (right && *m->path)
    return EXIT_DONE;
  complain("transfer: the model \"%s\" has no usable name, expected NAME=PATH, NAME of up to 64 of: letters, digits, . - _",
           word);
  return EXIT_USAGE;
}

static int name_models(transfer *t, const char **words) {
  for (int code; t->count < MOST_MODELS && words[t->count + 1]; t->count++) {
    transfer_model *m = &t->models[t->count];
    if ((code = name_model(m, words[t->count])) != EXIT_DONE) {
      t->count++;
      return code;
    }
    for (int i = 0; i < t->count; i++)
      if (!strcmp(t->models[i].name, m->name)) {
        complain("transfer: two models are called \"%s\", expected other names by NAME=PATH", m->name);
        t->count++;
        return EXIT_USAGE;
      }
  }
  return EXIT_DONE;
}

/* What decides where a pixel of the picture ends up. */
static int same_form(const iscp_contract *a, const iscp_contract *b) {
  return a->channels == b->channels && a->height == b->height && a->width == b->width && a->pad_top == b->pad_top &&
         a->pad_bottom == b->pad_bottom && a->pad_left == b->pad_left && a->pad_right == b->pad_right &&
         a->resize_short == b->resize_short && a->resize_height == b->resize_height &&
         a->resize_width == b->resize_width && a->crop_height == b->crop_height && a->crop_width == b->crop_width &&
         a->crop_rule == b->crop_rule;
}

static int check_forms(const transfer *t) {
  const iscp_contract *first = iscp_model_contract(t->models[0].model);
  for (int s = 1; s < t->count; s++) {
    const iscp_contract *other = iscp_model_contract(t->models[s].model);
    const char *a = t->models[0].name, *b = t->models[s].name;
    if (first->channels != other->channels || first->height != other->height || first->width != other->width)
      complain("%s takes %dx%dx%d, %s %dx%dx%d: a pattern of one does not fit the other", a, first->channels,
               first->height, first->width, b, other->channels, other->height, other->width);
    else if (!same_form(first, other))
      complain("%s and %s resize, crop or pad their pictures differently: a pattern of one lies elsewhere on the other", a,
               b);
    else if (class_count(t->models[0].model) != class_count(t->models[s].model))
      complain("%s has %d classes, %s %d: expected the same classes", a, class_count(t->models[0].model), b,
               class_count(t->models[s].model));
    else
      continue;
    return EXIT_FAILED;
  }
  return EXIT_DONE;
}

static int open_models(transfer *t, const inputs *in, const char *data) {
  for (int s = 0; s < t->count; s++) {
    transfer_model *m = &t->models[s];
    int code = open_model(&m->model, t->context, m->path, &in->model);
    if (code != EXIT_DONE)
      return code;
  }
  int code = check_forms(t);
  for (int s = 0; s < t->count && code == EXIT_DONE; s++)
    code = open_data(&t->models[s].data, t->context, data, t->models[s].model, &in->data);
  return code;
}

/* ---- Searching ---- */

static void label_search(const iscp_run *run, const transfer_model *m) {
  iscp_run_info info = {.struct_size = sizeof info};
  if (iscp_run_get_info(run, &info) == ISCP_OK && info.stage != ISCP_STAGE_CLEAN)
    progress_label("%.40s, %d of %d classes", m->name, info.class_count - info.left, info.class_count);
}

static void tell_finished(const iscp_run *run, const transfer_model *m, int32_t y) {
  const char *name = class_name(m->model, m->data, y);
  iscp_run_info info = {.struct_size = sizeof info};
  iscp_run_get_info(run, &info);
  progress_clear();
  fprintf(stderr, "%s: class %d%s%s is finished (%d of %d)\n", m->name, y, name ? " " : "", name ? name : "",
          info.class_count - info.left, info.class_count);
}

static int search_model(transfer *t, int s, const settings *own, const int32_t *classes, int32_t count,
                        const float *canvases) {
  const transfer_model *m = &t->models[s];
  iscp_run *run;
  progress_label("%.40s", m->name);
  iscp_status status = search_settings_run(&run, m->folder, &own->search, m->model, m->data, classes, count, canvases);
  for (int32_t y, more = 1; more && status == ISCP_OK;) {
    label_search(run, m);
    status = iscp_run_step(run, &y, &more, progress_show, NULL);
    if (y >= 0)
      tell_finished(run, m, y);
  }
  iscp_run_destroy(run);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

static int search_all(transfer *t, const settings *own, const int32_t *classes, int32_t count) {
  float *canvases;
  int code = read_canvases(&canvases, &own->search, t->context, iscp_model_contract(t->models[0].model));
  for (int s = 0; s < t->count && code == EXIT_DONE; s++)
    code = search_model(t, s, own, classes, count, canvases);
  free(canvases);
  return code;
}

/* ---- The folder ---- */

/* Results that are there are kept, unless they are to be gone on with or replaced. */
static int check_folder(const transfer *t, const settings *own) {
  int is_there = folder_has(t->folder, "transfer.csv");
  for (int s = 0; s < t->count && !own->patterns; s++)
    is_there |= run_is_there(t->models[s].folder);
  if (!is_there || own->search.report.resume || own->search.report.overwrite)
    return EXIT_DONE;
  complain("%s holds results already; go on with them by --resume, replace them by --overwrite", t->folder);
  return EXIT_FAILED;
}

/* What tells of results that are to be replaced goes first: a run that stops leaves nothing of another's. */
static void make_folder(const transfer *t, const settings *own) {
  static const char *const files[] = {"transfer.csv", "transfer.json", "matrix.csv", "index.html"};
  for (int i = 0; i < 4; i++) {
    char *path = join_path(t->folder, files[i]);
    make_parents(path);
    if (own->search.report.overwrite)
      unlink(path);
    free(path);
  }
}

/* ---- The run ---- */

static int find_shown(const transfer *t, double size) {
  int best = 0;
  for (int32_t i = 1; i < t->size_count; i++) {
    double distance = t->sizes[i] > size ? t->sizes[i] - size : size - t->sizes[i];
    double least = t->sizes[best] > size ? t->sizes[best] - size : size - t->sizes[best];
    if (distance < least)
      best = i;
  }
  return best;
}

/* Reports that are there are read before anything is replaced. */
static int compute(transfer *t, const settings *own, const int32_t *classes, int32_t count) {
  const int32_t *wanted = own->search.classes ? classes : NULL;
  int code = check_folder(t, own);
  if (code == EXIT_DONE && own->patterns)
    code = transfer_load(t, wanted, count);
  if (code != EXIT_DONE)
    return code;
  make_folder(t, own);
  if (!own->patterns)
    code = search_all(t, own, classes, count);
  if (code == EXIT_DONE && !own->patterns)
    code = transfer_load(t, wanted, count);
  if (code == EXIT_DONE && own->search.report.resume)
    transfer_read(t);
  return code == EXIT_DONE ? transfer_measure(t) : code;
}

static int transfer_with(transfer *t, const settings *own, const inputs *in, const char **words) {
  int code = name_models(t, words);
  if (code == EXIT_DONE)
    code = open_context(&t->context, &in->machine);
  if (code == EXIT_DONE)
    code = open_models(t, in, words[t->count]);
  if (code != EXIT_DONE)
    return code;
  for (int s = 0; s < t->count; s++)
    t->models[s].folder = join_path(own->patterns ? own->patterns : t->folder, t->models[s].name);
  int32_t count, *classes = choose_classes(&count, own->search.classes, t->models[0].model, t->models[0].data);
  if (!classes)
    return EXIT_USAGE;
  code = compute(t, own, classes, count);
  free(classes);
  if (code == EXIT_DONE)
    code = transfer_write(t);
  if (code != EXIT_DONE)
    return code;
  if (own->search.json)
    transfer_print_json(t, stdout);
  else
    transfer_print(t);
  return EXIT_DONE;
}

static int check_settings(const settings *own) {
  if (!own->search.folder || !*own->search.folder)
    complain("transfer: no folder for the results, expected -o DIR");
  else if (own->search.report.resume && own->search.report.overwrite)
    complain("transfer: --resume and --overwrite exclude each other");
  else if (own->patterns && own->search.report.resume)
    complain("transfer: --resume goes on with what was searched here; with --patterns all is measured anew");
  else
    return EXIT_DONE;
  return EXIT_USAGE;
}

/* A size that two would share stands once. */
static void take_sizes(transfer *t, const settings *own) {
  const iscp_report_options *report = &own->search.report;
  t->sizes = take((size_t)report->size_count * sizeof *t->sizes);
  for (int32_t i = 0; i < report->size_count; i++) {
    int is_new = 1;
    for (int32_t k = 0; k < t->size_count; k++)
      is_new &= t->sizes[k] != report->sizes[i];
    if (is_new)
      t->sizes[t->size_count++] = report->sizes[i];
  }
  t->shown = find_shown(t, report->picture_size);
}

static int run(const cli_command *command, int argc, char **argv) {
  settings own = {0};
  inputs in = {0};
  const char *words[MOST_MODELS + 2] = {0};
  iscp_status status = search_settings_init(&own.search);
  if (status != ISCP_OK)
    return failed(status);
  char **original = take(((size_t)argc + 1) * sizeof *original); /* getopt puts the words in another order */
  memcpy(original, argv, (size_t)argc * sizeof *original);
  void *const to[] = {&own, &own.search, &own.search, &in.data, &in.model, &in.machine};
  int code = options_read(command, argc, argv, to, words);
  if (code == EXIT_DONE)
    code = check_settings(&own);
  transfer t = {.folder = own.search.folder, .images = own.search.report.images, .searched_here = !own.patterns};
  if (code == EXIT_DONE) {
    take_sizes(&t, &own);
    code = transfer_with(&t, &own, &in, words);
  }
  if (code == EXIT_INTERRUPTED) {
    progress_clear();
    fprintf(stderr, "iscp: interrupted; what is finished is in %s; to go on: ", t.folder);
    print_to_go_on(original);
  }
  transfer_release(&t);
  iscp_context_destroy(t.context);
  free(t.sizes);
  search_settings_release(&own.search);
  free(original);
  return code < 0 ? EXIT_DONE : code;
}

const cli_command transfer_command = {
    .name = "transfer",
    .summary = "Search patterns on several models and measure each on all of them",
    .usage = "MODEL MODEL [...] DATA -o DIR",
    .text = "A model is PATH or NAME=PATH, two to seven of them. Leaves DIR/index.html, plots, transfer.json,\n"
            "transfer.csv (a line a class), matrix.csv (means), and a report of each model in DIR/NAME. A pattern\n"
            "that is strong on its own model and weak on others tells of something unnatural, as a backdoor:\n"
            "\n"
            "  iscp transfer clean=natural.safetensors suspect=backdoor.safetensors \\\n"
            "    t10k-images-idx3-ubyte.gz -o transfer --sizes 1,2,5\n"
            "\n"
            "Every option of iscp search is taken. Reports that are there are measured by\n"
            "\n"
            "  iscp transfer a=a.safetensors b=b.safetensors t10k-images-idx3-ubyte.gz -o again \\\n"
            "    --patterns transfer --images all\n"
            "\n"
            "where the folders transfer/a and transfer/b are reports. Ctrl-C keeps what is finished; the same\n"
            "command with --resume goes on.\n",
    .arguments = 3,
    .optional = MOST_MODELS - 2,
    .groups = groups,
    .run = run,
};
