/* What every room of iscp stands on: commands and their options, messages, progress, files, JSON. Only the public headers of
 * libiscp are used. */
#ifndef CLI_H
#define CLI_H

#include <stddef.h>
#include <stdio.h>

#include <iscp/iscp.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* ---- Commands (main.c has the table of them) ---- */

/* How the value of an option is read and what it goes to: `at`, a field of the group's settings. Numbers are held to `low` and
 * `high`, unless both are 0; 0x1p63 leaves an int64_t free above. */
enum {
  OPTION_OTHER,   /* by the group's `set` */
  OPTION_FLAG,    /* int32_t, which becomes `low` */
  OPTION_TEXT,    /* const char *, which is not copied */
  OPTION_COUNT,   /* int32_t */
  OPTION_LONG,    /* int64_t */
  OPTION_NUMBER,  /* double */
  OPTION_SHARE,   /* double of "0.2" or "20%" */
  OPTION_PERCENT, /* double of "20" or "20%" */
  OPTION_SEED,    /* uint64_t */
  OPTION_WORD     /* int32_t: `low` for the first of `words`, which NULL ends, and so on */
};

/* An option: its key (a letter that is also the short form, or a number from 256 on that `set` tells it by, or 0), name, the
 * word for its value (NULL if it takes none), what it is; then how it is read, and what a wrong value is answered by. */
typedef struct option_line {
  int key;
  const char *name, *value, *help;
  int how;
  size_t at;
  double low, high;
  const char *expected;
  const char *const *words;
} option_line;

/* Options that belong together. `set` stores one that is OPTION_OTHER into the settings: EXIT_DONE, or EXIT_USAGE after saying
 * why; NULL if there is none. */
typedef struct option_group {
  const char *title;
  const option_line *lines; /* the last has no name */
  int (*set)(void *settings, int key, const char *value);
} option_group;

typedef struct cli_command {
  const char *name, *summary;
  const char *usage;                 /* "MODEL DATA -o DIR" */
  const char *text;                  /* examples and what to know */
  int arguments, optional;           /* how many words besides options, and how many more may follow */
  const option_group *const *groups; /* the last is NULL */
  int (*run)(const struct cli_command *command, int argc, char **argv);
} cli_command;

extern const char *program_path; /* as it was called */

/* ---- Options (options.c) ---- */

/* Reads a command's options into `settings`, one pointer a group, and its words into `words`, NULL for those left out.
 * EXIT_DONE; EXIT_USAGE; or -1 after --help, when there is nothing left to do. */
int options_read(const cli_command *command, int argc, char **argv, void *const *settings, const char **words);
void options_help(const cli_command *command);

/* Stores one option as the command line would. EXIT_DONE, or EXIT_USAGE after saying why. */
int option_set(const option_group *group, const option_line *line, void *settings, const char *value);

/* Each reads the whole text or returns 0. (values.c) */
int read_number(double *value, const char *text);
int read_integer(int64_t *value, const char *text);
int read_seed(uint64_t *value, const char *text);
int read_percent(double *share, const char *text); /* "5" or "5%" is 0.05 */
int read_share(double *share, const char *text);   /* "0.05" or "5%" is 0.05 */

/* "1,2,5" in percent -> shares; memory of the caller's. NULL if one is not a number. */
double *read_percents(int32_t *count, const char *text);

/* Index of `text` in the words of `choices`, which NULL ends, or -1. */
int read_choice(const char *text, const char *const *choices);

/* The next piece of a list with commas, cut out of *list, which moves on; NULL at the end. */
char *next_piece(char **list);

/* Option --name's value is wrong. Returns EXIT_USAGE. */
int wrong_value(const char *name, const char *value, const char *expected);

/* malloc, strdup that end the program without memory. */
void *take(size_t bytes);
char *take_copy(const char *text);

/* ---- Messages (messages.c): one line on standard error ---- */

void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The library's message of a call that failed. Returns EXIT_FAILED, for a cancelled call EXIT_INTERRUPTED. */
int failed(iscp_status status);

/* The command line `original` (a command's argv as it came, which NULL ends) with --resume, as a shell reads it, and the
 * end of the line. */
void print_to_go_on(char **original);

/* ---- Progress and signals ---- */

/* What the work is for, as "class 3 (4 of 10)"; copied. */
void progress_label(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The library's progress callback: a bar on a terminal, a line now and then elsewhere. Stops when a signal came. */
int progress_show(const iscp_progress *progress, void *user);

/* Removes the bar, so that a line can be printed. */
void progress_clear(void);

/* SIGINT and SIGTERM ask the work to stop; a second one ends the program at once. */
void signals_catch(void);
int signals_came(void);

/* ---- Files (files.c) ---- */

typedef struct whole_file {
  FILE *file; /* write to this */
  char *path, *partial;
} whole_file;

/* Opens a file beside `path`. whole_close renames it to `path` if all was `good` and could be written, and removes it
 * otherwise. EXIT_DONE, or EXIT_FAILED after saying why, with nothing left open. */
int whole_open(whole_file *whole, const char *path);
int whole_close(whole_file *whole, int good);

/* NumPy's array files (npy.c). The head of one of a type ("|u1", "<i8"), and one little-endian number of so many bytes: 0 if it
 * cannot be written. */
int npy_begin(FILE *file, const char *type, const int64_t *shape, int32_t dims);
int npy_put(FILE *file, uint64_t bits, int bytes);

/* Writes float32 values of `shape` as a NumPy array, whole or not at all. */
int write_npy(const char *path, const float *values, const int32_t *shape, int32_t dims);

/* ---- Paths (paths.c) ---- */

/* "a/b/c": makes a and a/b. What cannot be made is left to who needs it to complain about. */
void make_parents(const char *path);

/* Makes the folder and those above it if they are missing. EXIT_DONE, or EXIT_FAILED after saying why. */
int folder_make(const char *folder);

/* Memory of the caller's: "folder/name". */
char *join_path(const char *folder, const char *name);

/* Whether `folder` holds that file. */
int folder_has(const char *folder, const char *name);

/* Opens the folder of a command that leaves a result.json of its own there: made with its parents, and without the result.json
 * of an earlier run, which goes only if `overwrite` is set. A report of iscp search never does. EXIT_DONE, or EXIT_FAILED
 * after saying why. */
int results_open(iscp_context *context, const char *folder, int overwrite);

/* ---- JSON (json.c) ---- */

/* Bytes of the UTF-8 character at `text`, or 0 if there is none. */
size_t utf8_length(const unsigned char *text);

typedef struct emitter {
  FILE *file;
  int more; /* 1 if a comma goes before the next value */
} emitter;

/* `key` is NULL in lists. Numbers that are not finite are null, and so is a NULL text. */
void emit_open(emitter *j, const char *key, char bracket);
void emit_close(emitter *j, char bracket);
void emit_text(emitter *j, const char *key, const char *text);
void emit_number(emitter *j, const char *key, double value);
void emit_integer(emitter *j, const char *key, int64_t value);
void emit_seed(emitter *j, const char *key, uint64_t seed); /* a text beyond 2^63 - 1, as the library's manifests have it */
void emit_truth(emitter *j, const char *key, int value);
void emit_contract(emitter *j, const char *key, const iscp_contract *contract);
/* The members of an object that the caller opens and closes: rates and counts; emit_power, the intervals too. */
void emit_rates(emitter *j, const iscp_power *power);
void emit_power(emitter *j, const iscp_power *power);

#endif
