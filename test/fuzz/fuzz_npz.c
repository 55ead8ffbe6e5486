#include <string.h>
#include <zlib.h>

#include "fuzz.h"

/* Every array of the list is read: what the list could read, the reader must have in that shape. */
static void read_all(const void *bytes, size_t size) {
  const iscp_context *context = fuzz_context();
  isc_npz npz;
  isc_source source;
  isc_source_memory(&source, bytes, size);
  fuzz_check(isc_npz_list_source(&npz, context, &source));
  for (size_t i = 0; i < npz.count && i < 8; i++) {
    isc_tensor array;
    iscp_status status = isc_npz_read_source(&array, context, &source, npz.names[i]);
    fuzz_check(status);
    if (status == ISCP_OK && array.dims != npz.headers[i].dims)
      abort();
    if (status == ISCP_OK)
      fuzz_touch(&array);
    isc_tensor_release(&array, context);
  }
  isc_npz_release(&npz, context);
}

/* ---- An input that is no zip is a list of entries, of which one is made with the right checksums ---- */

typedef struct zip {
  uint8_t *bytes;
  size_t size, directory_size, entries;
  uint8_t directory[4096];
} zip;

static void put(uint8_t **to, uint32_t value, int width) {
  for (int i = 0; i < width; i++)
    *(*to)++ = (uint8_t)(value >> 8 * i);
}

/* The fields that the local header and the directory share, from the version on. */
static void put_common(uint8_t **to, uint32_t sum, uint32_t size, uint32_t name) {
  put(to, 20, 2);
  put(to, 0, 4); /* flags, stored */
  put(to, 0, 4); /* time, date */
  put(to, sum, 4);
  put(to, size, 4);
  put(to, size, 4);
  put(to, name, 2);
  put(to, 0, 2);
}

static void add_entry(zip *z, const uint8_t *name, uint32_t name_size, const uint8_t *data, uint32_t size) {
  uint32_t sum = (uint32_t)crc32(0, data, size), offset = (uint32_t)z->size;
  uint8_t *to = z->bytes + z->size, *entry = z->directory + z->directory_size;
  put(&to, 0x04034b50, 4);
  put_common(&to, sum, size, name_size);
  memcpy(to, name, name_size);
  memcpy(to + name_size, data, size);
  z->size += 30 + name_size + size;
  put(&entry, 0x02014b50, 4);
  put(&entry, 20, 2);
  put_common(&entry, sum, size, name_size);
  put(&entry, 0, 4); /* comment, disk */
  put(&entry, 0, 2);
  put(&entry, 0, 4); /* attributes */
  put(&entry, offset, 4);
  memcpy(entry, name, name_size);
  z->directory_size += 46 + name_size;
  z->entries++;
}

static void end_zip(zip *z) {
  uint32_t start = (uint32_t)z->size;
  memcpy(z->bytes + z->size, z->directory, z->directory_size);
  uint8_t *to = z->bytes + z->size + z->directory_size;
  put(&to, 0x06054b50, 4);
  put(&to, 0, 4);
  put(&to, (uint32_t)z->entries, 2);
  put(&to, (uint32_t)z->entries, 2);
  put(&to, (uint32_t)z->directory_size, 4);
  put(&to, start, 4);
  put(&to, 0, 2);
  z->size += z->directory_size + 22;
}

/* Each entry: the length of its name, the name without ".npy", two bytes of length, the data. */
static void read_made(const uint8_t *data, size_t size) {
  zip *z = calloc(1, sizeof *z);
  z->bytes = malloc(size * 4 + 4096 + 16 * 128);
  for (size_t at = 0; at + 3 < size && z->entries < 16;) {
    uint8_t name[128];
    size_t name_size = data[at] % 64;
    if (at + 3 + name_size > size)
      break;
    memcpy(name, data + at + 1, name_size);
    memcpy(name + name_size, ".npy", 4);
    at += 1 + name_size;
    size_t length = data[at] | (size_t)data[at + 1] << 8;
    at += 2;
    length = length < size - at ? length : size - at;
    add_entry(z, name, (uint32_t)name_size + 4, data + at, (uint32_t)length);
    at += length;
  }
  end_zip(z);
  uint8_t *exact = malloc(z->size); /* so that a sanitizer sees the first byte beyond it */
  memcpy(exact, z->bytes, z->size);
  read_all(exact, z->size);
  free(exact);
  free(z->bytes);
  free(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size >= 2 && data[0] == 'P' && data[1] == 'K')
    read_all(data, size);
  else
    read_made(data, size);
  return 0;
}
