/* Plots in the manner of the paper's figures: bars over categories, or lines with markers over numbers. SVG and PNG come
 * from one drawing, on a light ground of its own, so that a plot reads on dark pages as well. Series differ in colour
 * (told apart by colour-blind eyes), brightness, marker and dashes, so a grey print tells them apart too.
 *
 *   plot_series series[] = {{.name = "natural", .x = sizes, .y = natural, .count = 5},
 *                           {.name = "backdoored", .x = sizes, .y = backdoored, .count = 5}};
 *   plot p = {.title = "Predictive power", .x_label = "pattern size (% of pixels)", .y_label = "mean PW",
 *             .series = series, .series_count = 2};
 *   if (plot_write(&p, "result/power.svg", "result/power.png") == EXIT_DONE)
 *     page_picture(page, "result/power.svg", "mean PW rises with the pattern's size", NULL);
 */
#ifndef PLOT_H
#define PLOT_H

enum { PLOT_NONE = -1, PLOT_MOST_SERIES = 8 };

/* A value that is not finite leaves a gap. */
typedef struct plot_series {
  const char *name;         /* for the legend, which is left out if there is one series without a name */
  const double *x, *y;      /* x is NULL with categories: y[i] stands over categories[i] */
  const double *low, *high; /* ends of whiskers, or NULL */
  int count;
  int hollow; /* 1: outlined and dashed, as the paper's values beside one's own */
} plot_series;

typedef struct plot {
  const char *title, *x_label, *y_label; /* each may be NULL */
  const char *const *categories;         /* bars over these, which begin at 0; NULL = lines with markers */
  int category_count;
  const plot_series *series;
  int series_count;     /* 1 to PLOT_MOST_SERIES */
  double y_low, y_high; /* the axis; both 0 = by the data, from 0 unless there are negative values */
  int values;           /* 1: bars have their values written over them */
} plot;

int plot_available(void);

/* Writes either file (a path may be NULL), each beside its place first and then renamed. EXIT_DONE; EXIT_FAILED after
 * saying why; or PLOT_NONE where the program was built without plots, which is said once. */
int plot_write(const plot *p, const char *svg_path, const char *png_path);

#endif
