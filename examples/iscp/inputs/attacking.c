/* Attacks on a model: what is left of its accuracy, and what a training learns from. */
#include "inputs/attacking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EPS = 512, STEP };

static const char *const norms[] = {"linf", "l2", NULL}; /* ISCP_NORM_* count from 1 in this order */

static const option_line lines[] = {
    {0, "attack", "NORM", "attack each image by projected gradient descent in this norm: linf or l2",
     .how = OPTION_WORD, .at = offsetof(attack_settings, norm), .low = 1, .words = norms, .expected = "linf or l2"},
    {EPS, "attack-eps", "E", "how far an image may move, as 8/255 or 0.5; default 8/255 of linf,\n"
                            "0.5 of l2", .how = OPTION_OTHER},
    {0, "attack-steps", "N", "steps of the attack; default 20 of iscp check, 7 of iscp train",
     .how = OPTION_COUNT, .at = offsetof(attack_settings, steps), .low = 1, .high = 10000, .expected = "1 to 10000"},
    {STEP, "attack-step", "S", "their length; default a quarter of E of linf, a fifth of l2", .how = OPTION_OTHER},
    {0},
};

/* "8/255" or "0.5" */
static int read_ratio(double *value, const char *text) {
  char *copy = take_copy(text), *slash = strchr(copy, '/');
  double below = 1;
  if (slash)
    *slash = '\0';
  int right = read_number(value, copy) && (!slash || (read_number(&below, slash + 1) && below > 0));
  free(copy);
  *value /= below;
  return right && *value > 0;
}

static int set(void *to, int key, const char *value) {
  attack_settings *own = to;
  if (key == EPS)
    return read_ratio(&own->eps, value) ? EXIT_DONE : wrong_value("attack-eps", value, "a number above 0, as 8/255 or 0.5");
  return read_ratio(&own->step, value) ? EXIT_DONE : wrong_value("attack-step", value, "a number above 0, as 2/255 or 0.1");
}

const option_group attack_group = {"Attack", lines, set};

int attack_settings_check(const attack_settings *s) {
  if (s->norm == ISCP_NORM_LINF && s->eps > 1) {
    complain("--attack-eps is %g, expected at most 1 of linf", s->eps);
    return EXIT_USAGE;
  }
  if (s->norm || (!s->steps && !(s->eps > 0) && !(s->step > 0)))
    return EXIT_DONE;
  complain("--attack-%s without --attack, expected --attack linf or --attack l2",
           s->eps > 0 ? "eps" : s->steps ? "steps" : "step");
  return EXIT_USAGE;
}

void attack_settings_train(iscp_train_options *train, const attack_settings *s) {
  train->attack = s->norm;
  train->attack_eps = s->eps;
  train->attack_step = s->step;
  if (s->steps)
    train->attack_steps = s->steps;
}

/* ---- Robust accuracy ---- */

static iscp_status prepare(iscp_attack **attack, attack_result *result, const attack_settings *s, const iscp_model *model) {
  iscp_status status = iscp_attack_options_init(&result->options, sizeof result->options);
  result->options.norm = s->norm;
  result->options.eps = s->eps;
  result->options.step = s->step;
  if (s->steps)
    result->options.steps = s->steps;
  if (status == ISCP_OK)
    status = iscp_attack_create(attack, model, &result->options);
  return status == ISCP_OK ? iscp_attack_get_options(*attack, &result->options) : status;
}

iscp_status attack_measure(attack_result *result, const attack_settings *settings, const iscp_model *model,
                           const iscp_dataset *data) {
  iscp_attack *attack = NULL;
  if (!settings->norm)
    return ISCP_OK;
  result->info.struct_size = sizeof result->info;
  progress_label("attack");
  iscp_status status = prepare(&attack, result, settings, model);
  if (status == ISCP_OK)
    status = iscp_attack_accuracy(&result->info, attack, data, progress_show, NULL);
  iscp_attack_destroy(attack);
  return status;
}

static const char *norm_text(int32_t norm) { return norm == ISCP_NORM_LINF ? "linf" : "l2"; }

/* In 255ths where that is a round number, as people say it. */
static void print_distance(const char *name, double value) {
  if (value * 255 >= 0.5 && fabs(value * 255 - round(value * 255)) < 1e-9)
    printf(", %s %.0f/255", name, value * 255);
  else
    printf(", %s %.6g", name, value);
}

void attack_print(const attack_result *r) {
  if (!r->options.norm)
    return;
  printf("right on %lld of %lld images under attack: robust accuracy %.4f (95 %% interval %.3f to %.3f)\n  PGD-%d, %s",
         (long long)r->info.robust, (long long)r->info.images, r->info.robust_accuracy, r->info.robust_low, r->info.robust_high,
         r->options.steps, norm_text(r->options.norm));
  print_distance("eps", r->options.eps);
  print_distance("step", r->options.step);
  printf(", from a random start\n");
}

void attack_emit(emitter *j, const attack_result *r) {
  if (!r->options.norm)
    return;
  emit_open(j, "attack", '{');
  emit_text(j, "norm", norm_text(r->options.norm));
  emit_number(j, "eps", r->options.eps);
  emit_number(j, "step", r->options.step);
  emit_integer(j, "steps", r->options.steps);
  emit_seed(j, "seed", r->options.seed);
  emit_integer(j, "robust", r->info.robust);
  emit_number(j, "robust_accuracy", r->info.robust_accuracy);
  emit_number(j, "robust_low", r->info.robust_low);
  emit_number(j, "robust_high", r->info.robust_high);
  emit_close(j, '}');
}
