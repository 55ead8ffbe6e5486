/* Inside of lib/report: a report in memory, its JSON, its pictures. Seen by lib/report and its tests only.
 *
 *   report.c (options, folder, manifest) --> add.c (a finished class) --> sheet.c --> draw.c, font.c
 *            \--> manifest.c, json.c (result.json) <-- list.c (patterns read back) */
#ifndef ISC_REPORT_H
#define ISC_REPORT_H

#include <iscp/report.h>

#include "data/data.h"
#include "format/format.h"
#include "tensor/tensor.h"

struct json_t; /* of jansson, which manifest.c and json.c alone include */

/* ---- result.json in memory ---- */

typedef struct isc_power_row {
  double size;
  int32_t pixels, tied, tied_kept; /* as in iscp_pattern_info */
  iscp_power power;
} isc_power_row;

/* One canvas. The three file names are plain names in the report's folder. */
typedef struct isc_entry {
  int32_t class_index;
  char *name; /* of the class, or NULL */
  iscp_canvas_result canvas;
  double *epochs;
  size_t epoch_count;
  char *mask, *evidence, *colours;
  isc_power_row *rows;
  size_t row_count;
} isc_entry;

/* Entries stand by class, then by canvas. `finished` holds the classes that are done, rising: also those without a
 * canvas. */
typedef struct isc_result {
  struct json_t *manifest;
  int32_t *finished;
  size_t finished_count, finished_capacity;
  isc_entry *entries;
  size_t entry_count, entry_capacity;
} isc_result;

void isc_entry_release(isc_entry *entry, const iscp_context *context);
void isc_result_release(isc_result *result, const iscp_context *context); /* takes a zeroed struct */
int isc_result_has_class(const isc_result *result, int32_t class_index);

/* Puts a class with its `count` entries (0 or more) in its place, or takes one out again. Entries are taken over on
 * success. */
iscp_status isc_result_insert(isc_result *result, const iscp_context *context, int32_t class_index, isc_entry *entries,
                              size_t count);
void isc_result_remove(isc_result *result, const iscp_context *context, int32_t class_index);

/* The selected entry of a class, or NULL. */
const isc_entry *isc_result_selected(const isc_result *result, int32_t class_index);

/* ---- JSON (json.c): the same bytes for the same result, also after reading it back ---- */

iscp_status isc_result_print(char **text, size_t *size, const iscp_context *context, const isc_result *result);

/* `path` is for messages. Whatever the text holds, a result that is returned is sound: classes in order, file names
 * plain. */
iscp_status isc_result_parse(isc_result *result, const iscp_context *context, const char *text, size_t size,
                             const char *path);
iscp_status isc_result_read(isc_result *result, const iscp_context *context, const char *folder);
iscp_status isc_result_write(const isc_result *result, const iscp_context *context, const char *folder);

/* ---- Words (words.c) ---- */

/* The words that stand for ISCP_CANVAS_* in result.json and on the sheet; NULL and 0 for what has none. */
const char *isc_canvas_kind_name(int32_t kind);
int32_t isc_canvas_kind_value(const char *name);

const char *isc_preset_name(int32_t preset); /* the word that stands for ISCP_PRESET_* */

/* ---- Manifest (manifest.c): what repeats the run ---- */

typedef struct isc_run {
  const iscp_context *context;
  const iscp_model *model;
  const iscp_dataset *dataset;
  const iscp_search_options *search; /* with the preset's values filled in */
  const iscp_report_options *report;
} isc_run;

iscp_status isc_manifest_create(struct json_t **out, const isc_run *run);
void isc_manifest_release(struct json_t *manifest);

/* ISCP_ERROR_MISMATCH names the first thing in which two runs differ; the lists of classes may. */
iscp_status isc_manifest_compare(const struct json_t *there, const struct json_t *here);

/* Adds the classes asked for in `there` to those of `here`. */
iscp_status isc_manifest_join_classes(struct json_t *here, const struct json_t *there);

/* The lanes and the images a pass of the search that made a report; outputs may be NULL. */
iscp_status isc_manifest_plan(const struct json_t *manifest, int32_t *lanes, int32_t *pass_batch);

/* Its draw and its rule of ties. */
iscp_status isc_manifest_draw(const struct json_t *manifest, double *fraction, uint64_t *seed, int32_t *ties);

/* ---- The folder (folder.c) ---- */

/* Makes the folder ready: `result`, with its manifest, takes the classes of the report that is there if `resume`,
 * replaces that report if `overwrite` or if it holds no class; else it is ISCP_ERROR_IO. result.json is on disk
 * afterwards. */
iscp_status isc_folder_open(isc_result *result, const iscp_context *context, const char *folder, int resume,
                            int overwrite);

/* ISCP_ERROR_IO names the first array that is not there. */
iscp_status isc_folder_check_files(const isc_result *result, const iscp_context *context, const char *folder);

/* ---- The arrays of an entry on disk (arrays.c) ---- */

typedef struct isc_arrays {
  isc_tensor mask, evidence, canvas; /* H x W f32, H x W i32, C x H x W f32 */
} isc_arrays;

iscp_status isc_arrays_read(isc_arrays *arrays, const iscp_context *context, const char *folder,
                            const isc_entry *entry);
void isc_arrays_release(isc_arrays *arrays, const iscp_context *context); /* takes a zeroed struct */
iscp_status isc_arrays_cut(iscp_pattern **out, const iscp_context *context, const isc_arrays *arrays,
                           int32_t class_index, int32_t cut_kind, double cut, int32_t ties);

/* ---- Drawing (draw.c, font.c): an R, G, B picture of u8; what falls outside is left out ---- */

typedef struct isc_picture {
  isc_tensor pixels; /* height x width x 3 */
  int32_t width, height;
} isc_picture;

iscp_status isc_picture_create(isc_picture *picture, const iscp_context *context, int32_t width, int32_t height,
                               uint32_t colour);
void isc_picture_release(isc_picture *picture, const iscp_context *context);

/* Colours are 0xRRGGBB. Arrays go through with `scale` picture pixels an array pixel, their top left corner at x, y. */
void isc_draw_fill(isc_picture *picture, int32_t x, int32_t y, int32_t width, int32_t height, uint32_t colour);
void isc_draw_image(isc_picture *picture, int32_t x, int32_t y, int32_t scale, const float *image, int32_t channels,
                    int32_t height, int32_t width);
void isc_draw_heat(isc_picture *picture, int32_t x, int32_t y, int32_t scale, const float *map, int32_t height,
                   int32_t width);

/* A pattern on a chequered ground of two greys, so that its black pixels and its grey ones show. */
void isc_draw_pattern(isc_picture *picture, int32_t x, int32_t y, int32_t scale, const iscp_pattern *pattern,
                      const iscp_pattern_info *info);

/* The heat map's colour of a value in [0,1]: darker is less, for every eye and in grey print too. */
uint32_t isc_heat_colour(float value);

/* Text of UTF-8: ASCII as it is, any other character as "?". */
enum { ISC_FONT_ADVANCE = 6, ISC_FONT_HEIGHT = 9 }; /* of a character, in picture pixels at scale 1 */
void isc_draw_text(isc_picture *picture, int32_t x, int32_t y, int32_t scale, uint32_t colour, const char *text);

/* The nine rows of a printable ASCII character's 5 x 9 box, the leftmost pixel in bit 4; those of "?" for any other. */
const uint8_t *isc_font_rows(unsigned char character);

/* Picture pixels an image pixel so that an image is 112 to 224 picture pixels wide, if it can be. */
int32_t isc_picture_scale(int32_t height, int32_t width);

/* Puts that in the place of 0. ISCP_ERROR_ARGUMENT for a scale out of range, or a picture that is beyond use. (encode.c) */
iscp_status isc_picture_choose_scale(int32_t *scale, int32_t height, int32_t width);

/* A picture of a pattern alone (encode.c); scale 0 is chosen by size. */
iscp_status isc_pattern_picture(isc_picture *picture, const iscp_pattern *pattern, int32_t scale);

/* ---- The report (report.c, add.c) ---- */

enum { ISC_MOST_SIZES = 32 };

struct iscp_report {
  iscp_context *context;
  char *folder;
  char **names; /* of the classes; each may be NULL */
  int32_t classes, height, width, channels, epochs, ties;
  iscp_report_options options; /* its sizes are the array below, its scale is set */
  double sizes[ISC_MOST_SIZES];
  char title[128];
  isc_result result;
};

/* ---- The sheet (sheet.c) ---- */

typedef struct isc_sheet {
  const iscp_context *context;
  const char *folder;
  const isc_result *result;
  char *const *names;     /* of the classes, each may be NULL; NULL without any */
  const char *title;      /* one line over all */
  int32_t height, width;  /* of an image */
  int32_t scale;          /* picture pixels an image pixel */
  int32_t ties;           /* ISCP_TIES_* */
  double picture_size;
} isc_sheet;

/* Writes the pages from the one that shows `first_class` on: sheet.png, sheet-2.png and so on. */
iscp_status isc_sheet_write(const isc_sheet *sheet, int32_t first_class);

#endif
