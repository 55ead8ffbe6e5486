/* What commands are told about the machine, the model and the images, and what they open of it: options of three groups, read
 * by inputs.c and model.c, and classes by number and name (classes.c). */
#ifndef INPUTS_H
#define INPUTS_H

#include "cli/cli.h"

typedef struct machine_settings {
  int32_t threads, backend, convolutions, precision, verbose;
  int64_t memory; /* bytes, 0 = no bound */
  void (*adjust)(iscp_context_options *options); /* a command's own, or NULL */
} machine_settings;

typedef struct model_settings {
  int given;         /* a bit each option about the input */
  const char *input; /* a preset's name or a file, or NULL */
  iscp_contract contract;
  const char *names, *state_dict;
  int32_t stride; /* ISCP_STRIDE_*, 0 = not said */
  char *source;   /* SOURCE_SIZE bytes that open_model says in where the contract is from, or NULL */
} model_settings;
enum { SOURCE_SIZE = 512 };

typedef struct data_settings {
  const char *labels, *split;
  int64_t limit, memory;
  int32_t skip_broken;
  const iscp_contract *contract; /* of a command that has no model; NULL = the model's */
} data_settings;

typedef struct inputs {
  machine_settings machine;
  model_settings model;
  data_settings data;
} inputs;

extern const option_group machine_group, model_group, data_group;

/* Each returns EXIT_DONE with the object in *out, or an exit code after saying why. */
int open_context(iscp_context **out, const machine_settings *settings);
int open_model(iscp_model **out, iscp_context *context, const char *path, const model_settings *settings);
/* A network of random weights with the class names of the settings, else of `data`. The settings must say all of its input. */
int make_model(iscp_model **out, iscp_context *context, const iscp_model_info *info, const iscp_dataset *data,
               const model_settings *settings, uint64_t seed);
/* `model` may be NULL: then the settings' contract is taken, and without one the set can be told about only. */
int open_data(iscp_dataset **out, iscp_context *context, const char *path, const iscp_model *model,
              const data_settings *settings);

/* All three of a command "MODEL DATA ...". What was opened is in the outputs also after a failure. */
int open_subject(iscp_context **context, iscp_model **model, iscp_dataset **data, const inputs *in, const char *const *words);
void close_subject(iscp_context *context, iscp_model *model, iscp_dataset *data); /* takes NULL */

extern const char *const filter_names[], *const crop_rule_names[], *const order_names[]; /* by the library's codes */

int32_t class_count(const iscp_model *model);

/* The model's name of a class, or the dataset's, or NULL. */
const char *class_name(const iscp_model *model, const iscp_dataset *dataset, int32_t class_index);

/* "0,3,5-7,dress" -> class indices, each once, rising; NULL is all. Memory of the caller's. NULL after saying what is
 * wrong. */
int32_t *choose_classes(int32_t *count, const char *text, const iscp_model *model, const iscp_dataset *dataset);

#endif
