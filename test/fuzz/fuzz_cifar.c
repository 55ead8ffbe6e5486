#include <string.h>
#include <zlib.h>

#include "fuzz.h"

static void read_split(const isc_source *source, int split) {
  const iscp_context *context = fuzz_context();
  isc_cifar cifar;
  iscp_status status = isc_cifar_read_archive_source(&cifar, context, source, split);
  fuzz_check(status);
  if (status == ISCP_OK) {
    fuzz_touch(&cifar.pixels);
    fuzz_touch(&cifar.labels);
  }
  for (int i = 0; cifar.names && i < cifar.classes; i++)
    if (!cifar.names[i])
      abort();
  isc_cifar_release(&cifar, context);
}

/* The input is a tar, which is gzipped here (without compression): a mutated gzip stream would only show its checksum. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uLong room = compressBound((uLong)size) + 64;
  uint8_t *bytes = malloc(room);
  z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)size, .next_out = bytes, .avail_out = (uInt)room};
  if (!bytes || deflateInit2(&z, 0, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    abort();
  if (deflate(&z, Z_FINISH) != Z_STREAM_END)
    abort();
  deflateEnd(&z);
  isc_source source;
  isc_source_memory(&source, bytes, z.total_out);
  read_split(&source, ISC_CIFAR_TEST);
  read_split(&source, ISC_CIFAR_TRAIN);
  free(bytes);
  return 0;
}
