/* OpenBLAS's threads. Its OpenMP build takes the calling thread's OpenMP settings, which are the context's. Its build on
 * pthreads has a pool and a count of its own for the whole process, which no context governs: it is held to one thread while
 * the library computes on it, and has its count back when the last computing thread leaves. */
#include <cblas.h>
#include <pthread.h>

#include "nn/conv/blas/threads.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int inside, count_before;

void isc_blas_enter(void) {
  if (openblas_get_parallel() != OPENBLAS_THREAD)
    return;
  pthread_mutex_lock(&lock);
  if (inside++ == 0) {
    count_before = openblas_get_num_threads();
    openblas_set_num_threads(1);
  }
  pthread_mutex_unlock(&lock);
}

void isc_blas_leave(void) {
  if (openblas_get_parallel() != OPENBLAS_THREAD)
    return;
  pthread_mutex_lock(&lock);
  if (--inside == 0)
    openblas_set_num_threads(count_before);
  pthread_mutex_unlock(&lock);
}
