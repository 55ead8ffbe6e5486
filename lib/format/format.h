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

/* One picture, PNG or JPEG, as u8, height x width x channels, channels 1 (grey) or 3 (R, G, B), with the bytes of Pillow's
 * convert('RGB'): palette expanded, alpha dropped, 16-bit colour and grey with alpha reduced to the high byte, 16-bit grey
 * clipped to 255, CMYK by Adobe's convention, orientation not applied. A JPEG is ISCP_ERROR_UNSUPPORTED in a build without
 * libjpeg-turbo. */
iscp_status isc_read_image(isc_tensor *out, const iscp_context *context, const char *path);

/* A PNG as u8, height x width x (R, G, B, alpha), with the bytes of Pillow's convert('RGBA'), alpha 255 where it has none; 16-bit
 * grey is ISCP_ERROR_UNSUPPORTED. */
iscp_status isc_read_rgba(isc_tensor *out, const iscp_context *context, const char *path);

/* Whether the file's first bytes are those of a picture that isc_read_image reads: ISCP_OK, or what is wrong. */
iscp_status isc_check_image(const char *path);

/* 1 if the file's name ends in the extension of a picture format that isc_read_image reads, whatever the case. */
int isc_is_image_name(const char *name);

/* ---- Arrays without their numbers (format.c) ---- */

typedef struct isc_array_header {
  isc_dtype dtype;
  int32_t dims;
  int64_t shape[ISC_MAX_DIMS];
  int64_t offset; /* in the file, of the numbers in C order and native bytes; -1 if they do not stand there so */
} isc_array_header;

/* What isc_read_array would give, and where; every size is checked as there. */
iscp_status isc_describe_array(isc_array_header *out, const iscp_context *context, const char *path);

/* ---- Files that hold several arrays ---- */

typedef enum isc_bundle { ISC_BUNDLE_NONE, ISC_BUNDLE_NPZ, ISC_BUNDLE_TAR_GZIP } isc_bundle;

/* What the first bytes say (format.c). */
iscp_status isc_find_bundle(isc_bundle *bundle, const iscp_context *context, const char *path);

/* NumPy's .npz (npz.c). An entry that is no array of a known type has dtype 0: reading it says why. `names` are without
 * ".npy"; offsets are of stored (not deflated) entries. */
typedef struct isc_npz {
  char **names;
  isc_array_header *headers;
  size_t count, name_capacity, header_capacity;
} isc_npz;
iscp_status isc_npz_list(isc_npz *npz, const iscp_context *context, const char *path);
void isc_npz_release(isc_npz *npz, const iscp_context *context);
iscp_status isc_npz_read(isc_tensor *out, const iscp_context *context, const char *path, const char *name);

/* Records of CIFAR's binary files (cifar.c): a label (of CIFAR-100 a coarse and a fine one), then 3 x 32 x 32 bytes.
 * Several files, in the order of their names, are one set. */
typedef struct isc_cifar {
  int32_t classes;   /* 10 or 100 */
  isc_tensor pixels; /* u8, N x 3 x 32 x 32 */
  isc_tensor labels; /* u8, N: the fine ones */
  char **names;      /* `classes` names, or NULL */
} isc_cifar;
enum { ISC_CIFAR_TEST, ISC_CIFAR_TRAIN };

/* What is said of the other edition of the same pictures. */
#define ISC_CIFAR_PYTHON_TEXT                                                                                  \
  "is CIFAR's Python edition (pickles), expected the binary edition (cifar-10-binary.tar.gz or "               \
  "cifar-100-binary.tar.gz), or what iscp.convert_cifar(FOLDER, FILE.npz) of the Python package makes of it"

/* A directory of the published files or one that holds the published folder, and the published archive (.tar.gz). If
 * there is none of the split's files, *out is zeroed (of the archive: no pixels) and the status ISCP_OK. */
iscp_status isc_cifar_read_directory(isc_cifar *out, const iscp_context *context, const char *path, int split);
iscp_status isc_cifar_read_archive(isc_cifar *out, const iscp_context *context, const char *path, int split);
void isc_cifar_release(isc_cifar *cifar, const iscp_context *context);

/* ---- Tables of text (csv.c) ---- */

/* Cell `column` of row `row` is cells[row * columns + column]; lines[row] is the line it began in, from 1. */
typedef struct isc_csv {
  char *text, **cells;
  size_t columns, rows;
  size_t *lines;
} isc_csv;
iscp_status isc_csv_read(isc_csv *out, const iscp_context *context, const char *path);
void isc_csv_release(isc_csv *csv, const iscp_context *context);

/* ---- Files read at a position (position.c): any number of threads at once ---- */

typedef struct isc_file isc_file;
iscp_status isc_file_open(isc_file **out, const iscp_context *context, const char *path);
iscp_status isc_file_read_at(const isc_file *file, int64_t offset, void *dst, size_t size);
const char *isc_file_path(const isc_file *file);
void isc_file_close(isc_file *file); /* takes NULL */

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
