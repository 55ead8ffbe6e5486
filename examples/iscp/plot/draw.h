/* Inside of the plots: the drawing, apart from the files it goes to. */
#ifndef PLOT_DRAW_H
#define PLOT_DRAW_H

#include <cairo.h>

#include "plot/plot.h"

/* Small enough that its letters are still read where a phone shows it at 350 pixels. */
enum { PLOT_WIDTH = 600, PLOT_HEIGHT = 400 };

/* An axis from low to high, with ticks at the multiples of `step`. */
typedef struct plot_axis {
  double low, high, step;
} plot_axis;

/* Widens low..high to multiples of a step of 1, 2 or 5 times a power of ten, about `ticks` of them. */
plot_axis plot_axis_round(double low, double high, int ticks);
plot_axis plot_axis_y(const plot *p);
plot_axis plot_axis_x(const plot *p);
/* A tick's number with as many decimals as the step has. */
void plot_axis_text(char text[32], const plot_axis *axis, double value);

void plot_draw(cairo_t *c, const plot *p);

#endif
