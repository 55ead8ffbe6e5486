/* iscp: what an image classifier has learned for each class, as a picture. This file finds the command; each command
 * is a file of its own. */
#include <errno.h>
#include <string.h>

#include "commands/commands.h"
#include "paper/reproduce.h"
#include "study/sweep.h"
#include "study/transfer.h"

static const cli_command *const commands[] = {&info_command,      &check_command, &search_command,   &power_command,
                                              &gradcam_command,   &uap_command,   &transfer_command, &sweep_command,
                                              &reproduce_command, &train_command, &poison_command,   &invert_command,
                                              &bench_command};
enum { COMMANDS = sizeof commands / sizeof *commands };

const char *program_path;

/* The summary stands behind the usage, or below a long one. */
static void print_command(FILE *file, const cli_command *command) {
  if (strlen(command->usage) > 22)
    fprintf(file, "  %-9s %s\n%35s%s\n", command->name, command->usage, "", command->summary);
  else
    fprintf(file, "  %-9s %-22s %s\n", command->name, command->usage, command->summary);
}

static void print_help(FILE *file) {
  fputs("usage: iscp COMMAND ... (iscp COMMAND --help says more)\n\n"
        "What an image classifier has learned for each class, as a picture, and how well that predicts.\n\n",
        file);
  for (int i = 0; i < COMMANDS; i++)
    print_command(file, commands[i]);
  fputs("\nA first run, with what comes with libiscp:\n\n"
        "  iscp info examples/models/fashion-natural.safetensors\n"
        "  iscp search examples/models/fashion-natural.safetensors \\\n"
        "    examples/data/t10k-2000-images-idx3-ubyte.gz -o result --classes 0-2\n\n"
        "Results are on standard output, messages on standard error. Exit codes: 0 done, 1 failed,\n"
        "2 wrong usage, 130 interrupted (what is done is kept, and --resume goes on with it).\n",
        file);
}

static int run(int argc, char **argv) {
  if (argc < 2) {
    print_help(stderr);
    return EXIT_USAGE;
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
    print_help(stdout);
    return EXIT_DONE;
  }
  if (!strcmp(argv[1], "--version")) {
    puts(iscp_version_text());
    return EXIT_DONE;
  }
  for (int i = 0; i < COMMANDS; i++)
    if (!strcmp(argv[1], commands[i]->name)) {
      signals_catch();
      return commands[i]->run(commands[i], argc - 1, argv + 1);
    }
  complain("there is no command \"%s\" (try: iscp --help)", argv[1]);
  return EXIT_USAGE;
}

/* A result that did not reach its reader is a failure. */
int main(int argc, char **argv) {
  program_path = argc ? argv[0] : "iscp";
  int code = run(argc, argv);
  progress_clear();
  int lost = ferror(stdout);
  if ((fclose(stdout) || lost) && code == EXIT_DONE) {
    complain("standard output cannot be written: %s", strerror(errno));
    return EXIT_FAILED;
  }
  return code;
}
