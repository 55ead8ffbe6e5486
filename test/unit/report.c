/* lib/report: result.json, the folder, patterns read back. Nothing here needs a network. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/report.h"
#include "support.h"

enum { SIDE = 12, AREA = SIDE * SIDE };

static const char manifest[] = "{\"library\": \"x\", \"threads\": 2, \"search\": {\"fraction\": 0.2, \"seed\": 7, "
                               "\"ties\": \"evidence\", \"step\": 0.02}, \"classes\": [0, 3]}";

/* ---- What the tests work on ---- */

static char *copy(iscp_context *context, const char *form, int32_t a, int32_t b) {
  char text[64];
  snprintf(text, sizeof text, form, a, b);
  char *made = isc_strdup(context, text);
  ck_assert_ptr_nonnull(made);
  return made;
}

static isc_entry make_entry(iscp_context *context, int32_t class_index, int32_t canvas) {
  isc_entry entry = {.class_index = class_index,
                     .name = copy(context, "class \"%d\" \xc3\xa9", class_index, 0),
                     .canvas = {.struct_size = sizeof entry.canvas,
                                .kind = canvas ? ISCP_CANVAS_WHITE : ISCP_CANVAS_POSITIVE,
                                .image = canvas ? -1 : 7311,
                                .alpha = 0.1 + 0.1 * class_index,
                                .loss = 1.0 / 3,
                                .power = NAN,
                                .selected = canvas == 0,
                                .saturated = 91,
                                .steps = 10},
                     .mask = copy(context, "mask-%d-%d.npy", class_index, canvas),
                     .evidence = copy(context, "evidence-%d-%d.npy", class_index, canvas),
                     .colours = copy(context, "canvas-%d-%d.npy", class_index, canvas),
                     .epoch_count = 2,
                     .row_count = 2};
  entry.epochs = isc_calloc(context, 2, sizeof *entry.epochs);
  entry.rows = isc_calloc(context, 2, sizeof *entry.rows);
  entry.epochs[0] = 0.083;
  entry.epochs[1] = NAN;
  for (int i = 0; i < 2; i++)
    entry.rows[i] = (isc_power_row){.size = i ? 0.05 : 0.01,
                                    .pixels = 7,
                                    .tied = 9,
                                    .tied_kept = 3,
                                    .power = {.struct_size = sizeof(iscp_power),
                                              .target = class_index,
                                              .nontarget = 7200,
                                              .nontarget_hits = 2664,
                                              .nontarget_clean = 12,
                                              .target_images = 800,
                                              .target_correct = 760,
                                              .asr = 0.37,
                                              .accuracy = 0.95,
                                              .pw = i ? 0.37 / 0.95 : NAN}};
  return entry;
}

static void insert(isc_result *result, iscp_context *context, int32_t class_index, int32_t canvases) {
  isc_entry entries[4] = {0};
  for (int32_t i = 0; i < canvases; i++)
    entries[i] = make_entry(context, class_index, i);
  ASSERT_OK(isc_result_insert(result, context, class_index, entries, (size_t)canvases));
}

static void parse(isc_result *result, iscp_context *context, const char *with_manifest, const char *rest) {
  char text[2048];
  snprintf(text, sizeof text, "{\"schema\": 1, \"manifest\": %s, %s}", with_manifest, rest);
  ASSERT_OK(isc_result_parse(result, context, text, strlen(text), "here"));
}

static void make_result(isc_result *result, iscp_context *context) {
  parse(result, context, manifest, "\"finished\": [], \"patterns\": []");
  insert(result, context, 3, 2);
  insert(result, context, 0, 1);
  insert(result, context, 1, 0);
}

static void write_array(iscp_context *context, const char *folder, const char *name, isc_dtype dtype, int32_t dims,
                        const int64_t *shape, const void *data) {
  isc_tensor array = {.dtype = dtype, .dims = dims, .data = (void *)data};
  memcpy(array.shape, shape, (size_t)dims * sizeof *shape);
  char *path = isc_path_join(context, folder, name);
  ASSERT_OK(isc_write_npy(&array, context, path));
  isc_free(context, path);
}

static void write_entry(iscp_context *context, const char *folder, const isc_entry *entry) {
  float mask[AREA], canvas[3 * AREA];
  int32_t evidence[AREA] = {0};
  support_fill(mask, AREA, 0, 1, 1 + (uint32_t)entry->class_index);
  support_fill(canvas, 3 * AREA, 0, 1, 7);
  write_array(context, folder, entry->mask, ISC_F32, 2, (int64_t[]){SIDE, SIDE}, mask);
  write_array(context, folder, entry->evidence, ISC_I32, 2, (int64_t[]){SIDE, SIDE}, evidence);
  write_array(context, folder, entry->colours, ISC_F32, 3, (int64_t[]){3, SIDE, SIDE}, canvas);
}

/* A report's folder as add.c leaves it, pictures apart. */
static const char *write_report(iscp_context *context, const char *name) {
  const char *folder = support_path(name);
  ASSERT_OK(isc_make_directory(folder));
  isc_result result;
  make_result(&result, context);
  for (size_t i = 0; i < result.entry_count; i++)
    write_entry(context, folder, &result.entries[i]);
  ASSERT_OK(isc_result_write(&result, context, folder));
  isc_result_release(&result, context);
  return folder;
}

static int exists(const char *folder, const char *name) {
  char path[600];
  struct stat found;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return !stat(path, &found);
}

/* ---- result.json ---- */

START_TEST(a_result_read_back_prints_the_same_bytes) {
  iscp_context *context = support_context();
  isc_result result, again;
  char *text, *text_again;
  size_t size, size_again;
  make_result(&result, context);
  ASSERT_OK(isc_result_print(&text, &size, context, &result));
  ASSERT_OK(isc_result_parse(&again, context, text, size, "here"));
  ASSERT_OK(isc_result_print(&text_again, &size_again, context, &again));
  ck_assert_uint_eq(size, size_again);
  ck_assert_mem_eq(text, text_again, size);
  ck_assert(again.finished_count == 3 && again.entry_count == 3);
  const isc_entry *entry = &again.entries[2];
  ck_assert_int_eq(entry->class_index, 3);
  ck_assert_int_eq(entry->canvas.kind, ISCP_CANVAS_WHITE);
  ck_assert_int_eq(entry->canvas.image, -1);
  ck_assert_int_eq(entry->canvas.selected, 0);
  ck_assert(isnan(entry->canvas.power) && isnan(entry->epochs[1]) && isnan(entry->rows[0].power.pw));
  ck_assert(fabs(entry->rows[1].power.pw - 0.37 / 0.95) < 1e-14); /* 15 digits */
  ck_assert_int_eq(entry->rows[1].power.nontarget_hits, 2664);
  ck_assert_str_eq(entry->name, "class \"3\" \xc3\xa9");
  isc_free(context, text);
  isc_free(context, text_again);
  isc_result_release(&result, context);
  isc_result_release(&again, context);
  support_context_end(context);
}
END_TEST

START_TEST(numbers_are_short_and_nan_is_null) {
  iscp_context *context = support_context();
  isc_result result;
  char *text;
  size_t size;
  make_result(&result, context);
  isc_free(context, result.entries[0].name);
  result.entries[0].name = copy(context, "caf\xe9 \xff", 0, 0); /* a folder's name in another encoding */
  ASSERT_OK(isc_result_print(&text, &size, context, &result));
  text[size - 1] = 0;
  ck_assert_ptr_nonnull(strstr(text, "\"size\": 0.05, "));
  ck_assert_ptr_nonnull(strstr(text, "\"pw\": null"));
  ck_assert_ptr_nonnull(strstr(text, "\"epochs\": [0.083, null]"));
  ck_assert_ptr_nonnull(strstr(text, "\"finished\": [0, 1, 3]"));
  ck_assert_ptr_nonnull(strstr(text, "\"name\": \"caf? ?\""));
  isc_free(context, text);
  isc_result_release(&result, context);
  support_context_end(context);
}
END_TEST

START_TEST(classes_stand_in_order_and_once) {
  iscp_context *context = support_context();
  isc_result result;
  make_result(&result, context);
  isc_entry twice = make_entry(context, 3, 0);
  support_failed(isc_result_insert(&result, context, 3, &twice, 1), ISCP_ERROR_ARGUMENT, "class 3");
  isc_entry_release(&twice, context);
  ck_assert_int_eq(result.entries[0].class_index, 0);
  ck_assert_ptr_eq(isc_result_selected(&result, 3), &result.entries[1]);
  ck_assert_ptr_null(isc_result_selected(&result, 1));
  ck_assert(isc_result_has_class(&result, 1) && !isc_result_has_class(&result, 2));
  isc_result_remove(&result, context, 0);
  isc_result_remove(&result, context, 1);
  ck_assert(result.finished_count == 1 && result.entry_count == 2);
  ck_assert_int_eq(result.entries[0].class_index, 3);
  isc_result_release(&result, context);
  support_context_end(context);
}
END_TEST

/* A sound result with one piece of its text replaced. */
static void check_damaged(iscp_context *context, const char *piece, const char *replacement, const char *word) {
  isc_result result, damaged;
  char *text, *changed;
  size_t size;
  make_result(&result, context);
  ASSERT_OK(isc_result_print(&text, &size, context, &result));
  text[size - 1] = 0;
  char *place = strstr(text, piece);
  ck_assert_msg(place != NULL, "%s is not in the result", piece);
  changed = isc_alloc(context, size + strlen(replacement));
  memcpy(changed, text, (size_t)(place - text));
  strcpy(changed + (place - text), replacement);
  strcat(changed, place + strlen(piece));
  support_failed(isc_result_parse(&damaged, context, changed, strlen(changed), "here.json"), ISCP_ERROR_FORMAT, word);
  ck_assert_ptr_nonnull(strstr(iscp_error_message(), "here.json"));
  ck_assert(!damaged.manifest && !damaged.entries);
  isc_free(context, changed);
  isc_free(context, text);
  isc_result_release(&result, context);
}

START_TEST(damaged_results_are_refused) {
  static const char *const cases[][3] = {
      {"{\"schema\": 1", "{\"schema\": 2", "schema"},
      {"{\"schema\": 1,", "{\"schema\": 1, \"schema\": 1,", "duplicate"},
      {"\"finished\": [0, 1, 3]", "\"finished\": [0, 3, 1]", "finished"},
      {"\"finished\": [0, 1, 3]", "\"finished\": [0, 1]", "class 3"},
      {"\"finished\": [0, 1, 3]", "\"finished\": 3", "finished"},
      {"\"mask\": \"mask-0-0.npy\"", "\"mask\": \"../mask-0-0.npy\"", "mask"},
      {"\"mask\": \"mask-0-0.npy\"", "\"mask\": \"\"", "mask"},
      {"\"evidence\": \"evidence-3-1.npy\"", "\"evidence\": 3", "patterns[2]"},
      {"\"kind\": \"white\"", "\"kind\": \"black\"", "canvas.kind"},
      {"\"selected\": true", "\"selected\": 1", "selected"},
      {"\"loss\": 0.3", "\"lost\": 0.3", "loss"},
      {"\"steps\": 10", "\"steps\": -10", "steps"},
      {"\"steps\": 10", "\"steps\": 99999999999", "steps"},
      {"\"class\": 0", "\"class\": 4", "class"},
      {"\"epochs\": [", "\"epochs\": [\"x\", ", "epochs"},
      {"\"nontarget\": 7200", "\"nontarget\": 0.5", "nontarget"},
      {"\"power\": [{", "\"power\": [{}, {", "patterns[0]"},
      {"\"patterns\": [", "\"patterns\": [[", "JSON"},
  };
  iscp_context *context = support_context();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_damaged(context, cases[i][0], cases[i][1], cases[i][2]);
  isc_result result;
  support_failed(isc_result_parse(&result, context, "", 0, "empty.json"), ISCP_ERROR_FORMAT, "empty.json");
  support_context_end(context);
}
END_TEST

/* Reports from before canvases could be learned do not say how often they moved. */
START_TEST(older_results_are_read) {
  iscp_context *context = support_context();
  isc_result result, older;
  char *text;
  size_t size, canvases = 0;
  make_result(&result, context);
  ASSERT_OK(isc_result_print(&text, &size, context, &result));
  text[size - 1] = 0;
  for (char *place; (place = strstr(text, "\"canvas_steps\": 0, ")); canvases++)
    memmove(place, place + strlen("\"canvas_steps\": 0, "), strlen(place + strlen("\"canvas_steps\": 0, ")) + 1);
  ck_assert_uint_eq(canvases, result.entry_count);
  ASSERT_OK(isc_result_parse(&older, context, text, strlen(text), "here.json"));
  ck_assert_uint_eq(older.entry_count, result.entry_count);
  ck_assert(older.entries[0].canvas.canvas_steps == 0 && older.entries[0].canvas.steps == result.entries[0].canvas.steps);
  isc_free(context, text);
  isc_result_release(&older, context);
  isc_result_release(&result, context);
  support_context_end(context);
}
END_TEST

/* ---- The folder ---- */

static void open_folder(iscp_context *context, const char *folder, int resume, int overwrite, iscp_status expected,
                        size_t finished) {
  isc_result result;
  parse(&result, context, manifest, "\"finished\": [], \"patterns\": []");
  iscp_status status = isc_folder_open(&result, context, folder, resume, overwrite);
  if (expected == ISCP_OK)
    ASSERT_OK(status);
  else
    support_failed(status, expected, folder);
  ck_assert_uint_eq(result.finished_count, finished);
  isc_result_release(&result, context);
}

START_TEST(a_folder_is_begun_refused_resumed_and_replaced) {
  iscp_context *context = support_context();
  const char *fresh = support_path("fresh");
  open_folder(context, fresh, 0, 0, ISCP_OK, 0);
  ck_assert(exists(fresh, "result.json"));
  open_folder(context, fresh, 0, 0, ISCP_OK, 0); /* nothing in it that could be lost */
  open_folder(context, support_path("no/parent"), 0, 0, ISCP_ERROR_IO, 0);
  const char *folder = write_report(context, "kept");
  support_write(support_path("kept/mine.txt"), "x", 1);
  support_write(support_path("kept/mask-1-1.npy.txt"), "x", 1);
  support_write(support_path("kept/sheet-2.png"), "x", 1);
  open_folder(context, folder, 0, 0, ISCP_ERROR_IO, 0);
  open_folder(context, folder, 1, 0, ISCP_OK, 3);
  ck_assert(exists(folder, "mask-3-1.npy"));
  open_folder(context, folder, 0, 1, ISCP_OK, 0);
  ck_assert(!exists(folder, "mask-3-1.npy") && !exists(folder, "sheet-2.png"));
  ck_assert(exists(folder, "mine.txt") && exists(folder, "mask-1-1.npy.txt") && exists(folder, "result.json"));
  support_context_end(context);
}
END_TEST

START_TEST(a_folder_is_not_resumed_if_damaged) {
  iscp_context *context = support_context();
  const char *folder = write_report(context, "lost");
  ck_assert_int_eq(unlink(support_path("lost/evidence-3-0.npy")), 0);
  isc_result result;
  parse(&result, context, manifest, "\"finished\": [], \"patterns\": []");
  support_failed(isc_folder_open(&result, context, folder, 1, 0), ISCP_ERROR_IO, "evidence-3-0.npy");
  support_write(support_path("lost/result.json"), "{\"schema\": 1", 12);
  support_failed(isc_folder_open(&result, context, folder, 1, 0), ISCP_ERROR_FORMAT, "result.json");
  support_failed(isc_folder_open(&result, context, folder, 0, 0), ISCP_ERROR_IO, "report already");
  isc_result_release(&result, context);
  support_context_end(context);
}
END_TEST

/* ---- Patterns read back ---- */

START_TEST(patterns_are_read_back) {
  iscp_context *context = support_context();
  const char *folder = write_report(context, "list");
  iscp_pattern_list *list;
  ASSERT_OK(iscp_pattern_list_load(&list, context, folder));
  ck_assert_int_eq(iscp_pattern_list_count(list), 3);
  int32_t y, selected;
  ASSERT_OK(iscp_pattern_list_entry(list, 2, &y, &selected));
  ck_assert(y == 3 && selected == 0);
  ck_assert_str_eq(iscp_pattern_list_class_name(list, 0), "class \"0\" \xc3\xa9");
  iscp_canvas_result canvas = {.struct_size = sizeof canvas};
  ASSERT_OK(iscp_pattern_list_canvas(list, 1, &canvas));
  ck_assert(canvas.kind == ISCP_CANVAS_POSITIVE && canvas.image == 7311 && canvas.selected == 1);
  double size, fraction;
  uint64_t seed;
  iscp_power power = {.struct_size = sizeof power};
  ck_assert_int_eq(iscp_pattern_list_power_count(list, 1), 2);
  ASSERT_OK(iscp_pattern_list_power(list, 1, 1, &size, &power));
  ck_assert(size == 0.05 && power.target == 3 && power.nontarget == 7200 && power.target_correct == 760);
  ASSERT_OK(iscp_pattern_list_draw(list, &fraction, &seed));
  ck_assert(fraction == 0.2 && seed == 7);
  iscp_pattern *pattern;
  ASSERT_OK(iscp_pattern_list_cut(&pattern, list, 2, ISCP_CUT_SIZE, 0.05));
  iscp_pattern_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_pattern_get_info(pattern, &info));
  ck_assert(info.target == 3 && info.channels == 3 && info.height == SIDE && info.pixels == 7);
  iscp_pattern_destroy(pattern);
  support_failed(iscp_pattern_list_cut(&pattern, list, 3, ISCP_CUT_SIZE, 0.05), ISCP_ERROR_ARGUMENT, "index is 3");
  support_failed(iscp_pattern_list_cut(&pattern, list, 0, ISCP_CUT_SIZE, 0.001), ISCP_ERROR_ARGUMENT, "0.001");
  support_failed(iscp_pattern_list_power(list, 1, 2, &size, &power), ISCP_ERROR_ARGUMENT, "row is 2");
  ck_assert_ptr_null(iscp_pattern_list_class_name(list, -1));
  iscp_pattern_list_destroy(list);
  support_context_end(context);
}
END_TEST

START_TEST(broken_reports_are_not_read) {
  iscp_context *context = support_context();
  iscp_pattern_list *list;
  support_failed(iscp_pattern_list_load(&list, context, support_path("nowhere")), ISCP_ERROR_IO, "nowhere");
  support_failed(iscp_pattern_list_load(&list, context, NULL), ISCP_ERROR_ARGUMENT, "folder");
  const char *folder = write_report(context, "broken");
  ASSERT_OK(iscp_pattern_list_load(&list, context, folder));
  iscp_pattern *pattern;
  int32_t small[4] = {0};
  write_array(context, folder, "evidence-0-0.npy", ISC_I32, 2, (int64_t[]){2, 2}, small);
  support_failed(iscp_pattern_list_cut(&pattern, list, 0, ISCP_CUT_SIZE, 0.05), ISCP_ERROR_MISMATCH, "2x2");
  write_array(context, folder, "evidence-0-0.npy", ISC_F32, 2, (int64_t[]){2, 2}, small);
  support_failed(iscp_pattern_list_cut(&pattern, list, 0, ISCP_CUT_SIZE, 0.05), ISCP_ERROR_FORMAT, "float32");
  ck_assert_ptr_null(pattern);
  iscp_pattern_list_destroy(list);
  ck_assert_int_eq(unlink(support_path("broken/mask-3-0.npy")), 0);
  support_failed(iscp_pattern_list_load(&list, context, folder), ISCP_ERROR_IO, "mask-3-0.npy");
  ck_assert_ptr_null(list);
  support_context_end(context);
}
END_TEST

/* ---- Options ---- */

START_TEST(options_have_their_defaults_and_their_abi) {
  iscp_report_options options;
  ASSERT_OK(iscp_report_options_init(&options, sizeof options));
  ck_assert_uint_eq(options.struct_size, sizeof options);
  ck_assert(options.picture_size == 0.05 && options.images == ISCP_IMAGES_HELDOUT && options.size_count == 5);
  ck_assert(options.sizes[0] == 0.01 && options.sizes[4] == 0.1);
  ck_assert_int_eq(iscp_report_options_init(&options, 8), ISCP_ERROR_ABI);
  ck_assert_int_eq(iscp_report_options_init(NULL, sizeof options), ISCP_ERROR_ARGUMENT);
  iscp_report *report;
  support_failed(iscp_report_create(&report, "x", NULL, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "NULL");
  support_failed(iscp_report_add(NULL, NULL, 0, NULL), ISCP_ERROR_ARGUMENT, "NULL");
  ck_assert_int_eq(iscp_report_has_class(NULL, 0), 0);
  iscp_report_destroy(NULL);
}
END_TEST

/* ---- Memory ---- */

static iscp_status read_and_cut(iscp_context *context, const char *folder) {
  iscp_pattern_list *list;
  iscp_pattern *pattern = NULL;
  ISC_TRY(iscp_pattern_list_load(&list, context, folder));
  iscp_status status = iscp_pattern_list_cut(&pattern, list, 0, ISCP_CUT_SIZE, 0.05);
  iscp_pattern_destroy(pattern);
  iscp_pattern_list_destroy(list);
  return status;
}

START_TEST(each_allocation_may_fail) {
  iscp_context *context = support_context();
  const char *folder = write_report(context, "memory");
  long allowed = 0;
  iscp_status status;
  do {
    support_fail_after(allowed);
    status = read_and_cut(context, folder);
    ck_assert_msg(status == ISCP_OK || status == ISCP_ERROR_MEMORY, "after %ld allocations: %s", allowed,
                  iscp_error_message());
  } while (status != ISCP_OK && ++allowed < 1000);
  ck_assert(allowed > 20 && allowed < 1000);
  isc_result result;
  support_fail_after(-1);
  make_result(&result, context);
  for (allowed = 0, status = ISCP_ERROR_MEMORY; status != ISCP_OK; allowed++) {
    support_fail_after(allowed);
    status = isc_result_write(&result, context, folder);
    ck_assert(status == ISCP_OK || status == ISCP_ERROR_MEMORY);
  }
  isc_result_release(&result, context);
  support_context_end(context);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("report");
  TCase *json = tcase_create("json"), *folder = tcase_create("folder"), *list = tcase_create("list");
  tcase_add_test(json, a_result_read_back_prints_the_same_bytes);
  tcase_add_test(json, numbers_are_short_and_nan_is_null);
  tcase_add_test(json, classes_stand_in_order_and_once);
  tcase_add_test(json, damaged_results_are_refused);
  tcase_add_test(json, older_results_are_read);
  tcase_add_test(folder, a_folder_is_begun_refused_resumed_and_replaced);
  tcase_add_test(folder, a_folder_is_not_resumed_if_damaged);
  tcase_add_test(list, patterns_are_read_back);
  tcase_add_test(list, broken_reports_are_not_read);
  tcase_add_test(list, options_have_their_defaults_and_their_abi);
  tcase_add_test(list, each_allocation_may_fail);
  suite_add_tcase(suite, json);
  suite_add_tcase(suite, folder);
  suite_add_tcase(suite, list);
  return support_run(suite);
}
