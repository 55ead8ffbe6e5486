/* Threads that take the next item until there is none. They are POSIX threads that live for one call: opening a dataset is no
 * computing call, so that OpenMP's pools stay with those. */
#include "data/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { MOST = 16 };

typedef struct task {
  atomic_llong next;
  atomic_bool stop;
  int64_t count;
  isc_item_fn *each;
  void *user;
} task;

int32_t isc_workers_count(const iscp_context *context) {
  int32_t threads = iscp_context_threads(context);
  return threads < MOST ? threads : MOST;
}

/* The item taken, or -1. */
static int64_t take(task *t) {
  int64_t item = atomic_load(&t->stop) ? t->count : atomic_fetch_add(&t->next, 1);
  return item < t->count ? item : -1;
}

static void *work(void *user) {
  task *t = user;
  for (int64_t item; (item = take(t)) >= 0;)
    t->each(t->user, item);
  return NULL;
}

/* Signals are the caller's: one that came to a worker would not be seen where it is waited for. */
static int start(pthread_t *threads, int wanted, task *t) {
  sigset_t all, before;
  int started = 0;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (started < wanted && !pthread_create(&threads[started], NULL, work, t))
    started++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

iscp_status isc_workers_run(const iscp_context *context, int64_t count, isc_item_fn *each, void *user,
                            isc_progress *progress) {
  pthread_t threads[MOST];
  task t = {.count = count, .each = each, .user = user};
  atomic_init(&t.next, 0);
  atomic_init(&t.stop, false);
  int64_t wanted = isc_workers_count(context) - 1;
  int started = start(threads, (int)(wanted < count - 1 ? wanted : count - 1), &t);
  iscp_status status = ISCP_OK;
  for (int64_t item; status == ISCP_OK && (item = take(&t)) >= 0;) {
    each(user, item);
    status = isc_progress_tell(progress, item + 1);
  }
  atomic_store(&t.stop, true);
  for (int i = 0; i < started; i++)
    pthread_join(threads[i], NULL);
  return status == ISCP_OK ? isc_progress_tell(progress, count) : status; /* the last items may have been others' */
}
