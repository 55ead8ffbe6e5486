/* What the public structs are made of: every field by its name, with its range, its default and the words of its values, so that
 * a program can list what a search can be told, print a form, or check an answer, without knowing the fields beforehand.
 *
 *   const iscp_fields *fields = iscp_fields_of("iscp_search_options");
 *   iscp_field field = {.struct_size = sizeof field};
 *   for (int32_t i = 0; i < iscp_fields_count(fields); i++)
 *     if (iscp_fields_get(&field, fields, i) == ISCP_OK)
 *       printf("%s: %g to %g, %g if it is not given\n", field.name, field.low, field.high, field.initial);
 *
 * All of it is static storage, the same in every process of a version; any thread. */
#ifndef ISCP_FIELDS_H
#define ISCP_FIELDS_H

#include <iscp/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The fields of one struct. */
typedef struct iscp_fields iscp_fields;

/* What a field holds. */
enum {
  ISCP_TYPE_INT32 = 1,
  ISCP_TYPE_UINT32 = 2,
  ISCP_TYPE_INT64 = 3,
  ISCP_TYPE_UINT64 = 4,
  ISCP_TYPE_FLOAT = 5,
  ISCP_TYPE_DOUBLE = 6,
  ISCP_TYPE_TEXT = 7,   /* const char *, UTF-8 */
  ISCP_TYPE_POINTER = 8 /* any other address, of data or of a function */
};

/* What holds of a field beyond its range, added up as bits. */
enum {
  ISCP_RULE_ABOVE = 1,    /* `low` itself is too low */
  ISCP_RULE_BELOW = 2,    /* `high` itself is too high */
  ISCP_RULE_BITS = 4,     /* its words may be added up */
  ISCP_RULE_RESERVED = 8, /* it is 0 until a later version gives it a name; anything else is refused */
  ISCP_RULE_SIZE = 16     /* it is the struct's size in bytes, which the caller or the struct's _init sets */
};

/* One field. Later versions may append fields. */
typedef struct iscp_field {
  uint32_t struct_size; /* sizeof(iscp_field), set by the caller before iscp_fields_get */
  int32_t type;         /* ISCP_TYPE_* */
  const char *name;     /* as in the header */
  const char *needs;    /* the field that must not be 0 for this one to matter, which may be itself; NULL = it always does */
  const char *unit;     /* "bytes"; NULL = a number, or as the header says */
  uint32_t offset;      /* bytes from the struct's begin */
  int32_t count;        /* numbers one behind the other: 3 of iscp_contract's mean; else 1 */
  double initial;       /* the default; 0 of what is no number */
  double low, high;     /* the range of each number, -INFINITY and INFINITY without a bound, as of what the library gives */
  int32_t rules;        /* sum of ISCP_RULE_* */
  int32_t words;        /* names that its values have (iscp_fields_word), 0 if they are plain numbers */
  int32_t recorded;     /* its place among the fields that a manifest or a training's state names, from 1 on; 0 = none */
  uint32_t since;       /* the version that brought it, as iscp_version counts: 100 is 0.1.0 */
} iscp_field;

/* The name of struct `index` (0, 1, ...), as "iscp_search_options", in the order of the alphabet; NULL past the last one.
 * Since 0.1. */
ISCP_API const char *iscp_fields_struct(int32_t index);

/* The fields of a struct given by its name; NULL for a name that is not known, and for NULL. Since 0.1. */
ISCP_API const iscp_fields *iscp_fields_of(const char *struct_name);

/* Their number, 0 for NULL. Since 0.1. */
ISCP_API int32_t iscp_fields_count(const iscp_fields *fields);

/* Fills `field`, whose struct_size the caller has set, for field `index` in the struct's order. ISCP_ERROR_ARGUMENT if there is
 * no such field. Since 0.1. */
ISCP_API iscp_status iscp_fields_get(iscp_field *field, const iscp_fields *fields, int32_t index);

/* Name `word` (0, 1, ...) of the values of field `index`, and the value it stands for in *value, which may be NULL; NULL past the
 * last one. Since 0.1. */
ISCP_API const char *iscp_fields_word(int32_t *value, const iscp_fields *fields, int32_t index, int32_t word);

#ifdef __cplusplus
}
#endif
#endif
