/* Bringing strided arrays to C order, and the test for text: small things that several readers need. */
#include <string.h>

#include "format/reader.h"

#define COPY_ITEMS(type)                                                    \
  for (int64_t i = 0; i < count; i++)                                       \
    memcpy(to + i * (int64_t)sizeof(type), from + i * stride * (int64_t)sizeof(type), sizeof(type))

/* One line of `count` items whose distance in the source is `stride` items. */
static void copy_line(char *to, const char *from, size_t item, int64_t count, int64_t stride) {
  if (stride == 1)
    memcpy(to, from, (size_t)count * item);
  else if (item == 8)
    COPY_ITEMS(uint64_t);
  else if (item == 4)
    COPY_ITEMS(uint32_t);
  else if (item == 2)
    COPY_ITEMS(uint16_t);
  else
    COPY_ITEMS(uint8_t);
}

void isc_gather(void *dst, const void *src, size_t item, int32_t dims, const int64_t *shape, const int64_t *strides) {
  int64_t at[ISC_MAX_DIMS] = {0}, offset = 0;
  char *to = dst;
  for (int32_t d = 0; d < dims; d++)
    if (!shape[d])
      return;
  int64_t line = dims ? shape[dims - 1] : 1, line_stride = dims ? strides[dims - 1] : 1;
  for (;;) {
    copy_line(to, (const char *)src + offset * (int64_t)item, item, line, line_stride);
    to += line * (int64_t)item;
    int32_t d = dims - 2;
    while (d >= 0 && ++at[d] == shape[d]) {
      offset -= (shape[d] - 1) * strides[d];
      at[d--] = 0;
    }
    if (d < 0)
      return;
    offset += strides[d];
  }
}

/* Bytes of the UTF-8 sequence that starts at `c`, 0 if there is none in the `left` bytes. */
static size_t sequence(const uint8_t *c, size_t left) {
  size_t length = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;
  if (!length || length > left || !c[0])
    return 0;
  for (size_t i = 1; i < length; i++)
    if ((c[i] & 0xc0) != 0x80)
      return 0;
  bool overlong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
  bool surrogate = c[0] == 0xed && c[1] > 0x9f;
  bool beyond = c[0] == 0xf4 && c[1] > 0x8f;
  return overlong || surrogate || beyond ? 0 : length;
}

bool isc_is_text(const char *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    size_t length = sequence((const uint8_t *)bytes + at, size - at);
    if (!length)
      return false;
    at += length;
  }
  return true;
}
