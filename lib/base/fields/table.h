/* What the rows of a table are written with, for the tables beside this file only. Each defines STRUCT as the struct it is of. */
#ifndef ISC_BASE_TABLE_H
#define ISC_BASE_TABLE_H

#include <float.h>
#include <math.h>

#include "base/base.h"

/* Name, place and type of a member, as the compiler knows them, so that a row cannot be wrong about these. */
#define FIELD(member) .name = #member, .offset = offsetof(STRUCT, member), .count = 1, .type = TYPE_OF(((STRUCT *)0)->member)
#define NUMBERS(member, numbers) \
  .name = #member, .offset = offsetof(STRUCT, member), .count = (numbers), .type = TYPE_OF(((STRUCT *)0)->member[0])
#define BOUNDS(lowest, highest) .low = (lowest), .high = (highest)
#define TYPE_OF(value) \
  _Generic((value), int32_t: ISCP_TYPE_INT32, uint32_t: ISCP_TYPE_UINT32, int64_t: ISCP_TYPE_INT64, uint64_t: ISCP_TYPE_UINT64, \
           float: ISCP_TYPE_FLOAT, double: ISCP_TYPE_DOUBLE, const char *: ISCP_TYPE_TEXT, default: ISCP_TYPE_POINTER)

/* A struct of these rows, whose first version ended with the member `last`: its size then never follows the struct's growth. */
#define TABLE(table, last)                                                     \
  {TEXT_OF(STRUCT), table,  sizeof table / sizeof *table,                      \
   sizeof(STRUCT),  offsetof(STRUCT, last) + sizeof(((STRUCT *)0)->last), 100}
#define TEXT_OF(type) TEXT_AS_IS(type) /* STRUCT becomes what it stands for first */
#define TEXT_AS_IS(type) #type

#endif
