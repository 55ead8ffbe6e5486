/* A table that is shown three ways: as text, as CSV and on a page. Cells are texts or numbers, the paper's rows stand
 * between one's own and are marked: in the CSV by a first column "source". */
#ifndef GRID_H
#define GRID_H

#include <stdio.h>

#include "page/page.h"

typedef struct grid grid;

grid *grid_new(const char *caption);
void grid_free(grid *g);

/* A row of `kind` PAGE_HEAD (the first), PAGE_PLAIN or PAGE_PAPER, then its cells, of which the first names it. */
void grid_row(grid *g, int kind);
void grid_text(grid *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Three digits where it is read, all of them in the CSV; "-" and nothing if it is not finite. */
void grid_number(grid *g, double value);
void grid_numbers(grid *g, const double *values, int count);

void grid_print(const grid *g, FILE *file);
void grid_show(const grid *g, page *p);
/* EXIT_DONE or EXIT_FAILED after saying why. The file is whole or absent. */
int grid_write(const grid *g, const char *path);

#endif
