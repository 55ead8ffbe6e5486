/* Stored pictures -> images in network form: layout of the axes, grey to colour, zeros around, v / 255.
 *
 * Data flow: a slice of a dataset's array, a decoded file or a user's array -> isc_picture -> channels x height x width
 * float32 in [0,1]. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "data/dataset.h"

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

/* What a picture of the wrong size could be padded by, or why it cannot be used. */
static iscp_status fail_size(const iscp_contract *contract, int64_t height, int64_t width) {
  int64_t rows = contract->height - height, columns = contract->width - width;
  long long high = height, wide = width, need_high = contract->height - contract->pad_top - contract->pad_bottom,
            need_wide = contract->width - contract->pad_left - contract->pad_right;
  if (rows < 0 || columns < 0)
    return isc_fail(ISCP_ERROR_MISMATCH, "a picture of %lldx%lld, expected %lldx%lld (height x width; pictures are not "
                    "resized)", high, wide, need_high, need_wide);
  return isc_fail(ISCP_ERROR_MISMATCH, "a picture of %lldx%lld, expected %lldx%lld (height x width; a pad of "
                  "%lld,%lld,%lld,%lld, top bottom left right, would fit it into %dx%d)", high, wide, need_high,
                  need_wide, (long long)rows / 2, (long long)(rows - rows / 2), (long long)columns / 2,
                  (long long)(columns - columns / 2), contract->height, contract->width);
}

iscp_status isc_contract_check(const iscp_contract *contract, int64_t height, int64_t width, int64_t channels) {
  if (!is_channel_count(channels))
    return isc_fail(ISCP_ERROR_MISMATCH, "a picture of %lld channels, expected 1 or 3", (long long)channels);
  if (channels > contract->channels)
    return isc_fail(ISCP_ERROR_MISMATCH, "a colour picture, expected a grey one for a network of one channel");
  if (height + contract->pad_top + contract->pad_bottom != contract->height ||
      width + contract->pad_left + contract->pad_right != contract->width)
    return fail_size(contract, height, width);
  return ISCP_OK;
}

static void copy_row(float *row, const isc_picture *picture, int64_t start) {
  const uint8_t *bytes = picture->values;
  const float *numbers = picture->values;
  if (picture->dtype == ISC_U8)
    for (int64_t x = 0; x < picture->width; x++)
      row[x] = (float)bytes[start + x * picture->column_stride] / 255.0f;
  else
    for (int64_t x = 0; x < picture->width; x++)
      row[x] = numbers[start + x * picture->column_stride];
}

static void place(float *image, const iscp_contract *contract, const isc_picture *picture) {
  int64_t pixels = isc_contract_pixels(contract);
  memset(image, 0, (size_t)isc_contract_numbers(contract) * sizeof *image);
  for (int32_t c = 0; c < contract->channels; c++) {
    int64_t channel = picture->channels == 1 ? 0 : c;
    for (int64_t y = 0; y < picture->height; y++)
      copy_row(image + c * pixels + (y + contract->pad_top) * contract->width + contract->pad_left, picture,
               channel * picture->channel_stride + y * picture->row_stride);
  }
}

void isc_contract_apply(float *image, const iscp_contract *contract, const uint8_t *pixels, int64_t height,
                        int64_t width, int64_t channels) {
  isc_picture picture = {pixels, ISC_U8, height, width, channels, width * channels, channels, 1};
  place(image, contract, &picture);
}

iscp_status isc_picture_convert(float *image, const iscp_contract *contract, const isc_picture *picture) {
  ISC_TRY(isc_contract_check(contract, picture->height, picture->width, picture->channels));
  place(image, contract, picture);
  return ISCP_OK;
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

static iscp_status convert_array(float *image, const iscp_contract *contract, const isc_tensor *array) {
  isc_picture picture;
  ISC_TRY(check_numbers(array));
  ISC_TRY(isc_picture_describe(&picture, array, 0));
  return isc_picture_convert(image, contract, &picture);
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
  iscp_status status = convert_array(image, &contract, &array);
  if (status != ISCP_OK)
    status = isc_fail_in(status, path);
  isc_tensor_release(&array, context);
  return status;
}
