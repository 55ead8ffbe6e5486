/* A table as text, as CSV (RFC 4180) and on a page. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "page/grid.h"

typedef struct cell {
  char *text; /* NULL for a number */
  double value;
} cell;

typedef struct row {
  int kind, count;
  cell *cells;
} row;

struct grid {
  char *caption;
  row *rows;
  int count;
};

/* ---- Filling ---- */

/* One more in an array that grows by doubling. */
static void *grow(void *array, int count, size_t size) {
  if (count & (count - 1))
    return array;
  void *longer = realloc(array, (size_t)(count ? 2 * count : 1) * size);
  if (!longer) {
    complain("out of memory for a table");
    exit(EXIT_FAILED);
  }
  return longer;
}

grid *grid_new(const char *caption) {
  grid *g = take(sizeof *g);
  g->caption = take_copy(caption);
  return g;
}

void grid_free(grid *g) {
  for (int i = 0; g && i < g->count; i++) {
    for (int k = 0; k < g->rows[i].count; k++)
      free(g->rows[i].cells[k].text);
    free(g->rows[i].cells);
  }
  if (g) {
    free(g->rows);
    free(g->caption);
  }
  free(g);
}

void grid_row(grid *g, int kind) {
  g->rows = grow(g->rows, g->count, sizeof *g->rows);
  g->rows[g->count++] = (row){.kind = kind};
}

static cell *add_cell(grid *g) {
  row *last = &g->rows[g->count - 1];
  last->cells = grow(last->cells, last->count, sizeof *last->cells);
  return &last->cells[last->count++];
}

void grid_text(grid *g, const char *format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  *add_cell(g) = (cell){.text = take_copy(text)};
}

void grid_number(grid *g, double value) { *add_cell(g) = (cell){.value = value}; }

void grid_numbers(grid *g, const double *values, int count) {
  for (int i = 0; i < count; i++)
    grid_number(g, values[i]);
}

/* ---- Reading ---- */

static const char *cell_text(char text[32], const cell *c) {
  if (c->text)
    return c->text;
  if (isfinite(c->value))
    snprintf(text, 32, "%.3f", c->value);
  else
    strcpy(text, "-");
  return text;
}

/* Characters of UTF-8, as columns of a terminal. */
static int width_of(const char *text) {
  int columns = 0;
  for (; *text; text++)
    columns += (*text & 0xc0) != 0x80;
  return columns;
}

static int column_width(const grid *g, int column) {
  int widest = 0;
  char text[32];
  for (int i = 0; i < g->count; i++)
    if (column < g->rows[i].count) {
      int width = width_of(cell_text(text, &g->rows[i].cells[column]));
      widest = width > widest ? width : widest;
    }
  return widest;
}

/* The first column and texts to the left, numbers and their heads to the right. */
static void print_cell(FILE *file, const grid *g, const row *r, int column) {
  char text[32];
  const char *shown = cell_text(text, &r->cells[column]);
  int room = column_width(g, column) - width_of(shown);
  fprintf(file, "%s%*s%s%*s", column ? "  " : "", column ? room : 0, "", shown, column ? 0 : room, "");
}

void grid_print(const grid *g, FILE *file) {
  fprintf(file, "%s\n\n", g->caption);
  for (int i = 0; i < g->count; i++) {
    for (int k = 0; k < g->rows[i].count; k++)
      print_cell(file, g, &g->rows[i], k);
    fprintf(file, "%s\n", g->rows[i].kind == PAGE_PAPER ? "  paper" : "");
  }
  fputc('\n', file);
}

void grid_show(const grid *g, page *p) {
  char text[32];
  page_table_begin(p, g->caption);
  for (int i = 0; i < g->count; i++) {
    page_row(p, g->rows[i].kind);
    for (int k = 0; k < g->rows[i].count; k++)
      page_cell(p, g->rows[i].kind == PAGE_PAPER ? PAGE_PAPER : PAGE_PLAIN, "%s%s",
                cell_text(text, &g->rows[i].cells[k]), g->rows[i].kind == PAGE_PAPER && !k ? " (paper)" : "");
  }
  page_table_end(p);
}

/* ---- CSV ---- */

static void write_text(FILE *file, const char *text) {
  int quoted = text[strcspn(text, ",\"\n\r")] != 0;
  if (quoted)
    fputc('"', file);
  for (; *text; text++) {
    if (*text == '"')
      fputc('"', file);
    fputc(*text, file);
  }
  if (quoted)
    fputc('"', file);
}

static void write_row(FILE *file, const row *r, int with_source) {
  static const char *const sources[] = {"measured", "source", "paper"};
  if (with_source)
    fputs(sources[r->kind], file);
  for (int k = 0; k < r->count; k++) {
    if (with_source || k)
      fputc(',', file);
    if (r->cells[k].text)
      write_text(file, r->cells[k].text);
    else if (isfinite(r->cells[k].value))
      fprintf(file, "%.15g", r->cells[k].value);
  }
  fputc('\n', file);
}

int grid_write(const grid *g, const char *path) {
  whole_file whole;
  if (whole_open(&whole, path) != EXIT_DONE)
    return EXIT_FAILED;
  int papers = 0;
  for (int i = 0; i < g->count; i++)
    papers |= g->rows[i].kind == PAGE_PAPER;
  for (int i = 0; i < g->count; i++)
    write_row(whole.file, &g->rows[i], papers);
  return whole_close(&whole, 1);
}
