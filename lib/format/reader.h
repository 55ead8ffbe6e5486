/* The inside of lib/format: where a reader's bytes come from, what each format gives to the table of format.c, and how
 * a file is written whole. A message made here does not name the file: format.c and file.c put the name in front. */
#ifndef ISC_FORMAT_READER_H
#define ISC_FORMAT_READER_H

#include <limits.h>

#include "format/format.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the readers take little-endian files as they stand");

/* ---- Bytes (source.c) ---- */

/* A regular file, or memory that the caller keeps: all readers take either. */
typedef struct isc_source {
  int fd; /* -1 for memory */
  const uint8_t *bytes;
  int64_t size;
} isc_source;

iscp_status isc_source_open(isc_source *source, const char *path);
void isc_source_memory(isc_source *source, const void *bytes, size_t size);
void isc_source_close(isc_source *source);

/* Copies `size` bytes from `offset` on; fewer than that in the source is ISCP_ERROR_FORMAT. */
iscp_status isc_source_read(const isc_source *source, int64_t offset, void *dst, size_t size);

/* ---- Formats: each probes the first bytes of a file (at most ISC_PROBE_SIZE) and reads a whole one ---- */

enum { ISC_PROBE_SIZE = 512, ISC_MAX_TENSORS = 8192 };

bool isc_safetensors_probe(const uint8_t *head, size_t size);
bool isc_pytorch_probe(const uint8_t *head, size_t size);
bool isc_pytorch_legacy_probe(const uint8_t *head, size_t size); /* the stream of PyTorch 0.1.10 to 1.5 */
bool isc_pytorch_tar_probe(const uint8_t *head, size_t size);    /* the container before that */
bool isc_npy_probe(const uint8_t *head, size_t size);
bool isc_idx_probe(const uint8_t *head, size_t size); /* plain or gzip */
bool isc_png_probe(const uint8_t *head, size_t size);
bool isc_jpeg_probe(const uint8_t *head, size_t size);

/* Of checkpoints, the state dict `wanted` by its path in the file, NULL for the reader's choice. */
iscp_status isc_safetensors_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                                 const char *wanted);
iscp_status isc_pytorch_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                             const char *wanted);
iscp_status isc_pytorch_legacy_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                                    const char *wanted);
iscp_status isc_pytorch_tar_read(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                                 const char *wanted);
iscp_status isc_npy_read(isc_tensor *out, const iscp_context *context, const isc_source *source);
iscp_status isc_idx_read(isc_tensor *out, const iscp_context *context, const isc_source *source);
iscp_status isc_png_read(isc_tensor *out, const iscp_context *context, const isc_source *source);
iscp_status isc_png_read_rgba(isc_tensor *out, const iscp_context *context, const isc_source *source);
iscp_status isc_jpeg_read(isc_tensor *out, const iscp_context *context, const isc_source *source);

bool isc_npz_probe(const uint8_t *head, size_t size); /* a zip whose first entry is an array */

/* Headers alone. `offset` of .npy is where the numbers start, whatever their order; `size` of isc_npy_check is the file's, in
 * which the numbers must be the rest. */
iscp_status isc_npy_describe(isc_array_header *out, bool *is_fortran, const iscp_context *context,
                             const isc_source *source);
iscp_status isc_npy_check(const isc_array_header *array, int64_t size);
iscp_status isc_idx_describe(isc_array_header *out, const iscp_context *context, const isc_source *source);

/* Inflates the first bytes of a gzip file; *got is less than `size` only if there are no more (idx.c). */
iscp_status isc_gzip_head(uint8_t *dst, size_t size, size_t *got, const iscp_context *context, const isc_source *source);

/* The same from memory or an open file, for the fuzz targets. */
iscp_status isc_npz_list_source(isc_npz *npz, const iscp_context *context, const isc_source *source);
iscp_status isc_npz_read_source(isc_tensor *out, const iscp_context *context, const isc_source *source, const char *name);
iscp_status isc_cifar_read_archive_source(isc_cifar *out, const iscp_context *context, const isc_source *source, int split);
iscp_status isc_csv_parse(isc_csv *out, const iscp_context *context, const void *bytes, size_t size);

/* ---- Layout and text (layout.c) ---- */

/* dst[i0][i1]... = src[i0 * strides[0] + i1 * strides[1] + ...], dst in C order; strides count items of `item`
 * bytes. */
void isc_gather(void *dst, const void *src, size_t item, int32_t dims, const int64_t *shape, const int64_t *strides);

/* Whether the bytes are UTF-8 (no surrogates, no overlong forms) without a zero byte. */
bool isc_is_text(const char *bytes, size_t size);

/* ---- Writing piece by piece (file.c) ---- */

typedef struct isc_writer {
  const char *path; /* as the caller calls it */
  int fd;
  char target[PATH_MAX], temporary[PATH_MAX];
} isc_writer;

/* begin, then any number of appends, then end. A call that fails has removed what was written and closed the writer;
 * isc_writer_abandon does the same for a caller that fails in between. Messages name the file. */
iscp_status isc_writer_begin(isc_writer *writer, const char *path);
iscp_status isc_writer_append(isc_writer *writer, const void *bytes, size_t size);
iscp_status isc_writer_end(isc_writer *writer);
void isc_writer_abandon(isc_writer *writer);

#endif
