/* NumPy's array files, as far as the program writes them: C order, little-endian, version 1.0. */
#include <string.h>

#include "cli/cli.h"

enum { HEADER = 128 }; /* bytes before the numbers: a multiple of 64, as NumPy aligns them */

int npy_begin(FILE *file, const char *type, const int64_t *shape, int32_t dims) {
  char header[HEADER];
  int length = snprintf(header, sizeof header, "%cNUMPY%c%c%c%c{'descr': '%s', 'fortran_order': False, 'shape': (", 0x93, 1,
                        0, HEADER - 10, 0, type);
  for (int32_t i = 0; i < dims; i++)
    length += snprintf(header + length, sizeof header - (size_t)length, "%lld,%s", (long long)shape[i], i < dims - 1 ? " " : "");
  length += snprintf(header + length, sizeof header - (size_t)length, "), }");
  memset(header + length, ' ', sizeof header - (size_t)length);
  header[HEADER - 1] = '\n';
  return fwrite(header, sizeof header, 1, file) == 1;
}

int npy_put(FILE *file, uint64_t bits, int bytes) {
  unsigned char text[8];
  for (int i = 0; i < bytes; i++)
    text[i] = bits >> 8 * i & 255;
  return fwrite(text, (size_t)bytes, 1, file) == 1;
}

int write_npy(const char *path, const float *values, const int32_t *shape, int32_t dims) {
  int64_t sides[4], count = 1;
  for (int32_t i = 0; i < dims; i++)
    count *= sides[i] = shape[i];
  whole_file whole;
  if (whole_open(&whole, path) != EXIT_DONE)
    return EXIT_FAILED;
  int good = npy_begin(whole.file, "<f4", sides, dims);
  for (int64_t i = 0; good && i < count; i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    good = npy_put(whole.file, bits, sizeof bits);
  }
  return whole_close(&whole, 1); /* which finds what could not be written */
}
