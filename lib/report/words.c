/* Words that stand for numbers in result.json and on sheets: of a canvas's kind, and of a preset. */
#include <string.h>

#include "report/report.h"

static const char *const kinds[] = {"positive", "negative", "random", "white", "user"};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *isc_canvas_kind_name(int32_t kind) {
  for (int i = 0; i < KINDS; i++)
    if (kind == 1 << i)
      return kinds[i];
  return NULL;
}

int32_t isc_canvas_kind_value(const char *name) {
  for (int i = 0; i < KINDS; i++)
    if (!strcmp(name, kinds[i]))
      return 1 << i;
  return 0;
}

const char *isc_preset_name(int32_t preset) {
  static const char *const names[] = {
      [ISCP_PRESET_PAPER] = "paper", [ISCP_PRESET_AUTHORS] = "authors", [ISCP_PRESET_PREDICTIVE] = "predictive"};
  return names[preset];
}
