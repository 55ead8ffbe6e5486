/* Who reads what in a training, where gradients pass, and where everything lies.
 *
 * The graph's forward list runs over slots that are used again and again; a training keeps all activations, so the list is read
 * for who reads whose output. Gradients need only a few slots: backward goes through the layers in reverse, and a slot is free
 * once its reader is done. An activation that two layers read gets its gradient in two parts, which the batch norm behind it adds
 * up on its way.
 *
 *   arena: | src | x and y of each layer, the max-pool's | slots | gradients | norms | head | image's gradient | scratch |
 *
 * A shortcut's convolution is read by one sum only, and its y becomes the sum's in place. */
#include "nn/ops/stem.h"
#include "nn/training/training.h"

/* ---- Forward: who reads what ---- */

static void read_graph(isc_training *t) {
  const isc_graph *g = t->graph;
  int32_t held[ISC_SLOTS] = {ISC_NO_NODE, ISC_NO_NODE, ISC_NO_NODE};
  for (int32_t i = 0; i < g->forward_count; i++) {
    const isc_operation *o = &g->forward[i];
    bool conv = o->kind == ISC_CONV_FORWARD;
    isc_training_step *step = conv ? &t->steps[o->layer] : &t->pool;
    step->src = o->src == ISC_SLOT_INPUT ? ISC_NODE_INPUT : held[o->src];
    step->shortcut = conv && g->layers[o->layer].sum ? held[o->dst] : ISC_NO_NODE;
    held[o->dst] = conv ? o->layer : g->layer_count;
  }
}

/* ---- Backward: slots ---- */

typedef struct builder {
  isc_training *t;
  uint32_t taken;                        /* one bit a slot */
  int32_t parts[ISC_MAX_LAYERS + 1][2]; /* slots of a node's gradient */
} builder;

static int32_t take(builder *b, int32_t node) {
  int64_t count = isc_training_count(b->t, node);
  int32_t slot = 0;
  while (b->taken >> slot & 1)
    slot++;
  b->taken |= 1u << slot;
  if (b->t->slot_counts[slot] < count)
    b->t->slot_counts[slot] = count;
  return slot;
}

static void give(builder *b, int32_t slot) {
  if (slot != ISC_NO_SLOT)
    b->taken &= ~(1u << slot);
}

static void add_part(builder *b, int32_t node, int32_t slot) {
  int32_t *parts = b->parts[node];
  parts[parts[0] == ISC_NO_SLOT ? 0 : 1] = slot;
}

static int32_t take_diff_src(builder *b, const isc_training_step *step) {
  if (step->src == ISC_NODE_INPUT)
    return ISC_NO_SLOT;
  int32_t slot = take(b, step->src);
  add_part(b, step->src, slot);
  return slot;
}

static void add_step(builder *b, isc_training_step *step, int32_t node) {
  bool sum = step->shortcut != ISC_NO_NODE;
  step->diff = b->parts[node][0];
  step->other = b->parts[node][1];
  step->diff_x = sum ? take(b, node) : step->diff;
  give(b, step->other);
  step->diff_src = take_diff_src(b, step);
  give(b, step->diff_x);
  if (sum)
    add_part(b, step->shortcut, step->diff);
}

void isc_training_plan(isc_training *t) {
  const isc_graph *g = t->graph;
  builder b = {.t = t};
  read_graph(t);
  for (int32_t i = 0; i <= g->layer_count; i++)
    b.parts[i][0] = b.parts[i][1] = ISC_NO_SLOT;
  t->head_diff = take(&b, g->last_layer);
  add_part(&b, g->last_layer, t->head_diff);
  for (int32_t i = g->forward_count - 1; i >= 0; i--) {
    const isc_operation *o = &g->forward[i];
    if (o->kind == ISC_CONV_FORWARD)
      add_step(&b, &t->steps[o->layer], o->layer);
    else
      add_step(&b, &t->pool, g->layer_count);
  }
}

/* ---- The arena ---- */

static void *place(isc_training *t, size_t bytes) {
  void *memory = t->arena ? t->arena + t->arena_bytes : NULL;
  t->arena_bytes += isc_aligned(bytes);
  return memory;
}

static float *place_floats(isc_training *t, int64_t count) { return place(t, (size_t)count * sizeof(float)); }

static bool is_shortcut(const isc_graph *g, int32_t node) {
  return node >= 0 && node < g->layer_count && !g->layers[node].relu;
}

static void place_activations(isc_training *t) {
  const isc_graph *g = t->graph;
  for (int32_t i = 0; i < g->layer_count; i++) {
    int32_t shortcut = t->steps[i].shortcut;
    t->x[i] = place_floats(t, isc_training_count(t, i));
    if (g->layers[i].relu)
      t->y[i] = place_floats(t, isc_training_count(t, i));
    if (is_shortcut(g, shortcut)) /* a layer after this one in the list, run before it */
      t->y[shortcut] = t->y[i];
  }
  if (g->pool_oh) {
    t->y[g->layer_count] = place_floats(t, isc_training_count(t, g->layer_count));
    t->pool_which = place(t, (size_t)isc_training_count(t, g->layer_count));
  }
  for (int32_t i = 0; i < ISC_TRAINING_SLOTS; i++)
    t->slots[i] = place_floats(t, t->slot_counts[i]);
}

static void place_norm(isc_training *t, int32_t layer) {
  isc_norm *norm = &t->norms[layer];
  int64_t channels = t->graph->layers[layer].shape.oc, lanes = isc_norm_lanes((int32_t)channels, t->block);
  float **const vectors[] = {&norm->gamma,     &norm->beta,       &norm->running_mean, &norm->running_variance,
                             &norm->diff_gamma, &norm->diff_beta, &norm->deviation};
  float **const wide[] = {&norm->mean, &norm->a, &norm->b, &norm->slope, &norm->offset};
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
    *vectors[i] = place_floats(t, channels);
  for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
    *wide[i] = place_floats(t, lanes);
}

static void place_head(isc_training *t) {
  const isc_graph *g = t->graph;
  int64_t n = t->batch, classes = g->architecture.classes, features = g->features;
  t->features = place_floats(t, n * features);
  t->diff_features = place_floats(t, n * features);
  t->logits = place_floats(t, n * classes);
  t->diff_logits = place_floats(t, n * classes);
  t->dense_weights = place_floats(t, classes * features);
  t->dense_bias = place_floats(t, classes);
  t->diff_dense_weights = place_floats(t, classes * features);
  t->diff_dense_bias = place_floats(t, classes);
}

static void place_image_gradient(isc_training *t) {
  const isc_graph *g = t->graph;
  const isc_conv_shape *stem = &g->layers[0].shape;
  t->diff_src = place_floats(t, (int64_t)t->batch * stem->ic * stem->ih * stem->iw);
  if (isc_training_has_stem(t))
    t->stem = place_floats(t, g->pool_oh ? isc_stem_pool_count(stem) : isc_stem_count(stem, t->block));
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

void isc_training_lay_out(isc_training *t) {
  const isc_graph *g = t->graph;
  const isc_conv_shape *stem = &g->layers[0].shape;
  int64_t largest = 0;
  size_t scratch = 0;
  t->arena_bytes = 0;
  t->src = place_floats(t, (int64_t)t->batch * stem->ic * stem->ih * stem->iw);
  place_activations(t);
  for (int32_t i = 0; i < g->layer_count; i++) {
    const isc_conv_shape *s = &g->layers[i].shape;
    const isc_norm_shape shape = isc_training_norm_shape(t, i);
    int64_t plain = (int64_t)s->oc * s->ic * s->k * s->k;
    t->gradients[i] = place_floats(t, t->convs[i].by->count(t->convs[i].conv));
    place_norm(t, i);
    largest = plain > largest ? plain : largest;
    scratch = larger(scratch, larger(t->convs[i].by->scratch(t->convs[i].conv), isc_norm_scratch(&shape)));
  }
  place_head(t);
  if (t->attacked)
    place_image_gradient(t);
  t->plain = place_floats(t, largest);
  t->scratch = place(t, scratch);
}
