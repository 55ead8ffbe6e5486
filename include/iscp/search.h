/* The search for class-wise patterns (Section 3 and Algorithm 1 of the paper).
 *
 * A mask m, height x width, starts at 0.5 and takes sign steps that lower, over mini-batches x_j of D_n,
 *   L = sum_j -log softmax(f(m * x_c + (1 - m) * x_j))_y + B * alpha * |m|_1 / n            (Eq. 2)
 *       [ + B * beta * |grad m|_2^2 / n ]                                                          (Eq. 3)
 * with D_n a seeded part of the dataset, its images of class y removed, x_c the canvas, n = height * width.
 *
 * With `canvas_steps` the canvas is learned too (Eq. 4): mask_steps mini-batches move the mask, the next canvas_steps move the
 * canvas by the sign of dL/dx_c, clipped to [0,1], and so on in turn through all epochs. A value of either is whole steps
 * away from where it started or from the bound that it met last, and never drifts.
 *
 *   iscp_search_create -> iscp_search_next until it yields class -1 -> iscp_search_pattern for each class
 *
 * A program with an event loop of its own calls iscp_search_step in place of iscp_search_next.
 *
 * A search serves one thread at a time and keeps model and dataset alive. */
#ifndef ISCP_SEARCH_H
#define ISCP_SEARCH_H

#include <iscp/dataset.h>
#include <iscp/model.h>
#include <iscp/pattern.h>
#include <iscp/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_search iscp_search;

/* Kinds of canvas (Section 3, "Canvas Sampling"); a search may use several, added up as bits. */
enum {
  ISCP_CANVAS_POSITIVE = 1, /* images of the class that the model gets right, by descending logit of the class */
  ISCP_CANVAS_NEGATIVE = 2, /* images of other classes that the model takes for the class, by descending logit */
  ISCP_CANVAS_RANDOM = 4,   /* images of the set, drawn by the seed */
  ISCP_CANVAS_WHITE = 8,    /* all ones; one only */
  ISCP_CANVAS_USER = 16     /* the caller's own, `user_canvases` */
};

/* Values of `alpha`, `ties` and `select` that go together; lib/search/options.c has them in one table. */
enum {
  ISCP_PRESET_PAPER = 1,   /* the paper's text: alpha 0.2, gradient of |m|_1 zero at m = 0, last update kept; ties by
                              evidence, canvas by loss */
  ISCP_PRESET_AUTHORS = 2, /* as the paper's figures were probably made: alpha 8, gradient 1 at m = 0, last update
                              dropped; ties by evidence, canvas by loss */
  ISCP_PRESET_PREDICTIVE = 3 /* the paper's text with what predicts best: alpha 8, ties by evidence, canvas by power */
};

enum {
  ISCP_ALPHA_PRESET = 0, /* the preset's alpha */
  ISCP_ALPHA_FIXED = 1,  /* the field `alpha` */
  ISCP_ALPHA_AUTO = 2    /* per class, the best of 0.1, 0.15, 0.2, 0.25, 0.3 times the preset's alpha / 0.2, by PW on D_n */
};

/* Which of the canvases of a class is selected. Both figures are kept for every canvas. */
enum {
  ISCP_SELECT_PRESET = 0, /* as the preset says */
  ISCP_SELECT_LOSS = 1, /* the lowest objective over D_n with the final mask (the paper's text) */
  ISCP_SELECT_POWER = 2 /* the highest predictive power on D_n at `select_size` */
};

typedef struct iscp_search_options {
  uint32_t struct_size;      /* sizeof(iscp_search_options), set by iscp_search_options_init */
  int32_t preset;            /* ISCP_PRESET_*; default ISCP_PRESET_PREDICTIVE */
  int32_t alpha_mode;        /* ISCP_ALPHA_*; default ISCP_ALPHA_PRESET */
  int32_t canvas_kinds;      /* sum of ISCP_CANVAS_*; default ISCP_CANVAS_POSITIVE */
  double alpha;              /* weight of |m|_1 / n, >= 0, if alpha_mode is ISCP_ALPHA_FIXED; default 0.2 */
  double step;               /* eta: change of a mask value a step, (0, 1]; default 0.02 */
  double fraction;           /* share of each class of the dataset that D_n is drawn from, (0, 1]; default 0.2 */
  double select_size;        /* pattern size at which canvases are compared by power, (0, 1]; default 0.05 */
  uint64_t seed;             /* of D_n, its order, and random canvases; default 0 */
  int32_t canvases;          /* N: canvases of each kind a class, 1 to 1000; default 5 */
  int32_t epochs;            /* T: passes over D_n, 1 to 1000; default 5 */
  int32_t batch;             /* B: images a step, 1 to 1024; default 4 */
  int32_t select;            /* ISCP_SELECT_*; default ISCP_SELECT_PRESET */
  int32_t ties;              /* ISCP_TIES_*; default ISCP_TIES_PRESET */
  int32_t lanes;             /* searches that take their steps together, 1 to 256; 0 = by measurement if the search is
                                long (the least that is about as fast as any), else by size; default 0 */
  int32_t class_count;       /* entries of `classes`; 0 = all classes; default 0 */
  int32_t user_canvas_count; /* entries of `user_canvases`, 0 to 1000; default 0 */
  const int32_t *classes;    /* the classes to search, each once; NULL = all; copied; default NULL */
  const float *user_canvases; /* user_canvas_count x channels x height x width in [0,1]; copied; default NULL */
  int32_t pass_batch;        /* images of one pass of the network, 1 to 4096; 0 = those of all lanes, in several equal
                                passes where a larger one gains nothing or the context's memory asks for it; default 0 */
  int32_t reserved;          /* 0 */
  double min_accuracy;       /* clean accuracy on the whole dataset, at most 1, below which the search refuses to begin, unless
                                chance may have hidden it (95 % Wilson interval); 0 = clearly better than guessing
                                (iscp_check_info); below 0 = go on whatever it is; default 0 */
  double tv;                 /* beta: weight of the mask's total variation |grad m|_2^2 / n, which smooths it (Eq. 3; the
                                paper tries 0.2 and 1), >= 0; 0 = none; default 0 */
  int32_t canvas_steps;      /* steps in a row that move the canvas (Eq. 4; the paper takes 5), 0 to 1000; 0 = it stays as
                                it is; default 0 */
  int32_t mask_steps;        /* steps in a row that move the mask between those, 1 to 1000; default 5 */
  double canvas_step;        /* change of a canvas value a step, (0, 1]; default 2/255 */
} iscp_search_options;

ISCP_API iscp_status iscp_search_options_init(iscp_search_options *options, uint32_t struct_size);

/* Puts the values of the preset in the place of ISCP_ALPHA_PRESET (in `alpha`; the mode stays), ISCP_TIES_PRESET and
 * ISCP_SELECT_PRESET: what a preset stands for, without a search. Since 0.1. */
ISCP_API iscp_status iscp_search_options_resolve(iscp_search_options *options);

/* Prepares a search. `options` may be NULL. Every argument is checked here: a class out of range, alpha below 0, lanes
 * times batch above 4096 (ISCP_ERROR_ARGUMENT), a dataset whose contract is not the model's (ISCP_ERROR_MISMATCH);
 * ISCP_ERROR_MEMORY if not even one image a pass fits the context's memory; else as iscp_session_create. No search is
 * begun, but a long one with lanes = 0 times several numbers of lanes here, for a second or two. On success the caller
 * owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_search_create(iscp_search **out, const iscp_model *model, const iscp_dataset *dataset,
                                        const iscp_search_options *options);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_search_destroy(iscp_search *search);

/* Goes on until the next class is finished and yields it in *class_index, or -1 when all are. After
 * ISCP_ERROR_CANCELLED a further call goes on where it stopped, to the same result. A class without any canvas of the
 * kinds asked for (no image is taken for it) is finished with 0 canvases. A model that does not know these images
 * (min_accuracy) is ISCP_ERROR_MISMATCH after the clean pass: iscp_check finds the likely cause. Since 0.1. */
ISCP_API iscp_status iscp_search_next(iscp_search *search, int32_t *class_index, iscp_progress_fn progress, void *user);

/* The same in small pieces. One call does one of these: the clean pass over the dataset (the first call); one step of
 * Algorithm 1 for every lane, a minibatch each; the figures of one canvas whose mask is final, which takes two passes
 * over D_n; or nothing, where two classes were finished at once and the second is yet to be yielded. *class_index is
 * the class that is finished, or -1 while none is; *more is 1 until every class was yielded:
 *
 *   int32_t y, more = 1;
 *   while (more && iscp_search_step(search, &y, &more, NULL, NULL) == ISCP_OK)
 *     if (y >= 0)
 *       ... class y is finished, more are to come or not ...
 *
 * The results are those of iscp_search_next to the bit, and calls of both may be mixed. `progress` is told at the end
 * of each minibatch, and within the long pieces. After an error *class_index is -1 and *more is 1. Since 0.1. */
ISCP_API iscp_status iscp_search_step(iscp_search *search, int32_t *class_index, int32_t *more,
                                      iscp_progress_fn progress, void *user);

/* Leaves out a class whose result is there already, from an earlier run: it is not searched and not yielded. Before
 * the first iscp_search_next or iscp_search_step only. The lanes stay those of all classes, so that what is left gives
 * the result it would have given. Since 0.1. */
ISCP_API iscp_status iscp_search_skip(iscp_search *search, int32_t class_index);

/* The options in force: defaults filled in, all classes listed, `lanes` and `pass_batch` as chosen, `ties`, `select` and
 * `alpha` (unless it is auto) as the preset says. options->struct_size is the caller's; the pointers live as long as the
 * search. Since 0.1. */
ISCP_API iscp_status iscp_search_get_options(const iscp_search *search, iscp_search_options *options);

/* What one canvas gave. Later versions may append fields. */
typedef struct iscp_canvas_result {
  uint32_t struct_size;      /* sizeof(iscp_canvas_result), set by the caller before iscp_search_get_canvas */
  int32_t kind;              /* one of ISCP_CANVAS_* */
  int64_t image;             /* index in the dataset, or in user_canvases; -1 for white */
  double alpha;              /* effective weight of |m|_1 / n */
  double loss;               /* objective per image over D_n with the final mask: mean cross-entropy + alpha |m|_1 / n
                                [+ tv |grad m|_2^2 / n] */
  double power;              /* predictive power on D_n at select_size */
  int32_t selected;          /* 1 for the best canvas of the class, else 0 */
  int32_t saturated;         /* mask values equal to 1 */
  int32_t zeros;             /* mask values equal to 0 */
  int32_t steps;             /* mask updates kept */
  int32_t canvas_steps;      /* canvas updates; 0 for a canvas that stayed as it was */
  int32_t reserved;          /* 0 */
} iscp_canvas_result;

/* Number of canvases that a finished class has, 0 or more; -1 for a class that is not finished, or skipped. Since 0.1. */
ISCP_API int32_t iscp_search_canvas_count(const iscp_search *search, int32_t class_index);

/* Index of the selected canvas of a finished class, or -1. Since 0.1. */
ISCP_API int32_t iscp_search_selected(const iscp_search *search, int32_t class_index);

/* Fills `result`, whose struct_size the caller has set, for canvas `canvas` of a finished class. Since 0.1. */
ISCP_API iscp_status iscp_search_get_canvas(const iscp_search *search, int32_t class_index, int32_t canvas,
                                            iscp_canvas_result *result);

/* The mask (height x width), the evidence (height x width: the sum of -sign(dL/dm)), the canvas (channels x height x
 * width; the learned one, if it was learned), and the objective per image of each epoch (`epochs` values) of one canvas of
 * a finished class. They live as long as the search; NULL if there is no such class or canvas. Since 0.1. */
ISCP_API const float *iscp_search_mask(const iscp_search *search, int32_t class_index, int32_t canvas);
ISCP_API const int32_t *iscp_search_evidence(const iscp_search *search, int32_t class_index, int32_t canvas);
ISCP_API const float *iscp_search_canvas(const iscp_search *search, int32_t class_index, int32_t canvas);
ISCP_API const double *iscp_search_epochs(const iscp_search *search, int32_t class_index, int32_t canvas);

/* Cuts the pattern of one canvas of a finished class, ties as the search's options say; see iscp_pattern_create.
 * On success the caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_search_pattern(iscp_pattern **out, const iscp_search *search, int32_t class_index,
                                         int32_t canvas, int32_t cut_kind, double cut);

#ifdef __cplusplus
}
#endif
#endif
