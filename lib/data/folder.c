/* Datasets of class folders: classes are the folders' names, images their pictures, both in byte order. */
#include <string.h>

#include "data/dataset.h"

static void note_stray(const iscp_dataset *dataset, const char *folder, const char *name) {
  isc_log(dataset->context, ISCP_LOG_INFO, "%s/%s is left out: it is no picture of a class", folder, name);
}

iscp_status isc_dataset_add_file(iscp_dataset *dataset, const char *folder, const char *name, int32_t label) {
  const iscp_context *context = dataset->context;
  size_t count = dataset->path_count;
  ISC_TRY(isc_grow(context, (void **)&dataset->paths, &dataset->path_capacity, count + 1, sizeof *dataset->paths));
  ISC_TRY(isc_grow(context, (void **)&dataset->labels, &dataset->label_capacity, count + 1, sizeof *dataset->labels));
  dataset->paths[count] = isc_path_join(context, folder, name);
  if (!dataset->paths[count])
    return ISCP_ERROR_MEMORY;
  dataset->labels[count] = label;
  dataset->path_count++;
  return ISCP_OK;
}

static iscp_status add_class_pictures(iscp_dataset *dataset, const char *folder, int32_t label) {
  char **names = NULL;
  size_t count = 0, before = dataset->path_count;
  ISC_TRY(isc_list_directory(&names, &count, dataset->context, folder));
  iscp_status status = ISCP_OK;
  for (size_t i = 0; i < count; i++)
    if (names[i][0] != '.' && isc_is_image_name(names[i]))
      ISC_TRY_OR_DONE(isc_dataset_add_file(dataset, folder, names[i], label));
    else
      note_stray(dataset, folder, names[i]);
  if (dataset->path_count == before)
    status = isc_fail(ISCP_ERROR_FORMAT, "%s: none of its %zu entries is a picture (.png, .jpg), expected one or more in a "
                      "class folder", folder, count);
done:
  isc_names_free(names, count, dataset->context);
  return status;
}

/* Adds the class `name` if it is a folder. Hidden folders are leavings of other programs. */
static iscp_status add_class(iscp_dataset *dataset, const char *root, const char *name) {
  const iscp_context *context = dataset->context;
  char *folder = isc_path_join(context, root, name);
  if (!folder)
    return ISCP_ERROR_MEMORY;
  iscp_status status = ISCP_OK;
  if (name[0] == '.' || !isc_is_directory(folder)) {
    note_stray(dataset, root, name);
    goto done;
  }
  if (dataset->name_count == ISC_LARGEST_CLASSES)
    ISC_TRY_OR_DONE(isc_fail(ISCP_ERROR_MISMATCH, "%s: more than %d class folders", root, ISC_LARGEST_CLASSES));
  ISC_TRY_OR_DONE(add_class_pictures(dataset, folder, (int32_t)dataset->name_count));
  char *copy = isc_strdup(context, name);
  if (!copy)
    ISC_TRY_OR_DONE(ISCP_ERROR_MEMORY);
  dataset->class_names[dataset->name_count++] = copy;
done:
  isc_free(context, folder);
  return status;
}

static iscp_status add_classes(iscp_dataset *dataset, const char *root) {
  char **names = NULL;
  size_t count = 0;
  ISC_TRY(isc_list_directory(&names, &count, dataset->context, root));
  iscp_status status = ISCP_OK;
  dataset->class_names = isc_calloc(dataset->context, count, sizeof *dataset->class_names);
  if (!dataset->class_names)
    ISC_TRY_OR_DONE(ISCP_ERROR_MEMORY);
  for (size_t i = 0; i < count; i++)
    ISC_TRY_OR_DONE(add_class(dataset, root, names[i]));
done:
  isc_names_free(names, count, dataset->context);
  return status;
}

/* A missing folder would shift the label of every class after it, so that their number must be the one asked for. */
static iscp_status check_classes(const iscp_dataset *dataset, const char *root, int32_t classes) {
  if (!dataset->name_count)
    return isc_fail(ISCP_ERROR_FORMAT, "%s: no class folder with pictures in it, nor a table of labels (.csv)", root);
  if (classes && dataset->name_count != (size_t)classes)
    return isc_fail(ISCP_ERROR_MISMATCH, "%s: %zu class folders, expected %d", root, dataset->name_count, classes);
  return ISCP_OK;
}

iscp_status isc_dataset_set_folder(iscp_dataset *dataset, const char *path, const iscp_dataset_options *options) {
  size_t length = strlen(path);
  dataset->root_length = length + (length && path[length - 1] != '/'); /* as isc_path_join puts it */
  ISC_TRY(add_classes(dataset, path));
  ISC_TRY(check_classes(dataset, path, options->classes));
  int64_t images = (int64_t)dataset->path_count;
  dataset->count = options->limit && options->limit < images ? options->limit : images;
  dataset->classes = (int32_t)dataset->name_count;
  dataset->kind = "class folders";
  return isc_dataset_verify(dataset, options);
}
