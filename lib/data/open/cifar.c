/* Datasets of CIFAR-10 and CIFAR-100, binary edition: the directory or the archive as they were published. format/array/cifar.c
 * reads the records; here it is said which split, and what the Python edition, whose pickles are not read, is to become. */
#include <string.h>

#include "data/open/open.h"

static int split_of(const iscp_dataset_options *options) {
  return options->split && !strcmp(options->split, "train") ? ISC_CIFAR_TRAIN : ISC_CIFAR_TEST;
}

static iscp_status check_options(const char *path, const iscp_dataset_options *options) {
  if (options->labels)
    return isc_fail(ISCP_ERROR_ARGUMENT, "labels is \"%s\", expected NULL for %s, which holds its own", options->labels,
                    path);
  if (options->split && !strcmp(options->split, "val"))
    return isc_fail(ISCP_ERROR_IO, "%s: CIFAR has no split \"val\", expected \"train\" or \"test\"", path);
  return ISCP_OK;
}

/* All labels are below the number of classes, which is CIFAR's own unless the caller asks for another. */
static iscp_status take(isc_images **out, const iscp_context *context, isc_cifar *cifar, const char *path,
                        const iscp_dataset_options *options) {
  iscp_dataset_options own = *options;
  own.classes = own.classes ? own.classes : cifar->classes;
  own.layout = ISCP_LAYOUT_NCHW;
  isc_images *images;
  isc_labelled array = {&cifar->pixels, &cifar->labels, path, path};
  ISC_TRY(isc_memory_create(&images, context, &array, &cifar->pixels, &own));
  images->kind = cifar->classes == 10 ? "CIFAR-10" : "CIFAR-100";
  iscp_status status = cifar->names ? isc_images_set_names(images, cifar->names, (size_t)cifar->classes) : ISCP_OK;
  if (status == ISCP_OK)
    *out = images;
  else
    isc_images_drop(images);
  return status;
}

static bool has(char *const *names, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (!strcmp(names[i], name))
      return true;
  return false;
}

/* The pickled edition: a user may name its folder, or the one that holds it. Of CIFAR-100 its files are train, test, meta. */
static iscp_status refuse_python(const iscp_context *context, const char *path) {
  char **names;
  size_t count;
  ISC_TRY(isc_list_directory(&names, &count, context, path));
  bool is_python = has(names, count, "cifar-10-batches-py") || has(names, count, "cifar-100-python") ||
                   has(names, count, "test_batch");
  if (has(names, count, "meta") && has(names, count, "train")) {
    char *train = isc_path_join(context, path, "train");
    is_python |= train && !isc_is_directory(train);
    isc_free(context, train);
  }
  isc_names_free(names, count, context);
  return is_python ? isc_fail(ISCP_ERROR_UNSUPPORTED, "%s: %s", path, ISC_CIFAR_PYTHON_TEXT) : ISCP_OK;
}

iscp_status isc_open_cifar_directory(isc_images **out, const iscp_context *context, const char *path,
                                     const iscp_dataset_options *options) {
  isc_cifar cifar;
  iscp_status status;
  *out = NULL;
  ISC_TRY(isc_cifar_read_directory(&cifar, context, path, split_of(options)));
  if (!cifar.pixels.data) {
    /* The other split alone is no reason to look for class folders. */
    ISC_TRY(isc_cifar_read_directory(&cifar, context, path, !split_of(options)));
    bool only_other = cifar.pixels.data != NULL;
    isc_cifar_release(&cifar, context);
    if (only_other)
      return isc_fail(ISCP_ERROR_IO, "%s: no split \"%s\", only \"%s\"", path,
                      split_of(options) == ISC_CIFAR_TRAIN ? "train" : "test",
                      split_of(options) == ISC_CIFAR_TRAIN ? "test" : "train");
    return refuse_python(context, path);
  }
  status = check_options(path, options);
  if (status == ISCP_OK)
    status = take(out, context, &cifar, path, options);
  isc_cifar_release(&cifar, context);
  return status;
}

iscp_status isc_open_cifar_archive(isc_images **out, const iscp_context *context, const char *path,
                                   const iscp_dataset_options *options) {
  isc_cifar cifar;
  ISC_TRY(check_options(path, options));
  ISC_TRY(isc_cifar_read_archive(&cifar, context, path, split_of(options)));
  iscp_status status = cifar.pixels.data ? take(out, context, &cifar, path, options)
                                         : isc_fail(ISCP_ERROR_IO, "%s: no files of the split \"%s\" in it", path,
                                                    split_of(options) == ISC_CIFAR_TRAIN ? "train" : "test");
  isc_cifar_release(&cifar, context);
  return status;
}
