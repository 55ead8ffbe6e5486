/* Architecture and parameters of one network: immutable, counted references, shared by every plan made of it. The tensors
 * stay as they were stored (f16 stays f16); a plan folds and packs its own arrangement of them. */
#include <stdatomic.h>
#include <string.h>

#include "nn/backend.h"
#include "nn/resnet/parameters.h"

struct isc_network {
  atomic_int references;
  iscp_context *context;
  isc_architecture architecture;
  isc_tensor_set tensors;
  int64_t parameters;
  bool reversed; /* plans reverse the channels that the first convolution reads */
};

/* A size at which every depth and stem has a graph: parameters do not depend on it. */
enum { ANY_SIZE = 224 };

iscp_status isc_network_create(isc_network **out, const iscp_context *context, isc_tensor_set *tensors) {
  *out = NULL;
  iscp_status status;
  isc_graph *graph = isc_calloc(context, 1, sizeof *graph);
  isc_network *network = isc_calloc(context, 1, sizeof *network);
  if (!graph || !network) {
    status = ISCP_ERROR_MEMORY;
    goto done;
  }
  ISC_TRY_OR_DONE(isc_architecture_infer(&network->architecture, tensors));
  ISC_TRY_OR_DONE(isc_graph_build(graph, &network->architecture, 1, ANY_SIZE, ANY_SIZE, 0));
  ISC_TRY_OR_DONE(isc_parameters_check(tensors, graph, context));
  atomic_init(&network->references, 1);
  network->context = isc_context_hold(context);
  network->parameters = isc_parameters_count(graph);
  network->tensors = *tensors;
  memset(tensors, 0, sizeof *tensors);
  isc_blas_advise(context);
  *out = network;
  network = NULL;
done:
  isc_free(context, graph);
  isc_free(context, network);
  return status;
}

void isc_network_reverse(isc_network *network) { network->reversed = true; }
bool isc_network_is_reversed(const isc_network *network) { return network->reversed; }

isc_network *isc_network_hold(const isc_network *network) {
  isc_network *held = (isc_network *)network;
  atomic_fetch_add(&held->references, 1);
  return held;
}

void isc_network_drop(isc_network *network) {
  if (!network || atomic_fetch_sub(&network->references, 1) != 1)
    return;
  iscp_context *context = network->context;
  isc_tensor_set_release(&network->tensors, context);
  isc_free(context, network);
  isc_context_drop(context);
}

const isc_architecture *isc_network_architecture(const isc_network *network) { return &network->architecture; }
const isc_tensor_set *isc_network_tensors(const isc_network *network) { return &network->tensors; }
const iscp_context *isc_network_context(const isc_network *network) { return network->context; }
int64_t isc_network_parameters(const isc_network *network) { return network->parameters; }

int64_t isc_network_multiply_adds(const isc_network *network, int32_t height, int32_t width) {
  isc_graph *graph = isc_calloc(network->context, 1, sizeof *graph);
  int64_t sum = 0;
  if (graph && isc_graph_build(graph, &network->architecture, 1, height, width, 0) == ISCP_OK) {
    for (int32_t i = 0; i < graph->layer_count; i++) {
      const isc_conv_shape *s = &graph->layers[i].shape;
      sum += (int64_t)s->oc * s->oh * s->ow * s->ic * s->k * s->k;
    }
    sum += (int64_t)graph->features * network->architecture.classes;
  }
  isc_free(network->context, graph);
  return sum;
}
