/* The results of iscp uap: as JSON, and as a table. */
#include <math.h>

#include "commands/uap/uap.h"
#include "search/table.h"

static const char *method_text(const uap_settings *settings) {
  return settings->options.method == ISCP_UAP_DEEPFOOL ? "deepfool" : "sgd";
}

/* ---- JSON ---- */

static void emit_judged(emitter *j, const uap_measured *m) {
  emit_open(j, NULL, '{');
  emit_number(j, "size", m->size);
  emit_integer(j, "pixels", m->cut.pixels);
  emit_integer(j, "tied", m->cut.tied);
  emit_integer(j, "tied_kept", m->cut.tied_kept);
  emit_open(j, "crafted", '{');
  emit_power(j, &m->crafted);
  emit_close(j, '}');
  if (m->heldout.target >= 0) {
    emit_open(j, "heldout", '{');
    emit_power(j, &m->heldout);
    emit_close(j, '}');
  }
  emit_close(j, '}');
}

static void emit_row(emitter *j, const uap_results *results, const uap_row *row) {
  char name[64];
  emit_open(j, NULL, '{');
  emit_integer(j, "class", row->class_index);
  emit_text(j, "name", class_name(results->model, results->data, row->class_index));
  emit_number(j, "eps", row->options.eps);
  emit_number(j, "step", row->options.step);
  uap_name(name, row, ".npy");
  emit_text(j, "perturbation", name);
  uap_name(name, row, ".png");
  emit_text(j, "picture", name);
  uap_name(name, row, "-example.png");
  emit_text(j, "example", name);
  emit_integer(j, "example_image", row->example);
  emit_integer(j, "epochs", row->info.epochs);
  emit_integer(j, "steps", row->info.steps);
  emit_open(j, "power", '[');
  for (int32_t i = 0; i < row->count; i++)
    emit_judged(j, &row->sizes[i]);
  emit_close(j, ']');
  emit_close(j, '}');
}

/* What repeats the run. */
static void emit_manifest(emitter *j, const uap_results *results) {
  const iscp_uap_options *o = &results->rows[0].options;
  const iscp_context *context = iscp_model_context(results->model);
  emit_open(j, "manifest", '{');
  emit_text(j, "library", iscp_version_text());
  emit_text(j, "kernels", iscp_context_kernels(context));
  emit_integer(j, "threads", iscp_context_threads(context));
  emit_text(j, "weights_sha256", iscp_model_hash(results->model));
  emit_text(j, "data_sha256", iscp_dataset_hash(results->data));
  emit_integer(j, "data_images", iscp_dataset_count(results->data));
  emit_text(j, "method", method_text(results->settings));
  emit_number(j, "fraction", o->fraction);
  emit_seed(j, "seed", o->seed);
  emit_integer(j, "epochs", o->epochs);
  emit_integer(j, "batch", o->batch);
  emit_number(j, "loss_clamp", o->loss_clamp);
  emit_number(j, "overshoot", o->overshoot);
  emit_integer(j, "inner_steps", o->inner_steps);
  emit_number(j, "stop", o->stop);
  emit_close(j, '}');
}

static void emit_images(emitter *j, const char *key, int64_t images, double accuracy) {
  emit_open(j, key, '{');
  emit_integer(j, "images", images);
  emit_number(j, "accuracy", accuracy);
  emit_close(j, '}');
}

void uap_print_json(FILE *file, const uap_results *results) {
  emitter j = {.file = file};
  emit_open(&j, NULL, '{');
  emit_integer(&j, "schema", 1);
  emit_manifest(&j, results);
  emit_images(&j, "crafted", results->images, results->accuracy);
  if (results->heldout_images)
    emit_images(&j, "heldout", results->heldout_images, results->heldout_accuracy);
  emit_open(&j, "perturbations", '[');
  for (int32_t i = 0; i < results->count; i++)
    emit_row(&j, results, &results->rows[i]);
  emit_close(&j, ']');
  emit_close(&j, '}');
  fputc('\n', file);
}

/* ---- The table ---- */

static void print_power(const iscp_power *p) {
  print_interval(p->asr, p->asr_low, p->asr_high, p->nontarget_hits, p->nontarget);
  printf(" %6lld", (long long)p->nontarget_clean);
}

static void print_line(const uap_results *results, const uap_row *row, const uap_measured *m) {
  printf("%5d  ", row->class_index);
  print_name(class_name(results->model, results->data, row->class_index));
  printf(" %5g %4g %% %6d", 255 * row->options.eps, 100 * m->size, m->cut.pixels);
  print_power(&m->crafted);
  if (results->heldout_images)
    print_power(&m->heldout);
  const iscp_power *p = &m->crafted;
  print_interval(p->accuracy, p->accuracy_low, p->accuracy_high, p->target_correct, p->target_images);
  putchar('\n');
}

/* Mean ASR over the classes, a line for each eps and size. */
static void print_mean(const uap_results *results, double eps, int32_t size) {
  double crafted = 0, heldout = 0;
  int32_t count = 0;
  for (int32_t i = 0; i < results->count; i++)
    if (results->rows[i].options.eps == eps) {
      crafted += results->rows[i].sizes[size].crafted.asr;
      heldout += results->rows[i].sizes[size].heldout.asr;
      count++;
    }
  if (!count)
    return;
  printf("%5s  %-12s %5g %4g %% %6s  %6.3f", "mean", "", 255 * eps, 100 * results->settings->sizes[size], "",
         crafted / count);
  if (results->heldout_images)
    printf("%30s  %6.3f", "", heldout / count);
  putchar('\n');
}

void uap_print_table(const uap_results *results) {
  const uap_settings *settings = results->settings;
  int held = results->heldout_images > 0;
  printf("Targeted universal perturbations by %s. ASR: share of the images of other classes that are taken for the\n"
         "class with the perturbation on them (clean: without it), on the images it was crafted on%s.\n"
         "Accuracy: of clean images of the class. All with 95 %% intervals. eps in 1/255.\n\n",
         method_text(settings), held ? " and on the others" : "");
  printf("class  %-12s   eps   size pixels     ASR    interval     counts  clean", "name");
  if (held)
    printf(" heldout    interval     counts  clean");
  printf("     acc    interval     counts\n");
  for (int32_t i = 0; i < results->count; i++)
    for (int32_t k = 0; k < results->rows[i].count; k++)
      print_line(results, &results->rows[i], &results->rows[i].sizes[k]);
  for (int32_t e = 0; e < settings->eps_count; e++)
    for (int32_t k = 0; k < settings->size_count; k++)
      print_mean(results, settings->eps[e], k);
  printf("\nperturbations: %s/uap-<class>-<eps>.npy and .png, on an image: -example.png; figures: %s/result.json\n",
         settings->folder, settings->folder);
}
