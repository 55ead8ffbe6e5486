/* Convolutions written here for AVX-512, over blocks of 16 channels. Used layer by layer beside oneDNN: conv_create
 * answers ISCP_ERROR_UNSUPPORTED for shapes, CPUs and kinds of convolution that are not its own. */
#ifndef ISC_NN_DIRECT_H
#define ISC_NN_DIRECT_H

#include "nn/backend.h"

extern const isc_backend isc_backend_direct;

#endif
