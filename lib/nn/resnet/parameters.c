/* Named tensors <-> the layers of a graph. Batch norm is in evaluation mode, so it is a scale and a shift of the
 * convolution before it:
 *   weights' = weights * gamma / sqrt(var + eps)      bias' = beta - mean * gamma / sqrt(var + eps) */
#include "nn/resnet/parameters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/ops/norm.h"

/* Faults are all logged; the message keeps the first three and the number of the others. */
typedef struct faults {
  const iscp_context *context;
  int64_t count;
  char text[512];
} faults;

static void add_fault(faults *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_fault(faults *f, const char *format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  isc_log(f->context, ISCP_LOG_ERROR, "%s", line);
  size_t length = strlen(f->text);
  if (f->count < 3)
    snprintf(f->text + length, sizeof f->text - length, "%s%s", f->count ? "; " : "", line);
  f->count++;
}

/* One tensor that the network needs. `positive`: a variance, which must not be negative. */
typedef struct need {
  char name[64];
  int32_t dims;
  int64_t shape[4];
  bool positive;
} need;

typedef void need_fn(void *user, const need *item);

static void need_vector(need_fn *tell, void *user, const char *base, const char *leaf, int64_t size) {
  need item = {.dims = 1, .shape = {size}, .positive = !strcmp(leaf, "running_var")};
  snprintf(item.name, sizeof item.name, "%s.%s", base, leaf);
  tell(user, &item);
}

static void each_need(const isc_graph *graph, need_fn *tell, void *user) {
  for (int32_t i = 0; i < graph->layer_count; i++) {
    const isc_layer *layer = &graph->layers[i];
    const isc_conv_shape *s = &layer->shape;
    need weights = {.dims = 4, .shape = {s->oc, s->ic, s->k, s->k}};
    snprintf(weights.name, sizeof weights.name, "%s.weight", layer->conv);
    tell(user, &weights);
    static const char *const leaves[] = {"weight", "bias", "running_mean", "running_var"};
    for (int l = 0; l < 4; l++)
      need_vector(tell, user, layer->norm, leaves[l], s->oc);
  }
  need head = {.name = "fc.weight", .dims = 2, .shape = {graph->architecture.classes, graph->features}};
  tell(user, &head);
  need_vector(tell, user, "fc", "bias", graph->architecture.classes);
}

/* Whether no exponent is all ones, which it is in a NaN or infinite number alone. */
static bool all_finite_32(const uint32_t *words, int64_t count) {
  uint32_t bad = 0;
  for (int64_t i = 0; i < count; i++)
    bad |= (words[i] & 0x7f800000) == 0x7f800000;
  return !bad;
}

static bool all_finite_16(const uint16_t *words, int64_t count, uint16_t exponent) {
  uint16_t bad = 0;
  for (int64_t i = 0; i < count; i++)
    bad |= (words[i] & exponent) == exponent;
  return !bad;
}

static bool all_finite(const isc_tensor *tensor, bool positive) {
  int64_t count = isc_tensor_count(tensor);
  if (!positive && tensor->dtype == ISC_F32)
    return all_finite_32(tensor->data, count);
  if (!positive && (tensor->dtype == ISC_F16 || tensor->dtype == ISC_BF16))
    return all_finite_16(tensor->data, count, tensor->dtype == ISC_F16 ? 0x7c00 : 0x7f80);
  size_t size = isc_dtype_size(tensor->dtype);
  float part[1024];
  for (int64_t start = 0; start < count; start += 1024) {
    int64_t n = count - start < 1024 ? count - start : 1024;
    isc_to_f32(part, (const char *)tensor->data + (size_t)start * size, tensor->dtype, n);
    for (int64_t i = 0; i < n; i++)
      if (!isfinite(part[i]) || (positive && part[i] < 0))
        return false;
  }
  return true;
}

typedef struct check {
  faults *faults;
  const isc_tensor_set *tensors;
  bool *seen; /* of each tensor, whether the network needs it */
} check;

static void check_need(void *user, const need *item) {
  check *c = user;
  const isc_tensor *tensor = isc_tensor_set_find(c->tensors, item->name);
  char got[ISC_SHAPE_TEXT], expected[ISC_SHAPE_TEXT];
  if (tensor)
    c->seen[tensor - c->tensors->items] = true;
  if (!tensor)
    add_fault(c->faults, "tensor \"%s\" is missing", item->name);
  else if (tensor->dims != item->dims || memcmp(tensor->shape, item->shape, (size_t)item->dims * sizeof *item->shape))
    add_fault(c->faults, "tensor \"%s\" is %s, expected %s", item->name, isc_shape_text(got, tensor->dims, tensor->shape),
              isc_shape_text(expected, item->dims, item->shape));
  else if (tensor->dtype != ISC_F32 && tensor->dtype != ISC_F16 && tensor->dtype != ISC_BF16 && tensor->dtype != ISC_F64)
    add_fault(c->faults, "tensor \"%s\" is of %s, expected floating point", item->name, isc_dtype_name(tensor->dtype));
  else if (!all_finite(tensor, item->positive))
    add_fault(c->faults, "tensor \"%s\" holds a NaN%s number", item->name,
              item->positive ? ", infinite or negative" : " or infinite");
}

static bool ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && !strcmp(text + a - b, end);
}

static void check_unexpected(check *c) {
  for (size_t i = 0; i < c->tensors->count; i++)
    if (!c->seen[i] && !ends_with(c->tensors->items[i].name, ".num_batches_tracked"))
      add_fault(c->faults, "tensor \"%.80s\" is unexpected", c->tensors->items[i].name);
}

iscp_status isc_parameters_check(const isc_tensor_set *tensors, const isc_graph *graph, const iscp_context *context) {
  faults found = {.context = context};
  check c = {&found, tensors, isc_calloc(context, tensors->count + 1, sizeof *c.seen)};
  if (!c.seen)
    return ISCP_ERROR_MEMORY;
  each_need(graph, check_need, &c);
  check_unexpected(&c);
  isc_free(context, c.seen);
  if (!found.count)
    return ISCP_OK;
  if (found.count <= 3)
    return isc_fail(ISCP_ERROR_MISMATCH, "the weights do not fit a ResNet-%d: %s", graph->architecture.depth, found.text);
  return isc_fail(ISCP_ERROR_MISMATCH, "the weights do not fit a ResNet-%d: %s; and %lld more, listed in the log",
                  graph->architecture.depth, found.text, (long long)found.count - 3);
}

static void add_count(void *user, const need *item) {
  if (ends_with(item->name, ".running_mean") || ends_with(item->name, ".running_var"))
    return;
  int64_t product = 1;
  for (int32_t d = 0; d < item->dims; d++)
    product *= item->shape[d];
  *(int64_t *)user += product;
}

int64_t isc_parameters_count(const isc_graph *graph) {
  int64_t count = 0;
  each_need(graph, add_count, &count);
  return count;
}

static const isc_tensor *leaf_of(const isc_tensor_set *tensors, const char *base, const char *leaf) {
  char name[64];
  snprintf(name, sizeof name, "%s.%s", base, leaf);
  return isc_tensor_set_find(tensors, name);
}

/* One number of a vector, whatever its type. */
static double at(const isc_tensor *tensor, int64_t index) {
  if (tensor->dtype == ISC_F64)
    return ((const double *)tensor->data)[index];
  float value;
  isc_to_f32(&value, (const char *)tensor->data + (size_t)index * isc_dtype_size(tensor->dtype), tensor->dtype, 1);
  return value;
}

iscp_status isc_parameters_fold(float *weights, float *bias, const isc_tensor_set *tensors, const isc_layer *layer) {
  const isc_tensor *w = leaf_of(tensors, layer->conv, "weight"), *gamma = leaf_of(tensors, layer->norm, "weight");
  const isc_tensor *beta = leaf_of(tensors, layer->norm, "bias"), *mean = leaf_of(tensors, layer->norm, "running_mean");
  const isc_tensor *variance = leaf_of(tensors, layer->norm, "running_var");
  isc_to_f32(weights, w->data, w->dtype, isc_tensor_count(w));
  int64_t row = (int64_t)layer->shape.ic * layer->shape.k * layer->shape.k;
  for (int32_t o = 0; o < layer->shape.oc; o++) {
    double scale = at(gamma, o) / sqrt(at(variance, o) + ISC_NORM_EPS);
    bias[o] = (float)(at(beta, o) - at(mean, o) * scale);
    bool fits = isfinite(bias[o]);
    for (int64_t i = 0; i < row; i++) {
      weights[o * row + i] = (float)(weights[o * row + i] * scale);
      fits = fits && isfinite(weights[o * row + i]);
    }
    if (!fits)
      return isc_fail(ISCP_ERROR_MISMATCH, "channel %d of \"%s\" overflows float32 when batch norm is folded in", o,
                      layer->norm);
  }
  return ISCP_OK;
}

void isc_parameters_reverse(float *weights, const isc_conv_shape *s) {
  int64_t kernel = (int64_t)s->k * s->k;
  for (int32_t o = 0; o < s->oc; o++)
    for (int32_t c = 0; c < s->ic / 2; c++)
      for (int64_t i = 0; i < kernel; i++) {
        float *a = weights + ((int64_t)o * s->ic + c) * kernel + i, *b = a + (s->ic - 1 - 2 * c) * kernel, swap = *a;
        *a = *b;
        *b = swap;
      }
}
