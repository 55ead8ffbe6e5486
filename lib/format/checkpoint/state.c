/* From a pickle's tree to the state dict in it: which dict of a training checkpoint holds the weights, and what the state
 * dict of a module that was saved whole would be. */
#include "format/checkpoint/state.h"

#include <stdio.h>
#include <string.h>

/* A value that stands in many places is looked at in each: a file of a kilobyte can ask for days. An honest one has few
 * such, and all of its values are 2^20 at most. */
enum { DICT_DEPTH = 2, MODULE_DEPTH = 32, MODULE_LIMIT = 20000, NAME_LIMIT = 1024, WORK_LIMIT = 1 << 22, KERNEL_DIMS = 4 };

/* The order is the choice: trained weights before their moving averages. */
static const char *const customary[] = {
    "state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "weights",
    "params", "model_ema", "state_dict_ema", "ema_state_dict", "ema",
};
enum { CUSTOMARY = sizeof customary / sizeof *customary };

/* ---- What holds weights ---- */

static uint32_t kind_of(const isc_pickle *pickle, isc_value value) { return isc_pickle_node(pickle, value)->kind; }

isc_value isc_state_tensor(const isc_pickle *pickle, isc_value tensor) {
  for (int depth = 0; depth < 4 && kind_of(pickle, tensor) == ISC_VALUE_CALL; depth++) {
    const isc_node *node = isc_pickle_node(pickle, tensor);
    uint32_t meaning = node->length;
    isc_value arguments = node->pair.last;
    if (meaning == ISC_NAME_REBUILD_AS) {
      const isc_node *function = isc_pickle_node(pickle, isc_pickle_item(pickle, arguments, 0));
      meaning = function->kind == ISC_VALUE_NAME ? function->length : ISC_NAME_FOREIGN;
      arguments = isc_pickle_item(pickle, arguments, 2);
    }
    if (meaning == ISC_NAME_REBUILD_TENSOR)
      return arguments;
    if (meaning != ISC_NAME_REBUILD_PARAMETER)
      return 0;
    tensor = isc_pickle_item(pickle, arguments, 0);
  }
  return 0;
}

/* Whether the value is a tensor of at least `dims` dimensions; of one that is made in another way they are not known. */
static bool is_tensor(const isc_pickle *pickle, isc_value value, uint32_t dims) {
  if (kind_of(pickle, value) != ISC_VALUE_CALL)
    return false;
  isc_value shape = isc_pickle_item(pickle, isc_state_tensor(pickle, value), 2);
  return !dims || isc_pickle_node(pickle, shape)->length >= dims;
}

/* What `key` of a module's attributes is, a dict or none: "_parameters", "_buffers", "_modules". */
static isc_value part_of_module(const isc_pickle *pickle, isc_value module, const char *key) {
  const isc_node *node = isc_pickle_node(pickle, module);
  return node->kind == ISC_VALUE_OBJECT ? isc_pickle_find(pickle, node->pair.last, key) : 0;
}

static bool is_module(const isc_pickle *pickle, isc_value value) {
  return kind_of(pickle, part_of_module(pickle, value, "_modules")) == ISC_VALUE_DICT;
}

/* The values that a look at a dict, or at a module's attributes, meets. */
static int64_t work_of(const isc_pickle *pickle, isc_value value) {
  const isc_node *node = isc_pickle_node(pickle, value);
  if (node->kind == ISC_VALUE_OBJECT)
    node = isc_pickle_node(pickle, node->pair.last);
  return node->kind == ISC_VALUE_DICT ? node->length : 0;
}

/* Kernels are called so, whatever is behind it; pictures and masks, which stand beside a state dict at times, are not. */
static bool is_weight_name(const isc_pickle *pickle, isc_value key) {
  const isc_node *node = isc_pickle_node(pickle, key);
  return node->kind == ISC_VALUE_TEXT && memmem(pickle->bytes + node->offset, node->length, "weight", 6);
}

static bool holds_weights(const isc_pickle *pickle, isc_value value, uint32_t dims) {
  if (is_module(pickle, value))
    return true;
  if (kind_of(pickle, value) != ISC_VALUE_DICT)
    return false;
  for (isc_value link = isc_pickle_first(pickle, value); link;) {
    isc_value key = isc_pickle_step(pickle, &link), item = isc_pickle_step(pickle, &link);
    if (is_tensor(pickle, item, dims) && (dims < KERNEL_DIMS || is_weight_name(pickle, key)))
      return true;
  }
  return false;
}

/* ---- The choice ---- */

static void extend_path(isc_state *state, const char *key, size_t length) {
  size_t at = strlen(state->path);
  snprintf(state->path + at, sizeof state->path - at, "%s%.*s", at ? "." : "", (int)length, key);
  for (size_t end = strlen(state->path); !isc_is_text(state->path, end); end--) /* cut within a character, or none */
    state->path[end - 1] = 0;
}

static bool search(isc_state *state, const isc_pickle *pickle, isc_value value, uint32_t dims, int depth) {
  if (holds_weights(pickle, value, dims)) {
    state->root = value;
    return true;
  }
  for (int i = 0; depth < DICT_DEPTH && i < CUSTOMARY; i++) {
    size_t length = strlen(state->path);
    isc_value inner = isc_pickle_find(pickle, value, customary[i]);
    if (!inner)
      continue;
    extend_path(state, customary[i], strlen(customary[i]));
    if (search(state, pickle, inner, dims, depth + 1))
      return true;
    state->path[length] = 0;
  }
  return false;
}

/* The one dict of the top level that holds weights under whatever key. */
static bool search_other(isc_state *state, const isc_pickle *pickle, uint32_t dims) {
  isc_value found = 0;
  const isc_node *name = NULL;
  int64_t work = 0;
  if (kind_of(pickle, pickle->root) != ISC_VALUE_DICT)
    return false;
  for (isc_value link = isc_pickle_first(pickle, pickle->root); link;) {
    isc_value key = isc_pickle_step(pickle, &link), value = isc_pickle_step(pickle, &link);
    work += work_of(pickle, value);
    if (work > WORK_LIMIT)
      return false;
    if (kind_of(pickle, key) != ISC_VALUE_TEXT || !holds_weights(pickle, value, dims))
      continue;
    if (found)
      return false;
    found = value;
    name = isc_pickle_node(pickle, key);
  }
  if (!found)
    return false;
  state->root = found;
  extend_path(state, (const char *)pickle->bytes + name->offset, name->length);
  return true;
}

/* Writes the customary keys of the top level that hold weights, other than the one chosen. */
static void list_others(char *text, size_t size, const isc_state *state, const isc_pickle *pickle) {
  *text = 0;
  for (int i = 0; i < CUSTOMARY; i++) {
    isc_value value = isc_pickle_find(pickle, pickle->root, customary[i]);
    size_t length = strlen(text);
    if (value && value != state->root && holds_weights(pickle, value, 1))
      snprintf(text + length, size - length, "%s%s", *text ? ", " : "", customary[i]);
  }
}

static iscp_status take_wanted(isc_state *state, const isc_pickle *pickle, const char *wanted) {
  isc_value value = isc_pickle_find(pickle, pickle->root, wanted);
  char key[ISC_STATE_PATH];
  const char *rest = wanted;
  if (!value) {
    value = pickle->root;
    while (*rest && value) {
      size_t length = strcspn(rest, ".");
      snprintf(key, sizeof key, "%.*s", (int)length, rest);
      value = isc_pickle_find(pickle, value, key);
      rest += length + (rest[length] == '.');
    }
  }
  if (value && holds_weights(pickle, value, 1)) {
    state->root = value;
    extend_path(state, wanted, strlen(wanted));
    return ISCP_OK;
  }
  list_others(key, sizeof key, state, pickle);
  return isc_fail(ISCP_ERROR_MISMATCH, "has no state dict \"%.64s\", expected one that it has: %s", wanted,
                  *key ? key : "top level");
}

static iscp_status fail_without(const isc_pickle *pickle) {
  static const char *const hint = "expected a state dict: torch.save(model.state_dict(), file)";
  char name[ISC_NAME_TEXT];
  if (kind_of(pickle, pickle->root) == ISC_VALUE_OBJECT)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "holds a whole object of %s, which is not read, %s",
                    isc_pickle_name_text(name, pickle, pickle->root), hint);
  if (kind_of(pickle, pickle->root) != ISC_VALUE_DICT)
    return isc_fail(ISCP_ERROR_FORMAT, "holds no dict, %s", hint);
  for (int i = 0; i < CUSTOMARY; i++) {
    isc_value value = isc_pickle_find(pickle, pickle->root, customary[i]);
    if (kind_of(pickle, value) == ISC_VALUE_OBJECT)
      return isc_fail(ISCP_ERROR_UNSUPPORTED, "holds in \"%s\" an object of %s, which is not read, %s", customary[i],
                      isc_pickle_name_text(name, pickle, value), hint);
  }
  return isc_fail(ISCP_ERROR_FORMAT, "holds no tensor, expected a state dict at the top level or in state_dict, "
                  "model_state_dict, model, net, network, module, model_ema, state_dict_ema or ema");
}

iscp_status isc_state_choose(isc_state *state, const iscp_context *context, const isc_pickle *pickle,
                             const char *wanted) {
  *state = (isc_state){0};
  if (wanted)
    ISC_TRY(take_wanted(state, pickle, wanted));
  else if (!search(state, pickle, pickle->root, KERNEL_DIMS, 0) && !search_other(state, pickle, KERNEL_DIMS) &&
           !search(state, pickle, pickle->root, 0, 0))
    return fail_without(pickle);
  if (!*state->path)
    snprintf(state->path, sizeof state->path, "top level");
  char others[ISC_STATE_PATH], name[ISC_NAME_TEXT];
  list_others(others, sizeof others, state, pickle);
  if (*others)
    isc_log(context, ISCP_LOG_INFO, "the weights are those of \"%s\"; there are others in %s", state->path, others);
  if (is_module(pickle, state->root))
    isc_log(context, ISCP_LOG_WARNING, "the checkpoint is a whole module of %s: its tensors are read, not its code",
            isc_pickle_name_text(name, pickle, state->root));
  return ISCP_OK;
}

/* ---- The tensors ---- */

typedef struct walk {
  const isc_pickle *pickle;
  isc_state_fn *tell;
  void *user;
  int modules;
  int64_t work;
  char name[NAME_LIMIT + 1];
} walk;

static iscp_status count_work(walk *w, isc_value value) {
  w->work += work_of(w->pickle, value);
  return w->work <= WORK_LIMIT ? ISCP_OK
                               : isc_fail(ISCP_ERROR_FORMAT, "its module has the same parts in too many places, with more "
                                          "than %d values together", WORK_LIMIT);
}

/* Appends a key to the name, which has `length` bytes. */
static iscp_status append_key(walk *w, size_t length, isc_value key, const char *end) {
  const isc_node *node = isc_pickle_node(w->pickle, key);
  const char *text = node->kind == ISC_VALUE_TEXT ? (const char *)w->pickle->bytes + node->offset : NULL;
  if (!text || !node->length || length + node->length + strlen(end) > NAME_LIMIT || !isc_is_text(text, node->length))
    return isc_fail(ISCP_ERROR_FORMAT, "a tensor has no readable name, expected a text of 1 to %d bytes", NAME_LIMIT);
  memcpy(w->name + length, text, node->length);
  memcpy(w->name + length + node->length, end, strlen(end) + 1);
  return ISCP_OK;
}

/* The tensors among a dict's values; others (an epoch, an accuracy) are no weights. */
static iscp_status walk_dict(walk *w, size_t length, isc_value dict) {
  if (kind_of(w->pickle, dict) != ISC_VALUE_DICT)
    return ISCP_OK;
  ISC_TRY(count_work(w, dict));
  for (isc_value link = isc_pickle_first(w->pickle, dict); link;) {
    isc_value key = isc_pickle_step(w->pickle, &link), value = isc_pickle_step(w->pickle, &link);
    if (!is_tensor(w->pickle, value, 0))
      continue;
    ISC_TRY(append_key(w, length, key, ""));
    ISC_TRY(w->tell(w->user, w->name, value));
  }
  return ISCP_OK;
}

static iscp_status walk_module(walk *w, size_t length, isc_value module, int depth) {
  if (depth > MODULE_DEPTH || ++w->modules > MODULE_LIMIT)
    return isc_fail(ISCP_ERROR_FORMAT, "its module is nested deeper than %d or has more than %d parts", MODULE_DEPTH,
                    MODULE_LIMIT);
  ISC_TRY(walk_dict(w, length, part_of_module(w->pickle, module, "_parameters")));
  ISC_TRY(walk_dict(w, length, part_of_module(w->pickle, module, "_buffers")));
  isc_value modules = part_of_module(w->pickle, module, "_modules");
  for (isc_value link = isc_pickle_first(w->pickle, modules); link;) {
    isc_value key = isc_pickle_step(w->pickle, &link), value = isc_pickle_step(w->pickle, &link);
    ISC_TRY(count_work(w, value));
    if (!is_module(w->pickle, value))
      continue; /* None */
    ISC_TRY(append_key(w, length, key, "."));
    ISC_TRY(walk_module(w, strlen(w->name), value, depth + 1));
  }
  return ISCP_OK;
}

iscp_status isc_state_each(const isc_state *state, const isc_pickle *pickle, isc_state_fn *tell, void *user) {
  walk w = {.pickle = pickle, .tell = tell, .user = user};
  return is_module(pickle, state->root) ? walk_module(&w, 0, state->root, 0) : walk_dict(&w, 0, state->root);
}
