/* The manifest of result.json: what repeats the run, with jansson. Weights and data by their SHA-256, every option
 * by its name, versions, kernels and threads. No dates and no paths: the same run has the same manifest everywhere. */
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

static json_t *model_json(const iscp_model *model) {
  iscp_model_info info = {.struct_size = sizeof info};
  if (iscp_model_get_info(model, &info) != ISCP_OK)
    return NULL;
  return json_pack("{ss ss si si ss ss si sI sI so}", "weights_sha256", iscp_model_hash(model), "weights_source",
                   iscp_model_source(model), "depth", info.depth, "width", info.width, "stem",
                   isc_field_word(&isc_model_info_fields, "stem", info.stem), "stride",
                   isc_field_word(&isc_model_info_fields, "stride", info.stride ? info.stride : ISCP_STRIDE_3X3),
                   "classes", info.classes,
                   "parameters", (json_int_t)info.parameters, "multiply_adds", (json_int_t)info.multiply_adds,
                   "contract", isc_contract_json(iscp_model_contract(model), float_json));
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

/* The fields that the table records, and what user canvases are by their hash. alpha is the weight that the options come to, null
 * if each class has its own. */
static json_t *search_json(const iscp_search_options *s, json_t *user_canvases) {
  json_t *root = json_object();
  int failed = !root || isc_fields_to_json(root, s, &isc_search_options_fields) != ISCP_OK;
  if (!failed && s->alpha_mode == ISCP_ALPHA_AUTO)
    failed = json_object_set_new(root, "alpha", json_null());
  failed |= json_object_set_new(root, "user_canvases_sha256", user_canvases);
  if (!failed)
    return root;
  json_decref(root);
  return NULL;
}

static json_t *evaluation_json(const iscp_report_options *report) {
  json_t *sizes = json_array();
  for (int32_t i = 0; i < report->size_count; i++)
    if (json_array_append_new(sizes, json_real(report->sizes[i]))) {
      json_decref(sizes);
      return NULL;
    }
  return json_pack("{so so sf}", "images", isc_field_to_json(report, &isc_report_options_fields, "images"), "sizes", sizes,
                   "picture_size", report->picture_size);
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
  const iscp_fields *context = &isc_context_options_fields;
  const char *backend = isc_field_word(context, "backend", iscp_context_backend(run->context));
  const char *precision = isc_field_word(context, "precision", iscp_context_precision(run->context));
  const char *convolutions = isc_field_word(context, "convolutions", iscp_context_convolutions(run->context));
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

/* One option of the search, in its range. */
static iscp_status read_option(iscp_search_options *o, const json_t *search, const char *name, const char *expected) {
  if (isc_field_from_json(o, &isc_search_options_fields, name, json_object_get(search, name)) != ISCP_OK ||
      isc_field_check(o, &isc_search_options_fields, name) != ISCP_OK)
    return isc_fail(ISCP_ERROR_FORMAT, "manifest.search.%s is missing or wrong, expected %s", name, expected);
  return ISCP_OK;
}

iscp_status isc_manifest_draw(const json_t *manifest, double *fraction, uint64_t *seed, int32_t *ties) {
  const json_t *search = json_object_get(manifest, "search");
  iscp_search_options o = {.ties = ISCP_TIES_PRESET};
  ISC_TRY(read_option(&o, search, "fraction", "a number in (0, 1]"));
  ISC_TRY(read_option(&o, search, "ties", "evidence or index"));
  if (o.ties == ISCP_TIES_PRESET) /* a manifest has what the preset stands for */
    return isc_fail(ISCP_ERROR_FORMAT, "manifest.search.ties is preset, expected evidence or index");
  ISC_TRY(read_option(&o, search, "seed", "a whole number"));
  *fraction = o.fraction;
  *ties = o.ties;
  *seed = o.seed;
  return ISCP_OK;
}

/* Chosen by measurement, lanes may be more than a caller may ask for. */
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
