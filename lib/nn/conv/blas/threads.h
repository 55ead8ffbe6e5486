/* Around every computation on OpenBLAS: the context's thread count governs it. */
#ifndef ISC_NN_BLAS_THREADS_H
#define ISC_NN_BLAS_THREADS_H

void isc_blas_enter(void);
void isc_blas_leave(void);

#endif
