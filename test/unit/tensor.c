/* lib/tensor: conversion of number types, shapes, named sets. */
#include <math.h>
#include <string.h>

#include "support.h"
#include "tensor/tensor.h"

/* The value of an IEEE binary16, from its definition. */
static double half_value(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double magnitude = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return bits & 0x8000 ? -magnitude : magnitude;
}

static bool half_is_finite(uint16_t bits) { return (bits >> 10 & 31) != 31; }

static uint16_t to_half(float value) {
  uint16_t half;
  isc_f32_to_f16(&half, &value, 1);
  return half;
}

START_TEST(every_f16_reads_and_writes_back) {
  for (uint32_t i = 0; i < 65536; i++) {
    uint16_t bits = (uint16_t)i;
    float value;
    isc_to_f32(&value, &bits, ISC_F16, 1);
    if (half_is_finite(bits)) {
      ck_assert_msg((double)value == half_value(bits) && !signbit(value) == !(bits & 0x8000), "0x%04x reads %g", i,
                    (double)value);
      ck_assert_uint_eq(to_half(value), bits);
    } else if (bits & 1023) {
      ck_assert(isnan(value));
      ck_assert_uint_eq(to_half(value) & 0x7c00, 0x7c00);
      ck_assert_uint_ne(to_half(value) & 1023, 0);
    } else {
      ck_assert(isinf(value) && !signbit(value) == !(bits & 0x8000));
      ck_assert_uint_eq(to_half(value), bits);
    }
  }
}
END_TEST

/* Between each two neighbours: the middle goes to the even one, whatever is nearer goes there. */
START_TEST(f16_rounds_to_nearest_even) {
  for (uint16_t bits = 0; bits < 0x7bff; bits++) {
    uint16_t above = (uint16_t)(bits + 1), even = bits & 1 ? above : bits;
    float middle = (float)((half_value(bits) + half_value(above)) / 2);
    ck_assert_uint_eq(to_half(middle), even);
    ck_assert_uint_eq(to_half(nextafterf(middle, 0)), bits);
    ck_assert_uint_eq(to_half(nextafterf(middle, INFINITY)), above);
    ck_assert_uint_eq(to_half(-middle), even | 0x8000);
  }
  ck_assert_uint_eq(to_half(nextafterf(65520, 0)), 0x7bff);
  ck_assert_uint_eq(to_half(65520), 0x7c00);
  ck_assert_uint_eq(to_half(1e30f), 0x7c00);
  ck_assert_uint_eq(to_half(-1e30f), 0xfc00);
  ck_assert_uint_eq(to_half(1e-30f), 0);
}
END_TEST

START_TEST(every_bf16_is_the_upper_half_of_a_float) {
  for (uint32_t i = 0; i < 65536; i++) {
    uint16_t bits = (uint16_t)i;
    float value;
    uint32_t read;
    isc_to_f32(&value, &bits, ISC_BF16, 1);
    memcpy(&read, &value, sizeof read);
    ck_assert_uint_eq(read, i << 16);
  }
}
END_TEST

#define CHECK_TYPE(dtype, type, ...)                                                 \
  do {                                                                               \
    const type values[] = {__VA_ARGS__};                                             \
    float converted[8];                                                              \
    int64_t count = (int64_t)(sizeof values / sizeof *values);                       \
    ck_assert_uint_eq(isc_dtype_size(dtype), sizeof(type));                          \
    isc_to_f32(converted, values, dtype, count);                                     \
    for (int64_t i = 0; i < count; i++)                                              \
      ck_assert(converted[i] == (float)values[i]);                                   \
  } while (0)

START_TEST(other_types) {
  CHECK_TYPE(ISC_F32, float, 0, -1.5f, 3e38f);
  CHECK_TYPE(ISC_F64, double, 0, 0.1, -1e300);
  CHECK_TYPE(ISC_U8, uint8_t, 0, 128, 255);
  CHECK_TYPE(ISC_I8, int8_t, 0, -128, 127);
  CHECK_TYPE(ISC_I16, int16_t, 0, INT16_MIN, INT16_MAX);
  CHECK_TYPE(ISC_I32, int32_t, 0, INT32_MIN, INT32_MAX);
  CHECK_TYPE(ISC_I64, int64_t, 0, INT64_MIN, INT64_MAX, 16777217);
  CHECK_TYPE(ISC_BOOL, uint8_t, 0, 1);
  ck_assert_str_eq(isc_dtype_name(ISC_F32), "float32");
  ck_assert_str_eq(isc_dtype_name(ISC_BOOL), "bool");
}
END_TEST

START_TEST(shapes) {
  int64_t count;
  char text[ISC_SHAPE_TEXT];
  ASSERT_OK(isc_shape_count(&count, 4, (int64_t[]){64, 3, 7, 7}));
  ck_assert_int_eq(count, 9408);
  ASSERT_OK(isc_shape_count(&count, 0, NULL));
  ck_assert_int_eq(count, 1);
  ASSERT_OK(isc_shape_count(&count, 2, (int64_t[]){0, 5}));
  ck_assert_int_eq(count, 0);
  support_failed(isc_shape_count(&count, 2, (int64_t[]){3, -1}), ISCP_ERROR_FORMAT, "-1");
  support_failed(isc_shape_count(&count, 2, (int64_t[]){INT64_MAX, 2}), ISCP_ERROR_FORMAT, "2^48");
  support_failed(isc_shape_count(&count, 9, (int64_t[9]){0}), ISCP_ERROR_FORMAT, "9 dimensions");
  ck_assert_str_eq(isc_shape_text(text, 4, (int64_t[]){64, 3, 7, 7}), "64x3x7x7");
  ck_assert_str_eq(isc_shape_text(text, 0, NULL), "scalar");
  int64_t wide[8];
  for (int d = 0; d < 8; d++)
    wide[d] = INT64_MAX;
  ck_assert_uint_lt(strlen(isc_shape_text(text, 8, wide)), ISC_SHAPE_TEXT);
}
END_TEST

static iscp_status fill_set(isc_tensor_set *set, const iscp_context *context) {
  static const char *const names[] = {"conv1.weight", "bn1.weight", "fc.bias"};
  for (int i = 0; i < 3; i++) {
    isc_tensor tensor;
    ISC_TRY(isc_tensor_create(&tensor, context, ISC_F32, 2, (int64_t[]){i + 1, 4}));
    tensor.name = isc_strdup(context, names[i]);
    iscp_status status = tensor.name ? isc_tensor_set_add(set, context, &tensor) : ISCP_ERROR_MEMORY;
    isc_tensor_release(&tensor, context);
    ISC_TRY(status);
  }
  return isc_tensor_set_describe(set, context, "iscp.contract", "{}");
}

START_TEST(sets_find_what_they_hold) {
  iscp_context *context = support_context();
  isc_tensor_set set = {0};
  ASSERT_OK(fill_set(&set, context));
  ck_assert_uint_eq(set.count, 3);
  ck_assert_int_eq(isc_tensor_count(isc_tensor_set_find(&set, "bn1.weight")), 8);
  ck_assert_uint_eq(isc_tensor_bytes(isc_tensor_set_find(&set, "fc.bias")), 48);
  ck_assert_ptr_null(isc_tensor_set_find(&set, "fc"));
  ck_assert_str_eq(isc_tensor_set_metadata(&set, "iscp.contract"), "{}");
  ck_assert_ptr_null(isc_tensor_set_metadata(&set, "format"));
  isc_tensor again;
  ASSERT_OK(isc_tensor_create(&again, context, ISC_U8, 0, NULL));
  again.name = isc_strdup(context, "fc.bias");
  support_failed(isc_tensor_set_add(&set, context, &again), ISCP_ERROR_FORMAT, "fc.bias");
  isc_tensor_release(&again, context);
  isc_tensor_set_release(&set, context);
  support_context_end(context);
}
END_TEST

START_TEST(sets_survive_each_failing_allocation) {
  for (long allowed = 0;; allowed++) {
    iscp_context *context = support_context();
    isc_tensor_set set = {0};
    support_fail_after(allowed);
    iscp_status status = fill_set(&set, context);
    support_fail_after(-1);
    isc_tensor_set_release(&set, context);
    support_context_end(context);
    if (status == ISCP_OK)
      break;
    ck_assert_int_eq(status, ISCP_ERROR_MEMORY);
    ck_assert_int_lt(allowed, 100);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("tensor");
  TCase *all = tcase_create("tensor");
  tcase_add_test(all, every_f16_reads_and_writes_back);
  tcase_add_test(all, f16_rounds_to_nearest_even);
  tcase_add_test(all, every_bf16_is_the_upper_half_of_a_float);
  tcase_add_test(all, other_types);
  tcase_add_test(all, shapes);
  tcase_add_test(all, sets_find_what_they_hold);
  tcase_add_test(all, sets_survive_each_failing_allocation);
  suite_add_tcase(suite, all);
  return support_run(suite);
}
