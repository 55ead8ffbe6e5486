/* A step of training taken apart: of every layer the three directions of its convolution, with their share of the peak of that
 * moment, and the two of its batch norm; then what they add up to. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "model/model.h"
#include "nn/training/training.h"

enum { MOST_ROUNDS = 50, FEWEST_ROUNDS = 3 };

enum { FORWARD, NORM_FORWARD, NORM_BACKWARD, WEIGHTS, DATA, PARTS };
static const char *const part_names[PARTS] = {"forward", "norm", "norm back", "weights", "data"};

typedef struct rounds {
  int count;
  double seconds[ISC_MAX_LAYERS][PARTS][MOST_ROUNDS];
  double peaks[MOST_ROUNDS];
} rounds;

/* What the run functions of training/run.c would hand a layer. */
typedef struct layer_run {
  const isc_training *t;
  int32_t layer;
  isc_norm_shape shape;
  isc_norm_gradient gradient;
  const float *src, *shortcut;
  float *diff_src;
} layer_run;

static float *node(const isc_training *t, int32_t index) {
  return index == ISC_NO_NODE ? NULL : index == ISC_NODE_INPUT ? t->src : t->y[index];
}

static float *slot(const isc_training *t, int32_t index) { return index == ISC_NO_SLOT ? NULL : t->slots[index]; }

static layer_run run_of(const isc_training *t, int32_t layer) {
  const isc_training_step *step = &t->steps[layer];
  const float *shortcut = node(t, step->shortcut), *other = slot(t, step->other);
  return (layer_run){.t = t, .layer = layer, .shape = isc_training_norm_shape(t, layer), .src = node(t, step->src),
                     .shortcut = shortcut, .diff_src = slot(t, step->diff_src),
                     .gradient = {.x = t->x[layer], .y = shortcut ? t->y[layer] : NULL, .diff = slot(t, step->diff),
                                  .other = other, .diff_x = slot(t, step->diff_x), .relu = t->graph->layers[layer].relu,
                                  .keep = shortcut || other}};
}

static iscp_status run_part(const layer_run *r, int part) {
  const isc_training *t = r->t;
  const isc_conv_choice *conv = &t->convs[r->layer];
  const isc_norm *norm = &t->norms[r->layer];
  switch (part) {
  case FORWARD: return conv->by->forward(conv->conv, r->src, t->x[r->layer], t->scratch);
  case NORM_FORWARD:
    isc_norm_forward(t->y[r->layer], norm, r->gradient.x, r->shortcut, r->gradient.relu, &r->shape, t->scratch);
    return ISCP_OK;
  case NORM_BACKWARD: isc_norm_backward(norm, &r->gradient, &r->shape, t->scratch); return ISCP_OK;
  case WEIGHTS:
    return conv->by->backward_weights(conv->conv, r->src, r->gradient.diff_x, t->gradients[r->layer], false, t->scratch);
  default: return r->diff_src ? conv->by->backward_data(conv->conv, r->gradient.diff_x, r->diff_src, t->scratch) : ISCP_OK;
  }
}

static void time_part(rounds *r, const isc_training *t, int32_t layer, int part) {
  layer_run run = run_of(t, layer);
  double start = clock_seconds();
  must(run_part(&run, part));
  r->seconds[layer][part][r->count] = clock_seconds() - start;
}

/* In the order of a step, so that the caches hold what they would. */
static void run_round(rounds *r, const isc_training *t, int32_t threads) {
  const isc_graph *g = t->graph;
  double before = peak_run(threads, 0.02);
  for (int32_t i = 0; i < g->forward_count; i++)
    for (int part = FORWARD; g->forward[i].kind == ISC_CONV_FORWARD && part <= NORM_FORWARD; part++)
      time_part(r, t, g->forward[i].layer, part);
  for (int32_t i = g->forward_count - 1; i >= 0; i--)
    for (int part = NORM_BACKWARD; g->forward[i].kind == ISC_CONV_FORWARD && part < PARTS; part++)
      time_part(r, t, g->forward[i].layer, part);
  r->peaks[r->count++] = (before + peak_run(threads, 0.02)) / 2;
}

static bool is_convolution(int part) { return part != NORM_FORWARD && part != NORM_BACKWARD; }

static void show_layer(rounds *r, const isc_training *t, int32_t layer, double sums[PARTS]) {
  const isc_conv_shape *s = &t->graph->layers[layer].shape;
  double flops = 2.0 * s->n * s->oc * s->ic * s->k * s->k * s->oh * s->ow;
  printf("%-24s %4dx%-4d %dx%d/%d %3d", t->graph->layers[layer].conv, s->ic, s->oc, s->k, s->k, s->stride, s->oh);
  for (int part = 0; part < PARTS; part++) {
    double shares[MOST_ROUNDS], seconds;
    for (int i = 0; i < r->count; i++)
      shares[i] = flops / r->seconds[layer][part][i] * 1e-9 / r->peaks[i];
    seconds = median(r->seconds[layer][part], r->count);
    sums[part] += seconds;
    printf(is_convolution(part) ? "  %7.2f" : "  %7.2f     ", seconds * 1e3);
    if (is_convolution(part))
      printf(" %4.2f", part == DATA && t->steps[layer].diff_src == ISC_NO_SLOT ? 0 : median(shares, r->count));
  }
  putchar('\n');
}

static void show(rounds *r, const isc_training *t) {
  double sums[PARTS] = {0}, all = 0;
  printf("%-24s %-9s %-5s %3s", "layer", "channels", "taps", "to");
  for (int part = 0; part < PARTS; part++)
    printf("  %12s", part_names[part]);
  putchar('\n');
  for (int32_t layer = 0; layer < t->graph->layer_count; layer++)
    show_layer(r, t, layer, sums);
  for (int part = 0; part < PARTS; part++)
    all += sums[part];
  for (int part = 0; part < PARTS; part++)
    printf("all  %-18s %8.2f ms  %4.1f %%\n", part_names[part], sums[part] * 1e3, 100 * sums[part] / all);
  printf("all  %-18s %8.2f ms a step of %d images\n", "", all * 1e3, t->batch);
}

void show_training_layers(const bench_world *world, const bench_case *of, double seconds) {
  rounds *r = calloc(1, sizeof *r);
  isc_compute compute;
  isc_training *t;
  if (!r)
    exit(1);
  must(isc_compute_enter(world->context, &compute));
  must(isc_training_create(&t, isc_model_network(world->model), of->batch, of->size.pixels, of->size.pixels, false));
  for (int64_t i = 0; i < (int64_t)of->batch * 3 * of->size.pixels * of->size.pixels; i++)
    isc_training_src(t)[i] = (float)(i * 2654435761u % 2000) / 1000 - 1;
  for (int64_t i = 0; i < (int64_t)of->batch * isc_model_classes(world->model); i++)
    isc_training_diff_logits(t)[i] = (float)(i % 7 - 3) / (float)of->batch;
  must(isc_training_forward(t)); /* not counted; gradients of a whole step are in the slots */
  must(isc_training_backward(t, false));
  for (double end = clock_seconds() + seconds; r->count < MOST_ROUNDS;)
    if (clock_seconds() < end || r->count < FEWEST_ROUNDS)
      run_round(r, t, of->threads);
    else
      break;
  printf("\n%d, %s stem, a step of training, batch %d, %s, %d threads, peak %.0f GFLOP/s; ms and share of the peak\n",
         of->size.pixels, of->size.stem == ISCP_STEM_CIFAR ? "cifar" : "imagenet", of->batch, backend_name(of->backend),
         of->threads, median(r->peaks, r->count));
  show(r, t);
  isc_training_destroy(t);
  isc_compute_leave(&compute);
  free(r);
}
