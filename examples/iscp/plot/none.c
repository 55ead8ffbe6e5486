/* Plots where the program was built without cairo: there are none. */
#include "cli/cli.h"
#include "plot/plot.h"

int plot_available(void) { return 0; }

int plot_write(const plot *p, const char *svg_path, const char *png_path) {
  static int said;
  (void)p, (void)svg_path, (void)png_path;
  if (!said)
    complain("plots are left out: iscp was built without cairo (libcairo2-dev)");
  said = 1;
  return PLOT_NONE;
}
