/* Ctrl-C and SIGTERM: the first asks the work to stop where it can be gone on with, the second ends the program. */
#include <signal.h>

#include "cli/cli.h"

static volatile sig_atomic_t came;

static void remember(int number) {
  (void)number;
  came = 1;
}

void signals_catch(void) {
  struct sigaction action = {.sa_handler = remember, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

int signals_came(void) { return came; }
