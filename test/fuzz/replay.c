/* A fuzz target as an ordinary program: runs it on every file of the folders given. */
#include <string.h>

#include "fuzz.h"

static void run_file(const char *path) {
  const iscp_context *context = fuzz_context();
  uint8_t *bytes;
  size_t size;
  if (isc_file_read(&bytes, &size, context, path, 64 << 20) != ISCP_OK) {
    fprintf(stderr, "%s\n", iscp_error_message());
    exit(1);
  }
  /* A block of just this size, so that a sanitizer sees the first byte beyond it. */
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact)
    exit(1);
  memcpy(exact, bytes, size);
  isc_free(context, bytes);
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
}

static int run_folder(const char *folder) {
  char **names;
  size_t count;
  const iscp_context *context = fuzz_context();
  if (isc_list_directory(&names, &count, context, folder) != ISCP_OK) {
    fprintf(stderr, "%s\n", iscp_error_message());
    exit(1);
  }
  for (size_t i = 0; i < count; i++) {
    char *path = isc_path_join(context, folder, names[i]);
    if (!path)
      exit(1);
    run_file(path);
    isc_free(context, path);
  }
  isc_names_free(names, count, context);
  return (int)count;
}

int main(int count, char **folders) {
  int files = 0;
  for (int i = 1; i < count; i++)
    files += run_folder(folders[i]);
  iscp_context_destroy((iscp_context *)fuzz_context());
  printf("%d files\n", files);
  return files == 0;
}
