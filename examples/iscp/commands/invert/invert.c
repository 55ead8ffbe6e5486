/* iscp invert: a set that has, of each image of another set, what a model sees in it. Each batch goes into a journal, so that a
 * run that is stopped or killed can be gone on with, to the same bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/invert/invert.h"

const char *const invert_kinds[] = {"features", "random", "deterministic", NULL}; /* ISCP_INVERT_* count from 1 in this order */

static const option_line lines[] = {
    {'o', "output", "DIR", "the folder of the new set; made if missing",
     .how = OPTION_TEXT, .at = offsetof(invert_settings, folder)},
    {0, "resume", NULL, "go on with the set in DIR, of the same command",
     .how = OPTION_FLAG, .at = offsetof(invert_settings, resume), .low = 1},
    {0, "overwrite", NULL, "replace the set in DIR",
     .how = OPTION_FLAG, .at = offsetof(invert_settings, overwrite), .low = 1},
    {0, "json", NULL, "print invert.json in place of lines",
     .how = OPTION_FLAG, .at = offsetof(invert_settings, json), .low = 1},
    {0, "kind", "NAME", "features: those of the image out of another one; or the image a little\n"
                           "changed, to be taken for a class of the seed's choice (random) or the\n"
                           "class after its own (deterministic), with that label; default features",
     .how = OPTION_WORD, .at = offsetof(invert_settings, options.kind), .low = 1, .words = invert_kinds,
     .expected = "features, random or deterministic"},
    {0, "steps", "N", "changes of each image; default 1000 of features, else 100",
     .how = OPTION_COUNT, .at = offsetof(invert_settings, options.steps), .low = 1, .high = 1000000, .expected = "1 to 1000000"},
    {0, "step", "X", "the length of one, over all pixels of [0,1]; default 0.1",
     .how = OPTION_NUMBER, .at = offsetof(invert_settings, options.step), .expected = "a number"},
    {0, "eps", "X", "of random and deterministic: how far from the image, alike; default 0.5",
     .how = OPTION_NUMBER, .at = offsetof(invert_settings, options.eps), .expected = "a number"},
    {0, "seed", "N", "of the images that are begun from, or the classes; default 0",
     .how = OPTION_SEED, .at = offsetof(invert_settings, options.seed), .expected = "a whole number from 0"},
    {0, "batch", "N", "images at a time, and kept together; default: by size and threads",
     .how = OPTION_COUNT, .at = offsetof(invert_settings, options.batch), .low = 1, .high = 4096, .expected = "1 to 4096"},
    {0},
};

/* ---- Beginning ---- */

static int print_input(char *text, size_t size, const iscp_contract *c) {
  int length = snprintf(text, size, "input %dx%dx%d, pad %d %d %d %d, resize %d %d %d, filter %d, crop %d %d %d, order %d, "
                        "range %d",
                        c->channels, c->height, c->width, c->pad_top, c->pad_bottom, c->pad_left, c->pad_right, c->resize_short,
                        c->resize_height, c->resize_width, c->filter, c->crop_height, c->crop_width, c->crop_rule,
                        c->order, c->range);
  for (int32_t i = 0; i < c->channels; i++)
    length += snprintf(text + length, size - (size_t)length, ", mean %.9g, std %.9g", (double)c->mean[i], (double)c->std[i]);
  return length;
}

/* All that the pictures depend on beside the machine and the batch, in one line. */
static iscp_status say_what(invert_run *run) {
  const iscp_invert_options *o = &run->own->options;
  const char *hash = iscp_dataset_hash(run->data);
  if (!hash)
    return ISCP_ERROR_IO;
  int length = snprintf(run->what, sizeof run->what, "%s, model %s, images %s, count %lld, steps %d, step %.15g, ",
                        invert_kinds[o->kind - 1], iscp_model_hash(run->model), hash, (long long)run->count, o->steps, o->step);
  if (invert_attacks(run->own))
    length += snprintf(run->what + length, sizeof run->what - (size_t)length, "eps %.15g, ", o->eps);
  length += snprintf(run->what + length, sizeof run->what - (size_t)length, "seed %llu, ", (unsigned long long)o->seed);
  print_input(run->what + length, sizeof run->what - (size_t)length, iscp_model_contract(run->model));
  return ISCP_OK;
}

static int open_all(invert_run *run, const inputs *in, const char **words) {
  int code = open_subject(&run->context, &run->model, &run->data, in, words);
  if (code != EXIT_DONE)
    return code;
  run->count = iscp_dataset_count(run->data);
  iscp_status status = say_what(run);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

/* The batch of the journal, so that an image keeps its neighbours, unless another is asked for. */
static int choose_batch(invert_run *run, const char *path) {
  int32_t begun, asked = run->own->options.batch;
  int code = journal_look(&begun, path, run->what);
  if (code == EXIT_DONE && begun && !run->own->resume) {
    complain("%s holds a set that is not finished; go on with it by --resume, replace it by --overwrite", run->own->folder);
    return EXIT_FAILED;
  }
  if (code == EXIT_DONE && begun && asked && asked != begun) {
    complain("%s was begun with batch %d, expected it here too; replace it by --overwrite", run->own->folder, begun);
    return EXIT_FAILED;
  }
  run->batch = begun ? begun : asked;
  return code;
}

/* An inversion of what is left; of nothing, once all is in the journal. */
static iscp_status begin(invert_run *run, int64_t first) {
  iscp_invert_options options = run->own->options;
  options.batch = run->batch;
  options.first = first;
  iscp_status status = iscp_inversion_create(&run->inversion, run->model, run->data, &options);
  if (status == ISCP_OK)
    status = iscp_inversion_get_options(run->inversion, &options);
  run->batch = options.batch;
  return status;
}

static int open_journal(invert_run *run) {
  const iscp_contract *form = iscp_model_contract(run->model);
  char *path = join_path(run->own->folder, "invert.part");
  int code = choose_batch(run, path);
  iscp_status status = code == EXIT_DONE && !run->batch ? begin(run, 0) : ISCP_OK; /* which chooses it */
  if (status == ISCP_OK && code == EXIT_DONE) {
    run->journal.pixels = (int64_t)form->channels * form->height * form->width;
    code = journal_open(&run->journal, path, run->what, run->batch, run->count);
    if (code == EXIT_DONE && !run->inversion && run->journal.images < run->count)
      status = begin(run, run->journal.images);
    if (status != ISCP_OK && !run->journal.images)
      unlink(path);
  }
  free(path);
  return status == ISCP_OK ? code : failed(status);
}

/* ---- Making ---- */

static int keep_batch(invert_run *run, int32_t rows) {
  int code = EXIT_DONE;
  for (int32_t row = 0; code == EXIT_DONE && row < rows; row++) {
    iscp_inverted image = {.struct_size = sizeof image};
    iscp_status status = iscp_inversion_get(&image, run->inversion, row);
    code = status == ISCP_OK ? journal_add(&run->journal, &image) : failed(status);
  }
  if (code == EXIT_DONE && fflush(run->journal.file)) {
    complain("%s cannot be written: %s", run->journal.path, strerror(errno));
    code = EXIT_FAILED;
  }
  return code;
}

static int make_all(invert_run *run) {
  while (run->journal.images < run->count) {
    iscp_invert_info info = {.struct_size = sizeof info};
    progress_label("image %lld of %lld", (long long)run->journal.images + 1, (long long)run->count);
    iscp_status status = iscp_inversion_next(run->inversion, progress_show, NULL);
    if (status == ISCP_OK)
      status = iscp_inversion_get_info(run->inversion, &info);
    if (status != ISCP_OK)
      return failed(status);
    int code = keep_batch(run, info.rows);
    if (code != EXIT_DONE)
      return code;
  }
  return EXIT_DONE;
}

static void print_end(const invert_run *run, const invert_means *means) {
  const iscp_contract *form = iscp_model_contract(run->model);
  const char *folder = run->own->folder;
  if (run->own->json) {
    invert_print_json(stdout, run, means);
    return;
  }
  if (invert_attacks(run->own))
    printf("taken for their label: %lld of %lld; mean distance from the image: %.4f, %.4f as stored in bytes\n",
           (long long)means->taken, (long long)run->count, means->distance, means->stored);
  else
    printf("mean distance of features: %.4f at the start, %.4f after %d steps, %.4f as stored in bytes\n", means->start,
           means->distance, run->own->options.steps, means->stored);
  printf("images: %s/images.npy, %lld of %dx%dx%d\n", folder, (long long)run->count, form->height, form->width, form->channels);
  printf("to learn them: iscp train %s/images.npy --input %s/input.json -o MODEL\n", folder, folder);
}

/* A set that is whole and the one asked for is nothing to do. */
static int is_done(int *code, const invert_run *run) {
  invert_found found = invert_look(run);
  if (found == INVERT_NONE)
    return 0;
  *code = found == INVERT_SAME && run->own->resume ? EXIT_DONE : EXIT_FAILED;
  if (*code == EXIT_DONE)
    fprintf(stderr, "iscp: %s holds this set already\n", run->own->folder);
  else
    complain("%s holds %s already; replace it by --overwrite", run->own->folder,
             found == INVERT_SAME ? "this set" : "another set");
  return 1;
}

static int invert_with(invert_run *run, const inputs *in, const char **words, char **original) {
  invert_means means;
  int code = open_all(run, in, words);
  if (code == EXIT_DONE)
    code = invert_check_folder(run);
  if (code == EXIT_DONE && run->own->overwrite)
    invert_remove(run);
  if (code != EXIT_DONE || is_done(&code, run))
    return code;
  code = folder_make(run->own->folder);
  if (code == EXIT_DONE)
    code = open_journal(run);
  if (code == EXIT_DONE)
    code = make_all(run);
  if (code == EXIT_INTERRUPTED) {
    progress_clear();
    fprintf(stderr, "iscp: %lld of %lld images are kept; to go on:\n  ", (long long)run->journal.images, (long long)run->count);
    print_to_go_on(original);
  }
  if (code == EXIT_DONE)
    code = invert_write(run, &means);
  if (code == EXIT_DONE) {
    print_end(run, &means);
    unlink(run->journal.path);
  }
  return code;
}

/* ---- The command ---- */

static int check(const invert_settings *own) {
  if (!own->folder || !*own->folder)
    complain("invert needs -o DIR, a folder for the new set");
  else if (own->resume && own->overwrite)
    complain("invert: --resume and --overwrite exclude each other");
  else
    return EXIT_DONE;
  return EXIT_USAGE;
}

static char **copy_words(int argc, char **argv) {
  char **copy = take(((size_t)argc + 1) * sizeof *copy);
  memcpy(copy, argv, (size_t)argc * sizeof *copy);
  copy[argc] = NULL;
  return copy;
}

static int run(const cli_command *command, int argc, char **argv) {
  invert_settings own = {0};
  inputs in = {0};
  const char *words[2];
  char **original = copy_words(argc, argv); /* options_read puts them in order */
  iscp_status status = iscp_invert_options_init(&own.options, sizeof own.options);
  int code = status == ISCP_OK ? EXIT_DONE : failed(status);
  if (code == EXIT_DONE)
    code = options_read(command, argc, argv, (void *[]){&own, &in.data, &in.model, &in.machine}, words);
  if (code == EXIT_DONE)
    code = check(&own);
  if (!own.options.steps)
    own.options.steps = invert_attacks(&own) ? 100 : 1000;
  invert_run run = {.own = &own};
  if (code == EXIT_DONE)
    code = invert_with(&run, &in, words, original);
  journal_close(&run.journal);
  iscp_inversion_destroy(run.inversion);
  close_subject(run.context, run.model, run.data);
  free(original);
  return code < 0 ? EXIT_DONE : code;
}

static const option_group own_group = {"Inversion", lines, NULL};
static const option_group *const groups[] = {&own_group, &data_group, &model_group, &machine_group, NULL};

const cli_command invert_command = {
    .name = "invert",
    .summary = "Make a set of what a model sees in the images of another",
    .usage = "MODEL DATA -o DIR",
    .text = "Another image of the set, drawn by the seed, is brought to the features that the model finds in\n"
            "each image (what its last layer reads), and gets its label: the robust set of Ilyas et al. (2019)\n"
            "if the model is trained adversarially, the nonrobust one if it is not. Leaves arrays,\n"
            "DIR/input.json to learn them with, and DIR/strip.png: images, starts, results. What a network\n"
            "that learned them knows of pictures as they are is what these features are worth:\n\n"
            "  iscp invert model.safetensors cifar-10-binary.tar.gz --split train -o robust\n"
            "  iscp train robust/images.npy --input robust/input.json -o learned --stem cifar\n"
            "  iscp check learned/model.safetensors cifar-10-binary.tar.gz\n"
            "\n"
            "Ctrl-C keeps the batches that are finished; the same command with --resume goes on.\n",
    .arguments = 2,
    .groups = groups,
    .run = run,
};
