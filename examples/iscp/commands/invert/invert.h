/* iscp invert: invert.c makes the pictures, journal.c keeps them while they are made, files.c writes the set. */
#ifndef INVERT_RUN_H
#define INVERT_RUN_H

#include "inputs/inputs.h"

/* The pictures so far, in one file that is only appended to: two lines that say of what, then for each image what is told of
 * it and its bytes. Whoever is killed leaves a file whose whole batches are good. */
typedef struct invert_entry {
  int64_t start;
  double start_distance, distance, stored_distance;
  int32_t label, predicted;
} invert_entry;

enum { JOURNAL_TEXT = 1024 };

typedef struct invert_journal {
  FILE *file;
  char *path;
  long head;              /* bytes of the two lines */
  int64_t images, pixels; /* images in it; bytes of the pixels of one, set before it is opened */
} invert_journal;

/* The batch that the journal at `path` was begun with, 0 if there is none. EXIT_FAILED after saying why if it is not of
 * `what`. */
int journal_look(int32_t *batch, const char *path, const char *what);

/* Begins the journal, or goes on with its whole batches, of a set of `count` images. EXIT_DONE, or EXIT_FAILED after saying
 * why. */
int journal_open(invert_journal *journal, const char *path, const char *what, int32_t batch, int64_t count);
/* Not on disk before the file is flushed. */
int journal_add(invert_journal *journal, const iscp_inverted *image);

/* Image `index` of the journal; `pixels` are the caller's, and may be NULL. */
int journal_read(const invert_journal *journal, int64_t index, invert_entry *entry, uint8_t *pixels);
void journal_close(invert_journal *journal);

typedef struct invert_settings {
  iscp_invert_options options;
  const char *folder;
  int resume, overwrite, json;
} invert_settings;

static inline int invert_attacks(const invert_settings *own) { return own->options.kind != ISCP_INVERT_FEATURES; }
extern const char *const invert_kinds[]; /* by ISCP_INVERT_*, less 1 */

typedef struct invert_run {
  const invert_settings *own;
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
  iscp_inversion *inversion;
  int32_t batch;
  int64_t count; /* of images */
  char what[JOURNAL_TEXT];
  invert_journal journal;
} invert_run;

/* What the journal comes to: means of the distances, and of attacks how many pictures are taken for their label. */
typedef struct invert_means {
  double start, distance, stored;
  int64_t taken;
} invert_means;

/* The set, of a journal with all images: arrays, pictures, invert.json last. */
int invert_write(const invert_run *run, invert_means *means);

/* Whether the folder has a set already, and if so whether it is that of run->what. */
typedef enum invert_found { INVERT_NONE, INVERT_SAME, INVERT_OTHER } invert_found;
invert_found invert_look(const invert_run *run);

/* EXIT_FAILED after saying so if the folder holds arrays that are of no set of this command: they are never replaced. */
int invert_check_folder(const invert_run *run);

/* Removes a set and a journal of the folder. */
void invert_remove(const invert_run *run);

void invert_print_json(FILE *file, const invert_run *run, const invert_means *means);

#endif
