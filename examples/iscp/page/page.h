/* A report as one HTML file that needs nothing else: style and pictures are inside, there are no scripts, and it reads on
 * phones and wide screens, by light and dark. All text is escaped. What goes wrong on the way (a picture that cannot be
 * read, one without a description) is said at once and makes page_close fail.
 *
 *   page *p = page_open("result/index.html", "Predictive power", "Two models, one data set.");
 *   page_heading(p, "Figures");
 *   page_table_begin(p, "Mean PW by size");
 *   page_row(p, PAGE_HEAD);
 *   page_cell(p, PAGE_PLAIN, "model"), page_cell(p, PAGE_PLAIN, "5 %%"), page_cell(p, PAGE_PAPER, "paper");
 *   page_row(p, PAGE_PLAIN);
 *   page_cell(p, PAGE_PLAIN, "natural"), page_cell(p, PAGE_PLAIN, "%.3f", 0.41), page_cell(p, PAGE_PAPER, "0.45");
 *   page_table_end(p);
 *   page_picture(p, "result/power.svg", "mean PW rises with the pattern's size", "Mean PW by size");
 *   if (page_close(p) != EXIT_DONE) ...
 */
#ifndef PAGE_H
#define PAGE_H

typedef struct page page;

enum {
  PAGE_PLAIN,
  PAGE_HEAD, /* a row of columns' names */
  PAGE_PAPER /* a row or cell of the paper's, set apart from one's own figures */
};

/* `lead` stands under the title, or NULL. NULL after saying why; the calls below take NULL and do nothing. */
page *page_open(const char *path, const char *title, const char *lead);

void page_heading(page *p, const char *text);
/* A paragraph. */
void page_text(page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Columns of numbers are set to the right, also under a head of words; a row's first cell names it. */
void page_table_begin(page *p, const char *caption);
void page_row(page *p, int kind);
void page_cell(page *p, int kind, const char *format, ...) __attribute__((format(printf, 3, 4)));
void page_table_end(page *p);

/* A picture (.svg or .png) across the page. `alt` says what it shows to those who do not see it, and may not be empty;
 * `caption` may be NULL. Pixels of a PNG stay square where it is enlarged. */
void page_picture(page *p, const char *path, const char *alt, const char *caption);

/* Small pictures side by side, as many as there is room for. */
void page_gallery_begin(page *p);
void page_gallery_item(page *p, const char *path, const char *alt, const char *caption);
void page_gallery_end(page *p);

/* Puts the page in its place, whole, and frees it. EXIT_DONE or EXIT_FAILED; NULL is a failure that was told of. */
int page_close(page *p);

/* Gives the page up: nothing is left of it. */
void page_drop(page *p);

#endif
