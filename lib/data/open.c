/* Opening a dataset by its path: tells an array's file, MNIST's four files, splits, and class folders apart, and finds
 * the labels beside an array. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "data/dataset.h"

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

static iscp_status open_array(iscp_dataset *dataset, const char *path, const iscp_dataset_options *options) {
  const iscp_context *context = dataset->context;
  isc_tensor pixels = {0}, labels = {0};
  char *found = NULL;
  iscp_status status;
  ISC_TRY_OR_DONE(isc_read_array(&pixels, context, path));
  if (!options->labels)
    ISC_TRY_OR_DONE(find_labels(&found, context, path));
  const char *labels_path = options->labels ? options->labels : found;
  ISC_TRY_OR_DONE(isc_read_array(&labels, context, labels_path));
  ISC_TRY_OR_DONE(isc_dataset_set_array(dataset, &pixels, path, &labels, labels_path, options));
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

/* A folder of a split holds folders; a class that happens to be called "train" holds pictures. */
static iscp_status find_split(char **path, const iscp_context *context, const char *directory, const char *split) {
  *path = NULL;
  char **names = NULL;
  size_t count = 0;
  bool found = false;
  iscp_status status = ISCP_OK;
  char *folder = isc_path_join(context, directory, split);
  if (!folder)
    return ISCP_ERROR_MEMORY;
  if (isc_is_directory(folder))
    ISC_TRY_OR_DONE(isc_list_directory(&names, &count, context, folder));
  for (size_t i = 0; i < count && !found; i++) {
    char *inner = isc_path_join(context, folder, names[i]);
    if (!inner)
      ISC_TRY_OR_DONE(ISCP_ERROR_MEMORY);
    found = isc_is_directory(inner);
    isc_free(context, inner);
  }
done:
  isc_names_free(names, count, context);
  if (found)
    *path = folder;
  else
    isc_free(context, folder);
  return status;
}

typedef iscp_status (*find_fn)(char **path, const iscp_context *context, const char *directory, const char *split);

/* Finds the split asked for (test if none is). If only the other one is there, that is an error: training images must
 * not stand in for test images unasked. */
static iscp_status find(char **path, find_fn finder, const iscp_context *context, const char *directory,
                        const char *asked) {
  const char *split = asked ? asked : "test", *other = strcmp(split, "test") ? "test" : "train";
  ISC_TRY(finder(path, context, directory, split));
  if (*path)
    return ISCP_OK;
  char *other_path;
  ISC_TRY(finder(&other_path, context, directory, other));
  bool only_other = other_path != NULL;
  isc_free(context, other_path);
  if (only_other)
    return isc_fail(ISCP_ERROR_IO, "%s: no split \"%s\", only \"%s\"", directory, split, other);
  return ISCP_OK;
}

static iscp_status open_directory(iscp_dataset *dataset, const char *path, const iscp_dataset_options *options) {
  char *array = NULL, *folder = NULL;
  iscp_status status;
  ISC_TRY_OR_DONE(find(&array, find_mnist, dataset->context, path, options->split));
  if (array) {
    ISC_TRY_OR_DONE(open_array(dataset, array, options));
    goto done;
  }
  if (options->labels)
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_ARGUMENT, "labels is \"%s\", expected NULL for the class folders of %s",
                             options->labels, path));
  ISC_TRY_OR_DONE(find(&folder, find_split, dataset->context, path, options->split));
  if (!folder && options->split)
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_IO, "%s: no folder \"%s\" of class folders in it", path, options->split));
  ISC_TRY_OR_DONE(isc_dataset_set_folder(dataset, folder ? folder : path, options));
done:
  isc_free(dataset->context, array);
  isc_free(dataset->context, folder);
  return status;
}

iscp_status iscp_dataset_open(iscp_dataset **out, iscp_context *context, const char *path,
                              const iscp_dataset_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!context || !path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", context ? "path" : "context");
  iscp_dataset *dataset;
  iscp_dataset_options options;
  ISC_TRY(isc_dataset_begin(&dataset, &options, context, given));
  iscp_status status;
  if (options.split && strcmp(options.split, "train") && strcmp(options.split, "test"))
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_ARGUMENT, "split is \"%s\", expected \"train\" or \"test\"", options.split));
  if (isc_is_directory(path))
    ISC_TRY_OR_DONE(open_directory(dataset, path, &options));
  else
    ISC_TRY_OR_DONE(open_array(dataset, path, &options));
  *out = dataset;
  dataset = NULL;
done:
  iscp_dataset_destroy(dataset);
  return status;
}
