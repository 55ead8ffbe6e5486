/* The library against values that PyTorch computed (dump_golden.py): logits, losses, input gradients, the masks of a
 * search and their power, on two toy ResNets. Runs where PyTorch is not; test/oracle asks PyTorch itself. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/format.h"
#include "support.h"

/* As in dump_golden.py. */
enum { LIMIT = 430, SEED = 7, TARGET = 0, BATCH = 4 };
static const double FRACTION = 0.1, SIZE = 0.1;

/* Of the largest logit, and relative L2 of each image's gradient: what the project promises. Rounding alone gives 1e-6;
 * the pictures were chosen so that no ReLU or max-pool stands so near its fence that rounding could turn it. */
static const double NEAR = 1e-4;

/* Share of equal pixels after 10 steps: the sign of a gradient near zero is rounding's. The paths were chosen so that
 * none is (PyTorch in float32 and float64 give equal masks), but another machine rounds in other places. */
static const double EQUAL = 0.99;

/* Of PW at the end: what the project promises. Once two paths have parted, rounding moves it by 0.01 to 0.07; here none
 * has parted on any machine tried. */
static const double POWER_NEAR = 0.1;

static const char *const toys[] = {"resnet18-cifar", "resnet50-imagenet"};
static const struct {
  const char *name;
  int32_t preset, first_steps;
} presets[] = {{"paper", ISCP_PRESET_PAPER, 10}, {"authors", ISCP_PRESET_AUTHORS, 9}}; /* theirs drops the last step */

typedef struct toy {
  const char *name;
  iscp_context *context;
  iscp_model *model;
  iscp_dataset *data;
} toy;

/* ---- Golden values ---- */

static const char *path_of(const toy *t, const char *file) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s/%s", GOLDEN, t->name, file);
  return path;
}

static isc_tensor read_values(const toy *t, const char *file, isc_dtype dtype, int64_t count) {
  isc_tensor tensor;
  ASSERT_OK(isc_read_array(&tensor, t->context, path_of(t, file)));
  ck_assert_int_eq(tensor.dtype, dtype);
  ck_assert_int_eq(isc_tensor_count(&tensor), count);
  return tensor;
}

static isc_tensor read_of_preset(const toy *t, const char *what, int preset, isc_dtype dtype, int64_t count) {
  char file[64];
  snprintf(file, sizeof file, "%s-%s.npy", what, presets[preset].name);
  return read_values(t, file, dtype, count);
}

/* ---- The toy ---- */

static iscp_dataset *open_data(const toy *t, const char *path, int64_t limit) {
  iscp_dataset_options options;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = iscp_model_contract(t->model);
  options.classes = 10;
  options.limit = limit;
  iscp_dataset *data;
  ASSERT_OK(iscp_dataset_open(&data, t->context, path, &options));
  return data;
}

static void toy_begin(toy *t, int index) {
  t->name = toys[index];
  t->context = support_context();
  ASSERT_OK(iscp_model_load(&t->model, t->context, path_of(t, "model.safetensors"), NULL));
  t->data = open_data(t, IMAGES, LIMIT);
}

static void toy_end(toy *t) {
  iscp_dataset_destroy(t->data);
  iscp_model_destroy(t->model);
  support_context_end(t->context);
}

static int64_t pixels_of(const toy *t) {
  const iscp_contract *contract = iscp_model_contract(t->model);
  return (int64_t)contract->height * contract->width;
}

/* ---- Logits and gradients ---- */

typedef struct pictures {
  int32_t count, *targets;
  float *images, *gradient, *losses, *logits;
} pictures;

static void pictures_run(pictures *p, const toy *t) {
  iscp_dataset *data = open_data(t, path_of(t, "images.npy"), 0);
  size_t numbers = 3 * (size_t)pixels_of(t);
  p->count = (int32_t)iscp_dataset_count(data);
  p->targets = isc_calloc(t->context, (size_t)p->count, sizeof *p->targets);
  p->images = isc_calloc(t->context, (size_t)p->count * numbers, sizeof(float));
  p->gradient = isc_calloc(t->context, (size_t)p->count * numbers, sizeof(float));
  p->losses = isc_calloc(t->context, (size_t)p->count, sizeof(float));
  p->logits = isc_calloc(t->context, (size_t)p->count * 10, sizeof(float));
  for (int32_t i = 0; i < p->count; i++) {
    p->targets[i] = iscp_dataset_label(data, i);
    ASSERT_OK(iscp_dataset_image(data, i, p->images + (size_t)i * numbers));
  }
  iscp_dataset_destroy(data);
  iscp_session *session;
  ASSERT_OK(iscp_session_create(&session, t->model, BATCH, ISCP_SESSION_GRADIENT));
  ASSERT_OK(iscp_session_input_gradient(session, p->images, p->targets, p->count, p->gradient, p->losses, p->logits));
  iscp_session_destroy(session);
}

static void pictures_release(pictures *p, const toy *t) {
  isc_free(t->context, p->targets);
  isc_free(t->context, p->images);
  isc_free(t->context, p->gradient);
  isc_free(t->context, p->losses);
  isc_free(t->context, p->logits);
}

static double largest(const float *values, int64_t count) {
  double most = 0;
  for (int64_t i = 0; i < count; i++)
    most = fmax(most, fabs((double)values[i]));
  return most;
}

/* Largest difference over the largest value. */
static double difference(const float *ours, const isc_tensor *golden) {
  int64_t count = isc_tensor_count(golden);
  return support_max_difference(ours, golden->data, (size_t)count) / largest(golden->data, count);
}

START_TEST(logits_losses_and_gradients) {
  toy t;
  toy_begin(&t, _i);
  pictures p;
  pictures_run(&p, &t);
  size_t numbers = 3 * (size_t)pixels_of(&t);
  isc_tensor logits = read_values(&t, "logits.npy", ISC_F32, (int64_t)p.count * 10);
  isc_tensor losses = read_values(&t, "losses.npy", ISC_F32, p.count);
  isc_tensor gradient = read_values(&t, "gradient.npy", ISC_F32, p.count * (int64_t)numbers);
  double far = 0;
  for (size_t at = 0; at < (size_t)p.count * numbers; at += numbers)
    far = fmax(far, support_relative_l2(p.gradient + at, (const float *)gradient.data + at, numbers));
  printf("%s: logits within %.1e of the largest, losses within %.1e, gradients within %.1e relative L2\n", t.name,
         difference(p.logits, &logits), difference(p.losses, &losses), far);
  ck_assert_double_lt(difference(p.logits, &logits), NEAR);
  ck_assert_double_lt(difference(p.losses, &losses), NEAR); /* a difference of logits */
  ck_assert_double_lt(far, NEAR);
  isc_tensor_release(&logits, t.context);
  isc_tensor_release(&losses, t.context);
  isc_tensor_release(&gradient, t.context);
  pictures_release(&p, &t);
  toy_end(&t);
}
END_TEST

/* ---- Search ---- */

/* Runs the search of the toy to its end. Checks the canvas and the number of images searched on. */
static iscp_search *run_search(const toy *t, int preset, int32_t epochs) {
  iscp_search_options options;
  ASSERT_OK(iscp_search_options_init(&options, sizeof options));
  options.min_accuracy = -1; /* a toy knows nothing */
  int32_t target = TARGET, finished;
  options.preset = presets[preset].preset;
  options.class_count = 1;
  options.classes = &target;
  options.canvases = 1;
  options.fraction = FRACTION;
  options.seed = SEED;
  options.epochs = epochs;
  options.batch = BATCH;
  iscp_search *search;
  ASSERT_OK(iscp_search_create(&search, t->model, t->data, &options));
  ASSERT_OK(iscp_search_next(search, &finished, NULL, NULL));
  ck_assert_int_eq(finished, TARGET);
  iscp_canvas_result canvas = {.struct_size = sizeof canvas};
  ASSERT_OK(iscp_search_get_canvas(search, TARGET, 0, &canvas));
  isc_tensor golden = read_values(t, "canvas.npy", ISC_I64, 2);
  const int64_t *expected = golden.data;
  ck_assert_int_eq(canvas.image, expected[0]);
  ck_assert_int_eq(canvas.steps, expected[1] / BATCH * epochs - (10 - presets[preset].first_steps));
  isc_tensor_release(&golden, t->context);
  return search;
}

static double equal_share(const toy *t, const char *what, int preset, const float *mask) {
  isc_tensor golden = read_of_preset(t, what, preset, ISC_F32, pixels_of(t));
  int64_t pixels = pixels_of(t), equal = 0;
  for (int64_t i = 0; i < pixels; i++)
    equal += mask[i] == ((const float *)golden.data)[i];
  isc_tensor_release(&golden, t->context);
  return (double)equal / (double)pixels;
}

START_TEST(masks_after_ten_steps) {
  toy t;
  toy_begin(&t, _i / 2);
  int preset = _i % 2;
  iscp_search *search = run_search(&t, preset, 1);
  double equal = equal_share(&t, "first", preset, iscp_search_mask(search, TARGET, 0));
  printf("%s, %s: %.2f %% of the mask equal after %d steps\n", t.name, presets[preset].name, 100 * equal,
         presets[preset].first_steps);
  ck_assert_double_ge(equal, EQUAL);
  iscp_search_destroy(search);
  toy_end(&t);
}
END_TEST

static double power_of(const toy *t, const iscp_pattern *pattern) {
  iscp_evaluate_options options;
  ASSERT_OK(iscp_evaluate_options_init(&options, sizeof options));
  options.fraction = FRACTION;
  options.seed = SEED;
  iscp_evaluation *evaluation;
  ASSERT_OK(iscp_evaluation_create(&evaluation, t->model, t->data, &options, NULL, NULL));
  iscp_power power = {.struct_size = sizeof power};
  ASSERT_OK(iscp_evaluation_power(evaluation, pattern, &power, NULL, NULL));
  iscp_evaluation_destroy(evaluation);
  return power.pw;
}

/* How many of the pattern's pixels are among the golden ones, and their number. */
static int32_t count_shared(const toy *t, int preset, const iscp_pattern *pattern, int32_t *kept) {
  iscp_pattern_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_pattern_get_info(pattern, &info));
  isc_tensor golden = read_of_preset(t, "best", preset, ISC_I32, info.pixels);
  const int32_t *ours = iscp_pattern_positions(pattern), *theirs = golden.data;
  int32_t shared = 0;
  for (int32_t i = 0; i < info.pixels; i++)
    for (int32_t j = 0; j < info.pixels; j++)
      shared += ours[i] == theirs[j];
  isc_tensor_release(&golden, t->context);
  *kept = info.pixels;
  return shared;
}

START_TEST(patterns_at_the_end) {
  toy t;
  toy_begin(&t, _i / 2);
  int preset = _i % 2;
  int32_t kept;
  iscp_search *search = run_search(&t, preset, 5);
  iscp_pattern *pattern;
  ASSERT_OK(iscp_search_pattern(&pattern, search, TARGET, 0, ISCP_CUT_SIZE, SIZE));
  isc_tensor golden = read_of_preset(&t, "power", preset, ISC_F64, 1);
  double expected = *(const double *)golden.data, power = power_of(&t, pattern);
  int32_t shared = count_shared(&t, preset, pattern, &kept);
  double equal = equal_share(&t, "last", preset, iscp_search_mask(search, TARGET, 0));
  printf("%s, %s: at the end %.1f %% of the mask equal, %d of the best %d pixels shared, PW %.3f, expected %.3f\n",
         t.name, presets[preset].name, 100 * equal, shared, kept, power, expected);
  ck_assert_int_gt(2 * shared, kept); /* most */
  ck_assert_double_lt(fabs(power - expected), POWER_NEAR);
  isc_tensor_release(&golden, t.context);
  iscp_pattern_destroy(pattern);
  iscp_search_destroy(search);
  toy_end(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("golden");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 120);
  tcase_add_loop_test(all, logits_losses_and_gradients, 0, 2);
  tcase_add_loop_test(all, masks_after_ten_steps, 0, 4);
  tcase_add_loop_test(all, patterns_at_the_end, 0, 4);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
