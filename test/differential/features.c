/* Networks that end at their features: a dense layer behind them gives the whole network's logits, and its gradient before them the
 * whole network's gradient, to the byte, on both backends and both stems. */
#include <string.h>

#include "nn/nn.h"
#include "nn/ops/ops.h"
#include "plain_network.h"
#include "support.h"

enum { BATCH = 3, CLASSES = 5, MOST = 512 };

typedef struct features_case {
  toy t;
  int32_t height, width;
} features_case;

static const features_case cases[] = {{{18, 8, ISCP_STEM_CIFAR, 3, CLASSES, 1}, 9, 12},
                                      {{34, 10, ISCP_STEM_IMAGENET, 1, CLASSES, 2}, 32, 20},
                                      {{50, 16, ISCP_STEM_IMAGENET, 3, CLASSES, 3}, 33, 29}};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct runner {
  iscp_context *context;
  isc_network *network;
  isc_plan *whole, *ended;
  size_t numbers; /* of a batch */
} runner;

static isc_plan *make_plan(const runner *r, const features_case *c, bool features) {
  isc_plan_form form = {BATCH, c->height, c->width, true, 0, features};
  isc_plan *plan;
  size_t foretold = 0;
  ASSERT_OK(isc_plan_foretell(&foretold, r->network, &form));
  ASSERT_OK(isc_plan_create(&plan, r->network, &form));
  ck_assert_uint_eq(isc_plan_memory(plan), foretold);
  support_fill(isc_plan_src(plan), r->numbers, -2, 2, 11);
  ASSERT_OK(isc_plan_forward(plan));
  return plan;
}

static void copy(float *to, const isc_network *network, const char *name) {
  const isc_tensor *tensor = isc_tensor_set_find(isc_network_tensors(network), name);
  memcpy(to, tensor->data, isc_tensor_bytes(tensor));
}

static void compare(runner *r) {
  static float weights[CLASSES * MOST], bias[CLASSES], logits[BATCH * CLASSES];
  int32_t features = isc_plan_feature_count(r->ended);
  ck_assert_int_le(features, MOST);
  copy(weights, r->network, "fc.weight");
  copy(bias, r->network, "fc.bias");
  isc_dense_forward(logits, isc_plan_features(r->ended), weights, bias, BATCH, features, CLASSES);
  ck_assert_mem_eq(logits, isc_plan_logits(r->whole), sizeof logits);
  support_fill(isc_plan_diff_logits(r->whole), BATCH * CLASSES, -1, 1, 12);
  isc_dense_backward_data(isc_plan_diff_features(r->ended), isc_plan_diff_logits(r->whole), weights, BATCH, features, CLASSES);
  ASSERT_OK(isc_plan_backward(r->whole));
  ASSERT_OK(isc_plan_backward(r->ended));
  ck_assert_mem_eq(isc_plan_diff_src(r->ended), isc_plan_diff_src(r->whole), r->numbers * sizeof(float));
  ck_assert_uint_lt(isc_plan_memory(r->ended), isc_plan_memory(r->whole));
}

START_TEST(whole_networks) {
  const features_case *c = &cases[_i / 2];
  runner r = {.numbers = BATCH * (size_t)c->t.channels * (size_t)c->height * (size_t)c->width};
  iscp_context_options options;
  isc_tensor_set tensors;
  isc_compute compute;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.backend = _i % 2 ? ISCP_BACKEND_BLAS : ISCP_BACKEND_AUTO;
  ASSERT_OK(iscp_context_create(&r.context, &options));
  toy_tensors(&tensors, r.context, &c->t);
  ASSERT_OK(isc_network_create(&r.network, r.context, &tensors));
  ASSERT_OK(isc_compute_enter(r.context, &compute));
  r.whole = make_plan(&r, c, false);
  r.ended = make_plan(&r, c, true);
  compare(&r);
  isc_plan_destroy(r.whole);
  isc_plan_destroy(r.ended);
  isc_compute_leave(&compute);
  isc_network_drop(r.network);
  iscp_context_destroy(r.context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("features");
  TCase *tests = tcase_create("features");
  tcase_set_timeout(tests, 100);
  tcase_add_loop_test(tests, whole_networks, 0, 2 * CASES);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
