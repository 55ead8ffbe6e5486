/* How long a planned convolution takes here. */
#ifndef ISC_NN_CONV_TIME_H
#define ISC_NN_CONV_TIME_H

#include "nn/backend.h"

/* Seconds of one forward and, if desc->gradient, one backward_data of `conv`, with their passes for bits and ReLU left out; the
 * fastest of some runs over memory of its own. */
iscp_status isc_conv_time(double *seconds, const isc_backend *runner, isc_conv *conv, const iscp_context *context,
                          const isc_conv_desc *desc);

#endif
