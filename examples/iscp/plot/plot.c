/* Plots: one drawing to two kinds of files, each whole or not at all. */
#include <cairo-svg.h>

#include "cli/cli.h"
#include "plot/draw.h"

enum { PNG_SCALE = 2 };

int plot_available(void) { return 1; }

static cairo_status_t write_piece(void *file, const unsigned char *bytes, unsigned size) {
  return fwrite(bytes, 1, size, file) == size ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* A drawing that stopped half way is not one, although the surface knows nothing of it. */
static cairo_status_t draw_on(cairo_surface_t *surface, const plot *p, double scale) {
  cairo_t *c = cairo_create(surface);
  cairo_scale(c, scale, scale);
  plot_draw(c, p);
  cairo_status_t status = cairo_status(c);
  cairo_destroy(c);
  return status;
}

static cairo_status_t write_svg(FILE *file, const plot *p) {
  cairo_surface_t *surface = cairo_svg_surface_create_for_stream(write_piece, file, PLOT_WIDTH, PLOT_HEIGHT);
  cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
  cairo_status_t status = draw_on(surface, p, 1);
  cairo_surface_finish(surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status(surface);
  cairo_surface_destroy(surface);
  return status;
}

static cairo_status_t write_png(FILE *file, const plot *p) {
  cairo_surface_t *surface =
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, PNG_SCALE * PLOT_WIDTH, PNG_SCALE * PLOT_HEIGHT);
  cairo_status_t status = draw_on(surface, p, PNG_SCALE);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png_stream(surface, write_piece, file);
  cairo_surface_destroy(surface);
  return status;
}

typedef cairo_status_t writer_fn(FILE *file, const plot *p);

static int write_file(const plot *p, const char *path, writer_fn *write) {
  whole_file whole;
  if (whole_open(&whole, path) != EXIT_DONE)
    return EXIT_FAILED;
  cairo_status_t status = write(whole.file, p);
  if (status != CAIRO_STATUS_SUCCESS)
    complain("%s cannot be written: %s", path, cairo_status_to_string(status));
  return whole_close(&whole, status == CAIRO_STATUS_SUCCESS);
}

int plot_write(const plot *p, const char *svg_path, const char *png_path) {
  int code = svg_path ? write_file(p, svg_path, write_svg) : EXIT_DONE;
  return code == EXIT_DONE && png_path ? write_file(p, png_path, write_png) : code;
}
