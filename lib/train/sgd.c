/* Stochastic gradient descent, as torch.optim.SGD:
 *
 *   g = gradient + decay w     v = momentum v + g     w = w - rate (nesterov ? g + momentum v : v)
 *
 * One pass over the numbers, in whatever order the backend has them: what pads them is zero and stays so. Weight decay is for
 * convolutions and the dense layer's weights; with decay_all for all parameters, which is PyTorch's own default. */
#include <float.h>
#include <math.h>

#include "train/train.h"

struct isc_sgd {
  iscp_context *context;
  isc_training *training;
  isc_sgd_form form;
  int32_t count;
  float **momenta; /* by parameter, NULL of a running statistic */
  float *memory;
  int64_t numbers;
};

enum { ALIGN = 16 }; /* numbers */

static int64_t aligned(int64_t count) { return (count + ALIGN - 1) / ALIGN * ALIGN; }

static void place(isc_sgd *s) {
  s->numbers = 0;
  for (int32_t i = 0; i < s->count; i++) {
    isc_parameter p;
    isc_training_parameter(&p, s->training, i);
    s->momenta[i] = p.gradient && s->memory ? s->memory + s->numbers : NULL;
    s->numbers += p.gradient ? aligned(p.count) : 0;
  }
}

iscp_status isc_sgd_create(isc_sgd **out, const iscp_context *context, isc_training *training, const isc_sgd_form *form) {
  isc_sgd *s = *out = isc_calloc(context, 1, sizeof *s);
  if (!s)
    return ISCP_ERROR_MEMORY;
  s->context = isc_context_hold(context);
  s->training = training;
  s->form = *form;
  s->count = isc_training_parameters(training);
  s->momenta = isc_calloc(context, (size_t)s->count, sizeof *s->momenta);
  if (s->momenta)
    place(s);
  s->memory = s->momenta ? isc_calloc(context, (size_t)s->numbers, sizeof *s->memory) : NULL;
  if (!s->memory) {
    isc_sgd_destroy(s);
    *out = NULL;
    return ISCP_ERROR_MEMORY;
  }
  place(s);
  return ISCP_OK;
}

void isc_sgd_destroy(isc_sgd *s) {
  if (!s)
    return;
  iscp_context *context = s->context;
  isc_free(context, s->momenta);
  isc_free(context, s->memory);
  isc_free(context, s);
  isc_context_drop(context);
}

size_t isc_sgd_memory(const isc_sgd *s) { return sizeof *s + (size_t)s->numbers * sizeof(float); }
float *isc_sgd_momentum(const isc_sgd *s, int32_t index) { return s->momenta[index]; }

/* Whether all weights are finite afterwards. */
static bool move(const isc_parameter *p, float *momentum, float rate, float decay, const isc_sgd_form *form) {
  float *w = p->numbers, kept = form->momentum, ahead = form->nesterov ? form->momentum : 0;
  float now = form->nesterov ? 1 : 0, behind = form->nesterov ? 0 : 1;
  const float *gradient = p->gradient;
  int32_t beyond = 0;
#pragma omp parallel for simd schedule(static) reduction(| : beyond)
  for (int64_t i = 0; i < p->count; i++) {
    float g = gradient[i] + decay * w[i];
    momentum[i] = kept * momentum[i] + g;
    w[i] -= rate * (now * g + (ahead + behind) * momentum[i]);
    beyond |= !(fabsf(w[i]) <= FLT_MAX);
  }
  return !beyond;
}

iscp_status isc_sgd_step(isc_sgd *s, float rate) {
  for (int32_t i = 0; i < s->count; i++) {
    isc_parameter p;
    isc_training_parameter(&p, s->training, i);
    if (!p.gradient)
      continue;
    float decay = s->form.decay_all || p.dims > 1 ? s->form.weight_decay : 0;
    if (!move(&p, s->momenta[i], rate, decay, &s->form))
      return isc_fail(ISCP_ERROR_ARGUMENT, "\"%s\" is no longer finite after a step of learning rate %g, expected a lower one",
                      p.name, (double)rate);
  }
  return ISCP_OK;
}
