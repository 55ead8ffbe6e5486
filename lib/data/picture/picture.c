/* Stored pictures -> images in network form: layout of the axes, grey to colour, resizing (resize.c), the crop, zeros around,
 * v / 255.
 *
 * Data flow: a slice of a dataset's array, a decoded file or a user's array -> isc_picture -> channels x height x width
 * float32 in [0,1], or the bytes v of v / 255 that the loader keeps. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "data/picture/picture.h"
#include "data/picture/resize.h"
#include "format/format.h"

static int is_channel_count(int64_t size) { return size == 1 || size == 3; }

iscp_status isc_picture_describe(isc_picture *picture, const isc_tensor *array, int32_t first) {
  const int64_t *shape = array->shape + first;
  int32_t dims = array->dims - first;
  *picture = (isc_picture){.values = array->data, .dtype = array->dtype};
  if (dims == 2 || (dims == 3 && is_channel_count(shape[2]))) {
    picture->height = shape[0];
    picture->width = shape[1];
    picture->channels = dims == 2 ? 1 : shape[2];
    picture->row_stride = picture->width * picture->channels;
    picture->column_stride = picture->channels;
    picture->channel_stride = 1;
    return ISCP_OK;
  }
  if (dims == 3 && is_channel_count(shape[0])) {
    picture->channels = shape[0];
    picture->height = shape[1];
    picture->width = shape[2];
    picture->row_stride = picture->width;
    picture->column_stride = 1;
    picture->channel_stride = picture->height * picture->width;
    return ISCP_OK;
  }
  char text[ISC_SHAPE_TEXT];
  return isc_fail(ISCP_ERROR_MISMATCH, "an array of %s, expected %sHxW, %sHxWxC or %sCxHxW with C 1 or 3",
                  isc_shape_text(text, array->dims, array->shape), first ? "Nx" : "", first ? "Nx" : "",
                  first ? "Nx" : "");
}

/* ---- Where a picture ends up ---- */

/* One axis: `count` pixels from `from` on, of `size` after resizing, stand at `to` in the image. */
typedef struct placing {
  int64_t size, from, count, to;
} placing;

/* int(round(rest / 2.0)) of Python, which rounds halves to the even number, or rest // 2. */
static int64_t crop_start(int64_t rest, int32_t rule) {
  return rule == ISCP_CROP_FLOOR ? rest / 2 : rest % 4 == 3 ? rest / 2 + 1 : rest / 2;
}

/* A picture smaller than the crop has zeros around it; of an odd number of them the larger part follows, or by the other
 * rule precedes. */
static placing place_axis(int64_t size, int64_t crop, int64_t pad, int32_t rule) {
  if (!crop || crop == size)
    return (placing){size, 0, size, pad};
  if (crop > size)
    return (placing){size, 0, size, pad + (crop - size + (rule == ISCP_CROP_FLOOR)) / 2};
  return (placing){size, crop_start(size - crop, rule), crop, pad};
}

/* int(short * long / short side) of Python: a quotient of doubles. */
static int64_t long_side(int64_t wanted, int64_t shorter, int64_t longer) {
  return (int64_t)((double)(wanted * longer) / (double)shorter);
}

typedef struct layout {
  placing rows, columns;
} layout;

static layout lay_out(const iscp_contract *c, int64_t height, int64_t width) {
  int64_t rows = height, columns = width;
  if (c->resize_height) {
    rows = c->resize_height;
    columns = c->resize_width;
  } else if (c->resize_short) {
    rows = height <= width ? c->resize_short : long_side(c->resize_short, width, height);
    columns = width <= height ? c->resize_short : long_side(c->resize_short, height, width);
  }
  return (layout){place_axis(rows, c->crop_height, c->pad_top, c->crop_rule),
                  place_axis(columns, c->crop_width, c->pad_left, c->crop_rule)};
}

/* What a picture of the wrong size could be padded by, or why it cannot be used. */
static iscp_status fail_size(const iscp_contract *contract, int64_t height, int64_t width) {
  int64_t rows = contract->height - height, columns = contract->width - width;
  long long high = height, wide = width, need_high = contract->height - contract->pad_top - contract->pad_bottom,
            need_wide = contract->width - contract->pad_left - contract->pad_right;
  if (rows < 0 || columns < 0)
    return isc_fail(ISCP_ERROR_MISMATCH, "a picture of %lldx%lld, expected %lldx%lld (height x width; the input contract "
                    "does not say that pictures are resized)", high, wide, need_high, need_wide);
  return isc_fail(ISCP_ERROR_MISMATCH, "a picture of %lldx%lld, expected %lldx%lld (height x width; a pad of "
                  "%lld,%lld,%lld,%lld, top bottom left right, would fit it into %dx%d)", high, wide, need_high,
                  need_wide, (long long)rows / 2, (long long)(rows - rows / 2), (long long)columns / 2,
                  (long long)(columns - columns / 2), contract->height, contract->width);
}

static iscp_status check_size(const iscp_contract *contract, int64_t height, int64_t width) {
  layout l = lay_out(contract, height, width);
  int32_t need_high = contract->height - contract->pad_top - contract->pad_bottom,
          need_wide = contract->width - contract->pad_left - contract->pad_right;
  if (contract->crop_height || (l.rows.size == need_high && l.columns.size == need_wide))
    return ISCP_OK;
  if (!contract->resize_short)
    return fail_size(contract, height, width);
  return isc_fail(ISCP_ERROR_MISMATCH, "a picture of %lldx%lld becomes %lldx%lld by a short side of %d, expected %dx%d (height x "
                  "width; a crop would cut it)", (long long)height, (long long)width, (long long)l.rows.size,
                  (long long)l.columns.size, contract->resize_short, need_high, need_wide);
}

iscp_status isc_contract_check(const iscp_contract *contract, int64_t height, int64_t width, int64_t channels) {
  if (!is_channel_count(channels))
    return isc_fail(ISCP_ERROR_MISMATCH, "a picture of %lld channels, expected 1 or 3", (long long)channels);
  if (channels > contract->channels)
    return isc_fail(ISCP_ERROR_MISMATCH, "a colour picture, expected a grey one for a network of one channel");
  if (height < 1 || width < 1)
    return isc_fail(ISCP_ERROR_MISMATCH, "a picture of %lldx%lld, expected one with pixels", (long long)height,
                    (long long)width);
  return check_size(contract, height, width);
}

/* ---- Pixels ---- */

/* Where an image is written: its numbers, or their bytes. */
typedef struct target {
  void *values;
  isc_dtype dtype; /* ISC_F32, or ISC_U8 of a picture that is ISC_U8 too */
} target;

/* `count` pixels of the picture's row from `start` on -> the image's values from `at` on. */
static void copy_row(const target *t, int64_t at, const isc_picture *picture, int64_t start, int64_t count,
                     const float shares[256]) {
  const uint8_t *bytes = picture->values;
  const float *numbers = picture->values;
  uint8_t *packed = t->values;
  float *row = t->values;
  int64_t stride = picture->column_stride;
  if (t->dtype == ISC_U8)
    for (int64_t x = 0; x < count; x++)
      packed[at + x] = bytes[start + x * stride];
  else if (picture->dtype == ISC_U8)
    for (int64_t x = 0; x < count; x++)
      row[at + x] = shares[bytes[start + x * stride]];
  else
    for (int64_t x = 0; x < count; x++)
      row[at + x] = numbers[start + x * stride];
}

/* The part rows.from, columns.from on of the picture -> the image. */
static void place(const target *image, const iscp_contract *contract, const isc_picture *picture, const layout *l) {
  int64_t pixels = isc_contract_pixels(contract);
  float shares[256];
  for (int v = 0; v < 256; v++)
    shares[v] = (float)v / 255.0f;
  memset(image->values, 0, (size_t)isc_contract_numbers(contract) * isc_dtype_size(image->dtype));
  for (int32_t c = 0; c < contract->channels; c++) {
    int64_t channel = picture->channels == 1 ? 0 : c;
    for (int64_t y = 0; y < l->rows.count; y++)
      copy_row(image, c * pixels + (y + l->rows.to) * contract->width + l->columns.to, picture,
               channel * picture->channel_stride + (y + l->rows.from) * picture->row_stride +
                   l->columns.from * picture->column_stride,
               l->columns.count, shares);
  }
}

static iscp_status resize_and_place(const target *image, const iscp_context *context, const iscp_contract *contract,
                                    const isc_picture *picture, layout *l) {
  if (picture->dtype != ISC_U8)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "a picture of %s, expected uint8 for an input contract that resizes",
                    isc_dtype_name(picture->dtype));
  isc_resize_form form = {l->rows.size,  l->columns.size,  l->rows.from,    l->columns.from,
                          l->rows.count, l->columns.count, contract->filter};
  int64_t channels = picture->channels, row = form.columns * channels;
  uint8_t *part = isc_alloc(context, (size_t)(form.rows * row));
  if (!part)
    return ISCP_ERROR_MEMORY;
  isc_picture resized = {part, ISC_U8, form.rows, form.columns, channels, row, channels, 1};
  iscp_status status = isc_resize(part, context, picture, &form);
  if (status == ISCP_OK) {
    l->rows.from = l->columns.from = 0;
    place(image, contract, &resized, l);
  }
  isc_free(context, part);
  return status;
}

static iscp_status convert(const target *image, const iscp_context *context, const iscp_contract *contract,
                           const isc_picture *picture) {
  ISC_TRY(isc_contract_check(contract, picture->height, picture->width, picture->channels));
  layout l = lay_out(contract, picture->height, picture->width);
  if (l.rows.size != picture->height || l.columns.size != picture->width)
    return resize_and_place(image, context, contract, picture, &l);
  place(image, contract, picture, &l);
  return ISCP_OK;
}

iscp_status isc_picture_convert(float *image, const iscp_context *context, const iscp_contract *contract,
                                const isc_picture *picture) {
  return convert(&(target){image, ISC_F32}, context, contract, picture);
}

iscp_status isc_picture_pack(uint8_t *image, const iscp_context *context, const iscp_contract *contract,
                             const isc_picture *picture) {
  if (picture->dtype != ISC_U8)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "a picture of %s, expected uint8", isc_dtype_name(picture->dtype));
  return convert(&(target){image, ISC_U8}, context, contract, picture);
}

/* ---- A user's own picture ---- */

static iscp_status check_numbers(const isc_tensor *array) {
  if (array->dtype == ISC_U8)
    return ISCP_OK;
  if (array->dtype != ISC_F32)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "an array of %s, expected uint8, or float32 in [0,1]",
                    isc_dtype_name(array->dtype));
  const float *values = array->data;
  int64_t count = isc_tensor_count(array);
  for (int64_t i = 0; i < count; i++)
    if (!(values[i] >= 0 && values[i] <= 1))
      return isc_fail(ISCP_ERROR_FORMAT, "value %lld is %g, expected 0 to 1", (long long)i, (double)values[i]);
  return ISCP_OK;
}

static iscp_status convert_array(float *image, const iscp_context *context, const iscp_contract *contract,
                                 const isc_tensor *array) {
  isc_picture picture;
  ISC_TRY(check_numbers(array));
  ISC_TRY(isc_picture_describe(&picture, array, 0));
  return isc_picture_convert(image, context, contract, &picture);
}

static int is_array_name(const char *path) {
  size_t length = strlen(path);
  return length >= 4 && !strcasecmp(path + length - 4, ".npy");
}

iscp_status iscp_image_read(float *image, iscp_context *context, const char *path, const iscp_contract *given) {
  if (!image || !context)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", image ? "context" : "image");
  if (!path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "path is NULL");
  iscp_contract contract;
  ISC_TRY(isc_contract_read(&contract, given));
  isc_tensor array;
  ISC_TRY(is_array_name(path) ? isc_read_array(&array, context, path) : isc_read_image(&array, context, path));
  iscp_status status = convert_array(image, context, &contract, &array);
  if (status != ISCP_OK)
    status = isc_fail_in(status, path);
  isc_tensor_release(&array, context);
  return status;
}
