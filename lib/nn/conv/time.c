/* Times a convolution on numbers of no meaning, when two implementations of it are to be compared. */
#include "nn/conv/conv.h"

enum { REPEATS = 3 };

typedef struct trial {
  float *src, *dst;
  void *scratch;
} trial;

static iscp_status run_once(const isc_conv_choice *choice, const isc_conv_desc *desc, const trial *t) {
  ISC_TRY(choice->by->forward(choice->conv, t->src, t->dst, t->scratch));
  return desc->gradient ? choice->by->backward_data(choice->conv, t->dst, t->src, t->scratch) : ISCP_OK;
}

/* The first run meets cold memory. */
static iscp_status time_runs(double *seconds, const isc_conv_choice *choice, const isc_conv_desc *desc,
                             const trial *t) {
  for (int i = 0; i <= REPEATS; i++) {
    double start = isc_clock();
    ISC_TRY(run_once(choice, desc, t));
    double taken = isc_clock() - start;
    *seconds = i == 0 || taken < *seconds ? taken : *seconds;
  }
  return ISCP_OK;
}

iscp_status isc_conv_time(double *seconds, const isc_conv_choice *choice, const iscp_context *context,
                          const isc_conv_desc *desc) {
  const isc_conv_shape *s = &desc->shape;
  int64_t src = isc_activation_count(s->n, s->ic, s->ih, s->iw, desc->src_block);
  int64_t dst = isc_activation_count(s->n, s->oc, s->oh, s->ow, desc->dst_block);
  trial t = {isc_calloc(context, (size_t)src, sizeof(float)), isc_calloc(context, (size_t)dst, sizeof(float)),
             isc_alloc(context, choice->by->scratch(choice->conv))};
  iscp_status status = ISCP_ERROR_MEMORY;
  if (t.src && t.dst && t.scratch)
    status = time_runs(seconds, choice, desc, &t);
  isc_free(context, t.src);
  isc_free(context, t.dst);
  isc_free(context, t.scratch);
  return status;
}
