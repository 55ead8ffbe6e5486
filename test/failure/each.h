/* Each allocation of a whole run fails in turn: ISCP_ERROR_MEMORY, nothing made, nothing held, and a further try
 * succeeds. For memory.c and methods.c.
 *
 * A call that takes few blocks fails at each of them, one that takes many (a session's packed weights) at POINTS places
 * spread over it. What oneDNN takes for itself is not counted. */
#ifndef TEST_FAILURE_EACH_H
#define TEST_FAILURE_EACH_H

#include "support.h"
#include "toy.h"

enum { IMAGES = 20, POINTS = 24, PIXELS = TOY_PIXELS };

typedef struct run {
  toy_world world;
  iscp_search *search;
  iscp_evaluation *evaluation;
  iscp_pattern *pattern;
  iscp_gradcam *gradcam;
  iscp_uap *uap;
  iscp_attack *attack;
  iscp_trigger *trigger;
  iscp_dataset *poisoned;
  int32_t method; /* of the perturbation */
  float mask[PIXELS], canvas[3 * PIXELS]; /* what the search gives, undisturbed */
  int failures;
} run;

/* One call, whose result is destroyed; a failed call must have left NULL. */
typedef iscp_status call_fn(run *r);

/* Makes allocation k of the call fail, for k from 0 on, until it succeeds. */
static inline void fail_each(run *r, call_fn *call, long most) {
  long before = support_allocations();
  ASSERT_OK(call(r));
  long needed = support_allocations() - before, stride = needed / POINTS + 1;
  ck_assert_msg(needed > 0 && needed < most, "the call takes %ld blocks, expected 1 to %ld", needed, most);
  for (long k = 0; k < needed; k = k + stride < needed || k == needed - 1 ? k + stride : needed - 1) {
    support_fail_after(k);
    iscp_status status = call(r);
    support_fail_after(-1);
    support_failed(status, ISCP_ERROR_MEMORY, "out of memory");
    r->failures++;
  }
  support_fail_after(needed);
  ASSERT_OK(call(r));
  support_fail_after(-1);
}

#endif
