/* iscp uap: a universal adversarial perturbation towards each class, for each bound, and what it does. What is finished
 * is on disk at once. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/uap/uap.h"

enum { EPS = 256, SIZES, STEP };

static const char *const methods[] = {"sgd", "deepfool", NULL}; /* ISCP_UAP_* count from 1 in this order */

static const option_line lines[] = {
    {'o', "output", "DIR", "the folder of the results; made if missing",
     .how = OPTION_TEXT, .at = offsetof(uap_settings, folder)},
    {0, "overwrite", NULL, "replace the results in DIR",
     .how = OPTION_FLAG, .at = offsetof(uap_settings, overwrite), .low = 1},
    {0, "json", NULL, "print result.json in place of a table",
     .how = OPTION_FLAG, .at = offsetof(uap_settings, json), .low = 1},
    {0, "classes", "LIST", "numbers, ranges, names, as 0,3,5-7 or dress,coat; default all",
     .how = OPTION_TEXT, .at = offsetof(uap_settings, classes)},
    {EPS, "eps", "LIST", "largest change of a pixel, in 1/255; default 8,16,32 (the paper's)", .how = OPTION_OTHER},
    {0, "method", "NAME", "sgd (sign steps) or deepfool; default sgd",
     .how = OPTION_WORD, .at = offsetof(uap_settings, options.method), .low = 1, .words = methods, .expected = "sgd or deepfool"},
    {SIZES, "sizes", "LIST", "judge also the strongest pixels alone: shares in percent, as 1,2,3,5,10", .how = OPTION_OTHER},
    {0, "epochs", "N", "passes over the images, at most; default 10",
     .how = OPTION_COUNT, .at = offsetof(uap_settings, options.epochs), .low = 1, .high = 1000, .expected = "1 to 1000"},
    {0, "batch", "N", "images a step; default: 64 for sgd, 1 for deepfool",
     .how = OPTION_COUNT, .at = offsetof(uap_settings, options.batch), .low = 1, .high = 4096, .expected = "1 to 4096"},
    {STEP, "step", "X", "of sgd: change of a pixel at the first step, in 1/255, from where it falls\n"
                        "to 0; default 0.8 eps", .how = OPTION_OTHER},
    {0, "loss-clamp", "X", "of sgd: images whose loss is above it have no say; default 12",
     .how = OPTION_NUMBER, .at = offsetof(uap_settings, options.loss_clamp), .low = DBL_TRUE_MIN, .high = INFINITY,
     .expected = "a number above 0"},
    {0, "stop", "X", "of deepfool: ASR that is enough, 0.8 or 80%; default 0.8",
     .how = OPTION_SHARE, .at = offsetof(uap_settings, options.stop), .low = DBL_TRUE_MIN, .high = 1,
     .expected = "a share above 0, up to 1, as 0.2 or 20%"},
    {0, "fraction", "X", "share of each class that it is crafted on, 0.2 or 20%; the others are\n"
                                "held out and judged apart; default 1",
     .how = OPTION_SHARE, .at = offsetof(uap_settings, options.fraction), .low = DBL_TRUE_MIN, .high = 1,
     .expected = "a share above 0, up to 1, as 0.2 or 20%"},
    {0, "seed", "N", "of that draw and of the order; default 0",
     .how = OPTION_SEED, .at = offsetof(uap_settings, options.seed), .expected = "a whole number"},
    {0},
};

/* ---- Options ---- */

/* A bound names its files: two of one name would be one file. */
static int is_new_eps(const uap_settings *own) {
  char last[32], other[32];
  snprintf(last, sizeof last, "%g", 255 * own->eps[own->eps_count - 1]);
  for (int32_t i = 0; i < own->eps_count - 1; i++) {
    snprintf(other, sizeof other, "%g", 255 * own->eps[i]);
    if (!strcmp(last, other))
      return 0;
  }
  return 1;
}

static int set_eps(uap_settings *own, const char *value) {
  char *copy = take_copy(value), *list = copy;
  own->eps_count = 0;
  free(own->eps);
  own->eps = take((strlen(value) / 2 + 1) * sizeof *own->eps);
  int right = 1;
  for (char *piece; right && (piece = next_piece(&list));) {
    double *eps = &own->eps[own->eps_count++];
    right = read_number(eps, piece) && *eps > 0 && *eps <= 255;
    *eps /= 255;
    right = right && is_new_eps(own);
  }
  free(copy);
  return right && own->eps_count ? EXIT_DONE : wrong_value("eps", value, "different numbers above 0, up to 255, as 8,16,32");
}

/* All of the perturbation comes first. */
static int set_sizes(uap_settings *own, const char *value) {
  int32_t count;
  double *sizes = read_percents(&count, value);
  int right = sizes != NULL;
  for (int32_t i = 0; right && i < count; i++)
    right = sizes[i] > 0 && sizes[i] < 1;
  if (right) {
    free(own->sizes);
    own->sizes = take(((size_t)count + 1) * sizeof *own->sizes);
    own->sizes[0] = 1;
    memcpy(own->sizes + 1, sizes, (size_t)count * sizeof *sizes);
    own->size_count = count + 1;
  }
  free(sizes);
  return right ? EXIT_DONE : wrong_value("sizes", value, "percents above 0, below 100, as 1,2,3,5,10");
}

static int set_step(uap_settings *own, const char *value) {
  if (!read_number(&own->options.step, value) || !(own->options.step > 0 && own->options.step <= 510))
    return wrong_value("step", value, "a number above 0, up to 510");
  own->options.step /= 255;
  return EXIT_DONE;
}

static int set(void *to, int key, const char *value) {
  return key == EPS ? set_eps(to, value) : key == SIZES ? set_sizes(to, value) : set_step(to, value);
}

static const option_group own_group = {"Perturbations", lines, set};
static const option_group *const groups[] = {&own_group, &data_group, &model_group, &machine_group, NULL};

static int init(uap_settings *own) {
  iscp_status status = iscp_uap_options_init(&own->options, sizeof own->options);
  if (status != ISCP_OK)
    return failed(status);
  own->sizes = take(sizeof *own->sizes);
  own->sizes[0] = own->size_count = 1;
  return set_eps(own, "8,16,32");
}

/* ---- Crafting and judging ---- */

typedef struct run_state {
  iscp_evaluation *crafted, *heldout; /* heldout is NULL if nothing is held out */
  int32_t *classes;
  int32_t class_count;
  uap_results results;
} run_state;

static iscp_status create_evaluation(iscp_evaluation **out, const run_state *s, int32_t images) {
  iscp_evaluate_options options;
  iscp_status status = iscp_evaluate_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return status;
  options.images = images;
  options.fraction = s->results.settings->options.fraction;
  options.seed = s->results.settings->options.seed;
  progress_label("clean images");
  return iscp_evaluation_create(out, s->results.model, s->results.data, &options, progress_show, NULL);
}

static iscp_status create_evaluations(run_state *s) {
  uap_results *r = &s->results;
  int whole = r->settings->options.fraction == 1;
  iscp_status status = create_evaluation(&s->crafted, s, whole ? ISCP_IMAGES_ALL : ISCP_IMAGES_SEARCHED);
  if (status == ISCP_OK)
    status = iscp_evaluation_accuracy(s->crafted, &r->accuracy, &r->images);
  if (status != ISCP_OK || r->images == iscp_dataset_count(r->data))
    return status;
  status = create_evaluation(&s->heldout, s, ISCP_IMAGES_HELDOUT);
  if (status == ISCP_OK)
    status = iscp_evaluation_accuracy(s->heldout, &r->heldout_accuracy, &r->heldout_images);
  return status;
}

static iscp_status judge(const run_state *s, uap_measured *m, const iscp_uap *uap) {
  iscp_pattern *pattern;
  m->cut.struct_size = sizeof m->cut;
  m->crafted.struct_size = m->heldout.struct_size = sizeof m->crafted;
  m->heldout.target = -1;
  iscp_status status = iscp_uap_pattern(&pattern, uap, m->size);
  if (status == ISCP_OK)
    status = iscp_pattern_get_info(pattern, &m->cut);
  if (status == ISCP_OK)
    status = iscp_evaluation_power(s->crafted, pattern, &m->crafted, progress_show, NULL);
  if (status == ISCP_OK && s->heldout)
    status = iscp_evaluation_power(s->heldout, pattern, &m->heldout, progress_show, NULL);
  iscp_pattern_destroy(pattern);
  return status;
}

static iscp_status judge_all(const run_state *s, uap_row *row, const iscp_uap *uap) {
  const uap_settings *own = s->results.settings;
  iscp_status status = ISCP_OK;
  row->sizes = take((size_t)own->size_count * sizeof *row->sizes);
  for (; status == ISCP_OK && row->count < own->size_count; row->count++) {
    row->sizes[row->count].size = own->sizes[row->count];
    status = judge(s, &row->sizes[row->count], uap);
  }
  return status;
}

static int save(run_state *s, uap_row *row, const iscp_uap *uap) {
  iscp_pattern *pattern;
  iscp_status status = iscp_uap_pattern(&pattern, uap, 1);
  if (status != ISCP_OK)
    return failed(status);
  int code = uap_write_files(&s->results, row, uap, pattern);
  iscp_pattern_destroy(pattern);
  if (code != EXIT_DONE)
    return code;
  s->results.count++;
  return uap_write_result(&s->results);
}

static int craft(run_state *s, int32_t class_index, double eps) {
  uap_row *row = &s->results.rows[s->results.count];
  iscp_uap_options options = s->results.settings->options;
  options.eps = eps;
  *row = (uap_row){.class_index = class_index};
  row->options.struct_size = sizeof row->options;
  row->info.struct_size = sizeof row->info;
  progress_label("class %d, eps %g", class_index, 255 * eps);
  iscp_uap *uap;
  iscp_status status = iscp_uap_create(&uap, s->results.model, s->results.data, class_index, &options);
  if (status == ISCP_OK)
    status = iscp_uap_run(uap, progress_show, NULL);
  if (status == ISCP_OK)
    status = iscp_uap_get_options(uap, &row->options);
  if (status == ISCP_OK)
    status = iscp_uap_get_info(uap, &row->info);
  if (status == ISCP_OK)
    status = judge_all(s, row, uap);
  int code = status == ISCP_OK ? save(s, row, uap) : failed(status);
  iscp_uap_destroy(uap);
  if (row == &s->results.rows[s->results.count])
    free(row->sizes); /* it is not among the results */
  return code;
}

static int craft_all(run_state *s) {
  const uap_settings *own = s->results.settings;
  int32_t wanted = s->class_count * own->eps_count;
  s->results.rows = take((size_t)wanted * sizeof *s->results.rows);
  for (int32_t i = 0; i < wanted; i++) {
    int code = craft(s, s->classes[i / own->eps_count], own->eps[i % own->eps_count]);
    if (code == EXIT_INTERRUPTED)
      complain("interrupted; %d of %d perturbations are finished and in %s", s->results.count, wanted, own->folder);
    if (code != EXIT_DONE)
      return code;
  }
  return EXIT_DONE;
}

/* ---- Running ---- */

static int run_with(run_state *s, const uap_settings *own, const inputs *in, const char **words) {
  int code = open_subject(&s->results.context, &s->results.model, &s->results.data, in, words);
  if (code == EXIT_DONE && !(s->classes = choose_classes(&s->class_count, own->classes, s->results.model, s->results.data)))
    code = EXIT_USAGE;
  if (code == EXIT_DONE)
    code = results_open(s->results.context, own->folder, own->overwrite);
  if (code != EXIT_DONE)
    return code;
  iscp_status status = create_evaluations(s);
  code = status == ISCP_OK ? craft_all(s) : failed(status);
  if (code != EXIT_DONE)
    return code;
  if (own->json)
    uap_print_json(stdout, &s->results);
  else
    uap_print_table(&s->results);
  return EXIT_DONE;
}

static int run(const cli_command *command, int argc, char **argv) {
  uap_settings own = {0};
  inputs in = {0};
  const char *words[2];
  int code = init(&own);
  if (code == EXIT_DONE)
    code = options_read(command, argc, argv, (void *[]){&own, &in.data, &in.model, &in.machine}, words);
  if (code == EXIT_DONE && (!own.folder || !*own.folder)) {
    complain("uap needs -o DIR, a folder for the results");
    code = EXIT_USAGE;
  }
  run_state s = {.results.settings = &own};
  if (code == EXIT_DONE)
    code = run_with(&s, &own, &in, words);
  for (int32_t i = 0; i < s.results.count; i++)
    free(s.results.rows[i].sizes);
  free(s.results.rows);
  iscp_evaluation_destroy(s.crafted);
  iscp_evaluation_destroy(s.heldout);
  close_subject(s.results.context, s.results.model, s.results.data);
  free(s.classes);
  free(own.eps);
  free(own.sizes);
  return code < 0 ? EXIT_DONE : code;
}

const cli_command uap_command = {
    .name = "uap",
    .summary = "Craft a universal adversarial perturbation towards each class",
    .usage = "MODEL DATA -o DIR",
    .text = "One perturbation a class, at most eps at every pixel, that makes the model say the class of any\n"
            "image. Leaves DIR/result.json, the perturbations as .npy, and pictures. On all images, as in the\n"
            "paper; and on a fifth of them, judged on the others too, beside its strongest 5 % of the pixels:\n\n"
            "  iscp uap model.safetensors t10k-images-idx3-ubyte.gz -o uap\n"
            "  iscp uap model.safetensors t10k-images-idx3-ubyte.gz -o fifth --fraction 20% --sizes 5\n"
            "\n"
            "Ctrl-C keeps the perturbations that are finished.\n",
    .arguments = 2,
    .groups = groups,
    .run = run,
};
