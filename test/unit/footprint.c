/* What a session says it holds, against what the process grows by: a ResNet-50 of full size at 224x224. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <iscp/iscp.h>

#include "support.h"

enum { BATCH = 2, SIDE = 224, NUMBERS = 3 * SIDE * SIDE };

/* Bytes of the process that are in memory, without what malloc keeps for later. */
static int64_t resident(void) {
  malloc_trim(0);
  long pages = 0, all = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(fscanf(file, "%ld %ld", &all, &pages), 2);
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

static iscp_model *make_model(iscp_context *context) {
  iscp_contract contract;
  iscp_model_options options;
  iscp_model_info info = {.struct_size = sizeof info, .depth = 50, .width = 64, .stem = ISCP_STEM_IMAGENET, .classes = 1000,
                          .channels = 3};
  iscp_model *model;
  ASSERT_OK(iscp_contract_init(&contract, sizeof contract));
  contract.height = contract.width = SIDE;
  ASSERT_OK(iscp_model_options_init(&options, sizeof options));
  options.contract = &contract;
  ASSERT_OK(iscp_model_create(&model, context, &info, &options, 1));
  return model;
}

/* What a session and a pass of it made the process grow by. */
static int64_t grown_by(const iscp_model *model, int32_t purpose) {
  float *images = calloc(BATCH * NUMBERS, sizeof *images), *gradient = calloc(BATCH * NUMBERS, sizeof *gradient);
  float logits[BATCH * 1000];
  int32_t targets[BATCH] = {1, 2};
  support_fill(images, BATCH * NUMBERS, 0, 1, 1);
  support_fill(gradient, BATCH * NUMBERS, 0, 1, 1); /* so that its pages are there */
  int64_t before = resident();
  iscp_session *session;
  ASSERT_OK(iscp_session_create(&session, model, BATCH, purpose));
  if (purpose == ISCP_SESSION_GRADIENT)
    ASSERT_OK(iscp_session_input_gradient(session, images, targets, BATCH, gradient, NULL, logits));
  else
    ASSERT_OK(iscp_session_logits(session, images, BATCH, logits));
  int64_t grown = resident() - before;
  iscp_session_destroy(session);
  free(images);
  free(gradient);
  return grown;
}

/* Within 5 %: what comes on top is the code that oneDNN generates and the objects around it. */
static void check_purpose(const iscp_model *model, int32_t purpose) {
  int64_t foretold, grown = grown_by(model, purpose);
  ASSERT_OK(iscp_session_foretell(&foretold, model, BATCH, purpose));
  ck_assert_msg(llabs(grown - foretold) <= foretold / 20, "foretold %lld bytes, the process grew by %lld", (long long)foretold,
                (long long)grown);
}

static void check_backend(int32_t backend) {
  iscp_context_options options;
  iscp_context *context;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.backend = backend;
  if (iscp_context_create(&context, &options) != ISCP_OK)
    return; /* a build without it */
  iscp_model *model = make_model(context);
  grown_by(model, ISCP_SESSION_GRADIENT); /* OpenBLAS and OpenMP take their own memory at the first use, once for the process */
  check_purpose(model, ISCP_SESSION_GRADIENT);
  check_purpose(model, ISCP_SESSION_INFERENCE);
  iscp_model_destroy(model);
  iscp_context_destroy(context);
}

START_TEST(onednn) { check_backend(ISCP_BACKEND_ONEDNN); }
END_TEST

START_TEST(blas) { check_backend(ISCP_BACKEND_BLAS); }
END_TEST

int main(void) {
  Suite *suite = suite_create("footprint");
  TCase *memory = tcase_create("memory");
  tcase_add_test(memory, onednn);
  tcase_add_test(memory, blas);
  suite_add_tcase(suite, memory);
  return support_run(suite);
}
