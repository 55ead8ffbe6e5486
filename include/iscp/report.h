/* Results on disk: JSON, arrays and pictures.
 *
 * A report is a folder:
 *   result.json                      schema 1: manifest (what repeats the run), finished classes, one entry a canvas
 *   mask-<class>-<canvas>.npy        float32 height x width; beside it evidence-*.npy (int32, height x width) and
 *                                    canvas-*.npy (float32, channels x height x width)
 *   pattern-<class>.png              the selected pattern at `picture_size`, on a chequered ground
 *   canvas-<class>.png               the selected canvas, if it was learned (Eq. 4)
 *   sheet.png                        one row a class: canvas, mask as heat map, pattern; at most 50 classes, the
 *                                    further ones on sheet-2.png and so on
 * Every file is whole or absent; result.json names only files that exist. Classes stand in it by number, so that a run
 * that was interrupted and gone on with leaves the same bytes as one made at one go. */
#ifndef ISCP_REPORT_H
#define ISCP_REPORT_H

#include <iscp/evaluate.h>
#include <iscp/search.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_report iscp_report;

typedef struct iscp_report_options {
  uint32_t struct_size;   /* sizeof(iscp_report_options), set by iscp_report_options_init */
  int32_t resume;         /* 1 = go on with a report of the same manifest in the folder, 0 = start anew; default 0 */
  int32_t overwrite;      /* 1 = replace a report that is there, 0 = refuse; default 0 */
  int32_t scale;          /* picture pixels an image pixel, 1 to 64, 0 = chosen by size; default 0 */
  double picture_size;    /* pattern size shown in the pictures, (0, 1]; default 0.05 */
  int32_t images;         /* ISCP_IMAGES_*: the images that the powers are measured on; default ISCP_IMAGES_HELDOUT */
  int32_t reserved;       /* 0 */
  const double *sizes;    /* pattern sizes whose powers are given, each (0, 1]; copied; default 0.01 .02 .03 .05 .1 */
  int32_t size_count;     /* entries of sizes, 1 to 32; default 5 */
  int32_t reserved2;      /* 0 */
} iscp_report_options;

ISCP_API iscp_status iscp_report_options_init(iscp_report_options *options, uint32_t struct_size);

/* Opens `folder` (made if missing, its parent must be there) for the results of a search, which must be made with
 * the same `search_options` (those in force: iscp_search_get_options), and writes result.json. A report with finished classes that is there already is
 * ISCP_ERROR_IO, unless it is to be gone on with or replaced: `overwrite` removes its files, and no others. With
 * `resume`, ISCP_ERROR_MISMATCH if the folder's manifest is another run's, and names what differs (the list of
 * classes may differ); the classes left to search are those that iscp_report_has_class does not know. A size that
 * keeps no pixel is ISCP_ERROR_ARGUMENT. The report keeps what it needs of model and dataset. On success the caller
 * owns *out; on failure *out is NULL. One thread at a time. Since 0.1. */
ISCP_API iscp_status iscp_report_create(iscp_report **out, const char *folder, const iscp_model *model,
                                        const iscp_dataset *dataset, const iscp_search_options *search_options,
                                        const iscp_report_options *options);

/* Takes NULL. What was added is on disk already. Since 0.1. */
ISCP_API void iscp_report_destroy(iscp_report *report);

/* 1 if the report holds the class (from an earlier run or this one), else 0. Since 0.1. */
ISCP_API int32_t iscp_report_has_class(const iscp_report *report, int32_t class_index);

/* Adds a finished class: writes its arrays and pictures, sheet.png anew, and result.json last. `powers` is canvas
 * count x size_count, in the order of the canvases and of the options' sizes, or NULL; every row has its struct_size
 * set, and one whose target is -1 was not measured and is left out. After a failure the report is as before. Since
 * 0.1. */
ISCP_API iscp_status iscp_report_add(iscp_report *report, const iscp_search *search, int32_t class_index,
                                     const iscp_power *powers);

/* Patterns read back from a report's folder, in the order of result.json: by class, then by canvas. Immutable; any
 * thread. */
typedef struct iscp_pattern_list iscp_pattern_list;

/* Reads result.json and checks that the arrays it names are there; they are read when a pattern is cut. On success the
 * caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_pattern_list_load(iscp_pattern_list **out, iscp_context *context, const char *folder);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_pattern_list_destroy(iscp_pattern_list *list);

/* Number of entries; 0 for NULL. Since 0.1. */
ISCP_API int32_t iscp_pattern_list_count(const iscp_pattern_list *list);

/* Class of entry `index`, and 1 in *selected if it is its class's selected canvas. Outputs may be NULL. Since 0.1. */
ISCP_API iscp_status iscp_pattern_list_entry(const iscp_pattern_list *list, int32_t index, int32_t *class_index,
                                             int32_t *selected);

/* Name of entry `index`'s class, or NULL if it has none; lives as long as the list. Since 0.1. */
ISCP_API const char *iscp_pattern_list_class_name(const iscp_pattern_list *list, int32_t index);

/* Fills `result`, whose struct_size the caller has set, with what the search gave for entry `index`. Since 0.1. */
ISCP_API iscp_status iscp_pattern_list_canvas(const iscp_pattern_list *list, int32_t index, iscp_canvas_result *result);

/* Number of sizes at which the power of entry `index` was measured. Since 0.1. */
ISCP_API int32_t iscp_pattern_list_power_count(const iscp_pattern_list *list, int32_t index);

/* The `row`-th of them: the pattern's size (may be NULL) and `power`, whose struct_size the caller has set. Since
 * 0.1. */
ISCP_API iscp_status iscp_pattern_list_power(const iscp_pattern_list *list, int32_t index, int32_t row, double *size,
                                             iscp_power *power);

/* Cuts the pattern of entry `index`, ties as the search that made it; see iscp_pattern_create. Since 0.1. */
ISCP_API iscp_status iscp_pattern_list_cut(iscp_pattern **out, const iscp_pattern_list *list, int32_t index,
                                           int32_t cut_kind, double cut);

/* The draw of the search that made the report, so that held-out images can be told. Outputs may be NULL. Since 0.1. */
ISCP_API iscp_status iscp_pattern_list_draw(const iscp_pattern_list *list, double *fraction, uint64_t *seed);

/* The batch plan of the search that made the report, for one that goes on with it: iscp_search_options' fields of these names.
 * Outputs may be NULL. Since 0.1. */
ISCP_API iscp_status iscp_pattern_list_plan(const iscp_pattern_list *list, int32_t *lanes, int32_t *pass_batch);

/* Writes one pattern as a PNG, `scale` picture pixels an image pixel (1 to 64, 0 = chosen by size; the picture has 2^28 pixels
 * at most): its pixels on a chequered ground of two greys, or what is added as grey + v / (2 max |v|). Since 0.1. */
ISCP_API iscp_status iscp_pattern_write_png(const iscp_pattern *pattern, const char *path, int32_t scale);

/* Encodes the same picture into memory. *size is the picture's bytes; they are written to `buffer`, of `capacity`
 * bytes, if they fit, and if not (or `buffer` is NULL) only *size is set. Since 0.1. */
ISCP_API iscp_status iscp_pattern_encode_png(int64_t *size, const iscp_pattern *pattern, int32_t scale, uint8_t *buffer,
                                             int64_t capacity);

/* Writes an image, channels (1 or 3) x height x width float32 in [0,1] (what is beyond is held to it, NaN is 0), sides of at
 * most 16384, as a PNG; `scale` as of iscp_pattern_write_png. The file is whole or absent. Since 0.1. */
ISCP_API iscp_status iscp_image_write_png(iscp_context *context, const float *image, int32_t channels, int32_t height,
                                          int32_t width, const char *path, int32_t scale);

/* Encodes the same picture into memory, as iscp_pattern_encode_png does. Since 0.1. */
ISCP_API iscp_status iscp_image_encode_png(int64_t *size, iscp_context *context, const float *image, int32_t channels,
                                           int32_t height, int32_t width, int32_t scale, uint8_t *buffer,
                                           int64_t capacity);

/* Lays a map over an image: dst = image + opacity * (heat - image), where heat is the colour of map / its maximum, from black
 * (0) by red to pale yellow (1), the colours of sheet.png's masks. `dst` is 3 x height x width and the caller's, `map` is
 * height x width, `image` channels (1 or 3) x height x width in [0,1]; opacity 0 is the image, 1 the heat alone. Since 0.1. */
ISCP_API iscp_status iscp_heat_overlay(float *dst, const float *map, const float *image, int32_t channels, int32_t height,
                                       int32_t width, double opacity);

#ifdef __cplusplus
}
#endif
#endif
