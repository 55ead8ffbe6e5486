/* Opening a dataset by its path: tells arrays, archives, tables, MNIST's four files, CIFAR's, splits, class folders and flat
 * folders apart, and finds the labels beside an array. What a file is, its first bytes say. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "data/open/open.h"

static const char IMAGES_PART[] = "images-idx3", LABELS_PART[] = "labels-idx1";

/* ---- An array and its labels ---- */

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* Looking for a file leaves no message when it is not there. */
static int is_file(const char *path) {
  struct stat state;
  return stat(path, &state) == 0 && S_ISREG(state.st_mode);
}

/* `text` with `length` bytes from `at` on replaced by `part`; the caller's. */
static char *replaced(const iscp_context *context, const char *text, size_t at, size_t length, const char *part) {
  size_t size = strlen(text) - length + strlen(part) + 1;
  char *result = isc_alloc(context, size);
  if (result)
    snprintf(result, size, "%.*s%s%s", (int)at, text, part, text + at + length);
  return result;
}

/* "<name>-labels.npy" or "<name>_labels.npy", whichever is there. */
static iscp_status find_npy_labels(char **labels, const iscp_context *context, const char *path) {
  static const char *const endings[] = {"-labels.npy", "_labels.npy"};
  for (int i = 0; i < 2; i++) {
    char *candidate = replaced(context, path, strlen(path) - 4, 4, endings[i]);
    if (!candidate)
      return ISCP_ERROR_MEMORY;
    if (is_file(candidate)) {
      *labels = candidate;
      return ISCP_OK;
    }
    isc_free(context, candidate);
  }
  return isc_fail(ISCP_ERROR_IO, "%s: no labels beside it, expected %.*s-labels.npy, or the option labels", path,
                  (int)strlen(path) - 4, path);
}

static iscp_status find_labels(char **labels, const iscp_context *context, const char *path) {
  const char *name = base_name(path), *part = strstr(name, IMAGES_PART);
  size_t length = strlen(name);
  if (part) {
    *labels = replaced(context, path, (size_t)(part - path), strlen(IMAGES_PART), LABELS_PART);
    return *labels ? ISCP_OK : ISCP_ERROR_MEMORY;
  }
  if (length > 4 && !strcasecmp(name + length - 4, ".npy"))
    return find_npy_labels(labels, context, path);
  return isc_fail(ISCP_ERROR_IO, "%s: its labels cannot be found, expected \"%s\" or .npy in the name, or the option "
                  "labels", path, IMAGES_PART);
}

/* An array larger than what may stay in memory is left in its file, if its numbers stand there as they are. */
static iscp_status open_array(isc_images **out, const iscp_context *context, const char *path,
                              const iscp_dataset_options *options) {
  isc_tensor pixels = {0}, labels = {0};
  isc_array_header header;
  char *found = NULL;
  iscp_status status;
  ISC_TRY_OR_DONE(isc_describe_array(&header, context, path));
  if (!options->labels)
    ISC_TRY_OR_DONE(find_labels(&found, context, path));
  const char *labels_path = options->labels ? options->labels : found;
  ISC_TRY_OR_DONE(isc_read_array(&labels, context, labels_path));
  int64_t count;
  ISC_TRY_OR_DONE(isc_shape_count(&count, header.dims, header.shape));
  if (header.offset >= 0 && count > (options->memory > 0 ? options->memory : 0)) {
    ISC_TRY_OR_DONE(isc_array_file_create(out, context, &header, path, &labels, labels_path, options));
  } else {
    ISC_TRY_OR_DONE(isc_read_array(&pixels, context, path));
    isc_labelled array = {&pixels, &labels, path, labels_path};
    ISC_TRY_OR_DONE(isc_memory_create(out, context, &array, &pixels, options));
  }
  (*out)->kind = "array";
done:
  isc_tensor_release(&pixels, context);
  isc_tensor_release(&labels, context);
  isc_free(context, found);
  return status;
}

/* ---- Directories ---- */

/* The path of MNIST's images of a split in `directory`, plain or .gz; *path is NULL if it is not there. */
static iscp_status find_mnist(char **path, const iscp_context *context, const char *directory, const char *split) {
  static const char *const endings[] = {"", ".gz"};
  *path = NULL;
  for (int i = 0; i < 2; i++) {
    char name[64];
    if (!strcmp(split, "val"))
      return ISCP_OK;
    snprintf(name, sizeof name, "%s-%s-ubyte%s", strcmp(split, "test") ? "train" : "t10k", IMAGES_PART, endings[i]);
    char *candidate = isc_path_join(context, directory, name);
    if (!candidate)
      return ISCP_ERROR_MEMORY;
    if (is_file(candidate)) {
      *path = candidate;
      return ISCP_OK;
    }
    isc_free(context, candidate);
  }
  return ISCP_OK;
}

/* Whether a folder holds folders that are not hidden, or pictures by a table. */
static iscp_status holds_images(bool *holds, const iscp_context *context, const char *folder) {
  char **names, *table = NULL;
  size_t count;
  ISC_TRY(isc_list_directory(&names, &count, context, folder));
  iscp_status status = ISCP_OK;
  for (size_t i = 0; i < count && !*holds; i++) {
    if (names[i][0] == '.')
      continue;
    char *inner = isc_path_join(context, folder, names[i]);
    if (!inner)
      ISC_TRY_OR_DONE(ISCP_ERROR_MEMORY);
    *holds = isc_is_directory(inner);
    isc_free(context, inner);
  }
  if (!*holds)
    ISC_TRY_OR_DONE(isc_find_table(&table, context, folder));
  *holds |= table != NULL;
done:
  isc_free(context, table);
  isc_names_free(names, count, context);
  return status;
}

/* The folder of a split by any of its usual names. A folder of a split holds folders, or a table; a class that happens to be
 * called "train" holds pictures alone. */
static iscp_status find_split(char **path, const iscp_context *context, const char *directory, const char *split) {
  static const char *const names[][4] = {
      {"train", "training", NULL}, {"val", "valid", "validation", NULL}, {"test", "testing", NULL}};
  int row = 0;
  *path = NULL;
  while (strcmp(names[row][0], split))
    row++;
  for (int i = 0; names[row][i]; i++) {
    bool holds = false;
    char *folder = isc_path_join(context, directory, names[row][i]);
    if (!folder)
      return ISCP_ERROR_MEMORY;
    iscp_status status = isc_is_directory(folder) ? holds_images(&holds, context, folder) : ISCP_OK;
    if (status == ISCP_OK && holds) {
      *path = folder;
      return ISCP_OK;
    }
    isc_free(context, folder);
    ISC_TRY(status);
  }
  return ISCP_OK;
}

typedef iscp_status (*find_fn)(char **path, const iscp_context *context, const char *directory, const char *split);

/* Finds the split asked for; if none is, test, else val. If only another one is there, that is an error: training images
 * must not stand in for test images unasked. */
static iscp_status find(char **path, find_fn finder, const iscp_context *context, const char *directory,
                        const char *asked) {
  static const char *const splits[] = {"test", "val", "train"};
  const char *other = NULL;
  ISC_TRY(finder(path, context, directory, asked ? asked : "test"));
  if (!*path && !asked)
    ISC_TRY(finder(path, context, directory, "val"));
  for (int i = 0; i < 3 && !*path && !other; i++) {
    char *found;
    ISC_TRY(finder(&found, context, directory, splits[i]));
    other = found ? splits[i] : NULL;
    isc_free(context, found);
  }
  if (other)
    return isc_fail(ISCP_ERROR_IO, "%s: no split \"%s\", only \"%s\"", directory, asked ? asked : "test", other);
  return ISCP_OK;
}

static iscp_status has_directory(bool *has, const iscp_context *context, const char *path) {
  char **names;
  size_t count;
  *has = false;
  ISC_TRY(isc_list_directory(&names, &count, context, path));
  iscp_status status = ISCP_OK;
  for (size_t i = 0; i < count && !*has && status == ISCP_OK; i++) {
    char *inner = names[i][0] == '.' ? NULL : isc_path_join(context, path, names[i]);
    *has = inner && isc_is_directory(inner);
    status = inner || names[i][0] == '.' ? ISCP_OK : ISCP_ERROR_MEMORY;
    isc_free(context, inner);
  }
  isc_names_free(names, count, context);
  return status;
}

/* Class folders, if there is a folder and no table was given; else the table says what the pictures are. */
static iscp_status open_pictures(isc_images **out, const iscp_context *context, const char *path,
                                 const iscp_dataset_options *options) {
  char *table = NULL;
  bool folders;
  if (options->labels)
    return isc_open_list(out, context, path, options->labels, options);
  ISC_TRY(has_directory(&folders, context, path));
  if (!folders)
    ISC_TRY(isc_find_table(&table, context, path));
  iscp_status status = table ? isc_open_list(out, context, path, table, options)
                             : isc_open_folder(out, context, path, options);
  isc_free(context, table);
  return status;
}

static iscp_status open_split(isc_images **out, const iscp_context *context, const char *path,
                              const iscp_dataset_options *options) {
  char *folder = NULL;
  iscp_status status;
  ISC_TRY_OR_DONE(find(&folder, find_split, context, path, options->split));
  if (!folder && options->split)
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_IO, "%s: no folder \"%s\" of class folders in it", path, options->split));
  ISC_TRY_OR_DONE(open_pictures(out, context, folder ? folder : path, options));
done:
  isc_free(context, folder);
  return status;
}

static iscp_status open_directory(isc_images **out, const iscp_context *context, const char *path,
                                  const iscp_dataset_options *options) {
  char *array = NULL;
  iscp_status status;
  ISC_TRY_OR_DONE(find(&array, find_mnist, context, path, options->split));
  if (array) {
    ISC_TRY_OR_DONE(open_array(out, context, array, options));
    goto done;
  }
  if (options->labels && !isc_is_table_name(options->labels))
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_ARGUMENT, "labels is \"%s\", expected a table (.csv) for the pictures of %s",
                             options->labels, path));
  ISC_TRY_OR_DONE(isc_open_cifar_directory(out, context, path, options));
  if (!*out)
    ISC_TRY_OR_DONE(open_split(out, context, path, options));
done:
  isc_free(context, array);
  return status;
}

/* ---- Files ---- */

/* A table lists pictures of the folder that it stands in. */
static iscp_status open_table(isc_images **out, const iscp_context *context, const char *path,
                              const iscp_dataset_options *options) {
  const char *name = base_name(path);
  size_t length = (size_t)(name - path);
  if (options->labels)
    return isc_fail(ISCP_ERROR_ARGUMENT, "labels is \"%s\", expected NULL for the table %s", options->labels, path);
  char *folder = isc_alloc(context, length + 2);
  if (!folder)
    return ISCP_ERROR_MEMORY;
  snprintf(folder, length + 2, "%.*s", length ? (int)length : 1, length ? path : ".");
  iscp_status status = isc_open_list(out, context, folder, path, options);
  isc_free(context, folder);
  return status;
}

static iscp_status open_file(isc_images **out, const iscp_context *context, const char *path,
                             const iscp_dataset_options *options) {
  isc_bundle bundle;
  if (isc_is_table_name(path))
    return open_table(out, context, path, options);
  ISC_TRY(isc_find_bundle(&bundle, context, path));
  if (bundle == ISC_BUNDLE_NPZ)
    return isc_open_npz(out, context, path, options);
  if (bundle == ISC_BUNDLE_TAR_GZIP)
    return isc_open_cifar_archive(out, context, path, options);
  return open_array(out, context, path, options);
}

static iscp_status check_split(const char *split) {
  static const char *const known[] = {"train", "val", "test"};
  for (int i = 0; i < 3; i++)
    if (!split || !strcmp(split, known[i]))
      return ISCP_OK;
  return isc_fail(ISCP_ERROR_ARGUMENT, "split is \"%s\", expected \"train\", \"val\" or \"test\"", split);
}

iscp_status isc_images_open(isc_images **out, const iscp_context *context, const char *path,
                            const iscp_dataset_options *options) {
  ISC_TRY(check_split(options->split));
  return isc_is_directory(path) ? open_directory(out, context, path, options) : open_file(out, context, path, options);
}
