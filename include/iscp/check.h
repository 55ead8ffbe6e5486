/* Does a model know these images? Its accuracy, which classes it mixes up, and, where it does badly, which of the usual mistakes
 * about the input explains it: a wrong pixel range, mean or deviation, channel order, size or crop, inverted or turned pictures,
 * labels in another order.
 *
 * A check is immutable and may be shared between threads. */
#ifndef ISCP_CHECK_H
#define ISCP_CHECK_H

#include <iscp/dataset.h>
#include <iscp/model.h>
#include <iscp/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_check iscp_check;

/* When causes are looked for: each is a run over `sample` images. */
enum {
  ISCP_CAUSES_POOR = 0,   /* if less than 0.6 of the images are right, or less than is plausible */
  ISCP_CAUSES_ALWAYS = 1,
  ISCP_CAUSES_NEVER = 2
};

typedef struct iscp_check_options {
  uint32_t struct_size; /* sizeof(iscp_check_options), set by iscp_check_options_init */
  int32_t causes;       /* ISCP_CAUSES_*; default ISCP_CAUSES_POOR */
  int64_t sample;       /* images, drawn evenly from the set, that each cause is tried on, 0 = 256; the order of the classes
                           upon the input as given is found and judged on the whole set; default 0 */
  int32_t batch;        /* images a pass of the network, 1 to 4096, 0 = by size, threads and memory; default 0 */
  int32_t reserved;     /* 0 */
} iscp_check_options;

/* The whole set. Intervals are 95 % Wilson intervals. Later versions may append fields. */
typedef struct iscp_check_info {
  uint32_t struct_size; /* sizeof(iscp_check_info), set by the caller before the call */
  int32_t plausible;    /* 0 if the accuracy is below `plausible_from` beyond doubt (high < plausible_from), else 1 */
  int64_t images;       /* of the set */
  int64_t correct;      /* of these, predicted as labelled */
  double accuracy;      /* correct / images */
  double low, high;     /* interval of accuracy */
  double plausible_from; /* 1 / classes + 0.15 (1 - 1 / classes): clearly better than guessing */
  int32_t classes;      /* of the model */
  int32_t favourite;    /* the class that is predicted most often */
  int64_t favourite_count; /* and how often */
  int32_t confusions;   /* pairs that iscp_check_confusion knows */
  int32_t causes;       /* what iscp_check_cause knows; 0 if none was looked for */
} iscp_check_info;

/* One class. Later versions may append fields. */
typedef struct iscp_check_class {
  uint32_t struct_size; /* sizeof(iscp_check_class), set by the caller before the call */
  int32_t confused;     /* the class that its images are most often taken for wrongly, -1 if none is */
  int64_t images;       /* labelled as the class */
  int64_t correct;      /* of these, predicted as the class */
  int64_t predicted;    /* images of all classes predicted as the class */
  double accuracy;      /* correct / images (recall); 0 without images */
  double low, high;     /* interval of accuracy */
  double precision;     /* correct / predicted; 0 if nothing is */
} iscp_check_class;

/* Images of class `label` that were predicted as class `predicted`. Later versions may append fields. */
typedef struct iscp_confusion {
  uint32_t struct_size; /* sizeof(iscp_confusion), set by the caller before the call */
  int32_t label, predicted;
  int32_t reserved;     /* 0 */
  int64_t images;       /* how many */
  double share;         /* of the images of class `label` */
} iscp_confusion;

/* What a cause is about. */
enum {
  ISCP_CAUSE_NONE = 0,     /* the input as it was given, for comparison */
  ISCP_CAUSE_SCALE = 1,    /* pixel range, mean, deviation */
  ISCP_CAUSE_ORDER = 2,    /* channels */
  ISCP_CAUSE_SIZE = 3,     /* resizing, filter, crop, padding */
  ISCP_CAUSE_PICTURES = 4, /* the pictures themselves: inverted, or rows and columns exchanged */
  ISCP_CAUSE_LABELS = 5    /* the order of the classes */
};

/* One mistake that may have been made, alone or together with the best of the kinds before. Pointers live as long as the
 * check. Later versions may append fields. */
typedef struct iscp_cause {
  uint32_t struct_size; /* sizeof(iscp_cause), set by the caller before the call */
  int32_t kind;         /* ISCP_CAUSE_*, the last one changed */
  const char *text;     /* what was tried, as "ImageNet's mean and std, channels B, G, R" */
  int64_t images;       /* it was tried on */
  int64_t correct;      /* of these, predicted as labelled */
  double accuracy;      /* correct / images */
  double low, high;     /* interval of accuracy */
  int32_t restores;     /* 1 if it is better than the input as given beyond doubt (low above its high), and than the first
                           mistake if it is two, plausible, and better than answers as frequent as these that have nothing
                           to do with the labels: the accuracy is at least c + 0.15 (1 - c), c what those give; never 1 on
                           images of one class alone */
  int32_t reserved;     /* 0 */
  const iscp_contract *contract; /* with which a model and a set can be opened anew; not all of ISCP_CAUSE_PICTURES and
                                    ISCP_CAUSE_LABELS is in it */
  const int32_t *labels; /* ISCP_CAUSE_LABELS: the model's class for each label, `classes` of them; else NULL */
} iscp_cause;

/* ISCP_ERROR_ABI as iscp_context_options_init. Since 0.1. */
ISCP_API iscp_status iscp_check_options_init(iscp_check_options *options, uint32_t struct_size);

/* Runs the whole set once, and looks for causes as the options say. `options` may be NULL. ISCP_ERROR_MISMATCH if the set's
 * images or labels cannot be the model's at all. After ISCP_ERROR_CANCELLED nothing is kept. On success the caller owns *out;
 * on failure *out is NULL. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_check_create(iscp_check **out, const iscp_model *model, const iscp_dataset *dataset,
                                       const iscp_check_options *options, iscp_progress_fn progress, void *user);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_check_destroy(iscp_check *check);

/* Each fills a struct whose struct_size the caller has set; an index out of range is ISCP_ERROR_ARGUMENT. Confusions come the
 * most frequent first, causes the best first, equal ones in the order in which they were tried. Since 0.1. */
ISCP_API iscp_status iscp_check_get_info(const iscp_check *check, iscp_check_info *info);
ISCP_API iscp_status iscp_check_get_class(const iscp_check *check, int32_t class_index, iscp_check_class *class_info);
ISCP_API iscp_status iscp_check_confusion(const iscp_check *check, int32_t index, iscp_confusion *confusion);
ISCP_API iscp_status iscp_check_cause(const iscp_check *check, int32_t index, iscp_cause *cause);

#ifdef __cplusplus
}
#endif
#endif
