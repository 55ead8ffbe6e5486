/* Which implementation runs a convolution: one ordered table, read from the top for every layer of a plan or a training.
 *
 *   direct           AVX-512, float32, blocks of 16 channels: 1x1 and 3x3, the fastest there
 *   onednn           any layout of its own; refuses what it has only reference code for
 *   onednn training  the same with weights that change
 *   blas             N C H W, any shape
 *   blas training    the same with weights that change
 *   blas blocked     either of them inside blocks of channels: what oneDNN refuses
 *
 * The choice depends on shape, precision and CPU. Only Winograd's algorithm, which a context asks for, is chosen by a time. */
#include "config.h"
#include "nn/conv/conv.h"

static const isc_conv_implementation *const table[] = {
    &isc_conv_direct,
#if ISC_HAVE_ONEDNN
    &isc_conv_onednn,
    &isc_conv_onednn_training,
#endif
    &isc_conv_blas,
    &isc_conv_blas_training,
    &isc_conv_blas_blocked,
};

/* ---- The first that can ---- */

/* A plan of sizes alone says nothing: the plan itself will. */
static void tell_refusal(const iscp_context *context, const isc_conv_desc *desc) {
  if (desc->weights || desc->training)
    isc_log(context, ISCP_LOG_INFO, "layer \"%s\" falls back to OpenBLAS: %s", desc->name, iscp_error_message());
}

static iscp_status create_first(isc_conv_choice *choice, const iscp_context *context, const isc_conv_desc *desc) {
  bool refused = false;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const isc_conv_implementation *by = table[i];
    if (by->backend != iscp_context_backend(context) || !by->takes(context, desc))
      continue;
    if (refused)
      tell_refusal(context, desc);
    iscp_status status = by->create(&choice->conv, context, desc);
    choice->by = status == ISCP_OK ? by : NULL;
    if (status != ISCP_ERROR_UNSUPPORTED)
      return status;
    refused = true;
  }
  return refused ? ISCP_ERROR_UNSUPPORTED
                 : isc_fail(ISCP_ERROR_UNSUPPORTED, "no implementation takes layer \"%s\"", desc->name);
}

void isc_conv_release(isc_conv_choice *choice) {
  if (choice->by)
    choice->by->destroy(choice->conv);
  *choice = (isc_conv_choice){0};
}

/* ---- Winograd's algorithm ---- */

static bool may_be_winograd(const iscp_context *context, const isc_conv_desc *desc) {
  return !desc->training && iscp_context_convolutions(context) == ISCP_CONVOLUTIONS_FAST && desc->shape.k == 3 &&
         desc->shape.stride == 1 && desc->src_block > 1 && iscp_context_precision(context) == ISCP_PRECISION_F32;
}

/* Both directions together: it does a quarter of the multiplications but moves more memory, so it wins on large images. Without
 * weights it is taken: it holds more. */
static iscp_status is_faster(bool *faster, const isc_conv_choice *winograd, const isc_conv_choice *direct,
                             const iscp_context *context, const isc_conv_desc *desc) {
  double direct_seconds = 1, winograd_seconds = 0;
  if (desc->weights) {
    ISC_TRY(isc_conv_time(&direct_seconds, direct, context, desc));
    ISC_TRY(isc_conv_time(&winograd_seconds, winograd, context, desc));
  }
  *faster = winograd_seconds < direct_seconds;
  return ISCP_OK;
}

static iscp_status try_winograd(isc_conv_choice *choice, const iscp_context *context, const isc_conv_desc *desc) {
  isc_conv_choice winograd = {0};
  isc_conv_desc wanted = *desc;
  bool faster = false;
  wanted.winograd = true;
  iscp_status status = create_first(&winograd, context, &wanted);
  if (status != ISCP_OK)
    return status == ISCP_ERROR_UNSUPPORTED ? ISCP_OK : status;
  status = is_faster(&faster, &winograd, choice, context, desc);
  isc_conv_choice slower = faster ? *choice : winograd;
  *choice = faster ? winograd : *choice;
  isc_conv_release(&slower);
  return status;
}

iscp_status isc_conv_choose(isc_conv_choice *choice, const iscp_context *context, const isc_conv_desc *desc) {
  ISC_TRY(create_first(choice, context, desc));
  return may_be_winograd(context, desc) ? try_winograd(choice, context, desc) : ISCP_OK;
}
