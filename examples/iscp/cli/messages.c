/* Messages: one line each on standard error, apart from the progress bar. */
#include <stdarg.h>
#include <string.h>

#include "cli/cli.h"

void complain(const char *format, ...) {
  progress_clear();
  fputs("iscp: ", stderr);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

int failed(iscp_status status) {
  if (status == ISCP_ERROR_CANCELLED && signals_came())
    return EXIT_INTERRUPTED;
  complain("%s", iscp_error_message());
  return EXIT_FAILED;
}

/* A word of the command line as a shell reads it. */
static void print_word(FILE *file, const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%";
  if (*word && !word[strspn(word, plain)]) {
    fputs(word, file);
    return;
  }
  fputc('\'', file);
  for (; *word; word++)
    fputs(*word == '\'' ? "'\\''" : (char[]){*word, 0}, file);
  fputc('\'', file);
}

/* getopt takes any unambiguous beginning of an option's name. */
static int is_option(const char *word, const char *name) {
  size_t length = strlen(word);
  return length >= 4 && !strncmp(word, name, length);
}

void print_to_go_on(char **original) {
  print_word(stderr, program_path);
  for (char **word = original; *word; word++)
    if (!is_option(*word, "--overwrite") && !is_option(*word, "--resume")) {
      fputc(' ', stderr);
      print_word(stderr, *word);
    }
  fputs(" --resume\n", stderr);
}
