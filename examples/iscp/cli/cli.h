/* What the commands of iscp share. Only the public headers of libiscp are used. */
#ifndef CLI_H
#define CLI_H

#include <stdio.h>

#include <iscp/iscp.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* ---- Commands (main.c has the table of them) ---- */

/* An option: its key (a letter that is also the short form, or a number from 256 on), name, the word for its value
 * (NULL if it takes none), and what it is. */
typedef struct option_line {
  int key;
  const char *name, *value, *help;
} option_line;

/* Options that belong together. `set` stores one into the settings: EXIT_DONE, or EXIT_USAGE after saying why. */
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
extern const cli_command info_command, check_command, search_command, power_command, gradcam_command, uap_command,
    transfer_command, sweep_command, reproduce_command, train_command, poison_command, invert_command, bench_command;

/* ---- Options (options.c) ---- */

/* Reads a command's options into `settings`, one pointer a group, and its words into `words`, NULL for those left out.
 * EXIT_DONE; EXIT_USAGE; or -1 after --help, when there is nothing left to do. */
int options_read(const cli_command *command, int argc, char **argv, void *const *settings, const char **words);
void options_help(const cli_command *command);

/* Each reads the whole text or returns 0. */
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

/* ---- Inputs (inputs/inputs.c, inputs/model.c) ---- */

typedef struct machine_settings {
  int32_t threads, backend, convolutions, precision, verbose;
  int64_t memory; /* bytes, 0 = no bound */
  void (*adjust)(iscp_context_options *options); /* a command's own, or NULL */
} machine_settings;

typedef struct model_settings {
  int given;         /* a bit each option about the input */
  const char *input; /* a preset's name or a file, or NULL */
  iscp_contract contract;
  const char *names, *state_dict;
  int32_t stride; /* ISCP_STRIDE_*, 0 = not said */
  char *source;   /* SOURCE_SIZE bytes that open_model says in where the contract is from, or NULL */
} model_settings;
enum { SOURCE_SIZE = 512 };

typedef struct data_settings {
  const char *labels, *split;
  int64_t limit, memory;
  int32_t skip_broken;
  const iscp_contract *contract; /* of a command that has no model; NULL = the model's */
} data_settings;

typedef struct inputs {
  machine_settings machine;
  model_settings model;
  data_settings data;
} inputs;

extern const option_group machine_group, model_group, data_group;

/* Each returns EXIT_DONE with the object in *out, or an exit code after saying why. */
int open_context(iscp_context **out, const machine_settings *settings);
int open_model(iscp_model **out, iscp_context *context, const char *path, const model_settings *settings);
/* A network of random weights with the class names of the settings, else of `data`. The settings must say all of its input. */
int make_model(iscp_model **out, iscp_context *context, const iscp_model_info *info, const iscp_dataset *data,
               const model_settings *settings, uint64_t seed);
/* `model` may be NULL: then the settings' contract is taken, and without one the set can be told about only. */
int open_data(iscp_dataset **out, iscp_context *context, const char *path, const iscp_model *model,
              const data_settings *settings);

extern const char *const filter_names[], *const crop_rule_names[], *const order_names[]; /* by the library's codes */

int32_t class_count(const iscp_model *model);

/* The model's name of a class, or the dataset's, or NULL. */
const char *class_name(const iscp_model *model, const iscp_dataset *dataset, int32_t class_index);

/* "0,3,5-7,dress" -> class indices, each once, rising; NULL is all. Memory of the caller's. NULL after saying what is
 * wrong. */
int32_t *choose_classes(int32_t *count, const char *text, const iscp_model *model, const iscp_dataset *dataset);

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
void emit_power(emitter *j, const iscp_power *power); /* the members of an object that the caller opens and closes */

/* ---- Tables (search/table.c) ---- */

/* One pattern at one size. */
typedef struct cli_measured {
  double size;
  iscp_pattern_info cut;
  iscp_power power;
  double overlap; /* with a trigger's place */
  int has_overlap;
} cli_measured;

/* One canvas with what was measured of it. */
typedef struct table_row {
  const char *name;
  iscp_canvas_result canvas;
  int32_t class_index, count;
  cli_measured *sizes; /* `count` of them */
} table_row;

typedef struct cli_table {
  table_row *rows;
  int32_t count;
  const double *sizes; /* the columns of PW */
  int32_t size_count;
} cli_table;

/* Fills the rows from a report: the selected canvas of each class, or all. */
int table_from_list(cli_table *table, const iscp_pattern_list *list, int all);
void table_print(const cli_table *table);
void print_name(const char *name); /* of a class, in a column of 12 characters */
void emit_measured(emitter *j, const cli_measured *m); /* an object of a list "power" (commands/power.c) */
void table_release(cli_table *table);
const char *canvas_text(char text[32], const iscp_canvas_result *canvas);
const char *canvas_kind_text(int32_t kind);

/* Cells of a line: a rate with its interval and counts. */
void print_interval(double rate, double low, double high, int64_t hits, int64_t count);

#endif
