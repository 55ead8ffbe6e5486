/* The matrix of models: every pattern of each, put on the images of all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "study/transfer.h"

/* ---- Patterns ---- */

static int is_asked_for(int32_t y, const int32_t *classes, int32_t count) {
  if (!classes)
    return 1;
  for (int32_t i = 0; i < count; i++)
    if (classes[i] == y)
      return 1;
  return 0;
}

static iscp_status list_patterns(transfer_model *m, iscp_context *context, const int32_t *classes, int32_t count) {
  iscp_status status = iscp_pattern_list_load(&m->list, context, m->folder);
  if (status != ISCP_OK)
    return status;
  int32_t entries = iscp_pattern_list_count(m->list);
  m->entries = take((size_t)entries * sizeof *m->entries);
  m->classes = take((size_t)entries * sizeof *m->classes);
  for (int32_t i = 0; i < entries && status == ISCP_OK; i++) {
    int32_t y, selected;
    status = iscp_pattern_list_entry(m->list, i, &y, &selected);
    if (status != ISCP_OK || !selected || !is_asked_for(y, classes, count))
      continue;
    m->entries[m->count] = i;
    m->classes[m->count++] = y;
  }
  return status;
}

/* The report of the search has measured its patterns on their own model. */
static iscp_status take_own_powers(transfer *t, int s) {
  const transfer_model *m = &t->models[s];
  for (int32_t k = 0; k < m->count; k++) {
    int32_t rows = iscp_pattern_list_power_count(m->list, m->entries[k]);
    for (int32_t row = 0; row < rows; row++) {
      double size;
      iscp_power power = {.struct_size = sizeof power};
      iscp_status status = iscp_pattern_list_power(m->list, m->entries[k], row, &size, &power);
      if (status != ISCP_OK)
        return status;
      for (int32_t i = 0; i < t->size_count; i++)
        if (fabs(t->sizes[i] - size) < 1e-9)
          *transfer_power(t, s, s, k, i) = power;
    }
  }
  return ISCP_OK;
}

int transfer_load(transfer *t, const int32_t *classes, int32_t count) {
  for (int s = 0; s < t->count; s++) {
    transfer_model *m = &t->models[s];
    iscp_status status = list_patterns(m, t->context, classes, count);
    if (status != ISCP_OK)
      return failed(status);
    if (!m->count) {
      complain("%s holds no pattern of the classes asked for", m->folder);
      return EXIT_FAILED;
    }
    size_t rows = (size_t)m->count * (size_t)t->size_count;
    for (int target = 0; target < t->count; target++) {
      t->powers[s][target] = take(rows * sizeof(iscp_power));
      for (size_t i = 0; i < rows; i++)
        t->powers[s][target][i] = (iscp_power){.struct_size = sizeof(iscp_power), .target = -1};
    }
    if (t->searched_here && (status = take_own_powers(t, s)) != ISCP_OK)
      return failed(status);
  }
  return EXIT_DONE;
}

void transfer_release(transfer *t) {
  for (int s = 0; s < t->count; s++) {
    transfer_model *m = &t->models[s];
    for (int target = 0; target < t->count; target++)
      free(t->powers[s][target]);
    free(m->entries);
    free(m->classes);
    iscp_pattern_list_destroy(m->list);
    iscp_dataset_destroy(m->data);
    iscp_model_destroy(m->model);
    free(m->name);
    free(m->folder);
  }
}

/* ---- transfer.csv: a line a pattern, size and model ---- */

static const char header[] = "source,target,class,size,nontarget,nontarget_hits,nontarget_clean,target_images,target_correct,"
                             "asr,asr_low,asr_high,accuracy,accuracy_low,accuracy_high,pw\n";

static void write_rows(const transfer *t, FILE *file, int s, int target) {
  for (int32_t k = 0; k < t->models[s].count; k++)
    for (int32_t i = 0; i < t->size_count; i++) {
      const iscp_power *p = transfer_power(t, s, target, k, i);
      if (p->target < 0)
        continue;
      fprintf(file, "%s,%s,%d,%.17g,%lld,%lld,%lld,%lld,%lld,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,", t->models[s].name,
              t->models[target].name, p->target, t->sizes[i], (long long)p->nontarget, (long long)p->nontarget_hits,
              (long long)p->nontarget_clean, (long long)p->target_images, (long long)p->target_correct, p->asr,
              p->asr_low, p->asr_high, p->accuracy, p->accuracy_low, p->accuracy_high);
      fprintf(file, isfinite(p->pw) ? "%.17g\n" : "nan\n", p->pw);
    }
}

static int write_table(const transfer *t) {
  char *path = join_path(t->folder, "transfer.csv");
  whole_file whole;
  int code = whole_open(&whole, path);
  free(path);
  if (code != EXIT_DONE)
    return code;
  fputs(header, whole.file);
  for (int s = 0; s < t->count; s++)
    for (int target = 0; target < t->count; target++)
      write_rows(t, whole.file, s, target);
  return whole_close(&whole, 1);
}

static int find_model(const transfer *t, const char *name) {
  for (int s = 0; s < t->count; s++)
    if (!strcmp(t->models[s].name, name))
      return s;
  return -1;
}

/* "nan" stands for a rate of no images, and for a PW that there is none of. */
static int read_rate(double *rate, const char *text) {
  *rate = NAN;
  return !strcmp(text + (*text == '-'), "nan") || read_number(rate, text);
}

/* A row as write_rows writes it; cuts the line up. */
static int read_fields(const char *words[2], double *size, iscp_power *p, char *line) {
  int64_t target = -1, *const counts[] = {&target, &p->nontarget, &p->nontarget_hits, &p->nontarget_clean, &p->target_images,
                                          &p->target_correct};
  double *const rates[] = {size,         &p->asr,          &p->asr_low,       &p->asr_high,
                           &p->accuracy, &p->accuracy_low, &p->accuracy_high, &p->pw};
  int right = 1, count = 0, rate = 0;
  for (int i = 0; i < 16 && right; i++) {
    char *piece = next_piece(&line);
    if (!piece || (i == 15 && line))
      return 0;
    if (i < 2)
      words[i] = piece;
    else
      right = i == 3 || i > 8 ? read_rate(rates[rate++], piece) : read_integer(counts[count++], piece);
  }
  p->target = (int32_t)target;
  return right;
}

static void read_row(transfer *t, char *line) {
  const char *words[2];
  double size;
  iscp_power p = {.struct_size = sizeof p};
  line[strcspn(line, "\r\n")] = 0;
  int s = read_fields(words, &size, &p, line) ? find_model(t, words[0]) : -1, to = s >= 0 ? find_model(t, words[1]) : -1;
  if (to < 0)
    return;
  for (int32_t k = 0; k < t->models[s].count; k++)
    for (int32_t i = 0; i < t->size_count; i++)
      if (t->models[s].classes[k] == p.target && fabs(t->sizes[i] - size) < 1e-9)
        *transfer_power(t, s, to, k, i) = p;
}

void transfer_read(transfer *t) {
  char *path = join_path(t->folder, "transfer.csv"), line[1024];
  FILE *file = fopen(path, "r");
  free(path);
  while (file && fgets(line, sizeof line, file))
    read_row(t, line);
  if (file)
    fclose(file);
}

/* ---- Measuring ---- */

/* One time for all pairs: what is done, and as much as now for each pair that is left. */
typedef struct pair_progress {
  int64_t before, last;
  int left;
} pair_progress;

static int show_pair(const iscp_progress *progress, void *user) {
  pair_progress *pair = user;
  iscp_progress all = {sizeof all, 0, "transfer", pair->before + progress->done,
                       pair->before + pair->left * progress->total};
  pair->last = progress->total;
  return progress_show(&all, NULL);
}

/* The images held out of one draw are kept for all sources of that draw. */
typedef struct judge {
  iscp_evaluation *evaluation;
  double fraction;
  uint64_t seed;
} judge;

static iscp_status take_judge(judge *j, const transfer *t, int s, int target) {
  iscp_evaluate_options options;
  iscp_status status = iscp_evaluate_options_init(&options, sizeof options);
  if (status == ISCP_OK)
    status = iscp_pattern_list_draw(t->models[s].list, &options.fraction, &options.seed);
  if (status != ISCP_OK || (j->evaluation && j->fraction == options.fraction && j->seed == options.seed))
    return status;
  iscp_evaluation_destroy(j->evaluation);
  *j = (judge){.fraction = options.fraction, .seed = options.seed};
  options.images = t->images;
  progress_label("%.40s", t->models[target].name);
  return iscp_evaluation_create(&j->evaluation, t->models[target].model, t->models[target].data, &options,
                                progress_show, NULL);
}

/* Cuts the patterns of a pair that are not measured; rows[i] is where the power of patterns[i] goes. */
static iscp_status cut_missing(iscp_pattern **patterns, int32_t *rows, int32_t *count, const transfer *t, int s,
                               int target) {
  const transfer_model *m = &t->models[s];
  iscp_status status = ISCP_OK;
  for (int32_t row = 0; row < m->count * t->size_count && status == ISCP_OK; row++) {
    if (t->powers[s][target][row].target >= 0)
      continue;
    status = iscp_pattern_list_cut(&patterns[*count], m->list, m->entries[row / t->size_count], ISCP_CUT_SIZE,
                                   t->sizes[row % t->size_count]);
    if (status == ISCP_OK)
      rows[(*count)++] = row;
  }
  return status;
}

static iscp_status measure_pair(transfer *t, int s, int target, judge *j, pair_progress *pair) {
  size_t most = (size_t)t->models[s].count * (size_t)t->size_count;
  iscp_pattern **patterns = take(most * sizeof *patterns);
  iscp_power *powers = take(most * sizeof *powers);
  int32_t *rows = take(most * sizeof *rows), count = 0;
  iscp_status status = cut_missing(patterns, rows, &count, t, s, target);
  if (status == ISCP_OK && count)
    status = take_judge(j, t, s, target);
  for (int32_t i = 0; i < count; i++)
    powers[i] = (iscp_power){.struct_size = sizeof *powers, .target = -1};
  if (status == ISCP_OK && count) {
    progress_label("%.25s on %.25s", t->models[s].name, t->models[target].name);
    status = iscp_evaluation_powers(j->evaluation, (const iscp_pattern *const *)patterns, count, powers, show_pair, pair);
  }
  for (int32_t i = 0; i < count; i++) { /* what was done before a stop as well */
    t->powers[s][target][rows[i]] = powers[i];
    iscp_pattern_destroy(patterns[i]);
  }
  free(patterns);
  free(powers);
  free(rows);
  return status;
}

static int is_whole(const transfer *t, int s, int target) {
  for (int32_t row = 0; row < t->models[s].count * t->size_count; row++)
    if (t->powers[s][target][row].target < 0)
      return 0;
  return 1;
}

int transfer_pairs(const transfer *t) {
  int count = 0;
  for (int s = 0; s < t->count; s++)
    for (int target = 0; target < t->count; target++)
      count += t->powers[s][target] && is_whole(t, s, target);
  return count;
}

int transfer_measure(transfer *t) {
  pair_progress pair = {.left = t->count * t->count - transfer_pairs(t)};
  iscp_status status = ISCP_OK;
  int code = EXIT_DONE;
  for (int target = 0; target < t->count && status == ISCP_OK && code == EXIT_DONE; target++) {
    judge j = {0};
    for (int s = 0; s < t->count && status == ISCP_OK && code == EXIT_DONE; s++) {
      if (is_whole(t, s, target))
        continue;
      status = measure_pair(t, s, target, &j, &pair);
      pair.before += pair.last;
      pair.left--;
      code = write_table(t);
    }
    iscp_evaluation_destroy(j.evaluation);
  }
  if (status != ISCP_OK)
    return failed(status);
  return code == EXIT_DONE ? write_table(t) : code;
}

/* ---- Means ---- */

static void mean_power(double *mean, double *std, const transfer *t, int s, int target, int32_t size) {
  int32_t count = t->models[s].count;
  double *values = take((size_t)count * sizeof *values);
  for (int32_t k = 0; k < count; k++)
    values[k] = transfer_power(t, s, target, k, size)->pw;
  if (iscp_mean_std(values, count, mean, std) != ISCP_OK)
    *mean = *std = NAN;
  free(values);
}

transfer_cell transfer_mean(const transfer *t, int s, int target, int32_t size) {
  transfer_cell cell;
  double own, own_std, rates[4];
  mean_power(&own, &own_std, t, s, s, size);
  mean_power(&cell.mean, &cell.std, t, s, target, size);
  cell.rate = iscp_transfer_rates(rates, (double[]){own, cell.mean, 0, 0}, 2) == ISCP_OK ? rates[1] : NAN;
  cell.kept = own > 0 ? cell.mean / own : NAN;
  return cell;
}
