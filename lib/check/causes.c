/* What may be wrong with an input that a model does badly on, tried one kind after the other: scale, channels, size, pictures,
 * labels. Each kind is tried upon the input as given, and upon the best so far if that is better beyond doubt: so one mistake is
 * found whatever else seems to help, and two at once if the first makes a difference of its own. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"

enum { MOST = 48 };

typedef struct finder {
  isc_trials *trials;
  isc_trial *list; /* MOST of them, the first is the input as given */
  int32_t count, best;
  int32_t base; /* what the next trials are tried upon */
} finder;

/* ---- One trial ---- */

static isc_trial begin(const finder *f, int32_t kind, const char *text) {
  const isc_trial *base = &f->list[f->base];
  isc_trial trial = {.kind = kind, .contract = base->contract, .inverted = base->inverted, .turned = base->turned,
                     .base_images = base->images, .base_correct = base->correct};
  if (f->base)
    snprintf(trial.text, sizeof trial.text, "%.*s, ", ISC_TRIAL_TEXT / 2, base->text);
  size_t length = strlen(trial.text);
  snprintf(trial.text + length, sizeof trial.text - length, "%s", text);
  return trial;
}

static bool is_same(const isc_trial *a, const isc_trial *b) {
  isc_scale x = isc_contract_scale(&a->contract), y = isc_contract_scale(&b->contract);
  iscp_contract p = a->contract, q = b->contract;
  bool same_scale = true;
  for (int32_t c = 0; c < p.channels; c++) { /* to what float32 says of a mean in 255ths */
    same_scale = same_scale && fabsf(x.mean[c] - y.mean[c]) < 1e-4f && fabsf(x.std[c] - y.std[c]) < 1e-4f;
    p.mean[c] = q.mean[c] = p.std[c] = q.std[c] = 0;
  }
  p.range = q.range = 0;
  return same_scale && !memcmp(&p, &q, sizeof p) && a->inverted == b->inverted && a->turned == b->turned;
}

static bool is_better(const isc_trial *a, const isc_trial *b) {
  return (double)a->correct * (double)b->images > (double)b->correct * (double)a->images;
}

/* Keeps the trial if the pictures fit it and nobody was like it before. */
static iscp_status try(finder *f, isc_trial trial) {
  bool fits = false;
  for (int32_t i = 0; i < f->count; i++)
    if (is_same(&f->list[i], &trial))
      return ISCP_OK;
  iscp_status status = isc_trial_run(f->trials, &trial, &fits);
  if (!fits || f->count == MOST)
    isc_trial_release(&trial, isc_model_context(f->trials->model));
  else
    f->list[f->count++] = trial;
  return status;
}

bool isc_trial_is_beyond(const isc_trial *a, const isc_trial *b) {
  double low, high, unused;
  isc_wilson(&low, &unused, a->correct, a->images);
  isc_wilson(&unused, &high, b->correct, b->images);
  return low > high;
}

bool isc_trial_adds(const isc_trial *a) {
  isc_trial base = {.images = a->base_images, .correct = a->base_correct};
  return isc_trial_is_beyond(a, &base);
}

bool isc_trial_tells(const isc_trial *a) {
  double accuracy = a->images ? (double)a->correct / (double)a->images : 0;
  return a->chance < 1 && accuracy >= a->chance + 0.15 * (1 - a->chance); /* as isc_plausible_accuracy of 1 / chance classes */
}

static void choose_best(finder *f) {
  int32_t best = f->best;
  for (int32_t i = 0; i < f->count; i++)
    if (isc_trial_tells(&f->list[i]) && is_better(&f->list[i], &f->list[best]))
      best = i;
  if (isc_trial_is_beyond(&f->list[best], &f->list[f->best]))
    f->best = best;
}

/* ---- Scale ---- */

typedef struct scale {
  const char *text;
  int32_t range, order; /* order -1: as it is */
  float mean[3], std[3]; /* R, G, B */
} scale;

static const scale scales[] = {
    {"pixels 0 to 1, not normalised", 1, -1, {0, 0, 0}, {1, 1, 1}},
    {"pixels 0 to 255, not normalised", 255, -1, {0, 0, 0}, {1, 1, 1}},
    {"ImageNet's mean and std", 1, -1, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}},
    {"CIFAR-10's mean with std .2023 .1994 .2010", 1, -1, {0.4914f, 0.4822f, 0.4465f}, {0.2023f, 0.1994f, 0.2010f}},
    {"CIFAR-10's mean with std .2470 .2435 .2616", 1, -1, {0.4914f, 0.4822f, 0.4465f}, {0.2470f, 0.2435f, 0.2616f}},
    {"CIFAR-100's mean and std", 1, -1, {0.5071f, 0.4865f, 0.4409f}, {0.2673f, 0.2564f, 0.2762f}},
    {"mean and std 0.5", 1, -1, {0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}},
    {"MNIST's mean .1307 and std .3081", 1, -1, {0.1307f, 0.1307f, 0.1307f}, {0.3081f, 0.3081f, 0.3081f}},
    {"Fashion-MNIST's mean .286 and std .353", 1, -1, {0.286f, 0.286f, 0.286f}, {0.353f, 0.353f, 0.353f}},
    {"Caffe's input: channels B, G, R, 0 to 255, ImageNet's mean, no std", 255, ISCP_ORDER_BGR,
     {123.68f, 116.779f, 103.939f}, {1, 1, 1}},
};
enum { SCALES = sizeof scales / sizeof *scales };

static bool is_grey(const float *values) { return values[0] == values[1] && values[1] == values[2]; }

static iscp_status try_scale(finder *f, const scale *s) {
  isc_trial trial = begin(f, ISCP_CAUSE_SCALE, s->text);
  iscp_contract *c = &trial.contract;
  if (c->channels == 1 && (!is_grey(s->mean) || !is_grey(s->std) || s->order >= 0))
    return ISCP_OK;
  c->range = s->range;
  c->order = s->order < 0 ? c->order : s->order;
  for (int32_t i = 0; i < c->channels; i++) {
    int32_t colour = c->order == ISCP_ORDER_BGR ? c->channels - 1 - i : i;
    c->mean[i] = s->mean[colour];
    c->std[i] = s->std[colour];
  }
  return try(f, trial);
}

static iscp_status try_scales(finder *f) {
  scale own = {"the mean and std of these images", 1, -1, {0}, {0}};
  memcpy(own.mean, f->trials->mean, sizeof own.mean);
  memcpy(own.std, f->trials->std, sizeof own.std);
  for (int i = 0; i < SCALES; i++)
    ISC_TRY(try_scale(f, &scales[i]));
  if (f->list[0].contract.channels == 1)
    own.mean[1] = own.mean[2] = own.mean[0], own.std[1] = own.std[2] = own.std[0];
  return try_scale(f, &own);
}

/* ---- Channels ---- */

static void exchange(float values[3]) {
  float kept = values[0];
  values[0] = values[2];
  values[2] = kept;
}

/* mean and std may have been given in the order of the network, or of the pictures. */
static iscp_status try_orders(finder *f) {
  iscp_dataset_info set = {.struct_size = sizeof set};
  ISC_TRY(iscp_dataset_get_info(f->trials->dataset, &set));
  if (f->list[0].contract.channels != 3 || set.channels == 1)
    return ISCP_OK;
  bool reversed = f->list[f->base].contract.order == ISCP_ORDER_BGR;
  isc_trial kept = begin(f, ISCP_CAUSE_ORDER, reversed ? "channels R, G, B" : "channels B, G, R");
  kept.contract.order = reversed ? ISCP_ORDER_RGB : ISCP_ORDER_BGR;
  isc_trial moved = begin(f, ISCP_CAUSE_ORDER,
                          reversed ? "channels R, G, B with mean and std" : "channels B, G, R with mean and std");
  moved.contract.order = kept.contract.order;
  exchange(moved.contract.mean);
  exchange(moved.contract.std);
  ISC_TRY(try(f, kept));
  return try(f, moved);
}

/* ---- Size ---- */

static isc_trial begin_size(const finder *f, const char *text) {
  isc_trial trial = begin(f, ISCP_CAUSE_SIZE, text);
  iscp_contract *c = &trial.contract;
  c->pad_top = c->pad_bottom = c->pad_left = c->pad_right = 0;
  c->resize_short = c->resize_height = c->resize_width = c->crop_height = c->crop_width = 0;
  return trial;
}

static iscp_status try_crop(finder *f, int32_t short_side, int32_t filter) {
  char text[80];
  const iscp_contract *given = &f->list[0].contract;
  snprintf(text, sizeof text, "short side %d %s, crop %dx%d", short_side, filter == ISCP_FILTER_BICUBIC ? "bicubic" : "bilinear",
           given->height, given->width);
  isc_trial trial = begin_size(f, text);
  trial.contract.resize_short = short_side;
  trial.contract.filter = filter;
  trial.contract.crop_height = given->height;
  trial.contract.crop_width = given->width;
  return try(f, trial);
}

static iscp_status try_exact(finder *f) {
  isc_trial trial = begin_size(f, "resized to the input's size, whatever the proportions");
  trial.contract.resize_height = trial.contract.height;
  trial.contract.resize_width = trial.contract.width;
  return try(f, trial);
}

static iscp_status try_pad(finder *f, const iscp_dataset_info *set) {
  isc_trial trial = begin_size(f, "zeros around instead of resizing");
  iscp_contract *c = &trial.contract;
  int32_t rows = c->height - set->height_low, columns = c->width - set->width_low;
  if (rows < 0 || columns < 0)
    return ISCP_OK;
  c->pad_top = rows / 2;
  c->pad_bottom = rows - rows / 2;
  c->pad_left = columns / 2;
  c->pad_right = columns - columns / 2;
  return try(f, trial);
}

static iscp_status try_as_they_are(finder *f) {
  return try(f, begin_size(f, "pictures as they are, neither resized nor cropped"));
}

/* Pictures that have the input's size need nothing, and mostly nothing was done to them. */
static iscp_status try_sizes(finder *f) {
  iscp_dataset_info set = {.struct_size = sizeof set};
  ISC_TRY(iscp_dataset_get_info(f->trials->dataset, &set));
  const iscp_contract *c = &f->list[0].contract;
  bool alike = set.height_low && set.height_low == set.height_high && set.width_low == set.width_high;
  if (alike && set.height_low == c->height && set.width_low == c->width)
    return try_as_they_are(f);
  alike = alike && set.channels; /* of files only some were looked at */
  int32_t side = c->height < c->width ? c->height : c->width;
  ISC_TRY(try_crop(f, (int32_t)(side / 0.875), ISCP_FILTER_BILINEAR));
  ISC_TRY(try_crop(f, (int32_t)(side / 0.875), ISCP_FILTER_BICUBIC));
  ISC_TRY(try_crop(f, (side * 232 + 112) / 224, ISCP_FILTER_BILINEAR));
  ISC_TRY(try_crop(f, (int32_t)(side / 0.95), ISCP_FILTER_BICUBIC));
  ISC_TRY(try_crop(f, side, ISCP_FILTER_BILINEAR));
  ISC_TRY(try_exact(f));
  return alike ? try_pad(f, &set) : ISCP_OK;
}

/* ---- Pictures ---- */

static iscp_status try_pictures(finder *f) {
  isc_trial inverted = begin(f, ISCP_CAUSE_PICTURES, "pictures inverted (dark for light)");
  isc_trial turned = begin(f, ISCP_CAUSE_PICTURES, "rows and columns exchanged");
  inverted.inverted = !inverted.inverted;
  turned.turned = !turned.turned;
  ISC_TRY(try(f, inverted));
  return turned.contract.height == turned.contract.width ? try(f, turned) : ISCP_OK;
}

/* ---- Labels ---- */

/* Labels and answers: of the whole set for the input as given, whose answers are all there, else of the sample. */
typedef struct answers {
  int64_t count;
  int32_t *labels, *predicted;
} answers;

static iscp_status collect(answers *a, const finder *f) {
  const isc_trials *t = f->trials;
  bool all = !f->base;
  a->count = all ? iscp_dataset_count(t->dataset) : t->count;
  a->labels = isc_calloc(isc_model_context(t->model), (size_t)a->count, 2 * sizeof *a->labels);
  if (!a->labels)
    return ISCP_ERROR_MEMORY;
  a->predicted = a->labels + a->count;
  for (int64_t i = 0; i < a->count; i++) {
    a->labels[i] = iscp_dataset_label(t->dataset, all ? i : t->sample[i]);
    a->predicted[i] = all ? t->clean[i] : f->list[f->base].predicted[i];
  }
  return ISCP_OK;
}

/* Moves about half of them to the front, by chance: of a set in which classes take turns, every other image misses some. */
static int64_t halve(answers *a) {
  int64_t half = 0;
  for (int64_t i = 0; i < a->count; i++) {
    int32_t label = a->labels[i], predicted = a->predicted[i];
    if (isc_random(0, ISC_PURPOSE_SAMPLE, 0, 1, i) & 1)
      continue;
    a->labels[i] = a->labels[half];
    a->predicted[i] = a->predicted[half];
    a->labels[half] = label;
    a->predicted[half++] = predicted;
  }
  return half;
}

static void judge(isc_trial *trial, const answers *a, int64_t from, int64_t *counts, int32_t classes) {
  for (int64_t i = from; i < a->count; i++) {
    int32_t expected = trial->labels[a->labels[i]];
    trial->correct += expected == a->predicted[i];
    counts[expected]++;
    counts[classes + a->predicted[i]]++;
  }
  trial->images = a->count - from;
  trial->chance = isc_trial_chance(counts, classes, trial->images);
}

/* The order is found on one half of the images and judged by the other: enough classes fit anything. */
static iscp_status match(finder *f, isc_trial *trial, bool *other) {
  const iscp_context *context = isc_model_context(f->trials->model);
  int32_t classes = isc_model_classes(f->trials->model);
  answers a = {0};
  int64_t half = 0, *counts = isc_calloc(context, (size_t)classes, 2 * sizeof *counts);
  trial->labels = isc_calloc(context, (size_t)classes, sizeof *trial->labels);
  iscp_status status = counts && trial->labels ? collect(&a, f) : ISCP_ERROR_MEMORY;
  if (status == ISCP_OK)
    half = halve(&a);
  if (half && half < a.count)
    status = isc_labels_match(trial->labels, other, context, a.labels, a.predicted, half, classes);
  if (status == ISCP_OK && *other)
    judge(trial, &a, half, counts, classes);
  isc_free(context, a.labels);
  isc_free(context, counts);
  return status;
}

static iscp_status try_labels(finder *f) {
  isc_trial trial = begin(f, ISCP_CAUSE_LABELS, "the classes in another order");
  bool other = false;
  iscp_status status = match(f, &trial, &other);
  if (status == ISCP_OK && other && trial.images && f->count < MOST && is_better(&trial, &f->list[f->base]))
    f->list[f->count++] = trial;
  else
    isc_trial_release(&trial, isc_model_context(f->trials->model));
  return status;
}

/* ---- All ---- */

static void sort(isc_trial *list, int32_t count) {
  for (int32_t i = 2; i < count; i++)
    for (int32_t j = i; j > 1 && is_better(&list[j], &list[j - 1]); j--) {
      isc_trial kept = list[j];
      list[j] = list[j - 1];
      list[j - 1] = kept;
    }
}

/* What the model and the set say together: the model's scale and order, the set's sizes. */
static isc_trial as_given(const isc_trials *t) {
  const iscp_contract *model = iscp_model_contract(t->model);
  isc_trial trial = {.kind = ISCP_CAUSE_NONE, .text = "the input as given", .contract = *iscp_dataset_contract(t->dataset)};
  memcpy(trial.contract.mean, model->mean, sizeof model->mean);
  memcpy(trial.contract.std, model->std, sizeof model->std);
  trial.contract.order = model->order;
  trial.contract.range = model->range;
  return trial;
}

typedef iscp_status kind_fn(finder *f);

static iscp_status try_kind(finder *f, kind_fn *kind) {
  int32_t best = f->best;
  f->base = 0;
  ISC_TRY(kind(f));
  f->base = best;
  return best ? kind(f) : ISCP_OK;
}

iscp_status isc_causes_find(isc_trial **list, int32_t *count, isc_trials *trials) {
  static kind_fn *const kinds[] = {try_scales, try_orders, try_sizes, try_pictures, try_labels};
  finder f = {.trials = trials, .list = isc_calloc(isc_model_context(trials->model), MOST, sizeof *f.list)};
  *list = f.list;
  *count = 0;
  if (!f.list)
    return ISCP_ERROR_MEMORY;
  iscp_status status = try(&f, as_given(trials));
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == ISCP_OK; i++) {
    status = try_kind(&f, kinds[i]);
    choose_best(&f);
  }
  sort(f.list, f.count);
  *count = f.count;
  return status;
}

int64_t isc_causes_total(const isc_trials *trials) { return (1 + SCALES + 1 + 2 * (2 + 7 + 2)) * trials->count; }
