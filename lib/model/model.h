/* Face of lib/model: a network with its input contract and class names, and the session that runs it. */
#ifndef ISC_MODEL_H
#define ISC_MODEL_H

#include <iscp/model.h>

#include "data/data.h"
#include "nn/nn.h"

iscp_model *isc_model_hold(const iscp_model *model); /* one more reference */
const isc_network *isc_model_network(const iscp_model *model);
const iscp_context *isc_model_context(const iscp_model *model);
int32_t isc_model_classes(const iscp_model *model);
int32_t isc_model_features(const iscp_model *model); /* numbers that the dense layer reads */

/* A model of other weights with the contract and the class names of `like`; `source` says where they are from. Takes over
 * `tensors`, torchvision's names. */
iscp_status isc_model_of_tensors(iscp_model **out, const iscp_model *like, isc_tensor_set *tensors, const char *source);

/* ISCP_ERROR_MISMATCH unless the dataset's images are what the model expects and its labels are the model's classes. */
iscp_status isc_model_check_dataset(const iscp_model *model, const iscp_dataset *dataset);

/* ---- Sessions, for those who fill batches themselves (search, evaluate) ---- */

/* Claims the session for the calling thread and enters the context; isc_session_leave gives both back. */
iscp_status isc_session_enter(iscp_session *session, isc_compute *compute);
void isc_session_leave(iscp_session *session, const isc_compute *compute);

/* Further purposes. ISC_SESSION_STAGE + 1 to ISC_SESSION_STAGE + 4: backward ends at the output of layer<stage>.
 * ISC_SESSION_FEATURES: forward ends at what the dense layer reads, and backward begins there. The callers of these two have
 * checked the purpose. */
enum { ISC_SESSION_STAGE = 256, ISC_SESSION_FEATURES = 512 };
iscp_status isc_session_create(iscp_session **out, const iscp_model *model, int32_t batch, int32_t purpose);
iscp_status isc_session_foretell(int64_t *bytes, const iscp_model *model, int32_t batch, int32_t purpose);

int32_t isc_session_batch(const iscp_session *session);

/* Row `row` of the batch, channels x height x width, normalised: (pixel - mean) / std. */
float *isc_session_src(iscp_session *session, int32_t row);

/* Between enter and leave. Rows that were not written keep what they held; their results are of no use. */
iscp_status isc_session_forward(iscp_session *session);
const float *isc_session_logits(const iscp_session *session, int32_t row);
float *isc_session_diff_logits(iscp_session *session, int32_t row);
iscp_status isc_session_backward(iscp_session *session);
const float *isc_session_diff_src(const iscp_session *session, int32_t row);

/* Of a session for features, in place of logits. */
int32_t isc_session_feature_count(const iscp_session *session);
const float *isc_session_features(const iscp_session *session, int32_t row);
float *isc_session_diff_features(iscp_session *session, int32_t row);

/* Of a session for a stage: its output and what backward gave, of all rows (isc_plan_kept). */
void isc_session_kept_size(const iscp_session *session, int32_t size[3]);
const float *isc_session_kept(const iscp_session *session);
const float *isc_session_diff_kept(const iscp_session *session);

/* dst = (image - mean) / std, per channel, with the mean and std of isc_contract_scale. */
void isc_normalise(float *dst, const float *image, const iscp_contract *contract);

/* ---- Batches (budget.c) ---- */

enum { ISC_LARGEST_BATCH = 4096 };

/* A batch that keeps the machine busy without outgrowing its caches, for a network run over many images. */
int32_t isc_model_good_batch(const iscp_model *model, int32_t purpose);

/* A batch up to `most`, as large as halving finds it, whose session fits the context's memory with `reserved` bytes beside.
 * ISCP_ERROR_MEMORY says what one image needs if not even that fits. */
iscp_status isc_budget_fit(int32_t *batch, const iscp_model *model, int32_t most, int32_t purpose, int64_t reserved);

/* ISCP_ERROR_MEMORY, with the largest batch that would do, if a session is beyond the budget. */
iscp_status isc_budget_check(const iscp_model *model, int32_t batch, int32_t purpose);

#endif
