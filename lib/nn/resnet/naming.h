/* Networks that look like a ResNet to the tables of naming.c, and those that do not: told by name. */
#ifndef ISC_NN_NAMING_H
#define ISC_NN_NAMING_H

#include "nn/nn.h"

/* ISCP_ERROR_UNSUPPORTED if a tensor behind the prefix is one that a ResNet does not have and another network does. */
iscp_status isc_lookalike_check_names(const isc_tensor_set *tensors, const char *prefix);

/* The same by the shapes, and by what is missing, once the tensors have torchvision's names. */
iscp_status isc_lookalike_check_shapes(const isc_tensor_set *tensors);

/* ISCP_ERROR_UNSUPPORTED: says what network it is, or what its tensors are. */
iscp_status isc_lookalike_fail(const isc_tensor_set *tensors);

#endif
