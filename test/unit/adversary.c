/* Adversarial training: it learns from what an attack on the present weights makes of the images, goes on from a file as if it had
 * never stopped, and says what is wrong. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "toy.h"
#include "train/train.h"

enum { IMAGES = 70, BATCH = 16, EPOCH_STEPS = IMAGES / BATCH };

static iscp_train_options options_of(int32_t norm) {
  iscp_train_options o;
  ASSERT_OK(iscp_train_options_init(&o, sizeof o));
  ck_assert_int_eq(o.attack, 0);
  ck_assert_int_eq(o.attack_steps, 7);
  o.epochs = 2;
  o.batch = BATCH;
  o.learning_rate = 0.02;
  o.shift = 1;
  o.flip = 1;
  o.seed = 7;
  o.attack = norm;
  o.attack_eps = norm == ISCP_NORM_L2 ? 0.5 : 0.05;
  o.attack_steps = 3;
  return o;
}

static iscp_trainer *trainer_of(const toy_world *world, const iscp_train_options *o) {
  iscp_trainer *trainer;
  ASSERT_OK(iscp_trainer_create(&trainer, world->model, world->dataset, o));
  return trainer;
}

static iscp_train_state state_of(const iscp_trainer *trainer) {
  iscp_train_state state = {.struct_size = sizeof state};
  ASSERT_OK(iscp_trainer_get_state(trainer, &state));
  return state;
}

static void hash_of(char text[65], iscp_trainer *trainer) {
  iscp_model *model;
  ASSERT_OK(iscp_trainer_model(&model, trainer));
  memcpy(text, iscp_model_hash(model), 65);
  iscp_model_destroy(model);
}

/* ---- What is learned ---- */

/* The mean loss, with the statistics of the batch, of all images as `x` has them. */
static double loss_of(const toy_world *world, float (*x)[TOY_NUMBERS]) {
  isc_training *training;
  isc_compute compute;
  double loss = 0;
  ASSERT_OK(isc_compute_enter(world->context, &compute));
  ASSERT_OK(isc_training_create(&training, isc_model_network(world->model), IMAGES, TOY_SIDE, TOY_SIDE, false));
  for (int i = 0; i < IMAGES; i++)
    isc_normalise(isc_training_src(training) + (size_t)i * TOY_NUMBERS, x[i], iscp_model_contract(world->model));
  ASSERT_OK(isc_training_forward(training));
  for (int i = 0; i < IMAGES; i++)
    loss += isc_cross_entropy(NULL, isc_training_logits(training) + (size_t)i * TOY_CLASSES, TOY_CLASSES,
                              iscp_dataset_label(world->dataset, i)) / IMAGES;
  isc_training_destroy(training);
  isc_compute_leave(&compute);
  return loss;
}

/* The first step, of a batch of all images, has the loss of the images that the attack itself makes on the first weights, from the
 * same starts. The two ways through the network (folded or not) differ by rounding, which turns a few signs: a percent of the
 * loss is let pass, and the attack changes it by far more. */
START_TEST(the_images_are_attacked_on_the_present_weights) {
  static float clean[IMAGES][TOY_NUMBERS], found[IMAGES][TOY_NUMBERS];
  toy_world world;
  toy_world_create(&world, IMAGES, 3);
  for (int norm = ISCP_NORM_LINF; norm <= ISCP_NORM_L2; norm++) {
    iscp_train_options o = options_of(norm);
    iscp_attack_options a;
    iscp_attack *attack;
    int32_t labels[IMAGES];
    o.batch = IMAGES;
    o.epochs = 1;
    o.shift = o.flip = 0;
    ASSERT_OK(iscp_attack_options_init(&a, sizeof a));
    a.norm = norm, a.eps = o.attack_eps, a.steps = o.attack_steps, a.seed = o.seed;
    ASSERT_OK(iscp_attack_create(&attack, world.model, &a));
    for (int64_t i = 0; i < IMAGES; i++) {
      ASSERT_OK(iscp_dataset_image(world.dataset, i, clean[i]));
      labels[i] = iscp_dataset_label(world.dataset, i);
    }
    ASSERT_OK(iscp_attack_run(found[0], attack, clean[0], labels, NULL, IMAGES));
    iscp_trainer *trainer = trainer_of(&world, &o);
    ASSERT_OK(iscp_trainer_epoch(trainer, NULL, NULL));
    double loss = state_of(trainer).loss, expected = loss_of(&world, found), before = loss_of(&world, clean);
    ck_assert_msg(fabs(loss - expected) <= 0.01 * expected, "norm %d: loss %.6g, expected %.6g", norm, loss, expected);
    ck_assert_msg(expected > 1.1 * before, "norm %d: loss %.6g under attack, %.6g without", norm, expected, before);
    iscp_trainer_destroy(trainer);
    iscp_attack_destroy(attack);
  }
  toy_world_destroy(&world);
}
END_TEST

/* ---- Going on ---- */

static int stop_at(const iscp_progress *progress, void *user) { return progress->done >= *(int64_t *)user; }

/* Trains to the end through files, one or two steps at a time where progress is told, each time with another trainer. */
static void train_in_pieces(char hash[65], const toy_world *world, const iscp_train_options *o) {
  const char *path = support_path("state.safetensors");
  iscp_trainer *trainer = trainer_of(world, o);
  for (int piece = 0; state_of(trainer).step < o->epochs * EPOCH_STEPS; piece++) {
    int64_t until = state_of(trainer).step % EPOCH_STEPS + 1 + piece % 2;
    iscp_status status = iscp_trainer_epoch(trainer, stop_at, &until);
    ck_assert(status == ISCP_OK || status == ISCP_ERROR_CANCELLED);
    ASSERT_OK(iscp_trainer_save(trainer, path));
    iscp_trainer_destroy(trainer);
    trainer = trainer_of(world, o);
    ASSERT_OK(iscp_trainer_resume(trainer, path));
  }
  hash_of(hash, trainer);
  iscp_trainer_destroy(trainer);
}

START_TEST(going_on_changes_no_bit) {
  toy_world world;
  char whole[65], pieces[65], natural[65];
  toy_world_create(&world, IMAGES, 3);
  for (int norm = 0; norm <= ISCP_NORM_L2; norm++) {
    const iscp_train_options o = options_of(norm);
    iscp_trainer *trainer = trainer_of(&world, &o);
    for (int i = 0; i < o.epochs; i++)
      ASSERT_OK(iscp_trainer_epoch(trainer, NULL, NULL));
    hash_of(norm ? whole : natural, trainer);
    iscp_trainer_destroy(trainer);
    if (!norm)
      continue;
    train_in_pieces(pieces, &world, &o);
    ck_assert_str_eq(whole, pieces);
    ck_assert_str_ne(whole, natural);
  }
  toy_world_destroy(&world);
}
END_TEST

START_TEST(another_attack_is_refused) {
  toy_world world;
  toy_world_create(&world, IMAGES, 3);
  const char *path = support_path("state.safetensors");
  iscp_train_options o = options_of(ISCP_NORM_LINF), other = o, none = options_of(0);
  other.attack_eps = 0.0625;
  iscp_trainer *trainer = trainer_of(&world, &o), *wider = trainer_of(&world, &other), *natural = trainer_of(&world, &none);
  ASSERT_OK(iscp_trainer_save(trainer, path));
  ASSERT_OK(iscp_trainer_resume(trainer, path));
  support_failed(iscp_trainer_resume(wider, path), ISCP_ERROR_MISMATCH, "expected attack_eps 0.0625");
  support_failed(iscp_trainer_resume(natural, path), ISCP_ERROR_MISMATCH, "a training with attack 1, expected no attack");
  ASSERT_OK(iscp_trainer_save(natural, path));
  support_failed(iscp_trainer_resume(trainer, path), ISCP_ERROR_MISMATCH, "a training with no attack, expected attack 1");
  iscp_trainer_destroy(trainer);
  iscp_trainer_destroy(wider);
  iscp_trainer_destroy(natural);
  toy_world_destroy(&world);
}
END_TEST

/* ---- What is refused ---- */

START_TEST(options_are_checked) {
  toy_world world;
  iscp_trainer *trainer;
  iscp_train_options o;
  toy_world_create(&world, IMAGES, 3);
#define REFUSED(field, value, text)                                                                                \
  o = options_of(ISCP_NORM_LINF);                                                                                  \
  o.field = value;                                                                                                 \
  support_failed(iscp_trainer_create(&trainer, world.model, world.dataset, &o), ISCP_ERROR_ARGUMENT, text);        \
  ck_assert_ptr_null(trainer)
  REFUSED(attack, 3, "attack is 3, expected 0 to 2");
  REFUSED(attack_steps, 0, "attack_steps is 0, expected 1 to 10000");
  REFUSED(attack_eps, 1.5, "attack: eps is 1.5, expected 0 to 1");
  REFUSED(attack_step, NAN, "attack: step is");
  o.struct_size = offsetof(iscp_train_options, attack); /* a caller of the first release, whose struct ends there */
  o.attack_step = 0;
  ASSERT_OK(iscp_trainer_create(&trainer, world.model, world.dataset, &o));
  iscp_trainer_destroy(trainer);
  toy_world_destroy(&world);
}
END_TEST

START_TEST(memory_runs_out) {
  toy_world world;
  iscp_trainer *trainer = NULL;
  iscp_train_options o = options_of(ISCP_NORM_LINF);
  iscp_status status = ISCP_ERROR_MEMORY;
  toy_world_create(&world, IMAGES, 3);
  long allowed = 0;
  for (; status != ISCP_OK; allowed++) {
    support_fail_after(allowed);
    status = iscp_trainer_create(&trainer, world.model, world.dataset, &o);
    if (status == ISCP_OK)
      status = iscp_trainer_epoch(trainer, NULL, NULL);
    iscp_trainer_destroy(trainer);
    trainer = NULL;
    ck_assert(status == ISCP_OK || status == ISCP_ERROR_MEMORY);
  }
  ck_assert_int_gt(allowed, 50); /* a learner a convolution at least */
  support_fail_after(-1);
  toy_world_destroy(&world);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("adversary");
  TCase *tests = tcase_create("adversary");
  tcase_set_timeout(tests, 100);
  tcase_add_test(tests, the_images_are_attacked_on_the_present_weights);
  tcase_add_test(tests, going_on_changes_no_bit);
  tcase_add_test(tests, another_attack_is_refused);
  tcase_add_test(tests, options_are_checked);
  tcase_add_test(tests, memory_runs_out);
  suite_add_tcase(suite, tests);
  return support_run(suite);
}
