/* The values of options: texts become numbers, shares, words, and go where the option's line says. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

int wrong_value(const char *name, const char *value, const char *expected) {
  complain("--%s is \"%s\", expected %s", name, value, expected);
  return EXIT_USAGE;
}

int read_number(double *value, const char *text) {
  char *end;
  *value = strtod(text, &end);
  return end != text && !*end && isfinite(*value);
}

int read_integer(int64_t *value, const char *text) {
  char *end;
  errno = 0;
  *value = strtoll(text, &end, 10);
  return end != text && !*end && !errno;
}

int read_seed(uint64_t *value, const char *text) {
  char *end;
  errno = 0;
  *value = strtoull(text, &end, 0);
  return *text >= '0' && *text <= '9' && !*end && !errno;
}

/* A number with or without a percent sign; 1 in *percent if it has one. */
static int read_ratio(double *value, int *percent, const char *text) {
  char *end;
  *value = strtod(text, &end);
  *percent = *end == '%';
  return end != text && !end[*percent] && isfinite(*value);
}

int read_percent(double *share, const char *text) {
  int percent;
  int right = read_ratio(share, &percent, text);
  *share /= 100;
  return right;
}

int read_share(double *share, const char *text) {
  int percent;
  int right = read_ratio(share, &percent, text);
  if (percent)
    *share /= 100;
  return right;
}

double *read_percents(int32_t *count, const char *text) {
  char *copy = take_copy(text), *list = copy;
  double *shares = take((strlen(text) / 2 + 1) * sizeof *shares);
  *count = 0;
  for (char *piece; (piece = next_piece(&list));)
    if (!read_percent(&shares[(*count)++], piece)) {
      free(shares);
      shares = NULL;
      break;
    }
  free(copy);
  return shares;
}

int read_choice(const char *text, const char *const *choices) {
  for (int i = 0; choices[i]; i++)
    if (!strcmp(text, choices[i]))
      return i;
  return -1;
}

char *next_piece(char **list) {
  char *piece = *list;
  if (!piece)
    return NULL;
  char *comma = strchr(piece, ',');
  if (comma)
    *comma++ = 0;
  *list = comma;
  return piece;
}

/* ---- Into the settings ---- */

static int is_within(const option_line *line, double value) {
  return (line->low == 0 && line->high == 0) || (value >= line->low && value <= line->high);
}

static int store_integer(const option_line *line, void *field, const char *value) {
  int64_t number;
  if (!read_integer(&number, value) || !is_within(line, (double)number))
    return 0;
  if (line->how == OPTION_COUNT)
    *(int32_t *)field = (int32_t)number;
  else
    *(int64_t *)field = number;
  return 1;
}

static int store_number(const option_line *line, double *field, const char *value) {
  int right = line->how == OPTION_SHARE     ? read_share(field, value)
              : line->how == OPTION_PERCENT ? read_percent(field, value)
                                            : read_number(field, value);
  return right && is_within(line, *field);
}

static int store_word(const option_line *line, int32_t *field, const char *value) {
  int choice = read_choice(value, line->words);
  *field = choice + (int32_t)line->low;
  return choice >= 0;
}

static int store(const option_line *line, void *field, const char *value) {
  switch (line->how) {
  case OPTION_FLAG:
    *(int32_t *)field = (int32_t)line->low;
    return 1;
  case OPTION_TEXT:
    *(const char **)field = value;
    return 1;
  case OPTION_COUNT:
  case OPTION_LONG:
    return store_integer(line, field, value);
  case OPTION_SEED:
    return read_seed(field, value);
  case OPTION_WORD:
    return store_word(line, field, value);
  default:
    return store_number(line, field, value);
  }
}

int option_set(const option_group *group, const option_line *line, void *settings, const char *value) {
  if (!line->how)
    return group->set(settings, line->key, value);
  return store(line, (char *)settings + line->at, value) ? EXIT_DONE : wrong_value(line->name, value, line->expected);
}

/* ---- Memory ---- */

void *take(size_t bytes) {
  void *memory = calloc(1, bytes ? bytes : 1);
  if (!memory) {
    complain("out of memory: %zu bytes asked for", bytes);
    exit(EXIT_FAILED);
  }
  return memory;
}

char *take_copy(const char *text) {
  size_t size = strlen(text) + 1;
  return memcpy(take(size), text, size);
}
