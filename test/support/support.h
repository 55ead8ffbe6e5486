/* What every test program uses: a context that counts its memory, a folder of its own, and checks of failures.
 *
 * The process that runs Check's suites never computes: OpenMP's threads do not survive the fork of each test. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#include <iscp/iscp.h>

/* Runs the cases of a suite; main returns what this returns: 0 if all passed. */
int support_run(Suite *suite);

/* Says what this machine lacks; main returns what this returns, and meson counts the test as skipped. */
int support_skip(const char *reason);

/* A context whose allocator counts blocks and can be told to fail. Made by support_context, checked and destroyed by
 * support_context_end, which fails the test if a block is still held. */
iscp_context *support_context(void);
void support_context_end(iscp_context *context);

/* The allocation after `allowed` more successful ones fails, and every later one; a negative value lets all succeed. */
void support_fail_after(long allowed);
long support_allocations(void); /* allocations asked for since support_context */

/* A fresh folder, removed with its content when the test program ends. */
const char *support_folder(void);
const char *support_path(const char *name); /* in that folder; valid until four further calls */
void support_write(const char *path, const void *bytes, size_t size);

/* Checks that a call failed with `expected` and left one line without a final full stop that has `word` in it. */
void support_failed(iscp_status status, iscp_status expected, const char *word);

/* Largest difference and relative L2 difference of two arrays. */
double support_max_difference(const float *a, const float *b, size_t count);
double support_relative_l2(const float *a, const float *b, size_t count);

/* Numbers in [low, high) named by a seed. */
void support_fill(float *values, size_t count, float low, float high, uint32_t seed);

#define ASSERT_OK(call)                                                                                  \
  do {                                                                                                   \
    iscp_status support_status_ = (call);                                                                \
    ck_assert_msg(support_status_ == ISCP_OK, "%s: %s: %s", #call, iscp_status_name(support_status_), \
                  iscp_error_message());                                                                 \
  } while (0)

#endif
