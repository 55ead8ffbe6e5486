/* PNG by libpng's classic interface, with its limits set. The pixels come as Pillow's convert('RGB') gives them: no gamma,
 * alpha dropped, 16-bit colour and grey with alpha cut to the high byte, 16-bit grey clipped to 255; or, if asked for, as
 * convert('RGBA') gives them. */
#include <png.h>
#include <stdio.h>
#include <string.h>

#include "format/reader.h"

enum { SIGNATURE = 8, PIXEL_LIMIT = 89478485 /* Pillow's */, SIDE_LIMIT = 1000000, CHUNK_LIMIT = 8000000,
       LARGEST_RATIO = 1032 /* of deflate */ };

/* One picture on its way in or out. It outlives libpng's jumps, so that nothing is lost by them. */
typedef struct job {
  png_structp png;
  png_infop info;
  const iscp_context *context;
  iscp_status status; /* of what failed in a callback; its message stands */
  char reason[96];    /* libpng's */
  const isc_source *source;
  bool with_alpha;
  int64_t at;
  isc_tensor *out;
  uint8_t *raw; /* all rows, if they are not yet those of `out` */
  const isc_tensor *image;
  uint8_t *bytes;
  size_t size, capacity;
} job;

bool isc_png_probe(const uint8_t *head, size_t size) { return size >= SIGNATURE && !png_sig_cmp(head, 0, SIGNATURE); }

/* ---- libpng's callbacks ---- */

static PNG_CALLBACK(void, on_error, (png_structp png, png_const_charp reason)) {
  job *j = png_get_error_ptr(png);
  snprintf(j->reason, sizeof j->reason, "%s", reason);
  png_longjmp(png, 1);
}

static PNG_CALLBACK(void, on_warning, (png_structp png, png_const_charp reason)) {
  (void)png;
  (void)reason;
}

static PNG_CALLBACK(png_voidp, take_memory, (png_structp png, png_alloc_size_t size)) {
  job *j = png_get_mem_ptr(png);
  void *memory = isc_alloc(j->context, size);
  if (!memory)
    j->status = ISCP_ERROR_MEMORY;
  return memory;
}

static PNG_CALLBACK(void, give_memory, (png_structp png, png_voidp memory)) {
  job *j = png_get_mem_ptr(png);
  isc_free(j->context, memory);
}

static PNG_CALLBACK(void, on_read, (png_structp png, png_bytep dst, size_t size)) {
  job *j = png_get_io_ptr(png);
  j->status = isc_source_read(j->source, j->at, dst, size);
  if (j->status != ISCP_OK)
    png_error(png, "read");
  j->at += (int64_t)size;
}

static PNG_CALLBACK(void, on_write, (png_structp png, png_bytep src, size_t size)) {
  job *j = png_get_io_ptr(png);
  j->status = isc_grow(j->context, (void **)&j->bytes, &j->capacity, j->size + size, 1);
  if (j->status != ISCP_OK)
    png_error(png, "write");
  memcpy(j->bytes + j->size, src, size);
  j->size += size;
}

static PNG_CALLBACK(void, on_flush, (png_structp png)) { (void)png; }

/* Leaves the work with a status of our own, whose message stands. */
static void stop(job *j, iscp_status status) {
  j->status = status;
  png_error(j->png, "stopped");
}

/* The one place that libpng jumps to. */
static iscp_status guarded(job *j, void (*work)(job *j)) {
  if (setjmp(png_jmpbuf(j->png)) == 0) {
    work(j);
    return ISCP_OK;
  }
  return j->status != ISCP_OK ? j->status : isc_fail(ISCP_ERROR_FORMAT, "PNG is damaged: %s", j->reason);
}

/* ---- Reading ---- */

/* Before memory is taken for what the header promises. */
static void check_header(job *j) {
  uint64_t high = png_get_image_height(j->png, j->info), wide = png_get_image_width(j->png, j->info);
  if (high * wide > PIXEL_LIMIT)
    stop(j, isc_fail(ISCP_ERROR_UNSUPPORTED, "has %llu pixels, expected at most %d", (unsigned long long)(high * wide),
                     PIXEL_LIMIT));
  if (high * png_get_rowbytes(j->png, j->info) / LARGEST_RATIO > (uint64_t)j->source->size)
    stop(j, isc_fail(ISCP_ERROR_FORMAT, "is truncated: %lld bytes cannot hold the %llux%llu pixels of this PNG",
                     (long long)j->source->size, (unsigned long long)wide, (unsigned long long)high));
}

static bool has_palette(const job *j) { return png_get_color_type(j->png, j->info) == PNG_COLOR_TYPE_PALETTE; }

static bool is_deep_grey(const job *j) {
  return png_get_color_type(j->png, j->info) == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(j->png, j->info) == 16;
}

/* Of pictures without a palette. */
static void set_alpha_transforms(job *j) {
  if (is_deep_grey(j))
    stop(j, isc_fail(ISCP_ERROR_UNSUPPORTED, "is 16-bit grey, expected 8 bits or colour for a picture with alpha"));
  png_set_expand(j->png);
  png_set_strip_16(j->png);
  png_set_gray_to_rgb(j->png);
  png_set_add_alpha(j->png, 255, PNG_FILLER_AFTER);
}

static void set_transforms(job *j) {
  if (j->with_alpha && !has_palette(j)) {
    set_alpha_transforms(j);
    return;
  }
  if (has_palette(j))
    png_set_packing(j->png);
  else if (png_get_color_type(j->png, j->info) == PNG_COLOR_TYPE_GRAY)
    png_set_expand_gray_1_2_4_to_8(j->png);
  if (!is_deep_grey(j))
    png_set_strip_16(j->png); /* the high byte, as Pillow; png_set_scale_16 would round */
  if (!j->with_alpha) /* it makes libpng forget a palette's */
    png_set_strip_alpha(j->png);
}

/* ---- Rows that libpng leaves as they are ---- */

/* Beyond the palette's end Pillow's versions see different colours. */
static void look_up(job *j, int64_t pixels) {
  png_colorp colours;
  png_bytep alphas = NULL;
  int count = 0, alpha_count = 0, channels = j->with_alpha ? 4 : 3;
  uint8_t *to = j->out->data;
  png_get_PLTE(j->png, j->info, &colours, &count);
  png_get_tRNS(j->png, j->info, &alphas, &alpha_count, NULL);
  for (int64_t i = 0; i < pixels; i++) {
    int index = j->raw[i];
    if (index >= count)
      stop(j, isc_fail(ISCP_ERROR_FORMAT, "PNG is damaged: pixel %lld is colour %d of a palette of %d", (long long)i,
                       index, count));
    to[0] = colours[index].red;
    to[1] = colours[index].green;
    to[2] = colours[index].blue;
    if (j->with_alpha)
      to[3] = index < alpha_count ? alphas[index] : 255;
    to += channels;
  }
}

/* 16 bits, high byte first: Pillow clips them. */
static void clip_grey(job *j, int64_t pixels) {
  uint8_t *to = j->out->data;
  for (int64_t i = 0; i < pixels; i++)
    to[i] = j->raw[2 * i] ? 255 : j->raw[2 * i + 1];
}

static void set_limits(png_structp png) {
  png_set_user_limits(png, SIDE_LIMIT, SIDE_LIMIT);
  png_set_chunk_malloc_max(png, CHUNK_LIMIT);
  png_set_chunk_cache_max(png, 16);
#ifdef PNG_HANDLE_AS_UNKNOWN_SUPPORTED
  /* Texts, profiles and gamma change no pixel here: passed over unparsed. */
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
#endif
}

static void read_rows(job *j, uint8_t *rows, int64_t height, int passes) {
  size_t row = png_get_rowbytes(j->png, j->info);
  for (int pass = 0; pass < passes; pass++)
    for (int64_t y = 0; y < height; y++)
      png_read_row(j->png, rows + (size_t)y * row, NULL);
  png_read_end(j->png, NULL);
}

static void read_picture(job *j) {
  set_limits(j->png);
  png_set_read_fn(j->png, j, on_read);
  png_read_info(j->png, j->info);
  check_header(j);
  bool palette = has_palette(j), deep = is_deep_grey(j);
  set_transforms(j);
  int passes = png_set_interlace_handling(j->png);
  png_read_update_info(j->png, j->info);
  int64_t shape[3] = {png_get_image_height(j->png, j->info), png_get_image_width(j->png, j->info),
                      palette ? 3 + j->with_alpha : png_get_channels(j->png, j->info)};
  int64_t pixels = shape[0] * shape[1];
  size_t row = png_get_rowbytes(j->png, j->info), raw = (size_t)shape[1] * (palette ? 1 : deep ? 2 : (size_t)shape[2]);
  if (row != raw || (j->with_alpha ? shape[2] != 4 : shape[2] != 1 && shape[2] != 3))
    png_error(j->png, "rows of an unknown layout");
  iscp_status status = isc_tensor_create(j->out, j->context, ISC_U8, 3, shape);
  if (status == ISCP_OK && (palette || deep) && !(j->raw = isc_alloc(j->context, (size_t)shape[0] * row)))
    status = ISCP_ERROR_MEMORY;
  if (status != ISCP_OK)
    stop(j, status);
  read_rows(j, j->raw ? j->raw : j->out->data, shape[0], passes);
  if (palette)
    look_up(j, pixels);
  if (deep)
    clip_grey(j, pixels);
}

static iscp_status read_png(isc_tensor *out, const iscp_context *context, const isc_source *source, bool with_alpha) {
  job j = {.context = context, .source = source, .out = out, .with_alpha = with_alpha};
  j.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning, &j, take_memory, give_memory);
  if (!j.png)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory in the PNG reader");
  iscp_status status = ISCP_ERROR_MEMORY;
  j.info = png_create_info_struct(j.png);
  if (j.info) {
    j.status = ISCP_OK;
    status = guarded(&j, read_picture);
  }
  png_destroy_read_struct(&j.png, &j.info, NULL);
  isc_free(context, j.raw);
  return status;
}

iscp_status isc_png_read(isc_tensor *out, const iscp_context *context, const isc_source *source) {
  return read_png(out, context, source, false);
}

iscp_status isc_png_read_rgba(isc_tensor *out, const iscp_context *context, const isc_source *source) {
  return read_png(out, context, source, true);
}

/* ---- Writing ---- */

static void write_picture(job *j) {
  static const int colours[] = {[1] = PNG_COLOR_TYPE_GRAY, [3] = PNG_COLOR_TYPE_RGB, [4] = PNG_COLOR_TYPE_RGB_ALPHA};
  const int64_t *shape = j->image->shape;
  png_set_write_fn(j->png, j, on_write, on_flush);
  png_set_compression_level(j->png, 9);
  png_set_IHDR(j->png, j->info, (png_uint_32)shape[1], (png_uint_32)shape[0], 8, colours[shape[2]], PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(j->png, j->info);
  size_t row = (size_t)(shape[1] * shape[2]);
  for (int64_t y = 0; y < shape[0]; y++)
    png_write_row(j->png, (const uint8_t *)j->image->data + (size_t)y * row);
  png_write_end(j->png, j->info);
}

static iscp_status check_image(const isc_tensor *image) {
  const int64_t *shape = image->shape;
  if (image->dtype != ISC_U8 || image->dims != 3 || (shape[2] != 1 && shape[2] != 3 && shape[2] != 4)) {
    char text[ISC_SHAPE_TEXT];
    return isc_fail(ISCP_ERROR_ARGUMENT, "image is %s %s, expected uint8 height x width x 1, 3 or 4",
                    isc_dtype_name(image->dtype), isc_shape_text(text, image->dims, shape));
  }
  bool fits = shape[0] >= 1 && shape[1] >= 1 && shape[0] <= SIDE_LIMIT && shape[1] <= SIDE_LIMIT;
  if (!fits || shape[0] * shape[1] > PIXEL_LIMIT)
    return isc_fail(ISCP_ERROR_ARGUMENT, "image has %lld x %lld pixels, expected 1 to %d in all", (long long)shape[1],
                    (long long)shape[0], PIXEL_LIMIT);
  return ISCP_OK;
}

iscp_status isc_encode_png(uint8_t **bytes, size_t *size, const isc_tensor *image, const iscp_context *context) {
  *bytes = NULL;
  *size = 0;
  ISC_TRY(check_image(image));
  job j = {.context = context, .image = image};
  j.png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &j, on_error, on_warning, &j, take_memory, give_memory);
  if (!j.png)
    return isc_fail(ISCP_ERROR_MEMORY, "out of memory in the PNG writer");
  iscp_status status = ISCP_ERROR_MEMORY;
  j.info = png_create_info_struct(j.png);
  if (j.info)
    status = guarded(&j, write_picture);
  png_destroy_write_struct(&j.png, &j.info);
  if (status != ISCP_OK) {
    isc_free(context, j.bytes);
    return status;
  }
  *bytes = j.bytes;
  *size = j.size;
  return ISCP_OK;
}

iscp_status isc_write_png(const isc_tensor *image, const iscp_context *context, const char *path) {
  uint8_t *bytes;
  size_t size;
  iscp_status status = isc_encode_png(&bytes, &size, image, context);
  if (status != ISCP_OK)
    return isc_fail_in(status, path);
  status = isc_file_write(context, path, bytes, size);
  isc_free(context, bytes);
  return status;
}
