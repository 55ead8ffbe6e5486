/* The drawing of a plot: ground, title, axes; then bars or lines, and what names them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "plot/draw.h"

enum { EDGE = 14, TITLE_SIZE = 18, TEXT_SIZE = 15, SMALL_SIZE = 12, LINE = 21, MARK = 5 };

/* Neighbours differ in brightness as in colour, and all are dark enough for text on white. */
static const unsigned palette[PLOT_MOST_SERIES] = {0x12436d, 0xe0631a, 0x1e8a80, 0x801650,
                                                   0x8d6bc9, 0x3a9bd6, 0x3d3d3d, 0xa98307};
static const double dashes[PLOT_MOST_SERIES][4] = {{0},          {9, 4},       {2, 3},          {9, 3, 2, 3},
                                                   {14, 4},      {5, 2},       {1, 4},          {9, 3, 5, 3}};
static const unsigned ink = 0x222222, faint = 0xdddddd, grey = 0x555555;

typedef struct drawing {
  cairo_t *c;
  const plot *p;
  plot_axis x, y;
  double left, top, right, bottom; /* of the field between the axes */
  int labels_at_lines;
} drawing;

static void colour(cairo_t *c, unsigned rgb) {
  cairo_set_source_rgb(c, (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0);
}

/* ---- Text ---- */

/* cairo stops at what is not UTF-8; memory of the caller's. */
static char *clean_text(const char *text) {
  char *copy = take_copy(text);
  for (unsigned char *c = (unsigned char *)copy; *c;) {
    size_t length = utf8_length(c);
    if (!length || *c < 0x20)
      *c = '?';
    c += length ? length : 1;
  }
  return copy;
}

static double text_width(cairo_t *c, const char *text, double size) {
  cairo_text_extents_t extents;
  char *clean = clean_text(text);
  cairo_set_font_size(c, size);
  cairo_text_extents(c, clean, &extents);
  free(clean);
  return extents.x_advance;
}

/* `anchor`: 0 begins at x, 0.5 has its middle there, 1 ends there; y is the line that letters stand on. */
static void draw_text(cairo_t *c, double x, double y, const char *text, double size, double anchor) {
  char *clean = clean_text(text);
  double width = text_width(c, text, size);
  cairo_move_to(c, x - anchor * width, y);
  cairo_show_text(c, clean);
  free(clean);
}

static void draw_turned(cairo_t *c, double x, double y, double angle, const char *text, double size, double anchor) {
  cairo_save(c);
  cairo_translate(c, x, y);
  cairo_rotate(c, angle);
  draw_text(c, 0, 0, text, size, anchor);
  cairo_restore(c);
}

/* The size at which a text fits, not below the smallest that is read. */
static double fitting(cairo_t *c, const char *text, double size, double room) {
  double width = text_width(c, text, size);
  return width > room ? fmax(SMALL_SIZE, size * room / width) : size;
}

/* ---- Marks ---- */

static unsigned colour_of(const drawing *d, int series) {
  return d->p->series[series].hollow ? grey : palette[series % PLOT_MOST_SERIES];
}

static void marker_path(cairo_t *c, int kind, double x, double y) {
  static const int corners[] = {0, 4, 3, 4, 5, 3, 6, 4};
  static const double turns[] = {0, M_PI / 4, -M_PI / 2, 0, -M_PI / 2, M_PI / 2, 0, M_PI / 8};
  int count = corners[kind % 8];
  double radius = MARK * (count == 0 ? 1 : 1.3);
  cairo_new_path(c);
  if (!count)
    cairo_arc(c, x, y, radius, 0, 2 * M_PI);
  for (int i = 0; i < count; i++) {
    double angle = turns[kind % 8] + 2 * M_PI * i / count;
    cairo_line_to(c, x + radius * cos(angle), y + radius * sin(angle));
  }
  cairo_close_path(c);
}

/* A path in a series' manner: filled, or outlined if it is hollow. */
static void fill_or_outline(const drawing *d, int series) {
  cairo_t *c = d->c;
  int hollow = d->p->series[series].hollow;
  colour(c, hollow ? 0xffffff : colour_of(d, series));
  cairo_fill_preserve(c);
  colour(c, hollow ? grey : 0xffffff);
  cairo_set_line_width(c, hollow ? 1.6 : 1);
  cairo_stroke(c);
}

static void draw_swatch(const drawing *d, int series, double x, double y) {
  if (d->p->categories)
    cairo_rectangle(d->c, x, y - 6, 14, 12);
  else
    marker_path(d->c, series, x + 7, y);
  fill_or_outline(d, series);
}

static double place_x(const drawing *d, double x) {
  return d->left + (d->right - d->left) * (x - d->x.low) / (d->x.high - d->x.low);
}

static double place_y(const drawing *d, double y) {
  return d->bottom - (d->bottom - d->top) * (y - d->y.low) / (d->y.high - d->y.low);
}

static void draw_whisker(const drawing *d, double x, double low, double high, unsigned rgb) {
  if (!isfinite(low) || !isfinite(high))
    return;
  cairo_t *c = d->c;
  colour(c, rgb);
  cairo_set_line_width(c, 1.3);
  cairo_set_dash(c, NULL, 0, 0);
  for (int i = 0; i < 2; i++) {
    double y = place_y(d, i ? high : low);
    cairo_move_to(c, x - 3.5, y);
    cairo_line_to(c, x + 3.5, y);
  }
  cairo_move_to(c, x, place_y(d, low));
  cairo_line_to(c, x, place_y(d, high));
  cairo_stroke(c);
}

/* ---- Bars ---- */

/* Over the bar and its whisker, where it is no wider than the bar's share. */
static void draw_value(const drawing *d, const plot_series *s, int k, double x, double room) {
  char text[32];
  double y = s->y[k], top = place_y(d, fmax(y, 0));
  if (s->high && isfinite(s->high[k]))
    top = fmin(top, place_y(d, s->high[k]));
  snprintf(text, sizeof text, fabs(y) < 10 ? "%.2f" : fabs(y) < 100 ? "%.1f" : "%.0f", y);
  if (text_width(d->c, text, SMALL_SIZE) > room - 1)
    return;
  colour(d->c, ink);
  draw_text(d->c, x, top - 5, text, SMALL_SIZE, 0.5);
}

static void draw_bar(const drawing *d, int series, int k, double left, double width) {
  const plot_series *s = &d->p->series[series];
  cairo_t *c = d->c;
  if (!isfinite(s->y[k])) {
    colour(c, grey);
    draw_text(c, left + width / 2, place_y(d, 0) - 4, "–", SMALL_SIZE, 0.5);
    return;
  }
  double zero = place_y(d, 0), y = place_y(d, s->y[k]);
  cairo_new_path(c);
  if (fabs(zero - y) < 2) { /* what is 0 is seen to be there */
    cairo_rectangle(c, left + 1, zero - 2, width - 2, 2);
    colour(c, colour_of(d, series));
    cairo_fill(c);
  } else {
    cairo_rectangle(c, left, fmin(zero, y), width, fabs(zero - y));
    fill_or_outline(d, series);
  }
  if (s->low && s->high)
    draw_whisker(d, left + width / 2, s->low[k], s->high[k], ink);
  if (d->p->values)
    draw_value(d, s, k, left + width / 2, width);
}

static void draw_bars(const drawing *d) {
  const plot *p = d->p;
  double slot = (d->right - d->left) / p->category_count, width = fmin(0.8 * slot / p->series_count, 64);
  for (int i = 0; i < p->series_count; i++)
    for (int k = 0; k < p->series[i].count && k < p->category_count; k++)
      draw_bar(d, i, k, d->left + slot * (k + 0.5) + width * (i - 0.5 * p->series_count), width);
  colour(d->c, grey);
  cairo_set_line_width(d->c, 1);
  cairo_move_to(d->c, d->left, round(place_y(d, 0)) + 0.5);
  cairo_line_to(d->c, d->right, round(place_y(d, 0)) + 0.5);
  cairo_stroke(d->c);
}

/* ---- Lines ---- */

static void draw_line(const drawing *d, int series) {
  const plot_series *s = &d->p->series[series];
  cairo_t *c = d->c;
  cairo_new_path(c);
  for (int k = 0, on = 0; k < s->count; k++) {
    int is_there = isfinite(s->x[k]) && isfinite(s->y[k]);
    if (is_there && on)
      cairo_line_to(c, place_x(d, s->x[k]), place_y(d, s->y[k]));
    else if (is_there)
      cairo_move_to(c, place_x(d, s->x[k]), place_y(d, s->y[k]));
    on = is_there;
  }
  const double *dash = dashes[series % PLOT_MOST_SERIES], hollow_dash[] = {4, 4};
  int pieces = dash[2] > 0 ? 4 : dash[0] > 0 ? 2 : 0;
  colour(c, colour_of(d, series));
  cairo_set_line_width(c, 2.2);
  cairo_set_dash(c, s->hollow ? hollow_dash : dash, s->hollow ? 2 : pieces, 0);
  cairo_stroke(c);
  cairo_set_dash(c, NULL, 0, 0);
}

/* Of a long line, ten points are marked, each series' a little further on. */
static void draw_points(const drawing *d, int series) {
  const plot_series *s = &d->p->series[series];
  int every = s->count > 20 ? s->count / 10 : 1;
  for (int k = 0; k < s->count; k++) {
    if (k % every != series % every || !isfinite(s->x[k]) || !isfinite(s->y[k]))
      continue;
    double x = place_x(d, s->x[k]);
    if (s->low && s->high)
      draw_whisker(d, x, s->low[k], s->high[k], colour_of(d, series));
    marker_path(d->c, series, x, place_y(d, s->y[k]));
    fill_or_outline(d, series);
  }
}

/* ---- Names of series: at the ends of lines, where they fit, else in rows under the title ---- */

static double end_of(const drawing *d, int series) {
  const plot_series *s = &d->p->series[series];
  for (int k = s->count - 1; k >= 0; k--)
    if (isfinite(s->x[k]) && isfinite(s->y[k]))
      return place_y(d, s->y[k]);
  return d->bottom;
}

/* Rising from the lowest end, each at least a line above the one before; then down again if they left the field. */
static void draw_labels_at_lines(const drawing *d) {
  int order[PLOT_MOST_SERIES], count = d->p->series_count;
  double y[PLOT_MOST_SERIES];
  for (int i = 0; i < count; i++) {
    double end = end_of(d, i);
    int place = i;
    for (; place > 0 && y[place - 1] < end; place--)
      y[place] = y[place - 1], order[place] = order[place - 1];
    y[place] = end, order[place] = i;
  }
  for (int i = 1; i < count; i++)
    y[i] = fmin(y[i], y[i - 1] - LINE + 2);
  double beyond = fmax(0, d->top - y[count - 1]);
  for (int i = count - 1; i >= 0 && beyond > 0; i--) {
    double least = i == count - 1 ? d->top : y[i + 1] + LINE - 2;
    y[i] = fmax(y[i], least);
  }
  for (int i = 0; i < count; i++) {
    draw_swatch(d, order[i], d->right + 6, y[i]);
    colour(d->c, colour_of(d, order[i]));
    draw_text(d->c, d->right + 25, y[i] + 5, d->p->series[order[i]].name, TEXT_SIZE, 0);
  }
}

static double draw_legend(const drawing *d, double y, int draw) {
  double x = EDGE;
  for (int i = 0; i < d->p->series_count; i++) {
    const char *name = d->p->series[i].name ? d->p->series[i].name : "";
    double width = 20 + text_width(d->c, name, TEXT_SIZE) + 18;
    if (x > EDGE && x + width > PLOT_WIDTH)
      x = EDGE, y += LINE;
    if (draw) {
      draw_swatch(d, i, x, y - 5);
      colour(d->c, ink);
      draw_text(d->c, x + 20, y, name, TEXT_SIZE, 0);
    }
    x += width;
  }
  return y + LINE;
}

static double widest_name(const drawing *d) {
  double widest = 0;
  for (int i = 0; i < d->p->series_count; i++)
    widest = fmax(widest, d->p->series[i].name ? text_width(d->c, d->p->series[i].name, TEXT_SIZE) : INFINITY);
  return widest;
}

/* ---- Axes ---- */

static double widest_category(const drawing *d) {
  double widest = 0;
  for (int i = 0; i < d->p->category_count; i++)
    widest = fmax(widest, text_width(d->c, d->p->categories[i], TEXT_SIZE));
  return widest;
}

static int are_turned(const drawing *d) {
  return widest_category(d) + 6 > (d->right - d->left) / d->p->category_count;
}

static void draw_categories(const drawing *d) {
  double slot = (d->right - d->left) / d->p->category_count;
  int turned = are_turned(d);
  colour(d->c, ink);
  for (int i = 0; i < d->p->category_count; i++) {
    double x = d->left + slot * (i + 0.5);
    if (turned)
      draw_turned(d->c, x + 5, d->bottom + 15, -M_PI / 4, d->p->categories[i], TEXT_SIZE, 1);
    else
      draw_text(d->c, x, d->bottom + 19, d->p->categories[i], TEXT_SIZE, 0.5);
  }
}

/* A tick, unless its number would run into the one before. */
static void draw_tick(const drawing *d, double value, const char *text, double *end) {
  double x = place_x(d, value), width = text_width(d->c, text, TEXT_SIZE);
  colour(d->c, grey);
  cairo_set_line_width(d->c, 1);
  cairo_move_to(d->c, x, d->bottom);
  cairo_line_to(d->c, x, d->bottom + 4);
  cairo_stroke(d->c);
  if (x - width / 2 < *end + 4)
    return;
  colour(d->c, ink);
  draw_text(d->c, x, d->bottom + 20, text, TEXT_SIZE, 0.5);
  *end = x + width / 2;
}

/* At the places of the data where these are few, as sizes are; else at round numbers. */
static void draw_x_ticks(const drawing *d) {
  const plot_series *s = &d->p->series[0];
  char text[32];
  double end = -INFINITY;
  if (s->count <= 8) {
    for (int k = 0; k < s->count; k++) {
      if (!isfinite(s->x[k]))
        continue;
      snprintf(text, sizeof text, "%g", s->x[k]);
      draw_tick(d, s->x[k], text, &end);
    }
    return;
  }
  for (double value = d->x.step * ceil(d->x.low / d->x.step); value <= d->x.high; value += d->x.step) {
    plot_axis_text(text, &d->x, value);
    draw_tick(d, value, text, &end);
  }
}

static double draw_y_ticks(const drawing *d, int draw) {
  char text[32];
  double widest = 0;
  int count = (int)round((d->y.high - d->y.low) / d->y.step);
  for (int i = 0; i <= count; i++) {
    double value = d->y.low + i * d->y.step, y = round(place_y(d, value)) + 0.5;
    plot_axis_text(text, &d->y, value);
    widest = fmax(widest, text_width(d->c, text, TEXT_SIZE));
    if (!draw)
      continue;
    colour(d->c, fabs(value) < d->y.step / 2 ? grey : faint);
    cairo_set_line_width(d->c, 1);
    cairo_move_to(d->c, d->left, y);
    cairo_line_to(d->c, d->right, y);
    cairo_stroke(d->c);
    colour(d->c, ink);
    draw_text(d->c, d->left - 7, y + 5, text, TEXT_SIZE, 1);
  }
  return widest;
}

static void draw_axes(const drawing *d) {
  const plot *p = d->p;
  draw_y_ticks(d, 1);
  if (p->categories)
    draw_categories(d);
  else
    draw_x_ticks(d);
  colour(d->c, ink);
  if (p->x_label)
    draw_text(d->c, (d->left + d->right) / 2, PLOT_HEIGHT - EDGE, p->x_label,
              fitting(d->c, p->x_label, TEXT_SIZE, d->right - EDGE), 0.5);
  if (p->y_label)
    draw_turned(d->c, EDGE + 10, (d->top + d->bottom) / 2, -M_PI / 2, p->y_label,
                fitting(d->c, p->y_label, TEXT_SIZE, d->bottom - d->top), 0.5);
}

/* ---- All of it ---- */

static void draw_ground(cairo_t *c) {
  colour(c, 0xffffff);
  cairo_paint(c);
  cairo_select_font_face(c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
}

static double draw_title(const drawing *d) {
  const char *title = d->p->title;
  if (!title)
    return EDGE + 12;
  cairo_select_font_face(d->c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
  colour(d->c, ink);
  draw_text(d->c, EDGE, EDGE + 16, title, fitting(d->c, title, TITLE_SIZE, PLOT_WIDTH - 2 * EDGE), 0);
  cairo_select_font_face(d->c, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  return EDGE + 16 + LINE + 6;
}

/* Where the field is, from what stands around it. */
static void lay_out(drawing *d, double y) {
  const plot *p = d->p;
  int is_named = p->series_count > 1 || p->series[0].name;
  d->labels_at_lines = !p->categories && is_named && widest_name(d) < PLOT_WIDTH / 4;
  if (is_named && !d->labels_at_lines)
    y = draw_legend(d, y, 1);
  d->top = y - 8;
  d->bottom = PLOT_HEIGHT - EDGE - LINE - (p->x_label ? LINE : 0);
  d->left = EDGE + draw_y_ticks(d, 0) + 9 + (p->y_label ? LINE : 0);
  d->right = PLOT_WIDTH - EDGE - (d->labels_at_lines ? 22 + widest_name(d) : 0);
  if (p->categories && are_turned(d))
    d->bottom -= fmin(PLOT_HEIGHT / 4, widest_category(d) * M_SQRT1_2) - 4;
}

void plot_draw(cairo_t *c, const plot *p) {
  drawing d = {.c = c, .p = p, .y = plot_axis_y(p)};
  if (!p->categories)
    d.x = plot_axis_x(p);
  draw_ground(c);
  lay_out(&d, draw_title(&d));
  draw_axes(&d);
  if (p->categories)
    draw_bars(&d);
  for (int i = 0; i < p->series_count && !p->categories; i++)
    draw_line(&d, i);
  for (int i = 0; i < p->series_count && !p->categories; i++)
    draw_points(&d, i);
  if (d.labels_at_lines)
    draw_labels_at_lines(&d);
}
