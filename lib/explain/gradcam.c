/* Grad-CAM: w_k = mean over space of d logit_y / dA_k, map = relu(sum_k w_k A_k), A the output of a stage after its last ReLU.
 *
 * One image goes forward as far as the logits and back as far as A, so that the map of the last stage costs a forward pass
 * and the dense layer. Sums run in double in one fixed order. */
#include <math.h>
#include <string.h>

#include "explain/explain.h"

struct iscp_gradcam {
  iscp_model *model;
  iscp_session *session;
  float *small;     /* the map at A's size */
  double *sums;     /* one a place of A */
  int32_t size[3];  /* A: channels, height, width */
};

/* ---- Options ---- */

iscp_status iscp_gradcam_options_init(iscp_gradcam_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_gradcam_options_fields);
}

static iscp_status read_options(iscp_gradcam_options *options, const iscp_gradcam_options *given) {
  ISC_TRY(isc_fields_read(options, &isc_gradcam_options_fields, given));
  if (options->stage < 1 || options->stage > 4)
    return isc_fail(ISCP_ERROR_ARGUMENT, "stage is %d, expected 1 to 4", options->stage);
  if (options->reserved)
    return isc_fail(ISCP_ERROR_ARGUMENT, "reserved is %d, expected 0", options->reserved);
  return ISCP_OK;
}

/* ---- Life ---- */

static iscp_status fill(iscp_gradcam *gradcam, int32_t stage) {
  const iscp_context *context = isc_model_context(gradcam->model);
  ISC_TRY(isc_session_create(&gradcam->session, gradcam->model, 1, ISC_SESSION_STAGE + stage));
  isc_session_kept_size(gradcam->session, gradcam->size);
  size_t places = (size_t)gradcam->size[1] * (size_t)gradcam->size[2];
  gradcam->small = isc_calloc(context, places, sizeof *gradcam->small);
  gradcam->sums = isc_calloc(context, places, sizeof *gradcam->sums);
  return gradcam->small && gradcam->sums ? ISCP_OK : ISCP_ERROR_MEMORY;
}

iscp_status iscp_gradcam_create(iscp_gradcam **out, const iscp_model *model, const iscp_gradcam_options *options) {
  if (!out || !model)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", out ? "model" : "out");
  *out = NULL;
  iscp_gradcam_options read;
  ISC_TRY(read_options(&read, options));
  iscp_gradcam *gradcam = isc_calloc(isc_model_context(model), 1, sizeof *gradcam);
  if (!gradcam)
    return ISCP_ERROR_MEMORY;
  gradcam->model = isc_model_hold(model);
  iscp_status status = fill(gradcam, read.stage);
  if (status == ISCP_OK)
    *out = gradcam;
  else
    iscp_gradcam_destroy(gradcam);
  return status;
}

void iscp_gradcam_destroy(iscp_gradcam *gradcam) {
  if (!gradcam)
    return;
  iscp_model *model = gradcam->model;
  const iscp_context *context = isc_model_context(model);
  iscp_session_destroy(gradcam->session);
  isc_free(context, gradcam->small);
  isc_free(context, gradcam->sums);
  isc_free(context, gradcam);
  iscp_model_destroy(model);
}

/* ---- One map ---- */

const iscp_contract *isc_gradcam_contract(const iscp_gradcam *gradcam) { return iscp_model_contract(gradcam->model); }

iscp_status isc_gradcam_check_image(const iscp_gradcam *gradcam, const float *image) {
  int64_t count = isc_contract_numbers(isc_gradcam_contract(gradcam));
  for (int64_t i = 0; i < count; i++)
    if (!(image[i] >= 0 && image[i] <= 1))
      return isc_fail(ISCP_ERROR_ARGUMENT, "image[%lld] is %g, expected 0 to 1", (long long)i, (double)image[i]);
  return ISCP_OK;
}

static void weigh(iscp_gradcam *gradcam) {
  const float *a = isc_session_kept(gradcam->session), *diff = isc_session_diff_kept(gradcam->session);
  int64_t places = (int64_t)gradcam->size[1] * gradcam->size[2];
  memset(gradcam->sums, 0, (size_t)places * sizeof *gradcam->sums);
  for (int32_t k = 0; k < gradcam->size[0]; k++, a += places, diff += places) {
    double weight = 0;
    for (int64_t p = 0; p < places; p++)
      weight += diff[p];
    weight /= (double)places;
    for (int64_t p = 0; p < places; p++)
      gradcam->sums[p] += weight * a[p];
  }
  for (int64_t p = 0; p < places; p++)
    gradcam->small[p] = gradcam->sums[p] > 0 ? (float)gradcam->sums[p] : 0;
}

/* Forward, the class, and backward from its logit alone. */
static iscp_status run(iscp_gradcam *gradcam, iscp_gradcam_info *info, const float *image) {
  iscp_session *session = gradcam->session;
  int32_t classes = isc_model_classes(gradcam->model);
  isc_normalise(isc_session_src(session, 0), image, isc_gradcam_contract(gradcam));
  ISC_TRY(isc_session_forward(session));
  const float *logits = isc_session_logits(session, 0);
  info->predicted = isc_argmax(logits, classes);
  if (info->class_index < 0)
    info->class_index = info->predicted;
  info->logit = logits[info->class_index];
  float *diff = isc_session_diff_logits(session, 0);
  memset(diff, 0, (size_t)classes * sizeof *diff);
  diff[info->class_index] = 1;
  ISC_TRY(isc_session_backward(session));
  weigh(gradcam);
  return ISCP_OK;
}

static double largest(const float *values, int64_t count) {
  float found = 0;
  for (int64_t i = 0; i < count; i++)
    found = values[i] > found ? values[i] : found;
  return found;
}

static iscp_status make_map(float *map, iscp_gradcam_info *info, iscp_gradcam *gradcam, const float *image) {
  isc_compute compute;
  ISC_TRY(isc_session_enter(gradcam->session, &compute));
  const iscp_contract *contract = isc_gradcam_contract(gradcam);
  iscp_status status = run(gradcam, info, image);
  if (status == ISCP_OK) {
    isc_upsample(map, contract->height, contract->width, gradcam->small, gradcam->size[1], gradcam->size[2]);
    info->height = gradcam->size[1];
    info->width = gradcam->size[2];
    info->maximum = largest(map, isc_contract_pixels(contract));
  }
  isc_session_leave(gradcam->session, &compute);
  return status;
}

static iscp_status check_call(const iscp_gradcam *gradcam, const float *image, int32_t class_index) {
  if (!gradcam || !image)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", gradcam ? "image" : "gradcam");
  int32_t classes = isc_model_classes(gradcam->model);
  if (class_index < -1 || class_index >= classes)
    return isc_fail(ISCP_ERROR_ARGUMENT, "class_index is %d, expected 0 to %d, or -1 for the predicted one", class_index,
                    classes - 1);
  return isc_gradcam_check_image(gradcam, image);
}

iscp_status iscp_gradcam_map(float *map, iscp_gradcam_info *info, iscp_gradcam *gradcam, const float *image,
                             int32_t class_index) {
  if (!map)
    return isc_fail(ISCP_ERROR_ARGUMENT, "map is NULL");
  if (info)
    ISC_TRY(isc_fields_check_output(info, &isc_gradcam_info_fields));
  ISC_TRY(check_call(gradcam, image, class_index));
  iscp_gradcam_info made = {.struct_size = sizeof made, .class_index = class_index};
  ISC_TRY(make_map(map, &made, gradcam, image));
  return info ? isc_fields_write(info, &isc_gradcam_info_fields, &made) : ISCP_OK;
}

/* ---- Pattern ---- */

/* Pixels are ranked by the map's own values: divided by a power of two, which rounds nothing, they fit a mask's range. */
iscp_status iscp_gradcam_pattern(iscp_pattern **out, iscp_gradcam *gradcam, const float *image, int32_t class_index,
                                 int32_t cut_kind, double cut) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  ISC_TRY(check_call(gradcam, image, class_index));
  const iscp_contract *contract = isc_gradcam_contract(gradcam);
  int64_t pixels = isc_contract_pixels(contract);
  float *mask = isc_calloc(isc_model_context(gradcam->model), (size_t)pixels, sizeof *mask);
  if (!mask)
    return ISCP_ERROR_MEMORY;
  iscp_gradcam_info info = {.class_index = class_index};
  iscp_status status = make_map(mask, &info, gradcam, image);
  int exponent = 0;
  double share = frexp(info.maximum, &exponent);
  for (int64_t i = 0; i < pixels; i++)
    mask[i] = ldexpf(mask[i], -exponent);
  if (cut_kind == ISCP_CUT_GAMMA && cut >= 0 && cut < 1)
    cut *= share;
  if (status == ISCP_OK)
    status = iscp_pattern_create(out, (iscp_context *)isc_model_context(gradcam->model), mask, NULL, image,
                                 contract->channels, contract->height, contract->width, info.class_index, cut_kind, cut,
                                 ISCP_TIES_INDEX);
  isc_free(isc_model_context(gradcam->model), mask);
  return status;
}
