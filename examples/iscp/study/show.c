/* Tables, plots and pictures on standard output, on the page, and in files. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "study/show.h"

void show_grid(study *s, grid *g, const char *name) {
  progress_clear();
  grid_print(g, stdout);
  grid_show(g, s->page);
  char *path = study_path(s, "%s.csv", name);
  if (grid_write(g, path) != EXIT_DONE)
    s->code = EXIT_FAILED;
  free(path);
  grid_free(g);
}

void show_plot(study *s, const plot *p, const char *name, const char *alt) {
  char *svg = study_path(s, "%s.svg", name), *png = study_path(s, "%s.png", name);
  int code = plot_write(p, svg, png);
  if (code == EXIT_DONE)
    page_picture(s->page, svg, alt, NULL); /* its title is in it */
  if (code == EXIT_FAILED)
    s->code = EXIT_FAILED;
  free(svg);
  free(png);
}

/* The run's own picture if it is of this canvas and size, else one in DIR/pictures. */
static iscp_status picture_path(char **path, study *s, const study_run *run, int32_t y, int32_t entry, int selected,
                                double size) {
  char name[64];
  snprintf(name, sizeof name, "pattern-%d.png", y);
  if (selected && size == run->report.picture_size) {
    *path = join_path(run->folder, name);
    return ISCP_OK;
  }
  char *folder = study_path(s, "pictures");
  mkdir(folder, 0777);
  free(folder);
  *path = study_path(s, "pictures/%s-%d-%d-%gpc.png", strrchr(run->folder, '/') + 1, y, entry, 100 * size);
  iscp_pattern *pattern;
  iscp_status status = iscp_pattern_list_cut(&pattern, run->list, entry, ISCP_CUT_SIZE, size);
  if (status == ISCP_OK)
    status = iscp_pattern_write_png(pattern, *path, run->report.scale);
  iscp_pattern_destroy(pattern);
  return status;
}

void show_pattern(study *s, const study_run *run, int32_t y, int32_t canvas, double size, const char *caption) {
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
  if (picture_path(&path, s, run, y, entry, selected, size) == ISCP_OK)
    page_gallery_item(s->page, path, alt, under);
  else
    s->code = failed(ISCP_ERROR_IO);
  free(path);
}

void show_origin(study *s) {
  const search_settings *own = s->base;
  for (int i = 0; i < s->model_count; i++)
    page_text(s->page, "Model %s: SHA-256 %s.", s->models[i].name, iscp_model_hash(s->models[i].model));
  const char *hash = iscp_dataset_hash(s->models[0].data);
  page_text(s->page, "%lld images, SHA-256 %s.", (long long)iscp_dataset_count(s->models[0].data), hash ? hash : "unknown");
  page_text(s->page, "Searches: %g %% of the images, passes over them: %d, canvases a kind: %d, seed %llu; PW on %s images.",
            100 * own->search.fraction, own->search.epochs, own->search.canvases, (unsigned long long)own->search.seed,
            own->report.images == ISCP_IMAGES_ALL ? "all" : "held-out");
}
