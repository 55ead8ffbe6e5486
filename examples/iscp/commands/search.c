/* iscp search: finds the pattern of each class, measures it, and leaves a report (search/run.c). */
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "search/options.h"
#include "search/table.h"

typedef struct run_state {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  search_run run;
  int32_t *classes; /* asked for */
  int32_t class_count;
  float *canvases;
} run_state;

/* ---- Telling ---- */

static void tell_begun(const search_run *run, int32_t y, double size) {
  (void)run;
  progress_label("class %d, %g %%", y, 100 * size);
}

static void label_search(const search_run *run) {
  progress_label("%d of %d classes", run->search.class_count - run->left, run->search.class_count);
}

static void tell_finished(const search_run *run, int32_t y) {
  const char *name = class_name(run->model, run->data, y);
  progress_clear();
  fprintf(stderr, "class %d%s%s is finished (%d of %d)", y, name ? " " : "", name ? name : "",
          run->search.class_count - run->left, run->search.class_count);
  int32_t canvases = iscp_search_canvas_count(run->made, y);
  if (!canvases)
    fputs(": no canvas of the kinds asked for", stderr);
  else if (canvases < run->search.canvases && run->search.canvas_kinds & (ISCP_CANVAS_POSITIVE | ISCP_CANVAS_NEGATIVE))
    fprintf(stderr, ": %d canvases, as there were no more", canvases);
  fputc('\n', stderr);
  label_search(run);
}

/* ---- Preparing ---- */

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
  code = read_canvases(&s->canvases, own, s->context, iscp_model_contract(s->model));
  s->run = (search_run){.context = s->context,
                        .model = s->model,
                        .data = s->data,
                        .folder = own->folder,
                        .power = own->power,
                        .search = own->search,
                        .report = own->report,
                        .progress = progress_show,
                        .begun = tell_begun,
                        .finished = tell_finished};
  s->run.search.classes = s->classes;
  s->run.search.class_count = s->class_count;
  s->run.search.user_canvases = s->canvases;
  return code;
}

/* ---- The results ---- */

static int print_file(const char *folder, const char *name) {
  char *path = join_path(folder, name), chunk[4096];
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
    return print_file(settings->folder, "result.json");
  iscp_pattern_list *list;
  iscp_status status = iscp_pattern_list_load(&list, s->context, settings->folder);
  if (status != ISCP_OK)
    return failed(status);
  cli_table results = {.sizes = settings->report.sizes, .size_count = settings->report.size_count};
  int code = table_from_list(&results, list, settings->power == POWER_ALL);
  if (code == EXIT_DONE) {
    table_print(&results);
    printf("\npictures: %s/sheet.png, %s/pattern-<class>.png%s; figures: %s/result.json\n", settings->folder,
           settings->folder, settings->search.canvas_steps ? ", canvas-<class>.png" : "", settings->folder);
  }
  table_release(&results);
  iscp_pattern_list_destroy(list);
  return code;
}

static void say_how_to_go_on(const run_state *s, char **original) {
  progress_clear();
  fprintf(stderr, "iscp: interrupted; %d of %d classes are finished and in %s; to go on: ",
          s->class_count - s->run.left, s->class_count, s->run.folder);
  print_to_go_on(original);
}

static int search_with(run_state *s, search_settings *own, const inputs *in, const char **words, char **original) {
  int code = open_inputs(s, own, in, words);
  if (code != EXIT_DONE)
    return code;
  progress_label("clean images");
  iscp_status status = run_prepare(&s->run);
  if (status == ISCP_OK) {
    label_search(&s->run);
    status = run_go(&s->run);
  }
  if (status == ISCP_OK)
    return print_results(s, own);
  if (status == ISCP_ERROR_IO && !s->run.written && strstr(iscp_error_message(), "report already")) {
    complain("%s holds results already; go on with them by --resume, replace them by --overwrite", own->folder);
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
  int code = options_read(command, argc, argv, (void *[]){&own, &own, &own, &in.data, &in.model, &in.machine}, words);
  if (code == EXIT_DONE)
    code = search_settings_check(&own);
  run_state s = {0};
  if (code == EXIT_DONE)
    code = search_with(&s, &own, &in, words, original);
  run_release(&s.run);
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
