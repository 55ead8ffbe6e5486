/* The loader: worker threads decode what the network will ask for next, and pictures stay decoded while there is room.
 *
 *   isc_loader_expect -> ahead: queued -> being decoded -> ready -> isc_loader_image -> kept, or let go
 *
 * An image is decoded to its bytes in network form (v of v / 255) and held so, a quarter of its float32. `ahead` is a bounded
 * row of what was announced: when it is full, its oldest give way, so that announcements that nobody comes for do no harm.
 * `kept` is ordered by last use. A full `kept` lets an image go only if it has been away for longer than images come back in: a
 * search that goes round and round over more images than fit keeps a part of them, where the plain rule (the one used
 * longest ago goes) would keep none.
 *
 * What an image holds never depends on who decoded it or when. Workers say nothing of failures: they drop the image, and
 * whoever asks for it decodes it again and has the message on the right thread, in the order of asking. */
#include "data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "data/workers.h"

enum { MOST_WORKERS = 16, LEAST_AHEAD = 8 };

typedef enum slot_state { QUEUED, DECODING, READY } slot_state;

typedef struct slot {
  struct slot *newer, *older;
  int64_t index, used; /* `used`: the number of the last access */
  slot_state state;
  int32_t readers;
  bool is_kept, is_dropped; /* `is_dropped`: gone from its list, freed by its last reader */
  uint8_t *values;
} slot;

typedef struct row {
  slot *newest, *oldest;
  int64_t count;
} row;

struct isc_loader {
  const iscp_context *context;
  isc_decode_fn *decode;
  const void *user;
  int64_t numbers;           /* of an image: bytes of a slot's values */
  int64_t most_kept, most_ahead;
  pid_t process;             /* of the threads and the lock */

  pthread_mutex_t lock;      /* of all that follows */
  pthread_cond_t wanted, done;
  slot **slots;              /* by image, or NULL */
  int64_t *accesses;         /* by image: the number of its last access, 0 if none */
  int64_t access, longest;   /* accesses so far; the most of them between two of one image */
  row ahead, kept;
  slot *next_queued;         /* the oldest queued one of `ahead` */
  bool stop;
  int32_t worker_count;
  pthread_t workers[MOST_WORKERS];
};

/* ---- Rows and slots ---- */

static void link_newest(row *r, slot *s) {
  s->older = r->newest;
  s->newer = NULL;
  if (r->newest)
    r->newest->newer = s;
  else
    r->oldest = s;
  r->newest = s;
  r->count++;
}

static void unlink_slot(row *r, slot *s) {
  *(s->newer ? &s->newer->older : &r->newest) = s->older;
  *(s->older ? &s->older->newer : &r->oldest) = s->newer;
  s->newer = s->older = NULL;
  r->count--;
}

static void free_slot(const isc_loader *l, slot *s) {
  isc_free(l->context, s->values);
  isc_free(l->context, s);
}

static slot *next_queued_after(slot *s) {
  while (s && s->state != QUEUED)
    s = s->newer;
  return s;
}

/* Takes a slot out of its row. One that is read or being decoded is freed by whoever is at it. */
static void drop(isc_loader *l, slot *s) {
  if (s == l->next_queued)
    l->next_queued = next_queued_after(s->newer);
  unlink_slot(s->is_kept ? &l->kept : &l->ahead, s);
  l->slots[s->index] = NULL;
  s->is_dropped = true;
  if (!s->readers && s->state != DECODING)
    free_slot(l, s);
}

static slot *make_slot(const isc_loader *l, int64_t index) {
  slot *s = isc_calloc(l->context, 1, sizeof *s);
  if (!s)
    return NULL;
  s->index = index;
  s->values = isc_alloc(l->context, (size_t)l->numbers);
  if (s->values)
    return s;
  isc_free(l->context, s);
  return NULL;
}

/* Bytes become numbers here, once: what is kept has never been anything else. */
static void unpack(float *image, const uint8_t *values, int64_t numbers) {
  for (int64_t i = 0; i < numbers; i++)
    image[i] = (float)values[i] / 255.0f;
}

/* ---- Keeping ---- */

/* Makes room for an image that came back, or is new. False if none is to be had for it. */
static bool make_room(isc_loader *l, bool is_new) {
  while (l->kept.count >= l->most_kept) {
    slot *oldest = l->kept.oldest;
    if (!oldest || is_new || l->access - oldest->used <= l->longest)
      return false;
    drop(l, oldest);
  }
  return true;
}

/* Puts a slot that is in no row among the kept ones, or frees it. */
static void keep(isc_loader *l, slot *s, bool is_new) {
  if (l->slots[s->index] || !make_room(l, is_new)) {
    free_slot(l, s);
    return;
  }
  s->state = READY;
  s->is_kept = true;
  s->used = l->access;
  l->slots[s->index] = s;
  link_newest(&l->kept, s);
}

/* ---- Workers ---- */

/* With the lock, which is given up while the picture is decoded. */
static void decode_next(isc_loader *l) {
  slot *s = l->next_queued;
  s->state = DECODING;
  l->next_queued = next_queued_after(s->newer);
  pthread_mutex_unlock(&l->lock);
  bool good = l->decode(s->values, ISC_U8, s->index, l->user) == ISCP_OK;
  pthread_mutex_lock(&l->lock);
  s->state = READY;
  if (s->is_dropped)
    free_slot(l, s);
  else if (!good)
    drop(l, s);
  pthread_cond_broadcast(&l->done);
}

static void *work(void *user) {
  isc_loader *l = user;
  pthread_mutex_lock(&l->lock);
  while (!l->stop)
    if (l->next_queued)
      decode_next(l);
    else
      pthread_cond_wait(&l->wanted, &l->lock);
  pthread_mutex_unlock(&l->lock);
  return NULL;
}

/* Signals are the caller's. Without threads everything still works: who asks for an image decodes it. */
static void start_workers(isc_loader *l) {
  sigset_t all, before;
  int32_t wanted = isc_workers_count(l->context);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (l->worker_count < wanted && !pthread_create(&l->workers[l->worker_count], NULL, work, l))
    l->worker_count++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- Asking and announcing ---- */

/* Announced for its turn but not begun: the caller is as fast as a worker. Being decoded: it is worth waiting. */
static slot *find_ready(isc_loader *l, int64_t index) {
  slot *s = l->slots[index];
  while (s && s->state == DECODING) {
    pthread_cond_wait(&l->done, &l->lock);
    s = l->slots[index];
  }
  if (s && s->state == QUEUED) {
    drop(l, s);
    return NULL;
  }
  return s;
}

/* With the lock, which is given up while the image is copied. */
static void read_slot(isc_loader *l, slot *s, float *image, bool is_new) {
  s->readers++;
  s->used = l->access;
  pthread_mutex_unlock(&l->lock);
  unpack(image, s->values, l->numbers);
  pthread_mutex_lock(&l->lock);
  s->readers--;
  if (s->is_dropped) {
    if (!s->readers)
      free_slot(l, s);
  } else if (s->is_kept) {
    unlink_slot(&l->kept, s);
    link_newest(&l->kept, s);
  } else if (!s->readers) {
    unlink_slot(&l->ahead, s);
    l->slots[s->index] = NULL;
    keep(l, s, is_new);
  }
}

/* Decoded by the caller: to bytes if there is room for them, else straight to numbers, without a word. So are images that are no
 * bytes, which are not held. */
static iscp_status decode_here(isc_loader *l, int64_t index, float *image, bool is_new) {
  pthread_mutex_lock(&l->lock);
  bool wanted = !l->slots[index] && make_room(l, is_new);
  pthread_mutex_unlock(&l->lock);
  slot *s = wanted ? make_slot(l, index) : NULL;
  if (!s)
    return l->decode(image, ISC_F32, index, l->user);
  iscp_status status = l->decode(s->values, ISC_U8, index, l->user);
  if (status != ISCP_OK) {
    free_slot(l, s);
    return status == ISCP_ERROR_UNSUPPORTED ? l->decode(image, ISC_F32, index, l->user) : status;
  }
  unpack(image, s->values, l->numbers);
  pthread_mutex_lock(&l->lock);
  keep(l, s, is_new);
  pthread_mutex_unlock(&l->lock);
  return ISCP_OK;
}

iscp_status isc_loader_image(isc_loader *l, int64_t index, float *image) {
  /* A forked child has neither the threads nor, for sure, the lock. */
  if (l->process != getpid())
    return l->decode(image, ISC_F32, index, l->user);
  pthread_mutex_lock(&l->lock);
  l->access++;
  bool is_new = !l->accesses[index];
  if (!is_new && l->access - l->accesses[index] > l->longest)
    l->longest = l->access - l->accesses[index];
  l->accesses[index] = l->access;
  slot *s = find_ready(l, index);
  if (s)
    read_slot(l, s, image, is_new);
  pthread_mutex_unlock(&l->lock);
  return s ? ISCP_OK : decode_here(l, index, image, is_new);
}

static void announce(isc_loader *l, int64_t index) {
  if (l->slots[index])
    return;
  if (l->ahead.count >= l->most_ahead)
    drop(l, l->ahead.oldest);
  slot *s = make_slot(l, index);
  if (!s)
    return;
  s->state = QUEUED;
  l->slots[index] = s;
  link_newest(&l->ahead, s);
  if (!l->next_queued)
    l->next_queued = s;
}

void isc_loader_expect(isc_loader *l, const int64_t *indices, int64_t count) {
  if (l->process != getpid())
    return;
  pthread_mutex_lock(&l->lock);
  for (int64_t i = 0; i < count && i < l->most_ahead; i++)
    announce(l, indices[i]);
  if (l->next_queued && !l->worker_count)
    start_workers(l);
  pthread_cond_broadcast(&l->wanted);
  pthread_mutex_unlock(&l->lock);
}

/* ---- Life ---- */

iscp_status isc_loader_create(isc_loader **out, const iscp_context *context, int64_t count, int64_t numbers, int64_t bytes,
                              isc_decode_fn *decode, const void *user) {
  *out = NULL;
  isc_loader *l = isc_calloc(context, 1, sizeof *l);
  if (!l)
    return ISCP_ERROR_MEMORY;
  *l = (isc_loader){.context = context, .decode = decode, .user = user, .numbers = numbers, .process = getpid()};
  l->most_kept = bytes / numbers;
  l->most_ahead = l->most_kept / 4 > LEAST_AHEAD ? l->most_kept / 4 : LEAST_AHEAD;
  l->slots = isc_calloc(context, (size_t)count, sizeof *l->slots);
  l->accesses = isc_calloc(context, (size_t)count, sizeof *l->accesses);
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->wanted, NULL);
  pthread_cond_init(&l->done, NULL);
  if (!l->slots || !l->accesses) {
    isc_loader_destroy(l);
    return ISCP_ERROR_MEMORY;
  }
  *out = l;
  return ISCP_OK;
}

static void end_workers(isc_loader *l) {
  pthread_mutex_lock(&l->lock);
  l->stop = true;
  pthread_cond_broadcast(&l->wanted);
  pthread_mutex_unlock(&l->lock);
  for (int32_t i = 0; i < l->worker_count; i++)
    pthread_join(l->workers[i], NULL);
}

void isc_loader_destroy(isc_loader *l) {
  if (!l)
    return;
  const iscp_context *context = l->context;
  if (l->process == getpid()) { /* in a forked child the rows may be in any state: left */
    end_workers(l);
    while (l->ahead.oldest)
      drop(l, l->ahead.oldest);
    while (l->kept.oldest)
      drop(l, l->kept.oldest);
    pthread_cond_destroy(&l->done);
    pthread_cond_destroy(&l->wanted);
    pthread_mutex_destroy(&l->lock);
  }
  isc_free(context, l->slots);
  isc_free(context, l->accesses);
  isc_free(context, l);
}
