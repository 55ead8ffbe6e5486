/* A dataset seen through another contract: the same pictures and labels, nothing of its own. */
#include "data/dataset.h"

iscp_status isc_dataset_view(iscp_dataset **out, const iscp_dataset *dataset, const iscp_contract *contract) {
  iscp_dataset *view = isc_calloc(dataset->context, 1, sizeof *view);
  *out = NULL;
  if (!view)
    return ISCP_ERROR_MEMORY;
  atomic_init(&view->references, 1);
  pthread_mutex_init(&view->hash_lock, NULL);
  view->context = isc_context_hold(dataset->context);
  view->base = isc_dataset_hold(dataset);
  view->kind = dataset->kind;
  view->contract = *contract;
  view->has_contract = true;
  view->count = dataset->count;
  view->classes = dataset->classes;
  view->labels = dataset->labels;
  view->picture = dataset->picture;
  view->image_values = dataset->image_values;
  view->file = dataset->file;
  view->file_offset = dataset->file_offset;
  view->paths = dataset->paths;
  view->root_length = dataset->root_length;
  view->poisoning = dataset->poisoning;
  *out = view;
  return ISCP_OK;
}
