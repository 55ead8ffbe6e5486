/* What iscp train leaves in its folder: state.safetensors, model.safetensors, and epoch-<number>.safetensors of --keep. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "commands/train/folder.h"

static int is_weights(const char *name) {
  static const char epoch[] = "epoch-";
  if (!strcmp(name, "model.safetensors"))
    return 1;
  if (strncmp(name, epoch, strlen(epoch)) != 0)
    return 0;
  const char *number = name + strlen(epoch);
  size_t digits = strspn(number, "0123456789");
  return digits && !strcmp(number + digits, ".safetensors");
}

/* By what the file is, not by its name: `from` may be a link. */
static int refuse_source(const char *path, const char *from) {
  struct stat one, other;
  if (!from || stat(path, &one) != 0 || stat(from, &other) != 0 || one.st_dev != other.st_dev || one.st_ino != other.st_ino)
    return EXIT_DONE;
  complain("--overwrite would remove %s, which --from begins with, expected another folder behind -o", from);
  return EXIT_FAILED;
}

static int remove_file(const char *path, const char *from) {
  (void)from;
  if (unlink(path) == 0)
    return EXIT_DONE;
  complain("%s cannot be removed: %s", path, strerror(errno));
  return EXIT_FAILED;
}

/* Of every file of weights, until one is not EXIT_DONE. */
static int each_weights(const char *folder, int (*act)(const char *path, const char *from), const char *from) {
  DIR *directory = opendir(folder);
  if (!directory) {
    complain("%s cannot be read: %s", folder, strerror(errno));
    return EXIT_FAILED;
  }
  int code = EXIT_DONE;
  const struct dirent *entry;
  while (code == EXIT_DONE && (entry = readdir(directory)))
    if (is_weights(entry->d_name)) {
      char *path = join_path(folder, entry->d_name);
      code = act(path, from);
      free(path);
    }
  closedir(directory);
  return code;
}

int training_remove(const char *folder, const char *state, const char *from) {
  int code = refuse_source(state, from);
  if (code == EXIT_DONE)
    code = each_weights(folder, refuse_source, from);
  if (code == EXIT_DONE)
    code = remove_file(state, NULL);
  return code == EXIT_DONE ? each_weights(folder, remove_file, NULL) : code;
}
