/* SHA-256 of files and of what the manifests count, by nettle, which has it in the CPU's own instructions. A digest is fed piece
 * by piece, so that no set or file need be in memory. */
#include <nettle/sha2.h>

#include "format/reader.h"

struct isc_digest {
  struct sha256_ctx state;
  const iscp_context *context;
};

iscp_status isc_digest_create(isc_digest **out, const iscp_context *context) {
  *out = isc_alloc(context, sizeof **out);
  if (!*out)
    return ISCP_ERROR_MEMORY;
  sha256_init(&(*out)->state);
  (*out)->context = context;
  return ISCP_OK;
}

void isc_digest_update(isc_digest *digest, const void *bytes, size_t size) {
  sha256_update(&digest->state, size, bytes);
}

static void finish(struct sha256_ctx *state, char text[ISC_DIGEST_TEXT]) {
  static const char digits[] = "0123456789abcdef";
  uint8_t hash[SHA256_DIGEST_SIZE];
  sha256_digest(state, sizeof hash, hash);
  for (size_t i = 0; i < sizeof hash; i++) {
    text[2 * i] = digits[hash[i] >> 4];
    text[2 * i + 1] = digits[hash[i] & 15];
  }
  text[2 * sizeof hash] = 0;
}

void isc_digest_finish(isc_digest *digest, char text[ISC_DIGEST_TEXT]) {
  finish(&digest->state, text);
  isc_free(digest->context, digest);
}

enum { BLOCK = 1 << 16 };

static iscp_status digest_source(char text[ISC_DIGEST_TEXT], const isc_source *source, uint8_t *block) {
  struct sha256_ctx state;
  sha256_init(&state);
  for (int64_t at = 0; at < source->size; at += BLOCK) {
    size_t size = source->size - at < BLOCK ? (size_t)(source->size - at) : BLOCK;
    ISC_TRY(isc_source_read(source, at, block, size));
    sha256_update(&state, size, block);
  }
  finish(&state, text);
  return ISCP_OK;
}

iscp_status isc_digest_file(char text[ISC_DIGEST_TEXT], const iscp_context *context, const char *path) {
  text[0] = 0;
  uint8_t *block = isc_alloc(context, BLOCK);
  if (!block)
    return ISCP_ERROR_MEMORY;
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = digest_source(text, &source, block);
  isc_source_close(&source);
  isc_free(context, block);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}
