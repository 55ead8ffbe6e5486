/* Pages: HTML in order, into a file that is renamed when it is whole. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "page/page.h"
#include "page/style.h"

typedef struct page_cell_kept {
  char *text;
  int kind, row, row_kind, column;
} page_cell_kept;

struct page {
  whole_file whole;
  FILE *file;
  int good;
  page_cell_kept *cells; /* of the table that is open: the columns' kind is known at its end */
  int cell_count, row_count, row_kind, column;
};

/* ---- Text ---- */

/* What is not UTF-8, and what HTML has no place for, becomes U+FFFD. */
static void put_text(FILE *file, const char *text) {
  for (const unsigned char *c = (const unsigned char *)text; *c;) {
    size_t length = utf8_length(c);
    if (*c == '&' || *c == '<' || *c == '>' || *c == '"')
      fputs(*c == '&' ? "&amp;" : *c == '<' ? "&lt;" : *c == '>' ? "&gt;" : "&quot;", file);
    else if (!length || (*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
      fputs("\xef\xbf\xbd", file);
    else
      fwrite(c, 1, length, file);
    c += length ? length : 1;
  }
}

/* Memory of the caller's. */
static char *format_text(const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int size = vsnprintf(NULL, 0, format, again) + 1;
  va_end(again);
  char *text = take((size_t)size);
  vsnprintf(text, (size_t)size, format, arguments);
  return text;
}

static void put_between(page *p, const char *before, const char *text, const char *after) {
  fputs(before, p->file);
  put_text(p->file, text);
  fputs(after, p->file);
}

/* ---- The page ---- */

page *page_open(const char *path, const char *title, const char *lead) {
  page *p = take(sizeof *p);
  if (whole_open(&p->whole, path) != EXIT_DONE) {
    free(p);
    return NULL;
  }
  p->file = p->whole.file;
  p->good = 1;
  fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<title>", p->file);
  put_text(p->file, title);
  fprintf(p->file, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", page_style);
  put_between(p, "<h1>", title, "</h1>\n");
  if (lead)
    put_between(p, "<p class=\"lead\">", lead, "</p>\n");
  return p;
}

int page_close(page *p) {
  if (!p)
    return EXIT_FAILED;
  page_table_end(p);
  fputs("</main>\n</body>\n</html>\n", p->file);
  int code = whole_close(&p->whole, p->good);
  free(p);
  return code;
}

void page_drop(page *p) {
  if (!p)
    return;
  page_table_end(p);
  whole_close(&p->whole, 0);
  free(p);
}

void page_heading(page *p, const char *text) {
  if (p)
    put_between(p, "<h2>", text, "</h2>\n");
}

void page_text(page *p, const char *format, ...) {
  if (!p)
    return;
  va_list arguments;
  va_start(arguments, format);
  char *text = format_text(format, arguments);
  va_end(arguments);
  put_between(p, "<p>", text, "</p>\n");
  free(text);
}

/* ---- Tables ---- */

void page_table_begin(page *p, const char *caption) {
  if (!p)
    return;
  page_table_end(p);
  /* The box scrolls by keys as well, and says what it is. */
  put_between(p, "<div class=\"box\" role=\"region\" tabindex=\"0\" aria-label=\"", caption, "\"><table>\n");
  put_between(p, "<caption><span>", caption, "</span></caption>\n");
  p->cells = take(1);
}

void page_row(page *p, int kind) {
  if (!p)
    return;
  p->row_count++;
  p->row_kind = kind;
  p->column = 0;
}

void page_cell(page *p, int kind, const char *format, ...) {
  if (!p || !p->row_count)
    return;
  page_cell_kept *longer = realloc(p->cells, ((size_t)p->cell_count + 1) * sizeof *longer);
  if (!longer) {
    p->good = 0;
    complain("out of memory: a table of %d cells", p->cell_count);
    return;
  }
  p->cells = longer;
  va_list arguments;
  va_start(arguments, format);
  longer[p->cell_count++] = (page_cell_kept){format_text(format, arguments), kind, p->row_count, p->row_kind, p->column++};
  va_end(arguments);
}

/* "0.41", "1.2 %", "0.41 ± 0.03", "12/40" begin with a number; "-" and "" stand for one that is missing. */
static int is_number(const char *text) {
  char *end;
  strtod(text, &end);
  return !*text || !strcmp(text, "-") || !strcmp(text, "–") || (end != text && !strpbrk(end, "abcdfghijklmnopqrstuvwxyz"));
}

enum { WORDS = 1, NUMBERS = 2 };

/* For each column, WORDS and NUMBERS as it has them; memory of the caller's. */
static unsigned char *sort_columns(const page *p) {
  unsigned char *columns = take((size_t)p->cell_count);
  for (const page_cell_kept *cell = p->cells; cell < p->cells + p->cell_count; cell++)
    if (cell->row_kind != PAGE_HEAD)
      columns[cell->column] |= is_number(cell->text) ? NUMBERS : WORDS;
  return columns;
}

static void put_cell(page *p, const page_cell_kept *cell, int right) {
  int is_head = cell->row_kind == PAGE_HEAD, is_name = !is_head && cell->column == 0;
  const char *tag = is_head || is_name ? "th" : "td";
  int is_paper = cell->kind == PAGE_PAPER || cell->row_kind == PAGE_PAPER;
  fprintf(p->file, "<%s%s%s%s%s%s>", tag, is_head ? " scope=\"col\"" : is_name ? " scope=\"row\"" : "",
          right || is_paper ? " class=\"" : "", right ? "number" : "",
          is_paper ? right ? " paper" : "paper" : "", right || is_paper ? "\"" : "");
  put_text(p->file, cell->text);
  fprintf(p->file, "</%s>", tag);
}

void page_table_end(page *p) {
  if (!p || !p->cells)
    return;
  unsigned char *columns = sort_columns(p);
  for (int i = 0, row = 0; i < p->cell_count; i++) {
    if (p->cells[i].row != row)
      fputs(row ? "</tr>\n<tr>" : "<tr>", p->file);
    row = p->cells[i].row;
    put_cell(p, &p->cells[i], columns[p->cells[i].column] == NUMBERS);
  }
  free(columns);
  fputs(p->cell_count ? "</tr>\n</table></div>\n" : "</table></div>\n", p->file);
  for (int i = 0; i < p->cell_count; i++)
    free(p->cells[i].text);
  free(p->cells);
  p->cells = NULL;
  p->cell_count = p->row_count = p->column = 0;
}

/* ---- Pictures ---- */

static void put_base64(FILE *to, FILE *from) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned char three[3];
  for (size_t size; (size = fread(three, 1, 3, from)) > 0;) {
    unsigned bits = (unsigned)three[0] << 16 | (size > 1 ? (unsigned)three[1] << 8 : 0) | (size > 2 ? three[2] : 0);
    char four[4] = {letters[bits >> 18], letters[bits >> 12 & 63], size > 1 ? letters[bits >> 6 & 63] : '=',
                    size > 2 ? letters[bits & 63] : '='};
    fwrite(four, 1, 4, to);
  }
}

static const char *media_type(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && !strcmp(dot, ".svg") ? "image/svg+xml" : dot && !strcmp(dot, ".png") ? "image/png" : NULL;
}

static FILE *open_picture(const char *path, const char *alt) {
  if (!alt || !*alt)
    complain("the picture %s has no description, and a page without one cannot be read by all", path);
  else if (!media_type(path))
    complain("%s is neither .png nor .svg", path);
  else {
    FILE *file = fopen(path, "rb");
    if (!file)
      complain("%s cannot be read: %s", path, strerror(errno));
    return file;
  }
  return NULL;
}

static void put_figure(page *p, const char *kind, const char *path, const char *alt, const char *caption) {
  FILE *picture = open_picture(path, alt);
  if (!picture) {
    p->good = 0;
    return;
  }
  const char *type = media_type(path);
  fprintf(p->file, "<figure class=\"%s\"><img class=\"%s\" src=\"data:%s;base64,", kind,
          strcmp(type, "image/png") ? "plot" : "pixels", type);
  put_base64(p->file, picture);
  if (ferror(picture)) {
    complain("%s cannot be read: %s", path, strerror(errno));
    p->good = 0;
  }
  fclose(picture);
  put_between(p, "\" alt=\"", alt, "\">");
  if (caption)
    put_between(p, "<figcaption>", caption, "</figcaption>");
  fputs("</figure>\n", p->file);
}

void page_picture(page *p, const char *path, const char *alt, const char *caption) {
  if (p)
    put_figure(p, "wide", path, alt, caption);
}

void page_gallery_begin(page *p) {
  if (p)
    fputs("<div class=\"gallery\">\n", p->file);
}

void page_gallery_item(page *p, const char *path, const char *alt, const char *caption) {
  if (p)
    put_figure(p, "item", path, alt, caption);
}

void page_gallery_end(page *p) {
  if (p)
    fputs("</div>\n", p->file);
}
