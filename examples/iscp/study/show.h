/* What a study shows: tables, plots and pictures on standard output, on its page, and in files of its folder. A file that
 * cannot be written is said at once and leaves EXIT_FAILED in the study's `code`; the rest goes on. */
#ifndef STUDY_SHOW_H
#define STUDY_SHOW_H

#include "page/grid.h"
#include "page/page.h"
#include "plot/plot.h"
#include "study/study.h"

/* Prints the table, puts it on the page, and writes DIR/<name>.csv. Frees it. */
void show_grid(study *s, grid *g, const char *name);

/* Draws DIR/<name>.svg and .png and puts it on the page. */
void show_plot(study *s, const plot *p, const char *name, const char *alt);

/* One picture of a gallery: the pattern of a class's canvas (-1: the selected one) at a size; `caption` may be NULL. */
void show_pattern(study *s, const study_run *run, int32_t y, int32_t canvas, double size, const char *caption);

/* Models, images and the search, as the first lines of a page. */
void show_origin(study *s);

#endif
