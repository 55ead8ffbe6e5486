/* The reading of options: each command lists groups of them, and the help text is made from the same lists. */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"

enum { MOST_OPTIONS = 64, HELP = 1, HELP_COLUMN = 26, FIRST = 1000 };

/* ---- Help ---- */

static int is_letter(int key) { return key > 0 && key < 256; }

/* A help text may have several lines; those after the first stand below it. */
static void print_option(const option_line *line) {
  char left[64];
  snprintf(left, sizeof left, "  %c%c%s--%s%s%s", is_letter(line->key) ? '-' : ' ', is_letter(line->key) ? line->key : ' ',
           is_letter(line->key) ? ", " : "  ", line->name, line->value ? " " : "", line->value ? line->value : "");
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

typedef struct known_options {
  struct option options[MOST_OPTIONS + 1];
  char letters[2 * MOST_OPTIONS + 2];
  const option_line *lines[MOST_OPTIONS];
  const option_group *groups[MOST_OPTIONS]; /* whose option it is */
  void *settings[MOST_OPTIONS];
  int count;
} known_options;

/* To getopt an option is FIRST + its index here, since keys are distinct within a group only. A leading ":" makes
 * getopt silent and tells a missing value from an unknown option. */
static void gather(known_options *known, const cli_command *command, void *const *settings) {
  char *letter = known->letters;
  *letter++ = ':';
  for (int g = 0; command->groups[g]; g++)
    for (const option_line *line = command->groups[g]->lines; line->name && known->count < MOST_OPTIONS - 1; line++) {
      known->options[known->count] =
          (struct option){line->name, line->value ? required_argument : no_argument, NULL, FIRST + known->count};
      known->lines[known->count] = line;
      known->groups[known->count] = command->groups[g];
      known->settings[known->count] = settings[g];
      known->count++;
      if (is_letter(line->key)) {
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

static int set_found(const known_options *known, int found, const char *value) {
  int i = found - FIRST;
  if (found < FIRST) /* a letter */
    for (i = 0; i < known->count - 1 && known->lines[i]->key != found;)
      i++;
  return option_set(known->groups[i], known->lines[i], known->settings[i], value);
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
  known_options known = {0};
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
    int code = set_found(&known, found, optarg);
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
