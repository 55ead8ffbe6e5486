/* Training: weights that learn a set of images.
 *
 *   iscp_train_options_init(&options, sizeof options);
 *   iscp_trainer_create(&trainer, model, images, &options);
 *   for (int32_t epoch = 0; epoch < options.epochs; epoch++) {
 *     iscp_trainer_epoch(trainer, NULL, NULL);
 *     iscp_trainer_save(trainer, "state.safetensors");
 *   }
 *   iscp_trainer_model(&trained, trainer);
 *   iscp_model_save(trained, "trained.safetensors", ISCP_STORE_F32);
 *
 * It is stochastic gradient descent with momentum on the mean cross-entropy of a batch, batch norm with the batch's statistics,
 * in float32, whatever the context's precision. With `attack` it is adversarial training (Madry et al., 2018): each image is replaced
 * by what an attack on the weights of that moment makes of it (attack.h), from a random start, after its shift and flip; while
 * it is attacked, batch norm has its running statistics. The same library, machine, threads, backend, images and options give the same
 * bytes, also if the training was stopped and gone on with. */
#ifndef ISCP_TRAIN_H
#define ISCP_TRAIN_H

#include <iscp/attack.h>
#include <iscp/dataset.h>
#include <iscp/model.h>
#include <iscp/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Holds the weights, their gradients and momenta, and all activations of a batch. One thread at a time. */
typedef struct iscp_trainer iscp_trainer;

/* How the learning rate changes from step to step: PyTorch's schedulers. */
enum {
  ISCP_SCHEDULE_CONSTANT = 1,
  ISCP_SCHEDULE_STEP = 2,     /* StepLR: times step_factor after every step_epochs epochs */
  ISCP_SCHEDULE_COSINE = 3,   /* CosineAnnealingLR: down to 0 along half a cosine */
  ISCP_SCHEDULE_ONE_CYCLE = 4 /* OneCycleLR: from a 25th up to the rate during `rise` of all steps, then down to nearly 0;
                                 the momentum stays (cycle_momentum=False) */
};

typedef struct iscp_train_options {
  uint32_t struct_size;  /* sizeof(iscp_train_options), set by iscp_train_options_init */
  int32_t epochs;        /* times that all images are seen, 1 to 100000; default 3 */
  int32_t batch;         /* images a step, 2 to 4096; those that do not fill a batch are left out of the epoch; default 128 */
  int32_t schedule;      /* ISCP_SCHEDULE_*; default ISCP_SCHEDULE_ONE_CYCLE */
  double learning_rate;  /* the highest one, above 0; default 0.1 */
  double momentum;       /* [0, 1); default 0.9 */
  double weight_decay;   /* 0 or more; default 5e-4 */
  double step_factor;    /* of ISCP_SCHEDULE_STEP, (0, 1]; default 0.1 */
  double rise;           /* of ISCP_SCHEDULE_ONE_CYCLE, the share of steps in (0, 1) until the highest rate; default 0.3 */
  int32_t step_epochs;   /* of ISCP_SCHEDULE_STEP, 1 or more; default 30 */
  int32_t nesterov;      /* 1 = Nesterov's momentum; default 1 */
  int32_t decay_all;     /* 1 = weight decay of batch norms and biases too, PyTorch's default; default 0 */
  int32_t shift;         /* each time an image is seen it is moved by up to so many pixels in both directions, black comes in:
                            random crop after padding; 0 to 256; default 0 */
  int32_t flip;          /* 1 = and mirrored left to right half of the time; default 0 */
  int32_t reserved;      /* 0 */
  uint64_t seed;         /* names the order of images, the shifts and flips, and the attacks' random starts; default 0 */
  int32_t attack;        /* ISCP_NORM_*: train on adversarial images alone, near in this norm; 0 = on the images; default 0 */
  int32_t attack_steps;  /* 1 to 10000; a step of the attack costs about two thirds of a step of training; default 7 */
  double attack_eps;     /* as eps of iscp_attack_options, 0 = 8/255 of L-inf, 0.5 of L2; default 0 */
  double attack_step;    /* as its step, 0 = eps / 4 of L-inf, eps / 5 of L2; default 0 */
} iscp_train_options;

/* Where a training is. Later versions may append fields. */
typedef struct iscp_train_state {
  uint32_t struct_size;     /* sizeof(iscp_train_state), set by the caller */
  int32_t epochs;           /* of the whole training */
  int64_t step;             /* steps done */
  int64_t epoch_steps;      /* steps of an epoch: images / batch, rounded down */
  double loss;              /* mean over the images of the present epoch, of the last one if the present has not begun; NaN
                               before the first step */
  double accuracy;          /* the share of them, as they were seen, that was recognised */
  double learning_rate;     /* of the next step */
  double images_per_second; /* since iscp_trainer_epoch was called last; 0 before */
  int64_t memory;           /* bytes that the trainer holds */
} iscp_train_state;

ISCP_API iscp_status iscp_train_options_init(iscp_train_options *options, uint32_t struct_size);

/* Begins to train `model`, of random weights (iscp_model_create) or others, on `data`, which was opened with its contract. The
 * model stays as it is. `options` may be NULL. ISCP_ERROR_ARGUMENT for fewer images than a batch; ISCP_ERROR_MEMORY beyond the
 * context's `memory` too. On success the caller owns *out, which keeps model and data; on failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_trainer_create(iscp_trainer **out, const iscp_model *model, const iscp_dataset *data,
                                         const iscp_train_options *options);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_trainer_destroy(iscp_trainer *trainer);

/* Trains to the end of the present epoch; after the last one it does nothing. Cancelling stops it between two steps, and another
 * call goes on. ISCP_ERROR_ARGUMENT says at which step the loss or a weight is no longer a number: the trainer is of no
 * more use then, and can neither be saved nor gone on with. `progress` (stage "train") counts steps of the epoch, and may ask
 * iscp_trainer_get_state. Since 0.1. */
ISCP_API iscp_status iscp_trainer_epoch(iscp_trainer *trainer, iscp_progress_fn progress, void *user);

/* Fills `state`, whose struct_size the caller has set. Since 0.1. */
ISCP_API iscp_status iscp_trainer_get_state(const iscp_trainer *trainer, iscp_train_state *state);

/* The weights as they are now, as a model with the first one's contract and class names. The caller owns *out. Since 0.1. */
ISCP_API iscp_status iscp_trainer_model(iscp_model **out, iscp_trainer *trainer);

/* Writes all that the rest of the training depends on, as safetensors: weights, momenta, step, options, input contract, and
 * the data's hash. The file is whole or absent. Since 0.1. */
ISCP_API iscp_status iscp_trainer_save(iscp_trainer *trainer, const char *path);

/* Goes on from what iscp_trainer_save wrote. ISCP_ERROR_MISMATCH, and the trainer is as it was, if the file is of other options,
 * other images, another input contract or another network. Since 0.1. */
ISCP_API iscp_status iscp_trainer_resume(iscp_trainer *trainer, const char *path);

#ifdef __cplusplus
}
#endif
#endif
