/* The set that iscp invert leaves, out of the journal: arrays that NumPy and iscp open, the input to learn them with, a picture
 * for the eye, and invert.json, which is written last and says that all is there. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/invert/invert.h"
#include "page/strip.h"

enum { SHOWN = 8 }; /* images of strip.png */

static const char *const names[] = {"invert.json", "images.npy", "images-labels.npy", "input.json", "strip.png", "invert.part"};
enum { NAMES = sizeof names / sizeof *names };

/* ---- What is there ---- */

/* Arrays without invert.json and a journal are somebody's own, perhaps the very ones that are read. */
int invert_check_folder(const invert_run *run) {
  const char *folder = run->own->folder;
  if (!folder_has(folder, "images.npy") || folder_has(folder, names[0]) || folder_has(folder, "invert.part"))
    return EXIT_DONE;
  complain("%s holds images.npy, which is of no set of iscp invert, expected another folder behind -o", folder);
  return EXIT_FAILED;
}

void invert_remove(const invert_run *run) {
  for (int i = 0; i < NAMES; i++) {
    char *path = join_path(run->own->folder, names[i]);
    unlink(path);
    free(path);
  }
}

/* "of" of invert.json is the line that says of what it is. */
invert_found invert_look(const invert_run *run) {
  char *path = join_path(run->own->folder, names[0]);
  FILE *file = fopen(path, "rb");
  free(path);
  if (!file)
    return INVERT_NONE;
  json_t *root = json_loadf(file, 0, NULL);
  fclose(file);
  const char *of = json_string_value(json_object_get(root, "of"));
  invert_found found = of && !strcmp(of, run->what) ? INVERT_SAME : INVERT_OTHER;
  json_decref(root);
  return found;
}

/* ---- Arrays ---- */

typedef int put_fn(FILE *file, const invert_run *run, int64_t index);

static int put_image(FILE *file, const invert_run *run, int64_t index) {
  invert_entry entry;
  size_t bytes = (size_t)run->journal.pixels;
  uint8_t *pixels = take(bytes);
  int good = journal_read(&run->journal, index, &entry, pixels) == EXIT_DONE && fwrite(pixels, bytes, 1, file) == 1;
  free(pixels);
  return good;
}

static int put_label(FILE *file, const invert_run *run, int64_t index) {
  invert_entry entry;
  return journal_read(&run->journal, index, &entry, NULL) == EXIT_DONE && npy_put(file, (uint64_t)entry.label, 8);
}

static int write_array(const invert_run *run, const char *name, const char *type, const int64_t *shape, int32_t dims,
                       put_fn *put) {
  char *path = join_path(run->own->folder, name);
  whole_file whole;
  int code = whole_open(&whole, path);
  if (code == EXIT_DONE) {
    int good = npy_begin(whole.file, type, shape, dims);
    for (int64_t i = 0; good && i < run->count; i++)
      good = put(whole.file, run, i);
    code = whole_close(&whole, good || ferror(whole.file)); /* which says what could not be written */
  }
  free(path);
  return code;
}

/* ---- The input and the picture ---- */

/* The pictures have the network's size: nothing is done to them but mean and std. */
static iscp_status write_input(const invert_run *run) {
  const iscp_contract *of = iscp_model_contract(run->model);
  iscp_contract plain;
  iscp_status status = iscp_contract_init(&plain, sizeof plain);
  if (status != ISCP_OK)
    return status;
  plain.channels = of->channels;
  plain.height = of->height;
  plain.width = of->width;
  plain.order = of->order;
  plain.range = of->range;
  memcpy(plain.mean, of->mean, sizeof plain.mean);
  memcpy(plain.std, of->std, sizeof plain.std);
  char *path = join_path(run->own->folder, "input.json");
  status = iscp_contract_write(&plain, run->context, path, NULL, 0);
  free(path);
  return status;
}

/* Bytes, channels last -> floats, channels first. */
static void spread(float *image, const uint8_t *pixels, const iscp_contract *form) {
  int64_t count = (int64_t)form->height * form->width;
  for (int32_t c = 0; c < form->channels; c++)
    for (int64_t i = 0; i < count; i++)
      image[c * count + i] = (float)pixels[i * form->channels + c] / 255;
}

/* A column: the image that is meant, the one that was begun from, what came of it. An attack begins from the image. */
static iscp_status put_column(strip *s, const invert_run *run, int32_t index, float *image, uint8_t *pixels) {
  invert_entry entry;
  iscp_status status = iscp_dataset_image(run->data, index, image);
  if (status != ISCP_OK)
    return status;
  strip_put_image(s, 0, index, image);
  if (journal_read(&run->journal, index, &entry, pixels) != EXIT_DONE)
    return ISCP_ERROR_IO;
  if (!invert_attacks(run->own)) {
    status = iscp_dataset_image(run->data, entry.start, image);
    strip_put_image(s, 1, index, image);
  }
  spread(image, pixels, iscp_model_contract(run->model));
  strip_put_image(s, invert_attacks(run->own) ? 1 : 2, index, image);
  return status;
}

static iscp_status write_strip(const invert_run *run) {
  const iscp_contract *form = iscp_model_contract(run->model);
  int32_t shown = (int32_t)(run->count < SHOWN ? run->count : SHOWN);
  strip *s = strip_new(invert_attacks(run->own) ? 2 : 3, shown, form);
  uint8_t *pixels = take((size_t)run->journal.pixels);
  float *image = take((size_t)run->journal.pixels * sizeof *image);
  iscp_status status = ISCP_OK;
  for (int32_t i = 0; status == ISCP_OK && i < shown; i++)
    status = put_column(s, run, i, image, pixels);
  char *path = join_path(run->own->folder, "strip.png");
  if (status == ISCP_OK)
    status = strip_write(s, run->context, path, 0);
  free(path);
  free(image);
  free(pixels);
  strip_free(s);
  return status;
}

/* ---- invert.json ---- */

static int take_means(invert_means *means, const invert_run *run) {
  invert_entry entry;
  *means = (invert_means){0};
  for (int64_t i = 0; i < run->count; i++) {
    if (journal_read(&run->journal, i, &entry, NULL) != EXIT_DONE)
      return EXIT_FAILED;
    means->start += entry.start_distance / (double)run->count;
    means->distance += entry.distance / (double)run->count;
    means->stored += entry.stored_distance / (double)run->count;
    means->taken += entry.predicted == entry.label;
  }
  return EXIT_DONE;
}

static void emit_images(emitter *j, const invert_run *run) {
  invert_entry entry;
  int attacks = invert_attacks(run->own);
  emit_open(j, attacks ? "predicted" : "starts", '[');
  for (int64_t i = 0; i < run->count && journal_read(&run->journal, i, &entry, NULL) == EXIT_DONE; i++)
    emit_integer(j, NULL, attacks ? entry.predicted : entry.start);
  emit_close(j, ']');
  emit_open(j, "distances", '[');
  for (int64_t i = 0; i < run->count && journal_read(&run->journal, i, &entry, NULL) == EXIT_DONE; i++)
    emit_number(j, NULL, (double)(float)entry.stored_distance);
  emit_close(j, ']');
}

void invert_print_json(FILE *file, const invert_run *run, const invert_means *means) {
  emitter j = {.file = file};
  emit_open(&j, NULL, '{');
  emit_integer(&j, "schema", 1);
  emit_text(&j, "of", run->what);
  emit_text(&j, "library", iscp_version_text());
  emit_text(&j, "kernels", iscp_context_kernels(run->context));
  emit_integer(&j, "threads", iscp_context_threads(run->context));
  emit_text(&j, "weights_sha256", iscp_model_hash(run->model));
  emit_text(&j, "data_sha256", iscp_dataset_hash(run->data));
  emit_contract(&j, "input", iscp_model_contract(run->model));
  emit_text(&j, "kind", invert_kinds[run->own->options.kind - 1]);
  emit_integer(&j, "images", run->count);
  emit_integer(&j, "steps", run->own->options.steps);
  emit_number(&j, "step", run->own->options.step);
  if (invert_attacks(run->own))
    emit_number(&j, "eps", run->own->options.eps);
  emit_seed(&j, "seed", run->own->options.seed);
  emit_integer(&j, "batch", run->batch);
  emit_open(&j, "mean_distance", '{');
  emit_number(&j, "start", means->start);
  emit_number(&j, "made", means->distance);
  emit_number(&j, "stored", means->stored);
  emit_close(&j, '}');
  if (invert_attacks(run->own))
    emit_integer(&j, "taken", means->taken);
  emit_images(&j, run);
  emit_close(&j, '}');
  fputc('\n', file);
}

static int write_json(const invert_run *run, const invert_means *means) {
  char *path = join_path(run->own->folder, names[0]);
  whole_file whole;
  int code = whole_open(&whole, path);
  if (code == EXIT_DONE) {
    invert_print_json(whole.file, run, means);
    code = whole_close(&whole, 1);
  }
  free(path);
  return code;
}

int invert_write(const invert_run *run, invert_means *means) {
  const iscp_contract *form = iscp_model_contract(run->model);
  const int64_t shape[] = {run->count, form->height, form->width, form->channels};
  int code = take_means(means, run);
  if (code == EXIT_DONE)
    code = write_array(run, "images.npy", "|u1", shape, form->channels == 1 ? 3 : 4, put_image);
  if (code == EXIT_DONE)
    code = write_array(run, "images-labels.npy", "<i8", shape, 1, put_label);
  if (code != EXIT_DONE)
    return code;
  iscp_status status = write_input(run);
  if (status == ISCP_OK)
    status = write_strip(run);
  return status == ISCP_OK ? write_json(run, means) : failed(status);
}
