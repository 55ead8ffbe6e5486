/* lib/search: the batch plan. Lanes and passes change results by rounding only, memory budgets are kept to, and long searches
 * measure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "search_common.h"

/* ---- Results ---- */

/* Pixels of the masks of all classes that differ. Rounding moves a pixel whose gradient is nearly 0 by one step; in tens of
 * steps that touches next to none. */
static int different_pixels(const iscp_search *a, const iscp_search *b) {
  int different = 0;
  for (int32_t y = 0; y < TOY_CLASSES; y++)
    for (int32_t c = 0; c < iscp_search_canvas_count(a, y); c++)
      for (int32_t i = 0; i < TOY_PIXELS; i++)
        different += iscp_search_mask(a, y, c)[i] != iscp_search_mask(b, y, c)[i];
  return different;
}

START_TEST(a_pass_of_any_size_gives_the_same) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  iscp_search *whole = search_run(&world, &options);
  static const int32_t lanes[] = {1, 1, 1, 3, 3, 5}, passes[] = {1, 2, 3, 4, 5, 64};
  for (int i = 0; i < 6; i++) {
    options.lanes = lanes[i];
    options.pass_batch = passes[i];
    iscp_search *parts = search_run(&world, &options);
    iscp_search_options told = {.struct_size = sizeof told};
    ASSERT_OK(iscp_search_get_options(parts, &told));
    ck_assert_int_eq(told.lanes, lanes[i]);
    ck_assert_int_eq(told.pass_batch, passes[i] == 64 ? lanes[i] * options.batch : passes[i]);
    int different = different_pixels(whole, parts);
    ck_assert_msg(100 * different <= 2 * TOY_CLASSES * TOY_PIXELS, "%d lanes, passes of %d: %d pixels differ", lanes[i],
                  passes[i], different);
    iscp_search_destroy(parts);
  }
  iscp_search_destroy(whole);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(wrong_plans_are_refused) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  iscp_search *search;
  options.pass_batch = -1;
  support_failed(iscp_search_create(&search, world.model, world.dataset, &options), ISCP_ERROR_ARGUMENT, "pass_batch is -1");
  options.pass_batch = 4097;
  support_failed(iscp_search_create(&search, world.model, world.dataset, &options), ISCP_ERROR_ARGUMENT, "pass_batch is 4097");
  options.pass_batch = 0;
  options.batch = 1024;
  options.lanes = 8;
  support_failed(iscp_search_create(&search, world.model, world.dataset, &options), ISCP_ERROR_ARGUMENT,
                 "lanes times batch is 8192, expected at most 4096");
  toy_world_destroy(&world);
}
END_TEST

/* ---- Memory ---- */

typedef struct log_lines {
  int count;
  char text[4096];
} log_lines;

static void keep_line(int32_t level, const char *message, void *user) {
  log_lines *lines = user;
  (void)level;
  lines->count++;
  size_t length = strlen(lines->text);
  snprintf(lines->text + length, sizeof lines->text - length, "%s\n", message);
}

/* The world's model in a context of its own. */
static iscp_model *reload(iscp_context **context, const toy_world *world, int64_t memory, log_lines *lines) {
  iscp_context_options options;
  iscp_model_options model_options;
  iscp_model *model;
  ASSERT_OK(iscp_context_options_init(&options, sizeof options));
  options.memory = memory;
  options.log = lines ? keep_line : NULL;
  options.log_user = lines;
  options.log_level = ISCP_LOG_INFO;
  options.threads = 1;
  ASSERT_OK(iscp_context_create(context, &options));
  ASSERT_OK(iscp_model_options_init(&model_options, sizeof model_options));
  model_options.contract = iscp_model_contract(world->model);
  ASSERT_OK(iscp_model_load(&model, *context, support_path("toy.safetensors"), &model_options));
  return model;
}

START_TEST(memory_is_foretold_to_the_byte) {
  toy_world world = search_world();
  static const int32_t batches[] = {1, 3, 16};
  for (int purpose = ISCP_SESSION_INFERENCE; purpose <= ISCP_SESSION_GRADIENT; purpose++)
    for (int b = 0; b < 3; b++) {
      iscp_session *session;
      int64_t foretold;
      ASSERT_OK(iscp_session_foretell(&foretold, world.model, batches[b], purpose));
      ASSERT_OK(iscp_session_create(&session, world.model, batches[b], purpose));
      ck_assert_int_eq(foretold, iscp_session_memory(session));
      iscp_session_destroy(session);
    }
  int64_t bytes = 1;
  support_failed(iscp_session_foretell(NULL, world.model, 1, 1), ISCP_ERROR_ARGUMENT, "bytes is NULL");
  support_failed(iscp_session_foretell(&bytes, NULL, 1, 1), ISCP_ERROR_ARGUMENT, "model is NULL");
  support_failed(iscp_session_foretell(&bytes, world.model, 0, 1), ISCP_ERROR_ARGUMENT, "batch is 0");
  support_failed(iscp_session_foretell(&bytes, world.model, 1, 3), ISCP_ERROR_ARGUMENT, "purpose is 3");
  ck_assert_int_eq(bytes, 0);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(a_budget_shrinks_passes) {
  toy_world world = search_world();
  iscp_search_options options = search_options(), told = {.struct_size = sizeof told};
  int64_t two, three;
  ASSERT_OK(iscp_session_foretell(&two, world.model, 2, ISCP_SESSION_GRADIENT));
  ASSERT_OK(iscp_session_foretell(&three, world.model, 3, ISCP_SESSION_GRADIENT));
  int64_t own = options.batch * TOY_NUMBERS * (int64_t)sizeof(float) + TOY_PIXELS * (int64_t)sizeof(double);
  for (int64_t extra = 0; extra < 2; extra++) { /* room for two images exactly, and one byte short of three */
    iscp_context *context;
    iscp_model *model = reload(&context, &world, extra ? three + own - 1 : two + own, NULL);
    iscp_search *search, *whole = search_run(&world, &options);
    ASSERT_OK(iscp_search_create(&search, model, world.dataset, &options));
    ASSERT_OK(iscp_search_get_options(search, &told));
    ck_assert_int_eq(told.pass_batch, 2);
    search_finish(search);
    ck_assert_int_le(100 * different_pixels(whole, search), 2 * TOY_CLASSES * TOY_PIXELS);
    iscp_search_destroy(search);
    iscp_search_destroy(whole);
    iscp_model_destroy(model);
    iscp_context_destroy(context);
  }
  toy_world_destroy(&world);
}
END_TEST

START_TEST(a_budget_too_small_says_what_would_do) {
  toy_world world = search_world();
  iscp_search_options options = search_options();
  int64_t one, two;
  ASSERT_OK(iscp_session_foretell(&one, world.model, 1, ISCP_SESSION_GRADIENT));
  ASSERT_OK(iscp_session_foretell(&two, world.model, 2, ISCP_SESSION_GRADIENT));
  iscp_context *context;
  iscp_model *model = reload(&context, &world, one, NULL);
  iscp_search *search = (iscp_search *)&search;
  support_failed(iscp_search_create(&search, model, world.dataset, &options), ISCP_ERROR_MEMORY, "one image a pass needs");
  ck_assert_ptr_null(search);
  iscp_session *session = (iscp_session *)&session;
  char expected[80];
  snprintf(expected, sizeof expected, "a batch of 2 needs %lld bytes", (long long)two);
  support_failed(iscp_session_create(&session, model, 2, ISCP_SESSION_GRADIENT), ISCP_ERROR_MEMORY, expected);
  ck_assert_ptr_null(session);
  ck_assert_ptr_nonnull(strstr(iscp_error_message(), "expected a batch of at most 1"));
  ASSERT_OK(iscp_session_create(&session, model, 1, ISCP_SESSION_GRADIENT));
  iscp_session_destroy(session);
  iscp_model_destroy(model);
  iscp_context_destroy(context);
  toy_world_destroy(&world);
}
END_TEST

/* ---- Measuring ---- */

/* Long enough to be measured for: nothing of it is run here. */
static iscp_search_options long_options(void) {
  iscp_search_options options = search_options();
  options.lanes = 0;
  options.epochs = 1000;
  options.canvases = 5;
  options.canvas_kinds = ISCP_CANVAS_RANDOM;
  return options;
}

START_TEST(long_searches_measure) {
  toy_world world = search_world();
  iscp_search_options options = long_options(), told = {.struct_size = sizeof told};
  iscp_context *context;
  log_lines lines = {0};
  iscp_model *model = reload(&context, &world, 0, &lines);
  iscp_search *search;
  ASSERT_OK(iscp_search_create(&search, model, world.dataset, &options));
  ASSERT_OK(iscp_search_get_options(search, &told));
  ck_assert_msg(strstr(lines.text, "1 lanes of 4 images, 4 a pass: ") && strstr(lines.text, "2 lanes of 4 images, 8 a pass: "), "log: %s",
                lines.text);
  ck_assert(told.lanes >= 1 && told.lanes <= TOY_CLASSES * options.canvases);
  ck_assert_int_eq(told.pass_batch, told.lanes * options.batch);
  iscp_search_destroy(search);
  lines = (log_lines){0};
  options.epochs = 1; /* too short */
  ASSERT_OK(iscp_search_create(&search, model, world.dataset, &options));
  ck_assert_ptr_null(strstr(lines.text, "lanes of"));
  iscp_search_destroy(search);
  iscp_model_destroy(model);
  iscp_context_destroy(context);
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("search plan");
  TCase *plan = tcase_create("plan");
  tcase_add_test(plan, a_pass_of_any_size_gives_the_same);
  tcase_add_test(plan, wrong_plans_are_refused);
  tcase_add_test(plan, memory_is_foretold_to_the_byte);
  tcase_add_test(plan, a_budget_shrinks_passes);
  tcase_add_test(plan, a_budget_too_small_says_what_would_do);
  tcase_add_test(plan, long_searches_measure);
  suite_add_tcase(suite, plan);
  return support_run(suite);
}
