/* Brings pictures into network form, for check_pillow.py. Reads lines of
 *
 *   CHANNELS HEIGHT WIDTH SHORT RESIZE_HEIGHT RESIZE_WIDTH FILTER CROP_HEIGHT CROP_WIDTH RULE TOP BOTTOM LEFT RIGHT PATH
 *
 * and answers each on standard output: the status as int32, and the image as float32 if that is 0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iscp/iscp.h>

enum { LINE = 4096 };

/* The picture's path, or NULL if the line is not as above. */
static const char *read_line(iscp_contract *c, char *line) {
  int at = 0;
  line[strcspn(line, "\n")] = 0;
  int found = sscanf(line, "%d %d %d %d %d %d %d %d %d %d %d %d %d %d %n", &c->channels, &c->height, &c->width,
                     &c->resize_short, &c->resize_height, &c->resize_width, &c->filter, &c->crop_height, &c->crop_width,
                     &c->crop_rule, &c->pad_top, &c->pad_bottom, &c->pad_left, &c->pad_right, &at);
  return found == 14 && at ? line + at : NULL;
}

static int answer(iscp_context *context, const iscp_contract *contract, const char *path) {
  size_t count = (size_t)contract->channels * (size_t)contract->height * (size_t)contract->width;
  float *image = malloc(count * sizeof *image);
  if (!image)
    return 0;
  iscp_status status = iscp_image_read(image, context, path, contract);
  if (status != ISCP_OK)
    fprintf(stderr, "%s\n", iscp_error_message());
  int right = fwrite(&status, sizeof status, 1, stdout) == 1;
  if (status == ISCP_OK)
    right = right && fwrite(image, sizeof *image, count, stdout) == count;
  free(image);
  return right;
}

int main(void) {
  static char line[LINE];
  iscp_context *context;
  if (iscp_context_create(&context, NULL) != ISCP_OK)
    return 1;
  int right = 1;
  while (right && fgets(line, sizeof line, stdin)) {
    iscp_contract contract;
    const char *path = NULL;
    if (iscp_contract_init(&contract, sizeof contract) == ISCP_OK)
      path = read_line(&contract, line);
    right = path && answer(context, &contract, path);
  }
  iscp_context_destroy(context);
  return !right;
}
