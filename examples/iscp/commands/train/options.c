/* The options of iscp train: how it is trained, and the network that it begins with. */
#include "commands/train/options.h"

enum {
  EPOCHS = 256, BATCH, RATE, SCHEDULE, MOMENTUM, PLAIN_MOMENTUM, DECAY, DECAY_ALL, STEP_EPOCHS, STEP_FACTOR, RISE, SHIFT, FLIP,
  SEED, TEST, TEST_LABELS, KEEP, STORE, SAVE_EVERY, RESUME, OVERWRITE, JSON, FROM, DEPTH, WIDTH, STEM
};

static const option_line lines[] = {
    {'o', "output", "DIR", "the folder of the weights and the state; made if missing"},
    {RESUME, "resume", NULL, "go on with the training in DIR, of the same command"},
    {OVERWRITE, "overwrite", NULL, "replace the training in DIR"},
    {EPOCHS, "epochs", "N", "times that all images are seen; default 3"},
    {BATCH, "batch", "N", "images a step; default 128"},
    {RATE, "rate", "R", "the highest learning rate; default 0.1"},
    {SCHEDULE, "schedule", "NAME", "of the learning rate: constant, step, cosine or one-cycle;\n"
                                   "default one-cycle"},
    {STEP_EPOCHS, "step-epochs", "N", "of the schedule step: epochs between two steps; default 30"},
    {STEP_FACTOR, "step-factor", "F", "and what a step multiplies the rate by; default 0.1"},
    {RISE, "rise", "P", "of one-cycle: share of the training, 0.3 or 30%, until the highest rate;\n"
                        "default 0.3"},
    {MOMENTUM, "momentum", "M", "0 to less than 1; default 0.9"},
    {PLAIN_MOMENTUM, "plain-momentum", NULL, "without Nesterov's look ahead"},
    {DECAY, "decay", "D", "weight decay; default 0.0005"},
    {DECAY_ALL, "decay-all", NULL, "weight decay of batch norms and biases too"},
    {SHIFT, "shift", "N", "move images at random by up to N pixels; default 0"},
    {FLIP, "flip", NULL, "mirror images left to right half of the time"},
    {SEED, "seed", "N", "of random weights, order, shifts and flips; default 0"},
    {TEST, "test", "DATA", "images that each epoch's weights are tried on"},
    {TEST_LABELS, "test-labels", "FILE", "their labels, if they are not found beside them"},
    {KEEP, "keep", "N", "keep the weights of every N epochs, as DIR/epoch-<number>.safetensors"},
    {STORE, "store", "TYPE", "numbers of the weights written: f32, or f16 of half the size; default f32"},
    {SAVE_EVERY, "save-every", "S", "seconds between two states within an epoch; default 60"},
    {JSON, "json", NULL, "print JSON, an object an epoch, in place of lines"},
    {0},
};

static const option_line network_lines[] = {
    {FROM, "from", "MODEL", "begin with these weights, in place of random ones"},
    {DEPTH, "depth", "N", "of a ResNet of random weights: 18, 34, 50, 101 or 152; default 50"},
    {WIDTH, "width", "N", "channels of its stem; default 64"},
    {STEM, "stem", "NAME", "imagenet (7x7, stride 4 in all) or cifar (3x3, stride 1);\n"
                           "default imagenet"},
    {0},
};

iscp_status train_settings_init(train_settings *settings) {
  *settings = (train_settings){.save_every = 60, .store = ISCP_STORE_F32,
                               .network = {.struct_size = sizeof settings->network, .depth = 50, .width = 64,
                                           .stem = ISCP_STEM_IMAGENET, .channels = 3}};
  return iscp_train_options_init(&settings->train, sizeof settings->train);
}

static int set_whole(int32_t *field, const char *name, const char *value) {
  int64_t number;
  if (!read_integer(&number, value) || number < 0 || number > INT32_MAX)
    return wrong_value(name, value, "a whole number");
  *field = (int32_t)number;
  return EXIT_DONE;
}

static int set_number(double *field, const char *name, const char *value) {
  return read_number(field, value) ? EXIT_DONE : wrong_value(name, value, "a number");
}

/* The library's codes count from 1 as the words do from 0. */
static int set_word(int32_t *field, const char *name, const char *value, const char *const *words, const char *expected) {
  int choice = read_choice(value, words);
  *field = choice + 1;
  return choice >= 0 ? EXIT_DONE : wrong_value(name, value, expected);
}

static int set_flag(int32_t *field, int32_t value) {
  *field = value;
  return EXIT_DONE;
}

static int set_text(const char **field, const char *value) {
  *field = value;
  return EXIT_DONE;
}

static int set_rates(iscp_train_options *train, int key, const char *value) {
  static const char *const schedules[] = {"constant", "step", "cosine", "one-cycle", NULL};
  switch (key) {
  case RATE:
    return set_number(&train->learning_rate, "rate", value);
  case SCHEDULE:
    return set_word(&train->schedule, "schedule", value, schedules, "constant, step, cosine or one-cycle");
  case STEP_EPOCHS:
    return set_whole(&train->step_epochs, "step-epochs", value);
  case STEP_FACTOR:
    return set_number(&train->step_factor, "step-factor", value);
  case RISE:
    return read_share(&train->rise, value) ? EXIT_DONE : wrong_value("rise", value, "a share, as 0.3 or 30%");
  case MOMENTUM:
    return set_number(&train->momentum, "momentum", value);
  case PLAIN_MOMENTUM:
    return set_flag(&train->nesterov, 0);
  case DECAY:
    return set_number(&train->weight_decay, "decay", value);
  default:
    return set_flag(&train->decay_all, 1);
  }
}

static int set(void *to, int key, const char *value) {
  static const char *const stores[] = {"f32", "f16", NULL};
  train_settings *own = to;
  switch (key) {
  case 'o':
    return set_text(&own->folder, value);
  case RESUME:
    return set_flag(&own->resume, 1);
  case OVERWRITE:
    return set_flag(&own->overwrite, 1);
  case EPOCHS:
    return set_whole(&own->train.epochs, "epochs", value);
  case BATCH:
    return set_whole(&own->train.batch, "batch", value);
  case SHIFT:
    return set_whole(&own->train.shift, "shift", value);
  case FLIP:
    return set_flag(&own->train.flip, 1);
  case SEED:
    return read_seed(&own->train.seed, value) ? EXIT_DONE : wrong_value("seed", value, "a whole number from 0");
  case TEST:
    return set_text(&own->test, value);
  case TEST_LABELS:
    return set_text(&own->test_labels, value);
  case KEEP:
    return read_integer(&own->keep, value) && own->keep > 0 ? EXIT_DONE : wrong_value("keep", value, "1 or more");
  case STORE:
    return set_word(&own->store, "store", value, stores, "f32 or f16");
  case SAVE_EVERY:
    return read_integer(&own->save_every, value) && own->save_every >= 0 ? EXIT_DONE
                                                                              : wrong_value("save-every", value, "0 or more");
  case JSON:
    return set_flag(&own->json, 1);
  default:
    return set_rates(&own->train, key, value);
  }
}

static int set_network(void *to, int key, const char *value) {
  static const char *const stems[] = {"imagenet", "cifar", NULL};
  train_settings *own = to;
  switch (key) {
  case DEPTH:
    return set_whole(&own->network.depth, "depth", value);
  case WIDTH:
    return set_whole(&own->network.width, "width", value);
  case STEM:
    return set_word(&own->network.stem, "stem", value, stems, "imagenet or cifar");
  default:
    return set_text(&own->from, value);
  }
}

const option_group train_group = {"Training", lines, set};
const option_group network_group = {"Network", network_lines, set_network};
