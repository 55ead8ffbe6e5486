/* Results as text: what each pattern was measured to do, with rates, intervals and counts; then PW, a line a class. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/table.h"

enum { NAME = 12 }; /* columns of a class's name */

const char *canvas_kind_text(int32_t kind) {
  static const char *const names[] = {"positive", "negative", "random", "white", "user"};
  for (int i = 0; i < 5; i++)
    if (kind == 1 << i)
      return names[i];
  return "unknown";
}

const char *canvas_text(char text[32], const iscp_canvas_result *canvas) {
  if (canvas->image < 0)
    return canvas_kind_text(canvas->kind);
  snprintf(text, 32, "%s %lld", canvas_kind_text(canvas->kind), (long long)canvas->image);
  return text;
}

/* A name in its column, by characters of UTF-8; a longer one is cut. */
void print_name(const char *name) {
  int columns = 0;
  for (const char *c = name ? name : ""; *c && columns < NAME; c++) {
    if (((unsigned char)c[1] & 0xc0) != 0x80)
      columns++;
    putchar((unsigned char)*c < 0x20 ? '?' : *c);
  }
  printf("%*s", NAME - columns, "");
}

static void print_rate(double value) {
  if (isfinite(value))
    printf("  %6.3f", value);
  else
    printf("  %6s", "-");
}

static const cli_measured *find_size(const table_row *row, double size) {
  for (int32_t i = 0; i < row->count; i++)
    if (fabs(row->sizes[i].size - size) < 1e-9)
      return &row->sizes[i];
  return NULL;
}

static void print_ties(const iscp_pattern_info *cut) {
  char text[32] = "-";
  if (cut->tied)
    snprintf(text, sizeof text, "%d/%d", cut->tied_kept, cut->tied);
  printf("  %7s", text);
}

void print_interval(double rate, double low, double high, int64_t hits, int64_t count) {
  char counts[48];
  print_rate(rate);
  snprintf(counts, sizeof counts, "%lld/%lld", (long long)hits, (long long)count);
  printf(" %.3f-%.3f %10s", low, high, counts);
}

/* ---- Rows from a report ---- */

static iscp_status fill_sizes(table_row *row, const iscp_pattern_list *list, int32_t index) {
  int32_t count = iscp_pattern_list_power_count(list, index);
  row->sizes = take((size_t)count * sizeof *row->sizes);
  for (; row->count < count; row->count++) {
    cli_measured *m = &row->sizes[row->count];
    m->power.struct_size = sizeof m->power;
    m->cut.struct_size = sizeof m->cut;
    iscp_pattern *pattern;
    iscp_status status = iscp_pattern_list_power(list, index, row->count, &m->size, &m->power);
    if (status == ISCP_OK)
      status = iscp_pattern_list_cut(&pattern, list, index, ISCP_CUT_SIZE, m->size);
    if (status != ISCP_OK)
      return status;
    status = iscp_pattern_get_info(pattern, &m->cut);
    iscp_pattern_destroy(pattern);
    if (status != ISCP_OK)
      return status;
  }
  return ISCP_OK;
}

int table_from_list(cli_table *table, const iscp_pattern_list *list, int all) {
  int32_t count = iscp_pattern_list_count(list);
  table->rows = take((size_t)count * sizeof *table->rows);
  iscp_status status = ISCP_OK;
  for (int32_t i = 0; i < count && status == ISCP_OK; i++) {
    table_row *row = &table->rows[table->count];
    row->canvas.struct_size = sizeof row->canvas;
    status = iscp_pattern_list_canvas(list, i, &row->canvas);
    if (status != ISCP_OK || (!all && !row->canvas.selected))
      continue;
    table->count++;
    row->name = iscp_pattern_list_class_name(list, i);
    status = iscp_pattern_list_entry(list, i, &row->class_index, NULL);
    if (status == ISCP_OK)
      status = fill_sizes(row, list, i);
  }
  return status == ISCP_OK ? EXIT_DONE : failed(status);
}

/* ---- Rates and counts: a line a pattern and size ---- */

static void print_detail(const table_row *row, const cli_measured *m) {
  char canvas[32];
  printf("%5d  ", row->class_index);
  print_name(row->name);
  printf("  %-13s %4g %% %6d", canvas_text(canvas, &row->canvas), 100 * m->size, m->cut.pixels);
  print_ties(&m->cut);
  const iscp_power *p = &m->power;
  print_interval(p->asr, p->asr_low, p->asr_high, p->nontarget_hits, p->nontarget);
  printf(" %6lld", (long long)p->nontarget_clean);
  print_interval(p->accuracy, p->accuracy_low, p->accuracy_high, p->target_correct, p->target_images);
  if (m->has_overlap)
    print_rate(m->overlap);
  putchar('\n');
}

/* Either all have it or none. */
static int has_overlap(const cli_table *table) {
  for (int32_t i = 0; i < table->count; i++)
    if (table->rows[i].count)
      return table->rows[i].sizes->has_overlap;
  return 0;
}

static void print_details(const cli_table *table) {
  printf("ASR: share of nontarget images taken for the class with the pattern on them (clean: without it).\n"
         "Accuracy: of clean images of the class. Both with 95 %% intervals. Ties: kept of equal mask values at the "
         "cut.\n\n");
  printf("class  %-*s  %-13s   size pixels     ties", NAME, "name", "canvas");
  printf("     ASR    interval     counts  clean     acc    interval     counts%s\n", has_overlap(table) ? "     IoU" : "");
  for (int32_t i = 0; i < table->count; i++)
    for (int32_t k = 0; k < table->rows[i].count; k++)
      print_detail(&table->rows[i], &table->rows[i].sizes[k]);
  putchar('\n');
}

/* ---- PW: a line a pattern ---- */

static void print_power_row(const cli_table *table, const table_row *row) {
  char canvas[32];
  printf("%5d  ", row->class_index);
  print_name(row->name);
  printf(" %c%-13s  %5g  %7.4f", row->canvas.selected ? ' ' : '-', canvas_text(canvas, &row->canvas),
         row->canvas.alpha, row->canvas.loss);
  print_rate(row->canvas.power);
  for (int32_t k = 0; k < table->size_count; k++) {
    const cli_measured *m = find_size(row, table->sizes[k]);
    print_rate(m ? m->power.pw : NAN);
  }
  putchar('\n');
}

/* Over the selected canvas of every class. */
static int column(double *values, const cli_table *table, double size) {
  int count = 0;
  for (int32_t i = 0; i < table->count; i++) {
    const cli_measured *m = table->rows[i].canvas.selected ? find_size(&table->rows[i], size) : NULL;
    if (m)
      values[count++] = m->power.pw;
  }
  return count;
}

static void print_summary(const cli_table *table, const char *title, int want_mean) {
  double *values = take((size_t)table->count * sizeof *values);
  printf("%5s  %-*s  %-13s  %5s  %7s  %6s", title, NAME, "", "", "", "", "");
  for (int32_t k = 0; k < table->size_count; k++) {
    double mean = NAN, std = NAN;
    int count = column(values, table, table->sizes[k]);
    if (count && iscp_mean_std(values, count, &mean, &std) != ISCP_OK)
      mean = std = NAN;
    print_rate(want_mean ? mean : std);
  }
  putchar('\n');
  free(values);
}

static int is_measured(const cli_table *table) {
  for (int32_t i = 0; i < table->count; i++)
    if (table->rows[i].count)
      return 1;
  return 0;
}

void table_print(const cli_table *table) {
  int measured = is_measured(table), others = 0;
  if (measured)
    print_details(table);
  printf("PW = ASR / accuracy, at each size; %s the search's own, on D_n\n\n",
         measured ? "the column \"D_n\" is" : "none was measured but");
  printf("class  %-*s  %-13s  alpha     loss     D_n", NAME, "name", "canvas");
  for (int32_t k = 0; measured && k < table->size_count; k++)
    printf("  %4g %%", 100 * table->sizes[k]);
  putchar('\n');
  cli_table shown = *table;
  shown.size_count = measured ? table->size_count : 0;
  for (int32_t i = 0; i < table->count; i++) {
    print_power_row(&shown, &table->rows[i]);
    others |= !table->rows[i].canvas.selected;
  }
  if (measured) {
    print_summary(table, "mPW", 1);
    print_summary(table, "STD", 0);
  }
  if (others)
    printf("(-: a canvas that was not selected; mPW and STD leave it out)\n");
}

void emit_measured(emitter *j, const cli_measured *m) {
  emit_open(j, NULL, '{');
  emit_number(j, "size", m->size);
  emit_integer(j, "pixels", m->cut.pixels);
  emit_integer(j, "tied", m->cut.tied);
  emit_integer(j, "tied_kept", m->cut.tied_kept);
  emit_power(j, &m->power);
  if (m->has_overlap)
    emit_number(j, "iou", m->overlap);
  emit_close(j, '}');
}

void table_release(cli_table *table) {
  for (int32_t i = 0; i < table->count; i++)
    free(table->rows[i].sizes);
  free(table->rows);
  *table = (cli_table){0};
}
