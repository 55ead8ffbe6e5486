/* The power of patterns that no run has measured: of one model's on another, or of what Grad-CAM looks at. A pattern costs a
 * pass over the images, so each is kept as soon as it is measured: a file with a line that says of what run it is, then a
 * line a pattern in their order, its mark and its counts. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "paper/reproduce.h"

enum { LINE = 512 };

typedef struct judged {
  uint64_t mark;
  int64_t hits, nontarget, correct, images;
} judged;

/* ---- What is kept ---- */

static char *judged_path(const reproduction *r, int m, const char *what) {
  return study_path(&r->study, "runs/%s-%s.txt", r->study.models[m].name, what);
}

static void key_of(char key[LINE], const reproduction *r, int m) {
  const study_model *model = &r->study.models[m];
  const search_settings *own = r->study.base;
  const char *data = iscp_dataset_hash(model->data);
  snprintf(key, LINE, "model %s data %s images %lld judged on %s fraction %g seed %llu", iscp_model_hash(model->model),
           data ? data : "unknown", (long long)iscp_dataset_count(model->data),
           own->report.images == ISCP_IMAGES_ALL ? "all" : "heldout", own->search.fraction,
           (unsigned long long)own->search.seed);
}

/* FNV-1a of what a pattern is: a line of another pattern is not taken for it. */
static uint64_t mix(uint64_t mark, const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    mark = (mark ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
  return mark;
}

static iscp_status mark_of(uint64_t *mark, const iscp_pattern *pattern) {
  iscp_pattern_info info = {.struct_size = sizeof info};
  iscp_status status = iscp_pattern_get_info(pattern, &info);
  if (status != ISCP_OK)
    return status;
  size_t pixels = (size_t)info.pixels;
  *mark = mix(0xcbf29ce484222325, &info.target, sizeof info.target);
  *mark = mix(*mark, iscp_pattern_positions(pattern), pixels * sizeof(int32_t));
  *mark = mix(*mark, iscp_pattern_values(pattern), pixels * (size_t)info.channels * sizeof(float));
  return ISCP_OK;
}

/* The lines of a file of this run, at most `count`. */
static int32_t read_judged(judged *lines, int32_t count, const reproduction *r, int m, const char *what) {
  char *path = judged_path(r, m, what), text[LINE], key[LINE];
  FILE *file = fopen(path, "r");
  free(path);
  if (!file)
    return 0;
  int32_t found = 0;
  key_of(key, r, m);
  if (fgets(text, LINE, file) && !strncmp(text, key, strlen(key)) && text[strlen(key)] == '\n')
    while (found < count && fgets(text, LINE, file)) {
      judged *one = &lines[found];
      if (sscanf(text, "%" SCNx64 " asr %" SCNd64 " of %" SCNd64 " accuracy %" SCNd64 " of %" SCNd64, &one->mark, &one->hits,
                 &one->nontarget, &one->correct, &one->images) != 5)
        break;
      found++;
    }
  fclose(file);
  return found;
}

static iscp_status write_judged(const judged *lines, int32_t count, const reproduction *r, int m, const char *what) {
  char *path = judged_path(r, m, what), key[LINE];
  whole_file whole;
  make_parents(path);
  int code = whole_open(&whole, path);
  free(path);
  if (code != EXIT_DONE)
    return ISCP_ERROR_IO;
  key_of(key, r, m);
  fprintf(whole.file, "%s\n", key);
  for (int32_t i = 0; i < count; i++)
    fprintf(whole.file, "%016" PRIx64 " asr %" PRId64 " of %" PRId64 " accuracy %" PRId64 " of %" PRId64 "\n", lines[i].mark,
            lines[i].hits, lines[i].nontarget, lines[i].correct, lines[i].images);
  return whole_close(&whole, 1) == EXIT_DONE ? ISCP_OK : ISCP_ERROR_IO;
}

/* ---- Measuring ---- */

void judge_plan(reproduction *r, int m, int32_t count, const char *what) {
  judged *lines = take((size_t)count * sizeof *lines);
  int32_t left = count - read_judged(lines, count, r, m, what);
  free(lines);
  if (left)
    study_plan(&r->study, m, left + 1, 0);
}

static iscp_status open_evaluation(iscp_evaluation **out, reproduction *r, int m, const char *what) {
  const study_model *model = &r->study.models[m];
  iscp_evaluate_options options;
  iscp_status status = iscp_evaluate_options_init(&options, sizeof options);
  if (status != ISCP_OK)
    return status;
  options.images = r->study.base->report.images;
  options.fraction = r->study.base->search.fraction;
  options.seed = r->study.base->search.seed;
  study_piece(&r->study, study_seconds(model, 1, 0), "%s", what);
  return iscp_evaluation_create(out, model->model, model->data, &options, study_show, &r->study);
}

static iscp_status judge_one(judged *line, iscp_evaluation *evaluation, reproduction *r, int m, const iscp_pattern *pattern,
                             const char *what) {
  iscp_power power = {.struct_size = sizeof power};
  study_piece(&r->study, study_seconds(&r->study.models[m], 1, 0), "%s", what);
  iscp_status status = iscp_evaluation_power(evaluation, pattern, &power, study_show, &r->study);
  *line = (judged){line->mark, power.nontarget_hits, power.nontarget, power.target_correct, power.target_images};
  return status;
}

static double power_of(const judged *line) {
  double asr = (double)line->hits / (double)line->nontarget, accuracy = (double)line->correct / (double)line->images;
  return line->nontarget > 0 && line->correct > 0 ? asr / accuracy : NAN;
}

iscp_status judge_patterns(reproduction *r, int m, iscp_pattern *const *patterns, int32_t count, double *pws,
                           const char *what) {
  judged *lines = take(((size_t)count + 1) * sizeof *lines);
  int32_t kept = read_judged(lines, count, r, m, what);
  iscp_evaluation *evaluation = NULL;
  iscp_status status = ISCP_OK;
  for (int32_t i = 0; i < count && status == ISCP_OK; i++) {
    uint64_t mark;
    status = mark_of(&mark, patterns[i]);
    if (status != ISCP_OK || (i < kept && lines[i].mark == mark))
      continue;
    kept = i; /* what follows is of other patterns */
    lines[i].mark = mark;
    if (!evaluation)
      status = open_evaluation(&evaluation, r, m, what);
    if (status == ISCP_OK)
      status = judge_one(&lines[i], evaluation, r, m, patterns[i], what);
    if (status == ISCP_OK)
      status = write_judged(lines, i + 1, r, m, what);
  }
  for (int32_t i = 0; i < count && status == ISCP_OK; i++)
    pws[i] = power_of(&lines[i]);
  iscp_evaluation_destroy(evaluation);
  free(lines);
  return status;
}
