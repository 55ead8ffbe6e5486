/* The table of ResNets (He et al., 2016; stride in the 3x3 convolution, "v1.5", unless it is said to be in the 1x1 before it)
 * and how tensors are told to be one's. */
#include <stdio.h>
#include <string.h>

#include "nn/resnet/graph.h"

enum { LARGEST_WIDTH = 4096 };

static const struct {
  int32_t depth, blocks[4];
  bool bottleneck;
} table[] = {
    {18, {2, 2, 2, 2}, false}, {34, {3, 4, 6, 3}, false},  {50, {3, 4, 6, 3}, true},
    {101, {3, 4, 23, 3}, true}, {152, {3, 8, 36, 3}, true},
};

bool isc_architecture_blocks(int32_t depth, int32_t blocks[4], bool *bottleneck) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].depth == depth) {
      memcpy(blocks, table[i].blocks, sizeof table[i].blocks);
      *bottleneck = table[i].bottleneck;
      return true;
    }
  return false;
}

static iscp_status find(const isc_tensor **tensor, const isc_tensor_set *tensors, const char *name, int32_t dims) {
  *tensor = isc_tensor_set_find(tensors, name);
  if (!*tensor)
    return isc_fail(ISCP_ERROR_MISMATCH, "no tensor \"%s\", expected a ResNet with torchvision's names", name);
  if ((*tensor)->dims != dims)
    return isc_fail(ISCP_ERROR_MISMATCH, "tensor \"%s\" has %d dimensions, expected %d", name, (*tensor)->dims, dims);
  return ISCP_OK;
}

static int32_t count_blocks(const isc_tensor_set *tensors, int stage) {
  char name[40];
  int32_t count = 0;
  do
    snprintf(name, sizeof name, "layer%d.%d.conv1.weight", stage + 1, count++);
  while (isc_tensor_set_find(tensors, name) && count < 100);
  return count - 1;
}

static iscp_status infer_depth(int32_t *depth, const isc_tensor_set *tensors) {
  int32_t blocks[4];
  for (int stage = 0; stage < 4; stage++)
    blocks[stage] = count_blocks(tensors, stage);
  bool bottleneck = isc_tensor_set_find(tensors, "layer1.0.conv3.weight") != NULL;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].bottleneck == bottleneck && !memcmp(table[i].blocks, blocks, sizeof blocks)) {
      *depth = table[i].depth;
      return ISCP_OK;
    }
  return isc_fail(ISCP_ERROR_MISMATCH, "layers of %d, %d, %d, %d %s blocks, expected those of ResNet-18, 34, 50, 101 or 152",
                  blocks[0], blocks[1], blocks[2], blocks[3], bottleneck ? "bottleneck" : "basic");
}

/* The widths of the first stage: what its blocks end in, and of bottlenecks what is within. */
static iscp_status infer_widths(isc_architecture *a, const isc_tensor_set *tensors) {
  const isc_tensor *first, *last;
  ISC_TRY(find(&first, tensors, "layer1.0.conv1.weight", 4));
  bool bottleneck = isc_tensor_set_find(tensors, "layer1.0.conv3.weight") != NULL;
  ISC_TRY(find(&last, tensors, bottleneck ? "layer1.0.conv3.weight" : "layer1.0.conv2.weight", 4));
  int64_t planes = last->shape[0] / (bottleneck ? 4 : 1), inner = first->shape[0];
  if (planes < 1 || planes > LARGEST_WIDTH || (bottleneck && last->shape[0] % 4))
    return isc_fail(ISCP_ERROR_MISMATCH, "%s has %lld output channels, expected 1 to %d%s", last->name,
                    (long long)last->shape[0], LARGEST_WIDTH, bottleneck ? " times 4" : "");
  if (inner < 1 || inner > LARGEST_WIDTH)
    return isc_fail(ISCP_ERROR_MISMATCH, "%s has %lld output channels, expected 1 to %d", first->name, (long long)inner,
                    LARGEST_WIDTH);
  a->planes = planes == a->width ? 0 : (int32_t)planes;
  a->inner = bottleneck && inner != planes ? (int32_t)inner : 0;
  return ISCP_OK;
}

static iscp_status infer_stride(isc_architecture *a, const isc_tensor_set *tensors) {
  const char *said = isc_tensor_set_metadata(tensors, ISC_STRIDE_KEY);
  a->stride = 0;
  if (!said)
    return ISCP_OK;
  if (!strcmp(said, "3x3"))
    return ISCP_OK;
  if (strcmp(said, "1x1"))
    return isc_fail(ISCP_ERROR_MISMATCH, "metadata \"%s\" is \"%.20s\", expected \"3x3\" or \"1x1\"", ISC_STRIDE_KEY, said);
  a->stride = ISCP_STRIDE_1X1;
  return a->depth < 50 ? isc_fail(ISCP_ERROR_MISMATCH, "a stride in the 1x1 convolution is told of a ResNet-%d, whose blocks "
                                  "have none", a->depth) : ISCP_OK;
}

iscp_status isc_architecture_infer(isc_architecture *architecture, const isc_tensor_set *tensors) {
  const isc_tensor *stem, *head;
  ISC_TRY(find(&stem, tensors, "conv1.weight", 4));
  ISC_TRY(find(&head, tensors, "fc.weight", 2));
  ISC_TRY(infer_depth(&architecture->depth, tensors));
  int64_t width = stem->shape[0], channels = stem->shape[1], k = stem->shape[2];
  if (width < 1 || width > LARGEST_WIDTH)
    return isc_fail(ISCP_ERROR_MISMATCH, "conv1.weight has %lld output channels, expected 1 to %d", (long long)width,
                    LARGEST_WIDTH);
  if (channels != 1 && channels != 3)
    return isc_fail(ISCP_ERROR_MISMATCH, "conv1.weight has %lld input channels, expected 1 or 3", (long long)channels);
  if ((k != 7 && k != 3) || stem->shape[3] != k)
    return isc_fail(ISCP_ERROR_MISMATCH, "conv1.weight is %lldx%lld, expected 7x7 (imagenet stem) or 3x3 (cifar stem)",
                    (long long)k, (long long)stem->shape[3]);
  if (head->shape[0] < 2 || head->shape[0] > 1000000)
    return isc_fail(ISCP_ERROR_MISMATCH, "fc.weight has %lld rows, expected 2 to 1000000 classes",
                    (long long)head->shape[0]);
  architecture->width = (int32_t)width;
  architecture->channels = (int32_t)channels;
  architecture->stem = k == 7 ? ISCP_STEM_IMAGENET : ISCP_STEM_CIFAR;
  architecture->classes = (int32_t)head->shape[0];
  ISC_TRY(infer_widths(architecture, tensors));
  return infer_stride(architecture, tensors);
}

iscp_status isc_architecture_check(const isc_architecture *a) {
  int32_t blocks[4];
  bool bottleneck;
  if (!isc_architecture_blocks(a->depth, blocks, &bottleneck))
    return isc_fail(ISCP_ERROR_ARGUMENT, "depth is %d, expected 18, 34, 50, 101 or 152", a->depth);
  if (a->width < 1 || a->width > LARGEST_WIDTH)
    return isc_fail(ISCP_ERROR_ARGUMENT, "width is %d, expected 1 to %d", a->width, LARGEST_WIDTH);
  if (a->stem != ISCP_STEM_IMAGENET && a->stem != ISCP_STEM_CIFAR)
    return isc_fail(ISCP_ERROR_ARGUMENT, "stem is %d, expected ISCP_STEM_IMAGENET or ISCP_STEM_CIFAR", a->stem);
  if (a->classes < 2 || a->classes > 1000000)
    return isc_fail(ISCP_ERROR_ARGUMENT, "classes is %d, expected 2 to 1000000", a->classes);
  if (a->channels != 1 && a->channels != 3)
    return isc_fail(ISCP_ERROR_ARGUMENT, "channels is %d, expected 1 or 3", a->channels);
  if (a->planes < 0 || a->planes > LARGEST_WIDTH)
    return isc_fail(ISCP_ERROR_ARGUMENT, "planes is %d, expected 0 to %d", a->planes, LARGEST_WIDTH);
  if (a->inner < 0 || a->inner > LARGEST_WIDTH || (a->inner && !bottleneck))
    return isc_fail(ISCP_ERROR_ARGUMENT, "inner is %d, expected 0 to %d, and 0 for a ResNet-18 or 34", a->inner,
                    LARGEST_WIDTH);
  if (a->stride < 0 || a->stride > ISCP_STRIDE_1X1 || (a->stride == ISCP_STRIDE_1X1 && !bottleneck))
    return isc_fail(ISCP_ERROR_ARGUMENT, "stride is %d, expected 0, ISCP_STRIDE_3X3, or for a ResNet-50, 101 or 152 "
                    "ISCP_STRIDE_1X1", a->stride);
  return ISCP_OK;
}
