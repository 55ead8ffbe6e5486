/* A checkpoint file, or random weights -> a model: tensors to the network, metadata or options to the input contract
 * and the class names. */
#include "model/model.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "format/format.h"
#include "model/stored.h"

struct iscp_model {
  atomic_int references;
  iscp_context *context;
  isc_network *network;
  iscp_contract contract;
  char *contract_source;
  char **names; /* one a class, or NULL */
  size_t name_count;
  char hash[ISC_DIGEST_TEXT];
  char source[512]; /* of the weights */
};

/* In metadata under ISC_STRIDE_KEY. */
static const char *const stride_names[] = {[ISCP_STRIDE_3X3] = "3x3", [ISCP_STRIDE_1X1] = "1x1"};

iscp_status iscp_model_options_init(iscp_model_options *options, uint32_t struct_size) {
  return isc_fields_init(options, struct_size, &isc_model_options_fields);
}

/* ---- Contract and names ---- */

static iscp_status set_contract_source(iscp_model *model, const char *source) {
  isc_free(model->context, model->contract_source);
  model->contract_source = isc_strdup(model->context, source);
  return model->contract_source ? ISCP_OK : ISCP_ERROR_MEMORY;
}

static iscp_status take_found(iscp_model *model, iscp_status status, const char *found) {
  if (status == ISCP_OK && !found)
    return isc_stored_contract_missing();
  return status == ISCP_OK ? set_contract_source(model, found) : status;
}

/* The caller's contract stands in for the stored one, which then gives the names alone, and may be unreadable. */
static iscp_status take_given(iscp_model *model, iscp_status status, const iscp_contract *given) {
  if (status == ISCP_ERROR_MEMORY)
    return status;
  if (status != ISCP_OK)
    isc_log(model->context, ISCP_LOG_WARNING, "the stored input contract is not read: %s", iscp_error_message());
  ISC_TRY(isc_contract_read(&model->contract, given));
  return set_contract_source(model, "options");
}

static iscp_status copy_names(iscp_model *model, const iscp_model_options *options) {
  isc_names_free(model->names, model->name_count, model->context);
  model->name_count = 0;
  model->names = isc_calloc(model->context, (size_t)options->class_count, sizeof *model->names);
  if (!model->names)
    return ISCP_ERROR_MEMORY;
  for (int32_t i = 0; i < options->class_count; i++) {
    if (!options->class_names[i])
      return isc_fail(ISCP_ERROR_ARGUMENT, "class_names[%d] is NULL", i);
    model->names[i] = isc_strdup(model->context, options->class_names[i]);
    if (!model->names[i])
      return ISCP_ERROR_MEMORY;
    model->name_count++;
  }
  return ISCP_OK;
}

static iscp_status take_contract(iscp_model *model, const isc_tensor_set *tensors, const char *path,
                                 const iscp_model_options *options) {
  char *found = NULL;
  isc_stored_contract stored = {.contract = &model->contract, .names = &model->names, .name_count = &model->name_count};
  iscp_status status = isc_stored_contract_read(&stored, &found, model->context, tensors, path);
  status = options->contract ? take_given(model, status, options->contract) : take_found(model, status, found);
  isc_free(model->context, found);
  ISC_TRY(status);
  if (options->class_names && options->class_count > 0)
    ISC_TRY(copy_names(model, options));
  return ISCP_OK;
}

static iscp_status check_fit(const iscp_model *model, const isc_architecture *a) {
  if (model->contract.channels != a->channels)
    return isc_fail(ISCP_ERROR_MISMATCH, "the input contract has %d channels, expected the network's %d",
                    model->contract.channels, a->channels);
  if (model->names && model->name_count != (size_t)a->classes)
    return isc_fail(ISCP_ERROR_MISMATCH, "%zu class names are given, expected the network's %d", model->name_count,
                    a->classes);
  return ISCP_OK;
}

/* ---- Making ---- */

/* What loading and creating have in common: the options, and a model without a network. */
static iscp_status begin(iscp_model **out, iscp_context *context, iscp_model_options *options,
                         const iscp_model_options *given) {
  ISC_TRY(isc_fields_read(options, &isc_model_options_fields, given));
  if (options->class_count < 0 || (options->class_count > 0 && !options->class_names))
    return isc_fail(ISCP_ERROR_ARGUMENT, "class_count is %d with class_names %s, expected 0 or a list of that many names",
                    options->class_count, options->class_names ? "set" : "NULL");
  if (options->stride < 0 || options->stride > ISCP_STRIDE_1X1 || options->reserved)
    return isc_fail(ISCP_ERROR_ARGUMENT, "stride is %d, reserved %d, expected 0, ISCP_STRIDE_3X3 or ISCP_STRIDE_1X1, and 0",
                    options->stride, options->reserved);
  iscp_model *model = isc_calloc(context, 1, sizeof *model);
  if (!model)
    return ISCP_ERROR_MEMORY;
  atomic_init(&model->references, 1);
  model->context = isc_context_hold(context);
  *out = model;
  return ISCP_OK;
}

/* Gives the model out, or back. */
static iscp_status finish(iscp_model **out, iscp_status status) {
  if (status == ISCP_OK)
    return ISCP_OK;
  iscp_model_destroy(*out);
  *out = NULL;
  return status;
}

/* ---- Loading ---- */

static void say_source(iscp_model *model, const char *container, const isc_tensor_set *tensors, const isc_naming *naming) {
  const char *dict = strncmp(container, "PyTorch", 7) ? NULL : isc_tensor_set_metadata(tensors, "pytorch.dict");
  const char *prefix = *naming->prefix ? ", prefix " : "";
  snprintf(model->source, sizeof model->source, "%s%s%s%s%s, names of %s", container, dict ? ", state dict " : "",
           dict ? dict : "", prefix, naming->prefix, naming->scheme);
  isc_keep_one_line(model->source);
  isc_log(model->context, ISCP_LOG_INFO, "the weights: %s", model->source);
}

static iscp_status take_network(iscp_model *model, const char *path, const char *container, isc_tensor_set *tensors,
                                const iscp_model_options *options) {
  isc_naming naming;
  ISC_TRY(take_contract(model, tensors, path, options));
  ISC_TRY(isc_naming_apply(&naming, model->context, tensors));
  say_source(model, container, tensors, &naming);
  if (options->stride)
    ISC_TRY(isc_tensor_set_describe(tensors, model->context, ISC_STRIDE_KEY, stride_names[options->stride]));
  ISC_TRY(isc_network_create(&model->network, model->context, tensors));
  if (isc_contract_reverses(&model->contract))
    isc_network_reverse(model->network);
  return check_fit(model, isc_network_architecture(model->network));
}

static iscp_status load(iscp_model *model, const char *path, const iscp_model_options *options) {
  isc_tensor_set tensors = {0};
  const char *container;
  iscp_status status = isc_read_checkpoint(&tensors, &container, model->context, path, options->state_dict);
  if (status != ISCP_OK)
    return status; /* the reader named the file */
  status = take_network(model, path, container, &tensors, options);
  isc_tensor_set_release(&tensors, model->context);
  if (status == ISCP_ERROR_MISMATCH || status == ISCP_ERROR_FORMAT || status == ISCP_ERROR_UNSUPPORTED)
    return isc_fail_in(status, path);
  return status == ISCP_OK ? isc_digest_file(model->hash, model->context, path) : status;
}

iscp_status iscp_model_load(iscp_model **out, iscp_context *context, const char *path, const iscp_model_options *given) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!context || !path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", context ? "path" : "context");
  iscp_model_options options;
  ISC_TRY(begin(out, context, &options, given));
  return finish(out, load(*out, path, &options));
}

/* ---- Random weights ---- */

static iscp_status read_architecture(isc_architecture *architecture, const iscp_model_info *given) {
  iscp_model_info info;
  ISC_TRY(isc_fields_read(&info, &isc_model_info_fields, given));
  *architecture = (isc_architecture){info.depth,    info.width,  info.stem,  info.classes,
                                     info.channels, info.planes, info.inner, info.stride};
  if (info.reserved)
    return isc_fail(ISCP_ERROR_ARGUMENT, "reserved is %d, expected 0", info.reserved);
  return isc_architecture_check(architecture);
}

/* Of each tensor, in the order of iscp_model_save: its name with the zero behind it, and its bytes. */
static iscp_status digest_tensors(char text[ISC_DIGEST_TEXT], const iscp_context *context, const isc_tensor_set *tensors) {
  isc_digest *digest;
  ISC_TRY(isc_digest_create(&digest, context));
  for (size_t i = 0; i < tensors->count; i++) {
    const isc_tensor *tensor = &tensors->items[i];
    isc_digest_update(digest, tensor->name, strlen(tensor->name) + 1);
    isc_digest_update(digest, tensor->data, isc_tensor_bytes(tensor));
  }
  isc_digest_finish(digest, text);
  return ISCP_OK;
}

static iscp_status draw(isc_tensor_set *tensors, const iscp_context *context, const isc_architecture *architecture,
                        uint64_t seed) {
  isc_compute compute;
  ISC_TRY(isc_compute_enter(context, &compute));
  iscp_status status = isc_initial_tensors(tensors, context, architecture, seed);
  isc_compute_leave(&compute);
  return status;
}

static iscp_status make(iscp_model *model, const isc_architecture *architecture, const iscp_model_options *options,
                        uint64_t seed) {
  ISC_TRY(isc_contract_read(&model->contract, options->contract));
  ISC_TRY(set_contract_source(model, "options"));
  if (options->class_names && options->class_count > 0)
    ISC_TRY(copy_names(model, options));
  ISC_TRY(check_fit(model, architecture));
  isc_tensor_set tensors = {0};
  ISC_TRY(draw(&tensors, model->context, architecture, seed));
  iscp_status status = digest_tensors(model->hash, model->context, &tensors);
  snprintf(model->source, sizeof model->source, "random weights");
  if (status == ISCP_OK && architecture->stride)
    status = isc_tensor_set_describe(&tensors, model->context, ISC_STRIDE_KEY, stride_names[architecture->stride]);
  if (status == ISCP_OK)
    status = isc_network_create(&model->network, model->context, &tensors);
  if (status == ISCP_OK && isc_contract_reverses(&model->contract))
    isc_network_reverse(model->network);
  isc_tensor_set_release(&tensors, model->context);
  return status;
}

iscp_status iscp_model_create(iscp_model **out, iscp_context *context, const iscp_model_info *info,
                              const iscp_model_options *given, uint64_t seed) {
  if (!out)
    return isc_fail(ISCP_ERROR_ARGUMENT, "out is NULL");
  *out = NULL;
  if (!context || !info || !given)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", !context ? "context" : info ? "options" : "info");
  isc_architecture architecture;
  iscp_model_options options;
  ISC_TRY(read_architecture(&architecture, info));
  ISC_TRY(begin(out, context, &options, given));
  if (!options.contract)
    return finish(out, isc_fail(ISCP_ERROR_ARGUMENT, "contract is NULL, expected the input contract of the new model"));
  return finish(out, make(*out, &architecture, &options, seed));
}

static iscp_status take_likeness(iscp_model *model, const iscp_model *like, isc_tensor_set *tensors, const char *source) {
  const iscp_model_options names = {.class_names = (const char *const *)like->names, .class_count = (int32_t)like->name_count};
  model->contract = like->contract;
  snprintf(model->source, sizeof model->source, "%s", source);
  ISC_TRY(set_contract_source(model, like->contract_source));
  if (like->names)
    ISC_TRY(copy_names(model, &names));
  ISC_TRY(digest_tensors(model->hash, model->context, tensors));
  ISC_TRY(isc_network_create(&model->network, model->context, tensors));
  if (isc_contract_reverses(&model->contract))
    isc_network_reverse(model->network);
  return ISCP_OK;
}

iscp_status isc_model_of_tensors(iscp_model **out, const iscp_model *like, isc_tensor_set *tensors, const char *source) {
  iscp_model_options options;
  ISC_TRY(begin(out, like->context, &options, NULL));
  return finish(out, take_likeness(*out, like, tensors, source));
}

iscp_model *isc_model_hold(const iscp_model *model) {
  iscp_model *held = (iscp_model *)model;
  atomic_fetch_add(&held->references, 1);
  return held;
}

void iscp_model_destroy(iscp_model *model) {
  if (!model || atomic_fetch_sub(&model->references, 1) != 1)
    return;
  iscp_context *context = model->context;
  isc_network_drop(model->network);
  isc_names_free(model->names, model->name_count, context);
  isc_free(context, model->contract_source);
  isc_free(context, model);
  isc_context_drop(context);
}

/* ---- Saving ---- */

static bool is_float(isc_dtype dtype) {
  return dtype == ISC_F32 || dtype == ISC_F16 || dtype == ISC_BF16 || dtype == ISC_F64;
}

/* The weights are finite: an infinite half is a number beyond 65504, and a file with it could not be loaded again. */
static iscp_status check_halves(const uint16_t *halves, int64_t count, const char *name) {
  for (int64_t i = 0; i < count; i++)
    if ((halves[i] & 0x7fff) == 0x7c00)
      return isc_fail(ISCP_ERROR_UNSUPPORTED, "tensor \"%s\" holds a number that float16 cannot, expected ISCP_STORE_F32",
                      name);
  return ISCP_OK;
}

/* A copy of `from` in the number type asked for; counters stay what they are. */
static iscp_status convert(isc_tensor *to, const iscp_context *context, const isc_tensor *from, isc_dtype dtype) {
  dtype = is_float(from->dtype) ? dtype : from->dtype;
  ISC_TRY(isc_tensor_create(to, context, dtype, from->dims, from->shape));
  to->name = isc_strdup(context, from->name);
  int64_t count = isc_tensor_count(from);
  float *numbers = NULL;
  if (dtype == from->dtype)
    memcpy(to->data, from->data, isc_tensor_bytes(from));
  else if (dtype == ISC_F32)
    isc_to_f32(to->data, from->data, from->dtype, count);
  else if ((numbers = isc_calloc(context, (size_t)count, sizeof *numbers))) {
    isc_to_f32(numbers, from->data, from->dtype, count);
    isc_f32_to_f16(to->data, numbers, count);
    isc_free(context, numbers);
    ISC_TRY(check_halves(to->data, count, from->name));
  } else
    return ISCP_ERROR_MEMORY;
  return to->name ? ISCP_OK : ISCP_ERROR_MEMORY;
}

static iscp_status collect(isc_tensor_set *set, const iscp_model *model, isc_dtype dtype) {
  const isc_tensor_set *stored = isc_network_tensors(model->network);
  for (size_t i = 0; i < stored->count; i++) {
    isc_tensor tensor = {0};
    iscp_status status = convert(&tensor, model->context, &stored->items[i], dtype);
    if (status == ISCP_OK)
      status = isc_tensor_set_add(set, model->context, &tensor);
    isc_tensor_release(&tensor, model->context);
    if (status != ISCP_OK)
      return status;
  }
  if (isc_network_architecture(model->network)->stride == ISCP_STRIDE_1X1)
    ISC_TRY(isc_tensor_set_describe(set, model->context, ISC_STRIDE_KEY, stride_names[ISCP_STRIDE_1X1]));
  char *json;
  ISC_TRY(isc_contract_print(&json, model->context, &model->contract, (const char *const *)model->names,
                             model->name_count));
  iscp_status status = isc_tensor_set_describe(set, model->context, ISC_CONTRACT_KEY, json);
  isc_free(model->context, json);
  return status;
}

iscp_status iscp_model_save(const iscp_model *model, const char *path, int32_t store) {
  if (!model || !path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", model ? "path" : "model");
  if (store != ISCP_STORE_F32 && store != ISCP_STORE_F16)
    return isc_fail(ISCP_ERROR_ARGUMENT, "store is %d, expected ISCP_STORE_F32 or ISCP_STORE_F16", store);
  isc_tensor_set set = {0};
  iscp_status status = collect(&set, model, store == ISCP_STORE_F16 ? ISC_F16 : ISC_F32);
  if (status == ISCP_OK)
    status = isc_write_safetensors(&set, model->context, path);
  isc_tensor_set_release(&set, model->context);
  return status;
}

/* ---- Asking ---- */

iscp_status iscp_model_get_info(const iscp_model *model, iscp_model_info *info) {
  if (!model)
    return isc_fail(ISCP_ERROR_ARGUMENT, "model is NULL");
  const isc_architecture *a = isc_network_architecture(model->network);
  iscp_model_info result = {
      .struct_size = sizeof result,
      .depth = a->depth,
      .width = a->width,
      .stem = a->stem,
      .classes = a->classes,
      .channels = a->channels,
      .parameters = isc_network_parameters(model->network),
      .multiply_adds = isc_network_multiply_adds(model->network, model->contract.height, model->contract.width),
      .planes = a->planes,
      .inner = a->inner,
      .stride = a->stride,
  };
  return isc_fields_write(info, &isc_model_info_fields, &result);
}

const iscp_context *iscp_model_context(const iscp_model *model) { return model ? model->context : NULL; }

const iscp_contract *iscp_model_contract(const iscp_model *model) { return model ? &model->contract : NULL; }

const char *iscp_model_contract_source(const iscp_model *model) {
  return model ? model->contract_source : NULL;
}

const char *iscp_model_class_name(const iscp_model *model, int32_t index) {
  return model && index >= 0 && (size_t)index < model->name_count ? model->names[index] : NULL;
}

const char *iscp_model_source(const iscp_model *model) { return model ? model->source : NULL; }

const char *iscp_model_hash(const iscp_model *model) { return model ? model->hash : NULL; }

const isc_network *isc_model_network(const iscp_model *model) { return model->network; }
const iscp_context *isc_model_context(const iscp_model *model) { return model->context; }
int32_t isc_model_classes(const iscp_model *model) { return isc_network_architecture(model->network)->classes; }

int32_t isc_model_features(const iscp_model *model) {
  return (int32_t)isc_tensor_set_find(isc_network_tensors(model->network), "fc.weight")->shape[1];
}

iscp_status isc_model_check_dataset(const iscp_model *model, const iscp_dataset *dataset) {
  const iscp_contract *a = &model->contract, *b = iscp_dataset_contract(dataset);
  if (!b)
    return isc_fail(ISCP_ERROR_ARGUMENT, "the dataset was opened without an input contract, expected the model's");
  if (!isc_contract_same_form(a, b))
    return isc_fail(ISCP_ERROR_MISMATCH, "the images are %dx%dx%d, expected the model's %dx%dx%d", b->channels, b->height,
                    b->width, a->channels, a->height, a->width);
  if (iscp_dataset_classes(dataset) > isc_model_classes(model))
    return isc_fail(ISCP_ERROR_MISMATCH, "the images have %d classes, expected at most the model's %d",
                    iscp_dataset_classes(dataset), isc_model_classes(model));
  return ISCP_OK;
}
