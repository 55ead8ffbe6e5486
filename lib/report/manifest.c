/* The manifest of result.json: what repeats the run, with jansson. Weights and data by their SHA-256, every option
 * by its name, versions, kernels and threads. No dates and no paths: the same run has the same manifest everywhere. */
#include <errno.h>
#include <float.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

enum { MOST_BROKEN = 10 };

static iscp_status no_memory(void) { return isc_fail(ISCP_ERROR_MEMORY, "out of memory for the manifest"); }

/* ---- Making ---- */

/* The shortest decimal number that is this float: 0.286, not 0.286000013. */
static json_t *float_json(float value) {
  char text[32];
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)value);
    if (strtof(text, NULL) == value)
      break;
  }
  return json_real(strtod(text, NULL));
}

/* JSON of jansson counts to 2^63 - 1; a seed beyond is written as text. */
static json_t *seed_json(uint64_t seed) {
  if (seed <= INT64_MAX)
    return json_integer((json_int_t)seed);
  char text[32];
  snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
  return json_string(text);
}

static json_t *floats_json(const float *values, int32_t count) {
  json_t *array = json_array();
  for (int32_t i = 0; i < count; i++)
    if (json_array_append_new(array, float_json(values[i]))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

/* What most contracts leave alone is written where it is not as always. */
static int set_rest(json_t *root, const iscp_contract *c) {
  int failed = 0;
  if (c->resize_short)
    failed |= json_object_set_new(root, "resize", json_integer(c->resize_short));
  if (c->resize_height)
    failed |= json_object_set_new(root, "resize", json_pack("[ii]", c->resize_height, c->resize_width));
  if (c->filter == ISCP_FILTER_BICUBIC)
    failed |= json_object_set_new(root, "filter", json_string("bicubic"));
  if (c->crop_height)
    failed |= json_object_set_new(root, "crop", json_pack("[ii]", c->crop_height, c->crop_width));
  if (c->crop_rule == ISCP_CROP_FLOOR)
    failed |= json_object_set_new(root, "crop_rule", json_string("floor"));
  if (c->order == ISCP_ORDER_BGR)
    failed |= json_object_set_new(root, "order", json_string("BGR"));
  if (c->range != 1)
    failed |= json_object_set_new(root, "range", json_integer(c->range));
  return failed;
}

static json_t *contract_json(const iscp_contract *c) {
  json_t *root = json_pack("{si si si s[iiii] so so}", "channels", c->channels, "height", c->height, "width", c->width,
                           "pad", c->pad_top, c->pad_bottom, c->pad_left, c->pad_right, "mean",
                           floats_json(c->mean, c->channels), "std", floats_json(c->std, c->channels));
  if (root && set_rest(root, c)) {
    json_decref(root);
    return NULL;
  }
  return root;
}

static json_t *model_json(const iscp_model *model) {
  iscp_model_info info = {.struct_size = sizeof info};
  if (iscp_model_get_info(model, &info) != ISCP_OK)
    return NULL;
  return json_pack("{ss ss si si ss ss si sI sI so}", "weights_sha256", iscp_model_hash(model), "weights_source",
                   iscp_model_source(model), "depth", info.depth, "width", info.width, "stem",
                   info.stem == ISCP_STEM_CIFAR ? "cifar" : "imagenet", "stride",
                   info.stride == ISCP_STRIDE_1X1 ? "1x1" : "3x3", "classes", info.classes,
                   "parameters", (json_int_t)info.parameters, "multiply_adds", (json_int_t)info.multiply_adds,
                   "contract", contract_json(iscp_model_contract(model)));
}

/* How many pictures were left out, and the first of them by name. */
static int add_broken(json_t *data, const iscp_dataset *dataset) {
  int64_t count = iscp_dataset_broken_count(dataset);
  json_t *names = json_array();
  for (int64_t i = 0; i < count && i < MOST_BROKEN; i++) {
    const char *name = iscp_dataset_broken_name(dataset, i);
    json_t *text = json_string(name); /* NULL if the name is not UTF-8 */
    json_array_append_new(names, text ? text : json_string("(a name that is not UTF-8)"));
  }
  int failed = json_object_set_new(data, "skipped", json_integer(count));
  return json_object_set_new(data, "skipped_first", names) || failed;
}

/* Without skipped pictures the object is what it was before there were any, so that older reports can be gone on with. */
static iscp_status data_json(json_t **out, const iscp_dataset *dataset) {
  const char *hash;
  ISC_TRY(isc_dataset_hash(&hash, dataset));
  *out = json_pack("{ss sI si}", "sha256", hash, "images", (json_int_t)iscp_dataset_count(dataset), "classes",
                   iscp_dataset_classes(dataset));
  if (*out && iscp_dataset_broken_count(dataset) && add_broken(*out, dataset)) {
    json_decref(*out);
    *out = NULL;
  }
  return *out ? ISCP_OK : no_memory();
}

static json_t *kinds_json(int32_t kinds) {
  json_t *array = json_array();
  for (int32_t kind = 1; kind <= ISCP_CANVAS_USER; kind <<= 1)
    if (kinds & kind && json_array_append_new(array, json_string(isc_canvas_kind_name(kind)))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

/* The weight of |m|_1 / n that the options come to; null if each class has its own. */
static json_t *alpha_json(const iscp_search_options *search) {
  return search->alpha_mode == ISCP_ALPHA_AUTO ? json_null() : json_real(search->alpha);
}

/* A caller's canvases, by their SHA-256; null without any. */
static iscp_status user_canvases_json(json_t **out, const isc_run *run) {
  const iscp_contract *contract = iscp_model_contract(run->model);
  *out = json_null();
  if (!(run->search->canvas_kinds & ISCP_CANVAS_USER) || !run->search->user_canvases)
    return ISCP_OK;
  isc_digest *digest;
  ISC_TRY(isc_digest_create(&digest, run->context));
  isc_digest_update(digest, run->search->user_canvases,
                    (size_t)run->search->user_canvas_count * (size_t)isc_contract_numbers(contract) * sizeof(float));
  char text[ISC_DIGEST_TEXT];
  isc_digest_finish(digest, text);
  *out = json_string(text);
  return *out ? ISCP_OK : no_memory();
}

static json_t *search_json(const iscp_search_options *s, json_t *user_canvases) {
  static const char *const modes[] = {"preset", "fixed", "auto"};
  return json_pack("{ss ss so so si si so so so so so so si si si ss ss si si si so}", "preset",
                   isc_preset_name(s->preset), "alpha_mode", modes[s->alpha_mode], "alpha",
                   alpha_json(s), "tv", json_real(s->tv), "canvas_steps", s->canvas_steps, "mask_steps", s->mask_steps,
                   "canvas_step", json_real(s->canvas_step), "canvas_kinds", kinds_json(s->canvas_kinds), "step",
                   json_real(s->step), "fraction",
                   json_real(s->fraction), "select_size", json_real(s->select_size), "seed", seed_json(s->seed),
                   "canvases", s->canvases, "epochs", s->epochs, "batch", s->batch, "select",
                   s->select == ISCP_SELECT_POWER ? "power" : "loss", "ties",
                   s->ties == ISCP_TIES_INDEX ? "index" : "evidence", "lanes", s->lanes, "pass_batch",
                   s->pass_batch, "user_canvas_count", s->user_canvas_count, "user_canvases_sha256", user_canvases);
}

static json_t *evaluation_json(const iscp_report_options *report) {
  static const char *const images[] = {"", "heldout", "all", "searched"};
  json_t *sizes = json_array();
  for (int32_t i = 0; i < report->size_count; i++)
    if (json_array_append_new(sizes, json_real(report->sizes[i]))) {
      json_decref(sizes);
      return NULL;
    }
  return json_pack("{ss so sf}", "images", images[report->images], "sizes", sizes, "picture_size",
                   report->picture_size);
}

static json_t *classes_json(const isc_run *run) {
  json_t *array = json_array();
  int32_t all = iscp_dataset_classes(run->dataset);
  iscp_model_info info = {.struct_size = sizeof info};
  if (iscp_model_get_info(run->model, &info) == ISCP_OK)
    all = info.classes;
  for (int32_t y = 0; array && y < all; y++) {
    int asked = !run->search->class_count || !run->search->classes;
    for (int32_t i = 0; !asked && i < run->search->class_count; i++)
      asked = run->search->classes[i] == y;
    if (asked && json_array_append_new(array, json_integer(y))) {
      json_decref(array);
      return NULL;
    }
  }
  return array;
}

iscp_status isc_manifest_create(json_t **out, const isc_run *run) {
  *out = NULL;
  json_t *user_canvases, *data;
  ISC_TRY(data_json(&data, run->dataset));
  iscp_status status = user_canvases_json(&user_canvases, run);
  if (status != ISCP_OK) {
    json_decref(data);
    return status;
  }
  const char *backend = iscp_context_backend(run->context) == ISCP_BACKEND_BLAS ? "blas" : "onednn";
  const char *precision = iscp_context_precision(run->context) == ISCP_PRECISION_BF16 ? "bf16" : "f32";
  const char *convolutions = iscp_context_convolutions(run->context) == ISCP_CONVOLUTIONS_FAST ? "fast" : "direct";
  *out = json_pack("{ss ss ss ss ss si so so so so so}", "library", iscp_version_text(), "backend", backend, "kernels",
                   iscp_context_kernels(run->context), "convolutions", convolutions, "precision", precision, "threads",
                   iscp_context_threads(run->context), "model",
                   model_json(run->model), "data", data, "search",
                   search_json(run->search, user_canvases), "evaluation", evaluation_json(run->report), "classes",
                   classes_json(run));
  return *out ? ISCP_OK : no_memory();
}

void isc_manifest_release(json_t *manifest) { json_decref(manifest); }

/* ---- Comparing ---- */

enum { PATH_SIZE = 1024 };

/* As it stands in the file: a number is what its 15 digits say. */
static void print_value(char text[PATH_SIZE], const json_t *value) {
  size_t size = value ? json_dumpb(value, text, PATH_SIZE - 1,
                                   JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(DBL_DIG)) : 0;
  text[size < PATH_SIZE ? size : PATH_SIZE - 1] = 0;
  if (!size)
    snprintf(text, PATH_SIZE, "nothing");
}

static iscp_status compare(const char *path, const json_t *there, const json_t *here) {
  if (json_is_object(there) && json_is_object(here)) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)here, key, value) {
      char inner[PATH_SIZE];
      snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", key);
      if (*path || strcmp(key, "classes"))
        ISC_TRY(compare(inner, json_object_get(there, key), value));
    }
    return ISCP_OK;
  }
  char text_there[PATH_SIZE], text_here[PATH_SIZE];
  print_value(text_there, there);
  print_value(text_here, here);
  if (strcmp(text_there, text_here))
    return isc_fail(ISCP_ERROR_MISMATCH, "the report is another run's: %s is %s there and %s here", path, text_there,
                    text_here);
  return ISCP_OK;
}

iscp_status isc_manifest_compare(const json_t *there, const json_t *here) { return compare("", there, here); }

static int has_integer(const json_t *array, json_int_t value) {
  for (size_t i = 0; i < json_array_size(array); i++)
    if (json_integer_value(json_array_get(array, i)) == value)
      return 1;
  return 0;
}

/* Both lists rise, and so does the joined one. */
iscp_status isc_manifest_join_classes(json_t *here, const json_t *there) {
  json_t *ours = json_object_get(here, "classes"), *theirs = json_object_get(there, "classes");
  for (size_t i = 0; i < json_array_size(theirs); i++) {
    json_t *item = json_array_get(theirs, i);
    if (!json_is_integer(item) || has_integer(ours, json_integer_value(item)))
      continue;
    size_t place = 0;
    while (place < json_array_size(ours) &&
           json_integer_value(json_array_get(ours, place)) < json_integer_value(item))
      place++;
    if (json_array_insert_new(ours, place, json_integer(json_integer_value(item))))
      return no_memory();
  }
  return ISCP_OK;
}

/* ---- Reading ---- */

static iscp_status read_seed(uint64_t *seed, const json_t *item) {
  const char *text = json_string_value(item);
  if (json_is_integer(item) && json_integer_value(item) >= 0) {
    *seed = (uint64_t)json_integer_value(item);
    return ISCP_OK;
  }
  char *end = NULL;
  errno = 0;
  if (text && *text >= '0' && *text <= '9')
    *seed = strtoull(text, &end, 10);
  if (!end || *end || errno)
    return isc_fail(ISCP_ERROR_FORMAT, "manifest.search.seed is missing or wrong, expected a whole number");
  return ISCP_OK;
}

iscp_status isc_manifest_draw(const json_t *manifest, double *fraction, uint64_t *seed, int32_t *ties) {
  const json_t *search = json_object_get(manifest, "search"), *share = json_object_get(search, "fraction");
  const char *rule = json_string_value(json_object_get(search, "ties"));
  if (!json_is_number(share) || !(json_number_value(share) > 0 && json_number_value(share) <= 1))
    return isc_fail(ISCP_ERROR_FORMAT, "manifest.search.fraction is missing or wrong, expected a number in (0, 1]");
  if (!rule || (strcmp(rule, "evidence") && strcmp(rule, "index")))
    return isc_fail(ISCP_ERROR_FORMAT, "manifest.search.ties is missing or wrong, expected evidence or index");
  *fraction = json_number_value(share);
  *ties = strcmp(rule, "index") ? ISCP_TIES_EVIDENCE : ISCP_TIES_INDEX;
  return read_seed(seed, json_object_get(search, "seed"));
}

static iscp_status read_count(int32_t *count, const json_t *search, const char *name) {
  const json_t *item = json_object_get(search, name);
  json_int_t value = json_integer_value(item);
  if (!json_is_integer(item) || value < 0 || value > 4096)
    return isc_fail(ISCP_ERROR_FORMAT, "manifest.search.%s is missing or wrong, expected 0 to 4096", name);
  if (count)
    *count = (int32_t)value;
  return ISCP_OK;
}

iscp_status isc_manifest_plan(const json_t *manifest, int32_t *lanes, int32_t *pass_batch) {
  const json_t *search = json_object_get(manifest, "search");
  ISC_TRY(read_count(lanes, search, "lanes"));
  return read_count(pass_batch, search, "pass_batch");
}
