/* Datasets of one folder of pictures, below which there may be others, and a table that says the class of each:
 *   file,label
 *   0001.png,cat
 * The order of the images is the table's. Classes are whole numbers, or names, which are counted in byte order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/open/open.h"

enum { DEEPEST = 8 };

typedef struct listing {
  isc_images *images;
  const char *folder, *table_path;
  isc_csv table;
  size_t first, file_column, label_column; /* `first`: of the rows that are no header */
  char **files; /* relative names of all pictures, in byte order */
  size_t file_count, file_capacity;
  size_t *rows; /* by file: the row that lists it + 1, or 0 */
  size_t missing, first_missing;
} listing;

/* ---- The pictures that are there ---- */

static iscp_status add_name(listing *l, const char *inner, const char *name) {
  const iscp_context *context = l->images->context;
  ISC_TRY(isc_grow(context, (void **)&l->files, &l->file_capacity, l->file_count + 1, sizeof *l->files));
  l->files[l->file_count] = *inner ? isc_path_join(context, inner, name) : isc_strdup(context, name);
  if (!l->files[l->file_count])
    return ISCP_ERROR_MEMORY;
  l->file_count++;
  return ISCP_OK;
}

static iscp_status add_names(listing *l, const char *inner, int depth);

static iscp_status add_entry(listing *l, const char *path, const char *inner, const char *name, int depth) {
  const iscp_context *context = l->images->context;
  if (name[0] == '.')
    return ISCP_OK;
  if (isc_is_image_name(name))
    return add_name(l, inner, name);
  char *full = isc_path_join(context, path, name);
  char *deeper = *inner ? isc_path_join(context, inner, name) : isc_strdup(context, name);
  iscp_status status = full && deeper ? ISCP_OK : ISCP_ERROR_MEMORY;
  if (status == ISCP_OK && depth < DEEPEST && isc_is_directory(full))
    status = add_names(l, deeper, depth + 1);
  isc_free(context, full);
  isc_free(context, deeper);
  return status;
}

/* All pictures in the folder `inner` below the set's, and deeper. */
static iscp_status add_names(listing *l, const char *inner, int depth) {
  const iscp_context *context = l->images->context;
  char **names = NULL, *path = *inner ? isc_path_join(context, l->folder, inner) : isc_strdup(context, l->folder);
  size_t count = 0;
  iscp_status status = path ? isc_list_directory(&names, &count, context, path) : ISCP_ERROR_MEMORY;
  for (size_t i = 0; i < count && status == ISCP_OK; i++)
    status = add_entry(l, path, inner, names[i], depth);
  isc_names_free(names, count, context);
  isc_free(context, path);
  return status;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static iscp_status list_files(listing *l) {
  ISC_TRY(add_names(l, "", 0));
  if (!l->file_count)
    return isc_fail(ISCP_ERROR_FORMAT, "%s: no picture in it, expected those that %s lists", l->folder, l->table_path);
  qsort(l->files, l->file_count, sizeof *l->files, by_bytes);
  l->rows = isc_calloc(l->images->context, l->file_count, sizeof *l->rows);
  return l->rows ? ISCP_OK : ISCP_ERROR_MEMORY;
}

/* ---- Finding the picture that a cell names ---- */

enum { NOT_THERE = -1, TWO_OF_THEM = -2 };

/* Place of the first file that is not below `name` of `length` bytes. */
static size_t lower_bound(const listing *l, const char *name, size_t length) {
  size_t low = 0, high = l->file_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (strncmp(l->files[middle], name, length) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The file that is `name`, or `name` and an extension. */
static int64_t find_name(const listing *l, const char *name, size_t length) {
  int64_t found = NOT_THERE;
  for (size_t at = lower_bound(l, name, length); at < l->file_count && !strncmp(l->files[at], name, length); at++) {
    const char *rest = l->files[at] + length;
    if (!*rest)
      return (int64_t)at;
    if (*rest == '.' && !strpbrk(rest + 1, "./"))
      found = found == NOT_THERE ? (int64_t)at : TWO_OF_THEM;
  }
  return found;
}

/* Tables are often written from one folder higher: "images/0001.png" for the folder images. */
static int64_t find_file(const listing *l, const char *cell, size_t length) {
  while (length > 2 && !strncmp(cell, "./", 2)) {
    cell += 2;
    length -= 2;
  }
  int64_t found = length ? find_name(l, cell, length) : NOT_THERE;
  size_t end = strlen(l->folder);
  while (end && l->folder[end - 1] == '/')
    end--;
  size_t base = end;
  while (base && l->folder[base - 1] != '/')
    base--;
  size_t own = end - base;
  if (found == NOT_THERE && own && length > own + 1 && !strncmp(cell, l->folder + base, own) && cell[own] == '/')
    found = find_name(l, cell + own + 1, length - own - 1);
  return found;
}

/* ---- Cells ---- */

/* The cell without blanks around it. */
static const char *cell_at(const listing *l, size_t row, size_t column, size_t *length) {
  const char *cell = l->table.cells[row * l->table.columns + column];
  cell += strspn(cell, " ");
  *length = strlen(cell);
  while (*length && cell[*length - 1] == ' ')
    --*length;
  return cell;
}

static int64_t file_of_row(const listing *l, size_t row, size_t column) {
  size_t length;
  const char *cell = cell_at(l, row, column, &length);
  return find_file(l, cell, length);
}

/* The column whose first cell is one of the words, earlier words before later ones, or -1. */
static int64_t find_column(const listing *l, const char *const *words) {
  for (; *words; words++)
    for (size_t c = 0; c < l->table.columns; c++) {
      size_t length;
      const char *cell = cell_at(l, 0, c, &length);
      if (length == strlen(*words) && !strncasecmp(cell, *words, length))
        return (int64_t)c;
    }
  return -1;
}

/* A file that is missing may stand in the first line too. */
static bool names_picture(const listing *l, size_t row) {
  return file_of_row(l, row, 0) != NOT_THERE || isc_is_image_name(l->table.cells[row * l->table.columns]);
}

/* The first line is a header if it has a known word, or names no picture where the second line does. */
static iscp_status find_columns(listing *l) {
  static const char *const files[] = {"file", "filename", "file_name", "filepath", "file_path", "path", "image",
                                      "image_name", "image_id", "image_path", "img", "id", "name", NULL};
  static const char *const labels[] = {"label", "class", "target", "category", "label_id", "class_id", "labels",
                                       "class_name", "category_id", "y", NULL};
  if (l->table.columns < 2)
    return isc_fail(ISCP_ERROR_FORMAT, "%s: one column, expected two or more: a file's name and a label", l->table_path);
  int64_t file = find_column(l, files), label = find_column(l, labels);
  bool has_words = (file >= 0 || label >= 0) && file_of_row(l, 0, file >= 0 ? (size_t)file : label == 0) < 0;
  if (!has_words)
    file = label = -1;
  l->file_column = file >= 0 ? (size_t)file : label == 0;
  l->label_column = label >= 0 && label != file ? (size_t)label : l->file_column == 0;
  l->first = has_words || (!names_picture(l, 0) && l->table.rows > 1 && file_of_row(l, 1, 0) >= 0);
  if (l->first && label < 0 && l->table.columns > 2) /* a column a class, as a rule: the second would be wrong labels */
    return isc_fail(ISCP_ERROR_FORMAT, "%s: none of its %zu columns is called label, class, target or category, expected one "
                    "that is, or two columns", l->table_path, l->table.columns);
  if (l->first == l->table.rows)
    return isc_fail(ISCP_ERROR_FORMAT, "%s: a header and no line after it", l->table_path);
  return ISCP_OK;
}

/* ---- Labels ---- */

typedef enum label_kind { WHOLE, NUMBER, NAME } label_kind;

static label_kind kind_of(const char *cell, size_t length) {
  size_t digits = 0;
  while (digits < length && cell[digits] >= '0' && cell[digits] <= '9')
    digits++;
  if (digits == length && digits <= 9)
    return WHOLE;
  return strspn(cell, "+-.0123456789eE") >= length && (digits || cell[0] == '-' || cell[0] == '+') ? NUMBER : NAME;
}

static iscp_status find_kind(label_kind *kind, const listing *l) {
  size_t odd = l->table.rows;
  *kind = WHOLE;
  for (size_t row = l->first; row < l->table.rows; row++) {
    size_t length;
    const char *cell = cell_at(l, row, l->label_column, &length);
    if (!length)
      return isc_fail(ISCP_ERROR_FORMAT, "%s: line %zu has an empty label", l->table_path, l->table.lines[row]);
    label_kind this = kind_of(cell, length);
    if (this == NUMBER && odd == l->table.rows)
      odd = row;
    *kind = this > *kind ? this : *kind;
  }
  if (*kind == NUMBER)
    return isc_fail(ISCP_ERROR_FORMAT, "%s: line %zu has the label \"%.32s\", expected a whole number from 0, or a name",
                    l->table_path, l->table.lines[odd], l->table.cells[odd * l->table.columns + l->label_column]);
  return ISCP_OK;
}

/* Labels become texts of their own, without the blanks around, to be sorted. */
static void trim_labels(listing *l) {
  for (size_t row = l->first; row < l->table.rows; row++) {
    size_t length;
    char *cell = (char *)cell_at(l, row, l->label_column, &length);
    cell[length] = 0;
    l->table.cells[row * l->table.columns + l->label_column] = cell;
  }
}

static char *label_of(const listing *l, size_t row) { return l->table.cells[row * l->table.columns + l->label_column]; }

static iscp_status name_classes(listing *l, int32_t classes) {
  isc_images *images = l->images;
  size_t rows = l->table.rows - l->first, distinct = 0;
  char **names = isc_calloc(images->context, rows, sizeof *names);
  if (!names)
    return ISCP_ERROR_MEMORY;
  for (size_t i = 0; i < rows; i++)
    names[i] = label_of(l, l->first + i);
  qsort(names, rows, sizeof *names, by_bytes);
  for (size_t i = 0; i < rows; i++)
    if (!i || strcmp(names[i], names[i - 1]))
      names[distinct++] = names[i];
  iscp_status status;
  /* A class without images would shift the label of every class after it. */
  if (distinct > ISC_LARGEST_CLASSES || (classes && distinct != (size_t)classes))
    status = isc_fail(ISCP_ERROR_MISMATCH, "%s: %zu different labels, expected %d", l->table_path, distinct,
                      classes ? classes : ISC_LARGEST_CLASSES);
  else
    status = isc_images_set_names(images, names, distinct);
  isc_free(images->context, names);
  images->classes = (int32_t)distinct;
  return status;
}

static iscp_status label_row(int32_t *label, const listing *l, size_t row, label_kind kind, int32_t classes) {
  char *text = label_of(l, row);
  if (kind == NAME) {
    char **found = bsearch(&text, l->images->class_names, l->images->name_count, sizeof *found, by_bytes);
    *label = (int32_t)(found - l->images->class_names); /* all labels are among them */
    return ISCP_OK;
  }
  long value = strtol(text, NULL, 10);
  int32_t bound = classes ? classes : ISC_LARGEST_CLASSES;
  if (value >= bound)
    return isc_fail(ISCP_ERROR_MISMATCH, "%s: line %zu has the label %ld, expected 0 to %d", l->table_path,
                    l->table.lines[row], value, bound - 1);
  *label = (int32_t)value;
  return ISCP_OK;
}

/* ---- Rows ---- */

static iscp_status note_missing(listing *l, size_t row, const char *cell, size_t length, bool skip) {
  char name[256], reason[512];
  snprintf(name, sizeof name, "%.*s", (int)(length < 200 ? length : 200), cell);
  snprintf(reason, sizeof reason, "line %zu of the table lists it, and it is not there", l->table.lines[row]);
  if (!l->missing++)
    l->first_missing = row;
  return skip ? isc_images_add_broken(l->images, name, reason) : ISCP_OK;
}

static iscp_status add_row(listing *l, size_t row, label_kind kind, const iscp_dataset_options *options) {
  size_t length;
  const char *cell = cell_at(l, row, l->file_column, &length);
  int64_t file = find_file(l, cell, length);
  int32_t label;
  ISC_TRY(label_row(&label, l, row, kind, options->classes));
  l->images->classes = label >= l->images->classes ? label + 1 : l->images->classes;
  if (file == NOT_THERE)
    return note_missing(l, row, cell, length, options->skip_broken);
  if (file == TWO_OF_THEM)
    return isc_fail(ISCP_ERROR_FORMAT, "%s: line %zu lists \"%.*s\", which several pictures of %s are but for their "
                    "extensions", l->table_path, l->table.lines[row], (int)length, cell, l->folder);
  if (l->rows[file])
    return isc_fail(ISCP_ERROR_FORMAT, "%s: line %zu lists %s, which line %zu has already", l->table_path,
                    l->table.lines[row], l->files[file], l->table.lines[l->rows[file] - 1]);
  l->rows[file] = row + 1;
  return isc_files_add(l->images, l->folder, l->files[file], label);
}

static iscp_status check_missing(const listing *l, bool skip) {
  if (!l->missing || (skip && isc_files_added(l->images)))
    return ISCP_OK;
  size_t length;
  const char *cell = cell_at(l, l->first_missing, l->file_column, &length);
  return isc_fail(ISCP_ERROR_IO, "%s: line %zu lists \"%.*s\", which is not in %s (the first of %zu such lines of %zu)",
                  l->table_path, l->table.lines[l->first_missing], (int)(length < 200 ? length : 200), cell, l->folder,
                  l->missing, l->table.rows - l->first);
}

/* A picture without a label cannot be used, and may be meant to be left out: that is said, and is no error. */
static void tell_unlisted(const listing *l) {
  size_t unlisted = 0, first = 0;
  for (size_t i = l->file_count; i-- > 0;)
    if (!l->rows[i]) {
      unlisted++;
      first = i;
    }
  if (unlisted)
    isc_log(l->images->context, ISCP_LOG_WARNING, "%s lists no label for %zu of the %zu pictures in %s, which are left out; "
            "the first: %s", l->table_path, unlisted, l->file_count, l->folder, l->files[first]);
}

static iscp_status add_rows(listing *l, const iscp_dataset_options *options) {
  label_kind kind;
  ISC_TRY(find_kind(&kind, l));
  trim_labels(l);
  if (kind == NAME)
    ISC_TRY(name_classes(l, options->classes));
  for (size_t row = l->first; row < l->table.rows; row++)
    ISC_TRY(add_row(l, row, kind, options));
  if (options->classes)
    l->images->classes = options->classes;
  ISC_TRY(check_missing(l, options->skip_broken));
  tell_unlisted(l);
  return ISCP_OK;
}

static iscp_status fill(listing *l, const iscp_dataset_options *options) {
  l->images->kind = "listed pictures";
  ISC_TRY(isc_csv_read(&l->table, l->images->context, l->table_path));
  ISC_TRY(list_files(l));
  ISC_TRY(find_columns(l));
  ISC_TRY(add_rows(l, options));
  isc_files_end(l->images, options->limit);
  return isc_files_verify(l->images, options);
}

iscp_status isc_open_list(isc_images **out, const iscp_context *context, const char *path, const char *table,
                          const iscp_dataset_options *options) {
  listing l = {.folder = path, .table_path = table};
  ISC_TRY(isc_files_create(&l.images, context, path));
  iscp_status status = fill(&l, options);
  isc_names_free(l.files, l.file_count, context);
  isc_free(context, l.rows);
  isc_csv_release(&l.table, context);
  if (status == ISCP_OK)
    *out = l.images;
  else
    isc_images_drop(l.images);
  return status;
}

/* ---- The table of a folder ---- */

bool isc_is_table_name(const char *name) {
  size_t length = strlen(name);
  return length > 4 && (!strcasecmp(name + length - 4, ".csv") || !strcasecmp(name + length - 4, ".tsv"));
}

/* "labels.csv" in the folder, else the only table in it. */
static iscp_status find_inside(char **table, const iscp_context *context, const char *folder) {
  char **names;
  size_t count, tables = 0, last = 0;
  ISC_TRY(isc_list_directory(&names, &count, context, folder));
  for (size_t i = 0; i < count; i++) {
    if (!isc_is_table_name(names[i]) || names[i][0] == '.')
      continue;
    tables++;
    last = i;
    if (!strcasecmp(names[i], "labels.csv")) {
      tables = 1;
      break;
    }
  }
  if (tables == 1)
    *table = isc_path_join(context, folder, names[last]);
  isc_names_free(names, count, context);
  return tables == 1 && !*table ? ISCP_ERROR_MEMORY : ISCP_OK;
}

/* "<folder>.csv" beside it. */
static iscp_status find_beside(char **table, const iscp_context *context, const char *folder) {
  size_t length = strlen(folder);
  while (length > 1 && folder[length - 1] == '/')
    length--;
  char *path = isc_alloc(context, length + 5);
  int64_t size;
  if (!path)
    return ISCP_ERROR_MEMORY;
  snprintf(path, length + 5, "%.*s.csv", (int)length, folder);
  if (isc_file_size(&size, path) == ISCP_OK)
    *table = path;
  else
    isc_free(context, path);
  return ISCP_OK;
}

iscp_status isc_find_table(char **table, const iscp_context *context, const char *folder) {
  *table = NULL;
  ISC_TRY(find_inside(table, context, folder));
  return *table ? ISCP_OK : find_beside(table, context, folder);
}
