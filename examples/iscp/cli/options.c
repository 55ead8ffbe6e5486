/* The reading of options: each command lists groups of them, and the help text is made from the same lists. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { MOST_OPTIONS = 64, HELP = 1, HELP_COLUMN = 26, FIRST = 1000 };

/* ---- Help ---- */

/* A help text may have several lines; those after the first stand below it. */
static void print_option(const option_line *line) {
  char left[64];
  snprintf(left, sizeof left, "  %c%c%s--%s%s%s", line->key < 256 ? '-' : ' ', line->key < 256 ? line->key : ' ',
           line->key < 256 ? ", " : "  ", line->name, line->value ? " " : "", line->value ? line->value : "");
  printf("%-*s", HELP_COLUMN, left);
  if (strlen(left) >= HELP_COLUMN)
    printf("\n%*s", HELP_COLUMN, "");
  for (const char *c = line->help; *c; c++) {
    putchar(*c);
    if (*c == '\n')
      printf("%*s", HELP_COLUMN, "");
  }
  putchar('\n');
}

void options_help(const cli_command *command) {
  printf("usage: iscp %s %s [options]\n\n%s.\n\n%s", command->name, command->usage, command->summary, command->text);
  for (const option_group *const *group = command->groups; *group; group++) {
    printf("\n%s:\n", (*group)->title);
    for (const option_line *line = (*group)->lines; line->name; line++)
      print_option(line);
  }
}

/* ---- Reading ---- */

typedef struct option_set {
  struct option options[MOST_OPTIONS + 1];
  char letters[2 * MOST_OPTIONS + 2];
  int keys[MOST_OPTIONS];
  const option_group *groups[MOST_OPTIONS]; /* whose option it is */
  void *settings[MOST_OPTIONS];
  int count;
} option_set;

/* To getopt an option is FIRST + its index here, since keys are distinct within a group only. A leading ":" makes
 * getopt silent and tells a missing value from an unknown option. */
static void gather(option_set *known, const cli_command *command, void *const *settings) {
  char *letter = known->letters;
  *letter++ = ':';
  for (int g = 0; command->groups[g]; g++)
    for (const option_line *line = command->groups[g]->lines; line->name && known->count < MOST_OPTIONS - 1; line++) {
      known->options[known->count] =
          (struct option){line->name, line->value ? required_argument : no_argument, NULL, FIRST + known->count};
      known->keys[known->count] = line->key;
      known->groups[known->count] = command->groups[g];
      known->settings[known->count] = settings[g];
      known->count++;
      if (line->key < 256) {
        *letter++ = (char)line->key;
        if (line->value)
          *letter++ = ':';
      }
    }
  known->options[known->count] = (struct option){"help", no_argument, NULL, HELP};
}

static int usage_error(const cli_command *command, const char *what, const char *which) {
  complain("%s: %s%s (try: iscp %s --help)", command->name, what, which, command->name);
  return EXIT_USAGE;
}

static int set_option(const option_set *known, int found, const char *value) {
  int i = found - FIRST;
  if (found < FIRST) /* a letter */
    for (i = 0; i < known->count - 1 && known->keys[i] != found;)
      i++;
  return known->groups[i]->set(known->settings[i], known->keys[i], value);
}

static const char *given_word(char **argv) {
  static char letter[3] = "-?";
  if (optopt > 0 && optopt < 256 && optopt != HELP) {
    letter[1] = (char)optopt;
    return letter;
  }
  return argv[optind - 1];
}

int options_read(const cli_command *command, int argc, char **argv, void *const *settings, const char **words) {
  option_set known = {0};
  gather(&known, command, settings);
  opterr = 0;
  for (int found; (found = getopt_long(argc, argv, known.letters, known.options, NULL)) != -1;) {
    if (found == HELP || (found == '?' && optopt == 'h')) {
      options_help(command);
      return -1;
    }
    if (found == ':')
      return usage_error(command, "no value after ", argv[optind - 1]);
    if (found == '?')
      return usage_error(command, "unknown or wrong option ", given_word(argv));
    int code = set_option(&known, found, optarg);
    if (code != EXIT_DONE)
      return code;
  }
  if (argc - optind < command->arguments)
    return usage_error(command, "too few words, expected ", command->usage);
  int most = command->arguments + command->optional;
  if (argc - optind > most)
    return usage_error(command, "one word too many: ", argv[optind + most]);
  for (int i = 0; i < most; i++)
    words[i] = optind + i < argc ? argv[optind + i] : NULL;
  return EXIT_DONE;
}

int wrong_value(const char *name, const char *value, const char *expected) {
  complain("--%s is \"%s\", expected %s", name, value, expected);
  return EXIT_USAGE;
}

/* ---- Values ---- */

int read_number(double *value, const char *text) {
  char *end;
  *value = strtod(text, &end);
  return end != text && !*end && isfinite(*value);
}

int read_integer(int64_t *value, const char *text) {
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 10);
  return end != text && !*end && !errno;
}

int read_seed(uint64_t *value, const char *text) {
  char *end;
  errno = 0;
  *value = strtoull(text, &end, 0);
  return *text >= '0' && *text <= '9' && !*end && !errno;
}

/* A number with or without a percent sign; 1 in *signed_percent if it has one. */
static int read_ratio(double *value, int *percent, const char *text) {
  char *end;
  *value = strtod(text, &end);
  *percent = *end == '%';
  return end != text && !end[*percent] && isfinite(*value);
}

int read_percent(double *share, const char *text) {
  int percent;
  int right = read_ratio(share, &percent, text);
  *share /= 100;
  return right;
}

int read_share(double *share, const char *text) {
  int percent;
  int right = read_ratio(share, &percent, text);
  if (percent)
    *share /= 100;
  return right;
}

double *read_percents(int32_t *count, const char *text) {
  char *copy = take_copy(text), *list = copy;
  double *shares = take((strlen(text) / 2 + 1) * sizeof *shares);
  *count = 0;
  for (char *piece; (piece = next_piece(&list));)
    if (!read_percent(&shares[(*count)++], piece)) {
      free(shares);
      shares = NULL;
      break;
    }
  free(copy);
  return shares;
}

int read_choice(const char *text, const char *const *choices) {
  for (int i = 0; choices[i]; i++)
    if (!strcmp(text, choices[i]))
      return i;
  return -1;
}

char *next_piece(char **list) {
  char *piece = *list;
  if (!piece)
    return NULL;
  char *comma = strchr(piece, ',');
  if (comma)
    *comma++ = 0;
  *list = comma;
  return piece;
}

void *take(size_t bytes) {
  void *memory = calloc(1, bytes ? bytes : 1);
  if (!memory) {
    complain("out of memory: %zu bytes asked for", bytes);
    exit(EXIT_FAILED);
  }
  return memory;
}

char *take_copy(const char *text) {
  size_t size = strlen(text) + 1;
  return memcpy(take(size), text, size);
}
