/* Direct or Winograd: measured, layer by layer and direction by direction, when a session is made. Winograd's F(4x4, 3x3) does a
 * quarter of the multiplications, but moves more memory: it wins on large images and loses on small ones. */
#include "nn/onednn/direction.h"

enum { REPEATS = 3 };

typedef struct trial {
  float *in, *out;
  void *scratch;
} trial;

static int64_t numbers_of(const isc_direction *d, dnnl_query_t which) {
  return (int64_t)(dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(d->pd, which, 0)) / sizeof(float));
}

static iscp_status make_trial(trial *t, const isc_direction *d, const iscp_context *context) {
  int64_t in = numbers_of(d, d->backward ? dnnl_query_diff_dst_md : dnnl_query_src_md);
  int64_t out = numbers_of(d, d->backward ? dnnl_query_diff_src_md : dnnl_query_dst_md);
  t->in = isc_calloc(context, (size_t)in, sizeof *t->in);
  t->out = isc_calloc(context, (size_t)out, sizeof *t->out);
  t->scratch = isc_alloc(context, isc_direction_scratch(d));
  return t->in && t->out && t->scratch ? ISCP_OK : ISCP_ERROR_MEMORY;
}

static void release_trial(trial *t, const iscp_context *context) {
  isc_free(context, t->in);
  isc_free(context, t->out);
  isc_free(context, t->scratch);
}

/* The fastest of some runs; the first meets cold memory. */
static iscp_status time_runs(double *seconds, isc_direction *d, const isc_problem *p, const trial *t) {
  *seconds = 0;
  for (int i = 0; i <= REPEATS; i++) {
    double start = isc_clock();
    ISC_TRY(isc_onednn_check(isc_direction_run(d, p->stream, t->in, t->out, t->scratch), p->desc->name, "trial"));
    double taken = isc_clock() - start;
    *seconds = i == 0 || taken < *seconds ? taken : *seconds;
  }
  return ISCP_OK;
}

static iscp_status time_direction(double *seconds, isc_direction *d, const isc_problem *p) {
  trial t = {0};
  iscp_status status = make_trial(&t, d, p->context);
  if (status == ISCP_OK)
    status = time_runs(seconds, d, p, &t);
  release_trial(&t, p->context);
  return status;
}

static iscp_status plan_and_time(double *seconds, isc_direction *d, const isc_problem *p, dnnl_alg_kind_t algorithm) {
  ISC_TRY(isc_direction_plan(d, p, algorithm));
  ISC_TRY(isc_direction_pack(d, p));
  return time_direction(seconds, d, p);
}

iscp_status isc_direction_race(isc_direction *d, const isc_problem *p) {
  double direct, fast;
  isc_direction winograd;
  ISC_TRY(plan_and_time(&direct, d, p, dnnl_convolution_direct));
  iscp_status status = plan_and_time(&fast, &winograd, p, dnnl_convolution_winograd);
  bool lost = status != ISCP_OK || fast >= direct;
  isc_direction_release(lost ? &winograd : d, p->context);
  if (!lost)
    *d = winograd;
  return status == ISCP_ERROR_UNSUPPORTED ? ISCP_OK : status;
}
