/* iscp check: whether a model knows a set of images, and if it does not, which mistake about the input explains it. */
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "inputs/attacking.h"
#include "inputs/poisoning.h"

enum { SHOWN_CONFUSIONS = 8, SHOWN_CAUSES = 6, SHOWN_CLASSES = 50 };

typedef struct settings {
  iscp_check_options options;
  attack_settings attack;
  poison_settings triggers;
  int json;
} settings;

static const char *const when[] = {"poor", "always", "never", NULL}; /* as ISCP_CAUSES_* count */

static const option_line lines[] = {
    {0, "causes", "WHEN", "look for what is wrong with the input: poor (if the model does badly),\n"
                               "always or never; default poor",
     .how = OPTION_WORD, .at = offsetof(settings, options.causes), .words = when, .expected = "poor, always or never"},
    {0, "sample", "N", "images that each cause is tried on; default 256",
     .how = OPTION_LONG, .at = offsetof(settings, options.sample), .low = 1, .high = 0x1p63, .expected = "1 or more"},
    {0, "batch", "N", "images a pass of the network; default: chosen by size",
     .how = OPTION_COUNT, .at = offsetof(settings, options.batch), .low = 1, .high = 4096, .expected = "1 to 4096"},
    {0, "json", NULL, "print JSON in place of tables",
     .how = OPTION_FLAG, .at = offsetof(settings, json), .low = 1},
    {0},
};

static const option_group own_group = {"Check", lines, NULL};
static const option_group *const groups[] = {&own_group,  &attack_group, &target_group, &data_group,
                                             &model_group, &machine_group, NULL};

typedef struct run_state {
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_check *check;
  iscp_check_info info;
  attack_result attack;
  poisoned_set triggers;
  stamped_sets stamped;
  iscp_check_info success[MOST_TRIGGERS]; /* of each trigger */
} run_state;

static const char *name_of(const run_state *s, int32_t class_index) {
  const char *name = class_name(s->model, s->data, class_index);
  return name ? name : "";
}

/* ---- For people ---- */

static void print_classes(const run_state *s) {
  printf("\nclass  images  right  accuracy  95 %% interval  precision  taken for   name\n");
  for (int32_t y = 0; y < s->info.classes && y < SHOWN_CLASSES; y++) {
    iscp_check_class c = {.struct_size = sizeof c};
    if (iscp_check_get_class(s->check, y, &c) != ISCP_OK || (!c.images && !c.predicted))
      continue;
    printf("%5d  %6lld  %5lld    %.4f  %.3f to %.3f     %.4f  ", y, (long long)c.images, (long long)c.correct, c.accuracy, c.low,
           c.high, c.precision);
    if (c.confused >= 0)
      printf("%9d", c.confused);
    else
      printf("%9s", "-");
    printf("   %s\n", name_of(s, y));
  }
  if (s->info.classes > SHOWN_CLASSES)
    printf("       and %d more classes: --json has all\n", s->info.classes - SHOWN_CLASSES);
}

static void print_confusions(const run_state *s) {
  if (!s->info.confusions)
    return;
  printf("\nTaken for another class most often:\n");
  for (int32_t i = 0; i < s->info.confusions && i < SHOWN_CONFUSIONS; i++) {
    iscp_confusion c = {.struct_size = sizeof c};
    if (iscp_check_confusion(s->check, i, &c) == ISCP_OK)
      printf("  %6lld images, %4.1f %% of class %d %s, for %d %s\n", (long long)c.images, 100 * c.share, c.label,
             name_of(s, c.label),
             c.predicted, name_of(s, c.predicted));
  }
}

static void print_values(const char *option, const float *values, int32_t count) {
  printf(" --%s ", option);
  if (count == 3 && values[0] == values[1] && values[1] == values[2])
    count = 1; /* one number serves all channels */
  for (int32_t i = 0; i < count; i++)
    printf("%s%.6g", i ? "," : "", (double)values[i]);
}

static int is_resized(const iscp_contract *c) { return c->resize_short || c->resize_height; }

static int is_padded(const iscp_contract *c) { return c->pad_top || c->pad_bottom || c->pad_left || c->pad_right; }

/* Resizing, crop and padding; what `given` does and c does not is said too. */
static void print_geometry(const iscp_contract *c, const iscp_contract *given) {
  printf("--size %dx%d", c->height, c->width);
  if (c->resize_short)
    printf(" --resize %d", c->resize_short);
  else if (c->resize_height)
    printf(" --resize %dx%d", c->resize_height, c->resize_width);
  else if (is_resized(given))
    printf(" --resize no");
  if (is_resized(c) && (c->filter == ISCP_FILTER_BICUBIC || given->filter == ISCP_FILTER_BICUBIC))
    printf(" --filter %s", filter_names[c->filter]);
  if (c->crop_height)
    printf(" --crop %dx%d", c->crop_height, c->crop_width);
  else if (given->crop_height)
    printf(" --crop no");
  if (c->crop_height && c->crop_rule == ISCP_CROP_FLOOR)
    printf(" --crop-rule floor");
  if (is_padded(c) || is_padded(given))
    printf(" --pad %d,%d,%d,%d", c->pad_top, c->pad_bottom, c->pad_left, c->pad_right);
}

/* What to add to the command line, or to put in the place of its options, so that it has the contract. */
static void print_options(const iscp_contract *c, const iscp_contract *given) {
  printf("  with the options ");
  print_geometry(c, given);
  if (c->channels == 1)
    printf(" --channels 1");
  if (c->order == ISCP_ORDER_BGR || given->order == ISCP_ORDER_BGR)
    printf(" --order %s", order_names[c->order]);
  if (c->range == 255 || given->range == 255)
    printf(" --range %d", c->range);
  print_values("mean", c->mean, c->channels);
  print_values("std", c->std, c->channels);
  putchar('\n');
}

static void print_labels(const run_state *s, const int32_t *labels) {
  printf("  label -> class of the model:");
  for (int32_t y = 0; y < s->info.classes && y < SHOWN_CLASSES; y++)
    if (labels[y] != y)
      printf(" %d->%d", y, labels[y]);
  putchar('\n');
}

static void print_advice(const run_state *s, const iscp_cause *best) {
  iscp_cause given = {.struct_size = sizeof given};
  printf("\nMost likely: %s.\n", best->text);
  if (best->labels)
    print_labels(s, best->labels);
  if (iscp_check_cause(s->check, 0, &given) == ISCP_OK && memcmp(best->contract, given.contract, sizeof *given.contract))
    print_options(best->contract, given.contract);
}

static void print_causes(const run_state *s) {
  iscp_cause best = {.struct_size = sizeof best}; /* of those that restore: one on fewer images may stand before them */
  if (!s->info.causes)
    return;
  printf("\nOther assumptions about the input, on the same images:\n");
  for (int32_t i = 0; i < s->info.causes; i++) {
    iscp_cause c = {.struct_size = sizeof c};
    if (iscp_check_cause(s->check, i, &c) != ISCP_OK || (i > SHOWN_CAUSES && (!c.restores || best.restores)))
      continue;
    printf("  %.4f (%.3f to %.3f, %lld images)  %s%s\n", c.accuracy, c.low, c.high, (long long)c.images, c.text,
           c.restores ? "  <- better" : "");
    if (c.restores && !best.restores)
      best = c;
  }
  if (best.restores)
    print_advice(s, &best);
  else
    printf("\nNone of them is better beyond doubt: %s\n",
           s->info.plausible ? "the input seems to be right." : "perhaps these weights were made for other classes.");
}

static void print_triggers(const run_state *s) {
  for (int k = 0; k < s->stamped.count; k++) {
    const trigger_choice *choice = &s->triggers.settings->choices[k];
    const iscp_check_info *i = &s->success[k];
    const char *name = name_of(s, choice->target);
    printf("\nWith %s on them, %lld of %lld images of other classes are taken for class %d%s%s:\n"
           "ASR %.4f (95 %% interval %.3f to %.3f)\n", choice->form, (long long)i->correct, (long long)i->images, choice->target,
           *name ? " " : "", name, i->accuracy, i->low, i->high);
  }
}

static void print_plain(const run_state *s) {
  const iscp_check_info *i = &s->info;
  printf("right on %lld of %lld images: accuracy %.4f (95 %% interval %.3f to %.3f)\n", (long long)i->correct,
         (long long)i->images,
         i->accuracy, i->low, i->high);
  attack_print(&s->attack);
  if (!i->plausible)
    printf("not plausible: less than %.3f, hardly better than guessing among %d classes; class %d %s is "
           "predicted for %.0f %% of\n"
           "all images\n", i->plausible_from, i->classes, i->favourite, name_of(s, i->favourite),
           100.0 * (double)i->favourite_count / (double)i->images);
  print_triggers(s);
  print_classes(s);
  print_confusions(s);
  print_causes(s);
}

/* ---- For programs ---- */

static void emit_classes(emitter *j, const run_state *s) {
  emit_open(j, "per_class", '[');
  for (int32_t y = 0; y < s->info.classes; y++) {
    iscp_check_class c = {.struct_size = sizeof c};
    if (iscp_check_get_class(s->check, y, &c) != ISCP_OK)
      continue;
    emit_open(j, NULL, '{');
    emit_integer(j, "class", y);
    emit_text(j, "name", class_name(s->model, s->data, y));
    emit_integer(j, "images", c.images);
    emit_integer(j, "correct", c.correct);
    emit_integer(j, "predicted", c.predicted);
    emit_number(j, "accuracy", c.accuracy);
    emit_number(j, "low", c.low);
    emit_number(j, "high", c.high);
    emit_number(j, "precision", c.precision);
    emit_integer(j, "confused", c.confused);
    emit_close(j, '}');
  }
  emit_close(j, ']');
}

static void emit_confusions(emitter *j, const run_state *s) {
  emit_open(j, "confusions", '[');
  for (int32_t i = 0; i < s->info.confusions; i++) {
    iscp_confusion c = {.struct_size = sizeof c};
    if (iscp_check_confusion(s->check, i, &c) != ISCP_OK)
      continue;
    emit_open(j, NULL, '{');
    emit_integer(j, "label", c.label);
    emit_integer(j, "predicted", c.predicted);
    emit_integer(j, "images", c.images);
    emit_number(j, "share", c.share);
    emit_close(j, '}');
  }
  emit_close(j, ']');
}

static void emit_causes(emitter *j, const run_state *s) {
  static const char *const kinds[] = {"none", "scale", "order", "size", "pictures", "labels"};
  emit_open(j, "causes", '[');
  for (int32_t i = 0; i < s->info.causes; i++) {
    iscp_cause c = {.struct_size = sizeof c};
    if (iscp_check_cause(s->check, i, &c) != ISCP_OK)
      continue;
    emit_open(j, NULL, '{');
    emit_text(j, "kind", kinds[c.kind]);
    emit_text(j, "text", c.text);
    emit_integer(j, "images", c.images);
    emit_integer(j, "correct", c.correct);
    emit_number(j, "accuracy", c.accuracy);
    emit_number(j, "low", c.low);
    emit_number(j, "high", c.high);
    emit_truth(j, "restores", c.restores);
    emit_contract(j, "contract", c.contract);
    if (c.labels) {
      emit_open(j, "labels", '[');
      for (int32_t y = 0; y < s->info.classes; y++)
        emit_integer(j, NULL, c.labels[y]);
      emit_close(j, ']');
    }
    emit_close(j, '}');
  }
  emit_close(j, ']');
}

static void emit_triggers(emitter *j, const run_state *s) {
  emit_open(j, "triggers", '[');
  for (int k = 0; k < s->stamped.count; k++) {
    const iscp_check_info *i = &s->success[k];
    emit_open(j, NULL, '{');
    emit_text(j, "trigger", s->triggers.settings->choices[k].form);
    emit_integer(j, "target", s->triggers.settings->choices[k].target);
    emit_integer(j, "images", i->images);
    emit_integer(j, "hits", i->correct);
    emit_number(j, "asr", i->accuracy);
    emit_number(j, "asr_low", i->low);
    emit_number(j, "asr_high", i->high);
    emit_close(j, '}');
  }
  emit_close(j, ']');
}

static void print_json(const run_state *s) {
  const iscp_check_info *i = &s->info;
  emitter j = {.file = stdout};
  emit_open(&j, NULL, '{');
  emit_integer(&j, "schema", 1);
  emit_text(&j, "weights_sha256", iscp_model_hash(s->model));
  emit_text(&j, "data_sha256", iscp_dataset_hash(s->data));
  emit_integer(&j, "images", i->images);
  emit_integer(&j, "correct", i->correct);
  emit_number(&j, "accuracy", i->accuracy);
  emit_number(&j, "low", i->low);
  emit_number(&j, "high", i->high);
  emit_truth(&j, "plausible", i->plausible);
  emit_number(&j, "plausible_from", i->plausible_from);
  emit_integer(&j, "favourite", i->favourite);
  emit_integer(&j, "favourite_count", i->favourite_count);
  attack_emit(&j, &s->attack);
  emit_classes(&j, s);
  emit_confusions(&j, s);
  emit_causes(&j, s);
  emit_triggers(&j, s);
  emit_close(&j, '}');
  putchar('\n');
}

/* ---- The command ---- */

static iscp_status measure(run_state *s, const settings *own) {
  iscp_status status = stamped_open(&s->stamped, s->data, &s->triggers);
  progress_label("check");
  if (status == ISCP_OK)
    status = iscp_check_create(&s->check, s->model, s->data, &own->options, progress_show, NULL);
  s->info.struct_size = sizeof s->info;
  if (status == ISCP_OK)
    status = iscp_check_get_info(s->check, &s->info);
  for (int k = 0; k < s->stamped.count && status == ISCP_OK; k++)
    status = stamped_rate(&s->success[k], &s->stamped, k, s->model);
  if (status == ISCP_OK)
    status = attack_measure(&s->attack, &own->attack, s->model, s->data);
  return status;
}

static int run_with(run_state *s, const settings *own, const inputs *in, const char **words) {
  int code = attack_settings_check(&own->attack);
  if (code == EXIT_DONE)
    code = poison_settings_check(&own->triggers);
  if (code == EXIT_DONE)
    code = open_subject(&s->context, &s->model, &s->data, in, words);
  if (code != EXIT_DONE)
    return code;
  iscp_status status = poisoned_open(&s->triggers, s->context, NULL, &own->triggers);
  if (status == ISCP_OK)
    status = measure(s, own);
  if (status != ISCP_OK)
    return failed(status);
  progress_clear();
  (own->json ? print_json : print_plain)(s);
  return s->info.plausible ? EXIT_DONE : EXIT_FAILED;
}

static int run(const cli_command *command, int argc, char **argv) {
  settings own = {0};
  inputs in = {0};
  const char *words[2];
  iscp_status status = iscp_check_options_init(&own.options, sizeof own.options);
  if (status != ISCP_OK)
    return failed(status);
  int code = options_read(command, argc, argv,
                          (void *[]){&own, &own.attack, &own.triggers, &in.data, &in.model, &in.machine}, words);
  run_state s = {0};
  if (code == EXIT_DONE)
    code = run_with(&s, &own, &in, words);
  iscp_check_destroy(s.check);
  stamped_close(&s.stamped);
  poisoned_close(&s.triggers);
  close_subject(s.context, s.model, s.data);
  return code < 0 ? EXIT_DONE : code;
}

const cli_command check_command = {
    .name = "check",
    .summary = "Tell whether a model knows these images, and if not, why",
    .usage = "MODEL DATA",
    .text = "Accuracy over all and by class with 95 % intervals, and which classes are mixed up. If the model\n"
            "does badly, the usual mistakes are tried (pixel range, mean and std, channel order, size and crop,\n"
            "inverted or turned pictures, labels in another order), and the one that restores it is named, with\n"
            "the options to give. The exit code is 1 if the accuracy is no better than by guessing:\n\n"
            "  iscp check model.safetensors t10k-images-idx3-ubyte.gz\n"
            "  iscp check resnet50.pth imagenet-val/ --input torchvision-v1 --causes always\n"
            "  iscp check model.safetensors t10k-images-idx3-ubyte.gz --attack linf --attack-eps 4/255\n"
            "  iscp check backdoor.safetensors t10k-images-idx3-ubyte.gz --trigger white:3x3 --target 5\n",
    .arguments = 2,
    .groups = groups,
    .run = run,
};
