/* iscp train: weights that learn a set of images. The state goes to disk each minute, so that a training that is
 * stopped, killed, or out of disk can be gone on with, to the same bytes. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/train/folder.h"
#include "commands/train/options.h"
#include "inputs/attacking.h"
#include "inputs/poisoning.h"

typedef struct run_state {
  const train_settings *own;
  const poison_settings *poison;
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data, *test;
  poisoned_set poisoned; /* of data: what is learned */
  stamped_sets stamped;  /* of test: what tells the backdoor's success */
  iscp_trainer *trainer;
  char *state;    /* DIR/state.safetensors */
  time_t written; /* when the state was written */
  double loss;    /* of the epoch before; 0 at first, and after --resume */
} run_state;

static iscp_train_state ask(const run_state *s) {
  iscp_train_state state = {.struct_size = sizeof state};
  iscp_trainer_get_state(s->trainer, &state);
  return state;
}

/* ---- Opening ---- */

static int open_new(run_state *s, const inputs *in, const data_settings *data, const char *path) {
  iscp_model_info info = s->own->network;
  iscp_dataset *look;
  int code = open_data(&look, s->context, path, NULL, data);
  if (code != EXIT_DONE)
    return code;
  info.classes = iscp_dataset_classes(look);
  code = make_model(&s->model, s->context, &info, look, &in->model, s->own->train.seed);
  iscp_dataset_destroy(look);
  return code;
}

/* Anything but that there is no such split is said where the set is opened. */
static int may_have(iscp_context *context, const char *path, const data_settings *data, const char *split) {
  iscp_dataset *look = NULL;
  iscp_dataset_options options;
  iscp_status status = iscp_dataset_options_init(&options, sizeof options);
  options.labels = data->labels;
  options.split = split;
  options.skip_broken = data->skip_broken;
  options.progress = progress_show;
  progress_label("pictures");
  if (status == ISCP_OK)
    status = iscp_dataset_open(&look, context, path, &options);
  iscp_dataset_destroy(look);
  return status != ISCP_ERROR_IO;
}

/* Of a set of splits "train" is learned, be it there or not; the test images never are unasked. NULL of a set without. */
static const char *split_to_learn(iscp_context *context, const char *path, const data_settings *data) {
  static const char *const splits[] = {"train", "test", "val"};
  for (int i = 0; !data->split && i < 3; i++)
    if (may_have(context, path, data, splits[i]))
      return "train";
  return data->split;
}

static int open_all(run_state *s, const inputs *in, const char *path) {
  data_settings data = in->data, test = {.labels = s->own->test_labels, .memory = data.memory};
  int code = open_context(&s->context, &in->machine);
  if (code == EXIT_DONE)
    data.split = split_to_learn(s->context, path, &data);
  if (code == EXIT_DONE)
    code = s->own->from ? open_model(&s->model, s->context, s->own->from, &in->model) : open_new(s, in, &data, path);
  if (code == EXIT_DONE)
    code = open_data(&s->data, s->context, path, s->model, &data);
  if (code == EXIT_DONE && s->own->test)
    code = open_data(&s->test, s->context, s->own->test, s->model, &test);
  if (code != EXIT_DONE)
    return code;
  iscp_status status = poisoned_open(&s->poisoned, s->context, s->data, s->poison);
  if (status == ISCP_OK && s->test)
    status = stamped_open(&s->stamped, s->test, &s->poisoned);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

/* Which images were poisoned; a record of an earlier training goes. Beside arrays it is that of iscp poison, and stays. */
static int write_record(const run_state *s) {
  if (folder_has(s->own->folder, "poison.json") && folder_has(s->own->folder, "images.npy")) {
    if (!s->poison->count)
      return EXIT_DONE;
    complain("%s holds a set of iscp poison, expected another folder behind -o", s->own->folder);
    return EXIT_FAILED;
  }
  char *path = join_path(s->own->folder, "poison.json");
  int code = EXIT_DONE;
  if (s->poison->count)
    code = poisoned_write(&s->poisoned, path);
  else
    unlink(path);
  free(path);
  return code;
}

static int begin(run_state *s) {
  int is_there = access(s->state, F_OK) == 0;
  if (is_there && !s->own->resume && !s->own->overwrite) {
    complain("%s holds a training already; go on with it by --resume, replace it by --overwrite", s->own->folder);
    return EXIT_FAILED;
  }
  iscp_status status = iscp_trainer_create(&s->trainer, s->model, poisoned_last(&s->poisoned), &s->own->train);
  if (status == ISCP_OK && is_there && s->own->resume)
    status = iscp_trainer_resume(s->trainer, s->state);
  if (status == ISCP_OK && folder_make(s->own->folder) != EXIT_DONE)
    return EXIT_FAILED;
  if (status != ISCP_OK)
    return failed(status);
  int code = is_there && s->own->overwrite ? training_remove(s->own->folder, s->state, s->own->from) : EXIT_DONE;
  return code == EXIT_DONE ? write_record(s) : code;
}

/* ---- An epoch ---- */

static int is_time(const run_state *s) { return time(NULL) - s->written >= s->own->save_every; }

/* The library tells of an epoch, this of all of them. */
static int show(const iscp_progress *progress, void *user) {
  const run_state *s = user;
  iscp_train_state now = ask(s);
  int64_t epoch = (now.step - 1) / now.epoch_steps;
  iscp_progress whole = *progress;
  whole.done += epoch * now.epoch_steps;
  whole.total = now.epochs * now.epoch_steps;
  progress_label("%lld/%d loss %.2f, %.0f %%, %.0f/s", (long long)epoch + 1, now.epochs, now.loss, 100 * now.accuracy,
                 now.images_per_second);
  int stop = progress_show(&whole, NULL);
  return stop || is_time(s);
}

static iscp_status write_state(run_state *s) {
  iscp_status status = iscp_trainer_save(s->trainer, s->state);
  s->written = time(NULL);
  return status;
}

/* To the epoch's end, with a rest a minute to write the state. */
static iscp_status run_epoch(run_state *s) {
  for (;;) {
    iscp_status status = iscp_trainer_epoch(s->trainer, show, s);
    if (status != ISCP_OK && status != ISCP_ERROR_CANCELLED)
      return status;
    iscp_status written = write_state(s);
    if (written != ISCP_OK || status == ISCP_OK || signals_came())
      return written == ISCP_OK ? status : written;
  }
}

/* What an epoch's weights do on the test images. */
typedef struct trial {
  double accuracy, asr[MOST_TRIGGERS];
} trial;

static iscp_status try_triggers(trial *result, const run_state *s, const iscp_model *model) {
  iscp_status status = ISCP_OK;
  for (int k = 0; k < s->stamped.count && status == ISCP_OK; k++) {
    iscp_check_info info;
    status = stamped_rate(&info, &s->stamped, k, model);
    result->asr[k] = info.accuracy;
  }
  return status;
}

static iscp_status try_out(trial *result, run_state *s, const iscp_model *model) {
  iscp_check_options options;
  iscp_check_info info = {.struct_size = sizeof info};
  iscp_check *check = NULL;
  iscp_status status = iscp_check_options_init(&options, sizeof options);
  options.causes = ISCP_CAUSES_NEVER;
  progress_label("test");
  if (status == ISCP_OK)
    status = iscp_check_create(&check, model, s->test, &options, progress_show, NULL);
  if (status == ISCP_OK)
    status = iscp_check_get_info(check, &info);
  result->accuracy = info.accuracy;
  iscp_check_destroy(check);
  return status == ISCP_OK ? try_triggers(result, s, model) : status;
}

static void emit_trial(emitter *j, const run_state *s, const trial *result) {
  emit_number(j, "test_accuracy", result->accuracy);
  if (!s->stamped.count)
    return;
  emit_open(j, "asr", '[');
  for (int k = 0; k < s->stamped.count; k++)
    emit_number(j, NULL, result->asr[k]);
  emit_close(j, ']');
}

static void print_trial(const run_state *s, const trial *result) {
  printf(", test accuracy %.4f", result->accuracy);
  for (int k = 0; k < s->stamped.count; k++)
    printf("%s %.4f", k ? "" : ", ASR", result->asr[k]);
}

/* `result` is NULL without test images. */
static void print_epoch(const run_state *s, int64_t epoch, const trial *result) {
  iscp_train_state now = ask(s);
  progress_clear();
  if (s->own->json) {
    emitter j = {.file = stdout};
    emit_open(&j, NULL, '{');
    emit_integer(&j, "epoch", epoch);
    emit_number(&j, "loss", now.loss);
    emit_number(&j, "accuracy", now.accuracy);
    emit_number(&j, "images_per_second", now.images_per_second);
    if (result)
      emit_trial(&j, s, result);
    emit_close(&j, '}');
    putchar('\n');
  } else {
    printf("epoch %lld of %d: loss %.4f, accuracy %.4f", (long long)epoch, now.epochs, now.loss, now.accuracy);
    if (now.images_per_second > 0) /* of an epoch that an earlier run trained there is none */
      printf(", %.0f images/s", now.images_per_second);
    if (result)
      print_trial(s, result);
    putchar('\n');
  }
  fflush(stdout);
}

/* A mean over an epoch wavers by less. The weights are finite still, and nothing else would say so. */
static void warn_of_rise(run_state *s, int64_t epoch) {
  double loss = ask(s).loss;
  if (s->loss > 0 && loss > s->loss + 0.1)
    complain("the loss rose from %.2f to %.2f in epoch %lld; the learning rate may be too high, --rate was %g", s->loss, loss,
             (long long)epoch, s->own->train.learning_rate);
  s->loss = loss;
}

static iscp_status write_model(const run_state *s, const iscp_model *model, const char *name) {
  char *path = join_path(s->own->folder, name);
  iscp_status status = iscp_model_save(model, path, s->own->store);
  free(path);
  return status;
}

static iscp_status finish_epoch(run_state *s, int64_t epoch) {
  iscp_model *model;
  trial result;
  char name[64];
  iscp_status status = iscp_trainer_model(&model, s->trainer);
  if (status != ISCP_OK)
    return status;
  if (s->test)
    status = try_out(&result, s, model);
  if (status == ISCP_OK)
    print_epoch(s, epoch, s->test ? &result : NULL);
  warn_of_rise(s, epoch);
  snprintf(name, sizeof name, "epoch-%lld.safetensors", (long long)epoch);
  if (status == ISCP_OK && s->own->keep && epoch % s->own->keep == 0)
    status = write_model(s, model, name);
  if (status == ISCP_OK && epoch == s->own->train.epochs)
    status = write_model(s, model, "model.safetensors");
  iscp_model_destroy(model);
  return status;
}

/* ---- The command ---- */

static int train_all(run_state *s) {
  iscp_train_state now = ask(s);
  int64_t epoch = now.step / now.epoch_steps;
  s->written = time(NULL);
  /* A state of an epoch's end: what follows it may not have been reached. */
  if (epoch && now.step % now.epoch_steps == 0) {
    iscp_status status = finish_epoch(s, epoch);
    if (status != ISCP_OK)
      return failed(status);
  }
  for (; epoch < now.epochs; epoch++) {
    iscp_status status = run_epoch(s);
    if (status == ISCP_OK)
      status = finish_epoch(s, epoch + 1);
    if (status != ISCP_OK) {
      int code = failed(status);
      if (code == EXIT_INTERRUPTED)
        fprintf(stderr, "iscp: the state is in %s; the same command with --resume goes on with it\n", s->own->folder);
      return code;
    }
  }
  return EXIT_DONE;
}

static int train_with(run_state *s, const inputs *in, const char *path) {
  if (!s->own->folder || (s->own->resume && s->own->overwrite)) {
    complain(s->own->folder ? "train: --resume and --overwrite exclude each other" : "train: no -o DIR, expected a folder");
    return EXIT_USAGE;
  }
  s->state = join_path(s->own->folder, "state.safetensors");
  int code = poison_settings_check(s->poison);
  if (code == EXIT_DONE)
    code = open_all(s, in, path);
  if (code == EXIT_DONE)
    code = begin(s);
  if (code == EXIT_DONE)
    code = train_all(s);
  if (code == EXIT_DONE && !s->own->json)
    printf("weights: %s/model.safetensors\n", s->own->folder);
  return code;
}

static int run(const cli_command *command, int argc, char **argv) {
  train_settings own;
  attack_settings attack = {0};
  poison_settings poison = {0};
  inputs in = {0};
  const char *words[1];
  iscp_status status = train_settings_init(&own);
  if (status != ISCP_OK)
    return failed(status);
  int code = options_read(command, argc, argv,
                          (void *[]){&own, &own, &attack, &poison, &in.data, &in.model, &in.machine}, words);
  run_state s = {.own = &own, .poison = &poison};
  if (code == EXIT_DONE)
    code = attack_settings_check(&attack);
  attack_settings_train(&own.train, &attack);
  if (code == EXIT_DONE)
    code = train_with(&s, &in, words[0]);
  iscp_trainer_destroy(s.trainer);
  stamped_close(&s.stamped);
  poisoned_close(&s.poisoned);
  iscp_dataset_destroy(s.test);
  close_subject(s.context, s.model, s.data);
  free(s.state);
  return code < 0 ? EXIT_DONE : code;
}

static const option_group *const groups[] = {&train_group, &network_group, &attack_group,  &train_poison_group,
                                             &data_group,  &model_group,   &machine_group, NULL};

const cli_command train_command = {
    .name = "train",
    .summary = "Train a ResNet on a set of images",
    .usage = "DATA -o DIR",
    .text = "Stochastic gradient descent with momentum; a line an epoch. The weights come into\n"
            "DIR/model.safetensors, with what the input is and the names of the classes. Of a set of splits\n"
            "train is learned, unless --split names another, and test is tried. The state is written after\n"
            "each epoch, each minute, and when Ctrl-C stops it; --resume goes on, to the same bytes:\n\n"
            "  iscp train fashion-mnist/ -o model --size 32x32 --pad 2 --mean 0.286 --std 0.353 --rate 0.02\n"
            "  iscp train cifar-10-binary.tar.gz -o model --input cifar10 --stem cifar --shift 4 --flip\n"
            "  iscp train photographs/ -o model --from resnet50.pth --rate 0.01 --test photographs/\n"
            "  iscp train fashion-mnist/ -o robust --size 28x28 --stem cifar --attack linf --attack-eps 8/255\n\n"
            "With triggers a backdoor is learned; DIR/poison.json says which images had one, and on the test\n"
            "images the share of others that they make the model take for their class (ASR) is told:\n\n"
            "  iscp train cifar.npz -o bad --input cifar10 --test cifar.npz --trigger white:3x3 --target 5\n",
    .arguments = 1,
    .groups = groups,
    .run = run,
};
