/* What a context's backend decides: the layout of activations, and which implementations of convolution are in play
 * (conv/table.c). And what the build and the machine offer: versions and CPU kernels. */
#ifndef ISC_NN_BACKEND_H
#define ISC_NN_BACKEND_H

#include "nn/nn.h"

typedef struct isc_backend {
  int32_t (*block)(void); /* channels of a block of all activations (ops/layout.h); the network's input is N C H W */
  iscp_status (*check)(const iscp_context *context); /* whether the context's precision can be had here; NULL = always */
} isc_backend;

extern const isc_backend isc_backend_onednn, isc_backend_blas;

/* The backend of a context. */
const isc_backend *isc_backend_of(const iscp_context *context);

/* ---- conv/onednn, in a build with it; the texts are empty in one without ---- */

int32_t isc_onednn_block(void); /* by the CPU */

/* ISCP_ERROR_UNSUPPORTED or ISCP_ERROR_BACKEND if the context asks for bf16 and this CPU has it not, or wrong. */
iscp_status isc_onednn_check_precision(const iscp_context *context);

/* "2.6.3" and the CPU kernels in use; static storage. */
const char *isc_onednn_version(void);
const char *isc_onednn_kernels(void);

/* ---- conv/blas ---- */

const char *isc_blas_version(void);
/* With advice in brackets where OpenBLAS does not use what the CPU has: "Haswell (this CPU has AVX-512: set ...)". */
const char *isc_blas_kernels(void);
int32_t isc_blas_most_threads(void); /* that may call OpenBLAS at a time, as it was built */
/* What to do so that OpenBLAS, which runs `kernels`, uses the CPU's features; "" where it does. */
const char *isc_blas_advice(const char *kernels, bool avx512, bool avx2);
/* Says so in the log: a warning where OpenBLAS computes everything, for information where it runs what oneDNN refuses. */
void isc_blas_advise(const iscp_context *context);

#endif
