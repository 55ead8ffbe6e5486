/* Results as text and JSON: a row a pattern, with what was measured at each of its sizes. */
#ifndef TABLE_H
#define TABLE_H

#include "cli/cli.h"

/* One pattern at one size. */
typedef struct cli_measured {
  double size;
  iscp_pattern_info cut;
  iscp_power power;
  double overlap; /* with a trigger's place */
  int has_overlap;
} cli_measured;

/* One canvas with what was measured of it. */
typedef struct table_row {
  const char *name;
  iscp_canvas_result canvas;
  int32_t class_index, count;
  cli_measured *sizes; /* `count` of them */
} table_row;

typedef struct cli_table {
  table_row *rows;
  int32_t count;
  const double *sizes; /* the columns of PW */
  int32_t size_count;
} cli_table;

/* Fills the rows from a report: the selected canvas of each class, or all. */
int table_from_list(cli_table *table, const iscp_pattern_list *list, int all);
void table_print(const cli_table *table);
void print_name(const char *name); /* of a class, in a column of 12 characters */
void emit_measured(emitter *j, const cli_measured *m); /* an object of a list "power" */
void table_release(cli_table *table);
const char *canvas_text(char text[32], const iscp_canvas_result *canvas);
const char *canvas_kind_text(int32_t kind);

/* Cells of a line: a rate with its interval and counts. */
void print_interval(double rate, double low, double high, int64_t hits, int64_t count);

#endif
