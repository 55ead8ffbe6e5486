/* May convolutions run in bfloat16 here? The CPU must have the instructions, and what they give must be right: wrong results of
 * bf16 convolutions have been seen on some machines, so one is run both ways before any is trusted. */
#include <math.h>
#include <string.h>

#include "nn/backend.h"
#include "nn/conv/onednn/direction.h"

/* Both factors are rounded by at most 2^-9 of their size, so a product is off by at most 0.4 %, and a sum of hundreds of them, of
 * either sign, by less than that of its size. Another computation is off by tens of percent. */
static const double TOLERANCE = 0.01;

enum { CHANNELS = 64, SIDE = 14, NUMBERS = CHANNELS * SIDE * SIDE, WEIGHTS = CHANNELS * CHANNELS * 9 };

typedef struct probe {
  float weights[WEIGHTS], bias[CHANNELS], in[NUMBERS];
  _Alignas(64) float exact[NUMBERS], rounded[NUMBERS];
} probe;

static void fill(float *numbers, int32_t count, uint32_t seed) {
  for (int32_t i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    numbers[i] = (float)(int32_t)seed / 0x1p31f;
  }
}

static iscp_status run(float *out, const float *in, const isc_problem *p) {
  isc_direction d;
  void *scratch = NULL;
  iscp_status status = isc_direction_plan(&d, p, dnnl_convolution_direct);
  if (status == ISCP_OK)
    status = isc_direction_pack(&d, p);
  if (status == ISCP_OK && !(scratch = isc_alloc(p->context, isc_direction_scratch(&d))))
    status = ISCP_ERROR_MEMORY;
  if (status == ISCP_OK)
    status = isc_onednn_check(isc_direction_run(&d, p->stream, in, out, scratch), p->desc->name, "run");
  isc_free(p->context, scratch);
  isc_direction_release(&d, p->context);
  return status;
}

static double relative_error(const float *a, const float *b) {
  double difference = 0, size = 0;
  for (int32_t i = 0; i < NUMBERS; i++) {
    difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    size += (double)a[i] * a[i];
  }
  return sqrt(difference / size);
}

/* Backward's hint is the forward primitive of the same types. */
static iscp_status compare(probe *data, isc_problem *p) {
  float *outs[] = {data->exact, data->rounded};
  for (int bf16 = 0; bf16 < 2; bf16++) {
    isc_direction forward = {0};
    p->bf16 = bf16;
    iscp_status status = ISCP_OK;
    bool backward = p->backward;
    if (backward) {
      p->backward = false;
      status = isc_direction_plan(&forward, p, dnnl_convolution_direct);
      p->forward_pd = forward.pd;
      p->backward = true;
    }
    if (status == ISCP_OK)
      status = run(outs[bf16], data->in, p);
    isc_direction_release(&forward, p->context);
    ISC_TRY(status);
  }
  double error = relative_error(data->exact, data->rounded);
  if (!(error < TOLERANCE))
    return isc_fail(ISCP_ERROR_BACKEND, "bf16 convolutions of this machine are off by %.3g of their size, expected less than %g",
                    error, TOLERANCE);
  return ISCP_OK;
}

static iscp_status probe_both(probe *data, const iscp_context *context) {
  const isc_conv_desc desc = {.name = "bf16 check", .shape = {1, CHANNELS, SIDE, SIDE, CHANNELS, SIDE, SIDE, 3, 1, 1},
                              .weights = data->weights, .bias = data->bias, .gradient = true, .src_block = 16, .dst_block = 16};
  isc_problem p = {.context = context, .desc = &desc};
  fill(data->weights, WEIGHTS, 1);
  fill(data->bias, CHANNELS, 2);
  fill(data->in, NUMBERS, 3);
  dnnl_status_t made = dnnl_engine_create(&p.engine, dnnl_cpu, 0);
  if (made == dnnl_success)
    made = dnnl_stream_create(&p.stream, p.engine, dnnl_stream_default_flags);
  iscp_status status = isc_onednn_check(made, desc.name, "engine");
  for (int back = 0; status == ISCP_OK && back < 2; back++) {
    p.backward = back;
    status = compare(data, &p);
  }
  dnnl_stream_destroy(p.stream);
  dnnl_engine_destroy(p.engine);
  return status;
}

iscp_status isc_onednn_check_precision(const iscp_context *context) {
  if (iscp_context_precision(context) != ISCP_PRECISION_BF16)
    return ISCP_OK;
  if ((dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) != dnnl_cpu_isa_avx512_core_bf16)
    return isc_fail(ISCP_ERROR_UNSUPPORTED, "this CPU has %s, bf16 needs AMX or AVX-512 BF16: expected f32",
                    isc_onednn_kernels());
  probe *data = isc_alloc(context, sizeof *data);
  if (!data)
    return ISCP_ERROR_MEMORY;
  isc_onednn_lock();
  iscp_status status = probe_both(data, context);
  isc_onednn_unlock();
  isc_free(context, data);
  return status;
}
