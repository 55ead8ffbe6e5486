/* iscp bench: how fast this machine searches, as a share of what its processor can do, and how long a search of one's
 * own model would take. */
#include <stdlib.h>
#include <string.h>

#include "commands/bench.h"
#include "commands/commands.h"

enum { SIZES = 256, WORKS, BATCHES, MOST_ITEMS = 16, MOST_ROWS = 2 * MOST_ITEMS * MOST_ITEMS };

/* Size and stem of a network of random weights. */
typedef struct bench_size {
  int32_t pixels, stem;
} bench_size;

typedef struct settings {
  bench_size sizes[MOST_ITEMS];
  int32_t batches[MOST_ITEMS];
  int works[WORK_KINDS];
  int size_count, batch_count, json;
  double seconds;
} settings;

/* ---- Options ---- */

static const option_line lines[] = {
    {SIZES, "sizes", "LIST", "without MODEL: images and stems; default 224,32-cifar,32-imagenet,\n"
                             "with train the latter two", .how = OPTION_OTHER},
    {WORKS, "works", "LIST", "step, inference, train; default step,inference", .how = OPTION_OTHER},
    {BATCHES, "batches", "LIST", "images at a time; a step of 20 is five lanes of 4, and one of\n"
                                 "64 sixteen. Default 4,20; with MODEL: as a search of it takes them;\n"
                                 "of train 128, as iscp train", .how = OPTION_OTHER},
    {0, "seconds", "X", "for each line of the table, 0.1 to 600, and two first runs; default 3",
     .how = OPTION_NUMBER, .at = offsetof(settings, seconds), .low = 0.1, .high = 600, .expected = "0.1 to 600"},
    {0, "json", NULL, "print JSON in place of the table",
     .how = OPTION_FLAG, .at = offsetof(settings, json), .low = 1},
    {0},
};

/* "224" or "32-cifar"; without a stem the imagenet one. */
static int read_size(bench_size *size, char *text) {
  static const char *const stems[] = {"imagenet", "cifar", NULL};
  char *stem = strchr(text, '-');
  if (stem)
    *stem++ = 0;
  int64_t pixels = 0;
  int choice = stem ? read_choice(stem, stems) : 0;
  if (!read_integer(&pixels, text) || pixels < 8 || pixels > 4096 || choice < 0)
    return 0;
  *size = (bench_size){(int32_t)pixels, choice ? ISCP_STEM_CIFAR : ISCP_STEM_IMAGENET};
  return 1;
}

static int read_batch(int32_t *batch, const char *text) {
  int64_t number = 0;
  int right = read_integer(&number, text) && number >= 1 && number <= 1024;
  *batch = (int32_t)number;
  return right;
}

static int set_list(settings *own, int key, char *list) {
  static const char expected_sizes[] = "sizes with commas, as 224,32-cifar: 8 to 4096, stem imagenet or cifar";
  char *value = take_copy(list);
  int code = EXIT_DONE, count = 0;
  for (char *piece; code == EXIT_DONE && (piece = next_piece(&list)); count++) {
    if (key == SIZES && (count == MOST_ITEMS || !read_size(&own->sizes[count], piece)))
      code = wrong_value("sizes", value, expected_sizes);
    if (key == BATCHES && (count == MOST_ITEMS || !read_batch(&own->batches[count], piece)))
      code = wrong_value("batches", value, "numbers from 1 to 1024 with commas, as 4,20,64");
    int work = key == WORKS ? read_choice(piece, work_names) : 0;
    if (work < 0)
      code = wrong_value("works", value, "step, inference and train, with commas");
    else if (key == WORKS)
      own->works[work] = 1;
  }
  if (key == SIZES)
    own->size_count = count;
  if (key == BATCHES)
    own->batch_count = count;
  free(value);
  return code;
}

static int set(void *to, int key, const char *value) {
  char *list = take_copy(value);
  int code = set_list(to, key, list);
  free(list);
  return code;
}

static const option_group own_group = {"Bench", lines, set};
static const option_group *const groups[] = {&own_group, &data_group, &model_group, &machine_group, NULL};

static void fill_in(settings *own) {
  static const bench_size sizes[] = {{224, ISCP_STEM_IMAGENET}, {32, ISCP_STEM_CIFAR}, {32, ISCP_STEM_IMAGENET}};
  int first = own->works[WORK_TRAIN]; /* a batch of 224 takes more memory than most machines have */
  if (!own->size_count) {
    own->size_count = 3 - first;
    memcpy(own->sizes, sizes + first, (size_t)own->size_count * sizeof *sizes);
  }
  if (!own->works[WORK_STEP] && !own->works[WORK_INFERENCE] && !own->works[WORK_TRAIN])
    own->works[WORK_STEP] = own->works[WORK_INFERENCE] = 1;
}

/* ---- Measuring ---- */

typedef struct bench_state {
  const settings *own;
  iscp_context *context;
  bench_row rows[MOST_ROWS];
  int32_t count, expected;
} bench_state;

/* The library's own progress is not shown: only Ctrl-C is listened to. */
static int listen(const iscp_progress *progress, void *user) {
  (void)progress;
  (void)user;
  return signals_came();
}

static void show(const bench_state *s) {
  iscp_progress progress = {.struct_size = sizeof progress, .stage = "bench", .done = s->count, .total = s->expected};
  progress_show(&progress, NULL);
}

/* A run for pairs_measure: the exit code, so that a failed or interrupted run ends the measuring. */
static int run_once(void *user) {
  if (signals_came())
    return EXIT_INTERRUPTED;
  iscp_status status = workload_run(user);
  return status == ISCP_OK ? 0 : failed(status);
}

static int measure(bench_state *s, const iscp_model *model, const iscp_dataset *data, int kind, int32_t lanes,
                   int32_t batch) {
  bench_row *row = &s->rows[s->count];
  *row = (bench_row){.work = kind, .contract = *iscp_model_contract(model), .info = {.struct_size = sizeof row->info}};
  progress_label("%d, batch %d, %s", row->contract.height, lanes * batch, work_names[kind]);
  show(s);
  workload work;
  iscp_status status = iscp_model_get_info(model, &row->info);
  if (status == ISCP_OK)
    status = workload_create(&work, s->context, model, data, kind, lanes, batch, listen);
  if (status != ISCP_OK)
    return failed(status);
  row->batch = lanes * batch;
  row->bytes = work.bytes;
  int code = pairs_measure(&row->pairs, run_once, &work, work.flops, iscp_context_threads(s->context), s->own->seconds);
  workload_destroy(&work);
  if (row->pairs.pairs)
    s->count++;
  return code;
}

enum { QUICK_BATCHES = 2, TRAIN_BATCH = 128 };

/* Of the work, the batch of the b-th turn; 0 where it has none. */
static int32_t batch_of(const settings *own, int kind, int b) {
  static const int32_t quick[QUICK_BATCHES] = {4, 20};
  if (!own->works[kind])
    return 0;
  if (own->batch_count)
    return own->batches[b];
  return kind != WORK_TRAIN ? quick[b] : b == 0 ? TRAIN_BATCH : 0;
}

static int measure_batches(bench_state *s, const iscp_model *model, const iscp_dataset *data) {
  int count = s->own->batch_count ? s->own->batch_count : QUICK_BATCHES, code = EXIT_DONE;
  for (int b = 0; b < count; b++)
    for (int kind = 0; kind < WORK_KINDS && code == EXIT_DONE; kind++) {
      int32_t lanes, batch, all = batch_of(s->own, kind, b);
      workload_split(&lanes, &batch, all ? all : 1);
      if (all)
        code = measure(s, model, data, kind, lanes, batch);
    }
  return code;
}

/* ---- Networks of random weights ---- */

static iscp_status create_model(iscp_model **out, iscp_context *context, bench_size size) {
  iscp_model_info info = {.struct_size = sizeof info, .depth = 50, .width = 64, .stem = size.stem, .channels = 3};
  info.classes = size.stem == ISCP_STEM_CIFAR ? 10 : 1000;
  iscp_contract contract;
  iscp_model_options options;
  iscp_status status = iscp_contract_init(&contract, sizeof contract);
  if (status == ISCP_OK)
    status = iscp_model_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return status;
  contract.height = contract.width = size.pixels;
  options.contract = &contract;
  return iscp_model_create(out, context, &info, &options, 0);
}

static int bench_size_of(bench_state *s, bench_size size) {
  iscp_model *model = NULL;
  iscp_dataset *data = NULL;
  progress_label("%d, making the network", size.pixels);
  show(s);
  iscp_status status = create_model(&model, s->context, size);
  if (status == ISCP_OK)
    status = workload_images(&data, s->context, model, WORKLOAD_IMAGES);
  int code = status == ISCP_OK ? measure_batches(s, model, data) : failed(status);
  iscp_dataset_destroy(data);
  iscp_model_destroy(model);
  return code;
}

/* ---- The user's model ---- */

typedef struct own_model {
  iscp_model *model;
  iscp_dataset *data, *all; /* few images to measure with; all that a search would have, or NULL */
} own_model;

enum { FEW_IMAGES = 64, POWER_SIZES = 5 }; /* sizes: as iscp search measures them by default */

static int open_own(own_model *own, iscp_context *context, const inputs *in, const char **words) {
  int code = open_model(&own->model, context, words[0], &in->model);
  if (code != EXIT_DONE)
    return code;
  if (!words[1]) {
    iscp_status status = workload_images(&own->data, context, own->model, WORKLOAD_IMAGES);
    return status == ISCP_OK ? EXIT_DONE : failed(status);
  }
  code = open_data(&own->all, context, words[1], own->model, &in->data);
  data_settings few = in->data;
  few.limit = few.limit && few.limit < FEW_IMAGES ? few.limit : FEW_IMAGES;
  return code == EXIT_DONE ? open_data(&own->data, context, words[1], own->model, &few) : code;
}

static const bench_row *find_row(const bench_state *s, int kind) {
  for (int32_t i = 0; i < s->count; i++)
    if (s->rows[i].work == kind)
      return &s->rows[i];
  return NULL;
}

static double seconds_per_image(const bench_row *row) { return row->pairs.seconds / row->batch; }

/* Of every canvas of every class: the steps, then the objective and the power of the final mask. Before, the clean pass,
 * and after it the power of the selected canvas on the images held out, which are run clean as well. D_n
 * of a class is the drawn images without its own: over all classes, each drawn image counts in all classes but one. */
static int estimate(bench_estimate *e, const bench_state *s, const own_model *own, const iscp_search_options *options) {
  const bench_row *step = find_row(s, WORK_STEP), *inference = find_row(s, WORK_INFERENCE);
  if (!step || !inference || s->own->batch_count) /* other passes than a search would take */
    return 0;
  int64_t images = iscp_dataset_count(own->all), drawn = (int64_t)((double)images * options->fraction + 0.5);
  int64_t passes = drawn * (options->class_count - 1) * options->canvases;
  *e = (bench_estimate){.classes = options->class_count, .canvases = options->canvases, .epochs = options->epochs};
  e->step_images = passes * options->epochs;
  e->inference_images = passes * 2 + images + (images - drawn) * (1 + (options->class_count - 1) * POWER_SIZES);
  e->seconds = (double)e->step_images * seconds_per_image(step) +
               (double)e->inference_images * seconds_per_image(inference);
  return 1;
}

/* A search with the default options says how many images its passes have. */
static iscp_status read_defaults(iscp_search_options *options, const own_model *own) {
  iscp_search *search;
  iscp_status status = iscp_search_create(&search, own->model, own->all ? own->all : own->data, NULL);
  options->struct_size = sizeof *options;
  if (status == ISCP_OK)
    status = iscp_search_get_options(search, options);
  iscp_search_destroy(search);
  return status;
}

static int bench_own(bench_state *s, bench_estimate *e, const inputs *in, const char **words) {
  own_model own = {0};
  iscp_search_options options = {0};
  int code = open_own(&own, s->context, in, words);
  iscp_status status = code == EXIT_DONE ? read_defaults(&options, &own) : ISCP_OK;
  if (status != ISCP_OK)
    code = failed(status);
  if (code == EXIT_DONE && s->own->batch_count)
    code = measure_batches(s, own.model, own.data);
  else
    for (int kind = 0; kind < WORK_KINDS && code == EXIT_DONE; kind++)
      if (s->own->works[kind])
        code = measure(s, own.model, own.data, kind, kind == WORK_STEP ? options.lanes : 1,
                       kind == WORK_TRAIN ? TRAIN_BATCH : kind == WORK_STEP ? options.batch : options.pass_batch);
  if (code != EXIT_DONE || !own.all || !estimate(e, s, &own, &options))
    e->classes = 0;
  iscp_dataset_destroy(own.data);
  iscp_dataset_destroy(own.all);
  iscp_model_destroy(own.model);
  return code;
}

/* ---- The command ---- */

static int expected_rows(const settings *own, int has_model) {
  int works = own->works[WORK_STEP] + own->works[WORK_INFERENCE], train = own->works[WORK_TRAIN];
  int rows = own->batch_count ? (works + train) * own->batch_count : works * (has_model ? 1 : QUICK_BATCHES) + train;
  return rows * (has_model ? 1 : own->size_count);
}

static int bench_with(bench_state *s, const inputs *in, const char **words) {
  bench_estimate estimated = {0};
  int32_t threads = iscp_context_threads(s->context);
  bench_report report = {.context = s->context, .peak = peak_run(threads, 0.3), .peak_one = peak_run(1, 0.3)};
  int code = EXIT_DONE;
  s->expected = expected_rows(s->own, words[0] != NULL);
  if (words[0])
    code = bench_own(s, &estimated, in, words);
  for (int i = 0; !words[0] && i < s->own->size_count && code == EXIT_DONE; i++)
    code = bench_size_of(s, s->own->sizes[i]);
  progress_clear();
  report.rows = s->rows;
  report.count = s->count;
  report.estimate = estimated.classes ? &estimated : NULL;
  /* What was measured before Ctrl-C is worth showing. */
  if (code == EXIT_DONE || (code == EXIT_INTERRUPTED && s->count))
    (s->own->json ? bench_print_json : bench_print)(&report);
  return code;
}

static int is_consistent(const settings *own, const inputs *in, int has_model, int has_data) {
  const model_settings *m = &in->model;
  const data_settings *d = &in->data;
  if (has_model && own->size_count)
    complain("--sizes is for networks of random weights, expected no MODEL with it");
  else if (!has_model && (m->given || m->names))
    complain("an option says what a model's input is, expected MODEL with it (for random weights: --sizes)");
  else if (!has_data && (d->labels || d->split || d->limit))
    complain("an option says which images to take, expected MODEL and DATA with it");
  else
    return 1;
  return 0;
}

static int run(const cli_command *command, int argc, char **argv) {
  settings own = {.seconds = 3};
  inputs in = {.machine = {.adjust = counter_install}};
  const char *words[2];
  int code = options_read(command, argc, argv, (void *[]){&own, &in.data, &in.model, &in.machine}, words);
  if (code != EXIT_DONE)
    return code < 0 ? EXIT_DONE : code;
  if (!is_consistent(&own, &in, words[0] != NULL, words[0] && words[1]))
    return EXIT_USAGE;
  fill_in(&own);
  bench_state *s = take(sizeof *s);
  s->own = &own;
  code = open_context(&s->context, &in.machine);
  if (code == EXIT_DONE)
    code = bench_with(s, &in, words);
  iscp_context_destroy(s->context);
  free(s);
  return code;
}

const cli_command bench_command = {
    .name = "bench",
    .summary = "Measure how fast this machine searches",
    .usage = "[MODEL [DATA]]",
    .text = "Without words, of ResNet-50s of random weights, in about a minute; with MODEL and DATA, of one's\n"
            "own, and how long a search of all its classes would take:\n\n"
            "  iscp bench\n"
            "  iscp bench model.safetensors t10k-images-idx3-ubyte.gz\n"
            "  iscp bench --sizes 32-cifar --works step --batches 4,20,64 --seconds 10 --json\n"
            "  iscp bench --works train --sizes 32-imagenet --batches 128\n"
            "\n"
            "A step is one step of the search, nothing left out: mix, forward, loss, backward, update of the\n"
            "masks. Inference is the forward pass alone; train a step of iscp train: forward, loss, backward\n"
            "to all weights, and these moved. The share is of the speed at which the processor\n"
            "multiplies and adds in registers, measured in turns with the work, since a shared machine is never\n"
            "twice the same.\n",
    .arguments = 0,
    .optional = 2,
    .groups = groups,
    .run = run,
};
