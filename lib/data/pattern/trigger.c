/* Triggers: a small picture with alpha, put on stored pictures (BadNets), and where it lands behind the input contract.
 *
 * A stored picture's bytes -> the trigger blended in, as Pillow pastes it -> picture.c, as any other picture. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "data/pattern/trigger.h"
#include "format/format.h"

enum { LARGEST_FORM = 64, LARGEST_SIDE = 4096, LARGEST_PICTURE = 1 << 28 };

struct iscp_trigger {
  atomic_int references;
  iscp_context *context;
  iscp_trigger_info info;
  isc_tensor pixels; /* u8, height x width x (R, G, B, alpha) */
};

/* ---- Options ---- */

iscp_status iscp_trigger_options_init(iscp_trigger_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_trigger_options_fields);
}

static iscp_status check_offset(const char *name, int32_t value) {
  if (value < 0 || value > LARGEST_SIDE)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is %d, expected 0 to %d", name, value, LARGEST_SIDE);
  return ISCP_OK;
}

static iscp_status read_options(iscp_trigger_options *options, const iscp_trigger_options *given) {
  ISC_TRY(isc_fields_read(options, &isc_trigger_options_fields, given));
  if (options->corner < ISCP_CORNER_BOTTOM_RIGHT || options->corner > ISCP_CORNER_TOP_LEFT)
    return isc_fail(ISCP_ERROR_ARGUMENT, "corner is %d, expected %d to %d", options->corner, ISCP_CORNER_BOTTOM_RIGHT,
                    ISCP_CORNER_TOP_LEFT);
  ISC_TRY(check_offset("offset_y", options->offset_y));
  return check_offset("offset_x", options->offset_x);
}

/* ---- Forms ---- */

/* "3x3" and nothing behind it. */
static bool read_size(int64_t shape[3], const char *text) {
  int height, width, read = 0;
  if (sscanf(text, "%2dx%2d%n", &height, &width, &read) != 2 || text[read])
    return false;
  shape[0] = height;
  shape[1] = width;
  shape[2] = 4;
  return height >= 1 && height <= LARGEST_FORM && width >= 1 && width <= LARGEST_FORM;
}

static iscp_status draw(isc_tensor *pixels, const iscp_context *context, const char *form, bool checkered) {
  int64_t shape[3];
  if (!read_size(shape, strchr(form, ':') + 1))
    return isc_fail(ISCP_ERROR_ARGUMENT, "form is \"%s\", expected a height x width of 1 to %d each, as %.*s:3x3", form,
                    LARGEST_FORM, (int)strcspn(form, ":"), form);
  ISC_TRY(isc_tensor_create(pixels, context, ISC_U8, 3, shape));
  uint8_t *to = pixels->data;
  for (int64_t y = 0; y < shape[0]; y++)
    for (int64_t x = 0; x < shape[1]; x++, to += 4) {
      memset(to, checkered && (y + x) % 2 ? 0 : 255, 3);
      to[3] = 255;
    }
  return ISCP_OK;
}

static iscp_status read_picture(isc_tensor *pixels, const iscp_context *context, const char *path) {
  iscp_status status = isc_read_rgba(pixels, context, path);
  if (status == ISCP_ERROR_IO)
    return isc_fail(status, "%s (expected white:HxW, checkerboard:HxW, or the path of a PNG)", iscp_error_message());
  ISC_TRY(status);
  if (pixels->shape[0] > LARGEST_SIDE || pixels->shape[1] > LARGEST_SIDE)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "%s: a trigger of %lldx%lld, expected at most %d pixels a side", path,
                    (long long)pixels->shape[0], (long long)pixels->shape[1], LARGEST_SIDE);
  return ISCP_OK;
}

static iscp_status make_pixels(iscp_trigger *trigger, const char *form) {
  static const char white[] = "white:", checkerboard[] = "checkerboard:";
  if (!strncmp(form, white, sizeof white - 1))
    return draw(&trigger->pixels, trigger->context, form, false);
  if (!strncmp(form, checkerboard, sizeof checkerboard - 1))
    return draw(&trigger->pixels, trigger->context, form, true);
  return read_picture(&trigger->pixels, trigger->context, form);
}

/* ---- Life ---- */

iscp_status iscp_trigger_create(iscp_trigger **out, iscp_context *context, const char *form,
                                const iscp_trigger_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!context || !form)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", context ? "form" : "context");
  iscp_trigger_options options;
  ISC_TRY(read_options(&options, given));
  iscp_trigger *trigger = isc_calloc(context, 1, sizeof *trigger);
  if (!trigger)
    return ISCP_ERROR_MEMORY;
  atomic_init(&trigger->references, 1);
  trigger->context = isc_context_hold(context);
  iscp_status status = make_pixels(trigger, form);
  if (status != ISCP_OK) {
    iscp_trigger_destroy(trigger);
    return status;
  }
  trigger->info = (iscp_trigger_info){sizeof trigger->info, (int32_t)trigger->pixels.shape[0], (int32_t)trigger->pixels.shape[1],
                                      options.corner, options.offset_y, options.offset_x};
  *out = trigger;
  return ISCP_OK;
}

iscp_trigger *isc_trigger_hold(const iscp_trigger *trigger) {
  iscp_trigger *held = (iscp_trigger *)trigger; /* the count is not part of what const promises */
  atomic_fetch_add(&held->references, 1);
  return held;
}

void iscp_trigger_destroy(iscp_trigger *trigger) {
  if (!trigger || atomic_fetch_sub(&trigger->references, 1) != 1)
    return;
  iscp_context *context = trigger->context;
  isc_tensor_release(&trigger->pixels, context);
  isc_free(context, trigger);
  isc_context_drop(context);
}

iscp_status iscp_trigger_get_info(const iscp_trigger *trigger, iscp_trigger_info *info) {
  if (!trigger)
    return isc_fail(ISCP_ERROR_ARGUMENT, "trigger is NULL");
  return isc_fields_write(info, &isc_trigger_info_fields, &trigger->info);
}

const uint8_t *iscp_trigger_pixels(const iscp_trigger *trigger) { return trigger ? trigger->pixels.data : NULL; }

/* ---- Stamping ---- */

iscp_status isc_trigger_check(const iscp_trigger *trigger, int64_t height, int64_t width) {
  const iscp_trigger_info *t = &trigger->info;
  if (height < t->height + t->offset_y || width < t->width + t->offset_x)
    return isc_fail(ISCP_ERROR_MISMATCH, "a picture of %lldx%lld, expected at least %dx%d for a trigger of %dx%d that is "
                    "%d,%d pixels from its corner", (long long)height, (long long)width, t->height + t->offset_y,
                    t->width + t->offset_x, t->height, t->width, t->offset_y, t->offset_x);
  return ISCP_OK;
}

/* Pillow's "L". */
static int luma(const uint8_t *rgb) { return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16; }

/* Pillow's paste: (below * (255 - alpha) + above * alpha) / 255, rounded, without a division. */
static uint8_t blend(int below, int above, int alpha) {
  int sum = below * (255 - alpha) + above * alpha + 128;
  return (uint8_t)((sum + (sum >> 8)) >> 8);
}

/* How a trigger is put: blended by its alpha; or, to see where it lands, all that is not clear as opaque, in its colours or
 * in white. */
typedef enum ink { BLENDED, SOLID, WHITE } ink;

/* One row of the trigger, `value` the place of its first pixel. */
static void stamp_row(uint8_t *value, const isc_picture *picture, const uint8_t *rgba, int32_t width, ink how) {
  for (int32_t x = 0; x < width; x++, rgba += 4, value += picture->column_stride) {
    int alpha = how == BLENDED ? rgba[3] : rgba[3] ? 255 : 0;
    for (int64_t c = 0; c < picture->channels; c++) {
      uint8_t *to = value + c * picture->channel_stride;
      *to = blend(*to, how == WHITE ? 255 : picture->channels == 1 ? luma(rgba) : rgba[c], alpha);
    }
  }
}

static void stamp(const iscp_trigger *trigger, uint8_t *values, const isc_picture *picture, ink how) {
  const iscp_trigger_info *t = &trigger->info;
  bool left = t->corner == ISCP_CORNER_BOTTOM_LEFT || t->corner == ISCP_CORNER_TOP_LEFT;
  bool top = t->corner == ISCP_CORNER_TOP_RIGHT || t->corner == ISCP_CORNER_TOP_LEFT;
  int64_t first_row = top ? t->offset_y : picture->height - t->height - t->offset_y;
  int64_t first_column = left ? t->offset_x : picture->width - t->width - t->offset_x;
  const uint8_t *rgba = trigger->pixels.data;
  for (int32_t y = 0; y < t->height; y++)
    stamp_row(values + (first_row + y) * picture->row_stride + first_column * picture->column_stride, picture,
              rgba + 4 * (int64_t)y * t->width, t->width, how);
}

void isc_trigger_stamp(const iscp_trigger *trigger, uint8_t *values, const isc_picture *picture) {
  stamp(trigger, values, picture, BLENDED);
}

/* ---- Where it lands ---- */

/* A black picture of height x width x channels with the trigger on it, behind the contract. */
static iscp_status project(float *image, const iscp_trigger *trigger, const iscp_contract *contract, const int64_t shape[3],
                           ink how) {
  const iscp_context *context = trigger->context;
  uint8_t *values = isc_calloc(context, (size_t)(shape[0] * shape[1] * shape[2]), 1);
  if (!values)
    return ISCP_ERROR_MEMORY;
  isc_picture picture = {values, ISC_U8, shape[0], shape[1], shape[2], shape[1] * shape[2], shape[2], 1};
  stamp(trigger, values, &picture, how);
  iscp_status status = isc_picture_convert(image, context, contract, &picture);
  isc_free(context, values);
  return status;
}

/* How much of each pixel of the input the trigger covers. */
static iscp_status cover(float *mask, const iscp_trigger *trigger, const iscp_contract *contract, const int64_t shape[3]) {
  iscp_contract grey = *contract;
  grey.channels = 1;
  return project(mask, trigger, &grey, (int64_t[]){shape[0], shape[1], 1}, WHITE);
}

/* Pixels covered at least half get the colour that covers them. Returns how many there are. */
static int64_t settle(float *mask, float *canvas, const iscp_contract *contract) {
  int64_t pixels = isc_contract_pixels(contract), kept = 0;
  for (int64_t i = 0; i < pixels; i++) {
    bool is_kept = mask[i] >= 0.5f;
    for (int32_t c = 0; c < contract->channels; c++) {
      float *value = &canvas[c * pixels + i];
      *value = is_kept && *value < mask[i] ? *value / mask[i] : (float)is_kept;
    }
    mask[i] = (float)is_kept;
    kept += is_kept;
  }
  return kept;
}

static iscp_status make_pattern(iscp_pattern **out, const iscp_trigger *trigger, const iscp_contract *contract,
                                const int64_t shape[3], int32_t target) {
  const iscp_context *context = trigger->context;
  float *mask = isc_calloc(context, (size_t)isc_contract_pixels(contract), sizeof *mask);
  float *canvas = isc_calloc(context, (size_t)isc_contract_numbers(contract), sizeof *canvas);
  iscp_status status = mask && canvas ? ISCP_OK : ISCP_ERROR_MEMORY;
  if (status == ISCP_OK)
    status = project(canvas, trigger, contract, shape, SOLID);
  if (status == ISCP_OK)
    status = cover(mask, trigger, contract, shape);
  if (status == ISCP_OK && !settle(mask, canvas, contract))
    status = isc_fail(ISCP_ERROR_MISMATCH, "the trigger covers no pixel of the network's input by half, expected one that is not "
                      "cut off, clear, or too small once resized");
  if (status == ISCP_OK)
    status = iscp_pattern_create(out, trigger->context, mask, NULL, canvas, contract->channels, contract->height,
                                 contract->width, target, ISCP_CUT_GAMMA, 0.5, ISCP_TIES_INDEX);
  isc_free(context, mask);
  isc_free(context, canvas);
  return status;
}

iscp_status iscp_trigger_pattern(iscp_pattern **out, const iscp_trigger *trigger, const iscp_contract *given, int32_t height,
                                 int32_t width, int32_t channels, int32_t target) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!trigger)
    return isc_fail(ISCP_ERROR_ARGUMENT, "trigger is NULL");
  iscp_contract contract;
  ISC_TRY(isc_contract_read(&contract, given));
  if (height < 1 || width < 1 || (int64_t)height * width > LARGEST_PICTURE)
    return isc_fail(ISCP_ERROR_ARGUMENT, "height x width is %dx%d, expected 1 to %d pixels in all", height, width,
                    LARGEST_PICTURE);
  ISC_TRY(isc_contract_check(&contract, height, width, channels));
  ISC_TRY(isc_trigger_check(trigger, height, width));
  return make_pattern(out, trigger, &contract, (int64_t[]){height, width, channels}, target);
}
