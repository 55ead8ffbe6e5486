/* Input contracts in files: libiscp's JSON object or a config of others (contract_read.c tells them apart), given by its path or
 * found beside the weights; and the object written. */
#include <string.h>
#include <unistd.h>

#include "data/contract/contract.h"
#include "format/format.h"

enum { LARGEST_FILE = 1 << 20 };

iscp_status isc_contract_load(iscp_contract *contract, char ***names, size_t *count, const iscp_context *context,
                              const char *path) {
  uint8_t *bytes;
  size_t size;
  *names = NULL;
  *count = 0;
  ISC_TRY(isc_file_read(&bytes, &size, context, path, LARGEST_FILE));
  iscp_status status = isc_contract_parse(contract, names, count, context, (const char *)bytes, size, true);
  isc_free(context, bytes);
  return status == ISCP_OK ? ISCP_OK : isc_fail_in(status, path);
}

/* ---- Beside the weights ---- */

/* "folder/name" for a file `path` of that folder. */
static char *sibling(const iscp_context *context, const char *path, const char *name) {
  const char *slash = strrchr(path, '/');
  size_t folder = slash ? (size_t)(slash - path) + 1 : 0, length = strlen(name);
  char *text = isc_alloc(context, folder + length + 1);
  if (!text)
    return NULL;
  memcpy(text, path, folder);
  memcpy(text + folder, name, length + 1);
  return text;
}

static char *with_ending(const iscp_context *context, const char *path, const char *ending) {
  size_t length = strlen(path), more = strlen(ending);
  char *text = isc_alloc(context, length + more + 1);
  if (!text)
    return NULL;
  memcpy(text, path, length);
  memcpy(text + length, ending, more + 1);
  return text;
}

/* A config.json may be about anything: only one that speaks of preprocessing counts. */
static iscp_status speaks_of_preprocessing(bool *speaks, const iscp_context *context, const char *path) {
  uint8_t *bytes;
  size_t size;
  *speaks = false;
  iscp_status status = isc_file_read(&bytes, &size, context, path, LARGEST_FILE);
  if (status != ISCP_OK)
    return status == ISCP_ERROR_MEMORY ? status : ISCP_OK;
  json_t *root = json_loadb((const char *)bytes, size, 0, NULL);
  *speaks = root && json_is_object(root) && isc_contract_is_foreign(root);
  json_decref(root);
  isc_free(context, bytes);
  return ISCP_OK;
}

iscp_status isc_contract_find(char **path, const iscp_context *context, const char *weights) {
  static const char *const configs[] = {"config.json", "preprocessor_config.json"};
  char *found = with_ending(context, weights, ".contract.json");
  if (!found)
    return ISCP_ERROR_MEMORY;
  bool here = !access(found, F_OK);
  for (int i = 0; !here && i < 2; i++) {
    isc_free(context, found);
    found = sibling(context, weights, configs[i]);
    if (!found)
      return ISCP_ERROR_MEMORY;
    iscp_status status = access(found, F_OK) ? ISCP_OK : speaks_of_preprocessing(&here, context, found);
    if (status != ISCP_OK) {
      isc_free(context, found);
      return status;
    }
  }
  if (!here) {
    isc_free(context, found);
    found = NULL;
  }
  *path = found;
  return ISCP_OK;
}

/* ---- The public face ---- */

iscp_status iscp_contract_read(iscp_contract *contract, iscp_context *context, const char *path) {
  if (!contract || !context || !path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", !contract ? "contract" : !context ? "context" : "path");
  iscp_contract read;
  char **names;
  size_t count;
  ISC_TRY(isc_contract_load(&read, &names, &count, context, path));
  isc_names_free(names, count, context);
  return isc_contract_give(contract, &read);
}

iscp_status iscp_contract_write(const iscp_contract *contract, iscp_context *context, const char *path,
                                const char *const *class_names, int32_t class_count) {
  if (!context || !path)
    return isc_fail(ISCP_ERROR_ARGUMENT, "%s is NULL", context ? "path" : "context");
  if (class_count < 0 || (class_count > 0 && !class_names))
    return isc_fail(ISCP_ERROR_ARGUMENT, "class_count is %d with class_names %s, expected 0 or a list of that many names",
                    class_count, class_names ? "set" : "NULL");
  iscp_contract whole;
  char *json;
  ISC_TRY(isc_contract_read(&whole, contract));
  ISC_TRY(isc_contract_print(&json, context, &whole, class_names, (size_t)class_count));
  iscp_status status = isc_file_write(context, path, json, strlen(json));
  isc_free(context, json);
  return status;
}
