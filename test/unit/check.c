/* The check of a model and a set: what it counts, and that it finds each mistake that is made here on purpose. The truth is what the
 * model itself answers under the right assumptions, so that the right cause makes all images right. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluate/causes.h"
#include "evaluate/pairs.h"
#include "support.h"
#include "toy.h"

enum { IMAGES = 120 };

/* ---- A world with a mistake in it ---- */

typedef struct scene {
  toy_world world;
  int32_t height, width; /* of the pictures */
  uint8_t *pixels;
  int32_t labels[IMAGES];
} scene;

/* Pictures of height x width: the toy's images, each pixel several times. */
static void make_scene(scene *s, int32_t height, int32_t width) {
  float image[TOY_NUMBERS];
  memset(s, 0, sizeof *s);
  toy_world_create(&s->world, IMAGES, 3);
  s->height = height;
  s->width = width;
  s->pixels = malloc((size_t)IMAGES * (size_t)height * (size_t)width * 3);
  for (int32_t i = 0; i < IMAGES; i++) {
    ASSERT_OK(iscp_dataset_image(s->world.dataset, i, image));
    for (int32_t y = 0; y < height; y++)
      for (int32_t x = 0; x < width; x++)
        for (int32_t c = 0; c < 3; c++)
          s->pixels[((i * height + y) * width + x) * 3 + c] =
              (uint8_t)lrintf(255 * image[c * TOY_PIXELS + y * TOY_SIDE / height * TOY_SIDE + x * TOY_SIDE / width]);
  }
}

static void end_scene(scene *s) {
  toy_world_destroy(&s->world);
  free(s->pixels);
}

static iscp_model *load(const scene *s, const iscp_contract *contract) {
  iscp_model_options options;
  iscp_model *model;
  ASSERT_OK(iscp_model_options_init(&options, sizeof options));
  options.contract = contract;
  ASSERT_OK(iscp_model_save(s->world.model, support_path("check.safetensors"), ISCP_STORE_F32));
  ASSERT_OK(iscp_model_load(&model, s->world.context, support_path("check.safetensors"), &options));
  return model;
}

static iscp_dataset *open(const scene *s, const iscp_contract *contract) {
  iscp_dataset_options options;
  iscp_dataset *dataset;
  ASSERT_OK(iscp_dataset_options_init(&options, sizeof options));
  options.contract = contract;
  options.classes = TOY_CLASSES;
  ASSERT_OK(iscp_dataset_from_memory(&dataset, s->world.context, s->pixels, s->labels, IMAGES, s->height, s->width, 3, &options));
  return dataset;
}

static int32_t predict(iscp_session *session, const float *image) {
  float logits[TOY_CLASSES];
  ASSERT_OK(iscp_session_logits(session, image, 1, logits));
  int32_t best = 0;
  for (int32_t k = 1; k < TOY_CLASSES; k++)
    best = logits[k] > logits[best] ? k : best;
  return best;
}

typedef void change_fn(float *image);

/* Labels become what the model answers under `contract`, its images changed by `change` (may be NULL). */
static void label(scene *s, const iscp_contract *contract, change_fn *change) {
  iscp_model *model = load(s, contract);
  iscp_dataset *dataset = open(s, contract);
  iscp_session *session;
  float image[TOY_NUMBERS];
  int32_t seen[TOY_CLASSES] = {0}, kinds = 0;
  ASSERT_OK(iscp_session_create(&session, model, 1, ISCP_SESSION_INFERENCE));
  for (int32_t i = 0; i < IMAGES; i++) {
    ASSERT_OK(iscp_dataset_image(dataset, i, image));
    if (change)
      change(image);
    s->labels[i] = predict(session, image);
    kinds += !seen[s->labels[i]]++;
  }
  ck_assert_int_gt(kinds, 1);
  iscp_session_destroy(session);
  iscp_dataset_destroy(dataset);
  iscp_model_destroy(model);
}

static iscp_check *check_sample(const scene *s, const iscp_contract *contract, int32_t causes, int64_t sample) {
  iscp_check_options options;
  iscp_model *model = load(s, contract);
  iscp_dataset *dataset = open(s, contract);
  iscp_check *check;
  ASSERT_OK(iscp_check_options_init(&options, sizeof options));
  options.causes = causes;
  options.batch = 50;
  options.sample = sample;
  ASSERT_OK(iscp_check_create(&check, model, dataset, &options, NULL, NULL));
  iscp_dataset_destroy(dataset); /* a check keeps what it needs */
  iscp_model_destroy(model);
  return check;
}

static iscp_check *check_with(const scene *s, const iscp_contract *contract, int32_t causes) {
  return check_sample(s, contract, causes, 0);
}

/* The best cause makes all images right, those of labels the half that judges them. */
static iscp_cause best_cause(const iscp_check *check, int32_t kind) {
  iscp_cause cause = {.struct_size = sizeof cause};
  ASSERT_OK(iscp_check_cause(check, 1, &cause));
  ck_assert_msg(cause.kind == kind, "kind %d (%s, %g), expected %d", cause.kind, cause.text, cause.accuracy, kind);
  ck_assert_msg(cause.correct == cause.images, "%s: %lld of %lld", cause.text, (long long)cause.correct, (long long)cause.images);
  ck_assert(cause.restores);
  ck_assert_double_eq(cause.accuracy, 1);
  ck_assert_double_eq(cause.high, 1);
  return cause;
}

static iscp_contract contract_of(float mean, float std) {
  toy t = {.channels = 3};
  iscp_contract contract = toy_contract(&t, TOY_SIDE, TOY_SIDE);
  for (int c = 0; c < 3; c++) {
    contract.mean[c] = mean;
    contract.std[c] = std;
  }
  return contract;
}

static iscp_contract own_contract(void) {
  toy t = {.channels = 3};
  return toy_contract(&t, TOY_SIDE, TOY_SIDE);
}

/* ---- Counting ---- */

START_TEST(counts_are_those_of_the_answers) {
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = own_contract();
  label(&s, &contract, NULL);
  int64_t table[TOY_CLASSES][TOY_CLASSES] = {{0}}, right = 0;
  for (int32_t i = 0; i < IMAGES; i++) { /* every third label is another one */
    int32_t predicted = s.labels[i];
    s.labels[i] = i % 3 ? predicted : (predicted + 1 + i % 2) % TOY_CLASSES;
    table[s.labels[i]][predicted]++;
    right += s.labels[i] == predicted;
  }
  iscp_check *check = check_with(&s, &contract, ISCP_CAUSES_NEVER);
  iscp_check_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_check_get_info(check, &info));
  ck_assert(info.images == IMAGES && info.correct == right && info.classes == TOY_CLASSES && info.causes == 0 && info.plausible);
  ck_assert_double_eq(info.accuracy, (double)right / IMAGES);
  ck_assert_double_eq(info.plausible_from, 0.25 + 0.15 * 0.75);
  int64_t wrong = 0, most = 0;
  for (int32_t y = 0; y < TOY_CLASSES; y++) {
    iscp_check_class c = {.struct_size = sizeof c};
    int64_t images = 0, predicted = 0, confused = 0;
    ASSERT_OK(iscp_check_get_class(check, y, &c));
    for (int32_t k = 0; k < TOY_CLASSES; k++) {
      images += table[y][k];
      predicted += table[k][y];
      confused = k != y && table[y][k] > confused ? table[y][k] : confused;
    }
    most = predicted > most ? predicted : most;
    ck_assert(c.images == images && c.correct == table[y][y] && c.predicted == predicted);
    ck_assert_int_eq(c.confused < 0 ? 0 : table[y][c.confused], confused);
    ck_assert(c.low <= c.accuracy && c.accuracy <= c.high);
  }
  ck_assert_int_eq(info.favourite_count, most);
  int64_t last = IMAGES;
  for (int32_t i = 0; i < info.confusions; i++) {
    iscp_confusion c = {.struct_size = sizeof c};
    ASSERT_OK(iscp_check_confusion(check, i, &c));
    ck_assert(c.label != c.predicted && c.images == table[c.label][c.predicted] && c.images <= last);
    last = c.images;
    wrong += c.images;
  }
  ck_assert_int_eq(wrong, IMAGES - right);
  iscp_check_destroy(check);
  end_scene(&s);
}
END_TEST

START_TEST(a_good_model_needs_no_causes) {
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = own_contract();
  label(&s, &contract, NULL);
  iscp_check *poor = check_with(&s, &contract, ISCP_CAUSES_POOR), *always = check_with(&s, &contract, ISCP_CAUSES_ALWAYS);
  iscp_check_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_check_get_info(poor, &info));
  ck_assert(info.correct == IMAGES && info.causes == 0 && info.confusions == 0);
  ASSERT_OK(iscp_check_get_info(always, &info));
  ck_assert_int_gt(info.causes, 10);
  for (int32_t i = 0; i < info.causes; i++) {
    iscp_cause cause = {.struct_size = sizeof cause};
    ASSERT_OK(iscp_check_cause(always, i, &cause));
    ck_assert(!cause.restores && (i == 0) == (cause.kind == ISCP_CAUSE_NONE));
  }
  iscp_check_destroy(poor);
  iscp_check_destroy(always);
  end_scene(&s);
}
END_TEST

/* ---- Causes ---- */

START_TEST(finds_the_scale) {
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract truth = own_contract(), given = contract_of(0.9f, 0.02f);
  static const float mean[] = {0.485f, 0.456f, 0.406f}, std[] = {0.229f, 0.224f, 0.225f};
  memcpy(truth.mean, mean, sizeof mean);
  memcpy(truth.std, std, sizeof std);
  label(&s, &truth, NULL);
  iscp_check *check = check_with(&s, &given, ISCP_CAUSES_POOR);
  iscp_cause cause = best_cause(check, ISCP_CAUSE_SCALE);
  ck_assert_str_eq(cause.text, "ImageNet's mean and std");
  ck_assert_mem_eq(cause.contract->mean, mean, sizeof mean);
  iscp_check_destroy(check);
  truth = contract_of(0, 1); /* the other way: the network wants 0 to 255 */
  truth.range = 255;
  label(&s, &truth, NULL);
  check = check_with(&s, &given, ISCP_CAUSES_ALWAYS);
  cause = best_cause(check, ISCP_CAUSE_SCALE);
  ck_assert_int_eq(cause.contract->range, 255);
  iscp_check_destroy(check);
  end_scene(&s);
}
END_TEST

START_TEST(finds_the_order_of_channels) {
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  for (int turn = 0; turn < 2; turn++) { /* from R, G, B to B, G, R and back */
    iscp_contract truth = own_contract(), given = own_contract();
    truth.order = turn ? ISCP_ORDER_RGB : ISCP_ORDER_BGR;
    given.order = turn ? ISCP_ORDER_BGR : ISCP_ORDER_RGB;
    label(&s, &truth, NULL);
    iscp_check *check = check_with(&s, &given, ISCP_CAUSES_ALWAYS);
    ck_assert_int_eq(best_cause(check, ISCP_CAUSE_ORDER).contract->order, truth.order);
    iscp_check_destroy(check);
  }
  end_scene(&s);
}
END_TEST

START_TEST(finds_the_size) {
  scene s;
  make_scene(&s, 10, 24);
  iscp_contract truth = own_contract(), given = own_contract();
  truth.resize_short = 9; /* 8 / 0.875 */
  truth.crop_height = truth.crop_width = TOY_SIDE;
  given.resize_height = given.resize_width = TOY_SIDE;
  label(&s, &truth, NULL);
  iscp_check *check = check_with(&s, &given, ISCP_CAUSES_ALWAYS);
  iscp_cause cause = best_cause(check, ISCP_CAUSE_SIZE);
  ck_assert(cause.contract->resize_short == 9 && cause.contract->crop_height == TOY_SIDE && cause.contract->resize_height == 0);
  iscp_check_destroy(check);
  end_scene(&s);
}
END_TEST

static void invert(float *image) {
  for (int i = 0; i < TOY_NUMBERS; i++)
    image[i] = 1 - image[i];
}

static void turn(float *image) {
  float copy[TOY_NUMBERS];
  memcpy(copy, image, sizeof copy);
  for (int i = 0; i < TOY_NUMBERS; i++)
    image[i] = copy[i / TOY_PIXELS * TOY_PIXELS + i % TOY_SIDE * TOY_SIDE + i % TOY_PIXELS / TOY_SIDE];
}

START_TEST(finds_changed_pictures) {
  static change_fn *const changes[] = {invert, turn};
  static const char *const texts[] = {"inverted", "rows and columns"};
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = own_contract();
  for (int i = 0; i < 2; i++) {
    label(&s, &contract, changes[i]);
    iscp_check *check = check_with(&s, &contract, ISCP_CAUSES_ALWAYS);
    ck_assert_ptr_nonnull(strstr(best_cause(check, ISCP_CAUSE_PICTURES).text, texts[i]));
    iscp_check_destroy(check);
  }
  end_scene(&s);
}
END_TEST

START_TEST(finds_the_order_of_classes) {
  static const int32_t order[TOY_CLASSES] = {2, 0, 3, 1}; /* the label of each class of the model */
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = own_contract();
  label(&s, &contract, NULL);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = order[s.labels[i]];
  iscp_check *check = check_with(&s, &contract, ISCP_CAUSES_POOR);
  iscp_cause cause = best_cause(check, ISCP_CAUSE_LABELS);
  for (int32_t k = 0; k < TOY_CLASSES; k++)
    ck_assert_int_eq(cause.labels[order[k]], k);
  iscp_check_destroy(check);
  end_scene(&s);
}
END_TEST

/* The answers to the whole set are there, and the order takes no run of its own: a small sample hides nothing. */
START_TEST(finds_the_order_of_classes_in_the_whole_set) {
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = own_contract();
  label(&s, &contract, NULL);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = (s.labels[i] + 1) % TOY_CLASSES;
  iscp_check *check = check_sample(&s, &contract, ISCP_CAUSES_POOR, 4);
  iscp_cause cause = {.struct_size = sizeof cause};
  for (int32_t i = 1; cause.kind != ISCP_CAUSE_LABELS; i++)
    ASSERT_OK(iscp_check_cause(check, i, &cause));
  ck_assert(cause.restores && cause.correct == cause.images && cause.images > IMAGES / 4);
  iscp_check_destroy(check);
  end_scene(&s);
}
END_TEST

/* A second mistake is named if it was made: what is as good without it is no cause. */
START_TEST(a_cause_of_two_is_better_than_the_first) {
  scene s;
  make_scene(&s, 10, 24);
  iscp_contract truth = contract_of(0, 1), given = contract_of(0.9f, 0.02f);
  truth.range = 255;
  truth.resize_height = truth.resize_width = given.resize_height = given.resize_width = TOY_SIDE;
  label(&s, &truth, NULL);
  for (int32_t i = 0; i < IMAGES; i += 4) /* so that chance decides among what is nearly as good */
    s.labels[i] = (s.labels[i] + 1) % TOY_CLASSES;
  iscp_check *check = check_with(&s, &given, ISCP_CAUSES_ALWAYS);
  iscp_check_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_check_get_info(check, &info));
  bool restored = false, two = false;
  for (int32_t i = 0; i < info.causes; i++) {
    iscp_cause cause = {.struct_size = sizeof cause};
    ASSERT_OK(iscp_check_cause(check, i, &cause));
    bool scaled = !strncmp(cause.text, "pixels 0 to 255, not normalised", 31);
    restored = restored || (scaled && cause.kind == ISCP_CAUSE_SCALE && cause.restores);
    two = two || (scaled && cause.kind != ISCP_CAUSE_SCALE && cause.accuracy > 0.7);
    ck_assert_msg(cause.kind == ISCP_CAUSE_SCALE || !cause.restores, "%s: %g", cause.text, cause.accuracy);
  }
  ck_assert(restored && two);
  iscp_check_destroy(check);
  end_scene(&s);
}
END_TEST

/* Pictures of the network's own size that were resized and cropped all the same. */
START_TEST(finds_pictures_that_need_no_resizing) {
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract truth = own_contract(), given = own_contract();
  given.resize_short = TOY_SIDE * 2;
  given.crop_height = given.crop_width = TOY_SIDE;
  label(&s, &truth, NULL);
  iscp_check *check = check_with(&s, &given, ISCP_CAUSES_ALWAYS);
  iscp_cause cause = best_cause(check, ISCP_CAUSE_SIZE);
  ck_assert(!cause.contract->resize_short && !cause.contract->crop_height);
  iscp_check_destroy(check);
  end_scene(&s);
}
END_TEST

/* Of a set in which classes take turns, every fourth image is of one class, and no sample of the set. */
START_TEST(the_sample_does_not_keep_step_with_the_set) {
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = own_contract();
  label(&s, &contract, NULL);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = i % 4 == 2 ? s.labels[i] : (s.labels[i] + 1) % TOY_CLASSES;
  iscp_check *check = check_sample(&s, &contract, ISCP_CAUSES_ALWAYS, IMAGES / 4);
  iscp_cause cause = {.struct_size = sizeof cause};
  ASSERT_OK(iscp_check_cause(check, 0, &cause));
  ck_assert_int_eq(cause.images, IMAGES / 4);
  ck_assert_msg(cause.correct > 0 && cause.correct < IMAGES / 8, "%lld right", (long long)cause.correct);
  iscp_check_destroy(check);
  end_scene(&s);
}
END_TEST

/* One picture has one answer, whatever is assumed. Where most labels are of one class, another order of the classes makes most of
 * them right, and says nothing. */
START_TEST(an_answer_that_never_changes_restores_nothing) {
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = own_contract();
  size_t bytes = TOY_SIDE * TOY_SIDE * 3;
  for (size_t i = 1; i < IMAGES; i++)
    memcpy(s.pixels + i * bytes, s.pixels, bytes);
  iscp_model *model = load(&s, &contract);
  iscp_dataset *dataset = open(&s, &contract);
  iscp_session *session;
  float image[TOY_NUMBERS];
  ASSERT_OK(iscp_session_create(&session, model, 1, ISCP_SESSION_INFERENCE));
  ASSERT_OK(iscp_dataset_image(dataset, 0, image));
  int32_t answer = predict(session, image);
  iscp_session_destroy(session);
  iscp_dataset_destroy(dataset);
  iscp_model_destroy(model);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = i % 10 ? (answer + 1) % TOY_CLASSES : answer;
  iscp_check *check = check_with(&s, &contract, ISCP_CAUSES_POOR);
  iscp_check_info info = {.struct_size = sizeof info};
  ASSERT_OK(iscp_check_get_info(check, &info));
  bool high = false;
  for (int32_t i = 0; i < info.causes; i++) {
    iscp_cause cause = {.struct_size = sizeof cause};
    ASSERT_OK(iscp_check_cause(check, i, &cause));
    ck_assert_msg(!cause.restores, "%s: %g", cause.text, cause.accuracy);
    high = high || cause.accuracy > 0.8;
  }
  ck_assert(high);
  iscp_check_destroy(check);
  end_scene(&s);
}
END_TEST

/* Many classes and few images fit any order: the half that judges says so. */
START_TEST(labels_that_mean_nothing_have_no_order) {
  iscp_context *context = support_context();
  int32_t labels[40], given[20], predicted[20];
  bool other;
  for (int32_t i = 0; i < 20; i++) {
    given[i] = i;
    predicted[i] = (i * 7 + 3) % 40;
  }
  ASSERT_OK(isc_labels_match(labels, &other, context, given, predicted, 20, 40));
  bool taken[40] = {false};
  for (int32_t y = 0; y < 40; y++) {
    ck_assert(labels[y] >= 0 && labels[y] < 40 && !taken[labels[y]]);
    taken[labels[y]] = true;
    ck_assert(y >= 20 || labels[y] == predicted[y]);
  }
  ck_assert(other);
  support_context_end(context);
}
END_TEST

/* ---- What goes wrong ---- */

START_TEST(wrong_arguments) {
  toy_world world;
  toy_world_create(&world, 20, 3);
  iscp_check_options options;
  iscp_check *check = (iscp_check *)&options;
  ASSERT_OK(iscp_check_options_init(&options, sizeof options));
  support_failed(iscp_check_create(NULL, world.model, world.dataset, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "out is NULL");
  support_failed(iscp_check_create(&check, NULL, world.dataset, NULL, NULL, NULL), ISCP_ERROR_ARGUMENT, "model is NULL");
  ck_assert_ptr_null(check);
  options.causes = 3;
  support_failed(iscp_check_create(&check, world.model, world.dataset, &options, NULL, NULL), ISCP_ERROR_ARGUMENT, "causes is 3");
  options.causes = 0;
  options.sample = -1;
  support_failed(iscp_check_create(&check, world.model, world.dataset, &options, NULL, NULL), ISCP_ERROR_ARGUMENT, "sample is -1");
  options.sample = 1; /* one image is enough to look at */
  options.causes = ISCP_CAUSES_ALWAYS;
  ASSERT_OK(iscp_check_create(&check, world.model, world.dataset, &options, NULL, NULL));
  iscp_cause cause = {.struct_size = sizeof cause};
  support_failed(iscp_check_cause(check, 99, &cause), ISCP_ERROR_ARGUMENT, "index is 99");
  iscp_check_class class_info = {.struct_size = sizeof class_info};
  support_failed(iscp_check_get_class(check, TOY_CLASSES, &class_info), ISCP_ERROR_ARGUMENT, "class_index is 4, expected 0 to 3");
  support_failed(iscp_check_get_info(NULL, NULL), ISCP_ERROR_ARGUMENT, "check is NULL");
  iscp_check_destroy(check);
  iscp_check_destroy(NULL);
  toy_world_destroy(&world);
}
END_TEST

static int stop_after(const iscp_progress *progress, void *user) {
  (void)progress;
  return --*(int *)user < 0;
}

/* Progress is told ten times a second at most, so that the calls are few: the first, and those at the end. */
START_TEST(stops_when_asked) {
  toy_world world;
  iscp_check_options options;
  iscp_check *check;
  toy_world_create(&world, 20, 3);
  ASSERT_OK(iscp_check_options_init(&options, sizeof options));
  options.causes = ISCP_CAUSES_ALWAYS;
  iscp_status status = ISCP_ERROR_CANCELLED;
  for (int calls = 0; status != ISCP_OK; calls++) {
    int left = calls;
    status = iscp_check_create(&check, world.model, world.dataset, &options, stop_after, &left);
    ck_assert(status == ISCP_OK ? check != NULL && calls > 0 : status == ISCP_ERROR_CANCELLED && !check);
  }
  iscp_check_destroy(check);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(survives_without_memory) {
  toy_world world;
  iscp_check_options options;
  iscp_check *check;
  toy_world_create(&world, 10, 3);
  ASSERT_OK(iscp_check_options_init(&options, sizeof options));
  options.causes = ISCP_CAUSES_ALWAYS;
  iscp_status status = ISCP_ERROR_MEMORY;
  for (long allowed = 0; status != ISCP_OK; allowed++) {
    support_fail_after(allowed);
    status = iscp_check_create(&check, world.model, world.dataset, &options, NULL, NULL);
    support_fail_after(-1);
    ck_assert(status == ISCP_OK ? check != NULL : status == ISCP_ERROR_MEMORY && !check);
  }
  iscp_check_destroy(check);
  toy_world_destroy(&world);
}
END_TEST

/* ---- A search of such a model ---- */

START_TEST(a_search_refuses_what_the_model_does_not_know) {
  scene s;
  make_scene(&s, TOY_SIDE, TOY_SIDE);
  iscp_contract contract = own_contract();
  label(&s, &contract, NULL);
  for (int32_t i = 0; i < IMAGES; i++)
    s.labels[i] = (s.labels[i] + 1) % TOY_CLASSES;
  iscp_model *model = load(&s, &contract);
  iscp_dataset *dataset = open(&s, &contract);
  static const struct {
    double least;
    iscp_status status;
  } cases[] = {{0, ISCP_ERROR_MISMATCH}, {0.5, ISCP_ERROR_MISMATCH}, {-1, ISCP_OK}};
  for (int i = 0; i < 3; i++) {
    iscp_search_options options;
    iscp_search *search;
    int32_t finished, more;
    ASSERT_OK(iscp_search_options_init(&options, sizeof options));
    options.min_accuracy = cases[i].least;
    options.lanes = 1;
    ASSERT_OK(iscp_search_create(&search, model, dataset, &options));
    iscp_status status = iscp_search_step(search, &finished, &more, NULL, NULL);
    if (cases[i].status)
      support_failed(status, cases[i].status, "the model is right on 0 of 120 images (0.000), expected 0.");
    else
      ASSERT_OK(status);
    iscp_search_destroy(search);
  }
  iscp_search_options options;
  iscp_search *search;
  ASSERT_OK(iscp_search_options_init(&options, sizeof options));
  options.min_accuracy = 1.5;
  support_failed(iscp_search_create(&search, model, dataset, &options), ISCP_ERROR_ARGUMENT, "min_accuracy is 1.5");
  iscp_dataset_destroy(dataset);
  iscp_model_destroy(model);
  end_scene(&s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("check");
  TCase *counting = tcase_create("counting"), *causes = tcase_create("causes"), *wrong = tcase_create("wrong");
  tcase_add_test(counting, counts_are_those_of_the_answers);
  tcase_add_test(counting, a_good_model_needs_no_causes);
  tcase_add_test(causes, finds_the_scale);
  tcase_add_test(causes, finds_the_order_of_channels);
  tcase_add_test(causes, finds_the_size);
  tcase_add_test(causes, finds_changed_pictures);
  tcase_add_test(causes, finds_the_order_of_classes);
  tcase_add_test(causes, finds_the_order_of_classes_in_the_whole_set);
  tcase_add_test(causes, a_cause_of_two_is_better_than_the_first);
  tcase_add_test(causes, finds_pictures_that_need_no_resizing);
  tcase_add_test(causes, the_sample_does_not_keep_step_with_the_set);
  tcase_add_test(causes, an_answer_that_never_changes_restores_nothing);
  tcase_add_test(causes, labels_that_mean_nothing_have_no_order);
  tcase_add_test(wrong, wrong_arguments);
  tcase_add_test(wrong, stops_when_asked);
  tcase_add_test(wrong, survives_without_memory);
  tcase_add_test(wrong, a_search_refuses_what_the_model_does_not_know);
  suite_add_tcase(suite, counting);
  suite_add_tcase(suite, causes);
  suite_add_tcase(suite, wrong);
  return support_run(suite);
}
