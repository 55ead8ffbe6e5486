/* What iscp info says of a set of images (describe.c). `hash` is NULL if it was not asked for, `model` without one. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "inputs/inputs.h"

void describe_plain(const iscp_dataset *data, const iscp_model *model, const char *path, const char *hash);

/* The members of an object that the caller opens and closes. */
void describe_json(emitter *j, const iscp_dataset *data, const char *path, const char *hash);

#endif
