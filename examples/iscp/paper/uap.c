/* Universal adversarial perturbations of a study: crafted on the whole set, as in the paper, class by class. A class's line
 * says of what run it is, so that another run's is not taken for it. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "paper/uap.h"

enum { LINE = 512 };

static char *class_path(const reproduction *r, int m, double eps, int32_t y, const char *end) {
  return study_path(&r->study, "runs/%s-uap-%g/uap-%d%s", r->study.models[m].name, eps, y, end);
}

char *uap_picture(const reproduction *r, int m, double eps, int32_t y) { return class_path(r, m, eps, y, ".png"); }

static iscp_status uap_options(iscp_uap_options *options, const reproduction *r, double eps) {
  iscp_status status = iscp_uap_options_init(options, sizeof *options);
  options->eps = eps / 255;
  options->seed = r->study.base->search.seed;
  return status;
}

/* ---- What is kept ---- */

static void key_of(char key[LINE], const reproduction *r, int m, const iscp_uap_options *o) {
  const study_model *model = &r->study.models[m];
  const char *data = iscp_dataset_hash(model->data);
  snprintf(key, LINE, "libiscp %s model %s data %s images %lld eps %g method %d fraction %g seed %llu", iscp_version_text(),
           iscp_model_hash(model->model), data ? data : "unknown", (long long)iscp_dataset_count(model->data), 255 * o->eps,
           o->method, o->fraction, (unsigned long long)o->seed);
}

/* 1 if the class is done, and then its rate. A line of another run is as none: it is written anew. */
static int read_rate(double *rate, const reproduction *r, int m, const iscp_uap_options *o, int32_t y) {
  char *path = class_path(r, m, 255 * o->eps, y, ".txt"), line[2][LINE] = {{0}}, key[LINE];
  long long fooled = 0, images = 0;
  FILE *file = fopen(path, "r");
  int found = file && fgets(line[0], LINE, file) && fgets(line[1], LINE, file);
  if (file)
    fclose(file);
  free(path);
  key_of(key, r, m, o);
  line[0][strcspn(line[0], "\n")] = 0;
  found = found && !strcmp(line[0], key) && sscanf(line[1], "fooled %lld of %lld", &fooled, &images) == 2 && images > 0;
  *rate = found ? (double)fooled / (double)images : NAN;
  return found;
}

static int write_rate(const reproduction *r, int m, const iscp_uap_options *o, const iscp_uap_info *info) {
  char *path = class_path(r, m, 255 * o->eps, info->class_index, ".txt"), key[LINE];
  whole_file whole;
  int code = whole_open(&whole, path);
  key_of(key, r, m, o);
  if (code == EXIT_DONE) {
    fprintf(whole.file, "%s\nfooled %lld of %lld\n", key, (long long)info->fooled, (long long)info->images);
    code = whole_close(&whole, 1);
  }
  free(path);
  return code;
}

/* The picture is there before the line that says so. */
static iscp_status save(const reproduction *r, int m, const iscp_uap_options *o, const iscp_uap *uap) {
  iscp_uap_info info = {.struct_size = sizeof info};
  iscp_pattern *pattern;
  iscp_status status = iscp_uap_get_info(uap, &info);
  if (status == ISCP_OK)
    status = iscp_uap_pattern(&pattern, uap, 1);
  if (status != ISCP_OK)
    return status;
  char *path = class_path(r, m, 255 * o->eps, info.class_index, ".png");
  make_parents(path);
  status = iscp_pattern_write_png(pattern, path, r->study.base->report.scale);
  iscp_pattern_destroy(pattern);
  free(path);
  if (status == ISCP_OK && write_rate(r, m, o, &info) != EXIT_DONE)
    status = ISCP_ERROR_IO;
  return status;
}

/* ---- Crafting ---- */

enum { EPOCHS = 10 }; /* what the library's 0 stands for: for the plan only */

void uap_plan(reproduction *r, int m, double eps) {
  const study_model *model = &r->study.models[m];
  iscp_uap_options options;
  double rate;
  for (int i = 0; i < r->uap_count; i++)
    if (r->uaps[i] == eps)
      return; /* of another item */
  if (r->uap_count == UAP_BOUNDS || uap_options(&options, r, eps) != ISCP_OK)
    return;
  r->uaps[r->uap_count++] = eps;
  for (int32_t i = 0; i < model->class_count; i++)
    if (!read_rate(&rate, r, m, &options, model->classes[i]))
      study_plan(&r->study, m, 1, EPOCHS);
}

static iscp_status craft(reproduction *r, int m, const iscp_uap_options *options, int32_t y) {
  const study_model *model = &r->study.models[m];
  iscp_uap *uap;
  study_piece(&r->study, study_seconds(model, 1, EPOCHS), "UAP %g, class %d", 255 * options->eps, y);
  iscp_status status = iscp_uap_create(&uap, model->model, model->data, y, options);
  if (status == ISCP_OK)
    status = iscp_uap_run(uap, study_show, &r->study);
  if (status == ISCP_OK)
    status = save(r, m, options, uap);
  iscp_uap_destroy(uap);
  return status;
}

iscp_status uap_rates(double *rates, double *mean, reproduction *r, int m, double eps) {
  const study_model *model = &r->study.models[m];
  iscp_uap_options options;
  double std;
  iscp_status status = uap_options(&options, r, eps);
  for (int32_t i = 0; i < model->class_count && status == ISCP_OK; i++) {
    if (read_rate(&rates[i], r, m, &options, model->classes[i]))
      continue;
    status = craft(r, m, &options, model->classes[i]);
    if (status == ISCP_OK)
      read_rate(&rates[i], r, m, &options, model->classes[i]);
  }
  return status == ISCP_OK ? iscp_mean_std(rates, model->class_count, mean, &std) : status;
}
