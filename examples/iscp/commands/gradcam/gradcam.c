/* iscp gradcam: where a model looks, how well the place predicts, and how a pattern draws the look. */
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/gradcam/gradcam.h"

enum { SIZES = 256 };

/* ISCP_IMAGES_* count from 1 in this order. */
static const char *const image_words[] = {"heldout", "all", "searched", NULL}, *const which[] = {"none", "all", NULL};

static const option_line lines[] = {
    {'o', "output", "DIR", "the folder of the results; made if missing",
     .how = OPTION_TEXT, .at = offsetof(gradcam_settings, folder)},
    {0, "overwrite", NULL, "replace the results in DIR",
     .how = OPTION_FLAG, .at = offsetof(gradcam_settings, overwrite), .low = 1},
    {0, "json", NULL, "print result.json in place of tables",
     .how = OPTION_FLAG, .at = offsetof(gradcam_settings, json), .low = 1},
    {0, "classes", "LIST", "numbers, ranges, names, as 0,3,5-7 or dress,coat; default all",
     .how = OPTION_TEXT, .at = offsetof(gradcam_settings, classes)},
    {0, "index", "LIST", "images by their number, as 0,17,230, of the classes in --classes or else\n"
                             "the predicted one; default: each class's best canvas, the image of the\n"
                             "class that the model is right on with the largest logit",
     .how = OPTION_TEXT, .at = offsetof(gradcam_settings, index)},
    {0, "stage", "N", "look at the output of layer1 to layer4; default 4",
     .how = OPTION_COUNT, .at = offsetof(gradcam_settings, stage), .low = 1, .high = 4, .expected = "1 to 4"},
    {0, "patterns", "DIR", "a report of iscp search: how attention shifts when its patterns are put\n"
                                  "on images (--index; default the first 5 of other classes)",
     .how = OPTION_TEXT, .at = offsetof(gradcam_settings, patterns)},
    {SIZES, "sizes", "LIST", "pattern sizes in percent of the pixels; default 10, with --patterns,\n"
                             "which takes one, 5", .how = OPTION_OTHER},
    {0, "power", "WHICH", "all or none: whether PW of the maps' highest pixels is measured;\ndefault all",
     .how = OPTION_WORD, .at = offsetof(gradcam_settings, power), .words = which, .expected = "all or none"},
    {0, "images", "WHICH", "measure on heldout (of iscp search's default draw), all, or searched;\n"
                                "default heldout",
     .how = OPTION_WORD, .at = offsetof(gradcam_settings, images), .low = 1, .words = image_words,
     .expected = "heldout, all or searched"},
    {0, "opacity", "X", "of the heat over the image, 0 to 1; default 0.5",
     .how = OPTION_NUMBER, .at = offsetof(gradcam_settings, opacity), .high = 1, .expected = "0 to 1"},
    {0, "scale", "N", "picture pixels an image pixel, 1 to 64; default: chosen by size",
     .how = OPTION_COUNT, .at = offsetof(gradcam_settings, scale), .low = 1, .high = 64, .expected = "1 to 64"},
    {0},
};

static int set_sizes(void *to, int key, const char *value) {
  (void)key;
  gradcam_settings *own = to;
  free(own->sizes);
  own->sizes = read_percents(&own->size_count, value);
  return own->sizes ? EXIT_DONE : wrong_value("sizes", value, "percents with commas, as 5,10");
}

static const option_group own_group = {"Grad-CAM", lines, set_sizes};
static const option_group *const groups[] = {&own_group, &data_group, &model_group, &machine_group, NULL};

/* ---- Checks that need no model ---- */

static int check(gradcam_settings *own) {
  if (!own->folder || !*own->folder) {
    complain("gradcam: no folder for the results, expected -o DIR");
    return EXIT_USAGE;
  }
  if (!own->sizes)
    own->sizes = read_percents(&own->size_count, own->patterns ? "5" : "10");
  if (own->patterns && own->size_count != 1) {
    complain("--sizes: %d sizes, expected one with --patterns", own->size_count);
    return EXIT_USAGE;
  }
  for (int32_t i = 0; i < own->size_count; i++)
    if (!(own->sizes[i] > 0 && own->sizes[i] <= 1)) {
      complain("--sizes: %g %% is asked for, expected above 0, up to 100", 100 * own->sizes[i]);
      return EXIT_USAGE;
    }
  return EXIT_DONE;
}

static int read_index(gradcam_run *run) {
  if (!run->own->index)
    return EXIT_DONE;
  char *copy = take_copy(run->own->index), *list = copy;
  int64_t images = iscp_dataset_count(run->data);
  int code = EXIT_DONE;
  run->index = take((strlen(copy) / 2 + 1) * sizeof *run->index);
  for (char *piece; code == EXIT_DONE && (piece = next_piece(&list));) {
    int64_t *image = &run->index[run->index_count++];
    if (read_integer(image, piece) && *image >= 0 && *image < images)
      continue;
    complain("--index: image \"%s\" is asked for, expected 0 to %lld", piece, (long long)images - 1);
    code = EXIT_USAGE;
  }
  free(copy);
  return code;
}

/* ---- The run ---- */

static iscp_status open_evaluation(gradcam_run *run) {
  iscp_evaluate_options options;
  iscp_status status = iscp_evaluate_options_init(&options, sizeof options);
  options.images = run->own->images;
  progress_label("clean images");
  return status == ISCP_OK ? iscp_evaluation_create(&run->evaluation, run->model, run->data, &options, progress_show, NULL)
                           : status;
}

static iscp_status open_tools(gradcam_run *run) {
  iscp_gradcam_options options;
  iscp_status status = iscp_gradcam_options_init(&options, sizeof options);
  options.stage = run->own->stage;
  if (status == ISCP_OK)
    status = iscp_gradcam_create(&run->gradcam, run->model, &options);
  if (status == ISCP_OK && run->own->patterns)
    status = iscp_pattern_list_load(&run->list, run->context, run->own->patterns);
  else if (status == ISCP_OK && run->own->power)
    status = open_evaluation(run);
  return status;
}

static int32_t choose_scale(const gradcam_run *run) {
  int32_t longest = run->contract->height > run->contract->width ? run->contract->height : run->contract->width;
  int32_t scale = (2 * 168 + longest) / (2 * longest); /* as the library chooses it for one picture */
  return run->own->scale ? run->own->scale : scale < 1 ? 1 : scale > 64 ? 64 : scale;
}

static int open_inputs(gradcam_run *run, const inputs *in, const char **words) {
  int code = open_subject(&run->context, &run->model, &run->data, in, words);
  if (code != EXIT_DONE)
    return code;
  run->contract = iscp_model_contract(run->model);
  run->pixels = (size_t)run->contract->height * (size_t)run->contract->width;
  run->numbers = run->pixels * (size_t)run->contract->channels;
  run->image = take(run->numbers * sizeof *run->image);
  run->map = take(run->pixels * sizeof *run->map);
  run->scale = choose_scale(run);
  if (!(run->classes = choose_classes(&run->class_count, run->own->classes, run->model, run->data)))
    return EXIT_USAGE;
  return read_index(run);
}

static int run_with(gradcam_run *run, const inputs *in, const char **words) {
  int code = open_inputs(run, in, words);
  if (code != EXIT_DONE)
    return code;
  iscp_status status = open_tools(run);
  code = status == ISCP_OK ? results_open(run->context, run->own->folder, run->own->overwrite) : failed(status);
  if (code == EXIT_DONE)
    code = run->list ? gradcam_shifts(run) : gradcam_maps(run);
  if (code == EXIT_DONE)
    code = gradcam_write_json(run); /* last: a folder without it holds nothing that is finished */
  progress_clear();
  if (code == EXIT_INTERRUPTED)
    complain("interrupted; the same command begins anew");
  else if (code == EXIT_DONE && !run->own->json)
    gradcam_print(run);
  return code;
}

static void release(gradcam_run *run, gradcam_settings *own) {
  for (int32_t i = 0; i < run->row_count; i++)
    free(run->rows[i].sizes);
  free(run->rows);
  free(run->shifts);
  free(run->classes);
  free(run->index);
  free(run->image);
  free(run->map);
  free(own->sizes);
  iscp_pattern_list_destroy(run->list);
  iscp_evaluation_destroy(run->evaluation);
  iscp_gradcam_destroy(run->gradcam);
  close_subject(run->context, run->model, run->data);
}

static int run(const cli_command *command, int argc, char **argv) {
  gradcam_settings own = {.stage = 4, .images = ISCP_IMAGES_HELDOUT, .power = 1, .opacity = 0.5};
  gradcam_run state = {.own = &own};
  inputs in = {0};
  const char *words[2];
  int code = options_read(command, argc, argv, (void *[]){&own, &in.data, &in.model, &in.machine}, words);
  if (code == EXIT_DONE)
    code = check(&own);
  if (code == EXIT_DONE)
    code = run_with(&state, &in, words);
  release(&state, &own);
  return code < 0 ? EXIT_DONE : code;
}

const cli_command gradcam_command = {
    .name = "gradcam",
    .summary = "Show where a model looks (Grad-CAM), and measure that place",
    .usage = "MODEL DATA -o DIR",
    .text = "Leaves DIR/result.json, and for each class and image the map as .npy, the image beside the map over\n"
            "it, and the map's highest pixels as a pattern:\n\n"
            "  iscp gradcam model.safetensors t10k-images-idx3-ubyte.gz -o looks\n"
            "  iscp gradcam model.safetensors t10k-images-idx3-ubyte.gz -o looks --index 0,17 --stage 3\n"
            "\n"
            "What the patterns of a report do to it:\n"
            "\n"
            "  iscp gradcam model.safetensors t10k-images-idx3-ubyte.gz -o shift --patterns result\n",
    .arguments = 2,
    .groups = groups,
    .run = run,
};
