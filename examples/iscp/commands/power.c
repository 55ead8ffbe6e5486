/* iscp power: how well the patterns of a report predict, on a model and images that may be others than the searched
 * ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "inputs/poisoning.h"
#include "search/table.h"

enum { SIZES = 256 };

typedef struct settings {
  double *sizes;
  int32_t size_count, images, batch;
  int all, json;
} settings;

/* ISCP_IMAGES_* count from 1 in this order. */
static const char *const images[] = {"heldout", "all", "searched", NULL}, *const which[] = {"selected", "all", NULL};

static const option_line lines[] = {
    {SIZES, "sizes", "LIST", "pattern sizes in percent of the pixels, 2 as well as 2%;\ndefault 1,2,3,5,10", .how = OPTION_OTHER},
    {0, "images", "WHICH", "heldout (not searched on), all, or searched; default heldout",
     .how = OPTION_WORD, .at = offsetof(settings, images), .low = 1, .words = images, .expected = "heldout, all or searched"},
    {0, "canvases", "WHICH", "selected or all; default selected",
     .how = OPTION_WORD, .at = offsetof(settings, all), .words = which, .expected = "selected or all"},
    {0, "batch", "N", "images a pass of the network; default: chosen by size",
     .how = OPTION_COUNT, .at = offsetof(settings, batch), .high = 4096, .expected = "1 to 4096"},
    {0, "json", NULL, "print JSON in place of tables",
     .how = OPTION_FLAG, .at = offsetof(settings, json), .low = 1},
    {0},
};

static int set_sizes(void *to, int key, const char *value) {
  (void)key;
  settings *own = to;
  free(own->sizes);
  own->sizes = read_percents(&own->size_count, value);
  return own->sizes ? EXIT_DONE : wrong_value("sizes", value, "percents with commas, as 1,2,3,5,10");
}

static const option_group own_group = {"Power", lines, set_sizes};
static const option_group *const groups[] = {&own_group, &trigger_group, &data_group, &model_group, &machine_group, NULL};

/* ---- Measuring ---- */

typedef struct run_state {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_pattern_list *list;
  iscp_evaluation *evaluation;
  poisoned_set triggers;
  iscp_pattern *place; /* of the trigger, or NULL */
  cli_table results;
} run_state;

static iscp_status measure(run_state *s, cli_measured *m, int32_t index) {
  iscp_pattern *pattern;
  m->cut.struct_size = sizeof m->cut;
  m->power.struct_size = sizeof m->power;
  iscp_status status = iscp_pattern_list_cut(&pattern, s->list, index, ISCP_CUT_SIZE, m->size);
  if (status != ISCP_OK)
    return status;
  status = iscp_pattern_get_info(pattern, &m->cut);
  if (status == ISCP_OK)
    status = iscp_evaluation_power(s->evaluation, pattern, &m->power, progress_show, NULL);
  m->has_overlap = s->place != NULL;
  if (status == ISCP_OK && s->place)
    status = iscp_pattern_overlap(pattern, s->place, &m->overlap);
  iscp_pattern_destroy(pattern);
  return status;
}

static iscp_status measure_row(run_state *s, const settings *own, int32_t index) {
  table_row *row = &s->results.rows[s->results.count];
  row->canvas.struct_size = sizeof row->canvas;
  iscp_status status = iscp_pattern_list_entry(s->list, index, &row->class_index, NULL);
  if (status == ISCP_OK)
    status = iscp_pattern_list_canvas(s->list, index, &row->canvas);
  if (status != ISCP_OK || (!row->canvas.selected && !own->all))
    return status;
  s->results.count++;
  row->name = iscp_pattern_list_class_name(s->list, index);
  row->sizes = take((size_t)own->size_count * sizeof *row->sizes);
  for (row->count = 0; status == ISCP_OK && row->count < own->size_count; row->count++) {
    row->sizes[row->count].size = own->sizes[row->count];
    progress_label("class %d, %g %%", row->class_index, 100 * own->sizes[row->count]);
    status = measure(s, &row->sizes[row->count], index);
  }
  return status;
}

static iscp_status create_evaluation(run_state *s, const settings *own) {
  iscp_evaluate_options options;
  iscp_status status = iscp_evaluate_options_init(&options, sizeof options);
  if (status == ISCP_OK)
    status = iscp_pattern_list_draw(s->list, &options.fraction, &options.seed);
  if (status != ISCP_OK)
    return status;
  options.images = own->images;
  options.batch = own->batch;
  progress_label("clean images");
  return iscp_evaluation_create(&s->evaluation, s->model, s->data, &options, progress_show, NULL);
}

/* Where the trigger lands on the pictures of the set, of which a folder's first stands for all. */
static int find_place(run_state *s, const poison_settings *triggers) {
  const iscp_contract *contract = iscp_model_contract(s->model);
  iscp_dataset_info info = {.struct_size = sizeof info};
  iscp_status status = poisoned_open(&s->triggers, s->context, NULL, triggers);
  if (status == ISCP_OK)
    status = iscp_dataset_get_info(s->data, &info);
  if (status == ISCP_OK && (info.height_low != info.height_high || info.width_low != info.width_high)) {
    complain("power: pictures of several sizes, expected one size for the place of a trigger");
    return EXIT_FAILED;
  }
  if (status == ISCP_OK)
    status = iscp_trigger_pattern(&s->place, s->triggers.triggers[0], contract, info.height_low, info.width_low,
                                  info.channels ? info.channels : contract->channels, 0);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

static iscp_status measure_all(run_state *s, const settings *own, const char *folder) {
  iscp_status status = iscp_pattern_list_load(&s->list, s->context, folder);
  if (status == ISCP_OK)
    status = create_evaluation(s, own);
  if (status != ISCP_OK)
    return status;
  int32_t count = iscp_pattern_list_count(s->list);
  s->results = (cli_table){.rows = take((size_t)count * sizeof *s->results.rows),
                       .sizes = own->sizes,
                       .size_count = own->size_count};
  for (int32_t i = 0; i < count && status == ISCP_OK; i++)
    status = measure_row(s, own, i);
  return status;
}

/* ---- The results ---- */

static void print_row(emitter *j, const table_row *row) {
  emit_open(j, NULL, '{');
  emit_integer(j, "class", row->class_index);
  emit_text(j, "name", row->name);
  emit_open(j, "canvas", '{');
  emit_text(j, "kind", canvas_kind_text(row->canvas.kind));
  emit_integer(j, "index", row->canvas.image);
  emit_close(j, '}');
  emit_truth(j, "selected", row->canvas.selected);
  emit_open(j, "power", '[');
  for (int32_t i = 0; i < row->count; i++)
    emit_measured(j, &row->sizes[i]);
  emit_close(j, ']');
  emit_close(j, '}');
}

static void print_json(const run_state *s, const settings *own, const char *folder) {
  double accuracy = NAN;
  int64_t used = 0;
  iscp_evaluation_accuracy(s->evaluation, &accuracy, &used);
  emitter j = {.file = stdout};
  emit_open(&j, NULL, '{');
  emit_integer(&j, "schema", 1);
  emit_text(&j, "report", folder);
  emit_text(&j, "weights_sha256", iscp_model_hash(s->model));
  emit_text(&j, "data_sha256", iscp_dataset_hash(s->data));
  emit_text(&j, "images", images[own->images - 1]);
  emit_integer(&j, "image_count", used);
  emit_number(&j, "accuracy", accuracy);
  emit_open(&j, "patterns", '[');
  for (int32_t i = 0; i < s->results.count; i++)
    print_row(&j, &s->results.rows[i]);
  emit_close(&j, ']');
  emit_close(&j, '}');
  putchar('\n');
}

static void print_plain(const run_state *s) {
  double accuracy = NAN;
  int64_t used = 0;
  iscp_evaluation_accuracy(s->evaluation, &accuracy, &used);
  printf("Measured on %lld images, all classes' accuracy %.4f\n\n", (long long)used, accuracy);
  table_print(&s->results);
}

static int run_with(run_state *s, const settings *own, const poison_settings *triggers, const inputs *in, const char **words) {
  if (triggers->count > 1) {
    complain("power: %d triggers, expected one at most", triggers->count);
    return EXIT_USAGE;
  }
  int code = open_subject(&s->context, &s->model, &s->data, in, words);
  if (code == EXIT_DONE && triggers->count)
    code = find_place(s, triggers);
  if (code != EXIT_DONE)
    return code;
  iscp_status status = measure_all(s, own, words[2]);
  if (status != ISCP_OK) {
    code = failed(status);
    if (code == EXIT_INTERRUPTED)
      complain("interrupted; power keeps nothing, the same command begins anew");
    return code;
  }
  if (own->json)
    print_json(s, own, words[2]);
  else
    print_plain(s);
  return EXIT_DONE;
}

static int run(const cli_command *command, int argc, char **argv) {
  settings own = {.images = ISCP_IMAGES_HELDOUT};
  poison_settings triggers = {0};
  inputs in = {0};
  const char *words[3];
  own.sizes = read_percents(&own.size_count, "1,2,3,5,10");
  int code = options_read(command, argc, argv, (void *[]){&own, &triggers, &in.data, &in.model, &in.machine}, words);
  run_state s = {0};
  if (code == EXIT_DONE)
    code = run_with(&s, &own, &triggers, &in, words);
  table_release(&s.results);
  iscp_evaluation_destroy(s.evaluation);
  iscp_pattern_destroy(s.place);
  poisoned_close(&s.triggers);
  iscp_pattern_list_destroy(s.list);
  close_subject(s.context, s.model, s.data);
  free(own.sizes);
  return code < 0 ? EXIT_DONE : code;
}

const cli_command power_command = {
    .name = "power",
    .summary = "Measure the patterns of a report on a model and images",
    .usage = "MODEL DATA DIR",
    .text = "DIR is what iscp search left. The images that it searched on are told by its seed and fraction:\n\n"
            "  iscp power model.safetensors t10k-images-idx3-ubyte.gz result --sizes 5,10\n"
            "  iscp power other.safetensors t10k-images-idx3-ubyte.gz result --images all --json\n\n"
            "With a trigger, each pattern is laid over the trigger's place: IoU is the share of the pixels of\n"
            "either that both have, 1 for the same place:\n\n"
            "  iscp power bad.safetensors t10k-images-idx3-ubyte.gz result --trigger white:3x3\n",
    .arguments = 3,
    .groups = groups,
    .run = run,
};
