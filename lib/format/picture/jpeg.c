/* JPEG by libjpeg-turbo, an optional part of the build. The pixels come as Pillow gives them: the library's own defaults
 * (slow DCT, smooth chroma), no orientation applied, and CMYK by Adobe's convention of inverted inks. */
#include "config.h"
#include "format/reader.h"

bool isc_jpeg_probe(const uint8_t *head, size_t size) {
  return size >= 3 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff;
}

#if ISC_HAVE_JPEG

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

enum { PIXEL_LIMIT = 89478485 /* Pillow's */, MOST_SCANS = 100, BLOCK = 1 << 14, BITS_A_BYTE = 8 };

/* One picture on its way in. It outlives libjpeg's jumps, so that nothing is lost by them. */
typedef struct job {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr input;
  struct jpeg_progress_mgr progress;
  jmp_buf back;
  const iscp_context *context;
  const isc_source *source;
  int64_t at; /* behind the bytes in `block` */
  isc_tensor *out;
  uint8_t *inks;      /* a row of CMYK */
  iscp_status status; /* of the failure; its message stands */
  char warning[JMSG_LENGTH_MAX];
  uint8_t block[BLOCK];
} job;

/* Leaves the work with a status whose message stands. */
static void stop(job *j, iscp_status status) {
  j->status = status;
  longjmp(j->back, 1);
}

/* ---- libjpeg's callbacks ---- */

static void on_error(j_common_ptr jpeg) {
  job *j = jpeg->client_data;
  char reason[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, reason);
  if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY)
    stop(j, isc_fail(ISCP_ERROR_MEMORY, "out of memory in the JPEG reader"));
  stop(j, isc_fail(ISCP_ERROR_FORMAT, "JPEG is damaged: %s", reason));
}

/* Damage that the library reads on after, as Pillow does. */
static void on_message(j_common_ptr jpeg, int level) {
  job *j = jpeg->client_data;
  if (level < 0 && !j->warning[0])
    jpeg->err->format_message(jpeg, j->warning);
}

static void on_begin(j_decompress_ptr jpeg) { (void)jpeg; }

static boolean on_fill(j_decompress_ptr jpeg) {
  job *j = jpeg->client_data;
  int64_t left = j->source->size - j->at;
  if (left <= 0)
    stop(j, isc_fail(ISCP_ERROR_FORMAT, "is truncated: it ends at byte %lld, in the middle of a JPEG",
                     (long long)j->source->size));
  size_t size = left < BLOCK ? (size_t)left : BLOCK;
  iscp_status status = isc_source_read(j->source, j->at, j->block, size);
  if (status != ISCP_OK)
    stop(j, status);
  j->at += (int64_t)size;
  j->input.next_input_byte = j->block;
  j->input.bytes_in_buffer = size;
  return TRUE;
}

static void on_skip(j_decompress_ptr jpeg, long count) {
  job *j = jpeg->client_data;
  size_t here = j->input.bytes_in_buffer;
  if (count <= 0)
    return;
  if ((size_t)count <= here) {
    j->input.next_input_byte += count;
    j->input.bytes_in_buffer -= (size_t)count;
    return;
  }
  j->at += count - (long)here;
  j->input.bytes_in_buffer = 0;
}

/* A scan may cost a few bytes and yet pass over all of the picture. */
static void on_progress(j_common_ptr jpeg) {
  job *j = jpeg->client_data;
  if (j->jpeg.input_scan_number > MOST_SCANS)
    stop(j, isc_fail(ISCP_ERROR_UNSUPPORTED, "is a JPEG of more than %d scans", MOST_SCANS));
}

/* ---- Reading ---- */

/* Huffman's code takes a bit at least for each block of 8 x 8: a short file cannot promise a large picture. */
static void check_size(job *j) {
  const struct jpeg_decompress_struct *jpeg = &j->jpeg;
  int64_t pixels = (int64_t)jpeg->image_width * jpeg->image_height, blocks = 0;
  if (pixels > PIXEL_LIMIT)
    stop(j, isc_fail(ISCP_ERROR_UNSUPPORTED, "has %lld pixels, expected at most %d", (long long)pixels, PIXEL_LIMIT));
  for (int c = 0; c < jpeg->num_components; c++)
    blocks += (int64_t)jpeg->comp_info[c].width_in_blocks * jpeg->comp_info[c].height_in_blocks;
  if (blocks / BITS_A_BYTE > j->source->size)
    stop(j, isc_fail(ISCP_ERROR_FORMAT, "is truncated: %lld bytes cannot hold the %ux%u pixels of this JPEG",
                     (long long)j->source->size, jpeg->image_width, jpeg->image_height));
}

static void set_colours(job *j) {
  struct jpeg_decompress_struct *jpeg = &j->jpeg;
  if (jpeg->arith_code)
    stop(j, isc_fail(ISCP_ERROR_UNSUPPORTED, "is a JPEG of arithmetic coding, expected Huffman's"));
  if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4)
    stop(j, isc_fail(ISCP_ERROR_UNSUPPORTED, "is a JPEG of %d components, expected 1, 3 or 4", jpeg->num_components));
  jpeg->out_color_space = jpeg->num_components == 1   ? JCS_GRAYSCALE
                          : jpeg->num_components == 3 ? JCS_RGB
                                                      : JCS_CMYK;
}

/* a b / 255, rounded as Pillow does. */
static int share_of(int a, int b) {
  int product = a * b + 128;
  return (product + (product >> 8)) >> 8;
}

/* Adobe's files hold 255 - ink: light = key - ink key / 255, with key = 255 - black. */
static void mix_inks(uint8_t *row, const uint8_t *inks, int64_t width) {
  for (int64_t x = 0; x < width; x++) {
    int key = inks[4 * x + 3];
    for (int c = 0; c < 3; c++)
      row[3 * x + c] = (uint8_t)(key - share_of(255 - inks[4 * x + c], key));
  }
}

static void read_rows(job *j, int64_t channels) {
  struct jpeg_decompress_struct *jpeg = &j->jpeg;
  int64_t width = jpeg->output_width;
  if (channels == 4 && !(j->inks = isc_alloc(j->context, (size_t)width * 4)))
    stop(j, ISCP_ERROR_MEMORY);
  while (jpeg->output_scanline < jpeg->output_height) {
    uint8_t *row = (uint8_t *)j->out->data + jpeg->output_scanline * width * (channels == 1 ? 1 : 3);
    JSAMPROW target = j->inks ? j->inks : row;
    jpeg_read_scanlines(jpeg, &target, 1);
    if (j->inks)
      mix_inks(row, j->inks, width);
  }
}

static void read_picture(job *j) {
  struct jpeg_decompress_struct *jpeg = &j->jpeg;
  jpeg_create_decompress(jpeg);
  jpeg->src = &j->input;
  jpeg->progress = &j->progress;
  jpeg_read_header(jpeg, TRUE);
  check_size(j);
  set_colours(j);
  int64_t channels = jpeg->num_components;
  jpeg_start_decompress(jpeg);
  int64_t shape[3] = {jpeg->output_height, jpeg->output_width, channels == 1 ? 1 : 3};
  iscp_status status = isc_tensor_create(j->out, j->context, ISC_U8, 3, shape);
  if (status != ISCP_OK)
    stop(j, status);
  read_rows(j, channels); /* what follows the last row changes nothing, and may be missing */
}

static void prepare(job *j) {
  j->jpeg.err = jpeg_std_error(&j->errors);
  j->errors.error_exit = on_error;
  j->errors.emit_message = on_message;
  j->jpeg.client_data = j;
  j->input = (struct jpeg_source_mgr){.init_source = on_begin,
                                      .fill_input_buffer = on_fill,
                                      .skip_input_data = on_skip,
                                      .resync_to_restart = jpeg_resync_to_restart,
                                      .term_source = on_begin};
  j->progress.progress_monitor = on_progress;
}

/* The one place that jumps lead to. */
static iscp_status guarded(job *j) {
  if (setjmp(j->back) == 0)
    read_picture(j);
  return j->status;
}

iscp_status isc_jpeg_read(isc_tensor *out, const iscp_context *context, const isc_source *source) {
  job *j = isc_calloc(context, 1, sizeof *j);
  if (!j)
    return ISCP_ERROR_MEMORY;
  j->context = context;
  j->source = source;
  j->out = out;
  prepare(j);
  iscp_status status = guarded(j);
  if (status == ISCP_OK && j->warning[0])
    isc_log(context, ISCP_LOG_INFO, "a JPEG is damaged and was read as far as it goes: %s", j->warning);
  jpeg_destroy_decompress(&j->jpeg);
  isc_free(context, j->inks);
  isc_free(context, j);
  return status;
}

#else

iscp_status isc_jpeg_read(isc_tensor *out, const iscp_context *context, const isc_source *source) {
  (void)out;
  (void)context;
  (void)source;
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "is a JPEG, and this build of libiscp reads none: it was made without libjpeg-turbo "
                  "(libjpeg62-turbo-dev on Debian)");
}

#endif
