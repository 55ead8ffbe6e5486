/* Number types and their conversion to and from float32. */
#include <string.h>

#include "tensor/tensor.h"

static const struct {
  const char *name;
  size_t size;
} types[] = {
    [ISC_F32] = {"float32", 4}, [ISC_F16] = {"float16", 2}, [ISC_BF16] = {"bfloat16", 2}, [ISC_F64] = {"float64", 8},
    [ISC_U8] = {"uint8", 1},    [ISC_I8] = {"int8", 1},     [ISC_I16] = {"int16", 2},     [ISC_I32] = {"int32", 4},
    [ISC_I64] = {"int64", 8},   [ISC_BOOL] = {"bool", 1},
};

size_t isc_dtype_size(isc_dtype dtype) { return types[dtype].size; }
const char *isc_dtype_name(isc_dtype dtype) { return types[dtype].name; }

static float bits_to_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t float_to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* IEEE binary16: 1 sign, 5 exponent, 10 fraction bits. Every value is exact in float32. */
static float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent == 31)
    return bits_to_float(sign | 0x7f800000 | fraction << 13);
  if (exponent)
    return bits_to_float(sign | (exponent + 112) << 23 | fraction << 13);
  float subnormal = (float)fraction * 0x1p-24f;
  return sign ? -subnormal : subnormal;
}

static uint16_t float_to_half(float value) {
  uint32_t bits = float_to_bits(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return (uint16_t)(sign | 0x7e00); /* NaN */
  if (magnitude >= 0x477ff000)
    return (uint16_t)(sign | 0x7c00); /* rounds to infinity */
  if (magnitude < 0x38800000) {
    /* Subnormal: adding 0.5 leaves the value's multiple of 2^-24, rounded to nearest even, in the low bits. */
    return (uint16_t)(sign | (float_to_bits(bits_to_float(magnitude) + 0.5f) - 0x3f000000));
  }
  uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return (uint16_t)(sign | (rounded - 0x38000000) >> 13);
}

void isc_f32_to_f16(uint16_t *dst, const float *src, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    dst[i] = float_to_half(src[i]);
}

#define CONVERT(type)                        \
  do {                                       \
    const type *values = src;                \
    for (int64_t i = 0; i < count; i++)      \
      dst[i] = (float)values[i];             \
  } while (0)

void isc_to_f32(float *dst, const void *src, isc_dtype dtype, int64_t count) {
  const uint16_t *words = src;
  switch (dtype) {
  case ISC_F32:
    memcpy(dst, src, (size_t)count * sizeof *dst);
    break;
  case ISC_F16:
    for (int64_t i = 0; i < count; i++)
      dst[i] = half_to_float(words[i]);
    break;
  case ISC_BF16:
    for (int64_t i = 0; i < count; i++)
      dst[i] = bits_to_float((uint32_t)words[i] << 16);
    break;
  case ISC_F64:
    CONVERT(double);
    break;
  case ISC_U8:
  case ISC_BOOL:
    CONVERT(uint8_t);
    break;
  case ISC_I8:
    CONVERT(int8_t);
    break;
  case ISC_I16:
    CONVERT(int16_t);
    break;
  case ISC_I32:
    CONVERT(int32_t);
    break;
  case ISC_I64:
    CONVERT(int64_t);
    break;
  }
}
