/* The table of formats: what a file is, is told by its first bytes, never by its name. A new format is one file with a
 * probe and a reader, and one line here. */
#include "format/format.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/reader.h"

typedef enum kind { CHECKPOINT, ARRAY, PICTURE } kind;

typedef struct format {
  const char *name;
  kind kind;
  const char *extensions; /* each with its dot and a space after it */
  bool (*probe)(const uint8_t *head, size_t size);
  iscp_status (*read_tensors)(isc_tensor_set *out, const iscp_context *context, const isc_source *source,
                              const char *wanted);
  iscp_status (*read_tensor)(isc_tensor *out, const iscp_context *context, const isc_source *source);
} format;

static const format formats[] = {
    {"PyTorch zip", CHECKPOINT, ".pth .pt .ckpt .bin ", isc_pytorch_probe, isc_pytorch_read, NULL},
    {"PyTorch legacy stream", CHECKPOINT, "", isc_pytorch_legacy_probe, isc_pytorch_legacy_read, NULL},
    {"PyTorch tar", CHECKPOINT, "", isc_pytorch_tar_probe, isc_pytorch_tar_read, NULL},
    {"safetensors", CHECKPOINT, ".safetensors ", isc_safetensors_probe, isc_safetensors_read, NULL},
    {"npy", ARRAY, ".npy ", isc_npy_probe, NULL, isc_npy_read},
    {"PNG", PICTURE, ".png ", isc_png_probe, NULL, isc_png_read},
    {"JPEG", PICTURE, ".jpg .jpeg ", isc_jpeg_probe, NULL, isc_jpeg_read},
    {"IDX", ARRAY, ".gz ", isc_idx_probe, NULL, isc_idx_read}, /* any gzip passes its probe: last */
};
enum { FORMATS = sizeof formats / sizeof *formats };

static const char *const kind_names[] = {[CHECKPOINT] = "checkpoint", [ARRAY] = "array", [PICTURE] = "picture"};

static const char *const expected[] = {
    [CHECKPOINT] = "a safetensors file or a PyTorch checkpoint",
    [ARRAY] = "a .npy file or an IDX file (plain or .gz)",
    [PICTURE] = "a PNG or JPEG file",
};

/* The format of `wanted` kind, else of any kind, else NULL. */
static const format *recognise(kind wanted, const uint8_t *head, size_t size) {
  const format *other = NULL;
  for (int i = 0; i < FORMATS; i++) {
    if (!formats[i].probe(head, size))
      continue;
    if (formats[i].kind == wanted)
      return &formats[i];
    if (!other)
      other = &formats[i];
  }
  return other;
}

static iscp_status choose(const format **out, kind wanted, const isc_source *source) {
  uint8_t head[ISC_PROBE_SIZE] = {0};
  size_t size = source->size < ISC_PROBE_SIZE ? (size_t)source->size : ISC_PROBE_SIZE;
  ISC_TRY(isc_source_read(source, 0, head, size));
  if (!size)
    return isc_fail(ISCP_ERROR_FORMAT, "is empty, expected %s", expected[wanted]);
  const format *found = recognise(wanted, head, size);
  if (!found)
    return isc_fail(ISCP_ERROR_FORMAT, "is not a known %s: it starts with bytes %02x %02x %02x %02x, expected %s",
                    kind_names[wanted], head[0], head[1], head[2], head[3], expected[wanted]);
  if (found->kind != wanted)
    return isc_fail(ISCP_ERROR_FORMAT, "is a %s file, expected %s", found->name, expected[wanted]);
  *out = found;
  return ISCP_OK;
}

static iscp_status read_tensors(isc_tensor_set *out, const char **container, const iscp_context *context,
                                const isc_source *source, const char *wanted) {
  const format *found;
  ISC_TRY(choose(&found, CHECKPOINT, source));
  *container = found->name;
  iscp_status status = found->read_tensors(out, context, source, wanted);
  if (status != ISCP_OK)
    isc_tensor_set_release(out, context);
  return status;
}

static iscp_status read_tensor(isc_tensor *out, const iscp_context *context, kind wanted, const isc_source *source) {
  const format *found;
  ISC_TRY(choose(&found, wanted, source));
  iscp_status status = found->read_tensor(out, context, source);
  if (status != ISCP_OK)
    isc_tensor_release(out, context);
  return status;
}

iscp_status isc_read_checkpoint(isc_tensor_set *out, const char **container, const iscp_context *context,
                                const char *path, const char *wanted) {
  memset(out, 0, sizeof *out);
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = read_tensors(out, container, context, &source, wanted);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

iscp_status isc_read_tensors(isc_tensor_set *out, const iscp_context *context, const char *path) {
  const char *container;
  return isc_read_checkpoint(out, &container, context, path, NULL);
}

static iscp_status read_tensor_file(isc_tensor *out, const iscp_context *context, kind wanted, const char *path) {
  memset(out, 0, sizeof *out);
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = read_tensor(out, context, wanted, &source);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

iscp_status isc_read_array(isc_tensor *out, const iscp_context *context, const char *path) {
  return read_tensor_file(out, context, ARRAY, path);
}

static iscp_status describe(isc_array_header *out, const iscp_context *context, const isc_source *source) {
  const format *found;
  bool is_fortran = false;
  ISC_TRY(choose(&found, ARRAY, source));
  if (found->read_tensor != isc_npy_read)
    return isc_idx_describe(out, context, source);
  ISC_TRY(isc_npy_describe(out, &is_fortran, context, source));
  ISC_TRY(isc_npy_check(out, source->size));
  if (is_fortran)
    out->offset = -1;
  return ISCP_OK;
}

iscp_status isc_describe_array(isc_array_header *out, const iscp_context *context, const char *path) {
  *out = (isc_array_header){0};
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = describe(out, context, &source);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

static iscp_status find_bundle(isc_bundle *bundle, const iscp_context *context, const isc_source *source) {
  uint8_t head[ISC_PROBE_SIZE] = {0}, inflated[ISC_PROBE_SIZE] = {0};
  size_t size = source->size < ISC_PROBE_SIZE ? (size_t)source->size : ISC_PROBE_SIZE, got;
  ISC_TRY(isc_source_read(source, 0, head, size));
  if (isc_npz_probe(head, size))
    *bundle = ISC_BUNDLE_NPZ;
  /* A gzip stream that does not even begin well is left to the reader of arrays, which says so. */
  else if (isc_gzip_head(inflated, sizeof inflated, &got, context, source) == ISCP_OK && isc_pytorch_tar_probe(inflated, got))
    *bundle = ISC_BUNDLE_TAR_GZIP;
  return ISCP_OK;
}

iscp_status isc_find_bundle(isc_bundle *bundle, const iscp_context *context, const char *path) {
  *bundle = ISC_BUNDLE_NONE;
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = find_bundle(bundle, context, &source);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

iscp_status isc_check_image(const char *path) {
  const format *found;
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = choose(&found, PICTURE, &source);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

iscp_status isc_read_image(isc_tensor *out, const iscp_context *context, const char *path) {
  return read_tensor_file(out, context, PICTURE, path);
}

static iscp_status read_rgba(isc_tensor *out, const iscp_context *context, const isc_source *source) {
  uint8_t head[ISC_PROBE_SIZE] = {0};
  size_t size = source->size < ISC_PROBE_SIZE ? (size_t)source->size : ISC_PROBE_SIZE;
  ISC_TRY(isc_source_read(source, 0, head, size));
  if (!isc_png_probe(head, size))
    return isc_fail(ISCP_ERROR_FORMAT, "is no PNG picture");
  iscp_status status = isc_png_read_rgba(out, context, source);
  if (status != ISCP_OK)
    isc_tensor_release(out, context);
  return status;
}

iscp_status isc_read_rgba(isc_tensor *out, const iscp_context *context, const char *path) {
  memset(out, 0, sizeof *out);
  isc_source source;
  iscp_status status = isc_source_open(&source, path);
  if (status == ISCP_OK)
    status = read_rgba(out, context, &source);
  isc_source_close(&source);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

static bool has_extension(const format *entry, const char *dot) {
  size_t length = strlen(dot);
  for (const char *e = entry->extensions; *e; e = strchr(e, ' ') + 1)
    if (!strncasecmp(e, dot, length) && e[length] == ' ')
      return true;
  return false;
}

int isc_is_image_name(const char *name) {
  const char *dot = strrchr(name, '.');
  for (int i = 0; dot && dot != name && i < FORMATS; i++)
    if (formats[i].kind == PICTURE && has_extension(&formats[i], dot))
      return 1;
  return 0;
}
