/* Draws plots and a page into the folder that is named, for test_page.py, by the program's own files. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "page/page.h"
#include "plot/plot.h"

const char *program_path = "draw";

/* What those files take from the rest of the program. */
void progress_clear(void) {}
int signals_came(void) { return 0; }

void *take(size_t bytes) {
  void *memory = calloc(1, bytes ? bytes : 1);
  if (!memory)
    exit(EXIT_FAILED);
  return memory;
}

char *take_copy(const char *text) { return strcpy(take(strlen(text) + 1), text); }

static const char *in(const char *folder, const char *name) {
  static char paths[8][1024];
  static int turn;
  char *path = paths[turn++ % 8];
  snprintf(path, sizeof *paths, "%s/%s", folder, name);
  return path;
}

/* One grey pixel, by hand. */
static void write_dot(const char *path) {
  static const unsigned char dot[] = {
      0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e,
      0x9b, 0x55, 0, 0, 0, 10, 'I', 'D', 'A', 'T', 0x78, 0xda, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0xda, 0x45, 0x08, 0x3b, 0,
      0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
  FILE *file = fopen(path, "wb");
  if (file) {
    fwrite(dot, 1, sizeof dot, file);
    fclose(file);
  }
}

static int draw_plots(const char *folder) {
  static const double x[] = {1, 2, 5, 10}, gap[] = {1, NAN, INFINITY, 10}, y[] = {0.1, NAN, 0.7, 1}, low[] = {0.05, 0, 0.6, 0.9}, high[] = {0.2, 0, 0.8, 1},
                      bars[] = {0.5, 1}, other[] = {0, NAN};
  static const char *const categories[] = {"first", "second"};
  plot_series lines[] = {{.name = "own", .x = x, .y = y, .low = low, .high = high, .count = 4},
                         {.name = "not UTF-8: \xff", .x = x, .y = low, .count = 4, .hollow = 1}};
  plot_series two[] = {{.name = "own", .y = bars, .count = 2}, {.name = "other", .y = other, .count = 2}};
  plot a = {.title = "Lines", .x_label = "size", .y_label = "PW", .series = lines, .series_count = 2};
  plot b = {.title = "Bars", .categories = categories, .category_count = 2, .series = two, .series_count = 2, .y_high = 1};
  plot_series broken = {.x = gap, .y = low, .count = 4};
  plot c = {.series = &broken, .series_count = 1};
  if (plot_write(&c, in(folder, "gap.svg"), in(folder, "gap.png")) == EXIT_FAILED)
    return EXIT_FAILED;
  int code = plot_write(&a, in(folder, "lines.svg"), in(folder, "lines.png"));
  int again = plot_write(&b, in(folder, "bars.svg"), in(folder, "bars.png"));
  return code == EXIT_DONE ? again : code;
}

static void put_table(page *p) {
  page_table_begin(p, "Figures");
  page_row(p, PAGE_HEAD);
  page_cell(p, PAGE_PLAIN, "model"), page_cell(p, PAGE_PLAIN, "PW"), page_cell(p, PAGE_PAPER, "paper");
  for (int i = 0; i < 12; i++)
    page_cell(p, PAGE_PLAIN, "column %d", i);
  page_row(p, PAGE_PLAIN);
  page_cell(p, PAGE_PLAIN, "natural"), page_cell(p, PAGE_PLAIN, "%.2f ± %.2f", 0.41, 0.03), page_cell(p, PAGE_PAPER, "0.45");
  for (int i = 0; i < 12; i++)
    page_cell(p, PAGE_PLAIN, "a word");
  page_row(p, PAGE_PAPER);
  page_cell(p, PAGE_PLAIN, "theirs"), page_cell(p, PAGE_PLAIN, "-"), page_cell(p, PAGE_PLAIN, "0.5");
  page_table_end(p);
}

int main(int argc, char **argv) {
  if (argc < 2)
    return EXIT_USAGE;
  const char *folder = argv[1], *wrong = argc > 2 ? argv[2] : "";
  write_dot(in(folder, "dot.png"));
  int plots = draw_plots(folder);
  page *p = page_open(in(folder, "page.html"), "A page of <b> & \"c\"", "What it is, in a line.");
  page_heading(p, "Text \xff");
  page_text(p, "%s", "A paragraph. A_word_that_is_longer_than_a_phone_is_wide_and_has_no_place_to_break_it_in_two_at_all.");
  put_table(p);
  page_heading(p, "Pictures");
  if (plots == EXIT_DONE) {
    page_picture(p, in(folder, "lines.svg"), "own rises to 1", "A plot");
    page_picture(p, in(folder, "bars.svg"), "0.5 and 1", NULL);
  }
  page_picture(p, in(folder, "dot.png"), strcmp(wrong, "no-alt") ? "one grey pixel" : "", NULL);
  page_gallery_begin(p);
  page_gallery_item(p, in(folder, strcmp(wrong, "no-file") ? "dot.png" : "missing.png"), "the same", "small");
  page_gallery_end(p);
  int code = page_close(p);
  puts(plots == EXIT_DONE ? "plots" : "none");
  return plots == EXIT_FAILED ? EXIT_FAILED : code;
}
