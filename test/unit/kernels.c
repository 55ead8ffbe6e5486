/* OpenBLAS's choice of kernels against the CPU's features: what is advised, and where it is said. */
#include <string.h>

#include "nn/backend.h"
#include "support.h"
#include "toy.h"

START_TEST(better_kernels_are_advised) {
  static const struct {
    const char *kernels;
    bool avx512, avx2;
    const char *word; /* in the advice; NULL = none */
  } cases[] = {
      {"Haswell", true, true, "=SkylakeX"},  {"Zen", true, true, "=SkylakeX"},    {"Prescott", true, true, "=SkylakeX"},
      {"SkylakeX", true, true, NULL},        {"SKYLAKEX", true, true, NULL},      {"Cooperlake", true, true, NULL},
      {"SapphireRapids", true, true, NULL},  {"Prescott", false, true, "=Haswell"}, {"Nehalem", false, true, "=Haswell"},
      {"Sandybridge", false, true, "=Haswell"}, {"Haswell", false, true, NULL},   {"Zen", false, true, NULL},
      {"Prescott", false, false, NULL},      {"Nehalem", false, false, NULL}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *advice = isc_blas_advice(cases[i].kernels, cases[i].avx512, cases[i].avx2);
    if (!cases[i].word)
      ck_assert_str_eq(advice, "");
    else
      ck_assert_msg(strstr(advice, "OPENBLAS_CORETYPE") && strstr(advice, cases[i].word), "%s: \"%s\"",
                    cases[i].kernels, advice);
  }
}
END_TEST

typedef struct heard {
  int lines[5]; /* by level */
} heard;

static void hear(int32_t level, const char *line, void *user) {
  if (strstr(line, "OPENBLAS_CORETYPE"))
    ((heard *)user)->lines[level]++;
}

/* What the kernels' line advises is logged once a network: as a warning where OpenBLAS computes, else for information. */
START_TEST(advice_is_logged_where_openblas_computes) {
  for (int32_t backend = ISCP_BACKEND_AUTO; backend <= ISCP_BACKEND_BLAS; backend += ISCP_BACKEND_BLAS) {
    heard lines = {{0}};
    iscp_context_options options;
    iscp_context *context;
    ASSERT_OK(iscp_context_options_init(&options, sizeof options));
    options.backend = backend;
    options.log = hear;
    options.log_user = &lines;
    options.log_level = ISCP_LOG_INFO;
    ASSERT_OK(iscp_context_create(&context, &options));
    isc_tensor_set tensors;
    isc_network *network;
    toy_tensors(&tensors, context, &(toy){18, 4, ISCP_STEM_CIFAR, 3, 5, 1});
    ASSERT_OK(isc_network_create(&network, context, &tensors));
    int expected = strstr(iscp_context_kernels(context), "OPENBLAS_CORETYPE") != NULL;
    int level = iscp_context_backend(context) == ISCP_BACKEND_BLAS ? ISCP_LOG_WARNING : ISCP_LOG_INFO;
    for (int32_t l = 0; l < 5; l++)
      ck_assert_int_eq(lines.lines[l], l == level ? expected : 0);
    isc_network_drop(network);
    iscp_context_destroy(context);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("kernels");
  TCase *kernels = tcase_create("kernels");
  tcase_add_test(kernels, better_kernels_are_advised);
  tcase_add_test(kernels, advice_is_logged_where_openblas_computes);
  suite_add_tcase(suite, kernels);
  return support_run(suite);
}
