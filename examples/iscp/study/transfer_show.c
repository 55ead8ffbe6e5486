/* What iscp transfer found: tables, JSON, CSV, plots and a page. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "page/page.h"
#include "plot/plot.h"
#include "study/transfer.h"

enum { NAME = 16 };

static const char *const images_text[] = {"", "heldout", "all", "searched"};

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Memory of the caller's. */
static char *text_of(const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  size_t size = (size_t)vsnprintf(NULL, 0, format, again) + 1;
  va_end(again);
  char *text = take(size);
  vsnprintf(text, size, format, arguments);
  va_end(arguments);
  return text;
}

static const char *number(char text[32], double value) {
  snprintf(text, 32, isfinite(value) ? "%.3f" : "-", value);
  return text;
}

/* ---- Text ---- */

typedef double field_fn(const transfer_cell *cell);

static double mean_of(const transfer_cell *cell) { return cell->mean; }
static double rate_of(const transfer_cell *cell) { return cell->rate; }
static double kept_of(const transfer_cell *cell) { return cell->kept; }

static void print_block(const transfer *t, field_fn *field, int with_own) {
  char text[32];
  printf("%-*s  %-*s", NAME, "searched on", NAME, "measured on");
  for (int32_t i = 0; i < t->size_count; i++)
    printf("  %5g %%", 100 * t->sizes[i]);
  putchar('\n');
  for (int s = 0; s < t->count; s++)
    for (int target = 0; target < t->count; target++) {
      if (s == target && !with_own)
        continue;
      printf("%-*s  %-*s", NAME, t->models[s].name, NAME, t->models[target].name);
      for (int32_t i = 0; i < t->size_count; i++) {
        transfer_cell cell = transfer_mean(t, s, target, i);
        printf("  %7s", number(text, field(&cell)));
      }
      putchar('\n');
    }
  putchar('\n');
}

void transfer_print(const transfer *t) {
  printf("Mean PW over classes, by pattern size\n\n");
  print_block(t, mean_of, 1);
  printf("Transfer rate: PW on the source / PW on the target (large: does not transfer; -: target's PW is 0)\n\n");
  print_block(t, rate_of, 0);
  printf("Kept: PW on the target / PW on the source\n\n");
  print_block(t, kept_of, 0);
  printf("page: %s/index.html; figures: %s/transfer.json, matrix.csv, transfer.csv\n", t->folder, t->folder);
}

/* ---- JSON ---- */

static void print_power(emitter *j, const iscp_power *p) {
  emit_open(j, NULL, '{');
  emit_integer(j, "class", p->target);
  emit_rates(j, p);
  emit_close(j, '}');
}

static void print_cell(emitter *j, const transfer *t, int s, int target, int32_t size) {
  transfer_cell cell = transfer_mean(t, s, target, size);
  emit_open(j, NULL, '{');
  emit_text(j, "source", t->models[s].name);
  emit_text(j, "target", t->models[target].name);
  emit_number(j, "size", t->sizes[size]);
  emit_number(j, "mean_pw", cell.mean);
  emit_number(j, "std", cell.std);
  emit_number(j, "rate", cell.rate);
  emit_number(j, "kept", cell.kept);
  emit_open(j, "power", '[');
  for (int32_t k = 0; k < t->models[s].count; k++)
    print_power(j, transfer_power(t, s, target, k, size));
  emit_close(j, ']');
  emit_close(j, '}');
}

void transfer_print_json(const transfer *t, FILE *file) {
  emitter j = {.file = file};
  emit_open(&j, NULL, '{');
  emit_integer(&j, "schema", 1);
  emit_text(&j, "library", iscp_version_text());
  emit_text(&j, "data_sha256", iscp_dataset_hash(t->models[0].data));
  emit_text(&j, "images", images_text[t->images]);
  emit_open(&j, "models", '[');
  for (int s = 0; s < t->count; s++) {
    emit_open(&j, NULL, '{');
    emit_text(&j, "name", t->models[s].name);
    emit_text(&j, "path", t->models[s].path);
    emit_text(&j, "weights_sha256", iscp_model_hash(t->models[s].model));
    emit_text(&j, "report", t->models[s].folder);
    emit_close(&j, '}');
  }
  emit_close(&j, ']');
  emit_open(&j, "cells", '[');
  for (int s = 0; s < t->count; s++)
    for (int target = 0; target < t->count; target++)
      for (int32_t i = 0; i < t->size_count; i++)
        print_cell(&j, t, s, target, i);
  emit_close(&j, ']');
  emit_close(&j, '}');
  fputc('\n', file);
}

static void print_matrix(const transfer *t, FILE *file) {
  fputs("source,target,size,classes,mean_pw,std,rate,kept\n", file);
  for (int s = 0; s < t->count; s++)
    for (int target = 0; target < t->count; target++)
      for (int32_t i = 0; i < t->size_count; i++) {
        transfer_cell cell = transfer_mean(t, s, target, i);
        const double values[] = {cell.mean, cell.std, cell.rate, cell.kept};
        fprintf(file, "%s,%s,%.17g,%d", t->models[s].name, t->models[target].name, t->sizes[i], t->models[s].count);
        for (int k = 0; k < 4; k++)
          fprintf(file, isfinite(values[k]) ? ",%.17g" : ",nan", values[k]);
        fputc('\n', file);
      }
}

static int write_with(const transfer *t, const char *name, void print(const transfer *t, FILE *file)) {
  char *path = join_path(t->folder, name);
  whole_file whole;
  int code = whole_open(&whole, path);
  free(path);
  if (code != EXIT_DONE)
    return code;
  print(t, whole.file);
  return whole_close(&whole, 1);
}

/* ---- Plots ---- */

/* One plot into <name>.svg and .png; puts it on the page, with its figures in words. */
static int show_plot(const transfer *t, page *p, const plot *drawn, const char *name, const char *caption) {
  char *svg = text_of("%s/%s.svg", t->folder, name), *png = text_of("%s/%s.png", t->folder, name);
  int code = plot_write(drawn, svg, png);
  if (code == EXIT_DONE) {
    const plot_series *last = &drawn->series[drawn->series_count - 1], *first = drawn->series;
    char a[32], b[32], *alt = text_of("%s. %s reaches %s, %s %s at the last size; all figures are in the tables.", drawn->title,
                                      first->name, number(a, first->y[first->count - 1]), last->name,
                                      number(b, last->y[last->count - 1]));
    page_picture(p, svg, alt, caption);
    free(alt);
  }
  free(svg);
  free(png);
  return code == EXIT_FAILED ? EXIT_FAILED : EXIT_DONE;
}

/* PW of one model's patterns on all models, by size. */
static int plot_source(const transfer *t, page *p, int s, const double *sizes) {
  double *values = take((size_t)(t->count * t->size_count) * sizeof *values);
  char *names[MOST_MODELS], *title = text_of("Patterns searched on %s", t->models[s].name),
                            *name = text_of("power-%s", t->models[s].name);
  plot_series series[MOST_MODELS];
  for (int target = 0; target < t->count; target++) {
    double *y = values + target * t->size_count;
    for (int32_t i = 0; i < t->size_count; i++)
      y[i] = transfer_mean(t, s, target, i).mean;
    names[target] = text_of("on %s", t->models[target].name);
    series[target] = (plot_series){.name = names[target], .x = sizes, .y = y, .count = t->size_count};
  }
  plot drawn = {.title = title, .x_label = "pattern size (% of the pixels)", .y_label = "mean PW over classes",
                .series = series, .series_count = t->count};
  int code = show_plot(t, p, &drawn, name, NULL);
  for (int target = 0; target < t->count; target++)
    free(names[target]);
  free(values);
  free(title);
  free(name);
  return code;
}

/* The share of PW that a model's patterns keep on the others, as bars by size. */
static int plot_kept(const transfer *t, page *p, int first, int end, const char *name, const char *const *sizes) {
  int count = 0;
  double *values = take((size_t)(MOST_MODELS * t->count * t->size_count) * sizeof *values);
  char *names[PLOT_MOST_SERIES];
  plot_series series[PLOT_MOST_SERIES];
  for (int s = first; s < end; s++)
    for (int target = 0; target < t->count; target++) {
      if (s == target)
        continue;
      double *y = values + count * t->size_count;
      for (int32_t i = 0; i < t->size_count; i++)
        y[i] = transfer_mean(t, s, target, i).kept;
      names[count] = text_of("%s → %s", t->models[s].name, t->models[target].name);
      series[count] = (plot_series){.name = names[count], .y = y, .count = t->size_count};
      count++;
    }
  plot drawn = {.title = "Share of PW that patterns keep on another model", .x_label = "pattern size (% of the pixels)",
                .y_label = "PW on the target / PW on the source", .categories = sizes,
                .category_count = t->size_count, .series = series, .series_count = count, .values = 1};
  int code = show_plot(t, p, &drawn, name, "Source → target. 1: as strong as on the model that they were searched on.");
  for (int i = 0; i < count; i++)
    free(names[i]);
  free(values);
  return code;
}

/* All pairs in one plot where it has room for them, else a plot a source. */
static int plot_all_kept(const transfer *t, page *p, const char *const *sizes) {
  if (t->count * (t->count - 1) <= PLOT_MOST_SERIES)
    return plot_kept(t, p, 0, t->count, "kept", sizes);
  int code = EXIT_DONE;
  for (int s = 0; s < t->count && code == EXIT_DONE; s++) {
    char *name = text_of("kept-%s", t->models[s].name);
    code = plot_kept(t, p, s, s + 1, name, sizes);
    free(name);
  }
  return code;
}

static int put_plots(const transfer *t, page *p) {
  double *sizes = take((size_t)t->size_count * sizeof *sizes);
  char **names = take((size_t)t->size_count * sizeof *names);
  for (int32_t i = 0; i < t->size_count; i++) {
    sizes[i] = 100 * t->sizes[i];
    names[i] = text_of("%g", sizes[i]);
  }
  int code = EXIT_DONE;
  for (int s = 0; s < t->count && code == EXIT_DONE; s++)
    code = plot_source(t, p, s, sizes);
  if (code == EXIT_DONE)
    code = plot_all_kept(t, p, (const char *const *)names);
  for (int32_t i = 0; i < t->size_count; i++)
    free(names[i]);
  free(names);
  free(sizes);
  return code;
}

/* ---- The page ---- */

static void put_head(const transfer *t, page *p, int with_rates) {
  page_row(p, PAGE_HEAD);
  page_cell(p, PAGE_PLAIN, "searched on");
  page_cell(p, PAGE_PLAIN, "measured on");
  for (int32_t i = 0; i < t->size_count; i++)
    page_cell(p, PAGE_PLAIN, with_rates ? "%g %%" : "%g %% ± STD", 100 * t->sizes[i]);
}

static void put_means(const transfer *t, page *p) {
  char mean[32], std[32];
  page_table_begin(p, "Mean PW over classes, with its standard deviation over them");
  put_head(t, p, 0);
  for (int s = 0; s < t->count; s++)
    for (int target = 0; target < t->count; target++) {
      page_row(p, PAGE_PLAIN);
      page_cell(p, PAGE_PLAIN, "%s", t->models[s].name);
      page_cell(p, PAGE_PLAIN, "%s", t->models[target].name);
      for (int32_t i = 0; i < t->size_count; i++) {
        transfer_cell cell = transfer_mean(t, s, target, i);
        page_cell(p, PAGE_PLAIN, "%s ± %s", number(mean, cell.mean), number(std, cell.std));
      }
    }
  page_table_end(p);
}

static void put_rates(const transfer *t, page *p, const char *caption, field_fn *field) {
  char text[32];
  page_table_begin(p, caption);
  put_head(t, p, 1);
  for (int s = 0; s < t->count; s++)
    for (int target = 0; target < t->count; target++) {
      if (s == target)
        continue;
      page_row(p, PAGE_PLAIN);
      page_cell(p, PAGE_PLAIN, "%s", t->models[s].name);
      page_cell(p, PAGE_PLAIN, "%s", t->models[target].name);
      for (int32_t i = 0; i < t->size_count; i++) {
        transfer_cell cell = transfer_mean(t, s, target, i);
        page_cell(p, PAGE_PLAIN, "%s", number(text, field(&cell)));
      }
    }
  page_table_end(p);
}

static const char *name_of(const transfer_model *m, int32_t k) {
  const char *name = iscp_pattern_list_class_name(m->list, m->entries[k]);
  return name ? name : "";
}

/* PW of each class's pattern on every model, at the size of the pictures. */
static void put_classes(const transfer *t, page *p, int s) {
  char text[32], *caption = text_of("PW of the patterns of %g %% searched on %s", 100 * t->sizes[t->shown], t->models[s].name);
  page_table_begin(p, caption);
  page_row(p, PAGE_HEAD);
  page_cell(p, PAGE_PLAIN, "class");
  page_cell(p, PAGE_PLAIN, "name");
  for (int target = 0; target < t->count; target++)
    page_cell(p, PAGE_PLAIN, "on %s", t->models[target].name);
  for (int32_t k = 0; k < t->models[s].count; k++) {
    page_row(p, PAGE_PLAIN);
    page_cell(p, PAGE_PLAIN, "%d", t->models[s].classes[k]);
    page_cell(p, PAGE_PLAIN, "%s", name_of(&t->models[s], k));
    for (int target = 0; target < t->count; target++)
      page_cell(p, PAGE_PLAIN, "%s", number(text, transfer_power(t, s, target, k, t->shown)->pw));
  }
  page_table_end(p);
  free(caption);
}

static void put_patterns(const transfer *t, page *p, int s) {
  const transfer_model *m = &t->models[s];
  page_gallery_begin(p);
  for (int32_t k = 0; k < m->count; k++) {
    char *path = text_of("%s/pattern-%d.png", m->folder, m->classes[k]);
    char *caption = text_of("%d %s", m->classes[k], name_of(m, k));
    char *alt = text_of("Pattern of class %d %s, searched on %s", m->classes[k], name_of(m, k), m->name);
    page_gallery_item(p, path, alt, caption);
    free(path);
    free(caption);
    free(alt);
  }
  page_gallery_end(p);
}

static void put_source(const transfer *t, page *p, int s) {
  char *heading = text_of("Searched on %s", t->models[s].name);
  page_heading(p, heading);
  page_text(p, "%s, SHA-256 of the weights %.16s.", t->models[s].path, iscp_model_hash(t->models[s].model));
  put_classes(t, p, s);
  put_patterns(t, p, s);
  free(heading);
}

static int write_page(const transfer *t) {
  char *path = join_path(t->folder, "index.html");
  page *p = page_open(path, "Transfer of patterns between models",
                      "Patterns were searched on each model and put on the images of all of them.");
  free(path);
  page_text(p, "PW = ASR / accuracy: how many images of other classes are taken for the class with its pattern on them, as a "
               "share of the model's accuracy on the class. Measured on %s images. Patterns of what images of a class have in "
               "common tend to be strong on every model; those that are strong on one alone tell of something that only this "
               "model has learned, as a backdoor's trigger.", t->images == ISCP_IMAGES_ALL ? "all" : "held-out");
  page_heading(p, "Predictive power");
  int code = put_plots(t, p);
  put_means(t, p);
  page_heading(p, "Transfer");
  put_rates(t, p, "Kept: PW on the target / PW on the source", kept_of);
  put_rates(t, p, "Transfer rate, as the paper has it: PW on the source / PW on the target", rate_of);
  page_text(p, "A rate of 1 is a pattern as strong on the other model; the larger it is, the less transfers, and it has no value "
               "(-) where the power on the target is 0.");
  for (int s = 0; s < t->count; s++)
    put_source(t, p, s);
  int closed = page_close(p);
  return code == EXIT_DONE ? closed : code;
}

int transfer_write(const transfer *t) {
  int code = write_with(t, "transfer.json", transfer_print_json);
  if (code == EXIT_DONE)
    code = write_with(t, "matrix.csv", print_matrix);
  return code == EXIT_DONE ? write_page(t) : code;
}
