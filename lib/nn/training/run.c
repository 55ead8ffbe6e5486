/* A step of training, without the optimiser:
 *
 *   forward:  src -> (convolution, batch norm with the batch's statistics [, sum], ReLU) ... -> mean -> dense -> logits
 *   backward: diff_logits -> dense -> mean -> the layers in reverse: batch norm, then the weights' gradient and diff_src
 *
 * Activations and what each convolution gave are kept from forward to backward; gradients pass through a few slots. */
#include "nn/training/training.h"

/* ---- Forward ---- */

void isc_training_forward_pool(isc_training *t) {
  const isc_graph *g = t->graph;
  isc_pool_forward(t->y[g->layer_count], t->pool_which, t->y[t->pool.src], isc_training_pool_planes(t), g->pool_ih,
                   g->pool_iw, g->pool_oh, g->pool_ow, t->block);
}

static iscp_status forward_layer(isc_training *t, int32_t layer) {
  const isc_training_step *step = &t->steps[layer];
  const isc_norm_shape shape = isc_training_norm_shape(t, layer);
  ISC_TRY(t->convs[layer].by->forward(t->convs[layer].conv, isc_training_node(t, step->src), t->x[layer], t->scratch));
  isc_norm_forward(t->y[layer], &t->norms[layer], t->x[layer], step->shortcut == ISC_NO_NODE ? NULL : t->y[step->shortcut],
                   t->graph->layers[layer].relu, &shape, t->scratch);
  return ISCP_OK;
}

void isc_training_forward_head(isc_training *t) {
  const isc_graph *g = t->graph;
  isc_mean_forward(t->features, t->y[g->last_layer], t->batch, g->features, g->head_h * g->head_w, t->block);
  isc_dense_forward(t->logits, t->features, t->dense_weights, t->dense_bias, t->batch, g->features, g->architecture.classes);
}

iscp_status isc_training_forward(isc_training *t) {
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

void isc_training_backward_head(isc_training *t) {
  const isc_graph *g = t->graph;
  int32_t n = t->batch, classes = g->architecture.classes;
  isc_dense_backward_data(t->diff_features, t->diff_logits, t->dense_weights, n, g->features, classes);
  isc_mean_backward(isc_training_slot(t, t->head_diff), t->diff_features, NULL, n, g->features, g->head_h * g->head_w, t->block);
}

static void backward_pool(isc_training *t) {
  const isc_graph *g = t->graph;
  float *diff = isc_training_slot(t, t->pool.diff), *other = isc_training_slot(t, t->pool.other);
  if (other)
    isc_join_backward(diff, other, NULL, isc_training_count(t, g->layer_count));
  isc_pool_backward(isc_training_slot(t, t->pool.diff_src), t->pool_which, diff, isc_training_pool_planes(t), g->pool_ih,
                    g->pool_iw, g->pool_oh, g->pool_ow, t->block);
}

static iscp_status backward_layer(isc_training *t, int32_t layer, bool add) {
  const isc_training_step *step = &t->steps[layer];
  const isc_norm_shape shape = isc_training_norm_shape(t, layer);
  bool sum = step->shortcut != ISC_NO_NODE;
  const isc_norm_gradient gradient = {.x = t->x[layer], .y = sum ? t->y[layer] : NULL,
                                      .diff = isc_training_slot(t, step->diff), .other = isc_training_slot(t, step->other),
                                      .diff_x = isc_training_slot(t, step->diff_x),
                                      .relu = t->graph->layers[layer].relu, .keep = sum || step->other != ISC_NO_SLOT};
  isc_norm_backward(&t->norms[layer], &gradient, &shape, t->scratch);
  ISC_TRY(t->convs[layer].by->backward_weights(t->convs[layer].conv, isc_training_node(t, step->src), gradient.diff_x,
                                            t->gradients[layer], add, t->scratch));
  if (step->diff_src == ISC_NO_SLOT)
    return ISCP_OK;
  return t->convs[layer].by->backward_data(t->convs[layer].conv, gradient.diff_x, isc_training_slot(t, step->diff_src),
                                           t->scratch);
}

static void clear(float *numbers, int64_t count) {
  for (int64_t i = 0; i < count; i++)
    numbers[i] = 0;
}

/* Of those that backward can only add to; a convolution's writes anew. */
static void clear_gradients(isc_training *t) {
  const isc_graph *g = t->graph;
  for (int32_t i = 0; i < g->layer_count; i++) {
    clear(t->norms[i].diff_gamma, g->layers[i].shape.oc);
    clear(t->norms[i].diff_beta, g->layers[i].shape.oc);
  }
  clear(t->diff_dense_weights, (int64_t)g->architecture.classes * g->features);
  clear(t->diff_dense_bias, g->architecture.classes);
}

iscp_status isc_training_backward(isc_training *t, bool add) {
  const isc_graph *g = t->graph;
  if (!add)
    clear_gradients(t);
  isc_dense_backward_weights(t->diff_dense_weights, t->diff_dense_bias, t->features, t->diff_logits, t->batch, g->features,
                             g->architecture.classes);
  isc_training_backward_head(t);
  for (int32_t i = g->forward_count - 1; i >= 0; i--)
    if (g->forward[i].kind == ISC_POOL_FORWARD)
      backward_pool(t);
    else
      ISC_TRY(backward_layer(t, g->forward[i].layer, add));
  return ISCP_OK;
}
