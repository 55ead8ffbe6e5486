/* A training as the network that it would be now, for attacks on it: batch norm has its running statistics, and gradients pass to
 * the images through the same slots as in a step, without those of the weights.
 *
 *   forward:  src -> (convolution, a x + b [, sum], ReLU) ... -> mean -> dense -> logits
 *   backward: diff_logits -> dense -> mean -> the layers in reverse: diff_x = a g, then diff_src -> the image */
#include "nn/ops/stem.h"
#include "nn/training/training.h"

/* ---- Forward ---- */

static iscp_status forward_layer(isc_training *t, int32_t layer) {
  const isc_training_step *step = &t->steps[layer];
  const isc_norm_shape shape = isc_training_norm_shape(t, layer);
  ISC_TRY(t->convs[layer].by->forward(t->convs[layer].conv, isc_training_node(t, step->src), t->x[layer], t->scratch));
  isc_norm_frozen_forward(t->y[layer], &t->norms[layer], t->x[layer],
                          step->shortcut == ISC_NO_NODE ? NULL : t->y[step->shortcut], t->graph->layers[layer].relu, &shape);
  return ISCP_OK;
}

iscp_status isc_training_predict(isc_training *t) {
  const isc_graph *g = t->graph;
  for (int32_t i = 0; i < g->forward_count; i++)
    if (g->forward[i].kind == ISC_POOL_FORWARD)
      isc_training_forward_pool(t);
    else
      ISC_TRY(forward_layer(t, g->forward[i].layer));
  isc_training_forward_head(t);
  return ISCP_OK;
}

/* ---- Backward ---- */

/* Behind the max-pool the norm's a is in the weights, since its own backward is passed over. */
static void fold(isc_training *t) {
  const isc_conv_shape *s = &t->graph->layers[0].shape;
  int64_t depth = (int64_t)s->ic * s->k * s->k;
  for (int32_t oc = 0; oc < s->oc; oc++) {
    float a = t->norms[0].a[oc / t->block * ISC_NORM_LANES + oc % t->block];
    for (int64_t i = oc * depth; i < (oc + 1) * depth; i++)
      t->plain[i] *= a;
  }
}

/* Pool, ReLU, norm and convolution at once. */
static iscp_status backward_stem_pool(isc_training *t) {
  const isc_graph *g = t->graph;
  const isc_stem_pool stem = {&g->layers[0].shape, g->pool_oh, g->pool_ow, t->block};
  float *diff = isc_training_slot(t, t->pool.diff), *other = isc_training_slot(t, t->pool.other);
  if (other)
    isc_join_backward(diff, other, NULL, isc_training_count(t, g->layer_count));
  ISC_TRY(t->convs[0].by->unpack(t->convs[0].conv, t->plain, t->convs[0].by->weights(t->convs[0].conv), t->scratch));
  fold(t);
  isc_stem_pool_pack(t->stem, t->plain, stem.conv);
  isc_stem_pool_backward(t->diff_src, t->stem, t->pool_which, diff, &stem);
  return ISCP_OK;
}

static iscp_status backward_first(isc_training *t, const float *diff_x) {
  const isc_conv_shape *shape = &t->graph->layers[0].shape;
  if (!isc_training_has_stem(t))
    return t->convs[0].by->backward_data(t->convs[0].conv, diff_x, t->diff_src, t->scratch);
  ISC_TRY(t->convs[0].by->unpack(t->convs[0].conv, t->plain, t->convs[0].by->weights(t->convs[0].conv), t->scratch));
  isc_stem_pack(t->stem, t->plain, shape, t->block);
  isc_stem_backward_data(t->diff_src, t->stem, diff_x, shape, t->block);
  return ISCP_OK;
}

static iscp_status backward_layer(isc_training *t, int32_t layer) {
  const isc_training_step *step = &t->steps[layer];
  const isc_norm_shape shape = isc_training_norm_shape(t, layer);
  const isc_norm_gradient gradient = {.y = t->y[layer], .diff = isc_training_slot(t, step->diff),
                                      .other = isc_training_slot(t, step->other),
                                      .diff_x = isc_training_slot(t, step->diff_x), .relu = t->graph->layers[layer].relu,
                                      .keep = step->shortcut != ISC_NO_NODE};
  isc_norm_frozen_backward(&t->norms[layer], &gradient, &shape);
  if (step->src == ISC_NODE_INPUT)
    return backward_first(t, gradient.diff_x);
  return t->convs[layer].by->backward_data(t->convs[layer].conv, gradient.diff_x, isc_training_slot(t, step->diff_src),
                                           t->scratch);
}

iscp_status isc_training_backward_src(isc_training *t) {
  const isc_graph *g = t->graph;
  isc_training_backward_head(t);
  for (int32_t i = g->forward_count - 1; i >= 0; i--) {
    if (g->forward[i].kind == ISC_POOL_FORWARD)
      return backward_stem_pool(t);
    ISC_TRY(backward_layer(t, g->forward[i].layer));
  }
  return ISCP_OK;
}
