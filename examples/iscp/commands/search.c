/* iscp search: finds the pattern of each class, measures it, and leaves a report: the library's run (iscp/run.h) with its
 * progress told. */
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "search/options.h"
#include "search/table.h"

typedef struct run_state {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_run *run;
  int32_t *classes; /* asked for */
  int32_t class_count;
  float *canvases;
} run_state;

/* ---- Running ---- */

static void label_piece(const iscp_run *run) {
  iscp_run_info info = {.struct_size = sizeof info};
  if (iscp_run_get_info(run, &info) != ISCP_OK)
    return;
  if (info.stage == ISCP_STAGE_CLEAN)
    progress_label("clean images");
  else if (info.stage == ISCP_STAGE_MEASURE)
    progress_label("class %d, %g %%", info.class_index, 100 * info.size);
  else
    progress_label("%d of %d classes", info.class_count - info.left, info.class_count);
}

static void tell_finished(const run_state *s, const iscp_search_options *search, int32_t y) {
  const char *name = class_name(s->model, s->data, y);
  iscp_run_info info = {.struct_size = sizeof info};
  iscp_run_get_info(s->run, &info);
  progress_clear();
  fprintf(stderr, "class %d%s%s is finished (%d of %d)", y, name ? " " : "", name ? name : "", info.class_count - info.left,
          info.class_count);
  int32_t canvases = iscp_search_canvas_count(iscp_run_search(s->run), y);
  if (!canvases)
    fputs(": no canvas of the kinds asked for", stderr);
  else if (canvases < search->canvases && search->canvas_kinds & (ISCP_CANVAS_POSITIVE | ISCP_CANVAS_NEGATIVE))
    fprintf(stderr, ": %d canvases, as there were no more", canvases);
  fputc('\n', stderr);
}

static iscp_status go(const run_state *s, const iscp_search_options *search) {
  iscp_status status = ISCP_OK;
  for (int32_t y, more = 1; more && status == ISCP_OK;) {
    label_piece(s->run);
    status = iscp_run_step(s->run, &y, &more, progress_show, NULL);
    if (y >= 0)
      tell_finished(s, search, y);
  }
  return status;
}

/* ---- Preparing ---- */

static int open_inputs(run_state *s, search_settings *own, const inputs *in, const char **words) {
  int code = open_subject(&s->context, &s->model, &s->data, in, words);
  if (code != EXIT_DONE)
    return code;
  if (!(s->classes = choose_classes(&s->class_count, own->classes, s->model, s->data)))
    return EXIT_USAGE;
  return read_canvases(&s->canvases, own, s->context, iscp_model_contract(s->model));
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
  int code = table_from_list(&results, list, settings->measure == ISCP_MEASURE_ALL);
  if (code == EXIT_DONE) {
    table_print(&results);
    printf("\npictures: %s/sheet.png, %s/pattern-<class>.png%s; figures: %s/result.json\n", settings->folder,
           settings->folder, settings->search.canvas_steps ? ", canvas-<class>.png" : "", settings->folder);
  }
  table_release(&results);
  iscp_pattern_list_destroy(list);
  return code;
}

static void say_how_to_go_on(const run_state *s, const char *folder, char **original) {
  iscp_run_info info = {.struct_size = sizeof info};
  iscp_run_get_info(s->run, &info);
  progress_clear();
  fprintf(stderr, "iscp: interrupted; %d of %d classes are finished and in %s; to go on: ", info.class_count - info.left,
          info.class_count, folder);
  print_to_go_on(original);
}

static int search_with(run_state *s, search_settings *own, const inputs *in, const char **words, char **original) {
  int code = open_inputs(s, own, in, words);
  if (code != EXIT_DONE)
    return code;
  progress_label("clean images");
  iscp_status status =
      search_settings_run(&s->run, own->folder, own, s->model, s->data, s->classes, s->class_count, s->canvases);
  if (status == ISCP_OK)
    status = go(s, &own->search);
  if (status == ISCP_OK)
    return print_results(s, own);
  if (status == ISCP_ERROR_IO && !s->run && run_is_there(own->folder) && !own->report.resume && !own->report.overwrite) {
    complain("%s holds results already; go on with them by --resume, replace them by --overwrite", own->folder);
    return EXIT_FAILED;
  }
  code = failed(status);
  if (code == EXIT_INTERRUPTED)
    say_how_to_go_on(s, own->folder, original);
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
  iscp_run_destroy(s.run);
  close_subject(s.context, s.model, s.data);
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
