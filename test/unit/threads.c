/* Threads and processes: one count governs every pool, contexts compute side by side, and a forked child is told what it
 * cannot do instead of hanging. Each case computes on threads of its own, whose pools nobody had before. */
#include <dirent.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/model.h"
#include "support.h"
#include "toy.h"

static const toy small = {18, 16, ISCP_STEM_IMAGENET, 3, 5, 2};
enum { SIDE = 16, NUMBERS = 3 * SIDE * SIDE, CLASSES = 5, IMAGES = 4 };

/* ---- An OpenBLAS on pthreads ---- */

/* The linker hands the library's calls to these: an OpenBLAS with a pool and a count of its own, if asked for. */
int __real_openblas_get_parallel(void);
int __real_openblas_get_num_threads(void);
void __real_openblas_set_num_threads(int count);
int __wrap_openblas_get_parallel(void);
int __wrap_openblas_get_num_threads(void);
void __wrap_openblas_set_num_threads(int count);
static bool own_pool;
static atomic_int pool_count, pool_changes;

int __wrap_openblas_get_parallel(void) { return own_pool ? 1 : __real_openblas_get_parallel(); }
int __wrap_openblas_get_num_threads(void) { return own_pool ? pool_count : __real_openblas_get_num_threads(); }
void __wrap_openblas_set_num_threads(int count) {
  if (!own_pool)
    __real_openblas_set_num_threads(count);
  pool_count = count;
  pool_changes++;
}

/* ---- One computation ---- */

typedef struct work {
  int32_t backend, threads, turns;
  float logits[IMAGES * CLASSES], gradient[IMAGES * NUMBERS];
  int tasks; /* threads of the process when it was done */
} work;

static iscp_context *context_of(const work *w) {
  iscp_context_options options;
  iscp_context *context;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.backend = w->backend;
  options.threads = w->threads;
  ASSERT_OK(iscp_context_create(&context, &options));
  return context;
}

static iscp_session *session_of(iscp_context *context, iscp_status *status) {
  iscp_contract contract = toy_contract(&small, SIDE, SIDE);
  isc_tensor_set tensors;
  iscp_session *session;
  toy_tensors(&tensors, context, &small);
  iscp_model *model = toy_model(context, &tensors, &contract);
  isc_tensor_set_release(&tensors, context);
  *status = iscp_session_create(&session, model, IMAGES, ISCP_SESSION_GRADIENT);
  iscp_model_destroy(model);
  return session;
}

static iscp_status run(iscp_session *session, work *w) {
  static const int32_t targets[IMAGES] = {0, 1, 2, 3};
  float images[IMAGES * NUMBERS];
  support_fill(images, IMAGES * NUMBERS, 0, 1, 3);
  return iscp_session_input_gradient(session, images, targets, IMAGES, w->gradient, NULL, w->logits);
}

static int count_tasks(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/task");
  ck_assert_ptr_nonnull(folder);
  for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
    count += entry->d_name[0] != '.';
  closedir(folder);
  return count;
}

/* The whole of it: context, model, session, `turns` passes. */
static iscp_status compute(work *w) {
  iscp_context *context = context_of(w);
  iscp_status status;
  iscp_session *session = session_of(context, &status);
  for (int32_t turn = 0; status == ISCP_OK && turn < w->turns; turn++)
    status = run(session, w);
  w->tasks = count_tasks();
  iscp_session_destroy(session);
  iscp_context_destroy(context);
  return status;
}

static void *compute_thread(void *user) {
  int before = omp_get_max_threads();
  ASSERT_OK(compute(user));
  ck_assert_int_eq(omp_get_max_threads(), before); /* the caller's own setting is as it was */
  return NULL;
}

static void on_new_thread(void *(*function)(void *), void *user) {
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, function, user), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* What `function` answers in a child of fork; one that hangs is ended by its alarm, and answers -1. */
static int code_of_child(int (*function)(void *), void *user) {
  pid_t process = fork();
  ck_assert_int_ge(process, 0);
  if (process == 0) {
    signal(SIGALRM, SIG_DFL); /* Check's own handler ends the whole group */
    alarm(60);
    _exit(function(user));
  }
  int status;
  ck_assert_int_eq(waitpid(process, &status, 0), process);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int count_in_child(void *user) {
  work *w = user;
  return compute(w) == ISCP_OK ? w->tasks : 0;
}

static void check_same(const work *a, const work *b) {
  ck_assert_mem_eq(a->logits, b->logits, sizeof a->logits);
  ck_assert_mem_eq(a->gradient, b->gradient, sizeof a->gradient);
}

/* ---- Threads ---- */

/* A child of fork begins with one thread, and takes as many as the count says. */
START_TEST(the_count_governs_every_pool) {
  for (int32_t backend = ISCP_BACKEND_AUTO; backend <= ISCP_BACKEND_BLAS; backend += 2)
    for (int32_t threads = 1; threads <= 3; threads++) {
      if (backend == ISCP_BACKEND_BLAS && __real_openblas_get_parallel() == 1)
        continue; /* its own pool sleeps, and is there all the same */
      work w = {.backend = backend, .threads = threads, .turns = 1};
      int tasks = code_of_child(count_in_child, &w);
      ck_assert_msg(tasks == threads, "backend %d with %d threads makes %d", backend, threads, tasks);
    }
}
END_TEST

START_TEST(contexts_compute_at_once) {
  enum { COUNT = 5 };
  static const int32_t kinds[COUNT][2] = {{ISCP_BACKEND_AUTO, 1}, {ISCP_BACKEND_AUTO, 3}, {ISCP_BACKEND_BLAS, 2},
                                          {ISCP_BACKEND_AUTO, 2}, {ISCP_BACKEND_BLAS, 1}};
  static work alone[COUNT], together[COUNT];
  pthread_t threads[COUNT];
  for (int i = 0; i < COUNT; i++) {
    alone[i] = (work){.backend = kinds[i][0], .threads = kinds[i][1], .turns = 1};
    together[i] = (work){.backend = kinds[i][0], .threads = kinds[i][1], .turns = 10};
    on_new_thread(compute_thread, &alone[i]);
  }
  for (int i = 0; i < COUNT; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, compute_thread, &together[i]), 0);
  for (int i = 0; i < COUNT; i++) {
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    check_same(&alone[i], &together[i]);
  }
}
END_TEST

/* In a parallel region of the caller's the library has the one thread that calls it, whatever the context says. */
static void *team_thread(void *user) {
  const int32_t *backend = user;
  static work works[2];
  iscp_status statuses[2];
#pragma omp parallel for num_threads(2) schedule(static, 1)
  for (int i = 0; i < 2; i++) {
    works[i] = (work){.backend = *backend, .threads = 2, .turns = 3};
    statuses[i] = compute(&works[i]);
  }
  ASSERT_OK(statuses[0]);
  ASSERT_OK(statuses[1]);
  check_same(&works[0], &works[1]);
  return NULL;
}

START_TEST(an_openmp_program_may_call_from_its_team) {
  for (int32_t backend = ISCP_BACKEND_AUTO; backend <= ISCP_BACKEND_BLAS; backend += 2)
    on_new_thread(team_thread, &backend);
}
END_TEST

/* The other contexts' threads come and go: the last one gives the process its count back. */
START_TEST(openblas_own_pool_is_held_to_one_thread) {
  enum { COUNT = 3 };
  static work works[COUNT];
  pthread_t threads[COUNT];
  own_pool = true;
  pool_count = 7;
  for (int i = 0; i < COUNT; i++) {
    works[i] = (work){.backend = ISCP_BACKEND_BLAS, .threads = 2, .turns = 10};
    ck_assert_int_eq(pthread_create(&threads[i], NULL, compute_thread, &works[i]), 0);
  }
  for (int i = 0; i < COUNT; i++)
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
  ck_assert_int_ge(pool_changes, 2);
  ck_assert_int_eq(pool_count, 7); /* the process has its own setting back */
  own_pool = false;
}
END_TEST

/* ---- Fork ---- */

enum { REFUSED = 100, WRONG_BYTES, WRONG_LINE };

/* What a child does: a context of its own, on its first thread or on a new one. */
typedef struct child {
  work parent, own; /* what the parent does before the fork, and the child after it */
  bool new_thread;
  int expected; /* ISCP_OK or REFUSED */
} child;

static int compute_own(void *user) {
  child *c = user;
  iscp_status status = compute(&c->own);
  if (status == ISCP_ERROR_BUSY)
    return strstr(iscp_error_message(), "expected a context of 1 thread, a new thread, or spawn") ? REFUSED : WRONG_LINE;
  if (status == ISCP_OK && c->own.threads == c->parent.threads &&
      memcmp(c->own.gradient, c->parent.gradient, sizeof c->own.gradient))
    return WRONG_BYTES;
  return (int)status;
}

static void *compute_own_thread(void *user) { return (void *)(intptr_t)compute_own(user); }

static int compute_own_on_new_thread(void *user) {
  pthread_t thread;
  void *code = (void *)(intptr_t)WRONG_LINE;
  if (!pthread_create(&thread, NULL, compute_own_thread, user))
    pthread_join(thread, &code);
  return (int)(intptr_t)code;
}

static void fork_and_check(child *c) {
  int code = code_of_child(c->new_thread ? compute_own_on_new_thread : compute_own, c);
  ck_assert_msg(code == c->expected, "backend %d, %d threads, then forked and %d: %d, expected %d", c->own.backend,
                c->parent.threads, c->own.threads, code, c->expected);
}

static void *parent_thread(void *user) {
  child *c = user;
  ASSERT_OK(compute(&c->parent));
  fork_and_check(c);
  ASSERT_OK(compute(&c->parent)); /* the parent goes on */
  return NULL;
}

START_TEST(a_childs_own_context) {
  static const struct {
    int32_t parent, own;
    bool new_thread;
    int expected;
  } cases[] = {{1, 1, false, ISCP_OK}, {1, 2, false, ISCP_OK}, {2, 1, false, ISCP_OK},
               {2, 2, false, REFUSED}, {3, 2, false, REFUSED}, {2, 2, true, ISCP_OK}};
  for (int32_t backend = ISCP_BACKEND_AUTO; backend <= ISCP_BACKEND_BLAS; backend += 2)
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
      child c = {.parent = {.backend = backend, .threads = cases[i].parent, .turns = 1},
                 .own = {.backend = backend, .threads = cases[i].own, .turns = 1},
                 .new_thread = cases[i].new_thread,
                 .expected = cases[i].expected};
      on_new_thread(parent_thread, &c);
    }
}
END_TEST

/* What another thread of the parent computed does not bind the one that forks. */
START_TEST(the_thread_that_forks_counts) {
  child c = {.parent = {.threads = 2, .turns = 1}, .own = {.threads = 2, .turns = 1}, .expected = ISCP_OK};
  on_new_thread(compute_thread, &c.parent);
  fork_and_check(&c);
}
END_TEST

/* ---- Run to run ---- */

/* BACKEND THREADS FILE: the program is to write the bytes of one computation, instead of testing. */
static char **asked;

START_TEST(write_bytes) {
  static work w;
  w = (work){.backend = atoi(asked[0]), .threads = atoi(asked[1]), .turns = 1};
  ASSERT_OK(compute(&w));
  support_write(asked[2], &w, sizeof w);
}
END_TEST

static void run_process(work *w, int32_t backend, int32_t threads) {
  const char *path = support_path("bytes");
  char program[256] = "", command[1024];
  ck_assert_int_gt(readlink("/proc/self/exe", program, sizeof program - 1), 0);
  snprintf(command, sizeof command, "'%s' %d %d '%s' >/dev/null", program, backend, threads, path);
  ck_assert_int_eq(system(command), 0);
  FILE *file = fopen(path, "rb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fread(w, sizeof *w, 1, file), 1);
  fclose(file);
}

START_TEST(processes_compute_the_same_bytes) {
  static work runs[3];
  for (int32_t backend = ISCP_BACKEND_AUTO; backend <= ISCP_BACKEND_BLAS; backend += 2)
    for (int32_t threads = 1; threads <= 3; threads++) {
      for (int i = 0; i < 3; i++)
        run_process(&runs[i], backend, threads);
      check_same(&runs[0], &runs[1]);
      check_same(&runs[0], &runs[2]);
    }
}
END_TEST

int main(int argc, char **argv) {
  Suite *suite = suite_create("threads");
  TCase *processes = tcase_create("processes");
  suite_add_tcase(suite, processes);
  if (argc == 4) {
    asked = argv + 1;
    tcase_add_test(processes, write_bytes);
    return support_run(suite);
  }
  TCase *threads = tcase_create("threads"), *forks = tcase_create("forks");
  tcase_add_test(threads, the_count_governs_every_pool);
  tcase_add_test(threads, contexts_compute_at_once);
  tcase_add_test(threads, an_openmp_program_may_call_from_its_team);
  tcase_add_test(threads, openblas_own_pool_is_held_to_one_thread);
  tcase_add_test(forks, a_childs_own_context);
  tcase_add_test(forks, the_thread_that_forks_counts);
  tcase_add_test(processes, processes_compute_the_same_bytes);
  suite_add_tcase(suite, threads);
  suite_add_tcase(suite, forks);
  return support_run(suite);
}
