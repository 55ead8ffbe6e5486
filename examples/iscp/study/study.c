/* The runs of a study: models, folders, and what was measured. time.c has the estimate and the progress. */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "study/study.h"

/* ---- Names ---- */

char *study_path(const study *s, const char *format, ...) {
  char name[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(name, sizeof name, format, arguments);
  va_end(arguments);
  return join_path(s->folder, name);
}

/* What stands in a folder's name is kept, the rest becomes '-'. Of two values of an option no two become one: 1e+1 and 1e-1
 * differ in a sign. */
static char *file_word(const char *text, size_t length) {
  char *word = take(length + 1);
  for (size_t i = 0; i < length; i++)
    word[i] = isalnum((unsigned char)text[i]) || strchr("._-+", text[i]) ? text[i] : '-';
  return word;
}

static char *name_of_file(const char *path) {
  const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path, *dot = strrchr(file, '.');
  return file_word(file, dot && dot > file ? (size_t)(dot - file) : strlen(file));
}

static int is_file(const char *path) { return access(path, F_OK) == 0; }

/* "clean=models/natural.safetensors", or the other way round: the side that is a file is the model. Without a name it is
 * called as its file, "natural". */
static void split_word(study_model *m, const char *word) {
  const char *first = strchr(word, '='), *last = strrchr(word, '=');
  char *before = take_copy(word);
  if (last)
    before[last - word] = 0;
  if (!first || is_file(word)) {
    m->path = take_copy(word);
    m->name = name_of_file(word);
  } else if (is_file(before) && !is_file(first + 1)) {
    m->path = take_copy(before);
    m->name = file_word(last + 1, strlen(last + 1));
  } else {
    m->path = take_copy(first + 1);
    m->name = file_word(word, (size_t)(first - word));
  }
  free(before);
}

static int check_names(const study *s) {
  for (int i = 0; i < s->model_count; i++)
    for (int k = 0; k < i; k++)
      if (!*s->models[i].name || !strcmp(s->models[i].name, s->models[k].name)) {
        complain("%s: two models are called \"%s\", expected NAME=MODEL with names that differ", s->word,
                 s->models[i].name);
        return EXIT_USAGE;
      }
  return EXIT_DONE;
}

const char *study_class(char text[64], const study_model *m, int32_t y) {
  const char *name = class_name(m->model, m->data, y);
  if (name)
    snprintf(text, 64, "%s", name);
  else
    snprintf(text, 64, "%d", y);
  return text;
}

/* ---- Opening ---- */

static int open_one(study *s, study_model *m, const inputs *in, const char *data) {
  int code = open_model(&m->model, s->context, m->path, &in->model);
  if (code == EXIT_DONE)
    code = open_data(&m->data, s->context, data, m->model, &in->data);
  if (code == EXIT_DONE && !(m->classes = choose_classes(&m->class_count, s->base->classes, m->model, m->data)))
    code = EXIT_USAGE;
  return code;
}

int study_open(study *s, const inputs *in, const char *const *words, int count, const char *data) {
  s->models = take((size_t)count * sizeof *s->models);
  for (s->model_count = 0; s->model_count < count; s->model_count++)
    split_word(&s->models[s->model_count], words[s->model_count]);
  int code = check_names(s);
  if (code == EXIT_DONE)
    code = open_context(&s->context, &in->machine);
  for (int i = 0; i < count && code == EXIT_DONE; i++)
    code = open_one(s, &s->models[i], in, data);
  return code;
}

void study_close(study *s) {
  for (int i = 0; i < s->run_count; i++) {
    study_run *r = s->runs[i];
    iscp_pattern_list_destroy(r->list);
    free(r->variant);
    free(r->folder);
    free(r);
  }
  free(s->runs);
  for (int i = 0; i < s->model_count; i++) {
    iscp_dataset_destroy(s->models[i].data);
    iscp_model_destroy(s->models[i].model);
    free(s->models[i].classes);
    free(s->models[i].path);
    free(s->models[i].name);
  }
  free(s->models);
  iscp_context_destroy(s->context);
}

/* ---- Runs ---- */

study_run *study_add(study *s, int model, const char *variant, const iscp_search_options *search, int32_t measure) {
  const study_model *m = &s->models[model];
  char *word = file_word(variant, strlen(variant)), *folder = study_path(s, "runs/%s-%s", m->name, word);
  free(word);
  for (int i = 0; i < s->run_count; i++)
    if (!strcmp(s->runs[i]->folder, folder)) {
      free(folder);
      return s->runs[i];
    }
  study_run *r = take(sizeof *r);
  *r = (study_run){.of = m,
                   .variant = take_copy(variant),
                   .folder = folder,
                   .measure = measure,
                   .search = *search,
                   .report = s->base->report};
  r->search.classes = m->classes;
  r->search.class_count = m->class_count;
  r->report.resume = 1;
  study_run **longer = realloc(s->runs, ((size_t)s->run_count + 1) * sizeof *longer);
  if (!longer) {
    complain("out of memory for %d runs", s->run_count + 1);
    exit(EXIT_FAILED);
  }
  s->runs = longer;
  return s->runs[s->run_count++] = r;
}

static iscp_status step(study *s, iscp_run *run, int32_t *more) {
  iscp_run_info info = {.struct_size = sizeof info};
  int32_t y;
  iscp_status status = iscp_run_get_info(run, &info);
  s->at->patterns += info.stage == ISCP_STAGE_MEASURE;
  return status == ISCP_OK ? iscp_run_step(run, &y, more, study_show, s) : status;
}

static iscp_status go_on(study *s, study_run *r, int number) {
  iscp_run *run;
  iscp_run_info info = {.struct_size = sizeof info};
  const iscp_run_options options = {sizeof options, r->measure, &r->search, &r->report};
  s->at = r;
  study_piece(s, r->seconds, "run %d of %d, %s", number, s->run_count, r->variant);
  iscp_status status = iscp_run_create(&run, r->folder, r->of->model, r->of->data, &options);
  if (status == ISCP_OK)
    status = iscp_run_get_info(run, &info);
  for (int32_t more = 1; more && status == ISCP_OK;)
    status = step(s, run, &more);
  iscp_run_destroy(run); /* its network's memory is for the next */
  s->at = NULL;
  if (status == ISCP_OK)
    status = iscp_pattern_list_load(&r->list, s->context, r->folder);
  progress_clear();
  if (status == ISCP_OK && info.left)
    fprintf(stderr, "run %d of %d is finished: %s\n", number, s->run_count, r->folder);
  return status;
}

int study_go(study *s) {
  for (int i = 0; i < s->run_count; i++) {
    if (s->runs[i]->list)
      continue;
    iscp_status status = go_on(s, s->runs[i], i + 1);
    if (status != ISCP_OK)
      return study_stopped(s, status);
  }
  return EXIT_DONE;
}

int study_stopped(study *s, iscp_status status) {
  int code = failed(status);
  if (code == EXIT_INTERRUPTED)
    complain("interrupted; what is finished is in %s/runs, the same command goes on with it", s->folder);
  return code;
}

/* ---- What was measured ---- */

int32_t study_entry(const study_run *r, int32_t y, int32_t canvas) {
  int32_t seen = 0;
  for (int32_t i = 0; i < iscp_pattern_list_count(r->list); i++) {
    int32_t class_index, selected;
    if (iscp_pattern_list_entry(r->list, i, &class_index, &selected) != ISCP_OK || class_index != y)
      continue;
    if (canvas < 0 ? selected : seen == canvas)
      return i;
    seen++;
  }
  return -1;
}

double study_power(const study_run *r, int32_t y, int32_t canvas, double size, iscp_power *power) {
  int32_t entry = study_entry(r, y, canvas);
  for (int32_t row = 0; entry >= 0 && row < iscp_pattern_list_power_count(r->list, entry); row++) {
    double of;
    iscp_power found = {.struct_size = sizeof found};
    if (iscp_pattern_list_power(r->list, entry, row, &of, &found) != ISCP_OK || fabs(of - size) > 1e-9)
      continue;
    if (power)
      *power = found;
    return found.pw;
  }
  return NAN;
}

void study_mean(double *mean, double *std, const study_run *r, double size) {
  const study_model *m = r->of;
  double *values = take((size_t)m->class_count * sizeof *values);
  int64_t count = 0;
  for (int32_t i = 0; i < m->class_count; i++) {
    double pw = study_power(r, m->classes[i], -1, size, NULL);
    if (isfinite(pw))
      values[count++] = pw;
  }
  *mean = *std = NAN;
  if (count)
    iscp_mean_std(values, count, mean, std);
  free(values);
}
