/* Folders and names in them; and the folder of a command's own results, which takes no report's place. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

void make_parents(const char *path) {
  char *copy = take_copy(path);
  for (char *slash = *copy ? strchr(copy + 1, '/') : NULL; slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(copy, 0777);
    *slash = '/';
  }
  free(copy);
}

char *join_path(const char *folder, const char *name) {
  size_t size = strlen(folder) + strlen(name) + 2;
  char *path = take(size);
  snprintf(path, size, "%s/%s", folder, name);
  return path;
}

int folder_make(const char *folder) {
  struct stat about;
  make_parents(folder);
  if (!mkdir(folder, 0777) || (!stat(folder, &about) && S_ISDIR(about.st_mode)))
    return EXIT_DONE;
  complain("%s cannot be made: %s", folder, strerror(errno));
  return EXIT_FAILED;
}

int folder_has(const char *folder, const char *name) {
  char *path = join_path(folder, name);
  int is_there = access(path, F_OK) == 0;
  free(path);
  return is_there;
}

static int is_report(iscp_context *context, const char *folder) {
  iscp_pattern_list *list;
  iscp_status status = iscp_pattern_list_load(&list, context, folder);
  iscp_pattern_list_destroy(list);
  return status == ISCP_OK;
}

static int refuse(const char *folder, const char *why) {
  complain("%s: %s", folder, why);
  return EXIT_FAILED;
}

int results_open(iscp_context *context, const char *folder, int overwrite) {
  struct stat entry;
  if (is_report(context, folder))
    return refuse(folder, "it holds a report of iscp search, expected another folder behind -o");
  if (folder_has(folder, "result.json") && !overwrite)
    return refuse(folder, "it holds results already; replace them by --overwrite");
  make_parents(folder);
  if (mkdir(folder, 0777) && errno != EEXIST)
    return refuse(folder, strerror(errno));
  if (stat(folder, &entry) || !S_ISDIR(entry.st_mode))
    return refuse(folder, "it is no folder, expected one behind -o");
  char *result = join_path(folder, "result.json");
  unlink(result);
  free(result);
  return EXIT_DONE;
}
