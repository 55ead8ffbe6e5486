/* The options of iscp search, apart from its run. */
#ifndef SEARCH_OPTIONS_H
#define SEARCH_OPTIONS_H

#include "program.h"

enum { POWER_SELECTED, POWER_ALL, POWER_NONE }; /* which canvases are measured */

typedef struct search_settings {
  iscp_search_options search;
  iscp_report_options report;
  const char *folder, *classes;
  char **canvas_files; /* the user's canvases */
  double *sizes;
  int power, json;
  int learn_canvas;     /* asked for */
  int32_t canvas_steps; /* if it is */
  const char *learning; /* an option that makes sense only then, or NULL */
} search_settings;

/* Search and power, both into search_settings, then data, model, machine. */
extern const option_group *const search_groups[];

iscp_status search_settings_init(search_settings *settings);
int search_settings_check(search_settings *settings); /* EXIT_DONE or EXIT_USAGE; the last touch to the options */
void search_settings_release(search_settings *settings);

/* Reads the user's canvases through the contract: memory of the caller's, NULL without any. */
int read_canvases(float **out, const search_settings *settings, iscp_context *context, const iscp_contract *contract);

#endif
