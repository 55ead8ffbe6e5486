/* The options of iscp train: how it is trained, and the network that it begins with. */
#include "commands/train/options.h"

/* The library's codes count from 1 in the order of the words. */
static const char *const schedules[] = {"constant", "step", "cosine", "one-cycle", NULL}, *const stores[] = {"f32", "f16", NULL},
                  *const stems[] = {"imagenet", "cifar", NULL};

static const option_line lines[] = {
    {'o', "output", "DIR", "the folder of the weights and the state; made if missing",
     .how = OPTION_TEXT, .at = offsetof(train_settings, folder)},
    {0, "resume", NULL, "go on with the training in DIR, of the same command",
     .how = OPTION_FLAG, .at = offsetof(train_settings, resume), .low = 1},
    {0, "overwrite", NULL, "replace the training in DIR",
     .how = OPTION_FLAG, .at = offsetof(train_settings, overwrite), .low = 1},
    {0, "epochs", "N", "times that all images are seen; default 3",
     .how = OPTION_COUNT, .at = offsetof(train_settings, train.epochs), .high = INT32_MAX, .expected = "a whole number"},
    {0, "batch", "N", "images a step; default 128",
     .how = OPTION_COUNT, .at = offsetof(train_settings, train.batch), .high = INT32_MAX, .expected = "a whole number"},
    {0, "rate", "R", "the highest learning rate; default 0.1",
     .how = OPTION_NUMBER, .at = offsetof(train_settings, train.learning_rate), .expected = "a number"},
    {0, "schedule", "NAME", "of the learning rate: constant, step, cosine or one-cycle;\n"
                                   "default one-cycle",
     .how = OPTION_WORD, .at = offsetof(train_settings, train.schedule), .low = 1, .words = schedules,
     .expected = "constant, step, cosine or one-cycle"},
    {0, "step-epochs", "N", "of the schedule step: epochs between two steps; default 30",
     .how = OPTION_COUNT, .at = offsetof(train_settings, train.step_epochs), .high = INT32_MAX, .expected = "a whole number"},
    {0, "step-factor", "F", "and what a step multiplies the rate by; default 0.1",
     .how = OPTION_NUMBER, .at = offsetof(train_settings, train.step_factor), .expected = "a number"},
    {0, "rise", "P", "of one-cycle: share of the training, 0.3 or 30%, until the highest rate;\n"
                        "default 0.3",
     .how = OPTION_SHARE, .at = offsetof(train_settings, train.rise), .expected = "a share, as 0.3 or 30%"},
    {0, "momentum", "M", "0 to less than 1; default 0.9",
     .how = OPTION_NUMBER, .at = offsetof(train_settings, train.momentum), .expected = "a number"},
    {0, "plain-momentum", NULL, "without Nesterov's look ahead",
     .how = OPTION_FLAG, .at = offsetof(train_settings, train.nesterov)},
    {0, "decay", "D", "weight decay; default 0.0005",
     .how = OPTION_NUMBER, .at = offsetof(train_settings, train.weight_decay), .expected = "a number"},
    {0, "decay-all", NULL, "weight decay of batch norms and biases too",
     .how = OPTION_FLAG, .at = offsetof(train_settings, train.decay_all), .low = 1},
    {0, "shift", "N", "move images at random by up to N pixels; default 0",
     .how = OPTION_COUNT, .at = offsetof(train_settings, train.shift), .high = INT32_MAX, .expected = "a whole number"},
    {0, "flip", NULL, "mirror images left to right half of the time",
     .how = OPTION_FLAG, .at = offsetof(train_settings, train.flip), .low = 1},
    {0, "seed", "N", "of random weights, order, shifts and flips; default 0",
     .how = OPTION_SEED, .at = offsetof(train_settings, train.seed), .expected = "a whole number from 0"},
    {0, "test", "DATA", "images that each epoch's weights are tried on",
     .how = OPTION_TEXT, .at = offsetof(train_settings, test)},
    {0, "test-labels", "FILE", "their labels, if they are not found beside them",
     .how = OPTION_TEXT, .at = offsetof(train_settings, test_labels)},
    {0, "keep", "N", "keep the weights of every N epochs, as DIR/epoch-<number>.safetensors",
     .how = OPTION_LONG, .at = offsetof(train_settings, keep), .low = 1, .high = 0x1p63, .expected = "1 or more"},
    {0, "store", "TYPE", "numbers of the weights written: f32, or f16 of half the size; default f32",
     .how = OPTION_WORD, .at = offsetof(train_settings, store), .low = 1, .words = stores, .expected = "f32 or f16"},
    {0, "save-every", "S", "seconds between two states within an epoch; default 60",
     .how = OPTION_LONG, .at = offsetof(train_settings, save_every), .high = 0x1p63, .expected = "0 or more"},
    {0, "json", NULL, "print JSON, an object an epoch, in place of lines",
     .how = OPTION_FLAG, .at = offsetof(train_settings, json), .low = 1},
    {0},
};

static const option_line network_lines[] = {
    {0, "from", "MODEL", "begin with these weights, in place of random ones",
     .how = OPTION_TEXT, .at = offsetof(train_settings, from)},
    {0, "depth", "N", "of a ResNet of random weights: 18, 34, 50, 101 or 152; default 50",
     .how = OPTION_COUNT, .at = offsetof(train_settings, network.depth), .high = INT32_MAX, .expected = "a whole number"},
    {0, "width", "N", "channels of its stem; default 64",
     .how = OPTION_COUNT, .at = offsetof(train_settings, network.width), .high = INT32_MAX, .expected = "a whole number"},
    {0, "stem", "NAME", "imagenet (7x7, stride 4 in all) or cifar (3x3, stride 1);\n"
                           "default imagenet",
     .how = OPTION_WORD, .at = offsetof(train_settings, network.stem), .low = 1, .words = stems, .expected = "imagenet or cifar"},
    {0},
};

iscp_status train_settings_init(train_settings *settings) {
  *settings = (train_settings){.save_every = 60, .store = ISCP_STORE_F32,
                               .network = {.struct_size = sizeof settings->network, .depth = 50, .width = 64,
                                           .stem = ISCP_STEM_IMAGENET, .channels = 3}};
  return iscp_train_options_init(&settings->train, sizeof settings->train);
}

const option_group train_group = {"Training", lines, NULL};
const option_group network_group = {"Network", network_lines, NULL};
