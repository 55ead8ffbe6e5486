/* Files that appear whole or not at all: written beside their place, then renamed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

int whole_open(whole_file *whole, const char *path) {
  size_t size = strlen(path) + sizeof ".part";
  *whole = (whole_file){.path = take_copy(path), .partial = take(size)};
  snprintf(whole->partial, size, "%s.part", path);
  whole->file = fopen(whole->partial, "wb");
  if (whole->file)
    return EXIT_DONE;
  complain("%s cannot be written: %s", path, strerror(errno));
  free(whole->path);
  free(whole->partial);
  return EXIT_FAILED;
}

int whole_close(whole_file *whole, int good) {
  int lost = ferror(whole->file), why = errno, code = EXIT_FAILED;
  if (fclose(whole->file) == 0)
    errno = why; /* of the write that was lost */
  else
    lost = 1;
  if (good && !lost && rename(whole->partial, whole->path) == 0)
    code = EXIT_DONE;
  else if (good)
    complain("%s cannot be written: %s", whole->path, strerror(errno));
  if (code != EXIT_DONE)
    unlink(whole->partial);
  free(whole->path);
  free(whole->partial);
  return code;
}
