/* A network's tensors, to be renamed and spoiled: what the tests of names and look-alikes share. */
#ifndef NAMING_COMMON_H
#define NAMING_COMMON_H

#include "nn/resnet/naming.h"
#include "support.h"
#include "toy.h"

static const toy basic = {18, 4, ISCP_STEM_CIFAR, 3, 5, 1};
static const toy bottleneck = {50, 4, ISCP_STEM_IMAGENET, 3, 5, 1};

typedef struct network {
  iscp_context *context;
  isc_tensor_set tensors;
  isc_naming naming;
} network;

void network_begin(network *n, const toy *t);
void network_end(network *n);
void network_add(network *n, const char *name, int32_t dims, const int64_t *shape);
void network_set_name(network *n, isc_tensor *tensor, const char *name);
isc_tensor *network_item(network *n, const char *name);
void network_put_prefix(network *n, const char *prefix);
/* Gives each name that has `from` in it `to` there. */
void network_replace(network *n, const char *from, const char *to);
void network_drop(network *n, const char *name);
/* The names are again torchvision's, each with the numbers that it had. */
void network_is(network *n, const toy *t, const char *scheme, const char *prefix);
void network_is_refused(network *n, iscp_status status, const char *word);

#endif
