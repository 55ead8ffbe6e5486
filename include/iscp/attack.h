/* Adversarial attacks: what a model says of an image when each pixel, or all of them together, may be changed a little.
 *
 *   iscp_attack_options_init(&options, sizeof options);       L-inf, eps 8/255, 20 steps: PGD-20
 *   iscp_attack_create(&attack, model, &options);
 *   iscp_attack_run(adversarial, attack, images, labels, NULL, count);
 *   iscp_attack_accuracy(&info, attack, dataset, NULL, NULL);
 *
 * It is projected gradient descent (Madry et al., 2018) on the cross-entropy, in pixels of [0,1] and before normalisation. A step
 * from x, of an image c and the gradient g of the loss at x, and what it is brought back to:
 *
 *   L-inf:  d = x + step sign(g) - c, each number clipped to [-eps, eps]           x <- clip(c + d, 0, 1)
 *   L2:     d = x + step g / |g| - c, made shorter if |d| is above eps             x <- clip(c + d, 0, 1)
 *
 * in the order of the robustness package: the ball first, then the range of pixels. A gradient of zero moves nothing. */
#ifndef ISCP_ATTACK_H
#define ISCP_ATTACK_H

#include <iscp/dataset.h>
#include <iscp/model.h>
#include <iscp/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An attack holds the activations of a batch and serves one thread at a time (ISCP_ERROR_BUSY otherwise). */
typedef struct iscp_attack iscp_attack;

/* How far from an image is near. */
enum {
  ISCP_NORM_LINF = 1, /* the largest change of a number */
  ISCP_NORM_L2 = 2    /* the root of the sum of their squares, over all pixels and channels */
};

typedef struct iscp_attack_options {
  uint32_t struct_size; /* sizeof(iscp_attack_options), set by iscp_attack_options_init */
  int32_t norm;         /* ISCP_NORM_*; default ISCP_NORM_LINF */
  double eps;           /* the ball's radius, in [0,1] pixels, above 0, of L-inf at most 1; 0 = 8/255 of L-inf, 0.5 of L2;
                           default 0 */
  double step;          /* the length of a step, above 0; 0 = eps / 4 of L-inf, eps / 5 of L2, which is 2/255 and 0.1 of the
                           default balls; default 0 */
  int32_t steps;        /* 1 to 10000; default 20 */
  int32_t random_start; /* 1 = begin at a random place of the ball, clipped to [0,1]: uniform of L-inf, a normal direction of
                           length eps of L2; 0 = at the image; default 1 */
  int32_t targeted;     /* 1 = towards the labels that are given: down their loss; 0 = away from them; default 0 */
  int32_t batch;        /* images a pass of the network, 1 to 4096, 0 = by size, threads and memory; default 0. A pass costs the
                           same for fewer images */
  uint64_t seed;        /* names the random starts; default 0 */
} iscp_attack_options;

/* What is left of a model's accuracy. Later versions may append fields. Intervals are 95 % Wilson intervals. */
typedef struct iscp_attack_info {
  uint32_t struct_size; /* sizeof(iscp_attack_info), set by the caller before the call */
  int32_t reserved;     /* 0 */
  int64_t images;       /* of the set */
  int64_t correct;      /* of these, predicted as labelled as they are */
  int64_t robust;       /* of those, predicted as labelled at the start of the attack and after every step too */
  double accuracy;      /* correct / images */
  double low, high;     /* interval of accuracy */
  double robust_accuracy; /* robust / images */
  double robust_low, robust_high; /* interval of robust_accuracy */
} iscp_attack_info;

/* ISCP_ERROR_ABI as iscp_context_options_init. Since 0.1. */
ISCP_API iscp_status iscp_attack_options_init(iscp_attack_options *options, uint32_t struct_size);

/* Prepares an attack and keeps the model alive. `options` may be NULL. ISCP_ERROR_ARGUMENT names a value out of range; further
 * errors as of iscp_session_create. On success the caller owns *out; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_attack_create(iscp_attack **out, const iscp_model *model, const iscp_attack_options *options);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_attack_destroy(iscp_attack *attack);

/* The options in force: eps, step and batch as chosen. options->struct_size is the caller's. Since 0.1. */
ISCP_API iscp_status iscp_attack_get_options(const iscp_attack *attack, iscp_attack_options *options);

/* The images after all steps: `adversarial` and `images` are count x channels x height x width in [0,1], the caller's, and do not
 * overlap. `labels` are the true classes, of a targeted attack the wanted ones. A random start depends on the seed and the
 * image's entry of `indices`, or, if that is NULL, its place 0 .. count - 1 in this call. ISCP_ERROR_ARGUMENT names a label that
 * is no class or a pixel beyond [0,1]; on failure what is in `adversarial` is of no use. Since 0.1. */
ISCP_API iscp_status iscp_attack_run(float *adversarial, iscp_attack *attack, const float *images, const int32_t *labels,
                                     const int64_t *indices, int64_t count);

/* Clean and robust accuracy on a set: each image is attacked until a step fools the model or all are done, and its place in the
 * batch goes to the next one. So an image counts as robust only if no step fools the model; counting the last step alone, as is
 * done too, gives the same or a little more. Random starts are named by the image's index in the set.
 * ISCP_ERROR_ARGUMENT of a targeted attack, ISCP_ERROR_MISMATCH if the set's images or labels cannot be the model's. `progress`
 * has two stages, "clean" and "attack", each counted in images; after ISCP_ERROR_CANCELLED nothing is kept. Since 0.1. */
ISCP_API iscp_status iscp_attack_accuracy(iscp_attack_info *info, iscp_attack *attack, const iscp_dataset *dataset,
                                          iscp_progress_fn progress, void *user);

#ifdef __cplusplus
}
#endif
#endif
