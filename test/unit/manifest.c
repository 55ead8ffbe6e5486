/* lib/report/manifest.c: what tells one run from another, and what is read back from it. */
#include <stdio.h>
#include <string.h>

#include "report/report.h"
#include "support.h"

static const char manifest[] = "{\"library\": \"x\", \"threads\": 2, \"search\": {\"fraction\": 0.2, \"seed\": 7, "
                               "\"ties\": \"evidence\", \"step\": 0.02}, \"classes\": [0, 3]}";

/* A result of no class yet, of the run that `manifest_text` tells of. */
static void parse(isc_result *result, iscp_context *context, const char *manifest_text) {
  char text[2048];
  snprintf(text, sizeof text, "{\"schema\": 1, \"manifest\": %s, \"finished\": [], \"patterns\": []}", manifest_text);
  ASSERT_OK(isc_result_parse(result, context, text, strlen(text), "here"));
}

START_TEST(runs_are_told_apart_by_their_manifests) {
  static const char same[] = "{\"library\": \"x\", \"threads\": 2, \"search\": {\"fraction\": 0.20, \"seed\": 7, "
                             "\"ties\": \"evidence\", \"step\": 0.02}, \"classes\": [5, 1]}";
  static const char other[] = "{\"library\": \"x\", \"threads\": 2, \"search\": {\"fraction\": 0.2, \"seed\": 7, "
                              "\"ties\": \"evidence\", \"step\": 0.03}, \"classes\": [0, 3]}";
  iscp_context *context = support_context();
  isc_result here, there, different, less;
  parse(&here, context, manifest);
  parse(&there, context, same);
  parse(&different, context, other);
  parse(&less, context, "{\"library\": \"x\"}");
  ASSERT_OK(isc_manifest_compare(there.manifest, here.manifest));
  support_failed(isc_manifest_compare(different.manifest, here.manifest), ISCP_ERROR_MISMATCH,
                 "search.step is 0.03 there and 0.02 here");
  support_failed(isc_manifest_compare(less.manifest, here.manifest), ISCP_ERROR_MISMATCH, "threads is nothing there");
  ASSERT_OK(isc_manifest_join_classes(here.manifest, there.manifest));
  char *text;
  size_t size;
  ASSERT_OK(isc_result_print(&text, &size, context, &here));
  text[size - 1] = 0;
  ck_assert_ptr_nonnull(strstr(text, "0,\n  1,\n  3,\n  5\n"));
  isc_free(context, text);
  isc_result_release(&here, context);
  isc_result_release(&there, context);
  isc_result_release(&different, context);
  isc_result_release(&less, context);
  support_context_end(context);
}
END_TEST

static iscp_status read_draw(iscp_context *context, const char *search, double *fraction, uint64_t *seed) {
  char text[256];
  int32_t ties;
  isc_result result;
  snprintf(text, sizeof text, "{\"search\": %s}", search);
  parse(&result, context, text);
  iscp_status status = isc_manifest_draw(result.manifest, fraction, seed, &ties);
  isc_result_release(&result, context);
  return status;
}

START_TEST(the_draw_is_read_from_the_manifest) {
  iscp_context *context = support_context();
  double fraction;
  uint64_t seed;
  ASSERT_OK(read_draw(context, "{\"fraction\": 0.2, \"ties\": \"index\", \"seed\": 7}", &fraction, &seed));
  ck_assert(fraction == 0.2 && seed == 7);
  ASSERT_OK(read_draw(context, "{\"fraction\": 1, \"ties\": \"index\", \"seed\": \"18446744073709551615\"}", &fraction,
                      &seed));
  ck_assert(seed == UINT64_MAX);
  static const char *const wrong[][2] = {
      {"{\"fraction\": 0, \"ties\": \"index\", \"seed\": 7}", "fraction"},
      {"{\"fraction\": 0.2, \"ties\": \"first\", \"seed\": 7}", "ties"},
      {"{\"fraction\": 0.2, \"ties\": \"index\", \"seed\": -7}", "seed"},
      {"{\"fraction\": 0.2, \"ties\": \"index\", \"seed\": \"18446744073709551616\"}", "seed"},
      {"{\"fraction\": 0.2, \"ties\": \"index\", \"seed\": \"\"}", "seed"},
      {"3", "fraction"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    support_failed(read_draw(context, wrong[i][0], &fraction, &seed), ISCP_ERROR_FORMAT, wrong[i][1]);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("manifest");
  TCase *manifests = tcase_create("manifests");
  tcase_add_test(manifests, runs_are_told_apart_by_their_manifests);
  tcase_add_test(manifests, the_draw_is_read_from_the_manifest);
  suite_add_tcase(suite, manifests);
  return support_run(suite);
}
