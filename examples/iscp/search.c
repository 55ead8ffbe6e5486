/* iscp search: finds the pattern of each class, measures it, and leaves a report. Finished classes are on disk at
 * once, so that an interrupted run can be gone on with. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "search_options.h"

typedef struct run_state {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_search *search;
  iscp_report *report;
  iscp_evaluation *evaluation;
  iscp_search_options search_options;
  iscp_report_options report_options;
  int32_t *classes; /* asked for */
  int32_t class_count, left_count;
  float *canvases;
  const char *folder;
} run_state;

static int32_t width_of(const run_state *s) { return s->report_options.size_count; }

/* ---- Measuring ---- */

static iscp_status measure(run_state *s, iscp_power *power, int32_t y, int32_t canvas, double size) {
  iscp_pattern *pattern;
  iscp_status status = iscp_search_pattern(&pattern, s->search, y, canvas, ISCP_CUT_SIZE, size);
  if (status != ISCP_OK)
    return status;
  status = iscp_evaluation_power(s->evaluation, pattern, power, progress_show, NULL);
  iscp_pattern_destroy(pattern);
  return status;
}

/* Rows that are not measured keep the target -1, which the report leaves out. */
static iscp_status measure_class(run_state *s, iscp_power *powers, int32_t y, const search_settings *settings) {
  int32_t canvases = iscp_search_canvas_count(s->search, y), selected = iscp_search_selected(s->search, y);
  for (int32_t row = 0; row < canvases * width_of(s); row++) {
    powers[row] = (iscp_power){.struct_size = sizeof *powers, .target = -1};
    int32_t canvas = row / width_of(s);
    if (settings->power == POWER_NONE || (settings->power == POWER_SELECTED && canvas != selected))
      continue;
    double size = s->report_options.sizes[row % width_of(s)];
    progress_label("class %d, %g %%", y, 100 * size);
    iscp_status status = measure(s, &powers[row], y, canvas, size);
    if (status != ISCP_OK)
      return status;
  }
  return ISCP_OK;
}

static iscp_status finish_class(run_state *s, int32_t y, const search_settings *settings) {
  size_t rows = (size_t)(iscp_search_canvas_count(s->search, y) * width_of(s));
  iscp_power *powers = take(rows * sizeof *powers);
  iscp_status status = measure_class(s, powers, y, settings);
  if (status == ISCP_OK)
    status = iscp_report_add(s->report, s->search, y, rows ? powers : NULL);
  free(powers);
  return status;
}

/* ---- Searching ---- */

static void tell_finished(const run_state *s, int32_t y, int32_t done) {
  const char *name = class_name(s->model, s->data, y);
  progress_clear();
  fprintf(stderr, "class %d%s%s is finished (%d of %d)", y, name ? " " : "", name ? name : "", done, s->class_count);
  int32_t canvases = iscp_search_canvas_count(s->search, y);
  if (!canvases)
    fputs(": no canvas of the kinds asked for", stderr);
  else if (canvases < s->search_options.canvases &&
           s->search_options.canvas_kinds & (ISCP_CANVAS_POSITIVE | ISCP_CANVAS_NEGATIVE))
    fprintf(stderr, ": %d canvases, as there were no more", canvases);
  fputc('\n', stderr);
}

static iscp_status search_all(run_state *s, const search_settings *settings) {
  for (int32_t done = s->class_count - s->left_count;;) {
    progress_label("%d of %d classes", done, s->class_count);
    int32_t y;
    iscp_status status = iscp_search_next(s->search, &y, progress_show, NULL);
    if (status == ISCP_OK && y >= 0)
      status = finish_class(s, y, settings);
    if (status != ISCP_OK || y < 0)
      return status;
    tell_finished(s, y, ++done);
  }
}

/* ---- Preparing ---- */

/* Of a report that is gone on with, the classes that it lacks are searched. */
static iscp_status leave_out_finished(run_state *s) {
  iscp_status status = ISCP_OK;
  s->left_count = s->class_count;
  for (int32_t i = 0; status == ISCP_OK && i < s->class_count; i++)
    if (iscp_report_has_class(s->report, s->classes[i])) {
      status = iscp_search_skip(s->search, s->classes[i]);
      s->left_count--;
    }
  return status;
}

/* "a/b/c": a and a/b. What cannot be made is left to the report to complain about. */
static void make_parents(const char *folder) {
  char *path = take_copy(folder);
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(path, 0777);
    *slash = '/';
  }
  free(path);
}

/* A run that goes on takes the lanes of the one before: what is measured now may come out otherwise. */
static iscp_status take_plan(run_state *s) {
  if (!s->report_options.resume || s->search_options.lanes)
    return ISCP_OK;
  size_t size = strlen(s->folder) + sizeof "/result.json";
  char *result = take(size);
  snprintf(result, size, "%s/result.json", s->folder);
  int is_there = access(result, F_OK) == 0;
  free(result);
  iscp_pattern_list *there = NULL;
  iscp_status status = is_there ? iscp_pattern_list_load(&there, s->context, s->folder) : ISCP_OK;
  if (is_there && status == ISCP_OK)
    status = iscp_pattern_list_plan(there, &s->search_options.lanes, &s->search_options.pass_batch);
  iscp_pattern_list_destroy(there);
  return status;
}

static iscp_status prepare(run_state *s, const search_settings *settings) {
  /* Everything that can be wrong is found here, before anything is written. */
  iscp_status status = take_plan(s);
  if (status == ISCP_OK)
    status = iscp_search_create(&s->search, s->model, s->data, &s->search_options);
  if (status == ISCP_OK)
    status = iscp_search_get_options(s->search, &s->search_options); /* with the lanes that were chosen */
  if (status == ISCP_OK) {
    make_parents(s->folder);
    status = iscp_report_create(&s->report, s->folder, s->model, s->data, &s->search_options, &s->report_options);
  }
  if (status == ISCP_OK)
    status = leave_out_finished(s);
  if (status != ISCP_OK || settings->power == POWER_NONE || !s->left_count)
    return status;
  iscp_evaluate_options options;
  status = iscp_evaluate_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return status;
  options.images = s->report_options.images;
  options.fraction = s->search_options.fraction;
  options.seed = s->search_options.seed;
  progress_label("clean images");
  return iscp_evaluation_create(&s->evaluation, s->model, s->data, &options, progress_show, NULL);
}

static int open_inputs(run_state *s, search_settings *own, const inputs *in, const char **words) {
  int code = open_context(&s->context, &in->machine);
  if (code == EXIT_DONE)
    code = open_model(&s->model, s->context, words[0], &in->model);
  if (code == EXIT_DONE)
    code = open_data(&s->data, s->context, words[1], s->model, &in->data);
  if (code != EXIT_DONE)
    return code;
  if (!(s->classes = choose_classes(&s->class_count, own->classes, s->model, s->data)))
    return EXIT_USAGE;
  s->left_count = s->class_count;
  code = read_canvases(&s->canvases, own, s->context, iscp_model_contract(s->model));
  s->search_options = own->search;
  s->search_options.classes = s->classes;
  s->search_options.class_count = s->class_count;
  s->search_options.user_canvases = s->canvases;
  s->report_options = own->report;
  s->folder = own->folder;
  return code;
}

/* ---- The results ---- */

static int print_file(const char *folder, const char *name) {
  char *path = take(strlen(folder) + strlen(name) + 2), chunk[4096];
  sprintf(path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (!file)
    complain("%s cannot be read", path);
  for (size_t size; file && (size = fread(chunk, 1, sizeof chunk, file)) > 0;)
    fwrite(chunk, 1, size, stdout);
  free(path);
  if (!file)
    return EXIT_FAILED;
  fclose(file);
  return EXIT_DONE;
}

static int print_results(const run_state *s, const search_settings *settings) {
  if (settings->json)
    return print_file(s->folder, "result.json");
  iscp_pattern_list *list;
  iscp_status status = iscp_pattern_list_load(&list, s->context, s->folder);
  if (status != ISCP_OK)
    return failed(status);
  cli_table results = {.sizes = s->report_options.sizes, .size_count = s->report_options.size_count};
  int code = table_from_list(&results, list, settings->power == POWER_ALL);
  if (code == EXIT_DONE) {
    table_print(&results);
    printf("\npictures: %s/sheet.png, %s/pattern-<class>.png%s; figures: %s/result.json\n", s->folder, s->folder,
           s->search_options.canvas_steps ? ", canvas-<class>.png" : "", s->folder);
  }
  table_release(&results);
  iscp_pattern_list_destroy(list);
  return code;
}

/* A word of the command line as a shell reads it. */
static void print_word(FILE *file, const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%";
  if (*word && !word[strspn(word, plain)]) {
    fputs(word, file);
    return;
  }
  fputc('\'', file);
  for (; *word; word++)
    fputs(*word == '\'' ? "'\\''" : (char[]){*word, 0}, file);
  fputc('\'', file);
}

/* getopt takes any unambiguous beginning of an option's name. */
static int is_option(const char *word, const char *name) {
  size_t length = strlen(word);
  return length >= 4 && !strncmp(word, name, length);
}

static void say_how_to_go_on(const run_state *s, char **original) {
  int32_t done = 0;
  for (int32_t i = 0; i < s->class_count; i++)
    done += iscp_report_has_class(s->report, s->classes[i]);
  progress_clear();
  fprintf(stderr, "iscp: interrupted; %d of %d classes are finished and in %s; to go on: ", done, s->class_count,
          s->folder);
  print_word(stderr, program_path);
  for (char **word = original; *word; word++)
    if (!is_option(*word, "--overwrite") && !is_option(*word, "--resume")) {
      fputc(' ', stderr);
      print_word(stderr, *word);
    }
  fputs(" --resume\n", stderr);
}

static int search_with(run_state *s, search_settings *own, const inputs *in, const char **words, char **original) {
  int code = open_inputs(s, own, in, words);
  if (code != EXIT_DONE)
    return code;
  iscp_status status = prepare(s, own);
  if (status == ISCP_OK && s->left_count)
    status = search_all(s, own);
  if (status == ISCP_OK)
    return print_results(s, own);
  if (status == ISCP_ERROR_IO && s->folder && !s->report && strstr(iscp_error_message(), "report already")) {
    complain("%s holds results already; go on with them by --resume, replace them by --overwrite", s->folder);
    return EXIT_FAILED;
  }
  code = failed(status);
  if (code == EXIT_INTERRUPTED)
    say_how_to_go_on(s, original);
  return code;
}

static int run(const cli_command *command, int argc, char **argv) {
  search_settings own = {0};
  inputs in = {0};
  const char *words[2];
  iscp_status status = search_settings_init(&own);
  if (status != ISCP_OK)
    return failed(status);
  char **original = take(((size_t)argc + 1) * sizeof *original); /* getopt puts the words in another order */
  memcpy(original, argv, (size_t)argc * sizeof *original);
  int code = options_read(command, argc, argv, (void *[]){&own, &own, &in.data, &in.model, &in.machine}, words);
  if (code == EXIT_DONE)
    code = search_settings_check(&own);
  run_state s = {0};
  if (code == EXIT_DONE)
    code = search_with(&s, &own, &in, words, original);
  iscp_evaluation_destroy(s.evaluation);
  iscp_report_destroy(s.report);
  iscp_search_destroy(s.search);
  iscp_dataset_destroy(s.data);
  iscp_model_destroy(s.model);
  iscp_context_destroy(s.context);
  free(s.classes);
  free(s.canvases);
  search_settings_release(&own);
  free(original);
  return code < 0 ? EXIT_DONE : code;
}

const cli_command search_command = {
    .name = "search",
    .summary = "Find the pattern of each class and measure how well it predicts",
    .usage = "MODEL DATA -o DIR",
    .text = "Leaves DIR/result.json, sheet.png, a picture a class, and the masks as .npy. A first run, and a\n"
            "thorough one:\n\n"
            "  iscp search model.safetensors t10k-images-idx3-ubyte.gz -o result --classes 0-2\n"
            "  iscp search model.safetensors t10k-images-idx3-ubyte.gz -o audit --canvas positive,white \\\n"
            "    --alpha auto --power all\n"
            "\n"
            "As the paper did it, and its other ways (smooth masks, a canvas learned with the mask):\n"
            "\n"
            "  iscp search model.safetensors t10k-images-idx3-ubyte.gz -o paper --preset paper\n"
            "  iscp search model.safetensors t10k-images-idx3-ubyte.gz -o smooth --preset paper --tv 0.2\n"
            "  iscp search model.safetensors t10k-images-idx3-ubyte.gz -o learned --learn-canvas\n"
            "\n"
            "A checkpoint of PyTorch does not say what its input is; Fashion-MNIST at 32x32, for one, is\n"
            "\n"
            "  iscp search resnet50.pth t10k-images-idx3-ubyte.gz -o result --size 32 --pad 2 \\\n"
            "    --mean 0.286 --std 0.353\n"
            "\n"
            "Ctrl-C keeps the classes that are finished; the same command with --resume goes on.\n",
    .arguments = 2,
    .groups = search_groups,
    .run = run,
};
