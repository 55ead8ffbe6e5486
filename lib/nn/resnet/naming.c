/* The names that checkpoints give to a ResNet's tensors, in tables, and their way to torchvision's, which all that
 * follows speaks. A wrapper puts a prefix before the names (DataParallel's "module."), a project has names of its own,
 * and the last layer has many. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "nn/resnet/naming.h"

/* A beginning of a name, and what stands for it with torchvision: '#' is a number, '+' one that is written one higher;
 * in `to` each '#' takes the next of them. */
typedef struct rule {
  const char *from, *to;
} rule;

enum { RULES = 8 };

typedef struct scheme {
  const char *name;
  const char *block; /* the weights of the first block's first convolution: what a network is found by */
  rule rules[RULES];
} scheme;

static const char LAYERS[] = "layer1.0.conv1.weight";

/* Two schemes of one block are told apart by whether a rule of the second applies. */
static const scheme schemes[] = {
    {"torchvision", LAYERS, {{0}}},
    {"pytorch-cifar", LAYERS, {{"layer#.#.shortcut.", "layer#.#.downsample."}}},
    {"Hugging Face", "encoder.stages.0.layers.0.layer.0.convolution.weight",
     {{"embedder.embedder.convolution.", "conv1."},
      {"embedder.embedder.normalization.", "bn1."},
      {"encoder.stages.+.layers.#.layer.+.convolution.", "layer#.#.conv#."},
      {"encoder.stages.+.layers.#.layer.+.normalization.", "layer#.#.bn#."},
      {"encoder.stages.+.layers.#.shortcut.convolution.", "layer#.#.downsample.0."},
      {"encoder.stages.+.layers.#.shortcut.normalization.", "layer#.#.downsample.1."}}},
    {"torchvision as Sequential", "4.0.conv1.weight",
     {{"0.", "conv1."}, {"1.", "bn1."}, {"4.", "layer1."}, {"5.", "layer2."}, {"6.", "layer3."}, {"7.", "layer4."}}},
};
enum { SCHEMES = sizeof schemes / sizeof *schemes };

/* Parts of prefixes that wrappers are known to put before a network. */
static const char *const wrappers[] = {"module", "_orig_mod", "model", "backbone", "net", "encoder", "network", "resnet"};

/* The dense layer, in the order in which it is looked for, itself or the only numbered one in it. */
static const char *const heads[] = {"fc", "linear", "classifier", "head", "head.fc", "last_linear"};

/* What tools leave in a state dict beside the network. */
static const char *const leftovers[] = {"total_ops", "total_params"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool starts_with(const char *text, const char *start) { return !strncmp(text, start, strlen(start)); }

static bool ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && !strcmp(text + a - b, end);
}

/* ---- Where the network is ---- */

/* A place where a network's first block was found. */
typedef struct place {
  const scheme *scheme;
  char prefix[ISC_PREFIX_TEXT];
  int parts;     /* of the prefix */
  bool is_known; /* all of them are wrappers' */
} place;

enum { PLACES = 16 };

static bool is_wrapper(const char *part, size_t length) {
  for (size_t i = 0; i < COUNT(wrappers); i++)
    if (strlen(wrappers[i]) == length && !memcmp(wrappers[i], part, length))
      return true;
  return false;
}

static void rate(place *p) {
  p->parts = 0;
  p->is_known = true;
  for (const char *part = p->prefix; *part; part = strchr(part, '.') + 1) {
    p->is_known = p->is_known && is_wrapper(part, strcspn(part, "."));
    p->parts++;
  }
}

/* Whether `name` is the first block of a scheme behind a prefix. */
static bool find_place(place *p, const scheme *s, const char *name) {
  size_t length = strlen(name) - (ends_with(name, s->block) ? strlen(s->block) : 0);
  if (name[length] == 0 || length >= sizeof p->prefix || (length && name[length - 1] != '.'))
    return false;
  p->scheme = s;
  memcpy(p->prefix, name, length);
  p->prefix[length] = 0;
  rate(p);
  return true;
}

static int find_places(place places[PLACES], const isc_tensor_set *tensors) {
  int count = 0;
  for (size_t i = 0; i < tensors->count; i++)
    for (int s = 0; s < SCHEMES && count < PLACES; s++) {
      if (s && schemes[s].block == schemes[s - 1].block)
        continue;
      if (tensors->items[i].dims == 4 && find_place(&places[count], &schemes[s], tensors->items[i].name))
        count++;
    }
  return count;
}

/* A prefix of known wrappers before any other, then the shorter one, then the first of the file. */
static bool is_better(const place *a, const place *b) {
  if (a->is_known != b->is_known)
    return a->is_known;
  return a->parts < b->parts;
}

static iscp_status choose_place(const place **out, const place *places, int count, const iscp_context *context) {
  const place *best = &places[0];
  for (int i = 1; i < count; i++)
    if (is_better(&places[i], best))
      best = &places[i];
  for (int i = 0; i < count; i++) {
    if (&places[i] == best)
      continue;
    if (!best->is_known)
      return isc_fail(ISCP_ERROR_MISMATCH, "holds several networks, under \"%.60s\" and \"%.60s\", expected one: keep the "
                      "tensors of one of them", best->prefix, places[i].prefix);
    isc_log(context, ISCP_LOG_WARNING, "the network under \"%s\" is taken, the one under \"%s\" is left out", best->prefix,
            places[i].prefix);
  }
  *out = best;
  return ISCP_OK;
}

/* ---- The dense layer ---- */

/* Of the prefix with a head's name behind it, of that with a dot, and of its weights. */
enum { BASE_TEXT = ISC_PREFIX_TEXT + 24, HEAD_TEXT = BASE_TEXT + 2, WEIGHT_TEXT = BASE_TEXT + 8 };

static const isc_tensor *find_dense(const isc_tensor_set *tensors, char *name, const char *base) {
  snprintf(name, WEIGHT_TEXT, "%s.weight", base);
  const isc_tensor *found = isc_tensor_set_find(tensors, name);
  return found && found->dims == 2 ? found : NULL;
}

/* Writes "fc." or "fc.1." to `head`, with what stands before it, for the first kind of head that is there. */
static iscp_status find_head_at(char *head, const isc_tensor_set *tensors, const char *prefix) {
  char base[BASE_TEXT], name[WEIGHT_TEXT];
  *head = 0;
  for (size_t h = 0; h < COUNT(heads) && !*head; h++) {
    snprintf(base, sizeof base, "%s%s", prefix, heads[h]);
    if (find_dense(tensors, name, base)) {
      snprintf(head, HEAD_TEXT, "%s.", base);
      return ISCP_OK;
    }
    for (int n = 0; n < 10; n++) {
      snprintf(base, sizeof base, "%s%s.%d", prefix, heads[h], n);
      if (!find_dense(tensors, name, base))
        continue;
      if (*head)
        return isc_fail(ISCP_ERROR_UNSUPPORTED, "computes something else than a ResNet: several dense layers, \"%sweight\" and "
                        "\"%s\", expected one", head, name);
      snprintf(head, HEAD_TEXT, "%s.", base);
    }
  }
  return ISCP_OK;
}

/* Beside the network, or beside what holds it. */
static iscp_status find_head(char *head, const isc_tensor_set *tensors, const char *prefix) {
  char outer[ISC_PREFIX_TEXT];
  memcpy(outer, prefix, strlen(prefix) + 1);
  for (;;) {
    ISC_TRY(find_head_at(head, tensors, outer));
    size_t length = strlen(outer);
    if (*head || !length)
      break;
    do
      outer[--length] = 0;
    while (length && outer[length - 1] != '.');
  }
  if (*head)
    return ISCP_OK;
  return isc_fail(ISCP_ERROR_UNSUPPORTED, "is no classifier: no dense layer (\"%sfc.weight\", \"linear.weight\", "
                  "\"classifier.weight\" or \"head.weight\") beside the convolutions", prefix);
}

/* ---- Outside of the network ---- */

static bool is_in_another(const char *name, const place *chosen, const place *places, int count) {
  for (int i = 0; i < count; i++)
    if (&places[i] != chosen && starts_with(name, places[i].prefix))
      return true;
  return false;
}

/* A layer that fits in a row with the network and its head most likely stands there, and what the network computes then is
 * not what the model does. */
static iscp_status check_outside(const isc_tensor_set *tensors, const place *chosen, const place *places, int count,
                                 const char *head) {
  char name[ISC_PREFIX_TEXT + 32];
  snprintf(name, sizeof name, "%sweight", head);
  const isc_tensor *dense = isc_tensor_set_find(tensors, name);
  int64_t classes = dense->shape[0], features = starts_with(head, chosen->prefix) ? -1 : dense->shape[1];
  for (size_t i = 0; i < tensors->count; i++) {
    const isc_tensor *t = &tensors->items[i];
    if (starts_with(t->name, chosen->prefix) || t == dense || is_in_another(t->name, chosen, places, count))
      continue;
    bool is_dense = t->dims == 2 && ends_with(t->name, ".weight") &&
                    (t->shape[1] == classes || (t->shape[0] == features && t->shape[1] == features));
    bool is_norm = t->dims == 1 && ends_with(t->name, ".running_mean") &&
                   (t->shape[0] == classes || t->shape[0] == features || t->shape[0] == 1 || t->shape[0] == 3);
    if (is_dense || is_norm)
      return isc_fail(ISCP_ERROR_UNSUPPORTED, "computes something else than a ResNet: a layer outside of the network under "
                      "\"%.60s\", \"%.60s\": if it does not count, keep it out of the file", chosen->prefix, t->name);
  }
  return ISCP_OK;
}

/* ---- Renaming ---- */

/* Applies a rule to `name`: what is behind the beginning stays. */
static bool apply_rule(char *to, size_t size, const rule *r, const char *name) {
  int64_t numbers[4];
  int count = 0;
  const char *n = name;
  for (const char *f = r->from; *f; f++) {
    if (*f != '#' && *f != '+') {
      if (*n++ != *f)
        return false;
      continue;
    }
    if (!isdigit((unsigned char)*n))
      return false;
    for (numbers[count] = 0; isdigit((unsigned char)*n) && numbers[count] < 10000; n++)
      numbers[count] = 10 * numbers[count] + (*n - '0');
    numbers[count++] += *f == '+';
  }
  size_t at = 0;
  count = 0;
  for (const char *t = r->to; *t && at < size; t++)
    at += (size_t)(*t == '#' ? snprintf(to + at, size - at, "%lld", (long long)numbers[count++])
                             : snprintf(to + at, size - at, "%c", *t));
  return at < size && (size_t)snprintf(to + at, size - at, "%s", n) < size - at;
}

static const scheme *translate(char *to, size_t size, const scheme *first, const char *name) {
  for (const scheme *s = first; s < schemes + SCHEMES && s->block == first->block; s++)
    for (int r = 0; r < RULES && s->rules[r].from; r++)
      if (apply_rule(to, size, &s->rules[r], name))
        return s;
  snprintf(to, size, "%s", name);
  return first;
}

/* The network's own mean or std, of one number or one a channel: the input contract must say it. */
static bool is_normalizer(const isc_tensor *tensor) {
  const char *dot = strrchr(tensor->name, '.'), *last = dot ? dot + 1 : tensor->name;
  return (strstr(last, "mean") || strstr(last, "std")) && !starts_with(last, "running") && isc_tensor_count(tensor) <= 3 &&
         isc_tensor_count(tensor) > 0;
}

static bool is_leftover(const char *name) {
  for (size_t i = 0; i < COUNT(leftovers); i++)
    if (ends_with(name, leftovers[i]))
      return true;
  return false;
}

static void tell_normalizer(const iscp_context *context, const isc_tensor *tensor) {
  float values[3] = {0};
  isc_to_f32(values, tensor->data, tensor->dtype, isc_tensor_count(tensor));
  isc_log(context, ISCP_LOG_WARNING, "the network normalises its input itself: \"%s\" is %g, %g, %g; it is left out, and the "
          "input contract must say the same", tensor->name, (double)values[0], (double)values[1], (double)values[2]);
}

typedef struct renaming {
  const iscp_context *context;
  const scheme *first, *used;
  const char *prefix, *head;
  size_t outside;          /* tensors that were left out */
  const char *one_outside; /* the name of the first */
} renaming;

/* Writes the tensor's new name; false for a tensor that does not belong to the network. */
static bool new_name(renaming *r, char *to, size_t size, const isc_tensor *tensor) {
  const char *name = tensor->name, *leaf = name + strlen(r->head);
  if (starts_with(name, r->head) && (!strcmp(leaf, "weight") || !strcmp(leaf, "bias"))) {
    snprintf(to, size, "fc.%s", leaf);
    return true;
  }
  if (is_leftover(name))
    return false;
  if (is_normalizer(tensor)) {
    tell_normalizer(r->context, tensor);
    return false;
  }
  if (!starts_with(name, r->prefix)) {
    if (!r->outside++)
      r->one_outside = name;
    return false;
  }
  const scheme *used = translate(to, size, r->first, name + strlen(r->prefix));
  r->used = used > r->used ? used : r->used;
  return true;
}

static iscp_status rename_tensors(renaming *r, isc_tensor_set *tensors) {
  isc_tensor_set kept = {0};
  iscp_status status = ISCP_OK;
  char name[1100];
  for (size_t i = 0; i < tensors->count && status == ISCP_OK; i++) {
    isc_tensor *tensor = &tensors->items[i];
    if (!new_name(r, name, sizeof name, tensor))
      continue;
    char *copy = isc_strdup(r->context, name);
    if (!copy) {
      status = ISCP_ERROR_MEMORY;
      break;
    }
    isc_free(r->context, tensor->name);
    tensor->name = copy;
    status = isc_tensor_set_add(&kept, r->context, tensor);
  }
  if (r->outside)
    isc_log(r->context, ISCP_LOG_WARNING, "%zu tensors outside of the network under \"%s\" are left out, \"%s\" the first of "
            "them", r->outside, r->prefix, r->one_outside);
  isc_tensor_set left = {.items = tensors->items, .count = tensors->count};
  tensors->items = kept.items;
  tensors->count = kept.count;
  tensors->capacity = kept.capacity;
  isc_tensor_set_release(&left, r->context);
  return status;
}

iscp_status isc_naming_apply(isc_naming *found, const iscp_context *context, isc_tensor_set *tensors) {
  place places[PLACES];
  const place *chosen;
  char head[HEAD_TEXT];
  int count = find_places(places, tensors);
  if (!count)
    return isc_lookalike_fail(tensors);
  ISC_TRY(choose_place(&chosen, places, count, context));
  ISC_TRY(isc_lookalike_check_names(tensors, chosen->prefix));
  ISC_TRY(find_head(head, tensors, chosen->prefix));
  ISC_TRY(check_outside(tensors, chosen, places, count, head));
  renaming r = {.context = context, .first = chosen->scheme, .used = chosen->scheme, .prefix = chosen->prefix, .head = head};
  ISC_TRY(rename_tensors(&r, tensors));
  found->scheme = r.used->name;
  memcpy(found->prefix, chosen->prefix, sizeof found->prefix);
  return isc_lookalike_check_shapes(tensors);
}
