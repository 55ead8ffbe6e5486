/* A training on disk: a safetensors file of the weights under their names, the momenta under "momentum.<name>", and in its
 * metadata where the training is, its options, the input contract and the data's hash. Numbers are written so that they are read
 * back bit by bit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/format.h"
#include "train/trainer.h"

enum { TEXT = 512 };

static const char OPTIONS_KEY[] = "iscp.train.options", DATA_KEY[] = "iscp.train.data",
                  CONTRACT_KEY[] = "iscp.train.contract", PLACE_KEY[] = "iscp.train.place";

/* ---- Metadata ---- */

/* "step correct loss" */
static void print_place(char text[TEXT], const iscp_trainer *t) {
  snprintf(text, TEXT, "%lld %lld %a", (long long)t->step, (long long)t->correct, t->loss);
}

static bool read_place(iscp_trainer *t, const char *text) {
  char *end;
  long long step = strtoll(text, &end, 10), correct = strtoll(end, &end, 10);
  double loss = strtod(end, &end);
  if (*end || step < 0 || step > t->schedule.steps)
    return false;
  t->step = step;
  t->correct = correct;
  t->loss = loss;
  return true;
}

/* ---- Writing ---- */

static iscp_status add_momentum(isc_tensor_set *set, iscp_trainer *t, int32_t index) {
  isc_parameter p;
  isc_tensor tensor = {0};
  char name[96];
  isc_training_parameter(&p, t->training, index);
  if (!p.gradient)
    return ISCP_OK;
  snprintf(name, sizeof name, "momentum.%s", p.name);
  ISC_TRY(isc_tensor_create(&tensor, t->context, ISC_F32, p.dims, p.shape));
  tensor.name = isc_strdup(t->context, name);
  iscp_status status = ISCP_ERROR_MEMORY;
  if (tensor.name)
    status = isc_training_unpack(t->training, index, tensor.data, isc_sgd_momentum(t->sgd, index));
  if (status == ISCP_OK)
    status = isc_tensor_set_add(set, t->context, &tensor);
  isc_tensor_release(&tensor, t->context);
  return status;
}

/* Without the class names, which no step depends on. *json is the caller's. */
static iscp_status print_contract(char **json, const iscp_trainer *t) {
  return isc_contract_print(json, t->context, iscp_model_contract(t->model), NULL, 0);
}

static iscp_status add_contract(isc_tensor_set *set, const iscp_trainer *t) {
  char *json;
  ISC_TRY(print_contract(&json, t));
  iscp_status status = isc_tensor_set_describe(set, t->context, CONTRACT_KEY, json);
  isc_free(t->context, json);
  return status;
}

static iscp_status collect(isc_tensor_set *set, iscp_trainer *t, const char *hash) {
  char text[TEXT];
  ISC_TRY(isc_training_tensors(set, t->training));
  ISC_TRY(add_contract(set, t));
  for (int32_t i = 0; i < isc_training_parameters(t->training); i++)
    ISC_TRY(add_momentum(set, t, i));
  isc_fields_print(text, sizeof text, &t->options, &isc_train_options_fields);
  ISC_TRY(isc_tensor_set_describe(set, t->context, OPTIONS_KEY, text));
  print_place(text, t);
  ISC_TRY(isc_tensor_set_describe(set, t->context, PLACE_KEY, text));
  return isc_tensor_set_describe(set, t->context, DATA_KEY, hash);
}

iscp_status iscp_trainer_save(iscp_trainer *t, const char *path) {
  if (!t || !path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", t ? "path" : "trainer");
  const char *hash;
  isc_tensor_set set = {0};
  isc_compute compute;
  ISC_TRY(isc_dataset_hash(&hash, t->data));
  ISC_TRY(isc_trainer_enter(t, &compute));
  iscp_status status = collect(&set, t, hash);
  isc_trainer_leave(t, &compute);
  if (status == ISCP_OK)
    status = isc_write_safetensors(&set, t->context, path);
  isc_tensor_set_release(&set, t->context);
  return status;
}

/* ---- Reading ---- */

static iscp_status find(const isc_tensor **tensor, const isc_tensor_set *set, const char *prefix, const isc_parameter *p) {
  char name[96];
  snprintf(name, sizeof name, "%s%s", prefix, p->name);
  *tensor = isc_tensor_set_find(set, name);
  if (!*tensor)
    return isc_fail(ISCP_ERROR_MISMATCH, "tensor \"%s\" is missing, expected the state of this training", name);
  if ((*tensor)->dtype != ISC_F32 || (*tensor)->dims != p->dims ||
      memcmp((*tensor)->shape, p->shape, (size_t)p->dims * sizeof *p->shape))
    return isc_fail(ISCP_ERROR_MISMATCH, "tensor \"%s\" is of another type or shape, expected that of this network", name);
  return ISCP_OK;
}

static iscp_status compare_options(const char *stored, const iscp_train_options *own) {
  iscp_train_options there;
  char text[TEXT];
  if (!isc_fields_parse(&there, &isc_train_options_fields, stored))
    return isc_fail(ISCP_ERROR_MISMATCH, "metadata \"%s\" is \"%.60s\", expected options of this version", OPTIONS_KEY, stored);
  if (isc_fields_difference(text, sizeof text, &isc_train_options_fields, &there, own))
    return isc_fail(ISCP_ERROR_MISMATCH, "the state is of a training with %s", text);
  return ISCP_OK;
}

/* Images of the same bytes are other numbers under another contract, weights of the same shapes another network under another
 * place of the stride. */
static iscp_status check_input(const isc_tensor_set *set, const iscp_trainer *t) {
  char *own;
  const char *stored = isc_tensor_set_metadata(set, CONTRACT_KEY), *stride = isc_tensor_set_metadata(set, ISC_STRIDE_KEY);
  bool early = isc_network_architecture(isc_model_network(t->model))->stride == ISCP_STRIDE_1X1;
  if (early != (stride != NULL))
    return isc_fail(ISCP_ERROR_MISMATCH, "the state is of a network with stride in its %s convolutions, expected %s",
                    stride ? "1x1" : "3x3", early ? "1x1" : "3x3");
  ISC_TRY(print_contract(&own, t));
  iscp_status status = ISCP_OK;
  if (strcmp(stored, own))
    status = isc_fail(ISCP_ERROR_MISMATCH, "the state is of a training with the input %.200s, expected %.200s", stored, own);
  isc_free(t->context, own);
  return status;
}

/* Everything is looked at before anything is taken. */
static iscp_status check(const isc_tensor_set *set, iscp_trainer *t, const char *hash) {
  static const char *const keys[] = {OPTIONS_KEY, DATA_KEY, CONTRACT_KEY, PLACE_KEY};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (!isc_tensor_set_metadata(set, keys[i]))
      return isc_fail(ISCP_ERROR_MISMATCH, "metadata \"%s\" is missing, expected a file of iscp_trainer_save", keys[i]);
  ISC_TRY(compare_options(isc_tensor_set_metadata(set, OPTIONS_KEY), &t->options));
  if (strcmp(hash, isc_tensor_set_metadata(set, DATA_KEY)))
    return isc_fail(ISCP_ERROR_MISMATCH, "the state is of a training on other images (hash %.16s), expected %.16s",
                    isc_tensor_set_metadata(set, DATA_KEY), hash);
  ISC_TRY(check_input(set, t));
  for (int32_t i = 0; i < isc_training_parameters(t->training); i++) {
    isc_parameter p;
    const isc_tensor *tensor;
    isc_training_parameter(&p, t->training, i);
    ISC_TRY(find(&tensor, set, "", &p));
    if (p.gradient)
      ISC_TRY(find(&tensor, set, "momentum.", &p));
  }
  return ISCP_OK;
}

static iscp_status take(const isc_tensor_set *set, iscp_trainer *t) {
  if (!read_place(t, isc_tensor_set_metadata(set, PLACE_KEY)))
    return isc_fail(ISCP_ERROR_FORMAT, "metadata \"%s\" is \"%.60s\", expected a step, a count and a loss", PLACE_KEY,
                    isc_tensor_set_metadata(set, PLACE_KEY));
  for (int32_t i = 0; i < isc_training_parameters(t->training); i++) {
    isc_parameter p;
    const isc_tensor *tensor;
    isc_training_parameter(&p, t->training, i);
    ISC_TRY(find(&tensor, set, "", &p));
    ISC_TRY(isc_training_pack(t->training, i, p.numbers, tensor->data));
    if (!p.gradient)
      continue;
    ISC_TRY(find(&tensor, set, "momentum.", &p));
    ISC_TRY(isc_training_pack(t->training, i, isc_sgd_momentum(t->sgd, i), tensor->data));
  }
  return ISCP_OK;
}

iscp_status iscp_trainer_resume(iscp_trainer *t, const char *path) {
  if (!t || !path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", t ? "path" : "trainer");
  const char *hash;
  isc_tensor_set set = {0};
  isc_compute compute;
  ISC_TRY(isc_dataset_hash(&hash, t->data));
  ISC_TRY(isc_read_tensors(&set, t->context, path));
  iscp_status status = isc_trainer_enter(t, &compute);
  if (status == ISCP_OK) {
    status = check(&set, t, hash);
    if (status == ISCP_OK)
      status = take(&set, t);
    isc_trainer_leave(t, &compute);
  }
  isc_tensor_set_release(&set, t->context);
  return status == ISCP_ERROR_MISMATCH || status == ISCP_ERROR_FORMAT ? isc_fail_in(status, path) : status;
}
