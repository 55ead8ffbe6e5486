/* The folder of a report: is one there already, may it be replaced, can it be gone on with. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

/* In `form` a # stands for one or more digits. */
static int matches(const char *name, const char *form) {
  for (; *form; form++) {
    if (*form != '#') {
      if (*name++ != *form)
        return 0;
      continue;
    }
    size_t digits = strspn(name, "0123456789");
    if (!digits)
      return 0;
    name += digits;
  }
  return !*name;
}

/* The names that a report gives its files; anything else in the folder is not touched. */
static int is_ours(const char *name) {
  static const char *const forms[] = {"result.json",      "sheet.png",          "sheet-#.png",     "pattern-#.png",
                                      "canvas-#.png", "mask-#-#.npy", "evidence-#-#.npy", "canvas-#-#.npy"};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    if (matches(name, forms[i]))
      return 1;
  return 0;
}

static iscp_status remove_file(const iscp_context *context, const char *folder, const char *name) {
  char *path = isc_path_join(context, folder, name);
  if (!path)
    return ISCP_ERROR_MEMORY;
  iscp_status status = ISCP_OK;
  if (remove(path) && errno != ENOENT)
    status = isc_fail(ISCP_ERROR_IO, "%s cannot be removed: %s", path, strerror(errno));
  isc_free(context, path);
  return status;
}

/* result.json goes first: it must never name what is gone. */
static iscp_status remove_report(const iscp_context *context, const char *folder) {
  ISC_TRY(remove_file(context, folder, "result.json"));
  char **names;
  size_t count;
  ISC_TRY(isc_list_directory(&names, &count, context, folder));
  iscp_status status = ISCP_OK;
  for (size_t i = 0; i < count && status == ISCP_OK; i++)
    if (is_ours(names[i]))
      status = remove_file(context, folder, names[i]);
  isc_names_free(names, count, context);
  return status;
}

static iscp_status check_file(const iscp_context *context, const char *folder, const char *name) {
  char *path = isc_path_join(context, folder, name);
  int64_t size;
  iscp_status status = path ? isc_file_size(&size, path) : ISCP_ERROR_MEMORY;
  isc_free(context, path);
  return status;
}

iscp_status isc_folder_check_files(const isc_result *result, const iscp_context *context, const char *folder) {
  for (size_t i = 0; i < result->entry_count; i++) {
    const isc_entry *entry = &result->entries[i];
    ISC_TRY(check_file(context, folder, entry->mask));
    ISC_TRY(check_file(context, folder, entry->evidence));
    ISC_TRY(check_file(context, folder, entry->colours));
  }
  return ISCP_OK;
}

/* Takes the entries of the report that is there, if it is of the same run, under the manifest of this one. */
static iscp_status go_on(isc_result *result, const iscp_context *context, const char *folder) {
  isc_result there;
  ISC_TRY(isc_result_read(&there, context, folder));
  iscp_status status = isc_manifest_compare(there.manifest, result->manifest);
  if (status != ISCP_OK) {
    status = isc_fail_in(status, folder);
    goto done;
  }
  ISC_TRY_OR_DONE(isc_folder_check_files(&there, context, folder));
  ISC_TRY_OR_DONE(isc_manifest_join_classes(result->manifest, there.manifest));
  isc_result joined = there;
  joined.manifest = result->manifest;
  result->manifest = there.manifest;
  there = *result;
  *result = joined;
done:
  isc_result_release(&there, context);
  return status;
}

/* A report without a finished class holds nothing that could be lost. */
static int is_empty(const iscp_context *context, const char *folder) {
  isc_result there;
  if (isc_result_read(&there, context, folder) != ISCP_OK)
    return 0;
  int empty = !there.finished_count;
  isc_result_release(&there, context);
  return empty;
}

iscp_status isc_folder_open(isc_result *result, const iscp_context *context, const char *folder, int resume,
                            int overwrite) {
  ISC_TRY(isc_make_directory(folder));
  if (check_file(context, folder, "result.json") == ISCP_OK) {
    if (resume)
      ISC_TRY(go_on(result, context, folder));
    else if (overwrite || is_empty(context, folder))
      ISC_TRY(remove_report(context, folder));
    else
      return isc_fail(ISCP_ERROR_IO, "%s holds a report already, expected resume, overwrite or another folder", folder);
  }
  return isc_result_write(result, context, folder);
}
