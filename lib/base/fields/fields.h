/* Fields of the public structs: rows of the tables, and what follows from them. A part of lib/base's face. */
#ifndef ISC_BASE_FIELDS_H
#define ISC_BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <iscp/fields.h>

/* ---- Tables ---- */

/* A value's name; a list of them ends with a name of NULL. */
typedef struct isc_word {
  const char *name;
  int32_t value;
} isc_word;

/* A row: iscp_field says what each column means. Equal `low` and `high` are no bounds, a `since` of 0 is the table's. */
typedef struct isc_field {
  const char *name, *needs, *unit;
  const isc_word *words;
  double initial, low, high;
  uint32_t offset, since;
  int32_t type, count, rules, recorded;
} isc_field;

struct iscp_fields {
  const char *name;
  const isc_field *rows;
  int32_t count;
  uint32_t size;  /* of the struct as this library knows it */
  uint32_t first; /* of the struct in the first version that had it */
  uint32_t since;
};

extern const iscp_fields isc_attack_info_fields, isc_attack_options_fields, isc_attention_shift_fields, isc_canvas_result_fields,
    isc_cause_fields, isc_check_class_fields, isc_check_info_fields, isc_check_options_fields, isc_confusion_fields,
    isc_context_options_fields, isc_contract_fields, isc_dataset_info_fields, isc_dataset_options_fields,
    isc_evaluate_options_fields, isc_field_fields, isc_gradcam_info_fields, isc_gradcam_options_fields, isc_invert_info_fields,
    isc_invert_options_fields, isc_inverted_fields, isc_model_info_fields, isc_model_options_fields, isc_pattern_info_fields,
    isc_poison_options_fields, isc_power_fields, isc_progress_fields, isc_report_options_fields,
    isc_run_info_fields, isc_run_options_fields, isc_search_options_fields,
    isc_train_options_fields, isc_train_state_fields, isc_trigger_info_fields, isc_trigger_options_fields, isc_uap_info_fields,
    isc_uap_options_fields;

/* ---- One field (registry.c, check.c; to others tell.c) ---- */

/* The row of a name, NULL if there is none. The others here, and those of JSON, are asked about names that are there. */
const isc_field *isc_field_find(const iscp_fields *fields, const char *name);

/* The word of a value, NULL if it has none. */
const char *isc_field_word(const iscp_fields *fields, const char *name, int32_t value);

/* The value of a word; false, and `value` stays, if the field has no such word. */
bool isc_field_value(int32_t *value, const iscp_fields *fields, const char *name, const char *text);

/* Whether it is a number, and a caller's to set: neither an address, nor the struct's size, nor reserved. */
bool isc_field_is_value(const isc_field *field);

/* Number `index` of a field; beyond 2^53 to the nearest double. */
double isc_field_number(const isc_field *field, const void *from, int32_t index);

/* The same as text that names it without doubt: "5", "0.1", with the fewest digits, but at least `digits`. */
enum { ISC_FIELD_TEXT = 40 };
void isc_field_print(char text[ISC_FIELD_TEXT], const isc_field *field, const void *from, int32_t index, int digits);

/* Whether `text`, all of it, is a number that the field can hold, which is then put there. */
bool isc_field_parse(void *to, const isc_field *field, int32_t index, const char *text);

/* ---- The ABI rule (../options.c) ---- */

/* The library's defaults, then the caller's prefix over them. A struct smaller than the first version's, or one with a byte other
 * than zero beyond what this library knows, is ISCP_ERROR_ABI, a reserved field that is not 0 ISCP_ERROR_ARGUMENT. `given` NULL
 * leaves the defaults. */
iscp_status isc_fields_read(void *options, const iscp_fields *fields, const void *given);

/* Fills a caller's struct of `struct_size` bytes with the defaults, zeros beyond what is known. */
iscp_status isc_fields_init(void *options, uint32_t struct_size, const iscp_fields *fields);

/* Whether isc_fields_write will take the caller's struct, to know before long work. */
iscp_status isc_fields_check_output(const void *given, const iscp_fields *fields);

/* Copies a result into a caller's struct, whose first field says its size; its own size stays in that field. */
iscp_status isc_fields_write(void *given, const iscp_fields *fields, const void *result);

/* ---- All of them (check.c) ---- */

/* Fills a struct of the library's size with the defaults. */
void isc_fields_defaults(void *options, const iscp_fields *fields);

/* ISCP_ERROR_ARGUMENT names the first number out of its range and the range. */
iscp_status isc_fields_check(const void *options, const iscp_fields *fields);
iscp_status isc_field_check(const void *options, const iscp_fields *fields, const char *name);

/* ISCP_ERROR_ARGUMENT names a reserved field that is not 0: a setting of a later version. */
iscp_status isc_fields_check_reserved(const void *options, const iscp_fields *fields);

/* ---- Records (record.c): of those fields that the table counts as `recorded`, in that order ---- */

/* "epochs 3,batch 128": numbers by as many digits as bring them back to the bit, a field only if the one that it needs is set. */
void isc_fields_print(char *text, size_t size, const void *options, const iscp_fields *fields);

/* Reads what isc_fields_print wrote, also an older version's: what is not named has its default. False for anything else. */
bool isc_fields_parse(void *options, const iscp_fields *fields, const char *text);

/* The first field that differs between two structs, of a table without records any number: text becomes
 * "step 0.1, expected step 0.2", the first from `there`. False if none does, and the text is empty. */
bool isc_fields_difference(char *text, size_t size, const iscp_fields *fields, const void *there, const void *here);

/* ---- JSON (json.c) ---- */

struct json_t; /* of jansson */

/* A field's value: a number, an array of them, a word, or an array of words; a uint64_t beyond JSON's whole numbers is text. NULL
 * if memory ran out or a number is not finite. The caller owns it. */
struct json_t *isc_field_to_json(const void *from, const iscp_fields *fields, const char *name);

/* Puts all recorded fields into an object. ISCP_ERROR_MEMORY as above. */
iscp_status isc_fields_to_json(struct json_t *root, const void *from, const iscp_fields *fields);

/* Reads one value as isc_field_to_json makes it. ISCP_ERROR_FORMAT says what `item` is (NULL: missing) and what was expected; the
 * range is not looked at. */
iscp_status isc_field_from_json(void *to, const iscp_fields *fields, const char *name, const struct json_t *item);

#endif
