/* The options of iscp search, apart from its run. */
#ifndef SEARCH_OPTIONS_H
#define SEARCH_OPTIONS_H

#include "inputs/inputs.h"

typedef struct search_settings {
  iscp_search_options search;
  iscp_report_options report;
  const char *folder, *classes;
  char **canvas_files; /* the user's canvases */
  double *sizes;
  int32_t measure;      /* ISCP_MEASURE_* */
  int json;
  int learn_canvas;     /* asked for */
  int32_t canvas_steps; /* if it is */
  const char *learning; /* an option that makes sense only then, or NULL */
} search_settings;

/* What is searched, and what is measured and pictured: both into search_settings. */
extern const option_group search_group, power_group;

/* The folder and what is done with it, search and power, all into search_settings; then data, model, machine. */
extern const option_group *const search_groups[];

/* Sets the option --name of search_group as the command line would: EXIT_DONE; EXIT_USAGE after saying what is wrong; -1
 * if there is none of this name that takes a value. */
int search_option_set(search_settings *settings, const char *name, const char *value);

iscp_status search_settings_init(search_settings *settings);

/* Creates the run that the settings describe, of `count` classes and the user's canvases, into `folder`. */
iscp_status search_settings_run(iscp_run **out, const char *folder, const search_settings *settings, const iscp_model *model,
                                const iscp_dataset *data, const int32_t *classes, int32_t count, const float *canvases);

/* Whether `folder` holds a result.json. */
int run_is_there(const char *folder);

/* The options of learned canvases, for `command`. Both: EXIT_DONE or EXIT_USAGE. */
int search_settings_learn(search_settings *settings, const char *command);
int search_settings_check(search_settings *settings); /* EXIT_DONE or EXIT_USAGE; the last touch to the options */
void search_settings_release(search_settings *settings);

/* Reads the user's canvases through the contract: memory of the caller's, NULL without any. */
int read_canvases(float **out, const search_settings *settings, iscp_context *context, const iscp_contract *contract);

#endif
