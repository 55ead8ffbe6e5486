/* sheet.png: one row a class with its name and figures, the selected canvas, its mask as a heat map, and its
 * pattern. All is drawn from the arrays on disk, so that a report that is gone on with shows its earlier classes
 * too. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

enum {
  PAPER = 0xffffff,
  INK = 0x202020,
  PALE_INK = 0x6a6a6a,
  RULE = 0xe4e4e4,
  FRAME = 0xb0b0b0,
  MARGIN = 20,
  LABEL_CHARACTERS = 21,
  TEXT = 2, /* scale of the letters */
  LETTER = TEXT * ISC_FONT_ADVANCE,
  LINE = 23,
  LABEL_WIDTH = LABEL_CHARACTERS * LETTER,
  LABEL_LINES = 6,
  HEADING = 138,            /* picture rows over the first class */
  ROWS_A_PAGE = 50,
  PIXELS_A_PAGE = 20000000, /* whatever the images' size, a page stays openable */
  LONGEST_TEXT = 128
};

typedef struct layout {
  int32_t picture_width, picture_height; /* of one image */
  int32_t page_width, row_height;
  int32_t rows_a_page;
} layout;

static layout plan(const isc_sheet *sheet) {
  layout l = {.picture_width = sheet->width * sheet->scale, .picture_height = sheet->height * sheet->scale};
  l.page_width = MARGIN + LABEL_WIDTH + 3 * (l.picture_width + MARGIN);
  int32_t tallest = l.picture_height > LABEL_LINES * LINE ? l.picture_height : LABEL_LINES * LINE;
  l.row_height = tallest + MARGIN;
  int64_t rows = PIXELS_A_PAGE / ((int64_t)l.page_width * l.row_height);
  l.rows_a_page = rows < 1 ? 1 : rows > ROWS_A_PAGE ? ROWS_A_PAGE : (int32_t)rows;
  return l;
}

static int32_t column_x(const layout *l, int32_t column) {
  return MARGIN + LABEL_WIDTH + column * (l->picture_width + MARGIN);
}

/* A thin line around a picture: a white canvas ends somewhere too. */
static void draw_frame(isc_picture *page, const layout *l, int32_t column, int32_t y) {
  isc_draw_fill(page, column_x(l, column) - 1, y - 1, l->picture_width + 2, l->picture_height + 2, FRAME);
}

/* Draws at most `most` characters; of a longer text the last two become "..". */
static void draw_line(isc_picture *page, int32_t x, int32_t y, uint32_t colour, const char *text, size_t most) {
  char line[LONGEST_TEXT];
  size_t length = 0;
  for (; *text && length < sizeof line - 1; text++)
    if (((unsigned char)*text & 0xc0) != 0x80) /* bytes of UTF-8 -> characters */
      line[length++] = *text;
  if (most > sizeof line - 1)
    most = sizeof line - 1;
  if (length > most && most >= 2) {
    length = most;
    line[length - 1] = line[length - 2] = '.';
  }
  line[length] = 0;
  isc_draw_text(page, x, y, TEXT, colour, line);
}

/* Each line leaves the cursor at the next. */
static void add_line(isc_picture *page, int32_t *y, uint32_t colour, const char *text) {
  draw_line(page, MARGIN, *y, colour, text, LABEL_CHARACTERS - 1);
  *y += LINE;
}

static const isc_power_row *find_row(const isc_entry *entry, double size) {
  for (size_t i = 0; i < entry->row_count; i++)
    if (fabs(entry->rows[i].size - size) < 1e-9)
      return &entry->rows[i];
  return NULL;
}

static void print_power(char text[LONGEST_TEXT], const isc_power_row *row) {
  if (isfinite(row->power.pw))
    snprintf(text, LONGEST_TEXT, "PW %.2f at %g %%", row->power.pw, 100 * row->size);
  else
    snprintf(text, LONGEST_TEXT, "no PW at %g %%", 100 * row->size);
}

/* Beside a PW always stand the rates and the counts that it is made of. */
static void draw_figures(isc_picture *page, int32_t *y, const isc_entry *entry, double size) {
  const isc_power_row *row = find_row(entry, size), *small = find_row(entry, 0.01);
  if (!row && !small) {
    add_line(page, y, PALE_INK, "PW not measured");
    return;
  }
  char text[LONGEST_TEXT];
  if (row) {
    print_power(text, row);
    add_line(page, y, INK, text);
  }
  if (small && small != row) {
    print_power(text, small);
    add_line(page, y, row ? PALE_INK : INK, text);
  }
  const isc_power_row *shown = row ? row : small;
  snprintf(text, sizeof text, "ASR %.2f of %lld", shown->power.asr, (long long)shown->power.nontarget);
  add_line(page, y, PALE_INK, text);
  snprintf(text, sizeof text, "acc %.2f of %lld", shown->power.accuracy, (long long)shown->power.target_images);
  add_line(page, y, PALE_INK, text);
}

static void draw_label(isc_picture *page, int32_t y, const isc_sheet *sheet, int32_t class_index,
                       const isc_entry *entry) {
  char text[LONGEST_TEXT];
  const char *name = entry ? entry->name : sheet->names ? sheet->names[class_index] : NULL;
  snprintf(text, sizeof text, "%d  %s", class_index, name ? name : "");
  add_line(page, &y, INK, text);
  if (!entry) {
    add_line(page, &y, PALE_INK, "no canvas found");
    return;
  }
  draw_figures(page, &y, entry, sheet->picture_size);
  if (entry->canvas.image >= 0)
    snprintf(text, sizeof text, "%s %lld", isc_canvas_kind_name(entry->canvas.kind), (long long)entry->canvas.image);
  else
    snprintf(text, sizeof text, "%s", isc_canvas_kind_name(entry->canvas.kind));
  add_line(page, &y, PALE_INK, text);
}

static iscp_status draw_pictures(isc_picture *page, int32_t y, const isc_sheet *sheet, const layout *l,
                                 const isc_entry *entry) {
  isc_arrays arrays;
  iscp_pattern *pattern = NULL;
  iscp_status status = isc_arrays_read(&arrays, sheet->context, sheet->folder, entry);
  if (status != ISCP_OK)
    return status;
  if (arrays.mask.shape[0] != sheet->height || arrays.mask.shape[1] != sheet->width)
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_MISMATCH, "%s/%s is %lldx%lld, expected %dx%d", sheet->folder, entry->mask,
                             (long long)arrays.mask.shape[0], (long long)arrays.mask.shape[1], sheet->height,
                             sheet->width));
  ISC_TRY_OR_DONE(isc_arrays_cut(&pattern, sheet->context, &arrays, entry->class_index, ISCP_CUT_SIZE,
                                 sheet->picture_size, sheet->ties));
  iscp_pattern_info info = {.struct_size = sizeof info};
  ISC_TRY_OR_DONE(iscp_pattern_get_info(pattern, &info));
  for (int32_t column = 0; column < 3; column++)
    draw_frame(page, l, column, y);
  isc_draw_image(page, column_x(l, 0), y, sheet->scale, arrays.canvas.data, (int32_t)arrays.canvas.shape[0],
                 sheet->height, sheet->width);
  isc_draw_heat(page, column_x(l, 1), y, sheet->scale, arrays.mask.data, sheet->height, sheet->width);
  isc_draw_pattern(page, column_x(l, 2), y, sheet->scale, pattern, &info);
done:
  iscp_pattern_destroy(pattern);
  isc_arrays_release(&arrays, sheet->context);
  return status;
}

static void draw_heading(isc_picture *page, const isc_sheet *sheet, const layout *l) {
  size_t most = (size_t)(l->page_width - 2 * MARGIN) / LETTER;
  isc_draw_text(page, MARGIN, MARGIN, TEXT + 1, INK, "Class-wise patterns");
  draw_line(page, MARGIN, MARGIN + 34, PALE_INK, sheet->title, most);
  char pattern[LONGEST_TEXT];
  snprintf(pattern, sizeof pattern, "pattern %g %%", 100 * sheet->picture_size);
  const char *names[] = {"canvas", "mask", pattern};
  int32_t y = MARGIN + 66;
  for (int32_t column = 0; column < 3; column++)
    draw_line(page, column_x(l, column), y, INK, names[column], (size_t)(l->picture_width + MARGIN) / LETTER);
  /* The scale of the heat map: 0 left, 1 right. */
  int32_t left = column_x(l, 1) + LETTER + 4, width = l->picture_width - 2 * (LETTER + 4);
  draw_line(page, column_x(l, 1), y + LINE, PALE_INK, "0", 1);
  for (int32_t x = 0; x < width; x++)
    isc_draw_fill(page, left + x, y + LINE, 1, 14, isc_heat_colour((float)x / (float)(width - 1)));
  draw_line(page, left + width + 6, y + LINE, PALE_INK, "1", 1);
}

static iscp_status draw_page(isc_picture *page, const isc_sheet *sheet, const layout *l, size_t first, size_t last) {
  draw_heading(page, sheet, l);
  for (size_t i = first; i < last; i++) {
    int32_t class_index = sheet->result->finished[i];
    const isc_entry *entry = isc_result_selected(sheet->result, class_index);
    int32_t y = HEADING + (int32_t)(i - first) * l->row_height;
    isc_draw_fill(page, MARGIN, y - MARGIN / 2, l->page_width - 2 * MARGIN, 1, RULE);
    draw_label(page, y, sheet, class_index, entry);
    if (entry)
      ISC_TRY(draw_pictures(page, y, sheet, l, entry));
  }
  return ISCP_OK;
}

static iscp_status write_page(const isc_sheet *sheet, const layout *l, size_t number) {
  size_t first = number * (size_t)l->rows_a_page, last = first + (size_t)l->rows_a_page;
  if (last > sheet->result->finished_count)
    last = sheet->result->finished_count;
  char name[32] = "sheet.png";
  if (number)
    snprintf(name, sizeof name, "sheet-%zu.png", number + 1);
  isc_picture page = {0};
  char *path = isc_path_join(sheet->context, sheet->folder, name);
  iscp_status status = path ? ISCP_OK : ISCP_ERROR_MEMORY;
  if (status != ISCP_OK)
    goto done;
  ISC_TRY_OR_DONE(isc_picture_create(&page, sheet->context, l->page_width,
                                     HEADING + (int32_t)(last - first) * l->row_height, PAPER));
  ISC_TRY_OR_DONE(draw_page(&page, sheet, l, first, last));
  ISC_TRY_OR_DONE(isc_write_png(&page.pixels, sheet->context, path));
done:
  isc_picture_release(&page, sheet->context);
  isc_free(sheet->context, path);
  return status;
}

iscp_status isc_sheet_write(const isc_sheet *sheet, int32_t first_class) {
  layout l = plan(sheet);
  size_t count = sheet->result->finished_count, pages = (count + (size_t)l.rows_a_page - 1) / (size_t)l.rows_a_page;
  size_t row = 0;
  while (row < count && sheet->result->finished[row] < first_class)
    row++;
  for (size_t page = row / (size_t)l.rows_a_page; page < pages; page++)
    ISC_TRY(write_page(sheet, &l, page));
  return ISCP_OK;
}
