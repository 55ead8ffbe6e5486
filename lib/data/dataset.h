/* The inside of a dataset, for lib/data only: images (source.h) seen through an input contract, and the loader ahead of them. */
#ifndef ISC_DATA_DATASET_H
#define ISC_DATA_DATASET_H

#include "data/loader.h"
#include "data/source/source.h"

struct iscp_dataset {
  atomic_int references;
  iscp_context *context;
  isc_images *images;
  iscp_contract contract;
  bool has_contract;
  isc_loader *loader; /* NULL: each access decodes */
  int64_t memory;     /* bytes of pictures that it may keep */
};

/* Takes over one reference of the images, on failure too; without a contract (NULL) they can only be told about. */
iscp_status isc_dataset_create(iscp_dataset **out, const iscp_context *context, isc_images *images,
                               const iscp_contract *contract);

/* Gives a set with a contract its loader, which may keep `memory` bytes of pictures. */
iscp_status isc_dataset_load_ahead(iscp_dataset *dataset, int64_t memory);

#endif
