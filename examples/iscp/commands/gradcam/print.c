/* What iscp gradcam found: pictures and arrays in the folder, tables, JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands/gradcam/gradcam.h"
#include "search/table.h"

/* ---- Files ---- */

static void file_name(char name[64], const char *what, int32_t class_index, int64_t image, const char *kind) {
  if (image < 0)
    snprintf(name, 64, "%s-%d.%s", what, class_index, kind);
  else
    snprintf(name, 64, "%s-%d-%lld.%s", what, class_index, (long long)image, kind);
}

char *gradcam_path(const gradcam_run *run, const char *what, int32_t class_index, int64_t image, const char *kind) {
  char name[64];
  file_name(name, what, class_index, image, kind);
  return join_path(run->own->folder, name);
}

int gradcam_write_map(const gradcam_run *run, const char *what, int32_t class_index, int64_t image, const float *map) {
  char *path = gradcam_path(run, what, class_index, image, "npy");
  int code = write_npy(path, map, (int32_t[]){run->contract->height, run->contract->width}, 2);
  free(path);
  return code;
}

/* A picture of `channels` channels into the page, its left top at x, y of all three. */
static void put(float *page, int32_t page_height, int32_t page_width, int32_t x, int32_t y, const float *from,
                int32_t channels, const iscp_contract *form) {
  for (int32_t c = 0; c < 3; c++)
    for (int32_t row = 0; row < form->height; row++)
      memcpy(page + ((size_t)c * (size_t)page_height + (size_t)(y + row)) * (size_t)page_width + x,
             from + ((size_t)(channels == 3 ? c : 0) * (size_t)form->height + (size_t)row) * (size_t)form->width,
             (size_t)form->width * sizeof *page);
}

int gradcam_write_pairs(const gradcam_run *run, const char *what, int32_t class_index, int64_t image,
                        const float *const *left, const float *const *right, int32_t rows) {
  const iscp_contract *form = run->contract;
  int32_t gap = form->width / 16 + 1, width = 2 * form->width + gap, height = rows * form->height + (rows - 1) * gap;
  size_t count = 3 * (size_t)height * (size_t)width;
  float *page = take(count * sizeof *page);
  for (size_t i = 0; i < count; i++)
    page[i] = 1;
  for (int32_t r = 0; r < rows; r++) {
    put(page, height, width, 0, r * (form->height + gap), left[r], form->channels, form);
    put(page, height, width, form->width + gap, r * (form->height + gap), right[r], 3, form);
  }
  char *path = gradcam_path(run, what, class_index, image, "png");
  iscp_status status = iscp_image_write_png(run->context, page, 3, height, width, path, run->scale);
  free(path);
  free(page);
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

/* ---- Tables ---- */

static void print_row(const gradcam_run *run, const gradcam_row *row) {
  for (int32_t k = 0; k < run->own->size_count; k++) {
    const cli_measured *m = &row->sizes[k];
    const iscp_power *p = &m->power;
    printf("%5d  ", row->class_index);
    print_name(class_name(run->model, run->data, row->class_index));
    printf("  %6lld  %9d  %7.3f  %7.3f  %4g %% %6d", (long long)row->image, row->info.predicted, row->info.logit,
           row->info.maximum, 100 * m->size, m->cut.pixels);
    if (run->evaluation)
      printf("  %6.3f  %6.3f  %6.3f  %lld/%lld, %lld/%lld", p->pw, p->asr, p->accuracy, (long long)p->nontarget_hits,
             (long long)p->nontarget, (long long)p->target_correct, (long long)p->target_images);
    putchar('\n');
  }
}

/* Mean PW at each size; a class may stand with several images. */
static void print_mean(const gradcam_run *run) {
  double *values = take((size_t)run->row_count * sizeof *values), mean, std;
  for (int32_t k = 0; k < run->own->size_count; k++) {
    for (int32_t i = 0; i < run->row_count; i++)
      values[i] = run->rows[i].sizes[k].power.pw;
    if (iscp_mean_std(values, run->row_count, &mean, &std) == ISCP_OK)
      printf("mPW at %g %%: %.3f (STD %.3f, %d maps)\n", 100 * run->own->sizes[k], mean, std, run->row_count);
  }
  free(values);
}

static void print_maps(const gradcam_run *run) {
  printf("Grad-CAM of layer%d. Maximum: of the map, in units of the logit. PW = ASR / accuracy of the map's highest pixels as "
         "a\npattern.\n\n", run->own->stage);
  printf("class  %-12s  %6s  %9s  %7s  %7s  %6s %6s", "name", "image", "predicted", "logit", "maximum", "size", "pixels");
  printf("%s\n", run->evaluation ? "      PW     ASR     acc  counts" : "");
  for (int32_t i = 0; i < run->row_count; i++)
    print_row(run, &run->rows[i]);
  if (run->evaluation && run->row_count)
    print_mean(run);
  printf("\npictures: %s/overlay-<class>-<image>.png, pattern-<class>-<image>.png; figures: %s/result.json\n",
         run->own->folder, run->own->folder);
}

static void print_shifts(const gradcam_run *run) {
  printf("Grad-CAM of layer%d, of the class predicted without and with the pattern. Inside: share of the map on the pattern's "
         "pixels.\n\n", run->own->stage);
  printf("class  %-12s  %6s  %5s  %6s  %5s  %13s  %12s  %5s\n", "name", "image", "label", "before", "after", "inside before",
         "inside after", "area");
  double before = 0, after = 0;
  for (int32_t i = 0; i < run->shift_count; i++) {
    const iscp_attention_shift *s = &run->shifts[i].shift;
    printf("%5d  ", s->target);
    print_name(class_name(run->model, run->data, s->target));
    printf("  %6lld  %5d  %6d  %5d  %13.3f  %12.3f  %5.3f\n", (long long)run->shifts[i].image,
           iscp_dataset_label(run->data, run->shifts[i].image), s->predicted_before, s->predicted_after, s->inside_before,
           s->inside_after, s->area);
    before += s->inside_before / run->shift_count;
    after += s->inside_after / run->shift_count;
  }
  printf("mean inside: %.3f before, %.3f after\n", before, after);
  printf("\npictures: %s/shift-<class>-<image>.png (above before, below after); figures: %s/result.json\n", run->own->folder,
         run->own->folder);
}

void gradcam_print(const gradcam_run *run) {
  if (run->list)
    print_shifts(run);
  else
    print_maps(run);
}

/* ---- JSON ---- */

static void emit_file(emitter *j, const char *key, const char *what, int32_t class_index, int64_t image, const char *kind) {
  char name[64];
  file_name(name, what, class_index, image, kind);
  emit_text(j, key, name);
}

static void emit_row(emitter *j, const gradcam_run *run, const gradcam_row *row) {
  emit_open(j, NULL, '{');
  emit_integer(j, "class", row->class_index);
  emit_text(j, "name", class_name(run->model, run->data, row->class_index));
  emit_integer(j, "image", row->image);
  emit_integer(j, "label", iscp_dataset_label(run->data, row->image));
  emit_integer(j, "predicted", row->info.predicted);
  emit_number(j, "logit", row->info.logit);
  emit_number(j, "maximum", row->info.maximum);
  emit_integer(j, "height", row->info.height);
  emit_integer(j, "width", row->info.width);
  emit_file(j, "map", "map", row->class_index, row->image, "npy");
  emit_file(j, "overlay", "overlay", row->class_index, row->image, "png");
  emit_file(j, "pattern", "pattern", row->class_index, row->image, "png");
  emit_open(j, "power", '[');
  for (int32_t k = 0; run->evaluation && k < run->own->size_count; k++)
    emit_measured(j, &row->sizes[k]);
  emit_close(j, ']');
  emit_close(j, '}');
}

static void emit_shift(emitter *j, const gradcam_run *run, const shift_row *row) {
  const iscp_attention_shift *s = &row->shift;
  emit_open(j, NULL, '{');
  emit_integer(j, "class", s->target);
  emit_text(j, "name", class_name(run->model, run->data, s->target));
  emit_integer(j, "image", row->image);
  emit_integer(j, "label", iscp_dataset_label(run->data, row->image));
  emit_integer(j, "predicted_before", s->predicted_before);
  emit_integer(j, "predicted_after", s->predicted_after);
  emit_number(j, "inside_before", s->inside_before);
  emit_number(j, "inside_after", s->inside_after);
  emit_number(j, "area", s->area);
  emit_file(j, "before", "before", s->target, row->image, "npy");
  emit_file(j, "after", "after", s->target, row->image, "npy");
  emit_file(j, "picture", "shift", s->target, row->image, "png");
  emit_close(j, '}');
}

static void emit_evaluation(emitter *j, const gradcam_run *run) {
  static const char *const images[] = {"", "heldout", "all", "searched"};
  double accuracy = NAN;
  int64_t used = 0;
  iscp_evaluation_accuracy(run->evaluation, &accuracy, &used);
  emit_open(j, "evaluation", '{');
  emit_text(j, "images", images[run->own->images]);
  emit_integer(j, "count", used);
  emit_number(j, "accuracy", accuracy);
  emit_close(j, '}');
}

/* What repeats the run, under the names of a search's manifest. */
static void emit_manifest(emitter *j, const gradcam_run *run) {
  const gradcam_settings *own = run->own;
  emit_open(j, "manifest", '{');
  emit_text(j, "library", iscp_version_text());
  emit_text(j, "backend", iscp_context_backend(run->context) == ISCP_BACKEND_BLAS ? "blas" : "onednn");
  emit_text(j, "kernels", iscp_context_kernels(run->context));
  emit_text(j, "convolutions", iscp_context_convolutions(run->context) == ISCP_CONVOLUTIONS_FAST ? "fast" : "direct");
  emit_text(j, "precision", iscp_context_precision(run->context) == ISCP_PRECISION_BF16 ? "bf16" : "f32");
  emit_integer(j, "threads", iscp_context_threads(run->context));
  emit_open(j, "model", '{');
  emit_text(j, "weights_sha256", iscp_model_hash(run->model));
  emit_contract(j, "contract", run->contract);
  emit_close(j, '}');
  emit_open(j, "data", '{');
  emit_text(j, "sha256", iscp_dataset_hash(run->data));
  emit_integer(j, "images", iscp_dataset_count(run->data));
  emit_close(j, '}');
  emit_integer(j, "stage", own->stage);
  emit_text(j, "patterns", own->patterns);
  emit_open(j, "sizes", '[');
  for (int32_t k = 0; k < own->size_count; k++)
    emit_number(j, NULL, own->sizes[k]);
  emit_close(j, ']');
  if (run->evaluation)
    emit_evaluation(j, run);
  emit_close(j, '}');
}

static void emit_all(FILE *file, const gradcam_run *run) {
  emitter j = {.file = file};
  emit_open(&j, NULL, '{');
  emit_integer(&j, "schema", 1);
  emit_manifest(&j, run);
  emit_open(&j, run->list ? "shifts" : "maps", '[');
  for (int32_t i = 0; i < run->row_count; i++)
    emit_row(&j, run, &run->rows[i]);
  for (int32_t i = 0; i < run->shift_count; i++)
    emit_shift(&j, run, &run->shifts[i]);
  emit_close(&j, ']');
  emit_close(&j, '}');
  fputc('\n', file);
}

int gradcam_write_json(const gradcam_run *run) {
  char *path = join_path(run->own->folder, "result.json");
  whole_file whole;
  int code = whole_open(&whole, path);
  if (code == EXIT_DONE) {
    emit_all(whole.file, run);
    code = whole_close(&whole, 1);
  }
  if (code == EXIT_DONE && run->own->json)
    emit_all(stdout, run);
  free(path);
  return code;
}
