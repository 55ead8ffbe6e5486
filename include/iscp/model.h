/* A classifier: network, input contract and class names.
 *
 * A model is immutable and may be shared between threads. The computing is done by sessions: a session holds the
 * activations and the scratch memory of one batch size, and serves one thread at a time. */
#ifndef ISCP_MODEL_H
#define ISCP_MODEL_H

#include <iscp/context.h>
#include <iscp/contract.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct iscp_model iscp_model;
typedef struct iscp_session iscp_session;

enum {
  ISCP_STEM_IMAGENET = 1, /* 7x7 convolution of stride 2, then 3x3 max-pool of stride 2 */
  ISCP_STEM_CIFAR = 2     /* 3x3 convolution of stride 1, no pooling */
};

/* Where a bottleneck block that halves its input has its stride; tensors do not tell. */
enum {
  ISCP_STRIDE_3X3 = 1, /* in the 3x3 convolution: PyTorch's networks ("v1.5") */
  ISCP_STRIDE_1X1 = 2  /* in the first 1x1 convolution: He et al., 2016, and weights converted from Caffe */
};

typedef struct iscp_model_options {
  uint32_t struct_size;            /* sizeof(iscp_model_options), set by iscp_model_options_init */
  int32_t class_count;             /* entries of class_names; 0 = take them from the file; default 0 */
  const iscp_contract *contract;   /* the input contract; NULL = the one stored in or beside the file (contract.h); default NULL */
  const char *const *class_names;  /* UTF-8, copied; NULL = those stored in the file, if any; default NULL */
  const char *state_dict;          /* keys that lead to the weights in a PyTorch checkpoint, as "ema.state_dict"; NULL =
                                      choose; default NULL */
  int32_t stride;                  /* ISCP_STRIDE_*; 0 = what a file of iscp_model_save says, else 3x3; default 0 */
  int32_t reserved;                /* 0 */
} iscp_model_options;

/* What a model is made of: iscp_model_get_info fills it, iscp_model_create reads it. Later versions may append fields. */
typedef struct iscp_model_info {
  uint32_t struct_size; /* sizeof(iscp_model_info), set by the caller before either call */
  int32_t depth;        /* 18, 34, 50, 101 or 152 */
  int32_t width;        /* channels of the stem, 64 for the published networks */
  int32_t stem;         /* ISCP_STEM_* */
  int32_t classes;      /* number of classes */
  int32_t channels;     /* channels of the input, 1 or 3 */
  int64_t parameters;   /* trained numbers, without the running statistics */
  int64_t multiply_adds; /* multiply-adds of one image's forward pass at the contract's size */
  int32_t planes;       /* channels that the first stage's blocks end in, of bottlenecks a quarter of them; each later stage
                           has twice as many; 0 = width */
  int32_t inner;        /* channels of the first stage's 3x3 convolutions in bottlenecks, 128 in the published wide
                           networks; 0 = planes */
  int32_t stride;       /* ISCP_STRIDE_*; 0 = 3x3 */
  int32_t reserved;     /* 0 */
} iscp_model_info;

ISCP_API iscp_status iscp_model_options_init(iscp_model_options *options, uint32_t struct_size);

/* Loads a ResNet from a PyTorch checkpoint (zip container or legacy stream; a state dict, alone or in a training
 * checkpoint, or a whole module) or a safetensors file, its weights float32, float16, bfloat16 or float64, under the names
 * of torchvision, pytorch-cifar or Hugging Face behind any prefix: iscp_model_source says what was found. Depth,
 * widths, stem and classes are read off the tensors. Loading is strict: every missing, unexpected or mis-shaped
 * tensor is listed in the message and in the log (ISCP_ERROR_MISMATCH), as is a NaN or infinite weight; a network that
 * computes something else is refused by what it has (ISCP_ERROR_UNSUPPORTED). A checkpoint is only parsed, nothing in it
 * is executed. `options` may be NULL if the file carries a contract or one lies beside it (contract.h); without any,
 * ISCP_ERROR_MISMATCH. On success the caller owns *out; on failure *out is NULL. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_model_load(iscp_model **out, iscp_context *context, const char *path,
                                     const iscp_model_options *options);

/* Reads the input contract that iscp_model_load would take of this file, from it or from beside it, without making a network.
 * `contract` has its struct_size set; `source`, of `source_size` bytes (0 = not wanted), takes what iscp_model_contract_source
 * would say, cut to fit; `state_dict` as in the options, or NULL. ISCP_ERROR_MISMATCH if there is none; else as iscp_model_load.
 * On failure nothing is written. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_model_read_contract(iscp_contract *contract, char *source, int32_t source_size, iscp_context *context,
                                              const char *path, const char *state_dict);

/* Makes a network that was not trained, of `info`'s depth, width, stem, classes, channels, planes, inner and stride
 * (parameters and multiply_adds are not read: those of iscp_model_get_info may stand there). Its weights are random, named
 * by `seed`, and distributed as torchvision's: convolutions normal with deviation sqrt(2 / (out channels * kernel height *
 * kernel width)), batch norm 1, 0, 0, 1, the dense layer uniform in +-1 / sqrt(features). `options->contract` is required,
 * with as many channels; its state_dict and stride are not read. On success the caller owns *out; on failure *out is
 * NULL. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_model_create(iscp_model **out, iscp_context *context, const iscp_model_info *info,
                                       const iscp_model_options *options, uint64_t seed);

/* The numbers types that iscp_model_save can store weights in. */
enum { ISCP_STORE_F32 = 1, ISCP_STORE_F16 = 2 };

/* Writes the model as safetensors under torchvision's names, with the contract, the class names and the stride's place in
 * its metadata; `store` is ISCP_STORE_*. The file is whole or absent. Any thread. Since 0.1. */
ISCP_API iscp_status iscp_model_save(const iscp_model *model, const char *path, int32_t store);

/* Takes NULL. Sessions, datasets and searches made from the model keep what they need. Since 0.1. */
ISCP_API void iscp_model_destroy(iscp_model *model);

/* Fills `info`, whose struct_size the caller has set. Since 0.1. */
ISCP_API iscp_status iscp_model_get_info(const iscp_model *model, iscp_model_info *info);

/* The context that the model was made with; lives as long as the model. NULL for NULL. Since 0.1. */
ISCP_API const iscp_context *iscp_model_context(const iscp_model *model);

/* The input contract; lives as long as the model. NULL for NULL. Since 0.1. */
ISCP_API const iscp_contract *iscp_model_contract(const iscp_model *model);

/* Where the input contract is from: "options", "metadata" of the file, or the path of a file beside it; lives as long as the
 * model. NULL for NULL. Since 0.1. */
ISCP_API const char *iscp_model_contract_source(const iscp_model *model);

/* One line, UTF-8: where the weights came from, as "PyTorch zip, state dict model, prefix module., names of torchvision".
 * "random weights" for a model made by iscp_model_create. Lives as long as the model, NULL for NULL. Since 0.1. */
ISCP_API const char *iscp_model_source(const iscp_model *model);

/* The name of class `index`, or NULL if the model has no names or the index is out of range. Since 0.1. */
ISCP_API const char *iscp_model_class_name(const iscp_model *model, int32_t index);

/* SHA-256 as 64 hexadecimal digits; lives as long as the model, NULL for NULL. Of a loaded model: of its file. Of one
 * made by iscp_model_create: of each tensor's name, a zero byte, and its numbers, in the order of iscp_model_save.
 * Since 0.1. */
ISCP_API const char *iscp_model_hash(const iscp_model *model);

/* What a session is made for. */
enum {
  ISCP_SESSION_INFERENCE = 1, /* logits only: less memory */
  ISCP_SESSION_GRADIENT = 2   /* logits and gradients with respect to the input */
};

/* Makes a session that runs `batch` images at a time, 1 to 4096, for a `purpose` ISCP_SESSION_*. All memory of a
 * step is taken here: ISCP_ERROR_MEMORY if there is less, or if it is more than the context's `memory`, and then the
 * message says what batch would fit. ISCP_ERROR_UNSUPPORTED if the context asks for bf16 and this CPU has it not,
 * ISCP_ERROR_BACKEND if it computes wrongly there; ISCP_ERROR_BUSY after fork. On success the caller owns *out; on
 * failure *out is NULL. Since 0.1. */
ISCP_API iscp_status iscp_session_create(iscp_session **out, const iscp_model *model, int32_t batch, int32_t purpose);

/* Bytes that iscp_session_create(model, batch, purpose) would hold, without making it: what iscp_session_memory then
 * answers, with fast convolutions at most. The code that oneDNN generates comes on top, a few megabytes. Errors as of
 * iscp_session_create. Since 0.1. */
ISCP_API iscp_status iscp_session_foretell(int64_t *bytes, const iscp_model *model, int32_t batch, int32_t purpose);

/* Takes NULL. Since 0.1. */
ISCP_API void iscp_session_destroy(iscp_session *session);

/* Bytes that the session holds: activations, scratch, and its arrangement of the weights. 0 for NULL. Since 0.1. */
ISCP_API int64_t iscp_session_memory(const iscp_session *session);

/* Logits of `count` images. `images` is count x channels x height x width, pixel range [0,1], and `logits` is
 * count x classes, both float32 and the caller's. Any count >= 1: it is cut into batches. One thread at a time
 * (ISCP_ERROR_BUSY otherwise). Since 0.1. */
ISCP_API iscp_status iscp_session_logits(iscp_session *session, const float *images, int64_t count, float *logits);

/* Gradient of the summed cross-entropy with respect to the images, in pixel units:
 *   gradient[j] = d( sum_j -log softmax(logits_j)[targets[j]] ) / d images[j]
 * `images` and `gradient` are count x channels x height x width; `targets` is count class indices; `losses` (count
 * values) and `logits` (count x classes) may be NULL. Needs an ISCP_SESSION_GRADIENT session. Since 0.1. */
ISCP_API iscp_status iscp_session_input_gradient(iscp_session *session, const float *images, const int32_t *targets,
                                                 int64_t count, float *gradient, float *losses, float *logits);

#ifdef __cplusplus
}
#endif
#endif
