/* NumPy's array files, as far as the program writes them: float32, C order, version 1.0. */
#include <string.h>

#include "program.h"

enum { HEADER = 128 }; /* bytes before the numbers: a multiple of 64, as NumPy aligns them */

int write_npy(const char *path, const float *values, const int32_t *shape, int32_t dims) {
  char header[HEADER];
  size_t count = 1;
  int length = snprintf(header, sizeof header, "%cNUMPY%c%c%c%c{'descr': '<f4', 'fortran_order': False, 'shape': (", 0x93, 1,
                        0, HEADER - 10, 0);
  for (int32_t i = 0; i < dims; i++) {
    length += snprintf(header + length, sizeof header - (size_t)length, "%d,%s", shape[i], i < dims - 1 ? " " : "");
    count *= (size_t)shape[i];
  }
  length += snprintf(header + length, sizeof header - (size_t)length, "), }");
  memset(header + length, ' ', sizeof header - (size_t)length);
  header[HEADER - 1] = '\n';
  whole_file whole;
  if (whole_open(&whole, path) != EXIT_DONE)
    return EXIT_FAILED;
  int good = fwrite(header, sizeof header, 1, whole.file) == 1;
  for (size_t i = 0; good && i < count; i++) { /* little-endian, whatever the machine */
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    const unsigned char bytes[] = {bits & 255, bits >> 8 & 255, bits >> 16 & 255, bits >> 24};
    good = fwrite(bytes, sizeof bytes, 1, whole.file) == 1;
  }
  return whole_close(&whole, 1); /* which finds what could not be written */
}
