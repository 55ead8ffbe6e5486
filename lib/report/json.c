/* result.json <-> memory, with jansson.
 *
 *   {"schema": 1, "manifest": {...}, "finished": [classes], "patterns": [one entry a canvas, a line each]}
 *
 * Numbers are written with 15 digits, which survive being read and written again: a report that was interrupted and
 * gone on with has the same bytes as one made at one go. What is not a number (NaN) is null. */
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

enum { SCHEMA = 1, LARGEST_FILE = 1 << 30, MOST_ROWS = 32, MOST_EPOCHS = 1000 };

/* ---- Writing ---- */

static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

/* A class's name may be a folder's, in any encoding: what is not UTF-8 keeps its ASCII. */
static json_t *name_json(const char *name) {
  if (!name)
    return json_null();
  json_t *text = json_string(name);
  if (text)
    return text;
  char ascii[256];
  size_t length = 0;
  for (; name[length] && length < sizeof ascii - 1; length++)
    ascii[length] = (unsigned char)name[length] < 0x80 ? name[length] : '?';
  return json_stringn(ascii, length);
}

static json_t *epochs_json(const isc_entry *entry) {
  json_t *array = json_array();
  for (size_t i = 0; i < entry->epoch_count; i++)
    if (json_array_append_new(array, number(entry->epochs[i]))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

static json_t *row_json(const isc_power_row *row) {
  const iscp_power *p = &row->power;
  return json_pack("{so si si si so so so sI sI sI sI sI so so so so}", "size", number(row->size), "pixels",
                   row->pixels, "tied", row->tied, "tied_kept", row->tied_kept, "pw", number(p->pw), "asr",
                   number(p->asr), "accuracy", number(p->accuracy), "nontarget", (json_int_t)p->nontarget,
                   "nontarget_hits", (json_int_t)p->nontarget_hits, "nontarget_clean", (json_int_t)p->nontarget_clean,
                   "target", (json_int_t)p->target_images, "target_correct", (json_int_t)p->target_correct, "asr_low",
                   number(p->asr_low), "asr_high", number(p->asr_high), "accuracy_low", number(p->accuracy_low),
                   "accuracy_high", number(p->accuracy_high));
}

static json_t *rows_json(const isc_entry *entry) {
  json_t *array = json_array();
  for (size_t i = 0; i < entry->row_count; i++)
    if (json_array_append_new(array, row_json(&entry->rows[i]))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

static json_t *entry_json(const isc_entry *entry) {
  const iscp_canvas_result *c = &entry->canvas;
  return json_pack("{si so s{ss sI} sb so so so so si si si si ss ss ss so}", "class", entry->class_index, "name",
                   name_json(entry->name), "canvas", "kind", isc_canvas_kind_name(c->kind), "index",
                   (json_int_t)c->image, "selected", (int)c->selected, "alpha", number(c->alpha), "loss",
                   number(c->loss), "dn_power", number(c->power), "epochs", epochs_json(entry), "steps", c->steps,
                   "canvas_steps", c->canvas_steps,
                   "saturated", c->saturated, "zeros", c->zeros, "mask", entry->mask, "evidence", entry->evidence,
                   "canvas_file", entry->colours, "power", rows_json(entry));
}

typedef struct buffer {
  const iscp_context *context;
  char *text;
  size_t size, capacity;
} buffer;

static iscp_status append(buffer *b, const char *text, size_t size) {
  ISC_TRY(isc_grow(b->context, (void **)&b->text, &b->capacity, b->size + size, 1));
  memcpy(b->text + b->size, text, size);
  b->size += size;
  return ISCP_OK;
}

static iscp_status append_text(buffer *b, const char *text) { return append(b, text, strlen(text)); }

static int append_chunk(const char *chunk, size_t size, void *b) { return append(b, chunk, size) == ISCP_OK ? 0 : -1; }

/* Takes `value` over; NULL stands for the memory that jansson did not get. */
static iscp_status append_json(buffer *b, json_t *value, size_t flags) {
  if (!value)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory for result.json");
  int failed = json_dump_callback(value, append_chunk, b, flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(DBL_DIG));
  json_decref(value);
  return failed ? isc_fail(ISCP_ERROR_MEMORY, "out of memory for result.json") : ISCP_OK;
}

static iscp_status print_finished(buffer *b, const isc_result *result) {
  ISC_TRY(append_text(b, ",\n\"finished\": ["));
  for (size_t i = 0; i < result->finished_count; i++) {
    ISC_TRY(append_text(b, i ? ", " : ""));
    ISC_TRY(append_json(b, json_integer(result->finished[i]), 0));
  }
  return append_text(b, "]");
}

static iscp_status print_all(buffer *b, const isc_result *result) {
  ISC_TRY(append_text(b, "{\"schema\": "));
  ISC_TRY(append_json(b, json_integer(SCHEMA), 0));
  ISC_TRY(append_text(b, ",\n\"manifest\": "));
  ISC_TRY(append_json(b, json_incref(result->manifest), JSON_INDENT(1)));
  ISC_TRY(print_finished(b, result));
  ISC_TRY(append_text(b, ",\n\"patterns\": ["));
  for (size_t i = 0; i < result->entry_count; i++) {
    ISC_TRY(append_text(b, i ? ",\n" : "\n"));
    ISC_TRY(append_json(b, entry_json(&result->entries[i]), 0));
  }
  return append_text(b, "]}\n");
}

iscp_status isc_result_print(char **text, size_t *size, const iscp_context *context, const isc_result *result) {
  buffer b = {.context = context};
  iscp_status status = print_all(&b, result);
  if (status != ISCP_OK) {
    isc_free(context, b.text);
    b = (buffer){.context = context};
  }
  *text = b.text;
  *size = b.size;
  return status;
}

/* ---- Reading ---- */

static iscp_status wrong(const char *key, const char *expected) {
  return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is missing or wrong, expected %s", key, expected);
}

static iscp_status get_number(double *value, const json_t *object, const char *key) {
  const json_t *item = json_object_get(object, key);
  if (!json_is_number(item) && !json_is_null(item))
    return wrong(key, "a number or null");
  *value = json_is_null(item) ? NAN : json_number_value(item);
  return ISCP_OK;
}

static iscp_status get_int64(int64_t *value, const json_t *object, const char *key, int64_t low, int64_t high) {
  const json_t *item = json_object_get(object, key);
  if (!json_is_integer(item) || json_integer_value(item) < low || json_integer_value(item) > high)
    return isc_fail(ISCP_ERROR_FORMAT, "\"%s\" is missing or wrong, expected a whole number from %lld to %lld", key,
                    (long long)low, (long long)high);
  *value = json_integer_value(item);
  return ISCP_OK;
}

static iscp_status get_int32(int32_t *value, const json_t *object, const char *key) {
  int64_t wide;
  ISC_TRY(get_int64(&wide, object, key, 0, INT32_MAX));
  *value = (int32_t)wide;
  return ISCP_OK;
}

/* A name in the report's own folder: nothing that leads out of it. */
static iscp_status get_file_name(char **name, const iscp_context *context, const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  if (!text || !*text || *text == '.' || strchr(text, '/'))
    return wrong(key, "a file's plain name");
  *name = isc_strdup(context, text);
  return *name ? ISCP_OK : ISCP_ERROR_MEMORY;
}

static iscp_status parse_row(isc_power_row *row, const json_t *object, int32_t target) {
  iscp_power *p = &row->power;
  p->struct_size = sizeof *p;
  p->target = target;
  const struct {
    double *value;
    const char *key;
  } numbers[] = {{&row->size, "size"},       {&p->pw, "pw"},
                 {&p->asr, "asr"},           {&p->accuracy, "accuracy"},
                 {&p->asr_low, "asr_low"},   {&p->asr_high, "asr_high"},
                 {&p->accuracy_low, "accuracy_low"}, {&p->accuracy_high, "accuracy_high"}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    ISC_TRY(get_number(numbers[i].value, object, numbers[i].key));
  const struct {
    int64_t *value;
    const char *key;
  } counts[] = {{&p->nontarget, "nontarget"},
                {&p->nontarget_hits, "nontarget_hits"},
                {&p->nontarget_clean, "nontarget_clean"},
                {&p->target_images, "target"},
                {&p->target_correct, "target_correct"}};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    ISC_TRY(get_int64(counts[i].value, object, counts[i].key, 0, INT64_MAX));
  ISC_TRY(get_int32(&row->pixels, object, "pixels"));
  ISC_TRY(get_int32(&row->tied, object, "tied"));
  return get_int32(&row->tied_kept, object, "tied_kept");
}

static iscp_status parse_rows(isc_entry *entry, const iscp_context *context, const json_t *object) {
  const json_t *array = json_object_get(object, "power");
  size_t count = json_array_size(array);
  if (!json_is_array(array) || count > MOST_ROWS)
    return wrong("power", "a list of at most 32 sizes");
  if (!(entry->rows = isc_calloc(context, count, sizeof *entry->rows)))
    return ISCP_ERROR_MEMORY;
  entry->row_count = count;
  for (size_t i = 0; i < count; i++)
    ISC_TRY(parse_row(&entry->rows[i], json_array_get(array, i), entry->class_index));
  return ISCP_OK;
}

static iscp_status parse_epochs(isc_entry *entry, const iscp_context *context, const json_t *object) {
  const json_t *array = json_object_get(object, "epochs");
  size_t count = json_array_size(array);
  if (!json_is_array(array) || count > MOST_EPOCHS)
    return wrong("epochs", "a list of at most 1000 numbers");
  if (!(entry->epochs = isc_calloc(context, count, sizeof *entry->epochs)))
    return ISCP_ERROR_MEMORY;
  entry->epoch_count = count;
  for (size_t i = 0; i < count; i++) {
    const json_t *item = json_array_get(array, i);
    if (!json_is_number(item) && !json_is_null(item))
      return wrong("epochs", "numbers");
    entry->epochs[i] = json_is_null(item) ? NAN : json_number_value(item);
  }
  return ISCP_OK;
}

static iscp_status parse_canvas(iscp_canvas_result *canvas, const json_t *object) {
  canvas->struct_size = sizeof *canvas;
  const json_t *source = json_object_get(object, "canvas");
  const char *kind = json_string_value(json_object_get(source, "kind"));
  canvas->kind = kind ? isc_canvas_kind_value(kind) : 0;
  if (!canvas->kind)
    return wrong("canvas.kind", "positive, negative, random, white or user");
  ISC_TRY(get_int64(&canvas->image, source, "index", -1, INT64_MAX));
  const json_t *selected = json_object_get(object, "selected");
  if (!json_is_boolean(selected))
    return wrong("selected", "true or false");
  canvas->selected = json_is_true(selected);
  ISC_TRY(get_number(&canvas->alpha, object, "alpha"));
  ISC_TRY(get_number(&canvas->loss, object, "loss"));
  ISC_TRY(get_number(&canvas->power, object, "dn_power"));
  ISC_TRY(get_int32(&canvas->steps, object, "steps"));
  if (json_object_get(object, "canvas_steps")) /* not there before canvases could be learned */
    ISC_TRY(get_int32(&canvas->canvas_steps, object, "canvas_steps"));
  ISC_TRY(get_int32(&canvas->saturated, object, "saturated"));
  return get_int32(&canvas->zeros, object, "zeros");
}

static iscp_status parse_entry(isc_entry *entry, const iscp_context *context, const json_t *object) {
  ISC_TRY(get_int32(&entry->class_index, object, "class"));
  const json_t *name = json_object_get(object, "name");
  if (!json_is_string(name) && !json_is_null(name))
    return wrong("name", "a string or null");
  if (json_is_string(name) && !(entry->name = isc_strdup(context, json_string_value(name))))
    return ISCP_ERROR_MEMORY;
  ISC_TRY(parse_canvas(&entry->canvas, object));
  ISC_TRY(parse_epochs(entry, context, object));
  ISC_TRY(get_file_name(&entry->mask, context, object, "mask"));
  ISC_TRY(get_file_name(&entry->evidence, context, object, "evidence"));
  ISC_TRY(get_file_name(&entry->colours, context, object, "canvas_file"));
  return parse_rows(entry, context, object);
}

static iscp_status parse_entries(isc_result *result, const iscp_context *context, const json_t *array) {
  size_t count = json_array_size(array);
  ISC_TRY(isc_grow(context, (void **)&result->entries, &result->entry_capacity, count, sizeof *result->entries));
  for (size_t i = 0; i < count; i++) {
    isc_entry *entry = &result->entries[result->entry_count++];
    iscp_status status = parse_entry(entry, context, json_array_get(array, i));
    char place[32];
    snprintf(place, sizeof place, "patterns[%zu]", i);
    if (status != ISCP_OK)
      return isc_fail_in(status, place);
    if (i && entry->class_index < entry[-1].class_index)
      return isc_fail(ISCP_ERROR_FORMAT, "%s: class %d comes after class %d, expected rising classes", place,
                      entry->class_index, entry[-1].class_index);
    if (!isc_result_has_class(result, entry->class_index))
      return isc_fail(ISCP_ERROR_FORMAT, "%s: class %d is not in \"finished\"", place, entry->class_index);
  }
  return ISCP_OK;
}

static iscp_status parse_finished(isc_result *result, const iscp_context *context, const json_t *array) {
  size_t count = json_array_size(array);
  ISC_TRY(isc_grow(context, (void **)&result->finished, &result->finished_capacity, count, sizeof *result->finished));
  for (size_t i = 0; i < count; i++) {
    json_int_t value = json_integer_value(json_array_get(array, i));
    json_int_t before = i ? result->finished[i - 1] : -1;
    if (!json_is_integer(json_array_get(array, i)) || value <= before || value > INT32_MAX)
      return wrong("finished", "rising class numbers");
    result->finished[result->finished_count++] = (int32_t)value;
  }
  return ISCP_OK;
}

static iscp_status parse_root(isc_result *result, const iscp_context *context, json_t *root) {
  int64_t schema;
  ISC_TRY(get_int64(&schema, root, "schema", SCHEMA, SCHEMA));
  json_t *manifest = json_object_get(root, "manifest"), *finished = json_object_get(root, "finished");
  json_t *patterns = json_object_get(root, "patterns");
  if (!json_is_object(manifest))
    return wrong("manifest", "an object");
  if (!json_is_array(finished))
    return wrong("finished", "a list");
  if (!json_is_array(patterns))
    return wrong("patterns", "a list");
  result->manifest = json_incref(manifest);
  ISC_TRY(parse_finished(result, context, finished));
  return parse_entries(result, context, patterns);
}

iscp_status isc_result_parse(isc_result *result, const iscp_context *context, const char *text, size_t size,
                             const char *path) {
  memset(result, 0, sizeof *result);
  json_error_t error;
  json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
  if (!root)
    return isc_fail(ISCP_ERROR_FORMAT, "%s: not JSON at byte %d: %s", path, error.position, error.text);
  iscp_status status = parse_root(result, context, root);
  json_decref(root);
  if (status != ISCP_OK) {
    isc_result_release(result, context);
    return isc_fail_in(status, path);
  }
  return ISCP_OK;
}

iscp_status isc_result_read(isc_result *result, const iscp_context *context, const char *folder) {
  memset(result, 0, sizeof *result);
  char *path = isc_path_join(context, folder, "result.json");
  if (!path)
    return ISCP_ERROR_MEMORY;
  uint8_t *bytes = NULL;
  size_t size;
  iscp_status status = isc_file_read(&bytes, &size, context, path, LARGEST_FILE);
  if (status == ISCP_OK)
    status = isc_result_parse(result, context, (const char *)bytes, size, path);
  isc_free(context, bytes);
  isc_free(context, path);
  return status;
}

iscp_status isc_result_write(const isc_result *result, const iscp_context *context, const char *folder) {
  char *text;
  size_t size;
  ISC_TRY(isc_result_print(&text, &size, context, result));
  char *path = isc_path_join(context, folder, "result.json");
  iscp_status status = path ? isc_file_write(context, path, text, size) : ISCP_ERROR_MEMORY;
  isc_free(context, path);
  isc_free(context, text);
  return status;
}
