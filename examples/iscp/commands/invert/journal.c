/* The journal of iscp invert. Its numbers are the machine's own: it is read where it was written, and gone once the set is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/invert/invert.h"

/* ---- What it is of ---- */

/* The first piece, up to a comma, in which two lines differ. */
static void complain_of_difference(const char *path, const char *stored, const char *own) {
  size_t same = 0;
  while (stored[same] && stored[same] == own[same])
    same++;
  while (same > 0 && stored[same - 1] != ',')
    same--;
  same += stored[same] == ' ';
  complain("%s is of another set: it has %.*s, expected %.*s; replace it by --overwrite", path,
           (int)strcspn(stored + same, ",\n"), stored + same, (int)strcspn(own + same, ",\n"), own + same);
}

int journal_look(int32_t *batch, const char *path, const char *what) {
  char line[JOURNAL_TEXT + 2], second[64] = "";
  FILE *file = fopen(path, "rb");
  *batch = 0;
  if (!file)
    return EXIT_DONE;
  int whole = fgets(line, sizeof line, file) && fgets(second, sizeof second, file) && strchr(second, '\n');
  fclose(file);
  if (!whole) /* killed before anything was in it */
    return EXIT_DONE;
  line[strcspn(line, "\n")] = 0;
  if (!strcmp(line, what) && sscanf(second, "batch %d", batch) == 1)
    return EXIT_DONE;
  complain_of_difference(path, line, what);
  return EXIT_FAILED;
}

/* ---- Writing ---- */

static int64_t bytes_of(const invert_journal *j) { return (int64_t)sizeof(invert_entry) + j->pixels; }

static int cannot(const invert_journal *j, const char *what) {
  complain("%s cannot be %s: %s", j->path, what, strerror(errno));
  return EXIT_FAILED;
}

/* Anything behind the last whole batch goes: it was being written. */
static int cut(invert_journal *j, int32_t batch, int64_t count) {
  if (fseek(j->file, 0, SEEK_END))
    return cannot(j, "read");
  int64_t stored = (ftell(j->file) - j->head) / bytes_of(j);
  j->images = stored >= count ? count : stored > 0 ? stored / batch * batch : 0;
  long end = j->head + (long)(j->images * bytes_of(j));
  if (ftruncate(fileno(j->file), end) || fseek(j->file, end, SEEK_SET))
    return cannot(j, "written");
  return EXIT_DONE;
}

int journal_open(invert_journal *j, const char *path, const char *what, int32_t batch, int64_t count) {
  int32_t begun;
  j->path = take_copy(path);
  int code = journal_look(&begun, path, what);
  if (code != EXIT_DONE)
    return code;
  j->file = fopen(path, begun ? "r+b" : "w+b");
  if (!j->file)
    return cannot(j, "opened");
  char head[JOURNAL_TEXT + 64];
  j->head = snprintf(head, sizeof head, "%s\nbatch %d\n", what, batch);
  if (begun)
    return cut(j, batch, count);
  return fputs(head, j->file) >= 0 && !fflush(j->file) ? EXIT_DONE : cannot(j, "written");
}

int journal_add(invert_journal *j, const iscp_inverted *image) {
  const invert_entry entry = {image->start, image->start_distance, image->distance, image->stored_distance,
                              image->label, image->predicted};
  if (fwrite(&entry, sizeof entry, 1, j->file) != 1 || fwrite(image->stored, (size_t)j->pixels, 1, j->file) != 1)
    return cannot(j, "written");
  j->images++;
  return EXIT_DONE;
}

/* ---- Reading ---- */

int journal_read(const invert_journal *j, int64_t index, invert_entry *entry, uint8_t *pixels) {
  if (fseek(j->file, j->head + (long)(index * bytes_of(j)), SEEK_SET) || fread(entry, sizeof *entry, 1, j->file) != 1 ||
      (pixels && fread(pixels, (size_t)j->pixels, 1, j->file) != 1))
    return cannot(j, "read");
  return EXIT_DONE;
}

void journal_close(invert_journal *j) {
  if (j->file)
    fclose(j->file);
  free(j->path);
  *j = (invert_journal){0};
}
