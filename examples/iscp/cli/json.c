/* JSON on standard output, a line a value of the outermost object. */
#include <math.h>
#include <string.h>

#include "cli/cli.h"

size_t utf8_length(const unsigned char *text) {
  size_t length = *text < 0x80 ? 1 : *text >= 0xc2 && *text < 0xe0 ? 2 : (*text & 0xf0) == 0xe0 ? 3
                  : *text >= 0xf0 && *text < 0xf5 ? 4 : 0;
  for (size_t i = 1; i < length; i++)
    if ((text[i] & 0xc0) != 0x80)
      return 0;
  if (length == 3 && ((*text == 0xe0 && text[1] < 0xa0) || (*text == 0xed && text[1] >= 0xa0)))
    return 0;
  if (length == 4 && ((*text == 0xf0 && text[1] < 0x90) || (*text == 0xf4 && text[1] >= 0x90)))
    return 0;
  return length;
}

/* What is not UTF-8 becomes the sign for it, U+FFFD. */
static void print_text(FILE *file, const char *text) {
  fputc('"', file);
  for (const unsigned char *c = (const unsigned char *)text; *c;) {
    size_t length = utf8_length(c);
    if (*c == '"' || *c == '\\')
      fprintf(file, "\\%c", *c);
    else if (*c < 0x20 || *c == 0x7f)
      fprintf(file, "\\u%04x", *c);
    else if (length)
      fwrite(c, 1, length, file);
    else
      fputs("\\ufffd", file);
    c += length ? length : 1;
  }
  fputc('"', file);
}

static void begin(emitter *j, const char *key) {
  if (j->more)
    fputs(", ", j->file);
  j->more = 1;
  if (!key)
    return;
  print_text(j->file, key);
  fputs(": ", j->file);
}

void emit_open(emitter *j, const char *key, char bracket) {
  begin(j, key);
  fputc(bracket, j->file);
  j->more = 0;
}

void emit_close(emitter *j, char bracket) {
  fputc(bracket, j->file);
  j->more = 1;
}

void emit_text(emitter *j, const char *key, const char *text) {
  begin(j, key);
  if (text)
    print_text(j->file, text);
  else
    fputs("null", j->file);
}

void emit_number(emitter *j, const char *key, double value) {
  begin(j, key);
  if (isfinite(value))
    fprintf(j->file, "%.15g", value);
  else
    fputs("null", j->file);
}

void emit_integer(emitter *j, const char *key, int64_t value) {
  begin(j, key);
  fprintf(j->file, "%lld", (long long)value);
}

void emit_seed(emitter *j, const char *key, uint64_t seed) {
  begin(j, key);
  fprintf(j->file, seed <= INT64_MAX ? "%llu" : "\"%llu\"", (unsigned long long)seed);
}

void emit_truth(emitter *j, const char *key, int value) {
  begin(j, key);
  fputs(value ? "true" : "false", j->file);
}

/* A float's six digits say what was meant: 0.286, not 0.28600001. */
static void print_floats(emitter *j, const char *key, const float *values, int32_t count) {
  emit_open(j, key, '[');
  for (int32_t i = 0; i < count; i++) {
    begin(j, NULL);
    fprintf(j->file, "%.6g", (double)values[i]);
  }
  emit_close(j, ']');
}

static void emit_sides(emitter *j, const char *key, int32_t height, int32_t width) {
  emit_open(j, key, '[');
  emit_integer(j, NULL, height);
  emit_integer(j, NULL, width);
  emit_close(j, ']');
}

/* As the library writes them to files; what is not done is null. */
static void emit_geometry(emitter *j, const iscp_contract *contract) {
  if (contract->resize_height)
    emit_sides(j, "resize", contract->resize_height, contract->resize_width);
  else if (contract->resize_short)
    emit_integer(j, "resize", contract->resize_short);
  else
    emit_text(j, "resize", NULL);
  emit_text(j, "filter", contract->filter == ISCP_FILTER_BICUBIC ? "bicubic" : "bilinear");
  if (contract->crop_height)
    emit_sides(j, "crop", contract->crop_height, contract->crop_width);
  else
    emit_text(j, "crop", NULL);
  emit_text(j, "crop_rule", contract->crop_rule == ISCP_CROP_FLOOR ? "floor" : "even");
}

void emit_contract(emitter *j, const char *key, const iscp_contract *contract) {
  emit_open(j, key, '{');
  emit_integer(j, "channels", contract->channels);
  emit_integer(j, "height", contract->height);
  emit_integer(j, "width", contract->width);
  emit_geometry(j, contract);
  emit_open(j, "pad", '[');
  emit_integer(j, NULL, contract->pad_top);
  emit_integer(j, NULL, contract->pad_bottom);
  emit_integer(j, NULL, contract->pad_left);
  emit_integer(j, NULL, contract->pad_right);
  emit_close(j, ']');
  emit_text(j, "order", contract->order == ISCP_ORDER_BGR ? "BGR" : "RGB");
  emit_integer(j, "range", contract->range);
  print_floats(j, "mean", contract->mean, contract->channels);
  print_floats(j, "std", contract->std, contract->channels);
  emit_close(j, '}');
}

void emit_rates(emitter *j, const iscp_power *p) {
  emit_number(j, "pw", p->pw);
  emit_number(j, "asr", p->asr);
  emit_number(j, "accuracy", p->accuracy);
  emit_integer(j, "nontarget", p->nontarget);
  emit_integer(j, "nontarget_hits", p->nontarget_hits);
  emit_integer(j, "nontarget_clean", p->nontarget_clean);
  emit_integer(j, "target", p->target_images);
  emit_integer(j, "target_correct", p->target_correct);
}

void emit_power(emitter *j, const iscp_power *p) {
  emit_rates(j, p);
  emit_number(j, "asr_low", p->asr_low);
  emit_number(j, "asr_high", p->asr_high);
  emit_number(j, "accuracy_low", p->accuracy_low);
  emit_number(j, "accuracy_high", p->accuracy_high);
}
