/* Patterns side by side in one picture: rows of columns, each on grey, a line of white between them. What is not put stays
 * white. */
#ifndef STRIP_H
#define STRIP_H

#include "cli/cli.h"

typedef struct strip strip;

strip *strip_new(int rows, int columns, const iscp_contract *form);
void strip_free(strip *s);
iscp_status strip_put(strip *s, int row, int column, const iscp_pattern *pattern);
/* An image of the form in place of a pattern. */
void strip_put_image(strip *s, int row, int column, const float *image);
/* As a PNG, `scale` picture pixels an image pixel, 0 = chosen by the size of one image. */
iscp_status strip_write(const strip *s, iscp_context *context, const char *path, int32_t scale);

#endif
