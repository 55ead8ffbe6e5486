/* Face of lib/format: bytes <-> tensors and images. One file a format, and one table (format.c) that probes and
 * dispatches: a new format is one file and one line of that table. No networks here.
 *
 * Files are not trusted: every size is checked before memory is taken, and what a reader refuses it names, with the
 * byte offset where that helps. All outputs are zeroed structs on failure. */
#ifndef ISC_FORMAT_H
#define ISC_FORMAT_H

#include "tensor/tensor.h"

/* ---- Reading by content (format.c) ---- */

/* A checkpoint: named tensors and metadata. PyTorch's zip container and legacy stream, safetensors. Of a PyTorch
 * checkpoint, the metadata "pytorch.dict" says where the state dict was found: "top level", or the keys that lead to it as
 * "ema.state_dict"; `wanted` says where it is to be found, NULL = choose. *container is the format's name. */
iscp_status isc_read_checkpoint(isc_tensor_set *out, const char **container, const iscp_context *context,
                                const char *path, const char *wanted);
iscp_status isc_read_tensors(isc_tensor_set *out, const iscp_context *context, const char *path);

/* One array: .npy of all types but bf16, IDX plain or gzipped. dtype as stored, native byte order, C order. */
iscp_status isc_read_array(isc_tensor *out, const iscp_context *context, const char *path);

/* One picture as u8, height x width x channels, channels 1 (grey) or 3 (R, G, B); palette expanded, alpha dropped,
 * 16-bit colour reduced to the high byte as Pillow does. 16-bit grey is ISCP_ERROR_UNSUPPORTED. */
iscp_status isc_read_image(isc_tensor *out, const iscp_context *context, const char *path);

/* 1 if the file's name ends in the extension of a picture format that isc_read_image reads, whatever the case. */
int isc_is_image_name(const char *name);

/* ---- Writing: whole or absent (file.c writes beside, then renames) ---- */

iscp_status isc_write_safetensors(const isc_tensor_set *set, const iscp_context *context, const char *path);
iscp_status isc_write_npy(const isc_tensor *array, const iscp_context *context, const char *path);

/* PNG from u8 height x width x channels; channels 1, 3 or 4. */
iscp_status isc_write_png(const isc_tensor *image, const iscp_context *context, const char *path);
iscp_status isc_encode_png(uint8_t **bytes, size_t *size, const isc_tensor *image, const iscp_context *context);

/* ---- Files (file.c) ---- */

/* Reads a whole regular file of at most `limit` bytes. *bytes is the caller's (isc_free). */
iscp_status isc_file_read(uint8_t **bytes, size_t *size, const iscp_context *context, const char *path, size_t limit);

/* Writes `path` by way of a file beside it: complete and synced before the rename, removed on failure. */
iscp_status isc_file_write(const iscp_context *context, const char *path, const void *bytes, size_t size);

/* Size of a regular file, or ISCP_ERROR_IO. */
iscp_status isc_file_size(int64_t *size, const char *path);
int isc_is_directory(const char *path);

/* Makes a directory if it is missing (its parent must be there). */
iscp_status isc_make_directory(const char *path);

/* Names in a directory, sorted by bytes, "." and ".." left out. *names and each of its `count` entries are the
 * caller's; isc_names_free gives all back. */
iscp_status isc_list_directory(char ***names, size_t *count, const iscp_context *context, const char *path);
void isc_names_free(char **names, size_t count, const iscp_context *context);

/* "directory/name" in memory of the caller's. NULL without memory. */
char *isc_path_join(const iscp_context *context, const char *directory, const char *name);

/* ---- SHA-256 (digest.c) ---- */

enum { ISC_DIGEST_TEXT = 65 };
typedef struct isc_digest isc_digest;
iscp_status isc_digest_create(isc_digest **out, const iscp_context *context);
void isc_digest_update(isc_digest *digest, const void *bytes, size_t size);
/* Writes 64 hexadecimal digits and gives the digest back. */
void isc_digest_finish(isc_digest *digest, char text[ISC_DIGEST_TEXT]);
iscp_status isc_digest_file(char text[ISC_DIGEST_TEXT], const iscp_context *context, const char *path);

#endif
