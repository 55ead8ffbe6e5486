#include <string.h>
#include <zlib.h>

#include "fuzz.h"

typedef iscp_status read_fn(isc_tensor *out, const iscp_context *context, const isc_source *source);

static void try_one(read_fn *read, const isc_source *source) {
  isc_tensor image = {0};
  iscp_status status = read(&image, fuzz_context(), source);
  fuzz_check(status);
  if (status == ISCP_OK)
    fuzz_touch(&image);
  isc_tensor_release(&image, fuzz_context());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  isc_source source;
  isc_source_memory(&source, data, size);
  try_one(isc_png_read, &source);
  try_one(isc_png_read_rgba, &source);
  return 0;
}

/* libFuzzer's own; absent from the ordinary program. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static uint32_t big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Mutates, then sets every chunk's checksum right: without it no mutated chunk would be looked into. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 == 0)
    return size;
  for (size_t at = 8; at + 12 <= size;) {
    size_t length = big_endian(data + at);
    if (length > size - at - 12)
      break;
    uint32_t sum = (uint32_t)crc32(0, data + at + 4, (uInt)length + 4);
    uint8_t bytes[4] = {(uint8_t)(sum >> 24), (uint8_t)(sum >> 16), (uint8_t)(sum >> 8), (uint8_t)sum};
    memcpy(data + at + 8 + length, bytes, 4);
    at += length + 12;
  }
  return size;
}
