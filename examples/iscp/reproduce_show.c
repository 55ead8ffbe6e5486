/* Tables, plots and pictures on standard output, on the page, and in files. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reproduce.h"

void show_grid(reproduction *r, grid *g, const char *name) {
  grid_print(g, stdout);
  grid_show(g, r->page);
  char *path = study_path(&r->study, "%s.csv", name);
  if (grid_write(g, path) != EXIT_DONE)
    r->code = EXIT_FAILED;
  free(path);
  grid_free(g);
}

void show_plot(reproduction *r, const plot *p, const char *name, const char *alt) {
  char *svg = study_path(&r->study, "%s.svg", name), *png = study_path(&r->study, "%s.png", name);
  int code = plot_write(p, svg, png);
  if (code == EXIT_DONE)
    page_picture(r->page, svg, alt, NULL); /* its title is in it */
  if (code == EXIT_FAILED)
    r->code = EXIT_FAILED;
  free(svg);
  free(png);
}

/* The run's own picture if it is of this canvas and size, else one in DIR/pictures. */
static iscp_status picture_path(char **path, reproduction *r, const study_run *run, int32_t y, int32_t entry, int selected,
                                double size) {
  char name[64];
  snprintf(name, sizeof name, "pattern-%d.png", y);
  if (selected && size == run->run.report.picture_size) {
    *path = join_path(run->folder, name);
    return ISCP_OK;
  }
  char *folder = study_path(&r->study, "pictures");
  mkdir(folder, 0777);
  free(folder);
  *path = study_path(&r->study, "pictures/%s-%d-%d-%gpc.png", strrchr(run->folder, '/') + 1, y, entry, 100 * size);
  iscp_pattern *pattern;
  iscp_status status = iscp_pattern_list_cut(&pattern, run->list, entry, ISCP_CUT_SIZE, size);
  if (status == ISCP_OK)
    status = iscp_pattern_write_png(pattern, *path, run->run.report.scale);
  iscp_pattern_destroy(pattern);
  return status;
}

void show_pattern(reproduction *r, const study_run *run, int32_t y, int32_t canvas, double size, const char *caption) {
  int32_t entry = study_entry(run, y, canvas), selected = 0;
  if (entry < 0)
    return;
  char *path = NULL, name[64], under[160], alt[224];
  iscp_pattern_list_entry(run->list, entry, NULL, &selected);
  study_class(name, run->of, y);
  double pw = study_power(run, y, canvas, size, NULL);
  snprintf(under, sizeof under, pw == pw ? "%s%s%s, PW %.3f" : "%s%s%s", name, caption ? ", " : "",
           caption ? caption : "", pw);
  snprintf(alt, sizeof alt, "pattern of %s, %g %% of the pixels", under, 100 * size);
  if (picture_path(&path, r, run, y, entry, selected, size) == ISCP_OK)
    page_gallery_item(r->page, path, alt, under);
  else
    r->code = failed(ISCP_ERROR_IO);
  free(path);
}
