/* The paper's own tables, to stand beside what is measured. */
#ifndef PAPER_NUMBERS_H
#define PAPER_NUMBERS_H

enum { PAPER_COLUMNS = 6, PAPER_TABLES = 6 };

typedef struct paper_row {
  const char *name;
  double values[PAPER_COLUMNS];
} paper_row;

typedef struct paper_table {
  const char *caption;                      /* what it was measured on */
  const char *columns[PAPER_COLUMNS]; /* NULL where there are fewer */
  const paper_row *rows;
  int row_count;
} paper_table;

/* Tables 1 to 6, from 0. */
extern const paper_table paper_tables[PAPER_TABLES];

/* The row of this name, whatever the case and '_' for ' ', or NULL. */
const paper_row *paper_find(const paper_table *table, const char *name);

#endif
