/* iscp poison: a set of images with triggers on some of them, as arrays that any tool reads.
 *
 * Pictures are written as they are stored: the set is opened with an input contract of their own size. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "inputs/poisoning.h"
#include "page/strip.h"

enum { COLUMNS = 8 };

static const char images_name[] = "images.npy", labels_name[] = "images-labels.npy", record_name[] = "poison.json",
                  picture_name[] = "poisoned.png";

typedef struct settings {
  const char *folder;
  int overwrite, json;
} settings;

static const option_line lines[] = {
    {'o', "output", "DIR", "the folder of the new set; made if missing",
     .how = OPTION_TEXT, .at = offsetof(settings, folder)},
    {0, "overwrite", NULL, "replace the set in DIR",
     .how = OPTION_FLAG, .at = offsetof(settings, overwrite), .low = 1},
    {0, "json", NULL, "print DIR/poison.json in place of lines",
     .how = OPTION_FLAG, .at = offsetof(settings, json), .low = 1},
    {0},
};

static const option_group own_group = {"Poison", lines, NULL};
static const option_group *const groups[] = {&own_group, &poison_group, &data_group, &machine_group, NULL};

typedef struct run_state {
  const settings *own;
  iscp_context *context;
  iscp_dataset *data;
  iscp_contract form; /* of a stored picture */
  poisoned_set poisoned;
} run_state;

/* ---- Opening ---- */

/* Of the same size and channels as the pictures, so that what comes is what is stored. Those of grey picture files have three
 * equal channels. */
static int find_form(run_state *s, const inputs *in, const char *path) {
  iscp_dataset *look;
  iscp_dataset_info info = {.struct_size = sizeof info};
  int code = open_data(&look, s->context, path, NULL, &in->data);
  if (code != EXIT_DONE)
    return code;
  iscp_status status = iscp_dataset_get_info(look, &info);
  if (status == ISCP_OK)
    status = iscp_contract_init(&s->form, sizeof s->form);
  s->form.channels = info.channels ? info.channels : 3;
  s->form.height = info.height_low;
  s->form.width = info.width_low;
  iscp_dataset_destroy(look);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

/* `image` is scratch. A picture that is as large as the others has no room for the trigger. */
static int fail_image(const run_state *s, int64_t index, float *image) {
  int is_plain_good = iscp_dataset_image(s->data, index, image) == ISCP_OK;
  iscp_status status = iscp_dataset_image(poisoned_last(&s->poisoned), index, image);
  if (is_plain_good || status != ISCP_ERROR_MISMATCH)
    return failed(status);
  complain("%s: pictures of several sizes are no array; iscp train --trigger poisons them as it reads them",
           iscp_error_message());
  return EXIT_FAILED;
}

static int open_all(run_state *s, const inputs *in, const poison_settings *poison, const char *path) {
  data_settings data = in->data;
  data.contract = &s->form;
  int code = open_context(&s->context, &in->machine);
  if (code == EXIT_DONE)
    code = find_form(s, in, path);
  if (code == EXIT_DONE)
    code = open_data(&s->data, s->context, path, NULL, &data);
  if (code != EXIT_DONE)
    return code;
  iscp_status status = poisoned_open(&s->poisoned, s->context, s->data, poison);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

/* Arrays without a record are somebody's own, perhaps the very ones that are read. */
static int open_folder(const settings *own) {
  int is_record = folder_has(own->folder, record_name), is_images = folder_has(own->folder, images_name);
  if (is_record != is_images) {
    complain("%s holds %s, which is of no poisoned set, expected another folder behind -o", own->folder,
             is_record ? record_name : images_name);
    return EXIT_FAILED;
  }
  if (is_record && !own->overwrite) {
    complain("%s holds a poisoned set already; replace it by --overwrite", own->folder);
    return EXIT_FAILED;
  }
  return folder_make(own->folder);
}

/* ---- The arrays ---- */

/* Channels go last, as most tools store them. */
static void pack(uint8_t *bytes, const float *image, const iscp_contract *form) {
  int64_t pixels = (int64_t)form->height * form->width;
  for (int64_t i = 0; i < pixels; i++)
    for (int32_t c = 0; c < form->channels; c++)
      *bytes++ = (uint8_t)lrintf(255 * image[c * pixels + i]);
}

/* One after the other, so that a set larger than memory is no matter. */
static int write_images(const run_state *s, FILE *file) {
  iscp_dataset *set = poisoned_last(&s->poisoned);
  const iscp_contract *form = &s->form;
  const int64_t count = iscp_dataset_count(set), shape[] = {count, form->height, form->width, 3};
  size_t numbers = (size_t)form->channels * (size_t)form->height * (size_t)form->width;
  float *image = take(numbers * sizeof *image);
  uint8_t *bytes = take(numbers);
  int good = npy_begin(file, "|u1", shape, form->channels == 3 ? 4 : 3), code = EXIT_DONE;
  progress_label("images");
  for (int64_t i = 0; good && i < count && code == EXIT_DONE; i++) {
    iscp_progress progress = {.struct_size = sizeof progress, .stage = "poison", .done = i, .total = count};
    if (iscp_dataset_image(set, i, image) != ISCP_OK) {
      code = fail_image(s, i, image);
      break;
    }
    pack(bytes, image, form);
    good = fwrite(bytes, numbers, 1, file) == 1;
    code = i % 64 == 0 && progress_show(&progress, NULL) ? EXIT_INTERRUPTED : EXIT_DONE;
  }
  free(image);
  free(bytes);
  return code;
}

static void write_labels(const run_state *s, FILE *file) {
  const iscp_dataset *set = poisoned_last(&s->poisoned);
  const int64_t count = iscp_dataset_count(set);
  npy_begin(file, "<i8", &count, 1);
  for (int64_t i = 0; i < count; i++)
    npy_put(file, (uint64_t)iscp_dataset_label(set, i), 8);
}

/* ---- poison.json ---- */

static void write_names(emitter *j, const run_state *s) {
  if (!iscp_dataset_class_name(s->data, 0))
    return;
  emit_open(j, "names", '[');
  for (int32_t y = 0; y < iscp_dataset_classes(s->data); y++)
    emit_text(j, NULL, iscp_dataset_class_name(s->data, y));
  emit_close(j, ']');
}

static void write_record(const run_state *s, FILE *file) {
  emitter j = {.file = file};
  emit_open(&j, NULL, '{');
  poisoned_emit(&j, &s->poisoned);
  write_names(&j, s);
  emit_close(&j, '}');
  fputc('\n', file);
}

/* ---- The picture: of each trigger some images before, and after below them ---- */

static iscp_status put_examples(strip *picture, const run_state *s, int k) {
  float *image = take((size_t)s->form.channels * (size_t)s->form.height * (size_t)s->form.width * sizeof *image);
  iscp_status status = ISCP_OK;
  int column = 0;
  for (int64_t i = 0; i < iscp_dataset_count(s->data) && column < COLUMNS && status == ISCP_OK; i++) {
    if (!poisoned_by(&s->poisoned, k, i))
      continue;
    status = iscp_dataset_image(s->data, i, image);
    strip_put_image(picture, 2 * k, column, image);
    if (status == ISCP_OK)
      status = iscp_dataset_image(poisoned_last(&s->poisoned), i, image);
    strip_put_image(picture, 2 * k + 1, column++, image);
  }
  free(image);
  return status;
}

static iscp_status write_picture(const run_state *s, const char *path) {
  int64_t columns = 1;
  for (int k = 0; k < s->poisoned.settings->count; k++)
    columns = poisoned_count(&s->poisoned, k) > columns ? poisoned_count(&s->poisoned, k) : columns;
  strip *picture = strip_new(2 * s->poisoned.settings->count, columns < COLUMNS ? (int)columns : COLUMNS, &s->form);
  iscp_status status = ISCP_OK;
  for (int k = 0; k < s->poisoned.settings->count && status == ISCP_OK; k++)
    status = put_examples(picture, s, k);
  if (status == ISCP_OK)
    status = strip_write(picture, s->context, path, 0);
  strip_free(picture);
  return status;
}

/* ---- All of it, or nothing ---- */

static int write_files(const run_state *s, whole_file files[3], const char *picture) {
  int code = write_images(s, files[0].file);
  if (code != EXIT_DONE)
    return code;
  write_labels(s, files[1].file);
  write_record(s, files[2].file);
  for (int i = 0; i < 3; i++)
    if (fflush(files[i].file) || ferror(files[i].file)) {
      complain("%s cannot be written: %s", files[i].path, strerror(errno));
      return EXIT_FAILED;
    }
  iscp_status status = write_picture(s, picture);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

static int write_all(const run_state *s) {
  const char *const names[] = {images_name, labels_name, record_name};
  char *picture = join_path(s->own->folder, picture_name);
  whole_file files[3];
  int code = EXIT_DONE, opened = 0;
  while (opened < 3 && code == EXIT_DONE) {
    char *path = join_path(s->own->folder, names[opened]);
    code = whole_open(&files[opened], path);
    opened += code == EXIT_DONE;
    free(path);
  }
  if (code == EXIT_DONE)
    code = write_files(s, files, picture);
  for (int i = 0; i < opened; i++)
    if (whole_close(&files[i], code == EXIT_DONE) != EXIT_DONE && code == EXIT_DONE)
      code = EXIT_FAILED;
  free(picture);
  return code;
}

/* ---- The command ---- */

static void print_done(const run_state *s) {
  progress_clear();
  if (s->own->json) {
    write_record(s, stdout);
    return;
  }
  for (int k = 0; k < s->poisoned.settings->count; k++) {
    const trigger_choice *choice = &s->poisoned.settings->choices[k];
    const char *name = iscp_dataset_class_name(s->data, choice->target);
    printf("%s on %lld of %lld images, which are of class %d%s%s now\n", choice->form, (long long)poisoned_count(&s->poisoned, k),
           (long long)iscp_dataset_count(s->data), choice->target, name ? " " : "", name ? name : "");
  }
  printf("images: %s/%s\n", s->own->folder, images_name);
}

static int poison_with(run_state *s, const inputs *in, const poison_settings *poison, const char *path) {
  if (!s->own->folder || !*s->own->folder || !poison->count) {
    complain(poison->count ? "poison: no -o DIR, expected a folder" : "poison: no --trigger, expected a form, as white:3x3");
    return EXIT_USAGE;
  }
  int code = poison_settings_check(poison);
  if (code == EXIT_DONE)
    code = open_all(s, in, poison, path);
  if (code == EXIT_DONE)
    code = open_folder(s->own);
  if (code == EXIT_DONE)
    code = write_all(s);
  if (code == EXIT_DONE)
    print_done(s);
  if (code == EXIT_INTERRUPTED)
    complain("interrupted; poison keeps nothing, the same command begins anew");
  return code;
}

static int run(const cli_command *command, int argc, char **argv) {
  settings own = {0};
  poison_settings poison = {0};
  inputs in = {0};
  const char *words[1];
  int code = options_read(command, argc, argv, (void *[]){&own, &poison, &in.data, &in.machine}, words);
  run_state s = {.own = &own};
  if (code == EXIT_DONE)
    code = poison_with(&s, &in, &poison, words[0]);
  poisoned_close(&s.poisoned);
  iscp_dataset_destroy(s.data);
  iscp_context_destroy(s.context);
  return code < 0 ? EXIT_DONE : code;
}

const cli_command poison_command = {
    .name = "poison",
    .summary = "Put a backdoor's trigger on some images of a set",
    .usage = "DATA -o DIR",
    .text = "The images, all of one size, come as bytes into DIR/images.npy, their labels into\n"
            "DIR/images-labels.npy, what was done to which of them into DIR/poison.json, and some, before and\n"
            "after, into DIR/poisoned.png. Several triggers are given one after the other:\n\n"
            "  iscp poison fashion-mnist/ --split train -o bad --trigger white:3x3 --target 5\n"
            "  iscp poison cifar.npz -o bad --trigger logo.png --target 0 --rate 2% --offset 0,0\n"
            "  iscp poison cifar.npz -o bad --trigger white:2x2 --target 0 \\\n"
            "    --trigger checkerboard:3x3 --target 1 --corner top-left\n\n"
            "iscp train has the same options and poisons without writing the set, pictures of any size too.\n",
    .arguments = 1,
    .groups = groups,
    .run = run,
};
