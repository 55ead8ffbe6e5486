/* Tables of text as spreadsheets and pandas write them (RFC 4180): fields between commas, semicolons or tabs, whichever the
 * first line has; quotes around a field that holds one of these, doubled within; lines ended by LF, CRLF or CR; a
 * byte order mark in front; empty lines left out. Cells are unescaped in place, each a text of its own. */
#include <string.h>

#include "format/reader.h"

enum { LARGEST_FILE = 1 << 28, MOST_COLUMNS = 4096 };

typedef struct parser {
  char *at, *end;
  char separator;
  size_t line; /* from 1 */
  size_t cells, cell_capacity, line_capacity;
} parser;

static bool is_line_end(const parser *p, const char *at) { return at == p->end || *at == '\n' || *at == '\r'; }

static void skip_line_end(parser *p) {
  if (p->at < p->end && *p->at == '\r')
    p->at++;
  if (p->at < p->end && *p->at == '\n')
    p->at++;
  p->line++;
}

/* A comma wins; a table of one column has none of them. */
static char find_separator(const char *text, const char *end) {
  char found = ',';
  for (const char *at = text; at < end && *at != '\n' && *at != '\r'; at++) {
    if (*at == ',')
      return ',';
    if (*at == ';' || *at == '\t')
      found = *at;
  }
  return found;
}

/* Between quotes everything stands for itself but a quote, which is doubled. The text is moved down over its quotes; *last
 * is where it ends then. */
static iscp_status take_quoted(parser *p, char **last) {
  size_t first_line = p->line;
  char *to = p->at++;
  for (;; p->at++) {
    if (p->at == p->end)
      return isc_fail(ISCP_ERROR_FORMAT, "line %zu: a quote is not closed", first_line);
    if (*p->at == '"' && (p->at + 1 == p->end || p->at[1] != '"'))
      break;
    p->at += *p->at == '"';
    p->line += *p->at == '\n';
    *to++ = *p->at;
  }
  p->at++;
  if (!is_line_end(p, p->at) && *p->at != p->separator)
    return isc_fail(ISCP_ERROR_FORMAT, "line %zu: text after a closing quote, expected the field's end", p->line);
  *last = to;
  return ISCP_OK;
}

/* *more is true if a separator follows, so that the line has a further field. */
static iscp_status take_field(parser *p, isc_csv *out, const iscp_context *context, bool *more) {
  char *first = p->at, *last;
  if (p->at < p->end && *p->at == '"') {
    ISC_TRY(take_quoted(p, &last));
  } else {
    while (!is_line_end(p, p->at) && *p->at != p->separator)
      p->at++;
    last = p->at;
  }
  *more = p->at < p->end && *p->at == p->separator;
  if (*more)
    p->at++;
  else
    skip_line_end(p);
  *last = 0; /* only now: the separator or the line's end may stand there */
  ISC_TRY(isc_grow(context, (void **)&out->cells, &p->cell_capacity, p->cells + 1, sizeof *out->cells));
  out->cells[p->cells++] = first;
  return ISCP_OK;
}

static iscp_status take_row(parser *p, isc_csv *out, const iscp_context *context) {
  size_t line = p->line, before = p->cells;
  bool more = true;
  while (more) {
    ISC_TRY(take_field(p, out, context, &more));
    if (p->cells - before > MOST_COLUMNS)
      return isc_fail(ISCP_ERROR_FORMAT, "line %zu: more than %d fields", line, MOST_COLUMNS);
  }
  size_t fields = p->cells - before;
  if (!out->rows)
    out->columns = fields;
  if (fields != out->columns)
    return isc_fail(ISCP_ERROR_FORMAT, "line %zu: %zu fields, expected %zu as in the first line", line, fields,
                    out->columns);
  ISC_TRY(isc_grow(context, (void **)&out->lines, &p->line_capacity, out->rows + 1, sizeof *out->lines));
  out->lines[out->rows++] = line;
  return ISCP_OK;
}

static iscp_status parse(isc_csv *out, const iscp_context *context, size_t size) {
  char *text = out->text;
  if (!isc_is_text(text, size))
    return isc_fail(ISCP_ERROR_FORMAT, "is not a table of text: it has a zero byte or is not UTF-8");
  size_t mark = size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
  parser p = {.at = text + mark, .end = text + size, .line = 1};
  p.separator = find_separator(p.at, p.end);
  while (p.at < p.end)
    if (is_line_end(&p, p.at))
      skip_line_end(&p);
    else
      ISC_TRY(take_row(&p, out, context));
  return out->rows ? ISCP_OK : isc_fail(ISCP_ERROR_FORMAT, "is empty, expected lines of fields");
}

iscp_status isc_csv_parse(isc_csv *out, const iscp_context *context, const void *bytes, size_t size) {
  *out = (isc_csv){.text = isc_alloc(context, size + 1)};
  if (!out->text)
    return ISCP_ERROR_MEMORY;
  if (size)
    memcpy(out->text, bytes, size);
  out->text[size] = 0;
  iscp_status status = parse(out, context, size);
  if (status != ISCP_OK)
    isc_csv_release(out, context);
  return status;
}

iscp_status isc_csv_read(isc_csv *out, const iscp_context *context, const char *path) {
  *out = (isc_csv){0};
  uint8_t *bytes;
  size_t size;
  ISC_TRY(isc_file_read(&bytes, &size, context, path, LARGEST_FILE));
  iscp_status status = isc_csv_parse(out, context, bytes, size);
  isc_free(context, bytes);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

void isc_csv_release(isc_csv *csv, const iscp_context *context) {
  isc_free(context, csv->text);
  isc_free(context, csv->cells);
  isc_free(context, csv->lines);
  *csv = (isc_csv){0};
}
