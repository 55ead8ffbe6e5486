/* Says what files hold, in the lines of fixtures/expected.txt:
 *
 *   dump FILE...           checkpoints, arrays and pictures, told by their extension
 *   dump --copy FILE OUT   reads FILE and writes what it holds as OUT (.safetensors, .npy or .png)
 *
 * Returns 1 if a file was refused; the message is on stderr. */
#include <stdio.h>
#include <string.h>

#include "format/format.h"

static int ends_with(const char *text, const char *end) {
  size_t length = strlen(text), end_length = strlen(end);
  return length >= end_length && !strcmp(text + length - end_length, end);
}

static int is_checkpoint(const char *path) { return ends_with(path, ".pth") || ends_with(path, ".safetensors"); }

static iscp_status read_one(isc_tensor *tensor, const iscp_context *context, const char *path) {
  return isc_is_image_name(path) ? isc_read_image(tensor, context, path) : isc_read_array(tensor, context, path);
}

static int say_tensor(const isc_tensor *tensor, const iscp_context *context, const char *file) {
  char shape[ISC_SHAPE_TEXT], hash[ISC_DIGEST_TEXT];
  isc_digest *digest;
  if (isc_digest_create(&digest, context) != ISCP_OK)
    return 1;
  isc_digest_update(digest, tensor->data, isc_tensor_bytes(tensor));
  isc_digest_finish(digest, hash);
  printf("%s\t%s\t%s\t%s\t%s\n", file, tensor->name ? tensor->name : "-", isc_dtype_name(tensor->dtype),
         isc_shape_text(shape, tensor->dims, tensor->shape), hash);
  return 0;
}

static void say_metadata(const char *file, const char *key, const char *value) {
  printf("%s\tmetadata\t%s\t", file, key);
  for (; *value; value++)
    putchar((unsigned char)*value < 0x20 ? '?' : *value);
  putchar('\n');
}

static int refused(void) {
  fprintf(stderr, "%s\n", iscp_error_message());
  return 1;
}

static int say(const iscp_context *context, const char *path) {
  const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
  int bad = 0;
  if (!is_checkpoint(path)) {
    isc_tensor tensor;
    if (read_one(&tensor, context, path) != ISCP_OK)
      return refused();
    bad = say_tensor(&tensor, context, file);
    isc_tensor_release(&tensor, context);
    return bad;
  }
  isc_tensor_set set;
  if (isc_read_tensors(&set, context, path) != ISCP_OK)
    return refused();
  for (size_t i = 0; i < set.metadata_count; i++)
    say_metadata(file, set.keys[i], set.values[i]);
  for (size_t i = 0; i < set.count; i++)
    bad |= say_tensor(&set.items[i], context, file);
  isc_tensor_set_release(&set, context);
  return bad;
}

static int copy(const iscp_context *context, const char *path, const char *out) {
  iscp_status status;
  if (is_checkpoint(path)) {
    isc_tensor_set set;
    status = isc_read_tensors(&set, context, path);
    if (status == ISCP_OK)
      status = isc_write_safetensors(&set, context, out);
    isc_tensor_set_release(&set, context);
  } else {
    isc_tensor tensor;
    status = read_one(&tensor, context, path);
    if (status == ISCP_OK)
      status = isc_is_image_name(out) ? isc_write_png(&tensor, context, out) : isc_write_npy(&tensor, context, out);
    isc_tensor_release(&tensor, context);
  }
  return status == ISCP_OK ? 0 : refused();
}

int main(int count, char **words) {
  iscp_context *context;
  int bad = 0;
  if (iscp_context_create(&context, NULL) != ISCP_OK)
    return refused();
  if (count == 4 && !strcmp(words[1], "--copy"))
    bad = copy(context, words[2], words[3]);
  else
    for (int i = 1; i < count; i++)
      bad |= say(context, words[i]);
  iscp_context_destroy(context);
  return bad;
}
