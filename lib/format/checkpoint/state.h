/* Where in a checkpoint the weights are: a state dict, or a module with the tensors that its state dict would have. */
#ifndef ISC_FORMAT_STATE_H
#define ISC_FORMAT_STATE_H

#include "format/checkpoint/pickle.h"

enum { ISC_STATE_PATH = 128 };

typedef struct isc_state {
  isc_value root;            /* a dict of named tensors, or a module */
  char path[ISC_STATE_PATH]; /* "top level", or the keys that lead there as "ema.state_dict" */
} isc_state;

/* Chooses, or takes what is `wanted` by its path (NULL = choose): the top level if it holds a tensor of four dimensions that
 * is called a weight, else the first of a list of customary keys that leads to one, else the only dict that does; without any
 * such tensor the same with tensors of any shape. */
iscp_status isc_state_choose(isc_state *state, const iscp_context *context, const isc_pickle *pickle,
                             const char *wanted);

/* Tells the name and the value of each tensor, in the order of the state dict. The name lives during the call. */
typedef iscp_status isc_state_fn(void *user, const char *name, isc_value tensor);
iscp_status isc_state_each(const isc_state *state, const isc_pickle *pickle, isc_state_fn *tell, void *user);

/* The arguments of the _rebuild_tensor_v2 at the bottom of a tensor, under parameters and subclasses; 0 if it is made in
 * another way. */
isc_value isc_state_tensor(const isc_pickle *pickle, isc_value tensor);

#endif
