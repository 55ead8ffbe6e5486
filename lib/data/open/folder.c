/* Datasets of class folders: classes are the folders' names, images their pictures, both in byte order. So a label depends on the
 * names alone, not on the order in which a file system lists them; what is no picture of a class is left out and logged. */
#include <string.h>

#include "data/open/open.h"

static void note_stray(const isc_images *images, const char *folder, const char *name) {
  isc_log(images->context, ISCP_LOG_INFO, "%s/%s is left out: it is no picture of a class", folder, name);
}

static iscp_status add_class_pictures(isc_images *images, const char *folder, int32_t label) {
  char **names = NULL;
  size_t count = 0, before = isc_files_added(images);
  ISC_TRY(isc_list_directory(&names, &count, images->context, folder));
  iscp_status status = ISCP_OK;
  for (size_t i = 0; i < count; i++)
    if (names[i][0] != '.' && isc_is_image_name(names[i]))
      ISC_TRY_OR_DONE(isc_files_add(images, folder, names[i], label));
    else
      note_stray(images, folder, names[i]);
  if (isc_files_added(images) == before)
    status = isc_fail(ISCP_ERROR_FORMAT, "%s: none of its %zu entries is a picture (.png, .jpg), expected one or more in a "
                      "class folder", folder, count);
done:
  isc_names_free(names, count, images->context);
  return status;
}

/* Adds the class `name` if it is a folder. Hidden folders are leavings of other programs. */
static iscp_status add_class(isc_images *images, const char *root, const char *name) {
  const iscp_context *context = images->context;
  char *folder = isc_path_join(context, root, name);
  if (!folder)
    return ISCP_ERROR_MEMORY;
  iscp_status status = ISCP_OK;
  if (name[0] == '.' || !isc_is_directory(folder)) {
    note_stray(images, root, name);
    goto done;
  }
  if (images->name_count == ISC_LARGEST_CLASSES)
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_MISMATCH, "%s: more than %d class folders", root, ISC_LARGEST_CLASSES));
  ISC_TRY_OR_DONE(add_class_pictures(images, folder, (int32_t)images->name_count));
  char *copy = isc_strdup(context, name);
  if (!copy)
    ISC_TRY_OR_DONE(ISCP_ERROR_MEMORY);
  images->class_names[images->name_count++] = copy;
done:
  isc_free(context, folder);
  return status;
}

static iscp_status add_classes(isc_images *images, const char *root) {
  char **names = NULL;
  size_t count = 0;
  ISC_TRY(isc_list_directory(&names, &count, images->context, root));
  iscp_status status = ISCP_OK;
  images->class_names = isc_calloc(images->context, count, sizeof *images->class_names);
  if (!images->class_names)
    ISC_TRY_OR_DONE(ISCP_ERROR_MEMORY);
  for (size_t i = 0; i < count; i++)
    ISC_TRY_OR_DONE(add_class(images, root, names[i]));
done:
  isc_names_free(names, count, images->context);
  return status;
}

/* A missing folder would shift the label of every class after it, so that their number must be the one asked for. */
static iscp_status check_classes(const isc_images *images, const char *root, int32_t classes) {
  if (!images->name_count)
    return isc_fail(ISCP_ERROR_FORMAT, "%s: no class folder with pictures in it, nor a table of labels (.csv)", root);
  if (classes && images->name_count != (size_t)classes)
    return isc_fail(ISCP_ERROR_MISMATCH, "%s: %zu class folders, expected %d", root, images->name_count, classes);
  return ISCP_OK;
}

static iscp_status fill(isc_images *images, const char *path, const iscp_dataset_options *options) {
  images->kind = "class folders";
  ISC_TRY(add_classes(images, path));
  ISC_TRY(check_classes(images, path, options->classes));
  images->classes = (int32_t)images->name_count;
  isc_files_end(images, options->limit);
  return isc_files_verify(images, options);
}

iscp_status isc_open_folder(isc_images **out, const iscp_context *context, const char *path,
                            const iscp_dataset_options *options) {
  isc_images *images;
  ISC_TRY(isc_files_create(&images, context, path));
  iscp_status status = fill(images, path, options);
  if (status == ISCP_OK)
    *out = images;
  else
    isc_images_drop(images);
  return status;
}
