/* Small ResNets with random weights under torchvision's names, written out here without the library's own table. */
#ifndef TOY_H
#define TOY_H

#include <iscp/iscp.h>

#include "tensor/tensor.h"

typedef struct toy {
  int32_t depth, width, stem, channels, classes;
  uint32_t seed;
} toy;

/* Blocks of each stage; true if they are bottlenecks. */
bool toy_blocks(int32_t depth, int32_t blocks[4]);

/* All tensors of a network, float32. Weights are He's, so that numbers neither grow nor fade through the layers. */
void toy_tensors(isc_tensor_set *set, const iscp_context *context, const toy *t);

/* Appends one tensor of numbers in [low, high). */
void toy_add(isc_tensor_set *set, const iscp_context *context, const char *name, int32_t dims, const int64_t *shape,
             float low, float high, uint32_t seed);

/* A contract of the toy's channels at height x width, mean and std other than 0 and 1. */
iscp_contract toy_contract(const toy *t, int32_t height, int32_t width);

/* Writes the tensors without metadata and loads them with `contract`. */
iscp_model *toy_model(iscp_context *context, isc_tensor_set *tensors, const iscp_contract *contract);

/* A ResNet-18 of width 8 with a cifar stem for images of TOY_SIDE x TOY_SIDE, and images that it takes for all of its
 * classes: the label is the model's answer for four images of five, the next class for the fifth. */
enum { TOY_SIDE = 8, TOY_CHANNELS = 3, TOY_CLASSES = 4 };
enum { TOY_PIXELS = TOY_SIDE * TOY_SIDE, TOY_NUMBERS = TOY_CHANNELS * TOY_PIXELS };

typedef struct toy_world {
  iscp_context *context; /* of support_context */
  iscp_model *model;
  iscp_dataset *dataset;
} toy_world;

void toy_world_create(toy_world *world, int32_t images, uint32_t seed);
void toy_world_destroy(toy_world *world);

#endif
