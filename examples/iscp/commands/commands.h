/* The commands that main.c lists, apart from those of the rooms study and paper. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cli/cli.h"

extern const cli_command info_command, check_command, search_command, power_command, gradcam_command, uap_command, train_command,
    poison_command, invert_command, bench_command;

#endif
